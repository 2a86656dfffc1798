//! Facts, alerts and effects made by hand, for the storage contract.

use smokejumper::flow::desk::{AlertState, How};
use smokejumper::flow::effect::{Effect, Timer};
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::{Entry, Fact, Origin};
use smokejumper::flow::identity::{Actor, Identity, Platform};
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::moment::At;
use smokejumper::flow::signal::{AlertKey, AlertStatus};
use smokejumper::ports::{Arrival, Commit, Outgoing, Progress};
use smokejumper_intents::reply::{Line, Reply, Span};
use smokejumper_intents::word::Severity;
use std::collections::BTreeMap;

/// 2026-11-20T10:00:00Z.
pub const NOW: At = At(1_795_168_800_000);

pub fn console(id: &str) -> Identity {
    Identity { platform: Platform::Console, workspace: "local".to_owned(), id: id.to_owned() }
}

pub fn ana() -> Identity {
    console("ana")
}

pub fn arrival(source: &str, key: &str) -> Arrival {
    let event = Event::Due { incident: IncidentId(1), timer: Timer::Quiet };
    Arrival { source: source.to_owned(), key: key.to_owned(), at: NOW, event }
}

pub fn entry(incident: u32, n: u32, fact: Fact) -> Entry {
    Entry { incident: IncidentId(incident), n, at: NOW, by: Actor::Account(ana()), fact }
}

pub fn declared(incident: u32) -> Entry {
    let fact = Fact::Declared {
        title: format!("checkout returns 500s ({incident}) \u{1F525} \"quoted\"\0"),
        severity: Severity::Sev2,
        service: Some("checkout".to_owned()),
        labels: BTreeMap::from([("alertname".to_owned(), "HighErrorRate".to_owned())]),
        origin: Origin::Person,
    };
    entry(incident, 1, fact)
}

pub fn noted(incident: u32, n: u32) -> Entry {
    entry(incident, n, Fact::Noted { text: format!("note {n}") })
}

pub fn alert(fingerprint: &str, incident: Option<u32>) -> AlertState {
    AlertState {
        key: AlertKey { source: "am".to_owned(), fingerprint: fingerprint.to_owned() },
        status: AlertStatus::Firing,
        starts_at: NOW,
        ends_at: None,
        count: 1,
        last_seen: NOW,
        name: "HighErrorRate".to_owned(),
        labels: BTreeMap::new(),
        summary: None,
        link: None,
        incident: incident.map(IncidentId),
        because: "severity is critical".to_owned(),
        route: "default".to_owned(),
        since: Some(NOW),
        how: How::Opened,
    }
}

pub fn message(text: &str) -> Reply {
    let spans = vec![Span::Outside(text.to_owned())];
    Reply { title: Line { spans, depth: 0 }, ..Reply::default() }
}

pub fn say(incident: u32, text: &str) -> Effect {
    let incident = IncidentId(incident);
    Effect::Say { incident, platform: Platform::Console, message: Box::new(message(text)) }
}

pub fn queue_run(op: &str, request: u32) -> Commit {
    let run = Effect::Run { incident: IncidentId(1), request };
    Commit { effects: vec![(op.to_owned(), run)], ..Commit::default() }
}

pub fn sent(remote: &str) -> Progress {
    Progress::Sent { remote: Some(remote.to_owned()), said: None }
}

pub fn ops(rows: &[Outgoing]) -> Vec<&str> {
    rows.iter().map(|row| row.op.as_str()).collect()
}

/// A commit is not `Clone`, since it is to be stored once; a test stores it several times.
pub fn clone(commit: &Commit) -> Commit {
    Commit {
        processed: commit.processed,
        entries: commit.entries.clone(),
        alerts: commit.alerts.clone(),
        effects: commit.effects.clone(),
        incidents: commit.incidents.clone(),
        desk: commit.desk.clone(),
        outbox: commit.outbox.clone(),
    }
}
