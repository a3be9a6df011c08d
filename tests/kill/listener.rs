//! What others were told: the registry's own news about manifests, and the calls of a webhook.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// A manifest that arrived at the registry under a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) repository: String,
    pub(crate) tag: String,
    pub(crate) digest: String,
}

#[derive(Debug, Default)]
struct Heard {
    arrived: Vec<Arrived>,
    /// Calls of the webhook by their idempotency key.
    calls: BTreeMap<String, usize>,
}

/// A server that takes every POST and remembers it.
pub(crate) struct Listener {
    url: String,
    heard: Arc<Mutex<Heard>>,
    accepting: AbortHandle,
}

impl Listener {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port is free");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let shared = Arc::clone(&heard);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let heard = Arc::clone(&shared);
                tokio::spawn(async move {
                    // A caller that was killed in the middle of its call is what this is for.
                    let _ = one(stream, &heard).await;
                });
            }
        });
        Self { url, heard, accepting: accepting.abort_handle() }
    }

    /// Where the registry tells.
    pub(crate) fn news_url(&self) -> String {
        format!("{}/news", self.url)
    }

    /// Where the webhook calls.
    pub(crate) fn hook_url(&self) -> String {
        format!("{}/hook", self.url)
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).arrived.clone()
    }

    pub(crate) fn calls(&self) -> BTreeMap<String, usize> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).calls.clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn one(stream: TcpStream, heard: &Mutex<Heard>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        if first.contains("/news") {
            heard.arrived.extend(body["events"].as_array().into_iter().flatten().filter_map(arrived));
        } else {
            let key = headers.get("idempotency-key").cloned().unwrap_or_default();
            *heard.calls.entry(key).or_default() += 1;
        }
    }
    stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await
}

fn arrived(event: &Value) -> Option<Arrived> {
    let text = |name: &str| event["target"][name].as_str().map(str::to_owned);
    if event["action"] != "push" {
        return None;
    }
    Some(Arrived { repository: text("repository")?, tag: text("tag")?, digest: text("digest")? })
}
