//! Namespaces of a registry: what its catalogue shows, and those of the repositories that are known here.

use crate::Slipway;
use slipway_core::ids::{CredentialId, RegistryId};
use slipway_core::image::{RegistryKind, RepositoryName};
use slipway_core::namespace::{Namespace, NamespaceCreation, NamespaceList};
use slipway_core::{ErrorCode, Failure};
use slipway_store::ImageRepositoryFilter;
use std::collections::BTreeMap;

impl Slipway {
    /// Returns the namespaces of a registry as far as they can be known. A registry without a catalogue is no error: the
    /// answer says why there is none.
    ///
    /// # Errors
    /// [`slipway_core::ErrorCode::NotFound`]; what opening the credential says.
    pub async fn namespaces(
        &self,
        registry: RegistryId,
        credential: Option<CredentialId>,
    ) -> Result<NamespaceList, Failure> {
        let record = self.parts.store.registry(registry).await?;
        let mut namespaces: BTreeMap<String, Namespace> = BTreeMap::new();
        let filter = ImageRepositoryFilter { registry: Some(registry), limit: u32::MAX, ..Default::default() };
        for known in self.parts.store.image_repositories(&filter).await?.items {
            if let Some(namespace) = entry(&mut namespaces, known.record.spec.name.as_str()) {
                namespace.known += 1;
            }
        }
        let mut catalogue_failure = None;
        let host = record.host.as_ref().map(|host| host.as_str()).unwrap_or_default();
        let mut creation = creation(record.kind, host);
        if let Some(access) = self.parts.registry_access(&record, credential).await? {
            let registries = &self.parts.ports.registries;
            // Only a host that is not known by its name can be somebody's own Harbor.
            let projects =
                if creation == NamespaceCreation::FirstPush { registries.projects(&access).await } else { None };
            match projects {
                Some(Ok(projects)) => {
                    creation = NamespaceCreation::Here;
                    for project in projects {
                        let namespace = namespace(&mut namespaces, &project.name);
                        (namespace.listed, namespace.public) = (project.repositories, Some(project.public));
                    }
                }
                Some(Err(failure)) => {
                    creation = NamespaceCreation::Here;
                    catalogue_failure = Some(failure);
                }
                None => match registries.repositories(&access).await {
                    Ok(names) => {
                        for name in names {
                            if let Some(namespace) = entry(&mut namespaces, &name) {
                                namespace.listed += 1;
                            }
                        }
                    }
                    Err(failure) => catalogue_failure = Some(failure),
                },
            }
        }
        Ok(NamespaceList { namespaces: namespaces.into_values().collect(), creation, catalogue_failure })
    }

    /// Makes a namespace at a registry that allows it ([`NamespaceCreation::Here`]), read by everybody or by its members only.
    ///
    /// # Errors
    /// [`ErrorCode::RegistryUnsupported`] at other registries. At `name`: [`ErrorCode::RegistryNameInvalid`],
    /// [`ErrorCode::NameTaken`]. At `credential`: [`ErrorCode::RegistryUnauthorized`], [`ErrorCode::RegistryDenied`].
    pub async fn create_namespace(
        &self,
        registry: RegistryId,
        credential: Option<CredentialId>,
        name: &str,
        public: bool,
    ) -> Result<(), Failure> {
        if name.contains('/') || RepositoryName::new(name).is_err() {
            let why = "a namespace has lower-case letters, digits, and single dots, dashes or underscores between them";
            return Err(Failure::new(ErrorCode::RegistryNameInvalid, why).at("name"));
        }
        let record = self.parts.store.registry(registry).await?;
        let Some(access) = self.parts.registry_access(&record, credential).await? else {
            return Err(Failure::new(ErrorCode::RegistryUnsupported, "the local engine has no namespaces"));
        };
        self.parts.ports.registries.create_project(&access, name, public).await
    }
}

/// Names without a slash have no namespace.
fn entry<'a>(namespaces: &'a mut BTreeMap<String, Namespace>, repository: &str) -> Option<&'a mut Namespace> {
    repository.split_once('/').map(|(name, _)| namespace(namespaces, name))
}

fn namespace<'a>(namespaces: &'a mut BTreeMap<String, Namespace>, name: &str) -> &'a mut Namespace {
    let empty = || Namespace { name: name.to_owned(), listed: 0, known: 0, public: None };
    namespaces.entry(name.to_owned()).or_insert_with(empty)
}

/// How a namespace comes to exist at a registry, by its host (`reference/registries.md` section 4). An unknown host is taken
/// for a plain registry, where the first push makes it, until it says that it is a Harbor; where that is wrong, the first push
/// says so.
fn creation(kind: RegistryKind, host: &str) -> NamespaceCreation {
    if kind == RegistryKind::LocalEngine {
        return NamespaceCreation::Free;
    }
    let name = host.split(':').next().unwrap_or_default();
    let is = |domain: &str| name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    if is("docker.io") || is("ghcr.io") || is("quay.io") {
        NamespaceCreation::Account
    } else if is("gitlab.com")
        || is("tencentyun.com")
        || is("tencentcloudcr.com")
        || is("coding.net")
        || is("cnb.cool")
        || is("aliyuncs.com")
    {
        NamespaceCreation::Console
    } else if is("amazonaws.com") || is("amazonaws.com.cn") {
        NamespaceCreation::Repository
    } else {
        NamespaceCreation::FirstPush
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_registry_makes_namespaces_its_own_way() {
        let table = [
            ("docker.io", NamespaceCreation::Account),
            ("ghcr.io", NamespaceCreation::Account),
            ("registry.gitlab.com", NamespaceCreation::Console),
            ("ccr.ccs.tencentyun.com", NamespaceCreation::Console),
            ("team.tencentcloudcr.com", NamespaceCreation::Console),
            ("registry.cn-hangzhou.aliyuncs.com", NamespaceCreation::Console),
            ("1234.dkr.ecr.eu-west-1.amazonaws.com", NamespaceCreation::Repository),
            ("name.azurecr.io", NamespaceCreation::FirstPush),
            ("127.0.0.1:5000", NamespaceCreation::FirstPush),
            ("notdocker.io", NamespaceCreation::FirstPush),
        ];
        for (host, expected) in table {
            assert_eq!(creation(RegistryKind::Oci, host), expected, "{host}");
        }
        assert_eq!(creation(RegistryKind::LocalEngine, ""), NamespaceCreation::Free);
    }
}
