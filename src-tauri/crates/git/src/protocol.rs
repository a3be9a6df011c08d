//! Git's protocol for reading: version 2 (`ls-refs` and `fetch`, gitprotocol-v2), and over SSH version 0, which an SSH server
//! speaks that does not let the wish for version 2 through (gitprotocol-pack).

use crate::advertised::{self, Advertised};
use crate::packet::{Packet, write_delimiter, write_flush, write_line};
use crate::stream::PacketStream;
use crate::transport::Transport;
use bytes::{Buf, Bytes};
use git2::Oid;
use slipway_core::code::{CommitId, RefName, RemoteRef, RemoteRefs};
use slipway_core::{ErrorCode, Failure};
use std::collections::BTreeSet;
use tokio::sync::mpsc;

/// More refs than any real repository has; an answer beyond is an attack or a fault.
pub(crate) const MOST_REFS: usize = 2_000_000;

/// What a host offers, once it has answered as a Git host.
#[derive(Debug)]
pub(crate) struct GitHost {
    transport: Transport,
    speaks: Speaks,
}

/// The version that a host speaks.
#[derive(Debug)]
enum Speaks {
    Two {
        /// It can say which branch HEAD names before there is a commit.
        unborn: bool,
    },
    /// An older one, where every ref comes with the first answer.
    Older(Advertised),
}

/// How a fetch ended.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// The whole pack went into the channel.
    Pack,
    /// The host refused, in its words: it does not have, or does not give, what was wanted.
    Refused(Failure),
}

impl GitHost {
    /// Connects and reads what the host offers.
    pub(crate) async fn connect(mut transport: Transport) -> Result<Self, Failure> {
        let mut answer = transport.discover().await?;
        let mut first = answer.line().await?;
        if first.as_deref().is_some_and(|line| line.starts_with(b"# service=")) {
            // The announcement of the service, a flush, then the real beginning.
            answer.line().await?;
            first = answer.line().await?;
        }
        let speaks = match first.as_deref() {
            Some(b"version 2") => Speaks::Two { unborn: read_offer(&mut answer).await? },
            Some(line) if line.starts_with(b"ERR ") => {
                return Err(answer.reported(&String::from_utf8_lossy(&line[4..])));
            }
            first if matches!(transport, Transport::Ssh(_)) => {
                Speaks::Older(advertised::read(&mut answer, first).await?)
            }
            _ => {
                return Err(
                    answer.not_git("it speaks only an old protocol of Git, version 2 (Git 2.18 or newer) is needed")
                );
            }
        };
        transport.ended(answer);
        Ok(Self { transport, speaks })
    }

    /// Lists branches and tags as they are now; `only` narrows the question to some refs.
    pub(crate) async fn refs(&self, only: Option<&[RefName]>) -> Result<RemoteRefs, Failure> {
        let wanted: Option<BTreeSet<&str>> = only.map(|names| names.iter().map(RefName::as_str).collect());
        let unborn = match &self.speaks {
            Speaks::Two { unborn } => *unborn,
            Speaks::Older(advertised) => return Ok(advertised.refs(wanted.as_ref())),
        };
        let mut body = Self::command("ls-refs");
        for argument in ["peel\n", "symrefs\n", "ref-prefix HEAD\n"] {
            write_line(&mut body, argument);
        }
        if unborn {
            write_line(&mut body, "unborn\n");
        }
        match only {
            None => {
                write_line(&mut body, "ref-prefix refs/heads/\n");
                write_line(&mut body, "ref-prefix refs/tags/\n");
            }
            Some(names) => names.iter().for_each(|name| write_line(&mut body, &format!("ref-prefix {name}\n"))),
        }
        write_flush(&mut body);
        let mut answer = self.transport.command(body).await?;
        let mut refs = RemoteRefs::default();
        while let Some(line) = answer.line().await? {
            if let Some(text) = line.strip_prefix(b"ERR ") {
                return Err(answer.reported(&String::from_utf8_lossy(text)));
            }
            let parsed = parse_ref_line(&line).ok_or_else(|| answer.not_git("it lists refs in an unknown form"))?;
            take_ref(&mut refs, &parsed, wanted.as_ref());
            if refs.refs.len() + refs.unusable > MOST_REFS {
                return Err(answer.not_git("it lists more than two million refs"));
            }
        }
        self.transport.ended(answer);
        refs.refs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(refs)
    }

    /// Asks for these objects and sends the pack's bytes into `pack`; `haves` are commits that are here already.
    pub(crate) async fn fetch(
        &self,
        wants: &[Oid],
        haves: &[Oid],
        pack: mpsc::Sender<Bytes>,
    ) -> Result<Fetched, Failure> {
        if let Speaks::Older(_) = self.speaks {
            let answer = self.transport.command(advertised::wish(wants, haves)).await?;
            return advertised::receive(answer, &pack).await;
        }
        let mut body = Self::command("fetch");
        for argument in ["thin-pack\n", "ofs-delta\n", "no-progress\n"] {
            write_line(&mut body, argument);
        }
        wants.iter().for_each(|want| write_line(&mut body, &format!("want {want}\n")));
        haves.iter().for_each(|have| write_line(&mut body, &format!("have {have}\n")));
        // One round: the host uses those of the haves that it knows. The tip of the fetched ref is among them, so only after
        // a rewrite of more than their number of commits too much travels.
        write_line(&mut body, "done\n");
        write_flush(&mut body);
        let mut answer = self.transport.command(body).await?;
        loop {
            match answer.next().await? {
                Some(Packet::Data(line)) if line.as_ref() == b"packfile\n" => break,
                Some(Packet::Data(line)) if line.starts_with(b"ERR ") => {
                    return Ok(Fetched::Refused(answer.reported(&String::from_utf8_lossy(&line[4..]))));
                }
                Some(Packet::Data(_) | Packet::Delimiter) => {}
                Some(Packet::Flush | Packet::ResponseEnd) | None => return Err(answer.broken_off()),
            }
        }
        receive_pack(&mut answer, &pack).await
    }

    fn command(name: &str) -> Vec<u8> {
        let mut body = Vec::new();
        write_line(&mut body, &format!("command={name}\n"));
        write_line(&mut body, "agent=slipway\n");
        write_line(&mut body, "object-format=sha1\n");
        write_delimiter(&mut body);
        body
    }
}

/// Takes the pack out of the side band: 1 is data, 2 is progress for people, 3 is a fatal error.
async fn receive_pack(answer: &mut PacketStream, pack: &mpsc::Sender<Bytes>) -> Result<Fetched, Failure> {
    loop {
        match answer.next().await? {
            Some(Packet::Data(data)) => {
                if let Some(fetched) = take_band(answer, data, pack).await? {
                    return Ok(fetched);
                }
            }
            Some(Packet::Flush) => return Ok(Fetched::Pack),
            Some(Packet::Delimiter | Packet::ResponseEnd) | None => return Err(answer.broken_off()),
        }
    }
}

/// Takes one packet of the side band; returns how the fetch ended, when it did.
pub(crate) async fn take_band(
    answer: &PacketStream,
    mut data: Bytes,
    pack: &mpsc::Sender<Bytes>,
) -> Result<Option<Fetched>, Failure> {
    match data.first() {
        Some(1) => {
            data.advance(1);
            // Without a reader the writer ended; its own error says why.
            Ok(pack.send(data).await.is_err().then_some(Fetched::Pack))
        }
        Some(2) => Ok(None),
        Some(3) => Ok(Some(Fetched::Refused(answer.reported(&String::from_utf8_lossy(&data[1..]))))),
        _ => Err(answer.not_git("the pack comes in an unknown side band")),
    }
}

/// Reads what a host of version 2 can do; returns whether it can tell an unborn HEAD.
async fn read_offer(answer: &mut PacketStream) -> Result<bool, Failure> {
    let mut unborn = false;
    while let Some(line) = answer.line().await? {
        if let Some(format) = line.strip_prefix(b"object-format=") {
            check_object_format(format)?;
        } else if let Some(features) = line.strip_prefix(b"ls-refs=") {
            unborn = features.split(|byte| *byte == b' ').any(|feature| feature == b"unborn");
        }
    }
    Ok(unborn)
}

/// Refuses a repository whose ids the libraries cannot hold.
pub(crate) fn check_object_format(format: &[u8]) -> Result<(), Failure> {
    if format == b"sha1" {
        return Ok(());
    }
    Err(Failure::new(ErrorCode::BadCodeLocation, "the repository uses SHA-256 object ids, which is not supported yet"))
}

/// One ref as a host lists it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RefLine<'a> {
    /// `None` for an unborn HEAD.
    pub(crate) object: Option<Oid>,
    pub(crate) name: &'a [u8],
    pub(crate) symref: Option<&'a [u8]>,
    pub(crate) peeled: Option<Oid>,
}

/// Parses `<oid> <name>[ symref-target:<name>][ peeled:<oid>]`; the object is `unborn` for a HEAD without commits.
pub(crate) fn parse_ref_line(line: &[u8]) -> Option<RefLine<'_>> {
    let mut words = line.split(|byte| *byte == b' ');
    let object = match words.next()? {
        b"unborn" => None,
        hex => Some(parse_oid(hex)?),
    };
    let name = words.next().filter(|name| !name.is_empty())?;
    let mut parsed = RefLine { object, name, symref: None, peeled: None };
    for attribute in words {
        if let Some(target) = attribute.strip_prefix(b"symref-target:") {
            parsed.symref = Some(target);
        } else if let Some(hex) = attribute.strip_prefix(b"peeled:") {
            parsed.peeled = Some(parse_oid(hex)?);
        }
    }
    Some(parsed)
}

pub(crate) fn parse_oid(hex: &[u8]) -> Option<Oid> {
    let hex = std::str::from_utf8(hex).ok().filter(|hex| hex.len() == 40)?;
    Oid::from_str(hex).ok()
}

/// Adds a ref to those that were found, when it is a branch or a tag, and one of those that were asked for.
pub(crate) fn take_ref(refs: &mut RemoteRefs, line: &RefLine<'_>, only: Option<&BTreeSet<&str>>) {
    let text = std::str::from_utf8(line.name);
    if line.name == b"HEAD" {
        refs.default_branch = line
            .symref
            .and_then(|target| std::str::from_utf8(target).ok())
            .filter(|target| target.starts_with("refs/heads/"))
            .and_then(|target| RefName::new(target).ok());
        return;
    }
    if only.is_some_and(|only| !text.is_ok_and(|name| only.contains(name))) {
        return;
    }
    if !line.name.starts_with(b"refs/heads/") && !line.name.starts_with(b"refs/tags/") {
        return;
    }
    let name = text.ok().and_then(|name| RefName::new(name).ok());
    let object = line.object.and_then(|oid| CommitId::new(oid.to_string()).ok());
    match (name, object) {
        (Some(name), Some(object)) => {
            let commit = match line.peeled {
                Some(oid) => CommitId::new(oid.to_string()).ok(),
                None => Some(object.clone()),
            };
            refs.refs.push(RemoteRef { name, object, commit });
        }
        _ => refs.unusable += 1,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    fn taken(lines: &[String], only: Option<&[&str]>) -> RemoteRefs {
        let only = only.map(|names| names.iter().copied().collect());
        let mut refs = RemoteRefs::default();
        for line in lines {
            take_ref(&mut refs, &parse_ref_line(line.as_bytes()).unwrap(), only.as_ref());
        }
        refs
    }

    #[test]
    fn a_tag_keeps_its_own_object_and_the_commit_behind_it() {
        let refs = taken(&[format!("{ONE} refs/tags/v1 peeled:{TWO}")], None);
        assert_eq!(refs.refs[0].object.as_str(), ONE);
        assert_eq!(refs.refs[0].commit.as_ref().unwrap().as_str(), TWO);
    }

    #[test]
    fn head_names_the_default_branch_even_without_commits() {
        for object in [ONE, "unborn"] {
            let refs = taken(&[format!("{object} HEAD symref-target:refs/heads/trunk")], None);
            assert_eq!(refs.default_branch.unwrap().short(), "trunk");
            assert!(refs.refs.is_empty());
        }
    }

    #[test]
    fn t30_names_that_cannot_be_used_are_counted() {
        let lines = ["refs/heads/--upload-pack=x", "refs/heads/a..b", "refs/heads/$(x)", "refs/notes/x"]
            .map(|name| format!("{ONE} {name}"));
        let refs = taken(&lines, None);
        assert_eq!(refs.refs.iter().map(|found| found.name.short()).collect::<Vec<_>>(), ["$(x)"]);
        assert_eq!(refs.unusable, 2);
    }

    #[test]
    fn a_prefix_match_of_another_ref_is_left_out() {
        let lines = ["refs/heads/main", "refs/heads/main2"].map(|name| format!("{ONE} {name}"));
        let refs = taken(&lines, Some(&["refs/heads/main"]));
        assert_eq!(refs.refs.len(), 1);
        assert_eq!(refs.unusable, 0);
    }

    proptest! {
        #[test]
        fn hostile_lines_never_panic(line in proptest::collection::vec(any::<u8>(), 0..120)) {
            if let Some(parsed) = parse_ref_line(&line) {
                prop_assert!(!parsed.name.is_empty());
            }
        }
    }
}
