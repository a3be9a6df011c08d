//! The real outside: system clock, git, Docker, registries, keychain, the Docker client's logins.

use crate::access::OutsideLogins;
use crate::{DeployActions, Engines, Ports, ServiceDirectories};
use async_trait::async_trait;
use chrono::{DateTime, Local, Offset, Utc};
use slipway_core::Failure;
use slipway_core::deploy::DeployTarget;
use slipway_core::image::{CredentialSource, RegistryHost, RegistryLogin};
use slipway_core::ports::{BuildEngine, Clock, Deadlines};
use slipway_core::trigger::DeployPlace;
use slipway_deploy::{
    ChannelSender, ComposeAction, ContainerAction, EngineCalls, EngineDirectory, KubernetesAction, KubernetesDirectory,
    SwarmAction, WebhookAction,
};
use slipway_engine::{DockerEngine, Surroundings, engine_calls, proxy_build_args};
use slipway_git::GitCodeStore;
use slipway_hosts::Hosts;
use slipway_registry::OciRegistries;
use slipway_registry::credentials::{login_from_command, login_from_docker_config, login_from_helper};
use slipway_store::DataDir;
use slipway_vault::KeychainVault;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Name of the keychain's items.
const KEYCHAIN_SERVICE: &str = "slipway";

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn local_offset_seconds(&self, at: DateTime<Utc>) -> i32 {
        at.with_timezone(&Local).offset().fix().local_minus_utc()
    }
}

/// Wires everything real for a data folder; `installation` tells its builds from those of others on the same engine.
pub(crate) fn real_ports(data_dir: &DataDir, installation: String, clock: Arc<dyn Clock>) -> Result<Ports, Failure> {
    let deadlines = Deadlines::default();
    let surroundings = surroundings();
    let proxies = surroundings.clone();
    let (actions, directories) = deploying(surroundings.clone(), deadlines.clone());
    let hosts = Arc::new(Hosts::new(deadlines.clone(), Arc::clone(&clock)));
    Ok(Ports {
        clock,
        code: Arc::new(GitCodeStore::new(data_dir.mirrors(), data_dir.known_hosts(), deadlines.clone())),
        hosts: Arc::<Hosts>::clone(&hosts),
        authorization: hosts,
        engines: engines(surroundings, installation, deadlines.clone()),
        registries: Arc::new(OciRegistries::new(deadlines.clone())),
        vault: Arc::new(KeychainVault::new(KEYCHAIN_SERVICE)),
        outside_logins: Arc::new(DockerClientLogins { folder: docker_config_folder(), deadlines }),
        build_proxies: Arc::new(move |engine| {
            let endpoint = proxies.endpoint(context_of(engine)).map(|endpoint| endpoint.address).unwrap_or_default();
            proxies.docker_config_text().map(|text| proxy_build_args(&text, &endpoint)).unwrap_or_default()
        }),
        actions,
        directories,
        channels: Arc::new(ChannelSender::default()),
    })
}

/// Makes each engine once; an engine holds no connection, so one that comes back later is simply there.
fn engines(surroundings: Surroundings, installation: String, deadlines: Deadlines) -> Engines {
    let made: Mutex<HashMap<String, Arc<dyn BuildEngine>>> = Mutex::default();
    Arc::new(move |name| {
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = made.get(name) {
            return Ok(Arc::clone(engine));
        }
        let endpoint = surroundings.endpoint(context_of(name))?;
        let context = endpoint.context.clone();
        let engine: Arc<dyn BuildEngine> = Arc::new(
            DockerEngine::new(endpoint.transport(false)?, context, deadlines.clone())?.owned_by(&installation),
        );
        made.insert(name.to_owned(), Arc::clone(&engine));
        Ok(engine)
    })
}

/// Actions and directories hold no connection: they are made for each use.
fn deploying(surroundings: Surroundings, deadlines: Deadlines) -> (DeployActions, ServiceDirectories) {
    let (of_clusters, of_lists) = (deadlines.clone(), deadlines.clone());
    let calls = move |engine: &str| {
        let transport = surroundings.endpoint(context_of(engine))?.transport(false)?;
        Ok::<_, Failure>(EngineCalls::new(engine_calls(transport, deadlines.request), &deadlines))
    };
    let calls_of_lists = calls.clone();
    let actions: DeployActions = Arc::new(move |target| {
        Ok(match target {
            DeployTarget::Container { engine, .. } => Arc::new(ContainerAction::new(calls(engine)?)),
            DeployTarget::ComposeService { engine, .. } => Arc::new(ComposeAction::new(calls(engine)?)),
            DeployTarget::SwarmService { engine, .. } => Arc::new(SwarmAction::new(calls(engine)?)),
            DeployTarget::Webhook { .. } => Arc::new(WebhookAction::default()),
            DeployTarget::KubernetesContainer { .. } => Arc::new(KubernetesAction::new(of_clusters.clone())),
        })
    });
    let directories: ServiceDirectories = Arc::new(move |place| match place {
        DeployPlace::Engine { engine } => Ok(Arc::new(EngineDirectory::new(engine.as_str(), calls_of_lists(engine)?))),
        DeployPlace::Cluster { kubeconfig, context, allowed_exec } => {
            let allowed = allowed_exec.as_deref();
            Ok(Arc::new(KubernetesDirectory::new(kubeconfig, context, allowed, of_lists.clone())))
        }
    });
    (actions, directories)
}

/// Returns the Docker context that an engine's name asks for.
fn context_of(engine: &str) -> Option<&str> {
    engine.strip_prefix("context:")
}

fn home() -> PathBuf {
    std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"))
}

fn surroundings() -> Surroundings {
    Surroundings {
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        home: home(),
        root: PathBuf::from("/"),
    }
}

fn docker_config_folder() -> PathBuf {
    std::env::var_os("DOCKER_CONFIG").map_or_else(|| home().join(".docker"), PathBuf::from)
}

struct DockerClientLogins {
    folder: PathBuf,
    deadlines: Deadlines,
}

#[async_trait]
impl OutsideLogins for DockerClientLogins {
    async fn login(&self, source: &CredentialSource, host: &RegistryHost) -> Result<RegistryLogin, Failure> {
        let deadline = self.deadlines.helper;
        let found = match source {
            CredentialSource::DockerConfig => {
                let environment = std::env::var("DOCKER_AUTH_CONFIG").ok();
                login_from_docker_config(&self.folder, environment.as_deref(), host.as_str(), deadline).await?
            }
            CredentialSource::Helper { name } => login_from_helper(name, host.as_str(), deadline).await?,
            CredentialSource::Command { username, argv } => Some(login_from_command(username, argv, deadline).await?),
            CredentialSource::Anonymous
            | CredentialSource::Password { .. }
            | CredentialSource::IdentityToken { .. } => None,
        };
        Ok(found.unwrap_or(RegistryLogin::Anonymous))
    }
}
