//! Who may come in: what a request's head has to be before anything else is read (threat T17). No I/O.

use http::{HeaderMap, Method, Uri, header};
use slipway_core::webhook::WebhookRefusal;
use slipway_core::{ErrorCode, Failure};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use url::Url;

/// Below this stand the webhooks, each under a path of its own.
const HOOKS: &str = "/hooks/";
/// Hex digits of a webhook's path.
const PATH_LENGTH: usize = 32;

/// What the listener takes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Door {
    /// `Host` of the public address, with and without its port where that is the scheme's own.
    public: Vec<String>,
    /// The path below which the public address lies; something in front may keep it or take it away.
    prefix: String,
}

impl Door {
    /// Makes the door of a listener.
    pub(crate) fn new(public_url: Option<&str>) -> Self {
        let Some(url) = public_url.and_then(|url| Url::parse(url).ok()) else { return Self::default() };
        let host = url.host_str().unwrap_or_default().to_owned();
        let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
        let plain = url.port().is_none().then_some(host);
        Self {
            public: with_port.into_iter().chain(plain).collect(),
            prefix: url.path().trim_end_matches('/').to_owned(),
        }
    }

    /// Checks a typed public address and returns it without a slash at its end.
    pub(super) fn public_url(typed: &str) -> Result<String, Failure> {
        let bad = |why: &str| Failure::new(ErrorCode::InvalidField, why.to_owned()).at("public_url");
        let url = Url::parse(typed).map_err(|error| bad(&format!("the address cannot be read: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(bad("the address begins with https:// or http:// and names a host"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(bad("the address has no login, no query and no fragment"));
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }

    /// Returns the address of a webhook below what hosts reach.
    pub(super) fn address_of(reached_at: &str, path: &str) -> String {
        format!("{reached_at}{HOOKS}{path}")
    }

    /// Checks the head of a request that came in at `local`; returns the path of the webhook that it names.
    pub(crate) fn check<'a>(
        &self,
        local: SocketAddr,
        method: &Method,
        uri: &'a Uri,
        headers: &HeaderMap,
    ) -> Result<&'a str, WebhookRefusal> {
        if !self.knows_host(local, headers) {
            return Err(WebhookRefusal::Host);
        }
        if headers.contains_key(header::ORIGIN) {
            return Err(WebhookRefusal::Origin);
        }
        if method != Method::POST {
            return Err(WebhookRefusal::Method);
        }
        let path = uri.path();
        let below = path.strip_prefix(&self.prefix).and_then(|rest| rest.strip_prefix(HOOKS));
        let path = below.or_else(|| path.strip_prefix(HOOKS)).ok_or(WebhookRefusal::Path)?;
        if path.len() != PATH_LENGTH || uri.query().is_some() {
            return Err(WebhookRefusal::Path);
        }
        if !is_json(headers) {
            return Err(WebhookRefusal::ContentType);
        }
        Ok(path)
    }

    /// An address as a number cannot be rebound by anybody's name server; of names only ours are taken.
    fn knows_host(&self, local: SocketAddr, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else { return false };
        let port = local.port();
        let own = [
            SocketAddr::new(local.ip().to_canonical(), port).to_string(),
            SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string(),
            SocketAddr::from((Ipv6Addr::LOCALHOST, port)).to_string(),
            format!("localhost:{port}"),
        ];
        own.iter().chain(&self.public).any(|known| known.eq_ignore_ascii_case(host))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PATH: &str = "0123456789abcdef0123456789abcdef";

    fn check(door: &Door, local: &str, request: &str, headers: &[(&str, &str)]) -> Result<String, WebhookRefusal> {
        let (method, uri) = request.split_once(' ').unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        let uri = uri.parse().unwrap();
        door.check(local.parse().unwrap(), &method.parse().unwrap(), &uri, &headers).map(str::to_owned)
    }

    #[test]
    fn t17_only_own_addresses_and_the_public_one_are_served() {
        let json = ("content-type", "application/json");
        let request = format!("POST /hooks/{PATH}");
        let public = Door::new(Some("https://hooks.example.com/slipway"));
        for (door, local, host, taken) in [
            (&Door::default(), "127.0.0.1:4000", "127.0.0.1:4000", true),
            (&Door::default(), "127.0.0.1:4000", "localhost:4000", true),
            (&Door::default(), "[::1]:4000", "[::1]:4000", true),
            (&Door::default(), "192.168.1.5:4000", "192.168.1.5:4000", true),
            (&Door::default(), "[::ffff:192.168.1.5]:4000", "192.168.1.5:4000", true),
            (&Door::default(), "127.0.0.1:4000", "127.0.0.1", false),
            (&Door::default(), "127.0.0.1:4000", "127.0.0.1:4001", false),
            (&Door::default(), "127.0.0.1:4000", "evil.example:4000", false),
            (&Door::default(), "127.0.0.1:4000", "127.0.0.1.evil.example:4000", false),
            (&Door::default(), "192.168.1.5:4000", "192.168.1.6:4000", false),
            (&Door::default(), "127.0.0.1:4000", "hooks.example.com", false),
            (&public, "127.0.0.1:4000", "hooks.example.com", true),
            (&public, "127.0.0.1:4000", "Hooks.Example.com:443", true),
            (&public, "127.0.0.1:4000", "hooks.example.com:8443", false),
            (&public, "127.0.0.1:4000", "hooks.example.com.evil.example", false),
            (&public, "127.0.0.1:4000", "127.0.0.1:4000", true),
        ] {
            let found = check(door, local, &request, &[("host", host), json]);
            let expected = if taken { Ok(PATH.to_owned()) } else { Err(WebhookRefusal::Host) };
            assert_eq!(found, expected, "{local} {host}");
        }
        let two = [("host", "127.0.0.1:4000"), ("host", "evil.example"), json];
        assert_eq!(check(&Door::default(), "127.0.0.1:4000", &request, &two), Err(WebhookRefusal::Host));
        assert_eq!(check(&Door::default(), "127.0.0.1:4000", &request, &[json]), Err(WebhookRefusal::Host));
    }

    #[test]
    fn t17_only_posts_of_json_to_a_webhooks_path_come_in() {
        let door = Door::new(Some("https://hooks.example.com/slipway"));
        let host = ("host", "127.0.0.1:4000");
        let json = ("content-type", "application/json; charset=utf-8");
        for (request, headers, expected) in [
            (format!("POST /hooks/{PATH}"), vec![host, json], Ok(PATH.to_owned())),
            (format!("POST /slipway/hooks/{PATH}"), vec![host, json], Ok(PATH.to_owned())),
            (format!("GET /hooks/{PATH}"), vec![host, json], Err(WebhookRefusal::Method)),
            (format!("OPTIONS /hooks/{PATH}"), vec![host, json], Err(WebhookRefusal::Method)),
            (format!("PUT /hooks/{PATH}"), vec![host, json], Err(WebhookRefusal::Method)),
            ("POST /".to_owned(), vec![host, json], Err(WebhookRefusal::Path)),
            ("POST /hooks/".to_owned(), vec![host, json], Err(WebhookRefusal::Path)),
            (format!("POST /hooks/{PATH}/"), vec![host, json], Err(WebhookRefusal::Path)),
            (format!("POST /hooks/{PATH}?x=1"), vec![host, json], Err(WebhookRefusal::Path)),
            (format!("POST /other/hooks/{PATH}"), vec![host, json], Err(WebhookRefusal::Path)),
            (format!("POST /hooks/{PATH}"), vec![host], Err(WebhookRefusal::ContentType)),
            (
                format!("POST /hooks/{PATH}"),
                vec![host, ("content-type", "text/plain")],
                Err(WebhookRefusal::ContentType),
            ),
            (
                format!("POST /hooks/{PATH}"),
                vec![host, json, ("origin", "https://evil.example")],
                Err(WebhookRefusal::Origin),
            ),
            (format!("POST /hooks/{PATH}"), vec![host, json, ("origin", "null")], Err(WebhookRefusal::Origin)),
        ] {
            assert_eq!(check(&door, "127.0.0.1:4000", &request, &headers), expected, "{request} {headers:?}");
        }
    }

    #[test]
    fn public_addresses_are_cleaned_or_refused() {
        for (typed, expected) in [
            ("https://hooks.example.com/", "https://hooks.example.com"),
            ("http://192.168.1.5:4000", "http://192.168.1.5:4000"),
            ("https://example.com/slipway/", "https://example.com/slipway"),
        ] {
            assert_eq!(Door::public_url(typed).unwrap(), expected);
        }
        for typed in ["hooks.example.com", "ftp://x", "https://u:p@x", "https://x/?a=b", "https://x/#a", "https://"] {
            let failure = Door::public_url(typed).unwrap_err();
            assert_eq!(
                (failure.code, failure.field.as_deref()),
                (ErrorCode::InvalidField, Some("public_url")),
                "{typed}"
            );
        }
    }
}
