//! What views show, and how much: alerts nobody has in hand, and the last of what was said.

use super::facts::*;
use super::{Bench, MINUTE};
use smokejumper::flow::desk::Desk;
use smokejumper::flow::fact::{Fact, Room, Suggestion, Withheld};
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::recollection::{Candidate, PastIncident};
use smokejumper::flow::signal::AlertStatus;
use smokejumper::ports::{Commit, MAX_SAID, Progress};

pub async fn loose_alerts_fire_and_nobody_has_them_in_hand(bench: Bench) {
    for (n, (ended, private)) in [(false, false), (true, false), (true, true)].into_iter().enumerate() {
        let id = u32::try_from(n + 1).unwrap();
        let mut entries = vec![declared(id)];
        entries.extend(ended.then(|| entry(id, 2, Fact::Resolved { cause: None, fix: None })));
        let incident = Incident { private, ..Incident::fold(IncidentId(id), &entries) };
        bench.storage().commit(vec![Commit { entries, incidents: vec![incident], ..Commit::default() }]).await.unwrap();
    }
    let mut alerts = Vec::new();
    for (i, incident) in [None, Some(1), Some(2), Some(3)].into_iter().enumerate() {
        for status in [AlertStatus::Firing, AlertStatus::Resolved] {
            let mut alert = alert(&format!("{i} {status:?}"), incident);
            alert.status = status;
            alert.last_seen = NOW.plus(i64::try_from(i).unwrap() * MINUTE);
            alerts.push(alert);
        }
    }
    bench.storage().commit(vec![Commit { alerts, ..Commit::default() }]).await.unwrap();
    let loose = bench.storage().loose(&console("bo"), 10).await.unwrap();
    let names: Vec<_> = loose.iter().map(|a| a.key.fingerprint.as_str()).collect();
    // Not of the open one, and not of the private one.
    assert_eq!(names, ["2 Firing", "0 Firing"]);
    assert_eq!(bench.storage().loose(&console("bo"), 1).await.unwrap(), loose[..1]);
}

pub async fn a_room_shows_the_last_of_what_was_said(bench: Bench) {
    let many = MAX_SAID + 3;
    let effects = (0..many).map(|i| (format!("s{i}"), say(1, "x"))).collect();
    let entries = vec![declared(1)];
    bench.storage().commit(vec![Commit { entries, effects, ..Commit::default() }]).await.unwrap();
    for _ in 0..many {
        for row in bench.storage().claim(NOW, 10).await.unwrap() {
            let said = Some(message(&row.op));
            bench.storage().settle(row.id, Progress::Sent { remote: None, said }, None).await.unwrap();
        }
    }
    let said = bench.storage().said(&ana(), IncidentId(1), Platform::Console).await.unwrap();
    let ops: Vec<_> = said.iter().map(|s| s.op.clone()).collect();
    assert_eq!(ops, (3..many).map(|i| format!("s{i}")).collect::<Vec<_>>());
    assert_eq!(said[0].message, message("s3"));
}

pub async fn a_room_says_which_incident_is_meant(mut bench: Bench) {
    let room = |id: &str| Room { id: id.to_owned(), name: "inc".to_owned(), link: None, private: false };
    let opened = |incident, n, platform, id| entry(incident, n, Fact::RoomOpened { platform, room: room(id) });
    let entries = vec![
        declared(1),
        declared(2),
        opened(1, 2, Platform::Slack, "C1"),
        opened(2, 2, Platform::Slack, "C2"),
        opened(2, 3, Platform::Discord, "C1"),
    ];
    bench.storage().commit(vec![Commit { entries, ..Commit::default() }]).await.unwrap();
    let over = vec![entry(1, 3, Fact::Resolved { cause: None, fix: None }), entry(1, 4, Fact::Redacted { n: 2 })];
    bench.storage().commit(vec![Commit { entries: over, ..Commit::default() }]).await.unwrap();
    bench.kill().await;
    let of = async |platform, id| bench.storage().incident_of_room(platform, id).await.unwrap().map(|id| id.0);
    assert_eq!(of(Platform::Slack, "C1").await, Some(1), "also when it is over");
    assert_eq!(of(Platform::Slack, "C2").await, Some(2));
    assert_eq!(of(Platform::Discord, "C1").await, Some(2));
    for unknown in ["C3", "c1", "", "%", "C1\0"] {
        assert_eq!(of(Platform::Slack, unknown).await, None, "{unknown:?}");
    }
    // A room whose story was told wrong once: the last word counts.
    let moved = vec![opened(2, 4, Platform::Slack, "C1")];
    bench.storage().commit(vec![Commit { entries: moved, ..Commit::default() }]).await.unwrap();
    assert_eq!(bench.storage().incident_of_room(Platform::Slack, "C1").await, Ok(Some(IncidentId(2))));
}

pub async fn what_was_suggested_once_names_no_private_incident(bench: Bench) {
    let past = |case: &str| PastIncident {
        case: case.to_owned(),
        title: format!("{case} was bad"),
        opened_at: NOW,
        cause: None,
        resolution: None,
        responders: Vec::new(),
        url: None,
        similarity: 0.5,
        shared: Vec::new(),
        snippet: String::new(),
    };
    let cause = |value: &str, case: &str| Candidate {
        value: value.to_owned(),
        p: 0.7,
        features: Vec::new(),
        evidence: vec![(case.to_owned(), 1.0)],
    };
    let suggestion = Suggestion {
        model: "m".to_owned(),
        causes: vec![cause("a leaked password", "INC-2"), cause("bad config", "old-2")],
        responders: Vec::new(),
        similar: vec![past("INC-2"), past("old-2")],
        seen: 2,
        of: 2,
        since: None,
        owed: Vec::new(),
        withheld: Withheld::default(),
    };
    let entries = vec![declared(1), entry(1, 2, Fact::Suggested(suggestion))];
    let incidents = vec![Incident::fold(IncidentId(1), &entries)];
    bench.storage().commit(vec![Commit { entries, incidents, ..Commit::default() }]).await.unwrap();
    let told = async || {
        let storage = bench.storage();
        let incident = storage.incident(&ana(), IncidentId(1)).await;
        let entries = storage.entries(&ana(), IncidentId(1)).await;
        format!("{incident:?} {entries:?} {:?}", storage.list(&ana(), false, 9).await)
    };
    assert!(told().await.contains("a leaked password") && told().await.contains("INC-2"));
    let desk = Desk { version: 1, private: [IncidentId(2)].into(), ..Desk::default() };
    bench.storage().commit(vec![Commit { desk: Some(desk), ..Commit::default() }]).await.unwrap();
    let told = told().await;
    assert!(!told.contains("a leaked password") && !told.contains("INC-2") && told.contains("bad config"), "{told}");
}

pub async fn the_house_is_no_incident(bench: Bench) {
    let hushed = |n: u32| {
        let (matchers, comment) = ("alertname=\"Noisy\"".to_owned(), None);
        entry(0, n, Fact::Silenced { silence: n, matchers, from: NOW, until: NOW.plus(MINUTE), comment })
    };
    let entries = vec![hushed(1), hushed(2), declared(1)];
    // As a version before this one could have left it.
    let house = Incident::fold(IncidentId::HOUSE, [&hushed(1), &hushed(2)]);
    let incidents = vec![house, Incident::fold(IncidentId(1), [&declared(1)])];
    bench.storage().commit(vec![Commit { entries, incidents, ..Commit::default() }]).await.unwrap();
    assert_eq!(bench.storage().load(IncidentId::HOUSE).await.unwrap(), None);
    assert_eq!(bench.storage().incident(&ana(), IncidentId::HOUSE).await.unwrap(), None);
    assert_eq!(bench.storage().entries(&ana(), IncidentId::HOUSE).await.unwrap(), []);
    let listed = bench.storage().list(&ana(), false, 10).await.unwrap();
    assert_eq!(listed.iter().map(|i| i.id.0).collect::<Vec<_>>(), [1]);
    let state = bench.storage().restore().await.unwrap();
    assert_eq!(state.incidents.keys().map(|id| id.0).collect::<Vec<_>>(), [1]);
}
