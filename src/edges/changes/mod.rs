//! Changes come in here: `POST /changes/{name}`. Deployments, releases, switched flags: suspects, never alerts.
//!
//! Each source speaks one of [`KINDS`]: a file here and a row there, a pure function from bytes to arrivals. The counter
//! (guard, bounds, answers) is that of `edges/alerts`, which knows nothing of changes. Knows neither incidents nor storage.

pub mod generic;
pub mod github;

use crate::config::source::{KnownKind, Source};
use crate::edges::alerts;
use crate::edges::alerts::{Counter, Kind, Limits, Reading, Scrub, Setting, Unfit, Unreadable, bounds};
use crate::flow::event::Event;
use crate::flow::moment::At;
use crate::flow::signal::{Change, ChangeStatus, MAX_CHANGE_CHARS};
use crate::ports::{Arrival, Clock, Door};
use axum::Router;
use std::sync::Arc;

/// Everything that can be a `kind` of change source.
pub const KINDS: &[Kind] = &[generic::KIND, github::KIND];

/// Where changes come in.
pub const COUNTER: Counter = Counter { name: "changes", kinds: KINDS };

/// Characters of a name: a service's, an environment's.
const MAX_NAME: usize = 100;

/// What can stand as `kind` in the configuration.
#[must_use]
pub fn kinds() -> Vec<KnownKind> {
    COUNTER.known()
}

/// The route, to be merged into the server's.
///
/// # Errors
/// [`Unfit`]; a checked configuration is never unfit by its kinds.
pub fn router(
    sources: &[Source],
    door: Arc<dyn Door>,
    clock: Arc<dyn Clock>,
    scrub: Scrub,
    limits: Limits,
) -> Result<Router, Unfit> {
    alerts::router_at(COUNTER, sources, door, clock, scrub, limits)
}

/// A change as a source tells it: outside text of any length.
#[derive(Clone, Copy, Debug)]
struct Told<'t> {
    id: &'t str,
    at: Option<At>,
    service: Option<&'t str>,
    environment: Option<&'t str>,
    summary: &'t str,
    by: Option<&'t str>,
    link: Option<&'t str>,
    status: ChangeStatus,
}

/// Bounded and plain. A moment that can't be true, or is ahead of ours, is now.
fn change(setting: &Setting<'_>, told: Told<'_>) -> Change {
    let name = |text: Option<&str>| text.map(|t| setting.line(t, MAX_NAME)).filter(|t| !t.is_empty());
    let at = told.at.filter(|at| bounds::plausible(*at, setting.now)).unwrap_or(setting.now);
    let summary = setting.line(told.summary, MAX_CHANGE_CHARS);
    Change {
        source: setting.source.to_owned(),
        id: bounds::fingerprint(setting, told.id),
        at: at.min(setting.now),
        service: name(told.service),
        environment: name(told.environment),
        summary: if summary.is_empty() { "a change without a summary".to_owned() } else { summary },
        by: told.by.map(|t| setting.line(t, MAX_CHANGE_CHARS)).filter(|t| !t.is_empty()),
        link: told.link.and_then(bounds::link).map(|url| (setting.scrub)(&url)),
        status: told.status,
    }
}

/// One arrival a change. Their keys come from the body, so that the same delivery again is the same rows.
fn reading(setting: &Setting<'_>, body: &[u8], changes: Vec<Change>) -> Reading {
    let key = bounds::digest(&[body]);
    let arrival = |(n, change): (usize, Change)| Arrival {
        source: COUNTER.inbox_source(setting.source),
        key: format!("{key}:{n}"),
        at: setting.now,
        event: Event::Changed(change),
    };
    Reading {
        signals: changes.len(),
        arrivals: changes.into_iter().enumerate().map(arrival).collect(),
        ..Reading::default()
    }
}

/// serde_json's own words, without what the sender sent.
fn unreadable(error: &serde_json::Error, expected: &str) -> Unreadable {
    let words = alerts::text::line(&error.to_string(), 200);
    Unreadable::Malformed(format!("not {expected}: {words}"))
}
