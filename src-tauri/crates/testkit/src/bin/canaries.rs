//! Looks for the canaries of all tests while they run, and after them: `slipway-canaries FOLDER`.
//!
//! Every made-up secret of the tests has `CANARY_MARK` inside. This program looks for it, in every encoding, in each folder that
//! a test gave up (`FOLDER/given-up`, removed after the look), on the command lines of all processes again and again, and at
//! last, when `FOLDER/finish` appears, in what the tests left in their temporary folder (`FOLDER/tmp`). It plants canaries of its
//! own and fails when it does not find them, as it fails when it finds another. It says what it looked at on one line.

use slipway_testkit::{Canary, CanaryScan, Sighting};
use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Between two looks at the command lines: programs that are given a secret live longer.
const GAP: Duration = Duration::from_millis(100);

/// Files that may hold a canary, by the end of their path, with the reason.
const LEGITIMATE: &[(&str, &str)] = &[
    // `docker login` of a test, or the test itself as a user would, writes the login there. The product only reads it.
    ("/config.json", "the configuration of a test's own Docker CLI"),
];

#[derive(Default)]
struct Look {
    folders: usize,
    processes: HashSet<u32>,
    planted: HashSet<u32>,
    allowed: BTreeMap<&'static str, usize>,
    leaks: HashSet<String>,
}

impl Look {
    fn folder(&mut self, found: Vec<Sighting>) {
        self.folders += 1;
        for seen in found {
            match LEGITIMATE.iter().find(|(end, _)| seen.place.ends_with(end)) {
                Some((_, reason)) => *self.allowed.entry(reason).or_default() += 1,
                None => self.leak(&seen),
            }
        }
    }

    fn given_up(&mut self, scan: &CanaryScan, folder: &Path) {
        for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            self.folder(scan.look(&path));
            let _ = std::fs::remove_dir_all(&path);
        }
    }

    fn processes(&mut self, scan: &CanaryScan) {
        let (ids, seen) = scan.processes();
        self.processes.extend(ids);
        for seen in seen {
            let mut words = seen.place.split(' ');
            if let (Some("planted"), Some(id)) = (words.next(), words.nth(1)) {
                self.planted.extend(id.parse::<u32>());
            } else {
                self.leak(&seen);
            }
        }
    }

    fn leak(&mut self, seen: &Sighting) {
        self.leaks.insert(seen.to_string());
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or_else(|| anyhow::anyhow!("which folder?"))?);
    let (given_up, temporary, finish) = (folder.join("given-up"), folder.join("tmp"), folder.join("finish"));
    let scan = CanaryScan::new(&Canary::any());
    let mut look = Look::default();
    let parent = std::os::unix::process::parent_id();
    // It sees what is planted there; nobody gave anything up yet.
    let _ = scan.folder(&given_up);
    let mut planted = Some(scan.plant_process());
    while !finish.exists() {
        // Whoever started it is gone and will not ask.
        if std::os::unix::process::parent_id() != parent {
            return Ok(ExitCode::FAILURE);
        }
        look.processes(&scan);
        if let Some(one) = planted.take() {
            anyhow::ensure!(look.planted.contains(&one.id()), "the canary planted on a command line is not seen");
        }
        look.given_up(&scan, &given_up);
        std::thread::sleep(GAP);
    }
    let planted = scan.plant_process();
    look.processes(&scan);
    anyhow::ensure!(look.planted.contains(&planted.id()), "the canary planted on a command line is not seen");
    look.given_up(&scan, &given_up);
    look.folder(scan.folder(&temporary));

    let (files, bytes) = scan.read();
    let mut out = std::io::stdout().lock();
    for leak in &look.leaks {
        writeln!(out, "canaries: a made-up secret is in {leak}")?;
    }
    for (reason, times) in &look.allowed {
        writeln!(out, "canaries: {times} in {reason}, where they may be")?;
    }
    writeln!(
        out,
        "canaries: {} leaks in {} folders ({files} files, {} MB) and {} processes; the planted ones were found",
        look.leaks.len(),
        look.folders,
        bytes / 1_000_000,
        look.processes.len(),
    )?;
    Ok(if look.leaks.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
