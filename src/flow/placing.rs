//! Placing: an alert arrives; is it new, and which incident does it belong to? Every answer says why.
//!
//! Knows the desk's rules (routes, silences, grouping, storm budget); knows nothing of what an incident then does.

use super::decide::declare;
use super::desk::{AlertState, How};
use super::draft::Draft;
use super::effect::{Effect, Timer};
use super::fact::{Fact, GroupChange, Origin};
use super::identity::Actor;
use super::incident::{Incident, IncidentId, MAX_GROUPS, OTHER};
use super::moment::{At, DAY, span};
use super::phrase::{code, ours, titled};
use super::policy::Open;
use super::routing::{Routed, by_route, hushed, route};
use super::signal::{AlertKey, AlertStatus, Delivery, Signal};
use smokejumper_intents::word::Severity;
use std::collections::BTreeMap;

/// An incident that still fires is joined by its service's alerts for this long, then they open one of their own.
const FIRING_WINDOW: i64 = DAY;
/// Characters of an incident's title.
pub const MAX_TITLE: usize = 140;

/// Where an alert goes, and why, in our words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Join {
        incident: IncidentId,
        how: How,
        because: String,
    },
    Open {
        how: How,
        because: String,
    },
    /// Belongs to nothing: listed.
    List {
        how: How,
        because: String,
    },
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

/// Looks again at firing alerts that were only listed: a silence may have ended, or something opened that they belong to.
pub fn again(draft: &mut Draft) {
    let mut changes = Changes::new();
    for AlertState { key, .. } in draft.loose() {
        // As it is now: one before it may have opened an incident and brought it in.
        let Some(alert) = draft.alert(&key).filter(|a| a.incident.is_none()).cloned() else { continue };
        let signal = alert.signal();
        match placed(draft, &signal) {
            (routed, Place::List { how, because }) => {
                if alert.because != because || alert.route != routed.route {
                    let since = Some(draft.now);
                    draft.note_alert(AlertState { because, route: routed.route, since, how, ..alert });
                }
            }
            found => settle(draft, &signal, alert.count, found, &mut changes),
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
            settle(draft, signal, 1, placed(draft, signal), changes);
        } else {
            let standing = Standing {
                incident: None,
                how: How::Unseen,
                because: "it was resolved before anybody saw it fire".to_owned(),
                route: route(draft, &signal.key, &signal.labels).route,
                since: Some(draft.now),
            };
            draft.note_alert(state(signal, 1, draft.now, standing));
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
        (_, AlertStatus::Firing, None) => return settle(draft, signal, count, placed(draft, signal), changes),
        (AlertStatus::Resolved, AlertStatus::Firing, Some(_)) => Some(Change::FiredAgain),
        (AlertStatus::Firing, AlertStatus::Resolved, _) => Some(Change::Resolved),
        // Still firing, or resolved before: no transition.
        (AlertStatus::Firing, AlertStatus::Firing, Some(_)) | (AlertStatus::Resolved, AlertStatus::Resolved, _) => None,
    };
    let AlertState { incident, how, because, route, since, .. } = old;
    let stays = Standing { incident, how, because, route, since };
    draft.note_alert(state(signal, count, draft.now, stays));
    if let (Some(id), Some(change)) = (home, change) {
        changes.entry(id).or_default().push((change, signal.key.clone()));
    }
}

/// Every alert of `from` belongs to `into` from now on.
pub fn adopt(draft: &mut Draft, from: IncidentId, into: IncidentId) {
    let now = draft.now;
    let theirs: Vec<AlertState> = draft.alerts().filter(|a| a.incident == Some(from)).cloned().collect();
    let mut changes = Vec::new();
    for alert in theirs {
        changes.push((Change::Joined, alert.key.clone()));
        if alert.status == AlertStatus::Resolved {
            changes.push((Change::Resolved, alert.key.clone()));
        }
        draft.note_alert(AlertState {
            incident: Some(into),
            because: format!("{from} became part of {into}"),
            since: Some(now),
            how: How::Merged,
            ..alert
        });
    }
    if let Some((_, key)) = changes.first() {
        let source = key.source.clone();
        record(draft, into, &source, &changes);
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
fn settle(draft: &mut Draft, signal: &Signal, count: u64, found: (Routed, Place), changes: &mut Changes) {
    let (routed, place) = found;
    let route = routed.route.clone();
    let (incident, how, because) = match place {
        Place::Join { incident, how, because } => (Some(incident), how, because),
        Place::List { how, because } => (None, how, because),
        Place::Open { how, because } => (Some(open(draft, signal, routed, changes)), how, because),
    };
    let standing = Standing { incident, how, because, route, since: Some(draft.now) };
    draft.note_alert(state(signal, count, draft.now, standing));
    if let Some(id) = incident {
        changes.entry(id).or_default().push((Change::Joined, signal.key.clone()));
    }
}

/// Opens an incident for a signal, and brings in the listed alerts of its service that still fire.
fn open(draft: &mut Draft, signal: &Signal, routed: Routed, changes: &mut Changes) -> IncidentId {
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
            let other = route(draft, &alert.key, &alert.labels);
            let belongs = other.service == routed.service && other.open != Open::Never && alert.key != signal.key;
            if belongs && hushed(draft, &alert.labels).is_none() {
                alert.incident = Some(id);
                alert.route = other.route;
                alert.since = Some(draft.now);
                alert.how = How::Gathered;
                alert.because = format!("it was listed, and {id} opened for its service");
                changes.entry(id).or_default().push((Change::Joined, alert.key.clone()));
                draft.note_alert(alert);
            }
        }
    }
    id
}

/// What the rules say of a firing alert, and which incident it belongs to. Pure reading: `explain` asks it, too.
#[must_use]
pub fn placed(draft: &Draft, signal: &Signal) -> (Routed, Place) {
    let routed = route(draft, &signal.key, &signal.labels);
    let place = place(draft, signal, &routed);
    (routed, place)
}

fn place(draft: &Draft, signal: &Signal, routed: &Routed) -> Place {
    if let Some(hushed) = hushed(draft, &signal.labels) {
        return Place::List { how: How::Silenced, because: hushed.because(draft) };
    }
    if routed.open == Open::Never {
        let because = format!("{} never opens or joins", by_route(&routed.route));
        return Place::List { how: How::RouteNever, because };
    }
    if let Some((incident, how, because)) = related(draft, signal, routed.service.as_deref()) {
        return Place::Join { incident, how, because };
    }
    let alone = format!("{}: nothing open that it belongs to", by_route(&routed.route));
    if routed.open == Open::Group {
        return Place::List { how: How::Alone, because: alone };
    }
    let Some(because) = over_budget(draft) else { return Place::Open { how: How::Opened, because: alone } };
    match draft.open().find(|i| i.origin == Some(Origin::Storm) && !i.private) {
        Some(i) => Place::Join { incident: i.id, how: How::Storm, because },
        None => Place::Open { how: How::Storm, because },
    }
}

/// A worse alert joined, and no person said how bad it is: the incident is as bad as its worst alert.
fn escalate(draft: &mut Draft, id: IncidentId, changes: &[(Change, AlertKey)]) {
    let joined = changes.iter().filter(|(c, _)| *c == Change::Joined).filter_map(|(_, key)| draft.alert(key));
    let worst = joined.map(|a| (route(draft, &a.key, &a.labels).severity, a.name.clone())).min();
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
pub(super) fn over_budget(draft: &Draft) -> Option<String> {
    let storm = &draft.policy.storm;
    let recent =
        draft.desk.opened.iter().filter(|at| **at <= draft.now && draft.now.since(**at) < storm.window).count();
    (recent >= storm.incidents)
        .then(|| format!("storm: {recent} incidents opened within {}, the rest is gathered", span(storm.window)))
}

/// The open incident that a signal's service, its neighbours, or its name speak for.
fn related(draft: &Draft, signal: &Signal, service: Option<&str>) -> Option<(IncidentId, How, String)> {
    let grouping = &draft.policy.grouping;
    let now = draft.now;
    let within = |i: &Incident, window: i64| {
        // What a private incident took in, nobody else would see.
        !i.private
            && i.origin != Some(Origin::Storm)
            && now.since(i.times.last_alert.unwrap_or(i.times.declared)) < window
    };
    let latest = |candidates: Vec<&Incident>| {
        candidates.into_iter().max_by_key(|i| (i.times.last_alert, std::cmp::Reverse(i.id))).map(|i| i.id)
    };
    let Some(service) = service else {
        let name = signal.name();
        let same = draft.open().filter(|i| within(i, grouping.service_window) && i.service.is_none());
        return latest(same.filter(|i| i.groups.contains_key(name)).collect())
            .map(|id| (id, How::SameName, format!("same alert name, and {id} names no service either")));
    };
    let same = draft.open().filter(|i| {
        i.service.as_deref() == Some(service)
            && (within(i, grouping.service_window) || (i.firing() > 0 && within(i, FIRING_WINDOW)))
    });
    if let Some(id) = latest(same.collect()) {
        let recent = draft.incident(id).is_some_and(|i| within(i, grouping.service_window));
        let why = if recent {
            format!("had an alert within {}", span(grouping.service_window))
        } else {
            "still fires".to_owned()
        };
        return Some((id, How::SameService, format!("same service as {id}, which {why}")));
    }
    let near = draft.open().filter(|i| {
        within(i, grouping.neighbour_window)
            && i.service.as_deref().is_some_and(|other| neighbours(draft, service, other))
    });
    let id = latest(near.collect())?;
    let other = draft.incident(id).and_then(|i| i.service.clone()).unwrap_or_default();
    let (needs, needed) = if depends(draft, service, &other) { (service, &*other) } else { (&*other, service) };
    let window = span(grouping.neighbour_window);
    let because = format!("{needs} depends on {needed}, and {id} ({other}) had an alert within {window}");
    Some((id, How::Neighbour, because))
}

pub(super) fn neighbours(draft: &Draft, a: &str, b: &str) -> bool {
    depends(draft, a, b) || depends(draft, b, a)
}

fn depends(draft: &Draft, x: &str, y: &str) -> bool {
    draft.policy.services.get(x).is_some_and(|s| s.depends_on.iter().any(|d| d == y))
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

/// Where an alert is, and why.
struct Standing {
    incident: Option<IncidentId>,
    how: How,
    because: String,
    route: String,
    since: Option<At>,
}

fn state(signal: &Signal, count: u64, now: At, standing: Standing) -> AlertState {
    let Standing { incident, how, because, route, since } = standing;
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
        route,
        since,
        how,
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
    let fact = Fact::AlertsChanged {
        source: source.to_owned(),
        because,
        groups,
        digest: hex::encode(digest.finish().as_ref()),
    };
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
