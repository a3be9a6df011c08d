//! Flows through the whole product. One binary, so that it links once; a test makes sure that no file is forgotten.
#![allow(clippy::unwrap_used)]

mod accounts;
mod bad_input;
mod borders;
mod clocks;
mod code_host;
mod contexts;
mod failures;
#[path = "../fuzz/replay.rs"]
mod fuzz_replay;
mod house;
mod interruptions;
mod main_path;
mod recovery;
mod registry_troubles;
mod sample;
mod source_troubles;
mod ssh;
mod triggers;
mod uploads;
mod versions;
mod walls;
mod webhooks;
mod window;

#[test]
fn every_file_of_this_folder_is_a_module_here() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("flows");
    let list = std::fs::read_to_string(here.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(here).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") {
            assert!(list.contains(&format!("mod {module};")), "tests/flows/{name} is not named in main.rs");
        }
    }
}
