//! Who put what under a tag, the folders of uploads, and the disposable cache.

use super::{at, branch, setup};
use crate::{CopiedTag, ManifestFacts, NewBuild, NewPublication};
use slipway_core::build::{BuildKind, BuiltImage, PublicationState, Upload};
use slipway_core::image::{ContentIdentity, Digest, ImageId, Tag};

fn digest(letter: char) -> Digest {
    Digest::new(format!("sha256:{}", letter.to_string().repeat(64))).unwrap()
}

fn tag(name: &str) -> Tag {
    Tag::new(name).unwrap()
}

#[tokio::test]
async fn the_last_move_of_a_tag_knows_its_build_or_what_it_was_copied_from() {
    let s = setup().await;
    let observation = s.push(&branch("main"), 'a').await;
    let build = s.store.create_build(&s.push_build(&branch("main"), 'a', observation), at(1)).await.unwrap().id;
    let image = BuiltImage {
        id: ImageId("sha256:1".into()),
        content: ContentIdentity("c".into()),
        size: 1,
        platforms: Vec::new(),
    };
    s.store.set_result(build, &image).await.unwrap();
    let wanted = NewPublication { tag: tag("v1"), target: "host/team/app:v1".into() };
    let published = s.store.create_publications(build, &[wanted]).await.unwrap();
    let done = PublicationState::Done;
    s.store.finish_publication(published[0].id, done, Some(&digest('a')), None, at(2)).await.unwrap();
    let copied =
        CopiedTag { tag: tag("stable"), from: "v1".into(), digest: Some(digest('a')), image: None, content: None };
    s.store.record_copy(s.repository, &copied, true, at(3)).await.unwrap();

    let (v1, stable, none) = (tag("v1"), tag("stable"), tag("none"));
    let origins = s.store.tag_origins(s.repository, &[&v1, &stable, &none]).await.unwrap();
    assert_eq!(origins.len(), 2);
    assert_eq!(origins[&v1].build.as_ref().map(|build| build.id), Some(build));
    assert_eq!((origins[&stable].copied_from.as_deref(), &origins[&stable].build), (Some("v1"), &None));
    let by_digest = s.store.digest_origins(s.repository, &[&digest('a'), &digest('b')]).await.unwrap();
    assert_eq!(by_digest.keys().collect::<Vec<_>>(), [&digest('a')]);
    assert_eq!(by_digest[&digest('a')].build.as_ref().map(|build| build.id), Some(build), "also for the copy");
    let times = s.store.tag_times(s.repository).await.unwrap();
    assert_eq!((times["v1"], times["stable"]), (at(2), at(3)));
}

#[tokio::test]
async fn folders_of_uploads_are_needed_as_long_as_a_record_names_them() {
    let s = setup().await;
    let mut new = s.manual_build();
    let upload = |folder: &str| Upload::Dockerfile { folder: folder.into(), context: None, files: 0, bytes: 0 };
    new.inputs.upload = Some(upload("one"));
    let first = s.store.create_build(&new, at(1)).await.unwrap().id;
    let again = NewBuild { kind: BuildKind::Rerun, rerun_of: Some(first), ..new.clone() };
    let second = s.store.create_build(&again, at(1)).await.unwrap().id;
    new.inputs.upload = Some(Upload::LocalImage { name: "a:b".into(), image: ImageId("sha256:1".into()) });
    s.store.create_build(&new, at(1)).await.unwrap();
    for build in [first, second] {
        assert_eq!(s.store.upload_folders().await.unwrap().into_iter().collect::<Vec<_>>(), ["one"]);
        s.store.request_cancel(build, at(2)).await.unwrap();
        s.store.delete_record(build).await.unwrap();
    }
    assert!(s.store.upload_folders().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_damaged_cache_is_made_anew() {
    let s = setup().await;
    let facts = ManifestFacts {
        size: 5,
        platforms: vec!["linux/amd64".parse().unwrap()],
        created: Some(at(7)),
        parts: vec![digest('b')],
    };
    let cache = s.store.version_cache().await.unwrap();
    cache.keep_manifests(&[(digest('a'), facts.clone())], at(1)).await.unwrap();
    cache.keep_heads("host/team/app", &[("v1".into(), digest('a'))]).await.unwrap();
    cache.close().await;
    let cache = s.store.version_cache().await.unwrap();
    assert_eq!(cache.manifests(&[digest('a'), digest('b')]).await.unwrap()[&digest('a')], facts);
    assert_eq!(cache.heads("host/team/app").await.unwrap()["v1"], digest('a'));
    assert!(cache.heads("host/team/other").await.unwrap().is_empty());
    cache.close().await;
    std::fs::write(s.dir.path().join("data/cache.db"), "not a database, and long enough to be read as one".repeat(50))
        .unwrap();
    let cache = s.store.version_cache().await.unwrap();
    assert!(cache.heads("host/team/app").await.unwrap().is_empty());
}
