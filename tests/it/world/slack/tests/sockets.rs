//! Socket Mode and HTTP delivery.

use super::app::{App, dial, done, frame, socket};
use crate::world::slack::{FakeSlack, Mishap, SIGNING_SECRET};
use crate::world::wait::until;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use futures::SinkExt as _;
use serde_json::{Value, json};
use slack_morphism::signature_verifier::SlackEventSignatureVerifier;
use smokejumper::edges::clock::WallClock;
use std::sync::{Arc, Mutex};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn people_are_heard_over_a_socket() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let app = App::listens(&slack).await;
    let made = done(&slack, "conversations.create", json!({ "name": "inc-1" })).await;
    let id = made["channel"]["id"].as_str().unwrap().to_owned();
    let ana = slack.user("ana");
    assert!(ana.commands("/incident declare checkout <is> down, @bo", "general").await);
    let heard = app.hears("slash_commands").await;
    assert_eq!(heard["payload"]["text"], "declare checkout &lt;is&gt; down, <@UBO000001>");
    ana.joins("inc-1");
    assert_eq!(app.hears("member_joined_channel").await["payload"]["event"]["user"], "UANA00001");
    let ts = ana.says("@smokejumper why?", "inc-1", None);
    assert_eq!(app.hears("app_mention").await["payload"]["event"]["text"], "<@UBOT00001> why?");
    assert_eq!(app.hears("message").await["payload"]["event"]["channel_type"], "channel");
    ana.reacts("inc-1", &ts, "pushpin");
    assert_eq!(app.hears("reaction_added").await["payload"]["event"]["item"]["ts"], ts.as_str());
    ana.message_shortcut("inc-1", &ts, "Add to timeline").await;
    assert_eq!(app.hears("message_action").await["payload"]["callback_id"], "note");
    ana.opens_home();
    app.hears("app_home_opened").await;
    ana.renames("inc-1", "inc-1-renamed").archives("inc-1-renamed").unarchives("inc-1-renamed");
    assert_eq!(app.hears("channel_rename").await["payload"]["event"]["channel"]["name"], "inc-1-renamed");
    assert_eq!(app.hears("channel_archive").await["payload"]["event"]["channel"], id.as_str());
    app.hears("channel_unarchive").await;
    ana.removes_bot("inc-1-renamed");
    app.hears("channel_left").await;
    // Where it is not, it hears nothing.
    ana.says("hello?", "inc-1-renamed", None);
    ana.deletes("inc-1-renamed");
    app.hears("channel_deleted").await;
    assert!(!app.heard.lock().unwrap().iter().any(|v| v["payload"]["event"]["text"] == "hello?"));
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let app = App::listens(&slack).await;
    done(&slack, "conversations.create", json!({ "name": "inc-1" })).await;
    app.listens_too(&slack).await;
    slack.mishaps(&[Mishap::CutAfter]);
    slack.user("ana").joins("inc-1");
    let first = app.hears("member_joined_channel").await;
    // Whether the first copy was read before the cut is chance; that it comes at all is not.
    assert!(first["payload"]["event_id"].is_string());
    slack.mishaps(&[Mishap::Twice]);
    slack.user("bo").joins("inc-1");
    let of_bo = || {
        let heard = app.heard.lock().unwrap();
        let of = |v: &&Value| v["payload"]["event"]["user"] == "UBO000001";
        let ids: Vec<String> = heard.iter().filter(of).map(|v| v["payload"]["event_id"].to_string()).collect();
        (ids.len() >= 2).then_some(ids)
    };
    let ids = until("the same event twice", of_bo).await;
    assert_eq!(ids[0], ids[1]);
    slack.mishaps(&[Mishap::Late]);
    slack.user("cleo").joins("inc-1");
    slack.user("dan").joins("inc-1");
    until("Dan before Cleo", || {
        let heard = app.heard.lock().unwrap();
        heard.iter().any(|v| v["payload"]["event"]["user"] == "UDAN00001").then_some(())
    })
    .await;
    slack.release();
    until("Cleo, late", || {
        let heard = app.heard.lock().unwrap();
        heard.iter().any(|v| v["payload"]["event"]["user"] == "UCLEO0001").then_some(())
    })
    .await;
}

#[tokio::test]
async fn sockets_have_rules() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let url = done(&slack, "apps.connections.open", json!({})).await["url"].as_str().unwrap().to_owned();
    let mut first = dial(&url).await.unwrap();
    assert!(frame(&mut first).await.unwrap().contains("hello"));
    assert!(dial(&url).await.is_err());
    assert!(slack.forgive()[0].contains("used twice"));
    first.send(Message::Ping("x".into())).await.unwrap();
    until("the ping", || slack.with(|truth| (truth.connections.pings == 1).then_some(()))).await;
    first.send(Message::text("{}")).await.unwrap();
    until("a violation", || slack.forgive().pop()).await;
    // Nobody acknowledges: the person is told, and so is the test.
    let ana = slack.user("ana");
    assert!(!ana.commands("/incident", "general").await);
    assert!(ana.notices()[0].contains("dispatch_failed"));
    assert!(slack.forgive()[0].contains("was not acknowledged"));
    slack.disconnects("refresh_requested", true);
    assert!(frame(&mut first).await.unwrap().contains("slash_commands"));
    assert!(frame(&mut first).await.unwrap().contains("refresh_requested"));
    let second = socket(&slack).await;
    slack.closes_oldest();
    until("the first is gone", || (slack.sockets() == 1).then_some(())).await;
    assert_eq!(slack.with(|truth| truth.connections.gaps.clone()), Vec::<i64>::new());
    drop(second);
    until("nobody listens", || (slack.sockets() == 0).then_some(())).await;
    let _third = socket(&slack).await;
    assert_eq!(slack.with(|truth| (truth.connections.gaps.len(), truth.connections.most)), (1, 2));
    slack.deafen();
    assert!(!ana.commands("/incident", "general").await);
    assert_eq!(slack.forgive(), Vec::<String>::new(), "that was the fake's own doing");
}

type Heard = Arc<Mutex<Vec<(String, HeaderMap, String)>>>;

async fn hear(State(heard): State<Heard>, uri: Uri, headers: HeaderMap, body: String) -> (StatusCode, String) {
    let signature = headers["x-slack-signature"].to_str().unwrap();
    let at = headers["x-slack-request-timestamp"].to_str().unwrap();
    let verifier = SlackEventSignatureVerifier::new(&SIGNING_SECRET.into());
    verifier.verify(signature, &body, at).unwrap();
    let mut heard = heard.lock().unwrap();
    heard.push((uri.path().to_owned(), headers.clone(), body));
    // The first event is not wanted: it comes again.
    let events = heard.iter().filter(|(path, ..)| path == "/slack/events").count();
    if uri.path() == "/slack/events" && events == 1 {
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    }
    let command = uri.path() == "/slack/commands";
    (StatusCode::OK, if command { json!({ "text": "noted", "mrkdwn": false }).to_string() } else { String::new() })
}

#[tokio::test]
async fn the_same_is_posted_signed_and_again() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let heard = Heard::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    slack.posts_to(&format!("http://{}", listener.local_addr().unwrap()));
    let app = Router::new().fallback(hear).with_state(heard.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let ana = slack.user("ana");
    assert!(ana.commands("/incident help me & <all>", "general").await);
    assert!(ana.sees().contains("Smokejumper (only you see this)\n  noted\n"), "{}", ana.sees());
    done(&slack, "conversations.create", json!({ "name": "inc-1" })).await;
    ana.joins("inc-1");
    let again = until("the event, again", || {
        let heard = heard.lock().unwrap();
        heard.iter().find(|(_, headers, _)| headers.contains_key("x-slack-retry-num")).cloned()
    })
    .await;
    assert_eq!(again.1["x-slack-retry-num"], "1");
    let heard = heard.lock().unwrap();
    assert_eq!(heard[0].0, "/slack/commands");
    assert!(heard[0].2.contains("text=help%20me%20%26amp%3B%20%26lt%3Ball%26gt%3B"), "{}", heard[0].2);
    let events: Vec<&String> =
        heard.iter().filter(|(path, ..)| path == "/slack/events").map(|(.., body)| body).collect();
    assert_eq!(events[0], events[1]);
}
