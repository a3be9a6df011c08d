//! The packets of one answer, whatever brings them.

use crate::blocking::timed_out;
use crate::error::plain;
use crate::http::transfer_failure;
use crate::packet::{Decoder, Packet};
use crate::ssh::SshConnection;
use bytes::Bytes;
use reqwest::Response;
use slipway_core::{ErrorCode, Failure};
use std::time::Duration;

/// Where the bytes come from.
#[derive(Debug)]
enum Source {
    Http(Response),
    Ssh(Box<SshConnection>),
}

/// The packets of one answer.
#[derive(Debug)]
pub(crate) struct PacketStream {
    host: String,
    source: Source,
    decoder: Decoder,
    idle: Duration,
}

impl PacketStream {
    /// Reads the body of a response; each part of it may take `idle`.
    pub(crate) fn of_response(host: &str, response: Response, idle: Duration) -> Self {
        Self { host: host.to_owned(), source: Source::Http(response), decoder: Decoder::default(), idle }
    }

    /// Reads what a program at the host says; each part of it may take `idle`.
    pub(crate) fn of_connection(host: &str, connection: Box<SshConnection>, idle: Duration) -> Self {
        Self { host: host.to_owned(), source: Source::Ssh(connection), decoder: Decoder::default(), idle }
    }

    /// Returns the connection for the next question, when the answer was read to its end.
    pub(crate) fn into_connection(self) -> Option<Box<SshConnection>> {
        match self.source {
            Source::Ssh(connection) if self.decoder.is_empty() => Some(connection),
            _ => None,
        }
    }

    /// Returns the next packet, or `None` at the end of the answer.
    ///
    /// # Errors
    /// [`ErrorCode::SourceNotGit`] for bytes that are no packets, [`ErrorCode::TimedOut`] when no byte came in time,
    /// [`ErrorCode::SourceUnreachable`] when the connection broke; over SSH what the program said when it ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Packet>, Failure> {
        loop {
            let packet = self.decoder.next().map_err(|error| self.not_git(error))?;
            if packet.is_some() {
                return Ok(packet);
            }
            match tokio::time::timeout(self.idle, self.chunk()).await {
                Err(_) => return Err(timed_out(&format!("a transfer from {}", self.host), self.idle)),
                Ok(chunk) => match chunk? {
                    Some(bytes) => self.decoder.push(&bytes),
                    None => return self.ended().await,
                },
            }
        }
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        match &mut self.source {
            Source::Http(response) => response.chunk().await.map_err(|error| transfer_failure(&error, &self.host)),
            Source::Ssh(connection) => connection.read().await,
        }
    }

    /// The end of the bytes: of an HTTP answer, or of a program that has no reason to end in the middle of a talk.
    async fn ended(&mut self) -> Result<Option<Packet>, Failure> {
        match &mut self.source {
            Source::Ssh(connection) => Err(connection.why_it_ended().await),
            Source::Http(_) if self.decoder.is_empty() => Ok(None),
            Source::Http(_) => Err(self.broken_off()),
        }
    }

    /// Returns the next packet's bytes, `None` at a flush or the end; the trailing newline is cut.
    pub(crate) async fn line(&mut self) -> Result<Option<Bytes>, Failure> {
        match self.next().await? {
            Some(Packet::Data(mut line)) => {
                if line.last() == Some(&b'\n') {
                    line.truncate(line.len() - 1);
                }
                Ok(Some(line))
            }
            _ => Ok(None),
        }
    }

    /// The failure for an answer that breaks the protocol.
    pub(crate) fn not_git(&self, why: impl std::fmt::Display) -> Failure {
        Failure::new(ErrorCode::SourceNotGit, format!("{}: {}", self.host, plain(&why.to_string())))
            .with("host", &*self.host)
    }

    /// The failure for an answer that ended too early.
    pub(crate) fn broken_off(&self) -> Failure {
        broken_off(&self.host)
    }

    /// The failure that the host itself reported in its answer.
    pub(crate) fn reported(&self, text: &str) -> Failure {
        Failure::new(ErrorCode::SourceServerError, format!("{} reports: {}", self.host, plain(text)))
            .with("host", &*self.host)
    }
}

/// The failure for a connection that ended in the middle.
pub(crate) fn broken_off(host: &str) -> Failure {
    Failure::new(ErrorCode::SourceUnreachable, format!("the connection to {host} broke in the middle"))
        .with("host", host)
}
