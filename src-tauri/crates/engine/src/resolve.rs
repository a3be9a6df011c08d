//! Can the engine get a base image for a platform: from its own store, as the build would, else from the registry that the
//! engine (with its mirrors and its network) sees.

use crate::client::{EngineClient, encode, registry_auth, request};
use crate::images::{Images, WirePlatform};
use crate::registry_errors::{classify, from_status};
use slipway_core::image::{ImageReference, Platform, RegistryLogin};
use slipway_core::{ErrorCode, Failure};

#[derive(serde::Deserialize)]
struct Distribution {
    #[serde(rename = "Platforms", default)]
    platforms: Option<Vec<WirePlatform>>,
}

/// Succeeds when the image can be had for the platform.
pub(crate) async fn can_resolve(
    client: &EngineClient,
    images: &Images,
    image: &ImageReference,
    platform: &Platform,
    login: &RegistryLogin,
) -> Result<(), Failure> {
    let stored = images.image(&name_of(image)).await?;
    if stored.is_some_and(|stored| fits(&stored.platform, platform)) {
        return Ok(());
    }
    let mut call = request(http::Method::GET, &format!("/distribution/{}/json", encode(&name_of(image))))?;
    call.headers_mut().insert("X-Registry-Auth", registry_auth(image.host.as_str(), login)?);
    let answer = client.call_with(call).await?;
    if !answer.status.is_success() {
        return Err(refused(image, answer.status.as_u16(), &answer.message()));
    }
    let offered: Vec<Platform> =
        answer.json::<Distribution>()?.platforms.unwrap_or_default().into_iter().map(Platform::from).collect();
    // Attestations appear as unknown/unknown; a registry that tells no platform leaves the decision to the build.
    let real: Vec<&Platform> = offered.iter().filter(|p| !p.os.is_empty() && p.os != "unknown").collect();
    if real.is_empty() || real.iter().any(|offer| fits(offer, platform)) {
        return Ok(());
    }
    let list = real.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Failure::new(ErrorCode::BaseImagePlatform, format!("{image} has no variant for {platform}, only {list}"))
        .with("image", image.to_string())
        .with("platform", platform.to_string())
        .with("platforms", list))
}

/// With a digest the tag is left out: the engine refuses to look up both.
fn name_of(image: &ImageReference) -> String {
    match (&image.digest, &image.tag) {
        (Some(digest), _) => format!("{}@{digest}", image.repository()),
        (None, Some(tag)) => format!("{}:{tag}", image.repository()),
        (None, None) => image.repository(),
    }
}

/// A missing variant fits every variant, as in the engine's own choice of arm64 and arm64/v8.
fn fits(offer: &Platform, wanted: &Platform) -> bool {
    let variants_agree = match (&offer.variant, &wanted.variant) {
        (Some(offer), Some(wanted)) => offer == wanted,
        _ => true,
    };
    offer.os == wanted.os && offer.architecture == wanted.architecture && variants_agree
}

/// "Not there" and "not for you" look the same from outside, so both are a missing image.
pub(crate) fn refused(image: &ImageReference, status: u16, text: &str) -> Failure {
    use ErrorCode as E;
    let code = match classify(text).or_else(|| from_status(status)) {
        Some(
            E::RegistryUnauthorized
            | E::RegistryDenied
            | E::RegistryNameUnknown
            | E::RegistryNameInvalid
            | E::ManifestUnknown
            | E::ImageGone,
        ) => E::BaseImageMissing,
        Some(E::RegistryRateLimited) => E::BaseImageRateLimited,
        _ => E::BaseImageUnreachable,
    };
    Failure::new(code, format!("the engine cannot resolve {image}: {text}"))
        .with("image", image.to_string())
        .with("host", image.host.as_str())
        .with("engine_message", text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn variants_and_refusals() {
        let platform = |text: &str| text.parse::<Platform>().unwrap();
        assert!(fits(&platform("linux/arm64/v8"), &platform("linux/arm64")));
        assert!(fits(&platform("linux/arm64"), &platform("linux/arm64/v8")));
        assert!(!fits(&platform("linux/arm/v6"), &platform("linux/arm/v7")));
        assert!(!fits(&platform("linux/amd64"), &platform("linux/arm64")));

        let image = ImageReference::parse("nowhere.invalid/a:1").unwrap();
        for (status, text, code) in [
            (401, "unauthorized: authentication required", ErrorCode::BaseImageMissing),
            (404, "manifest unknown: manifest unknown", ErrorCode::BaseImageMissing),
            (403, "errors: denied: requested access to the resource is denied", ErrorCode::BaseImageMissing),
            (
                500,
                "Get \"https://nowhere.invalid/v2/\": dial tcp: lookup nowhere.invalid: no such host",
                ErrorCode::BaseImageUnreachable,
            ),
            (500, "toomanyrequests: You have reached your pull rate limit", ErrorCode::BaseImageRateLimited),
            (500, "never seen", ErrorCode::BaseImageUnreachable),
        ] {
            assert_eq!(refused(&image, status, text).code, code, "{text}");
        }
    }

    #[test]
    fn a_digest_wins_over_the_tag() {
        let digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        let image = ImageReference::parse(&format!("a:1@{digest}")).unwrap();
        assert_eq!(name_of(&image), format!("docker.io/library/a@{digest}"));
        assert_eq!(name_of(&ImageReference::parse("a").unwrap()), "docker.io/library/a:latest");
    }
}
