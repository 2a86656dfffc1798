//! The one match that routes an event to its chapter.

use super::draft::Draft;
use super::effect::{Effect, Timer};
use super::event::Event;
use super::fact::{Fact, Origin};
use super::identity::Actor;
use super::incident::IncidentId;
use super::moment::{At, span};
use super::phrase::{button, ours, strong, titled};
use super::policy::Policy;
use super::refusal::Refusal;
use super::{
    State, Turn, announcing, escalation, followup, nudging, placing, remediation, response, rooms, suspects, triage,
};
use smokejumper_intents::intent::Intent;
use smokejumper_intents::reply::Style;
use smokejumper_intents::word::Severity;
use std::collections::BTreeMap;

/// What follows from `event`. Pure and total; a refusal changes nothing.
///
/// # Errors
/// What a person asked for cannot be done; the refusal says why and what would work.
pub fn decide(state: &State, event: Event, policy: &Policy, now: At) -> Result<Turn, Refusal> {
    let by = match &event {
        Event::Asked { by, .. } => Actor::Account(by.clone()),
        Event::Signals(delivery) => Actor::Source(delivery.source.clone()),
        Event::Changed(change) => Actor::Source(change.source.clone()),
        _ => Actor::Bot,
    };
    let mut draft = Draft::new(state, policy, now, by);
    if !matches!(
        event,
        Event::Signals(_) | Event::Changed(_) | Event::Asked { .. } | Event::RulesRead { .. } | Event::Tick
    ) && event.incident().is_none_or(|id| draft.incident(id).is_none())
    {
        // The result of an effect of an incident that is gone: nothing to do, and nothing to keep.
        return Ok(draft.finish());
    }
    match event {
        Event::Signals(delivery) => placing::signals(&mut draft, &delivery),
        Event::Changed(change) => suspects::changed(&mut draft, &change),
        Event::RulesRead { digest, what } => {
            draft.record_own(Fact::RulesChanged { digest, what });
            placing::again(&mut draft);
            rooms::open_all(&mut draft);
        }
        Event::Tick => {
            placing::again(&mut draft);
            followup::push(&mut draft);
            escalation::look(&mut draft);
            nudging::look(&mut draft);
        }
        Event::Asked { by, ask } => response::asked(&mut draft, &by, ask)?,
        Event::RoomOpened { incident, platform, room } => rooms::opened(&mut draft, incident, platform, room),
        Event::RoomChanged { incident, platform, room, change } => {
            rooms::changed(&mut draft, incident, platform, &room, &change);
        }
        Event::Recalled { incident, recollection } => triage::recalled(&mut draft, incident, recollection),
        Event::Poised { incident, request, fresh } => remediation::poised(&mut draft, incident, request, &fresh),
        Event::Ran { incident, request, outcome } => remediation::ran(&mut draft, incident, request, outcome),
        Event::Verified { incident, request, verdict } => remediation::verified(&mut draft, incident, request, verdict),
        Event::Filed { incident, follow_up, issue, unknown } => {
            followup::filed(&mut draft, incident, follow_up, issue, unknown);
        }
        Event::IssueMoved { incident, follow_up, issue, to, by, changed } => {
            followup::moved(&mut draft, incident, follow_up, &issue, &to, by, changed);
        }
        Event::Paged { incident, page, answered, key, account } => {
            escalation::answered(&mut draft, incident, page, answered, key.as_deref(), account);
        }
        Event::Undelivered { incident, what, why } => {
            draft.record(incident, Fact::Undelivered { what, why });
            draft.show(incident);
        }
        Event::Due { incident, timer: Timer::Expiry { request } } => remediation::expire(&mut draft, incident, request),
        Event::Due { incident, timer: Timer::Quiet } => quiet(&mut draft, incident),
        Event::Due { incident, timer: Timer::File } => followup::file(&mut draft, incident),
        Event::Due { incident, timer: Timer::Escalate { .. } } => escalation::due(&mut draft, incident),
        Event::Due { incident, timer: Timer::Nudge } => nudging::due(&mut draft, incident),
        Event::Due { incident, timer: Timer::Nag } => nudging::nag(&mut draft, incident),
        Event::Due { incident, timer: Timer::Archive } => rooms::archive(&mut draft, incident),
    }
    // Whoever is waited for may have come with any of these, by any verb: looked at once, at the end.
    escalation::follow(&mut draft);
    nudging::follow(&mut draft);
    rooms::follow(&mut draft);
    announcing::follow(&mut draft);
    Ok(draft.finish())
}

/// Opens an incident with the next number, its rooms, and a question to memory.
pub(super) fn declare(
    draft: &mut Draft,
    title: String,
    severity: Severity,
    service: Option<String>,
    labels: BTreeMap<String, String>,
    origin: Origin,
) -> IncidentId {
    let id = IncidentId(draft.desk.last.saturating_add(1));
    let waived = rooms::waived(draft.policy, &origin);
    draft.record(id, Fact::Declared { title, severity, service, labels, origin });
    if let Some(because) = waived {
        draft.record_by(Actor::Bot, id, Fact::RoomsWaived { because });
    }
    suspects::gather(draft, id);
    rooms::open(draft, id);
    draft.recall(id);
    id
}

/// Every alert has been resolved for a while: propose to resolve. Alerts alone never close an incident.
fn quiet(draft: &mut Draft, id: IncidentId) {
    let quiet_after = draft.policy.grouping.quiet_after;
    let Some(incident) = draft.incident(id) else { return };
    let since = incident.times.last_alert.unwrap_or(incident.times.declared);
    if !incident.is_open() || incident.firing() > 0 {
        return;
    }
    if draft.now.since(since) < quiet_after {
        // An alert came since the timer was set, or the clock was ahead when it fired.
        draft.effect(Effect::Wake { incident: id, at: since.plus(quiet_after), timer: Timer::Quiet });
        return;
    }
    let mut message = titled(vec![
        strong("All alerts are resolved"),
        ours(format!(" and have been quiet for {}. Is it over?", span(draft.now.since(since)))),
    ]);
    message.buttons.push(button("Resolve", Style::Primary, id.0, Intent::Resolve { cause: None, fix: None }));
    draft.say(id, &message);
}
