//! Bringing an image into another repository of the same registry: its blobs are mounted there, then its manifests put. No
//! layer travels through this machine.

use crate::errors::not_a_registry;
use crate::exchange::{Call, Exchange};
use crate::paging::on_own_origin;
use crate::registries::{get_manifest, push_scope, sha256};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use slipway_core::image::{Digest, RepositoryName, Tag};
use slipway_core::{ErrorCode, Failure};

/// Manifests of an index; real ones have a dozen.
const MOST_MANIFESTS: usize = 200;
/// Blobs of a manifest; engines stop at 127 layers.
const MOST_BLOBS: usize = 500;

/// What a manifest names.
#[derive(Deserialize)]
struct Named {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: Digest,
    /// Foreign layers are at these addresses, not at the registry.
    #[serde(default)]
    urls: Vec<String>,
}

pub(crate) async fn across(
    exchange: &Exchange<'_>,
    from: &RepositoryName,
    digest: &Digest,
    to: &RepositoryName,
    tag: &Tag,
) -> Result<(), Failure> {
    let (top_type, top, named) = read(exchange, from, digest).await?;
    if named.manifests.len() > MOST_MANIFESTS {
        return Err(not_a_registry(exchange.host(), "its index has too many manifests"));
    }
    for part in &named.manifests {
        let (media_type, bytes, inner) = read(exchange, from, &part.digest).await?;
        mount_all(exchange, from, to, &inner).await?;
        put(exchange, to, part.digest.as_str(), &media_type, bytes).await?;
    }
    mount_all(exchange, from, to, &named).await?;
    put(exchange, to, tag.as_str(), &top_type, top).await
}

async fn read(
    exchange: &Exchange<'_>,
    from: &RepositoryName,
    digest: &Digest,
) -> Result<(String, Bytes, Named), Failure> {
    let (head, bytes) = get_manifest(exchange, from, digest.as_str()).await?.ok_or_else(|| {
        Failure::new(ErrorCode::ManifestUnknown, format!("{}/{from} has no {digest}", exchange.host()))
            .with("host", exchange.host())
    })?;
    let named = serde_json::from_slice(&bytes)
        .map_err(|_| not_a_registry(exchange.host(), "it answers with something that is no manifest"))?;
    Ok((head.media_type, bytes, named))
}

async fn mount_all(
    exchange: &Exchange<'_>,
    from: &RepositoryName,
    to: &RepositoryName,
    named: &Named,
) -> Result<(), Failure> {
    if named.layers.len() > MOST_BLOBS {
        return Err(not_a_registry(exchange.host(), "its manifest has too many layers"));
    }
    for blob in named.config.iter().chain(&named.layers).filter(|blob| blob.urls.is_empty()) {
        mount(exchange, from, to, &blob.digest).await?;
    }
    Ok(())
}

async fn mount(
    exchange: &Exchange<'_>,
    from: &RepositoryName,
    to: &RepositoryName,
    digest: &Digest,
) -> Result<(), Failure> {
    let scope = format!("{} repository:{from}:pull", push_scope(to));
    let mut url = exchange.url(&format!("{to}/blobs/uploads/"))?;
    url.query_pairs_mut().append_pair("mount", digest.as_str()).append_pair("from", from.as_str());
    let call = Call { not_found: ErrorCode::RegistryNameUnknown, ..Call::new(Method::POST, url, scope) };
    let answer = exchange.send_ok(&call).await?;
    if answer.status == StatusCode::CREATED {
        return Ok(());
    }
    // It began an upload instead: that one is not wanted.
    if let Some(upload) = answer.header("location").and_then(|place| on_own_origin(&exchange.base, &call.url, place)) {
        // It ends by itself when this fails.
        let _ = exchange.send(&Call::new(Method::DELETE, upload, push_scope(to))).await;
    }
    let why = format!("{} does not take layers over from another repository", exchange.host());
    Err(Failure::new(ErrorCode::RegistryUnsupported, why).with("host", exchange.host()))
}

async fn put(
    exchange: &Exchange<'_>,
    to: &RepositoryName,
    reference: &str,
    media_type: &str,
    bytes: Bytes,
) -> Result<(), Failure> {
    let digest = sha256(&bytes)?;
    let call = Call {
        body: Some((media_type.to_owned(), bytes)),
        not_found: ErrorCode::RegistryNameUnknown,
        ..Call::new(Method::PUT, exchange.url(&format!("{to}/manifests/{reference}"))?, push_scope(to))
    };
    let answer = exchange.send_ok(&call).await?;
    let stored = answer.header("docker-content-digest").and_then(|text| Digest::new(text).ok());
    match stored.filter(|stored| *stored != digest) {
        None => Ok(()),
        Some(stored) => {
            let why = format!("{} stored {stored} where {digest} was sent", exchange.host());
            Err(Failure::new(ErrorCode::DigestMismatch, why).with("host", exchange.host()))
        }
    }
}
