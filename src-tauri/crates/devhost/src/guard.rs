//! Who may talk to the listener.

use axum::http::{HeaderMap, header};

/// Why a request is refused before it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The `Host` is not one of ours: a name that was rebound to loopback.
    Host,
    /// A page of another origin asks.
    Origin,
    /// No token, or a wrong one.
    Token,
}

/// What the listener accepts.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    port: u16,
    token: String,
}

impl Guard {
    pub(crate) fn new(port: u16, token: String) -> Self {
        Self { port, token }
    }

    /// Checks where a request comes from; every path needs this.
    pub(crate) fn check_place(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !self.authorities().iter().any(|ours| ours == host) {
            return Err(Refusal::Host);
        }
        match headers.get(header::ORIGIN) {
            None => Ok(()),
            Some(origin) => {
                let origin = origin.to_str().unwrap_or_default();
                let ours = self.authorities().iter().any(|ours| origin.strip_prefix("http://") == Some(ours));
                if ours { Ok(()) } else { Err(Refusal::Origin) }
            }
        }
    }

    /// Checks the bearer token; the api and the events need this.
    pub(crate) fn check_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        if equal_in_constant_time(given.as_bytes(), self.token.as_bytes()) { Ok(()) } else { Err(Refusal::Token) }
    }

    fn authorities(&self) -> [String; 3] {
        ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{}", self.port))
    }
}

/// Compares without telling by its duration where the first difference is.
fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0_u8, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?)))
            .collect()
    }

    #[test]
    fn t17_only_loopback_hosts_and_our_own_origin_are_served() {
        let guard = Guard::new(4000, "t".into());
        type Case = (&'static [(&'static str, &'static str)], Result<(), Refusal>);
        let table: &[Case] = &[
            (&[("host", "127.0.0.1:4000")], Ok(())),
            (&[("host", "localhost:4000")], Ok(())),
            (&[("host", "[::1]:4000")], Ok(())),
            (&[("host", "127.0.0.1:4000"), ("origin", "http://127.0.0.1:4000")], Ok(())),
            (&[], Err(Refusal::Host)),
            (&[("host", "evil.example:4000")], Err(Refusal::Host)),
            (&[("host", "127.0.0.1:4001")], Err(Refusal::Host)),
            (&[("host", "127.0.0.1.evil.example:4000")], Err(Refusal::Host)),
            (&[("host", "127.0.0.1:4000"), ("origin", "https://evil.example")], Err(Refusal::Origin)),
            (&[("host", "127.0.0.1:4000"), ("origin", "null")], Err(Refusal::Origin)),
            (&[("host", "127.0.0.1:4000"), ("origin", "http://127.0.0.1:4000.evil.example")], Err(Refusal::Origin)),
        ];
        for (given, expected) in table {
            assert_eq!(guard.check_place(&headers(given)), *expected, "{given:?}");
        }
    }

    #[test]
    fn t17_the_token_must_be_exact() {
        let guard = Guard::new(4000, "secret-token".into());
        for (given, expected) in [
            (None, Err(Refusal::Token)),
            (Some("Bearer "), Err(Refusal::Token)),
            (Some("Bearer secret-toke"), Err(Refusal::Token)),
            (Some("Bearer secret-token2"), Err(Refusal::Token)),
            (Some("secret-token"), Err(Refusal::Token)),
            (Some("Bearer secret-token"), Ok(())),
        ] {
            let headers = given.map(|value| headers(&[("authorization", value)])).unwrap_or_default();
            assert_eq!(guard.check_token(&headers), expected, "{given:?}");
        }
    }
}
