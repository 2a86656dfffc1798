//! Requests and answers held against GitHub's own OpenAPI, when it lies beside the project (`SMOKEJUMPER_SHARED`, or `../shared`).

use axum::http::Method;
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

struct Spec {
    api: Value,
    /// Compiled so far, by a pointer into the document.
    compiled: Mutex<BTreeMap<String, Option<std::sync::Arc<Validator>>>>,
}

/// Where specifications lie, when they do.
pub fn folder() -> Option<PathBuf> {
    let given = std::env::var_os("SMOKEJUMPER_SHARED").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    given.into_iter().chain([beside]).map(|folder| folder.join("specs/github")).find(|folder| folder.is_dir())
}

fn spec() -> Option<&'static Spec> {
    static SPEC: OnceLock<Option<Spec>> = OnceLock::new();
    SPEC.get_or_init(|| {
        let Some(file) = folder().map(|f| f.join("api.github.com.json")).filter(|file| file.is_file()) else {
            println!("skipped: GitHub's OpenAPI is not here, so nothing is held against it");
            return None;
        };
        let api = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        Some(Spec { api, compiled: Mutex::default() })
    })
    .as_ref()
}

/// Whether anything is held against it.
pub fn is_here() -> bool {
    spec().is_some()
}

/// What is wrong with a request.
pub fn request(method: &Method, path: &str, query: &BTreeMap<String, String>, body: &[u8]) -> Vec<String> {
    let Some(spec) = spec() else { return Vec::new() };
    let Some((template, operation)) = spec.operation(method, path) else {
        return vec![format!("{method} {path} is not in GitHub's OpenAPI")];
    };
    let mut wrong = Vec::new();
    let known: BTreeSet<&str> = spec.parameters(&template, operation);
    for name in query.keys().filter(|name| !known.contains(name.as_str())) {
        wrong.push(format!("{method} {template} has no parameter `{name}`"));
    }
    let pointer = format!("{}/requestBody/content/application~1json/schema", pointer(&template, method));
    if !body.is_empty() {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => wrong.extend(spec.check(&pointer, &value)),
            Err(e) => wrong.push(format!("{method} {path}: {e}")),
        }
    }
    wrong
}

/// What is wrong with an answer of the fake's.
pub fn answer(method: &Method, path: &str, status: u16, value: &Value) -> Vec<String> {
    let Some(spec) = spec() else { return Vec::new() };
    let Some((template, operation)) = spec.operation(method, path) else { return Vec::new() };
    // Proxies and limits answer what no operation lists.
    if operation["responses"].get(status.to_string()).is_none() {
        return Vec::new();
    }
    let listed = format!("{}/responses/{status}", pointer(&template, method));
    let at = spec.resolve(&listed);
    spec.check(&format!("{at}/content/application~1json/schema"), value)
}

fn pointer(template: &str, method: &Method) -> String {
    let escaped = template.replace('~', "~0").replace('/', "~1");
    format!("/paths/{escaped}/{}", method.as_str().to_lowercase())
}

impl Spec {
    /// The most literal path that fits.
    fn operation(&self, method: &Method, path: &str) -> Option<(String, &Value)> {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |template: &str| {
            let wanted: Vec<&str> = template.split('/').collect();
            wanted.len() == parts.len() && wanted.iter().zip(&parts).all(|(w, p)| w.starts_with('{') || w == p)
        };
        let paths = self.api["paths"].as_object().unwrap();
        let template = paths.keys().filter(|t| fits(t)).min_by_key(|t| t.matches('{').count())?;
        let operation = paths[template].get(method.as_str().to_lowercase())?;
        Some((template.clone(), operation))
    }

    fn parameters<'a>(&'a self, template: &str, operation: &'a Value) -> BTreeSet<&'a str> {
        let own = operation["parameters"].as_array().into_iter().flatten();
        let shared = self.api["paths"][template]["parameters"].as_array().into_iter().flatten();
        let resolved = own.chain(shared).map(|p| match p["$ref"].as_str() {
            Some(reference) => self.api.pointer(reference.trim_start_matches('#')).unwrap(),
            None => p,
        });
        resolved.filter(|p| p["in"] == "query").filter_map(|p| p["name"].as_str()).collect()
    }

    /// Where a `$ref` leads, if there is one at `at`.
    fn resolve(&self, at: &str) -> String {
        let reference = self.api.pointer(at).and_then(|v| v["$ref"].as_str());
        reference.map_or_else(|| at.to_owned(), |r| r.trim_start_matches('#').to_owned())
    }

    fn check(&self, pointer: &str, value: &Value) -> Vec<String> {
        let mut compiled = self.compiled.lock().unwrap();
        let validator = compiled.entry(pointer.to_owned()).or_insert_with(|| {
            let schema = self.api.pointer(pointer)?;
            let mut needed = BTreeMap::new();
            let root = translated(schema);
            self.gather(&root, &mut needed);
            let schemas: Map<String, Value> = needed.into_iter().collect();
            let whole = json!({ "allOf": [root], "components": { "schemas": schemas } });
            let built = jsonschema::options().with_draft(jsonschema::Draft::Draft4).build(&whole);
            Some(std::sync::Arc::new(built.unwrap_or_else(|e| panic!("{pointer}: {e}"))))
        });
        let Some(validator) = validator.clone() else { return Vec::new() };
        let errors = validator.iter_errors(value).take(3);
        errors.map(|e| format!("{pointer}: {} at {}", short(&e.to_string()), e.instance_path())).collect()
    }

    /// Every schema that `schema` leads to.
    fn gather(&self, schema: &Value, into: &mut BTreeMap<String, Value>) {
        match schema {
            Value::Object(map) => {
                if let Some(name) =
                    map.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/components/schemas/"))
                    && !into.contains_key(name)
                {
                    let target = translated(&self.api["components"]["schemas"][name]);
                    into.insert(name.to_owned(), target.clone());
                    self.gather(&target, into);
                }
                map.values().for_each(|value| self.gather(value, into));
            }
            Value::Array(items) => items.iter().for_each(|item| self.gather(item, into)),
            _ => {}
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

/// OpenAPI 3.0 says `nullable` where JSON Schema says null is one of the types.
fn translated(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let mut out: Map<String, Value> = map
                .iter()
                .filter(|(key, _)| {
                    !["example", "examples", "description", "nullable", "format"].contains(&key.as_str())
                })
                .map(|(key, value)| (key.clone(), translated(value)))
                .collect();
            // A property may bear the name of one of those.
            if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                let kept = properties.iter().map(|(name, value)| (name.clone(), translated(value))).collect();
                out.insert("properties".to_owned(), Value::Object(kept));
            }
            if map.get("nullable") == Some(&Value::Bool(true)) {
                return json!({ "anyOf": [Value::Object(out), { "type": "null" }] });
            }
            Value::Object(out)
        }
        Value::Array(items) => Value::Array(items.iter().map(translated).collect()),
        other => other.clone(),
    }
}
