//! The actions against a real engine.
#![allow(clippy::unwrap_used)]
#![recursion_limit = "256"]

mod channels;
mod compose;
mod containers;
mod directory;
mod faithful;
mod half_made;
mod kill;
mod kubernetes;
mod pulls;
mod support;
mod swarm;
mod webhook;

#[test]
fn no_test_file_was_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(
            module == "main" || include_str!("main.rs").contains(&format!("mod {module};")),
            "{name} is not a module"
        );
    }
}
