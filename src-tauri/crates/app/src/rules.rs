//! Use cases on build rules.

use crate::{AppEvent, Slipway};
use slipway_core::build::BuildNumber;
use slipway_core::code::{CommitId, RefName};
use slipway_core::ids::{CodeRepositoryId, ImageRepositoryId, RuleId, SecretId};
use slipway_core::image::Tag;
use slipway_core::matching::{MatchedTrigger, TriggerMatcher};
use slipway_core::naming::{TagCollision, TagContext, collisions, render_tags};
use slipway_core::rule::{PushTriggers, RuleSpec, VersionRule};
use slipway_core::{Failure, Secret};
use slipway_store::{DeletedRule, RuleRecord};
use std::collections::BTreeMap;

/// The live preview of the rule editor, on the refs that were last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct RulePreview {
    /// Refs that start the rule, with what they would be tagged.
    pub matching: Vec<PreviewRef>,
    /// How many refs were looked at.
    pub of: usize,
    /// Tags that several refs would get.
    pub collisions: Vec<TagCollision>,
}

/// One ref of a preview.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewRef {
    /// Which.
    pub name: RefName,
    /// Which trigger it matches.
    pub trigger: MatchedTrigger,
    /// Its tags, or why there are none.
    pub tags: Result<Vec<Tag>, Failure>,
}

impl Slipway {
    /// Adds a rule. What its code repository holds now counts as handled; later pushes build.
    ///
    /// # Errors
    /// The first problem of the rule with its field; `NameTaken`; `ReadOnlyRepository`.
    pub async fn add_rule(&self, repository: ImageRepositoryId, spec: &RuleSpec) -> Result<RuleId, Failure> {
        self.writable_repository(repository).await?;
        check(spec)?;
        self.look_first(spec.code).await;
        let id = self.parts.store.insert_rule(repository, spec, self.parts.now()).await?;
        self.parts.announce(AppEvent::RuleChanged { rule: id, repository });
        Ok(id)
    }

    /// Changes a rule. What it has built and handled stays; switching it on here is like [`Slipway::set_auto_trigger`].
    ///
    /// # Errors
    /// As [`Slipway::add_rule`].
    pub async fn edit_rule(&self, id: RuleId, spec: &RuleSpec) -> Result<(), Failure> {
        let old = self.parts.store.rule(id).await?;
        self.writable_repository(old.repository).await?;
        check(spec)?;
        // Under the old rule, so that no push of the past starts the new one.
        self.look_first(spec.code).await;
        if spec.auto_trigger && !old.spec.auto_trigger {
            self.parts.store.set_auto_trigger(id, true, self.parts.now()).await?;
        }
        self.parts.store.update_rule(id, spec, self.parts.now()).await?;
        self.forget_unused_secrets(&old.spec, Some(spec)).await?;
        self.parts.announce(AppEvent::RuleChanged { rule: id, repository: old.repository });
        Ok(())
    }

    /// Makes a copy of a rule under another name, switched off until the person has looked at it.
    ///
    /// # Errors
    /// As [`Slipway::add_rule`].
    pub async fn duplicate_rule(&self, id: RuleId, name: &str) -> Result<RuleId, Failure> {
        let rule = self.parts.store.rule(id).await?;
        let mut spec = RuleSpec { name: name.to_owned(), auto_trigger: false, ..rule.spec };
        for secret in &mut spec.options.secrets {
            // A copy of its own: deleting one rule must not take the other one's secrets.
            let opened = self.parts.open_secret(secret.secret).await?;
            secret.secret = self.keep_build_secret(&secret.id, &opened).await?;
        }
        self.add_rule(rule.repository, &spec).await
    }

    /// Turns a rule on or off. Off, pushes are ignored and count as seen: turned on again it builds nothing old.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_auto_trigger(&self, id: RuleId, on: bool) -> Result<(), Failure> {
        let rule = self.parts.store.rule(id).await?;
        if on && !rule.spec.auto_trigger {
            // Pushes that nobody has seen yet were made while it was off too.
            self.look_first(rule.spec.code).await;
        }
        self.parts.store.set_auto_trigger(id, on, self.parts.now()).await?;
        self.parts.announce(AppEvent::RuleChanged { rule: id, repository: rule.repository });
        Ok(())
    }

    /// Deletes a rule: records stay, waiting builds are cancelled, running ones too when `cancel_running` says so.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_rule(&self, id: RuleId, cancel_running: bool) -> Result<DeletedRule, Failure> {
        let rule = self.parts.store.rule(id).await?;
        let deleted = self.parts.store.delete_rule(id, self.parts.now()).await?;
        if cancel_running {
            for build in &deleted.running {
                self.cancel_build(*build).await?;
            }
        }
        self.forget_unused_secrets(&rule.spec, None).await?;
        for build in &deleted.cancelled {
            self.parts.announce(AppEvent::BuildChanged { build: *build, repository: rule.repository });
        }
        self.webhooks.rule_deleted(rule.spec.code).await?;
        self.parts.announce(AppEvent::RuleChanged { rule: id, repository: rule.repository });
        self.parts.announce(AppEvent::QueueChanged);
        Ok(deleted)
    }

    /// Returns the rules of an image repository by name.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn rules(&self, repository: ImageRepositoryId) -> Result<Vec<RuleRecord>, Failure> {
        Ok(self.parts.store.rules_of_repository(repository).await?)
    }

    /// Returns one rule.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn rule(&self, id: RuleId) -> Result<RuleRecord, Failure> {
        Ok(self.parts.store.rule(id).await?)
    }

    /// Seals a secret for builds; a rule names it by the returned id. It never comes back in clear.
    ///
    /// # Errors
    /// What the keychain says.
    pub async fn keep_build_secret(&self, id: &str, secret: &Secret) -> Result<SecretId, Failure> {
        self.parts.keep_secret(&format!("build secret {id}"), secret).await
    }

    /// Returns which known refs a rule matches and what their images would be called, without asking the code host.
    ///
    /// # Errors
    /// A pattern or template that is not valid, with its field.
    pub async fn preview_rule(
        &self,
        code: CodeRepositoryId,
        triggers: &PushTriggers,
        version: &VersionRule,
    ) -> Result<RulePreview, Failure> {
        let matcher = TriggerMatcher::new(triggers)?;
        let heads = self.parts.store.heads(code).await?;
        let now = self.parts.now();
        let offset_seconds = self.parts.ports.clock.local_offset_seconds(now);
        let mut matching = Vec::new();
        let mut of = 0;
        for head in heads {
            let Some(object) = head.object else { continue };
            of += 1;
            let Some(found) = matcher.matches(&head.ref_name) else { continue };
            let commit: CommitId = head.commit.unwrap_or(object);
            let context = TagContext {
                ref_name: Some(&head.ref_name),
                commit: Some(&commit),
                number: BuildNumber(1),
                started_at: now,
                offset_seconds,
                groups: &found.groups,
            };
            let tags = render_tags(version, &context);
            matching.push(PreviewRef { name: head.ref_name.clone(), trigger: found.trigger, tags });
        }
        let rendered: Vec<(RefName, Vec<Tag>)> =
            matching.iter().filter_map(|one| Some((one.name.clone(), one.tags.as_ref().ok()?.clone()))).collect();
        Ok(RulePreview { collisions: collisions(&rendered), matching, of })
    }

    /// Looks at the code before a rule begins to watch it. Where it cannot be reached, what was seen last has to do.
    pub(crate) async fn look_first(&self, code: CodeRepositoryId) {
        if let Err(failure) = self.watch.check_now(code).await {
            tracing::info!(%code, %failure, "the code repository could not be looked at before the rule changed");
        }
    }

    async fn forget_unused_secrets(&self, old: &RuleSpec, new: Option<&RuleSpec>) -> Result<(), Failure> {
        let builds = self.parts.store.non_final().await?;
        for secret in &old.options.secrets {
            let is_used = |options: &slipway_core::rule::BuildOptions| {
                options.secrets.iter().any(|used| used.secret == secret.secret)
            };
            let kept = new.is_some_and(|new| is_used(&new.options))
                || builds.iter().any(|build| is_used(&build.inputs.options));
            if !kept {
                self.parts.forget_secret(Some(secret.secret)).await;
            }
        }
        Ok(())
    }
}

pub(crate) fn check(spec: &RuleSpec) -> Result<(), Failure> {
    spec.check().into_iter().next().map_or(Ok(()), Err)
}

/// Capture groups of a rule's pattern on a ref.
pub(crate) fn groups(spec: &RuleSpec, name: &RefName) -> Result<BTreeMap<String, String>, Failure> {
    Ok(TriggerMatcher::new(&spec.triggers)?.groups(name).unwrap_or_default())
}
