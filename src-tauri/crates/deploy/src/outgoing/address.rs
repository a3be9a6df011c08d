//! Where a call goes, and whether it may go there (T19): the name is looked up, what was found is checked, and the
//! connection goes to what was checked. A name that changes its address in between leads nowhere.

use futures::future::BoxFuture;
use slipway_core::{ErrorCode, Failure};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// Looks a name up.
pub type Resolve = Arc<dyn Fn(String, u16) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Looks names up as the system does.
#[must_use]
pub fn system_resolver() -> Resolve {
    Arc::new(|host, port| {
        Box::pin(async move { tokio::net::lookup_host((host.as_str(), port)).await.map(Iterator::collect) })
    })
}

/// A checked address.
pub(crate) struct Destination {
    pub(super) url: Url,
    allow_private: bool,
    carries_secret: bool,
}

/// What a look at the address came to.
#[derive(Debug)]
pub(crate) enum Checked {
    /// Connect to one of these, and to nothing else.
    Addresses(Vec<SocketAddr>),
    /// It is not called.
    NotCalled(NotCalled),
    /// The name is not known now.
    Unknown(String),
}

/// Why an address is not called. What a name leads to may be different a moment later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotCalled {
    /// It is in a private network, and no person allowed that.
    NeedsConsent,
    /// It is public, and a secret would go there in clear text.
    ClearText,
    /// It is link-local, or belongs to nobody.
    Never,
}

impl Destination {
    /// Checks what was typed. `carries_secret`: the address itself, or what goes along, is a secret.
    pub(crate) fn new(url: &str, allow_private: bool, carries_secret: bool) -> Result<Self, Failure> {
        let bad = |why: &str| Failure::new(ErrorCode::InvalidField, why).at("url");
        let url = Url::parse(url).map_err(|_| bad("this is no address"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(bad("a webhook's address begins with https:// or http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("a login does not belong into the address: give it as a header"));
        }
        Ok(Self { url, allow_private, carries_secret })
    }

    /// Whether what it leads to has to be looked up.
    pub(super) fn is_name(&self) -> bool {
        matches!(self.url.host(), Some(Host::Domain(_)))
    }

    /// The host, for people: the rest of the address may hold a secret.
    pub(crate) fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// Looks the address up and checks all of what was found.
    pub(crate) async fn check(&self, resolve: &Resolve, deadline: Duration) -> Result<Checked, Failure> {
        let port = self.port();
        let found = match self.url.host() {
            Some(Host::Ipv4(address)) => vec![SocketAddr::from((address, port))],
            Some(Host::Ipv6(address)) => vec![SocketAddr::from((address, port))],
            Some(Host::Domain(name)) => match tokio::time::timeout(deadline, resolve(name.to_owned(), port)).await {
                Ok(Ok(found)) if !found.is_empty() => found,
                Ok(Ok(_)) => return Ok(Checked::Unknown("the name has no address".to_owned())),
                Ok(Err(error)) => return Ok(Checked::Unknown(error.to_string())),
                Err(_) => return Ok(Checked::Unknown("the name could not be looked up in time".to_owned())),
            },
            None => return Err(Failure::internal("a checked address has a host")),
        };
        Ok(match self.not_called(&found) {
            Some(why) => Checked::NotCalled(why),
            None => Checked::Addresses(found),
        })
    }

    /// Returns what speaks against these addresses: one among them is enough.
    fn not_called(&self, found: &[SocketAddr]) -> Option<NotCalled> {
        let any = |wanted: Reach| found.iter().any(|address| reach(address.ip()) == wanted);
        if any(Reach::Never) {
            Some(NotCalled::Never)
        } else if any(Reach::Private) && !self.allow_private {
            Some(NotCalled::NeedsConsent)
        } else if any(Reach::Public) && self.carries_secret && self.url.scheme() == "http" {
            Some(NotCalled::ClearText)
        } else {
            None
        }
    }
}

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The internet.
    Public,
    /// This machine or its network: with consent.
    Private,
    /// Link-local (clouds keep the machine's credentials there), or nobody: never.
    Never,
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        // Alibaba Cloud answers with the machine's credentials here.
        [0, ..] | [169, 254, ..] | [224..=255, ..] | [100, 100, 100, 200] => Reach::Never,
        [10 | 127, ..] | [192, 168, ..] | [172, 16..=31, ..] => Reach::Private,
        // Carriers' networks, protocol assignments, benchmarks.
        [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18 | 19, ..] => Reach::Private,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    let parts = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        reach_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        // Mapped, translated (NAT64) and compatible forms, and 6to4, are ways to write an IPv4 address.
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            v4(high, low)
        }
        // Amazon answers with the machine's credentials here.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Reach::Never,
        [first, ..] => match first >> 8 {
            0xfc | 0xfd => Reach::Private,
            0xfe if first & 0xc0 == 0x80 => Reach::Never,
            0xfe => Reach::Private,
            0xff => Reach::Never,
            _ => Reach::Public,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn t19_how_far_an_address_reaches() {
        for (address, expected) in [
            ("93.184.216.34", Reach::Public),
            ("172.32.0.1", Reach::Public),
            ("2606:4700::1111", Reach::Public),
            ("::ffff:8.8.8.8", Reach::Public),
            ("127.0.0.1", Reach::Private),
            ("127.8.9.1", Reach::Private),
            ("10.1.2.3", Reach::Private),
            ("172.16.0.1", Reach::Private),
            ("192.168.1.1", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("::1", Reach::Private),
            ("::ffff:127.0.0.1", Reach::Private),
            ("::127.0.0.1", Reach::Private),
            ("64:ff9b::a00:1", Reach::Private),
            ("2002:7f00:1::", Reach::Private),
            ("fd12::1", Reach::Private),
            ("fec0::1", Reach::Private),
            ("169.254.169.254", Reach::Never),
            ("::ffff:169.254.169.254", Reach::Never),
            ("100.100.100.200", Reach::Never),
            ("fd00:ec2::254", Reach::Never),
            ("fe80::1", Reach::Never),
            ("0.0.0.0", Reach::Never),
            ("::", Reach::Never),
            ("255.255.255.255", Reach::Never),
            ("224.0.0.1", Reach::Never),
            ("ff02::1", Reach::Never),
        ] {
            assert_eq!(reach(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[tokio::test]
    async fn t19_other_ways_to_write_an_address_are_the_same_address() {
        let resolve: Resolve = Arc::new(|_, _| panic!("an address is not looked up"));
        for url in ["http://2130706433/", "http://0x7f.1/", "http://127.1:8080/", "http://[::ffff:127.0.0.1]/"] {
            let destination = Destination::new(url, false, true).unwrap();
            let checked = destination.check(&resolve, Duration::from_secs(1)).await.unwrap();
            assert!(matches!(checked, Checked::NotCalled(NotCalled::NeedsConsent)), "{url}");
        }
    }

    #[test]
    fn t19_one_address_among_those_of_a_name_is_enough_to_leave_it_alone() {
        let (public, private, never) = ("203.0.113.1:80", "10.0.0.1:80", "169.254.169.254:80");
        // Address, consent, a secret goes along, what was found, what speaks against it.
        for (url, allow_private, carries_secret, found, expected) in [
            ("http://a.example", false, false, vec![public], None),
            ("http://a.example", false, true, vec![public], Some(NotCalled::ClearText)),
            ("https://a.example", false, true, vec![public], None),
            ("http://a.example", true, true, vec![private], None),
            ("http://a.example", true, true, vec![private, public], Some(NotCalled::ClearText)),
            ("https://a.example", true, true, vec![private, public], None),
            ("https://a.example", false, true, vec![public, private], Some(NotCalled::NeedsConsent)),
            ("https://a.example", true, true, vec![private, public, never], Some(NotCalled::Never)),
        ] {
            let found: Vec<SocketAddr> = found.iter().map(|address| address.parse().unwrap()).collect();
            let destination = Destination::new(url, allow_private, carries_secret).unwrap();
            assert_eq!(destination.not_called(&found), expected, "{url} {allow_private} {carries_secret} {found:?}");
        }
    }

    #[test]
    fn t19_only_addresses_of_the_web_without_a_login() {
        for url in ["ftp://a.example/", "file:///etc/passwd", "https://ann:secret@a.example/", "//a.example", ""] {
            let failure = Destination::new(url, true, false).map(|_| ()).unwrap_err();
            assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::InvalidField, Some("url")), "{url}");
            assert!(!failure.message.contains("secret"));
        }
    }
}
