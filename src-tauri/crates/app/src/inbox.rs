//! The in-app inbox: a notice for a change of state, never for every event. The row is written first, then it is announced.

use crate::{AppEvent, Parts, Slipway};
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::build::BuildState;
use slipway_core::ids::{CodeRepositoryId, NoticeId};
use slipway_core::notice::{NoticeFacts, NoticeKind, NoticedBuild};
use slipway_core::{ErrorCode, Failure};
use slipway_store::notices::Which;
use slipway_store::{BuildRecord, NoticePage, NoticeRecord, Recovery};

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
    /// Writes a notice when its kind is wanted.
    pub(crate) async fn notify(&self, facts: &NoticeFacts) -> Result<(), Failure> {
        if self.is_wanted(facts.kind()).await? {
            let id = self.store.insert_notice(facts, self.now()).await?;
            self.announce(AppEvent::NoticeAdded { notice: id });
        }
        Ok(())
    }

    async fn is_wanted(&self, kind: NoticeKind) -> Result<bool, Failure> {
        Ok(!self.settings().await?.muted_notices.contains(&kind))
    }

    /// Returns the facts when their kind is wanted: a change of state is marked as told in any case.
    async fn wanted(&self, facts: NoticeFacts) -> Result<Option<NoticeFacts>, Failure> {
        Ok(self.is_wanted(facts.kind()).await?.then_some(facts))
    }

    /// Tells that a build ended, when that changes how its rule stands on its ref. Never fails the build.
    pub(crate) async fn tell_build_ended(&self, row: &BuildRecord) {
        if let Err(failure) = self.build_ended(row).await {
            tracing::warn!(build = %row.id, %failure, "the end of a build is not in the inbox");
        }
    }

    async fn build_ended(&self, row: &BuildRecord) -> Result<(), Failure> {
        let refused = row.failure.as_ref().filter(|failure| is_refusal(failure.code));
        self.tell_credential(row, refused).await?;
        if !matches!(row.state, BuildState::Succeeded | BuildState::Failed) {
            return Ok(());
        }
        let before = match row.rule {
            Some(rule) => self.store.outcome_before(rule, row.ref_name.as_ref(), row.id).await?,
            None => None,
        };
        let facts = match (&row.failure, before) {
            (Some(failure), before) if row.state == BuildState::Failed && before != Some(BuildState::Failed) => {
                NoticeFacts::BuildFailed { build: self.noticed(row).await?, code: failure.code }
            }
            (_, Some(BuildState::Failed)) if row.state == BuildState::Succeeded => {
                NoticeFacts::BuildRecovered { build: self.noticed(row).await? }
            }
            _ => return Ok(()),
        };
        self.notify(&facts).await
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
        let facts = match refused {
            Some(failure) => {
                let facts = NoticeFacts::CredentialRefused {
                    registry: spec.registry,
                    registry_name: self.store.registry(spec.registry).await?.name,
                    credential,
                    credential_name: self.store.credential(credential).await?.name,
                    code: failure.code,
                };
                self.wanted(facts).await?
            }
            None => None,
        };
        let added = self.store.tell_refused(credential, refused.is_some(), facts.as_ref(), self.now()).await?;
        self.announce_added(added);
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
            let facts = self.wanted(facts).await?;
            let added = self.store.tell_unreachable(code, failing.is_some(), facts.as_ref(), self.now()).await?;
            self.announce_added(added);
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

    fn announce_added(&self, added: Option<NoticeId>) {
        if let Some(notice) = added {
            self.announce(AppEvent::NoticeAdded { notice });
        }
    }
}

/// The registry looked at the credential and said no.
fn is_refusal(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::RegistryUnauthorized | ErrorCode::RegistryDenied)
}
