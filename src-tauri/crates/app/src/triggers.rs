//! Use cases on image triggers. Behind them: `tags` sees tags move, `hand_over` turns tag events into firings, `worker` turns
//! firings into updated targets, `keep` keeps the images that a way back needs.

pub(crate) mod attempt;
pub(crate) mod hand_over;
mod journal;
pub(crate) mod keep;
pub(crate) mod tags;
pub(crate) mod versions;
pub(crate) mod worker;

use crate::{AppEvent, Slipway};
use slipway_core::deploy::DeployTarget;
use slipway_core::ids::{FiringId, ImageRepositoryId, SecretId, TriggerId};
use slipway_core::image::Tag;
use slipway_core::trigger::{ConditionMatcher, TagCondition, TriggerSpec};
use slipway_core::{ErrorCode, Failure, Secret};
use slipway_store::{FiringFilter, FiringRecord, TagWatch, TriggerRecord};

/// A trigger with how it goes.
#[derive(Debug, Clone)]
pub struct TriggerDetail {
    /// The row.
    pub trigger: TriggerRecord,
    /// How looking at its repository's tags goes.
    pub watch: TagWatch,
    /// What it did last.
    pub last_firing: Option<FiringRecord>,
}

/// The live preview of the trigger editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerPreview {
    /// Tags that would have fired.
    pub matching: Vec<Tag>,
    /// How many tags were looked at.
    pub of: usize,
}

impl Slipway {
    /// Adds a trigger. Tags that are there now count as seen; later ones fire.
    ///
    /// # Errors
    /// The first problem with its field; `NameTaken`; `NotFound` without the repository.
    pub async fn add_trigger(&self, repository: ImageRepositoryId, spec: &TriggerSpec) -> Result<TriggerId, Failure> {
        self.parts.store.image_repository(repository).await?;
        let spec = &checked(spec)?;
        // For the triggers that are there already: what moved until now is no news to the new one.
        self.look_soon(repository).await;
        let id = self.parts.store.insert_trigger(repository, spec, self.parts.now()).await?;
        self.trigger_changed(id, repository);
        self.look_soon(repository).await;
        Ok(id)
    }

    /// Changes a trigger. With another condition, and when it is turned on, what is there now counts as seen.
    ///
    /// # Errors
    /// As [`Slipway::add_trigger`].
    pub async fn edit_trigger(&self, id: TriggerId, spec: &TriggerSpec) -> Result<(), Failure> {
        let spec = &checked(spec)?;
        let old = self.parts.store.trigger(id).await?;
        // Under the old condition, so that nothing of the past fires under the new one.
        self.look_soon(old.repository).await;
        self.parts.store.update_trigger(id, spec, self.parts.now()).await?;
        self.forget_secrets_of(&old.spec.target).await?;
        self.trigger_changed(id, old.repository);
        self.look_soon(old.repository).await;
        Ok(())
    }

    /// Turns a trigger on or off. Off, new tags are ignored and count as seen.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_trigger_enabled(&self, id: TriggerId, enabled: bool) -> Result<(), Failure> {
        let record = self.parts.store.trigger(id).await?;
        self.edit_trigger(id, &TriggerSpec { enabled, ..record.spec }).await
    }

    /// Deletes a trigger; records stay. A firing that runs goes on, unless `cancel_running` says otherwise.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_trigger(&self, id: TriggerId, cancel_running: bool) -> Result<Vec<FiringId>, Failure> {
        let record = self.parts.store.trigger(id).await?;
        let running = self.parts.store.delete_trigger(id, self.parts.now()).await?;
        if cancel_running {
            for firing in &running {
                self.cancel_firing(*firing).await?;
            }
        }
        self.forget_secrets_of(&record.spec.target).await?;
        self.trigger_changed(id, record.repository);
        Ok(running)
    }

    /// Returns the triggers that are not deleted, by name; of one repository when it is given.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn triggers(&self, repository: Option<ImageRepositoryId>) -> Result<Vec<TriggerDetail>, Failure> {
        let mut details = Vec::new();
        for trigger in self.parts.store.triggers(repository).await? {
            details.push(self.detail_of(trigger).await?);
        }
        Ok(details)
    }

    /// Returns one trigger.
    ///
    /// # Errors
    /// `NotFound`, also when it is deleted.
    pub async fn trigger(&self, id: TriggerId) -> Result<TriggerDetail, Failure> {
        let trigger = self.parts.store.trigger(id).await?;
        if trigger.deleted_at.is_some() {
            return Err(Failure::new(ErrorCode::NotFound, "the trigger was deleted"));
        }
        self.detail_of(trigger).await
    }

    async fn detail_of(&self, trigger: TriggerRecord) -> Result<TriggerDetail, Failure> {
        let filter = FiringFilter { trigger: Some(trigger.id), ..FiringFilter::default() };
        let last_firing = self.parts.store.list_firings(&filter, None, 1).await?.items.pop();
        Ok(TriggerDetail { watch: self.parts.store.tag_watch(trigger.repository).await?, trigger, last_firing })
    }

    /// Returns which of the tags that are there now a condition matches.
    ///
    /// # Errors
    /// A condition that is not valid, with its field; what the registry or the engine answers.
    pub async fn preview_trigger(
        &self,
        repository: ImageRepositoryId,
        condition: &TagCondition,
    ) -> Result<TriggerPreview, Failure> {
        let matcher = ConditionMatcher::new(condition)?;
        let tags = tags::tags_now(&self.parts, repository).await?;
        let of = tags.len();
        Ok(TriggerPreview { matching: tags.into_iter().filter(|tag| matcher.matches(tag)).collect(), of })
    }

    /// Looks at the tags of a repository now.
    ///
    /// # Errors
    /// What the registry or the engine answers.
    pub async fn check_tags(&self, repository: ImageRepositoryId) -> Result<(), Failure> {
        let record = self.parts.store.image_repository(repository).await?;
        tags::look(&self.parts, &record, tags::Look::Everything).await
    }

    /// Seals a header's value or a signing key of a webhook; the target names it by the returned id.
    ///
    /// # Errors
    /// What the keychain says.
    pub async fn keep_target_secret(&self, purpose: &str, secret: &Secret) -> Result<SecretId, Failure> {
        self.parts.keep_secret(&format!("webhook {purpose}"), secret).await
    }

    /// What is there when a trigger begins is no news. Where nobody answers, the first look that succeeds is the baseline.
    async fn look_soon(&self, repository: ImageRepositoryId) {
        let looking = tokio::time::timeout(tags::SHORT, self.check_tags(repository)).await;
        if let Ok(Err(failure)) = looking {
            tracing::info!(%repository, %failure, "the tags could not be looked at when a trigger changed");
        }
        self.parts.watch_other_tags();
        self.parts.firing_wake.notify_one();
    }

    fn trigger_changed(&self, trigger: TriggerId, repository: ImageRepositoryId) {
        self.parts.announce(AppEvent::TriggerChanged { trigger, repository });
    }

    /// Forgets sealed values of a webhook that no trigger and nothing unfinished names any more.
    async fn forget_secrets_of(&self, target: &DeployTarget) -> Result<(), Failure> {
        let mut used = Vec::new();
        for trigger in self.parts.store.triggers(None).await? {
            used.extend(secrets_of(&trigger.spec.target));
        }
        for firing in self.parts.store.unfinished_firings().await? {
            used.extend(secrets_of(&firing.deploy_target));
        }
        for secret in secrets_of(target).into_iter().filter(|secret| !used.contains(secret)) {
            self.parts.forget_secret(Some(secret)).await;
        }
        Ok(())
    }
}

/// Returns the sealed values that a target names.
pub(crate) fn secrets_of(target: &DeployTarget) -> Vec<SecretId> {
    match target {
        DeployTarget::Webhook { headers, signing_secret, .. } => {
            headers.iter().map(|header| header.value).chain(*signing_secret).collect()
        }
        _ => Vec::new(),
    }
}

pub(crate) fn checked(spec: &TriggerSpec) -> Result<TriggerSpec, Failure> {
    let spec = TriggerSpec { name: spec.name.trim().to_owned(), ..spec.clone() };
    match spec.check() {
        Ok(()) => Ok(spec),
        Err(failure) => {
            let field = failure.field.as_ref().map(|field| format!("spec.{field}"));
            Err(Failure { field, ..failure })
        }
    }
}
