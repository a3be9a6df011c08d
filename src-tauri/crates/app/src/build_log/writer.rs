//! Appending: the log first, its index after, so that the index never names bytes that are not there.

use super::index::{RECORD, Record, UNKNOWN_STEP};
use super::lines::LineBuffer;
use super::{BuildLogs, Mask, disk_failure, open_appending};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::ids::BuildId;
use slipway_core::log::LogStream;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

/// Bytes gathered before they are written without being asked to.
const BUFFER_BYTES: usize = 256 * 1024;

/// The one writer of a build's log. Lines are visible to readers after [`LogWriter::flush`].
pub struct LogWriter {
    logs: Arc<BuildLogs>,
    build: BuildId,
    log: File,
    index: File,
    mask: Mask,
    open_lines: BTreeMap<(u16, bool), LineBuffer>,
    /// Steps that are over, and since when: the rest of their last lines may still come.
    ended: BTreeMap<u16, DateTime<Utc>>,
    text: Vec<u8>,
    records: Vec<u8>,
    written: u64,
    lines: u64,
}

impl LogWriter {
    pub(super) fn open(logs: Arc<BuildLogs>, build: BuildId, mask: Mask) -> Result<Self, Failure> {
        let mut log = open_appending(&logs.log_path(build))?;
        let mut index = open_appending(&logs.index_path(build))?;
        let (written, lines) = repair(&mut log, &mut index).map_err(|error| disk_failure(&error))?;
        logs.announce(build, lines);
        Ok(Self {
            logs,
            build,
            log,
            index,
            mask,
            open_lines: BTreeMap::new(),
            ended: BTreeMap::new(),
            text: Vec::new(),
            records: Vec::new(),
            written,
            lines,
        })
    }

    /// Takes output of a step, cut anywhere; whole lines are masked and kept.
    ///
    /// # Errors
    /// A failure of the data folder.
    pub fn output(
        &mut self,
        step: u16,
        stream: LogStream,
        at: Option<DateTime<Utc>>,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        if let Some(at) = at {
            self.finish_ended_before(step, at);
        }
        let mut buffer = self.open_lines.remove(&(step, stream == LogStream::Err)).unwrap_or_default();
        buffer.push(bytes, |line| self.append(step, stream, at, line));
        self.open_lines.insert((step, stream == LogStream::Err), buffer);
        if self.text.len() > BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Takes a whole line of Slipway's own.
    ///
    /// # Errors
    /// A failure of the data folder.
    pub fn line(&mut self, step: u16, at: DateTime<Utc>, text: &str) -> Result<(), Failure> {
        for line in text.lines() {
            self.append(step, LogStream::Out, Some(at), line);
        }
        self.flush()
    }

    /// Takes note that a step is over since `at`, by the engine's clock. The engine may say so before it has sent the last of the
    /// output, so a line without an end waits for the rest: until [`Self::finish`], or until another step prints something
    /// later, because output comes in the order of its times.
    pub fn end_step(&mut self, step: u16, at: DateTime<Utc>) {
        self.ended.insert(step, at);
    }

    /// Completes the lines of a step that have no end.
    pub fn finish_step(&mut self, step: u16) {
        for stream in [LogStream::Out, LogStream::Err] {
            if let Some(mut buffer) = self.open_lines.remove(&(step, stream == LogStream::Err)) {
                buffer.finish(|line| self.append(step, stream, None, line));
            }
        }
    }

    /// Completes every line that has no end: no more output comes.
    ///
    /// # Errors
    /// A failure of the data folder.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.ended.clear();
        while let Some((&(step, _), _)) = self.open_lines.first_key_value() {
            self.finish_step(step);
        }
        self.flush()
    }

    fn finish_ended_before(&mut self, printing: u16, at: DateTime<Utc>) {
        let over = |(step, end): (&u16, &DateTime<Utc>)| (*step != printing && *end < at).then_some(*step);
        while let Some(step) = self.ended.iter().find_map(over) {
            self.ended.remove(&step);
            self.finish_step(step);
        }
    }

    /// Writes what was gathered and tells those who follow the log.
    ///
    /// # Errors
    /// A failure of the data folder.
    pub fn flush(&mut self) -> Result<(), Failure> {
        if self.records.is_empty() {
            return Ok(());
        }
        let write = |file: &mut File, bytes: &mut Vec<u8>| {
            let result = file.write_all(bytes).map_err(|error| disk_failure(&error));
            bytes.clear();
            result
        };
        write(&mut self.log, &mut self.text)?;
        write(&mut self.index, &mut self.records)?;
        self.logs.announce(self.build, self.lines);
        Ok(())
    }

    /// Returns how many lines the log has.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    fn append(&mut self, step: u16, stream: LogStream, at: Option<DateTime<Utc>>, line: &str) {
        let masked = (self.mask)(line);
        let length = u32::try_from(masked.len()).unwrap_or(u32::MAX);
        let at_ms = at.map_or(i64::MIN, |at| at.timestamp_millis());
        let record = Record { offset: self.written, at_ms, length, step, stream };
        self.text.extend_from_slice(masked.as_bytes());
        self.text.push(b'\n');
        self.records.extend_from_slice(&record.to_bytes());
        self.written = record.end();
        self.lines += 1;
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        if let Err(failure) = self.finish() {
            tracing::warn!(build = %self.build, %failure, "the end of a log could not be written");
        }
        self.logs.ended(self.build);
    }
}

/// Makes log and index agree after a kill: a torn record goes, a torn last line gets its end, lines that the index lacks are
/// indexed without their step. Returns the log's length and how many lines it has.
fn repair(log: &mut File, index: &mut File) -> std::io::Result<(u64, u64)> {
    let log_length = log.metadata()?.len();
    let mut lines = index.metadata()?.len() / RECORD as u64;
    let mut indexed_to = 0;
    while lines > 0 {
        let mut bytes = [0; RECORD];
        index.seek(SeekFrom::Start((lines - 1) * RECORD as u64))?;
        index.read_exact(&mut bytes)?;
        indexed_to = Record::from_bytes(&bytes).end();
        if indexed_to <= log_length {
            break;
        }
        indexed_to = 0;
        lines -= 1;
    }
    index.set_len(lines * RECORD as u64)?;
    let mut rest = Vec::new();
    log.seek(SeekFrom::Start(indexed_to))?;
    log.read_to_end(&mut rest)?;
    if rest.last().is_some_and(|byte| *byte != b'\n') {
        log.write_all(b"\n")?;
        rest.push(b'\n');
    }
    let mut offset = indexed_to;
    for line in rest.split_inclusive(|byte| *byte == b'\n') {
        let length = u32::try_from(line.len() - 1).unwrap_or(u32::MAX);
        let record = Record { offset, at_ms: i64::MIN, length, step: UNKNOWN_STEP, stream: LogStream::Out };
        index.write_all(&record.to_bytes())?;
        offset = record.end();
        lines += 1;
    }
    Ok((offset, lines))
}
