//! Action *Webhook*: somebody else is told about the new tag (`product.md` section 7). The body has Harbor's shape, so that
//! what understands Harbor understands us.
//!
//! A call that may have arrived is never followed by one that looks new: each try, and the one after a crash, carries the
//! attempt's key as `Idempotency-Key`. What a webhook does cannot be undone by us.

mod call;
mod payload;

use crate::outgoing::{Checked, Destination, NotCalled, Resolve, system_resolver};
use crate::trail::{Facts, Trail};
use async_trait::async_trait;
use call::Call;
use slipway_core::deploy::{
    Applied, DeployAction, DeployJob, DeployJournal, DeployPlan, DeployTarget, JournalMark, PlanStep, Planned, Refusal,
    Replicas, Standing, StepKind, TargetHealth, TargetState,
};
use slipway_core::{ErrorCode, Failure};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How patient calls are.
#[derive(Debug, Clone, Copy)]
pub struct WebhookPace {
    /// How long one try may take, from the look at the name to the answer's head.
    pub answer: Duration,
    /// How often it is tried in all.
    pub tries: u32,
    /// Pause after the first try; each later one is twice as long.
    pub first_pause: Duration,
}

impl Default for WebhookPace {
    /// 10 seconds, 5 times, 2 seconds.
    fn default() -> Self {
        Self { answer: Duration::from_secs(10), tries: 5, first_pause: Duration::from_secs(2) }
    }
}

/// Calls webhooks.
pub struct WebhookAction {
    pace: WebhookPace,
    resolve: Resolve,
}

impl Default for WebhookAction {
    fn default() -> Self {
        Self::new(WebhookPace::default(), system_resolver())
    }
}

impl WebhookAction {
    /// With a pace, and a way to look names up.
    #[must_use]
    pub fn new(pace: WebhookPace, resolve: Resolve) -> Self {
        Self { pace, resolve }
    }

    /// Looks the address up; a name that is unknown now may be known when it is called.
    async fn refusals(&self, target: &DeployTarget) -> Result<Vec<Refusal>, Failure> {
        let destination = destination(target)?;
        match destination.check(&self.resolve, self.pace.answer).await? {
            Checked::NotCalled(why) => Ok(vec![refusal(why, destination.host())?]),
            Checked::Addresses(_) | Checked::Unknown(_) => Ok(Vec::new()),
        }
    }
}

fn destination(target: &DeployTarget) -> Result<Destination, Failure> {
    let DeployTarget::Webhook { url, headers, allow_private, .. } = target else {
        return Err(Failure::internal("the target is no webhook"));
    };
    // Headers are secrets; a signature tells nothing of its key.
    Destination::new(url, *allow_private, !headers.is_empty())
}

/// Returns why an address is not called.
fn refusal(why: NotCalled, host: String) -> Result<Refusal, Failure> {
    match why {
        NotCalled::NeedsConsent => Ok(Refusal::PrivateAddress { host }),
        NotCalled::ClearText => Ok(Refusal::ClearText { host }),
        NotCalled::Never => {
            let why = "this address is never called: it is link-local, or belongs to nobody";
            Err(Failure::new(ErrorCode::InvalidField, why).at("url").with("host", host))
        }
    }
}

/// A webhook runs nothing.
fn state(problems: Vec<Refusal>) -> TargetState {
    TargetState {
        image: None,
        mixed: false,
        health: TargetHealth::None,
        replicas: Replicas::default(),
        addresses: Vec::new(),
        instances: Vec::new(),
        managed_by: None,
        problems,
    }
}

#[async_trait]
impl DeployAction for WebhookAction {
    async fn inspect(&self, target: &DeployTarget) -> Result<TargetState, Failure> {
        self.refusals(target).await.map(state)
    }

    async fn plan(&self, job: &DeployJob) -> Result<Planned, Failure> {
        Call::of(job)?;
        let reasons = self.refusals(&job.target).await?;
        let before = state(reasons.clone());
        if !reasons.is_empty() {
            return Ok(Planned::Refused { reasons, before });
        }
        let step =
            PlanStep::new(StepKind::Call, destination(&job.target)?.host()).with("image", job.image.reference.clone());
        Ok(Planned::Ready { plan: DeployPlan { before, steps: vec![step], notes: Vec::new(), basis: Facts::new() } })
    }

    async fn apply(
        &self,
        job: &DeployJob,
        _plan: &DeployPlan,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<Applied, Failure> {
        let destination = destination(&job.target)?;
        let call = Call::of(job)?;
        let step = PlanStep::new(StepKind::Call, destination.host());
        let calling = call.until_taken(&destination, &self.resolve, self.pace, journal, cancel);
        let status = |status: &u16| Facts::from([("status".to_owned(), status.to_string())]);
        Trail(journal).step_with(step, calling, status).await?;
        Ok(Applied::InPlace)
    }

    async fn watch(
        &self,
        _job: &DeployJob,
        _journal: &dyn DeployJournal,
        _cancel: &CancellationToken,
    ) -> Result<TargetState, Failure> {
        Ok(state(Vec::new()))
    }

    async fn undo(&self, _job: &DeployJob, _journal: &dyn DeployJournal) -> Result<Option<TargetState>, Failure> {
        Ok(None)
    }

    async fn standing(&self, _job: &DeployJob, journal: &dyn DeployJournal) -> Result<Standing, Failure> {
        let entries = journal.entries().await?;
        let taken = entries.iter().any(|entry| entry.kind == StepKind::Call && entry.mark == JournalMark::Done);
        // A call without an answer in the journal is made again, with the same key: the receiver knows it.
        Ok(if taken { Standing::InPlace } else { Standing::Untouched })
    }
}

fn failed(host: &str, why: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::WebhookFailed, format!("the webhook at {host} {why}")).with("host", host)
}
