//! Places between two steps at which a test ends the program, as a power cut would: `SLIPWAY_DIE_AT=<name>` kills it by
//! SIGKILL when it gets there, `SLIPWAY_DIE_AT=<name>:3` the third time. A program built without debug assertions (every
//! release) has none of it: [`fail_point`] is empty there and nothing reads the variable.

/// Every place outside an update's journal, in the order of a push's way.
const PLACES: &[&str] = &[
    "start.settled",
    "look.seen",
    "look.recorded",
    "look.fetched",
    "build.row",
    "build.claimed",
    "checkout.fetched",
    "checkout.tags",
    "checkout.ready",
    "solve.ready",
    "solve.begun",
    "solve.ended",
    "image.kept",
    "push.intended",
    "push.started",
    "push.tagged",
    "push.going",
    "push.pushed",
    "push.copied",
    "push.verified",
    "push.written",
    "build.ending",
    "build.ended",
    "build.tidy",
    "cancel.asked",
    "record.deleted",
    "record.log_removed",
    "upload.kept",
    "upload.moved",
    "upload.row",
    "upload.loading",
    "secret.sealed",
    "secret.row",
    "secret.replaced",
    "firing.row",
    "firing.claimed",
    "firing.planned",
    "firing.before_kept",
    "firing.ending",
    "firing.ended",
    "firing.told",
    "firing.after_kept",
    "firing.again",
    "run.row",
    "run.begun",
    "run.serves",
    "pin.row",
    "pin.gone",
];

/// Steps of an update, as its journal names them (`slipway_core::deploy::StepKind`).
const STEPS: &[&str] = &[
    "pull",
    "start_candidate",
    "check_candidate",
    "remove_candidate",
    "create",
    "stop_old",
    "rename_old",
    "rename_new",
    "start_new",
    "check_new",
    "remove_earlier",
    "update_spec",
    "watch_rollout",
    "call",
    "remove_new",
    "restore_name",
    "start_old",
    "check_old",
    "restore_spec",
];

/// Returns the names of all places. Each step of an update has two: `step.<kind>.intended` between its intent and the act,
/// `step.<kind>.acted` between the act and its result.
#[must_use]
pub fn all() -> Vec<String> {
    let steps = STEPS.iter().flat_map(|step| ["intended", "acted"].map(|half| format!("step.{step}.{half}")));
    PLACES.iter().map(|place| (*place).to_owned()).chain(steps).collect()
}

/// Dies here when a test said so.
#[cfg(all(unix, debug_assertions))]
pub(crate) fn fail_point(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    static CHOSEN: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static TIMES: AtomicU32 = AtomicU32::new(0);
    debug_assert!(PLACES.contains(&name) || name.starts_with("step."), "{name} is not listed");
    let chosen = CHOSEN.get_or_init(|| {
        let text = std::env::var("SLIPWAY_DIE_AT").ok()?;
        Some(match text.split_once(':') {
            Some((name, times)) => (name.to_owned(), times.parse().unwrap_or(1)),
            None => (text, 1),
        })
    });
    let Some((chosen, times)) = chosen else { return };
    if chosen == name && TIMES.fetch_add(1, Ordering::SeqCst) + 1 == *times {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal may arrive a moment later: this thread does nothing more.
        loop {
            std::thread::park();
        }
    }
}

/// Nothing.
#[cfg(not(all(unix, debug_assertions)))]
pub(crate) fn fail_point(_: &str) {}

/// As [`fail_point`], between a step of an update and one half of its journal entry.
pub(crate) fn fail_point_of_step(kind: slipway_core::deploy::StepKind, half: &str) {
    if cfg!(all(unix, debug_assertions)) {
        let kind = serde_json::to_value(kind).unwrap_or_default();
        fail_point(&format!("step.{}.{half}", kind.as_str().unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use slipway_core::deploy::StepKind;

    #[test]
    fn names_are_used_once_and_steps_are_those_of_the_journal() {
        let names = all();
        let different: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        for step in STEPS {
            serde_json::from_value::<StepKind>((*step).into()).unwrap();
        }
    }
}
