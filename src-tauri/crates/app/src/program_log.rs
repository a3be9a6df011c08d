//! The last lines of the program's own log, kept in memory beside the standard error that they go to, so that the diagnostics
//! can show them.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

const LINES_KEPT: usize = 500;
const LINE_BYTES: usize = 4096;

static LAST: Mutex<Last> = Mutex::new(Last { lines: VecDeque::new(), is_open: false });

/// The end of the log.
struct Last {
    lines: VecDeque<String>,
    /// The last line has no end yet.
    is_open: bool,
}

/// Writes to the standard error and remembers the end.
#[derive(Debug)]
pub struct Tee(io::Stderr);

/// Returns the writer of one event, for `tracing_subscriber`'s `with_writer`.
#[must_use]
pub fn tee() -> Tee {
    Tee(io::stderr())
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        remember(&String::from_utf8_lossy(bytes));
        // A closed standard error must not make the program's log an error of its own.
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn remember(text: &str) {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    for part in text.split_inclusive('\n') {
        let (words, ends) = part.strip_suffix('\n').map_or((part, false), |words| (words, true));
        if !last.is_open {
            if last.lines.len() == LINES_KEPT {
                last.lines.pop_front();
            }
            last.lines.push_back(String::new());
        }
        if let Some(line) = last.lines.back_mut() {
            line.push_str(words);
            line.truncate(line.floor_char_boundary(LINE_BYTES));
        }
        last.is_open = !ends;
    }
}

/// Returns the last lines, oldest first, as they were written: not scrubbed.
pub(crate) fn last_lines() -> Vec<String> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).lines.iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_no_line_is_endless() {
        for n in 0..LINES_KEPT + 5 {
            remember(&format!("line {n}\n"));
        }
        remember(&"密".repeat(LINE_BYTES));
        remember("\nin ");
        remember("pieces\n");
        let lines = last_lines();
        assert_eq!((lines.len(), lines[0].as_str()), (LINES_KEPT, "line 7"));
        assert!(lines[LINES_KEPT - 2].len() <= LINE_BYTES);
        assert_eq!(lines[LINES_KEPT - 1], "in pieces");
    }
}
