//! Namespaces: the first part of a repository's name inside a registry.

use crate::Failure;
use serde::{Deserialize, Serialize};

/// How a namespace of a registry comes to exist (`reference/registries.md` section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NamespaceCreation {
    /// Slipway makes it through the registry's own interface (a project of Harbor); it must exist before the first push.
    Here,
    /// The first push makes it.
    FirstPush,
    /// It is an account or organization: made where those are made.
    Account,
    /// It must exist before the first push, and is made at the registry's own console.
    Console,
    /// Names have no namespaces; each repository must exist before the first push.
    Repository,
    /// *Local engine*: names are free.
    Free,
}

/// Namespaces of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct NamespaceList {
    /// By name.
    pub namespaces: Vec<Namespace>,
    /// How a new one comes to exist.
    pub creation: NamespaceCreation,
    /// Why the registry could not list them; those of known repositories are there all the same.
    pub catalogue_failure: Option<Failure>,
}

/// A namespace: the first part of a repository's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Repositories in it that the registry lists.
    pub listed: u64,
    /// Image repositories in it that Slipway knows.
    pub known: u64,
    /// Whether everybody may read in it, where the registry says so.
    pub public: Option<bool>,
}

/// A namespace as the registry's own interface lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Whether everybody may read in it.
    pub public: bool,
    /// Repositories in it.
    pub repositories: u64,
}
