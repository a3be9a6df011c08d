//! Where the engine is, by the rules of the Docker client: an explicit choice, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current
//! context of `config.json`, then the sockets that engines make. Environment and home come as arguments.

use crate::transport::{TlsMaterial, Transport};
use sha2::{Digest as _, Sha256};
use slipway_core::{ErrorCode, Failure};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// What discovery may look at.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Environment variables; `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_CONFIG`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`,
    /// `XDG_RUNTIME_DIR` are read.
    pub environment: HashMap<String, String>,
    /// The user's home folder.
    pub home: PathBuf,
    /// What stands before `/var/run` and `/run`; the file system's root outside of tests.
    pub root: PathBuf,
}

/// An endpoint that was found.
#[derive(Clone)]
pub struct Endpoint {
    /// As `DOCKER_HOST` would have it.
    pub address: String,
    /// The Docker context that named it.
    pub context: Option<String>,
    /// Certificates, for TCP.
    pub tls: Option<TlsMaterial>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tls = self.tls.is_some();
        f.debug_struct("Endpoint")
            .field("address", &self.address)
            .field("context", &self.context)
            .field("tls", &tls)
            .finish()
    }
}

impl Endpoint {
    /// Makes it ready to be dialled.
    ///
    /// # Errors
    /// As [`Transport::open`].
    pub fn transport(&self, allow_plain_tcp: bool) -> Result<Transport, Failure> {
        Transport::open(&self.address, self.tls.as_ref(), allow_plain_tcp)
    }
}

impl Surroundings {
    /// Finds the engine. `choice` is a rule's: nothing or `local`, or `context:<name>`. Blocking: reads small files.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] for another choice, [`ErrorCode::EngineAbsent`] when the context does not exist or no
    /// socket is there, [`ErrorCode::EngineForbidden`] when a file of the context cannot be read.
    pub fn endpoint(&self, choice: Option<&str>) -> Result<Endpoint, Failure> {
        match choice {
            None | Some("" | "local") => {}
            Some(choice) => {
                let name = choice.strip_prefix("context:").filter(|name| !name.is_empty()).ok_or_else(|| {
                    Failure::new(ErrorCode::InvalidField, format!("{choice:?} is neither local nor context:<name>"))
                })?;
                return self.context(name);
            }
        }
        if let Some(address) = self.variable("DOCKER_HOST") {
            return Ok(Endpoint { tls: self.environment_tls(address)?, address: address.to_owned(), context: None });
        }
        let config = self.docker_config()?;
        let configured = config.and_then(|config| config.current_context).filter(|name| !name.is_empty());
        match self.variable("DOCKER_CONTEXT").map(str::to_owned).or(configured) {
            Some(name) if name != "default" => self.context(&name),
            _ => self.default_socket(),
        }
    }

    /// Lists the names of the Docker contexts, sorted. One whose description cannot be read is left out.
    #[must_use]
    pub fn contexts(&self) -> Vec<String> {
        let folders = std::fs::read_dir(self.docker_folder().join("contexts/meta")).into_iter().flatten().flatten();
        let described = folders.filter_map(|folder| {
            let text = std::fs::read(folder.path().join("meta.json")).ok()?;
            Some(serde_json::from_slice::<ContextMeta>(&text).ok()?.name)
        });
        let mut names: Vec<String> = described.collect();
        names.sort();
        names
    }

    /// Returns the Docker client's `config.json`, for its `proxies`; `None` when there is none.
    #[must_use]
    pub fn docker_config_text(&self) -> Option<String> {
        std::fs::read_to_string(self.docker_folder().join("config.json")).ok()
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn docker_folder(&self) -> PathBuf {
        self.variable("DOCKER_CONFIG").map_or_else(|| self.home.join(".docker"), PathBuf::from)
    }

    fn docker_config(&self) -> Result<Option<DockerConfig>, Failure> {
        let path = self.docker_folder().join("config.json");
        let Some(text) = read(&path)? else { return Ok(None) };
        // A damaged file is ignored as the Docker client does: it warns and goes on.
        Ok(serde_json::from_slice(&text).ok())
    }

    /// `DOCKER_TLS_VERIFY` asks for TLS; `DOCKER_CERT_PATH` says where the certificates are.
    fn environment_tls(&self, address: &str) -> Result<Option<TlsMaterial>, Failure> {
        if !address.starts_with("tcp://") || self.variable("DOCKER_TLS_VERIFY").is_none() {
            return Ok(None);
        }
        let folder = self.variable("DOCKER_CERT_PATH").map_or_else(|| self.docker_folder(), PathBuf::from);
        Ok(Some(tls_files(&folder)?))
    }

    fn context(&self, name: &str) -> Result<Endpoint, Failure> {
        if name == "default" {
            return self.default_socket();
        }
        let contexts = self.docker_folder().join("contexts");
        let id = hex::encode(Sha256::digest(name));
        let absent = |why: &str| {
            Failure::new(ErrorCode::EngineAbsent, format!("the Docker context {name:?} {why}")).with("context", name)
        };
        let text = read(&contexts.join("meta").join(&id).join("meta.json"))?.ok_or_else(|| absent("does not exist"))?;
        let meta: ContextMeta = serde_json::from_slice(&text).map_err(|_| absent("cannot be read"))?;
        let docker = meta.endpoints.docker.ok_or_else(|| absent("has no Docker endpoint"))?;
        let tls = match docker.host.starts_with("tcp://") {
            true => Some(tls_files(&contexts.join("tls").join(&id).join("docker"))?).filter(TlsMaterial::is_some),
            false => None,
        };
        Ok(Endpoint { address: docker.host, context: Some(name.to_owned()), tls })
    }

    #[cfg(not(windows))]
    fn default_socket(&self) -> Result<Endpoint, Failure> {
        let sockets = self.default_sockets();
        let found = sockets.iter().find(|path| path.try_exists().unwrap_or(true));
        let path = found.ok_or_else(|| {
            let tried = sockets.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
            Failure::new(ErrorCode::EngineAbsent, format!("no engine's socket is there; looked at {tried}"))
                .with("tried", tried)
        })?;
        Ok(Endpoint { address: format!("unix://{}", path.display()), context: None, tls: None })
    }

    #[cfg(windows)]
    fn default_socket(&self) -> Result<Endpoint, Failure> {
        Ok(Endpoint { address: "npipe:////./pipe/docker_engine".to_owned(), context: None, tls: None })
    }

    /// Docker itself first, then its rootless form and the desktops, Podman last.
    #[cfg(not(windows))]
    fn default_sockets(&self) -> Vec<PathBuf> {
        let runtime = self.variable("XDG_RUNTIME_DIR").map(PathBuf::from);
        let in_runtime = |path: &str| runtime.as_ref().map(|runtime| runtime.join(path));
        let in_home = |path: &str| Some(self.home.join(path));
        [
            Some(self.root.join("var/run/docker.sock")),
            in_runtime("docker.sock"),
            in_home(".docker/run/docker.sock"),
            in_home(".docker/desktop/docker.sock"),
            in_home(".colima/default/docker.sock"),
            in_home(".orbstack/run/docker.sock"),
            in_home(".rd/docker.sock"),
            in_runtime("podman/podman.sock"),
            Some(self.root.join("run/podman/podman.sock")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl TlsMaterial {
    /// Returns true when there is any certificate or key.
    fn is_some(&self) -> bool {
        self.ca.is_some() || self.cert.is_some() || self.key.is_some()
    }
}

fn tls_files(folder: &Path) -> Result<TlsMaterial, Failure> {
    Ok(TlsMaterial {
        ca: read(&folder.join("ca.pem"))?,
        cert: read(&folder.join("cert.pem"))?,
        key: read(&folder.join("key.pem"))?,
    })
}

/// Reads a file of the Docker client; `None` when it is not there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => {
            Err(Failure::new(ErrorCode::EngineForbidden, format!("{} cannot be read: {error}", path.display()))
                .with("path", path.display().to_string()))
        }
    }
}

#[derive(serde::Deserialize)]
struct DockerConfig {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextMeta {
    name: String,
    #[serde(default)]
    endpoints: ContextEndpoints,
}

#[derive(serde::Deserialize, Default)]
struct ContextEndpoints {
    docker: Option<ContextEndpoint>,
}

#[derive(serde::Deserialize)]
struct ContextEndpoint {
    #[serde(rename = "Host")]
    host: String,
}

#[cfg(all(test, unix))]
mod tests;
