//! Webhooks: code hosts call a listener of ours when something is pushed. Off by default. A delivery decides nothing: it wakes
//! the watcher, which asks the remote as ever; without any delivery the polls find the same push later.
//!
//! - `listener`: the socket with its limits. - `door`: who may come in. - `budget`: how often.
//! - `keep`: making, looking after and removing the webhooks at the hosts.

mod budget;
pub(crate) mod door;
mod keep;
mod listener;

use crate::watch::Watch;
use crate::{AppEvent, Parts, Slipway};
use budget::Budget;
use chrono::{DateTime, Utc};
use door::Door;
pub use listener::ListenerState;
use listener::Listening;
use serde::{Deserialize, Serialize};
use slipway_core::host::Need;
use slipway_core::ids::{CodeRepositoryId, SourceAccountId, WebhookId};
use slipway_core::webhook::WebhookRefusal;
use slipway_core::{ErrorCode, Failure, Secret};
use slipway_store::{NewWebhook, WebhookRecord};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

const KEY: &str = "webhook_listener";
/// How long unbinding an account waits for its host to let go of the webhooks.
const REMOVED_WITHIN: Duration = Duration::from_secs(20);
/// Beside the port that browsers come back to.
const USUAL_PORT: u16 = 43118;

/// What a person sets for the listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListenerSettings {
    /// Listen.
    pub enabled: bool,
    /// Address and port of this machine; port 0 takes a free one at each start.
    pub address: SocketAddr,
    /// How hosts reach it (`https://hooks.example.com`), when that is not the address itself.
    pub public_url: Option<String>,
}

impl Default for ListenerSettings {
    fn default() -> Self {
        Self { enabled: false, address: SocketAddr::from((Ipv4Addr::LOCALHOST, USUAL_PORT)), public_url: None }
    }
}

/// The listener as it stands.
#[derive(Debug, Clone)]
pub struct ListenerDetail {
    /// What was set.
    pub settings: ListenerSettings,
    /// Whether it listens.
    pub state: ListenerState,
    /// What hosts are given; `None` while it does not listen, or listens everywhere and nobody said how it is reached.
    pub reached_at: Option<String>,
    /// Requests that were refused before they belonged to a webhook, since the start.
    pub refused: Refused,
}

/// Requests that were refused before they belonged to a webhook.
#[derive(Debug, Clone, Copy, Default)]
pub struct Refused {
    /// How many.
    pub count: u64,
    /// The last one: why and when.
    pub last: Option<(WebhookRefusal, DateTime<Utc>)>,
}

/// How a webhook stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookState {
    /// The host was not asked yet.
    Registering,
    /// It is at the host.
    Registered,
    /// It is there, and the host has stopped delivering.
    Inactive,
    /// Somebody removed it at the host.
    Vanished,
    /// The host does not make it, or cannot be asked about it.
    Failing(Failure),
    /// It is to be removed at the host; the failure says why that did not work yet.
    Removing(Option<Failure>),
    /// Its account was unbound before it could be removed: only a person can, at the host.
    LeftBehind,
}

/// All webhooks and the listener.
pub(crate) struct Webhooks {
    parts: Arc<Parts>,
    watch: Arc<Watch>,
    listening: Mutex<Listening>,
    /// Which webhook each path belongs to, and how much it may still send.
    paths: Mutex<HashMap<String, (WebhookId, Budget)>>,
    refused: Mutex<Refused>,
    /// One conversation with hosts about webhooks at a time.
    keeping: tokio::sync::Mutex<()>,
    /// One change of the listener at a time.
    applying: tokio::sync::Mutex<()>,
    changed: Notify,
}

impl Webhooks {
    pub(crate) async fn start(parts: Arc<Parts>, watch: Arc<Watch>, tasks: &TaskTracker) -> Result<Arc<Self>, Failure> {
        let webhooks = Arc::new(Self {
            parts,
            watch,
            listening: Mutex::default(),
            paths: Mutex::default(),
            refused: Mutex::default(),
            keeping: tokio::sync::Mutex::default(),
            applying: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        });
        webhooks.read_paths().await?;
        let this = Arc::clone(&webhooks);
        tasks.spawn(async move { this.run().await });
        Ok(webhooks)
    }

    /// Something about webhooks changed: they are looked after soon.
    pub(crate) fn settle_soon(&self) {
        self.changed.notify_one();
    }

    pub(crate) async fn settings(&self) -> Result<ListenerSettings, Failure> {
        Ok(self.parts.store.setting(KEY).await?.unwrap_or_default())
    }

    /// Reads anew which paths are served.
    async fn read_paths(&self) -> Result<(), Failure> {
        let records = self.parts.store.webhooks().await?;
        let mut paths = lock(&self.paths);
        let old = std::mem::take(&mut *paths);
        for record in records.into_iter().filter(|record| record.wanted && record.code.is_some()) {
            let budget = old.get(&record.path).map_or_else(Budget::full, |(_, budget)| budget.clone());
            paths.insert(record.path, (record.id, budget));
        }
        Ok(())
    }

    fn told(&self) {
        self.parts.announce(AppEvent::WebhooksChanged);
    }
}

impl Slipway {
    /// Returns the listener with its settings.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn webhook_listener(&self) -> Result<ListenerDetail, Failure> {
        let settings = self.webhooks.settings().await?;
        let state = self.webhooks.listener_state();
        let reached_at = self.webhooks.reached_at(&settings);
        Ok(ListenerDetail { settings, state, reached_at, refused: *lock(&self.webhooks.refused) })
    }

    /// Changes the listener; it listens, or not, when this returns. An address that cannot be had is in its state.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] at `public_url`.
    pub async fn set_webhook_listener(&self, settings: &ListenerSettings) -> Result<(), Failure> {
        let public_url = settings.public_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
        let public_url = public_url.map(Door::public_url).transpose()?;
        let settings = ListenerSettings { public_url, ..settings.clone() };
        self.parts.store.set_setting(KEY, &settings).await?;
        self.webhooks.apply().await?;
        self.webhooks.settle_soon();
        Ok(())
    }

    /// Returns all webhooks with how they stand.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn webhooks(&self) -> Result<Vec<(WebhookRecord, WebhookState)>, Failure> {
        let records = self.parts.store.webhooks().await?;
        Ok(records
            .into_iter()
            .map(|record| (keep::state_of(&record), record))
            .map(|(state, one)| (one, state))
            .collect())
    }

    /// Switches the webhook of a code repository on and asks its host to make it. What the host says is in its state.
    ///
    /// # Errors
    /// [`ErrorCode::WrongState`] for code without an account, and while the listener cannot be reached (`reason` in the
    /// details); what the keychain says.
    pub async fn switch_webhook_on(&self, code: CodeRepositoryId) -> Result<WebhookId, Failure> {
        let record = self.parts.store.code_repository(code).await?;
        let wrong = |reason: &str, why: &str| Failure::new(ErrorCode::WrongState, why).with("reason", reason);
        let place = record.account.ok_or_else(|| wrong("no_account", "only code of an account can have a webhook"))?;
        let account = place.account.ok_or_else(|| wrong("account_unbound", "the account of this code was unbound"))?;
        if self.webhooks.reached_at(&self.webhooks.settings().await?).is_none() {
            return Err(wrong("not_reachable", "the webhook listener is off, or nobody said how hosts reach it"));
        }
        let account = self.parts.store.source_account(account).await?;
        if !account.needs.contains(&Need::Hooks) {
            let needs: Vec<Need> = account.needs.iter().copied().chain([Need::Hooks]).collect();
            self.parts.store.set_account_needs(account.id, &needs).await?;
            self.parts.announce(AppEvent::AccountsChanged);
        }
        let new = NewWebhook {
            code,
            account: account.id,
            provider: account.provider,
            base: account.base,
            repository: place.path,
            path: random::<16>()?,
            sealed: self.parts.ports.vault.seal(&Secret::new(random::<32>()?)).await?,
        };
        let id = self.parts.store.want_webhook(&new, self.parts.now()).await?;
        self.webhooks.read_paths().await?;
        self.webhooks.settle(id, true).await?;
        Ok(id)
    }

    /// Switches the webhook of a code repository off and asks its host to remove it.
    ///
    /// # Errors
    /// A failure of the store. A host that does not remove it is in its state, and asked again.
    pub async fn switch_webhook_off(&self, code: CodeRepositoryId) -> Result<(), Failure> {
        for record in self.parts.store.webhooks().await? {
            if record.code == Some(code) && record.wanted {
                self.webhooks.remove(record.id).await?;
            }
        }
        Ok(())
    }

    /// Asks the host about a webhook now; one that vanished is made again, one that is to go is removed again.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn check_webhook(&self, id: WebhookId) -> Result<(), Failure> {
        self.parts.store.webhook(id).await?;
        self.webhooks.settle(id, true).await
    }

    /// Forgets a webhook that could not be removed at its host: a person did, or will.
    ///
    /// # Errors
    /// [`ErrorCode::WrongState`] while it is wanted.
    pub async fn forget_webhook(&self, id: WebhookId) -> Result<(), Failure> {
        if self.parts.store.webhook(id).await?.wanted {
            return Err(Failure::new(ErrorCode::WrongState, "this webhook is in use: switch it off first"));
        }
        self.parts.store.forget_webhook(id).await?;
        self.webhooks.told();
        Ok(())
    }
}

impl Webhooks {
    /// Removes what an account made, before its token goes. What its host does not remove stays behind, and says so.
    pub(crate) async fn remove_of_account(&self, account: SourceAccountId) -> Result<(), Failure> {
        let mut own = self.parts.store.webhooks().await?;
        own.retain(|record| record.account == Some(account));
        for record in &own {
            self.parts.store.unwant_webhook(record.id).await?;
        }
        self.read_paths().await?;
        let removing = async {
            for record in &own {
                self.settle(record.id, true).await?;
            }
            Ok(())
        };
        // Unbinding does not wait for a host that hangs, however many webhooks it has.
        tokio::time::timeout(REMOVED_WITHIN, removing).await.unwrap_or(Ok(()))
    }

    /// Code was removed, or lies elsewhere now: its webhook is looked after, which removes one of another place.
    pub(crate) async fn code_changed(&self, code: CodeRepositoryId) -> Result<(), Failure> {
        for record in self.parts.store.webhooks().await? {
            if record.wanted && record.code.is_none_or(|own| own == code) && !self.is_still_its_place(&record).await? {
                self.parts.store.unwant_webhook(record.id).await?;
            }
        }
        self.read_paths().await?;
        self.settle_soon();
        Ok(())
    }

    /// Removes the webhook of code that no rule builds any more.
    pub(crate) async fn rule_deleted(&self, code: CodeRepositoryId) -> Result<(), Failure> {
        if !self.parts.store.rules_of_code(code).await?.is_empty() {
            return Ok(());
        }
        for record in self.parts.store.webhooks().await? {
            if record.code == Some(code) && record.wanted {
                self.parts.store.unwant_webhook(record.id).await?;
            }
        }
        self.read_paths().await?;
        self.settle_soon();
        self.told();
        Ok(())
    }

    async fn remove(&self, id: WebhookId) -> Result<(), Failure> {
        self.parts.store.unwant_webhook(id).await?;
        self.read_paths().await?;
        self.settle(id, true).await
    }
}

fn random<const BYTES: usize>() -> Result<String, Failure> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(Failure::internal)?;
    Ok(hex::encode(bytes))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
