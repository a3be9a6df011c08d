//! Commands on the inbox.

use crate::system::Nothing;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_core::Failure;
use slipway_core::ids::NoticeId;
use slipway_core::notice::{NoticeFacts, Severity};
use slipway_store::NoticeRecord;
use ts_rs::TS;

/// Notices that one page may hold.
const MOST: u32 = 500;

/// A notice: facts, from which the console makes a sentence.
#[derive(Debug, Serialize, TS)]
pub struct NoticeView {
    /// Its id.
    pub id: NoticeId,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// A person read it.
    pub read: bool,
    /// How much it matters.
    pub severity: Severity,
    /// The address inside the window of what it is about.
    pub route: String,
    /// What it says.
    pub facts: NoticeFacts,
}

/// Paging; newest first.
#[derive(Debug, Default, Deserialize, TS)]
#[ts(rename = "ListNotices")]
#[serde(default)]
pub struct ListRequest {
    /// Older than this one.
    #[ts(optional)]
    pub before: Option<NoticeId>,
    /// How many at most, 1–500; 50 when left out.
    #[ts(optional)]
    pub limit: Option<u32>,
    /// Only those that nobody read.
    #[ts(optional, as = "Option<bool>")]
    pub unread_only: bool,
}

/// A page of the inbox.
#[derive(Debug, Serialize, TS)]
pub struct Inbox {
    /// Newest first.
    pub items: Vec<NoticeView>,
    /// Unread notices in all.
    pub unread: u64,
    /// Notices in all.
    pub total: u64,
    /// Ask for the next page with this as `before`.
    pub next: Option<NoticeId>,
}

/// Names a notice.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichNotice")]
pub struct Which {
    /// Which.
    pub id: NoticeId,
}

/// Marks notices as read.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "MarkNoticesRead")]
pub struct MarkReadRequest {
    /// This one.
    pub id: NoticeId,
    /// All older ones too: with the newest that the person saw, that is all.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub and_older: bool,
}

impl From<NoticeRecord> for NoticeView {
    fn from(record: NoticeRecord) -> Self {
        Self {
            id: record.id,
            at: record.created_at,
            read: record.read_at.is_some(),
            severity: record.facts.kind().severity(),
            route: record.facts.route(),
            facts: record.facts,
        }
    }
}

pub(crate) async fn list(app: &Slipway, request: ListRequest) -> Result<Inbox, Failure> {
    let limit = request.limit.unwrap_or(50).clamp(1, MOST);
    let page = app.notices(request.before, limit, request.unread_only).await?;
    Ok(Inbox {
        items: page.items.into_iter().map(Into::into).collect(),
        unread: page.unread,
        total: page.total,
        next: page.next,
    })
}

pub(crate) async fn get(app: &Slipway, request: Which) -> Result<NoticeView, Failure> {
    Ok(app.notice(request.id).await?.into())
}

pub(crate) async fn mark_read(app: &Slipway, request: MarkReadRequest) -> Result<Nothing, Failure> {
    if request.and_older {
        app.mark_notices_read_up_to(request.id).await?;
    } else {
        app.mark_notice_read(request.id).await?;
    }
    Ok(Nothing {})
}

pub(crate) async fn clear(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.clear_notices(request.id).await?;
    Ok(Nothing {})
}
