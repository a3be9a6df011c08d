//! Git over SSH, by the user's own `ssh` program: its configuration, agent and keys work as in a terminal, but nothing asks.
//!
//! - `program`: how it is started and ended.
//! - `host_keys`: hosts that nobody knows yet, and the list of those that a person confirmed.
//! - `refusal`: what it means when it ends.

mod host_keys;
mod program;
mod refusal;

use crate::blocking::timed_out;
use crate::stream::PacketStream;
use bytes::{Bytes, BytesMut};
use program::Running;
use slipway_core::Failure;
use slipway_core::ports::Deadlines;
use slipway_core::ssh::SshAddress;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How SSH hosts are reached from this machine.
#[derive(Debug)]
pub(crate) struct SshSetup {
    /// The program, by name or path.
    pub(crate) program: OsString,
    /// The list of hosts that a person confirmed; the user's own is read by the program and never written.
    pub(crate) known_hosts: PathBuf,
    pub(crate) deadlines: Deadlines,
}

impl SshSetup {
    /// Keeps the key that a host shows now when it has this fingerprint.
    pub(crate) async fn trust(&self, address: &SshAddress, fingerprint: &str) -> Result<(), Failure> {
        host_keys::trust(self, address, fingerprint).await
    }
}

/// A Git repository at an SSH host.
#[derive(Debug)]
pub(crate) struct GitSsh {
    setup: Arc<SshSetup>,
    address: SshAddress,
    /// A connection that waits for a command.
    idle: Mutex<Option<Box<SshConnection>>>,
}

impl GitSsh {
    /// Prepares the way to a repository; nothing is started yet.
    pub(crate) fn new(setup: &Arc<SshSetup>, url: &str) -> Result<Self, Failure> {
        Ok(Self { setup: Arc::clone(setup), address: SshAddress::parse(url)?, idle: Mutex::default() })
    }

    /// Starts the host's program and returns what it offers.
    pub(crate) async fn discover(&self) -> Result<PacketStream, Failure> {
        let deadline = self.setup.deadlines.request;
        let started = SshConnection::start(Arc::clone(&self.setup), self.address.clone());
        let connection = tokio::time::timeout(deadline, started)
            .await
            .unwrap_or_else(|_| Err(timed_out("starting the ssh program", deadline)))?;
        Ok(PacketStream::of_connection(self.address.host(), connection, deadline))
    }

    /// Sends a command on the connection that waits for one, or on a new one.
    pub(crate) async fn command(&self, body: &[u8]) -> Result<PacketStream, Failure> {
        let waiting = self.lock().take();
        let mut connection = match waiting {
            Some(connection) => connection,
            None => {
                // It introduces itself again, which was understood before.
                let mut offer = self.discover().await?;
                while offer.line().await?.is_some() {}
                offer.into_connection().ok_or_else(|| Failure::internal("an ssh connection did not wait"))?
            }
        };
        connection.write(body).await?;
        // A host counts the objects of a large repository before its first byte.
        Ok(PacketStream::of_connection(self.address.host(), connection, self.setup.deadlines.idle))
    }

    /// Keeps a connection for the next command.
    pub(crate) fn keep(&self, connection: Box<SshConnection>) {
        *self.lock() = Some(connection);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Box<SshConnection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The program that sends a repository's objects, at the other end of a running `ssh`.
#[derive(Debug)]
pub(crate) struct SshConnection {
    setup: Arc<SshSetup>,
    address: SshAddress,
    running: Running,
}

impl SshConnection {
    async fn start(setup: Arc<SshSetup>, address: SshAddress) -> Result<Box<Self>, Failure> {
        let running = Running::start(&setup, &address, &upload_pack(&address)).await?;
        Ok(Box::new(Self { setup, address, running }))
    }

    /// Returns the bytes that came next, `None` when the program ended.
    pub(crate) async fn read(&mut self) -> Result<Option<Bytes>, Failure> {
        let mut bytes = BytesMut::with_capacity(64 * 1024);
        match self.running.output.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => Ok(None),
            Ok(_) => Ok(Some(bytes.freeze())),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let sent = async {
            self.running.input.write_all(bytes).await?;
            self.running.input.flush().await
        };
        match tokio::time::timeout(self.setup.deadlines.idle, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.why_it_ended().await),
            Err(_) => Err(timed_out(&format!("a transfer to {}", self.address.host()), self.setup.deadlines.idle)),
        }
    }

    /// What it means that the program ended.
    pub(crate) async fn why_it_ended(&mut self) -> Failure {
        let (status, words) = self.running.last_words().await;
        match refusal::read(self.address.host(), status, &words) {
            refusal::Refusal::UnknownHostKey => match host_keys::shown(&self.setup, &self.address).await {
                Ok(key) => key.unknown(),
                Err(failure) => failure,
            },
            refusal::Refusal::Failed(failure) => *failure,
        }
    }
}

/// The command at the host; its shell gets the path as one word.
fn upload_pack(address: &SshAddress) -> String {
    let quoted = address.path().replace('\'', r"'\''").replace('!', r"'\!'");
    format!("git-upload-pack '{quoted}'")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn t30_a_path_is_one_word_for_the_shell_at_the_host() {
        for (url, expected) in [
            ("git@h:team/app.git", "git-upload-pack 'team/app.git'"),
            ("git@h:a';id;'", r"git-upload-pack 'a'\'';id;'\'''"),
            ("ssh://h/a%20$(id)!", r"git-upload-pack '/a $(id)'\!''"),
        ] {
            assert_eq!(upload_pack(&SshAddress::parse(url).unwrap()), expected);
        }
    }
}
