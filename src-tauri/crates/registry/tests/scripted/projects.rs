//! Projects of a Harbor: its own interface, in its real shapes.

use crate::server::{Scripted, Seen, html, json, oci_error, registries, reply};
use axum::response::Response;
use slipway_core::ErrorCode;
use slipway_core::ports::Registries;

const LOGIN: &str = "Basic dXNlcjpyaWdodA==";

fn pong() -> Response {
    reply(200, &[("content-type", "text/plain; charset=utf-8")], "Pong")
}

fn harbor(answer: impl Fn(&Seen) -> Response) -> impl Fn(&Seen, &str) -> Response {
    move |seen, _| if seen.path() == "/api/v2.0/ping" { pong() } else { answer(seen) }
}

#[tokio::test]
async fn projects_are_listed_page_by_page_and_made() {
    let server = Scripted::start(harbor(|seen| match (seen.method.as_str(), seen.target.as_str()) {
        ("GET", "/api/v2.0/projects?page=1&page_size=100") => {
            let rows: Vec<_> = (0..100)
                .map(|n| format!(r#"{{"name":"p{n}","repo_count":{n},"metadata":{{"public":"true"}}}}"#))
                .collect();
            json(200, &format!("[{}]", rows.join(",")))
        }
        ("GET", "/api/v2.0/projects?page=2&page_size=100") => {
            json(200, r#"[{"project_id":7,"name":"last","owner_id":1,"metadata":{"public":"false"}}]"#)
        }
        ("POST", "/api/v2.0/projects") => reply(201, &[("location", "/api/v2.0/projects/8")], ""),
        other => panic!("{other:?}"),
    }))
    .await;
    let access = server.basic("user", "right");
    let projects = registries().projects(&access).await.unwrap().unwrap();
    assert_eq!(projects.len(), 101);
    assert_eq!((projects[3].name.as_str(), projects[3].repositories, projects[3].public), ("p3", 3, true));
    assert_eq!((projects[100].repositories, projects[100].public), (0, false));
    registries().create_project(&access, "team", true).await.unwrap();
    let seen = server.seen();
    let made: serde_json::Value = serde_json::from_str(&seen.last().unwrap().body).unwrap();
    assert_eq!(made, serde_json::json!({ "project_name": "team", "metadata": { "public": "true" } }));
    // The question whether it is a Harbor carries no login.
    for one in &seen {
        let expected = if one.path() == "/api/v2.0/ping" { None } else { Some(LOGIN) };
        assert_eq!(one.authorization.as_deref(), expected, "{one:?}");
    }
}

/// What the server answers, and the code and field that come of it.
type Refusal = (fn() -> Response, ErrorCode, Option<&'static str>);

#[tokio::test]
async fn each_refusal_has_its_code_and_its_field() {
    let cases: [Refusal; 7] = [
        (|| oci_error(401, "UNAUTHORIZED"), ErrorCode::RegistryUnauthorized, Some("credential")),
        (|| oci_error(403, "FORBIDDEN"), ErrorCode::RegistryDenied, Some("credential")),
        (|| oci_error(409, "CONFLICT"), ErrorCode::NameTaken, Some("name")),
        (|| oci_error(400, "BAD_REQUEST"), ErrorCode::RegistryNameInvalid, Some("name")),
        (|| oci_error(500, "UNKNOWN"), ErrorCode::RegistryServerError, None),
        (|| html(403), ErrorCode::NotARegistry, None),
        (|| html(200), ErrorCode::NotARegistry, None),
    ];
    for (answer, code, field) in cases {
        let server = Scripted::start(harbor(move |_| answer())).await;
        let failure = registries().create_project(&server.basic("user", "right"), "team", false).await.unwrap_err();
        assert_eq!((failure.code, failure.field.as_deref()), (code, field), "{failure:?}");
        assert!(!format!("{failure:?}").contains("right"), "{failure:?}");
    }
}

#[tokio::test]
async fn what_is_no_harbor_is_asked_for_nothing() {
    for answer in [html as fn(u16) -> Response, |status| reply(status, &[], ""), |status| json(status, "{}")] {
        for status in [200, 404, 302] {
            let server = Scripted::start(move |_, _| answer(status)).await;
            let access = server.basic("user", "right");
            assert!(registries().projects(&access).await.is_none());
            let failure = registries().create_project(&access, "team", false).await.unwrap_err();
            assert_eq!(failure.code, ErrorCode::RegistryUnsupported);
            assert!(server.seen().iter().all(|seen| seen.authorization.is_none()), "{:?}", server.lines());
        }
    }
}
