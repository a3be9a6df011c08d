//! Which images builds of this data folder made.

use super::{Setup, at, branch, setup};
use crate::{MadeImageRecord, NewPublication};
use slipway_core::build::{BuildState, BuiltImage, PublicationState, Upload};
use slipway_core::ids::BuildId;
use slipway_core::image::{ContentIdentity, ImageId, Tag};

fn image(digit: char) -> ImageId {
    ImageId(format!("sha256:{digit}"))
}

async fn built(s: &Setup, digit: char, upload: Option<Upload>) -> BuildId {
    let main = branch("main");
    let observation = s.push(&main, digit).await;
    let mut new = s.push_build(&main, digit, observation);
    new.inputs.upload = upload;
    let build = s.store.create_build(&new, at(1)).await.unwrap().id;
    s.store.claim(build, "boot", at(2)).await.unwrap();
    let (id, content) = (image(digit), ContentIdentity(digit.to_string()));
    s.store.set_result(build, &BuiltImage { id, content, size: 1, platforms: vec![] }).await.unwrap();
    build
}

#[tokio::test]
async fn an_image_is_known_after_its_record_is_gone_and_what_was_uploaded_is_not_ours() {
    let s = setup().await;
    let made = built(&s, 'a', None).await;
    built(&s, 'b', Some(Upload::LocalImage { name: "a:b".into(), image: image('b') })).await;
    s.store.finish(made, BuildState::Failed, None, None, at(3)).await.unwrap();
    s.store.delete_record(made).await.unwrap();
    let (a, b) = (image('a'), image('b'));
    let known = s.store.made_images(&[&a, &b]).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known[&a], MadeImageRecord { build: made, made_at: at(2) });
    s.store.forget_made_image(&a).await.unwrap();
    assert!(s.store.made_images(&[&a]).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_names_of_an_image_are_those_that_were_seen_where_they_belong() {
    let s = setup().await;
    let build = built(&s, 'a', None).await;
    let tags = ["kept", "failed"].map(|tag| Tag::new(tag).unwrap());
    let new = tags.clone().map(|tag| NewPublication { target: format!("r.example/team/app:{tag}"), tag });
    let publications = s.store.create_publications(build, &new).await.unwrap();
    for (publication, state) in publications.iter().zip([PublicationState::Done, PublicationState::Failed]) {
        s.store.start_publication(publication.id).await.unwrap();
        s.store.finish_publication(publication.id, state, None, None, at(4)).await.unwrap();
    }
    let (a, b) = (image('a'), image('b'));
    let names = s.store.published_as(&[&a, &b]).await.unwrap();
    assert_eq!(names[&a].iter().collect::<Vec<_>>(), [&(s.repository, tags[0].clone())]);
    assert!(!names.contains_key(&b));
}
