//! A real disk that can be filled: a file system of a few megabytes in memory, mounted over a folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted small disk; dropping it takes it away with everything on it.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts `megabytes` over an empty folder. Mounting is root's: as another user the test asks `sudo` without a password,
    /// and fails when it is refused.
    #[must_use]
    pub fn over(folder: &Path, megabytes: u64) -> Self {
        let owner = rustix::process::getuid().as_raw();
        let options = format!("size={megabytes}m,mode=0700,uid={owner}");
        as_root(&["mount", "-t", "tmpfs", "-o", &options, "slipway-test"], folder);
        Self { folder: folder.to_owned() }
    }

    /// Fills it until no more than `leave` bytes are free.
    pub fn fill(&self, leave: u64) {
        let free = self.free().saturating_sub(leave);
        let mut file = std::fs::File::create(self.filler()).expect("a file can be made on the disk");
        let piece = vec![0x5a; 64 * 1024];
        let mut left = free;
        while left > 0 {
            let part = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            // The last page may not fit: then it is full.
            if file.write_all(&piece[..part]).is_err() {
                return;
            }
            left -= part as u64;
        }
    }

    /// Makes room again.
    pub fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("the filling can be removed");
    }

    /// Returns the free bytes.
    #[must_use]
    pub fn free(&self) -> u64 {
        let seen = rustix::fs::statvfs(&self.folder).expect("a mounted disk says how full it is");
        seen.f_bavail * seen.f_frsize
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filling")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whatever a failed test still holds open goes with it.
        as_root(&["umount", "--lazy"], &self.folder);
    }
}

fn as_root(command: &[&str], folder: &Path) {
    let mut all: Vec<&str> =
        if rustix::process::getuid().is_root() { vec![] } else { vec!["sudo", "--non-interactive"] };
    all.extend(command);
    let done = Command::new(all[0]).args(&all[1..]).arg(folder).output();
    let said = match &done {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    panic!("{command:?} failed, a small disk needs root or sudo without a password: {said}");
}
