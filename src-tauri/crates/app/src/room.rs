//! Room for the data folder. While its disk is full, or cannot be written, nothing new is begun: builds, looks and updates
//! wait with the reason. Room is looked for again and again, so the state ends by itself, without a restart.

use crate::{AppEvent, Parts};
use slipway_core::health::RoomShortage;
use slipway_core::{ErrorCode, Failure};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Below this nothing new is begun: the rows and the ends of what runs still fit.
const LEAST_BYTES: u64 = 64 << 20;
/// On a small disk it is this part of the whole.
const LEAST_PART: u64 = 20;
/// What has to fit, on the disk itself, before work goes on after a write did not.
const PROBE_BYTES: usize = 1 << 20;
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is known about the room of a data folder.
pub(crate) struct Room {
    folder: PathBuf,
    short: Mutex<Option<RoomShortage>>,
    /// A write did not succeed since the last look.
    failed: Mutex<Option<ErrorCode>>,
    look: Notify,
    ended: Notify,
    /// The first look was taken.
    looked: AtomicBool,
}

/// The bytes of a disk.
struct Disk {
    free: u64,
    whole: u64,
}

impl Disk {
    fn least(&self) -> u64 {
        LEAST_BYTES.min(self.whole / LEAST_PART)
    }

    /// More than the least, so that the state does not come and go with each line of a log.
    fn enough(&self) -> u64 {
        self.least() * 2
    }
}

impl Room {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            short: Mutex::default(),
            failed: Mutex::default(),
            look: Notify::new(),
            ended: Notify::new(),
            looked: AtomicBool::new(false),
        }
    }

    /// Returns why nothing new may begin; `None` while there is room.
    pub(crate) fn shortage(&self) -> Option<RoomShortage> {
        if !self.looked.swap(true, Ordering::Relaxed) {
            self.look_now();
        }
        lock(&self.short).clone()
    }

    /// Notes that a write failed, when it was for want of room or rights.
    pub(crate) fn note(&self, failure: &Failure) {
        if is_about_room(failure) {
            self.looked.store(true, Ordering::Relaxed);
            *lock(&self.failed) = Some(failure.code);
            self.look_now();
            self.look.notify_one();
        }
    }

    /// Waits until there is room again.
    pub(crate) async fn again(&self) {
        loop {
            let ended = self.ended.notified();
            if self.shortage().is_none() {
                return;
            }
            ended.await;
        }
    }

    /// Looks at the disk; returns whether the answer changed.
    pub(crate) fn look_now(&self) -> bool {
        let failed = lock(&self.failed).take();
        let disk = disk_of(&self.folder);
        let before = lock(&self.short).clone();
        let now = self.judge(failed, disk.as_ref(), before.as_ref());
        let changed = before.as_ref().map(|short| short.failure.code) != now.as_ref().map(|short| short.failure.code);
        let over = now.is_none();
        *lock(&self.short) = now;
        if changed && over {
            self.ended.notify_waiters();
        }
        changed
    }

    fn judge(
        &self,
        failed: Option<ErrorCode>,
        disk: Option<&Disk>,
        before: Option<&RoomShortage>,
    ) -> Option<RoomShortage> {
        let code = match (failed, disk, before) {
            (Some(code), ..) => code,
            (None, Some(disk), _) if disk.free < disk.least() => ErrorCode::DiskFull,
            (None, _, None) => return None,
            (None, Some(disk), Some(_)) if disk.free < disk.enough() => ErrorCode::DiskFull,
            // A quota or a lost right is not seen in the free bytes: only writing shows that it is over.
            (None, _, Some(_)) => probe(&self.folder).err()?.code,
        };
        let message = match code {
            ErrorCode::DiskFull => "the disk of the data folder is full",
            _ => "the data folder cannot be written",
        };
        Some(RoomShortage {
            failure: Failure::new(code, message).with("path", self.folder.display().to_string()),
            free_bytes: disk.map(|disk| disk.free),
            needed_bytes: disk.map_or(PROBE_BYTES as u64, Disk::enough),
        })
    }
}

/// Looks until the application stops, and wakes everything when there is room again.
pub(crate) async fn run(parts: Arc<Parts>) {
    loop {
        let (room, this) = (Arc::clone(&parts.room), Arc::clone(&parts));
        // A disk that is ill may take its time.
        let changed = tokio::task::spawn_blocking(move || room.look_now()).await.unwrap_or_default();
        if changed {
            this.room_changed();
        }
        tokio::select! {
            () = parts.stop.cancelled() => return,
            () = parts.room.look.notified() => parts.announce(AppEvent::HealthChanged),
            () = tokio::time::sleep(LOOK_EVERY.min(parts.pace.recheck)) => {}
        }
    }
}

impl Parts {
    /// Tells that room ran out or is there again.
    pub(crate) fn room_changed(&self) {
        match self.room.shortage() {
            Some(short) => tracing::warn!(failure = %short.failure, "nothing new is begun"),
            None => {
                tracing::warn!("there is room again, work goes on");
                self.queue_wake.notify_one();
                self.firing_wake.notify_one();
                self.watch_wake.notify_waiters();
            }
        }
        self.announce(AppEvent::HealthChanged);
        self.announce(AppEvent::QueueChanged);
    }
}

/// Returns whether a failure says that the data folder cannot be written now.
pub(crate) fn is_about_room(failure: &Failure) -> bool {
    matches!(failure.code, ErrorCode::DiskFull | ErrorCode::DataReadOnly)
}

/// Writes a file of some size and removes it.
fn probe(folder: &Path) -> Result<(), Failure> {
    let file = folder.join("room.probe");
    let written = std::fs::File::create(&file).and_then(|mut to| {
        to.write_all(&vec![0x5a; PROBE_BYTES])?;
        to.sync_all()
    });
    let removed = std::fs::remove_file(&file);
    written.and(removed).map_err(|error| crate::build_log::disk_failure(&error))
}

#[cfg(unix)]
fn disk_of(folder: &Path) -> Option<Disk> {
    let seen = rustix::fs::statvfs(folder).ok()?;
    Some(Disk { free: seen.f_bavail.saturating_mul(seen.f_frsize), whole: seen.f_blocks.saturating_mul(seen.f_frsize) })
}

/// Elsewhere only a write that fails tells.
#[cfg(not(unix))]
fn disk_of(_: &Path) -> Option<Disk> {
    None
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn room() -> (tempfile::TempDir, Room) {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::new(folder.path().to_owned());
        (folder, room)
    }

    #[test]
    fn f16_it_begins_below_the_least_and_ends_with_enough() {
        let (_folder, room) = room();
        let disk = |free| Disk { free, whole: 200 << 30 };
        let mut before = None;
        let mut short = |free: u64| {
            before = room.judge(None, Some(&disk(free)), before.as_ref());
            before.is_some()
        };
        let seen: Vec<bool> =
            [65 << 20, 63 << 20, 127 << 20, 128 << 20, 65 << 20].into_iter().map(&mut short).collect();
        assert_eq!(seen, [false, true, true, false, false]);
        assert_eq!((Disk { free: 0, whole: 16 << 20 }).least(), (16 << 20) / 20, "a small disk needs less");
    }

    #[test]
    fn f16_f17_a_write_that_failed_counts_until_one_succeeds() {
        let (folder, room) = room();
        for code in [ErrorCode::DiskFull, ErrorCode::DataReadOnly] {
            room.note(&Failure::new(code, "refused"));
            let short = room.shortage().unwrap();
            assert_eq!(short.failure.code, code);
            assert!(room.look_now(), "a write succeeds again");
            assert_eq!(room.shortage(), None);
        }
        room.note(&Failure::new(ErrorCode::Internal, "something else"));
        assert_eq!(room.shortage(), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the probe is removed");
    }
}
