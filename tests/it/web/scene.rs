//! People, rules, alerts and past incidents as a real team has them.

use super::house::House;
use smokejumper::flow::event::Event;
use smokejumper::flow::identity::{Identity, PersonId, Platform};
use smokejumper::flow::incident::Incident;
use smokejumper::flow::matcher;
use smokejumper::flow::moment::{At, DAY, MINUTE, SECOND};
use smokejumper::flow::plan::FileDigest;
use smokejumper::flow::policy::{Person, Policy, Service};
use smokejumper::flow::recollection::{Candidate, PastIncident, Recollection};
use smokejumper::flow::runbook::{Check, HttpTemplate, ProbeTemplate};
use smokejumper::flow::runbook::{Param, ParamKind, Piece, Risk, Runbook, StepTemplate};
use smokejumper::flow::signal::{AlertKey, AlertStatus, Delivery, Signal};
use smokejumper_intents::utterance::{Place, Utterance};
use smokejumper_intents::word::Right;
use smokejumper_intents::{Reading, read};
use std::collections::BTreeMap;
use std::sync::Arc;

/// 2026-11-20T10:02:00Z
pub const START: At = At(1_795_168_920_000);

pub fn who(id: &str) -> Identity {
    Identity { platform: Platform::Console, workspace: "local".to_owned(), id: id.to_owned() }
}

pub fn policy() -> Policy {
    let person = |id: &str, name: &str, right, on_call| Person {
        id: PersonId(id.to_owned()),
        name: name.to_owned(),
        right,
        identities: vec![who(id)],
        teams: vec!["payments".to_owned()],
        on_call,
        github: None,
        hours: None,
    };
    let people = vec![
        person("ana", "Ana Torres", Right::Approver, true),
        person("bo", "Bo Lindqvist", Right::Responder, false),
        person("cy", "Cy Adeyemi", Right::Viewer, false),
        person("dee", "Dee Okafor", Right::Admin, false),
    ];
    let mut checkout =
        Service { name: "checkout".to_owned(), owners: vec!["payments".to_owned()], ..Service::default() };
    checkout.depends_on = vec!["postgres".to_owned()];
    Policy {
        people,
        services: BTreeMap::from([("checkout".to_owned(), checkout)]),
        runbooks: runbooks(),
        platforms: vec![Platform::Console],
        ..Policy::default()
    }
}

fn runbooks() -> BTreeMap<String, Runbook> {
    let probe = HttpTemplate {
        method: "GET".to_owned(),
        origin: "http://checkout.internal".to_owned(),
        path: vec![Piece::Text("/healthz".to_owned())],
        headers: Vec::new(),
        body: None,
        expect_status: vec![200],
        timeout_ms: 2_000,
    };
    let text = |t: &str| Piece::Text(t.to_owned());
    let restart = Runbook {
        name: "restart-deployment".to_owned(),
        title: "Restart the deployment's pods, one after another".to_owned(),
        when: vec![matcher::parse("service=\"checkout\"").unwrap()],
        params: vec![Param {
            name: "service".to_owned(),
            help: "the deployment".to_owned(),
            kind: ParamKind::Name,
            default: None,
        }],
        steps: vec![StepTemplate::Exec {
            argv: vec![
                text("/usr/bin/kubectl"),
                text("rollout"),
                text("restart"),
                text("deployment"),
                Piece::Hole("service".to_owned()),
            ],
            env: Vec::new(),
            cwd: None,
            timeout_ms: 60_000,
        }],
        verify: vec![Check {
            probe: ProbeTemplate::Http { request: probe, contains: None },
            within_ms: 60_000,
            every_ms: 2_000,
        }],
        risk: Risk::Medium,
        approvals: 1,
        revision: "5d41402abc4b2a76b9719d911017c592".repeat(2),
        files: vec![FileDigest { path: "/usr/bin/kubectl".to_owned(), sha256: "ab".repeat(32) }],
    };
    BTreeMap::from([(restart.name.clone(), restart)])
}

pub fn past() -> Vec<PastIncident> {
    let one = |case: &str,
               days: i64,
               title: &str,
               cause: &str,
               fix: &str,
               who: &[&str],
               similarity,
               snippet: &str,
               url: Option<&str>| PastIncident {
        case: case.to_owned(),
        title: title.to_owned(),
        opened_at: START.plus(-days * DAY),
        cause: Some(cause.to_owned()),
        resolution: Some(fix.to_owned()),
        responders: who.iter().map(|w| (*w).to_owned()).collect(),
        url: url.map(str::to_owned),
        similarity,
        shared: vec!["connection pool".to_owned(), "503".to_owned(), "checkout".to_owned()],
        snippet: snippet.to_owned(),
    };
    vec![
        one(
            "INC-141",
            61,
            "Checkout 5xx after the payment client upgrade",
            "connection pool exhausted by leaked connections",
            "restarted checkout; pool size raised from 20 to 60",
            &["ana", "bo"],
            0.82,
            "HikariPool-1 - Connection is not available, request timed out after 30000ms",
            None,
        ),
        one(
            "github-2018-10-21",
            2_900,
            "GitHub: degraded service after a network partition",
            "replication lag after an automatic failover",
            "failed back once replicas had caught up",
            &["dee"],
            0.41,
            "connections between the US East Coast network hub and the primary data center were lost for 43 seconds",
            Some("https://github.blog/2018-10-30-oct21-post-incident-analysis/"),
        ),
    ]
}

pub fn recall(incident: &Incident) -> Recollection {
    let similar = past();
    let of = 37;
    let since = Some(START.plus(-800 * DAY));
    if incident.service.as_deref() != Some("checkout") {
        return Recollection { model: "votes-1".to_owned(), of, since, ..Recollection::default() };
    }
    let candidate = |value: &str, p, case: &str, share| Candidate {
        value: value.to_owned(),
        p,
        features: vec![("votes".to_owned(), 2.4), ("same_service".to_owned(), 1.0)],
        evidence: vec![(case.to_owned(), share)],
    };
    Recollection {
        model: "votes-1".to_owned(),
        similar,
        causes: vec![
            candidate("connection pool exhausted by leaked connections", 0.71, "INC-141", 0.74),
            candidate("replication lag after an automatic failover", 0.38, "github-2018-10-21", 0.26),
        ],
        responders: vec![candidate("ana", 0.64, "INC-141", 0.74), candidate("bo", 0.41, "INC-141", 0.5)],
        seen: 3,
        of,
        since,
        memo: String::new(),
    }
}

pub fn signal(
    fingerprint: &str,
    name: &str,
    severity: &str,
    service: &str,
    summary: &str,
    status: AlertStatus,
    at: At,
) -> Signal {
    let labels = [("alertname", name), ("severity", severity), ("service", service), ("cluster", "eu-west-1")];
    Signal {
        key: AlertKey { source: "alertmanager".to_owned(), fingerprint: fingerprint.to_owned() },
        status,
        starts_at: at,
        ends_at: None,
        labels: labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        annotations: BTreeMap::from([("summary".to_owned(), summary.to_owned())]),
        link: Some("https://prometheus.example.com/graph?g0.expr=up".to_owned()),
    }
}

pub fn delivery(signals: Vec<Signal>) -> Event {
    Event::Signals(Delivery { source: "alertmanager".to_owned(), group: None, signals })
}

/// Says something the way people do.
pub async fn say(house: &House, id: &str, place: Place, text: &str) {
    house.clock.pass(20 * SECOND);
    let (Reading::Clear(ask) | Reading::Confirm { ask, .. }) = read(&Utterance { text: text.to_owned(), place }) else {
        panic!("{text} is not clear")
    };
    let reply = house.happen(Event::Asked { by: who(id), ask }).await;
    assert!(!format!("{:?}", reply.title).contains("No: "), "{text} was refused: {reply:?}");
}

/// One open incident with nothing done about it: INC-142.
pub async fn burning() -> Arc<House> {
    let house = House::new();
    house.rooms().state.desk.last = 141;
    let firing = AlertStatus::Firing;
    house
        .happen(delivery(vec![
            signal(
                "a1",
                "CheckoutErrorRateHigh",
                "critical",
                "checkout",
                "5.2 % of checkout requests fail with 503",
                firing,
                START,
            ),
            signal(
                "a2",
                "CheckoutErrorRateHigh",
                "critical",
                "checkout",
                "4.8 % of checkout requests fail with 503",
                firing,
                START,
            ),
            signal(
                "a3",
                "DbPoolSaturated",
                "warning",
                "checkout",
                "pool checkout-db has 60 of 60 connections in use",
                firing,
                START,
            ),
        ]))
        .await;
    house
}

/// A morning: one incident in full swing, one just opened, one being watched, one over, some loose alerts.
pub async fn morning() -> Arc<House> {
    let house = House::new();
    house.rooms().state.desk.last = 139;
    house.clock.at(START.plus(-150 * MINUTE));
    say(
        &house,
        "dee",
        Place::Lobby,
        "declare Exports to the warehouse stuck since the 07:00 run sev:3 service:exports",
    )
    .await;
    say(&house, "dee", Place::Incident(140), "lead me").await;
    say(&house, "dee", Place::Incident(140), "note the queue worker holds a lock since the deploy at 06:52").await;
    house.clock.pass(22 * MINUTE);
    say(
        &house,
        "dee",
        Place::Incident(140),
        "resolve cause:stale lock of a killed worker fix:lock deleted, worker restarted",
    )
    .await;
    house.clock.at(START.plus(-70 * MINUTE));
    say(&house, "bo", Place::Lobby, "declare Search latency above 2 s in eu-west-1 sev:3 service:search").await;
    say(&house, "bo", Place::Incident(141), "lead me").await;
    house.clock.pass(30 * MINUTE);
    say(&house, "bo", Place::Incident(141), "status monitoring reindex finished, watching p99").await;
    house.clock.at(START);
    let firing = AlertStatus::Firing;
    house
        .happen(delivery(vec![
            signal(
                "a1",
                "CheckoutErrorRateHigh",
                "critical",
                "checkout",
                "5.2 % of checkout requests fail with 503",
                firing,
                START,
            ),
            signal(
                "a2",
                "CheckoutErrorRateHigh",
                "critical",
                "checkout",
                "4.8 % of checkout requests fail with 503",
                firing,
                START,
            ),
            signal(
                "a3",
                "DbPoolSaturated",
                "warning",
                "checkout",
                "pool checkout-db has 60 of 60 connections in use",
                firing,
                START,
            ),
            signal(
                "b1",
                "CertificateExpiresSoon",
                "warning",
                "edge",
                "certificate of api.example.com expires in 13 days",
                firing,
                START,
            ),
            signal("b2", "DiskWillFillIn24h", "warning", "metrics", "/var/lib/prometheus is 81 % full", firing, START),
        ]))
        .await;
    say(&house, "ana", Place::Incident(142), "ack").await;
    say(&house, "ana", Place::Incident(142), "lead me").await;
    say(
        &house,
        "bo",
        Place::Incident(142),
        "note deploy 4f2a9c1 of checkout went out at 09:51, before the first errors",
    )
    .await;
    house.clock.pass(3 * MINUTE);
    say(&house, "bo", Place::Incident(142), "sev 1").await;
    say(&house, "bo", Place::Incident(142), "run restart-deployment service=checkout").await;
    house.clock.pass(2 * MINUTE);
    house
        .happen(delivery(vec![signal(
            "c1",
            "PaymentsQueueBacklog",
            "critical",
            "payments",
            "18,400 messages wait in payments.capture",
            firing,
            START.plus(6 * MINUTE),
        )]))
        .await;
    house.clock.pass(MINUTE);
    house
}
