//! Makes structured input of bytes: what a mutation changes is a part of the structure, not its framing.

/// Bytes that are used up from the front.
pub(super) struct Recipe<'a>(pub(super) &'a [u8]);

impl<'a> Recipe<'a> {
    /// The next byte; 0 at the end.
    pub(super) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// What stands before the next byte 0xff, or all.
    pub(super) fn bytes(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 0xff);
        let (taken, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        taken
    }

    /// As [`Self::bytes`], as text.
    pub(super) fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Cuts bytes into pieces whose lengths depend on `seed`.
pub(super) fn pieces(bytes: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    let mut length = usize::from(seed);
    while !rest.is_empty() {
        length = (length * 7 + 3) % 61;
        let (piece, after) = rest.split_at(length.clamp(1, rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
