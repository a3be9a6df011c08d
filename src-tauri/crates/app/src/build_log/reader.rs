//! Reading: pages, the tail, one step, and the search.

use super::index::{RECORD, Record};
use super::{BuildLogs, SHOWN_LINE_BYTES, disk_failure};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::ids::BuildId;
use slipway_core::log::LogStream;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Records read from the index at once while scanning it.
const SCAN_RECORDS: usize = 64 * 1024;
/// Bytes of the log searched at once.
const SEARCH_BYTES: usize = 4 * 1024 * 1024;

/// One line as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Its number in the log, from 0.
    pub number: u64,
    /// Ordinal of its step in the build's steps; `None` when the index was lost.
    pub step: Option<u16>,
    /// Which output.
    pub stream: LogStream,
    /// When, by the engine's clock.
    pub at: Option<DateTime<Utc>>,
    /// At most [`SHOWN_LINE_BYTES`] of it.
    pub text: String,
    /// The file has more of this line.
    pub clipped: bool,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSearch {
    /// How many lines hold the text: exact.
    pub count: u64,
    /// Numbers of those lines from the asked line on, as many as were asked for.
    pub lines: Vec<u64>,
}

/// How much of the log belongs to one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepLines {
    /// Ordinal of the step.
    pub step: u16,
    /// Number of its first line.
    pub first: u64,
    /// How many lines it has.
    pub count: u64,
}

impl BuildLogs {
    /// Returns how many lines a log has; 0 without a log.
    ///
    /// # Errors
    /// A failure of the data folder.
    pub fn line_count(&self, build: BuildId) -> Result<u64, Failure> {
        match std::fs::metadata(self.index_path(build)) {
            Ok(metadata) => Ok(metadata.len() / RECORD as u64),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(disk_failure(&error)),
        }
    }

    /// Returns up to `count` lines from line `from` on, of one step or of all.
    ///
    /// # Errors
    /// A failure of the data folder.
    pub fn page(&self, build: BuildId, from: u64, count: usize, step: Option<u16>) -> Result<Vec<LogLine>, Failure> {
        let total = self.line_count(build)?;
        if from >= total || count == 0 {
            return Ok(Vec::new());
        }
        let mut log = File::open(self.log_path(build)).map_err(|error| disk_failure(&error))?;
        let mut found = Vec::new();
        self.scan(build, from, |number, record| {
            if step.is_none_or(|step| step == record.step) {
                found.push((number, record));
            }
            found.len() < count
        })?;
        found.into_iter().map(|(number, record)| read_line(&mut log, number, &record)).collect()
    }

    /// Returns the last `count` lines.
    ///
    /// # Errors
    /// A failure of the data folder.
    pub fn tail(&self, build: BuildId, count: usize) -> Result<Vec<LogLine>, Failure> {
        let total = self.line_count(build)?;
        self.page(build, total.saturating_sub(count as u64), count, None)
    }

    /// Returns which steps wrote how much, in the order of their first lines.
    ///
    /// # Errors
    /// A failure of the data folder.
    pub fn steps(&self, build: BuildId) -> Result<Vec<StepLines>, Failure> {
        let mut steps: Vec<StepLines> = Vec::new();
        self.scan(build, 0, |number, record| {
            match steps.iter_mut().rev().find(|lines| lines.step == record.step) {
                Some(lines) => lines.count += 1,
                None => steps.push(StepLines { step: record.step, first: number, count: 1 }),
            }
            true
        })?;
        Ok(steps)
    }

    /// Counts the lines that hold `text` and returns the numbers of up to `limit` of them from line `from` on.
    ///
    /// # Errors
    /// A failure of the data folder.
    pub fn search(
        &self,
        build: BuildId,
        text: &str,
        match_case: bool,
        from: u64,
        limit: usize,
    ) -> Result<LogSearch, Failure> {
        let total = self.line_count(build)?;
        if text.is_empty() || text.contains('\n') || total == 0 {
            return Ok(LogSearch::default());
        }
        let finder = aho_corasick::AhoCorasick::builder()
            .ascii_case_insensitive(!match_case)
            .build([text])
            .map_err(Failure::internal)?;
        let mut index = File::open(self.index_path(build)).map_err(|error| disk_failure(&error))?;
        let from_offset = if from < total { record_at(&mut index, from)?.offset } else { u64::MAX };
        let log = File::open(self.log_path(build)).map_err(|error| disk_failure(&error))?;
        let mut found = LogSearch::default();
        let mut offsets = Vec::new();
        search_lines(log, &finder, |line_offset| {
            found.count += 1;
            if line_offset >= from_offset && offsets.len() < limit {
                offsets.push(line_offset);
            }
        })?;
        for offset in offsets {
            found.lines.push(line_of(&mut index, total, offset)?);
        }
        Ok(found)
    }

    /// Visits index records from a line on while the visitor says so.
    fn scan(&self, build: BuildId, from: u64, mut visit: impl FnMut(u64, Record) -> bool) -> Result<(), Failure> {
        let mut index = match File::open(self.index_path(build)) {
            Ok(index) => index,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(disk_failure(&error)),
        };
        index.seek(SeekFrom::Start(from * RECORD as u64)).map_err(|error| disk_failure(&error))?;
        // Small first, so that a page costs little; larger while a whole scan goes on.
        let mut records = 512;
        let mut number = from;
        loop {
            let mut bytes = Vec::with_capacity(records * RECORD);
            (&mut index)
                .take((records * RECORD) as u64)
                .read_to_end(&mut bytes)
                .map_err(|error| disk_failure(&error))?;
            let (whole, _) = bytes.as_chunks::<RECORD>();
            if whole.is_empty() {
                return Ok(());
            }
            for record in whole {
                if !visit(number, Record::from_bytes(record)) {
                    return Ok(());
                }
                number += 1;
            }
            records = SCAN_RECORDS;
        }
    }
}

fn read_line(log: &mut File, number: u64, record: &Record) -> Result<LogLine, Failure> {
    let length = record.length as usize;
    let mut bytes = vec![0; length.min(SHOWN_LINE_BYTES)];
    log.seek(SeekFrom::Start(record.offset)).map_err(|error| disk_failure(&error))?;
    log.read_exact(&mut bytes).map_err(|error| disk_failure(&error))?;
    Ok(LogLine {
        number,
        step: (record.step != super::index::UNKNOWN_STEP).then_some(record.step),
        stream: record.stream,
        at: DateTime::from_timestamp_millis(record.at_ms),
        text: String::from_utf8_lossy(&bytes).into_owned(),
        clipped: length > SHOWN_LINE_BYTES,
    })
}

fn record_at(index: &mut File, line: u64) -> Result<Record, Failure> {
    let mut bytes = [0; RECORD];
    index.seek(SeekFrom::Start(line * RECORD as u64)).map_err(|error| disk_failure(&error))?;
    index.read_exact(&mut bytes).map_err(|error| disk_failure(&error))?;
    Ok(Record::from_bytes(&bytes))
}

/// Finds the line that begins at this offset; offsets grow with line numbers.
fn line_of(index: &mut File, total: u64, offset: u64) -> Result<u64, Failure> {
    let (mut low, mut high) = (0, total);
    while low < high {
        let middle = u64::midpoint(low, high);
        if record_at(index, middle)?.offset < offset { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

/// Reports the offset of each line that matches, once. Reads in blocks that end at a line end.
fn search_lines(
    mut log: File,
    finder: &aho_corasick::AhoCorasick,
    mut matched: impl FnMut(u64),
) -> Result<(), Failure> {
    let mut block = Vec::with_capacity(SEARCH_BYTES * 2);
    let mut block_offset = 0;
    loop {
        let read =
            (&mut log).take(SEARCH_BYTES as u64).read_to_end(&mut block).map_err(|error| disk_failure(&error))?;
        let end = if read == 0 { block.len() } else { memchr::memrchr(b'\n', &block).map_or(0, |at| at + 1) };
        let mut at = 0;
        while let Some(hit) = finder.find(aho_corasick::Input::new(&block[..end]).range(at..end)) {
            let begin = memchr::memrchr(b'\n', &block[..hit.start()]).map_or(0, |before| before + 1);
            matched(block_offset + begin as u64);
            match memchr::memchr(b'\n', &block[hit.end()..end]) {
                Some(next) => at = hit.end() + next + 1,
                None => break,
            }
        }
        if read == 0 {
            return Ok(());
        }
        block.drain(..end);
        block_offset += end as u64;
    }
}
