//! What the desk forgets of alerts, and what it keeps.

use super::*;
use std::collections::BTreeSet;

const NOW: At = At(1_795_168_800_000);

fn alert(source: &str, fingerprint: &str, status: AlertStatus, incident: Option<u32>, heard: At) -> AlertState {
    AlertState {
        key: AlertKey { source: source.to_owned(), fingerprint: fingerprint.to_owned() },
        status,
        starts_at: heard,
        ends_at: None,
        count: 1,
        last_seen: heard,
        name: "Slow".to_owned(),
        labels: BTreeMap::new(),
        summary: None,
        link: None,
        incident: incident.map(IncidentId),
        because: String::new(),
        route: String::new(),
        since: None,
        how: How::Unknown,
    }
}

fn names(desk: &Desk) -> BTreeSet<&str> {
    desk.alerts.keys().map(|key| key.fingerprint.as_str()).collect()
}

#[test]
fn what_fires_is_forgotten_when_nobody_hears_of_it_unless_an_open_incident_is_about_it() {
    let mut desk = Desk::default();
    let opened = Fact::Declared {
        title: "x".to_owned(),
        severity: smokejumper_intents::word::Severity::Sev2,
        service: None,
        labels: BTreeMap::new(),
        origin: Origin::Person,
    };
    let entry = Entry { incident: IncidentId(1), n: 1, at: NOW, by: Actor::Bot, fact: opened };
    desk.apply(&entry, &Incident::fold(IncidentId(1), [&entry]));
    let (old, young) = (NOW.plus(-UNHEARD - 1), NOW.plus(-UNHEARD));
    for alert in [
        alert("am", "old", AlertStatus::Firing, None, old),
        alert("am", "young", AlertStatus::Firing, None, young),
        alert("am", "of an open one", AlertStatus::Firing, Some(1), old),
        alert("am", "of an ended one", AlertStatus::Firing, Some(7), old),
        alert("am", "over", AlertStatus::Resolved, None, NOW.plus(-RESOLVED_REMEMBERED)),
        alert("am", "long over", AlertStatus::Resolved, None, NOW.plus(-RESOLVED_REMEMBERED - 1)),
    ] {
        desk.note(alert);
    }
    assert_eq!(desk.forget(NOW), Faded { unheard: 2, surplus: BTreeMap::new() });
    assert_eq!(names(&desk), BTreeSet::from(["young", "of an open one", "over"]));
}

#[test]
fn one_source_cannot_fill_the_desk() {
    let mut desk = Desk::default();
    let more = 3;
    for n in 0..MAX_LOOSE + more {
        let heard = NOW.plus(i64::try_from(n).unwrap_or_default() - UNHEARD);
        desk.note(alert("loud", &n.to_string(), AlertStatus::Firing, None, heard));
    }
    desk.note(alert("quiet", "alone", AlertStatus::Firing, None, NOW.plus(-UNHEARD)));
    assert_eq!(desk.forget(NOW), Faded { unheard: 0, surplus: BTreeMap::from([("loud".to_owned(), more)]) });
    assert_eq!(desk.alerts.len(), MAX_LOOSE + 1);
    // Those heard of longest ago.
    assert!(["0", "1", "2"].iter().all(|gone| !names(&desk).contains(gone)) && names(&desk).contains("alone"));
    assert_eq!(desk.forget(NOW), Faded::default());
}
