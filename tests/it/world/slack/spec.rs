//! Requests, answers and events held against Slack's own documents, when they lie beside the project
//! (`SMOKEJUMPER_SHARED`, or `../shared`): argument lists, recorded answers and payloads, and the OpenAPI of the Web API.
//!
//! That OpenAPI is of 2021 and was not kept: what it requires and how it types things holds; that there is no more does not.

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

struct Spec {
    /// Reference of each method.
    methods: BTreeMap<String, Value>,
    /// Recorded answers and payloads by file name.
    recorded: BTreeMap<String, Value>,
    openapi: Value,
    /// Of answers, compiled so far.
    compiled: Mutex<BTreeMap<String, Option<Arc<Validator>>>>,
}

fn folder() -> Option<PathBuf> {
    let given = std::env::var_os("SMOKEJUMPER_SHARED").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    given.into_iter().chain([beside]).map(|folder| folder.join("specs/slack")).find(|folder| folder.is_dir())
}

fn all(folder: PathBuf) -> BTreeMap<String, Value> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let files = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let name = path.file_name()?.to_str()?.strip_suffix(".json")?.to_owned();
        Some((name, serde_json::from_str(&std::fs::read_to_string(&path).ok()?).ok()?))
    });
    files.collect()
}

fn spec() -> Option<&'static Spec> {
    static SPEC: OnceLock<Option<Spec>> = OnceLock::new();
    SPEC.get_or_init(|| {
        let Some(folder) = folder() else {
            println!("skipped: Slack's documents are not here, so nothing is held against them");
            return None;
        };
        let openapi = std::fs::read_to_string(folder.join("slack_web_openapi_v2.json")).unwrap_or_default();
        Some(Spec {
            methods: all(folder.join("slack-api-ref")),
            recorded: all(folder.join("java-json-logs")),
            openapi: serde_json::from_str(&openapi).unwrap_or_default(),
            compiled: Mutex::default(),
        })
    })
    .as_ref()
}

/// What is wrong with the arguments of a request.
pub fn request(method: &str, args: &BTreeMap<String, Value>, is_json: bool) -> Vec<String> {
    let Some(spec) = spec() else { return Vec::new() };
    let Some(reference) = spec.methods.get(method) else { return spec.parameters(method, args) };
    let mut wrong = Vec::new();
    let (properties, no) = (&reference["args"]["properties"], Value::Null);
    if is_json && reference["json_input_supported"] != true {
        wrong.push(format!("{method} does not read JSON, says its reference"));
    }
    for (name, value) in args.iter().filter(|(_, v)| !v.is_null()) {
        let property = properties.get(name).unwrap_or(&no);
        if property.is_null() {
            wrong.push(format!("{method} has no argument `{name}`, says its reference"));
        } else if !fits(property, value, is_json) {
            wrong.push(format!(
                "{method}: `{name}` is {}, says its reference, not {value}",
                types(property).join(" or ")
            ));
        }
        if let (Some(most), Some(text)) = (property["maxLength"].as_u64(), value.as_str())
            && text.chars().count() as u64 > most
        {
            wrong.push(format!("{method}: `{name}` has more than {most} characters"));
        }
    }
    let needed = reference["args"]["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for name in needed.filter(|name| *name != "token" && !args.contains_key(*name)) {
        wrong.push(format!("{method}: `{name}` is required, says its reference"));
    }
    wrong
}

fn types(property: &Value) -> Vec<String> {
    let own = property["type"].as_str().into_iter();
    let others = ["anyOf", "allOf", "oneOf"].iter().flat_map(|k| property[*k].as_array().into_iter().flatten());
    own.chain(others.filter_map(|p| p["type"].as_str())).map(str::to_owned).collect()
}

fn fits(property: &Value, value: &Value, is_json: bool) -> bool {
    let types = types(property);
    let is = |name: &str| types.is_empty() || types.iter().any(|t| t == name);
    match value {
        Value::Bool(_) => is("boolean"),
        Value::Number(_) => is("number") || is("integer"),
        // Forms have nothing but text.
        Value::String(_) => !is_json || is("string") || is("object"),
        Value::Array(_) => is("array") || said_to_be_json(property),
        Value::Object(_) => is("object") || said_to_be_json(property),
        Value::Null => true,
    }
}

/// "A JSON-based array … presented as a URL-encoded string": in JSON as it is.
fn said_to_be_json(property: &Value) -> bool {
    let text = property["desc"].as_str().unwrap_or_default();
    text.contains("JSON") || property["subtype"] == "attachments"
}

/// What is wrong with an answer of the fake's: a field nobody recorded, or of another type.
pub fn answer(method: &str, value: &Value) -> Vec<String> {
    let Some(spec) = spec() else { return Vec::new() };
    let mut wrong = spec.schema(method, value);
    if let Some(recorded) = spec.recorded.get(method) {
        alike(method, value, recorded, &mut wrong);
    }
    wrong
}

impl Spec {
    fn operation(&self, method: &str) -> Option<&Value> {
        self.openapi["paths"][format!("/{method}")].as_object()?.values().next()
    }

    /// Arguments of a method that only the OpenAPI knows.
    fn parameters(&self, method: &str, args: &BTreeMap<String, Value>) -> Vec<String> {
        let Some(operation) = self.operation(method) else { return Vec::new() };
        let known: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
        let strange = args.keys().filter(|name| !known.iter().any(|p| p["name"] == name.as_str()));
        let strange = strange.map(|name| format!("{method} has no argument `{name}`, says the OpenAPI"));
        let needed = known.iter().filter(|p| p["required"] == true && p["name"] != "token");
        let missing = needed.filter(|p| p["name"].as_str().is_some_and(|name| !args.contains_key(name)));
        let missing = missing.map(|p| format!("{method}: {} is required, says the OpenAPI", p["name"]));
        strange.chain(missing).collect()
    }

    /// An answer that is `ok`, against its schema.
    fn schema(&self, method: &str, value: &Value) -> Vec<String> {
        if value["ok"] != true {
            return Vec::new();
        }
        let mut compiled = self.compiled.lock().unwrap();
        let validator = compiled.entry(method.to_owned()).or_insert_with(|| {
            let schema = self.operation(method)?.pointer("/responses/200/schema")?;
            let whole = json!({ "allOf": [open(schema)], "definitions": open(&self.openapi["definitions"]) });
            let built = jsonschema::options().with_draft(jsonschema::Draft::Draft4).build(&whole);
            Some(Arc::new(built.unwrap_or_else(|e| panic!("{method}: {e}"))))
        });
        let Some(validator) = validator.clone() else { return Vec::new() };
        let errors = validator.iter_errors(value).take(3);
        let short = |text: String| text.chars().take(200).collect::<String>();
        errors.map(|e| format!("{method} answered {} at {}", short(e.to_string()), e.instance_path())).collect()
    }
}

/// Fields that came since are no fault.
fn open(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, value)| !(*key == "additionalProperties" && **value == json!(false)));
            // It has the blocks of an edited message be one object, which they never were.
            let blocks = |key: &str, value: &Value| key == "blocks" && value["type"] == "object";
            let each = |(key, value): (&String, &Value)| {
                (key.clone(), if blocks(key, value) { json!({}) } else { open(value) })
            };
            Value::Object(kept.map(each).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(open).collect()),
        other => other.clone(),
    }
}

/// What is wrong with an event of the fake's.
pub fn event(envelope: &Value) -> Vec<String> {
    let kind = envelope["event"]["type"].as_str().unwrap_or_default();
    let name = match (kind, envelope["event"]["subtype"].as_str()) {
        ("message", Some("bot_message")) => "MessageBot".to_owned(),
        _ => kind.split('_').map(capital).collect(),
    };
    let Some(recorded) = spec().and_then(|spec| spec.recorded.get(&format!("{name}Payload"))) else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    alike(kind, envelope, recorded, &mut wrong);
    wrong
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|c| c.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// What is wrong with a command or an interaction of the fake's.
pub fn interaction(payload: &Value) -> Vec<String> {
    let name = match payload["type"].as_str() {
        None => "SlashCommandPayload",
        Some("block_actions") => "BlockActionPayload",
        Some("view_submission") => "ViewSubmissionPayload",
        Some("view_closed") => "ViewClosedPayload",
        Some("message_action") => "MessageShortcutPayload",
        Some(_) => return Vec::new(),
    };
    let Some(recorded) = spec().and_then(|spec| spec.recorded.get(name)) else { return Vec::new() };
    let mut wrong = Vec::new();
    alike(name, payload, recorded, &mut wrong);
    wrong
}

/// What the recordings do not have, though Slack sends it: by where it stands.
const ALSO: &[&str] = &[
    // Depend on what is in a view or a message, which the recordings leave empty.
    "state",
    "blocks",
    "metadata",
    "attachments",
    "reactions",
    "actions",
    "response_urls",
    "errors",
    "response_metadata",
    "elements",
    // Of messages in every event since 2019.
    "app_id",
    "bot_id",
    "team",
    "user",
    "subtype",
    "parent_user_id",
    "client_msg_id",
    "action_ts",
    // Of `conversations.*`.
    "num_members",
    "unlinked",
    "no_op",
    "already_open",
    "state_values",
];

fn alike(at: &str, value: &Value, recorded: &Value, wrong: &mut Vec<String>) {
    match (value, recorded) {
        (Value::Object(map), Value::Object(known)) => {
            for (key, value) in map {
                match known.get(key) {
                    Some(recorded) if !ALSO.contains(&key.as_str()) => {
                        alike(&format!("{at}.{key}"), value, recorded, wrong);
                    }
                    None if !ALSO.contains(&key.as_str()) => wrong.push(format!("{at}.{key} was never recorded")),
                    _ => {}
                }
            }
        }
        (Value::Array(items), Value::Array(known)) => {
            let Some(recorded) = known.first() else { return };
            for item in items {
                alike(&format!("{at}[]"), item, recorded, wrong);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (value, recorded) => {
            let kind = |v: &Value| match v {
                Value::Bool(_) => "a boolean",
                Value::Number(_) => "a number",
                Value::String(_) => "text",
                Value::Array(_) => "a list",
                _ => "an object",
            };
            // Forms have nothing but text.
            if kind(value) != kind(recorded) && !(value == "false" && recorded.is_boolean()) {
                wrong.push(format!("{at} is {}, and was recorded as {}", kind(value), kind(recorded)));
            }
        }
    }
}
