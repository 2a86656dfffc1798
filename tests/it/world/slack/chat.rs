//! `chat.*` and what is posted to a response_url.

use super::blocks;
use super::call::Call;
use super::inert;
use super::methods::{Answer, Desk, fail};
use super::truth::{BOT, Channel, Kind, Message, Truth};
use serde_json::{Value, json};
use smokejumper::flow::moment::{At, MINUTE};

/// Characters of a text; beyond it is refused here, where Slack would say that it cuts.
const TEXT: usize = 4_000;
const METADATA: usize = 8_000;
const ATTACHMENTS: usize = 100;
/// How often a response_url may be used, and how long.
const USES: u32 = 5;
const GOOD_FOR: i64 = 30 * MINUTE;

/// By id, or by name where Slack takes one.
fn channel<'d>(desk: &'d mut Desk<'_>, given: &str, by_name: bool) -> Result<&'d mut Channel, (&'static str, Value)> {
    let mut id = given.to_owned();
    if by_name && !desk.truth.channels.contains_key(&id) {
        if desk.truth.users.contains_key(&id) {
            id = desk.truth.direct(given, desk.now);
        } else if let Some(found) = desk.truth.channel_named(given) {
            id.clone_from(&found.id);
        }
    }
    let public = desk.truth.scopes.contains("chat:write.public");
    let found = desk.truth.channels.get_mut(&id).filter(|c| !c.deleted);
    let found = found.filter(|c| c.kind == Kind::Public || c.members.contains(BOT));
    let Some(channel) = found else { return Err(("channel_not_found", json!({}))) };
    if channel.archived {
        return Err(("is_archived", json!({})));
    }
    let may_shout = public && by_name && channel.kind == Kind::Public;
    if !channel.members.contains(BOT) && !may_shout {
        return Err(("not_in_channel", json!({})));
    }
    Ok(channel)
}

/// What a message says, when it may be said.
fn content(desk: &mut Desk<'_>, method: &str, call: &Call) -> Result<(String, Value, Value), (&'static str, Value)> {
    let text = call.text("text").to_owned();
    let blocks = call.args.get("blocks").cloned().unwrap_or(Value::Null);
    let attachments = call.args.get("attachments").cloned().unwrap_or(Value::Null);
    let truth = &mut *desk.truth;
    let empty = |v: &Value| v.as_array().is_none_or(Vec::is_empty);
    if call.args.contains_key("markdown_text") {
        truth.violation(format!("{method}: markdown_text is markup for whatever is in it"));
    }
    if text.is_empty() && empty(&blocks) && empty(&attachments) {
        return Err(("no_text", json!({})));
    }
    if text.is_empty() {
        truth.violation(format!("{method}: blocks without a text for notifications and readers"));
    }
    if text.chars().count() > TEXT {
        truth.violation(format!("{method}: a text of {} characters", text.chars().count()));
        return Err(("msg_too_long", json!({})));
    }
    if attachments.as_array().is_some_and(|a| a.len() > ATTACHMENTS) {
        truth.violation(format!("{method}: too many attachments"));
        return Err(("too_many_attachments", json!({})));
    }
    let mut all = vec![&blocks];
    for attachment in attachments.as_array().into_iter().flatten() {
        if attachment
            .as_object()
            .is_some_and(|a| a.keys().any(|k| !["blocks", "color", "fallback"].contains(&k.as_str())))
        {
            truth.violation(format!("{method}: an attachment with fields of old"));
        }
        all.push(&attachment["blocks"]);
    }
    for blocks in all.into_iter().filter(|b| !b.is_null()) {
        let wrong = blocks::of_message(blocks);
        if !wrong.is_empty() {
            truth.violation(format!("{method}: invalid_blocks: {}", wrong.join("; ")));
            let messages: Vec<String> = wrong.iter().map(|w| format!("[ERROR] {w}")).collect();
            return Err(("invalid_blocks", json!({ "response_metadata": { "messages": messages } })));
        }
        inert::blocks(truth, method, blocks);
    }
    if blocks.is_null() && method != "chat.update" && call.args.get("mrkdwn") != Some(&Value::Bool(false)) {
        inert::markup(truth, method, &text);
    } else {
        inert::fallback(truth, method, &text);
    }
    Ok((text, blocks::completed(blocks, || truth.id("b")), attachments))
}

/// Nothing in it may become a preview or a mention.
fn quiet(desk: &mut Desk<'_>, method: &str, call: &Call, flags: &[&str]) {
    for flag in flags {
        if call.args.get(*flag) != Some(&Value::Bool(false)) {
            desk.truth.violation(format!("{method} without {flag}: false"));
        }
    }
    match call.given("parse") {
        Some("none") => {}
        other => desk.truth.violation(format!("{method} with parse: {other:?}")),
    }
    if call.is("link_names") {
        desk.truth.violation(format!("{method} with link_names"));
    }
}

fn metadata(desk: &mut Desk<'_>, call: &Call) -> Result<Option<Value>, (&'static str, Value)> {
    let Some(metadata) = call.args.get("metadata") else { return Ok(None) };
    let fits = metadata["event_type"].is_string() && metadata["event_payload"].is_object();
    if !fits {
        desk.truth.violation(format!("metadata without event_type or event_payload: {metadata}"));
        return Err(("invalid_metadata_format", json!({})));
    }
    if metadata.to_string().len() > METADATA {
        desk.truth.violation("metadata_too_large");
        return Err(("metadata_too_large", json!({})));
    }
    Ok(Some(metadata.clone()))
}

pub fn post(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let place = channel(desk, call.text("channel"), true)?;
    let (id, kind) = (place.id.clone(), place.kind);
    let thread = call.given("thread_ts").map(str::to_owned);
    if let Some(thread) = &thread
        && !desk.truth.channels[&id].messages.iter().any(|m| m.ts == *thread && !m.deleted)
    {
        // Slack posts it into a thread nobody can find.
        return fail("cannot_reply_to_message");
    }
    quiet(desk, "chat.postMessage", call, &["unfurl_links", "unfurl_media"]);
    let metadata = metadata(desk, call)?;
    let (text, blocks, attachments) = content(desk, "chat.postMessage", call)?;
    let ts = desk.truth.ts(desk.now);
    let mut message = Message::new(ts.clone(), BOT, text);
    (message.blocks, message.attachments, message.metadata) = (blocks, attachments, metadata);
    message.thread_ts = thread;
    let shown = message.shown(true);
    desk.truth.channels.get_mut(&id).unwrap().messages.push(message);
    desk.events.push(said(&shown, &id, kind));
    Ok(json!({ "channel": id, "ts": ts, "message": shown }))
}

/// The bot hears what it says, like everybody in the channel.
pub fn said(message: &Value, channel: &str, kind: Kind) -> Value {
    let mut event = message.clone();
    event["channel"] = json!(channel);
    event["channel_type"] = json!(match kind {
        Kind::Public => "channel",
        Kind::Private => "group",
        Kind::Direct => "im",
    });
    event
}

pub fn update(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let place = channel(desk, call.text("channel"), false)?;
    let id = place.id.clone();
    let ts = call.text("ts").to_owned();
    let Some(message) = desk.truth.message(&id, &ts) else { return fail("message_not_found") };
    if message.user != BOT {
        return fail("cant_update_message");
    }
    let had = message.blocks.clone();
    match call.given("parse") {
        None | Some("none") => {}
        Some(other) => desk.truth.violation(format!("chat.update with parse: {other}")),
    }
    if call.is("link_names") {
        desk.truth.violation("chat.update with link_names");
    }
    let metadata = metadata(desk, call)?;
    let (text, blocks, attachments) = content(desk, "chat.update", call)?;
    let message = desk.truth.message(&id, &ts).unwrap();
    message.text.clone_from(&text);
    // What is left out stays.
    message.blocks = if blocks.is_null() { had } else { blocks };
    if !attachments.is_null() {
        message.attachments = attachments;
    }
    if let Some(metadata) = metadata {
        message.metadata = Some(metadata);
    }
    message.edited = true;
    let shown = message.shown(true);
    Ok(json!({ "channel": id, "ts": ts, "text": text, "message": shown }))
}

pub fn post_ephemeral(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let place = channel(desk, call.text("channel"), true)?;
    let (id, user) = (place.id.clone(), call.text("user").to_owned());
    if !place.members.contains(&user) {
        return fail("user_not_in_channel");
    }
    quiet(desk, "chat.postEphemeral", call, &[]);
    let (text, blocks, attachments) = content(desk, "chat.postEphemeral", call)?;
    let ts = desk.truth.ts(desk.now);
    let mut message = Message::new(ts.clone(), BOT, text);
    (message.blocks, message.attachments, message.only_for) = (blocks, attachments, Some(user));
    message.thread_ts = call.given("thread_ts").map(str::to_owned);
    desk.truth.channels.get_mut(&id).unwrap().messages.push(message);
    Ok(json!({ "message_ts": ts }))
}

pub fn delete(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let id = channel(desk, call.text("channel"), false)?.id.clone();
    let ts = call.text("ts").to_owned();
    let Some(message) = desk.truth.message(&id, &ts).filter(|m| m.only_for.is_none()) else {
        return fail("message_not_found");
    };
    if message.user != BOT {
        return fail("cant_delete_message");
    }
    message.deleted = true;
    Ok(json!({ "channel": id, "ts": ts }))
}

pub fn permalink(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let found = desk.truth.channels.get(call.text("channel")).filter(|c| !c.deleted);
    let Some(channel) = found.filter(|c| c.kind == Kind::Public || c.members.contains(BOT)) else {
        return fail("channel_not_found");
    };
    let ts = call.text("message_ts");
    if !channel.messages.iter().any(|m| m.ts == ts && !m.deleted) {
        return fail("message_not_found");
    }
    Ok(json!({ "channel": channel.id, "permalink": link(&channel.id, ts) }))
}

/// The address of a message.
pub fn link(channel: &str, ts: &str) -> String {
    format!("https://acme.slack.com/archives/{channel}/p{}", ts.replace('.', ""))
}

/// Somebody posted to a response_url; what it is answered with.
pub fn respond(truth: &mut Truth, id: &str, body: &Value, now: At) -> (u16, Value) {
    let Some(hook) = truth.hooks.get_mut(id) else { return (404, json!({ "ok": false, "error": "invalid_url" })) };
    if now.since(hook.at) > GOOD_FOR {
        return (404, json!({ "ok": false, "error": "expired_url" }));
    }
    hook.uses += 1;
    if hook.uses > USES {
        truth.violation("a response_url was used more than 5 times");
        return (404, json!({ "ok": false, "error": "used_url" }));
    }
    let hook = hook.clone();
    answered(truth, "response_url", body, &hook.user, &hook.channel, hook.message.as_deref(), now)
}

/// A message that answers a command or a click, by its response_url or in the acknowledgement.
pub fn answered(
    truth: &mut Truth,
    method: &str,
    body: &Value,
    user: &str,
    channel: &str,
    clicked: Option<&str>,
    now: At,
) -> (u16, Value) {
    const KNOWN: &[&str] = &[
        "text",
        "blocks",
        "attachments",
        "response_type",
        "replace_original",
        "delete_original",
        "thread_ts",
        "unfurl_links",
        "unfurl_media",
        "parse",
        "link_names",
        "mrkdwn",
        "metadata",
    ];
    let Some(fields) = body.as_object() else { return (400, json!({ "ok": false, "error": "invalid_payload" })) };
    for name in fields.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
        truth.violation(format!("{method} has no field `{name}`"));
    }
    if body["delete_original"] == json!(true) {
        if let Some(message) = clicked.and_then(|ts| truth.message(channel, ts)) {
            message.deleted = true;
        }
        return (200, json!({ "ok": true }));
    }
    let call = Call { args: fields.clone().into_iter().collect(), ..Call::default() };
    let mut desk = Desk { truth, now, url: "", events: Vec::new() };
    let (text, blocks, attachments) = match content(&mut desk, method, &call) {
        Ok(content) => content,
        Err((code, _)) => {
            truth.violation(format!("{method}: {code}"));
            return (400, json!({ "ok": false, "error": code }));
        }
    };
    if body["replace_original"] == json!(true) {
        let Some(message) = clicked.and_then(|ts| truth.message(channel, ts)) else {
            truth.violation(format!("{method}: there is no message to be replaced"));
            return (400, json!({ "ok": false, "error": "message_not_found" }));
        };
        (message.text, message.blocks, message.attachments) = (text, blocks, attachments);
        message.edited = true;
        return (200, json!({ "ok": true }));
    }
    let ts = truth.ts(now);
    let mut message = Message::new(ts, BOT, text);
    (message.blocks, message.attachments) = (blocks, attachments);
    message.thread_ts = body["thread_ts"].as_str().map(str::to_owned);
    if body["response_type"] != json!("in_channel") {
        message.only_for = Some(user.to_owned());
    }
    match truth.channels.get_mut(channel).filter(|c| !c.deleted && !c.archived) {
        Some(channel) => channel.messages.push(message),
        None => return (404, json!({ "ok": false, "error": "channel_not_found" })),
    }
    (200, json!({ "ok": true }))
}
