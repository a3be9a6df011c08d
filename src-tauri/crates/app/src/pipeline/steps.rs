//! The steps of a build as they change: a fold over the engine's events, written a few times a second.

use super::lock;
use slipway_core::Failure;
use slipway_core::ids::BuildId;
use slipway_core::log::{StepKey, StepUpdate};
use slipway_store::{StepRecord, Store};
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

/// The steps of a build so far. Ordinals are those that the store gives: in the order in which steps are first seen.
#[derive(Default)]
pub(super) struct Steps {
    ordinals: HashMap<StepKey, u16>,
    changed: Changed,
}

/// What is not written yet.
#[derive(Default)]
struct Changed {
    /// In the order of their ordinals, as far as they are new.
    updates: Vec<StepUpdate>,
    clipped: Vec<StepKey>,
    warnings: VecDeque<(StepKey, String)>,
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
        self.changed.warnings.push_back((key, message));
    }

    /// Takes back what was not written; what changed meanwhile is newer.
    fn take_back(&mut self, unwritten: Changed) {
        let newer = std::mem::replace(&mut self.changed, unwritten);
        for update in newer.updates {
            self.update(update);
        }
        self.changed.clipped.extend(newer.clipped);
        self.changed.warnings.extend(newer.warnings);
    }

    fn ordinal(&mut self, key: &StepKey) -> u16 {
        let next = u16::try_from(self.ordinals.len()).unwrap_or(u16::MAX - 1);
        *self.ordinals.entry(key.clone()).or_insert(next)
    }
}

/// What is being written. A stage that ends is dropped in the middle of a write: what is not written by then waits again, or the
/// steps of the log would be others than those of the store.
struct Writing<'steps> {
    steps: &'steps Mutex<Steps>,
    changed: Changed,
}

impl<'steps> Writing<'steps> {
    fn begin(steps: &'steps Mutex<Steps>) -> Self {
        let changed = std::mem::take(&mut lock(steps).changed);
        Self { steps, changed }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        lock(self.steps).take_back(std::mem::take(&mut self.changed));
    }
}

/// Writes what changed. May be dropped.
pub(super) async fn write(store: &Store, build: BuildId, steps: &Mutex<Steps>) -> Result<(), Failure> {
    let mut writing = Writing::begin(steps);
    let changed = &mut writing.changed;
    if !changed.updates.is_empty() {
        store.upsert_steps(build, &changed.updates).await?;
        changed.updates.clear();
    }
    while let Some(key) = changed.clipped.last() {
        store.set_step_clipped(build, key).await?;
        changed.clipped.pop();
    }
    while let Some((key, warning)) = changed.warnings.front() {
        store.add_step_warning(build, key, warning).await?;
        changed.warnings.pop_front();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(key: &str, error: &str) -> StepUpdate {
        StepUpdate {
            key: StepKey(key.to_owned()),
            name: String::new(),
            stage: None,
            position: None,
            internal: false,
            started: None,
            completed: None,
            cached: false,
            error: Some(error.to_owned()).filter(|error| !error.is_empty()),
            lines: None,
        }
    }

    #[test]
    fn what_a_dropped_write_took_is_written_by_the_next_one_in_its_order() {
        let steps = Mutex::new(Steps::default());
        for key in ["a", "b"] {
            lock(&steps).update(step(key, ""));
            lock(&steps).warning(StepKey(key.to_owned()), format!("first of {key}"));
        }
        lock(&steps).clipped(StepKey("a".to_owned()));
        let mut dropped = Writing::begin(&steps);
        assert!(lock(&steps).changed.updates.is_empty(), "they are under way");
        // What it has done is done.
        dropped.changed.warnings.pop_front();
        for update in [step("c", ""), step("b", "newer")] {
            lock(&steps).update(update);
        }
        lock(&steps).warning(StepKey("c".to_owned()), "second".to_owned());
        drop(dropped);

        let mut next = Writing::begin(&steps);
        let changed = std::mem::take(&mut next.changed);
        assert_eq!(changed.updates, [step("a", ""), step("b", "newer"), step("c", "")]);
        assert_eq!(changed.clipped, [StepKey("a".to_owned())]);
        let warnings: Vec<_> = changed.warnings.into_iter().map(|(_, message)| message).collect();
        assert_eq!(warnings, ["first of b", "second"]);
        let again: Vec<_> = ["a", "b", "c"].map(|key| lock(&steps).ordinal(&StepKey(key.to_owned()))).into();
        assert_eq!(again, [0, 1, 2]);
    }
}
