//! Steps with their intent written before and their result after.

use slipway_core::Failure;
use slipway_core::deploy::{DeployJournal, JournalEntry, JournalMark, PlanStep, StepKind};
use std::collections::BTreeMap;

/// Writes the steps of one attempt.
#[derive(Clone, Copy)]
pub(crate) struct Trail<'a>(pub(crate) &'a dyn DeployJournal);

/// Facts that a step leaves behind.
pub(crate) type Facts = BTreeMap<String, String>;

impl Trail<'_> {
    /// Writes the intent, acts, writes the result.
    pub(crate) async fn step<T>(
        &self,
        step: PlanStep,
        act: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.step_with(step, act, |_| Facts::new()).await
    }

    /// As [`Self::step`]; the result's facts are written with it.
    pub(crate) async fn step_with<T>(
        &self,
        step: PlanStep,
        act: impl Future<Output = Result<T, Failure>>,
        facts: impl FnOnce(&T) -> Facts,
    ) -> Result<T, Failure> {
        let PlanStep { kind, subject, facts: known } = step;
        self.0.line(&format!("{} {subject}", words(kind))).await;
        self.write(kind, &subject, JournalMark::Intended, known.clone()).await?;
        match act.await {
            Ok(value) => {
                let facts = known.into_iter().chain(facts(&value)).collect();
                self.write(kind, &subject, JournalMark::Done, facts).await?;
                Ok(value)
            }
            Err(failure) => {
                // The failure of the step matters more than that of its line.
                let _ = self.write(kind, &subject, JournalMark::Failed, known).await;
                Err(failure)
            }
        }
    }

    async fn write(&self, kind: StepKind, subject: &str, mark: JournalMark, facts: Facts) -> Result<(), Failure> {
        self.0.write(JournalEntry { kind, subject: subject.to_owned(), mark, facts }).await
    }
}

/// What a step does, for the log.
fn words(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Pull => "getting",
        StepKind::StartCandidate => "starting the candidate",
        StepKind::CheckCandidate => "checking the candidate",
        StepKind::RemoveCandidate => "removing the candidate",
        StepKind::Create => "making",
        StepKind::StopOld => "stopping",
        StepKind::RenameOld | StepKind::RenameNew => "renaming",
        StepKind::StartNew => "starting",
        StepKind::CheckNew => "checking",
        StepKind::RemoveEarlier => "removing",
        StepKind::UpdateSpec => "updating",
        StepKind::WatchRollout => "watching the update of",
        StepKind::Call => "calling",
        StepKind::RemoveNew => "undoing: removing",
        StepKind::RestoreName => "undoing: giving the name back to",
        StepKind::StartOld => "undoing: starting",
        StepKind::CheckOld => "undoing: checking",
        StepKind::RestoreSpec => "undoing: putting back",
    }
}
