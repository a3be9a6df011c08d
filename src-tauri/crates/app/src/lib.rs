//! Composition: opens, wires, starts and stops the watcher, the queue and recovery.

pub mod build_log;
