//! Deliveries of webhooks: signed over the raw body where the provider does that, and nothing else gets through (t18).

use crate::server::hosts;
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::Secret;
use slipway_core::host::{CodeHosts, Delivery, DeliveryRefused, HookEvent, HookEventKind, HostProvider};

// Each signature was made by Python's hmac module over the body as it stands here.
const SECRET: &str = "It's a Secret to Everybody";
const PUSH: &str = r#"{"ref":"refs/heads/main","before":"bbbb","after":"aaaa","repository":{"full_name":"acme/web"}}"#;
const PUSH_SHA256: &str = "1756c609608f056d3ec759f2a70c86e9cf167f0cf7875e4d835b549c80a3539e";
const PUSH_SHA1: &str = "1a9ba1df8349a5481f0e24f820770fe8034327e4";
const GITLAB: &str =
    r#"{"object_kind":"tag_push","ref":"refs/tags/v1","project":{"path_with_namespace":"acme/sub/web"}}"#;
const GITEE: &str = r#"{"hook_name":"push_hooks","ref":"refs/heads/main","repository":{"full_name":"acme/web"}}"#;
/// For the time stamp 1800000000000 and the secret.
const GITEE_SIGNATURE: &str = "zRLpUerTjHt4sei7/BP9UrV2Z93Cbagqh8UaWoSkvd4=";
const BITBUCKET: &str = r#"{"push":{"changes":[{"new":{"type":"branch","name":"main"},"old":null},{"new":null,"old":{"type":"tag","name":"v1"}},{"new":{"type":"branch","name":"bad..name"},"old":null}]},"repository":{"full_name":"acme/web"}}"#;
const BITBUCKET_SHA256: &str = "7ca8d698a1f62a756b104c307ebabe77bdbe4aae595657b2b1413e3376b592ff";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn read(
    provider: HostProvider,
    headers: &[(&str, &str)],
    body: &str,
    secret: &str,
) -> Result<HookEvent, DeliveryRefused> {
    read_at(provider, headers, body, secret, now())
}

fn read_at(
    provider: HostProvider,
    headers: &[(&str, &str)],
    body: &str,
    secret: &str,
    at: DateTime<Utc>,
) -> Result<HookEvent, DeliveryRefused> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    hosts().read_delivery(provider, &Delivery { headers: &headers, body: body.as_bytes() }, &Secret::new(secret), at)
}

type Headers = Vec<(&'static str, String)>;
/// Provider, headers, body, the refs that it names, the repository's path.
type Genuine = (HostProvider, Headers, &'static str, Vec<&'static str>, &'static str);

/// Deliveries as each provider sends them.
fn genuine() -> Vec<Genuine> {
    let sha256 = format!("sha256={PUSH_SHA256}");
    let main = vec!["refs/heads/main"];
    vec![
        (HostProvider::Github, vec![("X-Hub-Signature-256", sha256)], PUSH, main.clone(), "acme/web"),
        (
            HostProvider::Gitlab,
            vec![("X-Gitlab-Token", SECRET.to_owned())],
            GITLAB,
            vec!["refs/tags/v1"],
            "acme/sub/web",
        ),
        (
            HostProvider::Gitee,
            vec![("X-Gitee-Token", GITEE_SIGNATURE.to_owned()), ("X-Gitee-Timestamp", "1800000000000".to_owned())],
            GITEE,
            main.clone(),
            "acme/web",
        ),
        (
            HostProvider::Coding,
            vec![("X-Coding-Signature", format!("sha1={PUSH_SHA1}"))],
            PUSH,
            main.clone(),
            "acme/web",
        ),
        (HostProvider::Gitea, vec![("X-Gitea-Signature", PUSH_SHA256.to_owned())], PUSH, main.clone(), "acme/web"),
        (HostProvider::Gitea, vec![("X-Forgejo-Signature", PUSH_SHA256.to_owned())], PUSH, main, "acme/web"),
        (
            HostProvider::Bitbucket,
            vec![("X-Hub-Signature", format!("sha256={BITBUCKET_SHA256}"))],
            BITBUCKET,
            vec!["refs/heads/main", "refs/tags/v1"],
            "acme/web",
        ),
    ]
}

fn borrowed<'a>(headers: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[test]
fn genuine_deliveries_name_their_refs() {
    for (provider, headers, body, refs, path) in genuine() {
        let event = read(provider, &borrowed(&headers), body, SECRET).unwrap();
        let HookEventKind::Push { refs: found } = event.kind else { panic!("{provider:?}: {:?}", event.kind) };
        assert_eq!(found.iter().map(|name| name.as_str()).collect::<Vec<_>>(), refs, "{provider:?}");
        assert_eq!(event.repository.unwrap().0, path, "{provider:?}");
    }
}

#[test]
fn t18_forged_deliveries_are_refused() {
    for (provider, headers, body, _, _) in genuine() {
        let headers = borrowed(&headers);
        assert_eq!(read(provider, &[], body, SECRET), Err(DeliveryRefused::Unsigned), "{provider:?}: no signature");
        let empty: Vec<_> = headers.iter().map(|(name, _)| (*name, "")).collect();
        assert_eq!(read(provider, &empty, body, SECRET), Err(DeliveryRefused::Unsigned), "{provider:?}: an empty one");
        let twice: Vec<_> = headers.iter().chain(&headers).copied().collect();
        assert_eq!(read(provider, &twice, body, SECRET), Err(DeliveryRefused::Unsigned), "{provider:?}: two of them");
        for wrong in ["another secret", ""] {
            let refused = read(provider, &headers, body, wrong);
            assert_eq!(refused, Err(DeliveryRefused::WrongSignature), "{provider:?}: {wrong:?}");
        }
        // GitLab and Gitee do not sign the body, which is why a delivery only says "look".
        let signs_body = ![HostProvider::Gitlab, HostProvider::Gitee].contains(&provider);
        let changed = body.replace("acme", "evil");
        assert_eq!(read(provider, &headers, &changed, SECRET).is_err(), signs_body, "{provider:?}");
    }
}

#[test]
fn t18_a_replay_has_the_same_key_whatever_else_was_changed() {
    for (provider, headers, body, _, _) in genuine() {
        let mut again = borrowed(&headers);
        let first = read(provider, &again, body, SECRET).unwrap();
        again.push(("X-GitHub-Delivery", "another-one"));
        assert_eq!(read(provider, &again, body, SECRET).unwrap().replay_key, first.replay_key, "{provider:?}");
    }
}

#[test]
fn t18_a_delivery_of_gitee_ends_after_an_hour() {
    let headers = [("X-Gitee-Token", GITEE_SIGNATURE), ("X-Gitee-Timestamp", "1800000000000")];
    for (minutes, accepted) in [(-59, true), (59, true), (61, false), (-61, false)] {
        let at = now() + TimeDelta::minutes(minutes);
        assert_eq!(read_at(HostProvider::Gitee, &headers, GITEE, SECRET, at).is_ok(), accepted, "{minutes}");
    }
    // A fresh time stamp needs a fresh signature.
    let moved = [("X-Gitee-Token", GITEE_SIGNATURE), ("X-Gitee-Timestamp", "1800003600000")];
    assert_eq!(read(HostProvider::Gitee, &moved, GITEE, SECRET), Err(DeliveryRefused::WrongSignature));
}

#[test]
fn the_vector_of_githubs_own_documents_fits() {
    let headers = [("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")];
    // The signature is right, and the body is no JSON.
    assert_eq!(read(HostProvider::Github, &headers, "Hello, World!", SECRET), Err(DeliveryRefused::Unreadable));
}
