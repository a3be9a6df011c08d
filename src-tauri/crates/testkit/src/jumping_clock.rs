//! A wall clock for a program in a process of its own, which jumps while the program runs.

use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

const HOW_TO_GET_IT: &str = "apt-get install libfaketime (or `make setup`)";

/// The wall clock of a program that was started with [`Self::environment`]. Its monotonic clock stays right, as that of a
/// machine whose clock is set or that wakes up.
#[derive(Debug)]
pub struct JumpingClock {
    offset: NamedTempFile,
    library: PathBuf,
}

impl JumpingClock {
    /// Makes a clock that is right so far. Panics with how to get the library when it is missing.
    #[must_use]
    pub fn new() -> Self {
        let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let library = folders
            .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
            .find(|library| library.is_file())
            .unwrap_or_else(|| panic!("libfaketime is missing: {HOW_TO_GET_IT}"));
        let clock = Self { offset: NamedTempFile::new().expect("a temporary file can be made"), library };
        clock.set(0);
        clock
    }

    /// Returns what makes a program read this clock.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_str().expect("a temporary path is text").to_owned();
        [
            ("LD_PRELOAD", text(&self.library)),
            ("FAKETIME_TIMESTAMP_FILE", text(self.offset.path())),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            // Files keep the machine's times.
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Makes the clock run so many seconds ahead of the machine's, or behind it.
    pub fn set(&self, seconds: i64) {
        std::fs::write(self.offset.path(), format!("{seconds:+}\n")).expect("a temporary file can be written");
    }
}

impl Default for JumpingClock {
    fn default() -> Self {
        Self::new()
    }
}
