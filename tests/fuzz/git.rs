//! What a git host and a commit say.

use super::recipe::pieces;
use slipway_core::ssh::SshAddress;
use slipway_git::fuzzing;

/// Git's framing: however the network cuts it, the packets are the same, and none is longer than what Git allows.
pub(super) fn packets(bytes: &[u8]) {
    let (seed, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let whole = fuzzing::packets(&[bytes]);
    assert_eq!(fuzzing::packets(&pieces(bytes, *seed)), whole, "pieces give other packets");
    let Some((packets, waiting)) = whole else { return };
    let used: usize = packets.iter().map(|packet| 4 + packet.as_ref().map_or(0, Vec::len)).sum();
    assert_eq!(used + waiting, bytes.len(), "bytes are lost");
    assert!(packets.iter().flatten().all(|packet| packet.len() <= 65516), "a packet is longer than Git's");
}

/// Lines of `ls-refs`: what is taken is a legal ref with a legal id.
pub(super) fn refs(bytes: &[u8]) {
    let lines = || bytes.split(|byte| *byte == b'\n');
    let Some(refs) = fuzzing::refs(lines()) else { return };
    assert!(refs.refs.len() + refs.unusable <= lines().count());
    for one in &refs.refs {
        let name = one.name.as_str();
        assert!(name.starts_with("refs/heads/") || name.starts_with("refs/tags/"), "{name:?} is taken");
        super::is_plain(name);
        assert!(!name.contains("..") && !name.contains([' ', '~', '^', ':', '?', '*', '[', '\\']), "{name:?} is taken");
        assert_eq!(one.object.as_str().len(), 40);
    }
    if let Some(default) = &refs.default_branch {
        assert!(default.as_str().starts_with("refs/heads/"));
    }
}

/// `.gitmodules`: no name leaves a clone's folder; an address is HTTPS without a login, or SSH at the parent's own host.
pub(super) fn modules(bytes: &[u8]) {
    for (parent, is_clone) in [
        ("https://git.example/team/app.git", false),
        ("https://git.example/team/app.git", true),
        ("git@git.example:team/app.git", false),
    ] {
        for module in fuzzing::submodules(bytes, parent, is_clone).unwrap_or_default() {
            if let Some(name) = module.safe_name {
                assert!(!name.is_empty() && !name.starts_with('/') && !name.contains('\\'), "{name:?} is safe");
                assert!(!name.split('/').any(|part| matches!(part, "" | "." | "..")), "{name:?} is safe");
            }
            let Some(url) = module.url else { continue };
            super::is_plain(&url);
            if module.by_ssh {
                let address = SshAddress::parse(&url).expect("an address that is taken parses");
                assert!(address.host().eq_ignore_ascii_case("git.example"), "{url:?} leads away");
                assert!(is_clone || parent.starts_with("git@"), "{url:?} asks for the user's keys");
            } else {
                assert!(url.to_ascii_lowercase().starts_with("https://"), "{url:?} is taken");
                let parsed = reqwest::Url::parse(&url).expect("an address that is taken parses");
                assert!(parsed.username().is_empty() && parsed.password().is_none(), "{url:?} carries a login");
            }
        }
    }
}

/// An SSH address: nothing in it is read as an option by the program that gets it.
pub(super) fn ssh_address(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match SshAddress::parse(&text) {
        Ok(address) => {
            for part in [address.host(), address.path()] {
                assert!(!part.is_empty() && !part.starts_with('-'), "{part:?} is read as an option");
                super::is_plain(part);
            }
            assert!(!address.host().contains(char::is_whitespace));
            assert!(SshAddress::is_meant(&text), "{text:?} is taken, and not meant");
        }
        Err(failure) => super::can_be_shown(&failure),
    }
}
