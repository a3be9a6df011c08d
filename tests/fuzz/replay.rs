//! Inputs of `tests/fuzz/corpus`: seeds, and what fuzzing once found.

use slipway_flows::fuzz::TARGETS;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

#[test]
fn hostile_bytes_of_earlier_fuzzing_are_taken_in_their_stride() {
    let mut fed = 0;
    for target in TARGETS {
        let mut inputs: Vec<PathBuf> =
            std::fs::read_dir(corpus().join(target.name)).unwrap().flatten().map(|entry| entry.path()).collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{} has no input", target.name);
        for input in inputs {
            let bytes = std::fs::read(&input).unwrap();
            let begun = Instant::now();
            let held = std::panic::catch_unwind(|| (target.feed)(&bytes));
            assert!(held.is_ok(), "{} does not hold for {}", target.name, input.display());
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(5), "{} took {took:?} for {}", target.name, input.display());
            fed += 1;
        }
    }
    assert!(fed > TARGETS.len());
}

#[test]
fn every_folder_of_the_corpus_is_a_target() {
    let folders: BTreeSet<String> =
        std::fs::read_dir(corpus()).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(folders, TARGETS.iter().map(|target| target.name.to_owned()).collect());
}
