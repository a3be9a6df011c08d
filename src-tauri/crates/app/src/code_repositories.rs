//! Use cases on code repositories.

use crate::{AppEvent, Parts, Slipway, authority};
use chrono::{DateTime, Utc};
use slipway_core::code::{CodeLocation, CommitDetails, CommitId, RefName, RemoteRefs, RepoPath, TreeEntry};
use slipway_core::host::RepositoryPath;
use slipway_core::ids::{CodeRepositoryId, SecretId, SourceAccountId};
use slipway_core::ssh::SshAddress;
use slipway_core::{ErrorCode, Failure, Secret};
use slipway_store::{AccountPlace, CodeRepositoryRecord};
use std::path::PathBuf;

/// What a person says about a code repository. A password is given once, in clear, and never comes back.
#[derive(Debug, Clone)]
pub struct CodeRepositoryInput {
    /// Its name, unique, 1–64 characters.
    pub name: String,
    /// Where it lives.
    pub location: CodeLocationInput,
    /// Seconds between looks; `None` is the setting of the application.
    pub poll_interval_seconds: Option<u32>,
}

/// Where a code repository lives, as it was typed.
#[derive(Debug, Clone)]
pub enum CodeLocationInput {
    /// A Git URL.
    GitUrl {
        /// `https://…`, or `http://…` with the consent below.
        url: String,
        /// User name, when the repository is private.
        username: Option<String>,
        /// The password or token; `None` keeps the stored one as long as scheme, host and port stay the same.
        password: Option<Secret>,
        /// Certificates of an own authority, PEM.
        ca_pem: Option<String>,
        /// The user agreed to plain HTTP.
        allow_plain_http: bool,
    },
    /// A repository over SSH, opened by the user's own configuration, agent and keys.
    Ssh {
        /// `user@host:path` or `ssh://…`.
        url: String,
    },
    /// A clone on this machine.
    LocalClone {
        /// Its folder, absolute.
        path: PathBuf,
    },
    /// A repository that a source account sees.
    Account {
        /// The account whose token opens it.
        account: SourceAccountId,
        /// The repository's path at the host.
        path: RepositoryPath,
    },
}

/// When a code repository was and will be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckTimes {
    /// Seconds since the last look; `None` before the first.
    pub checked_seconds_ago: Option<i64>,
    /// Seconds until the next look; 0 when it is due.
    pub next_in_seconds: i64,
    /// It is looked at right now.
    pub checking: bool,
}

impl Slipway {
    /// Adds a code repository; its refs are recorded soon, and nothing that exists now builds.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] or `BadCodeLocation` with the field, `NameTaken`, `SourceAlreadyAdded` with the one that
    /// is there, or what the keychain says.
    pub async fn add_code_repository(&self, input: &CodeRepositoryInput) -> Result<CodeRepositoryId, Failure> {
        let (location, account) = self.parts.location(input, None).await?;
        self.parts.check_added(account.as_ref(), None).await?;
        let added = self
            .parts
            .store
            .insert_code_repository(
                input.name.trim(),
                &location,
                account.as_ref(),
                input.poll_interval_seconds,
                self.parts.now(),
            )
            .await;
        match added {
            Ok(id) => {
                self.parts.announce(AppEvent::CodeRepositoriesChanged);
                self.watch.repositories_changed();
                Ok(id)
            }
            Err(error) => {
                self.parts.forget_secret(password_of(&location)).await;
                Err(error.into())
            }
        }
    }

    /// Changes a code repository. What was observed stays; it is looked at again at once.
    ///
    /// # Errors
    /// As [`Slipway::add_code_repository`].
    pub async fn edit_code_repository(&self, id: CodeRepositoryId, input: &CodeRepositoryInput) -> Result<(), Failure> {
        let old = self.parts.store.code_repository(id).await?.location;
        let (location, account) = self.parts.location(input, Some(&old)).await?;
        self.parts.check_added(account.as_ref(), Some(id)).await?;
        let (old_secret, new_secret) = (password_of(&old), password_of(&location));
        let changed = self
            .parts
            .store
            .update_code_repository(id, input.name.trim(), &location, account.as_ref(), input.poll_interval_seconds)
            .await;
        let unused = if changed.is_ok() { old_secret } else { new_secret };
        if old_secret != new_secret {
            self.parts.forget_secret(unused).await;
        }
        changed?;
        self.parts.announce(AppEvent::CodeRepositoriesChanged);
        self.watch.repository_edited(id);
        self.webhooks.code_changed(id).await
    }

    /// Removes a code repository with its mirror and password.
    ///
    /// # Errors
    /// [`ErrorCode::InUse`] while a rule or an unfinished build needs it.
    pub async fn delete_code_repository(&self, id: CodeRepositoryId) -> Result<(), Failure> {
        let record = self.parts.store.code_repository(id).await?;
        self.parts.store.delete_code_repository(id).await?;
        self.watch.repositories_changed();
        self.webhooks.code_changed(id).await?;
        self.parts.forget_secret(password_of(&record.location)).await;
        self.parts.announce(AppEvent::CodeRepositoriesChanged);
        self.parts.ports.code.remove_mirror(id).await
    }

    /// Returns all code repositories.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn code_repositories(&self) -> Result<Vec<CodeRepositoryRecord>, Failure> {
        Ok(self.parts.store.code_repositories().await?)
    }

    /// Returns one code repository.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn code_repository(&self, id: CodeRepositoryId) -> Result<CodeRepositoryRecord, Failure> {
        Ok(self.parts.store.code_repository(id).await?)
    }

    /// Returns when a code repository was looked at and will be.
    #[must_use]
    pub fn check_times(&self, record: &CodeRepositoryRecord) -> CheckTimes {
        let now = self.parts.now();
        let seconds = |at: DateTime<Utc>| (at - now).num_seconds();
        let through_account = self.watch.account_looks_at(record.id);
        let next = record.next_check_at.map(|own| through_account.map_or(own, |account| own.min(account)));
        CheckTimes {
            checked_seconds_ago: record.last_check_at.map(|at| (-seconds(at)).max(0)),
            next_in_seconds: next.map_or(0, |at| seconds(at).max(0)),
            checking: self.watch.is_checking(record.id),
        }
    }

    /// Tries to reach a place before it is saved: lists its refs. `existing` lends its stored password.
    ///
    /// # Errors
    /// What the place answers, with its code.
    pub async fn test_code_repository(
        &self,
        input: &CodeRepositoryInput,
        existing: Option<CodeRepositoryId>,
    ) -> Result<RemoteRefs, Failure> {
        let old = match existing {
            Some(id) => Some(self.parts.store.code_repository(id).await?.location),
            None => None,
        };
        let (location, account) = self.parts.checked_location(input, old.as_ref()).await?;
        let mut access = self.parts.access_of_place(location, account.as_ref()).await?;
        if let CodeLocationInput::GitUrl { password: Some(password), .. } = &input.location {
            access.password = Some(password.clone());
        }
        self.parts.ports.code.remote_refs(&access, None, &self.parts.stop.child_token()).await
    }

    /// Keeps the key of an SSH host that a person has confirmed by its fingerprint; code that waited for it is looked at again.
    ///
    /// # Errors
    /// [`ErrorCode::SshHostKeyUnknown`] with the key that the host shows when it is another one,
    /// [`ErrorCode::SshHostKeyChanged`], or what the host answers.
    pub async fn trust_host_key(&self, url: &str, fingerprint: &str) -> Result<(), Failure> {
        let access = self.parts.access_of_place(ssh_location(url)?, None).await?;
        self.parts.ports.code.trust_host_key(&access, fingerprint, &self.parts.stop.child_token()).await?;
        for waiting in self.parts.store.code_repositories().await? {
            if waiting.last_failure.is_some_and(|failure| failure.code == ErrorCode::SshHostKeyUnknown) {
                // What the look finds is in the repository's health.
                if let Err(failure) = self.watch.check_now(waiting.id).await {
                    tracing::debug!(%failure, "looked again after a host's key was confirmed");
                }
            }
        }
        Ok(())
    }

    /// Returns branches and tags as the remote has them now.
    ///
    /// # Errors
    /// What the code host answers.
    pub async fn refs(&self, id: CodeRepositoryId) -> Result<RemoteRefs, Failure> {
        let access = self.parts.code_access(id).await?;
        self.parts.ports.code.remote_refs(&access, None, &self.parts.stop.child_token()).await
    }

    /// Lists a folder at the head of a ref (the default branch when none is given), for the pickers.
    ///
    /// # Errors
    /// [`ErrorCode::RefNotFound`], [`ErrorCode::SourceEmpty`], or what the code host answers.
    pub async fn tree(
        &self,
        id: CodeRepositoryId,
        ref_name: Option<RefName>,
        folder: &RepoPath,
    ) -> Result<Vec<TreeEntry>, Failure> {
        let (_, commit) = self.parts.head(id, ref_name).await?;
        self.parts.ports.code.list_folder(id, &commit, folder).await
    }

    /// Returns what is shown about a commit that is in the mirror.
    ///
    /// # Errors
    /// [`ErrorCode::RefNotFound`].
    pub async fn commit_details(&self, id: CodeRepositoryId, commit: &CommitId) -> Result<CommitDetails, Failure> {
        self.parts.ports.code.commit(id, commit).await
    }

    /// Looks at a code repository now and waits for the result.
    ///
    /// # Errors
    /// What the look failed with; it is in the repository's health too.
    pub async fn check_code_repository(&self, id: CodeRepositoryId) -> Result<(), Failure> {
        self.watch.check_now(id).await
    }
}

impl Parts {
    /// Fetches the head of a ref (the default branch when none is given) and returns ref and commit.
    pub(crate) async fn head(
        &self,
        id: CodeRepositoryId,
        ref_name: Option<RefName>,
    ) -> Result<(RefName, CommitId), Failure> {
        let access = self.code_access(id).await?;
        let cancel = self.stop.child_token();
        let name = match ref_name {
            Some(name) => name,
            None => {
                let remote = self.ports.code.remote_refs(&access, None, &cancel).await?;
                remote
                    .default_branch
                    .or_else(|| remote.refs.first().map(|first| first.name.clone()))
                    .ok_or_else(|| Failure::new(ErrorCode::SourceEmpty, "the repository has no commit yet"))?
            }
        };
        let fetched = self.ports.code.fetch(id, &access, std::slice::from_ref(&name), &cancel).await?;
        let found = fetched
            .refs
            .into_iter()
            .find(|one| one.name == name)
            .ok_or_else(|| Failure::new(ErrorCode::RefNotFound, format!("{name} is not in the repository")))?;
        let commit = self.ports.code.commit(id, found.commit.as_ref().unwrap_or(&found.object)).await?;
        Ok((name, commit.id))
    }

    /// Refuses a repository of an account that is added already, under whatever name it was added.
    async fn check_added(&self, place: Option<&AccountPlace>, own: Option<CodeRepositoryId>) -> Result<(), Failure> {
        let Some(place) = place else { return Ok(()) };
        let same = |one: &CodeRepositoryRecord| {
            Some(one.id) != own
                && one
                    .account
                    .as_ref()
                    .is_some_and(|its| (&its.key, &its.repository) == (&place.key, &place.repository))
        };
        match self.store.code_repositories().await?.into_iter().find(same) {
            None => Ok(()),
            Some(known) => Err(Failure::new(ErrorCode::SourceAlreadyAdded, format!("it is added as {}", known.name))
                .at("location.path")
                .with("code_repository", known.id.to_string())
                .with("name", known.name)),
        }
    }

    /// Checks a typed place and seals its new password.
    async fn location(
        &self,
        input: &CodeRepositoryInput,
        old: Option<&CodeLocation>,
    ) -> Result<(CodeLocation, Option<AccountPlace>), Failure> {
        let name = input.name.trim();
        check_text(name, input.poll_interval_seconds)?;
        let (mut location, account) = self.checked_location(input, old).await?;
        if let (CodeLocation::GitUrl { password, .. }, CodeLocationInput::GitUrl { password: Some(secret), .. }) =
            (&mut location, &input.location)
        {
            *password = Some(self.keep_secret(&format!("password of {name}"), secret).await?);
        }
        Ok((location, account))
    }

    /// Checks a typed place; the stored password goes along while the origin stays the same.
    async fn checked_location(
        &self,
        input: &CodeRepositoryInput,
        old: Option<&CodeLocation>,
    ) -> Result<(CodeLocation, Option<AccountPlace>), Failure> {
        match &input.location {
            CodeLocationInput::LocalClone { path } => {
                if !path.is_absolute() {
                    return Err(Failure::new(ErrorCode::BadCodeLocation, "the folder is given as an absolute path")
                        .at("location.path"));
                }
                Ok((CodeLocation::LocalClone { path: path.clone() }, None))
            }
            CodeLocationInput::Ssh { url } => Ok((ssh_location(url)?, None)),
            CodeLocationInput::GitUrl { url, username, password: _, ca_pem, allow_plain_http } => {
                let checked = check_url(url, *allow_plain_http)?;
                let kept = match old {
                    Some(CodeLocation::GitUrl { url: old, password, .. })
                        if url::Url::parse(old).is_ok_and(|old| old.origin() == checked.origin()) =>
                    {
                        *password
                    }
                    _ => None,
                };
                let location = CodeLocation::GitUrl {
                    url: checked.to_string(),
                    username: username.clone().filter(|name| !name.is_empty()),
                    password: kept,
                    ca_pem: authority::typed(ca_pem.as_deref()).map_err(|failure| failure.at("location.ca_pem"))?,
                    allow_plain_http: *allow_plain_http,
                };
                Ok((location, None))
            }
            CodeLocationInput::Account { account, path } => {
                let (location, place) = self.place_at_host(*account, path).await?;
                Ok((location, Some(place)))
            }
        }
    }
}

/// Checks what is said about a code repository besides its place.
pub(crate) fn check_text(name: &str, poll_interval_seconds: Option<u32>) -> Result<(), Failure> {
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(Failure::new(ErrorCode::InvalidField, "a name has 1 to 64 characters").at("name"));
    }
    if poll_interval_seconds.is_some_and(|seconds| !(5..=86_400).contains(&seconds)) {
        return Err(Failure::new(ErrorCode::InvalidField, "the interval is between 5 seconds and one day")
            .at("poll_interval_seconds"));
    }
    Ok(())
}

pub(crate) fn ssh_location(typed: &str) -> Result<CodeLocation, Failure> {
    let url = typed.trim();
    SshAddress::parse(url).map_err(|failure| failure.at("location.url"))?;
    Ok(CodeLocation::Ssh { url: url.to_owned() })
}

pub(crate) fn check_url(text: &str, allow_plain_http: bool) -> Result<url::Url, Failure> {
    let bad = |why: String| Failure::new(ErrorCode::BadCodeLocation, why).at("location.url");
    let url = url::Url::parse(text.trim()).map_err(|error| bad(format!("the address cannot be read: {error}")))?;
    match url.scheme() {
        "https" => {}
        "http" if allow_plain_http => {}
        "http" => return Err(bad("plain HTTP needs your consent: anybody on the way can change the code".to_owned())),
        other => return Err(bad(format!("{other} is not supported, the address begins with https://"))),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad("the address has no host".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("a login goes into its own fields, never into the address".to_owned()));
    }
    Ok(url)
}

fn password_of(location: &CodeLocation) -> Option<SecretId> {
    match location {
        CodeLocation::GitUrl { password, .. } => *password,
        CodeLocation::Ssh { .. } | CodeLocation::LocalClone { .. } => None,
    }
}
