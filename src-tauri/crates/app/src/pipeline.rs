//! One attempt of one build: checkout, build, push, triggers. Each stage writes its intent before it acts and its result
//! after; an attempt goes on where the rows say that the last one stopped, so a retried push never builds again.

mod build;
mod checkout;
mod folding;
mod mirrors;
mod publish;
mod registry_side;
mod secrets;
mod steps;
mod tag_turns;
mod uploaded;

use crate::access::BaseImageLogins;
use crate::build_log::LogWriter;
use crate::queue::{Ended, Queue};
use crate::triggers::hand_over;
use crate::{AppEvent, Parts};
use chrono::{DateTime, Utc};
use folding::Folding;
use slipway_core::build::{Stage, StageOutcome, Upload};
use slipway_core::ids::BuildId;
use slipway_core::log::{StepKey, StepUpdate};
use slipway_core::mask::Masker;
use slipway_core::ports::{BuildEngine, Deadlines};
use slipway_core::{ErrorCode, Failure, Secret};
use slipway_store::{BuildRecord, ImageRepositoryRecord};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use steps::Steps;

pub(crate) use checkout::{is_write_once, with_suggestions};
pub(crate) use tag_turns::TagTurns;
use tokio_util::sync::CancellationToken;

/// Deadline of the build stage when the rule has none.
const DEFAULT_BUILD_DEADLINE: Duration = Duration::from_secs(60 * 60);

/// How long the last events of a stage that was dropped may take into the log.
const FOLDED_WITHIN: Duration = Duration::from_secs(10);

/// What every stage of an attempt uses.
struct Run<'run> {
    parts: &'run Arc<Parts>,
    queue: &'run Queue,
    cancel: &'run CancellationToken,
    repository: ImageRepositoryRecord,
    engine: Arc<dyn BuildEngine>,
    masker: Arc<Masker>,
    build_secrets: Vec<(String, Secret)>,
    log: Arc<Mutex<LogWriter>>,
    steps: Arc<Mutex<Steps>>,
    folding: Folding,
    id: BuildId,
}

/// Runs an attempt of a claimed build.
pub(crate) async fn run(
    parts: &Arc<Parts>,
    queue: &Queue,
    id: BuildId,
    cancel: &CancellationToken,
) -> Result<Ended, Failure> {
    // No image is removed while a build may use it.
    let _turn = parts.disk_turn.read().await;
    let record = parts.store.build(id).await?;
    if record.cancel_requested {
        // The wish came between the claim and the moment at which this worker could be told.
        return Err(Failure::cancelled());
    }
    let run = Run::prepare(parts, queue, &record, cancel).await?;
    let result = run.stages(record).await.map_err(|failure| run.masked(failure));
    if let Err(failure) = &result
        && failure.code != ErrorCode::Cancelled
    {
        let stage = parts.store.build(id).await?.stage.unwrap_or(Stage::Checkout);
        run.say(stage, &format!("error: {}", failure.message))?;
    }
    run.close_log().await?;
    result
}

impl<'run> Run<'run> {
    async fn prepare(
        parts: &'run Arc<Parts>,
        queue: &'run Queue,
        record: &BuildRecord,
        cancel: &'run CancellationToken,
    ) -> Result<Self, Failure> {
        let repository = parts.store.image_repository(record.repository).await?;
        let mut build_secrets = Vec::new();
        for secret in &record.inputs.options.secrets {
            build_secrets.push((secret.id.clone(), parts.open_secret(secret.secret).await?));
        }
        let named = secrets::of_build(parts, record, &repository, &build_secrets).await?;
        let secrets: Vec<Secret> = named.iter().map(|(_, secret)| secret.clone()).collect();
        let (masker, unmaskable) = Masker::new(&secrets);
        let masker = Arc::new(masker);
        let mask = Arc::clone(&masker);
        let log = parts.logs.writer(record.id, Arc::new(move |line: &str| mask.mask_text(line)))?;
        let steps = Steps::resume(&parts.store.steps(record.id).await?);
        let run = Self {
            parts,
            queue,
            cancel,
            repository,
            engine: parts.engine(&record.engine)?,
            masker,
            build_secrets,
            log: Arc::new(Mutex::new(log)),
            steps: Arc::new(Mutex::new(steps)),
            folding: Folding::default(),
            id: record.id,
        };
        for warning in secrets::warnings(&named, &unmaskable) {
            run.say_in("slipway:secrets", "Secrets", &warning)?;
        }
        Ok(run)
    }

    async fn stages(&self, mut record: BuildRecord) -> Result<Ended, Failure> {
        if let (None, Some(upload @ (Upload::LocalImage { .. } | Upload::Archive { .. }))) =
            (&record.image, &record.inputs.upload)
        {
            self.stage(Stage::Checkout, Deadlines::default().request * 2, self.checkout_image(&record)).await?;
            self.stage(Stage::Build, Deadlines::default().push, self.take_image(&record, upload)).await?;
            record = self.parts.store.build(self.id).await?;
        }
        if record.image.is_none() {
            let ready = match self.stage(Stage::Checkout, Deadlines::default().fetch, self.checkout(&record)).await? {
                checkout::Checkout::Ready(ready) => *ready,
                checkout::Checkout::Covered(reason) => return Ok(Ended::Skipped(reason)),
            };
            let deadline = record.inputs.options.timeout_seconds;
            let deadline = deadline.map_or(DEFAULT_BUILD_DEADLINE, |seconds| Duration::from_secs(seconds.into()));
            self.stage(Stage::Build, deadline, self.build(&record, ready)).await?;
            record = self.parts.store.build(self.id).await?;
        }
        // Each tag has its own deadline inside; this one is the net under all of them.
        self.stage(Stage::Push, Deadlines::default().push * 4, self.publish(&record)).await?;
        self.hand_over().await?;
        Ok(Ended::Succeeded)
    }

    /// Hands the published tags to the triggers. What they do has rows of its own: the build does not wait for it.
    async fn hand_over(&self) -> Result<(), Failure> {
        self.begin(Stage::Triggers, None).await?;
        // The events stay open when this fails, and are handed over when the build is over: the image is published all the same.
        let firings = match hand_over::of_build(self.parts, self.id).await {
            Ok(firings) => firings,
            Err(failure) => {
                self.say(Stage::Triggers, &format!("the triggers are asked later: {}", failure.message))?;
                Vec::new()
            }
        };
        for firing in &firings {
            let name = firing.trigger_name.as_deref().unwrap_or_default();
            let tag = firing.version.tag.as_ref().map_or("", |tag| tag.as_str());
            self.say(Stage::Triggers, &format!("trigger {name} fires on {tag}"))?;
        }
        let outcome = if firings.is_empty() { StageOutcome::Skipped } else { StageOutcome::Succeeded };
        self.end(Stage::Triggers, outcome).await
    }

    /// Runs one stage within its deadline, with its beginning and end in the rows.
    async fn stage<T>(
        &self,
        stage: Stage,
        deadline: Duration,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let until = chrono::TimeDelta::from_std(deadline).ok().map(|deadline| self.parts.now() + deadline);
        self.begin(stage, until).await?;
        let result = tokio::select! {
            // Cancelled wins, so that nothing begins after the wish.
            biased;
            () = self.cancel.cancelled() => Err(Failure::cancelled()),
            result = tokio::time::timeout(deadline, work) => result.unwrap_or_else(|_| {
                let seconds = deadline.as_secs().to_string();
                let message = format!("the stage took longer than its deadline of {seconds} s");
                Err(Failure::new(ErrorCode::TimedOut, message).with("seconds", seconds))
            }),
        };
        let outcome = match &result {
            Ok(_) => StageOutcome::Succeeded,
            Err(failure) if failure.code == ErrorCode::Cancelled => StageOutcome::Cancelled,
            Err(_) => StageOutcome::Failed,
        };
        self.end(stage, outcome).await?;
        result
    }

    async fn begin(&self, stage: Stage, until: Option<DateTime<Utc>>) -> Result<(), Failure> {
        self.parts.store.begin_stage(self.id, stage, until, self.parts.now()).await?;
        self.announce();
        Ok(())
    }

    async fn end(&self, stage: Stage, outcome: StageOutcome) -> Result<(), Failure> {
        self.parts.store.end_stage(self.id, stage, outcome, self.parts.now()).await?;
        self.announce();
        Ok(())
    }

    /// Writes lines of Slipway's own into the log, under a step for the stage.
    fn say(&self, stage: Stage, text: &str) -> Result<(), Failure> {
        let (key, name) = match stage {
            Stage::Checkout => ("slipway:checkout", "Checkout"),
            Stage::Build => ("slipway:build", "Build"),
            Stage::Push => ("slipway:push", "Push"),
            Stage::Triggers => ("slipway:triggers", "Triggers"),
        };
        self.say_in(key, name, text)
    }

    /// As [`Self::say`], under a step of its own.
    fn say_in(&self, key: &str, name: &str, text: &str) -> Result<(), Failure> {
        let now = self.parts.now();
        let ordinal = lock(&self.steps).update(StepUpdate {
            key: StepKey(key.to_owned()),
            name: name.to_owned(),
            stage: None,
            position: None,
            internal: true,
            // The stage's own row has its times; the step only says that its lines are there.
            started: Some(now),
            completed: Some(now),
            cached: false,
            error: None,
            lines: None,
        });
        let mut log = lock(&self.log);
        log.line(ordinal, now, text)?;
        self.parts.announce(AppEvent::LogAppended { build: self.id, upto_line: log.lines() });
        Ok(())
    }

    /// Writes the steps that changed since the last time.
    async fn write_steps(&self) -> Result<(), Failure> {
        steps::write(&self.parts.store, self.id, &self.steps).await
    }

    async fn close_log(&self) -> Result<(), Failure> {
        // A stage that was cancelled left behind what the engine had said by then; a fold that failed has a log that fails below.
        let _ = tokio::time::timeout(FOLDED_WITHIN, self.folding.end()).await;
        self.write_steps().await?;
        let lines = {
            let mut log = lock(&self.log);
            log.flush()?;
            log.lines()
        };
        let bytes = std::fs::metadata(self.parts.logs.log_path(self.id)).map_or(0, |metadata| metadata.len());
        Ok(self.parts.store.set_log_size(self.id, lines, bytes).await?)
    }

    fn announce(&self) {
        self.parts.announce(AppEvent::BuildChanged { build: self.id, repository: self.repository.id });
    }

    /// A failure's words come from outside: what is stored and shown of them is masked.
    fn masked(&self, mut failure: Failure) -> Failure {
        failure.message = self.masker.mask_text(&failure.message);
        for value in failure.details.values_mut() {
            *value = self.masker.mask_text(value);
        }
        failure
    }

    fn logins(&self) -> Arc<BaseImageLogins> {
        Arc::new(BaseImageLogins(Arc::clone(self.parts)))
    }
}

/// Locks shared state of an attempt; a panic elsewhere has ended the attempt already.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
