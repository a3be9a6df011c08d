//! Addresses of code over SSH, as Git writes them.

use crate::{ErrorCode, Failure};

/// `ssh://[user@]host[:port]/path` or `[user@]host:path`. Every part is safe as one argument of the `ssh` program: none begins
/// with a dash, and user and host hold nothing that a shell or an expansion of the user's configuration would read
/// (CVE-2017-1000117, CVE-2023-51385).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshAddress {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    path: String,
}

impl SshAddress {
    /// Returns true for an address that means SSH, whether it can be used or not.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        match text.split_once("://") {
            Some((scheme, _)) => ["ssh", "git+ssh", "ssh+git"].iter().any(|one| scheme.eq_ignore_ascii_case(one)),
            // `[user@]host:path`: a colon before any slash, and no helper's `name::address`.
            None => {
                let head = text.split('/').next().unwrap_or("");
                head.contains(':') && !is_helper(text) && !is_drive(text)
            }
        }
    }

    /// Checks an address.
    ///
    /// # Errors
    /// [`ErrorCode::BadCodeLocation`] at `url` with the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        Self::read(text).map_err(|why| {
            Failure::new(ErrorCode::BadCodeLocation, format!("this SSH address cannot be used: {why}")).at("url")
        })
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err("it holds a space, a backslash or a control character");
        }
        if !Self::is_meant(text) {
            return Err("it is neither ssh://host/path nor user@host:path");
        }
        let (user, host, port, path) = match text.split_once("://") {
            Some((_, rest)) => {
                let (authority, path) = rest.split_once('/').ok_or("it names no repository")?;
                let (user, place) = split_user(authority);
                let (host, port) = match place.strip_prefix('[') {
                    Some(rest) => rest.split_once(']').ok_or("a bracket is not closed")?,
                    None => place.split_at(place.find(':').unwrap_or(place.len())),
                };
                let port = port.strip_prefix(':').or(port.is_empty().then_some("")).ok_or("the port cannot be read")?;
                // As Git does: a home folder stands without the slash.
                let path = if path.starts_with('~') { path.to_owned() } else { format!("/{path}") };
                (user, host, port, decoded(&path)?)
            }
            None => {
                // A bracket keeps a port, or the colons of an address, together.
                let (head, path) = match text.find("]:") {
                    Some(end) if text.contains('[') => (&text[..=end], &text[end + 2..]),
                    _ => text.split_once(':').ok_or("it names no repository")?,
                };
                let (user, place) = split_user(head);
                let inside = place.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(place);
                let (host, port) = match inside.split_once(':') {
                    Some((host, port)) if !port.contains(':') => (host, port),
                    _ => (inside, ""),
                };
                (user, host, port, path.to_owned())
            }
        };
        check_user(user)?;
        check_host(host)?;
        let port = match port {
            "" => None,
            digits => {
                Some(digits.parse().ok().filter(|port| *port != 0).ok_or("the port is no number from 1 to 65535")?)
            }
        };
        if path.trim_matches('/').is_empty() {
            return Err("it names no repository");
        }
        if path.starts_with('-') {
            return Err("the path begins with a dash and could be read as an option");
        }
        Ok(Self { user: user.map(str::to_owned), host: host.to_owned(), port, path })
    }

    /// Returns the user name that the address gives.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns the host, which may be an alias of the user's SSH configuration.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port that the address gives.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Returns the path at the host: absolute, or relative to the user's home there.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns true when both lie at one host and port.
    #[must_use]
    pub fn same_host(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(&other.host) && self.port == other.port
    }
}

/// `name::address`, which Git would give to a program of that name.
fn is_helper(text: &str) -> bool {
    text.split_once("::").is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// `c:/folder`.
fn is_drive(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':'
}

fn split_user(text: &str) -> (Option<&str>, &str) {
    text.rsplit_once('@').map_or((None, text), |(user, place)| (Some(user), place))
}

fn check_user(user: Option<&str>) -> Result<(), &'static str> {
    let Some(user) = user else { return Ok(()) };
    if user.contains(':') {
        return Err("a password never travels inside an address; SSH uses your keys");
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || "._+-@".contains(c);
    if user.is_empty() || user.starts_with('-') || !user.chars().all(legal) {
        return Err("the user name holds a character that is not allowed");
    }
    Ok(())
}

fn check_host(host: &str) -> Result<(), &'static str> {
    let name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let number = |c: char| c.is_ascii_hexdigit() || ":.".contains(c);
    if host.is_empty() {
        return Err("it names no host");
    }
    if host.starts_with('-') || !(host.chars().all(name) || host.contains(':') && host.chars().all(number)) {
        return Err("the host holds a character that is not allowed");
    }
    Ok(())
}

/// Takes the percent signs out of a path.
fn decoded(path: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err("a percent sign is not followed by two digits");
        };
        bytes.push((high * 16 + low) as u8);
    }
    let text = String::from_utf8(bytes).map_err(|_| "the path is not UTF-8")?;
    if text.chars().any(char::is_control) {
        return Err("it holds an escaped control character");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn both_forms_name_user_host_port_and_path() {
        for (text, user, host, port, path) in [
            ("git@host:team/app.git", Some("git"), "host", None, "team/app.git"),
            ("work:app.git", None, "work", None, "app.git"),
            ("git@host:/srv/app.git", Some("git"), "host", None, "/srv/app.git"),
            ("git@[host:2222]:app.git", Some("git"), "host", Some(2222), "app.git"),
            ("git@[::1]:app.git", Some("git"), "::1", None, "app.git"),
            ("me@corp.example@host:app", Some("me@corp.example"), "host", None, "app"),
            ("ssh://git@host/team/app.git", Some("git"), "host", None, "/team/app.git"),
            ("SSH://host:2222/app", None, "host", Some(2222), "/app"),
            ("ssh://git@[::1]:22/app", Some("git"), "::1", Some(22), "/app"),
            ("ssh://host/~ann/app", None, "host", None, "~ann/app"),
            ("ssh://host/a%20b", None, "host", None, "/a b"),
            ("git+ssh://host/app", None, "host", None, "/app"),
        ] {
            let address = SshAddress::parse(text).unwrap();
            let parts = (address.user(), address.host(), address.port(), address.path());
            assert_eq!(parts, (user, host, port, path), "{text}");
        }
    }

    #[test]
    fn t12_t30_addresses_that_would_be_read_as_something_else_are_refused() {
        for text in [
            "ssh://-oProxyCommand=id/x",
            "-oProxyCommand=id:x",
            "ssh://-l@host/x",
            "git@host:-x",
            "ext::sh -c id",
            "ext::id",
            "fd::17",
            "c:/srv/x",
            "file:///etc",
            "https://host/x",
            "/srv/x",
            "../x",
            "app.git",
            "ssh://host",
            "ssh://host/",
            "git@host:",
            "ssh://git:word@host/x",
            "ssh://`id`@host/x",
            "ssh://a;id@host/x",
            "ssh://$(id)/x",
            "ssh://ho%73t/x",
            "ssh://host/x%0a",
            "ssh://host/x%zz",
            "ssh://host:0/x",
            "ssh://host:99999/x",
            "ssh://host:abc/x",
            "git@ho st:x",
            "git@host:x\ny",
            "ssh://[::1/x",
            "@host:x",
            "",
        ] {
            assert!(SshAddress::parse(text).is_err(), "{text:?} {:?}", SshAddress::parse(text));
        }
    }

    #[test]
    fn one_host_is_name_and_port() {
        let one = |text| SshAddress::parse(text).unwrap();
        assert!(one("git@host:a").same_host(&one("ssh://other@HOST/b")));
        assert!(!one("git@host:a").same_host(&one("ssh://git@host:2222/b")));
        assert!(!one("git@host:a").same_host(&one("git@host.evil:b")));
    }
}
