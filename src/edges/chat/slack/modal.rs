//! Forms as modals, and what was filled in back as values: pure in both directions. And answers shown where a form was.
//!
//! Knows `intents::forms` and Slack's views; knows neither who fills them in nor what becomes of it.

use super::blocks::{self, MAX_LABEL, VIEW, plain};
use super::text::{self, fit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smokejumper_intents::forms::{self, Field, Form, Kind, Values};
use smokejumper_intents::inert;
use smokejumper_intents::misread::Misread;
use smokejumper_intents::reply::{Line, Reply};

/// How the `callback_id` of a form begins; its verb follows.
pub const FORM: &str = "form-";
/// The `action_id` of every field: its block says which it is.
const FIELD: &str = "field";
/// Characters of a title, of a button that sends, of a hint, and of what somebody may write into one field.
const MAX_TITLE: usize = 24;
const MAX_HINT: usize = 150;
const MAX_INPUT: usize = 3_000;
/// Characters of what a view carries for us.
const MAX_METADATA: usize = 3_000;
/// Options of one select.
const MAX_OPTIONS: usize = 100;
/// Characters of what is said of a field that is wrong.
const MAX_ERROR: usize = 150;

/// What a form carries besides its fields. It was at the client and comes back: to be judged like anything from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub verb: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<u32>,
    /// Where it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The message it was opened from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What there is to choose from: as it is named (`T-1`, `INC-12`), and as it is shown.
#[derive(Clone, Debug, Default)]
pub struct Offered {
    pub items: Vec<(String, String)>,
    pub incidents: Vec<(String, String)>,
}

/// A form as a view, with what is known of its fields already.
#[must_use]
pub fn view(form: &'static Form, held: &Held, offered: &Offered, known: &Values) -> Value {
    let mut blocks: Vec<Value> = form.fields.iter().map(|field| input(field, offered, known)).collect();
    // A form without fields asks one thing: whether it is meant.
    let because = (form.fill)(&Values::default()).ok().and_then(|intent| intent.confirm());
    if let Some(because) = because {
        blocks.extend(blocks::blocks(&Reply::titled(because), VIEW));
    }
    json!({
        "type": "modal",
        "callback_id": format!("{FORM}{}", form.verb),
        "private_metadata": metadata(held),
        "title": plain(&fit(form.title, MAX_TITLE)),
        "submit": plain(&fit(form.submit, MAX_TITLE)),
        "close": plain("Cancel"),
        "blocks": blocks,
    })
}

fn metadata(held: &Held) -> String {
    let text = serde_json::to_string(held).unwrap_or_default();
    if text::size(&text) <= MAX_METADATA { text } else { String::new() }
}

fn input(field: &Field, offered: &Offered, known: &Values) -> Value {
    let known = known.optional(field.name);
    let options = match field.kind {
        Kind::Choice(words) => words.iter().map(|(value, shown)| ((*value).to_owned(), (*shown).to_owned())).collect(),
        Kind::Item => offered.items.clone(),
        Kind::Incident => offered.incidents.clone(),
        _ => Vec::new(),
    };
    let mut element = match field.kind {
        Kind::Person => json!({ "type": "users_select" }),
        // Nothing to choose from: it can still be written.
        _ if options.is_empty() => written(field, known.as_deref()),
        _ => select(&options, known.as_deref()),
    };
    element["action_id"] = json!(FIELD);
    if !field.hint.is_empty() {
        element["placeholder"] = plain(&fit(field.hint, MAX_HINT));
    }
    json!({
        "type": "input",
        "block_id": field.name,
        "label": plain(field.label),
        "optional": !field.needed,
        "element": element,
    })
}

fn written(field: &Field, known: Option<&str>) -> Value {
    let most = field.kind.most().min(MAX_INPUT);
    let mut element = json!({
        "type": "plain_text_input",
        "multiline": matches!(field.kind, Kind::Paragraph(_)),
        "max_length": most,
    });
    if let Some(known) = known {
        element["initial_value"] = json!(fit(known, most));
    }
    element
}

fn select(options: &[(String, String)], known: Option<&str>) -> Value {
    let option = |(value, shown): &(String, String)| {
        let shown = fit(&inert::line(shown), MAX_LABEL);
        let shown = if shown.is_empty() { value.clone() } else { shown };
        json!({ "text": plain(&shown), "value": value })
    };
    let fits = |(value, _): &&(String, String)| !value.is_empty() && text::size(value) <= MAX_LABEL;
    let options: Vec<_> = options.iter().filter(fits).take(MAX_OPTIONS).collect();
    let mut element = json!({
        "type": "static_select",
        "options": options.iter().map(|one| option(one)).collect::<Vec<_>>(),
    });
    if let Some(one) = known.and_then(|known| options.iter().find(|(value, _)| value == known)) {
        element["initial_option"] = option(one);
    }
    element
}

/// What was filled in, of a submitted view. `None`: no form of ours, or with fields that it has not.
#[must_use]
pub fn read(view: &Value) -> Option<(&'static Form, Held, Values)> {
    let verb = view["callback_id"].as_str()?.strip_prefix(FORM)?;
    let form = forms::find(verb)?;
    let held: Held = serde_json::from_str(view["private_metadata"].as_str()?).ok()?;
    let empty = Map::new();
    let blocks = view["state"]["values"].as_object().unwrap_or(&empty);
    let mut sent = Vec::new();
    for (name, actions) in blocks {
        sent.push((name.clone(), value(&actions[FIELD])));
    }
    (held.verb == verb).then_some(())?;
    Some((form, held, Values::of(form, &sent)?))
}

fn value(element: &Value) -> String {
    if let Some(user) = element["selected_user"].as_str() {
        // As it stands in typed words.
        return format!("<@{user}>");
    }
    let chosen = element["selected_option"]["value"].as_str();
    element["value"].as_str().or(chosen).unwrap_or_default().to_owned()
}

/// The answer to a submission with something wrong in it: the form stays, with what is wrong beside its field.
#[must_use]
pub fn errors(form: &Form, misread: &Misread) -> Value {
    let said = inert::line(&text::line(&misread.problem));
    // The forms' own words name the field in quotes.
    let named = form.fields.iter().find(|field| said.contains(&format!("\"{}\"", field.name)));
    let field = named.or(form.fields.first()).map_or("", |field| field.name);
    json!({ "response_action": "errors", "errors": { field: fit(&said, MAX_ERROR) } })
}

/// An answer where a form was; nothing more is to be filled in.
#[must_use]
pub fn told(title: &str, reply: &Reply) -> Value {
    json!({
        "type": "modal",
        "callback_id": "told",
        "title": plain(&fit(&inert::line(title), MAX_TITLE)),
        "close": plain("Close"),
        "blocks": blocks::blocks(reply, VIEW),
    })
}

/// Shown while an answer is on its way.
#[must_use]
pub fn waiting(title: &str) -> Value {
    told(title, &Reply::titled(Line::from("It is noted; the answer follows in a moment.")))
}

#[cfg(test)]
mod tests;
