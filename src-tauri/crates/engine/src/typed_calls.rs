//! bollard over the same transport, for the calls whose answers it types well.

use crate::client::{EngineClient, server_failure, silent};
use bollard::errors::Error;
use slipway_core::{ErrorCode, Failure};
use std::future::Future;
use std::time::Duration;

/// A bollard client whose every request goes through `client`.
///
/// # Errors
/// [`ErrorCode::Internal`] when bollard refuses the set-up.
pub(crate) fn bollard_over(client: EngineClient, deadline: Duration) -> Result<bollard::Docker, Failure> {
    let send = move |request: bollard::BollardRequest| {
        let client = client.clone();
        async move { client.send(request).await.map_err(|failure| Error::from(std::io::Error::other(failure))) }
    };
    // bollard's own deadline stops at the answer's head; `bounded` covers the rest.
    bollard::Docker::connect_with_custom_transport(
        send,
        Some("http://docker"),
        deadline.as_secs().max(1),
        bollard::API_DEFAULT_VERSION,
    )
    .map_err(Failure::internal)
}

/// Runs one call to its last byte within the deadline.
pub(crate) async fn bounded<T>(deadline: Duration, call: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    tokio::time::timeout(deadline, call).await.map_err(|_| silent(deadline))?.map_err(failure_of)
}

/// Returns the engine's status when this is an error answer of the engine.
pub(crate) fn status_of(failure: &Failure) -> Option<u16> {
    failure.details.get("status")?.parse().ok()
}

fn failure_of(error: Error) -> Failure {
    match error {
        Error::DockerResponseServerError { status_code, message } => server_failure(
            http::StatusCode::from_u16(status_code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR),
            &crate::client::printable(&message),
        ),
        // Our own failure comes back inside the I/O error that carried it through bollard.
        Error::IOError { err } => match err.downcast::<Failure>() {
            Ok(failure) => failure,
            Err(err) => Failure::new(ErrorCode::EngineLost, format!("the connection to the engine broke: {err}")),
        },
        Error::HyperResponseError { err } => {
            Failure::new(ErrorCode::EngineLost, format!("the connection to the engine broke: {err}"))
        }
        Error::RequestTimeoutError => Failure::new(ErrorCode::EngineLost, "the engine did not answer in time"),
        other => Failure::new(ErrorCode::EngineError, format!("the engine's answer cannot be read: {other}")),
    }
}
