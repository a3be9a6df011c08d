//! The real application: its window under Xvfb, driven by WebKit's own WebDriver, on a desktop whose bus is ours.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod code_host;
mod desktop;
mod driver;
mod frame;
mod killed;
mod main_path;
mod seed_4;
mod stage;
mod surroundings;
mod uploads;
mod walls;

#[test]
fn every_file_of_this_folder_is_a_module_here() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("window");
    let list = std::fs::read_to_string(here.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(here).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") {
            assert!(list.contains(&format!("mod {module};")), "tests/window/{name} is not named in main.rs");
        }
    }
}
