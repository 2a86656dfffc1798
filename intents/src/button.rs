//! An ask as the payload of a button, and back.
//!
//! `sj1|<incident>|<verb>|<field>|…`: fields in order; an optional text is empty or `=text`; `%`, `|` and what cannot be seen
//! are written `%XX` (UTF-8 bytes). It holds no secret and proves nothing: whoever sends it is identified and judged anew.
//! A payload that does not come out exactly as it would be written is refused, and so is one with contents that text could
//! not have said ([`crate::bounds`]).

use crate::bounds;
use crate::inert;
use crate::intent::{Ask, Due, Intent, Item, Who};
use crate::quoted::{Keep, Quoted};
use crate::token;
use crate::word::{Role, Severity, State};
use std::fmt::Write as _;

/// Discord's limit for a custom id, in characters. Payloads are counted in bytes, which are never fewer.
pub const PAYLOAD_MAX: usize = 100;
/// The longest payload that [`decode`] looks at, in bytes: Slack's limit for a button's value.
pub const DECODE_MAX: usize = 2_000;
/// The version of this form. Another version's button answers "this button is from another version".
const VERSION: &str = "sj1";

/// A payload that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Longer than [`DECODE_MAX`].
    TooLong,
    /// Not in this version's form; perhaps another version wrote it.
    OtherVersion,
    /// In this version's form, but not as [`encode`] writes it.
    Malformed,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooLong => "this button carries more than a button can",
            Self::OtherVersion => "this button is from another version; write the command instead",
            Self::Malformed => "this button is damaged; write the command instead",
        })
    }
}

impl std::error::Error for Unreadable {}

/// The payload, at most [`PAYLOAD_MAX`] characters. `None`: the ask does not fit (a long title or text, many parameters), or
/// is not within bounds; such an ask cannot be a button, and the reply says the command instead.
#[must_use]
pub fn encode(ask: &Ask) -> Option<String> {
    encode_within(ask, PAYLOAD_MAX)
}

/// Like [`encode`], where the platform has room for `max` bytes (Slack 2,000; a form's hidden field as many); never more
/// than [`DECODE_MAX`].
#[must_use]
pub fn encode_within(ask: &Ask, max: usize) -> Option<String> {
    let payload = written(ask);
    (payload.len() <= max.min(DECODE_MAX) && bounds::within(ask)).then_some(payload)
}

/// The ask of a payload.
pub fn decode(payload: &str) -> Result<Ask, Unreadable> {
    if payload.len() > DECODE_MAX {
        return Err(Unreadable::TooLong);
    }
    let body = payload.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix('|')).ok_or(Unreadable::OtherVersion)?;
    let ask = parsed(body)?;
    if bounds::within(&ask) && written(&ask) == payload { Ok(ask) } else { Err(Unreadable::Malformed) }
}

/// A payload in the making.
struct Fields(String);

impl Fields {
    fn raw(mut self, field: impl std::fmt::Display) -> Self {
        // Writing to a String cannot fail.
        let _ = write!(self.0, "|{field}");
        self
    }

    fn text(mut self, text: &str) -> Self {
        self.0.push('|');
        escape(text, &mut self.0);
        self
    }

    fn optional(mut self, text: Option<&str>) -> Self {
        self.0.push('|');
        if let Some(text) = text {
            self.0.push('=');
            escape(text, &mut self.0);
        }
        self
    }

    fn number(self, number: Option<u32>) -> Self {
        match number {
            Some(number) => self.raw(number),
            None => self.raw(""),
        }
    }

    fn flag(self, flag: bool) -> Self {
        self.raw(u8::from(flag))
    }
}

fn escape(text: &str, out: &mut String) {
    let mut bytes = [0; 4];
    for c in text.chars() {
        if matches!(c, '%' | '|') || inert::is_unseen(c) {
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
}

fn unescape(field: &str) -> Result<String, Unreadable> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field.bytes();
    while let Some(byte) = rest.next() {
        out.push(if byte == b'%' { hex(rest.next())? << 4 | hex(rest.next())? } else { byte });
    }
    String::from_utf8(out).map_err(|_| Unreadable::Malformed)
}

fn hex(digit: Option<u8>) -> Result<u8, Unreadable> {
    match digit {
        Some(digit @ b'0'..=b'9') => Ok(digit - b'0'),
        Some(digit @ b'A'..=b'F') => Ok(digit - b'A' + 10),
        _ => Err(Unreadable::Malformed),
    }
}

fn written(ask: &Ask) -> String {
    let to = |verb: &str| Fields(VERSION.to_owned()).number(ask.incident).raw(verb);
    match &ask.intent {
        Intent::Declare { title, severity, service } => {
            to("declare").raw(severity.map(severity_digit).unwrap_or_default()).optional(service.as_deref()).text(title)
        }
        Intent::Acknowledge => to("ack"),
        Intent::TakeRole { role, who } => to("role").raw(role_word(*role)).optional(name_of(Some(who))),
        Intent::SetSeverity { severity } => to("sev").raw(severity_digit(*severity)),
        Intent::SetState { state, note } => to("status").raw(state.label()).optional(note.as_deref()),
        Intent::Note { text } => to("note").text(text),
        Intent::Page { who, message } => to("page").optional(name_of(Some(who))).optional(message.as_deref()),
        Intent::Snooze { minutes } => to("snooze").number(minutes.map(u32::from)),
        Intent::Run { runbook, params, dry } => params
            .iter()
            .fold(to("run").text(runbook).flag(*dry), |fields, (key, value)| fields.text(&format!("{key}={value}"))),
        Intent::Approve { request, plan } => to("approve").number(*request).optional(plan.as_deref()),
        Intent::Deny { request, reason } => to("deny").number(*request).optional(reason.as_deref()),
        Intent::Resolve { cause, fix } => to("resolve").optional(cause.as_deref()).optional(fix.as_deref()),
        Intent::Feedback { right, cause } => to("feedback").flag(*right).optional(cause.as_deref()),
        Intent::FollowUp { title, owner, due, link } => {
            let to = to("follow-up").text(title).flag(owner.is_some()).optional(name_of(owner.as_ref()));
            to.raw(due.map(due_word).unwrap_or_default()).optional(link.as_deref())
        }
        Intent::FollowUpDone { follow_up } => to("done").raw(follow_up),
        Intent::Rename { title } => to("rename").text(title),
        Intent::Update { conditions, actions, needs } => {
            to("update").text(conditions).optional(actions.as_deref()).optional(needs.as_deref())
        }
        Intent::Task { title, owner } => to("task").text(title).flag(owner.is_some()).optional(name_of(owner.as_ref())),
        Intent::TaskDone { task } => to("task-done").raw(task),
        Intent::Assign { item, who } => {
            let item = match item {
                None => String::new(),
                Some(Item::Task(number)) => format!("T{number}"),
                Some(Item::FollowUp(number)) => format!("F{number}"),
            };
            to("assign").raw(item).optional(name_of(Some(who)))
        }
        Intent::Merge { into } => to("merge").raw(into),
        Intent::Correct { milestone, when } => {
            to("correct").raw(token::milestone_word(*milestone)).text(&token::when_text(*when))
        }
        Intent::MakePrivate => to("private"),
        Intent::Silence { matchers, minutes, comment, anyway } => {
            to(if *anyway { "silence-anyway" } else { "silence" })
                .raw(minutes)
                .optional(comment.as_deref())
                .text(matchers)
        }
        Intent::EndSilence { silence } => to("end-silence").raw(silence),
        Intent::List { closed } => to("list").flag(*closed),
        Intent::Search { query } => to("search").text(query),
        Intent::Card => to("card"),
        Intent::Why => to("why"),
        Intent::Similar => to("similar"),
        Intent::WhoToCall => to("who"),
        Intent::OnCall { of } => to("on-call").optional(of.as_deref()),
        Intent::Explain { alert } => to("explain").optional(alert.as_deref()),
        Intent::Keep { message, what } => to("keep")
            .raw(match what {
                Keep::Timeline => "timeline",
                Keep::Task => "task",
            })
            .raw(message.at)
            .text(&message.id)
            .text(&message.text)
            .optional(message.author.as_deref())
            .optional(message.link.as_deref()),
        Intent::Mine => to("mine"),
        Intent::Runbooks => to("runbooks"),
        Intent::Postmortem => to("postmortem"),
        Intent::Timeline => to("timeline"),
        Intent::CatchUp => to("catch-up"),
        Intent::Silences => to("silences"),
        Intent::Help { verb } => to("help").optional(verb.as_deref()),
    }
    .0
}

/// Not strict: [`decode`] compares with what would have been written.
#[allow(clippy::too_many_lines)] // one arm an intent, read best in one place
fn parsed(body: &str) -> Result<Ask, Unreadable> {
    let mut fields = body.split('|');
    let incident = number(fields.next().ok_or(Unreadable::Malformed)?)?;
    let verb = fields.next().ok_or(Unreadable::Malformed)?;
    let mut next = || fields.next().ok_or(Unreadable::Malformed);
    let intent = match verb {
        "declare" => {
            let (severity, service) = (next()?, optional(next()?)?);
            let severity =
                if severity.is_empty() { None } else { Some(severity_of(severity).ok_or(Unreadable::Malformed)?) };
            Intent::Declare { title: unescape(next()?)?, severity, service }
        }
        "ack" => Intent::Acknowledge,
        "role" => {
            Intent::TakeRole { role: role_of(next()?).ok_or(Unreadable::Malformed)?, who: who(optional(next()?)?) }
        }
        "sev" => Intent::SetSeverity { severity: severity_of(next()?).ok_or(Unreadable::Malformed)? },
        "status" => {
            Intent::SetState { state: state_of(next()?).ok_or(Unreadable::Malformed)?, note: optional(next()?)? }
        }
        "note" => Intent::Note { text: unescape(next()?)? },
        "page" => Intent::Page { who: who(optional(next()?)?), message: optional(next()?)? },
        "snooze" => {
            let minutes = number(next()?)?.map(u16::try_from).transpose().map_err(|_| Unreadable::Malformed)?;
            Intent::Snooze { minutes }
        }
        "run" => {
            let (runbook, dry) = (unescape(next()?)?, flag(next()?)?);
            let mut params = Vec::new();
            for field in fields.by_ref() {
                let (key, value) = field.split_once('=').ok_or(Unreadable::Malformed)?;
                params.push((unescape(key)?, unescape(value)?));
            }
            Intent::Run { runbook, params, dry }
        }
        "approve" => Intent::Approve { request: number(next()?)?, plan: optional(next()?)? },
        "deny" => Intent::Deny { request: number(next()?)?, reason: optional(next()?)? },
        "resolve" => Intent::Resolve { cause: optional(next()?)?, fix: optional(next()?)? },
        "feedback" => Intent::Feedback { right: flag(next()?)?, cause: optional(next()?)? },
        "follow-up" => {
            let (title, has_owner, name) = (unescape(next()?)?, flag(next()?)?, optional(next()?)?);
            let due = next()?;
            let due = if due.is_empty() { None } else { Some(crate::token::due(due).ok_or(Unreadable::Malformed)?) };
            Intent::FollowUp { title, owner: has_owner.then(|| who(name)), due, link: optional(next()?)? }
        }
        "done" => Intent::FollowUpDone { follow_up: counted(next()?)? },
        "rename" => Intent::Rename { title: unescape(next()?)? },
        "update" => {
            let conditions = unescape(next()?)?;
            Intent::Update { conditions, actions: optional(next()?)?, needs: optional(next()?)? }
        }
        "task" => {
            let (title, has_owner, name) = (unescape(next()?)?, flag(next()?)?, optional(next()?)?);
            Intent::Task { title, owner: has_owner.then(|| who(name)) }
        }
        "task-done" => Intent::TaskDone { task: counted(next()?)? },
        "assign" => {
            let item = next()?;
            let item = match item.split_at_checked(1) {
                None => None,
                Some(("T", number)) => Some(Item::Task(counted(number)?)),
                Some(("F", number)) => Some(Item::FollowUp(counted(number)?)),
                Some(_) => return Err(Unreadable::Malformed),
            };
            Intent::Assign { item, who: who(optional(next()?)?) }
        }
        "merge" => Intent::Merge { into: counted(next()?)? },
        "correct" => {
            let milestone = token::milestone(next()?).ok_or(Unreadable::Malformed)?;
            Intent::Correct { milestone, when: token::when(&unescape(next()?)?).ok_or(Unreadable::Malformed)? }
        }
        "private" => Intent::MakePrivate,
        "silence" | "silence-anyway" => {
            let (minutes, comment) = (counted(next()?)?, optional(next()?)?);
            Intent::Silence { matchers: unescape(next()?)?, minutes, comment, anyway: verb == "silence-anyway" }
        }
        "end-silence" => Intent::EndSilence { silence: counted(next()?)? },
        "list" => Intent::List { closed: flag(next()?)? },
        "search" => Intent::Search { query: unescape(next()?)? },
        "card" => Intent::Card,
        "why" => Intent::Why,
        "similar" => Intent::Similar,
        "who" => Intent::WhoToCall,
        "on-call" => Intent::OnCall { of: optional(next()?)? },
        "explain" => Intent::Explain { alert: optional(next()?)? },
        "keep" => {
            let what = match next()? {
                "timeline" => Keep::Timeline,
                "task" => Keep::Task,
                _ => return Err(Unreadable::Malformed),
            };
            let at = next()?.parse().map_err(|_| Unreadable::Malformed)?;
            let (id, text) = (unescape(next()?)?, unescape(next()?)?);
            let message = Quoted { id, text, at, author: optional(next()?)?, link: optional(next()?)? };
            Intent::Keep { message, what }
        }
        "mine" => Intent::Mine,
        "runbooks" => Intent::Runbooks,
        "postmortem" => Intent::Postmortem,
        "timeline" => Intent::Timeline,
        "catch-up" => Intent::CatchUp,
        "silences" => Intent::Silences,
        "help" => Intent::Help { verb: optional(next()?)? },
        _ => return Err(Unreadable::Malformed),
    };
    Ok(Ask { incident, intent })
}

fn number(field: &str) -> Result<Option<u32>, Unreadable> {
    if field.is_empty() { Ok(None) } else { field.parse().map(Some).map_err(|_| Unreadable::Malformed) }
}

/// A number that must be there.
fn counted(field: &str) -> Result<u32, Unreadable> {
    number(field)?.ok_or(Unreadable::Malformed)
}

fn optional(field: &str) -> Result<Option<String>, Unreadable> {
    if field.is_empty() {
        return Ok(None);
    }
    field.strip_prefix('=').ok_or(Unreadable::Malformed).and_then(unescape).map(Some)
}

fn flag(field: &str) -> Result<bool, Unreadable> {
    match field {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(Unreadable::Malformed),
    }
}

fn name_of(who: Option<&Who>) -> Option<&str> {
    match who {
        Some(Who::Named(name)) => Some(name),
        Some(Who::Me) | None => None,
    }
}

fn who(name: Option<String>) -> Who {
    name.map_or(Who::Me, Who::Named)
}

const fn severity_digit(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev1 => "1",
        Severity::Sev2 => "2",
        Severity::Sev3 => "3",
        Severity::Sev4 => "4",
    }
}

fn severity_of(digit: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| severity_digit(*severity) == digit)
}

const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Commander => "ic",
        Role::Scribe => "scribe",
        Role::Communications => "comms",
        Role::Operations => "ops",
    }
}

fn role_of(word: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role_word(*role) == word)
}

fn state_of(label: &str) -> Option<State> {
    State::ALL.into_iter().find(|state| state.label() == label)
}

fn due_word(due: Due) -> String {
    match due {
        Due::On { year, month, day } => format!("{year:04}-{month:02}-{day:02}"),
        Due::InDays(days) => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests;
