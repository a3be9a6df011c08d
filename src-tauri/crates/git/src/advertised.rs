//! Git's protocol version 0, where a host lists every ref as soon as one comes (gitprotocol-pack).

use crate::packet::{Packet, write_flush, write_line};
use crate::protocol::{Fetched, MOST_REFS, RefLine, check_object_format, parse_oid, take_band, take_ref};
use crate::stream::PacketStream;
use bytes::Bytes;
use git2::Oid;
use slipway_core::Failure;
use slipway_core::code::RemoteRefs;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

/// What a host listed.
#[derive(Debug, Default)]
pub(crate) struct Advertised {
    /// The branch that HEAD names, when the host says so.
    head: Option<Vec<u8>>,
    refs: Vec<Listed>,
}

#[derive(Debug)]
struct Listed {
    object: Oid,
    name: Vec<u8>,
    peeled: Option<Oid>,
}

impl Advertised {
    /// Returns branches and tags, or those that were asked for.
    pub(crate) fn refs(&self, only: Option<&BTreeSet<&str>>) -> RemoteRefs {
        let mut refs = RemoteRefs::default();
        let head = RefLine { object: None, name: b"HEAD", symref: self.head.as_deref(), peeled: None };
        take_ref(&mut refs, &head, only);
        for Listed { object, name, peeled } in &self.refs {
            let line = RefLine { object: Some(*object), name, symref: None, peeled: *peeled };
            // HEAD was told with the host's abilities.
            if name != b"HEAD" {
                take_ref(&mut refs, &line, only);
            }
        }
        refs.refs.sort_by(|a, b| a.name.cmp(&b.name));
        refs
    }

    /// Takes one line, `<id> <name>`; false when it is none.
    fn take(&mut self, line: &[u8]) -> bool {
        let Some(space) = line.iter().position(|byte| *byte == b' ') else { return false };
        let (id, name) = (&line[..space], &line[space + 1..]);
        if id == b"shallow" || id == b"version" {
            return true;
        }
        let Some(object) = parse_oid(id) else { return false };
        match name.strip_suffix(b"^{}") {
            // An empty repository lists its abilities alone.
            Some(b"capabilities") => {}
            Some(tag) => {
                if let Some(last) = self.refs.last_mut().filter(|last| last.name == tag) {
                    last.peeled = Some(object);
                }
            }
            None => self.refs.push(Listed { object, name: name.to_vec(), peeled: None }),
        }
        true
    }

    /// Takes the abilities, which follow the first ref.
    fn take_abilities(&mut self, abilities: &[u8]) -> Result<(), Failure> {
        for ability in abilities.split(|byte| *byte == b' ') {
            if let Some(format) = ability.strip_prefix(b"object-format=") {
                check_object_format(format)?;
            } else if let Some(target) = ability.strip_prefix(b"symref=HEAD:") {
                self.head = Some(target.to_vec());
            }
        }
        Ok(())
    }
}

/// Reads the list from its first line on.
pub(crate) async fn read(answer: &mut PacketStream, first: Option<&[u8]>) -> Result<Advertised, Failure> {
    let mut advertised = Advertised::default();
    let mut next = first.map(Bytes::copy_from_slice);
    while let Some(line) = next {
        let (listed, abilities) = match line.iter().position(|byte| *byte == 0) {
            Some(end) => (&line[..end], &line[end + 1..]),
            None => (&line[..], &[][..]),
        };
        advertised.take_abilities(abilities)?;
        if !advertised.take(listed) {
            return Err(answer.not_git("it does not begin like a Git repository"));
        }
        if advertised.refs.len() > MOST_REFS {
            return Err(answer.not_git("it lists more than two million refs"));
        }
        next = answer.line().await?;
    }
    Ok(advertised)
}

/// Writes which objects are wanted, and which commits are here already.
pub(crate) fn wish(wants: &[Oid], haves: &[Oid]) -> Vec<u8> {
    let mut body = Vec::new();
    for (number, want) in wants.iter().enumerate() {
        let abilities = if number == 0 { " side-band-64k thin-pack ofs-delta no-progress agent=slipway" } else { "" };
        write_line(&mut body, &format!("want {want}{abilities}\n"));
    }
    write_flush(&mut body);
    haves.iter().for_each(|have| write_line(&mut body, &format!("have {have}\n")));
    write_line(&mut body, "done\n");
    body
}

/// Reads the answer to [`wish`]: which of the haves the host knows, then the pack.
pub(crate) async fn receive(mut answer: PacketStream, pack: &mpsc::Sender<Bytes>) -> Result<Fetched, Failure> {
    loop {
        match answer.next().await? {
            Some(Packet::Data(line)) if line.starts_with(b"ACK ") || line.starts_with(b"NAK") => {}
            Some(Packet::Data(line)) if line.starts_with(b"ERR ") => {
                return Ok(Fetched::Refused(answer.reported(&String::from_utf8_lossy(&line[4..]))));
            }
            Some(Packet::Data(data)) => {
                if let Some(fetched) = take_band(&answer, data, pack).await? {
                    return Ok(fetched);
                }
            }
            Some(Packet::Flush) => return Ok(Fetched::Pack),
            Some(Packet::Delimiter | Packet::ResponseEnd) | None => return Err(answer.broken_off()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    #[test]
    fn branches_tags_and_the_default_branch_are_told_at_once() {
        let mut advertised = Advertised::default();
        advertised.take_abilities(b"multi_ack symref=HEAD:refs/heads/trunk object-format=sha1").unwrap();
        for line in [
            format!("{ONE} HEAD"),
            format!("{ONE} refs/heads/trunk"),
            format!("{ONE} refs/pull/1/head"),
            format!("{ONE} refs/tags/v1"),
            format!("{TWO} refs/tags/v1^{{}}"),
            format!("{ONE} refs/heads/--upload-pack=x"),
            format!("shallow {ONE}"),
        ] {
            assert!(advertised.take(line.as_bytes()), "{line}");
        }
        let refs = advertised.refs(None);
        assert_eq!(refs.default_branch.unwrap().short(), "trunk");
        assert_eq!(refs.refs.iter().map(|one| one.name.short()).collect::<Vec<_>>(), ["trunk", "v1"]);
        assert_eq!((refs.refs[1].object.as_str(), refs.refs[1].commit.as_ref().unwrap().as_str()), (ONE, TWO));
        assert_eq!(refs.unusable, 1);
        let only = advertised.refs(Some(&BTreeSet::from(["refs/tags/v1"])));
        assert_eq!(only.refs.len(), 1);
        assert!(Advertised::default().take_abilities(b"object-format=sha256").is_err());
    }

    #[test]
    fn an_empty_repository_lists_nothing() {
        let mut advertised = Advertised::default();
        assert!(advertised.take(format!("{} capabilities^{{}}", "0".repeat(40)).as_bytes()));
        assert!(advertised.refs(None).refs.is_empty());
    }

    proptest! {
        #[test]
        fn hostile_lines_never_panic(line in proptest::collection::vec(any::<u8>(), 0..120)) {
            let mut advertised = Advertised::default();
            let taken = advertised.take(&line);
            prop_assert!(taken || advertised.refs.is_empty());
        }
    }
}
