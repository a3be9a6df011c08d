//! Masks secrets in text that is stored or shown, across chunk borders and in encoded forms
//! (`reference/reliability-security.md` T10).

use crate::Secret;
use aho_corasick::AhoCorasick;
use std::sync::Arc;

mod variants;

/// What stands in the place of a secret.
pub const MASK: &str = "***";
/// Secrets with fewer characters cannot be masked: they would tear ordinary text apart.
pub const SHORTEST_MASKABLE: usize = 6;
/// Longer texts are searched in pieces of this many bytes, so that little is held back and a cut secret is found too.
const PIECE: usize = 256;

/// Finds secrets. Cheap to clone and to search with; make one [`MaskStream`] per stream of bytes.
#[derive(Debug, Clone)]
pub struct Masker(Arc<Searched>);

/// What is searched for.
struct Searched {
    automaton: Option<AhoCorasick>,
    /// The searched texts, sorted, to see whether the end of a chunk may be the beginning of one.
    sorted: Vec<Vec<u8>>,
    longest: usize,
}

impl std::fmt::Debug for Searched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searched").field("texts", &self.sorted.len()).finish()
    }
}

impl Masker {
    /// Prepares to mask these secrets: as they are, line by line, in base64 (both alphabets, at any position in a longer
    /// encoded text), URL-encoded, JSON-escaped and in hex. Also returns the positions of those that cannot be masked
    /// because they have fewer than [`SHORTEST_MASKABLE`] characters; empty ones are not counted.
    #[must_use]
    pub fn new(secrets: &[Secret]) -> (Self, Vec<usize>) {
        let mut unmaskable = Vec::new();
        let mut sorted = Vec::new();
        for (index, secret) in secrets.iter().enumerate() {
            let found = variants::of(secret.expose());
            if found.is_empty() && !secret.is_empty() {
                unmaskable.push(index);
            }
            sorted.extend(found.iter().flat_map(|text| pieces(text.as_bytes())).map(<[u8]>::to_vec));
        }
        sorted.sort_unstable();
        sorted.dedup();
        let longest = sorted.iter().map(Vec::len).max().unwrap_or(0);
        let automaton = (!sorted.is_empty()).then(|| AhoCorasick::new(&sorted)).transpose();
        // Building fails only beyond two billion states; then nothing can be masked, and that is what is reported.
        let automaton = automaton.unwrap_or_else(|_| {
            unmaskable = (0..secrets.len()).collect();
            None
        });
        (Self(Arc::new(Searched { automaton, sorted, longest })), unmaskable)
    }

    /// Begins a stream.
    #[must_use]
    pub fn stream(&self) -> MaskStream {
        MaskStream { searched: Arc::clone(&self.0), held: Vec::new(), mask_end: None }
    }

    /// Masks a whole text: a step's name, an error's message.
    #[must_use]
    pub fn mask_text(&self, text: &str) -> String {
        if !self.0.automaton.as_ref().is_some_and(|automaton| automaton.is_match(text)) {
            return text.to_owned();
        }
        let mut stream = self.stream();
        let mut masked = stream.push(text.as_bytes());
        masked.extend(stream.finish());
        String::from_utf8_lossy(&masked).into_owned()
    }
}

impl Searched {
    /// Returns where the longest end of `text` begins that may be the beginning of a searched text.
    fn open_end(&self, text: &[u8]) -> usize {
        let earliest = text.len().saturating_sub(self.longest.saturating_sub(1));
        (earliest..text.len())
            .find(|start| {
                let end = &text[*start..];
                let at = self.sorted.partition_point(|searched| searched.as_slice() < end);
                self.sorted[at..].iter().take_while(|searched| searched.starts_with(end)).any(|s| s.len() > end.len())
            })
            .unwrap_or(text.len())
    }
}

/// One stream of bytes through a [`Masker`]. It holds back only what may be the beginning of a secret.
#[derive(Debug)]
pub struct MaskStream {
    searched: Arc<Searched>,
    held: Vec<u8>,
    /// The last thing written is a mask, and it stands for the held bytes up to here too.
    mask_end: Option<usize>,
}

impl MaskStream {
    /// Takes bytes and returns what can be shown by now.
    #[must_use]
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.searched.automaton.is_none() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        let end = self.searched.open_end(&self.held);
        self.take(end)
    }

    /// Returns what is still held back; the stream is as new afterwards.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        let shown = self.take(self.held.len());
        self.mask_end = None;
        shown
    }

    /// Writes the first `end` held bytes, with every part that belongs to a secret replaced. Occurrences that overlap or
    /// touch become one mask, so that no rest of one shows beside the other.
    fn take(&mut self, end: usize) -> Vec<u8> {
        let mut shown = Vec::with_capacity(end);
        let mut done = self.mask_end.unwrap_or(0);
        for (from, to) in self.secrets() {
            if self.mask_end.is_some_and(|mask_end| from <= mask_end) {
                done = done.max(to);
            } else if from < end {
                shown.extend_from_slice(&self.held[done..from]);
                shown.extend_from_slice(MASK.as_bytes());
                done = to;
            } else {
                break;
            }
            self.mask_end = Some(done);
        }
        if done < end {
            shown.extend_from_slice(&self.held[done..end]);
            self.mask_end = None;
        }
        self.mask_end = self.mask_end.map(|mask_end| mask_end - end);
        self.held.drain(..end);
        shown
    }

    /// Returns all occurrences in what is held, overlapping ones too, sorted by their beginning.
    fn secrets(&self) -> Vec<(usize, usize)> {
        let Some(automaton) = &self.searched.automaton else { return Vec::new() };
        let mut found: Vec<(usize, usize)> =
            automaton.find_overlapping_iter(&self.held).map(|found| (found.start(), found.end())).collect();
        found.sort_unstable();
        found
    }
}

/// Cuts a searched text into pieces that cover it; the last one overlaps so that none is short.
fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let last = text.len().saturating_sub(PIECE);
    (0..last).step_by(PIECE).chain([last]).map(|start| &text[start..text.len().min(start + PIECE)])
}

#[cfg(test)]
mod tests;
