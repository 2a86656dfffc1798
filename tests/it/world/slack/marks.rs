//! `pins.*`, `bookmarks.*`, `reactions.*`

use super::call::Call;
use super::methods::{Answer, Desk, fail};
use super::truth::{BOT, Bookmark, Channel, Kind};
use serde_json::{Value, json};

/// Of each kind, in a channel.
const MOST: usize = 100;
const TITLE: usize = 256;
const LINK: usize = 2_048;

fn place<'d>(desk: &'d mut Desk<'_>, id: &str) -> Result<&'d mut Channel, (&'static str, Value)> {
    let found = desk.truth.channels.get_mut(id).filter(|c| !c.deleted);
    let found = found.filter(|c| c.kind == Kind::Public || c.members.contains(BOT));
    let Some(channel) = found else { return Err(("channel_not_found", json!({}))) };
    if channel.archived {
        return Err(("is_archived", json!({})));
    }
    if !channel.members.contains(BOT) {
        return Err(("not_in_channel", json!({})));
    }
    Ok(channel)
}

pub fn pin(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let ts = call.text("timestamp").to_owned();
    let channel = place(desk, call.text("channel"))?;
    if !channel.messages.iter().any(|m| m.ts == ts && !m.deleted && m.only_for.is_none()) {
        return fail("message_not_found");
    }
    if channel.pins.contains(&ts) {
        return fail("already_pinned");
    }
    if channel.pins.len() >= MOST {
        return fail("too_many_pins");
    }
    channel.pins.push(ts);
    Ok(json!({}))
}

pub fn unpin(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let ts = call.text("timestamp").to_owned();
    let channel = place(desk, call.text("channel"))?;
    let before = channel.pins.len();
    channel.pins.retain(|pinned| *pinned != ts);
    if channel.pins.len() == before { fail("no_pin") } else { Ok(json!({})) }
}

pub fn pins(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let channel = place(desk, call.text("channel"))?;
    let items = channel.pins.iter().filter_map(|ts| {
        let message = channel.messages.iter().find(|m| m.ts == *ts && !m.deleted)?;
        let created = ts.split('.').next().and_then(|s| s.parse::<i64>().ok());
        let shown = message.shown(false);
        Some(json!({ "type": "message", "channel": channel.id, "message": shown, "created": created, "created_by": BOT }))
    });
    let items: Vec<Value> = items.collect();
    Ok(json!({ "items": items }))
}

fn shown(channel: &str, bookmark: &Bookmark) -> Value {
    json!({
        "id": bookmark.id, "channel_id": channel, "title": bookmark.title, "link": bookmark.link, "emoji": bookmark.emoji,
        "icon_url": "", "type": "link", "entity_id": "", "date_created": bookmark.created.0 / 1_000, "date_updated": 0,
        "rank": "i", "last_updated_by_user_id": BOT, "last_updated_by_team_id": super::truth::TEAM, "shortcut_id": "",
        "app_id": super::truth::APP,
    })
}

pub fn bookmark(desk: &mut Desk<'_>, call: &Call) -> Answer {
    if call.text("type") != "link" {
        return fail("invalid_bookmark_type");
    }
    let (title, link) = (call.text("title").to_owned(), call.text("link").to_owned());
    let now = desk.now;
    place(desk, call.text("channel_id"))?;
    if let Err(code) = fits(desk, &title, &link) {
        return fail(code);
    }
    let id = desk.truth.id("Bk");
    let channel = place(desk, call.text("channel_id"))?;
    if channel.bookmarks.len() >= MOST {
        return fail("too_many_bookmarks");
    }
    let bookmark = Bookmark { id, title, link, emoji: call.text("emoji").to_owned(), created: now };
    let shown = shown(&channel.id, &bookmark);
    channel.bookmarks.push(bookmark);
    Ok(json!({ "bookmark": shown }))
}

fn fits(desk: &mut Desk<'_>, title: &str, link: &str) -> Result<(), &'static str> {
    if title.is_empty() || title.chars().count() > TITLE || link.chars().count() > LINK {
        desk.truth.violation(format!("a bookmark {title:?} to {link:?}"));
        return Err("invalid_arguments");
    }
    if !(link.starts_with("https://") || link.starts_with("http://")) {
        desk.truth.violation(format!("a bookmark to {link:?}"));
        return Err("invalid_link");
    }
    super::inert::link(desk.truth, "bookmarks", link);
    Ok(())
}

pub fn edit_bookmark(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let id = call.text("bookmark_id").to_owned();
    let channel = place(desk, call.text("channel_id"))?;
    let Some(old) = channel.bookmarks.iter().find(|b| b.id == id).cloned() else { return fail("not_found") };
    let title = call.given("title").unwrap_or(&old.title).to_owned();
    let link = call.given("link").unwrap_or(&old.link).to_owned();
    if let Err(code) = fits(desk, &title, &link) {
        return fail(code);
    }
    let channel = place(desk, call.text("channel_id"))?;
    let place = channel.id.clone();
    let bookmark = channel.bookmarks.iter_mut().find(|b| b.id == id).unwrap();
    (bookmark.title, bookmark.link) = (title, link);
    if let Some(emoji) = call.given("emoji") {
        emoji.clone_into(&mut bookmark.emoji);
    }
    Ok(json!({ "bookmark": shown(&place, bookmark) }))
}

pub fn bookmarks(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let channel = place(desk, call.text("channel_id"))?;
    let all: Vec<Value> = channel.bookmarks.iter().map(|b| shown(&channel.id, b)).collect();
    Ok(json!({ "bookmarks": all }))
}

pub fn remove_bookmark(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let id = call.text("bookmark_id").to_owned();
    let channel = place(desk, call.text("channel_id"))?;
    let before = channel.bookmarks.len();
    channel.bookmarks.retain(|b| b.id != id);
    if channel.bookmarks.len() == before { fail("not_found") } else { Ok(json!({})) }
}

pub fn react(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let (ts, name) = (call.text("timestamp").to_owned(), call.text("name").trim_matches(':').to_owned());
    let channel = place(desk, call.text("channel"))?;
    let Some(message) = channel.messages.iter_mut().find(|m| m.ts == ts && !m.deleted && m.only_for.is_none()) else {
        return fail("message_not_found");
    };
    let reaction = (name, BOT.to_owned());
    if message.reactions.contains(&reaction) {
        return fail("already_reacted");
    }
    message.reactions.push(reaction);
    Ok(json!({}))
}

pub fn unreact(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let (ts, name) = (call.text("timestamp").to_owned(), call.text("name").trim_matches(':').to_owned());
    let channel = place(desk, call.text("channel"))?;
    let Some(message) = channel.messages.iter_mut().find(|m| m.ts == ts && !m.deleted) else {
        return fail("message_not_found");
    };
    let before = message.reactions.len();
    message.reactions.retain(|(n, u)| !(*n == name && u == BOT));
    if message.reactions.len() == before { fail("no_reaction") } else { Ok(json!({})) }
}

pub fn reactions(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let ts = call.text("timestamp").to_owned();
    let channel = place(desk, call.text("channel"))?;
    let Some(message) = channel.messages.iter().find(|m| m.ts == ts && !m.deleted) else {
        return fail("message_not_found");
    };
    Ok(json!({ "type": "message", "channel": channel.id, "message": message.shown(false) }))
}
