//! How it is run: what is logged, who may read the numbers, whom it tells that it lives, what is kept how long.

use super::checked::Checker;
use super::raw::{self, Raw};
use super::secret::Secret;
use super::secrets::{self, Resolved};
use super::value::OneOrMany;
use crate::flow::moment::{DAY, MINUTE, SECOND};
use crate::telemetry::{TRACES, Traces};
use std::time::Duration;
use toml::Spanned;

/// Between two heartbeats, unless told otherwise. A switch that waits for a few of them notices within minutes.
const HEARTBEAT_EVERY: i64 = MINUTE;
/// At least that long between two heartbeats: a switch is somebody else's server.
const LEAST_HEARTBEAT: i64 = SECOND;
/// After SIGTERM it says that it is not ready, and goes on taking requests this long.
const LINGER: i64 = SECOND / 2;
/// More would not leave time for the rest within the 20 s that a stop may take.
const MOST_LINGER: i64 = 10 * SECOND;
/// At least that long are closed incidents kept: a shorter time is a slip of the pen, and what is purged is gone.
const LEAST_KEPT: i64 = 30 * DAY;

/// Everything about running it.
#[derive(Clone, Debug)]
pub struct Operations {
    pub log: Log,
    /// `None`: no traces are sent.
    pub traces: Option<Traces>,
    /// Who bears one of these may read `/metrics` from anywhere; empty: this machine only.
    pub metrics_tokens: Vec<Secret>,
    pub heartbeat: Option<Heartbeat>,
    pub linger: Duration,
    /// Closed incidents older than this are purged, milliseconds; `None`: kept for ever.
    pub keep_incidents_ms: Option<i64>,
}

impl Default for Operations {
    fn default() -> Self {
        let linger = Duration::from_millis(LINGER.unsigned_abs());
        Self {
            log: Log::default(),
            traces: None,
            metrics_tokens: Vec::new(),
            heartbeat: None,
            linger,
            keep_incidents_ms: None,
        }
    }
}

/// What is logged, and how; over it stand `SMOKEJUMPER_LOG` and `SMOKEJUMPER_LOG_JSON`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    pub filter: Option<String>,
    pub json: bool,
}

/// A dead man's switch: it is told that all is well, and raises an alarm when it hears nothing.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// May hold a secret in its path, as the addresses of such services do: never logged.
    pub url: Secret,
    pub every: Duration,
    /// A plain `http://` address elsewhere than on this machine is meant so.
    pub allow_plaintext: bool,
}

pub(super) fn resolve(checker: &mut Checker<'_>, raw: &Raw, secrets: &Resolved) -> Operations {
    let filter = raw.log.filter.as_ref().map(|f| f.get_ref().clone());
    if let Some(written) = raw.log.filter.as_ref().filter(|f| !crate::telemetry::logs::is_filter(f.get_ref())) {
        let hint = "write levels by part, such as \"warn,smokejumper=debug\"";
        checker.error(&written.span(), "this is not a filter for logs", hint);
    }
    let tokens = raw.metrics.token.as_ref().map(|names| secrets::refer(checker, names, secrets));
    let linger = raw.server.as_ref().and_then(|server| server.linger.as_ref());
    let keep = raw.retention.incidents.as_ref().map(|d| (d.span(), d.get_ref().0));
    if let Some((span, _)) = keep.as_ref().filter(|(_, ms)| *ms < LEAST_KEPT) {
        let hint = "what is purged cannot be brought back; leave the key out to keep everything";
        checker.error(span, "closed incidents are kept for at least 30 days", hint);
    }
    Operations {
        log: Log { filter, json: matches!(raw.log.format, Some(raw::LogFormat::Json)) },
        traces: traces(checker, raw),
        metrics_tokens: tokens.unwrap_or_default(),
        heartbeat: heartbeat(checker, raw, secrets),
        linger: Duration::from_millis(between(checker, linger, 0, MOST_LINGER, LINGER).unsigned_abs()),
        keep_incidents_ms: keep.map(|(_, ms)| ms),
    }
}

fn traces(checker: &mut Checker<'_>, raw: &Raw) -> Option<Traces> {
    let written = raw.traces.as_ref()?;
    let endpoint = written.endpoint.get_ref();
    if !TRACES {
        let hint = "leave [traces] out, or build it with: cargo build --release --features otlp";
        // Not an error: a bot that starts without traces is better than one that does not start.
        checker.warn(&written.endpoint.span(), "this build cannot send traces", hint);
        return None;
    }
    if !["https://", "http://"].iter().any(|scheme| endpoint.starts_with(scheme)) {
        let hint = "write the base address of the collector, such as \"http://127.0.0.1:4318\"";
        checker.error(&written.endpoint.span(), "this is not an address to send to", hint);
    }
    let share = written.share.as_ref().map_or(1.0, |share| *share.get_ref());
    if let Some(written) = written.share.as_ref().filter(|_| !(0.0..=1.0).contains(&share)) {
        checker.error(&written.span(), "a share is from 0.0 to 1.0", "without the key every trace is sent");
    }
    Some(Traces { endpoint: endpoint.clone(), share: share.clamp(0.0, 1.0) })
}

fn heartbeat(checker: &mut Checker<'_>, raw: &Raw, secrets: &Resolved) -> Option<Heartbeat> {
    let written = raw.heartbeat.as_ref()?;
    let every = between(checker, written.every.as_ref(), LEAST_HEARTBEAT, DAY, HEARTBEAT_EVERY);
    let url = match written.url.get_ref() {
        raw::Address::Plain(url) => {
            if !["https://", "http://"].iter().any(|scheme| url.starts_with(scheme)) {
                checker.error(
                    &written.url.span(),
                    "this is not an address to call",
                    "write one that begins with https://",
                );
            }
            Some(Secret::new(url.clone()))
        }
        raw::Address::Secret { secret } => {
            let name = Spanned::new(written.url.span(), OneOrMany(vec![secret.clone()]));
            secrets::refer(checker, &name, secrets).into_iter().next()
        }
    };
    let every = Duration::from_millis(every.unsigned_abs());
    url.map(|url| Heartbeat { url, every, allow_plaintext: written.allow_plaintext })
}

fn between(
    checker: &mut Checker<'_>,
    written: Option<&Spanned<super::value::Duration>>,
    least: i64,
    most: i64,
    default: i64,
) -> i64 {
    let Some(written) = written else { return default };
    let ms = written.get_ref().0;
    if !(least..=most).contains(&ms) {
        let what = format!("this must be from {} s to {} s", least / SECOND, most / SECOND);
        checker.error(&written.span(), what, format!("without the key it is {default} ms"));
    }
    ms.clamp(least, most)
}
