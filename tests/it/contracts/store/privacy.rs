//! What other incidents tell of one that is private by now: it neither leaves the house nor is read in a room.

use super::facts::*;
use super::site::{Site, on_both};
use smokejumper::flow::desk::Desk;
use smokejumper::flow::effect::Effect;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::recollection::{Candidate, Lesson, Opinion};
use smokejumper::ports::{Commit, Journal, Outbox, Progress, Views};
use smokejumper_intents::reply::{Line, Reply, Section, Span};

on_both!(what_closed_incidents_tell_of_a_private_one_is_told_no_more);

const SECRET: &str = "a leaked password";

fn line(depth: u8, spans: Vec<Span>) -> Line {
    Line { spans, depth }
}

fn outside(text: &str) -> Span {
    Span::Outside(text.to_owned())
}

async fn what_closed_incidents_tell_of_a_private_one_is_told_no_more(site: Site) {
    let store = site.open().await.unwrap();
    let cause =
        Candidate { value: SECRET.to_owned(), p: 0.7, features: Vec::new(), evidence: vec![("INC-2".to_owned(), 1.0)] };
    let said =
        Some(Opinion { model: "m".to_owned(), causes: vec![cause], responders: Vec::new(), memo: String::new() });
    let learned = Lesson { said, ..lesson(1) };
    let entries = vec![
        declared(1),
        entry(1, 2, Fact::Resolved { cause: None, fix: None }),
        entry(1, 3, Fact::Learned(learned.clone())),
    ];
    let section = Section {
        heading: "Likely causes".to_owned(),
        lines: vec![
            line(0, vec![outside(SECRET)]),
            line(1, vec![Span::Incident(2), outside(SECRET)]),
            line(0, vec![outside("a bad config")]),
            line(1, vec![outside("INC-23 had it, too")]),
        ],
        buttons: Vec::new(),
    };
    let told = Reply { sections: vec![section], ..message("seen before") };
    let about = message(&format!("INC-2: {SECRET}"));
    let say = |message: Reply| Effect::Say {
        incident: IncidentId(1),
        platform: Platform::Console,
        message: Box::new(message),
    };
    let effects = vec![
        ("told".to_owned(), say(told)),
        ("about".to_owned(), say(about)),
        ("learned".to_owned(), Effect::Remember { incident: IncidentId(1), lesson: Box::new(learned) }),
    ];
    let incidents = vec![Incident::fold(IncidentId(1), &entries)];
    store.commit(vec![Commit { entries, effects, incidents, ..Commit::default() }]).await.unwrap();
    while let Some(row) = store.claim(NOW, 1).await.unwrap().pop() {
        let said = match row.effect {
            Effect::Say { message, .. } => Some(*message),
            _ => None,
        };
        store.settle(row.id, Progress::Sent { remote: None, said }, None).await.unwrap();
    }
    let all = async |private: bool| {
        let mut lines = Vec::new();
        store.reader().export(&mut lines).await.unwrap();
        let export = String::from_utf8(lines).unwrap();
        let trail = format!("{:?}", store.reader().trail(0, 100, private).await.unwrap());
        let said = format!("{:?}", store.said(&ana(), IncidentId(1), Platform::Console).await.unwrap());
        let entries = format!("{:?}", store.entries(&ana(), IncidentId(1)).await.unwrap());
        [export, trail, said, entries]
    };
    assert!(all(false).await.iter().all(|told| told.contains(SECRET)));
    let desk = Desk { version: 1, private: [IncidentId(2)].into(), ..Desk::default() };
    store.commit(vec![Commit { desk: Some(desk), ..Commit::default() }]).await.unwrap();
    let [export, trail, said, entries] = all(false).await;
    for told in [&export, &trail, &said, &entries] {
        assert!(!told.contains(SECRET), "{told}");
    }
    assert!(export.contains("a bad config") && said.contains("a bad config") && said.contains("INC-23"), "{said}");
    assert!(all(true).await[1].contains(SECRET), "who may see private ones sees what is told of them");
}

fn lesson(n: u32) -> Lesson {
    Lesson {
        case: format!("INC-{n}"),
        opened_at: NOW,
        closed_at: Some(NOW),
        title: format!("lesson of {n}"),
        text: String::new(),
        service: None,
        labels: std::collections::BTreeMap::new(),
        cause: None,
        resolution: None,
        responders: Vec::new(),
        runbooks: Vec::new(),
        url: None,
        said: None,
    }
}
