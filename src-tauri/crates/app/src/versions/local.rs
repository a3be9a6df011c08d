//! Versions of *Local engine*: names in the engine's own store.

use super::{Inspected, Shelf, VersionQuery, told_by};
use slipway_core::Failure;
use slipway_core::image::{EngineImage, ImageId, ImageReference, Tag};
use slipway_core::image_config::{layers_with_instructions, version_config};
use slipway_core::ports::BuildEngine;
use slipway_core::version::{
    FuzzySearch, Version, VersionBuild, VersionImage, VersionPage, VersionSort, natural_order,
};
use std::collections::HashMap;

impl Shelf<'_> {
    /// Every tag of the repository that the engine's store has.
    pub(super) async fn engine_versions(&self, engine: &dyn BuildEngine) -> Result<Vec<Version>, Failure> {
        let name = &self.repository.spec.name;
        let own = ImageReference::parse(&format!("docker.io/{name}"))?.repository();
        let images = engine.images_of(name.as_str()).await?;
        let mut found: Vec<(Tag, EngineImage)> = Vec::new();
        for image in images {
            for full in &image.tags {
                if let Ok(reference) = ImageReference::parse(full)
                    && reference.repository() == own
                    && let Some(tag) = reference.tag
                {
                    found.push((tag, image.clone()));
                }
            }
        }
        let tags: Vec<&Tag> = found.iter().map(|(tag, _)| tag).collect();
        let mut origins = self.parts.store.tag_origins(self.repository.id, &tags).await?;
        let newest = self.parts.store.newest_built(self.repository.id).await?.and_then(|(_, image)| image);
        // A copied name holds what a build made under another.
        let made: HashMap<ImageId, VersionBuild> =
            origins.values().filter_map(|origin| Some((origin.image.clone()?, origin.build.clone()?))).collect();
        found
            .into_iter()
            .map(|(tag, image)| {
                let mut version = self.bare(&tag)?;
                let origin = origins.remove(&tag).filter(|origin| origin.image.as_ref() == Some(&image.id));
                told_by(&mut version, origin);
                version.build = version.build.or_else(|| made.get(&image.id).cloned());
                version.newest = Some(&image.id) == newest.as_ref();
                version.size = Some(image.size);
                version.platforms = vec![image.platform];
                version.created = image.created;
                version.image = Some(image.id);
                Ok(version)
            })
            .collect()
    }

    pub(super) async fn engine_page(
        &self,
        engine: &dyn BuildEngine,
        query: &VersionQuery,
    ) -> Result<VersionPage, Failure> {
        let versions = self.engine_versions(engine).await?;
        let all = versions.len() as u64;
        let search = FuzzySearch::new(&query.search);
        let mut found: Vec<(u8, Version)> =
            versions.into_iter().filter_map(|version| Some((search.rank(version.tag.as_str())?, version))).collect();
        let value = |version: &Version| match query.sort {
            VersionSort::Name => None,
            VersionSort::Pushed => version.pushed_at.map(|at| at.timestamp_millis()),
            VersionSort::Created => version.created.map(|at| at.timestamp_millis()),
            VersionSort::Size => version.size.and_then(|size| i64::try_from(size).ok()),
        };
        found.sort_by(|(rank_a, a), (rank_b, b)| {
            let order = match (value(a), value(b)) {
                (Some(x), Some(y)) => x.cmp(&y),
                // What is not known stands last either way round.
                (Some(_), None) => return rank_a.cmp(rank_b).then(std::cmp::Ordering::Less),
                (None, Some(_)) => return rank_a.cmp(rank_b).then(std::cmp::Ordering::Greater),
                (None, None) => std::cmp::Ordering::Equal,
            };
            let order = order.then_with(|| natural_order(a.tag.as_str(), b.tag.as_str()));
            rank_a.cmp(rank_b).then(if query.ascending { order } else { order.reverse() })
        });
        let total = found.len() as u64;
        Ok(VersionPage {
            items: found.into_iter().skip(query.offset).take(query.limit).map(|(_, version)| version).collect(),
            total,
            all,
            pending: 0,
            sorted: total,
            checked_at: self.parts.now(),
            local: true,
        })
    }

    pub(super) async fn inspect_on_engine(
        &self,
        engine: &dyn BuildEngine,
        reference: &str,
    ) -> Result<Inspected, Failure> {
        let tag = Tag::new(reference)?;
        let versions = self.engine_versions(engine).await?;
        let version = versions.into_iter().find(|version| version.tag == tag);
        let version = version.ok_or_else(|| self.unknown(reference))?;
        let id = version.image.as_ref().map_or(reference, |image| image.0.as_str());
        let details = engine.image_details(id).await?.ok_or_else(|| self.unknown(reference))?;
        let sizes = details.layer_sizes.iter().copied().chain(std::iter::repeat(0));
        let layers: Vec<(String, u64)> = details.image.layers.iter().cloned().zip(sizes).collect();
        let (rows, fits) = layers_with_instructions(&layers, &details.history);
        let image = VersionImage {
            platform: Some(details.image.platform.clone()),
            digest: None,
            config_digest: None,
            size: details.image.size,
            created: details.image.created,
            author: None,
            layers: rows,
            unaligned: !fits,
            config: version_config(&details.config),
        };
        Ok(Inspected { version, media_type: None, images: vec![image], attachments: 0 })
    }

    /// Other tags of the repository on the same image.
    pub(super) async fn engine_siblings(&self, version: &Version) -> Result<Vec<Tag>, Failure> {
        let super::Place::Engine(engine) = &self.place else { return Ok(Vec::new()) };
        let versions = self.engine_versions(engine.as_ref()).await?;
        let same = |one: &Version| one.image == version.image && one.tag != version.tag;
        Ok(versions.into_iter().filter(same).map(|one| one.tag).collect())
    }
}
