//! How a Git host is talked to: requests over HTTP, or a program at the host over SSH.

use crate::http::GitHttp;
use crate::ssh::GitSsh;
use crate::stream::PacketStream;
use slipway_core::Failure;

/// One Git repository at a host.
#[derive(Debug)]
pub(crate) enum Transport {
    Http(GitHttp),
    Ssh(GitSsh),
}

impl Transport {
    /// Asks what is offered for reading.
    pub(crate) async fn discover(&mut self) -> Result<PacketStream, Failure> {
        match self {
            Self::Http(http) => http.discover().await,
            Self::Ssh(ssh) => ssh.discover().await,
        }
    }

    /// Sends one command and returns its answer.
    pub(crate) async fn command(&self, body: Vec<u8>) -> Result<PacketStream, Failure> {
        match self {
            Self::Http(http) => http.command(body).await,
            Self::Ssh(ssh) => ssh.command(&body).await,
        }
    }

    /// Takes an answer that was read to its end; over SSH the next command goes the same way.
    pub(crate) fn ended(&self, answer: PacketStream) {
        if let (Self::Ssh(ssh), Some(connection)) = (self, answer.into_connection()) {
            ssh.keep(connection);
        }
    }
}
