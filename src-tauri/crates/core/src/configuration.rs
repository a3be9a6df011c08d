//! What an import of a configuration would do, or did: one line for each thing that the file says.

use crate::Failure;
use crate::network::RegistryMirrors;
use serde::{Deserialize, Serialize};

/// What a person chose for an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct ImportChoice {
    /// What is here and differs is changed too; otherwise only what is new is added. Nothing is ever removed.
    pub change: bool,
    /// The person agrees to plain HTTP where the file asks for it: consents are never in a file.
    pub allow_plain_http: bool,
}

/// What an import would do, or did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ImportReport {
    /// Everything that the file says, in the order in which it is imported.
    pub items: Vec<ImportItem>,
    /// The file asks for plain HTTP somewhere.
    pub asks_plain_http: bool,
}

/// One thing of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ImportItem {
    /// What it is.
    pub object: ImportObject,
    /// Its name; empty for the settings.
    pub name: String,
    /// What it belongs to: the repository of a rule or a trigger, the registry of a credential, the host of a registry, the
    /// address or folder of a code source.
    pub of: Option<String>,
    /// What else a person should know of it: the code source that a rule builds; of settings that are new, the fields that
    /// would change.
    pub detail: Option<String>,
    /// Where it stands in the file (`repositories[2].rules[0]`).
    pub place: String,
    /// How it compares with what is here.
    pub state: ImportState,
    /// What a person has to do about it afterwards; empty unless the import writes it.
    pub needs: Vec<ImportNeed>,
}

/// Kinds of things in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ImportObject {
    /// The settings of the application.
    Settings,
    /// A code repository.
    Source,
    /// An OCI registry.
    Registry,
    /// A credential of a registry.
    Credential,
    /// An image repository.
    Repository,
    /// A build rule.
    Rule,
    /// An image trigger.
    Trigger,
}

/// How a thing of the file compares with what is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ImportState {
    /// It is not here.
    New,
    /// It is here and says the same.
    Same,
    /// It is here and says something else.
    Differs {
        /// In these fields, as paths in the file's object.
        fields: Vec<String>,
    },
    /// It cannot be imported.
    Refused {
        /// Why.
        failure: Failure,
    },
}

/// What a person has to do after an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ImportNeed {
    /// Enter the password of a code source.
    SourcePassword,
    /// Authorize the account again that opens a code source.
    Account {
        /// The address of its code host.
        host: String,
    },
    /// The folder of a local clone is not on this machine.
    FolderMissing {
        /// The folder.
        path: String,
    },
    /// Enter the login of a registry.
    Login,
    /// Enter the password of a proxy.
    ProxyPassword,
    /// Enter the secrets that a rule's builds mount.
    BuildSecrets {
        /// Their ids.
        ids: Vec<String>,
    },
    /// Know the proxies that traffic goes through from now on.
    Proxies {
        /// Their addresses.
        addresses: Vec<String>,
    },
    /// Know the mirrors that images are read from, from now on.
    Mirrors {
        /// Each upstream with its mirrors.
        lists: Vec<RegistryMirrors>,
    },
    /// Enter build arguments whose names say that they are secret, or logins and keys in the addresses that they hold.
    Arguments {
        /// Their names.
        names: Vec<String>,
    },
    /// Enter labels, as arguments.
    Labels {
        /// Their names.
        names: Vec<String>,
    },
    /// Enter headers, the signing key, or what is secret in the address, of a trigger's webhook.
    WebhookSecrets {
        /// Names of the headers.
        headers: Vec<String>,
        /// The signing key too.
        signed: bool,
        /// The address's login or key too.
        address: bool,
    },
    /// A webhook in a private network has to be allowed again.
    PrivateConsent,
    /// A program that the kubeconfig runs to sign in has to be allowed again.
    ClusterConsent,
    /// It is switched off: an import never starts deploying, nor building into what is here already.
    SwitchedOff,
}
