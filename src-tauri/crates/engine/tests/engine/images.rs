//! Built images, their names and their identity.

use crate::support::Desk;
use slipway_core::ErrorCode;
use slipway_core::image::{ImageId, ImageReference};
use slipway_core::ports::{BuildEngine, Deadlines};
use slipway_engine::{DockerEngine, Transport, private_tag};

#[tokio::test]
async fn a_finished_build_is_found_again_and_forgotten() {
    let desk = Desk::new().await;
    let (build, built) = desk.build(&[("a", "1")], &[]).await;
    assert_eq!(desk.witness.image_id(&private_tag(build)).await.as_ref(), Some(&built.id.0));
    assert_eq!(built.platforms, [desk.engine.info().await.unwrap().platform]);
    assert!(built.size > 0);

    // After a crash: another process asks.
    let transport = Transport::open(desk.witness.endpoint(), None, false).unwrap();
    let later = DockerEngine::new(transport, None, Deadlines::default()).unwrap();
    assert_eq!(later.built_image(build).await.unwrap(), Some(built));

    later.forget_build(build).await.unwrap();
    assert_eq!(later.built_image(build).await.unwrap(), None);
    later.forget_build(build).await.unwrap();
    assert!(desk.witness.image_id(&desk.base).await.is_some(), "the base image is not ours to remove");
}

#[tokio::test]
async fn identity_is_of_the_content_not_of_our_labels() {
    let desk = Desk::new().await;
    let files = [("a", "1"), ("b", "2")];
    let label = "org.opencontainers.image.revision";
    let (_, first) = desk.build(&files, &[("slipway.build", "1"), (label, "aaaa")]).await;
    let (_, again) = desk.build(&files, &[("slipway.build", "2"), (label, "bbbb")]).await;
    let (_, edited) = desk.build(&[("a", "1"), ("b", "3")], &[("slipway.build", "3")]).await;
    let (_, labelled) = desk.build(&files, &[("team", "x")]).await;
    assert_ne!(first.id, again.id, "labels make another image");
    assert_eq!(first.content, again.content);
    assert_ne!(first.content, edited.content);
    assert_ne!(first.content, labelled.content, "the user's own labels count");
}

#[tokio::test]
async fn f33_names_come_and_go_and_others_stay() {
    let desk = Desk::new().await;
    let (build, built) = desk.build(&[("a", "names")], &[]).await;
    let reference = |tag: &str| ImageReference::parse(&format!("team/{}:{tag}", desk.name())).unwrap();
    desk.engine.tag(&built.id, &reference("1")).await.unwrap();
    desk.engine.tag(&built.id, &reference("2")).await.unwrap();
    desk.engine.tag(&built.id, &reference("2")).await.unwrap();

    let image = desk.engine.image(&reference("1").to_string()).await.unwrap().unwrap();
    assert_eq!((&image.id, &image.content), (&built.id, &built.content));
    assert_eq!(image.tags.len(), 3, "{:?}", image.tags);
    assert!(!image.layers.is_empty() && image.labels.contains_key("slipway.test.desk"));

    assert_eq!(desk.engine.untag(&built.id.0).await.unwrap_err().code, ErrorCode::InvalidField);
    desk.engine.untag(&reference("1").to_string()).await.unwrap();
    desk.engine.untag(&reference("1").to_string()).await.unwrap();
    desk.engine.forget_build(build).await.unwrap();
    let image = desk.engine.image(&built.id.0).await.unwrap().unwrap();
    assert_eq!(image.tags, [format!("team/{}:2", desk.name())]);

    // A container of somebody's keeps the last name.
    let label = desk.label();
    let name = reference("2").to_string();
    desk.witness.docker_ok(&["create", "--label", &label, &name, "sh"]).await;
    assert_eq!(desk.engine.untag(&name).await.unwrap_err().code, ErrorCode::InUse);
    assert!(desk.engine.image(&name).await.unwrap().is_some());
}

#[tokio::test]
async fn images_of_a_repository_newest_first() {
    let desk = Desk::new().await;
    let repository = format!("team/{}", desk.name());
    let mut ids = Vec::new();
    for text in ["one", "two"] {
        let (_, built) = desk.build(&[("a", text)], &[]).await;
        let target = ImageReference::parse(&format!("{repository}:{text}")).unwrap();
        desk.engine.tag(&built.id, &target).await.unwrap();
        let near = ImageReference::parse(&format!("{repository}-near:{text}")).unwrap();
        desk.engine.tag(&built.id, &near).await.unwrap();
        ids.push(built.id);
    }
    let listed = desk.engine.images_of(&repository).await.unwrap();
    let mut found: Vec<_> = listed.iter().map(|image| image.id.clone()).collect();
    assert!(listed.is_sorted_by(|a, b| a.created >= b.created));
    found.sort_by(|a, b| a.0.cmp(&b.0));
    ids.sort_by(|a: &ImageId, b| a.0.cmp(&b.0));
    assert_eq!(found, ids);
    // The long form names the same repository; another host does not.
    assert_eq!(desk.engine.images_of(&format!("docker.io/{repository}")).await.unwrap().len(), 2);
    assert!(desk.engine.images_of(&format!("ghcr.io/{repository}")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_missing_image_is_gone() {
    let desk = Desk::new().await;
    let target = ImageReference::parse("team/x:1").unwrap();
    let missing = ImageId(format!("sha256:{}", "0".repeat(64)));
    assert_eq!(desk.engine.tag(&missing, &target).await.unwrap_err().code, ErrorCode::ImageGone);
    assert_eq!(desk.engine.image(&missing.0).await.unwrap(), None);
}
