//! Suspects: what was changed on purpose shortly before or while an incident went on.
//!
//! A change is never an alert and never a verdict: it is shown with its distance in time, and people judge.

use super::draft::Draft;
use super::fact::Fact;
use super::incident::{Incident, IncidentId};
use super::moment::HOUR;
use super::signal::Change;

/// A change is a suspect this long (ms) before an incident began: most faults of a change show within minutes, some with the
/// first busy hour.
pub const SUSPECT_FOR: i64 = 2 * HOUR;

/// Something was changed: the house remembers it, and every open incident it may have caused is told.
pub fn changed(draft: &mut Draft, change: &Change) {
    if draft.desk.changes.contains(change) {
        return;
    }
    let concerned: Vec<IncidentId> = draft.open().filter(|i| is_suspect(i, change)).map(|i| i.id).collect();
    draft.record_own(Fact::ChangeSeen { change: change.clone() });
    for id in concerned {
        draft.record(id, Fact::ChangeSeen { change: change.clone() });
        draft.show(id);
    }
}

/// An incident opened: what was changed before is told to it.
pub fn gather(draft: &mut Draft, id: IncidentId) {
    let Some(incident) = draft.incident(id) else { return };
    let found: Vec<Change> = draft.desk.changes.iter().filter(|c| is_suspect(incident, c)).cloned().collect();
    for change in found {
        draft.record(id, Fact::ChangeSeen { change });
    }
}

/// Of the incident's service, or of everything, and not too long before it began.
fn is_suspect(incident: &Incident, change: &Change) -> bool {
    let began = incident.times.impact_started.or(incident.times.detected).unwrap_or(incident.times.declared);
    let concerns = change.service.is_none() || change.service == incident.service;
    concerns && change.at >= began.plus(-SUSPECT_FOR)
}
