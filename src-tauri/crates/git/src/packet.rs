//! Git's pkt-line framing: four hex digits of length, then the bytes (gitprotocol-common).

use bytes::{Buf, Bytes, BytesMut};

/// The longest packet that Git sends, header included.
const LONGEST: usize = 65520;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packet {
    /// `0000`: the end of a message.
    Flush,
    /// `0001`: the end of a section.
    Delimiter,
    /// `0002`: the end of a response.
    ResponseEnd,
    /// Bytes.
    Data(Bytes),
}

/// What arrives is not framed as packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not in Git's packet format")]
pub(crate) struct BadPacket;

/// Cuts a stream of bytes into packets, however the network cut it.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: BytesMut,
}

impl Decoder {
    /// Adds bytes that arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns true when no part of a packet is waiting.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Returns how many bytes wait for more.
    pub(crate) fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// Returns the next whole packet, or `None` until more bytes arrive.
    ///
    /// # Errors
    /// [`BadPacket`] when the length is no number or out of range.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, BadPacket> {
        let Some(header) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let mut length = 0;
        for digit in header {
            length = length * 16 + char::from(*digit).to_digit(16).ok_or(BadPacket)? as usize;
        }
        let special = match length {
            0 => Packet::Flush,
            1 => Packet::Delimiter,
            2 => Packet::ResponseEnd,
            4..=LONGEST => {
                if self.buffer.len() < length {
                    return Ok(None);
                }
                let mut packet = self.buffer.split_to(length);
                packet.advance(4);
                return Ok(Some(Packet::Data(packet.freeze())));
            }
            _ => return Err(BadPacket),
        };
        self.buffer.advance(4);
        Ok(Some(special))
    }
}

/// Appends one packet with this text.
pub(crate) fn write_line(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(format!("{:04x}", text.len() + 4).as_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Appends the end of a section.
pub(crate) fn write_delimiter(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0001");
}

/// Appends the end of the message.
pub(crate) fn write_flush(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0000");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8], cut: usize) -> Result<Vec<Packet>, BadPacket> {
        let mut decoder = Decoder::default();
        let mut packets = Vec::new();
        for part in bytes.chunks(cut.max(1)) {
            decoder.push(part);
            while let Some(packet) = decoder.next()? {
                packets.push(packet);
            }
        }
        Ok(packets)
    }

    #[test]
    fn special_packets_and_lines_are_told_apart() {
        let mut bytes = Vec::new();
        write_line(&mut bytes, "version 2\n");
        write_delimiter(&mut bytes);
        bytes.extend_from_slice(b"0002");
        write_flush(&mut bytes);
        let expected =
            [Packet::Data(Bytes::from_static(b"version 2\n")), Packet::Delimiter, Packet::ResponseEnd, Packet::Flush];
        assert_eq!(all(&bytes, 3).unwrap(), expected);
    }

    #[test]
    fn lengths_that_git_never_sends_are_refused() {
        for bytes in [b"0003".as_slice(), b"fff1", b"<htm", b"zzzz", b"\xff\xff\xff\xff"] {
            assert_eq!(all(bytes, 4), Err(BadPacket), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_packets(lines in proptest::collection::vec("[ -~]{0,200}", 0..20), cut in 1usize..97) {
            let mut bytes = Vec::new();
            for line in &lines {
                write_line(&mut bytes, line);
            }
            let got = all(&bytes, cut).unwrap();
            let expected: Vec<_> = lines.iter().map(|line| Packet::Data(Bytes::copy_from_slice(line.as_bytes()))).collect();
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 1usize..50) {
            let whole = all(&bytes, bytes.len());
            prop_assert_eq!(all(&bytes, cut), whole);
        }
    }
}
