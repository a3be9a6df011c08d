//! The check before a rule is saved: everything that would make its builds fail, beside the field at fault. It asks the
//! outside; nothing is written.

mod published;

use crate::Slipway;
use crate::access::BaseImageLogins;
use crate::pipeline::with_suggestions;
use slipway_core::code::{CommitId, RefName};
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::{ImageReference, Platform, RegistryAccess, RegistryLogin, Tag};
use slipway_core::matching::TriggerMatcher;
use slipway_core::ports::{BuildEngine, LoginSource};
use slipway_core::rule::RuleSpec;
use slipway_core::{ErrorCode, Failure};
use slipway_engine::dockerfile::inspect;
use slipway_registry::mirrors::{accesses_in_order, head};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the check found. A rule with warnings can be saved, one with errors not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preflight {
    /// What would make builds fail.
    pub errors: Vec<Failure>,
    /// What a person should know.
    pub warnings: Vec<Failure>,
    /// The ref that files were looked for on.
    pub on_ref: Option<RefName>,
}

impl Slipway {
    /// Checks a rule against its code, its engine and its registry.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] for the image repository, or a failure of the store; problems are in the result.
    pub async fn preflight(&self, repository: ImageRepositoryId, spec: &RuleSpec) -> Result<Preflight, Failure> {
        let mut found = Preflight { errors: spec.check(), warnings: spec.warnings(), on_ref: None };
        let repository = self.parts.store.image_repository(repository).await?;
        let engine = match self.parts.engine(spec.options.engine.as_deref().unwrap_or("local")) {
            Ok(engine) => Some(engine),
            Err(failure) => {
                found.errors.push(failure.at("spec.options.engine"));
                None
            }
        };
        let head = self.representative_head(spec).await;
        match head {
            Ok((name, commit)) => {
                found.on_ref = Some(name);
                self.check_files(spec, &commit, engine.as_ref(), &mut found).await;
            }
            Err(failure) => found.errors.push(failure.at("spec.code")),
        }
        if let Some(reason) = &repository.read_only_reason {
            found.errors.push(Failure { code: ErrorCode::ReadOnlyRepository, ..reason.clone() }.at("repository"));
        } else {
            match self.parts.repository_access(&repository).await {
                Ok((_, Some(access))) => {
                    let report = self.parts.ports.registries.test(&access, &repository.spec.name).await;
                    found
                        .errors
                        .extend(report.into_iter().filter_map(|hop| hop.result.err()).map(|one| one.at("repository")));
                }
                Ok((_, None)) => {}
                Err(failure) => found.errors.push(failure.at("repository")),
            }
        }
        if let Some(engine) = &engine {
            self.check_newest_tag(&repository, spec, engine.as_ref(), &mut found).await;
        }
        let preview = self.preview_rule(spec.code, &spec.triggers, &spec.version).await;
        if let Ok(preview) = preview {
            let tags = preview.matching.iter().filter_map(|one| one.tags.as_ref().ok()).flatten();
            let tags: BTreeSet<Tag> = tags.cloned().collect();
            self.check_write_once(&repository, &tags, engine.as_ref(), &mut found).await;
            for one in preview.matching {
                if let Err(failure) = one.tags {
                    found.warnings.push(failure.at("spec.version").with("ref", one.name.as_str()));
                }
            }
            for collision in preview.collisions {
                let refs = collision.refs.iter().map(RefName::short).collect::<Vec<_>>().join(", ");
                let message = format!("{refs} get the same tag {}", collision.tag);
                let warning = Failure::new(ErrorCode::BadTagTemplate, message).at("spec.version");
                found
                    .warnings
                    .push(warning.with("warning", "collision").with("tag", collision.tag.as_str()).with("refs", refs));
            }
        }
        Ok(found)
    }

    /// Returns a ref that the rule builds (the default branch first) with its head, fetched.
    async fn representative_head(&self, spec: &RuleSpec) -> Result<(RefName, CommitId), Failure> {
        let remote = self.refs(spec.code).await?;
        // What is wrong with the triggers is said beside them; the files can be looked at all the same.
        let matcher = TriggerMatcher::new(&spec.triggers).ok();
        let default = remote.default_branch.clone();
        let matching = |name: &&RefName| matcher.as_ref().is_some_and(|one| one.matches(name).is_some());
        let chosen =
            default.as_ref().filter(matching).or_else(|| remote.refs.iter().map(|one| &one.name).find(matching));
        self.parts.head(spec.code, chosen.cloned().or(default)).await
    }

    async fn check_files(
        &self,
        spec: &RuleSpec,
        commit: &CommitId,
        engine: Option<&Arc<dyn BuildEngine>>,
        found: &mut Preflight,
    ) {
        let code = &self.parts.ports.code;
        if let Err(failure) = code.list_folder(spec.code, commit, &spec.context_dir).await {
            found.errors.push(failure.at("spec.context_dir"));
        }
        let path = &spec.dockerfile_path;
        let dockerfile = match code.read_file(spec.code, commit, path, 1024 * 1024).await {
            Ok(Some(dockerfile)) => dockerfile,
            Ok(None) => {
                let failure = Failure::new(ErrorCode::DockerfileMissing, format!("there is no {path}"))
                    .at("spec.dockerfile_path")
                    .with("path", path.as_str());
                let entries = code.list_folder(spec.code, commit, &path.parent()).await.unwrap_or_default();
                found.errors.push(with_suggestions(failure, path, &entries));
                return;
            }
            Err(failure) => {
                found.errors.push(failure.at("spec.dockerfile_path"));
                return;
            }
        };
        let Some(engine) = engine else { return };
        let own = match engine.info().await {
            Ok(info) => info.platform,
            Err(failure) => {
                found.errors.push(failure.at("spec.options.engine"));
                return;
            }
        };
        self.check_platforms(spec, &own, found);
        let platform = spec.options.platforms.first().unwrap_or(&own);
        let options = &spec.options;
        let facts = match inspect(&dockerfile, &options.args, options.target.as_deref(), Some(platform)) {
            Ok(facts) => facts,
            Err(failure) => {
                found.errors.push(failure.at("spec.dockerfile_path"));
                return;
            }
        };
        if !facts.target_exists {
            let target = options.target.clone().unwrap_or_default();
            let failure = Failure::new(ErrorCode::TargetMissing, format!("{path} has no stage {target}"));
            found.errors.push(failure.at("spec.options.target").with("target", target));
        }
        for secret in facts.secrets {
            if !options.secrets.iter().any(|given| given.id == secret.id) {
                let failure = Failure::new(
                    ErrorCode::SecretMissing,
                    format!("line {} mounts the secret {}", secret.line, secret.id),
                )
                .at("spec.options.secrets")
                .with("line", secret.line.to_string())
                .with("secret", &*secret.id);
                if secret.required { found.errors.push(failure) } else { found.warnings.push(failure) }
            }
        }
        let logins = BaseImageLogins(Arc::clone(&self.parts));
        for image in facts.images {
            let login = logins.login(image.reference.host.as_str()).await;
            let wanted = image.platform.as_ref().or(options.platforms.first());
            if let Err(failure) = engine.can_resolve(&image.reference, wanted, &login).await
                && !self.a_mirror_has(&image.reference, login).await
            {
                let image_name = image.reference.to_string();
                let failure =
                    failure.at("spec.dockerfile_path").with("line", image.line.to_string()).with("image", image_name);
                found.errors.push(failure);
            }
        }
    }

    /// Asks the mirrors of an image's host for it; a build would pull it there.
    async fn a_mirror_has(&self, image: &ImageReference, login: RegistryLogin) -> bool {
        let asked = async {
            // A digest is pulled by the engine alone: mirrors are used by tag.
            let (Some(tag), None) = (&image.tag, &image.digest) else { return Ok(None) };
            let settings = self.parts.settings().await?;
            let mirrors = settings.mirrors_of(&image.host);
            let upstream = RegistryAccess {
                host: image.host.clone(),
                plain_http: false,
                ca_pem: None,
                proxy: self.parts.proxy(settings.registry_proxy).await?,
                login,
            };
            let mut accesses = accesses_in_order(&mirrors, &upstream)?;
            // The engine has asked the upstream already.
            accesses.pop();
            let logins = BaseImageLogins(Arc::clone(&self.parts));
            for access in &mut accesses {
                access.login = logins.login(access.host.as_str()).await;
            }
            head(self.parts.ports.registries.as_ref(), &accesses, &image.name, tag.as_str()).await
        };
        matches!(asked.await, Ok(Some(_)))
    }

    /// An ARM laptop must not silently replace amd64 images.
    fn check_platforms(&self, spec: &RuleSpec, own: &Platform, found: &mut Preflight) {
        let differs = spec.options.platforms.iter().find(|platform| *platform != own);
        if let Some(platform) = differs {
            let message = format!("the engine is {own}; {platform} is built by emulation, or not at all");
            let warning = Failure::new(ErrorCode::BaseImagePlatform, message).at("spec.options.platforms");
            found.warnings.push(warning.with("warning", "platform").with("engine", own.to_string()));
        }
    }
}
