//! At start: what an earlier run left open goes back into the queue. The outside is asked when the build goes on: an image
//! that the engine finished is adopted (`pipeline::build`), a tag that the registry holds already counts as done
//! (`pipeline::publish`). So nothing here needs an engine or a registry that may be away.

use crate::Parts;
use slipway_core::Failure;
use slipway_core::build::BuildState;
use slipway_store::BuildPatch;

/// Settles every row that says that somebody works on it: at start nobody does.
pub(crate) async fn settle(parts: &Parts) -> Result<(), Failure> {
    for build in parts.store.non_final().await? {
        if build.state != BuildState::Running {
            continue;
        }
        let now = parts.now();
        if build.cancel_requested {
            parts.store.finish(build.id, BuildState::Cancelled, Some(&Failure::cancelled()), None, now).await?;
        } else {
            tracing::info!(build = %build.id, stage = ?build.stage, "an interrupted build goes on");
            parts
                .store
                .transition(build.id, BuildState::Running, BuildState::Queued, &BuildPatch::default(), now)
                .await?;
        }
    }
    // Killed between an end and its notice.
    parts.tell_ends().await;
    Ok(parts.store.end_publications_of_ended_builds().await?)
}
