//! Which of the images that Slipway made go when they take more of an engine's disk than they may (`product.md` section 8).
//!
//! The build cache is no part of it: BuildKit's records do not say who made them, so Slipway's share cannot be told from that
//! of other builds on the same engine. It is shown, and only a person shrinks it.

use crate::ids::BuildId;
use crate::image::ImageId;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// Bytes of a gigabyte, as engines and registries count them.
pub const GIGABYTE: u64 = 1_000_000_000;

/// One layer of an image, with everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoredLayer {
    /// Equal for equal layers on equal layers: engines keep those once.
    pub chain: String,
    /// Bytes of this layer alone.
    pub bytes: u64,
}

/// An image of an engine's store, named or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// The engine's id.
    pub id: ImageId,
    /// `repository:tag` names that it has.
    pub names: Vec<String>,
    /// `repository@digest` names that it has.
    pub digests: Vec<String>,
    /// The build that it says it is of; any Slipway's.
    pub build: Option<String>,
    /// Its layers, lowest first. The bytes are known of images that say a build only.
    pub layers: Vec<StoredLayer>,
    /// A container has it, running or not.
    pub in_use: bool,
}

/// What the build cache of an engine takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildCacheUse {
    /// Bytes of all records that no image counts already.
    pub bytes: u64,
}

/// Why an image stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ImageNeed {
    /// A container has it, running or not.
    Container,
    /// An update to it waits or runs, a target runs it or is pinned to it, or it is a way back.
    Deploy,
    /// A build that is not over works with it.
    Build,
    /// It is a listed version of *Local engine*.
    Version,
    /// It has a name that Slipway did not give it, or whose image is in no registry.
    OtherName,
}

/// An image that Slipway made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeImage {
    /// The engine's id.
    pub id: ImageId,
    /// Its layers, lowest first.
    pub layers: Vec<StoredLayer>,
    /// It has a name.
    pub named: bool,
    /// The build that made it: the greater, the later.
    pub build: BuildId,
    /// Why it stays.
    pub need: Option<ImageNeed>,
}

/// One image that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRemoval {
    /// Which.
    pub image: ImageId,
    /// Bytes that come free when all before it in the plan are gone.
    pub frees: u64,
}

/// What is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskPlan {
    /// Bytes that the images take now.
    pub used: u64,
    /// What goes, in order.
    pub remove: Vec<PlannedRemoval>,
    /// Bytes that they take then; more than the budget when what is needed takes more.
    pub left: u64,
}

/// Returns the bytes that an engine keeps for these images alone: each layer once, and none that `others`, the layers of
/// images that Slipway did not make, hold anyway.
#[must_use]
pub fn held_bytes<'i>(images: impl IntoIterator<Item = &'i MadeImage>, others: &HashSet<String>) -> u64 {
    let mut seen = HashSet::new();
    let layers = images.into_iter().flat_map(|image| &image.layers);
    layers.filter(|layer| !others.contains(&layer.chain) && seen.insert(&layer.chain)).map(|layer| layer.bytes).sum()
}

/// Decides what goes so that the images take no more than `budget` bytes: those without a name first, then the oldest, never
/// what is needed, and nothing that a name is worth more than the bytes that come free.
#[must_use]
pub fn plan(images: &[MadeImage], others: &HashSet<String>, budget: u64) -> DiskPlan {
    let used = held_bytes(images, others);
    let mut holders: HashMap<&str, usize> = HashMap::new();
    for layer in distinct_layers(images) {
        *holders.entry(layer.chain.as_str()).or_default() += 1;
    }
    // Layers that stay whatever goes.
    let mut staying: HashSet<&str> = others.iter().map(String::as_str).collect();
    let needed = images.iter().filter(|image| image.need.is_some());
    staying.extend(needed.flat_map(|image| &image.layers).map(|layer| layer.chain.as_str()));
    let gains =
        |image: &MadeImage| image.layers.iter().any(|layer| layer.bytes > 0 && !staying.contains(&*layer.chain));
    let mut candidates: Vec<&MadeImage> =
        images.iter().filter(|image| image.need.is_none() && (!image.named || gains(image))).collect();
    candidates.sort_by_key(|image| (image.named, image.build, &image.id.0));
    let (mut left, mut remove) = (used, Vec::new());
    for image in candidates {
        if left <= budget {
            break;
        }
        let mut frees = 0;
        for layer in distinct_layers(std::slice::from_ref(image)) {
            let holders = holders.entry(layer.chain.as_str()).or_default();
            *holders = holders.saturating_sub(1);
            if *holders == 0 && !staying.contains(&*layer.chain) {
                frees += layer.bytes;
            }
        }
        left = left.saturating_sub(frees);
        remove.push(PlannedRemoval { image: image.id.clone(), frees });
    }
    DiskPlan { used, remove, left }
}

/// The layers of each image, each once per image.
fn distinct_layers(images: &[MadeImage]) -> impl Iterator<Item = &StoredLayer> {
    images.iter().flat_map(|image| {
        let mut seen = HashSet::new();
        image.layers.iter().filter(move |layer| seen.insert(&layer.chain))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn image(build: i64, named: bool, need: Option<ImageNeed>, layers: &[(&str, u64)]) -> MadeImage {
        let layers = layers.iter().map(|(chain, bytes)| StoredLayer { chain: (*chain).to_owned(), bytes: *bytes });
        MadeImage { id: ImageId(format!("{build}")), layers: layers.collect(), named, build: BuildId(build), need }
    }

    fn removed(plan: &DiskPlan) -> Vec<&str> {
        plan.remove.iter().map(|one| one.image.0.as_str()).collect()
    }

    #[test]
    fn nameless_ones_go_first_then_the_oldest_until_the_budget_holds() {
        let images = [
            image(4, true, None, &[("d", 10)]),
            image(1, true, None, &[("a", 10)]),
            image(3, false, None, &[("c", 10)]),
            image(2, true, Some(ImageNeed::Deploy), &[("b", 10)]),
        ];
        let others = HashSet::new();
        for (budget, goes, left) in
            [(40, vec![], 40), (39, vec!["3"], 30), (29, vec!["3", "1"], 20), (0, vec!["3", "1", "4"], 10)]
        {
            let plan = plan(&images, &others, budget);
            assert_eq!((removed(&plan), plan.used, plan.left), (goes, 40, left), "budget {budget}");
        }
    }

    #[test]
    fn a_shared_layer_counts_once_and_comes_free_with_its_last_image() {
        let base = ("base", 100);
        let images = [image(1, true, None, &[base, ("a", 1)]), image(2, true, None, &[base, ("b", 2)])];
        let whole = plan(&images, &HashSet::new(), 0);
        assert_eq!((whole.used, whole.left), (103, 0));
        assert_eq!(whole.remove.iter().map(|one| one.frees).collect::<Vec<_>>(), [1, 102]);
        // The base is somebody else's image, too: it is not ours to count, and it does not come free.
        let others = HashSet::from(["base".to_owned()]);
        let shared = plan(&images, &others, 0);
        assert_eq!((shared.used, shared.left), (3, 0));
        assert_eq!(shared.remove.iter().map(|one| one.frees).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_name_is_not_taken_away_for_nothing() {
        let images = [
            image(1, true, None, &[("a", 5)]),
            image(2, true, Some(ImageNeed::Container), &[("a", 5)]),
            image(3, false, None, &[("a", 5)]),
        ];
        let plan = plan(&images, &HashSet::new(), 0);
        assert_eq!((removed(&plan), plan.left), (vec!["3"], 5));
    }

    /// Every set of up to four images over three layers, each needed or not, named or not, against every budget.
    #[test]
    fn what_is_needed_stays_and_the_bytes_are_true_whatever_there_is() {
        let layers = [("x", 1), ("y", 2), ("z", 4)];
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        for _ in 0..4000 {
            let images: Vec<MadeImage> = (0..random(5))
                .map(|build| {
                    let of: Vec<_> = layers.iter().filter(|_| random(2) == 0).copied().collect();
                    let need = (random(3) == 0).then_some(ImageNeed::Version);
                    image(i64::try_from(build).unwrap(), random(2) == 0, need, &of)
                })
                .collect();
            let others: HashSet<String> =
                layers.iter().filter(|_| random(4) == 0).map(|(chain, _)| (*chain).to_owned()).collect();
            let budget = random(9);
            let plan = plan(&images, &others, budget);
            let goes: HashSet<&str> = removed(&plan).into_iter().collect();
            let stays = || images.iter().filter(|image| !goes.contains(&*image.id.0));
            assert!(images.iter().all(|image| image.need.is_none() || !goes.contains(&*image.id.0)));
            assert_eq!(plan.left, held_bytes(stays(), &others));
            assert_eq!(plan.used - plan.left, plan.remove.iter().map(|one| one.frees).sum::<u64>());
            // More stays than may only when nothing that could go would free anything.
            let needed = || stays().filter(|image| image.need.is_some());
            assert!(
                plan.left <= budget || plan.left == held_bytes(needed(), &others),
                "{images:?} {others:?} {plan:?}"
            );
            // No more goes than has to.
            let but_the_last = plan.remove.iter().rev().skip(1).map(|one| one.frees).sum::<u64>();
            assert!(plan.remove.is_empty() || plan.used - but_the_last > budget);
        }
    }
}
