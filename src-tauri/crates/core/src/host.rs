//! Code hosts: GitHub, GitLab, Gitee, CODING, Gitea/Forgejo, Bitbucket. Where they live, who is signed in there, what they
//! hold, what moved, and what they are told. `reference/source-hosts.md` has the facts about each.
//!
//! - [`address`]: which host, and how it is reached.
//! - [`account`]: tokens, the stored account behind every call, identity and scopes.
//! - [`authorize`]: what a host asks for before it lets somebody in, and the ways in.
//! - [`listing`]: owners, repositories, branches and tags, page by page.
//! - [`watch`]: what moved, hooks and their deliveries.
//! - [`report`]: what a commit's page is told about a build.
//! - [`port`]: the two ports, [`CodeHosts`] and [`HostAuthorization`].

pub mod account;
pub mod address;
pub mod authorize;
pub mod listing;
pub mod port;
pub mod report;
pub mod watch;

pub use account::{CloneLogin, Granted, HostAccess, HostIdentity, HostTokens, TokenKeeper, TokenKind};
pub use address::{HostAddress, HostBase, HostFacts, HostProvider};
pub use authorize::{
    AskedScope, CodeFlow, DeviceCode, GithubApp, HostGuide, Need, OauthClient, PageLanguage, Revocation, ScopeReason,
};
pub use listing::{HostOwner, HostRef, HostRepository, OwnerKind, Page, PageMark, RepositoryPath, RepositoryQuery};
pub use port::{CodeHosts, HostAuthorization, PendingAuthorization, PendingDevice, PendingManifest};
pub use report::{CommitReport, ReportStanding, ReportState, ReportedBuild};
pub use watch::{
    Delivery, DeliveryRefused, Hook, HookEvent, HookEventKind, Moved, MovedMark, MovedRepository, NewHook, RateState,
    WhatMoved,
};
