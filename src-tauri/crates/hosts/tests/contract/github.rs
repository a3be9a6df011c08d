//! GitHub end to end against an emulator that others wrote, behind a small proxy with what it lacks.

use crate::browser::Browser;
use crate::keeper::{account, pasted, with_keeper};
use crate::server::{Scripted, address, hosts, json};
use slipway_core::Secret;
use slipway_core::code::{RefKind, RepoPath};
use slipway_core::host::{
    CodeHosts, CommitReport, Delivery, HookEventKind, HostAddress, HostAuthorization, HostProvider, Moved, Need,
    NewHook, OauthClient, PageLanguage, ReportState, RepositoryPath, RepositoryQuery,
};
use slipway_testkit::NodeProgram;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn client() -> OauthClient {
    OauthClient {
        client_id: "slipway-test".to_owned(),
        client_secret: Some(Secret::new("slipway-test-secret")),
        redirect_port: None,
    }
}

fn web() -> RepositoryPath {
    RepositoryPath("acme/web".to_owned())
}

async fn github() -> (NodeProgram, HostAddress) {
    let program = NodeProgram::start(&["github.mjs"]).await;
    let address = address(HostProvider::Github, &program.url);
    (program, address)
}

/// Writes a file on a branch, as a push would.
async fn push(address: &HostAddress, path: &str) -> String {
    let url = format!("{}/api/v3/repos/acme/web/contents/{path}", address.base);
    let body = r#"{"message":"Add a page","content":"aGVsbG8K","branch":"main"}"#;
    let request = reqwest::Client::new().put(url).header("authorization", "Bearer pasted");
    let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let json: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    json["commit"]["sha"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn seed_0_4_github_is_authorized_in_the_browser() {
    let (_program, address) = github().await;
    let (hosts, cancel) = (hosts(), CancellationToken::new());
    assert_eq!(hosts.probe(&address, &cancel).await.unwrap().product, "GitHub Enterprise Server");
    let pending = hosts.begin_code(&address, &client(), &[Need::Read], PageLanguage::Chinese).await.unwrap();
    let mut browser = Browser::new();
    let page = browser.open(pending.page()).await;
    let finishing = tokio::spawn(async move { pending.finish(&CancellationToken::new()).await });
    let end = browser.submit(&page, &[]).await;
    assert!(end.text.contains("lang=\"zh-CN\"") && end.text.contains("已连接"), "{}", end.text);
    let tokens = finishing.await.unwrap().unwrap();
    let access = with_keeper(address, Some(client()), &crate::keeper::MemoryKeeper::new(tokens));
    let owners = hosts.owners(&access, &cancel).await.unwrap();
    assert_eq!(owners[0].kind, slipway_core::host::OwnerKind::Own);
    let identity = hosts.identity(&access, &[Need::Read], &cancel).await.unwrap();
    assert_eq!(identity.login, owners[0].path);
}

#[tokio::test]
async fn a_device_is_let_in_on_another_page() {
    let (program, address) = github().await;
    let hosts = hosts().with_sleep(|_| tokio::time::sleep(Duration::from_millis(20)));
    let client = OauthClient { client_secret: None, ..client() };
    let cancel = CancellationToken::new();
    let pending = hosts.begin_device(&address, &client, &[Need::Read], &cancel).await.unwrap();
    let body = serde_json::json!({ "user_code": pending.code().user_code }).to_string();
    reqwest::Client::new().post(format!("{}/test/approve", program.url)).body(body).send().await.unwrap();
    let tokens = pending.finish(&cancel).await.unwrap();
    let identity = hosts.identify(&address, &tokens, &[], &cancel).await.unwrap();
    assert_eq!(identity.login, "ada");
}

#[tokio::test]
async fn seed_0_2_a_push_is_noticed_delivered_and_reported() {
    let (program, address) = github().await;
    let (hosts, cancel) = (hosts(), CancellationToken::new());
    let access = account(address.clone(), pasted("pasted"));
    let owners = hosts.owners(&access, &cancel).await.unwrap();
    let acme = owners.iter().find(|owner| owner.path == "acme").unwrap().clone();
    let query = RepositoryQuery { owner: acme, search: String::new(), page: None };
    let listed = hosts.repositories(&access, &query, &cancel).await.unwrap();
    assert_eq!(listed.items.iter().map(|one| one.path.0.as_str()).collect::<Vec<_>>(), ["acme/web"]);
    let branches = hosts.refs(&access, &web(), RefKind::Branch, "", None, &cancel).await.unwrap().items;
    assert_eq!(branches[0].name.as_str(), "refs/heads/main");

    let (heard, mut deliveries) = tokio::sync::mpsc::unbounded_channel();
    let receiver = Scripted::start(move |seen, _, _| {
        let _ = heard.send(seen.clone());
        json(200, "{}")
    })
    .await;
    let hook = NewHook { url: format!("{}/hook", receiver.url), secret: Secret::new("h00k"), verify_tls: true };
    let made = hosts.create_hook(&access, &web(), &hook, &cancel).await.unwrap();

    let first = hosts.what_moved(&access, &[web()], None, &cancel).await.unwrap();
    assert_eq!(first.moved, Moved::CannotTell);
    let sha = push(&address, "index.html").await;
    let second = hosts.what_moved(&access, &[web()], first.mark.as_ref(), &cancel).await.unwrap();
    let Moved::Repositories(moved) = &second.moved else { panic!("{second:?}") };
    assert!(moved.iter().any(|one| one.path == web()), "{moved:?}");
    assert!(second.rate.remaining.is_some() && second.requests == 1, "{second:?}");

    // Once the push is older than a few seconds, its list has an entity tag, and nothing moving costs nothing.
    let mark = std::sync::Mutex::new(second.mark);
    slipway_testkit::eventually("nothing moves any more", Duration::from_secs(30), async || {
        let known = mark.lock().unwrap().clone();
        let look = hosts.what_moved(&access, &[web()], known.as_ref(), &cancel).await.unwrap();
        let quiet = look.moved == Moved::Unchanged;
        *mark.lock().unwrap() = look.mark;
        if quiet { Ok(()) } else { Err(look.moved) }
    })
    .await;

    let commit = hosts.commit(&access, &web(), "main", &cancel).await.unwrap();
    assert_eq!((commit.id.as_str(), commit.summary.as_str()), (sha.as_str(), "Add a page"));
    let entries = hosts.list_folder(&access, &web(), &commit.id, &RepoPath::root(), &cancel).await.unwrap();
    assert!(entries.iter().any(|entry| entry.name == "index.html"), "{entries:?}");

    let delivery = loop {
        let waiting = tokio::time::timeout(Duration::from_secs(20), deliveries.recv());
        let delivery = waiting.await.expect("the push is delivered").unwrap();
        if delivery.header("x-github-event") == Some("push") {
            break delivery;
        }
    };
    let headers: Vec<(String, String)> = delivery.headers.clone().into_iter().collect();
    let raw = Delivery { headers: &headers, body: delivery.body.as_bytes() };
    let event = hosts.read_delivery(HostProvider::Github, &raw, &Secret::new("h00k"), chrono::Utc::now()).unwrap();
    let HookEventKind::Push { refs } = event.kind else { panic!("{event:?}") };
    assert_eq!((refs[0].as_str(), event.repository.unwrap()), ("refs/heads/main", web()));
    assert!(hosts.read_delivery(HostProvider::Github, &raw, &Secret::new("other"), chrono::Utc::now()).is_err());

    for state in [ReportState::Pending, ReportState::Success] {
        let report = CommitReport {
            commit: commit.id.clone(),
            ref_name: None,
            state,
            context: "slipway/acme/web".to_owned(),
            description: "Build #1".to_owned(),
            target_url: None,
            previous: None,
        };
        hosts.report(&access, &web(), &report, &cancel).await.unwrap();
    }
    let statuses = reqwest::get(format!("{}/test/statuses", program.url)).await.unwrap().text().await.unwrap();
    let statuses: Vec<serde_json::Value> = serde_json::from_str(&statuses).unwrap();
    let said: Vec<_> =
        statuses.iter().map(|one| (one["sha"].as_str().unwrap(), one["state"].as_str().unwrap())).collect();
    assert_eq!(said, [(sha.as_str(), "pending"), (sha.as_str(), "success")]);

    hosts.delete_hook(&access, &web(), &made.id, &cancel).await.unwrap();
    assert_eq!(hosts.hooks(&access, &web(), &cancel).await.unwrap(), []);
    hosts.delete_hook(&access, &web(), &made.id, &cancel).await.unwrap();
}

#[tokio::test]
async fn an_app_is_made_from_a_manifest_with_the_least_rights() {
    let (_program, address) = github().await;
    let hosts = hosts();
    let pending = hosts.begin_manifest(&address, "Slipway of Ada", None, PageLanguage::English).await.unwrap();
    let mut browser = Browser::new();
    let start = browser.open(pending.page()).await;
    let manifest = start.text.replace("&quot;", "\"");
    assert!(manifest.contains(r#""default_permissions":{"contents":"read","metadata":"read","statuses":"write"}"#));
    assert!(manifest.contains(r#""public":false"#) && !manifest.contains("hook_attributes"));
    let finishing = tokio::spawn(async move { pending.finish(&CancellationToken::new()).await });
    let confirmed = browser.submit(&start, &[]).await;
    let end = browser.submit(&confirmed, &[]).await;
    assert!(end.text.contains("next step is to install the app"), "{}", end.text);
    let app = finishing.await.unwrap().unwrap();
    assert_eq!((app.slug.as_str(), app.client.client_id.as_str()), ("slipway-of-ada", "Iv1.0123456789abcdef"));
    assert_eq!(app.install_page, format!("{}/github-apps/slipway-of-ada/installations/new", address.base));
    assert!(!format!("{app:?}").contains("0123456789abcdef0123"), "its secret is not printed");

    let elsewhere = crate::server::address(HostProvider::Gitea, "http://127.0.0.1:1");
    let begun = hosts.begin_manifest(&elsewhere, "x", None, PageLanguage::English).await;
    assert_eq!(begun.err().unwrap().code, slipway_core::ErrorCode::SourceUnsupported);
}
