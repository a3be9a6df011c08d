//! Looks for a secret where it must never be: in files and on command lines, in every form in which bytes travel.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A made-up secret that occurs nowhere else. It holds characters that every encoding changes.
#[derive(Debug, Clone)]
pub struct Canary {
    text: String,
}

/// One place where a canary was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// A file, or a process by its id.
    pub place: String,
    /// How it was written: `raw`, `base64`, `url`, `hex`, `json`, …
    pub form: &'static str,
}

impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.place, self.form)
    }
}

impl Canary {
    /// Makes a canary with `name` inside, so that a sighting tells which one it was.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let folder =
            tempfile::Builder::new().prefix("").rand_bytes(16).tempdir().expect("a temporary folder can be made");
        let random = folder.path().file_name().expect("it has a name").to_string_lossy().into_owned();
        Self { text: format!("{name}-{random}/+ \"ü%") }
    }

    /// Makes a canary that can stand in a header: one word of ASCII, as tokens are.
    #[must_use]
    pub fn word(name: &str) -> Self {
        Self { text: Self::new(name).text.replace([' ', '"', 'ü'], "") }
    }

    /// Returns the secret itself.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns every form to look for.
    fn forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let bytes = self.text.as_bytes();
        let json = serde_json::to_string(&self.text).expect("a text is JSON");
        let url: String = url::form_urlencoded::byte_serialize(bytes).collect();
        let mut forms = vec![
            ("raw", bytes.to_vec()),
            ("json", json.trim_matches('"').as_bytes().to_vec()),
            ("form", url.as_bytes().to_vec()),
            ("url", url.replace('+', "%20").into_bytes()),
            ("hex", hex::encode(bytes).into_bytes()),
            ("hex", hex::encode_upper(bytes).into_bytes()),
        ];
        // Inside a longer text, base64 depends on the position modulo three; the first and last letters hold neighbours.
        for before in 0..3 {
            let padded = [&vec![0; before], bytes].concat();
            let first = (before * 8).div_ceil(6);
            let last = padded.len() * 8 / 6;
            forms.push(("base64", STANDARD_NO_PAD.encode(&padded).as_bytes()[first..last].to_vec()));
            forms.push(("base64url", URL_SAFE_NO_PAD.encode(&padded).as_bytes()[first..last].to_vec()));
        }
        forms
    }
}

/// Looks for canaries. Each scan first plants the canary and panics when it does not find it: a blind scan proves nothing.
#[derive(Debug)]
pub struct CanaryScan {
    canary: Canary,
    names: Vec<&'static str>,
    forms: Vec<Vec<u8>>,
    searcher: AhoCorasick,
}

impl CanaryScan {
    /// Prepares a scan for `canary`.
    #[must_use]
    pub fn new(canary: &Canary) -> Self {
        let (names, forms): (Vec<_>, Vec<_>) = canary.forms().into_iter().unzip();
        let searcher = AhoCorasick::new(&forms).expect("a handful of patterns can be searched");
        Self { canary: canary.clone(), names, forms, searcher }
    }

    /// Returns where the canary is inside `text`.
    #[must_use]
    pub fn bytes(&self, place: &str, text: &[u8]) -> Vec<Sighting> {
        let mut forms: Vec<&'static str> =
            self.searcher.find_overlapping_iter(text).map(|found| self.names[found.pattern().as_usize()]).collect();
        forms.sort_unstable();
        forms.dedup();
        forms.into_iter().map(|form| Sighting { place: place.to_owned(), form }).collect()
    }

    /// Returns every file below `folder` that holds the canary, or has it in its name.
    #[must_use]
    pub fn folder(&self, folder: &Path) -> Vec<Sighting> {
        let planted = folder.join("canary-planted-by-the-scan");
        for (name, form) in self.names.iter().zip(&self.forms) {
            std::fs::write(&planted, [b"before ", form.as_slice(), b" after"].concat())
                .expect("a canary can be planted");
            let seen = self.walk(folder);
            assert!(
                seen.iter().any(|one| one.form == *name && one.place == planted.display().to_string()),
                "the scan does not see its own canary as {name}"
            );
        }
        std::fs::remove_file(&planted).expect("the planted canary can be removed");
        self.walk(folder)
    }

    /// Returns every process whose command line holds the canary now.
    #[must_use]
    pub fn command_lines(&self) -> Vec<Sighting> {
        let mut planted = std::process::Command::new("sh")
            .args(["-c", "echo ready; read line", "planted", self.canary.text()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh can be started");
        // Only a program that speaks surely has its command line: the kernel sets it after the start was reported.
        let mut ready = [0; 6];
        planted.stdout.as_mut().expect("it was piped").read_exact(&mut ready).expect("sh says that it is ready");
        let own = format!("process {}", planted.id());
        let seen = processes(|place, line| self.bytes(place, line));
        // It waits for a line that never comes.
        planted.kill().and_then(|()| planted.wait()).expect("the planted process ends");
        let (mine, others): (Vec<_>, Vec<_>) = seen.into_iter().partition(|one| one.place == own);
        assert!(!mine.is_empty(), "the scan does not see its own canary on a command line");
        others
    }

    fn walk(&self, folder: &Path) -> Vec<Sighting> {
        let mut seen = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for path in entries.flatten().map(|entry| entry.path()) {
                seen.extend(self.path(&path));
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                }
            }
        }
        seen
    }

    fn path(&self, path: &PathBuf) -> Vec<Sighting> {
        let place = path.display().to_string();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut seen = self.bytes(&place, name.as_bytes());
        if path.is_file() && !path.is_symlink() {
            // A file may go away between listing and reading; then there is nothing to see in it.
            seen.extend(self.bytes(&place, &std::fs::read(path).unwrap_or_default()));
        }
        seen
    }
}

fn processes(mut look: impl FnMut(&str, &[u8]) -> Vec<Sighting>) -> Vec<Sighting> {
    let entries = std::fs::read_dir("/proc").expect("command lines are read from /proc, which only Linux has");
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok())
        .flat_map(|id| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            look(&format!("process {id}"), &line)
        })
        .collect()
}
