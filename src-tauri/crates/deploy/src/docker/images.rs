//! The image of a job in the engine's store: found by id or digest, pulled by digest, named so that the tag is seen where the
//! tag means exactly this image.

use super::calls::{EngineCalls, encode, printable};
use serde_json::Value;
use slipway_core::content::content_identity;
use slipway_core::deploy::{DeployImage, RunningImage};
use slipway_core::image::{ContentIdentity, ImageId, ImageReference, Platform, RegistryLogin};
use slipway_core::{ErrorCode, Failure};
use tokio_util::sync::CancellationToken;

/// An image of the engine's store, as `GET /images/{name}/json` describes it.
#[derive(Debug, Clone)]
pub(crate) struct StoredImage(Value);

impl StoredImage {
    pub(crate) fn id(&self) -> &str {
        self.0["Id"].as_str().unwrap_or_default()
    }

    pub(crate) fn config(&self) -> &Value {
        &self.0["Config"]
    }

    fn names(&self, field: &str) -> Vec<String> {
        let names = self.0[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        names.filter(|name| !name.starts_with("<none>")).map(str::to_owned).collect()
    }

    pub(crate) fn digests(&self) -> Vec<String> {
        self.names("RepoDigests")
    }

    pub(crate) fn platform(&self) -> Platform {
        let text = |field: &str| self.0[field].as_str().unwrap_or_default().to_owned();
        Platform {
            os: text("Os"),
            architecture: text("Architecture"),
            variant: Some(text("Variant")).filter(|variant| !variant.is_empty()),
        }
    }

    pub(crate) fn content(&self) -> ContentIdentity {
        let layers = self.0["RootFS"]["Layers"].as_array().into_iter().flatten();
        let layers: Vec<String> = layers.filter_map(Value::as_str).map(str::to_owned).collect();
        content_identity(&layers, &self.platform(), self.config())
    }

    /// How it runs under the name `reference`.
    pub(crate) fn running_as(&self, reference: &str) -> RunningImage {
        RunningImage {
            reference: reference.to_owned(),
            id: Some(ImageId(self.id().to_owned())),
            digests: self.digests(),
            content: Some(self.content()),
        }
    }

    /// A name that the engine resolves to exactly this image now: the tag, else repository and digest, else the id.
    pub(crate) fn name_for(&self, reference: &ImageReference) -> String {
        let same = |name: &String, with_digest: bool| {
            ImageReference::parse(name).is_ok_and(|parsed| match with_digest {
                false => parsed.repository() == reference.repository() && parsed.tag == reference.tag,
                true => parsed.repository() == reference.repository(),
            })
        };
        let tag = self.names("RepoTags").into_iter().find(|name| same(name, false));
        let digest = || self.digests().into_iter().find(|name| same(name, true));
        tag.or_else(digest).unwrap_or_else(|| self.id().to_owned())
    }
}

/// Reads an image by id or name.
pub(crate) async fn image(calls: &EngineCalls, name: &str) -> Result<Option<StoredImage>, Failure> {
    let answer = calls.get(&format!("/images/{}/json", encode(name))).await?;
    match answer.status {
        200 => Ok(Some(StoredImage(answer.json()?))),
        404 => Ok(None),
        _ => Err(answer.failure()),
    }
}

/// Finds the job's exact image in the store, without asking any registry.
pub(crate) async fn find(calls: &EngineCalls, wanted: &DeployImage) -> Result<Option<StoredImage>, Failure> {
    let reference = wanted.check()?;
    if let Some(id) = &wanted.id
        && let Some(found) = image(calls, &id.0).await?
    {
        return Ok(Some(found));
    }
    let Some(digest) = &wanted.digest else { return Ok(None) };
    image(calls, &format!("{}@{digest}", reference.repository())).await
}

/// Finds the job's image, else pulls it by its digest. Never by its tag, which may have moved (T25).
pub(crate) async fn find_or_pull(
    calls: &EngineCalls,
    wanted: &DeployImage,
    login: &RegistryLogin,
    cancel: &CancellationToken,
) -> Result<StoredImage, Failure> {
    if let Some(found) = find(calls, wanted).await? {
        return Ok(found);
    }
    let reference = wanted.check()?;
    let Some(digest) = &wanted.digest else {
        return Err(Failure::new(ErrorCode::ImageGone, format!("the image of {reference} is gone from the engine"))
            .with("image", wanted.reference.clone()));
    };
    let repository = reference.repository();
    let path = format!("/images/create?fromImage={}&tag={}", encode(&repository), encode(digest.as_str()));
    let pull = calls.stream(&path, reference.host.as_str(), login, |line| {
        match line["errorDetail"]["message"].as_str().or_else(|| line["error"].as_str()) {
            Some(text) => Err(refused(&reference, text)),
            None => Ok(()),
        }
    });
    let answer = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(Failure::cancelled()),
        answer = pull => answer?,
    };
    if answer.status >= 300 {
        return Err(refused(&reference, &answer.message()));
    }
    image(calls, &format!("{repository}@{digest}")).await?.ok_or_else(|| {
        Failure::new(ErrorCode::ImageGone, format!("the engine pulled {repository}@{digest} and then lost it"))
    })
}

/// What the engine says when it cannot pull; it forwards text only.
fn refused(image: &ImageReference, text: &str) -> Failure {
    const KNOWN: &[(&str, ErrorCode)] = &[
        ("no space left on device", ErrorCode::EngineDiskFull),
        ("no matching manifest", ErrorCode::ImagePlatform),
        ("no match for platform", ErrorCode::ImagePlatform),
        ("toomanyrequests", ErrorCode::RegistryRateLimited),
        ("too many requests", ErrorCode::RegistryRateLimited),
        ("server gave http response to https client", ErrorCode::RegistryPlainHttp),
        ("manifest unknown", ErrorCode::ManifestUnknown),
        ("manifest for", ErrorCode::ManifestUnknown),
        ("name unknown", ErrorCode::ManifestUnknown),
        ("not found", ErrorCode::ManifestUnknown),
        ("insufficient_scope", ErrorCode::RegistryDenied),
        ("denied", ErrorCode::RegistryDenied),
        ("unauthorized", ErrorCode::RegistryUnauthorized),
        ("authentication required", ErrorCode::RegistryUnauthorized),
        ("no basic auth credentials", ErrorCode::RegistryUnauthorized),
        ("x509:", ErrorCode::RegistryTls),
        ("tls: ", ErrorCode::RegistryTls),
    ];
    let lower = text.to_lowercase();
    let known = KNOWN.iter().find(|(known, _)| lower.contains(known));
    let code = known.map_or(ErrorCode::RegistryUnreachable, |(_, code)| *code);
    let text = printable(text);
    Failure::new(code, format!("the engine cannot pull {image}: {text}"))
        .with("image", image.to_string())
        .with("host", image.host.as_str())
        .with("engine_message", text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn t25_a_name_is_used_only_where_the_store_says_that_it_means_this_image() {
        let wanted = ImageReference::parse("reg.example/team/app:1").unwrap();
        let stored = |tags: &[&str], digests: &[&str]| {
            StoredImage(json!({"Id": "sha256:5", "RepoTags": tags, "RepoDigests": digests}))
        };
        let digest = format!("reg.example/team/app@sha256:{}", "a".repeat(64));
        assert_eq!(stored(&["x:1", "reg.example/team/app:1"], &[&digest]).name_for(&wanted), "reg.example/team/app:1");
        // The tag moved on: it is another image's name now.
        assert_eq!(stored(&["reg.example/team/app:2"], &[&digest]).name_for(&wanted), digest);
        assert_eq!(stored(&["<none>:<none>"], &["<none>@<none>"]).name_for(&wanted), "sha256:5");
        // Docker Hub's names are shown short.
        let hub = ImageReference::parse("nginx:1.27").unwrap();
        assert_eq!(stored(&["nginx:1.27"], &[]).name_for(&hub), "nginx:1.27");
    }

    #[test]
    fn refused_pulls_have_their_codes() {
        let image = ImageReference::parse("reg.example/a:1").unwrap();
        for (text, code) in [
            ("manifest for reg.example/a@sha256:1 not found: manifest unknown", ErrorCode::ManifestUnknown),
            ("no matching manifest for linux/amd64 in the manifest list entries", ErrorCode::ImagePlatform),
            ("unauthorized: authentication required", ErrorCode::RegistryUnauthorized),
            ("pull access denied for a, repository does not exist", ErrorCode::RegistryDenied),
            ("toomanyrequests: later", ErrorCode::RegistryRateLimited),
            ("write /x: no space left on device", ErrorCode::EngineDiskFull),
            ("Get \"https://reg.example/v2/\": dial tcp: connection refused", ErrorCode::RegistryUnreachable),
            ("http: server gave HTTP response to HTTPS client", ErrorCode::RegistryPlainHttp),
        ] {
            assert_eq!(refused(&image, text).code, code, "{text}");
        }
    }
}
