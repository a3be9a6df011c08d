//! Makes whole lines from output that is cut at arbitrary bytes.

/// A line without an end is cut here, so that memory stays bounded; far above what is shown.
const LONGEST_LINE: usize = 1024 * 1024;

/// The unfinished line of one stream of one step.
#[derive(Default)]
pub(super) struct LineBuffer {
    pending: Vec<u8>,
}

impl LineBuffer {
    /// Takes bytes and gives every line that they complete.
    pub(super) fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&str)) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            if self.pending.is_empty() {
                line(&shown(&rest[..end]));
            } else {
                self.pending.extend_from_slice(&rest[..end]);
                line(&shown(&self.pending));
                self.pending.clear();
            }
            rest = &rest[end + 1..];
        }
        self.pending.extend_from_slice(rest);
        // A progress bar that never ends its line keeps only its last state.
        if self.pending.len() > LONGEST_LINE
            && let Some(last) = memchr::memrchr(b'\r', &self.pending[..self.pending.len() - 1])
        {
            self.pending.drain(..=last);
        }
        while self.pending.len() > LONGEST_LINE {
            // Between words when there is one near, so that no secret is torn apart.
            let cut = memchr::memrchr3(b' ', b'\t', b'"', &self.pending[..LONGEST_LINE])
                .filter(|cut| *cut > LONGEST_LINE / 2)
                .unwrap_or(LONGEST_LINE);
            line(&shown(&self.pending[..cut]));
            self.pending.drain(..cut);
        }
    }

    /// Gives the unfinished line, if there is one.
    pub(super) fn finish(&mut self, mut line: impl FnMut(&str)) {
        if !self.pending.is_empty() {
            line(&shown(&self.pending));
            self.pending.clear();
        }
    }
}

/// What a terminal would show at the end: the text after the last carriage return, bytes that are no UTF-8 replaced.
fn shown(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let last = memchr::memrchr(b'\r', bytes).map_or(bytes, |at| &bytes[at + 1..]);
    String::from_utf8_lossy(last)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut buffer = LineBuffer::default();
        let mut found = Vec::new();
        for chunk in chunks {
            buffer.push(chunk, |line| found.push(line.to_owned()));
        }
        buffer.finish(|line| found.push(line.to_owned()));
        found
    }

    #[test]
    fn chunks_become_lines() {
        let table: &[(&[&[u8]], &[&str])] = &[
            (&[b"one\ntwo\n"], &["one", "two"]),
            (&[b"o", b"n", b"e\nt", b"wo"], &["one", "two"]),
            (&[b"\n\n"], &["", ""]),
            (&[b"dos\r\nline\r\n"], &["dos", "line"]),
            (&[b"10%\r50%\r", b"100%\n"], &["100%"]),
            (&[b"\xe4\xb8", b"\xad\n"], &["中"]),
            (&[b"bad \xff byte\n"], &["bad \u{fffd} byte"]),
        ];
        for (chunks, expected) in table {
            assert_eq!(lines(chunks), *expected, "{chunks:?}");
        }
    }

    #[test]
    fn f28_one_endless_line_is_cut_and_keeps_every_byte() {
        let chunk = vec![b'x'; 300_000];
        let found = lines(&[&chunk, &chunk, &chunk, &chunk]);
        assert_eq!(found.iter().map(String::len).sum::<usize>(), 1_200_000);
        assert!(found.iter().all(|line| line.len() <= LONGEST_LINE));
    }

    #[test]
    fn f28_a_storm_of_carriage_returns_keeps_the_last_state() {
        let storm = b"progress bar 50%\r".repeat(200_000);
        assert_eq!(lines(&[&storm, b"done\n"]), ["done"]);
    }
}
