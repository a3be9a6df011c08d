//! Looks what answers at an address, and for the host's own address when somebody typed a repository's.

use crate::session::{Session, Who};
use crate::transport::Link;
use slipway_core::host::{HostAddress, HostBase, HostFacts};
use slipway_core::{ErrorCode, Failure};

/// Repositories of groups lie deep; more parents than this are not tried.
const MOST_PARENTS: usize = 6;

/// Looks without any login.
pub(crate) async fn probe(address: &HostAddress, link: &Link) -> Result<HostFacts, Failure> {
    let failure = match look(address, link).await {
        Err(failure) if matches!(failure.code, ErrorCode::NotACodeHost | ErrorCode::SourceNotFound) => failure,
        other => return other,
    };
    let failure = Failure { code: ErrorCode::NotACodeHost, ..failure }.at("base_url");
    for parent in parents(&address.base).into_iter().take(MOST_PARENTS) {
        let above = HostAddress { base: parent, ..address.clone() };
        if look(&above, link).await.is_ok() {
            return Err(failure.with("suggestion", above.base.as_str()));
        }
    }
    Err(failure)
}

async fn look(address: &HostAddress, link: &Link) -> Result<HostFacts, Failure> {
    let session = Session::new(address, link.clone(), Who::Nobody)?;
    crate::provider::of(address.provider).probe(&session).await
}

/// Returns the addresses above one, nearest first.
fn parents(base: &HostBase) -> Vec<HostBase> {
    let mut found = Vec::new();
    let mut rest = base.clone();
    while !rest.path().is_empty() {
        let cut = rest.as_str().rfind('/').unwrap_or_default();
        let Ok(shorter) = HostBase::new(&rest.as_str()[..cut], rest.is_plain_http()) else { break };
        found.push(shorter.clone());
        rest = shorter;
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parents_end_at_the_host() {
        let base = HostBase::new("https://git.example:8443/gitea/team/app", false).unwrap();
        let found: Vec<String> = parents(&base).iter().map(ToString::to_string).collect();
        let expected =
            ["https://git.example:8443/gitea/team", "https://git.example:8443/gitea", "https://git.example:8443"];
        assert_eq!(found, expected);
        assert!(parents(&HostBase::new("https://git.example", false).unwrap()).is_empty());
    }
}
