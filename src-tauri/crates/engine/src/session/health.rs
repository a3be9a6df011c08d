//! The health service that the engine calls every few seconds: without an answer it drops the session, and without its
//! calls we know that it hangs.

use bollard_buildkit_proto::health::health_check_response::ServingStatus;
use bollard_buildkit_proto::health::health_server::Health;
use bollard_buildkit_proto::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

/// When the engine was heard of last, by the monotonic clock; not yet when it never called.
#[derive(Clone, Default)]
pub(crate) struct LastCall(Arc<Mutex<Option<Instant>>>);

impl LastCall {
    /// Notes that the engine was heard of.
    pub(crate) fn heard(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Ends when the engine has said nothing for so long; never when it never called.
    pub(crate) async fn silent_for(&self, limit: Duration) {
        loop {
            let heard = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match heard {
                Some(at) if at.elapsed() >= limit => return,
                Some(at) => tokio::time::sleep_until(at + limit).await,
                None => tokio::time::sleep(limit).await,
            }
        }
    }
}

/// Serves as long as it answers.
pub(super) struct AlwaysServing(pub(super) LastCall);

const SERVING: HealthCheckResponse = HealthCheckResponse { status: ServingStatus::Serving as i32 };

#[tonic::async_trait]
impl Health for AlwaysServing {
    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        self.0.heard();
        Ok(Response::new(SERVING))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Ok(Response::new(HealthListResponse { statuses: [(String::new(), SERVING)].into() }))
    }

    type WatchStream = tokio_stream::Once<Result<HealthCheckResponse, Status>>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(tokio_stream::once(Ok(SERVING))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_engine_is_silent_only_after_it_was_heard_and_for_the_whole_time() {
        let (limit, last_call) = (Duration::from_secs(60), LastCall::default());
        let within = |seconds| tokio::time::timeout(Duration::from_secs(seconds), last_call.silent_for(limit));
        assert!(within(1000).await.is_err(), "an old engine may never call");
        last_call.heard();
        assert!(within(59).await.is_err());
        last_call.heard();
        assert!(within(59).await.is_err());
        assert!(within(2).await.is_ok());
    }
}
