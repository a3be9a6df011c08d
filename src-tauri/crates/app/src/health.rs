//! How the program stands: room on its disks, and secrets that the keychain does not open any more.

use crate::access::not_entered;
use crate::{AppEvent, Parts, Slipway};
use slipway_core::health::{ClosedSecrets, RoomShortage, SecretOwner};
use slipway_core::ids::SecretId;
use slipway_core::{ErrorClass, ErrorCode, Failure};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio::sync::broadcast::{self, error::RecvError};

/// What a person may have to do something about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Nothing new is begun for want of room.
    pub room: Option<RoomShortage>,
    /// Engines whose disk is full, as far as builds showed.
    pub full_engines: Vec<String>,
    /// Secrets that cannot be opened now.
    pub closed: Option<ClosedSecrets>,
}

/// What is known about the stored secrets.
#[derive(Default)]
pub(crate) struct SecretsHealth {
    closed: Mutex<Option<ClosedSecrets>>,
    look: Notify,
}

impl SecretsHealth {
    fn closed(&self) -> Option<ClosedSecrets> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Something that names secrets came in without a form: they are looked at again.
    pub(crate) fn look_again(&self) {
        self.look.notify_one();
    }

    /// Notes how opening or sealing a secret went: what contradicts what is known makes a look at all of them.
    pub(crate) fn note<T>(&self, answer: &Result<T, Failure>) {
        let known = self.closed().map(|closed| closed.failure.code);
        let is_news = match answer {
            Ok(_) => known.is_some_and(|code| !must_enter(code)),
            Err(failure) if failure.code.class() == ErrorClass::Keychain => {
                known.is_none_or(|code| code != failure.code && must_enter(code))
            }
            Err(_) => false,
        };
        if is_news {
            self.look.notify_one();
        }
    }
}

/// The keychain itself opens: a person has to enter what is closed.
fn must_enter(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::KeychainKeyLost | ErrorCode::SecretNotEntered)
}

impl Slipway {
    /// Returns how the program stands, as far as it is known now.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            room: self.parts.room.shortage(),
            full_engines: self.queue.full_engines(),
            closed: self.parts.secrets_health.closed(),
        }
    }

    /// Looks again at once: at the disk, at the engines that were full, at the keychain.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn check_health(&self) -> Result<(), Failure> {
        if self.parts.room.look_now() {
            self.parts.room_changed();
        }
        self.queue.ask_engines_now();
        self.parts.look_at_secrets().await
    }

    /// Gives up a lost or damaged key: the next secret that is entered is sealed with a new one. Everything that was sealed
    /// with the old one has to be entered again.
    ///
    /// # Errors
    /// [`ErrorCode::WrongState`] while the key is not lost; what the keychain says.
    pub async fn use_new_key(&self) -> Result<(), Failure> {
        self.parts.look_at_secrets().await?;
        if self.parts.secrets_health.closed().is_none_or(|closed| closed.failure.code != ErrorCode::KeychainKeyLost) {
            return Err(Failure::new(ErrorCode::WrongState, "the key of the stored secrets is not lost"));
        }
        self.parts.ports.vault.forget_key().await?;
        self.parts.look_at_secrets().await
    }
}

/// Looks at the stored secrets at start, and whenever one could unexpectedly be opened or not. A locked keychain is not asked
/// again and again: each question may show a dialog.
pub(crate) async fn run(parts: Arc<Parts>, mut events: broadcast::Receiver<AppEvent>) {
    loop {
        if let Err(failure) = parts.look_at_secrets().await {
            tracing::warn!(%failure, "the stored secrets could not be looked at");
        }
        tokio::select! {
            () = parts.stop.cancelled() => return,
            () = parts.secrets_health.look.notified() => {}
            () = owners_changed(&parts, &mut events) => {}
        }
    }
}

/// Waits until something that owns a closed secret may have changed: it was entered again, or its owner is gone.
async fn owners_changed(parts: &Parts, events: &mut broadcast::Receiver<AppEvent>) {
    loop {
        let about_owners = match events.recv().await {
            Ok(event) => matches!(
                event,
                AppEvent::AccountsChanged
                    | AppEvent::CodeRepositoriesChanged
                    | AppEvent::RegistryChanged { .. }
                    | AppEvent::RuleChanged { .. }
                    | AppEvent::TriggerChanged { .. }
                    | AppEvent::WebhooksChanged
                    | AppEvent::ChannelsChanged
                    | AppEvent::SettingsChanged
            ),
            Err(RecvError::Lagged(_)) => true,
            Err(RecvError::Closed) => std::future::pending().await,
        };
        if about_owners && parts.secrets_health.closed().is_some() {
            return;
        }
    }
}

impl Parts {
    async fn look_at_secrets(&self) -> Result<(), Failure> {
        let mut owners = BTreeSet::new();
        let mut first: Option<Failure> = None;
        let owned = self.store.secret_owners().await?;
        for (id, owner) in &owned {
            if *id == SecretId::NOT_ENTERED {
                owners.insert(owner.clone());
                first.get_or_insert_with(not_entered);
                continue;
            }
            let sealed = match self.store.secret(*id).await {
                Ok(sealed) => sealed,
                // Replaced since the list was made.
                Err(error) if error.code() == ErrorCode::NotFound => continue,
                Err(error) => return Err(error.into()),
            };
            match self.ports.vault.open(&sealed).await {
                Ok(_) => {}
                Err(failure) if failure.code == ErrorCode::KeychainKeyLost => {
                    owners.insert(owner.clone());
                    first = Some(failure);
                }
                Err(failure) if failure.code.class() == ErrorClass::Keychain => {
                    // It does not open anything now, and every question takes its time.
                    owners = owned.iter().map(|(_, owner)| owner.clone()).collect();
                    first = Some(failure);
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
        self.set_closed(first.map(|failure| ClosedSecrets { failure, owners: owners.into_iter().collect() }));
        Ok(())
    }

    fn set_closed(&self, closed: Option<ClosedSecrets>) {
        let changed = {
            let mut known = self.secrets_health.closed.lock().unwrap_or_else(PoisonError::into_inner);
            let changed = *known != closed;
            known.clone_from(&closed);
            changed
        };
        if changed {
            match &closed {
                Some(closed) => {
                    tracing::warn!(failure = %closed.failure, owners = closed.owners.len(), "secrets cannot be opened");
                }
                None => tracing::warn!("all secrets can be opened again"),
            }
            self.announce(AppEvent::HealthChanged);
        }
    }
}

/// Returns a secret's owner in a few words, for the diagnostics: the kind alone, names are private.
pub(crate) fn kind_of(owner: &SecretOwner) -> &'static str {
    match owner {
        SecretOwner::CodeRepository { .. } => "code repository",
        SecretOwner::SourceAccount { .. } => "source account",
        SecretOwner::OauthApplication { .. } => "OAuth application",
        SecretOwner::Credential { .. } => "registry credential",
        SecretOwner::Rule { .. } => "rule",
        SecretOwner::Trigger { .. } => "trigger",
        SecretOwner::Webhook { .. } => "webhook",
        SecretOwner::Channel { .. } => "notification channel",
        SecretOwner::CodeProxy => "proxy towards code hosts",
        SecretOwner::RegistryProxy => "proxy towards registries",
    }
}
