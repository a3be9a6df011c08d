//! Paging of tags and repositories.

use crate::server::{Scripted, html, json, name, oci_error, registries, reply};
use slipway_core::ErrorCode;
use slipway_core::ports::Registries;

fn page(link: Option<&str>, tags: &[&str]) -> axum::response::Response {
    let body = serde_json::json!({ "name": "team/app", "tags": tags }).to_string();
    match link {
        Some(link) => reply(200, &[("content-type", "application/json"), ("link", link)], body),
        None => json(200, &body),
    }
}

#[tokio::test]
async fn pages_are_followed_exactly_as_given() {
    let server = Scripted::start(|seen, host| match seen.target.as_str() {
        "/v2/team/app/tags/list?n=1000" => {
            page(Some(r#"</v2/team/app/tags/list?next_page=a%2Cb&n=2>; rel="next""#), &["a", "b"])
        }
        "/v2/team/app/tags/list?next_page=a%2Cb&n=2" => {
            page(Some(&format!(r#"<https://{host}/v2/team/app/tags/list?last=c>; rel=next"#)), &["c"])
        }
        "/v2/team/app/tags/list?last=c" => page(Some("<?last=d>; rel=next"), &["d"]),
        "/v2/team/app/tags/list?last=d" => page(None, &["e", "bad tag", "-x"]),
        other => panic!("not asked for: {other}"),
    })
    .await;
    assert_eq!(registries().tags(&server.anonymous(), &name()).await.unwrap(), ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn null_is_an_empty_list() {
    let server = Scripted::start(|_, _| json(200, r#"{"name":"team/app","tags":null}"#)).await;
    assert_eq!(registries().tags(&server.anonymous(), &name()).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn pages_that_repeat_end_the_list() {
    let same = Scripted::start(|_, _| page(Some("</v2/team/app/tags/list?n=1000>; rel=next"), &["a"])).await;
    assert_eq!(registries().tags(&same.anonymous(), &name()).await.unwrap(), ["a"]);

    let counter = std::sync::atomic::AtomicUsize::new(0);
    let turning = Scripted::start(move |_, _| {
        let number = counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        page(Some(&format!("<?last={number}>; rel=next")), &["a", "b"])
    })
    .await;
    assert_eq!(registries().tags(&turning.anonymous(), &name()).await.unwrap(), ["a", "b"]);
    assert_eq!(turning.seen().len(), 2);
}

#[tokio::test]
async fn a_full_page_without_link_goes_on_after_its_last_entry() {
    let server = Scripted::start(|seen, _| {
        let from: usize = if seen.target.contains("last=t0999") { 1000 } else { 0 };
        let tags: Vec<String> = (from..from + if from == 0 { 1000 } else { 3 }).map(|n| format!("t{n:04}")).collect();
        page(None, &tags.iter().map(String::as_str).collect::<Vec<_>>())
    })
    .await;
    let tags = registries().tags(&server.anonymous(), &name()).await.unwrap();
    assert_eq!((tags.len(), tags.last().unwrap().as_str()), (1003, "t1002"));
    assert_eq!(server.seen()[1].target, "/v2/team/app/tags/list?n=1000&last=t0999");
}

#[tokio::test]
async fn t02_a_next_page_on_another_host_is_not_asked() {
    let elsewhere = Scripted::start(|_, _| page(None, &["stolen"])).await;
    let link = "<http://localhost.example/v2/x>; rel=next";
    let server = Scripted::start(move |_, _| page(Some(link), &["a"])).await;
    let failure = registries().tags(&server.basic("user", "right"), &name()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::NotARegistry);
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn repositories_come_from_the_catalogue_when_there_is_one() {
    let server = Scripted::start(|_, _| json(200, r#"{"repositories":["team/app","Bad","z"]}"#)).await;
    assert_eq!(registries().repositories(&server.anonymous()).await.unwrap(), ["team/app", "z"]);
    assert_eq!(server.lines(), ["GET /v2/_catalog?n=1000"]);
    let none = Scripted::start(|_, _| reply(404, &[], "")).await;
    let failure = registries().repositories(&none.anonymous()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RegistryUnsupported);
    let unknown = Scripted::start(|_, _| oci_error(404, "NAME_UNKNOWN")).await;
    assert_eq!(
        registries().tags(&unknown.anonymous(), &name()).await.unwrap_err().code,
        ErrorCode::RegistryNameUnknown
    );
    let page = Scripted::start(|_, _| html(200)).await;
    assert_eq!(registries().repositories(&page.anonymous()).await.unwrap_err().code, ErrorCode::NotARegistry);
}
