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
use smokejumper_intents::word::Right;
use std::collections::BTreeMap;

/// Silences shown of those in force.
const SHOWN: usize = 50;
/// Minutes for which anybody may silence who is no administrator: a shift and the next. What is longer should be seen by somebody.
pub const LONGEST: u32 = 24 * 60;
/// Fewer alerts than this are silenced without a question, even if they are all there is.
const MANY: u64 = 5;

/// What somebody wants kept quiet.
#[derive(Clone, Debug)]
pub struct Wish {
    pub matchers: String,
    pub minutes: u32,
    pub comment: Option<String>,
    /// They were asked whether they mean it.
    pub anyway: bool,
}

/// Sets one, from now on.
///
/// # Errors
/// The matchers cannot be read or name nothing, it is too long for `right`, there are too many silences, or it covers most of what
/// is known and nobody said that this is meant.
pub fn set(draft: &mut Draft, right: Right, wish: Wish) -> Result<(), Refusal> {
    let read = matcher::parse(&wish.matchers).map_err(|wrong| {
        Refusal::new(format!("these matchers can't be read: {wrong}.")).or_try("silence service=\"checkout\" 2h")
    })?;
    let covers = covers(draft, &read);
    may(draft, right, &wish, &read, &covers)?;
    let Wish { matchers, minutes, comment, .. } = wish;
    let (from, until) = (draft.now, draft.now.plus(i64::from(minutes).saturating_mul(MINUTE)));
    let silence = draft.desk.last_silence.saturating_add(1);
    draft.record_own(Fact::Silenced { silence, matchers: matchers.clone(), from, until, comment });
    let mut reply = titled(vec![
        strong(format!("Silence S-{silence} ")),
        ours(format!("for {}, until ", span(until.since(from)))),
        Span::Time(until.0),
        ours(": "),
        code(matchers),
    ]);
    let mut lines = vec![line(vec![ours("Alerts that match are listed, and neither open nor join an incident.")])];
    lines.push(line(vec![ours(match covers.firing {
        (_, 0) => "No alert fires now.".to_owned(),
        (hit, all) => format!("It covers {hit} of the {} firing now.", count(all, "alert")),
    })]));
    if covers.loose > 0 {
        lines.push(line(vec![ours(format!("{} it fires now and belongs to none.", matches_now(covers.loose)))]));
    }
    if covers.homed > 0 {
        lines.push(line(vec![ours(format!(
            "{} it belongs to an open incident already, and stays there.",
            matches_now(covers.homed)
        ))]));
    }
    reply.sections.push(section("", lines));
    reply.buttons.push(end_button(silence));
    draft.reply(reply);
    Ok(())
}

/// Whether somebody may set it, and means it.
fn may(draft: &Draft, right: Right, wish: &Wish, read: &[Matcher], covers: &Covers) -> Result<(), Refusal> {
    if !matcher::names_something(read) {
        let why = "these matchers fit an alert without any label, and so every alert there is; one of them must ask for something.";
        return Err(Refusal::new(why).or_try("silence service=\"checkout\" 2h"));
    }
    if right < Right::Admin && wish.minutes > LONGEST {
        let most = span(i64::from(LONGEST).saturating_mul(MINUTE));
        return Err(Refusal::new(format!("you may silence for {most} at most; for longer ask an administrator."))
            .or_try(format!("silence {} {}h", wish.matchers, LONGEST / 60)));
    }
    if draft.desk.silences.iter().filter(|s| s.until > draft.now).count() >= MAX_SILENCES {
        let why = format!("there are {MAX_SILENCES} silences already; end one first.");
        return Err(Refusal::new(why).or_try("silence list"));
    }
    let what = match (most(covers.firing), most(covers.known)) {
        (true, _) => format!("{} of the {} alerts firing now", covers.firing.0, covers.firing.1),
        (_, true) => format!("{} of the {} alerts seen lately", covers.known.0, covers.known.1),
        _ => return Ok(()),
    };
    if wish.anyway {
        return Ok(());
    }
    let Wish { matchers, minutes, comment, .. } = wish.clone();
    let intent = Intent::Silence { matchers, minutes, comment, anyway: true };
    let ask = Ask { incident: None, intent: intent.clone() };
    let press = Button { ask, ..button("Silence them anyway", Style::Danger, 0, intent) };
    Err(Refusal::new(format!(
        "that covers {what}: almost nothing would open an incident. Say it again if you mean it."
    ))
    .or_press(press))
}

/// How many of how many alerts, as everybody may see them: none of what is private.
#[derive(Default)]
struct Covers {
    firing: (u64, u64),
    /// Also those that were resolved lately.
    known: (u64, u64),
    /// Of those firing: in no open incident, and in one.
    loose: u64,
    homed: u64,
}

fn covers(draft: &Draft, matchers: &[Matcher]) -> Covers {
    let mut covers = Covers::default();
    for alert in draft.alerts().filter(|a| a.incident.is_none_or(|id| !draft.desk.private.contains(&id))) {
        let (covered, fires) = (hit(matchers, &alert.labels), alert.status == AlertStatus::Firing);
        covers.known.1 += 1;
        covers.known.0 += u64::from(covered);
        covers.firing.1 += u64::from(fires);
        covers.firing.0 += u64::from(fires && covered);
        let homed = alert.incident.is_some_and(|id| draft.desk.open.contains_key(&id));
        covers.homed += u64::from(fires && covered && homed);
        covers.loose += u64::from(fires && covered && !homed);
    }
    covers
}

const fn most((hit, all): (u64, u64)) -> bool {
    hit >= MANY && hit.saturating_mul(2) > all
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
