//! Calls that other crates make to the engine, over the same transport.

use crate::client::EngineClient;
use crate::transport::Transport;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use slipway_core::Failure;
use std::time::Duration;

/// Returns a function that sends one request to the engine and answers when the answer's head is there; the connection ends
/// with the answer's body. Deadlines are the caller's; `dial` bounds the opening of the connection.
pub fn engine_calls(
    transport: Transport,
    dial: Duration,
) -> impl Fn(Request<Full<Bytes>>) -> BoxFuture<'static, Result<Response<Incoming>, Failure>> + Send + Sync + 'static {
    let client = EngineClient::new(transport, dial);
    move |request| {
        let client = client.clone();
        Box::pin(async move { client.send(request).await })
    }
}
