//! Scripted fakes, real fixtures, fault proxies, the crash driver

pub mod fakes;
