//! What Slack says, read and taken in: every kind of payload, the bad ones, requests that prove nothing, storage that fails.

use crate::world::door::MemoryDoor;
use crate::world::slack::{APP_TOKEN, TOKEN};
use crate::world::watch::Watch;
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use smokejumper::config::secret::Secret;
use smokejumper::config::slack::{Intake as Way, Slack as Configured};
use smokejumper::edges::chat::slack::Slack;
use smokejumper::edges::chat::slack::intake::read::{Heard, Kind, read};
use smokejumper::edges::chat::slack::intake::{Intake, Parts, Sockets, Standing, Taken, router};
use smokejumper::edges::clock::WallClock;
use smokejumper::flow::desk::{AlertState, Desk};
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::{Entry, RoomChange};
use smokejumper::flow::identity::{Identity, Platform};
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::At;
use smokejumper::flow::policy::Policy;
use smokejumper::ports::{Clock as _, Rules, Said, StoreError, Views};
use smokejumper_intents::intent::Intent;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

const SECRET: &str = "slack-signs-with-this";
const OLDER: &str = "and-signed-with-that";
/// 2026-11-20T12:00:00Z
const NOW: At = At(1_795_176_000_000);
const OURS: &str = "UBOT";

/// One room, that of INC-12; nothing else to be seen.
struct OneRoom;

#[async_trait]
impl Views for OneRoom {
    async fn list(&self, _: &Identity, _: bool, _: u32) -> Result<Vec<Incident>, StoreError> {
        Ok(Vec::new())
    }
    async fn incident(&self, _: &Identity, _: IncidentId) -> Result<Option<Incident>, StoreError> {
        Ok(None)
    }
    async fn entries(&self, _: &Identity, _: IncidentId) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }
    async fn alerts(&self, _: &Identity, _: IncidentId, _: u32) -> Result<Vec<AlertState>, StoreError> {
        Ok(Vec::new())
    }
    async fn loose(&self, _: &Identity, _: u32) -> Result<Vec<AlertState>, StoreError> {
        Ok(Vec::new())
    }
    async fn said(&self, _: &Identity, _: IncidentId, _: Platform) -> Result<Vec<Said>, StoreError> {
        Ok(Vec::new())
    }
    async fn desk(&self) -> Result<Desk, StoreError> {
        Ok(Desk::default())
    }
    async fn incident_of_room(&self, platform: Platform, room: &str) -> Result<Option<IncidentId>, StoreError> {
        Ok((platform == Platform::Slack && room == "C12").then_some(IncidentId(12)))
    }
}

struct House {
    intake: Arc<Intake>,
    door: Arc<MemoryDoor>,
    watch: Arc<Watch>,
    standing: Standing,
    routes: Router,
}

fn configured(api: &str, intake: Way) -> Configured {
    Configured {
        api_url: api.to_owned(),
        allow_plaintext: false,
        bot_token: Secret::new(TOKEN),
        intake,
        announce: None,
        capture: true,
        catch_up: true,
        groups: BTreeMap::new(),
    }
}

/// An intake in Socket Mode, at work.
pub struct Clocked {
    pub door: Arc<MemoryDoor>,
    pub standing: Standing,
    stop: watch::Sender<bool>,
    work: JoinHandle<()>,
}

impl Clocked {
    pub fn asked(&self) -> usize {
        self.door.asked.lock().unwrap().len()
    }

    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.work.await.unwrap();
    }
}

pub fn listening(api: &str) -> Clocked {
    let configured = configured(api, Way::Socket { app_token: Secret::new(APP_TOKEN) });
    let (door, standing) = (Arc::new(MemoryDoor::default()), Standing::default());
    let parts = Parts {
        slack: Slack::new(&configured, Arc::new(WallClock)).unwrap(),
        door: door.clone(),
        views: Arc::new(OneRoom),
        rules: Rules::new(Policy::default()),
        scrub: Arc::new(str::to_owned),
        standing: standing.clone(),
    };
    let sockets = Sockets::new(Arc::new(Intake::new(parts).unwrap())).unwrap();
    let (stop, stopped) = watch::channel(false);
    Clocked { door, standing, stop, work: tokio::spawn(sockets.keep(stopped)) }
}

/// Slack itself is not there: what is answered goes nowhere.
fn house() -> House {
    let secrets = [Secret::new(OLDER), Secret::new(SECRET)];
    let configured = configured("http://127.0.0.1:1/api", Way::Http { signing: secrets.to_vec() });
    let (watch, door, standing) = (Arc::new(Watch::at(NOW)), Arc::new(MemoryDoor::default()), Standing::default());
    let parts = Parts {
        slack: Slack::new(&configured, watch.clone()).unwrap(),
        door: door.clone(),
        views: Arc::new(OneRoom),
        rules: Rules::new(Policy::default()),
        scrub: Arc::new(|text| text.replace("canary", "[secret]")),
        standing: standing.clone(),
    };
    let intake = Arc::new(Intake::new(parts).unwrap());
    let routes = router(Arc::clone(&intake), &secrets);
    House { intake, door, watch, standing, routes }
}

impl House {
    async fn takes(&self, kind: Kind, payload: &Value) -> Taken {
        self.intake.take(self.intake.seat().unwrap(), kind, &payload.to_string()).await
    }

    async fn posts(&self, request: Request<Body>) -> (StatusCode, String) {
        let answer = self.routes.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Everything that could have changed.
    fn state(&self) -> (usize, usize, usize) {
        (self.door.asked.lock().unwrap().len(), self.door.deliveries(), self.door.letters().len())
    }

    fn asked(&self) -> Vec<(Identity, u32, Intent)> {
        let asked = self.door.asked.lock().unwrap();
        asked.iter().map(|(by, ask, _)| (by.clone(), ask.incident.unwrap_or(0), ask.intent.clone())).collect()
    }
}

fn ana() -> Identity {
    Identity { platform: Platform::Slack, workspace: "T1".to_owned(), id: "UANA".to_owned() }
}

fn command(text: &str, channel: &str, trigger: &str) -> Value {
    json!({
        "team_id": "T1", "channel_id": channel, "user_id": "UANA", "command": "/incident", "text": text,
        "response_url": "https://evil.example/commands", "trigger_id": trigger, "token": "old", "user_name": "ana",
    })
}

fn click(value: &str) -> Value {
    json!({
        "type": "block_actions", "team": { "id": "T1" }, "user": { "id": "UANA", "team_id": "T1" }, "trigger_id": "9.9.a",
        "api_app_id": "A1", "channel": { "id": "C12", "name": "inc-12" },
        "container": { "type": "message", "message_ts": "1795175999.000100", "channel_id": "C12" },
        "actions": [{ "type": "button", "action_id": "ask-0", "value": value, "action_ts": "1795176000.1" }],
        "message": { "ts": "1795175999.000100", "blocks": [{ "type": "of the year 2030", "x": [1] }] },
    })
}

#[allow(clippy::needless_pass_by_value, reason = "made for it, at each call")]
fn event(id: &str, event: Value) -> Value {
    json!({
        "type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": id, "event_time": 1_795_176_000, "event": event,
        "authorizations": [{ "team_id": "T1", "user_id": OURS, "is_bot": true }],
    })
}

fn signed(path: &str, body: &str, secret: &str, at: i64) -> Request<Body> {
    signed_as(path, body, &sign(body, secret, &at.to_string()), &at.to_string())
}

fn sign(body: &str, secret: &str, time: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = ring::hmac::sign(&key, format!("v0:{time}:{body}").as_bytes());
    format!("v0={}", hex::encode(tag.as_ref()))
}

fn signed_as(path: &str, body: &str, signature: &str, time: &str) -> Request<Body> {
    let request = Request::post(path).header("x-slack-signature", signature).header("x-slack-request-timestamp", time);
    request.body(Body::from(body.to_owned())).unwrap()
}

/// As a form, as Slack encodes it.
fn form(payload: &Value) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect()
    };
    let pair = |(name, value): (&String, &Value)| format!("{name}={}", encode(value.as_str().unwrap()));
    payload.as_object().unwrap().iter().map(pair).collect::<Vec<_>>().join("&")
}

fn wrapped(payload: &Value) -> String {
    form(&json!({ "payload": payload.to_string() }))
}

const SECONDS: i64 = NOW.0 / 1_000;

#[tokio::test]
async fn words_and_clicks_become_one_ask_each_however_often_they_come() {
    let house = house();
    for _ in 0..3 {
        assert_eq!(house.takes(Kind::Command, &command("ack", "C12", "1.1.a")).await, Taken::Done(None));
        assert_eq!(house.takes(Kind::Interaction, &click("sj1|12|sev|2")).await, Taken::Done(None));
        let mention = json!({ "type": "app_mention", "user": "UANA", "team": "T1", "text": "<@UBOT> note it &lt;was&gt; <@UBO|bo>",
            "channel": "C12", "ts": "1795176000.000200" });
        assert_eq!(house.takes(Kind::Event, &event("Ev1", mention)).await, Taken::Done(None));
    }
    let asked = house.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert_eq!(asked[0], (ana(), 12, Intent::Acknowledge));
    assert!(matches!(&asked[1], (by, 12, Intent::SetSeverity { .. }) if *by == ana()), "{asked:?}");
    assert_eq!(asked[2].2, Intent::Note { text: "it <was> @UBO".to_owned() });
    let keys: Vec<String> = house.door.asked.lock().unwrap().iter().map(|(.., key)| key.clone()).collect();
    assert_eq!(keys[0], "slack:T1:command:1.1.a");
    assert_eq!(keys[2], "slack:T1:event:Ev1");
    assert_eq!(house.standing.get().last_inbound, Some(NOW));
}

#[tokio::test]
async fn what_is_not_understood_is_said_to_whoever_typed_it() {
    let house = house();
    for (text, words) in [("akc", "ack"), ("note", "note"), ("private", "")] {
        let Taken::Done(shown) = house.takes(Kind::Command, &command(text, "C12", &format!("1.{text}"))).await else {
            panic!("{text}")
        };
        // A verb with a form opens it, and everything else is answered with the acknowledgement.
        assert_eq!(shown.is_none(), words.is_empty(), "{text}: {shown:?}");
        if let Some(shown) = shown {
            assert_eq!(shown["response_type"], "ephemeral");
            assert!(shown.to_string().contains(words), "{text}: {shown}");
        }
    }
    let Taken::Done(Some(asked)) = house.takes(Kind::Command, &command("checkout is down", "C1", "2.2")).await else {
        panic!()
    };
    assert!(asked["blocks"].to_string().contains("sj1||declare"), "the button that does it: {asked}");
    assert_eq!(house.asked(), []);
}

#[tokio::test]
async fn programs_and_other_organisations_are_who_they_are() {
    let house = house();
    let said = |more: Value| {
        let mut said =
            json!({ "type": "app_mention", "text": "<@UBOT> ack", "channel": "C12", "ts": "1795176000.000300" });
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        said
    };
    let programs = [
        json!({ "user": "UWF", "bot_id": "B1" }),
        json!({ "bot_id": "B1", "subtype": "bot_message" }),
        json!({ "user": OURS }),
        json!({ "user": "USLACKBOT" }),
        json!({}),
    ];
    for (n, more) in programs.into_iter().enumerate() {
        assert_eq!(house.takes(Kind::Event, &event(&format!("Ev{n}"), said(more))).await, Taken::Done(None));
    }
    assert_eq!(house.asked(), []);
    let mut shared = event("EvS", said(json!({ "user": "USTRANGER" })));
    shared["is_ext_shared_channel"] = json!(true);
    house.takes(Kind::Event, &shared).await;
    let mut foreign = click("sj1|12|ack");
    foreign["user"] = json!({ "id": "UANA", "team_id": "T999" });
    house.takes(Kind::Interaction, &foreign).await;
    let who: Vec<String> = house.asked().into_iter().map(|(by, ..)| format!("{}/{}", by.workspace, by.id)).collect();
    assert_eq!(who, ["elsewhere/USTRANGER", "T999/UANA"], "never one of our workspace");
}

#[tokio::test]
async fn a_room_changed_by_hand_is_an_event_once() {
    let house = house();
    let changes = [
        (
            json!({ "type": "channel_rename", "channel": { "id": "C12", "name": "inc-12-new" } }),
            RoomChange::Renamed("inc-12-new".into()),
        ),
        (json!({ "type": "channel_archive", "channel": "C12", "user": "UANA" }), RoomChange::Archived),
        (json!({ "type": "group_unarchive", "channel": "C12" }), RoomChange::Unarchived),
        (json!({ "type": "channel_deleted", "channel": "C12" }), RoomChange::Gone { why: "it was deleted".into() }),
        (
            json!({ "type": "member_left_channel", "channel": "C12", "user": OURS }),
            RoomChange::Gone { why: "Smokejumper was taken out of it".into() },
        ),
    ];
    for (n, (happened, change)) in changes.into_iter().enumerate() {
        for _ in 0..2 {
            assert_eq!(house.takes(Kind::Event, &event(&format!("Ev{n}"), happened.clone())).await, Taken::Done(None));
        }
        let stored = house.door.stored.lock().unwrap();
        assert_eq!(stored.len(), n + 1);
        let wanted =
            Event::RoomChanged { incident: IncidentId(12), platform: Platform::Slack, room: "C12".into(), change };
        assert!(stored.values().any(|arrival| arrival.event == wanted), "{wanted:?}");
    }
    // Others' rooms, and those who come and go, are nobody's business.
    house.takes(Kind::Event, &event("EvX", json!({ "type": "channel_archive", "channel": "C1" }))).await;
    house
        .takes(Kind::Event, &event("EvY", json!({ "type": "member_left_channel", "channel": "C12", "user": "UBO" })))
        .await;
    assert_eq!(house.door.deliveries(), 5);
    house.takes(Kind::Event, &event("EvZ", json!({ "type": "app_uninstalled" }))).await;
    assert_eq!(house.standing.get().removed, Some("the app was uninstalled"));
}

#[tokio::test]
async fn what_was_not_stored_is_said_and_may_come_again() {
    let house = house();
    *house.door.broken.lock().unwrap() = Some(StoreError::Unavailable("the disk is full".to_owned()));
    let renamed =
        event("Ev1", json!({ "type": "channel_rename", "channel": { "id": "C12", "name": "x" } })).to_string();
    let request = || signed("/slack/events", &renamed, SECRET, SECONDS);
    assert_eq!(house.posts(request()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(house.takes(Kind::Command, &command("ack", "C12", "1.1.a")).await, Taken::Not(None));
    *house.door.broken.lock().unwrap() = None;
    assert_eq!(house.posts(request()).await.0, StatusCode::OK);
    assert_eq!(house.takes(Kind::Command, &command("ack", "C12", "1.1.a")).await, Taken::Done(None));
    assert_eq!(house.state(), (1, 1, 0));
    // And once more is no more.
    assert_eq!(house.posts(request()).await.0, StatusCode::OK);
    assert_eq!(house.state(), (1, 1, 0));
}

/// Payloads as nobody should send them: each is kept as a sample or means nothing, and does nothing.
#[tokio::test]
async fn bad_payloads_do_nothing() {
    let house = house();
    let good = [
        (Kind::Command, command("ack", "C12", "1.1.a")),
        (Kind::Interaction, click("sj1|12|ack")),
        (Kind::Event, event("Ev1", json!({ "type": "channel_archive", "channel": "C12" }))),
    ];
    let mut tried = 0;
    for (kind, payload) in &good {
        let text = payload.to_string();
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert!(read(*kind, &text[..end]).is_err(), "{}", &text[..end]);
            tried += 1;
        }
        // Another kind's payload, arrays for objects, depth, huge numbers, lone surrogates.
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for bad in ["", "null", "[]", "7", "\"x\"", "{}", "1e999", "\u{feff}{}", r#"{"a":"\ud800"}"#, &deep] {
            assert!(read(*kind, bad).is_err(), "{bad:.40}");
            tried += 1;
        }
        // Every field gone, or another thing.
        for path in paths(payload, "") {
            for with in
                [json!(null), json!(7), json!([]), json!({}), json!(""), json!("a\u{0}b"), json!("x".repeat(9_000))]
            {
                let mut bent = payload.clone();
                *bent.pointer_mut(&path).unwrap() = with;
                let _ = house.takes(*kind, &bent).await;
                tried += 1;
            }
        }
    }
    // Of all those only what is still the same ask in our workspace was one.
    for (by, incident, intent) in house.asked() {
        assert!(by.platform == Platform::Slack && !by.workspace.is_empty() && incident <= 12, "{by:?} {intent:?}");
    }
    let letters = house.door.letters();
    assert!(letters.len() > 50, "{}", letters.len());
    assert!(letters.iter().all(|letter| letter.source == "slack" && letter.sample.len() <= 16 * 1024));
    assert_eq!(house.standing.get().unreadable, letters.len() as u64);
    println!("{tried} bad payloads, {} kept as samples", letters.len());
}

fn paths(value: &Value, at: &str) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, value)| (format!("{at}/{n}"), value)).collect(),
        _ => Vec::new(),
    };
    inner.iter().flat_map(|(path, value)| std::iter::once(path.clone()).chain(paths(value, path))).collect()
}

#[tokio::test]
async fn a_button_proves_nothing() {
    let house = house();
    let values =
        ["", "sj1|", "sj0|12|ack", "sj1|12|ack|", "sj1|0|ack", "approve everything", "sj1|12|note|%0", "{\"ask\":1}"];
    for (n, value) in values.into_iter().enumerate() {
        let mut bent = click(value);
        bent["actions"][0]["action_ts"] = json!(format!("1795176000.{n}"));
        assert_eq!(house.takes(Kind::Interaction, &bent).await, Taken::Done(None), "{value}");
    }
    // The house itself is no incident: the door refuses it, as it does whatever words could not say.
    let asked: Vec<_> = house.asked().into_iter().filter(|(_, incident, _)| *incident != 0).collect();
    assert_eq!(asked, []);
    // A form with another's fields, or none of ours.
    for view in [
        json!({ "id": "V1", "hash": "h", "callback_id": "form-nothing", "private_metadata": "{}" }),
        json!({ "id": "V2", "hash": "h", "callback_id": "form-update", "private_metadata": "{\"verb\":\"resolve\",\"incident\":12}" }),
        json!({ "id": "V3", "hash": "h", "callback_id": "form-update", "private_metadata": "{\"verb\":\"update\",\"incident\":12}",
            "state": { "values": { "nobody asked": { "field": { "type": "plain_text_input", "value": "x" } } } } }),
    ] {
        let sent = json!({ "type": "view_submission", "team": { "id": "T1" }, "user": { "id": "UANA" }, "view": view });
        assert_eq!(house.takes(Kind::Interaction, &sent).await, Taken::Done(None));
    }
    assert!(house.asked().iter().all(|(_, incident, _)| *incident == 0));
}

#[tokio::test]
async fn a_form_says_what_is_wrong_and_is_one_act_when_it_is_right() {
    let house = house();
    let view = |text: &str| {
        json!({ "type": "view_submission", "team": { "id": "T1" }, "user": { "id": "UANA" }, "view": {
            "id": "V1", "hash": "h1", "callback_id": "form-update",
            "private_metadata": "{\"verb\":\"update\",\"incident\":12,\"channel\":\"C12\"}",
            "state": { "values": { "conditions": { "field": { "type": "plain_text_input", "value": text } } } },
        } })
    };
    let Taken::Done(Some(wrong)) = house.takes(Kind::Interaction, &view("")).await else { panic!() };
    assert_eq!(wrong["response_action"], "errors");
    for _ in 0..2 {
        house.takes(Kind::Interaction, &view("half of them fail")).await;
    }
    let asked = house.asked();
    assert_eq!(asked.len(), 1);
    assert!(matches!(&asked[0].2, Intent::Update { conditions, .. } if conditions == "half of them fail"), "{asked:?}");
}

/// F31 for Slack: whatever is changed of a signed request, it changes nothing here.
#[tokio::test]
async fn forged_and_replayed_requests_change_nothing() {
    let house = house();
    let bodies = [
        ("/slack/commands", form(&command("declare checkout is down", "C1", "3.3.c"))),
        ("/slack/interactions", wrapped(&click("sj1|12|ack"))),
        ("/slack/events", event("Ev7", json!({ "type": "channel_archive", "channel": "C12" })).to_string()),
    ];
    let before = house.state();
    let mut dice = 7_u64;
    let mut roll = |below: u32| {
        // A linear congruence: any spread will do, the same each time.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(dice >> 33).unwrap() % below
    };
    for n in 0..2_000 {
        let mut below = |length: usize| roll(u32::try_from(length).unwrap()) as usize;
        let (path, body) = &bodies[n % bodies.len()];
        let time = SECONDS.to_string();
        let good = sign(body, SECRET, &time);
        let request = match n % 8 {
            0 => {
                let mut bytes = body.clone().into_bytes();
                let at = below(bytes.len());
                bytes[at] ^= 1 << roll(7);
                signed_as(path, &String::from_utf8_lossy(&bytes), &good, &time)
            }
            1 => signed_as(path, &body[..below(body.len())], &good, &time),
            2 => signed_as(path, &format!("{body}&x={}", roll(10_000)), &good, &time),
            3 => {
                let mut bytes = good.clone().into_bytes();
                let at = 3 + below(64);
                bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
                signed_as(path, body, &String::from_utf8(bytes).unwrap(), &time)
            }
            4 => signed_as(path, body, &good[..below(good.len())], &time),
            5 => signed_as(path, body, &good, &(SECONDS - 1 - i64::from(roll(200))).to_string()),
            6 => signed(path, body, &format!("another-apps-{}", roll(1_000)), SECONDS),
            _ => {
                let late = if roll(2) == 0 { 301 } else { -301 };
                signed(path, body, SECRET, SECONDS + late + if late > 0 { i64::from(roll(500)) } else { 0 })
            }
        };
        let (status, answer) = house.posts(request).await;
        assert_eq!((status, answer.as_str()), (StatusCode::UNAUTHORIZED, ""), "{n} {path}");
    }
    let unsigned = Request::post("/slack/events").body(Body::from(bodies[2].1.clone())).unwrap();
    assert_eq!(house.posts(unsigned).await.0, StatusCode::UNAUTHORIZED);
    let asks = json!({ "type": "url_verification", "challenge": "c-1", "token": "old" }).to_string();
    let unsigned = Request::post("/slack/events").body(Body::from(asks.clone())).unwrap();
    assert_eq!(house.posts(unsigned).await, (StatusCode::UNAUTHORIZED, String::new()));
    assert_eq!(house.state(), before);
    assert!(house.standing.get().skew_ms.is_some_and(|ahead| ahead.abs() >= 301_000));
    // Signed, each is good with either secret, and only once.
    assert_eq!(house.posts(signed("/slack/events", &asks, SECRET, SECONDS)).await, (StatusCode::OK, "c-1".to_owned()));
    assert_eq!(house.standing.get().skew_ms, None);
    for (n, (path, body)) in bodies.iter().enumerate() {
        let secret = if n == 1 { OLDER } else { SECRET };
        let mut retried = signed(path, body, secret, SECONDS - 290);
        retried.headers_mut().insert("x-slack-retry-num", "1".parse().unwrap());
        assert_eq!(house.posts(signed(path, body, secret, SECONDS - 290)).await.0, StatusCode::OK, "{path}");
        assert_eq!(house.posts(retried).await.0, StatusCode::OK, "a replay is answered, and does nothing");
        house.watch.set(At(house.watch.now().0 + 1_000));
        // Signed anew a repeated delivery is the same still.
        assert_eq!(house.posts(signed(path, body, secret, SECONDS)).await.0, StatusCode::OK);
    }
    assert_eq!(house.state(), (2, 1, 0));
}

#[test]
fn a_modal_that_was_closed_and_kinds_nobody_knows_are_nothing() {
    for payload in [
        json!({ "type": "view_closed", "user": { "id": "UANA" }, "view": {} }),
        json!({ "type": "workflow_step_edit", "user": { "id": "UANA" } }),
    ] {
        assert!(matches!(read(Kind::Interaction, &payload.to_string()), Ok(Heard::Nothing(_))), "{payload}");
    }
    for kind in ["message", "team_join", "of_the_year_2030"] {
        let payload = event("Ev1", json!({ "type": kind, "channel": "C12", "user": "UANA" })).to_string();
        assert!(matches!(read(Kind::Event, &payload), Ok(Heard::Nothing(_))), "{kind}");
    }
}
