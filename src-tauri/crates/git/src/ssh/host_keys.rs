//! Keys of SSH hosts: which are known, what an unknown host shows, and the list of those that a person confirmed.
//!
//! The list stands beside the user's own: the program reads it as one of the machine's lists, and only ever reads it. The name
//! of a host in it is the one that the program itself writes, so that aliases, ports and jumps of the user's configuration hold.

use super::SshSetup;
use super::program::{Running, configuration};
use super::refusal::{self, Refusal};
use crate::error::on_disk;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};
use slipway_core::ssh::SshAddress;
use slipway_core::{ErrorCode, Failure};
use std::io::Write as _;
use std::path::Path;

/// A key that a host showed, as a line of a list of known hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostKey {
    host: String,
    /// What stands for the host in the list: its real name, and its port when that is unusual.
    known_as: String,
    line: String,
    /// The name that `ssh` uses for it (`ED25519`).
    kind: String,
    fingerprint: String,
}

impl HostKey {
    /// Reads `names type key`.
    fn parse(host: &str, line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (names, algorithm, key) = (words.next()?, words.next()?, words.next()?);
        let fingerprint = format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(STANDARD.decode(key).ok()?)));
        let kind = match algorithm {
            "ssh-ed25519" => "ED25519",
            "ssh-rsa" => "RSA",
            other if other.starts_with("ecdsa-") => "ECDSA",
            other => other,
        };
        Some(Self {
            host: host.to_owned(),
            known_as: names.to_owned(),
            line: line.to_owned(),
            kind: kind.to_owned(),
            fingerprint,
        })
    }

    /// The failure that asks a person about this key.
    pub(super) fn unknown(&self) -> Failure {
        let Self { host, known_as, kind, fingerprint, .. } = self;
        Failure::new(ErrorCode::SshHostKeyUnknown, format!("the {kind} key of {host} is not known: {fingerprint}"))
            .with("host", host)
            .with("known_as", known_as)
            .with("key_type", kind)
            .with("fingerprint", fingerprint)
    }
}

/// Returns the value that makes the program read the machine's lists and ours.
pub(super) async fn global_list(setup: &SshSetup, address: &SshAddress) -> Result<String, Failure> {
    let configuration = configuration(setup, address).await?;
    let machine = configuration
        .lines()
        .find_map(|line| line.strip_prefix("globalknownhostsfile "))
        .filter(|files| *files != "none")
        .unwrap_or("");
    Ok(format!("{machine} {}", quoted(&setup.known_hosts)).trim_start().to_owned())
}

/// Asks a host for its key: a connection that ends before anything of the user is offered.
pub(super) async fn shown(setup: &SshSetup, address: &SshAddress) -> Result<HostKey, Failure> {
    let folder = tempfile::TempDir::new().map_err(|error| on_disk("a temporary folder cannot be made", &error))?;
    let list = folder.path().join("shown");
    let own = format!("UserKnownHostsFile={}", quoted(&list).replace('%', "%%"));
    let options = [
        own.as_str(),
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=accept-new",
        "HashKnownHosts=no",
        "CheckHostIP=no",
        "PreferredAuthentications=none",
        "ControlPath=none",
    ];
    let (_, words) = ended(setup, address, &options).await?;
    let text = std::fs::read_to_string(&list).unwrap_or_default();
    text.lines().find_map(|line| HostKey::parse(address.host(), line)).ok_or_else(|| {
        match refusal::read(address.host(), None, &words) {
            // The host itself is accepted here, so it is one on the way.
            Refusal::UnknownHostKey => Failure::new(
                ErrorCode::SshFailed,
                "the key of a host on the way (ProxyJump) is not known; connect to it once with ssh in a terminal",
            )
            .with("host", address.host()),
            Refusal::Failed(failure) => *failure,
        }
    })
}

/// Adds the key that the host shows now to our list, when it is the one that a person confirmed.
pub(super) async fn trust(setup: &SshSetup, address: &SshAddress, fingerprint: &str) -> Result<(), Failure> {
    // With both lists first: a host that is known by another key stays refused.
    let known = format!("GlobalKnownHostsFile={}", global_list(setup, address).await?);
    let (status, words) = ended(setup, address, &[&known, "PreferredAuthentications=none", "ControlPath=none"]).await?;
    match refusal::read(address.host(), status, &words) {
        Refusal::UnknownHostKey => {}
        // The host went on to the login, or let anybody in: its key is known.
        Refusal::Failed(failure) if failure.code == ErrorCode::SshKeyRefused => return Ok(()),
        Refusal::Failed(_) if status.is_some_and(|status| status.success()) => return Ok(()),
        Refusal::Failed(failure) => return Err(*failure),
    }
    let key = shown(setup, address).await?;
    if key.fingerprint != fingerprint {
        return Err(key.unknown());
    }
    append(&setup.known_hosts, &key.line).map_err(|error| on_disk("the list of SSH hosts cannot be written", &error))
}

/// Runs a connection that offers nothing to its end.
async fn ended(
    setup: &SshSetup,
    address: &SshAddress,
    options: &[&str],
) -> Result<(Option<std::process::ExitStatus>, String), Failure> {
    let mut running = Running::start_with(setup, address, options, "true")?;
    let deadline = setup.deadlines.request;
    tokio::time::timeout(deadline, running.wait())
        .await
        .map_err(|_| crate::blocking::timed_out(&format!("the answer of {}", address.host()), deadline))?;
    Ok(running.last_words().await)
}

fn append(list: &Path, line: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(list)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_all()
}

/// A path as one word of the program's configuration.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_fingerprint_is_the_one_that_ssh_shows() {
        let line = "[127.0.0.1]:22922 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBifVoONXha2FiveK5GzVNWR4Kts6wgHeyxeL8Y1XtDq";
        let key = HostKey::parse("box", line).unwrap();
        assert_eq!((key.kind.as_str(), key.known_as.as_str()), ("ED25519", "[127.0.0.1]:22922"));
        assert_eq!(key.fingerprint, "SHA256:pteZxLd19JNuJk/t4ZYF5B/Co27Hqon3WgPHvIi+0jo");
        assert_eq!(HostKey::parse("box", "# a comment"), None);
    }
}
