//! Deploying an image: one folder per action, one contract (`slipway_core::deploy`).
