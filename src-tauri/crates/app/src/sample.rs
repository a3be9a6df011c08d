//! The bundled sample: a page, the small server that shows it and a Dockerfile `FROM scratch`, as a git repository in the
//! data folder. It needs no account, no registry and no network, so its first build proves that building works here.
//!
//! Everything is found again by what it is (the folder, the repository's name), never by a remembered id: making the sample
//! twice, after parts of it were removed, or after a crash half-way comes to the same end.

mod server;

use crate::code_repositories::{CodeLocationInput, CodeRepositoryInput};
use crate::{Parts, Slipway};
use slipway_core::code::{CodeLocation, RepoPath};
use slipway_core::ids::{BuildId, CodeRepositoryId, ImageRepositoryId, RuleId};
use slipway_core::image::{ImageRepositorySpec, ImageSource, RegistryKind, RepositoryName, Tag};
use slipway_core::rule::{
    BuildOptions, BuildOverrides, BuildTarget, PathFilters, PushTriggers, RuleSpec, Strategy, VersionRule,
};
use slipway_core::{ErrorCode, Failure};
use slipway_git::NewFile;
use slipway_store::{BuildFilter, BuildRecord, ImageRepositoryFilter};
use std::path::PathBuf;

/// The image repository on *Local engine*.
const REPOSITORY: &str = "slipway-sample/hello";
/// Name of the code repository and of the rule.
const NAME: &str = "slipway-sample";
const DOCKERFILE: &str = include_str!("../sample/Dockerfile");
const PAGE: &str = include_str!("../sample/index.html");

/// What there is of the sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SampleIds {
    /// Its folder: a normal clone.
    pub folder: PathBuf,
    /// Its code.
    pub code: Option<CodeRepositoryId>,
    /// Its image repository.
    pub repository: Option<ImageRepositoryId>,
    /// Its rule.
    pub rule: Option<RuleId>,
    /// Its newest build.
    pub build: Option<BuildId>,
}

/// The sample, whole, with the build that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its folder: change `index.html`, commit, and it builds again.
    pub folder: PathBuf,
    /// Its code.
    pub code: CodeRepositoryId,
    /// Its image repository.
    pub repository: ImageRepositoryId,
    /// Its rule.
    pub rule: RuleId,
    /// The build.
    pub build: BuildId,
}

impl Slipway {
    /// Makes what is missing of the sample and builds it. A build of it that is not over is returned instead of another one.
    ///
    /// # Errors
    /// [`ErrorCode::SampleMissing`] when this Slipway brings no server for the engine's architecture; a file error as
    /// [`ErrorCode::DataReadOnly`] or [`ErrorCode::DiskFull`]; a failure of the store.
    pub async fn build_sample(&self) -> Result<Sample, Failure> {
        // One at a time: two clicks make one sample.
        let _one = self.parts.sample.lock().await;
        let folder = self.parts.sample_folder();
        self.make_folder(folder.clone()).await?;
        let code = self.sample_code(folder.clone()).await?;
        let repository = self.sample_repository().await?;
        let rule = self.sample_rule(repository, code).await?;
        // A folder that was made anew, or a commit that nobody has seen yet, may have started a build of its own.
        self.watch.check_now(code).await?;
        let unfinished = self.newest_build_of(rule).await?.filter(|build| !build.state.is_final());
        let build = match unfinished {
            Some(build) => build.id,
            None => {
                let (name, _) = self.parts.head(code, None).await?;
                self.build_now(rule, &BuildTarget::Ref { name }, &BuildOverrides::default()).await?
            }
        };
        Ok(Sample { folder, code, repository, rule, build })
    }

    /// Returns what there is of the sample; nothing is made.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn sample_ids(&self) -> Result<SampleIds, Failure> {
        let folder = self.parts.sample_folder();
        let code = self.find_code(&folder).await?;
        let repository = self.find_repository().await?;
        let rule = match (repository, code) {
            (Some(repository), Some(code)) => self.find_rule(repository, code).await?,
            _ => None,
        };
        let build = match rule {
            Some(rule) => self.newest_build_of(rule).await?.map(|build| build.id),
            None => None,
        };
        Ok(SampleIds { folder, code, repository, rule, build })
    }

    async fn make_folder(&self, folder: PathBuf) -> Result<(), Failure> {
        let server = self.parts.sample_server().await?;
        let now = self.parts.now();
        let made = tokio::task::spawn_blocking(move || {
            let files = [
                NewFile { path: "Dockerfile", bytes: DOCKERFILE.as_bytes(), executable: false },
                NewFile { path: "index.html", bytes: PAGE.as_bytes(), executable: false },
                NewFile { path: "serve", bytes: server, executable: true },
            ];
            slipway_git::begin_clone(&folder, &files, "A page and the server that shows it", now)
        });
        made.await.map_err(Failure::internal)?
    }

    async fn sample_code(&self, folder: PathBuf) -> Result<CodeRepositoryId, Failure> {
        if let Some(code) = self.find_code(&folder).await? {
            return Ok(code);
        }
        let taken: Vec<String> = self.code_repositories().await?.into_iter().map(|one| one.name).collect();
        let input = CodeRepositoryInput {
            name: free_name(&taken),
            location: CodeLocationInput::LocalClone { path: folder },
            poll_interval_seconds: None,
        };
        self.add_code_repository(&input).await
    }

    async fn sample_repository(&self) -> Result<ImageRepositoryId, Failure> {
        if let Some(repository) = self.find_repository().await? {
            return Ok(repository);
        }
        let spec = ImageRepositorySpec {
            registry: self.local_engine().await?,
            name: RepositoryName::new(REPOSITORY)?,
            source: ImageSource::Platform,
            credential: None,
            summary: String::new(),
            description: String::new(),
            write_once: Vec::new(),
        };
        self.add_image_repository(&spec).await
    }

    async fn sample_rule(&self, repository: ImageRepositoryId, code: CodeRepositoryId) -> Result<RuleId, Failure> {
        if let Some(rule) = self.find_rule(repository, code).await? {
            return Ok(rule);
        }
        let taken: Vec<String> = self.rules(repository).await?.into_iter().map(|rule| rule.spec.name).collect();
        let spec = RuleSpec {
            name: free_name(&taken),
            code,
            triggers: PushTriggers { any_branch: true, ..PushTriggers::default() },
            paths: PathFilters::default(),
            skip_words: true,
            dockerfile_path: RepoPath::new("Dockerfile")?,
            context_dir: RepoPath::root(),
            version: VersionRule::Parts { prefix: String::new(), ref_name: true, update_time: false, commit: true },
            overwrite_tag: Some(Tag::new("latest")?),
            options: BuildOptions::default(),
            strategy: Strategy::default(),
            auto_trigger: true,
            report_status: false,
        };
        self.add_rule(repository, &spec).await
    }

    async fn find_code(&self, folder: &std::path::Path) -> Result<Option<CodeRepositoryId>, Failure> {
        let all = self.code_repositories().await?;
        let found = all
            .into_iter()
            .find(|one| matches!(&one.location, CodeLocation::LocalClone { path } if path.as_path() == folder));
        Ok(found.map(|one| one.id))
    }

    async fn find_repository(&self) -> Result<Option<ImageRepositoryId>, Failure> {
        let filter = ImageRepositoryFilter {
            registry: Some(self.local_engine().await?),
            search: REPOSITORY.to_owned(),
            ..ImageRepositoryFilter::default()
        };
        let found = self.image_repositories(&filter).await?.items;
        Ok(found.into_iter().find(|one| one.record.spec.name.as_str() == REPOSITORY).map(|one| one.record.id))
    }

    async fn find_rule(
        &self,
        repository: ImageRepositoryId,
        code: CodeRepositoryId,
    ) -> Result<Option<RuleId>, Failure> {
        Ok(self.rules(repository).await?.into_iter().find(|rule| rule.spec.code == code).map(|rule| rule.id))
    }

    async fn newest_build_of(&self, rule: RuleId) -> Result<Option<BuildRecord>, Failure> {
        let filter = BuildFilter { rule: Some(rule), ..BuildFilter::default() };
        Ok(self.builds(&filter, None, 1).await?.items.into_iter().next())
    }

    async fn local_engine(&self) -> Result<slipway_core::ids::RegistryId, Failure> {
        let registries = self.registries().await?;
        let local = registries.into_iter().find(|one| one.kind == RegistryKind::LocalEngine);
        local.map(|one| one.id).ok_or_else(|| Failure::internal("the registry Local engine is missing"))
    }
}

impl Parts {
    fn sample_folder(&self) -> PathBuf {
        let root = self.store.data_dir().root();
        // A clone is named by its whole path.
        std::path::absolute(root).unwrap_or_else(|_| root.to_owned()).join("sample").join("hello")
    }

    /// Returns the server for the engine's architecture, or this machine's while no engine answers.
    async fn sample_server(&self) -> Result<&'static [u8], Failure> {
        let engine = async { self.engine("local")?.info().await };
        let architecture = match tokio::time::timeout(std::time::Duration::from_secs(5), engine).await {
            Ok(Ok(info)) => info.platform.architecture,
            Ok(Err(_)) | Err(_) => server::own_architecture().to_owned(),
        };
        server::for_architecture(&architecture).ok_or_else(|| {
            Failure::new(
                ErrorCode::SampleMissing,
                format!("this Slipway was made without the sample's server for linux/{architecture}"),
            )
            .with("platform", format!("linux/{architecture}"))
        })
    }
}

/// Returns the sample's name, or the first numbered one that nobody has.
fn free_name(taken: &[String]) -> String {
    let numbered = (2..).map(|n| format!("{NAME}-{n}"));
    std::iter::once(NAME.to_owned()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default()
}
