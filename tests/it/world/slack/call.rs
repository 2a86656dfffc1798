//! A request to the Web API as it arrived: its encoding, its token, its arguments.

use axum::http::HeaderMap;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Bool,
    /// A whole number, in digits where the encoding has only text.
    Number,
    Ts,
    /// Objects and arrays: as they are in JSON, or as a JSON string.
    Json,
    /// Comma-separated text, in JSON too.
    List,
}

pub struct Arg {
    pub name: &'static str,
    pub kind: Kind,
    pub needed: bool,
}

/// Arguments by name, with types.
#[derive(Debug, Default)]
pub struct Call {
    pub args: BTreeMap<String, Value>,
    pub token: String,
    pub is_json: bool,
}

/// What was wrong with the way it was asked.
#[derive(Debug, Default)]
pub struct Sloppy(pub Vec<String>);

impl Call {
    /// Reads what any method gets. `json`: whether the method reads JSON at all.
    pub fn read(method: &str, query: &str, headers: &HeaderMap, body: &[u8], json: bool, sloppy: &mut Sloppy) -> Self {
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let mut call = Self::default();
        for (name, value) in pairs(query) {
            call.args.insert(name, Value::String(value));
        }
        if call.args.remove("token").is_some() {
            sloppy.0.push(format!("{method}: a token in the address is logged on its way"));
        }
        let kind = header("content-type").split(';').next().unwrap_or_default().trim();
        match kind {
            "application/json" if json => {
                call.is_json = true;
                match serde_json::from_slice::<Value>(body) {
                    Ok(Value::Object(map)) => call.args.extend(map),
                    Ok(Value::Null) => {}
                    Ok(_) => sloppy.0.push(format!("{method}: json_not_object")),
                    Err(e) => sloppy.0.push(format!("{method}: invalid_json: {e}")),
                }
                if !header("content-type").to_lowercase().contains("charset=utf-8") {
                    sloppy.0.push(format!("{method}: missing_charset"));
                }
            }
            "application/json" => {
                if !matches!(body, b"" | b"null" | b"{}") {
                    sloppy.0.push(format!("{method} does not read JSON: its arguments are lost"));
                }
            }
            "application/x-www-form-urlencoded" => {
                let text = String::from_utf8_lossy(body);
                for (name, value) in pairs(&text) {
                    call.args.insert(name, Value::String(value));
                }
            }
            "" if body.is_empty() => {}
            other => sloppy.0.push(format!("{method}: invalid_post_type: {other}")),
        }
        if let Some(Value::String(token)) = call.args.remove("token") {
            call.token = token;
        }
        if let Some(bearer) = header("authorization").strip_prefix("Bearer ") {
            bearer.clone_into(&mut call.token);
        }
        call
    }

    /// Gives the arguments their types; `Err`: the answer's `response_metadata.messages`.
    pub fn check(&mut self, method: &str, wanted: &[Arg], sloppy: &mut Sloppy) -> Result<(), Vec<String>> {
        let mut wrong = Vec::new();
        self.args.retain(|_, value| !value.is_null());
        for name in self.args.keys() {
            if !wanted.iter().any(|arg| arg.name == name) {
                sloppy.0.push(format!("{method} has no argument `{name}`"));
            }
        }
        for arg in wanted {
            let Some(value) = self.args.get(arg.name) else {
                if arg.needed {
                    wrong.push(format!("[ERROR] missing required field: {}", arg.name));
                }
                continue;
            };
            match typed(arg.kind, value) {
                Some(typed) => {
                    self.args.insert(arg.name.to_owned(), typed);
                }
                None => wrong.push(format!("[ERROR] {} is no {:?}: {value}", arg.name, arg.kind)),
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        sloppy.0.push(format!("{method}: {}", wrong.join(", ")));
        Err(wrong)
    }

    pub fn text(&self, name: &str) -> &str {
        self.args.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn given(&self, name: &str) -> Option<&str> {
        self.args.get(name).and_then(Value::as_str)
    }

    pub fn is(&self, name: &str) -> bool {
        self.args.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.args.get(name).and_then(Value::as_i64)
    }

    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.args.get(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    }
}

fn typed(kind: Kind, value: &Value) -> Option<Value> {
    match (kind, value) {
        (Kind::Text, Value::String(_))
        | (Kind::Bool, Value::Bool(_))
        | (Kind::Json, Value::Object(_) | Value::Array(_)) => Some(value.clone()),
        (Kind::Bool, Value::String(text)) => match text.as_str() {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        (Kind::Number, Value::Number(n)) if n.is_i64() => Some(value.clone()),
        (Kind::Number, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
        (Kind::Ts, Value::String(text)) => {
            let (seconds, rest) = text.split_once('.').unwrap_or((text, "0"));
            let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
            (digits(seconds) && digits(rest)).then(|| value.clone())
        }
        (Kind::Json, Value::String(text)) => {
            serde_json::from_str::<Value>(text).ok().filter(|v| v.is_object() || v.is_array())
        }
        (Kind::List, Value::String(text)) => Some(
            text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(|t| Value::String(t.to_owned())).collect(),
        ),
        _ => None,
    }
}

/// `a=b&c=d`, decoded.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, ""))).map(|(k, v)| (decoded(k), decoded(v))).collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|b| char::from(*b).to_digit(16));
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' => {
                if let (Some(high), Some(low)) = (hex(at + 1), hex(at + 2)) {
                    out.push(u8::try_from(high * 16 + low).unwrap());
                    at += 2;
                } else {
                    out.push(b'%');
                }
            }
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `a=b&c=d`, encoded.
pub fn form(fields: &Map<String, Value>) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let encode = |text: &str| -> String {
        text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    let pair = |(name, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{}={}", encode(name), encode(&value))
    };
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}
