//! Prepares the window: capabilities live under `src-tauri`, and an empty console stands in until the real one is built.

fn main() {
    let console = std::path::Path::new("ui/dist");
    if !console.join("index.html").exists() {
        std::fs::create_dir_all(console).expect("ui/dist can be created");
        std::fs::write(
            console.join("index.html"),
            "<!doctype html><title>Slipway</title><p>The console is not built: run <code>make console</code>.</p>",
        )
        .expect("ui/dist can be written");
    }
    // Named here, a command needs a permission of the capability; unnamed, every page could call it.
    let commands = tauri_build::AppManifest::new().commands(&[
        "rpc",
        "subscribe",
        "follow_addresses",
        "speak",
        "open_link",
        "pick_folder",
        "pick_file",
        "save_text",
        "save_log",
    ]);
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(commands);
    tauri_build::try_build(attributes).expect("the window's configuration is sound");
}
