//! What the Web API refuses, and what it counts.

use super::app::{done, get, message, post, refused};
use crate::world::slack::truth::Kind;
use crate::world::slack::{FakeSlack, Fault, Outage, TOKEN};
use crate::world::watch::Watch;
use serde_json::json;
use smokejumper::edges::clock::WallClock;
use smokejumper::flow::moment::{At, SECOND};
use std::sync::Arc;
use std::time::{Duration, Instant};

const NOON: At = At(1_795_000_000_000);

#[tokio::test]
async fn channels_have_rules() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let made = done(&slack, "conversations.create", json!({ "name": "inc-1-checkout" })).await;
    let id = made["channel"]["id"].as_str().unwrap().to_owned();
    assert_eq!(made["channel"]["is_member"], true);
    assert_eq!(refused(&slack, "conversations.create", json!({ "name": "inc-1-checkout" })).await, "name_taken");
    done(&slack, "conversations.archive", json!({ "channel": id })).await;
    assert_eq!(refused(&slack, "conversations.create", json!({ "name": "inc-1-checkout" })).await, "name_taken");
    assert_eq!(refused(&slack, "chat.postMessage", message(&id, "hello")).await, "is_archived");
    assert_eq!(refused(&slack, "conversations.setTopic", json!({ "channel": id, "topic": "x" })).await, "is_archived");
    done(&slack, "conversations.unarchive", json!({ "channel": id })).await;
    slack.with(|truth| truth.renamed_to = Some("inc-2-modified".to_owned()));
    let made = done(&slack, "conversations.create", json!({ "name": "inc-2", "is_private": true })).await;
    assert_eq!((&made["channel"]["name"], &made["channel"]["is_private"]), (&json!("inc-2-modified"), &json!(true)));
    assert_eq!(slack.forgive(), Vec::<String>::new());
    for (name, code) in
        [("INC", "invalid_name_specials"), ("", "invalid_name_required"), ("--", "invalid_name_punctuation")]
    {
        assert_eq!(refused(&slack, "conversations.create", json!({ "name": name })).await, code);
    }
    assert_eq!(
        refused(&slack, "conversations.create", json!({ "name": "a".repeat(81) })).await,
        "invalid_name_maxlength"
    );
    let topic = json!({ "channel": id, "topic": "x".repeat(251) });
    assert_eq!(refused(&slack, "conversations.setTopic", topic).await, "too_long");
    assert_eq!(slack.forgive().len(), 5);
}

#[tokio::test]
async fn one_bad_guest_spoils_an_invitation() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let made = done(&slack, "conversations.create", json!({ "name": "inc-1" })).await;
    let id = made["channel"]["id"].as_str().unwrap();
    slack.with(|truth| truth.users.get_mut("UDAN00001").unwrap().deactivated = true);
    let both = json!({ "channel": id, "users": "UANA00001,UDAN00001" });
    assert_eq!(refused(&slack, "conversations.invite", both).await, "user_not_found");
    assert_eq!(slack.incident_channels()[0].members.len(), 1);
    let forced = json!({ "channel": id, "users": "UANA00001,UDAN00001", "force": true });
    let answer = done(&slack, "conversations.invite", forced).await;
    assert_eq!(answer["errors"][0]["user"], "UDAN00001");
    assert_eq!(slack.incident_channels()[0].members.len(), 2);
    let again = json!({ "channel": id, "users": "UANA00001" });
    assert_eq!(refused(&slack, "conversations.invite", again).await, "already_in_channel");
}

#[tokio::test]
async fn encodings_scopes_and_tokens_are_checked() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let general = slack.channel("general");
    assert_eq!(get(&slack, "conversations.info", &format!("channel={general}")).await["channel"]["name"], "general");
    assert_eq!(slack.forgive(), Vec::<String>::new());
    let (_, lost) = post(&slack, "conversations.info", json!({ "channel": general })).await;
    assert_eq!(lost["error"], "invalid_arguments");
    assert!(slack.forgive()[0].contains("does not read JSON"));
    done(&slack, "auth.test", json!({ "unknown": 1 })).await;
    assert!(slack.forgive()[0].contains("has no argument `unknown`"));
    slack.with(|truth| truth.scopes.remove("channels:manage"));
    let (_, refusal) = post(&slack, "conversations.create", json!({ "name": "inc-1" })).await;
    assert_eq!((&refusal["error"], &refusal["needed"]), (&json!("missing_scope"), &json!("channels:manage")));
    assert!(refusal["provided"].as_str().unwrap().contains("chat:write"));
    done(&slack, "conversations.create", json!({ "name": "inc-1", "is_private": true })).await;
    slack.with(|truth| truth.token_error = Some("token_revoked"));
    assert_eq!(refused(&slack, "auth.test", json!({})).await, "token_revoked");
    let query = format!("{}/auth.test?token={TOKEN}", slack.api());
    slack.client().get(query).header("user-agent", "a test").send().await.unwrap();
    assert_eq!(slack.forgive().len(), 2, "a token in the address, and none where it belongs");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    for n in 0..7 {
        done(&slack, "conversations.create", json!({ "name": format!("inc-{n}") })).await;
    }
    let (mut cursor, mut names) = (String::new(), Vec::new());
    loop {
        let page = get(&slack, "conversations.list", &format!("limit=3&cursor={}", cursor.replace('=', "%3D"))).await;
        let channels = page["channels"].as_array().unwrap();
        assert!(channels.len() <= 3);
        names.extend(channels.iter().map(|c| c["name"].as_str().unwrap().to_owned()));
        cursor = page["response_metadata"]["next_cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(names.len(), 9, "{names:?}");
    assert_eq!(get(&slack, "conversations.list", "limit=1000").await["error"], "invalid_limit");
    assert_eq!(get(&slack, "conversations.list", "cursor=made-up").await["error"], "invalid_cursor");
}

#[tokio::test]
async fn metadata_is_kept_and_shown_when_asked_for() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let made = done(&slack, "conversations.create", json!({ "name": "inc-1" })).await;
    let id = made["channel"]["id"].as_str().unwrap();
    let mut body = message(id, "the card");
    body["metadata"] = json!({ "event_type": "smokejumper", "event_payload": { "op": "o-1" } });
    let posted = done(&slack, "chat.postMessage", body).await;
    let ts = posted["ts"].as_str().unwrap();
    let plain = done(&slack, "conversations.history", json!({ "channel": id })).await;
    assert!(plain["messages"][0].get("metadata").is_none());
    let full = done(&slack, "conversations.history", json!({ "channel": id, "include_all_metadata": true })).await;
    assert_eq!(full["messages"][0]["metadata"]["event_payload"]["op"], "o-1");
    done(&slack, "chat.update", json!({ "channel": id, "ts": ts, "text": "the card, anew" })).await;
    let full = done(
        &slack,
        "conversations.history",
        json!({ "channel": id, "include_all_metadata": true, "oldest": ts, "inclusive": true }),
    )
    .await;
    assert_eq!(full["messages"][0]["text"], "the card, anew");
    assert_eq!(full["messages"][0]["metadata"]["event_payload"]["op"], "o-1");
    let nothing = json!({ "channel": id, "ts": "1.000001", "text": "x" });
    assert_eq!(refused(&slack, "chat.update", nothing).await, "message_not_found");
    done(&slack, "pins.add", json!({ "channel": id, "timestamp": ts })).await;
    assert_eq!(refused(&slack, "pins.add", json!({ "channel": id, "timestamp": ts })).await, "already_pinned");
    assert_eq!(get(&slack, "pins.list", &format!("channel={id}")).await["items"][0]["message"]["ts"], ts);
    let bookmark = json!({ "channel_id": id, "title": "Console", "type": "link", "link": "https://console.example/1" });
    done(&slack, "bookmarks.add", bookmark).await;
    assert_eq!(slack.incident_channels()[0].bookmarks.len(), 1);
    let link = get(&slack, "chat.getPermalink", &format!("channel={id}&message_ts={ts}")).await;
    assert!(link["permalink"].as_str().unwrap().starts_with("https://"), "{link}");
    done(&slack, "chat.delete", json!({ "channel": id, "ts": ts })).await;
    assert_eq!(refused(&slack, "chat.delete", json!({ "channel": id, "ts": ts })).await, "message_not_found");
}

#[tokio::test]
async fn what_is_posted_must_be_quiet_and_inert() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let made = done(&slack, "conversations.create", json!({ "name": "inc-1" })).await;
    let id = made["channel"]["id"].as_str().unwrap();
    slack.hostile(&["*pwned*", "https://evil.example/x"]);
    slack.with(|truth| truth.limits.off = true);
    let seen = |body: serde_json::Value, what: &'static str| {
        let slack = slack.clone();
        async move {
            post(&slack, "chat.postMessage", body).await;
            let all = slack.forgive();
            assert!(all.iter().any(|v| v.contains(what)), "{what}: {all:?}");
        }
    };
    let with = |blocks: serde_json::Value| {
        let mut body = message(id, "text");
        body["blocks"] = blocks;
        body
    };
    let mut loud = message(id, "hello");
    loud.as_object_mut().unwrap().remove("unfurl_links");
    seen(loud, "without unfurl_links").await;
    let mut parsed = message(id, "hello");
    parsed["parse"] = json!("full");
    seen(parsed, "with parse").await;
    seen(message(id, "wake up <!channel>"), "`<!channel`").await;
    let section = |kind: &str, text: &str| json!([{ "type": "section", "text": { "type": kind, "text": text } }]);
    seen(with(section("mrkdwn", "it is *pwned* now")), "text from outside as markup").await;
    seen(with(section("mrkdwn", "see <https://evil.example/y|here>")), "a link from outside").await;
    seen(with(section("mrkdwn", "<@UANA00001> look")), "`<@`").await;
    let broadcast = json!([{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [{ "type": "broadcast", "range": "channel" }] }] }]);
    seen(with(broadcast), "a mention of many").await;
    let image = json!([{ "type": "image", "image_url": "https://evil.example/x.png", "alt_text": "x" }]);
    seen(with(image), "an image").await;
    seen(with(section("plain_text", &"x".repeat(3_001))), "invalid_blocks").await;
    // Shown as it is, it may be anything.
    done(&slack, "chat.postMessage", with(section("plain_text", "it is *pwned* now <!channel>"))).await;
    assert_eq!(slack.forgive(), Vec::<String>::new());
}

#[tokio::test]
async fn limits_are_kept_and_impatience_is_seen() {
    let watch = Arc::new(Watch::at(NOON));
    let slack = FakeSlack::start(watch.clone()).await;
    for n in 0..20 {
        done(&slack, "conversations.create", json!({ "name": format!("inc-{n}") })).await;
    }
    let (status, answer) = post(&slack, "conversations.create", json!({ "name": "inc-20" })).await;
    assert_eq!((status, &answer["error"]), (429, &json!("ratelimited")));
    assert_eq!(slack.forgive(), Vec::<String>::new(), "being told to wait is no offence");
    watch.set(NOON.plus(5 * SECOND));
    post(&slack, "conversations.create", json!({ "name": "inc-20" })).await;
    assert!(slack.forgive()[0].contains("before Retry-After was over"));
    watch.set(NOON.plus(61 * SECOND));
    let made = done(&slack, "conversations.create", json!({ "name": "inc-20" })).await;
    let id = made["channel"]["id"].as_str().unwrap();
    for n in 0..5 {
        done(&slack, "chat.postMessage", message(id, &format!("{n}"))).await;
    }
    assert_eq!(post(&slack, "chat.postMessage", message(id, "6")).await.0, 429);
    // Another channel is not concerned.
    let general = slack.channel("inc-3");
    done(&slack, "chat.postMessage", message(&general, "hello")).await;
    slack.forgive();
}

#[tokio::test]
async fn faults_come_as_planned() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    slack.fault("conversations.create", 1, Fault::EffectThenLost);
    let url = format!("{}/conversations.create", slack.api());
    let lost = slack.client().post(&url).bearer_auth(TOKEN).header("user-agent", "a test");
    let lost = lost.header("content-type", "application/json; charset=utf-8").body("{\"name\":\"inc-1\"}").send().await;
    assert!(lost.is_err());
    assert_eq!(slack.incident_channels().len(), 1);
    slack.fault("auth.test", 2, Fault::Status(503));
    assert_eq!(post(&slack, "auth.test", json!({})).await.0, 503);
    assert_eq!(post(&slack, "auth.test", json!({})).await.0, 503);
    assert_eq!(post(&slack, "auth.test", json!({})).await.0, 200);
    slack.fault("auth.test", 1, Fault::Garbage);
    slack.fault("auth.test", 1, Fault::Slow(Duration::from_millis(50)));
    slack.fault("auth.test", 1, Fault::Trickle);
    assert_eq!(post(&slack, "auth.test", json!({})).await, (200, json!(null)));
    let began = Instant::now();
    assert_eq!(post(&slack, "auth.test", json!({})).await.0, 200);
    assert!(began.elapsed() >= Duration::from_millis(50));
    let request = slack.client().get(format!("{}/auth.test", slack.api())).bearer_auth(TOKEN);
    let slow = request.header("user-agent", "a test").timeout(Duration::from_secs(2)).send().await.unwrap();
    assert!(slow.bytes().await.unwrap_err().is_timeout(), "a byte a second");
    let noted = slack.with(|truth| truth.requests.iter().find(|r| r.args.contains_key("name")).cloned()).unwrap();
    assert_eq!(noted.args["name"], "inc-1");
    slack.fault_any(1, Fault::Html);
    let (status, garbage) = post(&slack, "auth.test", json!({})).await;
    assert_eq!((status, garbage), (200, json!(null)));
    slack.down(Outage::Refused).await;
    let url = format!("{}/auth.test", slack.api());
    // Without a connection from before.
    let newcomer = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    assert!(newcomer.get(&url).send().await.unwrap_err().is_connect());
    slack.up().await;
    assert_eq!(post(&slack, "auth.test", json!({})).await.0, 200);
    slack.down(Outage::NotOk).await;
    assert_eq!(refused(&slack, "auth.test", json!({})).await, "service_unavailable");
    slack.up().await;
    assert_eq!(slack.asked("auth.test"), 9);
    assert_eq!(slack.with(|truth| truth.channels.values().filter(|c| c.kind == Kind::Public).count()), 3);
}
