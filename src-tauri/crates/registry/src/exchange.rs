//! One request and its answer: authorization, redirects, caps and the deadline (`reference/registries.md` section 1.1).
//!
//! What binds a login to its host (threat T02): the password goes to the registry itself (Basic) or to the realm that the
//! registry itself names over https; a token goes to the registry's origin only. Once a redirect leaves that origin the
//! request carries no authorization for the rest of its way, and challenges from elsewhere are not answered.

use crate::challenge::{Challenge, parse_challenges};
use crate::client::{Clients, base_url};
use crate::errors::{About, answer_failure, is_html, not_a_registry, plain_text, transport_failure};
use crate::token::{Authorization, TokenCache, TokenKey};
use base64::Engine as _;
use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::{Client, Response, Url};
use slipway_core::image::{RegistryAccess, RegistryLogin};
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use std::time::Duration;

const MOST_REDIRECTS: usize = 5;
const MOST_ERROR_BYTES: u64 = 64 * 1024;
const MOST_TOKEN_BYTES: u64 = 1024 * 1024;
/// Names the product at token servers; needs no registration.
const CLIENT_ID: &str = "slipway";

/// A request to make.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The method. Only GET and HEAD follow redirects.
    pub(crate) method: Method,
    /// Where to, on the registry's own origin.
    pub(crate) url: Url,
    /// The right that is needed (`repository:team/app:pull`), empty for none.
    pub(crate) scope: String,
    /// The `Accept` header.
    pub(crate) accept: Option<&'static str>,
    /// Content type and body.
    pub(crate) body: Option<(String, Bytes)>,
    /// Most bytes of a successful answer.
    pub(crate) limit: u64,
    /// The code of a 404 that says nothing more.
    pub(crate) not_found: ErrorCode,
}

impl Call {
    /// A request without body, with a limit for small answers.
    pub(crate) fn new(method: Method, url: Url, scope: String) -> Self {
        Self {
            method,
            url,
            scope,
            accept: None,
            body: None,
            limit: MOST_ERROR_BYTES,
            not_found: ErrorCode::ManifestUnknown,
        }
    }
}

/// A complete answer, of whatever status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// True when the token server took the login before this answer.
    pub(crate) login_accepted: bool,
}

impl Answer {
    /// Returns a header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A registry with everything needed to talk to it during one port call.
pub(crate) struct Exchange<'a> {
    pub(crate) access: &'a RegistryAccess,
    pub(crate) base: Url,
    client: Client,
    tokens: &'a TokenCache,
    deadline: Duration,
}

/// How far a request came without authorization being lost on the way.
struct Followed {
    response: Response,
    at_home: bool,
}

/// What answering a challenge gave.
enum Answered {
    /// Try again with this.
    With { header: HeaderValue, login_accepted: bool },
    /// There is nothing (more) to answer with.
    Nothing,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        access: &'a RegistryAccess,
        clients: &Clients,
        tokens: &'a TokenCache,
        deadlines: &Deadlines,
    ) -> Result<Self, Failure> {
        Ok(Self {
            access,
            base: base_url(access)?,
            client: clients.get(access, deadlines.request)?,
            tokens,
            deadline: deadlines.request,
        })
    }

    /// Returns the address of a path below `/v2/`. Names and references have no character that needs escaping.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Failure> {
        self.base.join(path).map_err(Failure::internal)
    }

    /// Sends a request and reads the whole answer, within the request deadline. Every status is an answer.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        self.within(self.authorized(call)).await
    }

    /// Like [`Self::send`]; a status other than success becomes its failure.
    pub(crate) async fn send_ok(&self, call: &Call) -> Result<Answer, Failure> {
        let answer = self.send(call).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.failure(call, &answer)) }
    }

    /// Makes the failure of an answer.
    pub(crate) fn failure(&self, call: &Call, answer: &Answer) -> Failure {
        let about = About {
            host: self.host(),
            method: &call.method,
            not_found: call.not_found,
            login_accepted: answer.login_accepted,
        };
        answer_failure(about, answer.status, &answer.headers, &answer.body)
    }

    pub(crate) fn host(&self) -> &str {
        self.access.host.as_str()
    }

    /// Sends a request to the registry's own interface beside `/v2/`, which gives no challenge: with a user's password at once
    /// when `login` says so. No redirect is followed.
    pub(crate) async fn send_plain(&self, call: &Call, login: bool) -> Result<Answer, Failure> {
        let authorization = match &self.access.login {
            RegistryLogin::Basic { username, password } if login => Some(basic_header(username, password.expose())?),
            _ => None,
        };
        self.within(async {
            let response = self.request(call, &call.url, authorization.as_ref()).await?;
            self.read(response, call, false).await
        })
        .await
    }

    /// Sends the probe `GET /v2/` without any authorization and without following a redirect.
    pub(crate) async fn probe(&self) -> Result<Answer, Failure> {
        let call = Call::new(Method::GET, self.base.clone(), String::new());
        self.within(async {
            let response = self.request(&call, &call.url, None).await?;
            self.read(response, &call, false).await
        })
        .await
    }

    /// Answers the challenges of the probe and proves the login: the token server takes it, or `/v2/` does.
    pub(crate) async fn login(&self, challenged: &Answer) -> Result<(), Failure> {
        let call = Call::new(Method::GET, self.base.clone(), String::new());
        self.within(async {
            let Answered::With { header, login_accepted } =
                self.answer_challenges(&challenged.headers, "", None).await?
            else {
                return Err(self.failure(&call, challenged));
            };
            let response = self.request(&call, &call.url, Some(&header)).await?;
            let answer = self.read(response, &call, login_accepted).await?;
            // Some registries give no `/v2/` to a token without scope; the token server has spoken then.
            let proven = answer.status.is_success() || (login_accepted && answer.status == StatusCode::UNAUTHORIZED);
            if proven { Ok(()) } else { Err(self.failure(&call, &answer)) }
        })
        .await
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::time::timeout(self.deadline, work).await.unwrap_or_else(|_| {
            Err(Failure::new(ErrorCode::TimedOut, format!("{} did not answer in time", self.host()))
                .with("host", self.host())
                .with("seconds", self.deadline.as_secs().to_string()))
        })
    }

    /// Sends with the cached authorization; on a 401 gets a fresh one once, then gives up.
    async fn authorized(&self, call: &Call) -> Result<Answer, Failure> {
        let slot = self.tokens.slot(TokenKey::new(self.host(), &self.access.login, &call.scope));
        let cached = slot.lock().await.as_ref().filter(|known| known.is_fresh()).map(|known| known.header.clone());
        let first = self.follow(call, cached.as_ref()).await?;
        if first.response.status() != StatusCode::UNAUTHORIZED || !first.at_home {
            return self.read(first.response, call, false).await;
        }
        let answered = self.answer_challenges(first.response.headers(), &call.scope, cached.as_ref()).await?;
        let Answered::With { header, login_accepted } = answered else {
            return self.read(first.response, call, false).await;
        };
        drop(first);
        let second = self.follow(call, Some(&header)).await?;
        if second.response.status() == StatusCode::UNAUTHORIZED && second.at_home {
            *slot.lock().await = None;
        }
        self.read(second.response, call, login_accepted).await
    }

    /// Follows redirects of reads. Authorization ends where the registry's origin ends, and never comes back.
    async fn follow(&self, call: &Call, authorization: Option<&HeaderValue>) -> Result<Followed, Failure> {
        let mut url = call.url.clone();
        let mut at_home = same_origin(&url, &self.base);
        for _ in 0..=MOST_REDIRECTS {
            let response = self.request(call, &url, authorization.filter(|_| at_home)).await?;
            let is_read = call.method == Method::GET || call.method == Method::HEAD;
            let target = match response.headers().get(LOCATION) {
                Some(location) if is_read && response.status().is_redirection() => location.to_str().ok(),
                _ => return Ok(Followed { response, at_home }),
            };
            let target = target
                .and_then(|location| url.join(location).ok())
                .filter(|target| is_allowed_target(&url, target))
                .ok_or_else(|| not_a_registry(self.host(), "it redirects to an address that is not allowed"))?;
            at_home = at_home && same_origin(&target, &self.base);
            url = target;
        }
        Err(not_a_registry(self.host(), "it redirects again and again"))
    }

    async fn request(&self, call: &Call, url: &Url, authorization: Option<&HeaderValue>) -> Result<Response, Failure> {
        let mut request = self.client.request(call.method.clone(), url.clone());
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if let Some(accept) = call.accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some((kind, body)) = &call.body {
            request = request.header(CONTENT_TYPE, kind).body(body.clone());
        } else if call.method == Method::POST {
            request = request.header(http::header::CONTENT_LENGTH, 0);
        }
        request.send().await.map_err(|error| self.broken(call, error))
    }

    /// A write that broke off may have been done: its caller looks before it says so.
    fn broken(&self, call: &Call, error: reqwest::Error) -> Failure {
        let is_write = call.method == Method::PUT;
        let interrupted = if is_write { ErrorCode::PushInterrupted } else { ErrorCode::RegistryUnreachable };
        // Addresses of blob storage carry signatures: none is repeated.
        transport_failure(self.host(), &error.without_url(), interrupted)
    }

    async fn read(&self, mut response: Response, call: &Call, login_accepted: bool) -> Result<Answer, Failure> {
        let status = response.status();
        let headers = response.headers().clone();
        let is_success = status.is_success();
        let limit = if is_success { call.limit } else { MOST_ERROR_BYTES };
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(call, error))? {
            let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(body.len());
            if chunk.len() > room {
                if is_success {
                    return Err(too_large(self.host(), limit));
                }
                body.extend_from_slice(&chunk[..room]);
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body: body.freeze(), login_accepted })
    }

    /// Finds the authorization that the challenges ask for. `refused` is what was just refused.
    async fn answer_challenges(
        &self,
        headers: &HeaderMap,
        scope: &str,
        refused: Option<&HeaderValue>,
    ) -> Result<Answered, Failure> {
        let challenges: Vec<Challenge> = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .flat_map(|value| parse_challenges(&String::from_utf8_lossy(value.as_bytes())))
            .collect();
        let slot = self.tokens.slot(TokenKey::new(self.host(), &self.access.login, scope));
        if let Some(bearer) = challenges.iter().find(|challenge| challenge.scheme == "bearer") {
            let mut known = slot.lock().await;
            let login_accepted = !matches!(self.access.login, RegistryLogin::Anonymous);
            // Somebody else may have fetched a fresh one while this request was under way.
            if let Some(other) = known.as_ref().filter(|other| other.is_fresh() && Some(&other.header) != refused) {
                return Ok(Answered::With { header: other.header.clone(), login_accepted });
            }
            *known = None;
            let fresh = self.fetch_token(bearer, scope).await?;
            let header = fresh.header.clone();
            *known = Some(fresh);
            return Ok(Answered::With { header, login_accepted });
        }
        let asks_for_basic = challenges.iter().any(|challenge| challenge.scheme == "basic");
        match &self.access.login {
            RegistryLogin::Basic { username, password } if asks_for_basic => {
                let header = basic_header(username, password.expose())?;
                // The same password again would only bring the account nearer to being locked.
                if refused == Some(&header) {
                    return Ok(Answered::Nothing);
                }
                *slot.lock().await = Some(Authorization { header: header.clone(), until: None });
                Ok(Answered::With { header, login_accepted: false })
            }
            _ => Ok(Answered::Nothing),
        }
    }

    /// Asks the realm for a token: the GET form, or the POST form for an identity token.
    async fn fetch_token(&self, challenge: &Challenge, scope: &str) -> Result<Authorization, Failure> {
        let realm = self.realm(challenge)?;
        let service = challenge.parameter("service").unwrap_or_default();
        let request = match &self.access.login {
            RegistryLogin::IdentityToken { token } => {
                let form = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("grant_type", "refresh_token")
                    .append_pair("service", service)
                    .append_pair("client_id", CLIENT_ID)
                    .append_pair("scope", scope)
                    .append_pair("refresh_token", token.expose())
                    .finish();
                self.client.post(realm).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
            }
            login => {
                let mut url = realm;
                let mut query = url.query_pairs_mut();
                query.append_pair("service", service).append_pair("client_id", CLIENT_ID);
                // Here each resource has a parameter of its own; in the form above a space stands between.
                for one in scope.split(' ').filter(|one| !one.is_empty()) {
                    query.append_pair("scope", one);
                }
                if let RegistryLogin::Basic { username, .. } = login {
                    query.append_pair("account", username);
                }
                drop(query);
                let request = self.client.get(url);
                match login {
                    RegistryLogin::Basic { username, password } => {
                        request.header(AUTHORIZATION, basic_header(username, password.expose())?)
                    }
                    _ => request,
                }
            }
        };
        let call = Call {
            limit: MOST_TOKEN_BYTES,
            not_found: ErrorCode::NotARegistry,
            ..Call::new(Method::GET, self.base.clone(), String::new())
        };
        let response = request.send().await.map_err(|error| self.broken(&call, error))?;
        let answer = self.read(response, &call, false).await?;
        if !answer.status.is_success() {
            let failure = self.failure(&call, &answer);
            // GitLab refuses a wrong password with 403 (`reference/registries.md` section 4.3).
            let refused = matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
            return Err(Failure {
                code: if refused { ErrorCode::RegistryUnauthorized } else { failure.code },
                ..failure
            });
        }
        self.read_token(&answer)
    }

    /// Returns the token server's address when a login may be sent there.
    fn realm(&self, challenge: &Challenge) -> Result<Url, Failure> {
        let named = challenge.parameter("realm").unwrap_or_default();
        Url::parse(named).ok().filter(|realm| is_allowed_realm(self.access.plain_http, &self.base, realm)).ok_or_else(
            || {
                let why = format!("it names a token server that no login may be sent to ({})", plain_text(named));
                not_a_registry(self.host(), &why)
            },
        )
    }

    fn read_token(&self, answer: &Answer) -> Result<Authorization, Failure> {
        let no_token = || not_a_registry(self.host(), "its token server gives no token");
        if is_html(&answer.headers) {
            return Err(no_token());
        }
        let json: serde_json::Value = serde_json::from_slice(&answer.body).map_err(|_| no_token())?;
        let token = ["token", "access_token"]
            .iter()
            .find_map(|name| json.get(name)?.as_str().filter(|token| !token.is_empty()))
            .ok_or_else(no_token)?;
        let mut header = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| no_token())?;
        header.set_sensitive(true);
        let expires_in = json.get("expires_in").and_then(serde_json::Value::as_u64);
        Ok(Authorization { header, until: Some(Authorization::until(expires_in)) })
    }
}

fn too_large(host: &str, limit: u64) -> Failure {
    not_a_registry(host, &format!("its answer is longer than {limit} bytes"))
}

fn basic_header(username: &str, password: &str) -> Result<HeaderValue, Failure> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
    let mut header = HeaderValue::from_str(&format!("Basic {encoded}")).map_err(Failure::internal)?;
    header.set_sensitive(true);
    Ok(header)
}

fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// A redirect may change the host, never go from https down to http, and never bring a user name along.
fn is_allowed_target(from: &Url, to: &Url) -> bool {
    let scheme = to.scheme() == "https" || (to.scheme() == "http" && from.scheme() == "http");
    scheme && to.username().is_empty() && to.password().is_none()
}

/// A login goes to an https realm; to plain http only when the registry itself was allowed to be plain http, and then only
/// to that same registry or, on a loopback registry, to the loopback.
fn is_allowed_realm(plain_http: bool, base: &Url, realm: &Url) -> bool {
    let clean = realm.has_host() && realm.username().is_empty() && realm.password().is_none();
    let plain = plain_http && (same_origin(base, realm) || (is_loopback(base) && is_loopback(realm)));
    clean && (realm.scheme() == "https" || (realm.scheme() == "http" && plain))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn t02_realms_that_may_see_a_login() {
        let cases = [
            (false, "https://reg.example/v2/", "https://auth.other.example/token", true),
            (false, "https://reg.example/v2/", "http://reg.example/token", false),
            (false, "https://reg.example/v2/", "http://127.0.0.1/token", false),
            (false, "https://reg.example/v2/", "https://user:pw@reg.example/token", false),
            (false, "https://reg.example/v2/", "file:///etc/passwd", false),
            (true, "http://reg.example/v2/", "http://reg.example/token", true),
            (true, "http://reg.example/v2/", "http://reg.example:81/token", false),
            (true, "http://reg.example/v2/", "http://evil.example/token", false),
            (true, "http://reg.example/v2/", "http://reg.example.evil/token", false),
            (true, "http://reg.example/v2/", "http://127.0.0.1/token", false),
            (true, "http://127.0.0.1:5000/v2/", "http://localhost:5001/token", true),
            (true, "http://[::1]:5000/v2/", "http://127.0.0.2:5001/token", true),
            (true, "http://127.0.0.1:5000/v2/", "http://127.0.0.1.evil/token", false),
        ];
        for (plain_http, base, realm, expected) in cases {
            let (base, realm_url) = (Url::parse(base).unwrap(), Url::parse(realm).unwrap());
            assert_eq!(is_allowed_realm(plain_http, &base, &realm_url), expected, "{base} {realm}");
        }
    }

    #[test]
    fn t02_origins_are_compared_as_a_whole() {
        let base = Url::parse("https://reg.example/v2/").unwrap();
        let cases = [
            ("https://reg.example:443/x", true),
            ("https://REG.example/x", true),
            ("https://reg.example:8443/x", false),
            ("http://reg.example/x", false),
            ("https://reg.example.evil/x", false),
            ("https://evil/reg.example", false),
            ("https://reg.example@evil/x", false),
            ("https://rég.example/x", false),
        ];
        for (other, expected) in cases {
            assert_eq!(same_origin(&base, &Url::parse(other).unwrap()), expected, "{other}");
        }
    }

    #[test]
    fn t02_redirect_targets() {
        let (secure, plain) = (Url::parse("https://a/").unwrap(), Url::parse("http://a/").unwrap());
        let cases = [
            (&secure, "https://b/x", true),
            (&secure, "http://a/x", false),
            (&plain, "http://b/x", true),
            (&plain, "https://b/x", true),
            (&plain, "ftp://b/x", false),
            (&secure, "https://u:p@a/x", false),
        ];
        for (from, to, expected) in cases {
            assert_eq!(is_allowed_target(from, &Url::parse(to).unwrap()), expected, "{from} {to}");
        }
    }
}
