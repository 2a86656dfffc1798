//! `auth.test`, `apps.connections.open`, `users.*`, `usergroups.*`

#![allow(clippy::unnecessary_wraps, reason = "as the table of methods calls them")]

use super::call::Call;
use super::methods::{Answer, Desk, fail};
use super::rooms::paged;
use super::truth::{APP, Account, BOT, BOT_ID, Group, TEAM, User};
use serde_json::{Value, json};

pub fn auth_test(_: &mut Desk<'_>, _: &Call) -> Answer {
    Ok(json!({
        "url": "https://acme.slack.com/", "team": "Acme", "user": "smokejumper", "team_id": TEAM, "user_id": BOT,
        "bot_id": BOT_ID, "is_enterprise_install": false,
    }))
}

/// The address of a socket, good once.
pub fn connect(desk: &mut Desk<'_>, _: &Call) -> Answer {
    let ticket = desk.truth.id("ticket");
    desk.truth.connections.tickets.insert(ticket.clone());
    let socket = desk.url.replacen("http", "ws", 1);
    Ok(json!({ "url": format!("{socket}/link/?ticket={ticket}&app_id={APP}") }))
}

fn shown(user: &User, with_email: bool) -> Value {
    if user.deactivated {
        return json!({
            "id": user.id, "team_id": TEAM, "name": user.name, "deleted": true, "is_bot": user.account == Account::Bot, "is_app_user": false,
            "updated": 0, "profile": { "real_name": user.real_name, "display_name": user.name, "team": TEAM },
        });
    }
    let mut profile = json!({
        "title": "", "phone": "", "skype": "", "real_name": user.real_name, "real_name_normalized": user.real_name,
        "display_name": user.name, "display_name_normalized": user.name, "status_text": "", "status_emoji": "",
        "status_expiration": 0, "avatar_hash": "c0ffee", "team": TEAM,
    });
    if with_email {
        profile["email"] = json!(user.email);
    }
    json!({
        "id": user.id, "team_id": if user.account == Account::Stranger { "T0000000E" } else { TEAM }, "name": user.name, "deleted": false,
        "color": "9f69e7", "real_name": user.real_name, "tz": "Europe/Madrid", "tz_label": "Central European Time",
        "tz_offset": 3_600, "profile": profile, "is_admin": false, "is_owner": false, "is_primary_owner": false,
        "is_restricted": user.account == Account::Guest, "is_ultra_restricted": false, "is_bot": user.account == Account::Bot, "is_app_user": false,
        "is_stranger": user.account == Account::Stranger, "updated": 0, "has_2fa": true,
    })
}

fn emails(desk: &Desk<'_>) -> bool {
    desk.truth.scopes.contains("users:read.email")
}

pub fn info(desk: &mut Desk<'_>, call: &Call) -> Answer {
    match desk.truth.users.get(call.text("user")) {
        Some(user) => Ok(json!({ "user": shown(user, emails(desk)) })),
        None => fail("user_not_found"),
    }
}

pub fn list(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let with_email = emails(desk);
    let all: Vec<Value> = desk.truth.users.values().map(|user| shown(user, with_email)).collect();
    let mut page = paged(call, &all, 999, "members")?;
    page["cache_ts"] = json!(desk.now.0 / 1_000);
    Ok(page)
}

pub fn by_email(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let email = call.text("email");
    match desk.truth.users.values().find(|user| user.email == email && !user.deactivated) {
        Some(user) => Ok(json!({ "user": shown(user, true) })),
        None => fail("users_not_found"),
    }
}

fn group(group: &Group, with_users: bool) -> Value {
    let mut shown = json!({
        "id": group.id, "team_id": TEAM, "is_usergroup": true, "is_subteam": true, "name": group.handle, "description": "",
        "handle": group.handle, "is_external": false, "date_create": 0, "date_update": 0, "date_delete": 0,
        "auto_type": null, "auto_provision": false, "enterprise_subteam_id": "", "created_by": BOT, "updated_by": BOT,
        "deleted_by": null, "prefs": { "channels": [], "groups": [] }, "user_count": group.members.len(),
    });
    if with_users {
        shown["users"] = json!(group.members);
    }
    shown
}

pub fn groups(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let all: Vec<Value> = desk.truth.groups.values().map(|g| group(g, call.is("include_users"))).collect();
    Ok(json!({ "usergroups": all }))
}

pub fn group_members(desk: &mut Desk<'_>, call: &Call) -> Answer {
    match desk.truth.groups.get(call.text("usergroup")) {
        Some(group) => Ok(json!({ "users": group.members })),
        None => fail("no_such_subteam"),
    }
}
