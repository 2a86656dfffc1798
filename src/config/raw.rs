//! The configuration as it is written: TOML, unknown keys refused, every value with its place. Nothing is resolved here.
//!
//! Each table is read on its own, so that one look shows a mistake in each of them.

use super::catalogue::{Catalogue, RawService};
use super::conditions::{RawMaintenance, When, WorkingHours};
use super::github::RawGitHub;
use super::pager::{RawEscalation, RawNudges, RawPager};
use super::people::{RawPerson, RawTeam};
use super::problem::{MAX_PROBLEMS, Problem};
use super::rooms::RawRooms;
use super::rota::RawOnCall;
use super::slack::RawSlack;
use super::value::{Age, Duration, Moment, OneOrMany};
use super::wording;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use smokejumper_intents::word::Severity;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A text and its place.
pub type Text = Spanned<String>;

/// The tables there are, in the order of `deploy/config.example.toml`.
pub const TABLES: &[&str] = &[
    "server",
    "database",
    "console",
    "source",
    "change_source",
    "secrets",
    "runbooks",
    "catalogue",
    "person",
    "team",
    "working_hours",
    "on_call",
    "service",
    "slack",
    "github",
    "route",
    "silence",
    "maintenance",
    "grouping",
    "storm",
    "triage",
    "approval",
    "pager",
    "escalation",
    "nudges",
    "rooms",
    "log",
    "traces",
    "metrics",
    "heartbeat",
    "retention",
];

#[derive(Default)]
pub struct Raw {
    /// `None`: what is written about it could not be read.
    pub server: Option<Server>,
    /// The same.
    pub database: Option<Database>,
    pub console: Console,
    pub sources: Vec<Source>,
    pub change_sources: Vec<ChangeSource>,
    pub secrets: Vec<(Text, Secret)>,
    pub runbooks: Runbooks,
    pub catalogue: Catalogue,
    pub people: Vec<RawPerson>,
    pub teams: Vec<RawTeam>,
    pub working_hours: WorkingHours,
    pub on_call: Vec<RawOnCall>,
    pub services: Vec<RawService>,
    pub slack: Option<Spanned<RawSlack>>,
    pub github: Option<Spanned<RawGitHub>>,
    pub routes: Vec<Route>,
    pub silences: Vec<Silence>,
    pub maintenance: Vec<RawMaintenance>,
    pub grouping: Grouping,
    pub storm: Storm,
    pub triage: Triage,
    pub approval: Approval,
    pub pagers: Vec<RawPager>,
    pub escalation: RawEscalation,
    pub nudges: RawNudges,
    pub rooms: RawRooms,
    pub log: Log,
    pub traces: Option<Traces>,
    pub metrics: Metrics,
    pub heartbeat: Option<Heartbeat>,
    pub retention: Retention,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: Option<Text>,
    pub data_dir: Option<Text>,
    pub linger: Option<Spanned<Duration>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The name of a secret.
    pub url: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    #[serde(default)]
    pub hosts: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub name: Text,
    pub kind: Text,
    pub auth: Option<Auth>,
    pub mapping: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSource {
    pub name: Text,
    pub kind: Text,
    pub auth: Option<Auth>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub bearer: Option<Spanned<OneOrMany<String>>>,
    pub basic: Option<Spanned<Basic>>,
    pub header: Option<Spanned<Header>>,
    pub hmac: Option<Spanned<OneOrMany<String>>>,
    pub sns: Option<Spanned<Sns>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sns {
    pub topics: Spanned<OneOrMany<String>>,
    pub hosts: Option<Spanned<OneOrMany<String>>>,
    pub allow_private_cidrs: Option<Spanned<OneOrMany<String>>>,
    #[serde(default)]
    pub allow_plaintext: bool,
    pub ca_file: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub name: Text,
    pub value: Spanned<OneOrMany<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    pub user: Text,
    pub password: Spanned<OneOrMany<String>>,
}

/// Without `Debug`: it may hold the value itself.
pub enum Secret {
    Plain(Text),
    From(Spanned<SecretFrom>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretFrom {
    pub env: Option<String>,
    pub file: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runbooks {
    pub folder: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    pub name: Option<Text>,
    #[serde(rename = "match")]
    pub matchers: Text,
    pub when: Option<Spanned<When>>,
    pub unless: Option<Spanned<When>>,
    pub service: Option<Text>,
    pub severity: Option<Severity>,
    pub open: Option<Open>,
    pub channel: Option<Spanned<Channel>>,
    #[serde(default)]
    pub invite: Vec<Text>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Open {
    Always,
    Group,
    Never,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    Auto,
    None,
    Thread,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    pub name: Text,
    #[serde(rename = "match")]
    pub matchers: Text,
    pub from: Moment,
    pub until: Spanned<Moment>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grouping {
    pub service_window: Option<Duration>,
    pub neighbour_window: Option<Duration>,
    pub quiet_after: Option<Duration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    pub incidents: Option<Spanned<usize>>,
    pub window: Option<Duration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triage {
    pub threshold: Option<Spanned<f64>>,
    pub notable_change: Option<Spanned<f64>>,
    pub shown: Option<Spanned<usize>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    pub expires_after: Option<Duration>,
    pub max_ineffective: Option<Spanned<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    pub endpoint: Text,
    pub share: Option<Spanned<f64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: Option<LogFormat>,
    pub filter: Option<Text>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    pub token: Option<Spanned<OneOrMany<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    pub url: Spanned<Address>,
    pub every: Option<Spanned<Duration>>,
    #[serde(default)]
    pub allow_plaintext: bool,
}

/// An address, or the name of the secret that is one.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "this is not an address: write \"https://…\", or { secret = \"name-of-a-secret\" }")]
pub enum Address {
    Plain(String),
    Secret { secret: String },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub incidents: Option<Spanned<Age>>,
}

/// What could be read, and what could not. Only these `tables` may stand there.
#[must_use]
pub fn read(file: &Path, source: &str, tables: &[&'static str]) -> (Raw, Vec<Problem>) {
    let (table, errors) = DeTable::parse_recoverable(source);
    let mut reader = Reader { file, source, problems: Vec::new() };
    for error in errors {
        reader.problems.push(wording::reworded(Problem::from_toml(file, source, &error)));
    }
    let mut raw = Raw::default();
    if !reader.problems.is_empty() {
        // What follows a syntax error is a guess.
        reader.problems.truncate(MAX_PROBLEMS);
        return (raw, reader.problems);
    }
    (raw.server, raw.database) = (Some(Server::default()), Some(Database::default()));
    for (key, value) in table.into_inner() {
        match &**key.get_ref() {
            other if !tables.contains(&other) => {
                let problem =
                    Problem::at(file, source, &key.span(), format!("unknown table `{}`", wording::short(other)));
                reader.problems.push(problem.hint(wording::did_you_mean(other, tables.iter().copied())));
            }
            "server" => raw.server = reader.table(value),
            "database" => raw.database = reader.table(value),
            "console" => raw.console = reader.table(value).unwrap_or_default(),
            "source" => raw.sources = reader.tables("source", value),
            "change_source" => raw.change_sources = reader.tables("change_source", value),
            "secrets" => raw.secrets = reader.secrets(value),
            "runbooks" => raw.runbooks = reader.table(value).unwrap_or_default(),
            "catalogue" => raw.catalogue = reader.table(value).unwrap_or_default(),
            "person" => raw.people = reader.tables("person", value),
            "team" => raw.teams = reader.tables("team", value),
            "working_hours" => raw.working_hours = reader.table(value).unwrap_or_default(),
            "slack" => {
                let span = value.span();
                raw.slack = reader.table(value).map(|slack| Spanned::new(span, slack));
            }
            "github" => {
                let span = value.span();
                raw.github = reader.table(value).map(|github| Spanned::new(span, github));
            }
            "on_call" => raw.on_call = reader.tables("on_call", value),
            "service" => raw.services = reader.tables("service", value),
            "route" => raw.routes = reader.tables("route", value),
            "silence" => raw.silences = reader.tables("silence", value),
            "maintenance" => raw.maintenance = reader.tables("maintenance", value),
            "grouping" => raw.grouping = reader.table(value).unwrap_or_default(),
            "storm" => raw.storm = reader.table(value).unwrap_or_default(),
            "triage" => raw.triage = reader.table(value).unwrap_or_default(),
            "approval" => raw.approval = reader.table(value).unwrap_or_default(),
            "pager" => raw.pagers = reader.tables("pager", value),
            "escalation" => raw.escalation = reader.table(value).unwrap_or_default(),
            "nudges" => raw.nudges = reader.table(value).unwrap_or_default(),
            "rooms" => raw.rooms = reader.table(value).unwrap_or_default(),
            "log" => raw.log = reader.table(value).unwrap_or_default(),
            "traces" => raw.traces = reader.table(value),
            "metrics" => raw.metrics = reader.table(value).unwrap_or_default(),
            "heartbeat" => raw.heartbeat = reader.table(value),
            "retention" => raw.retention = reader.table(value).unwrap_or_default(),
            // Every table of `TABLES` has its arm.
            _ => {}
        }
    }
    reader.problems.sort_by_key(|p| (p.line, p.column));
    reader.problems.truncate(MAX_PROBLEMS);
    (raw, reader.problems)
}

struct Reader<'f> {
    file: &'f Path,
    source: &'f str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn table<T: DeserializeOwned>(&mut self, value: Spanned<DeValue<'_>>) -> Option<T> {
        let span = value.span();
        match T::deserialize(toml::de::ValueDeserializer::from(value)) {
            Ok(read) => Some(read),
            Err(error) => {
                let at = error.span().unwrap_or(span);
                self.problems.push(wording::reworded(Problem::at(self.file, self.source, &at, error.message())));
                None
            }
        }
    }

    fn tables<T: DeserializeOwned>(&mut self, name: &str, value: Spanned<DeValue<'_>>) -> Vec<T> {
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            let problem = Problem::at(self.file, self.source, &span, format!("`{name}` is a list of tables"));
            self.problems.push(problem.hint(format!("write `[[{name}]]`, once for each of them")));
            return Vec::new();
        };
        items.into_iter().filter_map(|item| self.table(item)).collect()
    }

    fn secrets(&mut self, value: Spanned<DeValue<'_>>) -> Vec<(Text, Secret)> {
        let span = value.span();
        let DeValue::Table(table) = value.into_inner() else {
            self.problems
                .push(Problem::at(self.file, self.source, &span, "`secrets` is a table").hint("write `[secrets]`"));
            return Vec::new();
        };
        let mut secrets = Vec::new();
        for (key, value) in table {
            let name = Spanned::new(key.span(), key.get_ref().to_string());
            let at = value.span();
            match value.get_ref() {
                DeValue::String(text) => secrets.push((name, Secret::Plain(Spanned::new(at, text.to_string())))),
                DeValue::Table(_) => {
                    if let Some(from) = self.table(value) {
                        secrets.push((name, Secret::From(Spanned::new(at, from))));
                    }
                }
                _ => {
                    let problem = Problem::at(self.file, self.source, &at, "this is not a secret");
                    self.problems.push(problem.hint("write { env = \"NAME\" }, { file = \"path\" } or a text"));
                }
            }
        }
        secrets
    }
}
