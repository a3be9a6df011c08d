//! Doors to the readers of foreign bytes, for `tests/fuzz` alone: the product does not use them.

use crate::packet::{Decoder, Packet};
use crate::{protocol, submodules};
use slipway_core::code::RemoteRefs;

/// Cuts what arrives in these pieces into Git's packets: the bytes of each, `None` for a special one, and how many bytes wait for
/// more. `None` when it is not Git's framing.
#[must_use]
pub fn packets(pieces: &[&[u8]]) -> Option<(Vec<Option<Vec<u8>>>, usize)> {
    let mut decoder = Decoder::default();
    let mut packets = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(packet) = decoder.next().ok()? {
            packets.push(match packet {
                Packet::Data(bytes) => Some(bytes.to_vec()),
                Packet::Flush | Packet::Delimiter | Packet::ResponseEnd => None,
            });
        }
    }
    Some((packets, decoder.waiting()))
}

/// Reads the lines of an `ls-refs` answer; `None` when one of them is none.
#[must_use]
pub fn refs<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<RemoteRefs> {
    let mut refs = RemoteRefs::default();
    for line in lines {
        protocol::take_ref(&mut refs, &protocol::parse_ref_line(line)?, None);
    }
    Some(refs)
}

/// A submodule as `.gitmodules` declares it.
#[derive(Debug)]
pub struct DeclaredSubmodule {
    /// Its name, when that stays inside a clone's `modules` folder.
    pub safe_name: Option<String>,
    /// Its address, resolved against the one of the repository that declares it.
    pub url: Option<String>,
    /// It is fetched over SSH, with the user's own keys.
    pub by_ssh: bool,
}

/// Reads `.gitmodules` of a repository at `parent`, which is a clone on this machine or not; `None` when it does not parse.
#[must_use]
pub fn submodules(bytes: &[u8], parent: &str, is_clone: bool) -> Option<Vec<DeclaredSubmodule>> {
    let parent = submodules::Parent { url: Some(parent), is_clone, allow_plain_http: false };
    let sections = submodules::parse(bytes).ok()?;
    let read = sections.into_iter().map(|(name, _, url)| {
        let address = url.and_then(|url| submodules::resolve(parent, &url).ok());
        DeclaredSubmodule {
            safe_name: submodules::safe_name(&name).then_some(name),
            by_ssh: matches!(address, Some(submodules::Address::Ssh(_))),
            url: address.map(|(submodules::Address::Http(url) | submodules::Address::Ssh(url))| url),
        }
    });
    Some(read.collect())
}
