//! What fills the engine's disk, and taking away images of ours. Only images of the desk are removed, and no cache ever: both
//! engines that answer here follow a script where it would be everybody's.

use crate::support::{Desk, ScriptedEngine, short};
use slipway_core::ErrorCode;
use slipway_core::disk_budget::StoredImage;
use slipway_core::image::{ImageId, ImageReference};
use slipway_core::ports::{BuildEngine, Deadlines};
use std::sync::{Arc, Mutex};

async fn stored(desk: &Desk, id: &ImageId) -> Option<StoredImage> {
    desk.engine.stored_images().await.unwrap().into_iter().find(|image| image.id == *id)
}

fn name(desk: &Desk, tag: &str) -> ImageReference {
    ImageReference::parse(&format!("team/{}:{tag}", desk.name())).unwrap()
}

#[tokio::test]
async fn an_image_is_listed_with_its_layers_whether_it_has_a_name_or_not() {
    let desk = Desk::new().await;
    let mark = desk.next_build().to_string();
    let (first_build, first) = desk.build(&[("a", &mark)], &[]).await;
    let (second_build, second) = desk.build(&[("a", &format!("{mark} longer"))], &[]).await;
    for (build, image) in [(first_build, &first), (second_build, &second)] {
        desk.engine.tag(&image.id, &name(&desk, "moving")).await.unwrap();
        desk.engine.forget_build(build).await.unwrap();
    }
    let nameless = stored(&desk, &first.id).await.unwrap();
    let named = stored(&desk, &second.id).await.unwrap();
    assert_eq!((nameless.names.len(), named.names.len()), (0, 1), "{nameless:?} {named:?}");
    assert_eq!(nameless.build.as_deref(), Some(first_build.to_string().as_str()));
    let base = desk.engine.image(&desk.base).await.unwrap().unwrap().id;
    let base = stored(&desk, &base).await.unwrap();
    // What stands on the same base shares its layers, and no others.
    let chains = |image: &StoredImage| image.layers.iter().map(|layer| layer.chain.clone()).collect::<Vec<_>>();
    let shared = base.layers.len();
    assert_eq!(chains(&named)[..shared], chains(&base));
    assert_eq!(chains(&named)[..shared], chains(&nameless)[..shared]);
    assert_ne!(chains(&named)[shared..], chains(&nameless)[shared..]);
    assert!(named.layers.iter().all(|layer| layer.bytes > 0), "{named:?}");
    assert_eq!((base.build.clone(), base.in_use || nameless.in_use), (None, base.in_use));
}

#[tokio::test]
async fn f33_an_image_goes_by_its_id_unless_a_container_or_somebodys_name_needs_it() {
    let desk = Desk::new().await;
    let mark = desk.next_build().to_string();
    let (build, built) = desk.build(&[("a", &mark)], &[]).await;
    for tag in ["1", "2"] {
        desk.engine.tag(&built.id, &name(&desk, tag)).await.unwrap();
    }
    // As it was looked at before somebody gave it a name of another repository.
    let before = stored(&desk, &built.id).await.unwrap();
    let others = format!("somebody/{}:1", desk.name());
    desk.witness.docker_ok(&["tag", &built.id.0, &others]).await;
    assert_eq!(desk.engine.remove_image(&before).await.unwrap_err().code, ErrorCode::InUse);
    assert!(stored(&desk, &built.id).await.unwrap().names.contains(&others));
    desk.witness.docker_ok(&["rmi", &others]).await;

    let (label, now) = (desk.label(), stored(&desk, &built.id).await.unwrap());
    let container = desk.witness.docker_ok(&["create", "--label", &label, &built.id.0, "sh"]).await;
    assert!(stored(&desk, &built.id).await.unwrap().in_use);
    assert_eq!(desk.engine.remove_image(&now).await.unwrap_err().code, ErrorCode::InUse);
    assert!(stored(&desk, &built.id).await.is_some());
    desk.witness.docker_ok(&["rm", container.trim()]).await;

    let now = stored(&desk, &built.id).await.unwrap();
    desk.engine.remove_image(&now).await.unwrap();
    assert_eq!(stored(&desk, &built.id).await, None);
    desk.engine.remove_image(&now).await.unwrap();
    assert_eq!(desk.engine.built_image(build).await.unwrap(), None);
    assert!(desk.engine.image(&desk.base).await.unwrap().is_some(), "the base image is not ours");
}

#[tokio::test]
async fn f06_an_engine_that_says_nothing_about_its_images_runs_into_the_deadline() {
    let silent = ScriptedEngine::new(short(), |_| None);
    assert_eq!(silent.engine.stored_images().await.unwrap_err().code, ErrorCode::EngineLost);
    let image = StoredImage {
        id: ImageId("sha256:1".into()),
        names: Vec::new(),
        digests: Vec::new(),
        build: None,
        layers: Vec::new(),
        in_use: false,
    };
    assert_eq!(silent.engine.remove_image(&image).await.unwrap_err().code, ErrorCode::EngineLost);
    tokio::time::pause();
    assert_eq!(silent.engine.build_cache().await.unwrap_err().code, ErrorCode::EngineLost);
}

#[tokio::test]
async fn the_cache_is_counted_and_shrunk_with_what_old_and_new_engines_understand() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&asked);
    let engine = ScriptedEngine::new(Deadlines::default(), move |line| {
        seen.lock().unwrap().push(line.to_owned());
        let body = if line.starts_with("POST") {
            r#"{"CachesDeleted":["a"],"SpaceReclaimed":70}"#
        } else {
            r#"{"LayersSize":9,"BuildCache":[{"Size":5,"Shared":false},{"Size":9,"Shared":true}]}"#
        };
        Some(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    });
    assert_eq!(engine.engine.build_cache().await.unwrap().bytes, 5);
    assert_eq!(engine.engine.shrink_build_cache(3).await.unwrap(), 70);
    let asked = asked.lock().unwrap();
    assert_eq!(asked[1], "POST /build/prune?keep-storage=3&reserved-space=3 HTTP/1.1");
}
