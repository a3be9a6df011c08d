//! Pulling from a real registry, as from a mirror of a host that does not exist.

use crate::support::Desk;
use slipway_core::image::{ImageReference, RegistryLogin};
use slipway_core::ports::BuildEngine;
use slipway_core::{ErrorCode, Secret};
use slipway_testkit::{Login, RegistryServer};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn an_image_comes_with_its_login_and_platform_only() {
    let desk = Desk::new().await;
    let registry = RegistryServer::start(Some(Login::new("u", "p")), true).await;
    let login = RegistryLogin::Basic { username: "u".into(), password: Secret::new("p") };
    let image = desk.image_at(&registry.host(), "v1").await;
    desk.push(&image, &login).await.result.unwrap();
    let id = desk.engine.image(&image.to_string()).await.unwrap().unwrap().id;
    desk.engine.untag(&image.to_string()).await.unwrap();

    let cancel = CancellationToken::new();
    let own = desk.engine.info().await.unwrap().platform;
    let refused = desk.engine.pull(&image, None, &RegistryLogin::Anonymous, &cancel).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::BaseImageMissing, "{refused:?}");
    let missing = ImageReference::parse(&format!("{}/{}:v2", registry.host(), desk.name())).unwrap();
    let refused = desk.engine.pull(&missing, Some(&own), &login, &cancel).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::BaseImageMissing, "{refused:?}");
    assert_eq!(desk.engine.image(&image.to_string()).await.unwrap(), None);

    desk.engine.pull(&image, Some(&own), &login, &cancel).await.unwrap();
    assert_eq!(desk.engine.image(&image.to_string()).await.unwrap().unwrap().id, id);
    desk.engine.untag(&image.to_string()).await.unwrap();

    cancel.cancel();
    let cancelled = desk.engine.pull(&image, Some(&own), &login, &cancel).await.unwrap_err();
    assert_eq!(cancelled.code, ErrorCode::Cancelled);
}
