//! Webhooks at the hosts: made when somebody wants them, looked at now and then, removed when nobody does. The row says what is
//! wanted before a host is asked, and everything may be asked again.

use super::door::Door;
use super::{WebhookState, Webhooks};
use crate::queue::retry_after;
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::failure::Retry;
use slipway_core::host::{Hook, Need, NewHook};
use slipway_core::ids::WebhookId;
use slipway_core::{ErrorCode, Failure};
use slipway_store::{WebhookChecked, WebhookRecord};
use std::sync::Arc;

/// Whether it is still there is asked this often.
const EVERY: TimeDelta = TimeDelta::hours(1);
/// What may work soon is tried again this often.
const AGAIN: TimeDelta = TimeDelta::minutes(5);

/// Returns how a webhook stands.
pub(super) fn state_of(record: &WebhookRecord) -> WebhookState {
    let failure = record.last_failure.clone();
    match (record.wanted && record.code.is_some(), &record.hook, failure) {
        (false, _, _) if record.account.is_none() => WebhookState::LeftBehind,
        (false, _, failure) => WebhookState::Removing(failure),
        (true, _, Some(failure)) => WebhookState::Failing(failure),
        (true, Some(_), None) if record.active => WebhookState::Registered,
        (true, Some(_), None) => WebhookState::Inactive,
        (true, None, None) if record.vanished => WebhookState::Vanished,
        (true, None, None) => WebhookState::Registering,
    }
}

/// Returns whether the host is to be asked about a webhook now.
fn is_due(record: &WebhookRecord, now: DateTime<Utc>) -> bool {
    let Some(checked) = record.checked_at else { return true };
    let pause = match &record.last_failure {
        Some(failure) if failure.code.retry() != Retry::Never => {
            AGAIN.max(retry_after(failure, now).unwrap_or_default())
        }
        _ => EVERY,
    };
    // One that lies ahead was written before the clock was set back.
    now - checked >= pause || checked > now
}

impl Webhooks {
    /// The task: the listener is what the settings say, and the hosts are what the rows say.
    pub(super) async fn run(self: &Arc<Self>) {
        loop {
            if let Err(failure) = self.round().await {
                tracing::warn!(%failure, "webhooks cannot be looked after");
            }
            tokio::select! {
                () = self.parts.stop.cancelled() => break,
                () = self.changed.notified() => {}
                () = tokio::time::sleep(self.parts.pace.recheck) => {}
            }
        }
        self.stop_listening().await;
    }

    async fn round(self: &Arc<Self>) -> Result<(), Failure> {
        self.apply().await?;
        let reached_at = self.reached_at(&self.settings().await?);
        for record in self.parts.store.webhooks().await? {
            let moved = record.wanted
                && record.last_failure.is_none()
                && reached_at.as_ref().is_some_and(|at| record.url != Some(Door::address_of(at, &record.path)))
                && !record.vanished;
            if self.parts.stop.is_cancelled() {
                return Ok(());
            }
            if state_of(&record) == WebhookState::LeftBehind && record.url.is_some() {
                continue;
            }
            if moved || is_due(&record, self.parts.now()) {
                self.settle(record.id, false).await?;
            }
        }
        Ok(())
    }

    /// Makes one webhook at its host what its row says. `asked` by a person: one that vanished is made again, and a paused
    /// account is tried too.
    pub(super) async fn settle(&self, id: WebhookId, asked: bool) -> Result<(), Failure> {
        let _one = self.keeping.lock().await;
        // Forgotten meanwhile.
        let Ok(record) = self.parts.store.webhook(id).await else { return Ok(()) };
        if let Some(account) = record.account
            && !asked
            && self.parts.store.source_account(account).await?.paused.is_some()
        {
            return Ok(());
        }
        if record.wanted && !self.is_still_its_place(&record).await? {
            self.parts.store.unwant_webhook(id).await?;
            self.read_paths().await?;
        }
        let before = record;
        let record = self.parts.store.webhook(id).await?;
        let result = if record.wanted { self.register(&record, asked).await } else { self.take_away(&record).await };
        let note =
            async |checked| self.parts.store.record_webhook_check(id, &checked, record.wanted, self.parts.now()).await;
        match result {
            Ok(Some(checked)) => note(checked).await?,
            Ok(None) => {}
            Err(failure) if failure.code == ErrorCode::Cancelled => {}
            Err(failure) => {
                tracing::info!(%failure, webhook = %id, "a webhook is not at its host what it should be");
                note(WebhookChecked::Failed(failure)).await?;
            }
        }
        if self.parts.store.webhook(id).await.ok() != Some(before) {
            self.told();
        }
        Ok(())
    }

    /// Returns whether the code still lies where the webhook was made for.
    pub(super) async fn is_still_its_place(&self, record: &WebhookRecord) -> Result<bool, Failure> {
        let Some(code) = record.code else { return Ok(false) };
        let place = self.parts.store.code_repository(code).await?.account;
        Ok(place.is_some_and(|place| {
            place.account.is_some() && place.account == record.account && place.path == record.repository
        }))
    }

    /// Makes a webhook, or looks whether it is still there.
    async fn register(&self, record: &WebhookRecord, asked: bool) -> Result<Option<WebhookChecked>, Failure> {
        let (Some(account), Some(reached_at)) = (record.account, self.reached_at(&self.settings().await?)) else {
            return Ok(None);
        };
        let url = Door::address_of(&reached_at, &record.path);
        let (opened, cancel) = (self.parts.open_account(account).await?, self.parts.stop.child_token());
        let hosts = &self.parts.ports.hosts;
        let (access, path) = (&opened.access, &record.repository);
        let is_there = record.url.as_deref() == Some(&*url);
        if let Some(known) = record.hook.as_ref().filter(|_| is_there) {
            let listed = self.parts.noted(&opened.record, hosts.hooks(access, path, &cancel).await).await?;
            return match listed.into_iter().find(|hook| hook.id == *known) {
                Some(Hook { active: false, .. }) if asked => self.make(record, &url).await,
                Some(hook) => Ok(Some(WebhookChecked::There { hook: hook.id, active: hook.active })),
                None if asked => self.make(record, &url).await,
                None => Ok(Some(WebhookChecked::Vanished)),
            };
        }
        if record.vanished && !asked {
            return Ok(None);
        }
        if let Some(old) = &record.hook {
            // Another address now: what delivers to the old one goes first.
            self.parts.noted(&opened.record, hosts.delete_hook(access, path, old, &cancel).await).await?;
        }
        self.make(record, &url).await
    }

    async fn make(&self, record: &WebhookRecord, url: &str) -> Result<Option<WebhookChecked>, Failure> {
        let Some(account) = record.account else { return Ok(None) };
        let (opened, cancel) = (self.parts.open_account(account).await?, self.parts.stop.child_token());
        let hosts = &self.parts.ports.hosts;
        // Where the host tells scopes, the missing one is named; others show it by refusing.
        let identity = hosts.identity(&opened.access, &[Need::Hooks], &cancel).await;
        self.parts.noted(&opened.record, identity).await?.check_scopes()?;
        let secret = self.parts.open_secret(record.secret).await?;
        self.parts.store.begin_webhook(record.id, url).await?;
        let hook = NewHook { url: url.to_owned(), secret, verify_tls: true };
        let made = hosts.create_hook(&opened.access, &record.repository, &hook, &cancel).await;
        let made = self.parts.noted(&opened.record, made).await?;
        Ok(Some(WebhookChecked::There { hook: made.id, active: made.active }))
    }

    /// Removes a webhook at its host and forgets it. One whose account is gone stays as a word to the person.
    async fn take_away(&self, record: &WebhookRecord) -> Result<Option<WebhookChecked>, Failure> {
        if let Some(url) = &record.url {
            let Some(account) = record.account else { return Ok(None) };
            let removed = self.remove_there(record, account, url).await;
            match removed {
                // Without the repository, or without any access to it, there is no webhook to remove.
                Err(failure) if failure.code == ErrorCode::SourceNotFound => {}
                removed => removed?,
            }
        }
        self.parts.store.forget_webhook(record.id).await?;
        Ok(None)
    }

    async fn remove_there(
        &self,
        record: &WebhookRecord,
        account: slipway_core::ids::SourceAccountId,
        url: &str,
    ) -> Result<(), Failure> {
        let (opened, cancel) = (self.parts.open_account(account).await?, self.parts.stop.child_token());
        let hosts = &self.parts.ports.hosts;
        let (access, path) = (&opened.access, &record.repository);
        let ids = match &record.hook {
            Some(hook) => vec![hook.clone()],
            // The answer to making it was lost: it is known by its address.
            None => {
                let listed = self.parts.noted(&opened.record, hosts.hooks(access, path, &cancel).await).await?;
                listed.into_iter().filter(|hook| hook.url == url).map(|hook| hook.id).collect()
            }
        };
        for id in ids {
            self.parts.noted(&opened.record, hosts.delete_hook(access, path, &id, &cancel).await).await?;
        }
        Ok(())
    }
}
