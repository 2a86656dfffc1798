//! Alerts: their state is a join over what was delivered, whatever the order and multiplicity (I4); storms stay bounded.

use super::story::Story;
use crate::world::town::{SOURCE, START, asked, delivery, firing, signal};
use proptest::prelude::*;
use smokejumper::flow::State;
use smokejumper::flow::decide::decide;
use smokejumper::flow::effect::Timer;
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::{Fact, Origin};
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::moment::{At, MINUTE, SECOND};
use smokejumper::flow::signal::{AlertKey, AlertStatus, Signal};
use smokejumper_intents::intent::Intent;
use smokejumper_intents::word::State as Stage;
use std::collections::BTreeMap;

const NAMES: [&str; 3] = ["HighErrorRate", "Latency", "PodCrash"];
const SERVICES: [&str; 4] = ["checkout", "payments", "search", ""];

/// One of a few alerts, in one of a few flaps: collisions are the point.
fn any_signal() -> impl Strategy<Value = Signal> {
    (0..NAMES.len(), 0..SERVICES.len(), 0..2_u32, any::<bool>(), 0..4_i64, prop::option::of(0..4_i64)).prop_map(
        |(name, service, pod, resolved, start, end)| {
            let status = if resolved { AlertStatus::Resolved } else { AlertStatus::Firing };
            let starts_at = START.plus(start * MINUTE);
            let ends_at = end.map(|e| starts_at.plus(e * SECOND));
            signal(NAMES[name], SERVICES[service], pod, status, starts_at, ends_at)
        },
    )
}

type Seen = BTreeMap<AlertKey, (AlertStatus, At, Option<At>)>;

fn alerts(state: &State) -> Seen {
    state.desk.alerts.iter().map(|(key, a)| (key.clone(), (a.status, a.starts_at, a.ends_at))).collect()
}

/// Delivers `signals` in chunks, `gap` apart.
fn told(signals: &[Signal], chunk: usize, gap: i64) -> Story {
    let mut story = Story::new();
    for chunk in signals.chunks(chunk) {
        story.tell(delivery(chunk.to_vec())).expect("signals are never refused");
        story.wait(gap);
    }
    story
}

/// Alerts that fire and belong to `id`, counted from the alerts themselves.
fn fires_in(state: &State, id: IncidentId) -> usize {
    state.desk.alerts.values().filter(|a| a.incident == Some(id) && a.status == AlertStatus::Firing).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn order_and_multiplicity_do_not_matter(
        (straight, shuffled) in prop::collection::vec(any_signal(), 1..24).prop_flat_map(|signals| {
            let mut again = signals.clone();
            again.extend(signals.iter().step_by(2).cloned());
            again.extend(signals.iter().step_by(3).cloned());
            (Just(signals), Just(again).prop_shuffle())
        }),
        chunks in (1..8_usize, 1..8_usize),
        gap in 0..20 * MINUTE,
    ) {
        let (one, other) = (told(&straight, chunks.0, 0), told(&shuffled, chunks.1, gap));
        prop_assert_eq!(alerts(&one.state), alerts(&other.state));
    }

    #[test]
    fn the_newest_start_decides_and_at_one_start_the_resolution(signals in prop::collection::vec(any_signal(), 1..24)) {
        let story = told(&signals, 3, 0);
        let mut expected = Seen::new();
        for s in &signals {
            // Written down again from the promise, not from the code: I4.
            let of_alert = || signals.iter().filter(|o| o.key == s.key);
            let newest = of_alert().map(|o| o.starts_at).max().unwrap();
            let at_newest = || of_alert().filter(|o| o.starts_at == newest);
            let resolved = at_newest().any(|o| o.status == AlertStatus::Resolved);
            let end = at_newest().filter(|o| o.status == AlertStatus::Resolved).filter_map(|o| o.ends_at).max();
            let status = if resolved { AlertStatus::Resolved } else { AlertStatus::Firing };
            expected.insert(s.key.clone(), (status, newest, if resolved { end } else { None }));
        }
        prop_assert_eq!(alerts(&story.state), expected);
    }

    #[test]
    fn a_repeated_delivery_leaves_no_fact(signals in prop::collection::vec(any_signal(), 1..12)) {
        let mut story = told(&signals, 4, 0);
        let before = story.journal.len();
        for s in &signals {
            story.tell(delivery(vec![s.clone()])).unwrap();
        }
        prop_assert_eq!(story.journal.len(), before);
    }

    /// What an open incident says is firing is what fires: closing, reopening and flapping in between do not bend the count.
    #[test]
    fn an_open_incident_counts_what_fires(steps in prop::collection::vec(
        prop_oneof![
            6 => any_signal().prop_map(Ok),
            1 => (1..4_u32, prop::sample::select(vec![Stage::Resolved, Stage::Investigating, Stage::Closed])).prop_map(Err),
        ],
        1..40,
    )) {
        let mut story = Story::new();
        for step in steps {
            match step {
                Ok(s) => { story.tell(delivery(vec![s])).unwrap(); }
                Err((incident, state)) => {
                    let _ = story.tell(asked(0, Some(incident), Intent::SetState { state, note: None }));
                }
            }
            story.wait(MINUTE);
            for incident in story.state.incidents.values().filter(|i| i.is_open()) {
                prop_assert_eq!(incident.firing() as usize, fires_in(&story.state, incident.id), "{}", incident.id);
            }
        }
    }

    /// However many alerts of however many services, only so many incidents open by themselves, and one gathers the rest.
    #[test]
    fn a_storm_is_bounded(services in 11..60_u32, gap in 0..3 * SECOND) {
        let mut story = Story::new();
        for n in 0..services {
            story.tell(delivery(vec![firing("Down", &format!("svc-{n}"), 0, story.now)])).unwrap();
            story.wait(gap);
        }
        let declared = |storm: bool| story.journal.iter().filter(|e| match &e.fact {
            Fact::Declared { origin, .. } => (*origin == Origin::Storm) == storm,
            _ => false,
        }).count();
        prop_assert_eq!((declared(false), declared(true)), (10, 1));
        let homeless = story.state.desk.alerts.values().filter(|a| a.incident.is_none()).count();
        prop_assert_eq!(homeless, 0, "nothing is lost in the storm");
    }
}

#[test]
fn two_first_alerts_of_one_service_open_one_incident() {
    let mut story = Story::new();
    for pod in 0..2 {
        story.tell(delivery(vec![firing("Down", "checkout", pod, START)])).unwrap();
    }
    assert_eq!(story.state.incidents.len(), 1);
    assert_eq!(story.incident(1).firing(), 2);
}

#[test]
fn a_delivery_of_very_many_names_keeps_the_count_of_each_known_one() {
    let mut story = Story::new();
    story.tell(delivery(vec![firing("zzz", "checkout", 0, START)])).unwrap();
    let mut many: Vec<_> = (0..60).map(|n| firing(&format!("a{n:02}"), "checkout", 0, START)).collect();
    many.push(signal("zzz", "checkout", 0, AlertStatus::Resolved, START, Some(START)));
    story.tell(delivery(many)).unwrap();
    let incident = story.incident(1);
    assert_eq!(incident.groups["zzz"].firing, 0);
    assert_eq!(incident.firing(), 60);
    assert!(story.state.desk.alerts.keys().all(|k| k.source == SOURCE));
}

/// I13: the timer that proposes to resolve fired while the clock was ahead, or an alert came since: it is set again.
#[test]
fn a_quiet_timer_that_fired_early_is_set_again() {
    let mut story = Story::new();
    story.tell(delivery(vec![firing("Down", "checkout", 0, START)])).unwrap();
    story.tell(delivery(vec![signal("Down", "checkout", 0, AlertStatus::Resolved, START, Some(START))])).unwrap();
    let due = Event::Due { incident: IncidentId(1), timer: Timer::Quiet };
    let turn = decide(&story.state, due.clone(), &story.policy, START.plus(MINUTE)).unwrap();
    assert!(turn.effects.iter().any(|e| e.due() == Some(START.plus(5 * MINUTE))), "{:?}", turn.effects);
    let turn = decide(&story.state, due, &story.policy, START.plus(5 * MINUTE)).unwrap();
    assert!(turn.effects.iter().all(|e| e.due().is_none()) && !turn.effects.is_empty(), "{:?}", turn.effects);
}
