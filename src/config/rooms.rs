//! Rooms of incidents: which of them everybody is told of, and when a room is put away.

use super::checked::Checker;
use super::pager::Every;
use super::raw::Raw;
use crate::flow::moment::HOUR;
use crate::flow::policy::Policy;
use serde::Deserialize;
use smokejumper_intents::word::Severity;
use toml::Spanned;

/// A room is not put away sooner after its incident was closed: what is said last would be missed.
const LEAST_OPEN: i64 = HOUR;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRooms {
    pub announce_from: Option<Spanned<Severity>>,
    pub archive_after: Option<Spanned<Every>>,
}

/// Platforms must be known by now.
pub(super) fn resolve(checker: &mut Checker<'_>, raw: &Raw, policy: &mut Policy) {
    if let Some(from) = &raw.rooms.announce_from {
        policy.rooms.announce_from = *from.get_ref();
        if policy.rooms.announce.is_empty() && raw.slack.is_some() {
            let hint = "name a channel for that: announce under [slack]";
            checker.warn(&from.span(), "nothing is announced anywhere", hint);
        }
    }
    if let Some(written) = &raw.rooms.archive_after {
        let after = written.get_ref().0;
        if after.is_some_and(|ms| ms < LEAST_OPEN) {
            let hint = "write an hour at least, such as \"7d\", or \"never\"";
            checker.error(&written.span(), "that is too soon to archive the room of an incident that was closed", hint);
        }
        policy.rooms.archive_after = after;
    }
}
