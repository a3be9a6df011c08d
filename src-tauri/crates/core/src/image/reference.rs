//! The image reference grammar (`reference/registries.md` section 6).

use crate::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// [`ErrorCode::BadImageReference`] with the rule that is broken.
            pub fn new(text: impl Into<String>) -> Result<Self, Failure> {
                let text = text.into();
                match $check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(why) => Err(Failure::new(ErrorCode::BadImageReference, format!("{text:?}: {why}")).with("value", text)),
                }
            }

            /// Returns the text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(Failure::into_de_error)
            }
        }
    };
}

checked_text! {
    /// A registry host with optional port. Docker Hub is `docker.io`.
    RegistryHost, check_host
}
checked_text! {
    /// A repository's path inside a registry (`team/app`), at most 255 characters.
    RepositoryName, check_repository_name
}
checked_text! {
    /// A tag, at most 128 characters.
    Tag, check_tag
}
checked_text! {
    /// A digest (`sha256:…`).
    Digest, check_digest
}

fn check_host(text: &str) -> Result<(), &'static str> {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, tail) = rest.split_once(']').ok_or("the bracket of the IPv6 address is not closed")?;
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return Err("the part in brackets is no IPv6 address");
            }
            (
                None,
                if tail.is_empty() {
                    None
                } else {
                    Some(tail.strip_prefix(':').ok_or("only a port can follow the IPv6 address")?)
                },
            )
        }
        None => match text.split_once(':') {
            Some((name, port)) => (Some(name), Some(port)),
            None => (Some(text), None),
        },
    };
    if let Some(name) = name {
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.is_empty() || name.len() > 253 || !name.split('.').all(label) {
            return Err("a host has letters, digits, inner hyphens and dots");
        }
    }
    if let Some(port) = port {
        let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        if !digits || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err("the port is not between 1 and 65535");
        }
    }
    Ok(())
}

fn check_repository_name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > 255 {
        return Err("it is longer than 255 characters");
    }
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("64 hex digits are read as an image id");
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err("repository names are lowercase");
    }
    text.split('/')
        .all(is_path_component)
        .then_some(())
        .ok_or("each part has lowercase letters and digits, separated by one '.', one or two '_', or hyphens")
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_component(part: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if !is_word(*first) || !is_word(*last) {
        return false;
    }
    bytes
        .split(|b| is_word(*b))
        .all(|separator| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-'))
}

fn check_tag(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > 128 {
        return Err("a tag has at most 128 characters");
    }
    if text.starts_with(['.', '-']) {
        return Err("a tag begins with a letter, a digit or '_'");
    }
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
        Ok(())
    } else {
        Err("a tag has letters, digits, '_', '.' and '-'")
    }
}

fn check_digest(text: &str) -> Result<(), &'static str> {
    let (algorithm, hex) = text.split_once(':').ok_or("a digest is algorithm:hex")?;
    let legal_algorithm = algorithm.split(['-', '_', '+', '.']).all(|part| {
        part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    if !legal_algorithm {
        return Err("the digest's algorithm is not legal");
    }
    if hex.len() < 32 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) || (algorithm == "sha256" && hex.len() != 64) {
        return Err("the digest's hex part has the wrong length or characters");
    }
    Ok(())
}

/// A complete image name, normalised: `docker.io/library/ubuntu:latest`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageReference {
    /// The registry.
    pub host: RegistryHost,
    /// The path.
    pub name: RepositoryName,
    /// The tag; `latest` when neither tag nor digest was given.
    pub tag: Option<Tag>,
    /// The digest, which wins over the tag.
    pub digest: Option<Digest>,
}

impl ImageReference {
    /// Parses and normalises what stands after `FROM` or on a command line.
    ///
    /// # Errors
    /// [`ErrorCode::BadImageReference`] with the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let bad =
            |why: &str| Failure::new(ErrorCode::BadImageReference, format!("{text:?}: {why}")).with("value", text);
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(Digest::new(digest)?)),
            None => (text, None),
        };
        let (path, tag) = match rest.rfind(':') {
            Some(colon) if !rest[colon..].contains('/') => (&rest[..colon], Some(Tag::new(&rest[colon + 1..])?)),
            _ => (rest, None),
        };
        if path.len() == 64 && path.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad("64 hex digits are read as an image id"));
        }
        let is_domain = |part: &str| {
            part == "localhost" || part.contains(['.', ':']) || part.bytes().any(|b| b.is_ascii_uppercase())
        };
        let (host, name) = match path.split_once('/') {
            Some((first, remainder)) if is_domain(first) => (first, remainder.to_owned()),
            _ => ("docker.io", path.to_owned()),
        };
        let host = if host == "index.docker.io" { "docker.io" } else { host };
        let name = if host == "docker.io" && !name.contains('/') { format!("library/{name}") } else { name };
        let tag = if tag.is_none() && digest.is_none() { Some(Tag::new("latest")?) } else { tag };
        Ok(Self { host: RegistryHost::new(host)?, name: RepositoryName::new(name)?, tag, digest })
    }

    /// Returns `host/name`, without tag and digest.
    #[must_use]
    pub fn repository(&self) -> String {
        format!("{}/{}", self.host, self.name)
    }
}

impl std::fmt::Display for ImageReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.host, self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}
