//! Starting a container on ports that another one had a moment ago.

use crate::docker::EngineCalls;
use crate::docker::containers;
use slipway_core::Failure;
use slipway_core::deploy::DeployJournal;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long a port may be another program's. The ports that an engine chooses are those that every outgoing connection is
/// given too, and Linux keeps the port of a closed connection for 60 s: between the end of the old container and the start of
/// the new one it may go to one of those.
const PORT_WAIT: Duration = Duration::from_secs(75);
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Starts a container. A port that somebody else has just taken is waited for: neither the new nor the old one could serve
/// without it.
pub(super) async fn start_on_its_ports(
    calls: &EngineCalls,
    id: &str,
    journal: &dyn DeployJournal,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut said = false;
    loop {
        let failure = match containers::start(calls, id).await {
            Ok(()) => return Ok(()),
            Err(failure) if !port_is_taken(&failure) || begun.elapsed() >= PORT_WAIT => return Err(failure),
            Err(failure) => failure,
        };
        if !said {
            journal.line(&format!("waiting for a port: {}", failure.message)).await;
            said = true;
        }
        tokio::select! {
            () = cancel.cancelled() => return Err(Failure::cancelled()),
            () = tokio::time::sleep(AGAIN_AFTER) => {}
        }
    }
}

/// The words of Linux engines (twice: the engine's own list, the kernel's answer), of Docker Desktop and of Windows.
fn port_is_taken(failure: &Failure) -> bool {
    const WORDS: [&str; 4] = [
        "port is already allocated",
        "address already in use",
        "orts are not available",
        "Only one usage of each socket",
    ];
    WORDS.iter().any(|words| failure.message.contains(words))
}
