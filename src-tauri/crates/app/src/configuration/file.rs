//! The file: what stands in it, how it is written, and how a file from anywhere is read.
//!
//! Things are named by what people call them, never by ids. Lists are sorted by name, so that two exports of one product are
//! the same text and a change is a small difference. There is no place for a secret in it: where one belongs, the file says
//! that there is one. Consents (plain HTTP, private networks, programs of a kubeconfig) and switches of triggers are not in it
//! either: a file never grants anything and never starts anything in what is here already.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use slipway_core::code::RepoPath;
use slipway_core::deploy::{HealthGate, WorkloadKind};
use slipway_core::host::HostProvider;
use slipway_core::image::{ImageSource, Platform, RegistryHost, RepositoryName, Tag};
use slipway_core::network::RegistryMirrors;
use slipway_core::notice::NoticeKind;
use slipway_core::rule::{BuildNetwork, NameValue, PathFilters, PushTriggers, Strategy, VersionRule};
use slipway_core::trigger::TagCondition;
use slipway_core::{ErrorCode, Failure};
use std::path::PathBuf;

/// The version that is written, and the newest one that is read.
const VERSION: u64 = 1;
/// Longest file, in bytes.
pub(super) const LONGEST: usize = 10 * 1024 * 1024;
/// So many things at most: each is compared and checked.
const MOST_THINGS: usize = 5000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ConfigurationFile {
    pub(super) slipway: u64,
    #[serde(default)]
    pub(super) settings: Option<FileSettings>,
    #[serde(default)]
    pub(super) sources: Vec<FileSource>,
    #[serde(default)]
    pub(super) registries: Vec<FileRegistry>,
    #[serde(default)]
    pub(super) repositories: Vec<FileRepository>,
}

/// Settings that mean the same on another machine: starting at login is not among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FileSettings {
    pub(super) concurrency: usize,
    pub(super) poll_seconds: u32,
    #[serde(default)]
    pub(super) code_proxy: Option<FileProxy>,
    #[serde(default)]
    pub(super) registry_proxy: Option<FileProxy>,
    #[serde(default)]
    pub(super) mirrors: Vec<RegistryMirrors>,
    #[serde(default)]
    pub(super) muted_notices: Vec<NoticeKind>,
    pub(super) close_to_tray: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FileProxy {
    pub(super) url: String,
    #[serde(default)]
    pub(super) username: Option<String>,
    #[serde(default)]
    pub(super) has_password: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FileSource {
    pub(super) name: String,
    pub(super) location: FileLocation,
    #[serde(default)]
    pub(super) poll_interval_seconds: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum FileLocation {
    GitUrl {
        url: String,
        #[serde(default)]
        username: Option<String>,
        #[serde(default)]
        has_password: bool,
        #[serde(default)]
        ca_pem: Option<String>,
    },
    Ssh {
        url: String,
    },
    LocalClone {
        path: PathBuf,
    },
    /// A repository that an account sees; ids are the code host's own.
    Account {
        provider: HostProvider,
        host: String,
        account_id: String,
        repository_id: String,
        path: String,
        url: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FileRegistry {
    pub(super) name: String,
    pub(super) host: RegistryHost,
    #[serde(default)]
    pub(super) plain_http: bool,
    #[serde(default)]
    pub(super) ca_pem: Option<String>,
    #[serde(default)]
    pub(super) credentials: Vec<FileCredential>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FileCredential {
    pub(super) name: String,
    pub(super) login: FileLogin,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) username: String,
}

/// How a credential gets its secret. A helper or a command is a program of the machine that it was set up on: such a login is
/// entered again, and a file never makes one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FileLogin {
    Anonymous,
    DockerConfig,
    ToEnter,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FileRepository {
    /// The registry's name in the file; none for *Local engine*.
    #[serde(default)]
    pub(super) registry: Option<String>,
    pub(super) name: RepositoryName,
    pub(super) source: ImageSource,
    #[serde(default)]
    pub(super) credential: Option<String>,
    #[serde(default)]
    pub(super) summary: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) write_once: Vec<String>,
    #[serde(default)]
    pub(super) rules: Vec<FileRule>,
    #[serde(default)]
    pub(super) triggers: Vec<FileTrigger>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FileRule {
    pub(super) name: String,
    /// The source's name in the file.
    pub(super) source: String,
    #[serde(default)]
    pub(super) triggers: PushTriggers,
    #[serde(default)]
    pub(super) paths: PathFilters,
    pub(super) skip_words: bool,
    pub(super) dockerfile_path: RepoPath,
    #[serde(default)]
    pub(super) context_dir: RepoPath,
    pub(super) version: VersionRule,
    #[serde(default)]
    pub(super) overwrite_tag: Option<Tag>,
    pub(super) options: FileOptions,
    #[serde(default)]
    pub(super) strategy: Strategy,
    pub(super) auto_trigger: bool,
    #[serde(default)]
    pub(super) report_status: bool,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct FileOptions {
    pub(super) platforms: Vec<Platform>,
    /// Values of arguments whose names say that they are secret are left out, and blanked are logins and keys in addresses.
    pub(super) args: Vec<NameValue>,
    /// Ids of the secrets.
    pub(super) secrets: Vec<String>,
    pub(super) target: Option<String>,
    /// As arguments.
    pub(super) labels: Vec<NameValue>,
    pub(super) no_standard_labels: bool,
    pub(super) no_cache: bool,
    pub(super) always_pull: bool,
    pub(super) network: BuildNetwork,
    pub(super) timeout_seconds: Option<u32>,
    pub(super) engine: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FileTrigger {
    pub(super) name: String,
    pub(super) condition: TagCondition,
    pub(super) target: FileTarget,
    #[serde(default)]
    pub(super) gate: HealthGate,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum FileTarget {
    Container {
        engine: String,
        name: String,
    },
    ComposeService {
        engine: String,
        project: String,
        service: String,
    },
    SwarmService {
        engine: String,
        name: String,
    },
    KubernetesContainer {
        kubeconfig: String,
        context: String,
        namespace: String,
        workload_kind: WorkloadKind,
        workload: String,
        container: String,
    },
    Webhook {
        /// With a mask for a login and for keys in it.
        url: String,
        /// Names of the headers.
        #[serde(default)]
        headers: Vec<String>,
        #[serde(default)]
        signed: bool,
    },
}

/// Writes a configuration as a text that people can read and compare.
pub(super) fn write(file: &ConfigurationFile) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(file).map_err(Failure::internal)? + "\n")
}

impl ConfigurationFile {
    /// Begins an empty configuration.
    pub(super) const fn empty() -> Self {
        Self { slipway: VERSION, settings: None, sources: Vec::new(), registries: Vec::new(), repositories: Vec::new() }
    }

    /// Reads a text from anywhere.
    ///
    /// # Errors
    /// [`ErrorCode::BadConfiguration`] with the place in its message and its details.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        if text.len() > LONGEST {
            return Err(bad("", &format!("it is longer than {} MB", LONGEST / 1024 / 1024)));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: Value = serde_json::from_str(text).map_err(|error| {
            // The parser's words end with the place, too.
            let words = error.to_string();
            let why = words.split(" at line ").next().unwrap_or_default();
            bad(&format!("line {}, column {}", error.line(), error.column()), why)
        })?;
        match value.get("slipway") {
            None => return Err(bad("", "it is no configuration of Slipway: \"slipway\" is not in it")),
            Some(version) => match version.as_u64() {
                Some(VERSION) => {}
                Some(newer) if newer > VERSION => {
                    let why =
                        format!("version {newer} was written by a newer Slipway, this one reads version {VERSION}");
                    return Err(bad("slipway", &why));
                }
                _ => return Err(bad("slipway", &format!("the version is {VERSION}"))),
            },
        }
        let file: Self = typed(&value)?;
        if let Some(place) = first_unknown(&value, &serde_json::to_value(&file).map_err(Failure::internal)?, "") {
            return Err(bad(&place, "this field is not known"));
        }
        if file.things() > MOST_THINGS {
            return Err(bad("", &format!("it holds more than {MOST_THINGS} things")));
        }
        Ok(file)
    }

    fn things(&self) -> usize {
        let credentials: usize = self.registries.iter().map(|registry| registry.credentials.len()).sum();
        let inside: usize = self.repositories.iter().map(|one| one.rules.len() + one.triggers.len()).sum();
        self.sources.len() + self.registries.len() + credentials + self.repositories.len() + inside
    }
}

fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, Failure> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let place = error.path().to_string();
        let words = error.inner().to_string();
        // A type that was refused by its own rules says why.
        let why = Failure::in_words(&words).map_or(words, |failure| failure.message);
        bad(if place == "." { "" } else { &place }, &why)
    })
}

fn bad(place: &str, why: &str) -> Failure {
    let message = if place.is_empty() { why.to_owned() } else { format!("{place}: {why}") };
    Failure::new(ErrorCode::BadConfiguration, message).with("place", place)
}

/// Returns the path of the first field that was given and means nothing.
fn first_unknown(given: &Value, known: &Value, place: &str) -> Option<String> {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => given.iter().find_map(|(name, value)| {
            let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            match known.get(name) {
                Some(known) => first_unknown(value, known, &place),
                // Where nothing is said, nothing is written.
                None if value.is_null() || value.as_str() == Some("") => None,
                None => Some(place),
            }
        }),
        (Value::Array(given), Value::Array(known)) => {
            let mut pairs = given.iter().zip(known).enumerate();
            pairs.find_map(|(index, (given, known))| first_unknown(given, known, &format!("{place}[{index}]")))
        }
        _ => None,
    }
}
