//! A plan: exactly what will run, with every hole filled. What is approved is its SHA-256.
//!
//! Pure data and its canonical encoding; rendering a runbook into it is in `render.rs`.

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
