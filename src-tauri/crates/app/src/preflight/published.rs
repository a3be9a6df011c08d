//! What the repository holds already, against what a rule would publish.

use super::Preflight;
use crate::Slipway;
use crate::pipeline::is_write_once;
use slipway_core::image::{Platform, Tag};
use slipway_core::ports::BuildEngine;
use slipway_core::rule::RuleSpec;
use slipway_core::{ErrorCode, Failure};
use slipway_store::ImageRepositoryRecord;
use std::collections::BTreeSet;
use std::sync::Arc;

/// So many tags are looked up; one warning shows the rule's fault as well as a hundred.
const TAGS_LOOKED_UP: usize = 20;

impl Slipway {
    /// Warns about tags that are written once and exist: a build of theirs would stop.
    pub(super) async fn check_write_once(
        &self,
        repository: &ImageRepositoryRecord,
        tags: &BTreeSet<Tag>,
        engine: Option<&Arc<dyn BuildEngine>>,
        found: &mut Preflight,
    ) {
        let (name, patterns) = (&repository.spec.name, &repository.spec.write_once);
        let write_once = tags.iter().filter(|tag| is_write_once(patterns, tag).unwrap_or(false));
        // Where the registry does not answer, its test is the error already.
        let Ok((_, access)) = self.parts.repository_access(repository).await else { return };
        for tag in write_once.take(TAGS_LOOKED_UP) {
            let exists = match (&access, engine) {
                (Some(access), _) => {
                    self.parts.ports.registries.head(access, name, tag.as_str()).await.map(|head| head.is_some())
                }
                (None, Some(engine)) => {
                    engine.image(&format!("docker.io/{name}:{tag}")).await.map(|image| image.is_some())
                }
                (None, None) => return,
            };
            match exists {
                Ok(true) => {
                    let message = format!("the tag {tag} is written once and exists already");
                    let warning = Failure::new(ErrorCode::TagImmutable, message).at("spec.version");
                    found.warnings.push(warning.with("warning", "write_once").with("tag", tag.as_str()));
                }
                Ok(false) => {}
                Err(_) => return,
            }
        }
    }

    /// Warns when the rule would replace images of another platform, or builds theirs by emulation without having asked.
    pub(super) async fn check_newest_tag(
        &self,
        repository: &ImageRepositoryRecord,
        spec: &RuleSpec,
        engine: &dyn BuildEngine,
        found: &mut Preflight,
    ) {
        let Ok(newest) = self.parts.newest_platforms(repository, engine).await else { return };
        let (wanted, message): (Vec<Platform>, _) = if spec.options.platforms.is_empty() {
            let Ok(info) = engine.info().await else { return };
            (vec![info.platform], "the newest tag's platform is built by emulation, or not at all")
        } else {
            (spec.options.platforms.clone(), "the newest tag has other platforms")
        };
        // Without a platform of the rule, that of the newest tag is built: only what the engine is not is worth a word.
        let covered = newest.iter().all(|one| wanted.contains(one));
        if newest.is_empty() || covered {
            return;
        }
        let list = |platforms: &[Platform]| platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (newest, wanted) = (list(&newest), list(&wanted));
        let warning = Failure::new(ErrorCode::BaseImagePlatform, format!("{message}: {newest}, not {wanted}"));
        found.warnings.push(
            warning
                .at("spec.options.platforms")
                .with("warning", "newest_platform")
                .with("newest", newest)
                .with("wanted", wanted),
        );
    }
}
