//! Deploying an image to a running target (`product.md` section 7): what a target is, what an action must be able to do, and
//! how the steps of one attempt stay safe when the application dies between any two of them.
//!
//! One attempt is [`run`]: the action [`DeployAction::apply`]s its plan, [`DeployAction::watch`]es the new one, and
//! [`DeployAction::undo`]es everything when either fails. Each step is written to the [`DeployJournal`] before it acts and
//! after. After a crash [`resume`] asks the action where the target [`Standing`]s, and goes on or undoes.

mod action;
mod directory;
mod plan;
mod run;
mod state;
mod target;

pub use action::{Applied, DeployAction, DeployJob, DeployJournal, DeployKey, JournalEntry, JournalMark, Standing};
pub use directory::{
    ListedService, NetworkChoice, PublishedPort, RunAs, RunImage, RunVolume, ServiceDirectory, ServiceGroup,
};
pub use plan::{DeployPlan, HealthGate, PlanNote, PlanStep, Planned, Refusal, StepKind};
pub use run::{DeployOutcome, deploy, resume, take_back};
pub use state::{Instance, ManagedBy, PublishedAddress, Replicas, RunningImage, TargetHealth, TargetState};
pub use target::{DeployImage, DeployTarget, WebhookHeader, WorkloadKind};
