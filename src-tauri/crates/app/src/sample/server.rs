//! The sample's server as a program: compiled by the build script where it can be, else taken from where it was told.

include!(concat!(env!("OUT_DIR"), "/sample_servers.rs"));

/// Returns the program for an architecture of the engine (`amd64`, `arm64`); `None` when this build has none.
pub(super) fn for_architecture(architecture: &str) -> Option<&'static [u8]> {
    SERVERS.iter().find(|(name, _)| *name == architecture).map(|(_, bytes)| *bytes)
}

/// Returns this machine's architecture in the engine's words.
pub(super) const fn own_architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}
