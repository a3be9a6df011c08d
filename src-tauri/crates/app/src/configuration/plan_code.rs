//! The plan's part about code: sources, and the rules that build them.

use super::file::{FileLocation, FileOptions, FileRule, FileSource};
use super::plan::{Planner, RepositoryHere, differences, matched, name_taken, not_imported, state_of};
use super::{addresses, portable};
use crate::authority;
use crate::code_repositories::{check_text, check_url, ssh_location};
use crate::rules;
use slipway_core::code::CodeLocation;
use slipway_core::configuration::{ImportNeed, ImportObject, ImportState};
use slipway_core::host::{HostBase, RepositoryPath};
use slipway_core::ids::{CodeRepositoryId, SecretId};
use slipway_core::rule::{BuildOptions, NameValue, RuleSecret, RuleSpec};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{AccountPlace, CodeRepositoryRecord, ImportedRule, ImportedSource, RowRef, RuleRecord};
use std::collections::{HashMap, HashSet};
use url::Url;

impl<'a> Planner<'a> {
    pub(super) fn sources(&mut self, files: &[FileSource]) {
        let local = self.local;
        let here = &local.sources;
        let wanted: Vec<_> = files.iter().map(|file| (key(&file.location), file.name.trim())).collect();
        let portable: Vec<_> = here.iter().map(|record| portable::source(record).ok()).collect();
        let known: Vec<_> = here
            .iter()
            .zip(&portable)
            .map(|(record, file)| {
                (file.as_ref().map(|file| key(&file.location)).unwrap_or_default(), record.name.as_str())
            })
            .collect();
        let mut taken: HashSet<&str> = here.iter().map(|record| record.name.as_str()).collect();
        for (index, (file, found)) in files.iter().zip(matched(&wanted, &known)).enumerate() {
            let place = format!("sources[{index}]");
            let address = address(&file.location);
            let record = found.map(|found| &here[found]);
            let known = found.and_then(|found| portable[found].as_ref());
            let (state, row, needs) = match self.source(file, record, known, &taken) {
                Ok(decided) => decided,
                Err(failure) => {
                    self.refuse(ImportObject::Source, &file.name, Some(&address), place, failure);
                    self.sources.entry(file.name.clone()).or_insert(None);
                    continue;
                }
            };
            taken.insert(file.name.trim());
            let at = match record {
                Some(record) => RowRef::Known(record.id),
                None => RowRef::Imported(self.plan.rows.sources.len()),
            };
            let name = record.map_or(&row.name, |record| &record.name).clone();
            if self.writes(&state) {
                self.plan.rows.sources.push(row);
            }
            self.item(ImportObject::Source, file.name.trim(), Some(&address), place, state, needs);
            self.sources.entry(file.name.clone()).or_insert(Some((at, name)));
        }
    }

    fn source(
        &mut self,
        file: &FileSource,
        record: Option<&CodeRepositoryRecord>,
        known: Option<&FileSource>,
        taken: &HashSet<&str>,
    ) -> Result<(ImportState, ImportedSource, Vec<ImportNeed>), Failure> {
        let name = file.name.trim();
        check_text(name, file.poll_interval_seconds)?;
        let (mut location, account) = self.place(&file.location)?;
        let mut needs = Vec::new();
        if let (CodeLocation::GitUrl { password, .. }, FileLocation::GitUrl { has_password, .. }) =
            (&mut location, &file.location)
        {
            // A password is no configuration: the one that is here stays.
            *password = match record.map(|record| &record.location) {
                Some(CodeLocation::GitUrl { password, .. }) => *password,
                _ => has_password.then_some(SecretId::NOT_ENTERED),
            };
            if *password == Some(SecretId::NOT_ENTERED) {
                needs.push(ImportNeed::SourcePassword);
            }
        }
        if let (Some(AccountPlace { account: None, .. }), FileLocation::Account { host, .. }) =
            (&account, &file.location)
        {
            needs.push(ImportNeed::Account { host: host.clone() });
        }
        if let CodeLocation::LocalClone { path } = &location
            && !path.is_dir()
        {
            needs.push(ImportNeed::FolderMissing { path: path.display().to_string() });
        }
        if record.is_none_or(|record| record.name != name) && taken.contains(name) {
            return Err(name_taken("another code source"));
        }
        let row = ImportedSource {
            id: record.map(|record| record.id),
            name: name.to_owned(),
            location,
            account,
            poll_interval_seconds: file.poll_interval_seconds,
        };
        let state = match known {
            Some(known) => {
                let wanted = FileSource {
                    name: row.name.clone(),
                    location: comparable(&row, &file.location, &known.location),
                    poll_interval_seconds: row.poll_interval_seconds,
                };
                state_of(differences(known, &wanted))
            }
            None => ImportState::New,
        };
        if state == ImportState::New && matches!(&row.location, CodeLocation::GitUrl { allow_plain_http: true, .. }) {
            self.plain_http(ErrorCode::BadCodeLocation, "location.url")?;
        }
        Ok((state, row, needs))
    }

    /// Checks a place as its form does. Plain HTTP is let through here: whether it was agreed to is asked for new ones.
    fn place(&self, file: &FileLocation) -> Result<(CodeLocation, Option<AccountPlace>), Failure> {
        let git = |url: Url, username: Option<String>, ca_pem: Option<String>| {
            let allow_plain_http = url.scheme() == "http";
            CodeLocation::GitUrl { url: url.into(), username, password: None, ca_pem, allow_plain_http }
        };
        match file {
            FileLocation::GitUrl { url, username, has_password: _, ca_pem } => {
                let username = username.clone().filter(|name| !name.is_empty());
                let ca_pem = authority::typed(ca_pem.as_deref()).map_err(|failure| failure.at("location.ca_pem"))?;
                Ok((git(check_url(url, true)?, username, ca_pem), None))
            }
            FileLocation::Ssh { url } => Ok((ssh_location(url)?, None)),
            FileLocation::LocalClone { path } => {
                if !path.is_absolute() {
                    let why = "the folder is given as an absolute path";
                    return Err(Failure::new(ErrorCode::BadCodeLocation, why).at("location.path"));
                }
                Ok((CodeLocation::LocalClone { path: path.clone() }, None))
            }
            FileLocation::Account { provider, host, account_id, repository_id, path, url } => {
                let base = HostBase::new(host, true).map_err(|failure| failure.at("location.host"))?;
                let url = check_url(url, true)?;
                let odd = |text: &str| text.is_empty() || text.chars().any(char::is_control);
                if odd(account_id) || odd(repository_id) || odd(path) {
                    let why = "ids and path of a repository at a code host are one line each";
                    return Err(Failure::new(ErrorCode::BadCodeLocation, why).at("location"));
                }
                if Url::parse(base.as_str()).is_ok_and(|base| base.origin() != url.origin()) {
                    let why = "the code lies at another host than its account";
                    return Err(Failure::new(ErrorCode::BadCodeLocation, why).at("location.url"));
                }
                let key = format!("{} {base} {account_id}", provider.as_str());
                let account = self.local.accounts.iter().find(|one| one.key() == key).map(|one| one.id);
                let place = AccountPlace {
                    account,
                    key,
                    path: RepositoryPath(path.clone()),
                    repository: repository_id.clone(),
                };
                Ok((git(url, None, None), Some(place)))
            }
        }
    }

    pub(super) fn rules(
        &mut self,
        files: &[FileRule],
        here: Option<&RepositoryHere<'a>>,
        repository: &str,
        place: &str,
    ) {
        let local = self.local;
        let id = here.and_then(|here| here.record).map(|record| record.id);
        let known: HashMap<&str, &RuleRecord> = local
            .rules
            .iter()
            .filter(|rule| Some(rule.repository) == id)
            .map(|rule| (rule.spec.name.as_str(), rule))
            .collect();
        let mut seen = HashSet::new();
        for (index, file) in files.iter().enumerate() {
            let place = format!("{place}.rules[{index}]");
            let of = here.map_or(repository, |here| here.shown.as_str());
            let decided = match here {
                None => Err(not_imported("its image repository")),
                Some(_) if !seen.insert(file.name.as_str()) => Err(name_taken("a rule of this image repository")),
                Some(here) => self.rule(file, here, known.get(file.name.as_str()).copied()),
            };
            let item = match decided {
                Ok((state, row, needs)) => {
                    if self.writes(&state) {
                        self.plan.rows.rules.push(row);
                    }
                    self.item(ImportObject::Rule, &file.name, Some(of), place, state, needs)
                }
                Err(failure) => self.refuse(ImportObject::Rule, &file.name, Some(of), place, failure),
            };
            item.detail = Some(file.source.clone());
        }
    }

    fn rule(
        &self,
        file: &FileRule,
        here: &RepositoryHere<'_>,
        record: Option<&RuleRecord>,
    ) -> Result<(ImportState, ImportedRule, Vec<ImportNeed>), Failure> {
        let (code, source) = match self.sources.get(&file.source) {
            Some(Some((code, source))) => (*code, source),
            Some(None) => return Err(not_imported("its code source").at("source")),
            None => {
                let why = format!("the file has no code source {:?}", file.source);
                return Err(Failure::new(ErrorCode::NotFound, why).at("source"));
            }
        };
        // What is secret stays with a rule only while it builds the same code.
        let same_code = record.filter(|record| code == RowRef::Known(record.spec.code));
        // Nothing begins by itself that would use what is here: a person looks at it first and switches it on.
        let auto_trigger = file.auto_trigger
            && match record {
                Some(record) => record.spec.auto_trigger && same_code.is_some(),
                None => !here.is_used,
            };
        let spec = RuleSpec {
            name: file.name.clone(),
            // Filled in when the rows are written.
            code: CodeRepositoryId(0),
            triggers: file.triggers.clone(),
            paths: file.paths.clone(),
            skip_words: file.skip_words,
            dockerfile_path: file.dockerfile_path.clone(),
            context_dir: file.context_dir.clone(),
            version: file.version.clone(),
            overwrite_tag: file.overwrite_tag.clone(),
            options: options(&file.options, same_code.map(|record| &record.spec.options)),
            strategy: file.strategy,
            auto_trigger,
            report_status: file.report_status,
        };
        rules::check(&spec)?;
        let wanted = FileRule { source: source.clone(), auto_trigger, ..file.clone() };
        let state = match record {
            None => ImportState::New,
            Some(record) => state_of(differences(&portable::rule(self.local, &record.spec), &wanted)),
        };
        if state != ImportState::Same
            && let Some(reason) = &here.read_only
        {
            let why = format!("nothing can be pushed to the image repository: {}", reason.message);
            return Err(Failure::new(ErrorCode::ReadOnlyRepository, why).with("reason", reason.code.as_str()));
        }
        let mut needs = Vec::new();
        if file.auto_trigger && !auto_trigger && same_code.is_none() {
            needs.push(ImportNeed::SwitchedOff);
        }
        needs.extend(needs_of(&spec.options));
        let id = record.map(|record| record.id);
        Ok((state, ImportedRule { id, repository: here.at, code, spec }, needs))
    }
}

/// Returns the place as it would stand in a file, with what is secret or the host's own as it is here.
fn comparable(row: &ImportedSource, file: &FileLocation, known: &FileLocation) -> FileLocation {
    match (&row.location, file, known) {
        (
            CodeLocation::GitUrl { url, username, ca_pem, .. },
            FileLocation::GitUrl { .. },
            FileLocation::GitUrl { has_password, .. },
        ) => FileLocation::GitUrl {
            url: url.clone(),
            username: username.clone(),
            has_password: *has_password,
            ca_pem: ca_pem.clone(),
        },
        (CodeLocation::Ssh { url }, ..) => FileLocation::Ssh { url: url.clone() },
        _ => file.clone(),
    }
}

/// What a person knows a place by. A login in it, for which it is refused, is not shown.
fn address(location: &FileLocation) -> String {
    match location {
        FileLocation::GitUrl { url, .. } | FileLocation::Ssh { url } | FileLocation::Account { url, .. } => {
            addresses::blanked(url.trim())
        }
        FileLocation::LocalClone { path } => path.display().to_string(),
    }
}

/// The natural key of a place.
fn key(location: &FileLocation) -> String {
    match location {
        FileLocation::GitUrl { url, .. } => {
            let typed = url.trim();
            format!("git {}", Url::parse(typed).map_or_else(|_| typed.to_owned(), String::from))
        }
        FileLocation::Ssh { url } => format!("ssh {}", url.trim()),
        FileLocation::LocalClone { path } => format!("clone {}", path.display()),
        FileLocation::Account { provider, host, account_id, repository_id, .. } => {
            let host = HostBase::new(host, true).map_or_else(|_| host.clone(), |base| base.to_string());
            format!("account {} {host} {account_id} {repository_id}", provider.as_str())
        }
    }
}

/// Makes options of the file's, with what the file leaves out taken from those that are here.
fn options(file: &FileOptions, here: Option<&BuildOptions>) -> BuildOptions {
    let FileOptions {
        platforms,
        args,
        secrets,
        target,
        labels,
        no_standard_labels,
        no_cache,
        always_pull,
        network,
        timeout_seconds,
        engine,
    } = file.clone();
    let stored = |pair: NameValue, here: Option<&Vec<NameValue>>| {
        let stored = here.and_then(|here| here.iter().find(|one| one.name == pair.name));
        stored.filter(|stored| portable::public((*stored).clone()) == pair).cloned().unwrap_or(pair)
    };
    let secret = |id: String| {
        let stored = here.and_then(|here| here.secrets.iter().find(|one| one.id == id));
        RuleSecret { secret: stored.map_or(SecretId::NOT_ENTERED, |stored| stored.secret), id }
    };
    BuildOptions {
        platforms,
        args: args.into_iter().map(|arg| stored(arg, here.map(|here| &here.args))).collect(),
        secrets: secrets.into_iter().map(secret).collect(),
        target,
        labels: labels.into_iter().map(|label| stored(label, here.map(|here| &here.labels))).collect(),
        no_standard_labels,
        no_cache,
        always_pull,
        network,
        timeout_seconds,
        engine,
    }
}

fn needs_of(options: &BuildOptions) -> Vec<ImportNeed> {
    let ids: Vec<_> = options
        .secrets
        .iter()
        .filter(|secret| secret.secret == SecretId::NOT_ENTERED)
        .map(|secret| secret.id.clone())
        .collect();
    let left_out = |pairs: &[NameValue]| -> Vec<String> {
        pairs.iter().filter(|pair| portable::is_left_out(pair)).map(|pair| pair.name.clone()).collect()
    };
    let (arguments, labels) = (left_out(&options.args), left_out(&options.labels));
    let mut needs = Vec::new();
    if !ids.is_empty() {
        needs.push(ImportNeed::BuildSecrets { ids });
    }
    if !arguments.is_empty() {
        needs.push(ImportNeed::Arguments { names: arguments });
    }
    if !labels.is_empty() {
        needs.push(ImportNeed::Labels { names: labels });
    }
    needs
}
