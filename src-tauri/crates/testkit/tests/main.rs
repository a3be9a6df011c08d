//! The fixtures do what their names say, against independent witnesses (the git, docker and secret-tool programs).
#![allow(clippy::unwrap_used)]

mod canaries;
mod engines;
mod fault_proxies;
mod git;
mod kubernetes;
mod processes;
mod registries;
mod secrets;

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
