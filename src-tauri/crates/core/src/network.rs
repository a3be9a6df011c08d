//! Network settings: proxy, mirrors, and the accesses that are built from them.

use crate::Secret;
use serde::{Deserialize, Serialize};

/// An HTTP(S) proxy for one kind of traffic.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// `http://host:port` or `https://host:port`, without user information.
    pub url: String,
    /// User name, when the proxy asks for one.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret>,
}

/// Ordered mirrors of one upstream registry, for pulling base images and reading manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RegistryMirrors {
    /// The upstream host (`docker.io`).
    pub upstream: String,
    /// Mirror hosts in the order they are asked; the upstream itself comes last.
    pub mirrors: Vec<String>,
}
