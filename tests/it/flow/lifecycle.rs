//! The fold: total over any facts in any order, absorbing where it must be, and the same from the journal as it was live.

use super::arbitrary::{any_entries, any_event};
use super::story::Story;
use crate::world::town::{asked, delivery, firing};
use proptest::prelude::*;
use smokejumper::flow::desk::Desk;
use smokejumper::flow::fact::{Fact, Room};
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::{Incident, IncidentId, MAX_GROUPS};
use smokejumper_intents::intent::Intent;
use smokejumper_intents::word::State;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Any fact in any state: no panic, no wrapped count, no unbounded growth; the fold depends on nothing but the facts.
    #[test]
    fn apply_is_total(entries in any_entries(60)) {
        let mut incident = Incident::new(IncidentId(1));
        let mut desk = Desk::default();
        for entry in &entries {
            let before = incident.clone();
            incident.apply(entry);
            desk.apply(entry, &incident);
            prop_assert!(incident.entries >= before.entries);
            prop_assert!(incident.groups.len() <= MAX_GROUPS + 1);
            for (name, group) in &incident.groups {
                prop_assert!(group.firing <= group.total || group.total == u32::MAX || fired_again(&entries), "{}", name);
            }
            let _ = incident.firing();
            if before.state.0.is_absorbing() {
                prop_assert_eq!(before.state, incident.state);
            }
            for (n, run) in &before.runs {
                if run.phase.is_terminal() {
                    prop_assert_eq!(run.phase, incident.runs[n].phase);
                    prop_assert!(run.outcome.is_none() || run.outcome == incident.runs[n].outcome);
                }
            }
        }
        prop_assert_eq!(&incident, &Incident::fold(IncidentId(1), &entries));
        prop_assert_eq!(desk.open.contains_key(&IncidentId(1)), incident.is_open());
    }

    /// Snapshots may be thrown away: they come back from JSON as they were.
    #[test]
    fn a_snapshot_is_the_incident(entries in any_entries(40)) {
        let incident = Incident::fold(IncidentId(1), &entries);
        let text = serde_json::to_string(&incident).unwrap();
        prop_assert_eq!(serde_json::from_str::<Incident>(&text).unwrap(), incident);
    }

    /// `decide` answers anything in any state; what it stores folds to what it holds; numbers of entries have no gap.
    #[test]
    fn the_journal_folds_to_the_live_state(events in prop::collection::vec((any_event(), 0..600_000_i64), 1..40)) {
        let mut story = Story::new();
        for (event, wait) in events {
            let _ = story.tell(event);
            story.wait(wait);
        }
        for (id, incident) in &story.state.incidents {
            let entries: Vec<_> = story.journal.iter().filter(|e| e.incident == *id).collect();
            prop_assert!(entries.iter().enumerate().all(|(at, e)| e.n as usize == at + 1));
            prop_assert_eq!(incident, &Incident::fold(*id, entries));
            prop_assert_eq!(story.state.desk.open.contains_key(id), incident.is_open());
            let exposed = |(platform, room): (&Platform, &Room)| platform.is_chat() && !room.private;
            prop_assert!(!incident.private || !incident.rooms.iter().any(exposed), "{:?}", incident.rooms);
        }
    }

    /// Declined, merged, cancelled: nobody can do anything there any more but say who may know of it; no fact but the world's own
    /// results appears.
    #[test]
    fn what_is_over_for_good_stays_over(
        end in prop::sample::select(vec![State::Declined, State::Cancelled]),
        events in prop::collection::vec(any_event(), 1..30),
    ) {
        let mut story = Story::new();
        story.tell(delivery(vec![firing("Down", "checkout", 0, story.now)])).unwrap();
        story.tell(asked(0, Some(1), Intent::SetState { state: end, note: None })).unwrap();
        let before = story.journal.len();
        for event in events {
            let _ = story.tell(event);
        }
        prop_assert_eq!(story.incident(1).state.0, end);
        let new: Vec<_> = story.journal[before..].iter().filter(|e| e.incident == IncidentId(1)).collect();
        let worldly = |f: &Fact| matches!(f, Fact::RoomOpened { .. } | Fact::RoomChanged { .. } | Fact::RoomLeft { .. } | Fact::RoomsArchived | Fact::Undelivered { .. } | Fact::RunFinished { .. } | Fact::RunVerified { .. } | Fact::MadePrivate { .. } | Fact::Assigned { item: None, .. });
        prop_assert!(new.iter().all(|e| worldly(&e.fact)), "{:?}", new);
    }
}

fn fired_again(entries: &[smokejumper::flow::fact::Entry]) -> bool {
    entries
        .iter()
        .any(|e| matches!(&e.fact, Fact::AlertsChanged { groups, .. } if groups.iter().any(|g| g.fired_again > 0)))
}
