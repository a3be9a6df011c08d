//! Why a request to the webhook listener is refused (threats T17, T18). Nothing about the sender's words is in it.

use crate::host::DeliveryRefused;
use serde::{Deserialize, Serialize};

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum WebhookRefusal {
    /// The `Host` is none of the listener's: a name that was rebound to this machine.
    Host,
    /// A web page asks; code hosts send no `Origin`.
    Origin,
    /// Not a POST.
    Method,
    /// No webhook has this path.
    Path,
    /// The body is not said to be JSON.
    ContentType,
    /// The body is larger than any push needs.
    TooLarge,
    /// The request did not arrive in time.
    TooSlow,
    /// Too many at once, or in a row.
    TooMany,
    /// It carries no signature.
    Unsigned,
    /// The signature does not fit.
    WrongSignature,
    /// Its time stamp is too far from now.
    TooOld,
    /// Signed, and still not readable; or it broke off.
    Unreadable,
    /// It came before.
    Replayed,
    /// The secret could not be opened, so nothing can be said about it.
    NotChecked,
}

impl From<DeliveryRefused> for WebhookRefusal {
    fn from(refused: DeliveryRefused) -> Self {
        match refused {
            DeliveryRefused::Unsigned => Self::Unsigned,
            DeliveryRefused::WrongSignature => Self::WrongSignature,
            DeliveryRefused::TooOld => Self::TooOld,
            DeliveryRefused::Unreadable => Self::Unreadable,
        }
    }
}
