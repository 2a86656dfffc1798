//! Routing: what the rules say about an alert before any incident is looked at: its route, service and severity, and whether
//! it is silenced. Everything here can say why.
//!
//! Knows rules and the desk's silences; knows nothing of which incident an alert belongs to.

use super::condition::Condition;
use super::draft::Draft;
use super::policy::{Open, Route};
use super::signal::AlertKey;
use smokejumper_intents::word::Severity;
use std::collections::BTreeMap;

/// Labels that name the service, best first, when no route says which it is.
pub const SERVICE_LABELS: [&str; 5] = ["service", "app", "job", "deployment", "namespace"];
/// The route of an alert that no route is for.
pub const DEFAULT: &str = "default";

/// What the routes say about an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    pub route: String,
    pub service: Option<String>,
    pub severity: Severity,
    pub open: Open,
}

/// Why an alert is listed only for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hushed {
    /// A silence of the configuration, by its name.
    Configured(String),
    /// A silence somebody set, by its number.
    Set(u32),
    /// A maintenance window, by its name.
    Maintenance(String),
}

/// What the first route that is for it says; without one, the default of ARCHITECTURE.md D9.
#[must_use]
pub fn route(draft: &Draft, key: &AlertKey, labels: &BTreeMap<String, String>) -> Routed {
    let said = severity(labels);
    match draft.policy.routes.iter().find(|r| r.matches(labels) && hindered(draft, r, key, labels).is_none()) {
        Some(route) => Routed {
            route: route.name.clone(),
            service: service(Some(route), labels),
            severity: route.severity.or(said).unwrap_or(Severity::Sev3),
            open: route.open,
        },
        None => Routed {
            route: DEFAULT.to_owned(),
            service: service(None, labels),
            severity: said.unwrap_or(Severity::Sev3),
            open: if said.is_some_and(|s| s <= Severity::Sev2) { Open::Always } else { Open::Group },
        },
    }
}

/// The condition because of which a route is not for an alert whose labels it matches, and whether it asks for it (`when`) or
/// bars it (`unless`).
pub fn hindered<'r>(
    draft: &Draft,
    route: &'r Route,
    key: &AlertKey,
    labels: &BTreeMap<String, String>,
) -> Option<(&'r Condition, bool)> {
    if route.when.is_empty() && route.unless.is_empty() {
        return None;
    }
    let service = service(Some(route), labels);
    let holds = |c: &&Condition| c.holds(draft, key, service.as_deref());
    let missing = route.when.iter().find(|c| !holds(c)).map(|c| (c, true));
    missing.or_else(|| route.unless.iter().find(holds).map(|c| (c, false)))
}

fn service(route: Option<&Route>, labels: &BTreeMap<String, String>) -> Option<String> {
    let named = || SERVICE_LABELS.iter().find_map(|l| labels.get(*l)).filter(|s| !s.is_empty()).cloned();
    route.and_then(|r| r.service.clone()).or_else(named)
}

/// Whether, and by what, an alert is silenced now.
#[must_use]
pub fn hushed(draft: &Draft, labels: &BTreeMap<String, String>) -> Option<Hushed> {
    let now = draft.now;
    let policy = draft.policy;
    let configured = policy.silences.iter().find(|s| s.from <= now && now < s.until && all(&s.matchers, labels));
    if let Some(silence) = configured {
        return Some(Hushed::Configured(silence.name.clone()));
    }
    let set = draft.desk.silences.iter().zip(draft.hushes());
    let set = set.filter(|(s, _)| s.from <= now && now < s.until).find(|(_, matchers)| all(matchers, labels));
    if let Some((silence, _)) = set {
        return Some(Hushed::Set(silence.id));
    }
    let window = policy.maintenance.iter().find(|m| all(&m.matchers, labels) && m.every.contains(now));
    window.map(|m| Hushed::Maintenance(m.name.clone()))
}

/// No matcher at all matches nothing: a silence that could not be read must not silence everything.
fn all(matchers: &[super::policy::Matcher], labels: &BTreeMap<String, String>) -> bool {
    !matchers.is_empty() && matchers.iter().all(|m| m.matches(labels))
}

impl Hushed {
    /// In our words, without the name of a person: kept with the alert.
    #[must_use]
    pub fn because(&self, draft: &Draft) -> String {
        match self {
            Self::Configured(name) => {
                let until = draft.policy.silences.iter().find(|s| s.name == *name).map(|s| s.until.rfc3339());
                format!("silenced by \"{name}\" until {}", until.unwrap_or_default())
            }
            Self::Set(id) => {
                let until = draft.desk.silences.iter().find(|s| s.id == *id).map(|s| s.until.rfc3339());
                format!("silenced by S-{id} until {}", until.unwrap_or_default())
            }
            Self::Maintenance(name) => {
                let every = draft.policy.maintenance.iter().find(|m| m.name == *name).map(|m| m.every.text());
                format!("maintenance window \"{name}\", {}", every.unwrap_or_default())
            }
        }
    }
}

/// A route as people call it.
#[must_use]
pub fn by_route(name: &str) -> String {
    match name {
        DEFAULT => "by default".to_owned(),
        numbered if numbered.starts_with("route ") => numbered.to_owned(),
        named => format!("route {named}"),
    }
}

/// The severity that the alert's own label means, if it has one that is known.
#[must_use]
pub fn severity(labels: &BTreeMap<String, String>) -> Option<Severity> {
    match labels.get("severity")?.to_ascii_lowercase().as_str() {
        "sev1" | "p1" | "page" | "emergency" | "disaster" => Some(Severity::Sev1),
        "critical" | "sev2" | "p2" | "high" | "error" => Some(Severity::Sev2),
        "warning" | "warn" | "sev3" | "p3" | "medium" => Some(Severity::Sev3),
        "info" | "information" | "none" | "sev4" | "p4" | "p5" | "low" => Some(Severity::Sev4),
        _ => None,
    }
}
