//! Writing a received pack into a mirror while it arrives.

use crate::error::on_disk;
use bytes::{Buf, Bytes};
use slipway_core::{ErrorCode, Failure};
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tokio::sync::mpsc;

/// One object of a pack may take so much memory; more is refused as an attack.
const LARGEST_OBJECT: usize = 4 << 30;

/// Reads what a channel brings; blocking.
#[derive(Debug)]
struct ChannelReader {
    channel: mpsc::Receiver<Bytes>,
    current: Bytes,
    received: u64,
}

impl BufRead for ChannelReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.current.is_empty() {
            match self.channel.blocking_recv() {
                Some(bytes) => {
                    self.received += bytes.len() as u64;
                    self.current = bytes;
                }
                None => break,
            }
        }
        Ok(&self.current)
    }

    fn consume(&mut self, amount: usize) {
        self.current.advance(amount);
    }
}

impl Read for ChannelReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let amount = available.len().min(buffer.len());
        buffer[..amount].copy_from_slice(&available[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}

/// Indexes the pack that comes through `channel` and puts it into the mirror; a pack that ends too early, or whose checksum or
/// objects are wrong, leaves nothing behind. Returns the bytes that arrived.
pub(crate) fn write_pack(mirror: &Path, channel: mpsc::Receiver<Bytes>, stop: &AtomicBool) -> Result<u64, Failure> {
    let mut reader = ChannelReader { channel, current: Bytes::new(), received: 0 };
    if reader.fill_buf().map_err(|error| on_disk("the pack cannot be read", &error))?.is_empty() {
        return Ok(0);
    }
    let folder = mirror.join("objects").join("pack");
    std::fs::create_dir_all(&folder).map_err(|error| on_disk("the mirror cannot be written", &error))?;
    let base = gix::open_opts(mirror, gix::open::Options::isolated())
        .map_err(|error| Failure::new(ErrorCode::MirrorDamaged, format!("the mirror cannot be opened: {error}")))?;
    let options =
        gix::odb::pack::bundle::write::Options { alloc_limit_bytes: Some(LARGEST_OBJECT), ..Default::default() };
    let written = gix::odb::pack::Bundle::write_to_directory(
        &mut reader,
        Some(&folder),
        &mut gix::progress::Discard,
        stop,
        Some(base.objects.clone()),
        gix::hash::Kind::Sha1,
        options,
    )
    .map_err(|error| pack_failure(&error))?;
    if let Some(keep) = written.keep_path {
        std::fs::remove_file(&keep).map_err(|error| on_disk("the mirror cannot be written", &error))?;
    }
    Ok(reader.received)
}

fn pack_failure(error: &gix::Error) -> Failure {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            let failure = on_disk("the mirror cannot be written", io);
            if failure.code != ErrorCode::Internal {
                return failure;
            }
        }
        next = cause.source();
    }
    Failure::new(
        ErrorCode::SourceServerError,
        format!("the pack from the host cannot be used: {}", crate::error::plain(&error.to_string())),
    )
}
