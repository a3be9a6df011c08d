//! The HTTP side: discovery, lists, objects, patches, watches.

use super::objects::{Happened, PatchRefused, Resource};
use super::{ClusterFault, State, controller, unpoisoned};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::io::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

type AnswerBody = BoxBody<Bytes, Error>;

const NAMESPACES: [&str; 2] = ["default", "shop"];

/// Serves on a thread of its own until `stop`.
pub(super) fn start(acceptor: TlsAcceptor, state: Arc<State>, stop: CancellationToken) -> SocketAddr {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
    listener.set_nonblocking(true).expect("a listener can be made non-blocking");
    let address = listener.local_addr().expect("a bound listener has an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        runtime.block_on(stop.run_until_cancelled(async {
            tokio::join!(accept(listener, acceptor, Arc::clone(&state)), controller::run(state));
        }));
    });
    address
}

async fn accept(listener: std::net::TcpListener, acceptor: TlsAcceptor, state: Arc<State>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener can join the runtime");
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        if *unpoisoned(&state.away) {
            continue;
        }
        let (state, acceptor) = (Arc::clone(&state), acceptor.clone());
        tokio::spawn(async move {
            // A client that does not trust the CA hangs up here: that is its own failure to report.
            let Ok(connection) = acceptor.accept(connection).await else { return };
            let service = service_fn(move |request| {
                let state = Arc::clone(&state);
                async move { answer(&state, request).await }
            });
            let _ = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(connection), service)
                .await;
        });
    }
}

async fn answer(state: &Arc<State>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Error> {
    if *unpoisoned(&state.away) {
        return Err(Error::other("the cluster is away"));
    }
    let (head, body) = request.into_parts();
    let token = format!("Bearer {}", unpoisoned(&state.token));
    if head.headers.get(header::AUTHORIZATION).is_none_or(|given| given.as_bytes() != token.as_bytes()) {
        return Ok(failure(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized"));
    }
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let path = head.uri.path().trim_matches('/').to_owned();
    let watched = query.get("watch").is_some_and(|value| value == "true" || value == "1");
    let verb = if watched { "WATCH" } else { head.method.as_str() };
    unpoisoned(&state.seen).push(format!("{verb} /{path}"));
    if let Some(ClusterFault::Refuse(status)) = state.take_fault(|fault| matches!(fault, ClusterFault::Refuse(_))) {
        let status = StatusCode::from_u16(status).map_err(Error::other)?;
        return Ok(failure(status, "Scripted", "the test wants it so"));
    }
    let parts: Vec<&str> = path.split('/').collect();
    let (api_version, rest) = match parts.as_slice() {
        ["api", "v1", rest @ ..] => ("v1".to_owned(), rest),
        ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
        _ => return Ok(discovery(&path)),
    };
    match rest {
        [] => Ok(discovery(&path)),
        ["namespaces"] if head.method == Method::GET => {
            let items: Vec<Value> = NAMESPACES.iter().map(|name| json!({"metadata": {"name": name}})).collect();
            Ok(ok(&json!({"kind": "NamespaceList", "apiVersion": "v1", "metadata": {}, "items": items})))
        }
        ["namespaces", namespace, plural, name @ ..] => {
            let Some(resource) = Resource::of_path(&api_version, plural) else { return Ok(not_found()) };
            match (&head.method, name) {
                (&Method::GET, []) if watched => watch(state, resource, namespace, &query),
                (&Method::GET, []) => Ok(list(state, resource, namespace, &query)),
                (&Method::GET, [name]) => {
                    let objects = unpoisoned(&state.objects);
                    Ok(objects.get(resource, namespace, name).map_or_else(not_found, ok))
                }
                (&Method::PATCH, [name]) => {
                    let kind = head.headers.get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes);
                    if kind != Some(b"application/strategic-merge-patch+json") {
                        return Ok(failure(
                            StatusCode::UNSUPPORTED_MEDIA_TYPE,
                            "UnsupportedMediaType",
                            "no such patch",
                        ));
                    }
                    let body = body.collect().await.map_err(Error::other)?.to_bytes();
                    patch(state, resource, namespace, name, &serde_json::from_slice(&body).map_err(Error::other)?)
                }
                _ => Ok(failure(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "not here")),
            }
        }
        _ => Ok(not_found()),
    }
}

fn patch(
    state: &State,
    resource: Resource,
    namespace: &str,
    name: &str,
    patch: &Value,
) -> Result<Response<AnswerBody>, Error> {
    let fault = state.take_fault(|fault| matches!(fault, ClusterFault::Conflict | ClusterFault::LosePatchAnswer));
    let mut objects = unpoisoned(&state.objects);
    if fault == Some(ClusterFault::Conflict)
        && let Some(mut workload) = objects.get(resource, namespace, name).cloned()
    {
        workload["status"]["touched"] = true.into();
        objects.put(resource, workload);
    }
    let patched = objects.patch(resource, namespace, name, patch);
    drop(objects);
    *unpoisoned(&state.patches_taken) += usize::from(patched.is_ok());
    state.announce();
    if fault == Some(ClusterFault::LosePatchAnswer) {
        return Err(Error::other("the answer is lost"));
    }
    Ok(match patched {
        Ok(object) => ok(&object),
        Err(PatchRefused::NotFound) => not_found(),
        Err(PatchRefused::Conflict) => failure(
            StatusCode::CONFLICT,
            "Conflict",
            "the object has been modified; please apply your changes to the latest version and try again",
        ),
    })
}

fn list(state: &State, resource: Resource, namespace: &str, query: &HashMap<String, String>) -> Response<AnswerBody> {
    let objects = unpoisoned(&state.objects);
    let found = objects.list(resource, namespace);
    let items: Vec<&Value> = found.into_iter().filter(|object| selected(object, query)).collect();
    ok(&json!({
        "kind": format!("{}List", resource.kind()),
        "apiVersion": resource.api_version(),
        "metadata": {"resourceVersion": objects.version().to_string()},
        "items": items,
    }))
}

/// Field selectors on the name, label selectors with `=` and `in`.
fn selected(object: &Value, query: &HashMap<String, String>) -> bool {
    let by_name = query.get("fieldSelector").and_then(|selector| selector.strip_prefix("metadata.name="));
    let labels = &object["metadata"]["labels"];
    let by_labels = query.get("labelSelector").is_none_or(|selector| {
        selector
            .split(',')
            .filter(|one| !one.is_empty())
            .all(|one| one.split_once('=').is_some_and(|(name, value)| labels[name] == value))
    });
    by_name.is_none_or(|name| object["metadata"]["name"] == name) && by_labels
}

fn watch(
    state: &Arc<State>,
    resource: Resource,
    namespace: &str,
    query: &HashMap<String, String>,
) -> Result<Response<AnswerBody>, Error> {
    let fault = state.take_fault(|fault| {
        matches!(fault, ClusterFault::CutWatch | ClusterFault::ExpireWatch | ClusterFault::RefuseWatchAsGone)
    });
    let expired = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired",
        "message": "too old resource version", "code": 410});
    if fault == Some(ClusterFault::RefuseWatchAsGone) {
        return Ok(failure(StatusCode::GONE, "Expired", "too old resource version"));
    }
    let from = query.get("resourceVersion").and_then(|version| version.parse().ok()).unwrap_or(0);
    let seconds = query.get("timeoutSeconds").and_then(|seconds| seconds.parse().ok()).unwrap_or(300);
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Frame<Bytes>, Error>>(64);
    let (state, query, namespace) = (Arc::clone(state), query.clone(), namespace.to_owned());
    tokio::spawn(async move {
        let line = |event: Value| Ok(Frame::data(Bytes::from(format!("{event}\n"))));
        match fault {
            Some(ClusterFault::CutWatch) => {
                let _ = sender.send(Err(Error::other("cut"))).await;
                return;
            }
            Some(_) => {
                let _ = sender.send(line(json!({"type": "ERROR", "object": expired}))).await;
                return;
            }
            None => {}
        }
        let mut changed = state.changed.subscribe();
        let mut last: u64 = from;
        let events = async {
            loop {
                let news: Vec<Happened> = {
                    let objects = unpoisoned(&state.objects);
                    let new = objects.history.iter().filter(|one| one.version > last && one.resource == resource);
                    let here = new.filter(|one| one.object["metadata"]["namespace"] == namespace.as_str());
                    here.filter(|one| selected(&one.object, &query)).cloned().collect()
                };
                for one in news {
                    last = one.version;
                    if sender.send(line(json!({"type": one.kind, "object": one.object}))).await.is_err() {
                        return;
                    }
                }
                if changed.changed().await.is_err() || sender.is_closed() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(seconds), events).await;
    });
    let stream = futures::stream::unfold(receiver, |mut receiver| async {
        let frame = receiver.recv().await?;
        Some((frame, receiver))
    });
    let mut response = ok(&Value::Null);
    *response.body_mut() = BodyExt::boxed(StreamBody::new(Box::pin(stream)));
    Ok(response)
}

/// What clients ask first: which kinds there are.
fn discovery(path: &str) -> Response<AnswerBody> {
    let group = |name: &str| {
        let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
        json!({"name": name, "versions": [version], "preferredVersion": version})
    };
    let resources = |api_version: &str| {
        let kinds = Resource::ALL.into_iter().filter(|resource| resource.api_version() == api_version);
        let resources: Vec<Value> = kinds
            .map(|resource| {
                json!({"name": resource.plural(), "singularName": resource.kind().to_lowercase(), "namespaced": true,
                    "kind": resource.kind(), "verbs": ["get", "list", "watch", "patch"]})
            })
            .collect();
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources})
    };
    match path {
        "version" => ok(&json!({"major": "1", "minor": "32", "gitVersion": "v1.32.0"})),
        "api" => ok(&json!({"kind": "APIVersions", "versions": ["v1"]})),
        "apis" => ok(&json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group("apps"), group("batch")]})),
        "api/v1" => ok(&resources("v1")),
        "apis/apps/v1" => ok(&resources("apps/v1")),
        "apis/batch/v1" => ok(&resources("batch/v1")),
        _ => not_found(),
    }
}

fn ok(value: &Value) -> Response<AnswerBody> {
    json_answer(StatusCode::OK, value)
}

fn not_found() -> Response<AnswerBody> {
    failure(StatusCode::NOT_FOUND, "NotFound", "the server could not find the requested resource")
}

fn failure(status: StatusCode, reason: &str, message: &str) -> Response<AnswerBody> {
    let code = status.as_u16();
    json_answer(
        status,
        &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code}),
    )
}

fn json_answer(status: StatusCode, value: &Value) -> Response<AnswerBody> {
    let body = Full::new(Bytes::from(value.to_string())).map_err(|never: Infallible| match never {});
    let mut response = Response::new(BodyExt::boxed(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
