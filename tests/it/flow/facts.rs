//! Facts are stored for ever: one golden file per kind. A file that no longer reads or writes the same is a journal somewhere that is lost.
//!
//! A new kind: add its sample here and its file `tests/it/fixtures/facts/<kind>.json`; the failing test prints what belongs in it.
//! A file that is there is never edited: additive fields get `#[serde(default)]`, another shape gets a new version and an upcaster.

use crate::world::town::{START, account, runbook};
use smokejumper::flow::fact::{
    Answered, CheckResult, Ended, Fact, GroupChange, Issue, Item, KINDS, Origin, Output, Owed, Reminder, Rewrite, Room,
    RoomChange, RunOutcome, StepResult, Suggestion, Unreadable, Verdict, Withheld,
};
use smokejumper::flow::identity::{Party, PersonId, Platform};
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::moment::HOUR;
use smokejumper::flow::recollection::{Candidate, Lesson, Opinion, PastIncident};
use smokejumper::flow::render::render;
use smokejumper::flow::signal::{Change, ChangeStatus};
use smokejumper_intents::quoted::{Keep, Quoted};
use smokejumper_intents::word::{Milestone, Role, Severity, State};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

fn text(text: &str) -> String {
    text.to_owned()
}

/// Where the kind stands in [`KINDS`]. A new variant does not compile until it is given a place, and with it a sample and a file.
fn place(fact: &Fact) -> usize {
    match fact {
        Fact::Declared { .. } => 0,
        Fact::AlertsChanged { .. } => 1,
        Fact::Acknowledged => 2,
        Fact::RoleTaken { .. } => 3,
        Fact::SeveritySet { .. } => 4,
        Fact::StateSet { .. } => 5,
        Fact::Noted { .. } => 6,
        Fact::RoomOpened { .. } => 7,
        Fact::Undelivered { .. } => 8,
        Fact::Suggested(_) => 9,
        Fact::Judged { .. } => 10,
        Fact::RunRequested { .. } => 11,
        Fact::RunApproved { .. } => 12,
        Fact::RunDenied { .. } => 13,
        Fact::RunExpired { .. } => 14,
        Fact::RunVoided { .. } => 15,
        Fact::RunStarted { .. } => 16,
        Fact::RunFinished { .. } => 17,
        Fact::RunVerified { .. } => 18,
        Fact::Resolved { .. } => 19,
        Fact::FollowUpOpened { .. } => 20,
        Fact::FollowUpDone { .. } => 21,
        Fact::PostmortemDrafted { .. } => 22,
        Fact::Learned(_) => 23,
        Fact::Redacted { .. } => 24,
        Fact::Renamed { .. } => 25,
        Fact::Updated { .. } => 26,
        Fact::TaskOpened { .. } => 27,
        Fact::TaskDone { .. } => 28,
        Fact::Assigned { .. } => 29,
        Fact::Merged { .. } => 30,
        Fact::Absorbed { .. } => 31,
        Fact::Corrected { .. } => 32,
        Fact::MadePrivate { .. } => 33,
        Fact::Paged { .. } => 34,
        Fact::PageAnswered { .. } => 35,
        Fact::NudgesSnoozed { .. } => 36,
        Fact::IssueFiled { .. } => 37,
        Fact::FollowUpReopened { .. } => 38,
        Fact::ChangeSeen { .. } => 39,
        Fact::Silenced { .. } => 40,
        Fact::SilenceEnded { .. } => 41,
        Fact::RulesChanged { .. } => 42,
        Fact::IssueAsked { .. } => 43,
        Fact::Unanswered { .. } => 44,
        Fact::Reminded { .. } => 45,
        Fact::Rewritten { .. } => 46,
        Fact::PageHeld { .. } => 47,
        Fact::RoomChanged { .. } => 48,
        Fact::Kept { .. } => 49,
        Fact::RoomLeft { .. } => 50,
        Fact::RoomsArchived => 51,
        Fact::RoomsWaived { .. } => 52,
    }
}

/// One of each kind, with every optional field filled.
#[allow(clippy::too_many_lines)] // one a kind
pub fn samples() -> Vec<Fact> {
    let plan = render(&runbook("restart", 1), IncidentId(7), &[], &BTreeMap::new()).unwrap();
    vec![
        Fact::Declared {
            title: text("HighErrorRate: checkout answers 500"),
            severity: Severity::Sev2,
            service: Some(text("checkout")),
            labels: [(text("service"), text("checkout"))].into(),
            origin: Origin::Alert { source: text("prometheus"), fingerprint: text("f00d"), route: text("default") },
        },
        Fact::AlertsChanged {
            source: text("prometheus"),
            because: text("route default: nothing open that it belongs to"),
            groups: vec![GroupChange {
                name: text("HighErrorRate"),
                joined: 3,
                fired_again: 2,
                resolved: 1,
                summary: Some(text("checkout answers 500")),
                severity: Some(text("critical")),
                link: Some(text("http://prometheus/graph")),
            }],
            digest: text("00ff"),
        },
        Fact::Acknowledged,
        Fact::RoleTaken { role: Role::Commander, who: Party::Person(PersonId(text("ana"))) },
        Fact::SeveritySet { severity: Severity::Sev1 },
        Fact::StateSet { state: State::Mitigated, note: Some(text("run #1 was verified")) },
        Fact::Noted { text: text("it began after the deploy") },
        Fact::RoomOpened {
            platform: Platform::Console,
            room: Room { id: text("7"), name: text("inc-7"), link: Some(text("/incidents/7")), private: false },
        },
        Fact::Undelivered { what: text("post on slack"), why: text("channel_not_found") },
        Fact::Suggested(suggestion()),
        Fact::Judged { right: false, cause: Some(text("expired certificate")) },
        Fact::RunRequested { request: 1, sha256: plan.sha256(), plan, needs: 1, expires_at: START.plus(HOUR) },
        Fact::RunApproved { request: 1, by: account(2) },
        Fact::RunDenied { request: 1, reason: Some(text("not now")) },
        Fact::RunExpired { request: 1 },
        Fact::RunVoided { request: 1, why: text("the runbook restart changed since") },
        Fact::RunStarted { request: 1 },
        Fact::RunFinished { request: 1, outcome: outcome() },
        Fact::RunVerified {
            request: 1,
            verdict: Verdict {
                passed: true,
                checks: vec![CheckResult { what: text("GET /healthz answers 200"), passed: true, saw: text("200") }],
                after_ms: 120,
            },
        },
        Fact::Resolved { cause: Some(text("bad config")), fix: Some(text("restart target=web")) },
        Fact::FollowUpOpened {
            id: 1,
            title: text("check the config in CI"),
            owner: Some(PersonId(text("ben"))),
            due: Some(text("2026-12-01")),
            link: Some(text("https://example.org/1")),
        },
        Fact::FollowUpDone { id: 1, there: None },
        Fact::PostmortemDrafted { through: 19 },
        Fact::Learned(lesson()),
        Fact::Redacted { n: 7 },
        Fact::Renamed { title: text("Checkout answers 500") },
        Fact::Updated {
            conditions: text("One in three payments fails"),
            actions: Some(text("rolling back v41")),
            needs: Some(text("somebody from payments")),
        },
        Fact::TaskOpened {
            id: 1,
            title: text("Drain node 3"),
            owner: Some(Party::Person(PersonId(text("ben")))),
            link: None,
        },
        Fact::TaskDone { id: 1 },
        Fact::Assigned { item: Some(Item::Task(1)), who: Party::Person(PersonId(text("kim"))) },
        Fact::Merged { into: IncidentId(6) },
        Fact::Absorbed { other: IncidentId(8), title: text("Search is slow") },
        Fact::Corrected { milestone: Milestone::Detected, from: Some(START), to: START.plus(-HOUR) },
        Fact::MadePrivate { members: vec![account(0)] },
        Fact::Paged {
            page: 1,
            who: Party::Person(PersonId(text("ben"))),
            because: text("nobody acknowledged within 5 min"),
            level: 1,
        },
        Fact::PageAnswered { page: 1, answered: Answered::Acknowledged { by: text("Ben B.") } },
        Fact::NudgesSnoozed { until: Some(START.plus(HOUR)) },
        Fact::IssueFiled { follow_up: 1, issue: issue(), unknown: vec![text("ghost")] },
        Fact::FollowUpReopened { id: 1, there: None },
        Fact::ChangeSeen {
            change: Change {
                source: text("deploys"),
                id: text("d-41"),
                at: START.plus(-HOUR),
                service: Some(text("checkout")),
                environment: Some(text("production")),
                summary: text("Deploy v41"),
                by: Some(text("ana")),
                link: Some(text("https://ci.example.org/41")),
                status: ChangeStatus::Succeeded,
            },
        },
        Fact::Silenced {
            silence: 1,
            matchers: text("service=\"checkout\""),
            from: START,
            until: START.plus(HOUR),
            comment: Some(text("deploying")),
        },
        Fact::SilenceEnded { silence: 1 },
        Fact::RulesChanged { digest: text("00ff"), what: vec![text("2 routes, were 1")] },
        Fact::IssueAsked { follow_up: 1, repository: text("acme/checkout") },
        Fact::Unanswered { because: text("5 times asked within 40 min, and nobody acknowledged") },
        Fact::Reminded { of: Reminder::Overdue },
        Fact::Rewritten { entries: vec![Rewrite { n: 3, link: text("00ff") }] },
        Fact::PageHeld {
            because: text("whoever is on call is rung for 3 other incidents and answered none of them yet"),
        },
        Fact::RoomChanged {
            platform: Platform::Slack,
            room: text("C024BE91L"),
            change: RoomChange::Gone { why: text("channel_not_found") },
        },
        Fact::Kept {
            message: Quoted {
                id: text("T024BE7LD/C024BE91L/1795176000.000100"),
                text: text("the deploy came before the errors"),
                at: START.0,
                author: Some(text("slack/T024BE7LD/U2147483697")),
                link: Some(text("https://acme.slack.com/archives/C024BE91L/p1795176000000100")),
            },
            what: Keep::Timeline,
        },
        Fact::RoomLeft { platform: Platform::Slack, room: text("C024BE91L"), anew: true },
        Fact::RoomsArchived,
        Fact::RoomsWaived { because: text("route \"batch\" has channel = \"none\"") },
    ]
}

fn issue() -> Issue {
    Issue { repository: text("acme/checkout"), number: 123, url: text("https://github.com/acme/checkout/issues/123") }
}

fn candidate() -> Candidate {
    Candidate {
        value: text("bad config"),
        p: 0.75,
        features: vec![(text("similarity"), 0.5)],
        evidence: vec![(text("INC-3"), 1.0)],
    }
}

fn suggestion() -> Suggestion {
    Suggestion {
        model: text("votes-1"),
        causes: vec![candidate()],
        responders: vec![Candidate { value: text("ben"), ..candidate() }],
        similar: vec![PastIncident {
            case: text("INC-3"),
            title: text("checkout down"),
            opened_at: START,
            cause: Some(text("bad config")),
            resolution: Some(text("rolled back")),
            responders: vec![text("ben")],
            url: Some(text("https://example.org/3")),
            similarity: 0.5,
            shared: vec![text("checkout")],
            snippet: text("checkout answered 500"),
        }],
        seen: 1,
        of: 12,
        since: Some(START),
        owed: vec![Owed {
            incident: IncidentId(3),
            id: 1,
            title: text("check the config in CI"),
            link: Some(text("https://example.org/1")),
            opened_at: START,
            asked: None,
            issue: None,
        }],
        withheld: Withheld {
            causes: vec![Candidate { p: 0.25, ..candidate() }],
            responders: vec![Candidate { p: 0.125, ..candidate() }],
            memo: String::new(),
        },
    }
}

fn outcome() -> RunOutcome {
    RunOutcome {
        ended: Ended::Failed { step: 1, why: text("exit code 3") },
        steps: vec![StepResult {
            code: Some(3),
            duration_ms: 1_200,
            output: Output { head: text("starting"), tail: text("failed"), total_bytes: 70_000 },
        }],
        duration_ms: 1_234,
    }
}

fn lesson() -> Lesson {
    Lesson {
        case: text("INC-7"),
        opened_at: START,
        closed_at: Some(START.plus(HOUR)),
        title: text("HighErrorRate: checkout answers 500"),
        text: text("HighErrorRate checkout answers 500"),
        service: Some(text("checkout")),
        labels: [(text("service"), text("checkout"))].into(),
        cause: Some(text("bad config")),
        resolution: Some(text("restart target=web")),
        responders: vec![text("ana"), text("ben")],
        runbooks: vec![(text("restart"), true)],
        url: Some(text("https://example.org/7")),
        said: Some(Opinion {
            model: text("votes-1"),
            causes: vec![candidate()],
            responders: vec![candidate()],
            memo: String::new(),
        }),
    }
}

fn file(kind: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/it/fixtures/facts", &format!("{kind}.json")].iter().collect()
}

/// As the journal stores it, for people's eyes: kind, version, body.
fn golden(fact: &Fact) -> serde_json::Value {
    let (kind, body) = fact.encode().unwrap();
    serde_json::json!({ "kind": kind, "v": Fact::VERSION, "body": serde_json::from_str::<serde_json::Value>(&body).unwrap() })
}

#[test]
fn every_kind_has_its_sample_in_order() {
    let samples = samples();
    assert!(samples.iter().map(place).eq(0..KINDS.len()));
    let kinds: Vec<String> = samples.iter().map(|f| f.encode().unwrap().0).collect();
    assert_eq!(kinds, KINDS);
    assert_eq!(KINDS.iter().collect::<BTreeSet<_>>().len(), KINDS.len());
}

#[test]
fn every_kind_is_written_as_its_golden_file_says() {
    for fact in samples() {
        let wanted = golden(&fact);
        let path = file(wanted["kind"].as_str().unwrap());
        let stored = std::fs::read_to_string(&path)
            .unwrap_or_else(|e| panic!("{}: {e}; it should hold\n{wanted:#}", path.display()));
        let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
        assert_eq!(stored, wanted, "{} changed its shape", path.display());
    }
}

#[test]
fn every_golden_file_is_read_back() {
    let samples = samples();
    let mut read = 0;
    for entry in std::fs::read_dir(file("x").parent().unwrap()).unwrap() {
        let stored = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
        let (kind, v) = (stored["kind"].as_str().unwrap(), stored["v"].as_u64().unwrap());
        let fact = Fact::decode(kind, u32::try_from(v).unwrap(), &stored["body"].to_string()).unwrap();
        assert_eq!(fact, samples[place(&fact)]);
        read += 1;
    }
    assert_eq!(read, KINDS.len());
}

#[test]
fn what_this_version_does_not_know_is_refused() {
    for (kind, v) in [("teleported", 1), ("noted", 2), ("noted", 0)] {
        assert!(matches!(Fact::decode(kind, v, "{}"), Err(Unreadable::Unknown { .. })), "{kind} {v}");
    }
    for body in ["", "{", "null", "[]", "{\"text\":1}"] {
        assert!(matches!(Fact::decode("noted", 1, body), Err(Unreadable::Damaged { .. })), "{body}");
    }
}
