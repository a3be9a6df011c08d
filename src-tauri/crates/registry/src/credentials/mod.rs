//! Logins that are fetched when they are used (`reference/registries.md` section 3): from the Docker client's
//! configuration, from a credential helper, or from a command. Nothing read here is kept or logged.

mod command;
mod docker_config;
mod helper;
mod process;
#[cfg(all(test, unix))]
mod tests;

pub use command::login_from_command;
pub use docker_config::login_from_docker_config;
pub use helper::login_from_helper;

/// The key under which the Docker client keeps Docker Hub's login.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Returns the key that the Docker client uses for a host: the host itself, except for Docker Hub.
fn server_key(host: &str) -> &str {
    match host {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB_KEY,
        other => other,
    }
}

fn failed(message: impl Into<String>) -> slipway_core::Failure {
    slipway_core::Failure::new(slipway_core::ErrorCode::CredentialHelperFailed, message)
}
