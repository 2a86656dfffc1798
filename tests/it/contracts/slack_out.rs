//! What goes out to Slack, against a Slack that is strict: made once whatever becomes of the answers, at its pace, inert, and
//! calm about what people do by hand.

use crate::flow::story::Story;
use crate::world::slack::{BOT, FakeSlack, Fault};
use crate::world::town::{START, account, delivery, firing};
use crate::world::watch::Watch;
use serde_json::{Value, json};
use smokejumper::config::slack::Slack as Configured;
use smokejumper::config::{Environment, Given, check};
use smokejumper::edges::chat::slack::groups::WithGroups;
use smokejumper::edges::chat::slack::pace::Pace;
use smokejumper::edges::chat::slack::{Slack, blocks, home, modal};
use smokejumper::edges::directory::ConfiguredDirectory;
use smokejumper::flow::card::card;
use smokejumper::flow::fact::{Room, RoomChange};
use smokejumper::flow::identity::{Identity, PersonId, Platform};
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::mine::mine;
use smokejumper::flow::moment::{At, MINUTE, SECOND};
use smokejumper::flow::rooms::Furnishing;
use smokejumper::ports::{Chat, Clock, Directory, Found, Rules, Sought, Undelivered};
use smokejumper_intents::forms::{self, Values};
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::reply::{Button, Line, Reply, Section, Style};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// As much as the suite has time for: what a workspace allows is not what is tested here.
const AT_ONCE: usize = 10_000;

const HOSTILE: &[&str] = &[
    "<!channel> <!here> <@UANA00001> <!subteam^S0OPS0001|ops>",
    "@channel @everyone #general",
    "<https://evil.example|click> [text](https://evil.example) https://evil.example/login",
    "*bold* _it_ `code` ```fence``` > quote :fire:",
    "\u{202e}gnp.exe\u{202c} \u{200b}zero\u{feff} \u{1b}[31mred \u{0}nul",
    "&lt;!channel&gt; &amp;lt;",
    "line\r\nbreak\u{2028}break",
];

fn configured(section: &str) -> Configured {
    let none = |_: &str| None;
    let environment = Environment { variable: &none, uid: 1000 };
    let checked = check(Given::default(), &environment, None, section);
    checked.usable().unwrap_or_else(|problems| panic!("{problems:#?}")).0.slack.unwrap()
}

/// A Slack without its allowances, and the edge to it.
async fn world() -> (FakeSlack, Slack, Arc<Watch>) {
    world_with("").await
}

async fn world_with(settings: &str) -> (FakeSlack, Slack, Arc<Watch>) {
    let watch = Arc::new(Watch::at(START));
    let fake = FakeSlack::start(watch.clone()).await;
    fake.with(|truth| truth.limits.off = true);
    let slack = edge(&fake, settings, &watch, Pace::of(AT_ONCE));
    (fake, slack, watch)
}

fn edge(fake: &FakeSlack, settings: &str, watch: &Arc<Watch>, pace: Pace) -> Slack {
    let clock: Arc<dyn Clock> = watch.clone();
    Slack::paced(&configured(&format!("{}{settings}", fake.config())), clock, pace).unwrap()
}

fn incident(number: u32, title: &str) -> Incident {
    let mut incident = Incident { id: IncidentId(number), title: title.to_owned(), ..Incident::default() };
    incident.times.declared = START;
    incident
}

fn on_slack(id: &str) -> Identity {
    Identity { platform: Platform::Slack, workspace: "T00000001".to_owned(), id: id.to_owned() }
}

fn said(text: &str) -> Reply {
    Reply::titled(Line::default().outside(text))
}

async fn opened(slack: &Slack, incident: &Incident) -> Room {
    slack.open_room(&format!("{}/room", incident.id), incident, &format!("inc-{}", incident.id.0)).await.unwrap()
}

/// What may become of an answer; the request took effect, or did not.
const MISHAPS: [Option<Fault>; 8] = [
    None,
    Some(Fault::EffectThenLost),
    Some(Fault::Lost),
    Some(Fault::EffectThenStatus(502)),
    Some(Fault::EffectThenGarbage),
    Some(Fault::EffectThenCut),
    Some(Fault::Html),
    Some(Fault::Refused("internal_error")),
];

/// Does it as the engine does: what is in doubt is looked for before it is repeated.
async fn surely<T, Do, Look>(mut act: impl FnMut() -> Do, mut look: impl FnMut() -> Look) -> T
where
    Do: Future<Output = Result<T, Undelivered>>,
    Look: Future<Output = Result<Option<T>, Undelivered>>,
{
    for _ in 0..10 {
        match act().await {
            Ok(done) => return done,
            Err(Undelivered::Unknown { .. }) => {
                if let Some(found) = look().await.unwrap() {
                    return found;
                }
            }
            Err(Undelivered::NotYet { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    panic!("it never came to an end");
}

#[tokio::test]
async fn a_hundred_channels_are_a_hundred_whatever_becomes_of_the_answers() {
    let (fake, slack, _) = world().await;
    let mut rooms = BTreeSet::new();
    for number in 1..=100_u32 {
        let (incident, op, name) = (incident(number, "x"), format!("op-{number}"), format!("inc-{number}-checkout"));
        if let Some(fault) = &MISHAPS[number as usize % MISHAPS.len()] {
            fake.fault("conversations.create", 1, fault.clone());
        }
        let look = || async {
            let found = slack.find(&op, &incident, Sought::Room { name: &name }, START).await?;
            Ok(found.map(|found| match found {
                Found::Room(room) => room,
                Found::Message(_) => panic!("a message"),
            }))
        };
        let room = surely(|| slack.open_room(&op, &incident, &name), look).await;
        assert_eq!(room.name, name);
        rooms.insert(room.id);
    }
    assert_eq!((rooms.len(), fake.incident_channels().len()), (100, 100));
}

#[tokio::test]
async fn five_hundred_messages_are_five_hundred_whatever_becomes_of_the_answers() {
    let (fake, slack, _) = world().await;
    for number in 1..=10_u32 {
        let incident = incident(number, "x");
        let room = opened(&slack, &incident).await;
        let mut known = BTreeSet::new();
        for n in 0..50_usize {
            let (op, message) = (format!("op-{number}-{n}"), said(&format!("message {n}")));
            if let Some(fault) = &MISHAPS[n % MISHAPS.len()] {
                fake.fault("chat.postMessage", 1, fault.clone());
            }
            let look = || async {
                let found = slack.find(&op, &incident, Sought::Message { room: &room }, START).await?;
                Ok(found.map(|found| match found {
                    Found::Message(ts) => Some(ts),
                    Found::Room(_) => panic!("a room"),
                }))
            };
            known.insert(surely(|| slack.say(&op, &incident, &room, &message), look).await);
        }
        assert_eq!(known.len(), 50);
    }
    let posted: usize = fake
        .incident_channels()
        .iter()
        .map(|c| c.messages.iter().filter(|m| m.user == BOT && m.subtype.is_none()).count())
        .sum();
    assert_eq!(posted, 500);
}

#[tokio::test]
async fn a_name_that_is_taken_gets_a_number_and_is_never_adopted() {
    let (fake, slack, _) = world().await;
    let old = opened(&slack, &incident(7, "of a former database")).await;
    slack
        .furnish(&incident(7, "x"), &old, &Furnishing { purpose: "INC-7: old".into(), ..Furnishing::default() })
        .await
        .unwrap();
    let new = opened(&slack, &incident(7, "x")).await;
    assert_eq!((old.name.as_str(), new.name.as_str()), ("inc-7", "inc-7-2"));
    assert_ne!(old.id, new.id);
    assert!(new.link.unwrap().ends_with(&format!("/archives/{}", new.id)));
    assert_eq!(fake.incident_channels().len(), 2);
}

#[tokio::test]
async fn nothing_is_asked_before_a_wait_is_over() {
    let (fake, slack, _) = world().await;
    let incident = incident(1, "x");
    let room = opened(&slack, &incident).await;
    fake.fault("chat.postMessage", 1, Fault::TooMany(30));
    for _ in 0..3 {
        match slack.say("op", &incident, &room, &said("x")).await {
            Err(Undelivered::NotYet { after_ms: Some(ms), .. }) => {
                assert!(ms > 25 * SECOND && ms <= 30 * SECOND, "{ms}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(fake.asked("chat.postMessage"), 1);
}

#[tokio::test]
async fn a_crowd_keeps_to_what_slack_publishes() {
    let watch = Arc::new(Watch::at(START));
    let fake = FakeSlack::start(watch.clone()).await;
    let slack = edge(&fake, "", &watch, Pace::default());
    let mut put_off = 0;
    for number in 1..=30 {
        let opened = slack.open_room(&format!("op-{number}"), &incident(number, "x"), &format!("inc-{number}")).await;
        put_off += usize::from(matches!(opened, Err(Undelivered::NotYet { .. })));
    }
    assert_eq!((put_off, fake.with(|truth| truth.limits.told_to_wait)), (10, 0));
}

#[tokio::test]
async fn what_people_do_by_hand_is_no_fault() {
    let (fake, slack, _) = world().await;
    let incident = incident(1, "x");
    let room = opened(&slack, &incident).await;
    let first = slack.card("op-1", &incident, &room, &said("card"), None).await.unwrap().unwrap();
    let again = slack.card("op-2", &incident, &room, &said("card, later"), Some(&first)).await.unwrap().unwrap();
    assert_eq!(first, again);
    let pins = || fake.with(|truth| truth.channels[&room.id].pins.clone());
    let ts = first.strip_prefix(&format!("{}/", room.id)).unwrap().to_owned();
    assert_eq!(pins(), std::slice::from_ref(&ts));
    fake.with(|truth| truth.message(&room.id, &ts).unwrap().deleted = true);
    let anew = slack.card("op-3", &incident, &room, &said("card, anew"), Some(&first)).await.unwrap().unwrap();
    assert_ne!(anew, first);
    fake.with(|truth| truth.channels.get_mut(&room.id).unwrap().archived = true);
    let told = slack.say("op-4", &incident, &room, &said("x")).await.unwrap_err();
    assert!(matches!(told, Undelivered::NoRoom { change: RoomChange::Archived, .. }), "{told}");
    fake.with(|truth| {
        let channel = truth.channels.get_mut(&room.id).unwrap();
        channel.archived = false;
        channel.members.remove(BOT);
    });
    let told = slack.say("op-5", &incident, &room, &said("x")).await.unwrap_err();
    assert!(matches!(told, Undelivered::NoRoom { change: RoomChange::Gone { .. }, .. }), "{told}");
    fake.with(|truth| truth.channels.get_mut(&room.id).unwrap().deleted = true);
    let told = slack.say("op-6", &incident, &room, &said("x")).await.unwrap_err();
    assert!(matches!(told, Undelivered::NoRoom { change: RoomChange::Gone { .. }, .. }), "{told}");
    assert_eq!(slack.standing(), Vec::<String>::new());
}

#[tokio::test]
async fn a_scope_that_is_missing_is_named_and_costs_only_its_part() {
    let (fake, slack, _) = world().await;
    let incident = incident(1, "x");
    let room = opened(&slack, &incident).await;
    fake.with(|truth| truth.scopes.remove("pins:write"));
    assert!(slack.card("op-1", &incident, &room, &said("card"), None).await.unwrap().is_some());
    let standing = slack.standing().join("\n");
    assert!(standing.contains("pins:write") && standing.contains("OAuth & Permissions"), "{standing}");
    fake.with(|truth| truth.scopes.insert("pins:write".to_owned()));
    slack.card("op-2", &incident, &room, &said("card, later"), None).await.unwrap();
    assert_eq!(slack.standing(), Vec::<String>::new(), "mended");
    fake.forgive();
}

#[tokio::test]
async fn a_room_is_furnished_once_and_one_person_keeps_no_other_out() {
    let (fake, slack, _) = world().await;
    let incident = incident(1, "x");
    let room = opened(&slack, &incident).await;
    let id = |name: &str| fake.user(name).id;
    let people = [id("ana"), id("bo"), id("cleo"), "UNOBODY01".to_owned()].map(|id| on_slack(&id)).to_vec();
    fake.with(|truth| truth.users.get_mut(&id_of(truth, "cleo")).unwrap().deactivated = true);
    let links = vec![("Console".to_owned(), "https://incidents.example.org/incidents/1".to_owned())];
    let wanted = Furnishing {
        name: Some("inc-1-renamed".into()),
        topic: "SEV1 · triage · <!channel> https://evil.example/x".into(),
        purpose: "INC-1: x".into(),
        links,
        people,
        archived: false,
    };
    let problems = slack.furnish(&incident, &room, &wanted).await.unwrap();
    assert!(problems.iter().all(|problem| problem.contains("user_not_found")), "{problems:?}");
    let channel = fake.with(|truth| truth.channels[&room.id].clone());
    assert_eq!((channel.name.as_str(), channel.purpose.as_str()), ("inc-1-renamed", "INC-1: x"));
    assert!(channel.members.contains(&id("ana")) && channel.members.contains(&id("bo")));
    assert!(!channel.topic.contains("<!") && !channel.topic.contains("https://"), "{}", channel.topic);
    assert_eq!(channel.bookmarks.len(), 1);
    let asked = |method: &str| fake.asked(method);
    let before = ["conversations.setTopic", "conversations.rename", "conversations.invite", "bookmarks.add"].map(asked);
    assert_eq!(slack.furnish(&incident, &room, &wanted).await, Ok(Vec::new()));
    let after = ["conversations.setTopic", "conversations.rename", "conversations.invite", "bookmarks.add"].map(asked);
    assert_eq!(before, after);
    let ended = Furnishing { archived: true, ..wanted };
    assert_eq!(slack.furnish(&incident, &room, &ended).await, Ok(Vec::new()));
    assert_eq!(slack.furnish(&incident, &room, &ended).await, Ok(Vec::new()));
    assert!(fake.with(|truth| truth.channels[&room.id].archived));
}

fn id_of(truth: &crate::world::slack::truth::Truth, name: &str) -> String {
    truth.user_named(name).unwrap().id.clone()
}

#[tokio::test]
async fn a_room_that_is_left_says_so_once_and_is_archived() {
    let (fake, slack, _) = world().await;
    let mut incident = incident(1, "x");
    let room = opened(&slack, &incident).await;
    let card = slack.card("op-1", &incident, &room, &said("all about it"), None).await.unwrap().unwrap();
    incident.private = true;
    let anew = opened(&slack, &incident).await;
    assert!(anew.private && anew.id != room.id, "{anew:?}");
    let elsewhere = slack.card("op-2", &incident, &anew, &said("all about it"), Some(&card)).await.unwrap().unwrap();
    assert!(elsewhere.starts_with(&anew.id), "a card of another room is not edited");
    // By then the newest card is in the new room; the old one is told once, however often.
    fake.fault("conversations.archive", 1, Fault::Refused("internal_error"));
    let goodbye = said("it goes on privately");
    let leave = || slack.close_room(&incident, &room, &goodbye, Some(&elsewhere));
    assert!(leave().await.is_err());
    leave().await.unwrap();
    leave().await.unwrap();
    let old = fake.with(|truth| truth.channels[&room.id].clone());
    assert!(old.archived);
    let goodbyes = old.messages.iter().filter(|m| m.text.contains("privately")).count();
    assert_eq!(goodbyes, 1);
}

#[tokio::test]
async fn everybody_and_one_alone_are_told() {
    let (fake, slack, _) = world_with("announce = \"incidents\"\n").await;
    let incident = incident(1, "x");
    // Nobody invited us: we join.
    let first = slack.announce("op-1", &incident, &said("it burns"), None).await.unwrap().unwrap();
    let again = slack.announce("op-2", &incident, &said("it is out"), Some(&first)).await.unwrap().unwrap();
    assert_eq!(first, again);
    let found = slack.find("op-2", &incident, Sought::Announcement, START).await.unwrap();
    assert_eq!(found, Some(Found::Message(first)));
    let ana = on_slack(&fake.user("ana").id);
    let told = slack.tell("op-3", &incident, &ana, &said("come")).await.unwrap().unwrap();
    let found = slack.find("op-3", &incident, Sought::Told { to: &ana }, START).await.unwrap();
    assert_eq!(found, Some(Found::Message(told)));
    assert_eq!(slack.find("op-4", &incident, Sought::Told { to: &ana }, START).await.unwrap(), None);
    for id in ["UNOBODY01", BOT] {
        let refused = slack.tell("op-5", &incident, &on_slack(id), &said("x")).await;
        assert!(matches!(refused, Err(Undelivered::Never { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn hostile_text_is_inert_wherever_it_goes() {
    let (fake, slack, _) = world_with("announce = \"incidents\"\n").await;
    fake.hostile(HOSTILE);
    let ana = on_slack(&fake.user("ana").id);
    for (number, text) in (1_u32..).zip(HOSTILE) {
        let incident = incident(number, text);
        let room = opened(&slack, &incident).await;
        let keep =
            Ask { incident: Some(number), intent: Intent::Note { text: smokejumper_intents::inert::prose(text) } };
        let line = || {
            Line::default()
                .outside(*text)
                .code(*text)
                .person(*text)
                .link(*text, *text)
                .link(*text, "https://grafana.example/d")
        };
        let reply = Reply::titled(Line::default().incident(number).and(" ").outside(*text))
            .section(Section::headed("What's going on", vec![line(), line().under()]))
            .button(Button::new(*text, Style::Primary, keep));
        slack.card("card", &incident, &room, &reply, None).await.unwrap();
        slack.say("say", &incident, &room, &reply).await.unwrap();
        slack.announce("all", &incident, &reply, None).await.unwrap();
        slack.tell("one", &incident, &ana, &reply).await.unwrap();
        let furniture =
            Furnishing { topic: (*text).into(), purpose: format!("INC-{number}: {text}"), ..Furnishing::default() };
        slack.furnish(&incident, &room, &furniture).await.unwrap();
        slack.views_publish(&ana.id, &home::view(&reply)).await.unwrap();
    }
}

#[tokio::test]
async fn members_of_a_group_may_approve_while_they_are_in_it() {
    let groups = "[slack.groups]\nS0OPS0001 = \"approver\"\n";
    let (fake, slack, _) = world_with(groups).await;
    fake.group("S0OPS0001", "ops", &["ana", "dan"]);
    let mut policy = Story::new().policy;
    let ana = policy.people.first_mut().unwrap();
    let (id, right) = (ana.id.clone(), ana.right);
    ana.identities.push(on_slack(&fake.user("ana").id));
    ana.right = smokejumper_intents::word::Right::Responder;
    assert!(right >= smokejumper_intents::word::Right::Responder);
    let rules = Rules::new(policy);
    let directory = WithGroups::new(slack.clone(), rules.clone(), Arc::new(ConfiguredDirectory::new(rules.clone())));
    assert!(directory.approvers().await.unwrap().contains(&id));
    slack.refresh_members(&rules).await;
    assert_eq!(rules.current().right(&on_slack(&fake.user("ana").id)), smokejumper_intents::word::Right::Approver);
    assert!(!directory.approvers().await.unwrap().contains(&PersonId("dan".into())), "nobody knows dan");
    fake.group("S0OPS0001", "ops", &["dan"]);
    assert!(!directory.approvers().await.unwrap().contains(&id), "put out");
    fake.group("S0OPS0001", "ops", &["ana"]);
    fake.fault("usergroups.users.list", 1, Fault::Status(503));
    assert!(!directory.approvers().await.unwrap().contains(&id), "who cannot be asked is nobody");
}

/// What people may paste into Block Kit Builder is what the edge sends.
#[test]
fn the_documented_views_are_the_real_ones() {
    let mut story = Story::new();
    story.tell(delivery(vec![firing("HighErrorRate", "checkout", 1, START)])).unwrap();
    story.now = At(START.0 + 4 * MINUTE);
    let incident = story.incident(1).clone();
    let shown = card(&incident, &story.state.desk, &story.policy, story.now);
    let form = forms::find("update").unwrap();
    let held =
        modal::Held { verb: "update".into(), incident: Some(1), channel: Some("C0123ABCD".into()), message: None };
    let view = modal::view(form, &held, &modal::Offered::default(), &Values::default());
    let waiting = mine(&[incident], &[], &story.policy, &account(0), story.now);
    for (name, shown) in [
        ("card", json!({ "blocks": blocks::blocks(&shown, blocks::MESSAGE) })),
        ("form", view),
        ("home", home::view(&waiting)),
    ] {
        agrees(name, &shown);
    }
}

fn agrees(name: &str, shown: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/slack/{name}.json"));
    let text = format!("{}\n", serde_json::to_string_pretty(shown).unwrap());
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/slack/{name}.json should be:\n{text}");
}
