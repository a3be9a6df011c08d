//! The body: Harbor's event `PUSH_ARTIFACT` (goharbor.io, "Configure Webhook Notifications"), the default format.

use serde_json::json;
use slipway_core::Failure;
use slipway_core::deploy::DeployJob;

/// Returns the body. The same job gives the same bytes: a repeated call is the same call.
pub(super) fn body(job: &DeployJob) -> Result<Vec<u8>, Failure> {
    let reference = job.image.check()?;
    let full_name = reference.name.as_str();
    let (namespace, name) = full_name.rsplit_once('/').unwrap_or(("", full_name));
    let at = job.occurred_at.timestamp();
    let mut resource = json!({
        "tag": reference.tag.as_ref().map(ToString::to_string).unwrap_or_default(),
        "resource_url": job.image.reference,
    });
    if let Some(digest) = &job.image.digest {
        resource["digest"] = digest.as_str().into();
    }
    let body = json!({
        "type": "PUSH_ARTIFACT",
        "occur_at": at,
        "operator": "slipway",
        "event_data": {
            "resources": [resource],
            "repository": {
                "date_created": at,
                "name": name,
                "namespace": namespace,
                "repo_full_name": full_name,
                "repo_type": "private",
            },
        },
    });
    serde_json::to_vec(&body).map_err(Failure::internal)
}
