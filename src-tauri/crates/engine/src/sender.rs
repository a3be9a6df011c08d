//! The engine's plain API for crates that speak other parts of it.

use crate::client::EngineClient;
use crate::transport::Transport;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use slipway_core::Failure;
use slipway_core::ports::Deadlines;

/// Returns a function that dials the engine behind a transport for each request and returns the answer's head. The answer's
/// connection ends with its body; deadlines are the caller's.
pub fn sender(
    transport: Transport,
    deadlines: &Deadlines,
) -> impl Fn(Request<Full<Bytes>>) -> BoxFuture<'static, Result<Response<Incoming>, Failure>> + Send + Sync + 'static {
    let client = EngineClient::new(transport, deadlines.request);
    move |request| {
        let client = client.clone();
        Box::pin(async move { client.send(request).await })
    }
}
