//! Submodules of a commit: what `.gitmodules` declares, and where each one lives.
//!
//! The file comes from the commit, so from anybody: an address may only be HTTP(S), or SSH at the parent's host, a name may not leave the clone's `modules`
//! folder, and numbers are limited.

use crate::error::{in_mirror, plain};
use crate::http::check_url;
use crate::inspect::{self, At};
use git2::{ObjectType, Oid, Repository, Tree};
use slipway_core::code::RepoPath;
use slipway_core::ssh::SshAddress;
use slipway_core::{ErrorCode, Failure};

/// `.gitmodules` is larger than this in no real repository.
const LARGEST_FILE: usize = 1 << 20;

/// One submodule that a commit declares and pins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    /// Its name in `.gitmodules`.
    pub(crate) name: String,
    /// Its path from the repository's root, the paths of outer submodules included.
    pub(crate) path: String,
    /// Its address as written, maybe relative.
    pub(crate) url: String,
    /// The commit that is pinned.
    pub(crate) pinned: Oid,
}

/// The failure of one submodule.
pub(crate) fn failed(path: &str, why: &str) -> Failure {
    Failure::new(ErrorCode::SubmoduleFailed, format!("submodule {path:?}: {why}")).with("path", path)
}

/// Reads which submodules a tree declares, among those that a context of `folder` needs. `prefix` is where the tree itself lies
/// in the outermost repository. An entry without a gitlink, or a gitlink without an entry, is no submodule.
pub(crate) fn declared(
    repository: &Repository,
    tree: &Tree<'_>,
    prefix: &str,
    folder: &RepoPath,
) -> Result<Vec<Declared>, Failure> {
    let Some(entry) = tree.get_name(".gitmodules") else { return Ok(Vec::new()) };
    if entry.kind() != Some(ObjectType::Blob) || entry.filemode() == 0o120_000 {
        return Ok(Vec::new());
    }
    let blob = repository.find_blob(entry.id()).map_err(|error| in_mirror(&error))?;
    let file = if prefix.is_empty() { ".gitmodules".to_owned() } else { format!("{prefix}/.gitmodules") };
    if blob.size() > LARGEST_FILE {
        return Err(failed(&file, "the file is larger than 1 MiB"));
    }
    let mut found = Vec::new();
    for (name, path, url) in parse(blob.content()).map_err(|why| failed(&file, &why))? {
        let inside = RepoPath::new(&path).map_err(|failure| failed(&file, &failure.message))?;
        let full = if prefix.is_empty() { inside.as_str().to_owned() } else { format!("{prefix}/{inside}") };
        if inside.is_root() || !concerns(folder.as_str(), &full) {
            continue;
        }
        if let Some(pinned) = gitlink(repository, tree, &inside)? {
            let url = url.ok_or_else(|| failed(&full, "it has no address in .gitmodules"))?;
            found.push(Declared { name, path: full, url, pinned });
        }
    }
    Ok(found)
}

/// True when a submodule at `path` is part of a context of `folder`, or `folder` lies inside it.
fn concerns(folder: &str, path: &str) -> bool {
    let within = |outer: &str, inner: &str| {
        outer.is_empty() || inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
    };
    within(folder, path) || within(path, folder)
}

fn gitlink(repository: &Repository, tree: &Tree<'_>, path: &RepoPath) -> Result<Option<Oid>, Failure> {
    let parent = repository.find_tree(tree.id()).map_err(|error| in_mirror(&error))?;
    match inspect::at(repository, parent, &path.parent())? {
        At::Folder(folder) => Ok(folder
            .get_name(path.file_name())
            .filter(|entry| entry.kind() == Some(ObjectType::Commit))
            .map(|entry| entry.id())),
        _ => Ok(None),
    }
}

type Section = (String, String, Option<String>);

pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Section>, String> {
    let file = gix::config::File::from_bytes_no_includes(bytes, gix::config::file::Metadata::api(), Default::default())
        .map_err(|error| format!("it cannot be parsed: {}", plain(&error.to_string())))?;
    let mut sections = Vec::new();
    for section in file.sections_by_name("submodule").into_iter().flatten() {
        let text = |key: &str| section.value(key).and_then(|value| String::from_utf8(value.into()).ok());
        let name = section.header().subsection_name().map(ToString::to_string);
        if let (Some(name), Some(path)) = (name, text("path")) {
            sections.push((name, path, text("url")));
        }
    }
    Ok(sections)
}

/// Where a submodule lives: its own address, or one relative to its parent's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// Over HTTP(S).
    Http(String),
    /// Over SSH, at the parent's own host.
    Ssh(String),
}

/// Whose submodule it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent<'a> {
    /// The parent's address, when it has one.
    pub(crate) url: Option<&'a str>,
    /// The parent is a clone on this machine, for which there is no login but the user's own keys.
    pub(crate) is_clone: bool,
    pub(crate) allow_plain_http: bool,
}

/// Finds a submodule's address. The user's keys are offered to the parent's host alone; an SSH address at the host that the
/// parent is reached at over HTTP(S) is asked for there, with the parent's login.
///
/// # Errors
/// A sentence for an address of another kind, one that leaves the parent's host by `..`, or SSH at another host.
pub(crate) fn resolve(parent: Parent<'_>, url: &str) -> Result<Address, String> {
    let relative = url.starts_with("./") || url.starts_with("../");
    let text = if relative {
        let parent = parent.url.ok_or("its address is relative, and the clone has no origin")?;
        join_relative(parent, url).ok_or("its relative address leaves the host")?
    } else {
        url.to_owned()
    };
    if !SshAddress::is_meant(&text) {
        return check_url(&text, parent.allow_plain_http)
            .map(|_| Address::Http(text))
            .map_err(|failure| failure.message);
    }
    let address = SshAddress::parse(&text).map_err(|failure| failure.message)?;
    let of_parent = parent.url.unwrap_or("");
    if SshAddress::parse(of_parent).is_ok_and(|parent| parent.same_host(&address)) {
        return Ok(Address::Ssh(text));
    }
    let elsewhere = "it lies at another host, and your SSH keys are offered only to the host of the code itself";
    let mut base = check_url(of_parent, parent.allow_plain_http).map_err(|_| elsewhere)?;
    if !base.host_str().is_some_and(|host| host.eq_ignore_ascii_case(address.host())) {
        return Err(elsewhere.to_owned());
    }
    if parent.is_clone {
        return Ok(Address::Ssh(text));
    }
    base.set_path(address.path().trim_start_matches('/'));
    Ok(Address::Http(base.into()))
}

/// Git's rule: each `../` removes the last part of the parent's address.
fn join_relative(parent: &str, url: &str) -> Option<String> {
    let parent = parent.trim_end_matches('/');
    if let Some((scheme, rest)) = parent.split_once("://") {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        return Some(format!("{scheme}://{host}/{}", join_path(path, url)?));
    }
    // `user@host:path`, where the path may begin at the root.
    let path = SshAddress::parse(parent).ok()?.path().to_owned();
    let host = parent.strip_suffix(path.as_str())?;
    let root = if path.starts_with('/') { "/" } else { "" };
    Some(format!("{host}{root}{}", join_path(path.trim_start_matches('/'), url)?))
}

fn join_path(base: &str, url: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    let mut tail = url;
    loop {
        if let Some(next) = tail.strip_prefix("../") {
            parts.pop()?;
            tail = next;
        } else if let Some(next) = tail.strip_prefix("./") {
            tail = next;
        } else {
            parts.push(tail);
            return Some(parts.join("/"));
        }
    }
}

/// True when a submodule's name stays inside the clone's `modules` folder (CVE-2018-11235).
pub(crate) fn safe_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(['\\', '\0', ':'])
        && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(url: &str) -> Parent<'_> {
        Parent { url: Some(url), is_clone: false, allow_plain_http: false }
    }

    fn text(address: Address) -> String {
        match address {
            Address::Http(text) | Address::Ssh(text) => text,
        }
    }

    #[test]
    fn relative_addresses_follow_the_parent() {
        for (parent, url, expected) in [
            ("https://h/a/app.git", "../lib.git", "https://h/a/lib.git"),
            ("https://h/a/app.git/", "../lib.git", "https://h/a/lib.git"),
            ("https://h/a/app.git", "../../b/lib", "https://h/b/lib"),
            ("https://h/a/app.git", "./lib", "https://h/a/app.git/lib"),
            ("https://h/a/app", "https://other/x", "https://other/x"),
            ("git@h:a/app.git", "../lib.git", "git@h:a/lib.git"),
            ("git@h:a/app.git", "../../b/lib", "git@h:b/lib"),
            ("git@h:/srv/app.git", "../lib.git", "git@h:/srv/lib.git"),
            ("ssh://git@h:2222/a/app.git", "../lib.git", "ssh://git@h:2222/a/lib.git"),
        ] {
            assert_eq!(text(resolve(of(parent), url).unwrap()), expected, "{parent} {url}");
        }
        for parent in ["https://h/a/app.git", "git@h:a/app.git", "git@h:/a/app.git", "ssh://h/a/app.git"] {
            assert!(resolve(of(parent), "../../../x").is_err(), "{parent}");
        }
    }

    #[test]
    fn t02_keys_are_offered_to_the_parents_host_alone() {
        let ssh = |text: &str| Address::Ssh(text.to_owned());
        for (parent, url, expected) in [
            ("git@h:a/app", "git@h:b/lib", Some(ssh("git@h:b/lib"))),
            ("git@h:a/app", "ssh://git@H/b/lib", Some(ssh("ssh://git@H/b/lib"))),
            ("git@h:a/app", "ssh://git@h:2222/b/lib", None),
            ("git@h:a/app", "git@h.evil:b/lib", None),
            ("git@h:a/app", "git@other:b/lib", None),
            // The same host over HTTPS: the login of the code itself opens it.
            ("https://h/a/app", "git@h:b/lib", Some(Address::Http("https://h/b/lib".to_owned()))),
            ("https://h:8443/a/app", "ssh://git@h:22/b/lib", Some(Address::Http("https://h:8443/b/lib".to_owned()))),
            ("https://h/a/app", "git@other:b/lib", None),
        ] {
            assert_eq!(resolve(of(parent), url).ok(), expected, "{parent} {url}");
        }
        let clone = |url| Parent { url, is_clone: true, allow_plain_http: false };
        assert_eq!(resolve(clone(Some("https://h/a")), "git@h:b"), Ok(ssh("git@h:b")));
        assert!(resolve(clone(Some("https://h/a")), "git@other:b").is_err());
        assert!(resolve(clone(None), "git@h:b").is_err());
    }

    #[test]
    fn t12_addresses_that_run_or_read_something_here_are_refused() {
        for url in [
            "file:///etc",
            "/srv/x",
            "ext::sh -c id",
            "fd::17",
            "ssh://-oProxyCommand=id/x",
            "git@h:-x",
            "-u",
            "http://h/x",
            "../../../../x",
            "https://u:p@h/x",
        ] {
            for parent in ["https://h/a/app.git", "git@h:a/app.git"] {
                assert!(resolve(of(parent), url).is_err(), "{parent} {url}");
            }
        }
        assert!(resolve(Parent { url: None, is_clone: true, allow_plain_http: false }, "../lib").is_err());
    }

    #[test]
    fn t12_names_stay_inside_the_modules_folder() {
        for (name, expected) in [
            ("lib", true),
            ("third/lib", true),
            ("../x", false),
            ("a/../../x", false),
            ("", false),
            ("/x", false),
            ("c:x", false),
        ] {
            assert_eq!(safe_name(name), expected, "{name}");
        }
    }

    #[test]
    fn a_context_needs_the_submodules_inside_it_and_around_it() {
        for (folder, path, expected) in [
            ("", "lib", true),
            ("app", "app/lib", true),
            ("app", "apples", false),
            ("lib/src", "lib", true),
            ("app", "lib", false),
            ("lib", "lib", true),
        ] {
            assert_eq!(concerns(folder, path), expected, "{folder} {path}");
        }
    }

    #[test]
    fn sections_without_a_path_are_passed_over() {
        let text = b"[submodule \"a\"]\n\tpath = lib/a\n\turl = ../a\n[submodule \"b\"]\n\turl = x\n[core]\n\tx = y\n";
        assert_eq!(parse(text).unwrap(), [("a".to_owned(), "lib/a".to_owned(), Some("../a".to_owned()))]);
    }
}
