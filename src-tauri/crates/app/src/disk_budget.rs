//! The disk budget of the local engine: what the images that Slipway made take, what goes when it is too much, and the build
//! cache, which is only shown until a person shrinks it (`core::disk_budget` says why).
//!
//! Ours is what a build of this data folder made (`made_images`), not what carries the label: several Slipways use one engine.

mod needs;

use crate::{AppEvent, Parts, Slipway};
use chrono::{DateTime, Utc};
use needs::Needs;
use serde::{Deserialize, Serialize};
use slipway_core::disk_budget::{DiskPlan, GIGABYTE, ImageNeed, MadeImage, StoredImage, held_bytes, plan};
use slipway_core::failure::Retry;
use slipway_core::ids::BuildId;
use slipway_core::image::ImageId;
use slipway_core::ports::BuildEngine;
use slipway_core::{ErrorCode, Failure};
use slipway_store::MadeImageRecord;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

pub(crate) const ENGINE: &str = "local";
/// The setting that says what the last run did.
const LAST: &str = "disk_budget_last";
/// Every image of a full engine is inspected once.
const LOOKING: Duration = Duration::from_secs(60);
/// Builds and updates that begin wait for a removal as long.
const REMOVING: Duration = Duration::from_secs(20);

/// What the last run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastTidied {
    /// When.
    pub at: DateTime<Utc>,
    /// How many images went.
    pub removed: usize,
    /// Bytes that came free.
    pub freed: u64,
    /// A person wanted it; else it ran by itself.
    pub by_person: bool,
}

/// What fills the engine's disk.
#[derive(Debug, Clone)]
pub struct DiskUse {
    /// How many images Slipway made that are there.
    pub images: usize,
    /// Bytes that the engine keeps for them alone.
    pub bytes: u64,
    /// Bytes of the build cache, whoever's builds filled it, or why that is not known.
    pub cache: Result<u64, Failure>,
}

/// An image that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskRemoval {
    /// The engine's id.
    pub image: ImageId,
    /// Its names; our private ones are left out.
    pub names: Vec<String>,
    /// The build that made it; its record may be gone.
    pub build: BuildId,
    /// When that build began.
    pub made_at: DateTime<Utc>,
    /// Bytes that come free when all before it are gone.
    pub frees: u64,
}

/// What would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskPreview {
    /// Bytes that the images take now.
    pub used: u64,
    /// Bytes that they take then.
    pub left: u64,
    /// What goes, in order.
    pub remove: Vec<DiskRemoval>,
    /// How many images stay because something needs them.
    pub needed: BTreeMap<ImageNeed, usize>,
    /// A build or an update runs: nothing can go now.
    pub busy: bool,
}

/// What went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tidied {
    /// How many images.
    pub removed: usize,
    /// Bytes that came free.
    pub freed: u64,
    /// What was to go and stayed, with the reason.
    pub kept: Vec<(ImageId, Failure)>,
    /// A build or an update began: the rest waits.
    pub broken_off: bool,
}

impl Slipway {
    /// Counts what fills the local engine's disk.
    ///
    /// # Errors
    /// What the engine says about its images; a cache that cannot be counted in time is no error.
    pub async fn disk_use(&self) -> Result<DiskUse, Failure> {
        let engine = self.parts.engine(ENGINE)?;
        let (look, cache) = tokio::join!(look_in_time(&self.parts, engine.as_ref()), engine.build_cache());
        let look = look?;
        let bytes = held_bytes(&look.made, &look.others);
        Ok(DiskUse { images: look.made.len(), bytes, cache: cache.map(|cache| cache.bytes) })
    }

    /// Returns what the last run did; `None` when there was none.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn last_tidied(&self) -> Result<Option<LastTidied>, Failure> {
        Ok(self.parts.store.setting(LAST).await?)
    }

    /// Sets how many gigabytes the images may take; `None` for no limit.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] at `disk_budget_gb`; a failure of the store.
    pub async fn set_disk_budget(&self, gigabytes: Option<u32>) -> Result<(), Failure> {
        let settings = crate::Settings { disk_budget_gb: gigabytes, ..self.settings().await? };
        self.set_settings(&settings).await
    }

    /// Returns what would go: down to the budget, or everything that nothing needs.
    ///
    /// # Errors
    /// What the engine says; a failure of the store.
    pub async fn disk_preview(&self, everything: bool) -> Result<DiskPreview, Failure> {
        let parts = &self.parts;
        let look = look_in_time(parts, parts.engine(ENGINE)?.as_ref()).await?;
        let plan = look.plan(budget(parts, everything).await?);
        let mut needed = BTreeMap::new();
        for need in look.made.iter().filter_map(|image| image.need) {
            *needed.entry(need).or_default() += 1;
        }
        Ok(DiskPreview {
            used: plan.used,
            left: plan.left,
            remove: plan.remove.iter().filter_map(|one| look.removal(&one.image, one.frees)).collect(),
            needed,
            busy: parts.disk_turn.try_write().is_err(),
        })
    }

    /// Removes those of these images that would go now. Each is looked at once more just before.
    ///
    /// # Errors
    /// [`ErrorCode::WrongState`] while a build or an update runs; what the engine says before anything went.
    pub async fn tidy_disk(&self, images: &[ImageId], everything: bool) -> Result<Tidied, Failure> {
        let parts = &self.parts;
        if parts.disk_turn.try_write().is_err() {
            return Err(Failure::new(ErrorCode::WrongState, "a build or an update runs: nothing is removed meanwhile"));
        }
        let engine = parts.engine(ENGINE)?;
        let look = look_in_time(parts, engine.as_ref()).await?;
        let agreed: HashSet<&ImageId> = images.iter().collect();
        let plan = look.plan(budget(parts, everything).await?);
        let wanted: Vec<ImageId> =
            plan.remove.into_iter().map(|one| one.image).filter(|image| agreed.contains(image)).collect();
        remove_all(parts, engine.as_ref(), &look, &wanted, true).await
    }

    /// Removes from the build cache what was not used longest, whoever's builds filled it, until at most `keep` bytes are
    /// left. Only for a person who was told so. Returns the bytes that came free.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn shrink_build_cache(&self, keep: u64) -> Result<u64, Failure> {
        let freed = self.parts.engine(ENGINE)?.shrink_build_cache(keep).await?;
        self.parts.announce(AppEvent::DiskChanged);
        Ok(freed)
    }
}

/// What is on an engine now.
struct Look {
    stored: HashMap<ImageId, StoredImage>,
    records: HashMap<ImageId, MadeImageRecord>,
    /// Those that this data folder's builds made.
    made: Vec<MadeImage>,
    /// Layers of all others.
    others: HashSet<String>,
}

impl Look {
    fn plan(&self, budget: Option<u64>) -> DiskPlan {
        plan(&self.made, &self.others, budget.unwrap_or(u64::MAX))
    }

    fn removal(&self, image: &ImageId, frees: u64) -> Option<DiskRemoval> {
        let (stored, record) = (self.stored.get(image)?, self.records.get(image)?);
        let names = stored.names.iter().filter(|name| !name.starts_with("slipway.local/")).cloned().collect();
        Some(DiskRemoval { image: image.clone(), names, build: record.build, made_at: record.made_at, frees })
    }
}

async fn look(parts: &Parts, engine: &dyn BuildEngine) -> Result<Look, Failure> {
    let stored = engine.stored_images().await?;
    let labelled: Vec<&ImageId> = stored.iter().filter(|image| image.build.is_some()).map(|image| &image.id).collect();
    let mut records = parts.store.made_images(&labelled).await?;
    // An equal image of another data folder says another build.
    records.retain(|id, record| {
        let says = stored.iter().find(|image| image.id == *id).and_then(|image| image.build.as_deref());
        says == Some(record.build.to_string().as_str())
    });
    let ours: Vec<&ImageId> = records.keys().collect();
    let needs = Needs::read(parts, engine, &ours).await?;
    let (mut made, mut others) = (Vec::new(), HashSet::new());
    for image in &stored {
        match records.get(&image.id) {
            Some(record) => made.push(MadeImage {
                id: image.id.clone(),
                layers: image.layers.clone(),
                named: !image.names.is_empty(),
                build: record.build,
                need: needs.of(image),
            }),
            None => others.extend(image.layers.iter().map(|layer| layer.chain.clone())),
        }
    }
    let stored = stored.into_iter().map(|image| (image.id.clone(), image)).collect();
    Ok(Look { stored, records, made, others })
}

async fn look_in_time(parts: &Parts, engine: &dyn BuildEngine) -> Result<Look, Failure> {
    let late = |_| Err(Failure::new(ErrorCode::TimedOut, "the engine took too long to say what images it has"));
    tokio::time::timeout(LOOKING, look(parts, engine)).await.unwrap_or_else(late)
}

/// Returns the bytes that may stay; `None` for no limit.
async fn budget(parts: &Parts, everything: bool) -> Result<Option<u64>, Failure> {
    if everything {
        return Ok(Some(0));
    }
    Ok(parts.settings().await?.disk_budget_gb.map(|gigabytes| u64::from(gigabytes) * GIGABYTE))
}

/// Removes images one by one and writes what went.
async fn remove_all(
    parts: &Parts,
    engine: &dyn BuildEngine,
    before: &Look,
    wanted: &[ImageId],
    by_person: bool,
) -> Result<Tidied, Failure> {
    let (mut removed, mut kept, mut broken_off) = (HashSet::new(), Vec::new(), false);
    for image in wanted {
        // Held over the last look and the removal: no build or update of ours can begin to use the image in between.
        let Ok(_turn) = parts.disk_turn.try_write() else {
            broken_off = true;
            break;
        };
        if parts.stop.is_cancelled() {
            break;
        }
        let late = |_| Err(Failure::new(ErrorCode::TimedOut, "the engine took too long to remove an image"));
        match tokio::time::timeout(REMOVING, remove(parts, engine, image)).await.unwrap_or_else(late) {
            Ok(()) => drop(removed.insert(image)),
            Err(failure) => {
                tracing::debug!(image = image.0, %failure, "an image stays");
                // What is wrong with one image is not wrong with the next.
                let gives_up = failure.code.retry() == Retry::WhenBack || failure.code == ErrorCode::TimedOut;
                kept.push((image.clone(), failure));
                if gives_up {
                    break;
                }
            }
        }
    }
    let stays = before.made.iter().filter(|image| !removed.contains(&image.id));
    let freed = held_bytes(&before.made, &before.others) - held_bytes(stays, &before.others);
    let tidied = Tidied { removed: removed.len(), freed, kept, broken_off };
    if tidied.removed > 0 {
        tracing::info!(removed = tidied.removed, freed, by_person, "images that nothing needs were removed");
    }
    let last = LastTidied { at: parts.now(), removed: tidied.removed, freed, by_person };
    parts.store.set_setting(LAST, &last).await?;
    parts.announce(AppEvent::DiskChanged);
    Ok(tidied)
}

/// Removes one image when still nothing needs it.
async fn remove(parts: &Parts, engine: &dyn BuildEngine, image: &ImageId) -> Result<(), Failure> {
    let look = look(parts, engine).await?;
    let Some(stored) = look.stored.get(image) else { return Ok(()) };
    let made = look.made.iter().find(|made| made.id == *image);
    if made.is_none_or(|made| made.need.is_some()) {
        return Err(Failure::new(ErrorCode::InUse, "something needs the image now").with("image", &image.0));
    }
    engine.remove_image(stored).await?;
    Ok(parts.store.forget_made_image(image).await?)
}

/// Keeps the budget: looks after builds, at most once in an hour, and never while a build or an update runs.
pub(crate) async fn run(parts: Arc<Parts>, mut events: broadcast::Receiver<AppEvent>) {
    let mut due = false;
    loop {
        if !due {
            tokio::select! {
                () = parts.stop.cancelled() => return,
                more = something_was_made(&mut events) => if !more { return },
            }
        }
        loop {
            match keep_budget(&parts).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(failure) => {
                    tracing::debug!(%failure, "the disk budget is looked at later");
                    break;
                }
            }
            if pause(&parts, 1).await.is_none() {
                return;
            }
        }
        if pause(&parts, 120).await.is_none() {
            return;
        }
        due = something_was_made_already(&mut events);
    }
}

/// Returns whether there is a reason to look among what was announced so far.
fn something_was_made_already(events: &mut broadcast::Receiver<AppEvent>) -> bool {
    let mut made = false;
    loop {
        match events.try_recv() {
            Ok(event) => made |= is_reason(event),
            Err(TryRecvError::Lagged(_)) => made = true,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return made,
        }
    }
}

/// Waits; `None` when the application stops.
async fn pause(parts: &Parts, times: u32) -> Option<()> {
    tokio::select! {
        () = parts.stop.cancelled() => None,
        () = tokio::time::sleep(parts.pace.recheck * times) => Some(()),
    }
}

fn is_reason(event: AppEvent) -> bool {
    matches!(event, AppEvent::QueueChanged | AppEvent::SettingsChanged)
}

/// Waits until a build began or ended, or the budget may have changed; `false` when nobody announces any more.
async fn something_was_made(events: &mut broadcast::Receiver<AppEvent>) -> bool {
    loop {
        match events.recv().await {
            Ok(event) if is_reason(event) => return true,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return true,
            Err(RecvError::Closed) => return false,
        }
    }
}

/// Removes what is too much; `false` when a build or an update runs and it has to be looked at again.
async fn keep_budget(parts: &Parts) -> Result<bool, Failure> {
    let Some(budget) = budget(parts, false).await? else { return Ok(true) };
    if parts.disk_turn.try_write().is_err() {
        return Ok(false);
    }
    let engine = parts.engine(ENGINE)?;
    let look = look_in_time(parts, engine.as_ref()).await?;
    let wanted: Vec<ImageId> = look.plan(Some(budget)).remove.into_iter().map(|one| one.image).collect();
    if wanted.is_empty() {
        return Ok(true);
    }
    Ok(!remove_all(parts, engine.as_ref(), &look, &wanted, false).await?.broken_off)
}
