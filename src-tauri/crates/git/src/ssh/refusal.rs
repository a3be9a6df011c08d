//! What it means when `ssh` ends: read from what it says about itself in the language of its sources.
//!
//! The host's words come through the same pipe. Before the login they are read only after its key was verified, so a forged
//! sentence can change the advice that a person gets, never what is trusted; after it they are only shown.

use crate::error::plain;
use crate::stream::broken_off;
use slipway_core::{ErrorCode, Failure};
use std::process::ExitStatus;

/// Why there is no talk with the host.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Nobody knows the host's key.
    UnknownHostKey,
    /// Anything else.
    Failed(Box<Failure>),
}

/// The exit code of `ssh` itself; every other one is the command's at the host.
const OWN_FAULT: i32 = 255;
/// From here on the host's command speaks.
const COMMAND: &str = "debug1: Sending command:";

/// What a host says about a repository that it does not give.
const NOT_GIVEN: &[&str] = &[
    "not found",
    "could not be found",
    "cannot find",
    "does not appear to be a git repository",
    "does not exist",
    "no such",
    "denied",
    "not allowed",
    "not exported",
    "permission",
    "unauthorized",
];
/// What `ssh` says when there is nobody at the other end.
const NOBODY: &[&str] = &[
    "Could not resolve hostname",
    "connect to host",
    "Connection timed out",
    "Connection refused",
    "Connection closed by",
    "Connection reset",
    "Network is unreachable",
    "No route to host",
    "banner exchange",
    "_exchange_identification",
    "stdio forwarding failed",
];

/// Reads the end of a connection.
pub(super) fn read(host: &str, status: Option<ExitStatus>, words: &str) -> Refusal {
    let failed = |code: ErrorCode, message: String| Failure::new(code, message).with("host", host);
    let fail = |failure: Failure| Refusal::Failed(Box::new(failure));
    let code = status.and_then(|status| status.code());
    let said = words.split_once(COMMAND).map(|(_, said)| said.split_once('\n').map_or("", |(_, after)| after));
    // A connection that another ssh shares with it goes without the announcement.
    if code.is_some_and(|code| code != OWN_FAULT) || code.is_none() && said.is_some() {
        return fail(of_command(host, code, said.unwrap_or(words)));
    }
    let own = |wanted: &[&str]| words.lines().find(|line| wanted.iter().any(|part| line.contains(part)));
    if own(&["REMOTE HOST IDENTIFICATION HAS CHANGED", "REVOKED HOST KEY"]).is_some() {
        return fail(changed(host, words));
    }
    if own(&["key found for host"]).is_some() {
        // Known by a key of another type: somebody in between would show one, too.
        return fail(changed(host, words));
    }
    if own(&["Host key verification failed"]).is_some() {
        return Refusal::UnknownHostKey;
    }
    if let Some(line) = own(&["Permission denied (", "Too many authentication failures"]) {
        return fail(keys_refused(host, line, words));
    }
    let last = spoken(words);
    if own(NOBODY).is_some() {
        return fail(failed(ErrorCode::SourceUnreachable, format!("{host} cannot be reached: {last}")));
    }
    if last.is_empty() {
        return fail(broken_off(host));
    }
    fail(failed(ErrorCode::SshFailed, format!("ssh gave up: {last}")))
}

/// The words of the host's command, when that is what ended.
fn of_command(host: &str, code: Option<i32>, said: &str) -> Failure {
    let text = spoken(said);
    let lower = text.to_ascii_lowercase();
    let (code, what) = if code == Some(127) || lower.contains("command not found") {
        (ErrorCode::SourceNotGit, "has no git")
    } else if NOT_GIVEN.iter().any(|part| lower.contains(part)) {
        (ErrorCode::SourceNotFound, "has no such repository, or this key may not read it")
    } else if text.is_empty() {
        return broken_off(host);
    } else {
        (ErrorCode::SourceNotGit, "does not answer like a Git repository")
    };
    Failure::new(code, format!("{host} {what}: {text}")).with("host", host)
}

/// Another key than the one that is known.
fn changed(host: &str, words: &str) -> Failure {
    let value = |before: &str| words.lines().find_map(|line| line.split_once(before).map(|(_, after)| plain(after)));
    let shown = value("debug1: Server host key: ").unwrap_or_default();
    let known = words
        .lines()
        .find(|line| line.starts_with("Offending "))
        .and_then(|line| line.split_once(" in "))
        .map(|(_, place)| plain(place));
    let message = format!("{host} shows another key than before ({shown})");
    let failure = Failure::new(
        ErrorCode::SshHostKeyChanged,
        match &known {
            Some(place) => format!("{message}; the known one stands in {place}"),
            None => message,
        },
    )
    .with("host", host)
    .with("fingerprint", shown.split(' ').next_back().unwrap_or_default());
    match known {
        Some(place) => failure.with("known_in", place),
        None => failure,
    }
}

/// No key was taken: which were offered, and whether one of them only lacks its passphrase.
fn keys_refused(host: &str, line: &str, words: &str) -> Failure {
    let key = |line: &str, before: &str| line.strip_prefix(before).map(plain);
    let offered: Vec<String> = words.lines().filter_map(|line| key(line, "debug1: Offering public key: ")).collect();
    let accepted = words.lines().filter_map(|line| key(line, "debug1: Server accepts key: ")).next_back();
    if let Some(accepted) = accepted {
        return Failure::new(
            ErrorCode::SshKeyLocked,
            format!("{host} takes the key {accepted}, but it cannot be used without its passphrase"),
        )
        .with("host", host)
        .with("identities", accepted);
    }
    let tried = if offered.is_empty() { "no key was there to offer".to_owned() } else { offered.join("; ") };
    Failure::new(ErrorCode::SshKeyRefused, format!("{}; offered: {tried}", plain(line)))
        .with("host", host)
        .with("identities", offered.join("; "))
}

/// What was said for people, without what the program tells about itself.
fn spoken(words: &str) -> String {
    let for_people = |line: &&str| {
        !line.is_empty()
            && !["debug1:", "OpenSSH_", "Transferred:", "Bytes per second:", "Pseudo-terminal", "Authenticated to "]
                .iter()
                .any(|own| line.starts_with(own))
    };
    let lines: Vec<&str> = words.lines().map(str::trim).filter(for_people).collect();
    plain(&lines[lines.len().saturating_sub(4)..].join(" "))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    fn code(exit: i32, words: &str) -> Option<ErrorCode> {
        match read("h", Some(ExitStatus::from_raw(exit << 8)), words) {
            Refusal::UnknownHostKey => None,
            Refusal::Failed(failure) => Some(failure.code),
        }
    }

    #[test]
    fn what_hosts_and_ssh_say_has_its_code() {
        let sent = |said: &str| format!("Authenticated to h\n{COMMAND} git-upload-pack 'x'\n{said}");
        for (exit, words, expected) in [
            (255, "Host key verification failed.\n".to_owned(), None),
            (
                255,
                "WARNING: RSA key found for host h\nHost key verification failed.\n".to_owned(),
                Some(ErrorCode::SshHostKeyChanged),
            ),
            (255, "@ WARNING: REVOKED HOST KEY DETECTED! @\n".to_owned(), Some(ErrorCode::SshHostKeyChanged)),
            (255, "Received disconnect: Too many authentication failures\n".to_owned(), Some(ErrorCode::SshKeyRefused)),
            (255, "ssh: connect to host h port 22: No route to host\n".to_owned(), Some(ErrorCode::SourceUnreachable)),
            (255, "Unable to negotiate with h: no matching host key type\n".to_owned(), Some(ErrorCode::SshFailed)),
            (1, sent("ERROR: Repository not found.\n"), Some(ErrorCode::SourceNotFound)),
            (1, "ERROR: Repository not found.\n".to_owned(), Some(ErrorCode::SourceNotFound)),
            (127, sent("sh: git-upload-pack: not found\n"), Some(ErrorCode::SourceNotGit)),
            (1, sent("This account is currently not available.\n"), Some(ErrorCode::SourceNotGit)),
            (0, sent(""), Some(ErrorCode::SourceUnreachable)),
            // What the host's command says is no word of ssh.
            (1, sent("Host key verification failed.\n"), Some(ErrorCode::SourceNotGit)),
        ] {
            assert_eq!(code(exit, &words), expected, "{exit} {words}");
        }
    }
}
