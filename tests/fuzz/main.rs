//! `scripts/fuzz`: libFuzzer around one target, named by `SLIPWAY_FUZZ`. Its arguments are libFuzzer's own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slipway_flows::fuzz::{self, Target};
use std::sync::LazyLock;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("SLIPWAY_FUZZ").unwrap_or_default();
    fuzz::find(&name).unwrap_or_else(|| panic!("SLIPWAY_FUZZ names no target: {name:?}"))
});

fuzz_target!(|bytes: &[u8]| (TARGET.feed)(bytes));
