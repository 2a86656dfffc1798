//! Alerts come in here: `POST /alerts/{source}`. A 2xx means that every alert of the delivery is on disk.
//!
//! Each source speaks one of [`KINDS`]: a file here and a row there, a pure function from bytes to a [`Reading`]. How the
//! bytes come in is in `route.rs`, who may send them in `auth.rs`. Knows neither incidents nor storage.
//!
//! Senders retry on 5xx only (Alertmanager drops what gets 408, 429 or any other 4xx), so whatever is our own fault or
//! passes by itself is 503 with `Retry-After`: overload, storage, and a body that came too slowly.
//!
//! The counter itself ([`Counter`]: guard, bounds, answers) serves `edges/changes`, too.

pub mod alertmanager;
mod answer;
pub mod auth;
pub mod bounds;
pub mod cloudevents;
pub mod cloudwatch;
pub mod datadog;
pub mod fields;
pub mod grafana;
mod intake;
pub mod json;
pub mod newrelic;
pub mod opsgenie;
pub mod pagerduty;
mod route;
pub mod sentry;
pub mod signature;
pub mod sns;
pub mod text;
pub mod told;
pub mod zabbix;

pub use self::answer::Told;
pub use self::intake::Limits;
pub use self::route::{Alerts, Unfit, router, router_at};

use self::intake::Reader;
use self::signature::Signing;
use crate::config::source::{KnownKind, Source};
use crate::flow::event::Event;
use crate::flow::moment::At;
use crate::ports::Arrival;
use axum::http::HeaderMap;
use std::sync::Arc;

/// Bytes of one delivery. Alertmanager's `max_alerts` is unlimited by default; an alert takes 0.5 to 1 KiB.
pub const MAX_BODY: usize = 16 * 1024 * 1024;
/// Bytes of a delivery that is about one thing: what PagerDuty, Sentry and GitHub send, texts and all.
pub const MAX_ONE: usize = 1024 * 1024;
/// Characters of an unreadable body kept for a person to look at.
pub const MAX_SAMPLE: usize = 2_000;
/// Secrets are looked for in a text this many times longer than what is kept: one that the cut would halve is still seen whole.
const AHEAD: usize = 4;

/// Something that sends alerts, and how to read it.
#[derive(Debug)]
pub struct Kind {
    /// As it is written in the configuration.
    pub name: &'static str,
    pub about: &'static str,
    /// Pure. The body has the media type that `media` asks for; nothing else is known of it.
    pub read: fn(&Setting<'_>, &[u8]) -> Result<Reading, Unreadable>,
    pub media: Media,
    /// How it signs what it sends: `auth = { hmac = … }`. `None`: it can't.
    pub signing: Option<Signing>,
    /// Bytes of one delivery, at most [`MAX_BODY`]: how much of a stranger's is read before its signature says who it is.
    pub max_body: usize,
}

/// What a body must call itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/json`, or a media type built on it.
    Json,
    /// JSON under whatever name (some senders say `text/plain`).
    Any,
}

/// Everything that can be a `kind` of source. How to point each at us is in docs/sources.md.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "alertmanager",
        about: "Prometheus Alertmanager, webhook version 4",
        read: alertmanager::read,
        media: Media::Json,
        signing: None,
        max_body: MAX_BODY,
    },
    Kind {
        name: "grafana",
        about: "Grafana's alerting, webhook contact point",
        read: grafana::read,
        media: Media::Json,
        signing: Some(grafana::SIGNING),
        max_body: MAX_BODY,
    },
    Kind {
        name: "pagerduty",
        about: "PagerDuty, webhooks version 3",
        read: pagerduty::read,
        media: Media::Json,
        signing: Some(pagerduty::SIGNING),
        max_body: MAX_ONE,
    },
    Kind {
        name: "opsgenie",
        about: "Opsgenie, webhook integration",
        read: opsgenie::read,
        media: Media::Json,
        signing: None,
        max_body: MAX_ONE,
    },
    Kind {
        name: "datadog",
        about: "Datadog, webhooks integration with our payload",
        read: datadog::read,
        media: Media::Json,
        signing: None,
        max_body: MAX_ONE,
    },
    Kind {
        name: "sentry",
        about: "Sentry, webhooks of an internal integration",
        read: sentry::read,
        media: Media::Json,
        signing: Some(sentry::SIGNING),
        max_body: MAX_ONE,
    },
    Kind {
        name: "newrelic",
        about: "New Relic, webhook of a workflow",
        read: newrelic::read,
        media: Media::Json,
        signing: None,
        max_body: MAX_ONE,
    },
    Kind {
        name: "zabbix",
        about: "Zabbix, webhook media type with our script",
        read: zabbix::read,
        media: Media::Json,
        signing: None,
        max_body: MAX_ONE,
    },
    Kind {
        name: "cloudevents",
        about: "CloudEvents 1.0: structured, binary, batched",
        read: cloudevents::read,
        media: Media::Json,
        signing: None,
        max_body: MAX_BODY,
    },
    Kind {
        name: KnownKind::THROUGH_SNS,
        about: "CloudWatch alarms through Amazon SNS",
        read: cloudwatch::read,
        // SNS says text/plain.
        media: Media::Any,
        signing: None,
        max_body: sns::envelope::MAX_ENVELOPE,
    },
    Kind {
        name: KnownKind::MAPPED,
        about: "any JSON, by a mapping file",
        read: json::unmapped,
        media: Media::Any,
        signing: None,
        max_body: MAX_BODY,
    },
];

/// What is known of a delivery besides its bytes.
pub struct Setting<'s> {
    /// The source's name.
    pub source: &'s str,
    pub now: At,
    /// As they came. No signature covers them, so neither an alert's identity nor a delivery's key may hang on them where a
    /// kind signs.
    pub headers: &'s HeaderMap,
    /// Takes secrets out of a text before it is kept.
    pub scrub: &'s (dyn Fn(&str) -> String + Send + Sync),
}

/// Takes secrets out of a text.
pub type Scrub = Arc<dyn Fn(&str) -> String + Send + Sync>;

impl std::fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting").field("source", &self.source).field("now", &self.now).finish_non_exhaustive()
    }
}

impl Setting<'_> {
    /// For names and values; see [`text::line`].
    #[must_use]
    pub fn line(&self, outside: &str, max_chars: usize) -> String {
        text::line(&(self.scrub)(&text::line(outside, max_chars * AHEAD)), max_chars)
    }

    /// For descriptions; see [`text::block`].
    #[must_use]
    pub fn block(&self, outside: &str, max_chars: usize) -> String {
        text::block(&(self.scrub)(&text::block(outside, max_chars * AHEAD)), max_chars)
    }
}

/// What a delivery said.
#[derive(Debug, Default)]
pub struct Reading {
    /// Empty when the delivery was: nothing to store.
    pub arrivals: Vec<Arrival>,
    /// Signals in all arrivals.
    pub signals: usize,
    /// Alerts of it that could not be read, and why the first of them.
    pub refused: usize,
    pub first_refusal: Option<String>,
    /// Alerts that lost labels, annotations or the end of a text to the bounds.
    pub trimmed: usize,
    /// Alerts the sender itself left out (`truncatedAlerts`).
    pub cut_by_sender: u64,
    /// Parts of it that are valid and say nothing of an alert (a test, a comment, a kind of event nobody knows yet), and
    /// what the first of them was. They are acknowledged: senders switch off a webhook that keeps failing.
    pub ignored: usize,
    pub first_ignored: Option<String>,
    /// How far the newest start in it lies ahead of our clock, milliseconds: a sender's clock is ahead by that at least. Set
    /// by the route.
    pub ahead_ms: Option<i64>,
}

impl Reading {
    fn refuse(&mut self, why: String) {
        self.refused += 1;
        self.first_refusal.get_or_insert(why);
    }

    /// A delivery that says nothing of an alert, and why that is so.
    #[must_use]
    pub fn nothing(why: impl Into<String>) -> Self {
        Self { ignored: 1, first_ignored: Some(why.into()), ..Self::default() }
    }
}

/// How far the newest start of these lies ahead of `now`, milliseconds.
fn ahead(arrivals: &[Arrival], now: At) -> Option<i64> {
    let signals = arrivals.iter().flat_map(|arrival| match &arrival.event {
        Event::Signals(delivery) => delivery.signals.as_slice(),
        _ => &[],
    });
    signals.map(|signal| signal.starts_at).max().map(|start| start.since(now))
}

/// Why nothing of a delivery can be used. In words for whoever set up the sender.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// 400
    #[error("{0}")]
    Malformed(String),
    /// 413
    #[error("{0}")]
    TooLarge(String),
}

/// A place in the door where deliveries of some kinds come in. There is this one, and `edges/changes` has one of its own.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    /// The first part of its addresses, and of its inbox sources.
    pub name: &'static str,
    pub kinds: &'static [Kind],
}

/// Where alerts come in.
pub const COUNTER: Counter = Counter { name: "alerts", kinds: KINDS };

impl Counter {
    /// The kind of this name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// What can stand as `kind` in the configuration.
    #[must_use]
    pub fn known(&self) -> Vec<KnownKind> {
        self.kinds.iter().map(|kind| KnownKind { name: kind.name, signs: kind.signing.is_some() }).collect()
    }

    /// Reads a delivery without the door around it. Pure.
    ///
    /// # Errors
    /// [`Unreadable`]: nothing of it can be used, or there is no such kind here.
    pub fn read(&self, source: &Source, setting: &Setting<'_>, body: &[u8]) -> Result<Reading, Unreadable> {
        let unknown = || Unreadable::Malformed(format!("there is no kind of source {:?}", source.kind));
        let kind = self.kind(&source.kind).ok_or_else(unknown)?;
        Reader { kind, mapping: source.mapping.clone() }.read(setting, body)
    }

    /// Delivery keys are unique within this.
    #[must_use]
    pub fn inbox_source(&self, source: &str) -> String {
        format!("{}/{source}", self.name)
    }
}

/// Delivery keys are unique within this.
#[must_use]
pub fn inbox_source(source: &str) -> String {
    COUNTER.inbox_source(source)
}

/// The kind of this name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    COUNTER.kind(name)
}

/// What can stand as `kind` in the configuration.
#[must_use]
pub fn kinds() -> Vec<KnownKind> {
    COUNTER.known()
}

/// Reads a delivery without the door around it: what `explain` and `source test` show. Pure.
///
/// # Errors
/// [`Unreadable`]: nothing of it can be used, or there is no such kind.
pub fn read(kind: &str, setting: &Setting<'_>, body: &[u8]) -> Result<Reading, Unreadable> {
    let known = self::kind(kind);
    let kind = known.ok_or_else(|| Unreadable::Malformed(format!("there is no kind of source {kind:?}")))?;
    (kind.read)(setting, body)
}
