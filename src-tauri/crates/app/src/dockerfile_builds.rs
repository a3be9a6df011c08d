//! Builds of an uploaded Dockerfile (使用Dockerfile进行构建): a tag, a file, and what it copies from a folder or an archive.
//! All of it is kept in the data folder with the build, so that it can be run again; nothing is unpacked into files there.

pub(crate) mod archive;
mod check;
mod folder;
pub(crate) mod stored;

pub(crate) use stored::{StoredContext, read_dockerfile, read_ignore};

pub use check::check_dockerfile;

use crate::Slipway;
use crate::fail_point::fail_point;
use crate::uploads::{Sent, host_path, on_worker};
use slipway_core::build::{BuildInputs, BuildKind, Upload};
use slipway_core::code::RepoPath;
use slipway_core::ids::{BuildId, ImageRepositoryId};
use slipway_core::image::Tag;
use slipway_core::rule::{BuildOptions, Strategy, VersionRule};
use slipway_core::{ErrorCode, Failure};
use std::path::{Path, PathBuf};
use stored::ContextWriter;

/// The Dockerfile of such a build.
#[derive(Debug, Clone)]
pub enum DockerfileSource {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// A file of this machine, by its whole path.
    Path(PathBuf),
}

/// What such a Dockerfile copies from.
#[derive(Debug, Clone)]
pub enum ContextSource {
    /// A folder of this machine, by its whole path.
    Folder(PathBuf),
    /// An archive on this machine: tar, tar.gz or zip.
    Archive(PathBuf),
    /// An archive that was sent.
    Sent(String),
}

/// A build of an uploaded Dockerfile.
#[derive(Debug, Clone)]
pub struct DockerfileBuild {
    /// Into this image repository.
    pub repository: ImageRepositoryId,
    /// Under this tag.
    pub tag: Tag,
    /// The Dockerfile.
    pub dockerfile: DockerfileSource,
    /// What it copies from; none for a Dockerfile alone.
    pub context: Option<ContextSource>,
    /// How it is built.
    pub options: BuildOptions,
}

impl Slipway {
    /// Keeps a Dockerfile with its context and builds it.
    ///
    /// # Errors
    /// [`ErrorCode::DockerfileSyntax`] at `dockerfile`; [`ErrorCode::BadArchive`] or [`ErrorCode::InvalidField`] at `context`;
    /// [`ErrorCode::TagImmutable`] at `tag`; [`ErrorCode::ReadOnlyRepository`].
    pub async fn build_dockerfile(&self, build: &DockerfileBuild) -> Result<BuildId, Failure> {
        let repository = self.writable_repository(build.repository).await?;
        if let Some(problem) = build.options.check("options").into_iter().next() {
            return Err(problem);
        }
        self.refuse_written_once(&repository, &build.tag).await?;
        let dockerfile = match &build.dockerfile {
            DockerfileSource::Bytes(bytes) => bytes.clone(),
            DockerfileSource::Path(path) => {
                let path = host_path(path, "dockerfile")?;
                on_worker(move || check::read_file(&path)).await?
            }
        };
        check_dockerfile(&dockerfile).map_err(|failure| failure.at("dockerfile"))?;
        let beside = match &build.dockerfile {
            DockerfileSource::Path(path) => Some(path.clone()),
            DockerfileSource::Bytes(_) => None,
        };
        let (context, sent) = match &build.context {
            None => (None, None),
            Some(ContextSource::Folder(path)) => (Some(Opened::Folder(self.context_folder(path)?)), None),
            Some(ContextSource::Archive(path)) => {
                let name = path.display().to_string();
                (Some(Opened::Archive(host_path(path, "context")?, name)), None)
            }
            Some(ContextSource::Sent(id)) => {
                let sent = self.parts.uploads.take(id).map_err(|failure| failure.at("context"))?;
                (Some(Opened::Archive(sent.path.clone(), sent.name.clone())), Some(sent))
            }
        };
        let folder = self.parts.uploads.new_folder()?;
        let place = folder.path().to_owned();
        let kept = on_worker(move || keep(&place, &dockerfile, beside.as_deref(), context.as_ref())).await?;
        drop::<Option<Sent>>(sent);
        let upload = Upload::Dockerfile {
            folder: folder.name().to_owned(),
            context: kept.context,
            files: kept.files,
            bytes: kept.bytes,
        };
        let inputs = upload_inputs(upload, &build.tag, build.options.clone())?;
        fail_point("upload.kept");
        let id = self.create(build.repository, BuildKind::Dockerfile, inputs, None, None).await?;
        fail_point("upload.row");
        folder.keep();
        Ok(id)
    }

    /// A folder that holds Slipway's own data would copy itself, and secrets with it.
    fn context_folder(&self, path: &Path) -> Result<PathBuf, Failure> {
        let folder = host_path(path, "context")?;
        let own = self.parts.store.data_dir().root();
        let own = own.canonicalize().unwrap_or_else(|_| own.to_owned());
        if !folder.is_dir() {
            return Err(Failure::new(ErrorCode::InvalidField, "this is no folder").at("context"));
        }
        if own.starts_with(&folder) || folder.starts_with(&own) {
            let why = "this folder holds Slipway's own data: choose the folder of the code alone";
            return Err(Failure::new(ErrorCode::InvalidField, why).at("context"));
        }
        Ok(folder)
    }
}

/// A context that can be read.
enum Opened {
    Folder(PathBuf),
    Archive(PathBuf, String),
}

/// What was kept.
struct Kept {
    context: Option<String>,
    files: u64,
    bytes: u64,
}

/// Writes Dockerfile, ignore file and context into the build's folder.
fn keep(
    place: &Path,
    dockerfile: &[u8],
    dockerfile_path: Option<&Path>,
    context: Option<&Opened>,
) -> Result<Kept, Failure> {
    stored::write_dockerfile(place, dockerfile)?;
    // `<name>.dockerignore` beside the file wins over the context's own, as with `docker buildx build`.
    let beside = dockerfile_path.and_then(|path| {
        let mut name = path.file_name()?.to_owned();
        name.push(".dockerignore");
        std::fs::read(path.with_file_name(name)).ok()
    });
    if let Some(ignore) = &beside {
        stored::write_ignore(place, ignore)?;
    }
    let mut writer = ContextWriter::create(place)?;
    let named = match context {
        None => None,
        Some(Opened::Folder(folder)) => {
            folder::read(folder, beside.as_deref(), &mut writer)?;
            Some(folder.display().to_string())
        }
        Some(Opened::Archive(path, name)) => {
            archive::read(path, &mut writer)?;
            Some(name.clone())
        }
    };
    let (files, bytes) = writer.finish()?;
    Ok(Kept { context: named, files, bytes })
}

/// The inputs of a build that has no code.
pub(crate) fn upload_inputs(upload: Upload, tag: &Tag, options: BuildOptions) -> Result<BuildInputs, Failure> {
    Ok(BuildInputs {
        rule: None,
        rule_name: None,
        code: None,
        ref_name: None,
        commit: None,
        observation: None,
        dockerfile_path: RepoPath::new("Dockerfile")?,
        context_dir: RepoPath::root(),
        version: VersionRule::Templates { templates: Vec::new() },
        fixed_tags: vec![tag.clone()],
        groups: std::collections::BTreeMap::new(),
        overwrite_tag: None,
        options,
        strategy: Strategy::EveryPush,
        upload: Some(upload),
    })
}
