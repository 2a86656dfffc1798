//! Messages, forms and home tabs as people see and use them.

use super::app::{App, done, message, post, refused};
use crate::world::slack::FakeSlack;
use crate::world::slack::puppet::other_bot;
use crate::world::watch::Watch;
use serde_json::{Value, json};
use smokejumper::edges::clock::WallClock;
use smokejumper::flow::moment::{At, SECOND};
use std::sync::Arc;

const NOON: At = At(1_795_000_000_000);

fn form() -> Value {
    let text = |t: &str| json!({ "type": "plain_text", "text": t });
    json!({
        "type": "modal", "title": text("Resolve INC-1"), "submit": text("Resolve"), "close": text("Not yet"),
        "callback_id": "resolve", "private_metadata": "{\"incident\":1}",
        "blocks": [
            {
                "type": "input", "block_id": "why", "label": text("What fixed it?"),
                "element": { "type": "plain_text_input", "action_id": "text", "multiline": true, "max_length": 100 },
            },
            {
                "type": "input", "block_id": "verdict", "label": text("Was the cause right?"), "optional": true,
                "element": {
                    "type": "static_select", "action_id": "choice",
                    "options": [{ "text": text("Yes"), "value": "y" }, { "text": text("No"), "value": "n" }],
                },
            },
        ],
    })
}

#[tokio::test]
async fn a_form_is_opened_filled_and_sent_off() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let app = App::listens(&slack).await;
    let ana = slack.user("ana");
    ana.types("/incident resolve", "general").await;
    let trigger = app.hears("slash_commands").await["payload"]["trigger_id"].clone();
    let opened = done(&slack, "views.open", json!({ "trigger_id": trigger, "view": form() })).await;
    let again = json!({ "trigger_id": trigger, "view": form() });
    assert_eq!(refused(&slack, "views.open", again).await, "exchanged_trigger_id");
    insta::assert_snapshot!(ana.sees_form().unwrap(), @r"
    form: Resolve INC-1
      What fixed it?: ______
      Was the cause right? (optional): ▾  (Yes | No)
      (Not yet) (Resolve)
    ");
    ana.fills("What fixed it?", "we turned it off").fills("Was the cause right?", "No");
    app.answers.lock().unwrap().push(json!({ "response_action": "errors", "errors": { "why": "say more" } }));
    assert_eq!(ana.submits().await, [("What fixed it?".to_owned(), "say more".to_owned())]);
    let sent = app.hears("view_submission").await;
    let values = &sent["payload"]["view"]["state"]["values"];
    assert_eq!(values["why"]["text"]["value"], "we turned it off");
    assert_eq!(values["verdict"]["choice"]["selected_option"]["value"], "n");
    assert_eq!(sent["payload"]["view"]["private_metadata"], "{\"incident\":1}");
    assert_eq!(sent["payload"]["view"]["id"], opened["view"]["id"]);
    let stale = json!({ "view_id": opened["view"]["id"], "hash": "1.x", "view": form() });
    assert_eq!(refused(&slack, "views.update", stale).await, "hash_conflict");
    assert_eq!(ana.submits().await, []);
    assert_eq!(ana.sees_form(), None);
    let gone = json!({ "view_id": opened["view"]["id"], "view": form() });
    assert_eq!(refused(&slack, "views.update", gone).await, "not_found");
    for (key, value) in [
        ("title", json!({ "type": "plain_text", "text": "twenty-five characters ..." })),
        ("submit", Value::Null),
        ("private_metadata", json!("x".repeat(3_001))),
        ("hash", json!("1.x")),
    ] {
        let mut bad = form();
        bad[key] = value;
        assert_eq!(refused(&slack, "views.open", json!({ "trigger_id": "1", "view": bad })).await, "invalid_arguments");
    }
    assert_eq!(slack.forgive().len(), 4);
}

#[tokio::test]
async fn people_choose_answer_in_threads_and_take_things_back() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let app = App::listens(&slack).await;
    let made = done(&slack, "conversations.create", json!({ "name": "inc-1" })).await;
    let id = made["channel"]["id"].as_str().unwrap();
    let ana = slack.user("ana");
    ana.joins("inc-1");
    let option = |text: &str| json!({ "text": { "type": "plain_text", "text": text }, "value": text.to_lowercase() });
    let mut menu = message(id, "later");
    menu["blocks"] = json!([{ "type": "actions", "elements": [{
        "type": "static_select", "action_id": "later", "placeholder": { "type": "plain_text", "text": "Remind me" },
        "options": [option("In 30 minutes"), option("Never")],
    }] }]);
    let ts = done(&slack, "chat.postMessage", menu).await["ts"].as_str().unwrap().to_owned();
    assert!(!ana.can_click("Remind me"), "that is no button");
    ana.chooses("Remind me", "Never").await;
    assert_eq!(app.hears("block_actions").await["payload"]["actions"][0]["selected_option"]["value"], "never");
    ana.replies("why not?", "inc-1", &ts);
    let own = app.hears("message").await;
    assert_eq!(own["payload"]["event"]["bot_id"], "B00000001", "the bot hears itself");
    assert_eq!(app.hears("message").await["payload"]["event"]["thread_ts"], ts.as_str());
    let other = other_bot(&slack, "inc-1", "@smokejumper resolve");
    assert_eq!(app.hears("app_mention").await["payload"]["event"]["bot_id"], "B00000009");
    ana.reacts("inc-1", &other, "eyes").unreacts("inc-1", &other, "eyes");
    app.hears("reaction_added").await;
    ana.deletes_message("inc-1", &other).leaves("inc-1");
    app.hears("member_left_channel").await;
    assert!(!slack.user("bo").reads("inc-1").contains("resolve"));
    assert!(slack.with(|truth| truth.requests.iter().all(|r| r.outcome == "ok" && r.at <= slack.now())));
}

#[tokio::test]
async fn a_trigger_is_good_for_three_seconds() {
    let watch = Arc::new(Watch::at(NOON));
    let slack = FakeSlack::start(watch.clone()).await;
    let app = App::listens(&slack).await;
    slack.user("ana").types("/incident", "general").await;
    let trigger = app.hears("slash_commands").await["payload"]["trigger_id"].clone();
    watch.set(NOON.plus(4 * SECOND));
    let late = json!({ "trigger_id": trigger, "view": form() });
    assert_eq!(refused(&slack, "views.open", late).await, "expired_trigger_id");
}

#[tokio::test]
async fn buttons_are_pressed_and_answered() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let app = App::listens(&slack).await;
    let made = done(&slack, "conversations.create", json!({ "name": "inc-1-checkout" })).await;
    let id = made["channel"]["id"].as_str().unwrap();
    done(&slack, "conversations.invite", json!({ "channel": id, "users": "UANA00001,UBO000001" })).await;
    let mut card = message(id, "INC-1 checkout");
    card["blocks"] = json!([
        { "type": "header", "text": { "type": "plain_text", "text": "INC-1 checkout" } },
        { "type": "rich_text", "elements": [
            { "type": "rich_text_section", "elements": [
                { "type": "text", "text": "probable cause", "style": { "bold": true } }, { "type": "text", "text": ": " },
                { "type": "text", "text": "<!channel>", "style": { "code": true } },
            ] },
            { "type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [
                { "type": "rich_text_section", "elements": [{ "type": "link", "url": "https://console.example", "text": "INC-0" }] },
            ] },
        ] },
        { "type": "actions", "elements": [
            { "type": "button", "action_id": "ack", "value": "ack:1", "style": "primary", "text": { "type": "plain_text", "text": "Acknowledge" } },
        ] },
    ]);
    let ts = done(&slack, "chat.postMessage", card).await["ts"].as_str().unwrap().to_owned();
    done(&slack, "pins.add", json!({ "channel": id, "timestamp": ts })).await;
    let ana = slack.user("ana");
    ana.clicks("Acknowledge").await;
    let click = app.hears("block_actions").await;
    assert_eq!(click["payload"]["actions"][0]["value"], "ack:1");
    assert_eq!(click["payload"]["message"]["ts"], ts.as_str());
    let hook = click["payload"]["response_url"].as_str().unwrap().to_owned();
    for n in 0..6 {
        let body = json!({ "text": format!("done {n}"), "response_type": "ephemeral", "replace_original": false, "mrkdwn": false });
        let answer = slack.client().post(&hook).json(&body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), if n < 5 { 200 } else { 404 });
    }
    assert_eq!(slack.forgive().len(), 1, "five times is enough");
    assert!(!slack.user("bo").sees().contains("done 0"));
    let ephemeral = json!({ "channel": id, "user": "UBO000001", "text": "psst", "parse": "none", "mrkdwn": false });
    post(&slack, "chat.postEphemeral", ephemeral).await;
    slack.forgive();
    let mut below = message(id, "details");
    below["thread_ts"] = json!(ts);
    done(&slack, "chat.postMessage", below).await;
    insta::assert_snapshot!(slack.user("bo").sees_in("inc-1-checkout"), @r"
    #inc-1-checkout
    people: Ana Ruiz, Bo Lind, Smokejumper
    — Ana Ruiz @Ana Ruiz has joined the channel
    — Bo Lind @Bo Lind has joined the channel
    Smokejumper 📌
      # INC-1 checkout
      *probable cause*: `<!channel>`
        • [INC-0](https://console.example)
      [*Acknowledge*]
        ↳ Smokejumper
            details
    Smokejumper (only you see this)
      psst
    ");
    let home = json!({ "type": "home", "blocks": [{ "type": "section", "text": { "type": "plain_text", "text": "Nothing waits for you." } }] });
    done(&slack, "views.publish", json!({ "user_id": "UANA00001", "view": home })).await;
    assert_eq!(ana.sees_home().unwrap(), "home tab\n  Nothing waits for you.\n");
}
