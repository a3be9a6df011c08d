//! B3: what the product adds to a build that is nearly nothing.

use crate::direct::Direct;
use crate::figures::{Figure, Turns, millis};
use crate::place::Place;
use slipway_testkit::GitRepository;
use std::time::Instant;

const RUNS: usize = 9;
const FIRST_BUILD: i64 = 8_900_000;

/// Ours: a commit in a local clone until the registry has the tag, through the whole product. The other side: Solve and push
/// of such an image by the engine crate alone, its context opened before.
pub(crate) async fn excess(place: &Place) -> Figure {
    let mut watched = place.watch("bench/one-file", one_file().await).await;
    let bare = one_file().await;
    let direct = Direct::new(&place.engine, &bare);
    let mut turns = Turns::default();
    for run in 0..=RUNS {
        watched.code.write("hello", place.fresh("ours", run));
        let ours = millis(place.commit_to_tag(&mut watched, "hello").await);
        let commit = bare.write("hello", place.fresh("bare", run)).commit("hello").await;
        let opened = direct.fetch_and_open(&commit).await;
        let build = FIRST_BUILD + i64::try_from(run).expect("runs are few");
        let begun = Instant::now();
        let image = direct.build(opened, build).await;
        direct.push(&image, &format!("{}/bench/one-file-bare:{run}", place.registry.host())).await;
        let theirs = millis(begun.elapsed());
        direct.forget(build).await;
        // The first of each opens connections and files.
        if run > 0 {
            turns.ours.push(ours);
            turns.peer.push(theirs);
        }
    }
    turns.excess()
}

async fn one_file() -> GitRepository {
    let code = GitRepository::new().await;
    code.write("Dockerfile", "FROM scratch\nCOPY hello /hello\n").write("hello", "first\n").commit("first").await;
    code
}
