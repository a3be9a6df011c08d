//! Which images deploy targets need: an update to one waits, one runs, or is a way back. Read from the records; whoever removes
//! images asks here.

use crate::Parts;
use crate::triggers::hand_over::matcher_of;
use crate::triggers::keep::VERSIONS_KEPT;
use slipway_core::Failure;
use slipway_core::deploy::{DeployImage, DeployOutcome, DeployTarget, Planned, RunningImage, TargetState};
use slipway_core::image::{Digest, ImageId};
use slipway_core::trigger::{FiringState, TargetPin};
use slipway_core::version::{DeployNeed, DeployNeedKind};
use slipway_store::{FiringFilter, FiringRecord, TargetRecord};

/// Firings of a pinned target that are looked through for what it left out: it goes on with the newest.
const LEFT_OUT: u32 = 50;
/// Newest firings of a target that are looked through for one that saw what it runs.
const RECENT: u32 = 10;

/// An image that a target needs. A digest or an id names its content, in whatever repository it is.
pub(crate) struct NeededImage {
    /// Which target, and what for.
    pub(crate) need: DeployNeed,
    /// Digests that the image is known by.
    pub(crate) digests: Vec<Digest>,
    /// The id that an engine gave to it.
    pub(crate) image: Option<ImageId>,
}

/// Returns every image that a target needs.
///
/// # Errors
/// A failure of the store.
pub(crate) async fn read(parts: &Parts) -> Result<Vec<NeededImage>, Failure> {
    let mut reader = Reader { found: Vec::new() };
    for firing in parts.store.unfinished_firings().await? {
        reader.version(&firing.deploy_target, DeployNeedKind::Update, &firing.version.image);
        reader.before(&firing, DeployNeedKind::RollBack);
    }
    // What is about to become an update.
    for event in parts.store.open_tag_events().await? {
        for trigger in parts.store.triggers(Some(event.repository)).await? {
            if trigger.spec.enabled && matcher_of(&trigger).is_some_and(|matcher| matcher.matches(&event.tag)) {
                let digests = event.digest.iter().cloned().collect();
                reader.add(&trigger.spec.target, DeployNeedKind::Update, digests, event.image.clone());
            }
        }
    }
    for target in parts.store.targets().await? {
        reader.history(parts, &target).await?;
        if let Some(pin) = &target.pin {
            reader.pinned(parts, &target, pin).await?;
        }
    }
    Ok(reader.found)
}

struct Reader {
    found: Vec<NeededImage>,
}

impl Reader {
    /// What a target runs, and every way back.
    async fn history(&mut self, parts: &Parts, target: &TargetRecord) -> Result<(), Failure> {
        let of_target = FiringFilter { target: Some(target.id), ..FiringFilter::default() };
        let recent = parts.store.list_firings(&of_target, None, RECENT).await?.items;
        let saw = recent.iter().find(|firing| firing.state.is_final() && firing.plan.is_some());
        // One that changed nothing in the end saw what runs; the history of changes does not know it.
        if let Some(firing) = saw.filter(|firing| firing.state != FiringState::Succeeded) {
            if firing.state == FiringState::Unchanged {
                self.version(&target.target, DeployNeedKind::Runs, &firing.version.image);
            }
            self.before(firing, DeployNeedKind::Runs);
        }
        for (nth, firing) in parts.store.deployed_firings(target.id, VERSIONS_KEPT).await?.iter().enumerate() {
            let why = if nth == 0 { DeployNeedKind::Runs } else { DeployNeedKind::RollBack };
            self.version(&target.target, why, &firing.version.image);
            if let Some(DeployOutcome::Deployed { after, .. }) = &firing.outcome {
                self.state(&target.target, why, after);
            }
            self.before(firing, DeployNeedKind::RollBack);
        }
        Ok(())
    }

    /// What a person pinned a target to, and what it left out since: it may go on with that.
    async fn pinned(&mut self, parts: &Parts, target: &TargetRecord, pin: &TargetPin) -> Result<(), Failure> {
        self.version(&target.target, DeployNeedKind::Runs, &pin.version.image);
        let skipped =
            FiringFilter { target: Some(target.id), state: Some(FiringState::Skipped), ..FiringFilter::default() };
        for firing in parts.store.list_firings(&skipped, None, LEFT_OUT).await?.items {
            if firing.id > pin.firing {
                self.version(&target.target, DeployNeedKind::Update, &firing.version.image);
            }
        }
        Ok(())
    }

    /// What a target ran before a firing, as far as that looked.
    fn before(&mut self, firing: &FiringRecord, why: DeployNeedKind) {
        let before = match &firing.plan {
            Some(Planned::Ready { plan }) => &plan.before,
            Some(Planned::Unchanged { before } | Planned::Refused { before, .. }) => before,
            None => return,
        };
        self.state(&firing.deploy_target, why, before);
    }

    fn state(&mut self, target: &DeployTarget, why: DeployNeedKind, state: &TargetState) {
        if let Some(running) = &state.image {
            self.add(target, why, digests_of(running), running.id.clone());
        }
    }

    fn version(&mut self, target: &DeployTarget, why: DeployNeedKind, image: &DeployImage) {
        self.add(target, why, image.digest.iter().cloned().collect(), image.id.clone());
    }

    fn add(&mut self, target: &DeployTarget, why: DeployNeedKind, digests: Vec<Digest>, image: Option<ImageId>) {
        self.found.push(NeededImage { need: DeployNeed { target: target.clone(), why }, digests, image });
    }
}

/// The digests of what runs. A cluster writes one behind the id, and a configuration may name one.
fn digests_of(running: &RunningImage) -> Vec<Digest> {
    let id = running.id.iter().map(|id| &id.0);
    let names = running.digests.iter().chain([&running.reference]).chain(id);
    names.filter_map(|name| Digest::new(name.rsplit_once('@')?.1).ok()).collect()
}
