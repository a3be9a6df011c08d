//! Configuration files, which people get from others.

use slipway_core::ErrorCode;
use slipway_core::code::CodeLocation;
use slipway_core::configuration::{ImportChoice, ImportState};
use slipway_core::deploy::DeployTarget;
use slipway_core::ids::SecretId;
use slipway_core::image::CredentialSource;

/// A file: it never names a secret that is here, runs no program, deploys nothing, and agrees to nothing.
pub(super) fn file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let choice = ImportChoice { change: true, allow_plain_http: false };
    let (report, rows) = match slipway_app::fuzzing::plan_import(text, choice) {
        Ok(planned) => planned,
        Err(failure) => {
            assert_eq!(failure.code, ErrorCode::BadConfiguration);
            return super::can_be_shown(&failure);
        }
    };
    for item in &report.items {
        if let ImportState::Refused { failure } = &item.state {
            super::can_be_shown(failure);
        }
    }
    for source in &rows.sources {
        if let CodeLocation::GitUrl { url, password, allow_plain_http, .. } = &source.location {
            assert!(url.starts_with("https://") && !allow_plain_http, "plain HTTP without a consent");
            assert!(password.is_none_or(|id| id == SecretId::NOT_ENTERED));
        }
    }
    for credential in &rows.credentials {
        match &credential.source {
            CredentialSource::Anonymous | CredentialSource::DockerConfig => {}
            CredentialSource::Password { secret, .. } => assert_eq!(*secret, SecretId::NOT_ENTERED),
            other => panic!("a file brought {other:?}"),
        }
    }
    for rule in &rows.rules {
        assert!(rule.spec.check().is_empty(), "a rule that no form would take");
        assert!(rule.spec.options.secrets.iter().all(|secret| secret.secret == SecretId::NOT_ENTERED));
    }
    for trigger in &rows.triggers {
        assert!(!trigger.spec.enabled && trigger.spec.check().is_ok(), "it would deploy");
        match &trigger.spec.target {
            DeployTarget::KubernetesContainer { allowed_exec, .. } => assert_eq!(*allowed_exec, None),
            DeployTarget::Webhook { allow_private, headers, signing_secret, .. } => {
                let secrets = headers.iter().map(|header| header.value).chain(*signing_secret);
                assert!(!allow_private && secrets.into_iter().all(|id| id == SecretId::NOT_ENTERED));
            }
            _ => {}
        }
    }
}
