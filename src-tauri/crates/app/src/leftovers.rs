//! What is left behind when a run is killed, or an engine goes away, between the end of something and its tidying: private
//! names on engines, logs of records that are gone. Looked for once in each run and whenever something stayed; an engine that
//! is away is asked again later.

use crate::Parts;
use crate::triggers::keep;
use slipway_core::Failure;
use slipway_core::ids::BuildId;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// An engine that is slow is asked again later.
const DEADLINE: Duration = Duration::from_secs(60);

/// Runs until the application stops.
pub(crate) async fn run(parts: Arc<Parts>) {
    if let Err(failure) = logs(&parts).await {
        tracing::warn!(%failure, "logs of deleted records may be left");
    }
    let mut rounds = 0_u32;
    loop {
        let away = match engines(&parts).await {
            Ok(engines) => tidy(&parts, engines).await,
            Err(failure) => {
                tracing::warn!(%failure, "private names may be left on engines");
                true
            }
        };
        rounds = if away { rounds + 1 } else { 0 };
        // An engine that stays away is asked more and more rarely.
        let pause = parts.pace.recheck * (1 << rounds.min(6)) / 2;
        tokio::select! {
            () = parts.stop.cancelled() => return,
            () = tokio::time::sleep(pause), if away => continue,
            () = parts.tidy_wake.notified() => {}
        }
        // The engine that something stayed on was away a moment ago.
        tokio::select! {
            () = parts.stop.cancelled() => return,
            () = tokio::time::sleep(parts.pace.recheck) => {}
        }
    }
}

/// Tidies these engines. Returns whether something is left on one of them, which is away or refuses.
async fn tidy(parts: &Parts, engines: HashSet<String>) -> bool {
    let mut away = false;
    for engine in engines {
        let tidied = tokio::time::timeout(DEADLINE, builds(parts, &engine)).await;
        let is_tidy = matches!(tidied, Ok(Ok(()))) && keep::tidy(parts, &engine).await;
        if !is_tidy {
            tracing::debug!(engine, "the engine cannot be tidied now");
            away = true;
        }
    }
    away
}

/// Removes the logs of records that are gone.
async fn logs(parts: &Parts) -> Result<(), Failure> {
    // In this order: a log that begins after the list was made belongs to a record.
    let logs = parts.logs.ids();
    let records = parts.store.build_ids().await?;
    for build in logs.difference(&records) {
        parts.logs.remove(*build);
    }
    Ok(())
}

/// Returns the engines that builds ran on or images are kept on.
async fn engines(parts: &Parts) -> Result<HashSet<String>, Failure> {
    let mut engines = parts.store.engines_of_builds().await?;
    for target in parts.store.targets().await? {
        engines.extend(target.target.engine().map(str::to_owned));
    }
    Ok(engines)
}

/// Takes away the private names of builds that are over.
async fn builds(parts: &Parts, name: &str) -> Result<(), Failure> {
    let engine = parts.engine(name)?;
    // In this order: what is named after the list was made belongs to a build that is not over.
    let images = engine.images().await?;
    let wanted: HashSet<String> =
        parts.store.non_final().await?.iter().map(|build| engine.private_name(build.id)).collect();
    let numbered = engine.private_name(BuildId(0));
    let prefix = numbered.trim_end_matches('0');
    let is_ours = |name: &&String| {
        name.strip_prefix(prefix).is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let left = images.iter().flat_map(|image| &image.tags).filter(is_ours).filter(|name| !wanted.contains(*name));
    keep::untag_all(engine.as_ref(), left).await
}
