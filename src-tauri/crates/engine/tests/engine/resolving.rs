//! Whether the engine can get a base image.

use crate::support::Desk;
use slipway_core::image::{ImageReference, Platform, RegistryLogin};
use slipway_core::ports::BuildEngine;
use slipway_core::{ErrorCode, Secret};
use slipway_testkit::{Login, RegistryServer, free_port};

fn foreign(own: &Platform) -> Platform {
    let architecture = if own.architecture == "s390x" { "amd64" } else { "s390x" };
    Platform { os: "linux".into(), architecture: architecture.into(), variant: None }
}

#[tokio::test]
async fn from_the_store_then_from_the_registry() {
    let desk = Desk::new().await;
    let own = desk.engine.info().await.unwrap().platform;
    let login = RegistryLogin::Basic { username: "u".into(), password: Secret::new("p") };
    let registry = RegistryServer::start(Some(Login::new("u", "p")), true).await;
    let image = desk.image_at(&registry.host(), "v1").await;
    let resolve = async |image: &ImageReference, platform: Option<&Platform>, login: &RegistryLogin| {
        desk.engine.can_resolve(image, platform, login).await
    };

    // In the store: no registry is asked, so no login is needed.
    resolve(&image, None, &RegistryLogin::Anonymous).await.unwrap();
    resolve(&image, Some(&own), &RegistryLogin::Anonymous).await.unwrap();

    desk.push(&image, &login).await.result.unwrap();
    desk.engine.untag(&image.to_string()).await.unwrap();
    resolve(&image, Some(&own), &login).await.unwrap();
    resolve(&image, None, &login).await.unwrap();
    let digest = registry.digest(&desk.name(), "v1").await.unwrap();
    let by_digest = ImageReference::parse(&format!("{image}@{digest}")).unwrap();
    resolve(&by_digest, None, &login).await.unwrap();

    let code = async |image: &ImageReference, platform: Option<&Platform>, login: &RegistryLogin| {
        resolve(image, platform, login).await.unwrap_err().code
    };
    assert_eq!(code(&image, Some(&foreign(&own)), &login).await, ErrorCode::BaseImagePlatform);
    assert_eq!(code(&image, None, &RegistryLogin::Anonymous).await, ErrorCode::BaseImageMissing);
    let missing = ImageReference::parse(&format!("{}:v2", image.repository())).unwrap();
    assert_eq!(code(&missing, None, &login).await, ErrorCode::BaseImageMissing);
    let nowhere = ImageReference::parse(&format!("127.0.0.1:{}/a:1", free_port())).unwrap();
    assert_eq!(code(&nowhere, None, &login).await, ErrorCode::BaseImageUnreachable);
    let unknown = ImageReference::parse("registry.nowhere.invalid/a:1").unwrap();
    assert_eq!(code(&unknown, None, &login).await, ErrorCode::BaseImageUnreachable);
}
