//! Starters: Dockerfiles for code that has none, in the order of what the code looks like. The console has the words
//! about each; the texts here are files.

mod suggest;
mod write;

pub use suggest::Suggestion;
pub use write::Written;

use crate::Slipway;
use slipway_core::Failure;
use slipway_core::code::{CodeLocation, RefName, RepoPath};
use slipway_core::ids::CodeRepositoryId;
use slipway_core::starter::StarterId;

/// One file of a starter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StarterFile {
    /// Its name, beside the Dockerfile.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// One starter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Starter {
    /// Which.
    pub id: StarterId,
    /// The Dockerfile first, then what belongs beside it.
    pub files: &'static [StarterFile],
    /// The port that the image listens on.
    pub port: u16,
}

macro_rules! file {
    ($folder:literal, $file:literal, $name:literal) => {
        StarterFile { name: $name, text: include_str!(concat!("../starters/", $folder, "/", $file)) }
    };
}

macro_rules! starter {
    ($id:ident, $folder:literal, $port:literal) => {
        Starter {
            id: StarterId::$id,
            files: &[file!($folder, "Dockerfile", "Dockerfile"), file!($folder, "dockerignore", ".dockerignore")],
            port: $port,
        }
    };
}

/// Every starter, the most general first.
pub const STARTERS: &[Starter] = &[
    starter!(StaticSite, "static_site", 80),
    starter!(Node, "node", 3000),
    starter!(NodeStatic, "node_static", 80),
    starter!(Python, "python", 8000),
    starter!(Go, "go", 8080),
    starter!(Rust, "rust", 8080),
    starter!(JavaMaven, "java_maven", 8080),
    starter!(JavaGradle, "java_gradle", 8080),
    starter!(Php, "php", 80),
    starter!(Dotnet, "dotnet", 8080),
    Starter {
        id: StarterId::HelloNginx,
        files: &[file!("hello_nginx", "Dockerfile", "Dockerfile"), file!("hello_nginx", "index.html", "index.html")],
        port: 80,
    },
];

/// Returns a starter.
#[must_use]
pub fn starter(id: StarterId) -> Option<&'static Starter> {
    STARTERS.iter().find(|starter| starter.id == id)
}

impl Slipway {
    /// Returns the starters that fit the code at the head of a ref (the default branch when none is given), the best first,
    /// and whether it has a Dockerfile already.
    ///
    /// # Errors
    /// As [`Slipway::tree`].
    pub async fn suggest_starters(
        &self,
        code: CodeRepositoryId,
        ref_name: Option<RefName>,
        folder: &RepoPath,
    ) -> Result<Suggestion, Failure> {
        let (_, commit) = self.parts.head(code, ref_name).await?;
        let files = &self.parts.ports.code;
        let entries = files.list_folder(code, &commit, folder).await?;
        let package = match entries.iter().any(|entry| entry.name == suggest::PACKAGE_JSON) {
            true => files.read_file(code, &commit, &folder.join(suggest::PACKAGE_JSON), suggest::PACKAGE_BYTES).await?,
            false => None,
        };
        Ok(suggest::suggest(&entries, package.as_deref()))
    }

    /// Writes a starter's files into the work tree of a local clone: those that are not there yet. Nothing is committed.
    ///
    /// # Errors
    /// [`slipway_core::ErrorCode::WrongState`] when the code is no local clone, has no work tree, or has this Dockerfile;
    /// [`slipway_core::ErrorCode::BadRepositoryPath`] for a folder that is not there or is reached through a link;
    /// a file error.
    pub async fn write_starter(
        &self,
        code: CodeRepositoryId,
        starter: StarterId,
        folder: &RepoPath,
    ) -> Result<Written, Failure> {
        let record = self.parts.store.code_repository(code).await?;
        let CodeLocation::LocalClone { path } = record.location else {
            return Err(write::not_here("files can be written into a clone on this machine only"));
        };
        let Some(starter) = crate::starters::starter(starter) else {
            return Err(Failure::internal("a starter without files"));
        };
        let folder = folder.clone();
        let written = tokio::task::spawn_blocking(move || write::write(&path, &folder, starter.files));
        written.await.map_err(Failure::internal)?
    }
}
