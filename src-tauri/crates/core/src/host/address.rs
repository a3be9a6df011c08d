//! Which host, and how it is reached.

use crate::network::Proxy;
use crate::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};
use url::Url;

/// What a code host runs. Each has one folder in the hosts crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum HostProvider {
    /// GitHub.com and GitHub Enterprise Server.
    Github,
    /// GitLab.com and self-managed GitLab.
    Gitlab,
    /// Gitee.
    Gitee,
    /// CODING; its service ends on 2028-09-30.
    Coding,
    /// Gitea and Forgejo.
    Gitea,
    /// Bitbucket Cloud.
    Bitbucket,
}

impl HostProvider {
    /// Every provider, in the order in which they are offered.
    pub const ALL: &'static [HostProvider] =
        &[Self::Github, Self::Gitlab, Self::Gitee, Self::Coding, Self::Gitea, Self::Bitbucket];

    /// Returns the provider's text as it stands in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Gitee => "gitee",
            Self::Coding => "coding",
            Self::Gitea => "gitea",
            Self::Bitbucket => "bitbucket",
        }
    }

    /// Returns the provider of a text made by [`Self::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|provider| provider.as_str() == text)
    }

    /// Returns the address of the public service; `None` where everybody runs their own (Gitea, Forgejo).
    #[must_use]
    pub const fn public_base(self) -> Option<&'static str> {
        match self {
            Self::Github => Some("https://github.com"),
            Self::Gitlab => Some("https://gitlab.com"),
            Self::Gitee => Some("https://gitee.com"),
            Self::Coding => Some("https://e.coding.net"),
            Self::Gitea => None,
            Self::Bitbucket => Some("https://bitbucket.org"),
        }
    }
}

/// The address of a host: scheme, host, port and perhaps a path below which it lives (`https://git.example.com/gitea`).
/// Without user information, query, fragment or a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct HostBase(String);

impl HostBase {
    /// Checks and cleans what a person typed; `git.example.com` becomes `https://git.example.com`.
    ///
    /// # Errors
    /// [`ErrorCode::BadCodeLocation`] at field `base_url` with the rule that is broken. Plain HTTP needs the consent
    /// `allow_plain_http`.
    pub fn new(typed: &str, allow_plain_http: bool) -> Result<Self, Failure> {
        let bad = |why: &str| {
            Err(Failure::new(ErrorCode::BadCodeLocation, format!("this address cannot be used: {why}")).at("base_url"))
        };
        let typed = typed.trim();
        if typed.is_empty() {
            return bad("it is empty");
        }
        if typed.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return bad("it holds a space, a backslash or a control character");
        }
        let lower = typed.to_ascii_lowercase();
        if ["%00", "%0a", "%0d"].iter().any(|escaped| lower.contains(escaped)) {
            return bad("it holds an escaped control character");
        }
        let text = if lower.contains("://") { typed.to_owned() } else { format!("https://{typed}") };
        let Ok(mut url) = Url::parse(&text) else { return bad("it is no legal address") };
        match url.scheme() {
            "https" => {}
            "http" if allow_plain_http => {}
            "http" => return bad("plain HTTP needs an explicit consent, a token would be readable on the way"),
            _ => return bad("it does not begin with https://"),
        }
        let authority = text.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or("");
        if authority.contains('@') {
            return bad("a login never travels inside an address");
        }
        if url.host_str().is_none_or(str::is_empty) {
            return bad("it names no host");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return bad("it has a query or a fragment: only the address of the host is needed");
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// Returns the address without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the host with its port when it is not the scheme's own: for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or("")
    }

    /// Returns the path below which the host lives (`/gitea`), empty for none.
    #[must_use]
    pub fn path(&self) -> &str {
        let rest = self.0.split("://").nth(1).unwrap_or("");
        rest.find('/').map_or("", |slash| &rest[slash..])
    }

    /// Returns true when it is plain HTTP.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.0.starts_with("http://")
    }
}

impl std::fmt::Display for HostBase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HostBase {
    /// Takes plain HTTP too: the consent was asked for when the address was first entered.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?, true).map_err(serde::de::Error::custom)
    }
}

/// A host and the way to it.
#[derive(Debug, Clone)]
pub struct HostAddress {
    /// What runs there.
    pub provider: HostProvider,
    /// Where it lives.
    pub base: HostBase,
    /// Certificates of an own authority, PEM; added to the system's.
    pub ca_pem: Option<String>,
    /// Proxy for this host, when one applies.
    pub proxy: Option<Proxy>,
}

/// What answers at an address, found without any login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HostFacts {
    /// The product's name (`GitHub`, `GitHub Enterprise Server`, `Forgejo`, …).
    pub product: String,
    /// Its version, where the host tells strangers.
    pub version: Option<String>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_cleaned() {
        for (typed, plain, expected) in [
            ("github.com", false, "https://github.com"),
            (" https://GitLab.Example.com/ ", false, "https://gitlab.example.com"),
            ("https://git.example.com/gitea/", false, "https://git.example.com/gitea"),
            ("https://git.example.com:8443//", false, "https://git.example.com:8443"),
            ("https://git.example.com:443/a/b", false, "https://git.example.com/a/b"),
            ("http://10.0.0.3:3000", true, "http://10.0.0.3:3000"),
            ("http://[::1]:3000/x/", true, "http://[::1]:3000/x"),
        ] {
            assert_eq!(HostBase::new(typed, plain).unwrap().as_str(), expected, "{typed}");
        }
        let base = HostBase::new("https://git.example.com:8443/a/b", false).unwrap();
        assert_eq!((base.host(), base.path(), base.is_plain_http()), ("git.example.com:8443", "/a/b", false));
    }

    #[test]
    fn t02_addresses_that_hide_something_are_refused() {
        for typed in [
            "",
            "http://git.example.com",
            "ssh://git@git.example.com",
            "https://user:pw@git.example.com",
            "https://@git.example.com",
            "https://git.example.com/?next=https://evil",
            "https://git.example.com/#x",
            "https://git.example.com/%0d%0aHost:evil",
            "https://git.example.com\\@evil",
            "https:// git.example.com",
            "https://",
            "file:///etc/passwd",
        ] {
            let failure = HostBase::new(typed, false).unwrap_err();
            assert_eq!(
                (failure.code, failure.field.as_deref()),
                (ErrorCode::BadCodeLocation, Some("base_url")),
                "{typed}"
            );
        }
    }

    #[test]
    fn providers_have_stable_names() {
        for provider in HostProvider::ALL {
            assert_eq!(HostProvider::parse(provider.as_str()), Some(*provider));
            assert_eq!(serde_json::to_value(provider).unwrap(), provider.as_str());
        }
        assert_eq!(HostProvider::parse("cnb"), None);
    }
}
