//! Pulling one image: our own call, because closing the connection stops it.

use crate::client::{EngineClient, encode, printable};
use crate::resolve;
use crate::transfer::{Direction, Transfer};
use slipway_core::image::{ImageReference, Platform, RegistryLogin};
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use tokio_util::sync::CancellationToken;

/// Pulls one image into the engine's store.
pub(crate) async fn pull(
    client: &EngineClient,
    deadlines: &Deadlines,
    image: &ImageReference,
    platform: Option<&Platform>,
    login: &RegistryLogin,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    // Without a tag the engine would pull every tag of the repository.
    let version = match (&image.digest, &image.tag) {
        (Some(digest), _) => digest.as_str(),
        (None, Some(tag)) => tag.as_str(),
        (None, None) => "latest",
    };
    let mut path = format!("/images/create?fromImage={}&tag={}", encode(&image.repository()), encode(version));
    if let Some(platform) = platform {
        path.push_str(&format!("&platform={}", encode(&platform.to_string())));
    }
    let (direction, progress) = (Direction::Pull, None);
    let transfer = Transfer { client, deadlines, direction, image, login, progress, cancel };
    let result = transfer.run(&path, |text, status| refused(image, text, status), |_| None).await;
    result.map_err(|failure| failure.with("host", image.host.as_str()))
}

fn refused(image: &ImageReference, text: &str, status: Option<u16>) -> Failure {
    let text = printable(text);
    if text.contains("no space left on device") {
        return Failure::new(ErrorCode::EngineDiskFull, format!("the pull of {image} failed: {text}"));
    }
    resolve::refused(image, status.unwrap_or_default(), &text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_the_engine_says_of_a_failed_pull() {
        let image = ImageReference::parse("mirror.example/library/nginx:1").unwrap();
        for (text, status, code) in [
            ("manifest unknown", None, ErrorCode::BaseImageMissing),
            ("toomanyrequests: later", None, ErrorCode::BaseImageRateLimited),
            ("never seen", Some(404), ErrorCode::BaseImageMissing),
            ("never seen", None, ErrorCode::BaseImageUnreachable),
            ("write /var/x: no space left on device", None, ErrorCode::EngineDiskFull),
        ] {
            assert_eq!(refused(&image, text, status).code, code, "{text}");
        }
    }
}
