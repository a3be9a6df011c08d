//! What an import comes to: each thing of the file is found here by its natural key, checked as its form checks it, compared,
//! and turned into rows. Nothing is asked outside but whether a clone's folder is there.

use super::Local;
use super::file::{ConfigurationFile, FileCredential, FileLogin, FileRegistry, FileRepository};
use super::portable;
use crate::authority;
use crate::image_repositories::{check_spec, watched_only};
use crate::registries::{bound_to_host, check_name, secret_of};
use serde::Serialize;
use serde_json::Value;
use slipway_core::configuration::{ImportChoice, ImportItem, ImportNeed, ImportObject, ImportReport, ImportState};
use slipway_core::ids::{CodeRepositoryId, CredentialId, ImageRepositoryId, RegistryId, SecretId};
use slipway_core::image::{CredentialSource, ImageRepositorySpec, ImageSource, RegistryHost, RegistryKind};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{
    ImageRepositoryRecord, ImportedConfiguration, ImportedCredential, ImportedRepository, RegistrySpec, RowRef,
};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// What an import would tell, and what it would write.
pub(super) struct Plan {
    pub(super) report: ImportReport,
    pub(super) rows: ImportedConfiguration,
}

/// A registry that repositories of the file may name.
#[derive(Clone)]
struct RegistryHere {
    at: RowRef<RegistryId>,
    kind: RegistryKind,
    /// What stands before a repository's name.
    shown: String,
    credentials: HashMap<String, RowRef<CredentialId>>,
}

/// An image repository that rules and triggers of the file go to.
pub(super) struct RepositoryHere<'a> {
    pub(super) at: RowRef<ImageRepositoryId>,
    pub(super) record: Option<&'a ImageRepositoryRecord>,
    /// Why it takes no rules.
    pub(super) read_only: Option<Failure>,
    /// It is here already, or its pushes open with a login that is: a rule that comes with the file would use it.
    pub(super) is_used: bool,
    pub(super) shown: String,
}

pub(super) struct Planner<'a> {
    pub(super) local: &'a Local,
    pub(super) choice: ImportChoice,
    pub(super) plan: Plan,
    /// Sources by their names in the file, with those that they have here until the import; none for one that is refused.
    pub(super) sources: HashMap<String, Option<(RowRef<CodeRepositoryId>, String)>>,
    registries: HashMap<String, Option<RegistryHere>>,
    pub(super) trigger_names: HashSet<String>,
}

/// Decides what an import of a file does here.
pub(super) fn plan(file: &ConfigurationFile, local: &Local, choice: ImportChoice) -> Plan {
    let mut planner = Planner {
        local,
        choice,
        plan: Plan { report: ImportReport::default(), rows: ImportedConfiguration::default() },
        sources: HashMap::new(),
        registries: HashMap::new(),
        trigger_names: HashSet::new(),
    };
    if let Some(settings) = &file.settings {
        planner.settings(settings);
    }
    planner.sources(&file.sources);
    planner.registries(&file.registries);
    planner.repositories(&file.repositories);
    planner.plan
}

impl<'a> Planner<'a> {
    /// Writes an item down. What is refused, the same, or not to be changed needs nothing afterwards.
    pub(super) fn item(
        &mut self,
        object: ImportObject,
        name: &str,
        of: Option<&str>,
        place: String,
        state: ImportState,
        needs: Vec<ImportNeed>,
    ) -> &mut ImportItem {
        let needs = if self.writes(&state) { needs } else { Vec::new() };
        let of = of.map(str::to_owned);
        let item = ImportItem { object, name: name.to_owned(), of, detail: None, place, state, needs };
        self.plan.report.items.push_mut(item)
    }

    pub(super) fn refuse(
        &mut self,
        object: ImportObject,
        name: &str,
        of: Option<&str>,
        place: String,
        failure: Failure,
    ) -> &mut ImportItem {
        self.item(object, name, of, place, ImportState::Refused { failure }, Vec::new())
    }

    /// Returns whether what is in this state is written.
    pub(super) fn writes(&self, state: &ImportState) -> bool {
        match state {
            ImportState::New => true,
            ImportState::Differs { .. } => self.choice.change,
            ImportState::Same | ImportState::Refused { .. } => false,
        }
    }

    /// Plain HTTP is a consent that a file cannot give.
    pub(super) fn plain_http(&mut self, code: ErrorCode, field: &str) -> Result<(), Failure> {
        self.plan.report.asks_plain_http = true;
        if self.choice.allow_plain_http {
            return Ok(());
        }
        Err(Failure::new(code, "plain HTTP needs your consent: anybody on the way can change what is sent").at(field))
    }

    fn registries(&mut self, files: &[FileRegistry]) {
        let local = self.local;
        let here: Vec<_> = local.registries.iter().filter(|one| one.host.is_some()).collect();
        let key = |host: Option<&RegistryHost>| host.map(|host| host.as_str().to_owned()).unwrap_or_default();
        let wanted: Vec<_> = files.iter().map(|file| (key(Some(&file.host)), file.name.trim())).collect();
        let known: Vec<_> = here.iter().map(|one| (key(one.host.as_ref()), one.name.as_str())).collect();
        let mut taken: HashSet<&str> = local.registries.iter().map(|one| one.name.as_str()).collect();
        for (index, (file, found)) in files.iter().zip(matched(&wanted, &known)).enumerate() {
            let place = format!("registries[{index}]");
            let record = found.map(|found| here[found]);
            let decided = self.registry(file, record, &taken);
            let (state, spec) = match decided {
                Ok(decided) => decided,
                Err(failure) => {
                    self.refuse(ImportObject::Registry, &file.name, Some(file.host.as_str()), place.clone(), failure);
                    // Nothing can name it, unless an earlier one has the name.
                    self.registries.entry(file.name.clone()).or_insert(None);
                    self.refuse_credentials(file, &place);
                    continue;
                }
            };
            taken.insert(file.name.trim());
            let at = match record {
                Some(record) => RowRef::Known(record.id),
                None => RowRef::Imported(self.plan.rows.registries.len()),
            };
            if self.writes(&state) {
                self.plan.rows.registries.push((record.map(|record| record.id), spec));
            }
            self.item(
                ImportObject::Registry,
                file.name.trim(),
                Some(file.host.as_str()),
                place.clone(),
                state,
                Vec::new(),
            );
            let own = local.credentials.iter().filter(|one| record.is_some_and(|record| record.id == one.registry));
            let mut credentials: HashMap<_, _> = own.map(|one| (one.name.clone(), RowRef::Known(one.id))).collect();
            let mut seen = HashSet::new();
            for (index, credential) in file.credentials.iter().enumerate() {
                let place = format!("{place}.credentials[{index}]");
                self.credential(credential, at, file.name.trim(), place, &mut credentials, &mut seen);
            }
            let shown = format!("{}/", file.host);
            let here = RegistryHere { at, kind: RegistryKind::Oci, shown, credentials };
            self.registries.entry(file.name.clone()).or_insert(Some(here));
        }
    }

    fn registry(
        &mut self,
        file: &FileRegistry,
        here: Option<&slipway_store::RegistryRecord>,
        taken: &HashSet<&str>,
    ) -> Result<(ImportState, RegistrySpec), Failure> {
        check_name(&file.name)?;
        let name = file.name.trim().to_owned();
        let ca_pem = authority::typed(file.ca_pem.as_deref())?;
        let spec = RegistrySpec { name, host: file.host.clone(), plain_http: file.plain_http, ca_pem };
        if here.is_none_or(|here| here.name != spec.name) && taken.contains(spec.name.as_str()) {
            return Err(name_taken("a registry"));
        }
        let becomes_plain = spec.plain_http && here.is_none_or(|here| !here.plain_http);
        let state = match here.and_then(|here| portable::registry(here, &[])) {
            None => ImportState::New,
            Some(here) => {
                let FileRegistry { name: _, host: _, plain_http, ca_pem: _, credentials: _ } = file;
                let wanted = FileRegistry {
                    name: spec.name.clone(),
                    host: spec.host.clone(),
                    plain_http: *plain_http,
                    ca_pem: spec.ca_pem.clone(),
                    credentials: Vec::new(),
                };
                state_of(differences(&here, &wanted))
            }
        };
        if becomes_plain {
            let secrets =
                |id| self.local.credentials.iter().any(|one| one.registry == id && secret_of(&one.source).is_some());
            if here.is_some_and(|here| secrets(here.id)) {
                return Err(bound_to_host());
            }
            if !is_this_machine(&spec.host) {
                self.plain_http(ErrorCode::InvalidField, "plain_http")?;
            }
        }
        Ok((state, spec))
    }

    /// A login that is here is never changed: only its name is compared.
    fn credential(
        &mut self,
        file: &FileCredential,
        registry: RowRef<RegistryId>,
        of: &str,
        place: String,
        known: &mut HashMap<String, RowRef<CredentialId>>,
        seen: &mut HashSet<String>,
    ) {
        let name = file.name.trim();
        let checked = match check_name(name) {
            Ok(()) if !seen.insert(name.to_owned()) => Err(name_taken("a credential of this registry")),
            other => other,
        };
        if let Err(failure) = checked {
            self.refuse(ImportObject::Credential, name, Some(of), place, failure);
            return;
        }
        if known.contains_key(name) {
            self.item(ImportObject::Credential, name, Some(of), place, ImportState::Same, Vec::new());
            return;
        }
        known.insert(name.to_owned(), RowRef::Imported(self.plan.rows.credentials.len()));
        let (source, needs) = match file.login {
            FileLogin::Anonymous => (CredentialSource::Anonymous, Vec::new()),
            FileLogin::DockerConfig => (CredentialSource::DockerConfig, Vec::new()),
            FileLogin::ToEnter => {
                let username = file.username.clone();
                (CredentialSource::Password { username, secret: SecretId::NOT_ENTERED }, vec![ImportNeed::Login])
            }
        };
        self.plan.rows.credentials.push(ImportedCredential { registry, name: name.to_owned(), source });
        self.item(ImportObject::Credential, name, Some(of), place, ImportState::New, needs);
    }

    fn refuse_credentials(&mut self, file: &FileRegistry, place: &str) {
        for (index, credential) in file.credentials.iter().enumerate() {
            let place = format!("{place}.credentials[{index}]");
            let failure = not_imported("its registry").at("registry");
            self.refuse(ImportObject::Credential, &credential.name, Some(&file.name), place, failure);
        }
    }

    fn repositories(&mut self, files: &'a [FileRepository]) {
        let local = self.local;
        let known: HashMap<_, _> = local
            .repositories
            .iter()
            .map(|record| ((record.spec.registry, record.spec.name.as_str()), record))
            .collect();
        let mut seen = HashSet::new();
        for (index, file) in files.iter().enumerate() {
            let place = format!("repositories[{index}]");
            let here = match self.registry_of(file) {
                Ok(registry) => {
                    let record = match registry.at {
                        RowRef::Known(id) => known.get(&(id, file.name.as_str())).copied(),
                        RowRef::Imported(_) => None,
                    };
                    let shown = format!("{}{}", registry.shown, file.name);
                    if seen.insert((registry.at, file.name.as_str())) {
                        self.repository(file, &registry, record, shown, place.clone())
                    } else {
                        self.refuse(
                            ImportObject::Repository,
                            &shown,
                            None,
                            place.clone(),
                            name_taken("an image repository"),
                        );
                        None
                    }
                }
                Err(failure) => {
                    self.refuse(ImportObject::Repository, file.name.as_str(), None, place.clone(), failure);
                    None
                }
            };
            self.rules(&file.rules, here.as_ref(), file.name.as_str(), &place);
            self.triggers(&file.triggers, here.as_ref(), file.name.as_str(), &place);
        }
    }

    fn registry_of(&self, file: &FileRepository) -> Result<RegistryHere, Failure> {
        let Some(name) = &file.registry else {
            let engine = self.local.registries.iter().find(|one| one.kind == RegistryKind::LocalEngine);
            let engine = engine.ok_or_else(|| Failure::internal("there is no row of Local engine"))?;
            return Ok(RegistryHere {
                at: RowRef::Known(engine.id),
                kind: engine.kind,
                shown: String::new(),
                credentials: HashMap::new(),
            });
        };
        match self.registries.get(name) {
            Some(Some(here)) => Ok(here.clone()),
            Some(None) => Err(not_imported("its registry").at("registry")),
            None => {
                let why = format!("the file has no registry {name:?}");
                Err(Failure::new(ErrorCode::NotFound, why).at("registry"))
            }
        }
    }

    fn repository(
        &mut self,
        file: &FileRepository,
        registry: &RegistryHere,
        record: Option<&'a ImageRepositoryRecord>,
        shown: String,
        place: String,
    ) -> Option<RepositoryHere<'a>> {
        let (state, row) = match self.decide_repository(file, registry, record) {
            Ok(decided) => decided,
            Err(failure) => {
                self.refuse(ImportObject::Repository, &shown, None, place, failure);
                return None;
            }
        };
        let writes = self.writes(&state);
        let at = match record {
            Some(record) => RowRef::Known(record.id),
            None => RowRef::Imported(self.plan.rows.repositories.len()),
        };
        let read_only = match (record, writes) {
            (Some(record), false) => record.read_only_reason.clone(),
            (Some(record), true) => row.read_only_reason.clone().or_else(|| record.read_only_reason.clone()),
            (None, _) => row.read_only_reason.clone(),
        };
        let is_used = record.is_some() || row.credential.is_some_and(|credential| self.opens_here(credential));
        if writes {
            self.plan.rows.repositories.push(row);
        }
        self.item(ImportObject::Repository, &shown, None, place, state, Vec::new());
        Some(RepositoryHere { at, record, read_only, is_used, shown })
    }

    /// Returns whether a credential opens without a person: it is here, or it is what the Docker client of this machine knows.
    fn opens_here(&self, credential: RowRef<CredentialId>) -> bool {
        match credential {
            RowRef::Known(_) => true,
            RowRef::Imported(place) => {
                self.plan.rows.credentials.get(place).is_some_and(|row| row.source == CredentialSource::DockerConfig)
            }
        }
    }

    fn decide_repository(
        &self,
        file: &FileRepository,
        registry: &RegistryHere,
        record: Option<&ImageRepositoryRecord>,
    ) -> Result<(ImportState, ImportedRepository), Failure> {
        let credential = match &file.credential {
            None => None,
            Some(name) => Some(registry.credentials.get(name.trim()).copied().ok_or_else(|| {
                let why = format!("the registry has no credential {name:?}");
                Failure::new(ErrorCode::NotFound, why).at("credential")
            })?),
        };
        // Ids are filled in when the rows are written.
        let spec = ImageRepositorySpec {
            registry: RegistryId(0),
            name: file.name.clone(),
            source: file.source,
            credential: credential.map(|_| CredentialId(0)),
            summary: file.summary.clone(),
            description: file.description.clone(),
            write_once: file.write_once.clone(),
        };
        check_spec(&spec, registry.kind)?;
        let becomes_watched = file.source == ImageSource::PublishedByOthers;
        let state = match record {
            None => ImportState::New,
            Some(record) => {
                let here = portable::repository(self.local, record);
                let wanted = FileRepository {
                    registry: here.registry.clone(),
                    credential: file.credential.as_deref().map(|name| name.trim().to_owned()),
                    rules: Vec::new(),
                    triggers: Vec::new(),
                    ..file.clone()
                };
                let busy = self.local.busy.contains(&record.id)
                    || self.local.rules.iter().any(|rule| rule.repository == record.id);
                if becomes_watched && record.spec.source != file.source && busy {
                    let why = "a repository that others publish has no rules and no builds of its own";
                    return Err(Failure::new(ErrorCode::InUse, why).at("source"));
                }
                state_of(differences(&here, &wanted))
            }
        };
        let read_only_reason = becomes_watched.then(watched_only);
        let id = record.map(|record| record.id);
        Ok((state, ImportedRepository { id, registry: registry.at, credential, spec, read_only_reason }))
    }
}

/// Finds for each of the file's things the one here: by key and name, else by key among those that are left.
pub(super) fn matched(wanted: &[(String, &str)], here: &[(String, &str)]) -> Vec<Option<usize>> {
    let mut free: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, (key, _)) in here.iter().enumerate() {
        free.entry(key.as_str()).or_default().push(index);
    }
    let mut take = |key: &str, fits: &dyn Fn(usize) -> bool| {
        let left = free.get_mut(key)?;
        let at = left.iter().position(|index| fits(*index))?;
        Some(left.remove(at))
    };
    let exact: Vec<_> = wanted.iter().map(|(key, name)| take(key, &|index| here[index].1 == *name)).collect();
    wanted.iter().zip(exact).map(|((key, _), exact)| exact.or_else(|| take(key, &|_| true))).collect()
}

/// Returns the paths of the fields that differ, sorted.
pub(super) fn differences<T: Serialize>(here: &T, wanted: &T) -> Vec<String> {
    let value = |one: &T| serde_json::to_value(one).unwrap_or_default();
    let mut found = Vec::new();
    compare(&value(here), &value(wanted), "", &mut found);
    found.sort();
    found
}

fn compare(here: &Value, wanted: &Value, place: &str, found: &mut Vec<String>) {
    if here == wanted {
        return;
    }
    let (Value::Object(here), Value::Object(wanted)) = (here, wanted) else {
        found.push(place.to_owned());
        return;
    };
    let names: HashSet<&String> = here.keys().chain(wanted.keys()).collect();
    for name in names {
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        compare(here.get(name).unwrap_or(&Value::Null), wanted.get(name).unwrap_or(&Value::Null), &place, found);
    }
}

pub(super) fn state_of(fields: Vec<String>) -> ImportState {
    if fields.is_empty() { ImportState::Same } else { ImportState::Differs { fields } }
}

pub(super) fn name_taken(what: &str) -> Failure {
    Failure::new(ErrorCode::NameTaken, format!("{what} has this name already")).at("name")
}

/// Why something is refused that hangs on something else.
pub(super) fn not_imported(what: &str) -> Failure {
    Failure::new(ErrorCode::NotFound, format!("{what} cannot be imported"))
}

/// Plain HTTP that does not leave the machine needs no consent.
fn is_this_machine(host: &RegistryHost) -> bool {
    let text = host.as_str();
    let name = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => text.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
