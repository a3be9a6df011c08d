//! Use cases on notification channels: which there are, what each is told, and trying one.
//!
//! The address of most is a key by itself. It is sealed as a whole, and only its host is ever shown.

pub(crate) mod delivery;
mod news;

use crate::{AppEvent, Parts, Slipway};
use chrono::{DateTime, Utc};
use slipway_core::channel::{
    ChannelEvent, ChannelKind, ChannelMessage, Sending, Words, check_address, is_same_origin, masked_parts,
};
use slipway_core::host::PageLanguage;
use slipway_core::ids::{ChannelId, SecretId};
use slipway_core::{ErrorCode, Failure, Secret, control};
use slipway_store::{ChannelRecord, ChannelSpec};

/// Where the language of messages is kept: that of the console that a person used last.
const LANGUAGE: &str = "language";
/// Characters of a channel's name.
const LONGEST_NAME: usize = 60;

/// A channel as it is typed.
#[derive(Debug, Clone)]
pub struct ChannelInput {
    /// Its name, unique.
    pub name: String,
    /// Whose shape its messages have.
    pub kind: ChannelKind,
    /// Where to; `None` keeps the stored one.
    pub address: Option<Secret>,
    /// The signing secret or token; `None` keeps the stored one, an empty one takes it away.
    pub secret: Option<Secret>,
    /// A person allowed an address in a private network.
    pub allow_private: bool,
    /// What it is told.
    pub events: Vec<ChannelEvent>,
    /// It is on.
    pub enabled: bool,
}

/// A channel and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelStanding {
    /// The channel.
    pub record: ChannelRecord,
    /// Messages that wait.
    pub waiting: u64,
    /// What the oldest of them failed with, when it was tried.
    pub trouble: Option<Failure>,
    /// When it is tried again.
    pub next_try_at: Option<DateTime<Utc>>,
}

/// What a receiver said when it took a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelSaid {
    /// The beginning of its answer, masked; empty when it said nothing.
    pub answer: String,
}

/// What a channel is called with, opened.
struct Opened {
    kind: ChannelKind,
    host: String,
    address: Secret,
    secret: Option<Secret>,
    allow_private: bool,
}

impl Slipway {
    /// Returns the channels by name, with how they stand.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn channels(&self) -> Result<Vec<ChannelStanding>, Failure> {
        let open = self.parts.store.open_messages().await?;
        let standing = |record: ChannelRecord| {
            let of_channel = || open.iter().filter(|message| message.channel == record.id);
            let first = of_channel().next();
            ChannelStanding {
                waiting: of_channel().count() as u64,
                trouble: first.and_then(|message| message.failure.clone()),
                next_try_at: first.and_then(|message| message.next_try_at),
                record,
            }
        };
        Ok(self.parts.store.channels().await?.into_iter().map(standing).collect())
    }

    /// Adds a channel.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] with the field; [`ErrorCode::NameTaken`]; [`ErrorCode::PrivateAddress`] at
    /// `allow_private` without consent; what the keychain says.
    pub async fn add_channel(&self, input: &ChannelInput) -> Result<ChannelId, Failure> {
        let (spec, sealed) = self.parts.sealed_channel(input, None).await?;
        let added = self.parts.store.insert_channel(&spec, self.parts.now()).await;
        self.parts.channel_written(added, &sealed).await
    }

    /// Changes a channel; what waits for it is tried at once.
    ///
    /// # Errors
    /// As [`Self::add_channel`]; [`ErrorCode::NotFound`].
    pub async fn edit_channel(&self, id: ChannelId, input: &ChannelInput) -> Result<(), Failure> {
        let old = self.parts.store.channel(id).await?;
        let (spec, sealed) = self.parts.sealed_channel(input, Some(&old)).await?;
        let changed = self.parts.store.update_channel(id, &spec).await;
        self.parts.channel_written(changed, &sealed).await
    }

    /// Switches a channel on or off; off, it is not told what waits either.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn switch_channel(&self, id: ChannelId, enabled: bool) -> Result<(), Failure> {
        let spec = ChannelSpec { enabled, ..self.parts.store.channel(id).await?.spec };
        let changed = self.parts.store.update_channel(id, &spec).await;
        self.parts.channel_written(changed, &[]).await
    }

    /// Removes a channel with what waits for it.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn delete_channel(&self, id: ChannelId) -> Result<(), Failure> {
        self.parts.store.delete_channel(id).await?;
        self.parts.announce(AppEvent::ChannelsChanged);
        Ok(())
    }

    /// Sends a test message once: by a channel that is there, or by what is typed, with what is stored where it was left out.
    ///
    /// # Errors
    /// What is wrong with the input, as [`Self::add_channel`]; [`ErrorCode::ChannelUnreachable`],
    /// [`ErrorCode::ChannelBusy`], [`ErrorCode::ChannelRefused`] with what the receiver said in `answer`.
    pub async fn test_channel(
        &self,
        id: Option<ChannelId>,
        input: Option<&ChannelInput>,
    ) -> Result<ChannelSaid, Failure> {
        let old = match id {
            Some(id) => Some(self.parts.store.channel(id).await?),
            None => None,
        };
        let opened = match (input, &old) {
            (Some(input), old) => self.parts.typed_channel(input, old.as_ref()).await?.0,
            (None, Some(old)) => self.parts.opened_channel(&old.spec).await?,
            (None, None) => return Err(Failure::new(ErrorCode::InvalidField, "which channel?").at("id")),
        };
        self.parts.ports.channels.check(&opened.address, opened.allow_private).await?;
        let now = self.parts.now();
        let key = format!("{}-test-{}", self.parts.owner, now.timestamp_millis());
        self.parts.tell_channel(&opened, &key, &ChannelMessage::test(now)).await
    }

    /// Notes the language that the person uses: messages speak it, too.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn speak(&self, language: PageLanguage) -> Result<(), Failure> {
        if self.parts.store.setting::<PageLanguage>(LANGUAGE).await? != Some(language) {
            self.parts.store.set_setting(LANGUAGE, &language).await?;
        }
        Ok(())
    }
}

impl Parts {
    /// Checks what was typed and seals it. Also returns the secrets that are new, to be forgotten when the row is not written.
    async fn sealed_channel(
        &self,
        input: &ChannelInput,
        old: Option<&ChannelRecord>,
    ) -> Result<(ChannelSpec, Vec<SecretId>), Failure> {
        let name = input.name.trim();
        let invalid = |field: &str, why: &str| Failure::new(ErrorCode::InvalidField, why).at(field);
        if name.is_empty() || control::one_line(name, LONGEST_NAME) != name {
            return Err(invalid("name", "a name is one line of 1 to 60 characters"));
        }
        let mut events = input.events.clone();
        events.sort_unstable();
        events.dedup();
        events.retain(|event| *event != ChannelEvent::Test);
        if events.is_empty() {
            return Err(invalid("events", "choose at least one"));
        }
        let (opened, kept) = self.typed_channel(input, old).await?;
        self.ports.channels.check(&opened.address, opened.allow_private).await?;
        let mut sealed = Vec::new();
        let address = match kept.address {
            Some(id) => id,
            None => self.keep_secret("address of a notification channel", &opened.address).await?,
        };
        sealed.extend(Some(address).filter(|_| kept.address.is_none()));
        let secret = match (&opened.secret, kept.secret) {
            (None, _) => None,
            (Some(_), Some(id)) => Some(id),
            (Some(secret), None) => match self.keep_secret("secret of a notification channel", secret).await {
                Ok(id) => {
                    sealed.push(id);
                    Some(id)
                }
                Err(failure) => {
                    self.forget_all(&sealed).await;
                    return Err(failure);
                }
            },
        };
        let spec = ChannelSpec {
            name: name.to_owned(),
            kind: opened.kind,
            address,
            host: opened.host,
            secret,
            allow_private: opened.allow_private,
            events,
            enabled: input.enabled,
        };
        Ok((spec, sealed))
    }

    /// Opens what was typed, with what is stored where something was left out.
    async fn typed_channel(
        &self,
        input: &ChannelInput,
        old: Option<&ChannelRecord>,
    ) -> Result<(Opened, Kept), Failure> {
        let invalid = |field: &str, why: &str| Failure::new(ErrorCode::InvalidField, why).at(field);
        let typed = |text: &Option<Secret>| text.as_ref().map(|text| Secret::new(text.expose().trim()));
        let stored = match old {
            Some(old) => Some(self.open_secret(old.spec.address).await?),
            None => None,
        };
        let mut kept = Kept::default();
        let address = match (typed(&input.address).filter(|address| !address.is_empty()), &stored, old) {
            (Some(address), ..) => address,
            (None, Some(stored), Some(old)) => {
                kept.address = Some(old.spec.address);
                stored.clone()
            }
            (None, ..) => return Err(invalid("address", "enter the address")),
        };
        let host = check_address(input.kind, &address, input.allow_private)?;
        let has_secret = !matches!(input.kind, ChannelKind::Slack | ChannelKind::Wecom);
        let secret = match (typed(&input.secret), old.and_then(|old| old.spec.secret)) {
            _ if !has_secret => None,
            (Some(secret), _) => Some(secret).filter(|secret| !secret.is_empty()),
            (None, None) => None,
            (None, Some(id)) => {
                // A secret goes only where it was entered for.
                if !stored.as_ref().is_some_and(|stored| is_same_origin(stored, &address)) {
                    return Err(invalid("secret", "the address is at another host: enter the secret again"));
                }
                kept.secret = Some(id);
                Some(self.open_secret(id).await?)
            }
        };
        Ok((Opened { kind: input.kind, host, address, secret, allow_private: input.allow_private }, kept))
    }

    async fn opened_channel(&self, spec: &ChannelSpec) -> Result<Opened, Failure> {
        let address = self.open_secret(spec.address).await?;
        let secret = match spec.secret {
            Some(id) => Some(self.open_secret(id).await?),
            None => None,
        };
        Ok(Opened { kind: spec.kind, host: spec.host.clone(), address, secret, allow_private: spec.allow_private })
    }

    /// Sends one message, once.
    async fn tell_channel(&self, to: &Opened, key: &str, message: &ChannelMessage) -> Result<ChannelSaid, Failure> {
        let language = self.store.setting(LANGUAGE).await?.unwrap_or(PageLanguage::English);
        let words = Words::of(message, language);
        let sending = Sending { key, message, words: &words, secret: to.secret.as_ref(), now: self.now() };
        let call = to.kind.call(&to.address, to.allow_private, &sending)?;
        let answer = self.ports.channels.post(&call).await?;
        let secrets = masked_parts(&to.address, to.secret.as_ref());
        let answer = to.kind.taken(&answer, &secrets).map_err(|failure| failure.with("host", &to.host))?;
        Ok(ChannelSaid { answer })
    }

    async fn channel_written<T>(
        &self,
        written: Result<T, slipway_store::StoreError>,
        sealed: &[SecretId],
    ) -> Result<T, Failure> {
        if written.is_err() {
            self.forget_all(sealed).await;
        } else {
            self.announce(AppEvent::ChannelsChanged);
            self.channel_wake.notify_one();
        }
        Ok(written?)
    }

    async fn forget_all(&self, sealed: &[SecretId]) {
        for id in sealed {
            self.forget_secret(Some(*id)).await;
        }
    }
}

/// The sealed secrets that stay as they are.
#[derive(Default)]
struct Kept {
    address: Option<SecretId>,
    secret: Option<SecretId>,
}
