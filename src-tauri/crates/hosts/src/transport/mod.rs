//! Requests to a code host: where they may go, what they carry, how long they may take and how much they may answer.
//!
//! A token is bound to the exact scheme, host and port of the address that it is sent to (threat T02): redirects are followed
//! within that origin only, and an address that an answer names (a next page) is taken only when it stands there too.

mod answer;
mod clients;
mod failures;
mod link;
pub(crate) mod paging;

pub(crate) use answer::Answer;
pub(crate) use clients::Clients;
pub(crate) use failures::{Refined, answer_failure, not_a_host, plain_text};
pub(crate) use link::{Body, Call, Link, with_segments};
pub(crate) use paging::{on_own_origin, page_number};
