//! Writes `ui/src/host/bindings.ts`, or with `--check` says whether it is current.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/host/bindings.ts");
    let wanted = slipway_api::typescript::bindings();
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    let say = |text: &str| {
        // Nobody may be listening; the exit status says the same.
        let _ = writeln!(std::io::stderr(), "{text}");
    };
    if std::env::args().any(|argument| argument == "--check") {
        if current == wanted {
            return ExitCode::SUCCESS;
        }
        say("ui/src/host/bindings.ts is not current: run `cargo run -p slipway-api --bin export-bindings`");
        return ExitCode::FAILURE;
    }
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, wanted));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("ui/src/host/bindings.ts cannot be written: {error}"));
            ExitCode::FAILURE
        }
    }
}
