//! What code looks like, from the names in its folder.

use slipway_core::code::{TreeEntry, TreeEntryKind};
use slipway_core::dockerfile_path::near_misses;
use slipway_core::starter::StarterId;

/// Tells a service from a front end.
pub(super) const PACKAGE_JSON: &str = "package.json";
/// Larger than any that a person writes.
pub(super) const PACKAGE_BYTES: u64 = 1024 * 1024;

/// The starters that fit, the best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The Dockerfile that the folder has already, also under a near name.
    pub dockerfile: Option<String>,
    /// Starters with the file that speaks for each.
    pub starters: Vec<(StarterId, String)>,
}

/// Signs in the order of how sure they are. A suffix begins with a dot.
const SIGNS: &[(&str, StarterId)] = &[
    ("go.mod", StarterId::Go),
    ("Cargo.toml", StarterId::Rust),
    ("pom.xml", StarterId::JavaMaven),
    ("build.gradle", StarterId::JavaGradle),
    ("build.gradle.kts", StarterId::JavaGradle),
    (".csproj", StarterId::Dotnet),
    (".sln", StarterId::Dotnet),
    ("requirements.txt", StarterId::Python),
    ("pyproject.toml", StarterId::Python),
    ("main.py", StarterId::Python),
    ("composer.json", StarterId::Php),
    ("index.php", StarterId::Php),
    ("index.html", StarterId::StaticSite),
];

/// Orders the starters for a folder; `package` is the text of its `package.json`.
pub(super) fn suggest(entries: &[TreeEntry], package: Option<&[u8]>) -> Suggestion {
    let files: Vec<&str> = entries
        .iter()
        .filter(|entry| matches!(entry.kind, TreeEntryKind::File | TreeEntryKind::Executable))
        .map(|entry| entry.name.as_str())
        .collect();
    let mut starters: Vec<(StarterId, String)> = Vec::new();
    if let Some(package) = package {
        let (first, second) = if is_front_end(package) {
            (StarterId::NodeStatic, StarterId::Node)
        } else {
            (StarterId::Node, StarterId::NodeStatic)
        };
        starters.extend([first, second].map(|id| (id, PACKAGE_JSON.to_owned())));
    }
    for (sign, id) in SIGNS {
        let fits = |name: &&&str| if sign.starts_with('.') { name.ends_with(sign) } else { *name == sign };
        // A page beside anything else is a part of it.
        let is_known = starters.iter().any(|(known, _)| known == id || *id == StarterId::StaticSite);
        if let Some(name) = files.iter().find(fits).filter(|_| !is_known) {
            starters.push((*id, (*name).to_owned()));
        }
    }
    let dockerfile = files.iter().find(|name| **name == "Dockerfile").map(|name| (*name).to_owned());
    let near = || near_misses("Dockerfile", entries).first().map(|name| (*name).to_owned());
    Suggestion { dockerfile: dockerfile.or_else(near), starters }
}

/// A front end names a tool that builds pages, and nothing that starts a service.
fn is_front_end(package: &[u8]) -> bool {
    let Ok(package) = serde_json::from_slice::<serde_json::Value>(package) else { return false };
    let named = |list: &str, name: &str| package[list].get(name).is_some();
    let builds = !package["scripts"]["build"].is_null();
    let tools = ["vite", "react-scripts", "@vue/cli-service", "@angular/cli", "parcel", "astro", "@sveltejs/kit"];
    let services = ["express", "koa", "fastify", "@nestjs/core", "next", "nuxt", "@hapi/hapi"];
    let any = |names: &[&str]| names.iter().any(|name| named("dependencies", name) || named("devDependencies", name));
    builds && any(&tools) && !any(&services)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entries(names: &[&str]) -> Vec<TreeEntry> {
        let entry = |name: &&str| match name.strip_suffix('/') {
            Some(folder) => TreeEntry { name: folder.to_owned(), kind: TreeEntryKind::Folder, size: None },
            None => TreeEntry { name: (*name).to_owned(), kind: TreeEntryKind::File, size: Some(1) },
        };
        names.iter().map(entry).collect()
    }

    #[test]
    fn the_starters_follow_what_is_there() {
        use StarterId::{Dotnet, Go, JavaGradle, JavaMaven, Node, NodeStatic, Php, Python, Rust, StaticSite};
        let service = r#"{"scripts":{"build":"tsc"},"dependencies":{"express":"5"},"devDependencies":{"vite":"8"}}"#;
        let pages = r#"{"scripts":{"build":"vite build"},"devDependencies":{"vite":"8"}}"#;
        let table: [(&[&str], &str, &[StarterId]); 12] = [
            (&["go.mod", "main.go"], "", &[Go]),
            (&["Cargo.toml", "src/"], "", &[Rust]),
            (&["pom.xml", "src/"], "", &[JavaMaven]),
            (&["build.gradle.kts"], "", &[JavaGradle]),
            (&["shop.csproj"], "", &[Dotnet]),
            (&["requirements.txt", "main.py", "pyproject.toml"], "", &[Python]),
            (&["index.php", "index.html"], "", &[Php]),
            (&["index.html", "style.css"], "", &[StaticSite]),
            (&["package.json", "index.html"], pages, &[NodeStatic, Node]),
            (&["package.json", "go.mod"], service, &[Node, NodeStatic, Go]),
            (&["package.json"], "no json", &[Node, NodeStatic]),
            (&["README.md", "go.mod/", "docs/"], "", &[]),
        ];
        for (names, package, expected) in table {
            let package = (!package.is_empty()).then_some(package.as_bytes());
            let found = suggest(&entries(names), package);
            let ids: Vec<StarterId> = found.starters.into_iter().map(|(id, _)| id).collect();
            assert_eq!((ids.as_slice(), found.dockerfile), (expected, None), "{names:?}");
        }
    }

    #[test]
    fn a_dockerfile_that_is_there_is_named() {
        let found = |names: &[&str]| suggest(&entries(names), None).dockerfile;
        assert_eq!(found(&["Dockerfile", "dockerfile"]).as_deref(), Some("Dockerfile"));
        assert_eq!(found(&["Dockerfile.prod", "go.mod"]).as_deref(), Some("Dockerfile.prod"));
        assert_eq!(found(&["Dockerfile/"]), None);
    }

    #[test]
    fn every_starter_is_whole() {
        for starter in super::super::STARTERS {
            let dockerfile = starter.files[0];
            assert_eq!(dockerfile.name, "Dockerfile", "{:?}", starter.id);
            assert!(dockerfile.text.lines().any(|line| line.starts_with("FROM ")), "{:?}", starter.id);
            assert!(starter.files.iter().all(|file| file.text.ends_with('\n') && !file.text.contains('\r')));
            assert_eq!(super::super::starter(starter.id).map(|found| found.port), Some(starter.port));
        }
    }
}
