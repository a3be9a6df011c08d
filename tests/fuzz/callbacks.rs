//! Who calls us: code hosts on the webhook listener, a browser on the authorization's.

use super::recipe::Recipe;
use base64::Engine as _;
use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use slipway_core::host::{DeliveryRefused, HookEventKind, HostProvider};
use std::net::{Ipv4Addr, SocketAddr};

const SECRET: &str = "the secret of the webhook";
const PROVIDERS: [HostProvider; 6] = [
    HostProvider::Github,
    HostProvider::Gitlab,
    HostProvider::Gitee,
    HostProvider::Coding,
    HostProvider::Gitea,
    HostProvider::Bitbucket,
];

/// A delivery: refused without the right signature, whatever stands in it; with it, only legal refs come out.
pub(super) fn webhook_body(bytes: &[u8]) {
    let (first, body) = bytes.split_first().unwrap_or((&0, &[]));
    let provider = PROVIDERS[usize::from(*first) % PROVIDERS.len()];
    let now = DateTime::from_timestamp(1_700_000_000, 0).expect("it is a time");
    let stamp = now.timestamp_millis().to_string();
    let sign = |secret: &str| {
        let tag = slipway_hosts::fuzzing::sign(secret, body, provider == HostProvider::Coding);
        let stamped = slipway_hosts::fuzzing::sign(secret, format!("{stamp}\n{secret}").as_bytes(), false);
        let header = |name: &str, value: String| (name.to_owned(), value);
        match provider {
            HostProvider::Github => vec![header("X-Hub-Signature-256", format!("sha256={}", hex::encode(tag)))],
            HostProvider::Gitlab => vec![header("X-Gitlab-Token", secret.to_owned())],
            HostProvider::Gitee => vec![
                header("X-Gitee-Token", base64::engine::general_purpose::STANDARD.encode(stamped)),
                header("X-Gitee-Timestamp", stamp.clone()),
            ],
            HostProvider::Coding => vec![header("X-Coding-Signature", format!("sha1={}", hex::encode(tag)))],
            HostProvider::Gitea => vec![header("X-Gitea-Signature", hex::encode(tag))],
            HostProvider::Bitbucket => vec![header("X-Hub-Signature", format!("sha256={}", hex::encode(tag)))],
        }
    };
    let read =
        |headers: &[(String, String)]| slipway_hosts::fuzzing::read_delivery(provider, headers, body, SECRET, now);
    match read(&sign(SECRET)) {
        Ok(event) => {
            assert!(!event.replay_key.is_empty());
            if let HookEventKind::Push { refs } = event.kind {
                for name in refs {
                    assert!(name.as_str().starts_with("refs/heads/") || name.as_str().starts_with("refs/tags/"));
                    super::is_plain(name.as_str());
                }
            }
        }
        Err(why) => assert_eq!(why, DeliveryRefused::Unreadable, "a signed delivery"),
    }
    assert_eq!(read(&sign("another secret")).err(), Some(DeliveryRefused::WrongSignature));
    assert_eq!(read(&[]).err(), Some(DeliveryRefused::Unsigned));
    let mut twice = sign(SECRET);
    twice.extend(twice.clone());
    assert_eq!(read(&twice).err(), Some(DeliveryRefused::Unsigned), "two signatures");
}

/// The head of a request to the listener: what comes in has our name, a path of ours, and says JSON.
pub(super) fn webhook_head(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let method = Method::from_bytes(words.next().unwrap_or_default().as_bytes());
    let uri = words.next().unwrap_or_default().parse::<Uri>();
    let (Ok(method), Ok(uri)) = (method, uri) else { return };
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value.trim())) {
            headers.append(name, value);
        }
    }
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 8787));
    let public = "https://hooks.example/slipway";
    let Ok(path) = slipway_app::fuzzing::check_delivery(Some(public), local, &method, &uri, &headers) else { return };
    assert_eq!(method, Method::POST);
    assert_eq!(path.len(), 32);
    let hosts: Vec<&HeaderValue> = headers.get_all("host").iter().collect();
    assert_eq!(hosts.len(), 1, "several hosts are named");
    let known = ["127.0.0.1:8787", "[::1]:8787", "localhost:8787", "hooks.example", "hooks.example:443"];
    assert!(known.iter().any(|known| hosts[0].as_bytes().eq_ignore_ascii_case(known.as_bytes())), "{hosts:?}");
    assert!(!headers.contains_key("origin"));
}

/// A request to the listener that the browser comes back to: only the right state is taken, and no page repeats what was sent.
pub(super) fn oauth_callback(bytes: &[u8]) {
    let text = Recipe(bytes).text();
    let head = text.replace('\n', "\r\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime can be made");
    let state = "0123456789abcdef";
    let answer = slipway_hosts::fuzzing::oauth_callback(&head, "127.0.0.1:43117", "/callback", state);
    let (status, page) = runtime.block_on(answer);
    assert!(!page.contains("<script") && page.len() < 4096, "a page of {} bytes", page.len());
    for word in head.split_whitespace().filter(|word| word.len() > 30) {
        assert!(!page.contains(word), "the page repeats {word:?}");
    }
    if status == "200 OK" {
        assert!(head.starts_with("GET /callback?") && head.contains("127.0.0.1:43117"), "{head:?} is taken");
        let target = head.lines().next().unwrap_or_default().split(' ').nth(1).unwrap_or_default();
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let mut given = reqwest::Url::parse("http://h/").expect("it parses");
        given.set_query(Some(&query.replace('\t', "%09")));
        let first = given.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned());
        assert_eq!(first.as_deref(), Some(state), "a stranger's answer is taken");
    }
}
