//! Talking to token endpoints with the `oauth2` library, over our own transport; and what each host does differently
//! (`reference/source-hosts.md`): errors with status 200 (GitHub), scopes with commas (GitHub, CODING), `expires_in` as a
//! text (CODING).

use crate::refresh;
use crate::transport::{Answer, Body, Call, Link, answer_failure, not_a_host, plain_text};
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ErrorResponse, HttpRequest, HttpResponse,
    RefreshToken, RequestTokenError, TokenResponse as _, TokenUrl,
};
use reqwest::Url;
use slipway_core::host::{HostAddress, HostTokens, OauthClient, TokenKind};
use slipway_core::{ErrorCode, Failure, Secret};

/// A promise of more than ten years is none.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(3650);

/// Where the flows of a host go, and how it wants to be asked.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    pub(crate) authorize: Url,
    pub(crate) token: Url,
    /// The device flow's start, where there is one.
    pub(crate) device: Option<Url>,
    /// The application names itself in a Basic header, not in the form (Bitbucket).
    pub(crate) basic: bool,
    /// Scopes are separated by commas in the authorization address (CODING).
    pub(crate) comma_scopes: bool,
    /// Any port of a loopback redirect is taken; otherwise the registered one.
    pub(crate) any_port: bool,
    /// The code flow needs no secret.
    pub(crate) public: bool,
    /// The host checks a PKCE challenge. Where it does not, sending one does no harm and is left out all the same: some
    /// refuse parameters that they do not know.
    pub(crate) pkce: bool,
}

pub(crate) type Standard = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// Makes the library's client.
pub(crate) fn standard(endpoints: &Endpoints, client: &OauthClient) -> Standard {
    let auth_type = if endpoints.basic { AuthType::BasicAuth } else { AuthType::RequestBody };
    let standard = BasicClient::new(ClientId::new(client.client_id.clone())).set_auth_type(auth_type);
    let standard = match &client.client_secret {
        Some(secret) => standard.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
        None => standard,
    };
    standard
        .set_auth_uri(AuthUrl::from_url(endpoints.authorize.clone()))
        .set_token_uri(TokenUrl::from_url(endpoints.token.clone()))
}

/// Sends a request of the library, to the host's own address.
pub(crate) async fn post(link: Link, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let (parts, body) = request.into_parts();
    let url = Url::parse(&parts.uri.to_string()).map_err(Failure::internal)?;
    let call = Call {
        authorization: parts.headers.get(AUTHORIZATION).cloned().map(|mut header| {
            header.set_sensitive(true);
            header
        }),
        body: Body::Form(body),
        ..Call::new(parts.method, url)
    };
    straighten(&link.send(&call).await?)
}

/// Makes the answer what RFC 6749 says it is. A failing or limiting host becomes a failure, so that a device flow asks again.
fn straighten(answer: &Answer) -> Result<HttpResponse, Failure> {
    let status = answer.status.as_u16();
    if status == 429 || status >= 500 {
        return Err(answer_failure(answer, None));
    }
    let Ok(serde_json::Value::Object(mut json)) = answer.json::<serde_json::Value>() else {
        let failure = answer_failure(answer, None);
        return Err(if answer.status.is_success() || failure.code == ErrorCode::SourceNotFound {
            not_a_host(&answer.host, "its token endpoint does not answer with a token")
        } else {
            failure
        });
    };
    let failed = json.get("error").is_some_and(serde_json::Value::is_string);
    if let Some(seconds) = json.get("expires_in").and_then(serde_json::Value::as_str).map(str::parse::<u64>) {
        json.insert("expires_in".to_owned(), seconds.unwrap_or_default().into());
    }
    if let Some(scope) = json.get("scope").and_then(serde_json::Value::as_str) {
        json.insert("scope".to_owned(), scope.replace(',', " ").into());
    }
    if json.contains_key("access_token") {
        json.entry("token_type").or_insert_with(|| "bearer".into());
    }
    json.retain(|_, value| !value.is_null());
    let is_success = answer.status.is_success() && !failed;
    let mut response = HttpResponse::new(serde_json::Value::Object(json).to_string().into_bytes());
    *response.status_mut() = if is_success { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Reads a token answer. The end is counted from our own clock, whatever the host's shows.
pub(crate) fn tokens(response: &BasicTokenResponse, now: DateTime<Utc>) -> HostTokens {
    let life = response.expires_in().filter(|life| !life.is_zero());
    let life = life.map(|life| TimeDelta::from_std(life).unwrap_or(LONGEST_LIFE).min(LONGEST_LIFE));
    HostTokens {
        kind: TokenKind::Oauth,
        access: Secret::new(response.access_token().secret().as_str()),
        refresh: response.refresh_token().map(|token| Secret::new(token.secret().as_str())),
        username: None,
        expires_at: life.map(|life| now + life),
        scopes: response.scopes().map(|list| list.iter().map(|one| one.to_string()).collect()).unwrap_or_default(),
    }
}

/// Returns the error's name and its description, or the failure that it is already.
pub(crate) fn refusal<E: ErrorResponse + 'static>(
    host: &str,
    error: RequestTokenError<Failure, E>,
    named: impl Fn(&E) -> (String, Option<String>),
) -> Result<(String, String), Failure> {
    match error {
        RequestTokenError::ServerResponse(said) => {
            let (name, description) = named(&said);
            Ok((plain_text(&name), plain_text(&description.unwrap_or_default())))
        }
        RequestTokenError::Request(failure) => Err(failure),
        // The body may hold a token: nothing of it is repeated.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Err(not_a_host(host, "its token endpoint does not answer with a token"))
        }
    }
}

/// Makes the failure of an error that a host named, at the redirect or at the token endpoint.
pub(crate) fn refused(host: &str, name: &str, description: &str) -> Failure {
    let code = match name {
        "access_denied" => ErrorCode::AuthorizationDenied,
        "expired_token" | "token_expired" => ErrorCode::AuthorizationExpired,
        "invalid_client" | "incorrect_client_credentials" | "redirect_uri_mismatch" | "device_flow_disabled" => {
            ErrorCode::OauthClientRefused
        }
        _ => ErrorCode::AuthorizationFailed,
    };
    let said = if description.is_empty() { name.to_owned() } else { format!("{name}: {description}") };
    Failure::new(code, format!("{host} refused the authorization: {said}")).with("host", host).with("error", name)
}

/// Gets the next pair. [`ErrorCode::SourceUnauthorized`] when the refresh token is not taken (any more).
pub(crate) async fn refresh(
    link: &Link,
    address: &HostAddress,
    client: &OauthClient,
    old: &HostTokens,
    now: DateTime<Utc>,
) -> Result<HostTokens, Failure> {
    let endpoints = crate::provider::of(address.provider).endpoints(&address.base)?;
    let token = RefreshToken::new(old.refresh.as_ref().map_or("", Secret::expose).to_owned());
    let send = |request| post(link.clone(), request);
    match standard(&endpoints, client).exchange_refresh_token(&token).request_async(&send).await {
        Ok(response) => {
            let new = tokens(&response, now);
            let scopes = if new.scopes.is_empty() { old.scopes.clone() } else { new.scopes.clone() };
            // A host that does not rotate says nothing about the refresh token: the old one stays.
            Ok(HostTokens {
                refresh: new.refresh.clone().or_else(|| old.refresh.clone()),
                username: old.username.clone(),
                scopes,
                ..new
            })
        }
        Err(error) => {
            let (name, description) = refusal(link.host(), error, |said| {
                (said.error().as_ref().to_owned(), said.error_description().cloned())
            })?;
            Err(match name.as_str() {
                // GitHub says `bad_refresh_token`, Gitea `unauthorized_client` for one that was used already.
                "invalid_grant" | "bad_refresh_token" | "unauthorized_client" | "invalid_request" | "invalid_token" => {
                    refresh::refused(link.host()).with("error", name)
                }
                _ => refused(link.host(), &name, &description),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue};

    fn answer(status: u16, kind: &'static str, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Answer {
            host: "git.example".to_owned(),
            url: Url::parse("https://git.example/").unwrap(),
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::from(body.to_owned()),
            received_at: Utc::now(),
            sent: None,
        }
    }

    fn read(status: u16, body: &str) -> BasicTokenResponse {
        let response = straighten(&answer(status, "application/json", body)).unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        serde_json::from_slice(response.body()).unwrap()
    }

    #[test]
    fn every_hosts_token_answer_is_read() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let github =
            tokens(&read(200, r#"{"access_token":"gho_x","scope":"repo,read:org","token_type":"bearer"}"#), now);
        assert_eq!((github.scopes, github.expires_at), (vec!["repo".to_owned(), "read:org".to_owned()], None));
        let gitlab = r#"{"access_token":"a","token_type":"Bearer","expires_in":7200,"refresh_token":"r","created_at":1607635748}"#;
        let gitlab = tokens(&read(200, gitlab), now);
        assert_eq!(gitlab.expires_at, Some(now + TimeDelta::hours(2)));
        assert_eq!(gitlab.refresh.unwrap().expose(), "r");
        let coding = r#"{"access_token":"a","refresh_token":"r","team":"t","expires_in":"7200","token_type":"Bearer","scope":"user project"}"#;
        assert_eq!(tokens(&read(200, coding), now).expires_at, Some(now + TimeDelta::hours(2)));
        let bare = tokens(&read(201, r#"{"access_token":"a","refresh_token":null,"expires_in":0}"#), now);
        assert!(bare.refresh.is_none() && bare.expires_at.is_none());
        let forever = tokens(&read(200, r#"{"access_token":"a","expires_in":18446744073709551615}"#), now);
        assert_eq!(forever.expires_at, Some(now + LONGEST_LIFE));
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let github =
            r#"{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired."}"#;
        assert_eq!(straighten(&answer(200, "application/json", github)).unwrap().status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn what_is_no_token_endpoint_is_said_so() {
        for (status, kind, body, code) in [
            (200, "text/html", "<html>", ErrorCode::NotACodeHost),
            (404, "text/html", "<html>", ErrorCode::NotACodeHost),
            (404, "text/plain", "not found", ErrorCode::NotACodeHost),
            (200, "application/x-www-form-urlencoded", "access_token=x", ErrorCode::NotACodeHost),
            (502, "text/html", "<html>", ErrorCode::SourceServerError),
            (429, "application/json", "{}", ErrorCode::SourceRateLimited),
            (403, "text/plain", "no user agent", ErrorCode::SourceForbidden),
        ] {
            assert_eq!(straighten(&answer(status, kind, body)).unwrap_err().code, code, "{status} {kind} {body}");
        }
    }
}
