//! `views.*`: what is on top of a person's screen, and their home tab.

use super::blocks;
use super::call::Call;
use super::inert;
use super::methods::{Answer, Desk, fail};
use super::truth::{Account, Truth, View};
use serde_json::{Value, json};
use smokejumper::flow::moment::{At, SECOND};

/// How long a trigger_id is good.
const TRIGGER: i64 = 3 * SECOND;
/// Modals on top of each other.
const STACK: usize = 3;

/// Takes a trigger: whose it is, and the modal it was made from.
fn take(desk: &mut Desk<'_>, call: &Call) -> Result<(String, Option<String>), (&'static str, Value)> {
    let now = desk.now;
    let Some(trigger) = desk.truth.triggers.get_mut(call.text("trigger_id")) else {
        desk.truth.violation("a trigger_id nobody gave out");
        return Err(("invalid_trigger_id", json!({})));
    };
    if trigger.used {
        return Err(("exchanged_trigger_id", json!({})));
    }
    if now.since(trigger.at) > TRIGGER {
        return Err(("expired_trigger_id", json!({})));
    }
    trigger.used = true;
    Ok((trigger.user.clone(), trigger.view.clone()))
}

/// The view of a call, when it is a good one of the right type.
fn good(truth: &mut Truth, method: &str, view: &Value, wanted: &str) -> Result<Value, (&'static str, Value)> {
    let mut wrong = blocks::of_view(view);
    if view["type"] != wanted {
        wrong.push(format!("its type is {}, not {wanted}", view["type"]));
    }
    if wrong.is_empty() {
        inert::blocks(truth, method, &view["blocks"]);
        let mut view = view.clone();
        view["blocks"] = blocks::completed(view["blocks"].take(), || truth.id("b"));
        return Ok(view);
    }
    truth.violation(format!("{method}: {}", wrong.join("; ")));
    let messages: Vec<String> = wrong.iter().map(|w| format!("[ERROR] {w}")).collect();
    Err(("invalid_arguments", json!({ "response_metadata": { "messages": messages } })))
}

fn unique(truth: &Truth, view: &Value, but: Option<&str>) -> Result<(), (&'static str, Value)> {
    let external = view["external_id"].as_str().filter(|id| !id.is_empty());
    let taken = |id: &str| {
        truth.views.values().any(|v| Some(v.id.as_str()) != but && v.content["external_id"].as_str() == Some(id))
    };
    if external.is_some_and(taken) { Err(("duplicate_external_id", json!({}))) } else { Ok(()) }
}

fn hash(truth: &mut Truth, now: At) -> String {
    format!("{}.{}", now.0 / 1_000, truth.id("h"))
}

/// Puts a modal on top of what `user` sees.
pub fn stack(truth: &mut Truth, user: &str, content: Value, now: At) -> Result<String, (&'static str, Value)> {
    let depth = truth.stacks.get(user).map_or(0, Vec::len);
    if depth >= STACK {
        return Err(("push_limit_reached", json!({})));
    }
    let id = truth.id("V");
    let previous = truth.stacks.get(user).and_then(|s| s.last()).cloned();
    let root = truth.stacks.get(user).and_then(|s| s.first()).cloned().unwrap_or_else(|| id.clone());
    let hash = hash(truth, now);
    let view = View { id: id.clone(), user: user.to_owned(), hash, root, previous, content };
    truth.views.insert(id.clone(), view);
    truth.stacks.entry(user.to_owned()).or_default().push(id.clone());
    Ok(id)
}

pub fn open(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let view = good(desk.truth, "views.open", &call.args["view"], "modal")?;
    unique(desk.truth, &view, None)?;
    let (user, from) = take(desk, call)?;
    if from.is_some() && desk.truth.stacks.get(&user).is_some_and(|s| !s.is_empty()) {
        desk.truth.violation("views.open from within a modal; views.push puts one on top");
        return fail("invalid_trigger_id");
    }
    // One at a time: what was open is closed.
    close_all(desk.truth, &user);
    let id = stack(desk.truth, &user, view, desk.now)?;
    Ok(json!({ "view": desk.truth.views[&id].shown(None) }))
}

pub fn push(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let view = good(desk.truth, "views.push", &call.args["view"], "modal")?;
    unique(desk.truth, &view, None)?;
    let (user, from) = take(desk, call)?;
    if from.is_none_or(|from| !desk.truth.views.contains_key(&from)) {
        return fail("not_found");
    }
    let id = stack(desk.truth, &user, view, desk.now)?;
    Ok(json!({ "view": desk.truth.views[&id].shown(None) }))
}

pub fn update(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let view = good(desk.truth, "views.update", &call.args["view"], "modal")?;
    let id = match (call.given("view_id"), call.given("external_id")) {
        (Some(id), _) => Some(id.to_owned()),
        (None, Some(external)) => desk
            .truth
            .views
            .values()
            .find(|v| v.content["external_id"].as_str() == Some(external))
            .map(|v| v.id.clone()),
        (None, None) => None,
    };
    let Some(id) = id.filter(|id| desk.truth.views.contains_key(id)) else { return fail("not_found") };
    unique(desk.truth, &view, Some(&id))?;
    if call.given("hash").is_some_and(|hash| desk.truth.views[&id].hash != hash) {
        return fail("hash_conflict");
    }
    replace(desk.truth, &id, view, desk.now);
    Ok(json!({ "view": desk.truth.views[&id].shown(None) }))
}

pub fn replace(truth: &mut Truth, id: &str, content: Value, now: At) {
    let hash = hash(truth, now);
    if let Some(view) = truth.views.get_mut(id) {
        (view.content, view.hash) = (content, hash);
    }
}

pub fn publish(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let view = good(desk.truth, "views.publish", &call.args["view"], "home")?;
    let user = call.text("user_id").to_owned();
    match desk.truth.users.get(&user) {
        None => return fail("user_not_found"),
        Some(user) if user.deactivated || user.account == Account::Bot => return fail("not_enabled"),
        Some(_) => {}
    }
    let hash = hash(desk.truth, desk.now);
    if let Some(old) = desk.truth.homes.get(&user)
        && call.given("hash").is_some_and(|hash| old.hash != hash)
    {
        return fail("hash_conflict");
    }
    let id = desk.truth.homes.get(&user).map(|v| v.id.clone());
    let id = id.unwrap_or_else(|| desk.truth.id("V"));
    let home = View { id: id.clone(), user: user.clone(), hash, root: id, previous: None, content: view };
    let shown = home.shown(None);
    desk.truth.homes.insert(user, home);
    Ok(json!({ "view": shown }))
}

pub fn close_all(truth: &mut Truth, user: &str) {
    for id in truth.stacks.remove(user).unwrap_or_default() {
        truth.views.remove(&id);
    }
}

/// What the app answered a submission with. Gives errors by block, if it said that something is wrong.
pub fn submitted(truth: &mut Truth, id: &str, answer: Option<&Value>, now: At) -> Vec<(String, String)> {
    let Some(user) = truth.views.get(id).map(|v| v.user.clone()) else { return Vec::new() };
    let pop = |truth: &mut Truth| {
        if let Some(stack) = truth.stacks.get_mut(&user) {
            stack.retain(|v| v != id);
        }
        truth.views.remove(id);
    };
    let Some(answer) = answer.filter(|a| !a.is_null() && a.as_object().is_none_or(|o| !o.is_empty())) else {
        pop(truth);
        return Vec::new();
    };
    match answer["response_action"].as_str() {
        Some("clear") => close_all(truth, &user),
        Some("update") => {
            if let Ok(view) = good(truth, "response_action update", &answer["view"], "modal") {
                replace(truth, id, view, now);
            }
        }
        Some("push") => {
            if let Ok(view) = good(truth, "response_action push", &answer["view"], "modal")
                && let Err((code, _)) = stack(truth, &user, view, now)
            {
                truth.violation(format!("response_action push: {code}"));
            }
        }
        Some("errors") => {
            let inputs = truth.views[id].content["blocks"].as_array().cloned().unwrap_or_default();
            let known =
                |block: &str| inputs.iter().any(|b| b["type"] == "input" && b["block_id"].as_str() == Some(block));
            let errors = answer["errors"].as_object().cloned().unwrap_or_default();
            for block in errors.keys().filter(|block| !known(block)) {
                truth.violation(format!("response_action errors: `{block}` is no input"));
            }
            return errors.into_iter().map(|(k, v)| (k, v.as_str().unwrap_or_default().to_owned())).collect();
        }
        other => truth.violation(format!("response_action {other:?}")),
    }
    Vec::new()
}
