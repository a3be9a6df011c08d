//! The port: manifests, blobs, lists, deletes.

use crate::client::Clients;
use crate::copy;
use crate::errors::{is_html, media_type, not_a_registry};
use crate::exchange::{Answer, Call, Exchange};
use crate::paging::{next_link, on_own_origin};
use crate::projects;
use crate::rights;
use crate::token::TokenCache;
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use reqwest::Url;
use sha2::Digest as _;
use slipway_core::image::{Digest, RegistryAccess, RepositoryName, Tag};
use slipway_core::namespace::Project;
use slipway_core::ports::{Deadlines, HopReport, ManifestHead, Registries};
use slipway_core::{ErrorCode, Failure};
use std::collections::HashSet;

/// All four kinds of manifest: with fewer a registry may convert, which changes the digest.
const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, \
     application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.list.v2+json";
const MOST_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;
const MOST_PAGE_BYTES: u64 = 8 * 1024 * 1024;
/// Entries to ask for at once; distribution refuses more.
const PAGE_SIZE: usize = 1000;
const MOST_PAGES: usize = 1000;

/// OCI registries over HTTP. Connections and tokens are kept in memory between calls.
#[derive(Debug)]
pub struct OciRegistries {
    deadlines: Deadlines,
    clients: Clients,
    tokens: TokenCache,
}

impl OciRegistries {
    /// Makes the port; each HTTP exchange, its login included, has [`Deadlines::request`].
    #[must_use]
    pub fn new(deadlines: Deadlines) -> Self {
        Self { deadlines, clients: Clients::default(), tokens: TokenCache::default() }
    }

    fn exchange<'a>(&'a self, access: &'a RegistryAccess) -> Result<Exchange<'a>, Failure> {
        Exchange::new(access, &self.clients, &self.tokens, &self.deadlines)
    }

    async fn list(&self, exchange: &Exchange<'_>, first: Call, field: &str) -> Result<Vec<String>, Failure> {
        let mut call = Call { limit: MOST_PAGE_BYTES, not_found: ErrorCode::RegistryNameUnknown, ..first };
        let start = call.url.clone();
        let mut visited = HashSet::new();
        let mut seen = HashSet::new();
        let mut entries = Vec::new();
        for _ in 0..MOST_PAGES {
            visited.insert(call.url.clone());
            let answer = exchange.send_ok(&call).await?;
            let page = read_page(exchange, &answer, field)?;
            let last = page.last().cloned();
            let page_length = page.len();
            let before = entries.len();
            entries.extend(page.into_iter().filter(|entry| seen.insert(entry.clone())));
            let next = match (answer.header("link").and_then(next_link), last) {
                (Some(link), _) => Some(
                    on_own_origin(&exchange.base, &call.url, link)
                        .ok_or_else(|| not_a_registry(exchange.host(), "its next page is on another host"))?,
                ),
                (None, Some(last)) if page_length >= PAGE_SIZE => Some(with_query(&start, Some(&last))),
                (None, _) => None,
            };
            // A page that was there before, or that brings nothing new, would go round for ever.
            match next.filter(|next| !visited.contains(next) && entries.len() > before) {
                Some(next) => call.url = next,
                None => return Ok(entries),
            }
        }
        Err(not_a_registry(exchange.host(), "its list does not end"))
    }
}

#[async_trait]
impl Registries for OciRegistries {
    async fn head(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        reference: &str,
    ) -> Result<Option<ManifestHead>, Failure> {
        let exchange = self.exchange(access)?;
        let call = manifest_call(&exchange, Method::HEAD, name, reference)?;
        let answer = exchange.send(&call).await?;
        if is_absent(&answer) {
            return Ok(None);
        }
        let offers_no_head = matches!(answer.status.as_u16(), 400 | 405 | 501);
        if !answer.status.is_success() && !offers_no_head {
            // No second question: a GET counts against Docker Hub's pull limit, and a refused login against its account.
            return Err(exchange.failure(&call, &answer));
        }
        match head_of(&answer).filter(|_| !offers_no_head) {
            Some(head) => {
                if let Ok(wanted) = Digest::new(reference)
                    && wanted != head.digest
                    && algorithm(&wanted) == algorithm(&head.digest)
                {
                    return Err(mismatch(exchange.host(), &wanted, &head.digest));
                }
                Ok(Some(head))
            }
            None => Ok(get_manifest(&exchange, name, reference).await?.map(|(head, _)| head)),
        }
    }

    async fn manifest(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        reference: &str,
    ) -> Result<Option<(ManifestHead, Bytes)>, Failure> {
        get_manifest(&self.exchange(access)?, name, reference).await
    }

    async fn put_manifest(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        tag: &Tag,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<Digest, Failure> {
        let exchange = self.exchange(access)?;
        let digest = sha256(&bytes)?;
        let call = Call {
            body: Some((media_type.to_owned(), bytes)),
            not_found: ErrorCode::RegistryNameUnknown,
            ..Call::new(Method::PUT, exchange.url(&format!("{name}/manifests/{tag}"))?, push_scope(name))
        };
        let answer = match exchange.send(&call).await {
            Ok(answer) => answer,
            // The answer got lost: what counts is what the registry holds now.
            Err(failure) if matches!(failure.code, ErrorCode::PushInterrupted | ErrorCode::TimedOut) => {
                return match self.head(access, name, tag.as_str()).await {
                    Ok(Some(head)) if head.digest == digest => Ok(digest),
                    _ => Err(failure),
                };
            }
            Err(failure) => return Err(failure),
        };
        match answer.status {
            StatusCode::CREATED => match answer.header("docker-content-digest").and_then(|text| Digest::new(text).ok())
            {
                Some(stored) if algorithm(&stored) == "sha256" && stored != digest => {
                    Err(mismatch(exchange.host(), &digest, &stored))
                }
                _ => Ok(digest),
            },
            status if status.is_success() => Err(not_a_registry(exchange.host(), "it did not say that it stored it")),
            _ => Err(exchange.failure(&call, &answer)),
        }
    }

    async fn blob(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        digest: &Digest,
        limit: u64,
    ) -> Result<Bytes, Failure> {
        let exchange = self.exchange(access)?;
        let call = Call {
            limit,
            ..Call::new(Method::GET, exchange.url(&format!("{name}/blobs/{digest}"))?, pull_scope(name))
        };
        let answer = exchange.send_ok(&call).await?;
        verify(exchange.host(), digest, &answer.body)?;
        Ok(answer.body)
    }

    async fn tags(&self, access: &RegistryAccess, name: &RepositoryName) -> Result<Vec<String>, Failure> {
        let exchange = self.exchange(access)?;
        let url = with_query(&exchange.url(&format!("{name}/tags/list"))?, None);
        let tags = self.list(&exchange, Call::new(Method::GET, url, pull_scope(name)), "tags").await?;
        Ok(tags.into_iter().filter(|tag| Tag::new(tag.as_str()).is_ok()).collect())
    }

    async fn copy_across(
        &self,
        access: &RegistryAccess,
        from: &RepositoryName,
        digest: &Digest,
        to: &RepositoryName,
        tag: &Tag,
    ) -> Result<(), Failure> {
        copy::across(&self.exchange(access)?, from, digest, to, tag).await
    }

    async fn repositories(&self, access: &RegistryAccess) -> Result<Vec<String>, Failure> {
        let exchange = self.exchange(access)?;
        let url = with_query(&exchange.url("_catalog")?, None);
        let call = Call::new(Method::GET, url, "registry:catalog:*".to_owned());
        let names = self.list(&exchange, call, "repositories").await.map_err(|failure| match failure.code {
            // Docker Hub and others have no catalogue, and say so with a 404 or a page.
            ErrorCode::RegistryNameUnknown => Failure { code: ErrorCode::RegistryUnsupported, ..failure },
            _ => failure,
        })?;
        Ok(names.into_iter().filter(|name| RepositoryName::new(name.as_str()).is_ok()).collect())
    }

    async fn projects(&self, access: &RegistryAccess) -> Option<Result<Vec<Project>, Failure>> {
        let exchange = self.exchange(access).ok()?;
        if projects::is_harbor(&exchange).await { Some(projects::list(&exchange).await) } else { None }
    }

    async fn create_project(&self, access: &RegistryAccess, name: &str, public: bool) -> Result<(), Failure> {
        let exchange = self.exchange(access)?;
        if !projects::is_harbor(&exchange).await {
            let why = format!("{}: namespaces are not made through an interface of this registry", exchange.host());
            return Err(Failure::new(ErrorCode::RegistryUnsupported, why).with("host", exchange.host()));
        }
        projects::create(&exchange, name, public).await
    }

    async fn time(&self, access: &RegistryAccess) -> Option<DateTime<Utc>> {
        let answer = self.exchange(access).ok()?.probe().await.ok()?;
        Some(DateTime::parse_from_rfc2822(answer.header("date")?).ok()?.to_utc())
    }

    /// A manifest that is gone already counts as deleted.
    async fn delete(&self, access: &RegistryAccess, name: &RepositoryName, digest: &Digest) -> Result<(), Failure> {
        let exchange = self.exchange(access)?;
        let scope = format!("repository:{name}:pull,delete");
        let call = Call::new(Method::DELETE, exchange.url(&format!("{name}/manifests/{digest}"))?, scope);
        match exchange.send_ok(&call).await {
            Ok(answer) if is_html(&answer.headers) => {
                Err(not_a_registry(exchange.host(), "it answers with a web page"))
            }
            Ok(_) => Ok(()),
            Err(failure) if failure.code == ErrorCode::ManifestUnknown => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    async fn test(&self, access: &RegistryAccess, name: &RepositoryName) -> Vec<HopReport> {
        rights::test(access, name, &self.deadlines).await
    }
}

/// The scope for reading a repository.
pub(crate) fn pull_scope(name: &RepositoryName) -> String {
    format!("repository:{name}:pull")
}

/// The scope for pushing to a repository.
pub(crate) fn push_scope(name: &RepositoryName) -> String {
    format!("repository:{name}:pull,push")
}

fn manifest_call(
    exchange: &Exchange<'_>,
    method: Method,
    name: &RepositoryName,
    reference: &str,
) -> Result<Call, Failure> {
    if Tag::new(reference).is_err() {
        Digest::new(reference)?;
    }
    Ok(Call {
        accept: Some(MANIFEST_TYPES),
        limit: MOST_MANIFEST_BYTES,
        ..Call::new(method, exchange.url(&format!("{name}/manifests/{reference}"))?, pull_scope(name))
    })
}

/// A 404 means "not there", unless it is a web page.
fn is_absent(answer: &Answer) -> bool {
    answer.status == StatusCode::NOT_FOUND && !is_html(&answer.headers)
}

/// Reads a HEAD's answer; `None` when it lacks something that only the bytes can tell.
fn head_of(answer: &Answer) -> Option<ManifestHead> {
    let media_type = media_type(&answer.headers).filter(|kind| kind.contains("manifest") || kind.contains("index"))?;
    let digest = Digest::new(answer.header("docker-content-digest")?).ok()?;
    let size = answer.header("content-length")?.parse().ok().filter(|size| *size > 0)?;
    Some(ManifestHead { digest, media_type, size })
}

pub(crate) async fn get_manifest(
    exchange: &Exchange<'_>,
    name: &RepositoryName,
    reference: &str,
) -> Result<Option<(ManifestHead, Bytes)>, Failure> {
    let call = manifest_call(exchange, Method::GET, name, reference)?;
    let answer = exchange.send(&call).await?;
    if is_absent(&answer) {
        return Ok(None);
    }
    if !answer.status.is_success() {
        return Err(exchange.failure(&call, &answer));
    }
    let no_manifest = || not_a_registry(exchange.host(), "it answers with something that is no manifest");
    let json: serde_json::Value = serde_json::from_slice(&answer.body).map_err(|_| no_manifest())?;
    let inside = json.as_object().ok_or_else(no_manifest)?.get("mediaType").and_then(serde_json::Value::as_str);
    let media_type = match media_type(&answer.headers) {
        Some(kind) if is_html(&answer.headers) => {
            return Err(not_a_registry(exchange.host(), &format!("it sends {kind}")));
        }
        Some(kind) if kind != "application/json" && kind != "application/octet-stream" => kind,
        other => inside.map(str::to_owned).or(other).ok_or_else(no_manifest)?,
    };
    // The bytes decide; a digest that was asked for or told must be theirs.
    let told = answer.header("docker-content-digest").and_then(|text| Digest::new(text).ok());
    let asked = Digest::new(reference).ok();
    for digest in [&asked, &told].into_iter().flatten() {
        verify(exchange.host(), digest, &answer.body)?;
    }
    let digest = match asked.or(told) {
        Some(digest) => digest,
        None => sha256(&answer.body)?,
    };
    let size = u64::try_from(answer.body.len()).map_err(Failure::internal)?;
    Ok(Some((ManifestHead { digest, media_type, size }, answer.body)))
}

fn read_page(exchange: &Exchange<'_>, answer: &Answer, field: &str) -> Result<Vec<String>, Failure> {
    let no_list = || not_a_registry(exchange.host(), &format!("it answers with something that is no list of {field}"));
    if is_html(&answer.headers) {
        return Err(no_list());
    }
    let json: serde_json::Value = serde_json::from_slice(&answer.body).map_err(|_| no_list())?;
    match json.as_object().ok_or_else(no_list)?.get(field) {
        Some(serde_json::Value::Null) => Ok(Vec::new()),
        Some(serde_json::Value::Array(entries)) => {
            Ok(entries.iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect())
        }
        _ => Err(no_list()),
    }
}

fn with_query(url: &Url, last: Option<&str>) -> Url {
    let mut url = url.clone();
    let mut query = url.query_pairs_mut();
    query.clear().append_pair("n", &PAGE_SIZE.to_string());
    if let Some(last) = last {
        query.append_pair("last", last);
    }
    drop(query);
    url
}

fn algorithm(digest: &Digest) -> &str {
    digest.as_str().split_once(':').map_or("", |(algorithm, _)| algorithm)
}

pub(crate) fn sha256(bytes: &[u8]) -> Result<Digest, Failure> {
    Digest::new(format!("sha256:{}", hex::encode(sha2::Sha256::digest(bytes))))
}

/// Checks exact bytes against a digest.
fn verify(host: &str, digest: &Digest, bytes: &[u8]) -> Result<(), Failure> {
    let found = match algorithm(digest) {
        "sha256" => sha256(bytes)?,
        "sha512" => Digest::new(format!("sha512:{}", hex::encode(sha2::Sha512::digest(bytes))))?,
        other => {
            let why = format!("{host}: the digest algorithm {other} cannot be verified");
            return Err(Failure::new(ErrorCode::RegistryUnsupported, why).with("host", host));
        }
    };
    if found == *digest { Ok(()) } else { Err(mismatch(host, digest, &found)) }
}

fn mismatch(host: &str, expected: &Digest, found: &Digest) -> Failure {
    Failure::new(ErrorCode::DigestMismatch, format!("{host} holds {found} where {expected} was expected"))
        .with("host", host)
        .with("expected", expected.as_str())
        .with("found", found.as_str())
}
