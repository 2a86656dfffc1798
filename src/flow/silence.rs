//! Silences that people set: matching alerts are listed only, until they end. Facts of the house, not of an incident.
//!
//! What placing makes of them is in `placing.rs`; those of the configuration are policy.

use super::desk::{Desk, Hush, MAX_SILENCES};
use super::draft::Draft;
use super::fact::Fact;
use super::matcher;
use super::moment::{At, MINUTE, span};
use super::phrase::{actor, button, code, count, faint, line, ours, outside, section, strong, titled};
use super::placing;
use super::policy::{Matcher, Policy};
use super::refusal::Refusal;
use super::signal::AlertStatus;
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::reply::{Button, Line, Reply, Section, Span, Style};
use std::collections::BTreeMap;

/// Silences shown of those in force.
const SHOWN: usize = 50;

/// Sets one, from now on.
///
/// # Errors
/// The matchers cannot be read, or there are too many silences.
pub fn set(draft: &mut Draft, matchers: String, minutes: u32, comment: Option<String>) -> Result<(), Refusal> {
    let read = matcher::parse(&matchers).map_err(|wrong| {
        Refusal::new(format!("these matchers can't be read: {wrong}.")).or_try("silence service=\"checkout\" 2h")
    })?;
    if draft.desk.silences.iter().filter(|s| s.until > draft.now).count() >= MAX_SILENCES {
        return Err(
            Refusal::new(format!("there are {MAX_SILENCES} silences already; end one first.")).or_try("silence list")
        );
    }
    let (from, until) = (draft.now, draft.now.plus(i64::from(minutes).saturating_mul(MINUTE)));
    let silence = draft.desk.last_silence.saturating_add(1);
    draft.record_own(Fact::Silenced { silence, matchers: matchers.clone(), from, until, comment });
    let matching = |a: &&super::desk::AlertState| a.status == AlertStatus::Firing && hit(&read, &a.labels);
    let (homed, loose): (Vec<_>, Vec<_>) = draft
        .alerts()
        .filter(matching)
        .filter(|a| a.incident.is_none_or(|id| !draft.desk.private.contains(&id)))
        .partition(|a| a.incident.is_some_and(|id| draft.desk.open.contains_key(&id)));
    let (homed, loose) = (homed.len() as u64, loose.len() as u64);
    let mut reply = titled(vec![
        strong(format!("Silence S-{silence} ")),
        ours(format!("for {}, until ", span(until.since(from)))),
        Span::Time(until.0),
        ours(": "),
        code(matchers),
    ]);
    let mut lines = vec![line(vec![ours("Alerts that match are listed, and neither open nor join an incident.")])];
    if loose > 0 {
        lines.push(line(vec![ours(format!("{} it fires now and belongs to none.", matches_now(loose)))]));
    }
    if homed > 0 {
        lines.push(line(vec![ours(format!(
            "{} it belongs to an open incident already, and stays there.",
            matches_now(homed)
        ))]));
    }
    reply.sections.push(section("", lines));
    reply.buttons.push(end_button(silence));
    draft.reply(reply);
    Ok(())
}

fn matches_now(n: u64) -> String {
    format!("{} that matches", count(n, "alert"))
}

/// Ends one before its time; alerts that still fire are placed again at once.
///
/// # Errors
/// It is not in force.
pub fn end(draft: &mut Draft, silence: u32) -> Result<(), Refusal> {
    if !draft.desk.silences.iter().any(|s| s.id == silence && s.until > draft.now) {
        return Err(Refusal::new(format!("there is no silence S-{silence} in force.")).or_try("silence list"));
    }
    draft.record_own(Fact::SilenceEnded { silence });
    placing::again(draft);
    draft.reply(titled(vec![ours(format!(
        "Silence S-{silence} has ended; what it kept quiet and still fires is looked at again."
    ))]));
    Ok(())
}

fn hit(matchers: &[Matcher], labels: &BTreeMap<String, String>) -> bool {
    matchers.iter().all(|m| m.matches(labels))
}

/// Everything that is silenced now, those people set first.
#[must_use]
pub fn list(desk: &Desk, policy: &Policy, now: At) -> Reply {
    let set: Vec<&Hush> = desk.silences.iter().filter(|s| s.is_on(now)).collect();
    let fixed: Vec<_> = policy.silences.iter().filter(|s| s.from <= now && now < s.until).collect();
    let mut reply = titled(vec![strong(match set.len() + fixed.len() {
        0 => "Nothing is silenced.".to_owned(),
        n => count(n as u64, "silence"),
    })]);
    let mut section = Section::default();
    for silence in set.iter().take(SHOWN) {
        section.lines.push(shown(silence, policy, now));
        section.buttons.push(end_button(silence.id));
    }
    for silence in fixed {
        let matchers: Vec<String> = silence.matchers.iter().map(Matcher::text).collect();
        section.lines.push(line(vec![
            outside(silence.name.clone()),
            ours(" "),
            code(matchers.join(", ")),
            ours(format!(" until {} UTC, by the configuration", silence.until.minute())),
        ]));
    }
    if set.len() > SHOWN {
        section.lines.push(line(vec![faint(format!("and {} more", set.len() - SHOWN))]));
    }
    reply.sections.push(section);
    reply
}

/// `S-1 service="checkout" until 12:00, by Ana: deploying`.
#[must_use]
pub fn shown(silence: &Hush, policy: &Policy, now: At) -> Line {
    let mut spans = vec![
        strong(format!("S-{} ", silence.id)),
        code(silence.matchers.clone()),
        ours(format!(" for {} more, until {} UTC, by ", span(silence.until.since(now)), silence.until.minute())),
        actor(policy, &silence.by),
    ];
    if let Some(comment) = &silence.comment {
        spans.extend([ours(": "), outside(comment.clone())]);
    }
    line(spans)
}

/// The silences in force that alerts like these would fall under.
#[must_use]
pub fn over<'d>(desk: &'d Desk, labels: &BTreeMap<String, String>, now: At) -> Vec<&'d Hush> {
    let falls = |s: &&Hush| s.is_on(now) && matcher::parse(&s.matchers).is_ok_and(|m| hit(&m, labels));
    if labels.is_empty() { Vec::new() } else { desk.silences.iter().filter(falls).collect() }
}

fn end_button(silence: u32) -> Button {
    let ask = Ask { incident: None, intent: Intent::EndSilence { silence } };
    Button { ask, ..button(format!("End S-{silence}"), Style::Plain, 0, Intent::EndSilence { silence }) }
}
