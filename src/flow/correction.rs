//! Corrections: a moment was not when we thought. Durations follow; who corrected it stays on record.
//!
//! An order that looks wrong is said, not refused: people know better than we do.

use super::draft::Draft;
use super::fact::Fact;
use super::incident::{IncidentId, Times};
use super::learning;
use super::moment::{At, MINUTE};
use super::phrase::{line, ours, section, strong, titled};
use super::refusal::Refusal;
use super::suspects;
use smokejumper_intents::intent::When;
use smokejumper_intents::reply::Line;
use smokejumper_intents::word::Milestone;

/// Says when `milestone` really was.
///
/// # Errors
/// The time is in the future, or resolving is corrected of what is not resolved.
pub fn correct(draft: &mut Draft, id: IncidentId, milestone: Milestone, when: When) -> Result<(), Refusal> {
    let Some(incident) = draft.incident(id) else { return Err(Refusal::new(format!("there is no {id}."))) };
    let over = !incident.is_open();
    if milestone == Milestone::Resolved && !over {
        return Err(Refusal::new(format!("{id} is not resolved yet.")).or_try("resolve"));
    }
    let Some(to) = moment(when, draft.now) else { return Err(Refusal::new("there is no such time.")) };
    if to > draft.now {
        return Err(Refusal::new(format!(
            "{} UTC is in the future; it is {} UTC now.",
            to.minute(),
            draft.now.minute()
        )));
    }
    let from = known(&incident.times, milestone);
    let said = |what: &str| format!("\"{}\" {what} {} UTC", milestone.label(), to.minute());
    if from == Some(to) {
        draft.reply(titled(vec![ours(format!("{} already.", said("is at")))]));
        return Ok(());
    }
    draft.record(id, Fact::Corrected { milestone, from, to });
    // Of these one says when it began, and by that what may have caused it.
    if matches!(milestone, Milestone::ImpactStarted | Milestone::Detected | Milestone::Declared) {
        suspects::gather(draft, id);
    }
    if over {
        learning::learn(draft, id);
    }
    let before = from.map_or_else(|| "not known before".to_owned(), |from| format!("not {} UTC", from.minute()));
    let mut message = titled(vec![ours(format!("{}, {before}.", said("was at")))]);
    let doubts = draft.incident(id).map(|i| doubts(&i.times, milestone, to)).unwrap_or_default();
    if !doubts.is_empty() {
        message.sections.push(section("", doubts));
    }
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

fn moment(when: When, now: At) -> Option<At> {
    match when {
        When::Clock { hour, minute } => Some(now.last(hour, minute)),
        When::On { year, month, day, hour, minute } => At::on(year, month, day, hour, minute),
        When::Ago { minutes } => Some(now.plus(i64::from(minutes).saturating_mul(-MINUTE))),
    }
}

fn known(times: &Times, milestone: Milestone) -> Option<At> {
    match milestone {
        Milestone::ImpactStarted => times.impact_started,
        Milestone::Detected => times.detected,
        Milestone::Declared => Some(times.declared),
        Milestone::Acknowledged => times.acknowledged,
        Milestone::Identified => times.identified,
        Milestone::Mitigated => times.mitigated,
        Milestone::Resolved => times.resolved,
    }
}

/// What stands in the wrong order now.
fn doubts(times: &Times, corrected: Milestone, to: At) -> Vec<Line> {
    let others = Milestone::ALL.into_iter().filter_map(|m| Some((m, known(times, m)?)));
    let wrong = others.filter(|(m, at)| (*m < corrected && *at > to) || (*m > corrected && *at < to));
    wrong
        .map(|(m, at)| {
            let (order, word) = if m < corrected { ("before", "comes first") } else { ("after", "comes later") };
            let text = format!("that is {order} \"{}\" ({} UTC), which usually {word}.", m.label(), at.minute());
            line(vec![strong("Look again: "), ours(text)])
        })
        .collect()
}
