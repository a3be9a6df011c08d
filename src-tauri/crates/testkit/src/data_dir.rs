//! A data folder for one test.

use std::path::Path;

use tempfile::TempDir;

/// A data folder as the product keeps one (mode 0700), removed when dropped.
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

impl Default for TempDataDir {
    fn default() -> Self {
        Self::new()
    }
}
