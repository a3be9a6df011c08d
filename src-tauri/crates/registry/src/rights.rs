//! The registry test: one hop after the other, up to the right to push (`reference/registries.md` section 1.1 "Rights test").
//! A login alone proves nothing about rights, so an upload is begun and cancelled.

use crate::challenge::parse_challenges;
use crate::client::Clients;
use crate::errors::{is_html, not_a_registry};
use crate::exchange::{Answer, Call, Exchange};
use crate::paging::on_own_origin;
use crate::registries::{pull_scope, push_scope};
use crate::token::TokenCache;
use http::{Method, StatusCode};
use reqwest::Url;
use slipway_core::image::{RegistryAccess, RegistryLogin, RepositoryName};
use slipway_core::ports::{Deadlines, Hop, HopReport};
use slipway_core::{ErrorCode, Failure};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// Tests every hop and stops behind the first that fails. Nothing cached is used: what is tested is what was typed.
pub(crate) async fn test(access: &RegistryAccess, name: &RepositoryName, deadlines: &Deadlines) -> Vec<HopReport> {
    let mut reports = Vec::new();
    // The last hop that failed is in the list already.
    drop(run(access, name, deadlines, &mut reports).await);
    reports
}

/// Marks that the failing hop is reported.
struct Stopped;

fn report(reports: &mut Vec<HopReport>, hop: Hop, result: Result<String, Failure>) -> Result<(), Stopped> {
    let goes_on = result.is_ok();
    reports.push(HopReport { hop, result });
    if goes_on { Ok(()) } else { Err(Stopped) }
}

async fn run(
    access: &RegistryAccess,
    name: &RepositoryName,
    deadlines: &Deadlines,
    reports: &mut Vec<HopReport>,
) -> Result<(), Stopped> {
    let (clients, tokens) = (Clients::default(), TokenCache::default());
    let exchange = match Exchange::new(access, &clients, &tokens, deadlines) {
        Ok(exchange) => exchange,
        Err(failure) => return report(reports, Hop::Resolve, Err(failure)),
    };

    let addresses = match resolve(&exchange, deadlines.request).await {
        Ok(addresses) => addresses,
        Err(failure) => return report(reports, Hop::Resolve, Err(failure)),
    };
    let list = addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ");
    report(reports, Hop::Resolve, Ok(list))?;
    report(reports, Hop::Connect, connect(&exchange, &addresses, deadlines.request).await)?;

    let probed = exchange.probe().await;
    let tls = match &probed {
        Err(failure) if is_before_http(access, failure.code) => Err(failure.clone()),
        _ if access.plain_http => Ok("plain HTTP".to_owned()),
        _ => Ok("verified".to_owned()),
    };
    report(reports, Hop::Tls, tls)?;
    let answer = match probed.and_then(|answer| api(&exchange, answer)) {
        Ok(answer) => answer,
        Err(failure) => return report(reports, Hop::Api, Err(failure)),
    };
    report(
        reports,
        Hop::Api,
        Ok(answer
            .header("docker-distribution-api-version")
            .map_or_else(|| "a registry answers".to_owned(), crate::errors::plain_text)),
    )?;
    report(reports, Hop::Login, login(&exchange, &answer).await)?;
    report(reports, Hop::Read, read(&exchange, name).await)?;
    report(reports, Hop::Push, push(&exchange, name).await)
}

/// Looks up the host that a connection is made to: the proxy, when there is one.
async fn resolve(exchange: &Exchange<'_>, deadline: Duration) -> Result<Vec<SocketAddr>, Failure> {
    let proxy = exchange.access.proxy.as_ref().map(|proxy| Url::parse(&proxy.url));
    let target = match proxy {
        Some(Ok(url)) => url,
        Some(Err(_)) => return Err(Failure::new(ErrorCode::InvalidField, "this is no proxy address").at("proxy")),
        None => exchange.base.clone(),
    };
    let host = target.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = target.port_or_known_default().unwrap_or(443);
    let unknown =
        |why: &str| Failure::new(ErrorCode::RegistryUnreachable, format!("{host}: {why}")).with("host", host.clone());
    let found = tokio::time::timeout(deadline, tokio::net::lookup_host((host.as_str(), port)))
        .await
        .map_err(|_| unknown("the name lookup took too long"))?
        .map_err(|_| unknown("the host name is unknown"))?;
    let addresses: Vec<SocketAddr> = found.collect();
    if addresses.is_empty() { Err(unknown("the host name has no address")) } else { Ok(addresses) }
}

async fn connect(exchange: &Exchange<'_>, addresses: &[SocketAddr], deadline: Duration) -> Result<String, Failure> {
    let refused = |why: String| {
        Failure::new(ErrorCode::RegistryUnreachable, format!("{}: {why}", exchange.host()))
            .with("host", exchange.host())
    };
    let through = if exchange.access.proxy.is_some() { " (proxy)" } else { "" };
    match tokio::time::timeout(deadline, TcpStream::connect(addresses)).await {
        Ok(Ok(stream)) => {
            let peer = stream.peer_addr().map_or_else(|_| String::new(), |address| address.to_string());
            Ok(format!("{peer}{through}"))
        }
        Ok(Err(error)) => Err(refused(format!("no connection{through}: {}", error.kind()))),
        Err(_) => Err(refused(format!("no connection in time{through}"))),
    }
}

/// Returns true when the probe ended without a byte of HTTP, as far as its code tells: the TCP connection opened just
/// before, so on https it is the handshake that broke or hung.
fn is_before_http(access: &RegistryAccess, code: ErrorCode) -> bool {
    let broke = matches!(code, ErrorCode::RegistryUnreachable | ErrorCode::TimedOut);
    matches!(code, ErrorCode::RegistryTls | ErrorCode::RegistryPlainHttp) || (broke && !access.plain_http)
}

/// 200 and 401 are a registry's answers to `/v2/`; a 401 without a challenge or a 200 with a web page is none.
fn api(exchange: &Exchange<'_>, answer: Answer) -> Result<Answer, Failure> {
    let call =
        Call { not_found: ErrorCode::NotARegistry, ..Call::new(Method::GET, exchange.base.clone(), String::new()) };
    match answer.status {
        StatusCode::OK if is_html(&answer.headers) => {
            Err(not_a_registry(exchange.host(), "a web page answers (a sign-in page of the network?)"))
        }
        StatusCode::OK => Ok(answer),
        StatusCode::UNAUTHORIZED if answer.headers.contains_key("www-authenticate") => Ok(answer),
        StatusCode::UNAUTHORIZED => Err(not_a_registry(exchange.host(), "it asks for a login but not how")),
        _ => Err(exchange.failure(&call, &answer)),
    }
}

async fn login(exchange: &Exchange<'_>, answer: &Answer) -> Result<String, Failure> {
    if answer.status == StatusCode::OK {
        return Ok("no login needed".to_owned());
    }
    let takes_tokens = answer
        .headers
        .get_all("www-authenticate")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| parse_challenges(value).iter().any(|challenge| challenge.scheme == "bearer"));
    if takes_tokens && matches!(exchange.access.login, RegistryLogin::Anonymous) {
        // What an anonymous token may do shows at the repository only.
        return Ok("anonymous access".to_owned());
    }
    exchange.login(answer).await?;
    Ok("login accepted".to_owned())
}

async fn read(exchange: &Exchange<'_>, name: &RepositoryName) -> Result<String, Failure> {
    let call = Call {
        not_found: ErrorCode::RegistryNameUnknown,
        limit: 8 * 1024 * 1024,
        ..Call::new(Method::GET, exchange.url(&format!("{name}/tags/list?n=1"))?, pull_scope(name))
    };
    match exchange.send_ok(&call).await {
        Ok(answer) if serde_json::from_slice::<serde_json::Map<_, _>>(&answer.body).is_ok() => {
            Ok("may read".to_owned())
        }
        Ok(_) => Err(not_a_registry(exchange.host(), "its list of tags is none")),
        // Many registries make a repository with its first push.
        Err(failure) if failure.code == ErrorCode::RegistryNameUnknown => Ok("does not exist yet".to_owned()),
        Err(failure) => Err(failure),
    }
}

async fn push(exchange: &Exchange<'_>, name: &RepositoryName) -> Result<String, Failure> {
    let begin = Call {
        not_found: ErrorCode::RegistryNameUnknown,
        ..Call::new(Method::POST, exchange.url(&format!("{name}/blobs/uploads/"))?, push_scope(name))
    };
    let answer = exchange.send_ok(&begin).await?;
    if answer.status != StatusCode::ACCEPTED {
        return Err(not_a_registry(exchange.host(), "it does not begin an upload"));
    }
    let upload = answer.header("location").and_then(|location| on_own_origin(&exchange.base, &begin.url, location));
    let cancelled = match upload {
        Some(url) => exchange.send(&Call::new(Method::DELETE, url, push_scope(name))).await,
        None => return Ok("may push (the begun upload ends by itself)".to_owned()),
    };
    Ok(match cancelled {
        Ok(answer) if answer.status.is_success() => "may push".to_owned(),
        _ => "may push (the begun upload ends by itself)".to_owned(),
    })
}
