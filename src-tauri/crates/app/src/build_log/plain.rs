//! A whole log as plain text, for a file that somebody keeps or sends on: what would steer a terminal is taken out (T08).

use super::{BuildLogs, disk_failure};
use slipway_core::Failure;
use slipway_core::ids::BuildId;
use std::fs::File;
use std::io::Read;

/// Reads a log as it stands now, without escape sequences and control characters other than line ends and tabs.
pub struct PlainLog {
    /// `None` for a build that has not written anything.
    file: Option<File>,
    strip: Strip,
    /// Text that was read and not given yet, from `given` on.
    text: Vec<u8>,
    given: usize,
}

/// Bytes of the file that are looked at in one go.
const PIECE: usize = 64 << 10;

impl BuildLogs {
    /// Opens a build's log as plain text. A build without a log has an empty one.
    ///
    /// # Errors
    /// [`slipway_core::ErrorCode::DataReadOnly`] when it cannot be read.
    pub fn plain(&self, build: BuildId) -> Result<PlainLog, Failure> {
        let file = match File::open(self.log_path(build)) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(disk_failure(&error)),
        };
        Ok(PlainLog { file, strip: Strip::default(), text: Vec::new(), given: 0 })
    }
}

impl Read for PlainLog {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some(file) = &mut self.file else { return Ok(0) };
        // A piece may hold nothing but control characters, which is not the end.
        while self.given == self.text.len() {
            let mut piece = vec![0; PIECE];
            let count = file.read(&mut piece)?;
            if count == 0 {
                return Ok(0);
            }
            // The byte that may be half of a control character is kept back, so there may be one more than was taken.
            self.text.resize(count + 1, 0);
            let kept = self.strip.next(&piece[..count], &mut self.text);
            self.text.truncate(kept);
            self.given = 0;
        }
        let count = buffer.len().min(self.text.len() - self.given);
        buffer[..count].copy_from_slice(&self.text[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// Where in a sequence the next byte stands (ECMA-48 5.3, 5.4, 5.6).
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Strip {
    #[default]
    Text,
    /// After `C2`, the first byte of the control characters beyond ASCII.
    HighControl,
    Escape,
    /// `ESC [` up to its final byte.
    Control,
    /// `ESC ]` and its like, up to BEL or `ESC \`.
    Command,
}

impl Strip {
    /// Takes bytes and writes what is text into `out`, which has room for one more than that; returns how many it wrote.
    fn next(&mut self, bytes: &[u8], out: &mut [u8]) -> usize {
        let mut kept = 0;
        let mut keep = |byte: u8| {
            out[kept] = byte;
            kept += 1;
        };
        for &byte in bytes {
            *self = match (*self, byte) {
                // Whatever a line leaves unfinished does not take the next one with it.
                (_, b'\n') => {
                    keep(byte);
                    Self::Text
                }
                (_, 0x1b) => Self::Escape,
                (Self::Text, 0xc2) => Self::HighControl,
                (Self::Text, byte) => {
                    if byte == b'\t' || !byte.is_ascii_control() {
                        keep(byte);
                    }
                    Self::Text
                }
                (Self::HighControl, 0x9b) => Self::Control,
                (Self::HighControl, 0x90 | 0x98 | 0x9d..=0x9f) => Self::Command,
                (Self::HighControl, 0x80..=0x9a | 0x9c) => Self::Text,
                (Self::HighControl, byte) => {
                    keep(0xc2);
                    keep(byte);
                    Self::Text
                }
                (Self::Escape, b'[') => Self::Control,
                (Self::Escape, b']' | b'P' | b'X' | b'^' | b'_') => Self::Command,
                (Self::Escape, b' '..=b'/') => Self::Escape,
                (Self::Control, b'@'..=b'~') | (Self::Escape, _) | (Self::Command, 0x07) => Self::Text,
                (state @ (Self::Control | Self::Command), _) => state,
            };
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn stripped(chunks: &[&[u8]]) -> Vec<u8> {
        let mut strip = Strip::default();
        let mut text = Vec::new();
        for chunk in chunks {
            let mut out = vec![0; chunk.len() + 1];
            let kept = strip.next(chunk, &mut out);
            text.extend_from_slice(&out[..kept]);
        }
        text
    }

    #[test]
    fn t08_nothing_that_steers_a_terminal_is_left() {
        let table: &[(&[u8], &[u8])] = &[
            (b"plain\ttext\n", b"plain\ttext\n"),
            ("\u{4e2d}\u{6587} \u{e9}\u{a9}\n".as_bytes(), "\u{4e2d}\u{6587} \u{e9}\u{a9}\n".as_bytes()),
            (b"\x1b[1;31mred\x1b[0m\n", b"red\n"),
            (b"\x1b]8;;https://evil.example\x07link\x1b]8;;\x07\n", b"link\n"),
            (b"\x1b]52;c;ZXZpbA==\x1b\\after\n", b"after\n"),
            (b"\x1bP1$r0m\x1b\\after\n", b"after\n"),
            (b"\x1b(Bafter \x1b7x\n", b"after x\n"),
            (b"bell\x07 back\x08 null\0 del\x7f\r\n", b"bell back null del\n"),
            (b"\xc2\x9b31mred \xc2\x9d0;title\x07x \xc2\x85y\n", b"red x y\n"),
            (b"\x1b]never ends\nnext line\n", b"\nnext line\n"),
            (b"\x1b[9999\nnext\n", b"\nnext\n"),
        ];
        for (given, expected) in table {
            assert_eq!(stripped(&[given]), *expected, "{given:?}");
            // The same, byte by byte: a sequence may lie across two reads.
            let single: Vec<&[u8]> = given.chunks(1).collect();
            assert_eq!(stripped(&single), *expected, "{given:?}");
        }
    }

    #[test]
    fn a_log_is_read_whole_and_a_missing_one_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let logs = BuildLogs::open(folder.path().to_owned()).unwrap();
        let lines = "\u{1b}[32mok\u{1b}[0m \u{e9}\n".repeat(50_000);
        std::fs::write(logs.log_path(BuildId(7)), lines).unwrap();
        let mut text = String::new();
        logs.plain(BuildId(7)).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "ok \u{e9}\n".repeat(50_000));
        let (mut log, mut read, mut byte) = (logs.plain(BuildId(7)).unwrap(), Vec::new(), [0]);
        while log.read(&mut byte).unwrap() == 1 {
            read.push(byte[0]);
        }
        assert_eq!(read, text.as_bytes(), "however small the reader's buffer is");
        let mut nothing = Vec::new();
        assert_eq!(logs.plain(BuildId(8)).unwrap().read_to_end(&mut nothing).unwrap(), 0);
    }
}
