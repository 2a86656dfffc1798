//! A small town of people, services and runbooks, and how they speak to the flow.

use smokejumper::flow::event::Event;
use smokejumper::flow::fact::{CheckResult, Ended, RunOutcome, Verdict};
use smokejumper::flow::identity::{Identity, PersonId, Platform};
use smokejumper::flow::moment::At;
use smokejumper::flow::plan::FileDigest;
use smokejumper::flow::policy::{Person, Policy, Service};
use smokejumper::flow::runbook::{
    Check, HttpTemplate, Param, ParamKind, Piece, ProbeTemplate, Risk, Runbook, StepTemplate,
};
use smokejumper::flow::signal::{AlertKey, AlertStatus, Delivery, Signal};
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::word::Right;
use std::collections::BTreeMap;

/// 2026-11-20T10:00:00Z.
pub const START: At = At(1_795_168_800_000);
/// The source of every alert here.
pub const SOURCE: &str = "prometheus";

/// Accounts of the town, by index. `ana` has two; `ghost` is linked to nobody.
pub const ACCOUNTS: [(&str, Option<&str>, Right); 6] = [
    ("ana", Some("ana"), Right::Approver),
    ("ana-phone", Some("ana"), Right::Approver),
    ("ben", Some("ben"), Right::Approver),
    ("eva", Some("eva"), Right::Admin),
    ("kim", Some("kim"), Right::Responder),
    ("ghost", None, Right::Responder),
];
/// Runbooks of the town with the approvals they need, by index.
pub const RUNBOOKS: [(&str, u8); 3] = [("look", 0), ("restart", 1), ("failover", 2)];

pub fn account(index: usize) -> Identity {
    let id = ACCOUNTS[index % ACCOUNTS.len()].0.to_owned();
    Identity { platform: Platform::Console, workspace: "local".to_owned(), id }
}

/// The person behind an account.
pub fn person(identity: &Identity) -> Option<PersonId> {
    ACCOUNTS.iter().find(|a| a.0 == identity.id).and_then(|a| a.1).map(|p| PersonId(p.to_owned()))
}

pub fn policy() -> Policy {
    let mut people = BTreeMap::<&str, Person>::new();
    for (index, (_, owner, right)) in ACCOUNTS.iter().enumerate() {
        let Some(owner) = owner else { continue };
        let person = people.entry(owner).or_insert_with(|| Person {
            id: PersonId((*owner).to_owned()),
            name: (*owner).to_owned(),
            right: *right,
            identities: Vec::new(),
            teams: Vec::new(),
            on_call: false,
            github: None,
            hours: None,
        });
        person.identities.push(account(index));
    }
    let services = [("checkout", ["payments"].as_slice()), ("payments", &[]), ("search", &[])];
    Policy {
        people: people.into_values().collect(),
        services: services.into_iter().map(|(name, on)| (name.to_owned(), service(name, on))).collect(),
        runbooks: RUNBOOKS.iter().map(|(name, needs)| ((*name).to_owned(), runbook(name, *needs))).collect(),
        platforms: vec![Platform::Console],
        ..Policy::default()
    }
}

fn service(name: &str, depends_on: &[&str]) -> Service {
    let depends_on = depends_on.iter().map(|d| (*d).to_owned()).collect();
    Service { name: name.to_owned(), depends_on, ..Service::default() }
}

pub fn runbook(name: &str, approvals: u8) -> Runbook {
    let request = HttpTemplate {
        method: "GET".to_owned(),
        origin: "http://127.0.0.1:8080".to_owned(),
        path: vec![Piece::Text("/healthz".to_owned())],
        headers: Vec::new(),
        body: None,
        expect_status: vec![200],
        timeout_ms: 1_000,
    };
    Runbook {
        name: name.to_owned(),
        title: format!("{name} it"),
        when: Vec::new(),
        params: vec![Param {
            name: "target".to_owned(),
            help: "what to touch".to_owned(),
            kind: ParamKind::Name,
            default: Some("web".to_owned()),
        }],
        steps: vec![StepTemplate::Exec {
            argv: vec![Piece::Text("/usr/local/bin/tool".to_owned()), Piece::Hole("target".to_owned())],
            env: Vec::new(),
            cwd: None,
            timeout_ms: 1_000,
        }],
        verify: if approvals == 0 {
            Vec::new()
        } else {
            let probe = ProbeTemplate::Http { request, contains: None };
            vec![Check { probe, within_ms: 1_000, every_ms: 100 }]
        },
        risk: Risk::Medium,
        approvals,
        revision: format!("{name}-1"),
        files: tool("good"),
    }
}

/// The one file all runbooks name.
pub fn tool(sha256: &str) -> Vec<FileDigest> {
    vec![FileDigest { path: "/usr/local/bin/tool".to_owned(), sha256: sha256.to_owned() }]
}

/// An alert of `service` with the fingerprint `name/service/pod`; `ends_at` is there when it is resolved.
pub fn signal(name: &str, service: &str, pod: u32, status: AlertStatus, starts_at: At, ends_at: Option<At>) -> Signal {
    let labels = [("alertname", name), ("service", service), ("severity", "critical"), ("pod", &pod.to_string())];
    Signal {
        key: AlertKey { source: SOURCE.to_owned(), fingerprint: format!("{name}/{service}/{pod}") },
        status,
        starts_at,
        ends_at,
        labels: labels.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        annotations: BTreeMap::new(),
        link: None,
    }
}

pub fn firing(name: &str, service: &str, pod: u32, starts_at: At) -> Signal {
    signal(name, service, pod, AlertStatus::Firing, starts_at, None)
}

pub fn delivery(signals: Vec<Signal>) -> Event {
    Event::Signals(Delivery { source: SOURCE.to_owned(), group: None, signals })
}

pub fn asked(account_index: usize, incident: Option<u32>, intent: Intent) -> Event {
    Event::Asked { by: account(account_index), ask: Ask { incident, intent } }
}

pub fn succeeded() -> RunOutcome {
    RunOutcome { ended: Ended::Succeeded, steps: Vec::new(), duration_ms: 1_000 }
}

pub fn verdict(passed: bool) -> Verdict {
    let checks = vec![CheckResult { what: "GET /healthz".to_owned(), passed, saw: "503".to_owned() }];
    Verdict { passed, checks, after_ms: 10 }
}
