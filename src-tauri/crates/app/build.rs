//! Compiles the sample's server (`sample/server.rs`) into one static Linux program that `src/sample/server.rs` embeds.
//!
//! It is compiled for the machine that this build is for, when that is Linux with glibc and its static libraries are there.
//! Elsewhere, and for other architectures of the engine, `SLIPWAY_SAMPLE_SERVER_AMD64` and `SLIPWAY_SAMPLE_SERVER_ARM64`
//! name programs that were compiled before; without them the sample says that it is missing.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = "sample/server.rs";
/// Of the engine's architectures, those that a sample can be brought for, with Rust's word.
const ARCHITECTURES: [(&str, &str); 2] = [("amd64", "x86_64"), ("arm64", "aarch64")];

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut list = String::from("static SERVERS: &[(&str, &[u8])] = &[\n");
    for (name, rust_name) in ARCHITECTURES {
        let variable = format!("SLIPWAY_SAMPLE_SERVER_{}", name.to_uppercase());
        println!("cargo::rerun-if-env-changed={variable}");
        let program = match env::var_os(&variable) {
            Some(path) => Some(given(&variable, Path::new(&path))),
            None => compiled(name, rust_name, &out),
        };
        if let Some(program) = program {
            writeln!(list, "    ({name:?}, include_bytes!({program:?})),").expect("a String takes everything");
        }
    }
    list.push_str("];\n");
    std::fs::write(out.join("sample_servers.rs"), list).expect("OUT_DIR can be written");
}

fn given(variable: &str, path: &Path) -> PathBuf {
    println!("cargo::rerun-if-changed={}", path.display());
    std::fs::canonicalize(path).unwrap_or_else(|error| panic!("{variable} names {}: {error}", path.display()))
}

fn compiled(name: &str, rust_name: &str, out: &Path) -> Option<PathBuf> {
    let target = env::var("TARGET").expect("cargo sets TARGET");
    if target != format!("{rust_name}-unknown-linux-gnu") {
        return None;
    }
    let program = out.join(format!("serve-{name}"));
    let flags =
        ["opt-level=z", "panic=abort", "lto=fat", "codegen-units=1", "strip=symbols", "target-feature=+crt-static"];
    let compiler = env::var_os("RUSTC").expect("cargo sets RUSTC");
    let result = Command::new(compiler)
        .args(["--edition", "2024", "--crate-type", "bin", "--crate-name", "serve", "--target", &target])
        .args(flags.iter().flat_map(|flag| ["-C", flag]))
        .arg("-o")
        .arg(&program)
        .arg(SOURCE)
        .output();
    match result {
        Ok(output) if output.status.success() => Some(program),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            println!("cargo::warning=no sample for {name}: {}", said.lines().next().unwrap_or("rustc failed"));
            None
        }
        Err(error) => {
            println!("cargo::warning=no sample for {name}: {error}");
            None
        }
    }
}
