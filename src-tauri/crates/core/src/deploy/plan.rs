//! A plan as data: the console translates it, the journal writes it down, and a person reads it before and after.

use super::{ManagedBy, TargetState};
use crate::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long something new must prove itself before it counts as serving. An image with a HEALTHCHECK must become healthy;
/// without one it must stay up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct HealthGate {
    /// Without a health check: seconds that it must stay up, without a restart.
    pub stay_up_seconds: u32,
    /// Seconds after which something that is not healthy yet has failed.
    pub deadline_seconds: u32,
}

impl Default for HealthGate {
    /// 5 seconds, 5 minutes.
    fn default() -> Self {
        Self { stay_up_seconds: 5, deadline_seconds: 300 }
    }
}

/// What a plan came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Planned {
    /// It can be done like this.
    Ready {
        /// The steps.
        plan: DeployPlan,
    },
    /// The target runs this content already: nothing to do, nothing restarts.
    Unchanged {
        /// What it runs.
        before: TargetState,
    },
    /// It cannot be done faithfully; nothing was touched.
    Refused {
        /// Every reason.
        reasons: Vec<Refusal>,
        /// What it runs.
        before: TargetState,
    },
}

/// The steps of one attempt, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DeployPlan {
    /// What the target runs before.
    pub before: TargetState,
    /// The steps.
    pub steps: Vec<PlanStep>,
    /// What a person should know.
    pub notes: Vec<PlanNote>,
    /// What the plan was made from (ids and a version of the target, by name): `apply` refuses when they changed meanwhile.
    pub basis: BTreeMap<String, String>,
}

/// One step: what kind, to what, with which facts for the sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PlanStep {
    /// What is done.
    pub kind: StepKind,
    /// To what: the name of an image, container, network, service, workload, or a host.
    pub subject: String,
    /// More facts by name (`image`, `to`, `seconds`, `order`, `parallelism`, `replicas`, …).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

impl PlanStep {
    /// A step without further facts.
    #[must_use]
    pub fn new(kind: StepKind, subject: impl Into<String>) -> Self {
        Self { kind, subject: subject.into(), facts: BTreeMap::new() }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
}

/// Kinds of steps, of plans and of journals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Get the image from its registry, by digest.
    Pull,
    /// Run the new image beside the old one, without published ports.
    StartCandidate,
    /// Wait for the candidate's health.
    CheckCandidate,
    /// Take the candidate away.
    RemoveCandidate,
    /// Make the new container, under a name of its own and not started.
    Create,
    /// Stop the old one: the gap begins.
    StopOld,
    /// Rename the old one out of the way.
    RenameOld,
    /// Give the new one the old one's name.
    RenameNew,
    /// Start the new one: the gap ends.
    StartNew,
    /// Wait for the new one's health.
    CheckNew,
    /// Remove the stopped container of an earlier update.
    RemoveEarlier,
    /// Change the image in a service's or workload's specification.
    UpdateSpec,
    /// Wait for a rolling update to its end.
    WatchRollout,
    /// Call the webhook.
    Call,
    /// Undo: take the new one away.
    RemoveNew,
    /// Undo: give the old one its name back.
    RestoreName,
    /// Undo: start the old one.
    StartOld,
    /// Undo: prove that the old one serves.
    CheckOld,
    /// Undo: put the earlier specification back.
    RestoreSpec,
}

/// Something that a person should know before saying yes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PlanNote {
    /// The new one stands still between stop and start; the gap is measured.
    ShortGap,
    /// A later `up` returns to the image that the Compose file names, unless that is the moving tag.
    ComposeUpReturns {
        /// The Compose files, when the containers say where they are.
        files: Option<String>,
    },
    /// The host port was chosen by the engine and is kept from now on.
    PortKept {
        /// The port.
        port: u16,
    },
    /// The candidate is left out: two cannot run side by side.
    NoCandidate {
        /// Why, in English (`host network`).
        why: String,
    },
    /// Nodes may not be able to get this image: it is in no registry.
    LocalImageOnly,
    /// The service does not roll back by itself; Slipway does it when the update fails.
    RollbackAdded,
}

/// Why a target cannot be updated faithfully.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    /// The engine removes the container when it stops: nothing would be left to return to.
    AutoRemove,
    /// Legacy links; the engine cannot give them to a container again.
    Links {
        /// The linked containers.
        names: Vec<String>,
    },
    /// Other containers live in this one's network or process space and would lose it.
    SharedBy {
        /// Their names.
        names: Vec<String>,
    },
    /// Somebody else looks after it; choose that as the target.
    Managed {
        /// Who.
        by: ManagedBy,
    },
    /// It is paused.
    Paused,
    /// It does not run.
    Stopped,
    /// It is scaled to zero.
    ScaledToZero,
    /// It ends again and again already.
    Restarting,
    /// It is being removed, or dead.
    Dying,
    /// It is an old container or a candidate of ours.
    OurOwnSpare,
    /// A rollout is under way.
    RolloutUnderWay,
    /// The workload is controlled by another one.
    OwnedBy {
        /// `kind/name`.
        owner: String,
    },
    /// The pod has no container of this name.
    NoSuchContainer {
        /// The containers that it has.
        names: Vec<String>,
    },
    /// An `exec` plugin would run that no person allowed.
    ExecNotAllowed {
        /// Its command line.
        command: String,
    },
    /// The address is in a private network and no person allowed it.
    PrivateAddress {
        /// The host.
        host: String,
    },
    /// The address is public and begins with `http://`: the headers, which are secrets, would go there in clear text.
    ClearText {
        /// The host.
        host: String,
    },
    /// The image has no variant for the target's platform.
    Platform {
        /// The image's.
        image: String,
        /// The target's.
        target: String,
    },
    /// The target uses a setting that cannot be carried over.
    Unfaithful {
        /// The setting, as the engine names it.
        setting: String,
        /// Why, in English.
        why: String,
    },
}

impl Refusal {
    /// The reasons as one failure, for borders that know only failures.
    #[must_use]
    pub fn failure(reasons: &[Self]) -> Failure {
        let kinds: Vec<String> = reasons
            .iter()
            .map(|reason| {
                let value = serde_json::to_value(reason).unwrap_or_default();
                value.get("kind").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
            })
            .collect();
        Failure::new(
            crate::ErrorCode::TargetRefused,
            format!("the target cannot be updated faithfully: {}", kinds.join(", ")),
        )
        .with("reasons", kinds.join(","))
    }
}
