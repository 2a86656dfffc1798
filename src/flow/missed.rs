//! What was not said when it should have been: one message in the place of many, after an outage or in a flood (I11).
//!
//! Knows messages and times; knows no platform. It is rendered when it is sent, so that only what can still be decided has buttons.

use super::effect::{Effect, decisions};
use super::identity::Platform;
use super::incident::{Incident, Phase};
use super::moment::At;
use super::phrase::{code, faint, line, ours, section, strong, titled};
use super::privacy::veil_message;
use super::remediation::SHORT;
use super::standing::{decision_buttons, plan_lines};
use crate::flow::incident::IncidentId;
use serde::{Deserialize, Serialize};
use smokejumper_intents::reply::{Line, Reply, Span};
use std::collections::BTreeSet;

/// Messages told of in a line each, the newest: what fits on a screen. Those before them are counted, and are in the timeline.
pub const MAX_LINES: usize = 20;
/// Requests shown whole, with their buttons; the card has the others.
const MAX_DECISIONS: usize = 4;

/// Messages of one room that became one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Missed {
    pub why: Why,
    /// When the first of them was to be said.
    pub from: At,
    /// The newest [`MAX_LINES`], oldest first.
    pub said: Vec<Remark>,
    /// How many there were before those.
    pub before: u32,
    /// Requests that somebody was asked to decide.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub requests: BTreeSet<u32>,
}

/// Why they became one. Of two reasons the later one here is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// There were too many at once.
    #[default]
    Much,
    /// They were not said in time, for whatever reason.
    Late,
    /// The platform could not be reached.
    Away,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remark {
    pub at: At,
    pub line: Line,
}

impl Missed {
    /// All of these, each with the time at which it was to be said; what is not a message is passed over.
    #[must_use]
    pub fn of<'e>(effects: impl IntoIterator<Item = (At, &'e Effect)>, why: Why) -> Self {
        let mut all = Self { why, from: At(i64::MAX), ..Self::default() };
        for (at, effect) in effects {
            match effect {
                Effect::Say { message, .. } => {
                    all.from = all.from.min(at);
                    all.said.push(Remark { at, line: message.title.clone() });
                    all.requests.extend(decisions(message));
                }
                Effect::SayMissed { missed, .. } => {
                    all.why = all.why.max(missed.why);
                    all.from = all.from.min(missed.from);
                    all.before = all.before.saturating_add(missed.before);
                    all.said.extend(missed.said.iter().cloned());
                    all.requests.extend(&missed.requests);
                }
                _ => {}
            }
        }
        all.said.sort_by_key(|remark| remark.at);
        let surplus = all.said.len().saturating_sub(MAX_LINES);
        all.said.drain(..surplus);
        all.before = all.before.saturating_add(u32::try_from(surplus).unwrap_or(u32::MAX));
        all
    }

    /// Messages in it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.said.len() as u64 + u64::from(self.before)
    }

    /// As it may leave the house.
    pub fn veil(&mut self, hidden: &BTreeSet<IncidentId>) {
        for remark in &mut self.said {
            if !veil_message(&mut Reply::titled(remark.line.clone()), hidden) {
                remark.line = line(vec![faint("(it told of a private incident)")]);
            }
        }
    }
}

/// What the room is told.
#[must_use]
pub fn missed_post(missed: &Missed, incident: &Incident, platform: Platform, now: At) -> Reply {
    let what = match missed.why {
        Why::Away => format!("While {} was away (", name(platform)),
        Why::Late => "Said late (".to_owned(),
        Why::Much => "Much happened at once (".to_owned(),
    };
    let mut message =
        titled(vec![strong(what), Span::Time(missed.from.0), strong("–"), Span::Time(now.0), strong(")")]);
    let mut lines = Vec::with_capacity(missed.said.len() + 1);
    if missed.before > 0 {
        lines.push(line(vec![
            faint(format!("… and {} more before; the ", missed.before)),
            code("timeline"),
            faint(" has all of it"),
        ]));
    }
    for remark in &missed.said {
        let time = [Span::Time(remark.at.0), ours(" ")];
        lines.push(line(time.into_iter().chain(remark.line.spans.iter().cloned()).collect()));
    }
    message.sections.push(section("", lines));
    let open = |number: &&u32| incident.runs.get(number).is_some_and(|run| run.phase == Phase::Requested);
    for number in missed.requests.iter().filter(open).take(MAX_DECISIONS) {
        let Some(run) = incident.runs.get(number) else { continue };
        let mut asked = section(&format!("Run #{number} waits for a decision"), plan_lines(&run.plan));
        let short: String = run.sha256.chars().take(SHORT).collect();
        asked.buttons = decision_buttons(incident.id, *number, &short);
        message.sections.push(asked);
    }
    message
}

/// As people call it.
const fn name(platform: Platform) -> &'static str {
    match platform {
        Platform::Console => "the console",
        Platform::Cli => "the terminal",
        Platform::Slack => "Slack",
        Platform::Discord => "Discord",
        Platform::Pagerduty => "PagerDuty",
    }
}
