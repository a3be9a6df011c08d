//! Manifests, blobs, writes and deletes: what is verified and what each refusal becomes.

use crate::server::{
    MANIFEST, MANIFEST_TYPE, Scripted, digest_of, html, json, manifest, name, oci_error, registries, reply,
};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use slipway_core::ErrorCode;
use slipway_core::image::{Digest, Tag};
use slipway_core::ports::Registries;

fn tag() -> Tag {
    Tag::new("v1").unwrap()
}

#[tokio::test]
async fn a_head_asks_for_all_four_types() {
    let server = Scripted::start(|_, _| manifest()).await;
    let head = registries().head(&server.anonymous(), &name(), "v1").await.unwrap().unwrap();
    assert_eq!(head.digest.as_str(), digest_of(MANIFEST));
    assert_eq!((head.media_type.as_str(), head.size), (MANIFEST_TYPE, MANIFEST.len() as u64));
    let seen = server.seen();
    assert_eq!(seen[0].target, "/v2/team/app/manifests/v1");
    let accept = seen[0].accept.clone().unwrap();
    assert_eq!(accept.split(", ").count(), 4);
    assert!(accept.contains("manifest.list.v2+json") && accept.contains("image.index.v1+json"), "{accept}");
}

#[tokio::test]
async fn a_head_without_digest_is_answered_from_the_bytes() {
    let server = Scripted::start(|_, _| reply(200, &[("content-type", MANIFEST_TYPE)], MANIFEST)).await;
    let head = registries().head(&server.anonymous(), &name(), "v1").await.unwrap().unwrap();
    assert_eq!(head.digest.as_str(), digest_of(MANIFEST));
    assert_eq!(server.lines(), ["HEAD /v2/team/app/manifests/v1", "GET /v2/team/app/manifests/v1"]);
}

#[tokio::test]
async fn a_refused_head_asks_no_second_time_except_where_there_is_no_head() {
    for (status, requests) in [(401, 1), (403, 1), (429, 1), (500, 1), (405, 2)] {
        let server = Scripted::start(move |_, _| reply(status, &[], "")).await;
        assert!(registries().head(&server.anonymous(), &name(), "v1").await.is_err());
        assert_eq!(server.seen().len(), requests, "{status}");
    }
    let server = Scripted::start(|seen, _| if seen.method == "HEAD" { reply(405, &[], "") } else { manifest() }).await;
    assert!(registries().head(&server.anonymous(), &name(), "v1").await.unwrap().is_some());
}

#[tokio::test]
async fn a_missing_tag_is_none() {
    let server = Scripted::start(|_, _| oci_error(404, "MANIFEST_UNKNOWN")).await;
    let registries = registries();
    assert_eq!(registries.head(&server.anonymous(), &name(), "v1").await, Ok(None));
    assert_eq!(registries.manifest(&server.anonymous(), &name(), "v1").await, Ok(None));
}

#[tokio::test]
async fn the_bytes_must_match_the_digest() {
    let wrong = digest_of("something else");
    let server = Scripted::start({
        let wrong = wrong.clone();
        move |_, _| reply(200, &[("content-type", MANIFEST_TYPE), ("docker-content-digest", &wrong)], MANIFEST)
    })
    .await;
    let (registries, access) = (registries(), server.anonymous());
    for reference in ["v1", digest_of(MANIFEST).as_str()] {
        let failure = registries.manifest(&access, &name(), reference).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::DigestMismatch, "{reference}");
    }
    let failure = registries.head(&access, &name(), &digest_of(MANIFEST)).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::DigestMismatch);
    let digest = Digest::new(wrong).unwrap();
    let failure = registries.blob(&access, &name(), &digest, 1000).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::DigestMismatch);
}

#[tokio::test]
async fn references_that_are_neither_tag_nor_digest_are_never_sent() {
    let server = Scripted::start(|_, _| manifest()).await;
    for reference in ["", "../../secret", "a b", "v1?x=y", "sha256:short"] {
        let failure = registries().head(&server.anonymous(), &name(), reference).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::BadImageReference, "{reference:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn put_sends_the_exact_bytes_with_their_type() {
    let server = Scripted::start(|_, _| reply(201, &[("docker-content-digest", &digest_of(MANIFEST))], "")).await;
    let bytes = Bytes::from_static(MANIFEST.as_bytes());
    let digest = registries().put_manifest(&server.anonymous(), &name(), &tag(), MANIFEST_TYPE, bytes).await.unwrap();
    assert_eq!(digest.as_str(), digest_of(MANIFEST));
    let seen = server.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].body.as_str()), ("PUT", MANIFEST));
}

#[tokio::test]
async fn put_is_refused_with_the_reason() {
    type Answer = fn() -> Response;
    let cases: [(Answer, ErrorCode); 6] = [
        (|| oci_error(412, "PRECONDITION"), ErrorCode::TagImmutable),
        (|| oci_error(400, "MANIFEST_BLOB_UNKNOWN"), ErrorCode::ManifestInvalid),
        (|| oci_error(403, "DENIED"), ErrorCode::RegistryDenied),
        (|| html(200), ErrorCode::NotARegistry),
        (|| reply(201, &[("docker-content-digest", &digest_of("x"))], ""), ErrorCode::DigestMismatch),
        (|| reply(500, &[], ""), ErrorCode::RegistryServerError),
    ];
    for (answer, expected) in cases {
        let server = Scripted::start(move |_, _| answer()).await;
        let bytes = Bytes::from_static(MANIFEST.as_bytes());
        let result = registries().put_manifest(&server.anonymous(), &name(), &tag(), MANIFEST_TYPE, bytes).await;
        assert_eq!(result.unwrap_err().code, expected);
    }
}

/// An answer whose connection breaks before its end.
fn cut() -> Response {
    let broken = futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("scripted cut"))]);
    reply(201, &[("content-length", "1000")], Body::from_stream(broken))
}

#[tokio::test]
async fn f10_a_put_whose_answer_is_lost_is_looked_up() {
    let server = Scripted::start(|seen, _| if seen.method == "PUT" { cut() } else { manifest() }).await;
    let bytes = Bytes::from_static(MANIFEST.as_bytes());
    let registries = registries();
    let digest =
        registries.put_manifest(&server.anonymous(), &name(), &tag(), MANIFEST_TYPE, bytes.clone()).await.unwrap();
    assert_eq!(digest.as_str(), digest_of(MANIFEST));
    assert_eq!(server.lines(), ["PUT /v2/team/app/manifests/v1", "HEAD /v2/team/app/manifests/v1"]);

    let lost = Scripted::start(|seen, _| if seen.method == "PUT" { cut() } else { reply(404, &[], "") }).await;
    let failure = registries.put_manifest(&lost.anonymous(), &name(), &tag(), MANIFEST_TYPE, bytes).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::PushInterrupted);
}

#[tokio::test]
async fn delete_speaks_of_digests_and_knows_when_it_is_switched_off() {
    let digest = Digest::new(digest_of(MANIFEST)).unwrap();
    type Answer = fn() -> Response;
    let cases: [(Answer, Option<ErrorCode>); 7] = [
        (|| reply(202, &[], ""), None),
        (|| oci_error(404, "MANIFEST_UNKNOWN"), None),
        (|| oci_error(404, "NAME_UNKNOWN"), Some(ErrorCode::RegistryNameUnknown)),
        (|| oci_error(405, "UNSUPPORTED"), Some(ErrorCode::RegistryUnsupported)),
        (|| oci_error(403, "DENIED"), Some(ErrorCode::RegistryDenied)),
        // Harbor, of a tag that its rules protect.
        (|| oci_error(412, "PRECONDITION"), Some(ErrorCode::TagImmutable)),
        (|| html(200), Some(ErrorCode::NotARegistry)),
    ];
    for (answer, expected) in cases {
        let server = Scripted::start(move |_, _| answer()).await;
        let result = registries().delete(&server.anonymous(), &name(), &digest).await;
        assert_eq!(result.err().map(|failure| failure.code), expected);
        assert_eq!(server.lines(), [format!("DELETE /v2/team/app/manifests/{digest}")]);
    }
}

#[tokio::test]
async fn a_registry_says_what_time_it_is_also_when_it_refuses() {
    let cases = [
        (200, "Wed, 21 Oct 2015 07:28:00 GMT", Some(1_445_412_480)),
        (401, "Wed, 21 Oct 2015 07:28:00 GMT", Some(1_445_412_480)),
        (200, "teatime", None),
    ];
    for (status, date, expected) in cases {
        let server = Scripted::start(move |_, _| reply(status, &[("date", date)], "")).await;
        let time = registries().time(&server.anonymous()).await;
        assert_eq!(time.map(|time| time.timestamp()), expected, "{status} {date}");
        assert_eq!(server.lines(), ["GET /v2/"]);
    }
}

#[tokio::test]
async fn f08_f09_server_errors_and_limits_have_their_codes_and_waits() {
    let cases = [
        (500, None, ErrorCode::RegistryServerError),
        (502, None, ErrorCode::RegistryServerError),
        (503, Some("30"), ErrorCode::RegistryServerError),
        (429, Some("120"), ErrorCode::RegistryRateLimited),
        (429, Some("Fri, 31 Dec 1999 23:59:59 GMT"), ErrorCode::RegistryRateLimited),
        (429, None, ErrorCode::RegistryRateLimited),
    ];
    for (status, wait, code) in cases {
        let server = Scripted::start(move |_, _| match wait {
            Some(wait) => reply(status, &[("retry-after", wait)], "busy"),
            None => reply(status, &[], "busy"),
        })
        .await;
        let registries = registries();
        let expected = wait.map(|wait| if wait.ends_with("GMT") { "0" } else { wait }.to_owned());
        for failure in [
            registries.head(&server.anonymous(), &name(), "v1").await.unwrap_err(),
            registries.tags(&server.anonymous(), &name()).await.unwrap_err(),
        ] {
            assert_eq!(failure.code, code);
            assert_eq!(failure.details.get("retry_after").cloned(), expected);
        }
    }
}

#[tokio::test]
async fn f13_web_pages_and_empty_answers_are_never_success() {
    type Answer = fn() -> Response;
    let portal: [Answer; 4] = [|| html(200), || html(404), || reply(200, &[], ""), || json(200, "[]")];
    for answer in portal {
        let server = Scripted::start(move |_, _| answer()).await;
        let (registries, access) = (registries(), server.anonymous());
        let codes = [
            registries.head(&access, &name(), "v1").await.err(),
            registries.manifest(&access, &name(), "v1").await.err(),
            registries.tags(&access, &name()).await.err(),
        ];
        for failure in codes {
            assert_eq!(failure.map(|failure| failure.code), Some(ErrorCode::NotARegistry));
        }
    }
}
