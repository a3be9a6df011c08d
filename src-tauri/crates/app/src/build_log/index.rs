//! The fixed records of the index, little-endian.

use slipway_core::log::LogStream;

/// Bytes of one record.
pub(super) const RECORD: usize = 24;

/// The step of lines that were found again after the index was lost.
pub(super) const UNKNOWN_STEP: u16 = u16::MAX;

/// Where one line lies and what it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) offset: u64,
    /// Milliseconds since 1970; `i64::MIN` when the engine gave no time.
    pub(super) at_ms: i64,
    /// Bytes without the line end.
    pub(super) length: u32,
    pub(super) step: u16,
    pub(super) stream: LogStream,
}

impl Record {
    pub(super) fn to_bytes(self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.at_ms.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.length.to_le_bytes());
        bytes[20..22].copy_from_slice(&self.step.to_le_bytes());
        bytes[22] = u8::from(self.stream == LogStream::Err);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; RECORD]) -> Self {
        let part = |from: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[from..from + 8]);
            eight
        };
        let tail = part(16);
        Self {
            offset: u64::from_le_bytes(part(0)),
            at_ms: i64::from_le_bytes(part(8)),
            length: u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]),
            step: u16::from_le_bytes([tail[4], tail[5]]),
            stream: if tail[6] == 1 { LogStream::Err } else { LogStream::Out },
        }
    }

    /// First byte after the line and its end.
    pub(super) fn end(&self) -> u64 {
        self.offset + u64::from(self.length) + 1
    }
}
