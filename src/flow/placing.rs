//! Placing: an alert arrives; is it new, and which incident does it belong to? Every answer says why.
//!
//! Knows the desk's rules (routes, silences, grouping, storm budget); knows nothing of what an incident then does.

use super::decide::declare;
use super::desk::AlertState;
use super::draft::Draft;
use super::effect::{Effect, Timer};
use super::fact::{Fact, GroupChange, Origin};
use super::identity::Actor;
use super::incident::{Incident, IncidentId, MAX_GROUPS, OTHER};
use super::moment::{At, DAY, span};
use super::phrase::{code, ours, titled};
use super::plan::hex;
use super::policy::{Open, Route};
use super::signal::{AlertKey, AlertStatus, Delivery, Signal};
use smokejumper_intents::word::Severity;
use std::collections::BTreeMap;

/// Labels that name the service, best first, when no route says which it is.
const SERVICE_LABELS: [&str; 5] = ["service", "app", "job", "deployment", "namespace"];
/// An incident that still fires is joined by its service's alerts for this long, then they open one of their own.
const FIRING_WINDOW: i64 = DAY;
/// Characters of an incident's title.
pub const MAX_TITLE: usize = 140;

/// Where an alert goes, and why, in our words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Join {
        incident: IncidentId,
        because: String,
    },
    Open {
        because: String,
    },
    /// Belongs to nothing: listed.
    List {
        because: String,
    },
}

/// What the routes say about an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    pub route: String,
    pub service: Option<String>,
    pub severity: Severity,
    pub open: Open,
}

/// Transitions by incident, in order.
type Changes = BTreeMap<IncidentId, Vec<(Change, AlertKey)>>;

/// Takes in everything a delivery says.
pub fn signals(draft: &mut Draft, delivery: &Delivery) {
    let mut changes = Changes::new();
    for signal in &delivery.signals {
        one(draft, signal, &mut changes);
    }
    for (id, changes) in changes {
        record(draft, id, &delivery.source, &changes);
    }
}

/// A route as people call it.
fn by_route(name: &str) -> String {
    match name {
        "default" => "by default".to_owned(),
        numbered if numbered.starts_with("route ") => numbered.to_owned(),
        named => format!("route {named}"),
    }
}

/// Looks again at firing alerts that were only listed: a silence may have ended, or something opened that they belong to.
pub fn again(draft: &mut Draft) {
    let mut changes = Changes::new();
    for alert in draft.loose().into_iter().filter(|a| a.incident.is_none()) {
        let signal = Signal {
            key: alert.key,
            status: alert.status,
            starts_at: alert.starts_at,
            ends_at: alert.ends_at,
            annotations: alert.summary.map(|s| ("summary".to_owned(), s)).into_iter().collect(),
            labels: alert.labels,
            link: alert.link,
        };
        if !matches!(place(draft, &signal), Place::List { .. }) {
            settle(draft, &signal, alert.count, &mut changes);
        }
    }
    for (id, changes) in changes {
        let source = changes.first().map(|(_, key)| key.source.clone()).unwrap_or_default();
        record(draft, id, &source, &changes);
    }
}

/// A transition of one alert, as its incident sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Joined,
    FiredAgain,
    Resolved,
}

/// Joins one signal into its alert's state, and adds what that changed.
fn one(draft: &mut Draft, signal: &Signal, changes: &mut Changes) {
    let Some(old) = draft.alert(&signal.key).cloned() else {
        if signal.status == AlertStatus::Firing {
            settle(draft, signal, 1, changes);
        } else {
            let because = "it was resolved before anybody saw it fire".to_owned();
            draft.note_alert(state(signal, 1, draft.now, None, because));
        }
        return;
    };
    let count = old.count.saturating_add(1);
    if signal.rank() <= old.rank() {
        // Older or the same: nothing but that it was heard of again.
        draft.note_alert(AlertState { count, last_seen: draft.now, ..old });
        return;
    }
    let home = old.incident.filter(|id| draft.incident(*id).is_some_and(Incident::is_open));
    let change = match (old.status, signal.status, home) {
        (_, AlertStatus::Firing, None) => return settle(draft, signal, count, changes),
        (AlertStatus::Resolved, AlertStatus::Firing, Some(_)) => Some(Change::FiredAgain),
        (AlertStatus::Firing, AlertStatus::Resolved, _) => Some(Change::Resolved),
        // Still firing, or resolved before: no transition.
        (AlertStatus::Firing, AlertStatus::Firing, Some(_)) | (AlertStatus::Resolved, AlertStatus::Resolved, _) => None,
    };
    draft.note_alert(state(signal, count, draft.now, old.incident, old.because));
    if let (Some(id), Some(change)) = (home, change) {
        changes.entry(id).or_default().push((change, signal.key.clone()));
    }
}

/// Counts an incident's alerts again: while it was over, alerts went on without it being told.
pub fn recount(draft: &mut Draft, id: IncidentId) {
    let Some(incident) = draft.incident(id) else { return };
    let mut firing: BTreeMap<&str, u32> = incident.groups.keys().map(|name| (name.as_str(), 0)).collect();
    for alert in draft.alerts().filter(|a| a.incident == Some(id) && a.status == AlertStatus::Firing) {
        let name = if firing.contains_key(alert.name.as_str()) { alert.name.as_str() } else { OTHER };
        let count = firing.entry(name).or_default();
        *count = count.saturating_add(1);
    }
    let mut groups = Vec::new();
    for (name, now) in firing {
        let before = incident.groups.get(name).map_or(0, |g| g.firing);
        if now != before {
            groups.push(GroupChange {
                name: name.to_owned(),
                joined: 0,
                fired_again: now.saturating_sub(before),
                resolved: before.saturating_sub(now),
                summary: None,
                severity: None,
                link: None,
            });
        }
    }
    if groups.is_empty() {
        return;
    }
    let because = "counted again when the incident was reopened".to_owned();
    let fact = Fact::AlertsChanged { source: "smokejumper".to_owned(), because, groups, digest: String::new() };
    draft.record_by(Actor::Bot, id, fact);
}

/// Finds or makes the incident of a firing alert that has none.
fn settle(draft: &mut Draft, signal: &Signal, count: u64, changes: &mut Changes) {
    let (incident, because) = match place(draft, signal) {
        Place::Join { incident, because } => (Some(incident), because),
        Place::List { because } => (None, because),
        Place::Open { because } => (Some(open(draft, signal, changes)), because),
    };
    draft.note_alert(state(signal, count, draft.now, incident, because));
    if let Some(id) = incident {
        changes.entry(id).or_default().push((Change::Joined, signal.key.clone()));
    }
}

/// Opens an incident for a signal, and brings in the listed alerts of its service that still fire.
fn open(draft: &mut Draft, signal: &Signal, changes: &mut Changes) -> IncidentId {
    let routed = route(draft, &signal.labels);
    if over_budget(draft).is_some() {
        return declare(draft, "Alert storm".to_owned(), Severity::Sev2, None, BTreeMap::new(), Origin::Storm);
    }
    let origin = Origin::Alert {
        source: signal.key.source.clone(),
        fingerprint: signal.key.fingerprint.clone(),
        route: routed.route,
    };
    let title = title(signal, routed.service.as_deref());
    let id = declare(draft, title, routed.severity, routed.service.clone(), signal.labels.clone(), origin);
    if routed.service.is_some() {
        for mut alert in draft.loose() {
            let other = route(draft, &alert.labels);
            if other.service == routed.service && other.open != Open::Never && alert.key != signal.key {
                alert.incident = Some(id);
                alert.because = format!("it was listed, and {id} opened for its service");
                changes.entry(id).or_default().push((Change::Joined, alert.key.clone()));
                draft.note_alert(alert);
            }
        }
    }
    id
}

/// Which incident a firing alert belongs to. Pure reading: `explain` asks it for a payload in a file.
#[must_use]
pub fn place(draft: &Draft, signal: &Signal) -> Place {
    let labels = &signal.labels;
    let now = draft.now;
    let silence =
        |s: &&super::policy::Silence| s.from <= now && now < s.until && s.matchers.iter().all(|m| m.matches(labels));
    if let Some(silence) = draft.policy.silences.iter().find(silence) {
        let because = format!("silenced by \"{}\" until {}", silence.name, silence.until.rfc3339());
        return Place::List { because };
    }
    let routed = route(draft, labels);
    if routed.open == Open::Never {
        return Place::List { because: format!("{} never opens or joins", by_route(&routed.route)) };
    }
    if let Some((incident, because)) = related(draft, signal, routed.service.as_deref()) {
        return Place::Join { incident, because };
    }
    if routed.open == Open::Group {
        return Place::List { because: format!("{}: nothing open that it belongs to", by_route(&routed.route)) };
    }
    let Some(because) = over_budget(draft) else {
        return Place::Open { because: format!("{}: nothing open that it belongs to", by_route(&routed.route)) };
    };
    match draft.open().find(|i| i.origin == Some(Origin::Storm)) {
        Some(i) => Place::Join { incident: i.id, because },
        None => Place::Open { because },
    }
}

/// A worse alert joined, and no person said how bad it is: the incident is as bad as its worst alert.
fn escalate(draft: &mut Draft, id: IncidentId, changes: &[(Change, AlertKey)]) {
    let joined = changes.iter().filter(|(c, _)| *c == Change::Joined).filter_map(|(_, key)| draft.alert(key));
    let worst = joined.map(|a| (route(draft, &a.labels).severity, a.name.clone())).min();
    let Some((severity, name)) = worst else { return };
    let Some(before) = draft.incident(id).filter(|i| !i.severity_by_hand).map(Incident::severity) else { return };
    if severity < before {
        draft.record_by(Actor::Bot, id, Fact::SeveritySet { severity });
        let spans = vec![
            ours(format!("Severity is {} now (was {}): ", severity.label(), before.label())),
            code(name),
            ours(" joined."),
        ];
        draft.say(id, &titled(spans));
    }
}

/// Why no further incident may open by itself just now, if so.
fn over_budget(draft: &Draft) -> Option<String> {
    let storm = &draft.policy.storm;
    let recent =
        draft.desk.opened.iter().filter(|at| **at <= draft.now && draft.now.since(**at) < storm.window).count();
    (recent >= storm.incidents)
        .then(|| format!("storm: {recent} incidents opened within {}, the rest is gathered", span(storm.window)))
}

/// The open incident that a signal's service, its neighbours, or its name speak for.
fn related(draft: &Draft, signal: &Signal, service: Option<&str>) -> Option<(IncidentId, String)> {
    let grouping = &draft.policy.grouping;
    let now = draft.now;
    let within = |i: &Incident, window: i64| {
        i.origin != Some(Origin::Storm) && now.since(i.times.last_alert.unwrap_or(i.times.declared)) < window
    };
    let latest = |candidates: Vec<&Incident>| {
        candidates.into_iter().max_by_key(|i| (i.times.last_alert, std::cmp::Reverse(i.id))).map(|i| i.id)
    };
    let Some(service) = service else {
        let name = signal.name();
        let same = draft.open().filter(|i| within(i, grouping.service_window) && i.service.is_none());
        return latest(same.filter(|i| i.groups.contains_key(name)).collect())
            .map(|id| (id, format!("same alert name, and {id} names no service either")));
    };
    let same = draft.open().filter(|i| {
        i.service.as_deref() == Some(service)
            && (within(i, grouping.service_window) || (i.firing() > 0 && within(i, FIRING_WINDOW)))
    });
    if let Some(id) = latest(same.collect()) {
        return Some((
            id,
            format!("same service as {id}, which had an alert within {}", span(grouping.service_window)),
        ));
    }
    let near = draft.open().filter(|i| {
        within(i, grouping.neighbour_window)
            && i.service.as_deref().is_some_and(|other| neighbours(draft, service, other))
    });
    latest(near.collect()).map(|id| (id, format!("its service depends on the one of {id}, or the reverse")))
}

fn neighbours(draft: &Draft, a: &str, b: &str) -> bool {
    let depends = |x: &str, y: &str| draft.policy.services.get(x).is_some_and(|s| s.depends_on.iter().any(|d| d == y));
    depends(a, b) || depends(b, a)
}

/// What the first matching route says; without one, the default of ARCHITECTURE.md D9.
#[must_use]
pub fn route(draft: &Draft, labels: &BTreeMap<String, String>) -> Routed {
    let named = || SERVICE_LABELS.iter().find_map(|l| labels.get(*l)).filter(|s| !s.is_empty()).cloned();
    let said = severity(labels);
    match draft.policy.routes.iter().find(|r| r.matches(labels)) {
        Some(Route { name, service, severity, open, .. }) => Routed {
            route: name.clone(),
            service: service.clone().or_else(named),
            severity: severity.or(said).unwrap_or(Severity::Sev3),
            open: *open,
        },
        None => Routed {
            route: "default".to_owned(),
            service: named(),
            severity: said.unwrap_or(Severity::Sev3),
            open: if said.is_some_and(|s| s <= Severity::Sev2) { Open::Always } else { Open::Group },
        },
    }
}

/// The severity that the alert's own label means, if it has one that is known.
fn severity(labels: &BTreeMap<String, String>) -> Option<Severity> {
    match labels.get("severity")?.to_ascii_lowercase().as_str() {
        "sev1" | "p1" | "page" | "emergency" | "disaster" => Some(Severity::Sev1),
        "critical" | "sev2" | "p2" | "high" | "error" => Some(Severity::Sev2),
        "warning" | "warn" | "sev3" | "p3" | "medium" => Some(Severity::Sev3),
        "info" | "information" | "none" | "sev4" | "p4" | "p5" | "low" => Some(Severity::Sev4),
        _ => None,
    }
}

/// `HighErrorRate: checkout answers 500`, bounded.
fn title(signal: &Signal, service: Option<&str>) -> String {
    let name = signal.name();
    let text = match (signal.summary(), service) {
        (Some(summary), _) => format!("{name}: {summary}"),
        (None, Some(service)) => format!("{name} on {service}"),
        (None, None) => name.to_owned(),
    };
    text.chars().take(MAX_TITLE).collect()
}

fn state(signal: &Signal, count: u64, now: At, incident: Option<IncidentId>, because: String) -> AlertState {
    let (starts_at, status, ends_at) = signal.rank();
    AlertState {
        key: signal.key.clone(),
        status,
        starts_at,
        ends_at,
        count,
        last_seen: now,
        name: signal.name().to_owned(),
        labels: signal.labels.clone(),
        summary: signal.summary().map(str::to_owned),
        link: signal.link.clone(),
        incident,
        because,
    }
}

/// One fact for everything a delivery changed in one incident.
fn record(draft: &mut Draft, id: IncidentId, source: &str, changes: &[(Change, AlertKey)]) {
    let mut groups: BTreeMap<String, GroupChange> = BTreeMap::new();
    let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
    let mut because = String::new();
    for (change, key) in changes {
        let Some(alert) = draft.alert(key) else { continue };
        if because.is_empty() || *change == Change::Joined {
            because.clone_from(&alert.because);
        }
        // A name the incident counts by itself is never counted with the others, however many come at once.
        let own = draft.incident(id).is_some_and(|i| i.groups.contains_key(&alert.name));
        let known = own || groups.contains_key(&alert.name) || groups.len() < MAX_GROUPS;
        let name = if known { alert.name.as_str() } else { OTHER };
        let group = groups.entry(name.to_owned()).or_insert_with(|| GroupChange {
            name: name.to_owned(),
            joined: 0,
            fired_again: 0,
            resolved: 0,
            summary: alert.summary.clone(),
            severity: alert.labels.get("severity").cloned(),
            link: alert.link.clone(),
        });
        match change {
            Change::Joined => group.joined += 1,
            Change::FiredAgain => group.fired_again += 1,
            Change::Resolved => group.resolved += 1,
        }
        digest.update(key.fingerprint.as_bytes());
        digest.update(&[0, alert.status as u8]);
    }
    let news = draft.incident(id).is_some_and(|i| groups.keys().any(|name| !i.groups.contains_key(name)));
    let groups = groups.into_values().collect();
    let fact =
        Fact::AlertsChanged { source: source.to_owned(), because, groups, digest: hex(digest.finish().as_ref()) };
    draft.record_by(Actor::Source(source.to_owned()), id, fact);
    escalate(draft, id, changes);
    draft.show(id);
    if news {
        draft.recall(id);
    }
    if draft.incident(id).is_some_and(|i| i.firing() == 0) {
        let at = draft.now.plus(draft.policy.grouping.quiet_after);
        draft.effect(Effect::Wake { incident: id, at, timer: Timer::Quiet });
    }
}
