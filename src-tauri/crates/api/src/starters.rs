//! Commands on starters: Dockerfiles for code that has none.

use crate::system::Nothing;
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::starters::STARTERS;
use slipway_core::Failure;
use slipway_core::code::{RefName, RepoPath};
use slipway_core::ids::CodeRepositoryId;
use slipway_core::starter::StarterId;
use ts_rs::TS;

/// A starter.
#[derive(Debug, Serialize, TS)]
pub struct StarterView {
    /// Which; the console has its words.
    pub id: StarterId,
    /// The Dockerfile first, then what belongs beside it.
    pub files: Vec<StarterFileView>,
    /// The port that the image listens on.
    pub port: u16,
}

/// One file of a starter.
#[derive(Debug, Serialize, TS)]
pub struct StarterFileView {
    /// Its name, beside the Dockerfile.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Asks which starters fit.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SuggestStarters")]
pub struct SuggestRequest {
    /// For which code.
    pub code: CodeRepositoryId,
    /// At the head of this ref; the default branch when left out.
    #[serde(default)]
    #[ts(optional)]
    pub ref_name: Option<RefName>,
    /// For this folder; the root when left out.
    #[serde(default)]
    #[ts(optional, as = "Option<RepoPath>")]
    pub folder: RepoPath,
}

/// Which starters fit.
#[derive(Debug, Serialize, TS)]
pub struct StarterSuggestions {
    /// The Dockerfile that is there already, also under a near name.
    pub dockerfile: Option<String>,
    /// The best first; empty when nothing speaks for any.
    pub starters: Vec<StarterSuggestion>,
}

/// A starter that fits.
#[derive(Debug, Serialize, TS)]
pub struct StarterSuggestion {
    /// Which.
    pub id: StarterId,
    /// The file that speaks for it.
    pub because_of: String,
}

/// Writes a starter into a local clone.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WriteStarter")]
pub struct WriteRequest {
    /// Which clone.
    pub code: CodeRepositoryId,
    /// Which starter.
    pub starter: StarterId,
    /// Into this folder; the root when left out.
    #[serde(default)]
    #[ts(optional, as = "Option<RepoPath>")]
    pub folder: RepoPath,
}

/// What was written; committing it is the person's.
#[derive(Debug, Serialize, TS)]
pub struct WrittenStarter {
    /// New files, whole paths.
    pub written: Vec<String>,
    /// Files that were there and stay as they are.
    pub kept: Vec<String>,
}

pub(crate) async fn list(_app: &Slipway, _: Nothing) -> Result<Vec<StarterView>, Failure> {
    let view = |starter: &slipway_app::starters::Starter| StarterView {
        id: starter.id,
        files: starter
            .files
            .iter()
            .map(|file| StarterFileView { name: file.name.to_owned(), text: file.text.to_owned() })
            .collect(),
        port: starter.port,
    };
    Ok(STARTERS.iter().map(view).collect())
}

pub(crate) async fn suggest(app: &Slipway, request: SuggestRequest) -> Result<StarterSuggestions, Failure> {
    let found = app.suggest_starters(request.code, request.ref_name, &request.folder).await?;
    let starters = found.starters.into_iter().map(|(id, because_of)| StarterSuggestion { id, because_of });
    Ok(StarterSuggestions { dockerfile: found.dockerfile, starters: starters.collect() })
}

pub(crate) async fn write(app: &Slipway, request: WriteRequest) -> Result<WrittenStarter, Failure> {
    let done = app.write_starter(request.code, request.starter, &request.folder).await?;
    let texts = |paths: Vec<std::path::PathBuf>| paths.into_iter().map(|path| path.display().to_string()).collect();
    Ok(WrittenStarter { written: texts(done.written), kept: texts(done.kept) })
}
