//! What a responder would stumble over: silences that end, alerts that outlive their incident, causes that change.

use super::story::Story;
use crate::world::town::{account, asked, delivery, firing, signal};
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::{Ended, RunOutcome};
use smokejumper::flow::identity::PersonId;
use smokejumper::flow::incident::{IncidentId, Phase};
use smokejumper::flow::matcher;
use smokejumper::flow::moment::MINUTE;
use smokejumper::flow::policy::{Channel, Open, Route, Silence};
use smokejumper::flow::recollection::{Candidate, Recollection};
use smokejumper::flow::signal::AlertStatus;
use smokejumper::flow::whom::who;
use smokejumper_intents::intent::Intent;
use smokejumper_intents::reply::Span;
use smokejumper_intents::text::line;
use smokejumper_intents::word::{Severity, State};

fn resolve(cause: Option<&str>) -> Event {
    asked(0, Some(1), Intent::Resolve { cause: cause.map(str::to_owned), fix: None })
}

fn recalled(cause: &str, p: f64) -> Event {
    let evidence = vec![("old-1".to_owned(), 1.0)];
    let causes = vec![Candidate { value: cause.to_owned(), p, features: Vec::new(), evidence }];
    Event::Recalled { incident: IncidentId(1), recollection: Recollection { causes, ..Recollection::default() } }
}

#[test]
fn an_alert_that_fires_on_after_its_silence_opens_an_incident() {
    let mut story = Story::new();
    let matchers = matcher::parse("service=\"search\"").unwrap();
    let until = story.now.plus(10 * MINUTE);
    story.policy.silences.push(Silence { name: "maintenance".to_owned(), matchers, from: story.now, until });
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    story.wait(5 * MINUTE);
    story.tell(Event::Tick).unwrap();
    assert!(story.journal.is_empty(), "the silence holds");
    story.wait(5 * MINUTE);
    story.tell(Event::Tick).unwrap();
    assert_eq!(story.incident(1).firing(), 1);
    story.tell(Event::Tick).unwrap();
    assert_eq!(story.state.desk.last, 1, "and it is opened once");
}

#[test]
fn an_alert_that_outlives_its_incident_is_brought_into_the_next() {
    let mut story = Story::new();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    story.tell(resolve(None)).unwrap();
    assert_eq!(story.incident(1).firing(), 0, "nothing is told of an incident that is over");
    story.wait(MINUTE);
    story.tell(delivery(vec![firing("Slow", "search", 1, story.now)])).unwrap();
    let groups: Vec<_> = story.incident(2).groups.keys().cloned().collect();
    assert_eq!(groups, ["Down", "Slow"]);
}

#[test]
fn a_worse_alert_raises_the_severity_until_a_person_says_otherwise() {
    let worse = |story: &Story, pod| {
        let mut page = signal("Page", "search", pod, AlertStatus::Firing, story.now, None);
        page.labels.insert("severity".to_owned(), "page".to_owned());
        delivery(vec![page])
    };
    let mut story = Story::new();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    assert_eq!(story.incident(1).severity(), Severity::Sev2);
    story.tell(worse(&story, 1)).unwrap();
    assert_eq!(story.incident(1).severity(), Severity::Sev1);
    story.tell(asked(0, Some(1), Intent::SetSeverity { severity: Severity::Sev3 })).unwrap();
    story.tell(worse(&story, 2)).unwrap();
    assert_eq!(story.incident(1).severity(), Severity::Sev3);
}

#[test]
fn what_was_judged_right_is_what_was_shown_then() {
    let mut story = Story::new();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    story.tell(recalled("full disk", 0.6)).unwrap();
    story.tell(asked(0, Some(1), Intent::Feedback { right: true, cause: None })).unwrap();
    story.tell(recalled("bad release", 0.9)).unwrap();
    story.tell(resolve(None)).unwrap();
    assert_eq!(story.incident(1).cause.as_deref(), Some("full disk"));
}

#[test]
fn saying_later_how_it_ended_does_not_end_it_again() {
    let mut story = Story::new();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    story.tell(resolve(None)).unwrap();
    let ended = story.incident(1).times.resolved;
    story.wait(30 * MINUTE);
    story.tell(asked(0, Some(1), Intent::SetState { state: State::Closed, note: None })).unwrap();
    story.tell(resolve(Some("expired certificate"))).unwrap();
    let incident = story.incident(1);
    assert_eq!((incident.times.resolved, incident.state.0), (ended, State::Closed));
    assert_eq!(incident.cause.as_deref(), Some("expired certificate"));
}

#[test]
fn whom_the_route_calls_in_is_named() {
    let mut story = Story::new();
    story.policy.routes.push(Route {
        name: "search".to_owned(),
        matchers: matcher::parse("service=\"search\"").unwrap(),
        when: Vec::new(),
        unless: Vec::new(),
        service: None,
        severity: None,
        open: Open::Always,
        channel: Channel::Auto,
        invite: vec![PersonId("kim".to_owned())],
    });
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    let section = who(story.incident(1), &story.state.desk, &story.policy, story.now);
    assert_eq!(section.lines[0].spans[0], Span::Person("kim".to_owned()));
    assert_eq!(line(&section.lines[0]), "kim: called by the route of its alert");
}

#[test]
fn a_run_that_was_given_up_before_it_began_can_be_asked_for_again() {
    let ask = |by| asked(by, Some(1), Intent::Run { runbook: "restart".to_owned(), params: Vec::new(), dry: false });
    let mut story = Story::new();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    story.tell(ask(0)).unwrap();
    story.tell(asked(2, Some(1), Intent::Approve { request: None, plan: None })).unwrap();
    assert!(story.tell(ask(0)).is_err(), "one like it is on its way");
    let ended = Ended::NotStarted { why: "restored from a copy".to_owned() };
    let outcome = RunOutcome { ended, steps: Vec::new(), duration_ms: 0 };
    story.tell(Event::Ran { incident: IncidentId(1), request: 1, outcome }).unwrap();
    assert_eq!(story.incident(1).runs[&1].phase, Phase::Voided);
    story.tell(ask(0)).unwrap();
    assert_eq!(story.incident(1).awaiting(), [2]);
    assert_eq!(story.incident(1).involved, [account(0), account(2)]);
}
