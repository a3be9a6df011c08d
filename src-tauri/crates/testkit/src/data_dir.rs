//! A data folder for one test.

use std::path::Path;

use tempfile::TempDir;

/// A folder as the product keeps its data (mode 0700), removed when dropped. In a run of all tests, which names a folder in
/// `SLIPWAY_GIVEN_UP`, it is moved there instead: what the tests left is looked through for canaries before it goes
/// (`slipway-canaries`).
#[derive(Debug)]
pub struct TempDataDir {
    folder: TempDir,
}

impl TempDataDir {
    /// Makes an empty data folder.
    #[must_use]
    pub fn new() -> Self {
        // tempfile makes folders with mode 0700.
        Self { folder: TempDir::with_prefix("slipway-data-").expect("a temporary folder can be made") }
    }

    /// Returns the folder's path, for `--data-dir`.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for TempDataDir {
    fn drop(&mut self) {
        if let (Some(given_up), Some(name)) = (std::env::var_os("SLIPWAY_GIVEN_UP"), self.path().file_name()) {
            // What cannot be moved is removed as always: a test took it away itself, or something is mounted there.
            let _ = std::fs::rename(self.path(), Path::new(&given_up).join(name));
        }
    }
}

impl Default for TempDataDir {
    fn default() -> Self {
        Self::new()
    }
}
