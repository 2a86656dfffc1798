//! Changes: what was deployed before is told to the incident it may have caused, with its distance in time, and to no other.

use super::story::Story;
use crate::world::town::{START, asked, delivery, firing};
use smokejumper::flow::answer;
use smokejumper::flow::card::card;
use smokejumper::flow::condition::Condition;
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::{Entry, Fact};
use smokejumper::flow::incident::{IncidentId, MAX_CHANGES};
use smokejumper::flow::moment::{At, HOUR, MINUTE, SECOND};
use smokejumper::flow::policy::{Channel, Open, Route};
use smokejumper::flow::signal::{Change, ChangeStatus};
use smokejumper::flow::timeline::timeline;
use smokejumper_intents::intent::Intent;
use smokejumper_intents::reply::{Line, Section};
use smokejumper_intents::text;
use smokejumper_intents::word::State;

fn change(id: &str, service: Option<&str>, at: At) -> Change {
    Change {
        source: "ci".to_owned(),
        id: id.to_owned(),
        at,
        service: service.map(str::to_owned),
        environment: None,
        summary: format!("Deploy {id}"),
        by: Some("ana".to_owned()),
        link: None,
        status: ChangeStatus::Succeeded,
    }
}

fn shown(story: &Story, number: u32) -> Vec<String> {
    let card = card(story.incident(number), &story.state.desk, &story.policy, story.now);
    let going_on = card.sections.iter().find(|s| s.heading == "What's going on").unwrap();
    said(going_on).into_iter().filter(|line| line.contains("changed:") || line.contains("more")).collect()
}

fn said(section: &Section) -> Vec<String> {
    section.lines.iter().map(|line: &Line| text::line(line)).collect()
}

/// Changes are told first, then an alert of checkout fires at `START`.
fn fired_after(changes: &[Change]) -> Story {
    let mut story = Story::new();
    for change in changes {
        story.tell(Event::Changed(change.clone())).unwrap();
    }
    story.tell(delivery(vec![firing("Down", "checkout", 0, START)])).unwrap();
    story
}

#[test]
fn what_was_changed_before_is_on_the_card_closest_first() {
    let story = fired_after(&[
        change("v40", Some("checkout"), START.plus(-90 * MINUTE)),
        change("v41", Some("checkout"), START.plus(-12 * MINUTE)),
        change("p7", Some("payments"), START.plus(-20 * MINUTE)),
        change("dns", None, START.plus(-30 * SECOND)),
        change("s1", Some("search"), START.plus(-MINUTE)),
        change("v39", Some("checkout"), START.plus(-2 * HOUR - SECOND)),
    ]);
    assert_eq!(
        shown(&story, 1),
        [
            "changed: Deploy dns by ana, as it began (of no service in particular)",
            "changed: Deploy v41 by ana, 12 min before",
            "changed: Deploy p7 by ana, 20 min before (`payments`, which it depends on)",
            "and 1 more change (`why` shows them)",
        ]
    );
    let why = answer::why(story.incident(1), &story.policy, story.now);
    let all = said(why.sections.iter().find(|s| s.heading == "What was changed").unwrap());
    assert_eq!(all.len(), 4);
    assert_eq!(all[3], "changed: Deploy v40 by ana, 1 h 30 min before");
    let facts: Vec<_> = story.journal.iter().filter(|e| e.incident == IncidentId(1)).cloned().collect();
    let told: Vec<String> = timeline(&facts, &story.policy).iter().map(|t| text::line(&t.line)).collect();
    assert!(
        told.iter().any(|line| line.starts_with("Changed at ") && line.ends_with("Deploy p7 by ana (`payments`)")),
        "{told:#?}"
    );
}

#[test]
fn a_change_while_it_is_open_is_told_and_its_end_too() {
    let mut story = fired_after(&[]);
    story.wait(5 * MINUTE);
    let rollback = Change { status: ChangeStatus::InProgress, ..change("rollback", Some("checkout"), story.now) };
    story.tell(Event::Changed(rollback.clone())).unwrap();
    assert_eq!(shown(&story, 1), ["changed: Deploy rollback by ana, in progress, 5 min after it began"]);
    let done = Change { status: ChangeStatus::Failed, ..rollback };
    for _ in 0..3 {
        story.tell(Event::Changed(done.clone())).unwrap();
    }
    assert_eq!(shown(&story, 1), ["changed: Deploy rollback by ana, failed, 5 min after it began"]);
    let seen =
        |e: &&smokejumper::flow::fact::Entry| e.incident == IncidentId(1) && matches!(e.fact, Fact::ChangeSeen { .. });
    assert_eq!(story.journal.iter().filter(seen).count(), 2, "a repeat is no news");
    story.tell(asked(0, Some(1), Intent::SetState { state: State::Cancelled, note: None })).unwrap();
    let before = story.journal.len();
    story.tell(Event::Changed(change("later", Some("checkout"), story.now))).unwrap();
    assert_eq!(story.journal.len(), before + 1, "the house remembers it, the ended incident is left alone");
}

#[test]
fn environments_that_are_known_to_differ_keep_apart() {
    for (of_alert, of_change, told) in [
        (Some("prod"), Some("production"), true),
        (Some("Production"), Some("production"), true),
        (Some("prod"), Some("staging"), false),
        (Some("prod"), None, true),
        (None, Some("staging"), true),
        (Some("pr"), Some("production"), false),
    ] {
        let mut story = Story::new();
        let change = Change { environment: of_change.map(str::to_owned), ..change("v1", Some("checkout"), START) };
        story.tell(Event::Changed(change)).unwrap();
        let mut signal = firing("Down", "checkout", 0, START);
        signal.labels.extend(of_alert.map(|env| ("env".to_owned(), env.to_owned())));
        story.tell(delivery(vec![signal])).unwrap();
        assert_eq!(story.incident(1).changes.len(), usize::from(told), "{of_alert:?} {of_change:?}");
    }
}

#[test]
fn a_pipeline_gone_wild_fills_no_incident() {
    let many: Vec<Change> = (0..500).map(|n| change(&n.to_string(), None, START.plus(n - 500))).collect();
    let mut story = fired_after(&many);
    let own = |story: &Story| story.journal.iter().filter(|e| e.incident == IncidentId(1)).count();
    let before = own(&story);
    assert_eq!(story.incident(1).changes.len(), MAX_CHANGES);
    assert_eq!(story.incident(1).changes.last().unwrap().id, "499", "the newest are kept");
    for n in 500..1_000 {
        story.tell(Event::Changed(change(&n.to_string(), None, START.plus(n)))).unwrap();
    }
    assert_eq!(own(&story), before);
    assert_eq!(shown(&story, 1).len(), 4);
}

#[test]
fn a_repository_is_the_service_the_catalogue_says() {
    for (repository, changed, told) in [
        (Some("https://github.com/Example/checkout.git"), "example/checkout", true),
        (Some("example/shop"), "example/shop", true),
        (Some("example/shop"), "example/checkout", false),
        (Some("example/shop"), "le/shop", false),
        (None, "example/checkout", true),
        (None, "example/search", false),
    ] {
        let mut story = Story::new();
        story.policy.services.get_mut("checkout").unwrap().repository = repository.map(str::to_owned);
        story.tell(Event::Changed(change("v1", Some(changed), START))).unwrap();
        story.tell(delivery(vec![firing("Down", "checkout", 0, START)])).unwrap();
        assert_eq!(story.incident(1).changes.len(), usize::from(told), "{repository:?} {changed}");
    }
}

#[test]
fn a_rollout_counts_from_its_beginning_unless_it_waited() {
    for (minutes, shown_at) in [(20, -30), (70, 40)] {
        let began = START.plus(-30 * MINUTE);
        let start = Change { status: ChangeStatus::InProgress, ..change("v1", Some("checkout"), began) };
        let mut story = fired_after(&[start]);
        story.tell(Event::Changed(change("v1", Some("checkout"), began.plus(minutes * MINUTE)))).unwrap();
        assert_eq!(story.incident(1).changes[0].at, START.plus(shown_at * MINUTE));
    }
}

#[test]
fn only_a_change_that_names_the_service_says_which_alerts_count() {
    for (changed, opens) in [
        (None, true),
        (Some("search"), true),
        (Some("checkout"), false),
        (Some("payments"), false),
        (Some("acme/shop"), false),
    ] {
        let mut story = Story::new();
        story.policy.services.get_mut("checkout").unwrap().repository = Some("acme/shop".to_owned());
        story.policy.routes.push(Route {
            name: "deploying".to_owned(),
            matchers: Vec::new(),
            when: vec![Condition::ChangedWithin(30 * MINUTE)],
            unless: Vec::new(),
            service: None,
            severity: None,
            open: Open::Never,
            channel: Channel::Auto,
            invite: Vec::new(),
        });
        story.tell(Event::Changed(change("v1", changed, START.plus(-MINUTE)))).unwrap();
        story.tell(delivery(vec![firing("Down", "checkout", 0, START)])).unwrap();
        assert_eq!(story.state.desk.last > 0, opens, "changed: {changed:?}");
    }
}

#[test]
fn an_earlier_beginning_has_earlier_suspects() {
    let mut story = fired_after(&[
        change("v38", Some("checkout"), START.plus(-3 * HOUR)),
        change("v39", Some("checkout"), START.plus(-HOUR)),
        change("v30", Some("checkout"), START.plus(-9 * HOUR)),
    ]);
    assert_eq!(shown(&story, 1), ["changed: Deploy v39 by ana, 1 h before"]);
    story.say("ana", 1, "correct impact 90m ago").unwrap();
    let lines = shown(&story, 1);
    assert!(lines.len() == 2 && lines[0].starts_with("changed: Deploy v38 by ana, 1 h 30 min before"), "{lines:?}");
    // What is known is not told again.
    story.say("ana", 1, "correct impact 100m ago").unwrap();
    let seen = |e: &&Entry| e.incident.0 == 1 && matches!(e.fact, Fact::ChangeSeen { .. });
    assert_eq!(story.journal.iter().filter(seen).count(), 2);
}
