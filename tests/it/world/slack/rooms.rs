//! `conversations.*`

use super::call::Call;
use super::methods::{Answer, Desk, fail};
use super::truth::{Account, BOT, Channel, Kind, Message, TEAM};
use serde_json::{Value, json};

/// Characters of a topic or a purpose.
const TOPIC: usize = 250;
const NAME: usize = 80;
/// People in one invitation.
const INVITED: usize = 100;

/// A channel the bot may know of.
fn known<'d>(desk: &'d mut Desk<'_>, id: &str) -> Result<&'d mut Channel, (&'static str, Value)> {
    let found = desk.truth.channels.get_mut(id).filter(|c| !c.deleted);
    let visible = found.filter(|c| c.kind == Kind::Public || c.members.contains(BOT));
    visible.ok_or(("channel_not_found", json!({})))
}

/// One it can act in.
fn joined<'d>(desk: &'d mut Desk<'_>, id: &str) -> Result<&'d mut Channel, (&'static str, Value)> {
    let channel = known(desk, id)?;
    if channel.archived {
        return Err(("is_archived", json!({})));
    }
    if !channel.members.contains(BOT) {
        return Err(("not_in_channel", json!({})));
    }
    Ok(channel)
}

#[allow(clippy::unnecessary_wraps, reason = "it ends what may fail")]
fn shown(desk: &Desk<'_>, id: &str) -> Answer {
    Ok(json!({ "channel": desk.truth.channels[id].shown() }))
}

/// What is wrong with a name, or the name as Slack keeps it.
fn name(desk: &mut Desk<'_>, wanted: &str) -> Result<String, (&'static str, Value)> {
    let wrong = |desk: &mut Desk<'_>, code: &'static str| {
        desk.truth.violation(format!("a channel cannot be named {wanted:?}: {code}"));
        Err((code, json!({})))
    };
    if wanted.is_empty() {
        return wrong(desk, "invalid_name_required");
    }
    if wanted.chars().count() > NAME {
        return wrong(desk, "invalid_name_maxlength");
    }
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if !wanted.chars().all(fits) {
        return wrong(desk, "invalid_name_specials");
    }
    if wanted.chars().all(|c| matches!(c, '-' | '_')) {
        return wrong(desk, "invalid_name_punctuation");
    }
    let name = desk.truth.renamed_to.take().unwrap_or_else(|| wanted.to_owned());
    // An archived one keeps its name.
    if desk.truth.channels.values().any(|c| c.name == name && !c.deleted) {
        return Err(("name_taken", json!({})));
    }
    Ok(name)
}

pub fn create(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let name = name(desk, call.text("name"))?;
    let id = desk.truth.id("C");
    let kind = if call.is("is_private") { Kind::Private } else { Kind::Public };
    let channel = Channel::new(&id, &name, kind, BOT, desk.now, [BOT.to_owned()].into());
    desk.truth.channels.insert(id.clone(), channel);
    if kind == Kind::Public {
        let created = desk.now.0 / 1_000;
        let channel = json!({ "id": id, "name": name, "created": created, "creator": BOT, "is_channel": true });
        desk.events.push(json!({ "type": "channel_created", "channel": channel }));
    }
    shown(desk, &id)
}

pub fn info(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let channel = known(desk, call.text("channel"))?;
    let mut shown = channel.shown();
    if call.is("include_num_members") {
        shown["num_members"] = json!(channel.members.len());
    }
    Ok(json!({ "channel": shown }))
}

pub fn list(desk: &mut Desk<'_>, call: &Call) -> Answer {
    listed(desk, call, None)
}

/// The channels somebody is in, that the bot may know of; its own without a user.
pub fn of_user(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let user = call.given("user").unwrap_or(BOT).to_owned();
    listed(desk, call, Some(&user))
}

fn listed(desk: &mut Desk<'_>, call: &Call, user: Option<&str>) -> Answer {
    let types = call.list("types");
    let known = ["public_channel", "private_channel", "mpim", "im"];
    if types.iter().any(|t| !known.contains(&t.as_str())) {
        return fail("invalid_types");
    }
    let wants = |t: &str| types.iter().any(|given| given == t);
    let fits = |channel: &&Channel| match channel.kind {
        Kind::Public => types.is_empty() || wants("public_channel"),
        Kind::Private => wants("private_channel") && channel.members.contains(BOT),
        Kind::Direct => wants("im"),
    };
    let all = desk.truth.channels.values().filter(|c| !c.deleted);
    let all = all.filter(|c| !c.archived || !call.is("exclude_archived"));
    let all = all.filter(|c| user.is_none_or(|user| c.members.contains(user)));
    let all: Vec<Value> = all.filter(fits).map(Channel::shown).collect();
    page(call, &all, 999, "channels")
}

/// A page of `all`, and where the next one begins.
fn page(call: &Call, all: &[Value], most: i64, name: &str) -> Answer {
    let limit = call.number("limit").unwrap_or(100);
    if !(1..=most).contains(&limit) {
        return fail("invalid_limit");
    }
    let from = match call.text("cursor") {
        "" => 0,
        cursor => match cursor.strip_prefix("bmV4dD").and_then(|n| n.trim_end_matches('=').parse::<usize>().ok()) {
            Some(from) => from,
            None => return fail("invalid_cursor"),
        },
    };
    let to = from.saturating_add(usize::try_from(limit).unwrap_or(100)).min(all.len());
    let next = if to < all.len() { format!("bmV4dD{to}=") } else { String::new() };
    let page = all.get(from..to).unwrap_or_default();
    Ok(json!({ name: page, "response_metadata": { "next_cursor": next } }))
}

pub fn paged(call: &Call, all: &[Value], most: i64, name: &str) -> Answer {
    page(call, all, most, name)
}

/// Newest first, without answers in threads.
pub fn history(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let channel = known(desk, call.text("channel"))?;
    if !channel.members.contains(BOT) {
        return fail("not_in_channel");
    }
    let all = channel.messages.iter().filter(|m| m.thread_ts.as_ref().is_none_or(|thread| *thread == m.ts));
    let mut all: Vec<&Message> = all.filter(|m| within(m, call)).collect();
    all.reverse();
    let pins = channel.pins.len();
    let all: Vec<Value> = all.iter().map(|m| m.shown(call.is("include_all_metadata"))).collect();
    let mut page = page(call, &all, 999, "messages")?;
    let more = page["response_metadata"]["next_cursor"] != "";
    page["has_more"] = json!(more);
    page["pin_count"] = json!(pins);
    page["channel_actions_ts"] = Value::Null;
    page["channel_actions_count"] = json!(0);
    if !more {
        page.as_object_mut().unwrap().remove("response_metadata");
    }
    Ok(page)
}

pub fn replies(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let channel = known(desk, call.text("channel"))?;
    if !channel.members.contains(BOT) {
        return fail("not_in_channel");
    }
    let root = call.text("ts");
    if !channel.messages.iter().any(|m| m.ts == root && !m.deleted) {
        return fail("thread_not_found");
    }
    let all = channel.messages.iter().filter(|m| m.ts == root || m.thread_ts.as_deref() == Some(root));
    let all = all.filter(|m| m.ts == root || within(m, call)).map(|m| m.shown(call.is("include_all_metadata")));
    let all: Vec<Value> = all.collect();
    let mut page = page(call, &all, 1_000, "messages")?;
    page["has_more"] = json!(page["response_metadata"]["next_cursor"] != "");
    Ok(page)
}

fn within(message: &Message, call: &Call) -> bool {
    let ts: f64 = message.ts.parse().unwrap_or_default();
    let edge = |name: &str| call.given(name).and_then(|t| t.parse::<f64>().ok());
    let inclusive = call.is("inclusive");
    let after = edge("oldest").is_none_or(|oldest| ts > oldest || (inclusive && ts >= oldest));
    let before = edge("latest").is_none_or(|latest| ts < latest || (inclusive && ts <= latest));
    after && before && !message.deleted && message.only_for.is_none()
}

pub fn members(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let channel = known(desk, call.text("channel"))?;
    let all: Vec<Value> = channel.members.iter().map(|m| json!(m)).collect();
    page(call, &all, 999, "members")
}

pub fn invite(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let id = call.text("channel").to_owned();
    joined(desk, &id)?;
    let users = call.list("users");
    if users.is_empty() {
        return fail("no_user");
    }
    if users.len() > INVITED {
        desk.truth.violation(format!("{} people in one invitation", users.len()));
        return fail("too_many_users");
    }
    let channel = &desk.truth.channels[&id];
    let wrong = |user: &String| match desk.truth.users.get(user) {
        _ if user == BOT => Some("cant_invite_self"),
        None => Some("user_not_found"),
        Some(user) if user.deactivated => Some("user_not_found"),
        Some(user) if user.account == Account::Guest => Some("ura_max_channels"),
        Some(_) if channel.members.contains(user) => Some("already_in_channel"),
        Some(_) => None,
    };
    let judged: Vec<(String, Option<&'static str>)> = users.iter().map(|u| (u.clone(), wrong(u))).collect();
    let bad = judged
        .iter()
        .filter_map(|(user, wrong)| wrong.map(|error| json!({ "user": user, "ok": false, "error": error })));
    let bad: Vec<Value> = bad.collect();
    let good = judged.iter().filter(|(_, wrong)| wrong.is_none()).count();
    if !bad.is_empty() && (!call.is("force") || good == 0) {
        let code = judged.iter().find_map(|(_, wrong)| *wrong).unwrap_or("user_not_found");
        return Err((code, json!({ "errors": bad })));
    }
    for (user, _) in judged.iter().filter(|(_, wrong)| wrong.is_none()) {
        desk.truth.channels.get_mut(&id).unwrap().members.insert(user.clone());
        desk.truth.note(&id, user, "channel_join", format!("<@{user}> has joined the channel"), desk.now);
        let kind = if desk.truth.channels[&id].kind == Kind::Private { "G" } else { "C" };
        desk.events.push(json!({
            "type": "member_joined_channel", "user": user, "channel": id, "channel_type": kind, "team": TEAM, "inviter": BOT,
        }));
    }
    let mut answer = shown(desk, &id)?;
    if !bad.is_empty() {
        answer["errors"] = json!(bad);
    }
    Ok(answer)
}

pub fn join(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let id = call.text("channel").to_owned();
    let channel = known(desk, &id)?;
    if channel.archived {
        return fail("is_archived");
    }
    if channel.kind != Kind::Public {
        return fail("method_not_supported_for_channel_type");
    }
    let new = channel.members.insert(BOT.to_owned());
    let mut answer = shown(desk, &id)?;
    if !new {
        answer["warning"] = json!("already_in_channel");
        answer["response_metadata"] = json!({ "warnings": ["already_in_channel"] });
    }
    Ok(answer)
}

pub fn open(desk: &mut Desk<'_>, call: &Call) -> Answer {
    if let Some(id) = call.given("channel") {
        return shown_direct(desk, id, true);
    }
    let users = call.list("users");
    let [user] = users.as_slice() else {
        return fail(if users.is_empty() {
            "users_list_not_supplied"
        } else {
            "method_not_supported_for_channel_type"
        });
    };
    match desk.truth.users.get(user) {
        None => return fail("user_not_found"),
        Some(user) if user.deactivated => return fail("user_disabled"),
        Some(user) if user.account == Account::Bot => return fail("cannot_dm_bot"),
        Some(_) => {}
    }
    let already = desk.truth.channels.values().any(|c| c.kind == Kind::Direct && c.members.contains(user));
    let id = desk.truth.direct(user, desk.now);
    let mut answer = if call.is("return_im") { shown(desk, &id)? } else { json!({ "channel": { "id": id } }) };
    if already {
        answer["no_op"] = json!(true);
        answer["already_open"] = json!(true);
    }
    Ok(answer)
}

fn shown_direct(desk: &mut Desk<'_>, id: &str, open: bool) -> Answer {
    known(desk, id)?;
    Ok(json!({ "channel": { "id": id }, "no_op": open, "already_open": open }))
}

pub fn rename(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let id = call.text("channel").to_owned();
    let now = joined(desk, &id)?.name.clone();
    if now == call.text("name") {
        return shown(desk, &id);
    }
    if desk.truth.channels[&id].creator != BOT {
        return fail("not_authorized");
    }
    let name = name(desk, call.text("name"))?;
    let channel = desk.truth.channels.get_mut(&id).unwrap();
    let before = std::mem::replace(&mut channel.name, name.clone());
    channel.former_names.insert(0, before);
    desk.events.push(renamed(&desk.truth.channels[&id]));
    shown(desk, &id)
}

/// The event.
pub fn renamed(channel: &Channel) -> Value {
    let kind = if channel.kind == Kind::Private { "group_rename" } else { "channel_rename" };
    json!({
        "type": kind,
        "channel": {
            "id": channel.id, "is_channel": channel.kind == Kind::Public, "is_mpim": false, "name": channel.name,
            "name_normalized": channel.name, "created": channel.created.0 / 1_000,
        },
    })
}

fn describe(desk: &mut Desk<'_>, call: &Call, what: &'static str) -> Answer {
    let id = call.text("channel").to_owned();
    joined(desk, &id)?;
    let text = call.text(what).to_owned();
    if text.chars().count() > TOPIC {
        desk.truth.violation(format!("a {what} of {} characters", text.chars().count()));
        return fail("too_long");
    }
    super::inert::topic(desk.truth, what, &text);
    let channel = desk.truth.channels.get_mut(&id).unwrap();
    let (field, subtype) =
        if what == "topic" { (&mut channel.topic, "channel_topic") } else { (&mut channel.purpose, "channel_purpose") };
    // As the documentation of the method: what is there already changes nothing.
    if *field != text {
        field.clone_from(&text);
        desk.truth.note(&id, BOT, subtype, format!("set the channel {what}: {text}"), desk.now);
    }
    shown(desk, &id)
}

pub fn set_topic(desk: &mut Desk<'_>, call: &Call) -> Answer {
    describe(desk, call, "topic")
}

pub fn set_purpose(desk: &mut Desk<'_>, call: &Call) -> Answer {
    describe(desk, call, "purpose")
}

pub fn archive(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let id = call.text("channel").to_owned();
    if known(desk, &id)?.archived {
        return fail("already_archived");
    }
    let channel = joined(desk, &id)?;
    channel.archived = true;
    let kind = if channel.kind == Kind::Private { "group_archive" } else { "channel_archive" };
    desk.events.push(json!({ "type": kind, "channel": id, "user": BOT, "is_moved": 0 }));
    Ok(json!({}))
}

pub fn unarchive(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let id = call.text("channel").to_owned();
    let channel = known(desk, &id)?;
    if !channel.archived {
        return fail("not_archived");
    }
    if !channel.members.contains(BOT) {
        return fail("not_in_channel");
    }
    channel.archived = false;
    let kind = if channel.kind == Kind::Private { "group_unarchive" } else { "channel_unarchive" };
    desk.events.push(json!({ "type": kind, "channel": id, "user": BOT }));
    Ok(json!({}))
}

pub fn kick(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let id = call.text("channel").to_owned();
    let user = call.text("user").to_owned();
    let channel = joined(desk, &id)?;
    if user == BOT {
        return fail("cant_kick_self");
    }
    if !channel.members.remove(&user) {
        return fail("not_in_channel");
    }
    Ok(json!({ "errors": {} }))
}

pub fn leave(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let id = call.text("channel").to_owned();
    joined(desk, &id)?.members.remove(BOT);
    Ok(json!({}))
}
