//! One call, as often as it takes.

use super::{WebhookPace, failed, payload, refusal};
use crate::outgoing::{Destination, Resolve, Sent, send};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use ring::hmac;
use slipway_core::deploy::{DeployJob, DeployJournal, DeployTarget, Refusal};
use slipway_core::ids::SecretId;
use slipway_core::{ErrorCode, Failure, Secret};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// `sha256=<hex>` over the raw body, as GitHub sends it: receivers know how to check it.
const SIGNATURE: &str = "x-hub-signature-256";
/// The attempt's key.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Headers that are ours, or that frame the message.
const NOT_YOURS: [&str; 9] = [
    SIGNATURE,
    IDEMPOTENCY_KEY,
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
];

/// What is sent; the same in each try.
pub(super) struct Call {
    headers: HeaderMap,
    body: Vec<u8>,
    /// For all tries together.
    deadline: Duration,
}

/// How a try ended.
enum Tried {
    Taken(u16),
    /// Worth another try.
    NotNow(String),
}

impl Call {
    /// Prepares the call of a job.
    pub(super) fn of(job: &DeployJob) -> Result<Self, Failure> {
        let DeployTarget::Webhook { headers: wanted, signing_secret, .. } = &job.target else {
            return Err(Failure::internal("the target is no webhook"));
        };
        let body = payload::body(job)?;
        let bad = |why: String| Failure::new(ErrorCode::InvalidField, why).at("headers");
        let mut headers = HeaderMap::new();
        for header in wanted {
            let name = HeaderName::from_bytes(header.name.trim().as_bytes())
                .map_err(|_| bad("this is no name of a header".to_owned()))?;
            if NOT_YOURS.contains(&name.as_str()) {
                return Err(bad(format!("the header {name} is set by Slipway")));
            }
            let value = HeaderValue::from_str(secret(job, header.value)?.expose());
            let mut value = value.map_err(|_| bad(format!("the value of {name} cannot be sent in a header")))?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let key = HeaderValue::from_str(&job.key.0).map_err(Failure::internal)?;
        headers.insert(HeaderName::from_static(IDEMPOTENCY_KEY), key);
        if let Some(id) = signing_secret {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret(job, *id)?.expose().as_bytes());
            let signature = format!("sha256={}", hex::encode(hmac::sign(&key, &body)));
            let signature = HeaderValue::from_str(&signature).map_err(Failure::internal)?;
            headers.insert(HeaderName::from_static(SIGNATURE), signature);
        }
        Ok(Self { headers, body, deadline: Duration::from_secs(job.gate.deadline_seconds.into()) })
    }

    /// Calls until the receiver takes it (2xx). It is tried again after connection errors, silence and 5xx; every other
    /// answer is the receiver's last word. Returns the status.
    pub(super) async fn until_taken(
        &self,
        destination: &Destination,
        resolve: &Resolve,
        pace: WebhookPace,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<u16, Failure> {
        let host = destination.host();
        let began = Instant::now();
        let mut pause = pace.first_pause;
        let mut tries = 1;
        loop {
            let tried = tokio::select! {
                () = cancel.cancelled() => return Err(Failure::cancelled()),
                tried = self.once(destination, resolve, pace.answer) => tried?,
            };
            let why = match tried {
                Tried::Taken(status) => {
                    journal.line(&format!("{host} answered {status}")).await;
                    return Ok(status);
                }
                Tried::NotNow(why) => why,
            };
            if tries >= pace.tries || began.elapsed() + pause >= self.deadline {
                return Err(failed(&host, format!("did not take the call in {tries} tries: {why}"))
                    .with("tries", tries.to_string()));
            }
            journal.line(&format!("{host}: {why}; it is tried again in {} ms", pause.as_millis())).await;
            tokio::select! {
                () = cancel.cancelled() => return Err(Failure::cancelled()),
                () = tokio::time::sleep(pause) => {}
            }
            (tries, pause) = (tries + 1, pause * 2);
        }
    }

    async fn once(&self, destination: &Destination, resolve: &Resolve, answer: Duration) -> Result<Tried, Failure> {
        let host = destination.host();
        // The answer's body is not read: it may repeat our headers, and says nothing that the status does not.
        let status = match send(destination, resolve, answer, self.headers.clone(), self.body.clone()).await? {
            Sent::Answered(response) => response.status(),
            Sent::NotNow(why) => return Ok(Tried::NotNow(why)),
            // It may be called no more since it was planned.
            Sent::NotCalled(why) => {
                return Err(Refusal::failure(&[refusal(why, host.clone())?]).with("host", host));
            }
        };
        if status.is_success() {
            return Ok(Tried::Taken(status.as_u16()));
        }
        if status.is_server_error() {
            return Ok(Tried::NotNow(format!("it answered {}", status.as_u16())));
        }
        Err(failed(&host, refused(status)).with("status", status.as_u16().to_string()))
    }
}

fn refused(status: StatusCode) -> String {
    let number = status.as_u16();
    if status.is_redirection() {
        // It could lead anywhere, and take the headers along.
        return format!("answered {number}: redirects are not followed");
    }
    format!("refused the call with {number}")
}

fn secret(job: &DeployJob, id: SecretId) -> Result<&Secret, Failure> {
    job.secrets.get(&id).ok_or_else(|| Failure::internal("a secret of the webhook was not opened"))
}
