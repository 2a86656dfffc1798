//! A runbook as checked data: what it is for, its typed parameters, its steps as templates, how to tell that it worked.
//!
//! Knows neither TOML nor processes. Rendering with parameters is in `render.rs`.

use super::policy::Matcher;
use serde::{Deserialize, Serialize};

/// How much can go wrong. Decides the default number of approvals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Reads only: no approval needed.
    Read,
    /// Undone by itself or by running it again: one approval.
    Low,
    /// Users may notice: one approval.
    Medium,
    /// Data or money may be lost: two approvals.
    High,
}

impl Risk {
    /// Approvals by people other than the requester, unless the runbook asks for more.
    #[must_use]
    pub const fn approvals(self) -> u8 {
        match self {
            Self::Read => 0,
            Self::Low | Self::Medium => 1,
            Self::High => 2,
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Read => "read-only",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Runbook {
    /// File stem: `restart-deployment`.
    pub name: String,
    pub title: String,
    /// When it applies: any of these sets matches the incident's labels. Empty: offered nowhere by itself, may still be asked for.
    pub when: Vec<Vec<Matcher>>,
    pub params: Vec<Param>,
    /// At least one.
    pub steps: Vec<StepTemplate>,
    /// Empty: nothing tells whether it worked, and the record says "not verified".
    pub verify: Vec<Check>,
    pub risk: Risk,
    /// Distinct approvers needed.
    pub approvals: u8,
    /// SHA-256 of the reviewed file as it was read, hex: its revision.
    pub revision: String,
    /// Every program and script its steps name, with the SHA-256 it had when the catalogue was loaded.
    pub files: Vec<super::plan::FileDigest>,
}

#[derive(Clone, Debug)]
pub struct Param {
    pub name: String,
    pub help: String,
    pub kind: ParamKind,
    pub default: Option<String>,
}

/// What a value may be. Every kind refuses control, bidi and zero-width characters, a leading `-` or `@`, and more than 256 bytes.
#[derive(Clone, Debug)]
pub enum ParamKind {
    /// DNS label or subdomain as Kubernetes names things.
    Name,
    Hostname,
    Integer {
        min: i64,
        max: i64,
    },
    OneOf(Vec<String>),
    /// Anchored at both ends.
    Pattern(regex::Regex),
    /// Service of the catalogue (any name when the catalogue is empty).
    Service,
}

/// A literal, or one hole that becomes exactly one argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    Text(String),
    Hole(String),
}

#[derive(Clone, Debug)]
pub enum StepTemplate {
    Exec { argv: Vec<Piece>, env: Vec<(String, EnvValue)>, cwd: Option<String>, timeout_ms: i64 },
    Http(HttpTemplate),
}

/// A request. The host is always literal; a hole in the path or query is percent-encoded there.
#[derive(Clone, Debug)]
pub struct HttpTemplate {
    pub method: String,
    /// Scheme, host and port as written: `http://127.0.0.1:8080`.
    pub origin: String,
    /// Pieces joined after the origin.
    pub path: Vec<Piece>,
    pub headers: Vec<(String, EnvValue)>,
    /// JSON body; holes are JSON string contents. `None`: no body.
    pub body: Option<Vec<Piece>>,
    pub expect_status: Vec<u16>,
    pub timeout_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvValue {
    Plain(String),
    /// Name of a secret in the configuration; its value is looked up when the process starts, and never stored.
    Secret(String),
}

/// How to tell that it worked. All checks must pass within `within_ms`, tried every `every_ms`.
#[derive(Clone, Debug)]
pub struct Check {
    pub probe: ProbeTemplate,
    pub within_ms: i64,
    pub every_ms: i64,
}

#[derive(Clone, Debug)]
pub enum ProbeTemplate {
    /// Expected status, and text the body must contain.
    Http { request: HttpTemplate, contains: Option<String> },
    /// Exit code 0 is a pass.
    Command { argv: Vec<Piece>, timeout_ms: i64 },
    /// Instant query against `server`; every sample of the (non-empty) answer must satisfy the comparison.
    Promql { server: String, query: Vec<Piece>, op: Comparison, value: f64, timeout_ms: i64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Comparison {
    Lt,
    Le,
    Eq,
    Ne,
    Ge,
    Gt,
}
