//! Incidents beside each other: one becomes part of another, one is nobody else's business, and alerts that are kept quiet.

use super::story::Story;
use crate::world::town::{account, delivery, firing, signal};
use smokejumper::flow::card::card;
use smokejumper::flow::effect::Effect;
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::incident::{IncidentId, Phase};
use smokejumper::flow::moment::MINUTE;
use smokejumper::flow::recollection::{Candidate, PastIncident, Recollection};
use smokejumper::flow::signal::AlertStatus;
use smokejumper::flow::silence;
use smokejumper_intents::text;
use smokejumper_intents::word::{Role, State};

/// INC-1 for search and INC-2 for checkout, with alerts each.
fn two() -> Story {
    let mut story = Story::new();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now), firing("Slow", "search", 1, story.now)])).unwrap();
    story.tell(delivery(vec![firing("Down", "checkout", 0, story.now)])).unwrap();
    story
}

fn shown(story: &Story, number: u32) -> String {
    text::render(&card(story.incident(number), &story.state.desk, &story.policy, story.now), 90)
}

fn firing_in(story: &Story, number: u32) -> usize {
    let home = |a: &&smokejumper::flow::desk::AlertState| {
        a.incident == Some(IncidentId(number)) && a.status == AlertStatus::Firing
    };
    story.state.desk.alerts.values().filter(home).count()
}

#[test]
fn an_incident_becomes_part_of_another() {
    let mut story = two();
    story.say("ana", 1, "lead").unwrap();
    story.say("ben", 1, "task Drain node 3 owner:@kim").unwrap();
    story.say("ben", 1, "follow-up Add an alert").unwrap();
    story.say("ana", 1, "run restart").unwrap();
    let ended = signal("Slow", "search", 1, AlertStatus::Resolved, story.now, Some(story.now.plus(MINUTE)));
    story.tell(delivery(vec![ended])).unwrap();
    insta::assert_snapshot!(story.say("ben", 1, "merge INC-2").unwrap(), @r#"
    INC-1 is part of INC-2 now: Down on search

      1 open task moved there.
      1 open follow-up stays with INC-1.
    "#);
    let (one, two) = (story.incident(1), story.incident(2));
    assert_eq!((one.state.0, one.merged_into), (State::Merged, Some(IncidentId(2))));
    assert!(one.roles.contains_key(&Role::Commander), "roles stay");
    assert_eq!(one.runs[&1].phase, Phase::Voided);
    assert_eq!((two.firing(), firing_in(&story, 2), firing_in(&story, 1)), (2, 2, 0));
    assert_eq!(two.groups["Slow"].total, 1);
    assert_eq!(two.tasks[&1].title, "Drain node 3");
    let (source, target) = (shown(&story, 1), shown(&story, 2));
    assert!(source.contains("Part of INC-2 now: go on there."), "{source}");
    assert!(target.contains("took in: INC-1") && target.contains("T-1 Drain node 3, kim"), "{target}");
    // Its alerts go on there, whatever they do.
    story.wait(MINUTE);
    story.tell(delivery(vec![firing("Slow", "search", 1, story.now)])).unwrap();
    assert_eq!((story.incident(2).firing(), firing_in(&story, 2)), (3, 3));
    story.wait(MINUTE);
    let ended = signal("Down", "search", 0, AlertStatus::Resolved, story.now, Some(story.now));
    story.tell(delivery(vec![ended])).unwrap();
    assert_eq!((story.incident(2).firing(), firing_in(&story, 2)), (2, 2));
    // Nothing more happens in the first, but what was owed can still be done.
    assert!(
        story.say("ana", 1, "sev 1").unwrap_err().contains("INC-1 is part of INC-2 now; nothing more happens here")
    );
    story.say("ana", 1, "follow-up done F-1").unwrap();
    // It teaches through the other one alone.
    story.say("ana", 2, "resolve cause: full disk").unwrap();
    let learned: Vec<_> =
        story.journal.iter().filter(|e| matches!(e.fact, Fact::Learned(_))).map(|e| e.incident.0).collect();
    assert_eq!(learned, [2]);
}

#[test]
fn what_was_learned_before_a_merge_is_forgotten() {
    let mut story = two();
    story.say("ana", 1, "resolve cause: full disk").unwrap();
    story.say("ana", 1, "reopen").unwrap();
    story.say("ana", 1, "merge INC-2").unwrap();
    assert!(story.effects.iter().any(|e| matches!(e, Effect::Forget { incident: IncidentId(1) })));
}

#[test]
fn a_merge_that_makes_no_sense_is_refused() {
    let mut story = two();
    story.tell(delivery(vec![firing("Down", "payments", 0, story.now.plus(20 * MINUTE))])).unwrap();
    story.say("ana", 0, "declare a leak of secrets").unwrap();
    let last = story.state.desk.last;
    story.say("ana", last, "private").unwrap();
    for (by, from, into, why) in [
        ("ana", 1, 1, "INC-1 can't be part of itself"),
        ("ana", 1, 99, "there is no INC-99"),
        ("ana", 1, last, "is private and INC-1 is not"),
        ("ana", last, 1, "is private and INC-1 is not"),
        ("kim", 1, last, &format!("there is no INC-{last}")),
    ] {
        let refused = story.say(by, from, &format!("merge INC-{into}")).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    story.say("ana", 1, "merge INC-2").unwrap();
    let refused = story.say("ana", 2, "merge INC-1").unwrap_err();
    assert!(refused.contains("INC-1 is part of INC-2 itself") && !refused.contains("Try"), "{refused}");
    story.say("ana", 0, "declare another thing").unwrap();
    let refused = story.say("ana", story.state.desk.last, "merge INC-1").unwrap_err();
    assert!(refused.contains("Try: `merge INC-") && refused.contains(" INC-2`"), "{refused}");
    story.say("ana", 2, "resolve cause: x").unwrap();
    let refused = story.say("ana", story.state.desk.last, "merge INC-2").unwrap_err();
    assert!(
        refused.contains("INC-2 is resolved; only an open incident can take another in. Try: `reopen INC-2`"),
        "{refused}"
    );
    assert!(
        story
            .say("ana", 2, &format!("merge INC-{}", story.state.desk.last))
            .unwrap_err()
            .contains("only an open incident can become part")
    );
}

fn past(name: &str, cause: &str) -> PastIncident {
    PastIncident {
        case: name.to_owned(),
        title: format!("{name} was bad"),
        opened_at: crate::world::town::START,
        cause: Some(cause.to_owned()),
        resolution: None,
        responders: Vec::new(),
        url: None,
        similarity: 0.8,
        shared: Vec::new(),
        snippet: String::new(),
    }
}

fn cause(value: &str, evidence: &[&str]) -> Candidate {
    let evidence = evidence.iter().map(|case| ((*case).to_owned(), 0.5)).collect();
    Candidate { value: value.to_owned(), p: 0.8, features: Vec::new(), evidence }
}

#[test]
fn a_private_incident_is_nobody_elses() {
    let mut story = two();
    story.say("kim", 1, "note I saw a password in the log").unwrap();
    story.say("ana", 1, "follow-up Rotate it").unwrap();
    story.say("ana", 1, "role ops @ben").unwrap();
    story.say("ana", 1, "resolve cause: leaked password").unwrap();
    // Another incident was told of it, as evidence alone and among others.
    let said = Recollection {
        similar: vec![past("INC-1", "leaked password"), past("old-1", "bad config")],
        causes: vec![cause("leaked password", &["INC-1"]), cause("bad config", &["INC-1", "old-1"])],
        ..Recollection::default()
    };
    story.tell(Event::Recalled { incident: IncidentId(2), recollection: said.clone() }).unwrap();
    assert!(shown(&story, 2).contains("leaked password"));
    assert_eq!(story.state.desk.owed.len(), 1);
    story.effects.clear();
    insta::assert_snapshot!(story.say("ana", 1, "private").unwrap(), @r#"
    INC-1 is private now. Who is not in it can't find it.

      In it: ana, ben, kim
    "#);
    // Who acted, held a role or was assigned is in it, with every account; nobody else is.
    let incident = story.incident(1);
    let seen: Vec<_> = (0..6).filter(|a| incident.admits(&account(*a))).collect();
    assert_eq!(seen, [0, 1, 2, 4]);
    assert!(story.effects.iter().any(|e| matches!(e, Effect::Forget { incident: IncidentId(1) })));
    assert!(story.state.desk.owed.is_empty());
    let other = shown(&story, 2);
    assert!(!other.contains("INC-1") && !other.contains("leaked password") && other.contains("bad config"), "{other}");
    // What memory said before it forgot is not believed either.
    story.tell(Event::Recalled { incident: IncidentId(2), recollection: said }).unwrap();
    assert!(!shown(&story, 2).contains("leaked password"));
    // Outsiders get the answer that a number nobody gave would get.
    for words in ["note hello", "private", "assign me", "reopen", "merge INC-2", "update fine"] {
        let refused = story.say("eva", 1, words).unwrap_err();
        assert_eq!(refused, story.say("eva", 77, words).unwrap_err().replace("INC-77", "INC-1"), "{words}");
    }
    assert_eq!(
        story.say("eva", 2, "merge INC-1").unwrap_err(),
        story.say("eva", 2, "merge INC-77").unwrap_err().replace("INC-77", "INC-1")
    );
    // It teaches nothing any more, whatever happens in it.
    let learned = |story: &Story| story.journal.iter().filter(|e| matches!(e.fact, Fact::Learned(_))).count();
    let before = learned(&story);
    story.say("ana", 1, "reopen").unwrap();
    story.say("ana", 1, "follow-up Tell them").unwrap();
    story.say("ana", 1, "resolve cause: something else").unwrap();
    assert_eq!((learned(&story), story.state.desk.owed.len()), (before, 0));
    // From then on, who is given something to do is brought in; and there is no way back.
    story.say("ana", 1, "reopen").unwrap();
    story.say("ana", 1, "assign @eva").unwrap();
    assert!(story.incident(1).admits(&account(3)) && !story.incident(1).admits(&account(5)));
    story.say("eva", 1, "note I am here").unwrap();
    assert!(story.say("eva", 1, "private").unwrap().contains("is private already"));
}

#[test]
fn what_became_a_part_is_hidden_with_the_whole() {
    let mut story = two();
    story.say("ana", 0, "declare the keys leaked").unwrap();
    let last = story.state.desk.last;
    story.say("kim", 1, "note the password is in the log").unwrap();
    story.say("ana", 1, "merge INC-2").unwrap();
    story.say("ana", 2, &format!("merge INC-{last}")).unwrap();
    let refused = story.say("ana", 1, "private").unwrap_err();
    assert!(refused.contains("INC-1 is part of INC-2 now") && refused.contains("Try: `private INC-2`"), "{refused}");
    story.say("ana", last, "private").unwrap();
    for number in [1, 2, last] {
        let incident = story.incident(number);
        assert!(incident.private && !incident.admits(&account(5)), "INC-{number} is seen by everybody");
        assert!(incident.admits(&account(4)), "kim was in a part of it");
        assert!(story.state.desk.private.contains(&IncidentId(number)));
    }
}

#[test]
fn alerts_do_not_vanish_into_what_is_private() {
    let mut story = two();
    story.say("ana", 1, "private").unwrap();
    story.tell(delivery(vec![firing("Leak", "search", 7, story.now)])).unwrap();
    assert_eq!(story.state.desk.last, 3, "a new alert of its service opens an incident everybody sees");
    assert_eq!((firing_in(&story, 1), firing_in(&story, 3)), (2, 1));
    assert!(
        !story.state.desk.alerts.values().any(|a| a.incident != Some(IncidentId(1)) && a.because.contains("INC-1"))
    );
    // Nor are its own brought elsewhere when it is over.
    story.say("ana", 1, "resolve cause: x").unwrap();
    story.say("ana", 3, "resolve cause: x").unwrap();
    story.tell(delivery(vec![firing("Other", "search", 8, story.now)])).unwrap();
    assert_eq!((firing_in(&story, 1), firing_in(&story, 4)), (2, 2));
}

#[test]
fn private_incidents_merge_among_themselves() {
    let mut story = two();
    story.say("ana", 1, "private").unwrap();
    story.say("ben", 2, "private").unwrap();
    assert!(story.say("ana", 1, "merge INC-2").unwrap_err().contains("there is no INC-2"));
    story.say("ben", 2, "assign @ana").unwrap();
    story.say("ana", 1, "assign @kim").unwrap();
    story.say("ana", 1, "merge INC-2").unwrap();
    let incident = story.incident(2);
    let seen: Vec<_> = (0..6).filter(|a| incident.admits(&account(*a))).collect();
    assert_eq!(seen, [0, 1, 2, 4], "who was in the one is in the other");
    assert!(!shown(&story, 2).contains("Seen before"));
}

#[test]
fn a_silence_keeps_alerts_quiet_until_it_ends() {
    let mut story = Story::new();
    insta::assert_snapshot!(story.say("ana", 0, "silence service=\"search\", severity=~\"critical|page\" 30m deploying v42").unwrap(), @r#"
    Silence S-1 for 30 min, until 2026-11-20 10:30 UTC: `service="search", severity=~"critical|page"`

      Alerts that match are listed, and neither open nor join an incident.
      No alert fires now.

    [End S-1] `silence end S-1`
    "#);
    story
        .tell(delivery(vec![firing("Down", "search", 0, story.now), firing("Down", "checkout", 0, story.now)]))
        .unwrap();
    assert_eq!((story.state.desk.last, firing_in(&story, 1)), (1, 1), "only checkout opens one");
    let quiet = story.state.desk.alerts.values().find(|a| a.incident.is_none()).unwrap();
    assert!(quiet.because.contains("S-1") || quiet.because.contains("silence"), "{}", quiet.because);
    story.wait(10 * MINUTE);
    let list = text::render(&silence::list(&story.state.desk, &story.policy, story.now), 90);
    insta::assert_snapshot!(list, @r#"
    1 silence

      S-1 `service="search", severity=~"critical|page"` for 20 min more, until 2026-11-20
        10:30 UTC, by ana: deploying v42
      [End S-1] `silence end S-1`
    "#);
    story.tell(Event::Tick).unwrap();
    assert_eq!(story.state.desk.last, 1, "it holds");
    story.wait(20 * MINUTE);
    story.tell(Event::Tick).unwrap();
    assert_eq!((story.state.desk.last, firing_in(&story, 2)), (2, 1), "it comes back");
    assert!(story.say("ana", 0, "silence end S-1").unwrap_err().contains("no silence S-1 in force"));
    let list = text::render(&silence::list(&story.state.desk, &story.policy, story.now), 90);
    assert_eq!(list.trim(), "Nothing is silenced.");
}

#[test]
fn a_silence_ended_early_lets_alerts_in_at_once() {
    let mut story = Story::new();
    story.say("ana", 0, "silence service=search 2h").unwrap();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    story.wait(MINUTE);
    story.say("kim", 0, "silence end S-1").unwrap();
    assert_eq!((story.state.desk.last, firing_in(&story, 1)), (1, 1));
    // What belongs to an incident stays there, and its card says what is kept quiet.
    let said = story.say("ben", 0, "silence service=search 1h we know").unwrap();
    assert!(said.contains("1 alert that matches it belongs to an open incident already, and stays there"), "{said}");
    assert_eq!(firing_in(&story, 1), 1);
    assert!(shown(&story, 1).contains("Silenced: S-2 `service=search` for 1 h more"), "{}", shown(&story, 1));
}

#[test]
fn matchers_that_cannot_be_read_are_refused_with_their_place() {
    let mut story = Story::new();
    let refused = story.say("ana", 0, "silence service=~\"chec(\" 2h").unwrap_err();
    assert!(
        refused.contains("at character") && refused.contains("Try: `silence service=\"checkout\" 2h`"),
        "{refused}"
    );
    assert!(story.journal.is_empty());
    assert!(story.say("ana", 0, "silence checkout 2h").is_err());
    assert!(story.say("ana", 0, "silence {} 2h").is_err());
    // A viewer may look and no more.
    story.policy.people[0].right = smokejumper_intents::word::Right::Viewer;
    let refused = story.say("ana", 0, "silence service=search 2h").unwrap_err();
    assert!(refused.contains("this needs the right"), "{refused}");
}

#[test]
fn a_silence_of_everything_is_refused_and_one_of_most_is_asked_first() {
    let mut story = Story::new();
    for everything in ["alertname=~\".*\"", "x!=\"y\"", "{x!~\"y\", z=\"\"}"] {
        let refused = story.say("eva", 0, &format!("silence {everything} 2h")).unwrap_err();
        assert!(refused.contains("so every alert there is"), "{refused}");
    }
    let fires = |name: &str, pods: std::ops::Range<u32>| -> Vec<_> {
        pods.map(|pod| firing(name, "search", pod, crate::world::town::START)).collect()
    };
    story.tell(delivery([fires("Down", 0..7), fires("Slow", 7..10)].concat())).unwrap();
    let some = story.say("ana", 0, "silence alertname=Slow 2h").unwrap();
    assert!(some.contains("It covers 3 of the 10 alerts firing now."), "{some}");
    insta::assert_snapshot!(story.say("ana", 0, "silence alertname=~\".+\" 2h we deploy").unwrap_err(), @r#"
    No: that covers 10 of the 10 alerts firing now: almost nothing would open an incident. Say it again if you mean it.

    [Silence them anyway] `silence anyway alertname=~".+" 2h we deploy`
    "#);
    assert_eq!(story.state.desk.silences.len(), 1);
    let all = story.say("ana", 0, "silence anyway alertname=~\".+\" 2h we deploy").unwrap();
    assert!(all.contains("Silence S-2") && all.contains("It covers 10 of the 10 alerts firing now."), "{all}");
    // Also when nothing of it fires just now.
    let over = fires("Down", 0..7).into_iter().chain(fires("Slow", 7..10));
    let over = over.map(|s| {
        signal(
            s.name(),
            "search",
            s.labels["pod"].parse().unwrap(),
            AlertStatus::Resolved,
            s.starts_at,
            Some(s.starts_at.plus(1)),
        )
    });
    story.tell(delivery(over.collect())).unwrap();
    let asked = story.say("ana", 0, "silence alertname=~\".+\" 2h").unwrap_err();
    assert!(asked.contains("10 of the 10 alerts seen lately"), "{asked}");
}

#[test]
fn only_an_administrator_silences_for_long() {
    let mut story = Story::new();
    let refused = story.say("ana", 0, "silence service=search 30d").unwrap_err();
    assert!(
        refused.contains("you may silence for") && refused.contains("Try: `silence service=search 24h`"),
        "{refused}"
    );
    story.say("ana", 0, "silence service=search 24h").unwrap();
    story.say("eva", 0, "silence service=search 30d").unwrap();
}

#[test]
fn alerts_of_one_service_come_back_from_a_silence_once_each() {
    let mut story = Story::new();
    story.say("ana", 0, "silence service=search 30m").unwrap();
    let all = (0..3).map(|pod| firing("Down", "search", pod, story.now)).collect();
    story.tell(delivery(all)).unwrap();
    story.wait(30 * MINUTE);
    story.tell(Event::Tick).unwrap();
    let incident = story.incident(1);
    assert_eq!((incident.firing(), incident.groups["Down"].total, firing_in(&story, 1)), (3, 3, 3));
}
