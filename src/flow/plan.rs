//! A plan: exactly what will run, with every hole filled. What is approved is its SHA-256.
//!
//! Pure data and its canonical encoding; rendering a runbook into it is in `render.rs`, showing it in `shown.rs`.

use super::incident::IncidentId;
use super::runbook::{Comparison, EnvValue};
use serde::{Deserialize, Serialize};

/// Everything that decides what happens when it runs. Secrets are named, never held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub incident: IncidentId,
    pub runbook: String,
    /// SHA-256 of the runbook's file.
    pub revision: String,
    pub params: Vec<(String, String)>,
    pub steps: Vec<Step>,
    pub verify: Vec<PlannedCheck>,
    /// Every file a step names (program or script), with the SHA-256 it had when the plan was made.
    pub files: Vec<FileDigest>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Exec { argv: Vec<String>, env: Vec<(String, EnvValue)>, cwd: Option<String>, timeout_ms: i64 },
    Http(Request),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, EnvValue)>,
    pub body: Option<String>,
    pub expect_status: Vec<u16>,
    pub timeout_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedCheck {
    pub probe: Probe,
    pub within_ms: i64,
    pub every_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    Http { request: Request, contains: Option<String> },
    Command { argv: Vec<String>, timeout_ms: i64 },
    Promql { server: String, query: String, op: Comparison, value: f64, timeout_ms: i64 },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// As the step names it.
    pub path: String,
    /// Hex SHA-256 of its bytes.
    pub sha256: String,
}

/// Named in the encoding, so that a plan of another shape can never have the same hash.
const ENCODING: &str = "smokejumper plan 1";

impl Plan {
    /// What is hashed: every field, in order, each length-prefixed and each choice tagged, so that two plans
    /// with the same bytes are the same plan. Standard input is not in it because every process gets none.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Encoder(Vec::with_capacity(1024));
        out.text(ENCODING);
        out.number(self.incident.0.into());
        out.text(&self.runbook);
        out.text(&self.revision);
        out.each(&self.params, |out, (name, value)| {
            out.text(name);
            out.text(value);
        });
        out.each(&self.steps, Encoder::step);
        out.each(&self.verify, Encoder::check);
        out.each(&self.files, |out, file| {
            out.text(&file.path);
            out.text(&file.sha256);
        });
        out.0
    }

    /// Hex SHA-256 of [`Plan::canonical`]: what people approve.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex::encode(ring::digest::digest(&ring::digest::SHA256, &self.canonical()).as_ref())
    }
}

/// Numbers are 8 bytes big-endian; texts and lists carry their length; a choice is one byte.
struct Encoder(Vec<u8>);

impl Encoder {
    fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn ms(&mut self, ms: i64) {
        self.0.extend_from_slice(&ms.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn each<T>(&mut self, items: &[T], one: impl Fn(&mut Self, &T)) {
        self.number(items.len() as u64);
        for item in items {
            one(self, item);
        }
    }

    fn optional(&mut self, text: Option<&String>) {
        match text {
            None => self.tag(0),
            Some(text) => {
                self.tag(1);
                self.text(text);
            }
        }
    }

    fn values(&mut self, values: &[(String, EnvValue)]) {
        self.each(values, |out, (name, value)| {
            out.text(name);
            let (tag, value) = match value {
                EnvValue::Plain(value) => (0, value),
                EnvValue::Secret(name) => (1, name),
            };
            out.tag(tag);
            out.text(value);
        });
    }

    fn argv(&mut self, argv: &[String]) {
        self.each(argv, |out, argument| out.text(argument));
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Exec { argv, env, cwd, timeout_ms } => {
                self.tag(0);
                self.argv(argv);
                self.values(env);
                self.optional(cwd.as_ref());
                self.ms(*timeout_ms);
            }
            Step::Http(request) => {
                self.tag(1);
                self.request(request);
            }
        }
    }

    fn request(&mut self, request: &Request) {
        self.text(&request.method);
        self.text(&request.url);
        self.values(&request.headers);
        self.optional(request.body.as_ref());
        self.each(&request.expect_status, |out, status| out.number((*status).into()));
        self.ms(request.timeout_ms);
    }

    fn check(&mut self, check: &PlannedCheck) {
        match &check.probe {
            Probe::Http { request, contains } => {
                self.tag(0);
                self.request(request);
                self.optional(contains.as_ref());
            }
            Probe::Command { argv, timeout_ms } => {
                self.tag(1);
                self.argv(argv);
                self.ms(*timeout_ms);
            }
            Probe::Promql { server, query, op, value, timeout_ms } => {
                self.tag(2);
                self.text(server);
                self.text(query);
                self.tag(match op {
                    Comparison::Lt => 0,
                    Comparison::Le => 1,
                    Comparison::Eq => 2,
                    Comparison::Ne => 3,
                    Comparison::Ge => 4,
                    Comparison::Gt => 5,
                });
                self.number(value.to_bits());
                self.ms(*timeout_ms);
            }
        }
        self.ms(check.within_ms);
        self.ms(check.every_ms);
    }
}

#[cfg(test)]
mod tests;
