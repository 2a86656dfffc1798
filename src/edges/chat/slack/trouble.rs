//! What can go wrong with a call, told once: by what is certain of its effect, and by who can do something about it. Pure.

use super::method::{Kind, Method};
use crate::egress::Failed;
use crate::flow::fact::RoomChange;
use crate::flow::moment::{MINUTE, SECOND};
use crate::ports::Undelivered;
use smokejumper_intents::inert::{line, shorten};

/// Without a word from Slack on how long to wait (ms): its documentation's example.
pub const LEAST_WAIT: i64 = 30 * SECOND;
/// Until somebody has mended what only a person can (ms): then it goes on by itself.
const MENDED_AFTER: i64 = 5 * MINUTE;
/// Characters of Slack's own words.
const MAX_WORDS: usize = 300;

/// A call that did not come to a good end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Slack, {method}: {cause}")]
pub struct Trouble {
    pub method: &'static str,
    /// What it means that nobody knows whether it had its effect.
    pub kind: Kind,
    pub cause: Cause,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Certainly never sent, and never will be.
    #[error("{0}")]
    Refused(String),
    /// Certainly never sent.
    #[error("not reached: {0}")]
    NotSent(String),
    /// Sent, and no answer that says what came of it.
    #[error("{0}")]
    Lost(String),
    /// Certainly no effect: asked too often, or before a wait was over.
    #[error("asked to wait {after_ms} ms")]
    Limited { after_ms: i64 },
    /// `ok: false`: certainly no effect, except of the codes in `UNSURE`.
    #[error("{}", words(code, needed.as_deref(), details))]
    Said {
        code: String,
        /// The scopes one of which is needed.
        needed: Option<String>,
        /// Slack's own words about single arguments.
        details: String,
    },
}

/// Slack's own trouble: it may have happened before it failed.
const UNSURE: &[&str] = &["internal_error", "fatal_error", "service_unavailable", "request_timeout"];
/// Only a person can mend these: until then nothing works, and then it goes on.
const TOKEN: &[&str] = &[
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "org_login_required",
    "ekm_access_denied",
    "access_denied",
    "team_access_not_granted",
    "enterprise_is_restricted",
    "app_missing_action_url",
];

impl Trouble {
    #[must_use]
    pub const fn new(method: &Method, cause: Cause) -> Self {
        Self { method: method.name, kind: method.kind, cause }
    }

    /// Slack's word for it.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.cause {
            Cause::Said { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether Slack said one of these.
    #[must_use]
    pub fn is(&self, codes: &[&str]) -> bool {
        self.code().is_some_and(|code| codes.contains(&code))
    }

    /// Only a person can mend it, in Slack's settings of the app.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        self.is(TOKEN)
    }

    /// The channel is not as we left it. `None`: this is about something else.
    #[must_use]
    pub fn room_change(&self) -> Option<RoomChange> {
        let gone = |why: &str| Some(RoomChange::Gone { why: why.to_owned() });
        match self.code()? {
            "is_archived" | "channel_is_archived" | "already_archived" => Some(RoomChange::Archived),
            "channel_not_found" => gone("the channel was deleted, or Smokejumper may not see it any more"),
            "not_in_channel" => gone("Smokejumper was removed from the channel; /invite it there to bring it back"),
            _ => None,
        }
    }

    /// For what happens in the incident's own channel.
    #[must_use]
    pub fn in_room(self) -> Undelivered {
        match self.room_change() {
            Some(change) => Undelivered::NoRoom { change, why: self.to_string() },
            None => self.into(),
        }
    }
}

impl From<Trouble> for Undelivered {
    fn from(trouble: Trouble) -> Self {
        let why = trouble.to_string();
        let unsure = |why| match trouble.kind {
            // Nothing is lost by asking again, nor by setting the same thing again.
            Kind::Read | Kind::Sets => Self::NotYet { why, after_ms: None },
            Kind::Makes => Self::Unknown { why },
        };
        match &trouble.cause {
            Cause::NotSent(_) => Self::NotYet { why, after_ms: None },
            Cause::Lost(_) => unsure(why),
            Cause::Limited { after_ms } => Self::NotYet { why, after_ms: Some((*after_ms).max(SECOND)) },
            Cause::Said { code, .. } if UNSURE.contains(&code.as_str()) => unsure(why),
            Cause::Said { .. } if trouble.needs_a_person() => Self::NotYet { why, after_ms: Some(MENDED_AFTER) },
            Cause::Said { code, .. } if code == "team_added_to_org" => {
                Self::NotYet { why, after_ms: Some(MENDED_AFTER) }
            }
            Cause::Refused(_) | Cause::Said { .. } => Self::Never { why },
        }
    }
}

impl From<Failed> for Cause {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(refused) => Self::Refused(refused.to_string()),
            Failed::NotSent(why) => Self::NotSent(why),
            lost @ (Failed::Lost(_) | Failed::TimedOut) => Self::Lost(lost.to_string()),
        }
    }
}

/// What it means, and where to click.
fn words(code: &str, needed: Option<&str>, details: &str) -> String {
    let scopes = || shorten(&line(needed.unwrap_or("a scope")), MAX_WORDS);
    let advice = match code {
        "missing_scope" => format!(
            "the app lacks {}: add it under OAuth & Permissions, Scopes, and press Reinstall to Workspace (api.slack.com/apps)",
            scopes()
        ),
        "invalid_auth" | "not_authed" | "token_expired" => {
            "the token is not accepted: copy it anew from OAuth & Permissions (api.slack.com/apps)".to_owned()
        }
        "token_revoked" | "account_inactive" => "the app was removed from the workspace, or its token revoked: press \
                Install to Workspace under OAuth & Permissions (api.slack.com/apps)"
            .to_owned(),
        "not_allowed_token_type" => {
            "this is another kind of token: bot_token begins with xoxb-, app_token with xapp-".to_owned()
        }
        "restricted_action" | "no_permission" | "access_denied" => {
            "the workspace's settings forbid it to apps: ask an administrator of the workspace".to_owned()
        }
        _ => String::new(),
    };
    let mut text = shorten(&line(code), MAX_WORDS);
    for more in [advice, shorten(&line(details), MAX_WORDS)] {
        if !more.is_empty() {
            text.push_str(": ");
            text.push_str(&more);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edges::chat::slack::method::{INFO, POST_MESSAGE, UPDATE};

    fn said(method: &Method, code: &str) -> Trouble {
        Trouble::new(
            method,
            Cause::Said { code: code.into(), needed: Some("pins:write".into()), details: String::new() },
        )
    }

    #[test]
    fn of_a_write_that_failed_inside_slack_nobody_knows() {
        for code in UNSURE {
            assert!(matches!(said(&POST_MESSAGE, code).into(), Undelivered::Unknown { .. }), "{code}");
            assert!(matches!(said(&INFO, code).into(), Undelivered::NotYet { .. }), "{code}");
            assert!(matches!(said(&UPDATE, code).into(), Undelivered::NotYet { .. }), "{code}");
        }
        let lost = |method| Trouble::new(method, Cause::Lost("gone".into()));
        assert!(matches!(lost(&POST_MESSAGE).into(), Undelivered::Unknown { .. }));
        assert!(matches!(lost(&INFO).into(), Undelivered::NotYet { .. }));
    }

    #[test]
    fn what_a_person_must_mend_waits_and_says_where() {
        for code in TOKEN {
            let told = Undelivered::from(said(&POST_MESSAGE, code));
            assert!(matches!(told, Undelivered::NotYet { after_ms: Some(MENDED_AFTER), .. }), "{code}");
        }
        let text = said(&POST_MESSAGE, "missing_scope").to_string();
        assert!(text.contains("pins:write") && text.contains("OAuth & Permissions"), "{text}");
    }

    #[test]
    fn a_room_that_is_not_there_is_no_fault() {
        let in_room = |code| said(&POST_MESSAGE, code).in_room();
        assert!(matches!(in_room("is_archived"), Undelivered::NoRoom { change: RoomChange::Archived, .. }));
        for code in ["channel_not_found", "not_in_channel"] {
            assert!(matches!(in_room(code), Undelivered::NoRoom { change: RoomChange::Gone { .. }, .. }), "{code}");
        }
        assert!(matches!(in_room("invalid_blocks"), Undelivered::Never { .. }));
        let soon = Trouble::new(&POST_MESSAGE, Cause::Limited { after_ms: 3 });
        assert!(matches!(soon.in_room(), Undelivered::NotYet { after_ms: Some(SECOND), .. }));
    }
}
