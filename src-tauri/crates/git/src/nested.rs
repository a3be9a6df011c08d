//! Bringing the submodules of a commit into mirrors of their own.

use crate::blocking::on_worker;
use crate::context::FetchedModule;
use crate::error::in_mirror;
use crate::fetch::{Fetcher, Wanted, clone_path};
use crate::submodules::Address;
use crate::{inspect, local, submodules};
use git2::Oid;
use slipway_core::code::{CodeAccess, CodeLocation, CommitId, RepoPath};
use slipway_core::ids::CodeRepositoryId;
use slipway_core::{ErrorCode, Failure};
use std::collections::VecDeque;
use std::path::PathBuf;
use url::Url;

/// Submodules of submodules are followed so deep, and so many of them in all.
const DEEPEST_SUBMODULE: usize = 10;
const MOST_SUBMODULES: usize = 500;
impl Fetcher {
    /// Brings every submodule that the context needs into a mirror of its own.
    pub(crate) async fn fetch_submodules(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        tree: Oid,
        folder: &RepoPath,
    ) -> Result<Vec<FetchedModule>, Failure> {
        let mut fetched: Vec<FetchedModule> = Vec::new();
        let mut pending = VecDeque::from([Outer {
            mirror: self.mirrors.of_repository(id),
            tree,
            path: String::new(),
            access: access.clone(),
            depth: 0,
        }]);
        while let Some(outer) = pending.pop_front() {
            let (mirror, tree, prefix, wanted) = (outer.mirror.clone(), outer.tree, outer.path.clone(), folder.clone());
            let declared = on_worker(move |_| {
                inspect::ask(&mirror, "the commit", |repository| {
                    let tree = repository.find_tree(tree).map_err(|error| in_mirror(&error))?;
                    submodules::declared(repository, &tree, &prefix, &wanted)
                })
            })
            .await?;
            for module in declared {
                if outer.depth >= DEEPEST_SUBMODULE || fetched.len() >= MOST_SUBMODULES {
                    return Err(submodules::failed(&module.path, "there are too many submodules, or too deep ones"));
                }
                let inner = self.fetch_submodule(&outer, &module).await.map_err(|failure| match failure.code {
                    ErrorCode::Cancelled | ErrorCode::SubmoduleFailed | ErrorCode::DiskFull => failure,
                    cause => submodules::failed(&module.path, &failure.message).with("cause", cause.as_str()),
                })?;
                fetched.push(FetchedModule {
                    path: inner.path.clone(),
                    mirror: inner.mirror.clone(),
                    tree: inner.tree,
                });
                pending.push_back(inner);
            }
        }
        Ok(fetched)
    }

    async fn fetch_submodule(&self, outer: &Outer, module: &submodules::Declared) -> Result<Outer, Failure> {
        if let Some(inner) = self.submodule_of_clone(outer, module).await? {
            return Ok(inner);
        }
        let (parent, plain) = match &outer.access.location {
            CodeLocation::GitUrl { url, allow_plain_http, .. } => (Some(url.clone()), *allow_plain_http),
            CodeLocation::Ssh { url } => (Some(url.clone()), false),
            CodeLocation::LocalClone { path } => {
                let path = path.clone();
                (on_worker(move |_| Ok(local::origin(&path))).await?, false)
            }
        };
        let is_clone = clone_path(&outer.access).is_some();
        let parent = submodules::Parent { url: parent.as_deref(), is_clone, allow_plain_http: plain };
        let address = submodules::resolve(parent, &module.url).map_err(|why| submodules::failed(&module.path, &why))?;
        let (Address::Http(url) | Address::Ssh(url)) = &address;
        let mirror = self.mirrors.of_submodule(url)?;
        let access = access_of_submodule(&outer.access, address);
        self.fetch(&mirror, &access, Wanted::Commit(module.pinned)).await?;
        outer.inner(module, mirror, access).await
    }

    /// A clone with its submodules checked out has their objects: what the user sees there needs no network.
    async fn submodule_of_clone(&self, outer: &Outer, module: &submodules::Declared) -> Result<Option<Outer>, Failure> {
        let Some(path) = clone_path(&outer.access).filter(|_| submodules::safe_name(&module.name)) else {
            return Ok(None);
        };
        let (name, pinned) = (module.name.clone(), module.pinned);
        let found = on_worker(move |_| {
            let inside = local::open(&path)?.commondir().join("modules").join(&name);
            let has = local::open(&inside).is_ok_and(|clone| clone.find_commit(pinned).is_ok());
            Ok(has.then_some(inside))
        })
        .await?;
        let Some(inside) = found else { return Ok(None) };
        let access = CodeAccess {
            location: CodeLocation::LocalClone { path: inside.clone() },
            password: None,
            proxy: outer.access.proxy.clone(),
        };
        let mirror = self.mirrors.of_submodule(&inside.to_string_lossy())?;
        self.fetch(&mirror, &access, Wanted::Commit(module.pinned)).await?;
        outer.inner(module, mirror, access).await.map(Some)
    }
}

/// A repository whose submodules are being looked for.
#[derive(Debug)]
struct Outer {
    mirror: PathBuf,
    tree: Oid,
    path: String,
    access: CodeAccess,
    depth: usize,
}

impl Outer {
    async fn inner(&self, module: &submodules::Declared, mirror: PathBuf, access: CodeAccess) -> Result<Self, Failure> {
        let (folder, pinned) = (mirror.clone(), CommitId::new(module.pinned.to_string())?);
        let tree = on_worker(move |_| {
            inspect::ask(&folder, pinned.as_str(), |repository| Ok(inspect::find(repository, &pinned)?.tree_id()))
        })
        .await?;
        Ok(Self { mirror, tree, path: module.path.clone(), access, depth: self.depth + 1 })
    }
}

/// The same login for the same scheme, host and port; nothing for any other place (T02). SSH is the user's own affair.
fn access_of_submodule(parent: &CodeAccess, address: Address) -> CodeAccess {
    let url = match address {
        Address::Http(url) => url,
        Address::Ssh(url) => {
            return CodeAccess { location: CodeLocation::Ssh { url }, password: None, proxy: None };
        }
    };
    if let CodeLocation::GitUrl { url: of_parent, username, password, ca_pem, allow_plain_http } = &parent.location {
        let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
        let same = origin(of_parent).is_some() && origin(of_parent) == origin(&url);
        return CodeAccess {
            location: CodeLocation::GitUrl {
                url,
                username: username.clone().filter(|_| same),
                password: password.filter(|_| same),
                ca_pem: ca_pem.clone(),
                allow_plain_http: *allow_plain_http && same,
            },
            password: parent.password.clone().filter(|_| same),
            proxy: parent.proxy.clone(),
        };
    }
    let location = CodeLocation::GitUrl { url, username: None, password: None, ca_pem: None, allow_plain_http: false };
    CodeAccess { location, password: None, proxy: parent.proxy.clone() }
}
