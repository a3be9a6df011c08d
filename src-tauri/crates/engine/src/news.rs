//! `GET /events` for images: what happens to names in the store, by whomever.

use crate::client::{EngineClient, request, silent};
use http_body_util::BodyExt;
use slipway_core::ports::ImageNews;
use slipway_core::{ErrorCode, Failure};
use std::time::Duration;
use tokio::sync::mpsc;

/// News that wait for the reader; more say nothing that these do not.
const WAITING: usize = 256;
/// A line longer than this is no event.
const MAX_LINE: usize = 1024 * 1024;

/// Begins to listen; the engine has taken the subscription when this returns.
pub(crate) async fn listen(client: &EngineClient, deadline: Duration) -> Result<mpsc::Receiver<ImageNews>, Failure> {
    let filters = crate::client::encode(r#"{"type":["image"]}"#);
    let request = request(http::Method::GET, &format!("/events?filters={filters}"))?;
    let mut answer = tokio::time::timeout(deadline, client.open(request)).await.map_err(|_| silent(deadline))??;
    if !answer.response.status().is_success() {
        return Err(Failure::new(
            ErrorCode::EngineError,
            format!("the engine tells no events: {}", answer.response.status()),
        ));
    }
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let mut line = Vec::new();
        loop {
            let frame = tokio::select! {
                () = sender.closed() => return,
                frame = answer.response.body_mut().frame() => frame,
            };
            // The end of the stream or a broken connection: the receiver sees the channel close.
            let Some(Ok(frame)) = frame else { return };
            let Ok(bytes) = frame.into_data() else { continue };
            for byte in bytes {
                if byte != b'\n' {
                    line.push(byte);
                    if line.len() > MAX_LINE {
                        return;
                    }
                } else if let Some(news) = read(&std::mem::take(&mut line)) {
                    // Full: the reader has plenty to look at already.
                    let _ = sender.try_send(news);
                }
            }
        }
    });
    Ok(receiver)
}

/// Reads one event; `None` for what moves no name.
fn read(line: &[u8]) -> Option<ImageNews> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Event {
        action: String,
        actor: Actor,
    }
    #[derive(serde::Deserialize)]
    struct Actor {
        #[serde(rename = "ID", default)]
        id: String,
        #[serde(rename = "Attributes", default)]
        attributes: std::collections::HashMap<String, String>,
    }
    let event: Event = serde_json::from_slice(line).ok()?;
    let moves = ["tag", "untag", "load", "import", "pull", "push", "delete", "create"].contains(&event.action.as_str());
    let pushed = event.action == "push";
    moves.then(|| ImageNews {
        // A push is told with the whole name as id, a tag with the image's id and the name beside it.
        name: if pushed {
            event.actor.id
        } else {
            event.actor.attributes.get("name").cloned().unwrap_or(event.actor.id)
        },
        pushed,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn events_of_an_engine_are_read() {
        let tag = br#"{"status":"tag","id":"sha256:1","Type":"image","Action":"tag","Actor":{"ID":"sha256:1","Attributes":{"name":"team/app:1"}},"time":1}"#;
        assert_eq!(read(tag).unwrap(), ImageNews { name: "team/app:1".to_owned(), pushed: false });
        let push = br#"{"Type":"image","Action":"push","Actor":{"ID":"127.0.0.1:5000/team/app:1","Attributes":{"name":"127.0.0.1:5000/team/app"}}}"#;
        assert_eq!(read(push).unwrap(), ImageNews { name: "127.0.0.1:5000/team/app:1".to_owned(), pushed: true });
        let load = br#"{"Type":"image","Action":"load","Actor":{"ID":"sha256:2"}}"#;
        assert_eq!(read(load).unwrap().name, "sha256:2");
        assert_eq!(read(br#"{"Type":"image","Action":"save","Actor":{"ID":"sha256:2"}}"#), None);
        assert_eq!(read(b"garbage"), None);
    }
}
