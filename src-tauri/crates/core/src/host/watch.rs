//! What moved, hooks and their deliveries.

use super::listing::RepositoryPath;
use crate::Secret;
use crate::code::RefName;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What was known at the last look; opaque, small, may be stored or forgotten (then the next answer is
/// [`Moved::CannotTell`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MovedMark(pub String);

/// A repository that moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedRepository {
    /// The host's id.
    pub id: String,
    /// Its path now.
    pub path: RepositoryPath,
}

/// The answer of the cheap look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// Nothing moved since the mark.
    Unchanged,
    /// These moved, perhaps more often than once; refs of each tell. Perhaps one that did not: looking again is safe.
    Repositories(Vec<MovedRepository>),
    /// The host has no such list, or this is the first look: ask each repository.
    CannotTell,
}

/// The host's budget, as its last answer told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RateState {
    /// Requests in one window.
    pub limit: Option<u64>,
    /// Requests that are left in it.
    pub remaining: Option<u64>,
    /// When the window ends, by this machine's clock (the difference to the host's is taken out).
    pub resets_at: Option<DateTime<Utc>>,
}

/// The cheap look of one account.
///
/// Only repositories that the account lists are in it (own, shared with it, of its organizations). Others, and what a host
/// forgets to say, are found by asking every repository once per `sweep_after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatMoved {
    /// What moved.
    pub moved: Moved,
    /// For the next look; `None` where there is nothing to remember.
    pub mark: Option<MovedMark>,
    /// Advice for the next look: the host's own wish, or its usual interval, longer when the budget is nearly used.
    pub next_after: Duration,
    /// How often all repositories should be asked regardless.
    pub sweep_after: Duration,
    /// The budget.
    pub rate: RateState,
    /// Requests that this look took.
    pub requests: u32,
}

/// A webhook to make.
#[derive(Debug, Clone)]
pub struct NewHook {
    /// Where deliveries go.
    pub url: String,
    /// What they are signed with.
    pub secret: Secret,
    /// The host checks the certificate of `url`.
    pub verify_tls: bool,
}

/// A webhook at the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Hook {
    /// The host's id.
    pub id: String,
    /// Where deliveries go.
    pub url: String,
    /// False when the host has switched it off, as some do after failed deliveries.
    pub active: bool,
}

/// A request that came in, as it came in.
#[derive(Debug, Clone)]
pub struct Delivery<'a> {
    /// Header names in any case, with their values.
    pub headers: &'a [(String, String)],
    /// The raw body: signatures are over exactly these bytes.
    pub body: &'a [u8],
}

impl Delivery<'_> {
    /// Returns a header's value; `None` when it is missing, empty, or there twice.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())?;
        found.next().is_none().then_some(value)
    }
}

/// Why a delivery is refused. Nothing about the secret is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryRefused {
    /// It carries no signature.
    #[error("the delivery is not signed")]
    Unsigned,
    /// The signature does not fit.
    #[error("the delivery's signature does not fit")]
    WrongSignature,
    /// Its time stamp is too far from now.
    #[error("the delivery is too old")]
    TooOld,
    /// Signed, and still not readable.
    #[error("the delivery cannot be read")]
    Unreadable,
}

/// What a delivery is about. It only means "look now".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookEvent {
    /// What happened.
    pub kind: HookEventKind,
    /// The repository's path, where the body names one.
    pub repository: Option<RepositoryPath>,
    /// Equal for a delivery that is played again: a hash of what is signed, never an unsigned header.
    pub replay_key: String,
}

/// What a delivery says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookEventKind {
    /// The host tries the address.
    Ping,
    /// Refs moved.
    Push {
        /// The refs that are named, as far as they have legal names.
        refs: Vec<RefName>,
    },
    /// Something that needs no look.
    Other,
}
