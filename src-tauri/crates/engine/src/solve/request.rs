//! A build as `Control.Solve` wants it.

use crate::context::DOCKERFILE;
use bollard_buildkit_proto::moby::buildkit::v1::SolveRequest;
use slipway_core::Failure;
use slipway_core::ports::EngineBuild;
use slipway_core::rule::BuildNetwork;
use std::collections::HashMap;

/// Returns 128 random bits in hex, for session and build ids.
///
/// # Errors
/// [`slipway_core::ErrorCode::Internal`] when the system gives no random bytes.
pub(super) fn random_id() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(Failure::internal)?;
    Ok(hex::encode(bytes))
}

/// Translates a build whose image gets `name`. No attestations are asked for, so equal inputs give equal images; `network.host` is granted only when
/// the rule says so, nothing else ever is (T11).
pub(super) fn solve_request(build: &EngineBuild, name: &str, session: &str, id: &str) -> SolveRequest {
    let mut attrs = HashMap::from([("filename".to_owned(), DOCKERFILE.to_owned())]);
    let mut set = |name: &str, value: String| attrs.insert(name.to_owned(), value);
    for arg in &build.args {
        set(&format!("build-arg:{}", arg.name), arg.value.clone());
    }
    for label in &build.labels {
        set(&format!("label:{}", label.name), label.value.clone());
    }
    set("label:slipway.build", build.build.to_string());
    if let Some(target) = &build.target {
        set("target", target.clone());
    }
    if !build.platforms.is_empty() {
        let platforms: Vec<String> = build.platforms.iter().map(ToString::to_string).collect();
        set("platform", platforms.join(","));
    }
    if build.no_cache {
        set("no-cache", String::new());
    }
    set("image-resolve-mode", if build.always_pull { "pull" } else { "default" }.to_owned());
    let mut entitlements = Vec::new();
    match build.network {
        BuildNetwork::Default => {}
        BuildNetwork::None => {
            set("force-network-mode", "none".to_owned());
        }
        BuildNetwork::Host => {
            set("force-network-mode", "host".to_owned());
            entitlements.push("network.host".to_owned());
        }
    }
    SolveRequest {
        r#ref: id.to_owned(),
        session: session.to_owned(),
        frontend: "dockerfile.v0".to_owned(),
        frontend_attrs: attrs,
        // The engine's own store, whichever kind; every engine reads these two fields, the newer list only some.
        exporter_deprecated: "moby".to_owned(),
        exporter_attrs_deprecated: HashMap::from([("name".to_owned(), name.to_owned())]),
        entitlements,
        ..Default::default()
    }
}
