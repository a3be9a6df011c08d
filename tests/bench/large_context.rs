//! B1 and B2: a context of 100 MB in 1,000 files.

use crate::direct::Direct;
use crate::figures::{Figure, Turns, millis};
use crate::peer::{DockerCli, clone};
use crate::place::Place;
use slipway_testkit::{GitRepository, TempDataDir};
use std::time::Instant;

const RUNS: usize = 7;
const FILES: u64 = 1_000;
const FILE_BYTES: usize = 100_000;
/// Private tags of builds made without the product; its own ids are small.
const FIRST_BUILD: i64 = 8_800_000;

/// B1. The image holds the 100 MB; the commit changes a file of the context that no instruction copies. So both builds end
/// with every step cached, and what is measured is finding that out. Ours: fetch into the mirror, open the commit, Solve.
/// The other side: `git fetch`, checkout of the commit in an existing work tree, `docker buildx build`.
pub(crate) async fn nothing_changed(place: &Place) -> Figure {
    let code = bulky(place, &["COPY data /data"]).await;
    let first = code.commit("bulk").await;
    let folder = TempDataDir::new();
    let work_tree = clone(&code, &folder.path().join("clone")).await;
    let (direct, docker) = (Direct::new(&place.engine, &code), DockerCli::find(&place.engine).await);
    // The bulk travels once to each side before anything is timed.
    direct.build(direct.fetch_and_open(&first).await, FIRST_BUILD).await;
    docker.build(work_tree.path(), "slipway-test/bench:b1").await;
    let mut turns = Turns::default();
    for run in 0..RUNS {
        let commit = code.write("README.md", place.fresh("readme", run)).commit("readme").await;
        let ours = async {
            let begun = Instant::now();
            direct.build(direct.fetch_and_open(&commit).await, FIRST_BUILD).await;
            millis(begun.elapsed())
        };
        let peer = async {
            let begun = Instant::now();
            work_tree.git(&["fetch", "--quiet", "origin"]).await;
            work_tree.git(&["checkout", "--quiet", "--detach", &commit]).await;
            docker.build(work_tree.path(), "slipway-test/bench:b1").await;
            millis(begun.elapsed())
        };
        // The first of the two finds caches of the disk colder: the order changes with every run.
        if run % 2 == 0 {
            turns.ours.push(ours.await);
            turns.peer.push(peer.await);
        } else {
            turns.peer.push(peer.await);
            turns.ours.push(ours.await);
        }
    }
    direct.forget(FIRST_BUILD).await;
    turns.ratio()
}

/// B2. The bulk in one `COPY`, one small file changed in another. Ours is the whole product: a commit in a local clone until
/// the registry has the tag. The other side: `git pull` in an existing clone, `docker buildx build`, `docker push`. Each side
/// has code of its own, so that neither finds the small layer of the other in the engine's cache.
pub(crate) async fn one_file_changed(place: &Place) -> Figure {
    let instructions = ["COPY data /data", "COPY app /app"];
    let mut watched = place.watch("bench/large", bulky(place, &instructions).await).await;
    let theirs = bulky(place, &instructions).await;
    theirs.write("app/small", place.fresh("theirs", RUNS)).commit("bulk").await;
    let folder = TempDataDir::new();
    let work_tree = clone(&theirs, &folder.path().join("clone")).await;
    let docker = DockerCli::find(&place.engine).await;
    let tag = |run: usize| format!("{}/bench/large-peer:{run}", place.registry.host());
    watched.code.write("app/small", place.fresh("ours", RUNS));
    place.commit_to_tag(&mut watched, "bulk").await;
    docker.build(work_tree.path(), &tag(RUNS)).await;
    docker.push(&tag(RUNS)).await;
    let mut turns = Turns::default();
    for run in 0..RUNS {
        watched.code.write("app/small", place.fresh("ours", run));
        turns.ours.push(millis(place.commit_to_tag(&mut watched, "small change").await));
        theirs.write("app/small", place.fresh("theirs", run)).commit("small change").await;
        let begun = Instant::now();
        work_tree.git(&["pull", "--quiet", "--ff-only"]).await;
        docker.build(work_tree.path(), &tag(run)).await;
        docker.push(&tag(run)).await;
        turns.peer.push(millis(begun.elapsed()));
    }
    turns.ratio()
}

/// Writes 1,000 files of 100 KB that do not compress, the same ones in every run, and a Dockerfile.
async fn bulky(place: &Place, instructions: &[&str]) -> GitRepository {
    let code = GitRepository::new().await;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for file in 0..FILES {
        let mut bytes = Vec::with_capacity(FILE_BYTES + 8);
        while bytes.len() < FILE_BYTES {
            // xorshift64: all that matters is that neither git nor a registry can pack it.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend(state.to_le_bytes());
        }
        bytes.truncate(FILE_BYTES);
        code.write(&format!("data/{:02}/{file:04}.bin", file % 20), bytes);
    }
    let dockerfile = format!("FROM {}\n{}\n", place.base.reference(), instructions.join("\n"));
    code.write("Dockerfile", dockerfile);
    code
}
