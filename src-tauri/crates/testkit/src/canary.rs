//! Looks for a secret where it must never be: in files and on command lines, in every form in which bytes travel.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Inside every made-up secret of every test, also of those in `tests/browser` and `tests/hosts`: one search finds all of them.
/// Letters and digits alone, which most encodings leave as they are.
pub const CANARY_MARK: &str = "slipwayCanary7Qx";

/// So much of a file is looked at at once.
const PIECE: u64 = 8 << 20;

/// What a process is called that carries a canary on purpose; see [`CanaryScan::command_lines`].
const PLANTED: [&str; 4] = ["sh", "-c", "echo ready; read line", "planted"];

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
        Self { text: format!("{CANARY_MARK}-{name}-{random}/+ \"ü%") }
    }

    /// Makes a canary that can stand in a header: one word of ASCII, as tokens are.
    #[must_use]
    pub fn word(name: &str) -> Self {
        Self { text: Self::new(name).text.replace([' ', '"', 'ü'], "") }
    }

    /// Makes a canary that is no secret to the product and stands where the test puts it: the look over a whole run does not
    /// know it.
    #[must_use]
    pub fn aside(name: &str) -> Self {
        Self { text: Self::word(name).text.replace(CANARY_MARK, "aside") }
    }

    /// Stands for every canary of every test: what is found is one of them.
    #[must_use]
    pub fn any() -> Self {
        Self::of(CANARY_MARK)
    }

    /// Takes a secret that the program made itself for one.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self { text: secret.to_owned() }
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
            ("utf-16", self.text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            ("utf-16", self.text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
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
    files: AtomicU64,
    bytes: AtomicU64,
}

/// A process that carries a canary on purpose; ends when dropped.
#[derive(Debug)]
pub struct PlantedProcess(Child);

impl PlantedProcess {
    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for PlantedProcess {
    fn drop(&mut self) {
        // It waits for a line that never comes.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

impl CanaryScan {
    /// Prepares a scan for `canary`.
    #[must_use]
    pub fn new(canary: &Canary) -> Self {
        let (names, forms): (Vec<_>, Vec<_>) = canary.forms().into_iter().unzip();
        let searcher = AhoCorasick::new(&forms).expect("a handful of patterns can be searched");
        Self { canary: canary.clone(), names, forms, searcher, files: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// Returns how many files were read until now, and how many bytes of them; what was planted counts too.
    #[must_use]
    pub fn read(&self) -> (u64, u64) {
        (self.files.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
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

    /// Returns every file below `folder` that holds the canary, or has it in its name. Nothing is planted: that it can see there
    /// is shown by another [`Self::folder`].
    #[must_use]
    pub fn look(&self, folder: &Path) -> Vec<Sighting> {
        self.walk(folder)
    }

    /// As [`Self::look`], with canaries of its own planted there that it has to see.
    #[must_use]
    pub fn folder(&self, folder: &Path) -> Vec<Sighting> {
        let planted = tempfile::Builder::new()
            .prefix("planted-by-the-scan-")
            .tempdir_in(folder)
            .expect("a folder for planted canaries can be made");
        for (number, form) in self.forms.iter().enumerate() {
            std::fs::write(planted.path().join(number.to_string()), [b"before ", form.as_slice(), b" after"].concat())
                .expect("a canary can be planted");
        }
        let (mine, others): (Vec<_>, Vec<_>) =
            self.walk(folder).into_iter().partition(|one| Path::new(&one.place).starts_with(planted.path()));
        for (number, name) in self.names.iter().enumerate() {
            let place = planted.path().join(number.to_string()).display().to_string();
            assert!(
                mine.iter().any(|one| one.form == *name && one.place == place),
                "the scan does not see its own canary as {name}"
            );
        }
        others
    }

    /// Returns every process whose command line holds the canary now.
    #[must_use]
    pub fn command_lines(&self) -> Vec<Sighting> {
        let planted = self.plant_process();
        let own = format!("planted process {} sh", planted.id());
        let (mine, others): (Vec<_>, Vec<_>) = self.processes().1.into_iter().partition(|one| one.place == own);
        assert!(!mine.is_empty(), "the scan does not see its own canary on a command line");
        others.into_iter().filter(|one| !one.place.starts_with("planted")).collect()
    }

    /// Starts a process that has the canary on its command line, for a scan that has to see it.
    #[must_use]
    pub fn plant_process(&self) -> PlantedProcess {
        let mut planted = Command::new(PLANTED[0])
            .args(&PLANTED[1..])
            .arg(self.canary.text())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh can be started");
        // Only a program that speaks surely has its command line: the kernel sets it after the start was reported.
        let mut ready = [0; 6];
        planted.stdout.as_mut().expect("it was piped").read_exact(&mut ready).expect("sh says that it is ready");
        PlantedProcess(planted)
    }

    /// Looks once at all command lines. Returns the ids of all processes, and those that hold the canary; the place of one that
    /// a scan planted, this or another, begins with `planted`.
    #[must_use]
    pub fn processes(&self) -> (Vec<u32>, Vec<Sighting>) {
        let entries = std::fs::read_dir("/proc").expect("command lines are read from /proc, which only Linux has");
        let ids: Vec<u32> =
            entries.flatten().filter_map(|entry| entry.file_name().to_string_lossy().parse().ok()).collect();
        let planted = PLANTED.join("\0");
        let seen = ids.iter().flat_map(|id| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let kind = if line.starts_with(planted.as_bytes()) { "planted process" } else { "process" };
            let program = line.split(|byte| *byte == 0).next().unwrap_or_default();
            self.bytes(&format!("{kind} {id} {}", String::from_utf8_lossy(program)), &line)
        });
        let seen = seen.collect();
        (ids, seen)
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
            self.files.fetch_add(1, Ordering::Relaxed);
            // A file may go away between listing and reading; then there is nothing to see in it.
            if let Ok(file) = std::fs::File::open(path) {
                for one in self.content(&place, file) {
                    if !seen.contains(&one) {
                        seen.push(one);
                    }
                }
            }
        }
        seen
    }

    /// Reads piece by piece: a file may be larger than the memory. Each piece begins with the end of the one before.
    fn content(&self, place: &str, mut file: std::fs::File) -> Vec<Sighting> {
        let overlap = self.forms.iter().map(Vec::len).max().unwrap_or_default();
        let (mut seen, mut piece) = (Vec::new(), Vec::new());
        loop {
            piece.drain(..piece.len().saturating_sub(overlap));
            let read = (&mut file).take(PIECE).read_to_end(&mut piece).unwrap_or_default();
            if read == 0 {
                return seen;
            }
            self.bytes.fetch_add(read as u64, Ordering::Relaxed);
            seen.extend(self.bytes(place, &piece));
        }
    }
}
