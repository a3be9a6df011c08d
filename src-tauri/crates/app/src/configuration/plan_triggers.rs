//! The plan's part about image triggers. Each comes in switched off and without consents: a file never starts deploying.

use super::file::{FileTarget, FileTrigger};
use super::plan::{Planner, RepositoryHere, differences, name_taken, not_imported, state_of};
use super::{addresses, portable};
use crate::triggers;
use slipway_core::Failure;
use slipway_core::configuration::{ImportNeed, ImportObject, ImportState};
use slipway_core::deploy::{DeployTarget, WebhookHeader};
use slipway_core::ids::SecretId;
use slipway_core::trigger::TriggerSpec;
use slipway_store::{ImportedTrigger, TriggerRecord};
use std::collections::HashMap;

impl<'a> Planner<'a> {
    pub(super) fn triggers(
        &mut self,
        files: &[FileTrigger],
        here: Option<&RepositoryHere<'a>>,
        repository: &str,
        place: &str,
    ) {
        let local = self.local;
        // Case makes no difference in the names of triggers.
        let known: HashMap<String, &TriggerRecord> =
            local.triggers.iter().map(|trigger| (trigger.spec.name.to_ascii_lowercase(), trigger)).collect();
        for (index, file) in files.iter().enumerate() {
            let place = format!("{place}.triggers[{index}]");
            let of = here.map_or(repository, |here| here.shown.as_str());
            let name = file.name.trim().to_ascii_lowercase();
            let decided = match here {
                None => Err(not_imported("its image repository")),
                Some(_) if !self.trigger_names.insert(name.clone()) => Err(name_taken("another trigger")),
                Some(here) => self.trigger(file, here, known.get(&name).copied()),
            };
            match decided {
                Ok((state, row, needs)) => {
                    if self.writes(&state) {
                        self.plan.rows.triggers.push(row);
                    }
                    self.item(ImportObject::Trigger, file.name.trim(), Some(of), place, state, needs);
                }
                Err(failure) => {
                    self.refuse(ImportObject::Trigger, &file.name, Some(of), place, failure);
                }
            }
        }
    }

    fn trigger(
        &self,
        file: &FileTrigger,
        here: &RepositoryHere<'_>,
        record: Option<&TriggerRecord>,
    ) -> Result<(ImportState, ImportedTrigger, Vec<ImportNeed>), Failure> {
        if record.is_some_and(|record| Some(record.repository) != here.record.map(|repository| repository.id)) {
            return Err(name_taken("a trigger of another image repository"));
        }
        let spec = triggers::checked(&TriggerSpec {
            name: file.name.clone(),
            condition: file.condition.clone(),
            target: target(&file.target, record.map(|record| &record.spec.target)),
            gate: file.gate,
            enabled: false,
        })?;
        let state = match record {
            None => ImportState::New,
            Some(record) => {
                let mut fields = differences(&portable::trigger(&record.spec), &portable::trigger(&spec));
                // Somebody wrote another key into the address of the file.
                if fields.is_empty() && record.spec.target.key() != spec.target.key() {
                    fields.push("target.url".to_owned());
                }
                state_of(fields)
            }
        };
        let needs = needs_of(&spec.target);
        let id = record.map(|record| record.id);
        Ok((state, ImportedTrigger { id, repository: here.at, spec }, needs))
    }
}

/// Makes a target of the file's. Secrets and consents stay with a trigger only while it updates the same target.
fn target(file: &FileTarget, here: Option<&DeployTarget>) -> DeployTarget {
    let bare = match file.clone() {
        FileTarget::Container { engine, name } => DeployTarget::Container { engine, name },
        FileTarget::ComposeService { engine, project, service } => {
            DeployTarget::ComposeService { engine, project, service }
        }
        FileTarget::SwarmService { engine, name } => DeployTarget::SwarmService { engine, name },
        FileTarget::KubernetesContainer { kubeconfig, context, namespace, workload_kind, workload, container } => {
            DeployTarget::KubernetesContainer {
                kubeconfig,
                context,
                namespace,
                workload_kind,
                workload,
                container,
                allowed_exec: None,
            }
        }
        FileTarget::Webhook { url, headers, signed } => DeployTarget::Webhook {
            url: match here {
                Some(DeployTarget::Webhook { url: stored, .. }) if addresses::blanked(stored) == url => stored.clone(),
                _ => url,
            },
            headers: headers.into_iter().map(|name| WebhookHeader { name, value: SecretId::NOT_ENTERED }).collect(),
            signing_secret: signed.then_some(SecretId::NOT_ENTERED),
            allow_private: false,
        },
    };
    let here = here.filter(|here| here.key() == bare.key());
    match (bare, here) {
        (
            DeployTarget::KubernetesContainer {
                kubeconfig,
                context,
                namespace,
                workload_kind,
                workload,
                container,
                ..
            },
            Some(DeployTarget::KubernetesContainer { allowed_exec, .. }),
        ) => DeployTarget::KubernetesContainer {
            kubeconfig,
            context,
            namespace,
            workload_kind,
            workload,
            container,
            allowed_exec: allowed_exec.clone(),
        },
        (
            DeployTarget::Webhook { url, headers, signing_secret, .. },
            Some(DeployTarget::Webhook { headers: stored, signing_secret: key, allow_private, .. }),
        ) => DeployTarget::Webhook {
            url,
            headers: headers
                .into_iter()
                .map(|header| stored.iter().find(|one| one.name == header.name).cloned().unwrap_or(header))
                .collect(),
            signing_secret: signing_secret.map(|new| key.unwrap_or(new)),
            allow_private: *allow_private,
        },
        (bare, _) => bare,
    }
}

fn needs_of(target: &DeployTarget) -> Vec<ImportNeed> {
    let mut needs = vec![ImportNeed::SwitchedOff];
    match target {
        DeployTarget::KubernetesContainer { allowed_exec: None, .. } => needs.push(ImportNeed::ClusterConsent),
        DeployTarget::Webhook { url, headers, signing_secret, allow_private } => {
            let open = headers.iter().filter(|header| header.value == SecretId::NOT_ENTERED);
            let headers: Vec<_> = open.map(|header| header.name.clone()).collect();
            let signed = *signing_secret == Some(SecretId::NOT_ENTERED);
            let address = addresses::is_blanked(url);
            if signed || address || !headers.is_empty() {
                needs.push(ImportNeed::WebhookSecrets { headers, signed, address });
            }
            if !allow_private {
                needs.push(ImportNeed::PrivateConsent);
            }
        }
        _ => {}
    }
    needs
}
