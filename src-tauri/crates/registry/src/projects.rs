//! Projects of a Harbor, its namespaces, through its own interface beside the registry's (`reference/registries.md` section
//! 4.5). They must exist before the first push. Harbor alone is known here: Quay takes another login for making organizations
//! than for pushing, the clouds' registries take keys of the cloud.

use crate::errors::{is_html, not_a_registry};
use crate::exchange::{Answer, Call, Exchange};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use slipway_core::namespace::Project;
use slipway_core::{ErrorCode, Failure};

/// The most that Harbor gives at once.
const PAGE_SIZE: usize = 100;
const MOST_PAGES: usize = 100;
const MOST_PAGE_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Deserialize)]
struct Listed {
    name: String,
    #[serde(default)]
    repo_count: u64,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    /// Text: `true` or `false`.
    #[serde(default)]
    public: String,
}

/// Returns whether a Harbor answers: nothing else says "Pong" there. Nobody signs in for it.
pub(crate) async fn is_harbor(exchange: &Exchange<'_>) -> bool {
    let Ok(call) = call(exchange, Method::GET, "/api/v2.0/ping") else { return false };
    let answer = exchange.send_plain(&call, false).await;
    answer.is_ok_and(|answer| {
        let said = String::from_utf8_lossy(&answer.body).trim().trim_matches('"') == "Pong";
        answer.status == StatusCode::OK && !is_html(&answer.headers) && said
    })
}

/// Lists all projects that the login may see.
pub(crate) async fn list(exchange: &Exchange<'_>) -> Result<Vec<Project>, Failure> {
    let mut projects = Vec::new();
    for page in 1..=MOST_PAGES {
        let path = format!("/api/v2.0/projects?page={page}&page_size={PAGE_SIZE}");
        let call = Call { limit: MOST_PAGE_BYTES, ..call(exchange, Method::GET, &path)? };
        let answer = exchange.send_plain(&call, true).await?;
        if !answer.status.is_success() {
            return Err(refusal(exchange, &call, &answer));
        }
        let listed: Vec<Listed> = serde_json::from_slice(&answer.body)
            .map_err(|_| not_a_registry(exchange.host(), "it answers with something that is no list of projects"))?;
        let is_last = listed.len() < PAGE_SIZE;
        projects.extend(listed.into_iter().map(|one| Project {
            public: one.metadata.public == "true",
            name: one.name,
            repositories: one.repo_count,
        }));
        if is_last {
            return Ok(projects);
        }
    }
    Err(not_a_registry(exchange.host(), "its list of projects does not end"))
}

/// Makes a project.
pub(crate) async fn create(exchange: &Exchange<'_>, name: &str, public: bool) -> Result<(), Failure> {
    // Harbor's flags are texts. Without a limit the Harbor's own counts, which only its administrators may change.
    let body = serde_json::json!({ "project_name": name, "metadata": { "public": public.to_string() } });
    let call = Call {
        body: Some(("application/json".to_owned(), Bytes::from(body.to_string()))),
        ..call(exchange, Method::POST, "/api/v2.0/projects")?
    };
    let answer = exchange.send_plain(&call, true).await?;
    match answer.status {
        StatusCode::CREATED => Ok(()),
        status if status.is_success() => {
            Err(not_a_registry(exchange.host(), "it did not say that it made the project"))
        }
        _ => Err(refusal(exchange, &call, &answer)),
    }
}

fn call(exchange: &Exchange<'_>, method: Method, path: &str) -> Result<Call, Failure> {
    Ok(Call { accept: Some("application/json"), ..Call::new(method, exchange.url(path)?, String::new()) })
}

/// Harbor's interface means something else by some statuses than a registry's.
fn refusal(exchange: &Exchange<'_>, call: &Call, answer: &Answer) -> Failure {
    let failure = exchange.failure(call, answer);
    if is_html(&answer.headers) {
        return not_a_registry(exchange.host(), "it answers with a web page");
    }
    match answer.status {
        StatusCode::UNAUTHORIZED => Failure { code: ErrorCode::RegistryUnauthorized, ..failure }.at("credential"),
        StatusCode::FORBIDDEN => Failure { code: ErrorCode::RegistryDenied, ..failure }.at("credential"),
        StatusCode::BAD_REQUEST if call.method == Method::POST => {
            Failure { code: ErrorCode::RegistryNameInvalid, ..failure }.at("name")
        }
        StatusCode::CONFLICT => Failure { code: ErrorCode::NameTaken, ..failure }.at("name"),
        _ => failure,
    }
}
