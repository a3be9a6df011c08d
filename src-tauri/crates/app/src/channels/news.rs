//! What channels are told about builds and updates: more than the inbox, for those who want more.

use crate::Parts;
use slipway_core::build::BuildState;
use slipway_core::channel::{ChannelEvent, ChannelMessage, MessageCommit, MessageFacts};
use slipway_core::notice::{NoticeFacts, NoticedBuild, NoticedUpdate};
use slipway_core::trigger::{FiringKind, FiringState};
use slipway_store::{BuildRecord, FiringRecord};

impl Parts {
    /// Returns what the end of a build says; `notice` is what the inbox would say.
    pub(crate) fn build_news(
        &self,
        row: &BuildRecord,
        build: NoticedBuild,
        notice: Option<&NoticeFacts>,
    ) -> ChannelMessage {
        let change = match notice {
            Some(NoticeFacts::BuildFailed { .. }) => Some(ChannelEvent::BuildFailed),
            Some(NoticeFacts::BuildRecovered { .. }) => Some(ChannelEvent::BuildRecovered),
            _ => None,
        };
        let succeeded = row.state == BuildState::Succeeded;
        let tags = row.tags.iter().flatten().filter(|_| succeeded);
        let images = tags.map(|tag| format!("{}:{}", build.repository_name, tag.as_str())).collect();
        let commit =
            row.commit.as_ref().map(|commit| MessageCommit { id: commit.id.clone(), title: commit.summary.clone() });
        let facts = MessageFacts::Build {
            build,
            state: row.state,
            recovered: change == Some(ChannelEvent::BuildRecovered),
            code: row.failure.as_ref().map(|failure| failure.code),
            commit,
            images,
        };
        let events = change.into_iter().chain([ChannelEvent::BuildEnded]).collect();
        ChannelMessage { events, at: row.ended_at.unwrap_or_else(|| self.now()), facts }
    }

    /// Returns what the end of an update says; `notice` is what the inbox would say.
    pub(crate) fn update_news(
        &self,
        firing: &FiringRecord,
        update: NoticedUpdate,
        notice: Option<&NoticeFacts>,
    ) -> Option<ChannelMessage> {
        let state = firing.state;
        let by_person = firing.kind == FiringKind::RollBack;
        let event = match (notice, state) {
            (_, FiringState::Succeeded) if by_person => ChannelEvent::UpdateRolledBack,
            (_, FiringState::Succeeded) | (Some(NoticeFacts::UpdateRecovered { .. }), _) => ChannelEvent::UpdateDone,
            (Some(_), FiringState::RolledBack) => ChannelEvent::UpdateRolledBack,
            (Some(_), _) => ChannelEvent::UpdateFailed,
            (None, _) => return None,
        };
        let facts = MessageFacts::Update {
            update,
            state,
            recovered: matches!(notice, Some(NoticeFacts::UpdateRecovered { .. })),
            by_person,
            code: firing.failure.as_ref().map(|failure| failure.code),
        };
        Some(ChannelMessage { events: vec![event], at: firing.ended_at.unwrap_or_else(|| self.now()), facts })
    }
}
