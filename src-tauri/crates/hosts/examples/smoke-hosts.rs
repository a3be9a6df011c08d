//! The read-only contract against real hosts: `scripts/smoke-hosts` says which variables it reads.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use slipway_core::code::{RefKind, RepoPath};
use slipway_core::host::{
    CodeHosts, HostAccess, HostAddress, HostBase, HostProvider, HostTokens, Need, RepositoryQuery, TokenKeeper,
    TokenKind,
};
use slipway_core::ports::{Clock, Deadlines};
use slipway_core::{Failure, Secret};
use slipway_hosts::Hosts;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn local_offset_seconds(&self, _: DateTime<Utc>) -> i32 {
        0
    }
}

/// The token of the environment: it is never replaced.
struct Given(HostTokens);

#[async_trait]
impl TokenKeeper for Given {
    fn account(&self) -> i64 {
        1
    }

    async fn load(&self) -> Result<HostTokens, Failure> {
        Ok(self.0.clone())
    }

    async fn save(&self, _: &HostTokens) -> Result<(), Failure> {
        Err(Failure::internal("a pasted token is not refreshed"))
    }
}

fn say(line: &str) {
    // A closed pipe ends the reading, not the looking.
    let _ = writeln!(std::io::stdout(), "smoke-hosts: {line}");
}

fn variable(provider: HostProvider, what: &str) -> Option<String> {
    let name = format!("SLIPWAY_SMOKE_{}_{what}", provider.as_str().to_uppercase());
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[tokio::main]
async fn main() -> ExitCode {
    let (mut looked, mut failed) = (0, 0);
    for provider in HostProvider::ALL {
        let name = provider.as_str();
        let Some(token) = variable(*provider, "TOKEN") else {
            say(&format!("{name}: skipped, SLIPWAY_SMOKE_{}_TOKEN is not set", name.to_uppercase()));
            continue;
        };
        let Some(url) = variable(*provider, "URL").or_else(|| provider.public_base().map(str::to_owned)) else {
            say(&format!("{name}: skipped, SLIPWAY_SMOKE_{}_URL is not set", name.to_uppercase()));
            continue;
        };
        looked += 1;
        match look(*provider, &url, token).await {
            Ok(found) => say(&format!("{name}: ok, {found}")),
            Err(failure) => {
                failed += 1;
                say(&format!("{name}: failed, {} ({})", failure.message, failure.code.as_str()));
            }
        }
    }
    say(&format!("{} of {looked} hosts ok, {} skipped", looked - failed, HostProvider::ALL.len() - looked));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn look(provider: HostProvider, url: &str, token: String) -> Result<String, Failure> {
    let hosts = Hosts::new(Deadlines::default(), Arc::new(SystemClock));
    let cancel = CancellationToken::new();
    let address = HostAddress { provider, base: HostBase::new(url, false)?, ca_pem: None, proxy: None };
    let tokens = HostTokens::pasted(TokenKind::Personal, Secret::new(token), variable(provider, "USERNAME"));
    let facts = hosts.probe(&address, &cancel).await?;
    let access = HostAccess { address, client: None, keeper: Arc::new(Given(tokens)) };
    let identity = hosts.identity(&access, &[Need::Read], &cancel).await?;
    identity.check_scopes()?;
    let owners = hosts.owners(&access, &cancel).await?;
    let mut seen = format!("{} as {}, {} owners", facts.product, identity.login, owners.len());
    for owner in owners {
        let query = RepositoryQuery { owner, search: String::new(), page: None };
        let page = hosts.repositories(&access, &query, &cancel).await?;
        let Some(repository) = page.items.into_iter().find(|one| one.default_branch.is_some()) else { continue };
        let again = hosts.repository(&access, &repository.path, &cancel).await?;
        let branch = again.default_branch.or(repository.default_branch).unwrap_or_default();
        let branches = hosts.refs(&access, &again.path, RefKind::Branch, "", None, &cancel).await?.items;
        let tags = hosts.refs(&access, &again.path, RefKind::Tag, "", None, &cancel).await?.items;
        let commit = hosts.commit(&access, &again.path, &branch, &cancel).await?;
        let entries = hosts.list_folder(&access, &again.path, &commit.id, &RepoPath::root(), &cancel).await?;
        let first = hosts.what_moved(&access, std::slice::from_ref(&again.path), None, &cancel).await?;
        let second = hosts.what_moved(&access, &[again.path], first.mark.as_ref(), &cancel).await?;
        seen.push_str(&format!(
            "; a repository with {} branches, {} tags, {} entries; second look {}",
            branches.len(),
            tags.len(),
            entries.len(),
            match second.moved {
                slipway_core::host::Moved::Unchanged => "unchanged",
                slipway_core::host::Moved::Repositories(_) => "moved",
                slipway_core::host::Moved::CannotTell => "cannot tell",
            },
        ));
        break;
    }
    Ok(seen)
}
