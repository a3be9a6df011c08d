//! Watching a rollout, or its way back, to its end.

use super::Place;
use super::cluster::Cluster;
use super::workload::{self, Pod, Progress, Workload};
use slipway_core::deploy::{DeployJournal, HealthGate, TargetState, WorkloadKind};
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The longest time without a look: pods tell their troubles without the workload changing.
const LONGEST: Duration = Duration::from_secs(2);
/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(100);
/// With these no later try of the kubelet can go better.
const FINAL: [&str; 2] = ["InvalidImageName", "ErrImageNeverPull"];

/// How far it came, so that what stands still can be told from what is slow.
#[derive(Default)]
struct Seen {
    best: (u64, usize),
    moved: Option<Instant>,
    told: BTreeSet<String>,
    /// Since when everything runs, and which pods with how many restarts.
    settled: Option<(Instant, Vec<(String, u64)>)>,
}

/// Looks until the rollout of `image` ended; `ours` says whether the specification is still the one that is watched.
///
/// The deadline of the gate counts from the last pod that came up. A cluster that is away is waited for as long.
pub(super) async fn watch(
    place: &Place<'_>,
    deadlines: &Deadlines,
    gate: &HealthGate,
    image: &str,
    journal: &dyn DeployJournal,
    cancel: &CancellationToken,
    ours: impl Fn(&Workload) -> bool + Sync,
) -> Result<TargetState, Failure> {
    let deadline = Duration::from_secs(gate.deadline_seconds.into());
    let stay_up = Duration::from_secs(gate.stay_up_seconds.into());
    let list = workload::list_path(place.kind, place.namespace)?;
    let began = Instant::now();
    let mut seen = Seen::default();
    let mut cluster = place.connected(deadlines).await?;
    let mut signed_in_again = false;
    loop {
        let mut version = String::new();
        let mut longest = LONGEST;
        let looked = match look(place, &cluster).await {
            // Logins end during long rollouts; the kubeconfig may have a new one.
            Err(failure) if failure.code == ErrorCode::ClusterUnauthorized && !signed_in_again => {
                (cluster, signed_in_again) = (place.connected(deadlines).await?, true);
                continue;
            }
            looked => looked,
        };
        let why = match looked {
            Err(failure) if super::passes(&failure) => failure,
            Err(failure) => return Err(failure),
            Ok((workload, pods)) => {
                signed_in_again = false;
                version = workload.version().to_owned();
                if !ours(&workload) {
                    return Err(workload::changed(place.workload));
                }
                let new: Vec<&Pod> = pods.iter().filter(|pod| pod.image(place.container) == Some(image)).collect();
                seen.tell(&workload, &new, journal).await;
                match workload.progress() {
                    Progress::GaveUp(why) => return Err(unhealthy(place, &why, &new)),
                    Progress::Done => {
                        let up = seen.settle(&new);
                        if up >= stay_up || place.kind == WorkloadKind::CronJob {
                            return Ok(workload.state(place.container, &pods));
                        }
                        longest = longest.min(stay_up - up);
                    }
                    Progress::NotYet => {
                        seen.settled = None;
                        let hopeless = |pod: &&&Pod| pod.troubles().iter().any(|one| FINAL.contains(&one.0.as_str()));
                        if new.iter().any(|pod| hopeless(&pod)) {
                            return Err(unhealthy(place, "the image cannot be run", &new));
                        }
                    }
                }
                unhealthy(place, &format!("nothing came up within {} s", deadline.as_secs()), &new)
            }
        };
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        if seen.moved.unwrap_or(began).elapsed() >= deadline {
            return Err(why);
        }
        let news = async {
            tokio::time::sleep(SHORTEST.min(longest)).await;
            if version.is_empty() {
                tokio::time::sleep(SHORTEST * 5).await;
            } else {
                cluster.news(&list, place.workload, &version, longest).await;
            }
        };
        tokio::select! {
            () = cancel.cancelled() => {}
            () = news => {}
        }
    }
}

async fn look(place: &Place<'_>, cluster: &Cluster) -> Result<(Workload, Vec<Pod>), Failure> {
    let workload = place.find(cluster).await?;
    let pods = place.pods(cluster, &workload).await?;
    Ok((workload, pods.into_iter().filter(|pod| !pod.is_ending()).collect()))
}

impl Seen {
    /// Writes down what is new: how many are up, and what keeps others from it.
    async fn tell(&mut self, workload: &Workload, new: &[&Pod], journal: &dyn DeployJournal) {
        let up = new.iter().filter(|pod| pod.troubles().is_empty()).count();
        let now = (workload.updated(), usize::try_from(workload.replicas().ready).unwrap_or(usize::MAX).min(up));
        // One that crashes and comes back is no progress.
        if now.0 > self.best.0 || now.1 > self.best.1 {
            self.best = (self.best.0.max(now.0), self.best.1.max(now.1));
            self.moved = Some(Instant::now());
            let replicas = workload.replicas();
            let line =
                format!("{} of {} updated, {} available in all", workload.updated(), replicas.wanted, replicas.ready);
            journal.line(&line).await;
        }
        for (_, sentence) in new.iter().flat_map(|pod| pod.troubles()) {
            if self.told.insert(sentence.clone()) {
                journal.line(&sentence).await;
            }
        }
    }

    /// Returns for how long the same pods run without a restart.
    fn settle(&mut self, new: &[&Pod]) -> Duration {
        let mut pods: Vec<(String, u64)> = new.iter().map(|pod| (pod.text("uid"), pod.restarts())).collect();
        pods.sort();
        let same = self.settled.take().filter(|(_, before)| *before == pods);
        let (since, pods) = same.unwrap_or_else(|| (Instant::now(), pods));
        let up = since.elapsed();
        self.settled = Some((since, pods));
        up
    }
}

/// The new one does not run: with what the cluster says about its pods.
fn unhealthy(place: &Place<'_>, why: &str, new: &[&Pod]) -> Failure {
    let mut errors: Vec<String> = new.iter().flat_map(|pod| pod.troubles()).map(|trouble| trouble.1).collect();
    errors.sort();
    errors.dedup();
    let first = errors.first().map(|error| format!("; {error}")).unwrap_or_default();
    Failure::new(ErrorCode::TargetUnhealthy, format!("the rollout of {} failed: {why}{first}", place.workload))
        .with("workload", place.workload)
        .with("errors", errors.join("; "))
}
