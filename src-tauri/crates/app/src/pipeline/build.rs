//! The build stage: the engine's events become steps and log lines, its image a result that is kept before anything is
//! published.

use super::checkout::Ready;
use super::steps::Steps;
use super::{Run, lock};
use crate::AppEvent;
use crate::build_log::LogWriter;
use crate::fail_point::fail_point;
use slipway_core::Failure;
use slipway_core::build::{BuiltImage, Stage};
use slipway_core::code::CodeLocation;
use slipway_core::log::{BuildEvent, StepUpdate};
use slipway_core::mask::Masker;
use slipway_core::ports::EngineBuild;
use slipway_core::rule::NameValue;
use slipway_store::BuildRecord;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

/// Events under way from the engine to the log; a full channel slows the engine's sender down.
const EVENTS_UNDER_WAY: usize = 1024;
/// How often changed steps are written.
const STEPS_EVERY: Duration = Duration::from_millis(200);

impl Run<'_> {
    pub(super) async fn build(&self, record: &BuildRecord, ready: Ready) -> Result<(), Failure> {
        let image = match self.left_behind(record).await? {
            Some(image) => image,
            None => self.build_on_engine(record, ready).await?,
        };
        fail_point("solve.ended");
        self.parts.store.set_result(self.id, &image).await?;
        fail_point("image.kept");
        Ok(())
    }

    /// Returns the image of an earlier attempt that finished on the engine while nobody listened.
    pub(super) async fn left_behind(&self, record: &BuildRecord) -> Result<Option<BuiltImage>, Failure> {
        if record.attempt <= 1 {
            return Ok(None);
        }
        let image = self.engine.built_image(self.id).await?;
        if image.is_some() {
            self.say(Stage::Build, "the engine had finished this build; its image is used")?;
        }
        Ok(image)
    }

    async fn build_on_engine(&self, record: &BuildRecord, ready: Ready) -> Result<BuiltImage, Failure> {
        let mut request = self.request(record, ready).await?;
        self.pull_through_mirrors(&mut request).await?;
        fail_point("solve.ready");
        let (events, received) = mpsc::channel(EVENTS_UNDER_WAY);
        let fold = Fold {
            log: Arc::clone(&self.log),
            steps: Arc::clone(&self.steps),
            masker: Arc::clone(&self.masker),
            parts: Arc::clone(self.parts),
            build: self.id,
        };
        self.folding.begin(move || fold.all(received)).await;
        let building = async {
            let result = self.engine.build(request, events, self.cancel).await;
            // The sender is gone with the call: the fold ends when it has seen everything.
            let folded = self.folding.end().await;
            result.and_then(|image| folded.map(|()| image))
        };
        let result = tokio::select! {
            result = building => result,
            failure = self.keep_writing_steps() => Err(failure),
        };
        self.write_steps().await?;
        result
    }

    /// Writes changed steps a few times a second; ends only with a failure of the store.
    async fn keep_writing_steps(&self) -> Failure {
        loop {
            tokio::time::sleep(STEPS_EVERY).await;
            if let Err(failure) = self.write_steps().await {
                return failure;
            }
            self.announce();
        }
    }

    async fn request(&self, record: &BuildRecord, ready: Ready) -> Result<EngineBuild, Failure> {
        let options = &record.inputs.options;
        let mut labels = options.labels.clone();
        if !options.no_standard_labels {
            for label in self.standard_labels(record, &ready).await? {
                // A label that the person set himself wins.
                if !labels.iter().any(|own| own.name == label.name) {
                    labels.push(label);
                }
            }
        }
        let mut args = (self.parts.ports.build_proxies)(&record.engine);
        args.retain(|proxy| !options.args.iter().any(|own| own.name.eq_ignore_ascii_case(&proxy.name)));
        args.extend(options.args.iter().cloned());
        let code = record.inputs.code.map_or(0, |code| code.0);
        Ok(EngineBuild {
            build: self.id,
            shared_key: format!("slipway-{code}-{}", record.engine),
            context: ready.context,
            dockerfile: ready.dockerfile,
            dockerfile_name: record.inputs.dockerfile_path.as_str().to_owned(),
            dockerfile_ignore: ready.ignore_file,
            args,
            secrets: self.build_secrets.clone(),
            target: options.target.clone(),
            labels,
            platforms: ready.platforms,
            no_cache: options.no_cache,
            always_pull: options.always_pull,
            network: options.network,
            logins: self.logins(),
        })
    }

    /// The labels of `product.md` section 5. The time is the commit's, so that the same commit gives the same image.
    async fn standard_labels(&self, record: &BuildRecord, ready: &Ready) -> Result<Vec<NameValue>, Failure> {
        let mut labels = Vec::new();
        let mut label = |name: &str, value: String| {
            labels.push(NameValue { name: format!("org.opencontainers.image.{name}"), value });
        };
        if let Some(code) = record.inputs.code
            && let CodeLocation::GitUrl { url, .. } | CodeLocation::Ssh { url } =
                self.parts.store.code_repository(code).await?.location
        {
            // Stored addresses never hold a login.
            label("source", url);
        }
        if let Some(commit) = &ready.commit {
            label("revision", commit.id.as_str().to_owned());
        }
        if let Some(tag) = ready.tags.first() {
            label("version", tag.as_str().to_owned());
        }
        if let Some(name) = &record.inputs.ref_name {
            label("ref.name", name.short().to_owned());
        }
        if let Some(commit) = &ready.commit {
            label("created", commit.committed_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        }
        Ok(labels)
    }
}

/// Turns events into lines and steps, on a thread of its own because it writes files.
struct Fold {
    log: Arc<Mutex<LogWriter>>,
    steps: Arc<Mutex<Steps>>,
    masker: Arc<Masker>,
    parts: Arc<crate::Parts>,
    build: slipway_core::ids::BuildId,
}

impl Fold {
    fn all(&self, mut events: mpsc::Receiver<BuildEvent>) -> Result<(), Failure> {
        while let Some(event) = events.blocking_recv() {
            let mut log = lock(&self.log);
            self.one(&mut log, event)?;
            // Everything that waits already goes into one write.
            for _ in 0..EVENTS_UNDER_WAY {
                let Ok(event) = events.try_recv() else { break };
                self.one(&mut log, event)?;
            }
            log.flush()?;
            fail_point("solve.begun");
            self.announce(&log);
        }
        let mut log = lock(&self.log);
        log.finish()?;
        self.announce(&log);
        Ok(())
    }

    fn announce(&self, log: &LogWriter) {
        self.parts.announce(AppEvent::LogAppended { build: self.build, upto_line: log.lines() });
    }

    fn one(&self, log: &mut LogWriter, event: BuildEvent) -> Result<(), Failure> {
        let mut steps = lock(&self.steps);
        match event {
            BuildEvent::Step(update) => {
                let completed = update.completed;
                let ordinal = steps.update(self.masked(update));
                if let Some(completed) = completed {
                    log.end_step(ordinal, completed);
                }
            }
            BuildEvent::Log { key, stream, bytes, at } => {
                let ordinal = steps.of_output(&key);
                log.output(ordinal, stream, at, &bytes)?;
            }
            BuildEvent::Clipped { key, marker } => {
                let ordinal = steps.of_output(&key);
                log.finish_step(ordinal);
                log.line(ordinal, self.parts.now(), &marker)?;
                steps.clipped(key);
            }
            BuildEvent::Warning { key: Some(key), message, .. } => {
                steps.warning(key, self.masker.mask_text(&message));
            }
            BuildEvent::Warning { key: None, message, line } => {
                let ordinal = steps.of_output(&slipway_core::log::StepKey("slipway:build".to_owned()));
                let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
                log.line(ordinal, self.parts.now(), &format!("warning: {place}{message}"))?;
            }
            // Shown while it happens only; it leaves no trace.
            BuildEvent::Progress { .. } => {}
        }
        Ok(())
    }

    fn masked(&self, mut update: StepUpdate) -> StepUpdate {
        update.name = self.masker.mask_text(&update.name);
        update.error = update.error.map(|error| self.masker.mask_text(&error));
        update
    }
}
