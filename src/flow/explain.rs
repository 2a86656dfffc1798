//! Explain: why an alert is where it is. Its route with matchers and conditions, what silences it, where it belongs and why,
//! and what would change that; read from the desk, never guessed.
//!
//! Words over `routing.rs` and `placing.rs`: it decides nothing.

use super::State;
use super::desk::{AlertState, How};
use super::draft::Draft;
use super::fact::Origin;
use super::identity::Actor;
use super::incident::IncidentId;
use super::moment::At;
use super::phrase::{actor, code, count, faint, line, ours, outside, section, strong, titled, under};
use super::placing::{Place, neighbours, placed};
use super::policy::{Matcher, Open, Policy, Route};
use super::routing::{DEFAULT, Hushed, Routed, SERVICE_LABELS, by_route, hindered, hushed, route};
use super::signal::{AlertKey, AlertStatus, START_UNKNOWN, Signal};
use smokejumper_intents::reply::{Line, Reply, Section, Span};
use std::collections::BTreeMap;

/// Alerts told one by one; more are told by kind.
pub const SHOWN: usize = 5;
/// Kinds told, the most frequent first.
const KINDS: usize = 20;

/// Why these alerts are where they are. `asked`: what they were asked for by, if by anything.
#[must_use]
pub fn explain(found: &[AlertState], asked: Option<&str>, state: &State, policy: &Policy, now: At) -> Reply {
    let draft = Draft::new(state, policy, now, Actor::Bot);
    let mut title = vec![strong(match found.len() {
        0 => "No alert".to_owned(),
        n => format!("Why, for {}", count(n as u64, "alert")),
    })];
    if let Some(asked) = asked {
        title.extend([ours(if found.is_empty() { " is called " } else { " called " }), code(asked)]);
    }
    let mut reply = titled(title);
    if found.len() <= SHOWN {
        reply.sections.extend(found.iter().map(|alert| one(&draft, alert)));
    } else {
        reply.sections.push(kinds(found));
        let hint = vec![faint("one of them: "), code("explain FINGERPRINT")];
        let example = found.first().map(|a| vec![faint(", such as "), code(a.key.fingerprint.clone())]);
        reply.sections.push(section("", vec![line([hint, example.unwrap_or_default()].concat())]));
    }
    reply
}

/// What would become of an alert that came now.
#[must_use]
pub fn foretell(signal: &Signal, state: &State, policy: &Policy, now: At) -> Reply {
    let draft = Draft::new(state, policy, now, Actor::Bot);
    let mut reply = titled(vec![code(signal.name().to_owned()), faint(format!(" {}", signal.key.fingerprint))]);
    if signal.status == AlertStatus::Resolved {
        let text = "It is resolved: it changes the state of its alert, and opens or joins nothing.";
        reply.sections.push(section("", vec![line(vec![ours(text)])]));
        return reply;
    }
    let (routed, place) = placed(&draft, signal);
    let mut lines = rules(&draft, &signal.key, &signal.labels, &routed);
    let (how, becomes) = match place {
        Place::Join { incident, how, because } => {
            (how, vec![strong("joins "), Span::Incident(incident.0), ours(format!(": {because}"))])
        }
        Place::Open { how, because } => (how, vec![strong("opens an incident"), ours(format!(": {because}"))]),
        Place::List { how, because } => (how, vec![strong("is listed only"), ours(format!(": {because}"))]),
    };
    lines.push(line(becomes));
    lines.push(line(vec![faint("what would change it: "), ours(lever(how, &routed))]));
    reply.sections.push(section("", lines));
    reply
}

fn one(draft: &Draft, alert: &AlertState) -> Section {
    let routed = route(draft, &alert.key, &alert.labels);
    let mut head = vec![code(alert.name.clone())];
    if let Some(summary) = &alert.summary {
        head.extend([ours(" "), outside(summary.clone())]);
    }
    let mut lines = vec![
        line(head),
        line(vec![
            faint("from "),
            code(alert.key.source.clone()),
            faint(", fingerprint "),
            code(alert.key.fingerprint.clone()),
            ours(format!("; {}", heard(alert))),
        ]),
    ];
    lines.extend(rules(draft, &alert.key, &alert.labels, &routed));
    lines.push(line(place(alert)));
    if !alert.route.is_empty() && alert.route != routed.route {
        let then =
            format!("when it was placed the rules took {}; they or the time have changed", by_route(&alert.route));
        lines.push(under(vec![ours(then)]));
    }
    lines.extend(silence(draft, alert));
    lines.extend(holds(draft, alert, &routed).map(|held| {
        under(vec![match held {
            Ok(()) => faint("looked at again now: that holds"),
            Err(not) => ours(format!("looked at again now: {not}")),
        }])
    }));
    let open = alert.incident.is_none_or(|id| draft.incident(id).is_some_and(super::incident::Incident::is_open));
    let change = if open {
        lever(alert.how, &routed)
    } else {
        "that incident has ended: when it fires anew it is placed anew".to_owned()
    };
    lines.push(line(vec![faint("what would change it: "), ours(change)]));
    section("", lines)
}

/// `firing since 10:02, heard of 12 times, last at 10:40`.
fn heard(alert: &AlertState) -> String {
    let start = if alert.starts_at == START_UNKNOWN { "an unknown time".to_owned() } else { clock(alert.starts_at) };
    let is = match (alert.status, alert.ends_at) {
        (AlertStatus::Firing, _) => format!("firing since {start}"),
        (AlertStatus::Resolved, Some(end)) => format!("resolved at {}, fired from {start}", clock(end)),
        (AlertStatus::Resolved, None) => format!("resolved, fired from {start}"),
    };
    format!("{is}; heard of {}, last at {}", count(alert.count, "time"), clock(alert.last_seen))
}

fn clock(at: At) -> String {
    format!("{} {} UTC", at.day(), at.hm())
}

/// Route with matchers and conditions, routes that were passed over, and the service.
fn rules(draft: &Draft, key: &AlertKey, labels: &BTreeMap<String, String>, routed: &Routed) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut taken = None;
    for route in &draft.policy.routes {
        if route.name == routed.route {
            taken = Some(route);
            break;
        }
        if let Some((condition, wanted)) = route.matches(labels).then(|| hindered(draft, route, key, labels)).flatten()
        {
            let why = if wanted { "asks that" } else { "not while" };
            let text = format!("passed over: {} {why} {}", by_route(&route.name), condition.text());
            lines.push(line(vec![ours(text)]));
        }
    }
    let does = format!(" -> {}, {}", routed.severity.label(), opens(routed.open));
    lines.push(match taken {
        Some(route) => {
            line(vec![faint("route: "), ours(by_route(&route.name)), ours(" for "), code(wanted(route)), ours(does)])
        }
        None => line(vec![
            faint("route: "),
            ours("none is for it; by default SEV1 and SEV2 open an incident, and the rest joins what it belongs to"),
            ours(does),
        ]),
    });
    let by_hand = taken.is_some_and(|r| r.service.is_some());
    let label = SERVICE_LABELS.iter().find(|l| labels.get(**l).is_some());
    lines.push(line(match (&routed.service, label) {
        (Some(service), _) if by_hand => vec![faint("service: "), code(service.clone()), ours(", as the route says")],
        (Some(service), Some(label)) => {
            vec![faint("service: "), code(service.clone()), ours(", from its label "), code((*label).to_owned())]
        }
        _ => vec![faint("service: "), ours("it names none")],
    }));
    lines
}

/// A route's matchers and conditions, as they are written, in words.
fn wanted(route: &Route) -> String {
    let mut text = route.matchers.iter().map(Matcher::text).collect::<Vec<_>>().join(", ");
    for condition in &route.when {
        text.extend([", when ", &condition.text()]);
    }
    for condition in &route.unless {
        text.extend([", unless ", &condition.text()]);
    }
    text
}

const fn opens(open: Open) -> &'static str {
    match open {
        Open::Always => "opens an incident when it belongs to none",
        Open::Group => "joins what it belongs to, else is listed",
        Open::Never => "is listed, never opens or joins",
    }
}

/// `in INC-3 since 10:02: same service as INC-3, which had an alert within 30 min`.
fn place(alert: &AlertState) -> Vec<Span> {
    let since = alert.since.map_or_else(String::new, |at| format!(" since {}", clock(at)));
    let mut spans = match (alert.incident, alert.how) {
        (Some(id), How::Opened | How::Storm) => vec![strong("in "), Span::Incident(id.0)],
        (Some(id), _) => vec![strong("joined "), Span::Incident(id.0)],
        (None, _) => vec![strong("listed only")],
    };
    spans.extend([ours(since), ours(": "), outside(alert.because.clone())]);
    spans
}

/// Who silenced it.
fn silence(draft: &Draft, alert: &AlertState) -> Option<Line> {
    if alert.status != AlertStatus::Firing || alert.incident.is_some() {
        return None;
    }
    match hushed(draft, &alert.labels) {
        Some(Hushed::Set(id)) => {
            let set = draft.desk.silences.iter().find(|s| s.id == id)?;
            let mut spans = vec![ours(format!("S-{id} matches ")), code(set.matchers.clone())];
            spans.extend([ours(", set by "), actor(draft.policy, &set.by), ours(format!(" at {}", clock(set.from)))]);
            if let Some(comment) = &set.comment {
                spans.extend([ours(": "), outside(comment.clone())]);
            }
            Some(under(spans))
        }
        Some(Hushed::Configured(name)) => {
            Some(under(vec![ours(format!("[[silence]] \"{name}\" of the configuration"))]))
        }
        Some(Hushed::Maintenance(name)) => {
            Some(under(vec![ours(format!("[[maintenance]] \"{name}\" of the configuration"))]))
        }
        None if alert.how == How::Silenced => {
            Some(under(vec![ours("that has ended; it is placed anew within a minute")]))
        }
        None => None,
    }
}

/// Whether the reason of then is true of what is there now. `None`: there is nothing left to look at.
fn holds(draft: &Draft, alert: &AlertState, routed: &Routed) -> Option<Result<(), String>> {
    let incident = alert.incident.map(|id| draft.incident(id));
    let is = |holds: bool, not: &str| Some(if holds { Ok(()) } else { Err(not.to_owned()) });
    if let Some(incident) = incident {
        let incident = incident.filter(|i| i.is_open())?;
        let theirs = incident.service.as_deref();
        return match alert.how {
            How::Opened => match &incident.origin {
                Some(Origin::Alert { source, fingerprint, route }) => is(
                    *source == alert.key.source && *fingerprint == alert.key.fingerprint && *route == alert.route,
                    "another alert is said to have opened it",
                ),
                _ => is(false, "its incident was not opened by an alert"),
            },
            How::SameService | How::Gathered => is(
                routed.service.is_some() && theirs == routed.service.as_deref(),
                "by today's rules it is of another service",
            ),
            How::Neighbour => is(
                routed.service.as_deref().zip(theirs).is_some_and(|(a, b)| neighbours(draft, a, b)),
                "by today's catalogue the services do not depend on each other",
            ),
            How::SameName => is(routed.service.is_none() && theirs.is_none(), "by today's rules it names a service"),
            How::Storm => is(incident.origin == Some(Origin::Storm), "its incident gathers no storm"),
            _ => None,
        };
    }
    match alert.how {
        How::Silenced => is(hushed(draft, &alert.labels).is_some(), "nothing silences it any more"),
        How::RouteNever => is(routed.open == Open::Never, "by today's rules it could join or open"),
        How::Alone => is(
            routed.open == Open::Group && alert.route == routed.route,
            "by today's rules it takes another route; it is placed anew within a minute",
        ),
        How::Unseen => is(alert.status == AlertStatus::Resolved, "it fires"),
        _ => None,
    }
}

/// What a person can do about it.
fn lever(how: How, routed: &Routed) -> String {
    let of = match routed.route.as_str() {
        DEFAULT => "a [[route]] for it".to_owned(),
        name => format!("`open` in {}", by_route(name)),
    };
    let service = routed.service.as_deref().unwrap_or("its service");
    match how {
        How::Opened => format!("{of}, a silence, or an open incident of {service} that it could join"),
        How::SameService => "another `service` in its label or route, or service_window under [grouping]".to_owned(),
        How::Neighbour => "depends_on in the catalogue, or neighbour_window under [grouping]".to_owned(),
        How::SameName => "a label or a route that names its service".to_owned(),
        How::Storm => "incidents and window under [storm]".to_owned(),
        How::Gathered => format!("{of} (\"never\" leaves it listed), or a silence"),
        How::Merged => "nothing: merging is for good; after the incident has ended it is placed anew".to_owned(),
        How::Silenced => "the end of the silence: it is looked at again every minute".to_owned(),
        How::RouteNever => of,
        How::Alone => format!("an incident of {service} opening or being declared, or {of} (\"always\" opens one)"),
        How::Unseen => "its firing again".to_owned(),
        How::Unknown => "it was placed by an older version, which kept no more than this".to_owned(),
    }
}

/// Many alerts: how many are where, and why.
fn kinds(found: &[AlertState]) -> Section {
    let mut kinds: BTreeMap<(Option<IncidentId>, How, &str, &str, &str), u64> = BTreeMap::new();
    for alert in found {
        let key = (alert.incident, alert.how, alert.name.as_str(), alert.route.as_str(), alert.because.as_str());
        *kinds.entry(key).or_default() += 1;
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let more = kinds.len().saturating_sub(KINDS);
    let mut lines = Vec::new();
    for ((incident, _, name, route, because), n) in kinds.into_iter().take(KINDS) {
        let mut spans = vec![strong(format!("{n} ")), code(name), ours(" ")];
        match incident {
            Some(id) => spans.extend([ours("in "), Span::Incident(id.0)]),
            None => spans.push(ours("listed only")),
        }
        let by = if route.is_empty() { String::new() } else { format!("; {}", by_route(route)) };
        spans.extend([ours(by), ours(": "), outside(because.to_owned())]);
        lines.push(line(spans));
    }
    if more > 0 {
        lines.push(line(vec![faint(format!("and {} more", count(more as u64, "kind")))]));
    }
    section("", lines)
}

/// Whether it is the one somebody means: by its name, whatever the case, or by its fingerprint, which may be cut short.
#[must_use]
pub fn is_meant(alert: &AlertState, asked: &str) -> bool {
    /// A shorter beginning means too many.
    const CUT: usize = 6;
    let fingerprint = &alert.key.fingerprint;
    alert.name.eq_ignore_ascii_case(asked)
        || fingerprint == asked
        || asked.len() >= CUT && fingerprint.starts_with(asked)
}
