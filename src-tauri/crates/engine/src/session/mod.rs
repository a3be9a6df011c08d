//! The session of one build: what the engine may ask of us while it builds (files, logins, secrets, health).
//!
//! The engine upgrades `POST /session` to HTTP/2 and is then the client: we serve gRPC on the connection that we dialled.
//! `POST /grpc` is upgraded the same way and there we are the client (`reference/engine-and-git-facts.md` section 2).

mod auth;
mod connection;
mod health;
mod secrets;
mod tasks;

pub(crate) use connection::{EngineChannel, WINDOW};
pub(crate) use health::LastCall;
pub(crate) use tasks::BuildTasks;

use crate::context::FileSyncService;
use crate::transport::Transport;
use bollard_buildkit_proto::health::health_server::HealthServer;
use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::SecretsServer;
use bollard_buildkit_proto::moby::filesync::v1::auth_server::AuthServer;
use bollard_buildkit_proto::moby::filesync::v1::file_sync_server::FileSyncServer;
use sha2::{Digest, Sha256};
use slipway_core::ports::LoginSource;
use slipway_core::{Failure, Secret};
use std::sync::{Arc, Mutex};

/// What the engine may call, as the session's headers tell it.
const METHODS: [&str; 5] = [
    "/grpc.health.v1.Health/Check",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.FileSync/TarStream",
];

/// The first failure on our side of the session. The engine repeats it in its own words at best, so this one is shown.
#[derive(Clone, Default)]
pub(crate) struct FirstFailure(Arc<Mutex<Option<Failure>>>);

impl FirstFailure {
    /// Keeps a failure unless there is one already.
    pub(crate) fn keep(&self, failure: Failure) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(failure);
    }

    /// Returns the first failure.
    pub(crate) fn get(&self) -> Option<Failure> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// What a session offers to the engine.
pub(crate) struct Offer {
    /// The context and the Dockerfile.
    pub(crate) files: FileSyncService,
    /// Logins for base images.
    pub(crate) logins: Arc<dyn LoginSource>,
    /// Secrets by id.
    pub(crate) secrets: Vec<(String, Secret)>,
}

/// Opens the session and serves it until `tasks` end.
///
/// # Errors
/// What dialling gives; [`slipway_core::ErrorCode::EngineUnsupported`] when the engine refuses the upgrade.
pub(crate) async fn open(
    transport: &Transport,
    tasks: &BuildTasks,
    id: &str,
    shared_key: &str,
    offer: Offer,
    last_call: LastCall,
) -> Result<(), Failure> {
    // Any text may be a key; a header may not hold any text.
    let shared_key = hex::encode(Sha256::digest(shared_key.as_bytes()));
    let mut headers = vec![
        ("X-Docker-Expose-Session-Uuid", id),
        ("X-Docker-Expose-Session-Name", "slipway"),
        ("X-Docker-Expose-Session-Sharedkey", shared_key.as_str()),
    ];
    headers.extend(METHODS.iter().map(|method| ("X-Docker-Expose-Session-Grpc-Method", *method)));
    let connection = connection::upgrade(transport, tasks, "/session", &headers).await?;
    let routes = tonic::service::Routes::new(FileSyncServer::new(offer.files))
        .add_service(AuthServer::new(auth::Logins(offer.logins)))
        .add_service(SecretsServer::new(secrets::BuildSecrets::new(offer.secrets)))
        .add_service(HealthServer::new(health::AlwaysServing(last_call)))
        .prepare();
    connection::serve(connection, tasks, routes);
    Ok(())
}

/// Opens the engine's build API, with so many bytes of room for each stream.
///
/// # Errors
/// As [`open`].
pub(crate) async fn control(transport: &Transport, tasks: &BuildTasks, window: u32) -> Result<EngineChannel, Failure> {
    let connection = connection::upgrade(transport, tasks, "/grpc", &[]).await?;
    EngineChannel::new(connection, tasks, window).await
}
