//! The steps of a build as they change: a fold over the engine's events, written a few times a second.

use slipway_core::Failure;
use slipway_core::ids::BuildId;
use slipway_core::log::{StepKey, StepUpdate};
use slipway_store::{StepRecord, Store};
use std::collections::HashMap;

/// The steps of a build so far. Ordinals are those that the store gives: in the order in which steps are first seen.
#[derive(Default)]
pub(super) struct Steps {
    ordinals: HashMap<StepKey, u16>,
    changed: Changed,
}

/// What is not written yet.
#[derive(Default)]
pub(super) struct Changed {
    /// In the order of their ordinals, as far as they are new.
    updates: Vec<StepUpdate>,
    clipped: Vec<StepKey>,
    warnings: Vec<(StepKey, String)>,
}

impl Steps {
    /// Goes on with the steps that an earlier attempt wrote.
    pub(super) fn resume(known: &[StepRecord]) -> Self {
        let ordinal = |step: &StepRecord| u16::try_from(step.ordinal).unwrap_or(u16::MAX - 1);
        Self {
            ordinals: known.iter().map(|step| (step.update.key.clone(), ordinal(step))).collect(),
            changed: Changed::default(),
        }
    }

    /// Takes what a step is now; returns its ordinal.
    pub(super) fn update(&mut self, update: StepUpdate) -> u16 {
        let ordinal = self.ordinal(&update.key);
        match self.changed.updates.iter_mut().find(|waiting| waiting.key == update.key) {
            Some(waiting) => *waiting = update,
            None => self.changed.updates.push(update),
        }
        ordinal
    }

    /// Returns the ordinal of a step, also of one that has only written output so far.
    pub(super) fn of_output(&mut self, key: &StepKey) -> u16 {
        if let Some(ordinal) = self.ordinals.get(key) {
            return *ordinal;
        }
        self.update(StepUpdate {
            key: key.clone(),
            name: String::new(),
            stage: None,
            position: None,
            internal: true,
            started: None,
            completed: None,
            cached: false,
            error: None,
            lines: None,
        })
    }

    pub(super) fn clipped(&mut self, key: StepKey) {
        self.changed.clipped.push(key);
    }

    pub(super) fn warning(&mut self, key: StepKey, message: String) {
        self.changed.warnings.push((key, message));
    }

    pub(super) fn take_changed(&mut self) -> Changed {
        std::mem::take(&mut self.changed)
    }

    fn ordinal(&mut self, key: &StepKey) -> u16 {
        let next = u16::try_from(self.ordinals.len()).unwrap_or(u16::MAX - 1);
        *self.ordinals.entry(key.clone()).or_insert(next)
    }
}

/// Writes what changed.
pub(super) async fn write(store: &Store, build: BuildId, changed: Changed) -> Result<(), Failure> {
    if !changed.updates.is_empty() {
        store.upsert_steps(build, &changed.updates).await?;
    }
    for key in &changed.clipped {
        store.set_step_clipped(build, key).await?;
    }
    for (key, warning) in &changed.warnings {
        store.add_step_warning(build, key, warning).await?;
    }
    Ok(())
}
