//! A phone that never stops is switched off: how much may ring at once, and what becomes of the rest.

use super::story::Story;
use crate::world::town::{delivery, firing};
use smokejumper::flow::card::card;
use smokejumper::flow::effect::Effect;
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::{Fact, Origin};
use smokejumper::flow::identity::{Party, PersonId};
use smokejumper::flow::incident::{IncidentId, MAX_PAGES, Page};
use smokejumper::flow::moment::{At, HOUR, MINUTE};
use smokejumper::flow::ringing::{RINGS_AT_ONCE, RINGS_FOR};
use smokejumper::flow::rota::{Schedule, Shifts};
use smokejumper_intents::text;
use smokejumper_intents::word::Severity;

/// Ben is always on call, and has a phone.
fn ben_has_a_phone() -> Story {
    let mut story = Story::new();
    let levels = vec![Shifts::Always(vec![PersonId("ben".to_owned())])];
    story.policy.rota = vec![Schedule { name: "primary".to_owned(), levels, ..Schedule::default() }];
    story.policy.escalation.phones = true;
    story
}

/// An alert of a service nobody has heard of.
fn breaks(story: &mut Story, service: u32) {
    let signal = firing("Down", &format!("service-{service}"), 0, story.now);
    story.tell(delivery(vec![signal])).unwrap();
}

fn minute(story: &mut Story) {
    story.wait(MINUTE);
    story.tell(Event::Tick).unwrap();
}

/// When whose phone was rung for which incident.
fn rings(story: &Story) -> Vec<(At, IncidentId)> {
    let paged = story.journal.iter().filter(|e| matches!(e.fact, Fact::Paged { .. }));
    paged.map(|e| (e.at, e.incident)).collect()
}

fn rung_for(story: &Story, number: u32) -> bool {
    rings(story).iter().any(|(_, id)| id.0 == number)
}

fn shown(story: &Story, number: u32) -> String {
    text::render(&card(story.incident(number), &story.state.desk, &story.policy, story.now), 200)
}

#[test]
fn an_hour_of_ever_new_alerts_does_not_ring_one_phone_all_the_time() {
    let mut story = ben_has_a_phone();
    let began = story.now;
    // More than the storm budget allows, as soon as it allows any.
    for new in 0..180 {
        breaks(&mut story, new);
        story.wait(MINUTE / 3);
        story.tell(Event::Tick).unwrap();
    }
    assert!(story.state.desk.last > 60, "{} incidents: that is no storm", story.state.desk.last);
    // Three incidents and the storm, each at most four times (once, and three times again), as long as they count as ringing.
    let per_incident = 1 + usize::from(story.policy.escalation.again);
    let windows = usize::try_from(story.now.since(began) / RINGS_FOR).unwrap() + 1;
    let rung = rings(&story);
    assert!(rung.len() <= windows * (RINGS_AT_ONCE + 1) * per_incident, "{} rings in an hour", rung.len());
    // Whatever else is held back: the storm itself is told.
    let gathered = story.state.incidents.values().find(|i| i.origin == Some(Origin::Storm)).unwrap();
    assert!(rung_for(&story, gathered.id.0), "nobody was woken for the storm");
    // And it is decided by what is stored alone.
    let paged: usize = story.effects.iter().filter(|e| matches!(e, Effect::Page { .. })).count();
    assert_eq!(paged, rung.len());
}

#[test]
fn what_waits_says_so_and_rings_when_a_phone_is_free() {
    let mut story = ben_has_a_phone();
    for service in 1..=5 {
        breaks(&mut story, service);
    }
    assert_eq!(rings(&story).len(), RINGS_AT_ONCE);
    assert!(shown(&story, 4).contains("No phone rings for this yet: whoever is on call is rung for 3 other incidents"));
    assert!(shown(&story, 1).contains("2 more incidents wait for a phone to be free"), "{}", shown(&story, 1));
    let said = |story: &Story, of: u32| {
        let says = |e: &&Effect| matches!(e, Effect::Say { incident, message, .. } if incident.0 == of && text::render(message, 200).contains("No phone rings"));
        story.effects.iter().filter(says).count()
    };
    minute(&mut story);
    minute(&mut story);
    assert_eq!((said(&story, 4), said(&story, 5)), (1, 1), "said once");
    let rooms: Vec<_> = story
        .effects
        .iter()
        .filter_map(|e| {
            if let Effect::Say { incident: IncidentId(5), message, .. } = e {
                Some(text::render(message, 200))
            } else {
                None
            }
        })
        .collect();
    assert!(rooms.iter().any(|r| r.contains("It waits with 1 more.")), "{rooms:?}");
    // The oldest that waits is next, and only as many as there is room for.
    story.say("ben", 2, "ack").unwrap();
    minute(&mut story);
    assert!(rung_for(&story, 4) && !rung_for(&story, 5));
    assert!(shown(&story, 1).contains("1 more incident waits for a phone to be free"), "{}", shown(&story, 1));
    assert!(!shown(&story, 4).contains("No phone rings"));
    // Who comes by themselves need not be rung: nothing waits any more.
    story.say("kim", 5, "ack").unwrap();
    assert!(!shown(&story, 1).contains("wait"), "{}", shown(&story, 1));
    minute(&mut story);
    assert!(!rung_for(&story, 5));
}

#[test]
fn nothing_waits_for_ever() {
    let mut story = ben_has_a_phone();
    for service in 1..=8 {
        breaks(&mut story, service);
    }
    for _ in 0..3 * HOUR / MINUTE {
        minute(&mut story);
    }
    let silent: Vec<u32> = (1..=8).filter(|n| !rung_for(&story, *n)).collect();
    assert!(silent.is_empty(), "nobody was ever rung for {silent:?}");
}

#[test]
fn the_worst_and_what_a_person_asks_for_ring_at_once() {
    let mut story = ben_has_a_phone();
    for service in 1..=4 {
        breaks(&mut story, service);
    }
    assert!(!rung_for(&story, 4));
    story.say("ana", 4, "page @ben").unwrap();
    assert!(rung_for(&story, 4));
    let mut worst = firing("Down", "the-house", 0, story.now);
    worst.labels.insert("severity".to_owned(), "page".to_owned());
    story.tell(delivery(vec![worst])).unwrap();
    let last = story.state.desk.last;
    assert_eq!(story.incident(last).severity(), Severity::Sev1);
    assert!(rung_for(&story, last), "SEV1 is worth one more ring");
    let bens = Party::Person(PersonId("ben".to_owned()));
    assert!(story.incident(last).pages.values().all(|p: &Page| p.who == bens && p.rings()));
}

#[test]
fn every_phone_that_rang_is_told_to_stop() {
    let mut story = ben_has_a_phone();
    story.say("ana", 0, "declare everything is down").unwrap();
    story.say("ana", 1, "ack").unwrap();
    // The first rings on, those after it are answered: more of them than are kept.
    story.say("ana", 1, "page @eva").unwrap();
    for _ in 0..MAX_PAGES + 20 {
        story.wait(2 * MINUTE);
        story.say("ana", 1, "page @ben").unwrap();
        story.say("ben", 1, "ack").unwrap();
    }
    assert_eq!(story.incident(1).pages.len(), MAX_PAGES);
    assert!(story.incident(1).pages[&1].rings(), "the oldest still rings");
    // Nobody rings more phones than can be told to stop.
    let mut refused = None;
    for _ in 0..MAX_PAGES + 20 {
        story.wait(2 * MINUTE);
        refused = refused.or(story.say("ana", 1, "page @ben").err());
    }
    let refused = refused.expect("it is too much at some time");
    assert!(refused.contains("100 phones ring for INC-1 already"), "{refused}");
    let ringing: Vec<u32> = story.incident(1).pages.iter().filter(|(_, p)| p.rings()).map(|(n, _)| *n).collect();
    assert_eq!((ringing.len(), ringing[0]), (MAX_PAGES, 1));
    story.effects.clear();
    story.say("ana", 1, "resolve cause: x").unwrap();
    let ended = |n: &u32| story.effects.contains(&Effect::EndPage { incident: IncidentId(1), page: *n });
    assert!(ringing.iter().all(ended), "a phone rings on");
}
