//! Images: registries, repositories, tags, digests, content identity. The reference grammar is in [`crate::image`]'s
//! constructors and follows `reference/registries.md` section 6.

use crate::ids::{CredentialId, RegistryId, SecretId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

mod reference;
pub use reference::{Digest, ImageReference, RegistryHost, RepositoryName, Tag};

/// What a registry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RegistryKind {
    /// The engine's own image store: tags, but no push.
    LocalEngine,
    /// An OCI registry.
    Oci,
}

/// How a credential gets its secret (`reference/registries.md` section 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CredentialSource {
    /// No login.
    Anonymous,
    /// User name and a secret sealed in the store.
    Password {
        /// The account, sub-account or robot name, exactly as the registry spells it.
        username: String,
        /// The sealed password or token.
        secret: SecretId,
    },
    /// A refresh token (Docker's "identity token"), sealed.
    IdentityToken {
        /// The sealed token.
        secret: SecretId,
    },
    /// Whatever the Docker client's configuration says for this host (file entries, `credHelpers`, `credsStore`).
    DockerConfig,
    /// A named Docker credential helper (`docker-credential-<name>`).
    Helper {
        /// The suffix, for example `ecr-login`.
        name: String,
    },
    /// A command that prints the password (tokens that live an hour), run without a shell at the moment of use.
    Command {
        /// The account name that goes with the printed password.
        username: String,
        /// Program and arguments.
        argv: Vec<String>,
    },
}

/// An opened login for one registry host; sent to that host (and the realm it names over https) only.
#[derive(Debug, Clone)]
pub enum RegistryLogin {
    /// No login.
    Anonymous,
    /// User name and password or token.
    Basic {
        /// The account.
        username: String,
        /// The password or token.
        password: crate::Secret,
    },
    /// A refresh token.
    IdentityToken {
        /// The token.
        token: crate::Secret,
    },
}

/// A registry host with all that is needed to talk to it now.
#[derive(Debug, Clone)]
pub struct RegistryAccess {
    /// Host with optional port.
    pub host: RegistryHost,
    /// Speak plain HTTP (loopback, or after consent).
    pub plain_http: bool,
    /// Certificates of an own authority, PEM.
    pub ca_pem: Option<String>,
    /// Proxy, when one applies.
    pub proxy: Option<crate::network::Proxy>,
    /// The opened login.
    pub login: RegistryLogin,
}

/// Where a repository's images come from (镜像来源).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ImageSource {
    /// Built by the platform (平台构建镜像).
    Platform,
    /// Built from an uploaded Dockerfile.
    Dockerfile,
    /// Pushed locally (本地推送镜像).
    PushedLocally,
    /// Published by others, watched only.
    PublishedByOthers,
}

/// What a person gives to make or change an image repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ImageRepositorySpec {
    /// The registry that it lives in.
    pub registry: RegistryId,
    /// `namespace/name` or deeper, without the host.
    pub name: RepositoryName,
    /// Where its images come from.
    pub source: ImageSource,
    /// Which credential of the registry it uses; `None` for *Local engine*.
    pub credential: Option<CredentialId>,
    /// Short description, at most 100 characters.
    #[serde(default)]
    pub summary: String,
    /// Description in Markdown, at most 1,000 characters.
    #[serde(default)]
    pub description: String,
    /// Tags that are written once: regular expressions over the whole tag. Checked before a build starts.
    #[serde(default)]
    pub write_once: Vec<String>,
}

/// A platform: `os/architecture[/variant]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Platform {
    /// `linux`
    pub os: String,
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// `v7`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

impl std::str::FromStr for Platform {
    type Err = crate::Failure;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || {
            crate::Failure::new(
                crate::ErrorCode::InvalidField,
                format!("{text:?} is no platform such as linux/amd64 or linux/arm/v7"),
            )
        };
        let legal = |part: &&str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !(2..=3).contains(&parts.len()) || !parts.iter().all(legal) {
            return Err(bad());
        }
        Ok(Self {
            os: parts[0].to_owned(),
            architecture: parts[1].to_owned(),
            variant: parts.get(2).map(|v| (*v).to_owned()),
        })
    }
}

/// The engine's own name for an image: config digest on graph drivers, manifest digest on the containerd store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct ImageId(pub String);

/// What an image holds, whatever its labels, history and creation time: two images with the same identity are the same
/// to a trigger. SHA-256 in hex over the ordered layer diff ids and the configuration without Slipway's own labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct ContentIdentity(pub String);

/// An image in the engine's store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct EngineImage {
    /// The engine's id.
    pub id: ImageId,
    /// `repository:tag` names it has.
    pub tags: Vec<String>,
    /// `repository@digest` names it has.
    pub digests: Vec<String>,
    /// Bytes on disk, shared layers included.
    pub size: u64,
    /// Its platform.
    pub platform: Platform,
    /// Creation time written in the image.
    pub created: Option<DateTime<Utc>>,
    /// Its labels.
    pub labels: std::collections::BTreeMap<String, String>,
    /// What it holds.
    pub content: ContentIdentity,
    /// Ordered layer diff ids.
    pub layers: Vec<String>,
}

/// An image in the engine's store, as a list shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct EngineImageSummary {
    /// The engine's id.
    pub id: ImageId,
    /// `repository:tag` names it has.
    pub tags: Vec<String>,
    /// Bytes on disk, shared layers included.
    pub size: u64,
    /// Creation time written in the image.
    pub created: Option<DateTime<Utc>>,
    /// Slipway made it.
    pub ours: bool,
}
