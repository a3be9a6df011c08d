//! Rows as they stand in a file. Every field of a rule, a trigger and a repository is named here, so that a new one is not
//! forgotten: taking them apart fails to compile.

use super::file::{
    ConfigurationFile, FileCredential, FileLocation, FileLogin, FileOptions, FileProxy, FileRegistry, FileRepository,
    FileRule, FileSettings, FileSource, FileTarget, FileTrigger,
};
use super::{Local, addresses};
use crate::{Settings, StoredProxy, authority};
use slipway_core::Failure;
use slipway_core::code::CodeLocation;
use slipway_core::deploy::DeployTarget;
use slipway_core::host::HostProvider;
use slipway_core::image::{CredentialSource, ImageRepositorySpec};
use slipway_core::rule::{BuildOptions, NameValue, RuleSpec};
use slipway_core::rule_check::looks_like_credential;
use slipway_core::trigger::TriggerSpec;
use slipway_store::{CodeRepositoryRecord, CredentialRecord, ImageRepositoryRecord, RegistryRecord};

/// Returns everything that is here as a file.
pub(super) fn file_of(local: &Local) -> Result<ConfigurationFile, Failure> {
    let mut file = ConfigurationFile {
        settings: Some(settings(&local.settings)),
        sources: local.sources.iter().map(source).collect::<Result<_, _>>()?,
        ..ConfigurationFile::empty()
    };
    for one in local.registries.iter().filter(|one| one.host.is_some()) {
        file.registries.extend(registry(one, &local.credentials));
    }
    for record in &local.repositories {
        let mut one = repository(local, record);
        let rules = local.rules.iter().filter(|rule| rule.repository == record.id);
        one.rules = rules.map(|record| rule(local, &record.spec)).collect();
        let triggers = local.triggers.iter().filter(|trigger| trigger.repository == record.id);
        one.triggers = triggers.map(|record| trigger(&record.spec)).collect();
        one.rules.sort_by(|a, b| a.name.cmp(&b.name));
        one.triggers.sort_by(|a, b| a.name.cmp(&b.name));
        file.repositories.push(one);
    }
    file.sources.sort_by(|a, b| a.name.cmp(&b.name));
    file.registries.sort_by(|a, b| a.name.cmp(&b.name));
    file.repositories.sort_by(|a, b| (&a.registry, &a.name).cmp(&(&b.registry, &b.name)));
    Ok(file)
}

pub(super) fn settings(settings: &Settings) -> FileSettings {
    FileSettings {
        concurrency: settings.concurrency,
        poll_seconds: settings.poll_seconds,
        code_proxy: settings.code_proxy.as_ref().map(proxy),
        registry_proxy: settings.registry_proxy.as_ref().map(proxy),
        mirrors: settings.mirrors.clone(),
        muted_notices: settings.muted_notices.clone(),
        close_to_tray: settings.close_to_tray,
    }
}

fn proxy(stored: &StoredProxy) -> FileProxy {
    let StoredProxy { url, username, password } = stored;
    FileProxy { url: url.clone(), username: username.clone(), has_password: password.is_some() }
}

pub(super) fn source(record: &CodeRepositoryRecord) -> Result<FileSource, Failure> {
    let location = match (&record.account, &record.location) {
        (Some(place), CodeLocation::GitUrl { url, .. }) => {
            let (provider, host, account_id) = parts_of_key(&place.key)
                .ok_or_else(|| Failure::internal(format!("the account of {} cannot be read", record.name)))?;
            FileLocation::Account {
                provider,
                host,
                account_id,
                repository_id: place.repository.clone(),
                path: place.path.0.clone(),
                url: url.clone(),
            }
        }
        (_, CodeLocation::GitUrl { url, username, password, ca_pem, allow_plain_http: _ }) => FileLocation::GitUrl {
            url: url.clone(),
            username: username.clone(),
            has_password: password.is_some(),
            ca_pem: ca_pem.as_deref().and_then(authority::certificates),
        },
        (_, CodeLocation::Ssh { url }) => FileLocation::Ssh { url: url.clone() },
        (_, CodeLocation::LocalClone { path }) => FileLocation::LocalClone { path: path.clone() },
    };
    Ok(FileSource { name: record.name.clone(), location, poll_interval_seconds: record.poll_interval_seconds })
}

/// Takes apart what [`slipway_store::SourceAccountRecord::key`] put together.
fn parts_of_key(key: &str) -> Option<(HostProvider, String, String)> {
    let mut parts = key.splitn(3, ' ');
    let provider = HostProvider::parse(parts.next()?)?;
    Some((provider, parts.next()?.to_owned(), parts.next()?.to_owned()))
}

pub(super) fn registry(record: &RegistryRecord, credentials: &[CredentialRecord]) -> Option<FileRegistry> {
    let own = credentials.iter().filter(|credential| credential.registry == record.id);
    let mut credentials: Vec<_> = own.map(credential).collect();
    credentials.sort_by(|a, b| a.name.cmp(&b.name));
    Some(FileRegistry {
        name: record.name.clone(),
        host: record.host.clone()?,
        plain_http: record.plain_http,
        ca_pem: record.ca_pem.as_deref().and_then(authority::certificates),
        credentials,
    })
}

fn credential(record: &CredentialRecord) -> FileCredential {
    let (login, username) = match &record.source {
        CredentialSource::Anonymous => (FileLogin::Anonymous, ""),
        CredentialSource::DockerConfig => (FileLogin::DockerConfig, ""),
        CredentialSource::Password { username, secret: _ } | CredentialSource::Command { username, argv: _ } => {
            (FileLogin::ToEnter, username.as_str())
        }
        CredentialSource::IdentityToken { secret: _ } | CredentialSource::Helper { name: _ } => {
            (FileLogin::ToEnter, "")
        }
    };
    FileCredential { name: record.name.clone(), login, username: username.to_owned() }
}

/// Returns an image repository without its rules and triggers.
pub(super) fn repository(local: &Local, record: &ImageRepositoryRecord) -> FileRepository {
    let ImageRepositorySpec { registry, name, source, credential, summary, description, write_once } = &record.spec;
    let registry = local.registries.iter().find(|one| one.id == *registry && one.host.is_some());
    let credential = local.credentials.iter().find(|one| Some(one.id) == *credential);
    FileRepository {
        registry: registry.map(|one| one.name.clone()),
        name: name.clone(),
        source: *source,
        credential: credential.map(|one| one.name.clone()),
        summary: summary.clone(),
        description: description.clone(),
        write_once: write_once.clone(),
        rules: Vec::new(),
        triggers: Vec::new(),
    }
}

pub(super) fn rule(local: &Local, spec: &RuleSpec) -> FileRule {
    let RuleSpec {
        name,
        code,
        triggers,
        paths,
        skip_words,
        dockerfile_path,
        context_dir,
        version,
        overwrite_tag,
        options,
        strategy,
        auto_trigger,
        report_status,
    } = spec.clone();
    let source = local.sources.iter().find(|one| one.id == code);
    FileRule {
        name,
        source: source.map(|one| one.name.clone()).unwrap_or_default(),
        triggers,
        paths,
        skip_words,
        dockerfile_path,
        context_dir,
        version,
        overwrite_tag,
        options: file_options(options),
        strategy,
        auto_trigger,
        report_status,
    }
}

fn file_options(options: BuildOptions) -> FileOptions {
    let BuildOptions {
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
    } = options;
    FileOptions {
        platforms,
        args: args.into_iter().map(public).collect(),
        secrets: secrets.into_iter().map(|secret| secret.id).collect(),
        target,
        labels: labels.into_iter().map(public).collect(),
        no_standard_labels,
        no_cache,
        always_pull,
        network,
        timeout_seconds,
        engine,
    }
}

/// Takes what is secret out of an argument or a label: all of it when its name says so, else what its addresses hold.
pub(super) fn public(pair: NameValue) -> NameValue {
    let value = match looks_like_credential(&pair.name) {
        true => String::new(),
        false => addresses::blanked(&pair.value),
    };
    NameValue { value, ..pair }
}

/// Returns whether something is left out of an argument or a label.
pub(super) fn is_left_out(pair: &NameValue) -> bool {
    (pair.value.is_empty() && looks_like_credential(&pair.name)) || addresses::is_blanked(&pair.value)
}

pub(super) fn trigger(spec: &TriggerSpec) -> FileTrigger {
    let TriggerSpec { name, condition, target, gate, enabled: _ } = spec.clone();
    FileTrigger { name, condition, target: file_target(target), gate }
}

fn file_target(target: DeployTarget) -> FileTarget {
    match target {
        DeployTarget::Container { engine, name } => FileTarget::Container { engine, name },
        DeployTarget::ComposeService { engine, project, service } => {
            FileTarget::ComposeService { engine, project, service }
        }
        DeployTarget::SwarmService { engine, name } => FileTarget::SwarmService { engine, name },
        DeployTarget::KubernetesContainer {
            kubeconfig,
            context,
            namespace,
            workload_kind,
            workload,
            container,
            allowed_exec: _,
        } => FileTarget::KubernetesContainer { kubeconfig, context, namespace, workload_kind, workload, container },
        DeployTarget::Webhook { url, headers, signing_secret, allow_private: _ } => FileTarget::Webhook {
            url: addresses::blanked(&url),
            headers: headers.into_iter().map(|header| header.name).collect(),
            signed: signing_secret.is_some(),
        },
    }
}
