//! How large a part of an intent may be, and whether a given intent keeps to it.
//!
//! The parser refuses what is larger; a button's payload, which may be forged, is held to the same rules. All sizes are in
//! characters (Unicode scalar values) unless they say otherwise.

use crate::inert;
use crate::intent::{Ask, Due, Intent, Item, When, Who};
use crate::token;

/// A whole utterance: the longest message Slack recommends, and twice Discord's limit.
pub const UTTERANCE_MAX: usize = 4_000;
/// An incident's or follow-up's title: a heading must stay readable as one (Slack's header block takes 150).
pub const TITLE_MAX: usize = 200;
/// A note: whatever fits an utterance.
pub const NOTE_MAX: usize = UTTERANCE_MAX;
/// A cause, a fix, a reason: a paragraph, not a document.
pub const PARAGRAPH_MAX: usize = 1_000;
/// A search: more words do not find more.
pub const QUERY_MAX: usize = 300;
/// Parameters of one run: no reviewed runbook needs more, and an approver must be able to read them all.
pub const PARAMS_MAX: usize = 16;
/// The name of a runbook, a parameter or a service: a DNS label is 63.
pub const NAME_MAX: usize = 64;
/// One parameter's value.
pub const VALUE_MAX: usize = 256;
/// A handle: Slack's and Discord's are shorter.
pub const HANDLE_MAX: usize = 64;
/// A link on a follow-up.
pub const LINK_MAX: usize = 500;
/// How far ahead a follow-up may be due, in days: two years.
pub const DUE_DAYS_MAX: u16 = 730;
/// Years in which a follow-up may be due.
pub const DUE_YEARS: std::ops::RangeInclusive<i16> = 2000..=2200;
/// How far back `20m ago` reaches, in minutes: a year.
pub const AGO_MINUTES_MAX: u32 = 366 * 24 * 60;
/// A silence, in minutes: 30 days. What is quiet for longer is a route of the configuration.
pub const SILENCE_MINUTES_MAX: u32 = 30 * 24 * 60;
/// A plan is named by the first 12 hexadecimal digits of its SHA-256.
pub const PLAN_DIGITS: usize = 12;

/// For how many minutes reminders may be put off: longer is `stop`.
pub const SNOOZE_MINUTES: std::ops::RangeInclusive<u16> = 5..=480;

/// Whether the ask is one that [`crate::read`] could have made, as far as sizes and characters go.
#[must_use]
pub fn within(ask: &Ask) -> bool {
    ask.incident != Some(0) && intent(&ask.intent)
}

fn intent(intent: &Intent) -> bool {
    match intent {
        Intent::Declare { title, service, .. } => line(title, TITLE_MAX) && service.as_deref().is_none_or(name),
        Intent::TakeRole { who: it, .. } => who(it),
        Intent::SetState { note, .. } => note.as_deref().is_none_or(paragraph),
        Intent::Note { text } => prose(text, NOTE_MAX),
        Intent::Keep { message, .. } => message.is_within(),
        Intent::Page { who: it, message } => who(it) && message.as_deref().is_none_or(paragraph),
        Intent::Snooze { minutes } => minutes.is_none_or(|m| SNOOZE_MINUTES.contains(&m)),
        Intent::Run { runbook, params, .. } => name(runbook) && parameters(params),
        Intent::Approve { request, plan: digits } => *request != Some(0) && digits.as_deref().is_none_or(plan),
        Intent::Deny { request, reason } => *request != Some(0) && reason.as_deref().is_none_or(paragraph),
        Intent::Resolve { cause, fix } => {
            cause.as_deref().is_none_or(paragraph) && fix.as_deref().is_none_or(paragraph)
        }
        Intent::Feedback { cause, .. } => cause.as_deref().is_none_or(paragraph),
        Intent::FollowUp { title, owner, due: day, link: url } => {
            line(title, TITLE_MAX)
                && owner.as_ref().is_none_or(who)
                && day.is_none_or(due)
                && url.as_deref().is_none_or(link)
        }
        Intent::FollowUpDone { follow_up } => *follow_up > 0,
        Intent::Rename { title } => line(title, TITLE_MAX),
        Intent::Update { conditions, actions, needs } => {
            let said = |text: &String| line(text, PARAGRAPH_MAX);
            said(conditions) && actions.as_ref().is_none_or(said) && needs.as_ref().is_none_or(said)
        }
        Intent::Task { title, owner } => line(title, TITLE_MAX) && owner.as_ref().is_none_or(who),
        Intent::TaskDone { task } => *task > 0,
        Intent::Assign { item, who: it } => who(it) && item.is_none_or(numbered),
        Intent::Merge { into } => *into > 0,
        Intent::Correct { when: it, .. } => when(*it),
        Intent::Silence { matchers, minutes, comment, .. } => {
            line(matchers, PARAGRAPH_MAX)
                && (1..=SILENCE_MINUTES_MAX).contains(minutes)
                && comment.as_deref().is_none_or(|comment| line(comment, TITLE_MAX))
        }
        Intent::EndSilence { silence } => *silence > 0,
        Intent::Search { query } => line(query, QUERY_MAX),
        Intent::OnCall { of: words } | Intent::Explain { alert: words } => {
            words.as_deref().is_none_or(|words| line(words, QUERY_MAX))
        }
        Intent::Help { verb } => verb.as_deref().is_none_or(name),
        Intent::Acknowledge
        | Intent::SetSeverity { .. }
        | Intent::List { .. }
        | Intent::Mine
        | Intent::Card
        | Intent::Why
        | Intent::Similar
        | Intent::WhoToCall
        | Intent::Runbooks
        | Intent::Postmortem
        | Intent::Timeline
        | Intent::CatchUp
        | Intent::MakePrivate
        | Intent::Silences => true,
    }
}

fn parameters(params: &[(String, String)]) -> bool {
    params.len() <= PARAMS_MAX
        && params.iter().enumerate().all(|(at, (key, given))| {
            name(key) && value(given) && params.iter().take(at).all(|(earlier, _)| earlier != key)
        })
}

/// A name: letters, digits, `_`, `-`, `.`, starting with a letter or digit (so it can never be taken for a flag).
#[must_use]
pub fn name(s: &str) -> bool {
    s.starts_with(|c: char| c.is_ascii_alphanumeric())
        && s.len() <= NAME_MAX
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// A parameter's value: one line without unseen characters; may be empty.
#[must_use]
pub fn value(s: &str) -> bool {
    !longer(s, VALUE_MAX) && !s.chars().any(inert::is_unseen)
}

/// The first digits of a plan's hash, in lower case.
#[must_use]
pub fn plan(s: &str) -> bool {
    s.len() == PLAN_DIGITS && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A real day within [`DUE_YEARS`], or 1 to [`DUE_DAYS_MAX`] days from today.
#[must_use]
pub fn due(due: Due) -> bool {
    match due {
        Due::InDays(days) => (1..=DUE_DAYS_MAX).contains(&days),
        Due::On { year, month, day } => DUE_YEARS.contains(&year) && token::day(year, month, day).is_some(),
    }
}

/// A real minute of the day, on a real day within [`DUE_YEARS`], or at most [`AGO_MINUTES_MAX`] ago.
#[must_use]
pub fn when(when: When) -> bool {
    let clock = |hour: u8, minute: u8| hour < 24 && minute < 60;
    match when {
        When::Clock { hour, minute } => clock(hour, minute),
        When::On { year, month, day, hour, minute } => {
            DUE_YEARS.contains(&year) && token::day(year, month, day).is_some() && clock(hour, minute)
        }
        When::Ago { minutes } => minutes <= AGO_MINUTES_MAX,
    }
}

const fn numbered(item: Item) -> bool {
    match item {
        Item::Task(number) | Item::FollowUp(number) => number > 0,
    }
}

/// An `http` or `https` address without credentials or unseen characters.
#[must_use]
pub fn link(s: &str) -> bool {
    let Some(after) = s.strip_prefix("https://").or_else(|| s.strip_prefix("http://")) else { return false };
    let host = after.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty()
        && !host.contains('@')
        && !longer(s, LINK_MAX)
        && !s.chars().any(|c| inert::is_unseen(c) || c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\\'))
}

fn who(who: &Who) -> bool {
    match who {
        Who::Me => true,
        Who::Named(handle) => token::is_handle(handle),
    }
}

fn line(s: &str, max: usize) -> bool {
    prose(s, max) && !s.contains('\n')
}

fn paragraph(s: &str) -> bool {
    prose(s, PARAGRAPH_MAX)
}

/// A text of at most `max` characters as [`inert::prose`] leaves it, and not empty.
#[must_use]
pub fn prose(s: &str, max: usize) -> bool {
    !s.is_empty() && s.trim() == s && !longer(s, max) && !s.chars().any(|c| c != '\n' && inert::is_unseen(c))
}

/// More than `max` characters.
#[must_use]
pub fn longer(s: &str, max: usize) -> bool {
    s.len() > max && s.chars().nth(max).is_some()
}
