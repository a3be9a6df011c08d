//! The in-app inbox: a notice for a change of state, never for every event. The row is written first, then it is announced.

use crate::{AppEvent, Parts, Slipway};
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::build::BuildState;
use slipway_core::channel::ChannelMessage;
use slipway_core::ids::{CodeRepositoryId, NoticeId};
use slipway_core::notice::{NoticeFacts, NoticedBuild, NoticedUpdate};
use slipway_core::trigger::{FiringKind, FiringState};
use slipway_core::{ErrorCode, Failure};
use slipway_store::notices::{Ended, Which};
use slipway_store::{BuildRecord, FiringRecord, NoticePage, NoticeRecord, Recovery};

/// Read notices are kept this long.
const READ_KEPT: TimeDelta = TimeDelta::days(90);

impl Slipway {
    /// Returns a page of the inbox, newest first.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn notices(
        &self,
        before: Option<NoticeId>,
        limit: u32,
        unread_only: bool,
    ) -> Result<NoticePage, Failure> {
        Ok(self.parts.store.notices(before, limit, unread_only).await?)
    }

    /// Returns one notice, for a listener of [`AppEvent::NoticeAdded`].
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn notice(&self, id: NoticeId) -> Result<NoticeRecord, Failure> {
        Ok(self.parts.store.notice(id).await?)
    }

    /// Marks one notice as read.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn mark_notice_read(&self, id: NoticeId) -> Result<(), Failure> {
        self.parts.store.mark_notices_read(Which::One(id), self.parts.now()).await?;
        self.parts.announce(AppEvent::InboxChanged);
        Ok(())
    }

    /// Marks a notice and all older ones as read: those that the person saw.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn mark_notices_read_up_to(&self, id: NoticeId) -> Result<(), Failure> {
        self.parts.store.mark_notices_read(Which::UpTo(id), self.parts.now()).await?;
        self.parts.announce(AppEvent::InboxChanged);
        Ok(())
    }

    /// Removes a notice and all older ones.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn clear_notices(&self, up_to: NoticeId) -> Result<(), Failure> {
        self.parts.store.clear_notices(up_to).await?;
        self.parts.announce(AppEvent::InboxChanged);
        Ok(())
    }
}

impl Parts {
    /// Writes a notice when its kind is wanted, and what the channels are told about it.
    pub(crate) async fn notify(&self, facts: &NoticeFacts) -> Result<(), Failure> {
        let news = ChannelMessage::of_notice(facts, self.now());
        let facts = self.wanted(facts.clone()).await;
        let added = self.store.insert_notice(facts.as_ref(), news.as_ref(), self.now()).await?;
        self.announce_added(added, news.is_some());
        Ok(())
    }

    /// Returns the facts when their kind is wanted: a change of state is marked as told in any case. Where the settings cannot
    /// be read, as in a damaged database, everything is told.
    async fn wanted(&self, facts: NoticeFacts) -> Option<NoticeFacts> {
        let settings = self.settings().await;
        let is_muted = settings.is_ok_and(|settings| settings.muted_notices.contains(&facts.kind()));
        (!is_muted).then_some(facts)
    }

    /// Tells the ends of builds and updates that are not told yet: what the caller wrote just now, after what an earlier
    /// process, or a full disk, left. Never fails what ended.
    pub(crate) async fn tell_ends(&self) {
        let untold = self.store.untold_ends().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "ends that are to be told cannot be read");
            Vec::new()
        });
        for ended in untold {
            let told = async {
                match ended {
                    Ended::Build(id) => self.build_ended(&self.store.build(id).await?).await,
                    Ended::Update(id) => self.update_ended(&self.store.firing(id).await?).await,
                }
            };
            if let Err(failure) = told.await {
                tracing::warn!(?ended, %failure, "an end is not in the inbox");
            }
        }
    }

    /// Tells that a build ended, when that changes how its rule stands on its ref.
    async fn build_ended(&self, row: &BuildRecord) -> Result<(), Failure> {
        let refused = row.failure.as_ref().filter(|failure| is_refusal(failure.code));
        self.tell_credential(row, refused).await?;
        let (facts, news) = match self.end_facts(row).await? {
            Some((facts, news)) => (facts, Some(news)),
            None => (None, None),
        };
        self.tell_end(Ended::Build(row.id), facts, news).await
    }

    /// Writes what an end says, once.
    async fn tell_end(
        &self,
        ended: Ended,
        facts: Option<NoticeFacts>,
        news: Option<ChannelMessage>,
    ) -> Result<(), Failure> {
        let facts = match facts {
            Some(facts) => self.wanted(facts).await,
            None => None,
        };
        let added = self.store.tell_end(ended, facts.as_ref(), news.as_ref(), self.now()).await?;
        self.announce_added(added, news.is_some());
        Ok(())
    }

    /// Returns what the end of a build says: a notice when it changes how its rule stands on its ref, and a message for the
    /// channels in any case.
    async fn end_facts(&self, row: &BuildRecord) -> Result<Option<(Option<NoticeFacts>, ChannelMessage)>, Failure> {
        if !matches!(row.state, BuildState::Succeeded | BuildState::Failed) {
            return Ok(None);
        }
        let before = match row.rule {
            Some(rule) => self.store.outcome_before(rule, row.ref_name.as_ref(), row.id).await?,
            None => None,
        };
        let build = self.noticed(row).await?;
        let facts = match (&row.failure, before) {
            (Some(failure), before) if row.state == BuildState::Failed && before != Some(BuildState::Failed) => {
                Some(NoticeFacts::BuildFailed { build: build.clone(), code: failure.code })
            }
            (_, Some(BuildState::Failed)) if row.state == BuildState::Succeeded => {
                Some(NoticeFacts::BuildRecovered { build: build.clone() })
            }
            _ => None,
        };
        let news = self.build_news(row, build, facts.as_ref());
        Ok(Some((facts, news)))
    }

    /// Tells that an update of a target ended, when that changes how the target stands.
    async fn update_ended(&self, firing: &FiringRecord) -> Result<(), Failure> {
        let ended = Ended::Update(firing.id);
        // Whoever runs an image for the first time looks at it.
        if firing.kind == FiringKind::Run {
            return self.tell_end(ended, None, None).await;
        }
        let state = firing.state;
        let is_bad = |state| matches!(state, FiringState::Failed | FiringState::RolledBack | FiringState::Broken);
        let before = self.store.update_before(firing.target, firing.id).await?;
        let was_bad = before.is_some_and(is_bad);
        let update = NoticedUpdate {
            firing: firing.id,
            target_name: firing.deploy_target.name(),
            version: match &firing.version.tag {
                Some(tag) => tag.as_str().to_owned(),
                None => firing.version.image.reference.clone(),
            },
            trigger_name: firing.trigger_name.clone(),
        };
        let facts = match &firing.failure {
            // A way back that failed is worse than what was told before.
            Some(failure) if is_bad(state) && (!was_bad || state == FiringState::Broken && before != Some(state)) => {
                Some(NoticeFacts::UpdateFailed { update: update.clone(), code: failure.code, state })
            }
            _ if was_bad && matches!(state, FiringState::Succeeded | FiringState::Unchanged) => {
                Some(NoticeFacts::UpdateRecovered { update: update.clone() })
            }
            _ => None,
        };
        let news = self.update_news(firing, update, facts.as_ref());
        self.tell_end(ended, facts, news).await
    }

    async fn noticed(&self, row: &BuildRecord) -> Result<NoticedBuild, Failure> {
        Ok(NoticedBuild {
            build: row.id,
            number: row.number,
            repository: row.repository,
            repository_name: self.store.image_repository(row.repository).await?.spec.name.as_str().to_owned(),
            rule_name: row.inputs.rule_name.clone(),
            ref_name: row.ref_name.clone(),
        })
    }

    /// Tells that a build's push was refused by its registry; a push that went well lets the next refusal be told again.
    async fn tell_credential(&self, row: &BuildRecord, refused: Option<&Failure>) -> Result<(), Failure> {
        if refused.is_none() && row.state != BuildState::Succeeded {
            return Ok(());
        }
        let spec = self.store.image_repository(row.repository).await?.spec;
        let Some(credential) = spec.credential else { return Ok(()) };
        let mut news = None;
        let facts = match refused {
            Some(failure) => {
                let facts = NoticeFacts::CredentialRefused {
                    registry: spec.registry,
                    registry_name: self.store.registry(spec.registry).await?.name,
                    credential,
                    credential_name: self.store.credential(credential).await?.name,
                    code: failure.code,
                };
                news = ChannelMessage::of_notice(&facts, self.now());
                self.wanted(facts).await
            }
            None => None,
        };
        let told =
            self.store.tell_refused(credential, refused.is_some(), facts.as_ref(), news.as_ref(), self.now()).await?;
        self.announce_added(told, news.is_some());
        Ok(())
    }

    /// Tells that a code repository fails since a moment, or that it does not any more. Never fails the look.
    pub(crate) async fn tell_code(&self, code: CodeRepositoryId, failing: Option<(&Failure, DateTime<Utc>)>) {
        let told = async {
            let name = self.store.code_repository(code).await?.name;
            let facts = match failing {
                Some((failure, since)) => {
                    NoticeFacts::CodeUnreachable { code_repository: code, name, code: failure.code, since }
                }
                None => NoticeFacts::CodeReachable { code_repository: code, name },
            };
            let news = ChannelMessage::of_notice(&facts, self.now());
            let facts = self.wanted(facts).await;
            let is_failing = failing.is_some();
            let added =
                self.store.tell_unreachable(code, is_failing, facts.as_ref(), news.as_ref(), self.now()).await?;
            self.announce_added(added, news.is_some());
            Ok::<(), Failure>(())
        };
        if let Err(failure) = told.await {
            tracing::warn!(%code, %failure, "the health of a code repository is not in the inbox");
        }
    }

    /// Tells what was done about a damaged database.
    pub(crate) async fn tell_recovery(&self, recovery: &Recovery) -> Result<(), Failure> {
        let facts = NoticeFacts::DatabaseRecovered {
            kept_aside: recovery.kept_aside.display().to_string(),
            restored_from: recovery.restored_from.as_ref().map(|path| path.display().to_string()),
        };
        self.notify(&facts).await
    }

    /// Forgets notices that were read long ago.
    pub(crate) async fn forget_old_notices(&self) -> Result<(), Failure> {
        Ok(self.store.forget_read_notices(self.now() - READ_KEPT).await?)
    }

    /// Announces what was written; `news` says that channels may have something to tell.
    fn announce_added(&self, added: Option<NoticeId>, news: bool) {
        if news {
            self.channel_wake.notify_one();
        }
        if let Some(notice) = added {
            self.announce(AppEvent::NoticeAdded { notice });
        }
    }
}

/// The registry looked at the credential and said no.
fn is_refusal(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::RegistryUnauthorized | ErrorCode::RegistryDenied)
}
