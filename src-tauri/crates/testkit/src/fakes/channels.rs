//! A receiver of notifications that answers as it is told.

use super::lock;
use async_trait::async_trait;
use slipway_core::channel::{ChannelAnswer, ChannelCall, ChannelPost};
use slipway_core::{Failure, Secret};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// One call that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCall {
    /// The whole address.
    pub address: String,
    /// Its idempotency key.
    pub key: String,
    /// Its body.
    pub body: String,
}

/// Keeps what arrives; answers 200 `ok` unless something else is scripted.
#[derive(Default)]
pub struct FakeChannels {
    seen: Mutex<Vec<SeenCall>>,
    script: Mutex<VecDeque<Result<ChannelAnswer, Failure>>>,
    silent: AtomicBool,
}

impl FakeChannels {
    /// Answers the next calls like this.
    pub fn answer(&self, answers: impl IntoIterator<Item = Result<ChannelAnswer, Failure>>) {
        lock(&self.script).extend(answers);
    }

    /// Takes calls and never answers, as when the machine dies in the middle.
    pub fn be_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::SeqCst);
    }

    /// Returns what arrived, oldest first.
    #[must_use]
    pub fn seen(&self) -> Vec<SeenCall> {
        lock(&self.seen).clone()
    }
}

#[async_trait]
impl ChannelPost for FakeChannels {
    async fn post(&self, call: &ChannelCall) -> Result<ChannelAnswer, Failure> {
        let header =
            |name: &str| call.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.expose());
        lock(&self.seen).push(SeenCall {
            address: call.address.expose().to_owned(),
            key: header("idempotency-key").unwrap_or_default().to_owned(),
            body: String::from_utf8_lossy(&call.body).into_owned(),
        });
        if self.silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let ok = || Ok(ChannelAnswer { status: 200, retry_after: None, body: "ok".to_owned() });
        lock(&self.script).pop_front().unwrap_or_else(ok)
    }

    async fn check(&self, _address: &Secret, _allow_private: bool) -> Result<(), Failure> {
        Ok(())
    }
}
