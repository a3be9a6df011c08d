//! Commands on what a person sends by hand: files in pieces, Dockerfiles, images.

use crate::builds::Started;
use crate::system::Nothing;
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::dockerfile_builds::{ContextSource, DockerfileBuild, DockerfileSource};
use slipway_app::uploads::{ImageUpload, UploadImage};
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::{EngineImageSummary, Platform, Tag};
use slipway_core::rule::BuildOptions;
use slipway_core::{ErrorCode, Failure};
use std::path::PathBuf;
use ts_rs::TS;

/// Bytes of one piece; as base64 it stays well within a request.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Begins to send a file.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "BeginUpload")]
pub struct BeginRequest {
    /// Its name, for people.
    pub name: String,
    /// Its bytes.
    pub size: u64,
}

/// A file that may be sent now.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "BegunUpload")]
pub struct Begun {
    /// Its id.
    pub id: String,
}

/// Sends a piece.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AppendUpload")]
pub struct AppendRequest {
    /// Of which file.
    pub id: String,
    /// Where the piece begins.
    pub offset: u64,
    /// At most 4 MiB, in base64.
    pub data: String,
}

/// What is there.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ReceivedUpload")]
pub struct Received {
    /// Bytes so far.
    pub received: u64,
}

/// Names a file that is being sent.
#[derive(Debug, Deserialize, TS)]
pub struct WhichUpload {
    /// Which.
    pub id: String,
}

/// Where an uploaded image comes from.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ImageSourceInput {
    /// An image of the local engine.
    Local {
        /// A name of it.
        name: String,
    },
    /// An archive on this machine.
    Archive {
        /// The whole path.
        path: PathBuf,
    },
    /// An archive that was sent.
    Sent {
        /// Its id.
        id: String,
    },
}

impl From<ImageSourceInput> for ImageUpload {
    fn from(input: ImageSourceInput) -> Self {
        match input {
            ImageSourceInput::Local { name } => Self::Local(name),
            ImageSourceInput::Archive { path } => Self::Archive(path),
            ImageSourceInput::Sent { id } => Self::Sent(id),
        }
    }
}

/// Asks what is in an archive.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ListArchive")]
pub struct ArchiveRequest {
    /// Which archive.
    pub source: ImageSourceInput,
}

/// An image of an archive.
#[derive(Debug, Serialize, TS)]
pub struct ArchiveImageView {
    /// Its names.
    pub names: Vec<String>,
    /// Its platform.
    pub platform: Platform,
    /// Bytes of its layers in the archive.
    pub size: u64,
}

/// Uploads an image.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "UploadImage")]
pub struct ImageRequest {
    /// Into this image repository.
    pub repository: ImageRepositoryId,
    /// Under this tag.
    pub tag: Tag,
    /// Where it comes from.
    pub source: ImageSourceInput,
    /// Which image of an archive; needed when it has several.
    #[serde(default)]
    #[ts(optional)]
    pub image: Option<String>,
    /// Take it also when it is for another platform than the engine's.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub other_platform: bool,
}

/// Which images of the engine.
#[derive(Debug, Default, Deserialize, TS)]
#[ts(rename = "ListEngineImages")]
#[serde(default)]
pub struct EngineImagesRequest {
    /// Fuzzy search over the names.
    #[ts(optional, as = "Option<String>")]
    pub search: String,
}

/// The Dockerfile of a build.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DockerfileInput {
    /// Its text, as it was written or read.
    Text {
        /// The text.
        text: String,
    },
    /// Its bytes, as they were dropped: they may be no text.
    Bytes {
        /// In base64.
        data: String,
    },
    /// A file of this machine.
    Path {
        /// The whole path.
        path: PathBuf,
    },
}

/// What a Dockerfile copies from.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ContextInput {
    /// A folder of this machine.
    Folder {
        /// The whole path.
        path: PathBuf,
    },
    /// An archive on this machine: tar, tar.gz or zip.
    Archive {
        /// The whole path.
        path: PathBuf,
    },
    /// An archive that was sent.
    Sent {
        /// Its id.
        id: String,
    },
}

/// Builds an uploaded Dockerfile.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "BuildDockerfile")]
pub struct DockerfileRequest {
    /// Into this image repository.
    pub repository: ImageRepositoryId,
    /// Under this tag.
    pub tag: Tag,
    /// The Dockerfile.
    pub dockerfile: DockerfileInput,
    /// What it copies from; nothing when left out.
    #[serde(default)]
    #[ts(optional)]
    pub context: Option<ContextInput>,
    /// How it is built.
    #[serde(default)]
    #[ts(optional, as = "Option<BuildOptions>")]
    pub options: BuildOptions,
}

/// Asks about the text of a Dockerfile.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "CheckDockerfile")]
pub struct CheckDockerfileRequest {
    /// The text.
    pub text: String,
}

/// What is wrong with a Dockerfile.
#[derive(Debug, Serialize, TS)]
pub struct DockerfileProblem {
    /// The first problem, with its line where it has one.
    pub problem: Option<Failure>,
}

pub(crate) async fn begin(app: &Slipway, request: BeginRequest) -> Result<Begun, Failure> {
    Ok(Begun { id: app.begin_upload(&request.name, request.size)? })
}

pub(crate) async fn append(app: &Slipway, request: AppendRequest) -> Result<Received, Failure> {
    let bytes = decoded(&request.data, "data")?;
    if bytes.len() > MOST_BYTES {
        return Err(Failure::new(ErrorCode::InvalidField, "a piece has at most 4 MiB").at("data"));
    }
    Ok(Received { received: app.append_upload(&request.id, request.offset, bytes).await? })
}

pub(crate) async fn discard(app: &Slipway, request: WhichUpload) -> Result<Nothing, Failure> {
    app.discard_upload(&request.id);
    Ok(Nothing {})
}

pub(crate) async fn archive_images(app: &Slipway, request: ArchiveRequest) -> Result<Vec<ArchiveImageView>, Failure> {
    let images = app.archive_images(&request.source.into()).await?;
    let view = |one: slipway_app::uploads::ArchiveImage| ArchiveImageView {
        names: one.names,
        platform: one.platform,
        size: one.size,
    };
    Ok(images.into_iter().map(view).collect())
}

pub(crate) async fn image(app: &Slipway, request: ImageRequest) -> Result<Started, Failure> {
    let upload = UploadImage {
        repository: request.repository,
        tag: request.tag,
        source: request.source.into(),
        image: request.image,
        other_platform: request.other_platform,
    };
    Ok(Started { id: app.upload_image(&upload).await? })
}

pub(crate) async fn engine_images(
    app: &Slipway,
    request: EngineImagesRequest,
) -> Result<Vec<EngineImageSummary>, Failure> {
    app.engine_images(&request.search).await
}

pub(crate) async fn dockerfile(app: &Slipway, request: DockerfileRequest) -> Result<Started, Failure> {
    let dockerfile = match request.dockerfile {
        DockerfileInput::Text { text } => DockerfileSource::Bytes(text.into_bytes()),
        DockerfileInput::Bytes { data } => DockerfileSource::Bytes(decoded(&data, "dockerfile.data")?),
        DockerfileInput::Path { path } => DockerfileSource::Path(path),
    };
    let context = request.context.map(|context| match context {
        ContextInput::Folder { path } => ContextSource::Folder(path),
        ContextInput::Archive { path } => ContextSource::Archive(path),
        ContextInput::Sent { id } => ContextSource::Sent(id),
    });
    let build = DockerfileBuild {
        repository: request.repository,
        tag: request.tag,
        dockerfile,
        context,
        options: request.options,
    };
    Ok(Started { id: app.build_dockerfile(&build).await? })
}

pub(crate) async fn check_dockerfile(
    _app: &Slipway,
    request: CheckDockerfileRequest,
) -> Result<DockerfileProblem, Failure> {
    Ok(DockerfileProblem { problem: slipway_app::dockerfile_builds::check_dockerfile(request.text.as_bytes()).err() })
}

fn decoded(data: &str, field: &str) -> Result<Vec<u8>, Failure> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(data)
        .map_err(|_| Failure::new(ErrorCode::InvalidField, "this is not base64").at(field))
}
