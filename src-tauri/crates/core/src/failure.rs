//! What went wrong, in one shape for every border: a code from a closed list, what it happened to, and the next step.
//!
//! Inside a crate errors are that crate's own types; where they leave it they become a [`Failure`]. The console maps
//! [`ErrorCode`] exhaustively to translated words, so a message here is for logs and for people who read details.

use crate::control;
use serde::{Deserialize, Serialize};

/// Which part of the world an error belongs to (`product.md` section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The code source: repository, ref, access.
    CodeSource,
    /// The Dockerfile or what it asks for.
    Dockerfile,
    /// An image that the Dockerfile builds on.
    BaseImage,
    /// The Docker engine.
    Engine,
    /// The registry.
    Registry,
    /// What an image is deployed to: a container, a service, a workload, a webhook.
    Target,
    /// A disk that is full or cannot be written.
    Disk,
    /// The network between two parts.
    Network,
    /// The system keychain.
    Keychain,
    /// A person cancelled it.
    Cancelled,
    /// A deadline passed.
    Timeout,
    /// What was typed cannot be used.
    Input,
    /// Slipway itself.
    Internal,
}

/// How the queue treats a failure of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// The same attempt would fail the same way.
    Never,
    /// Worth another attempt after a back-off, within the step's budget.
    Backoff,
    /// Wait until a part of the outside is back (engine, network, keychain), then go on by itself.
    WhenBack,
}

/// Between the message of a deserializer's error and the failure that it stands for, as JSON.
const TYPED: char = '\u{1e}';

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident => $text:literal, $class:ident, $retry:ident;)+) => {
        /// Every error code that crosses a border. Adding one means translating it: the console fails to compile without.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
        }

        impl ErrorCode {
            /// Every code, in the order of this list.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name),+];

            /// Returns the code's text as it stands in the database and on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$name => $text,)+ }
            }

            /// Returns the class that the code belongs to.
            #[must_use]
            pub const fn class(self) -> ErrorClass {
                match self { $(ErrorCode::$name => ErrorClass::$class,)+ }
            }

            /// Returns how the queue treats an attempt that failed with this code.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(ErrorCode::$name => Retry::$retry,)+ }
            }
        }
    };
}

error_codes! {
    // Input: something typed or sent over the api.
    /// A field is missing or has an illegal value; `field` names it.
    InvalidField => "invalid_field", Input, Never;
    /// A name that must be unique is taken.
    NameTaken => "name_taken", Input, Never;
    /// The object does not exist (any more).
    NotFound => "not_found", Input, Never;
    /// The object is in a state that does not allow this.
    WrongState => "wrong_state", Input, Never;
    /// Something else still uses the object.
    InUse => "in_use", Input, Never;
    /// A regular expression does not compile or is too large.
    BadRegex => "bad_regex", Input, Never;
    /// A path filter is no valid glob.
    BadGlob => "bad_glob", Input, Never;
    /// A tag template has an unknown placeholder or renders nothing legal.
    BadTagTemplate => "bad_tag_template", Input, Never;
    /// An image reference breaks the grammar.
    BadImageReference => "bad_image_reference", Input, Never;
    /// A path inside the repository is absolute, leaves it, or goes through a symbolic link.
    BadRepositoryPath => "bad_repository_path", Input, Never;
    /// A ref name breaks git's rules or could be read as an option.
    BadRefName => "bad_ref_name", Input, Never;
    /// A URL or folder cannot be a code repository.
    BadCodeLocation => "bad_code_location", Input, Never;
    /// An archive is damaged, unsafe, too large, or not what is needed; the `reason` is in the details.
    BadArchive => "bad_archive", Input, Never;
    /// A file is no configuration that can be imported; the place and the reason are in the message.
    BadConfiguration => "bad_configuration", Input, Never;
    /// A repository that an account sees is added already; its id is in `code_repository`.
    SourceAlreadyAdded => "source_already_added", Input, Never;
    /// A command that the api does not know.
    UnknownCommand => "unknown_command", Input, Never;
    /// The image repository is read-only because its credential cannot push.
    ReadOnlyRepository => "read_only_repository", Input, Never;
    /// This Slipway was made without the sample's program for the engine's platform.
    SampleMissing => "sample_missing", Input, Never;

    // Code source.
    /// The host of the code repository cannot be reached.
    SourceUnreachable => "source_unreachable", CodeSource, WhenBack;
    /// TLS to the code host failed: unknown authority, wrong name, expired certificate.
    SourceTls => "source_tls", CodeSource, Never;
    /// The code host refused the login.
    SourceUnauthorized => "source_unauthorized", CodeSource, Never;
    /// The login works but may not read this repository, or it does not exist.
    SourceNotFound => "source_not_found", CodeSource, Never;
    /// What answers at this address is no git repository.
    SourceNotGit => "source_not_git", CodeSource, Never;
    /// There is no `ssh` program on this machine.
    SshMissing => "ssh_missing", CodeSource, Never;
    /// Nobody has confirmed the SSH host's key yet; its type and fingerprint are in the details.
    SshHostKeyUnknown => "ssh_host_key_unknown", CodeSource, Never;
    /// The SSH host shows another key than the one that is known.
    SshHostKeyChanged => "ssh_host_key_changed", CodeSource, Never;
    /// The SSH host took none of the user's keys; those that were offered are in the details.
    SshKeyRefused => "ssh_key_refused", CodeSource, Never;
    /// The SSH host would take a key, but its passphrase is asked for and no agent holds it.
    SshKeyLocked => "ssh_key_locked", CodeSource, Never;
    /// The `ssh` program gave up for another reason, such as its configuration.
    SshFailed => "ssh_failed", CodeSource, Never;
    /// The code host redirected to another host; credentials never follow.
    SourceRedirected => "source_redirected", CodeSource, Never;
    /// The code host asks to slow down.
    SourceRateLimited => "source_rate_limited", CodeSource, Backoff;
    /// The code host failed on its side.
    SourceServerError => "source_server_error", CodeSource, Backoff;
    /// The host's own product does not answer at this address: a login page, a repository's page, another product.
    NotACodeHost => "not_a_code_host", CodeSource, Never;
    /// The token lacks scopes or rights; the details name them.
    SourceScopesMissing => "source_scopes_missing", CodeSource, Never;
    /// Signed in, but the code host does not allow this.
    SourceForbidden => "source_forbidden", CodeSource, Never;
    /// The organization has not approved the OAuth application.
    SourceOrganizationBlocks => "source_organization_blocks", CodeSource, Never;
    /// The organization wants a single sign-on first; the details have its page.
    SourceSsoRequired => "source_sso_required", CodeSource, Never;
    /// The repository was renamed or moved; the details have its new path.
    SourceMoved => "source_moved", CodeSource, Never;
    /// The repository is archived: nothing can be written to it.
    SourceArchived => "source_archived", CodeSource, Never;
    /// The code host does not offer this.
    SourceUnsupported => "source_unsupported", CodeSource, Never;
    /// The person refused the authorization at the code host.
    AuthorizationDenied => "authorization_denied", CodeSource, Never;
    /// Nobody came back from the browser, or the code ended.
    AuthorizationExpired => "authorization_expired", CodeSource, Never;
    /// The authorization went wrong on its way; the details have the host's reason.
    AuthorizationFailed => "authorization_failed", CodeSource, Never;
    /// The host does not know the OAuth application, its secret or its redirect address.
    OauthClientRefused => "oauth_client_refused", CodeSource, Never;
    /// The repository has no commit yet.
    SourceEmpty => "source_empty", CodeSource, Never;
    /// The branch, tag or commit is not there (any more).
    RefNotFound => "ref_not_found", CodeSource, Never;
    /// A submodule cannot be resolved; the message says which.
    SubmoduleFailed => "submodule_failed", CodeSource, Never;
    /// The context holds Git LFS pointers instead of files.
    LfsPointer => "lfs_pointer", CodeSource, Never;
    /// A file name in the context cannot be given to the engine (not UTF-8).
    BadFileName => "bad_file_name", CodeSource, Never;
    /// The mirror on disk is damaged; it is fetched anew.
    MirrorDamaged => "mirror_damaged", CodeSource, Backoff;

    // Dockerfile.
    /// No Dockerfile at the rule's path; near misses are in the details.
    DockerfileMissing => "dockerfile_missing", Dockerfile, Never;
    /// The Dockerfile does not parse; the line is in the details.
    DockerfileSyntax => "dockerfile_syntax", Dockerfile, Never;
    /// The build directory is not in the repository.
    ContextMissing => "context_missing", Dockerfile, Never;
    /// An ignore file is invalid; the line is in the details.
    BadIgnoreFile => "bad_ignore_file", Dockerfile, Never;
    /// The target stage is not in the Dockerfile.
    TargetMissing => "target_missing", Dockerfile, Never;
    /// COPY or ADD names a file that is not in the context.
    CopySourceMissing => "copy_source_missing", Dockerfile, Never;
    /// A RUN step ended with a non-zero exit code.
    StepFailed => "step_failed", Dockerfile, Never;
    /// The Dockerfile needs a secret that the rule does not give.
    SecretMissing => "secret_missing", Dockerfile, Never;
    /// The build asks for an entitlement that is never granted.
    EntitlementRefused => "entitlement_refused", Dockerfile, Never;

    // Base image.
    /// A base image does not exist, or may not be read.
    BaseImageMissing => "base_image_missing", BaseImage, Never;
    /// A base image has no variant for the platform.
    BaseImagePlatform => "base_image_platform", BaseImage, Never;
    /// The base image's registry cannot be reached by the engine.
    BaseImageUnreachable => "base_image_unreachable", BaseImage, Backoff;
    /// The base image's registry limits pulls.
    BaseImageRateLimited => "base_image_rate_limited", BaseImage, Backoff;

    // Engine.
    /// No engine answers at the endpoint.
    EngineAbsent => "engine_absent", Engine, WhenBack;
    /// The engine's socket may not be opened by this user.
    EngineForbidden => "engine_forbidden", Engine, WhenBack;
    /// The engine is too old or has no BuildKit.
    EngineUnsupported => "engine_unsupported", Engine, Never;
    /// The connection to the engine broke in the middle.
    EngineLost => "engine_lost", Engine, WhenBack;
    /// The engine answered with an error that fits nothing else.
    EngineError => "engine_error", Engine, Never;
    /// The engine cannot store what was asked for (several platforms on a graph driver).
    EnginePlatforms => "engine_platforms", Engine, Never;
    /// The image to push or tag is gone from the engine.
    ImageGone => "image_gone", Engine, Never;

    // Registry.
    /// The registry's host name is unknown or refuses connections.
    RegistryUnreachable => "registry_unreachable", Registry, Backoff;
    /// TLS to the registry failed.
    RegistryTls => "registry_tls", Registry, Never;
    /// The registry speaks plain HTTP and the engine does not list it as insecure.
    RegistryPlainHttp => "registry_plain_http", Registry, Never;
    /// The registry refused the login.
    RegistryUnauthorized => "registry_unauthorized", Registry, Never;
    /// Signed in, but without the right for this action.
    RegistryDenied => "registry_denied", Registry, Never;
    /// The repository, project or namespace does not exist there.
    RegistryNameUnknown => "registry_name_unknown", Registry, Never;
    /// The registry does not allow this repository name.
    RegistryNameInvalid => "registry_name_invalid", Registry, Never;
    /// No such tag or digest.
    ManifestUnknown => "manifest_unknown", Registry, Never;
    /// The registry refused the image.
    ManifestInvalid => "manifest_invalid", Registry, Never;
    /// The tag is write-once and exists with other content.
    TagImmutable => "tag_immutable", Registry, Never;
    /// The registry asks to slow down.
    RegistryRateLimited => "registry_rate_limited", Registry, Backoff;
    /// The registry failed on its side.
    RegistryServerError => "registry_server_error", Registry, Backoff;
    /// The transfer broke off.
    PushInterrupted => "push_interrupted", Registry, Backoff;
    /// What the registry holds after the push is not what was pushed.
    DigestMismatch => "digest_mismatch", Registry, Never;
    /// The registry does not offer this (deleting, listing).
    RegistryUnsupported => "registry_unsupported", Registry, Never;
    /// What answers at this address is no registry.
    NotARegistry => "not_a_registry", Registry, Never;
    /// A credential helper or command failed, hung or is missing.
    CredentialHelperFailed => "credential_helper_failed", Registry, Backoff;

    // Deploy target.
    /// The container, service or workload does not exist (any more).
    TargetGone => "target_gone", Target, Never;
    /// The target cannot be updated faithfully; the reasons are in the details.
    TargetRefused => "target_refused", Target, Never;
    /// Somebody changed the target between plan and update.
    TargetChanged => "target_changed", Target, Backoff;
    /// The new image ended, never became healthy, or could not be started on the target.
    TargetUnhealthy => "target_unhealthy", Target, Never;
    /// The image to deploy has no variant for the target's platform.
    ImagePlatform => "image_platform", Target, Never;
    /// The webhook refused the call, or did not take it in time however often it was tried.
    WebhookFailed => "webhook_failed", Target, Never;
    /// The kubeconfig cannot be read, lacks the context, or asks for a way to sign in that Slipway does not have.
    KubeconfigInvalid => "kubeconfig_invalid", Target, Never;
    /// The cluster cannot be reached.
    ClusterUnreachable => "cluster_unreachable", Target, WhenBack;
    /// TLS to the cluster failed: unknown authority, wrong name, expired certificate.
    ClusterTls => "cluster_tls", Target, Never;
    /// The cluster refused the login (expired, revoked), or an `exec` plugin did not give one.
    ClusterUnauthorized => "cluster_unauthorized", Target, Never;
    /// Signed in, but the cluster's rules do not allow this.
    ClusterForbidden => "cluster_forbidden", Target, Never;
    /// The cluster failed on its side.
    ClusterError => "cluster_error", Target, Backoff;

    // The rest of the world.
    /// The data folder's disk is full.
    DiskFull => "disk_full", Disk, WhenBack;
    /// The engine's disk is full.
    EngineDiskFull => "engine_disk_full", Disk, WhenBack;
    /// The data folder cannot be written.
    DataReadOnly => "data_read_only", Disk, WhenBack;
    /// No network.
    NetworkDown => "network_down", Network, WhenBack;
    /// The receiver of notifications cannot be reached, was silent, or failed on its side.
    ChannelUnreachable => "channel_unreachable", Network, Backoff;
    /// The receiver of notifications asks to slow down.
    ChannelBusy => "channel_busy", Network, Backoff;
    /// The receiver of notifications does not take the message; what it said is in `answer`.
    ChannelRefused => "channel_refused", Network, Never;
    /// The address is in a private network, and nobody allowed that.
    PrivateAddress => "private_address", Network, Never;
    /// The webhook listener cannot have its address: another program uses it, or this machine does not have it.
    WebhookListenerFailed => "webhook_listener_failed", Network, Never;
    /// The keychain is locked.
    KeychainLocked => "keychain_locked", Keychain, WhenBack;
    /// There is no keychain service on this system.
    KeychainAbsent => "keychain_absent", Keychain, WhenBack;
    /// The keychain has no key for the stored secrets: they must be entered again.
    KeychainKeyLost => "keychain_key_lost", Keychain, Never;
    /// A password or token came without its value, from an imported configuration, and nobody has entered it yet.
    SecretNotEntered => "secret_not_entered", Keychain, WhenBack;
    /// A person cancelled it.
    Cancelled => "cancelled", Cancelled, Never;
    /// A deadline passed; the details say which.
    TimedOut => "timed_out", Timeout, Never;
    /// The application stopped in the middle and the result could not be found afterwards.
    Interrupted => "interrupted", Internal, Never;
    /// Another Slipway uses this data folder.
    AlreadyRunning => "already_running", Internal, Never;
    /// The database was written by a newer Slipway.
    DatabaseNewer => "database_newer", Internal, Never;
    /// The database is damaged.
    DatabaseCorrupt => "database_corrupt", Internal, Never;
    /// A fault of Slipway.
    Internal => "internal", Internal, Never;
}

/// One failure, ready to be stored, shown and translated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure, from the closed list.
    pub code: ErrorCode,
    /// What happened and to what, in English; foreign text inside is already masked and free of control characters.
    pub message: String,
    /// The field at fault as a path in the request (`spec.dockerfile_path`), when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Facts for the translated sentence (`line`, `path`, `host`, `suggestions`), by name.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub details: std::collections::BTreeMap<String, String>,
}

/// Takes out what would deceive a terminal, the clipboard or the eye; most words hold nothing of it.
fn clean(words: String) -> String {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t') || control::is_deceptive(c);
    if words.chars().any(odd) { control::clean_text(&words) } else { words }
}

impl Failure {
    /// Makes a failure from a code and an English message. Foreign words in it are cleaned (T07, T08), as in [`Self::with`].
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: clean(message.into()), field: None, details: std::collections::BTreeMap::new() }
    }

    /// Names the field at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Adds a fact for the translated sentence.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.details.insert(name.to_owned(), clean(value.into()));
        self
    }

    /// Makes a deserializer's error that keeps the code and the details, see [`Failure::in_words`].
    pub(crate) fn into_de_error<E: serde::de::Error>(self) -> E {
        let json = serde_json::to_string(&self).unwrap_or_default();
        E::custom(format!("{}{TYPED}{json}", self.message))
    }

    /// Returns the failure that a type of this crate gave to a deserializer; `None` for the deserializer's own words.
    #[must_use]
    pub fn in_words(words: &str) -> Option<Self> {
        serde_json::from_str(words.split_once(TYPED)?.1).ok()
    }

    /// Returns first and last line of the Dockerfile that a build failed at, 1-based; `None` when it names none. The lines
    /// of other files (`.dockerignore`) are not meant.
    #[must_use]
    pub fn dockerfile_lines(&self) -> Option<(u32, u32)> {
        if self.code == ErrorCode::BadIgnoreFile {
            return None;
        }
        let line = |name: &str| self.details.get(name)?.parse::<u32>().ok().filter(|line| *line > 0);
        let first = line("line")?;
        Some((first, line("last_line").unwrap_or(first).max(first)))
    }

    /// A fault of Slipway itself.
    #[must_use]
    pub fn internal(message: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::Internal, message.to_string())
    }

    /// A person's cancellation.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(ErrorCode::Cancelled, "cancelled")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::code::{RefName, RepoPath};
    use serde_json::json;

    #[test]
    fn t08_foreign_words_of_a_failure_are_cleaned() {
        let failure =
            Failure::new(ErrorCode::Internal, "no \u{1b}[31ma\u{202e}b\u{7}").with("path", "a\u{1b}]0;x\u{7}\nb");
        assert_eq!((failure.message.as_str(), failure.details["path"].as_str()), ("no a<U+202E>b", "a\nb"));
    }

    #[test]
    fn a_type_that_refuses_its_text_says_why_with_its_code() {
        let words = serde_json::from_value::<RepoPath>(json!("../out")).unwrap_err().to_string();
        let failure = Failure::in_words(&words).unwrap();
        assert_eq!((failure.code, failure.details["path"].as_str()), (ErrorCode::BadRepositoryPath, "../out"));
        let words = serde_json::from_value::<Vec<RefName>>(json!(["refs/heads/a..b"])).unwrap_err().to_string();
        assert_eq!(Failure::in_words(&words).unwrap().code, ErrorCode::BadRefName);
        let words = serde_json::from_value::<crate::image::Tag>(json!("two words")).unwrap_err().to_string();
        assert_eq!(Failure::in_words(&words).unwrap().code, ErrorCode::BadImageReference);
        let words = serde_json::from_value::<RepoPath>(json!(7)).unwrap_err().to_string();
        assert_eq!(Failure::in_words(&words), None, "the deserializer's own words");
        assert_eq!(Failure::in_words("\u{1e}{\"code\":\"nothing\"}"), None);
    }

    #[test]
    fn the_lines_of_the_dockerfile_are_those_that_the_failure_names() {
        let failure = |code| Failure::new(code, "x");
        let one = failure(ErrorCode::DockerfileSyntax).with("line", "3");
        assert_eq!(one.dockerfile_lines(), Some((3, 3)));
        let range = failure(ErrorCode::StepFailed).with("line", "4").with("last_line", "6");
        assert_eq!(range.dockerfile_lines(), Some((4, 6)));
        assert_eq!(failure(ErrorCode::StepFailed).with("line", "0").dockerfile_lines(), None);
        assert_eq!(failure(ErrorCode::BadIgnoreFile).with("line", "2").dockerfile_lines(), None);
        assert_eq!(failure(ErrorCode::EngineLost).dockerfile_lines(), None);
    }
}
