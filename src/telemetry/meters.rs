//! Numbers that are counted where things happen, and the page that shows them all in the OpenMetrics text format.
//!
//! Labels are words of ours and names of the configuration, never what a sender wrote: a hostile source can't add a series.

use super::gauges::Gauges;
use super::process::Process;
use crate::flow::effect::Destination;
use crate::flow::fact::Ended;
use crate::flow::moment::{At, SECOND};
use crate::ports::{Observer, Progress};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// What the page is, for its `Content-Type`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Before each name of ours.
const PREFIX: &str = "smokejumper";
/// Series of one name, at most. More than any configuration has sources and routes; what comes later is `other`.
const MAX_SERIES: usize = 256;
/// Put in place of a label that is one too many.
const OTHER: &str = "other";

type Labels<const N: usize> = [(&'static str, String); N];
type Counters<const N: usize> = Series<N, Counter>;
type Moments = Series<1, Gauge<f64, AtomicU64>>;

/// Everything that is counted. Shared; counting takes no lock that anybody waits for long.
pub struct Meters {
    registry: Registry,
    gauges: Gauges,
    turns: Counter,
    decide: Histogram,
    commit: Histogram,
    last_inbound: Moments,
    skew: Moments,
    answers: Counters<2>,
    signals: Counters<2>,
    http: Counters<2>,
    deliveries: Counters<2>,
    runs: Counters<1>,
    heartbeats: Counters<1>,
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}

/// An answer to a delivery of alerts, as it is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered<'a> {
    /// A name of the configuration; `None`: there is no such source.
    pub source: Option<&'a str>,
    /// A word of ours for the answer.
    pub answer: &'static str,
    pub accepted: u64,
    pub refused: u64,
    /// How far the newest moment in it lies ahead of our clock, milliseconds; negative in the usual case.
    pub ahead_ms: Option<i64>,
}

impl Meters {
    /// `started`: now.
    #[must_use]
    pub fn new(gauges: Gauges, started: At) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process));
        let start: Gauge<f64, AtomicU64> = Gauge::default();
        start.set(seconds(started.0));
        registry.register("process_start_time_seconds", "When it started, epoch seconds", start);
        let ours = registry.sub_registry_with_prefix(PREFIX);
        ours.register_collector(Box::new(gauges.clone()));
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        ours.register("build", "What is running", Info::new(version));
        // From 10 µs: deciding is pure; up to 10 s: the deadline of whoever sent it.
        let decide = Histogram::new(exponential_buckets(0.000_01, 4.0, 10));
        // From half a millisecond, a good disk's sync, to 16 s.
        let commit = Histogram::new(exponential_buckets(0.000_5, 2.0, 16));
        let made = Self {
            gauges,
            turns: Counter::default(),
            decide,
            commit,
            last_inbound: Series::new(),
            skew: Series::new(),
            answers: Series::new(),
            signals: Series::new(),
            http: Series::new(),
            deliveries: Series::new(),
            runs: Series::new(),
            heartbeats: Series::new(),
            registry: Registry::default(),
        };
        ours.register("turns", "Events decided and stored", made.turns.clone());
        ours.register_with_unit("decide", "Deciding one event", Unit::Seconds, made.decide.clone());
        ours.register_with_unit("commit", "Storing one batch of turns", Unit::Seconds, made.commit.clone());
        let help = "When the last event of a source or platform came in, epoch seconds";
        ours.register("last_inbound_timestamp_seconds", help, made.last_inbound.family.clone());
        let help = "How far the newest moment of a source's last delivery lies ahead of this clock; 0 when it does not";
        ours.register("clock_skew_seconds", help, made.skew.family.clone());
        ours.register("alert_answers", "Answers to deliveries of alerts", made.answers.family.clone());
        ours.register("alerts", "Alerts in deliveries, by what became of them", made.signals.family.clone());
        ours.register("http_answers", "HTTP answers by route and class", made.http.family.clone());
        ours.register(
            "deliveries",
            "Attempts to carry out an effect, by their outcome",
            made.deliveries.family.clone(),
        );
        ours.register("runs", "Runs of runbooks that ended, by how", made.runs.family.clone());
        ours.register("heartbeats", "Heartbeats sent to the dead man's switch", made.heartbeats.family.clone());
        made.seed();
        Self { registry, ..made }
    }

    /// Closed sets begin at nothing, so that the first of a kind is a rise and not an appearance.
    fn seed(&self) {
        for outcome in ["succeeded", "failed", "timed_out", "not_started", "unknown"] {
            let _ = self.runs.of([("outcome", outcome.to_owned())]);
        }
        for outcome in ["sent", "failed"] {
            let _ = self.heartbeats.of([("outcome", outcome.to_owned())]);
        }
    }

    /// A source of the configuration: its counters begin at nothing.
    pub fn expect_source(&self, source: &str) {
        for answer in ["taken", "later"] {
            self.answers.of([("source", source.to_owned()), ("answer", answer.to_owned())]).inc_by(0);
        }
        for outcome in ["accepted", "refused"] {
            self.signals.of([("source", source.to_owned()), ("outcome", outcome.to_owned())]).inc_by(0);
        }
    }

    #[must_use]
    pub const fn gauges(&self) -> &Gauges {
        &self.gauges
    }

    /// All of it, as text.
    #[must_use]
    pub fn page(&self) -> String {
        let mut text = String::new();
        if let Err(problem) = encode(&mut text, &self.registry) {
            tracing::error!(%problem, "the metrics could not be written");
        }
        text
    }

    /// A delivery of alerts was answered.
    pub fn answered(&self, told: &Answered<'_>) {
        let source = told.source.unwrap_or("unknown").to_owned();
        self.answers.of([("source", source.clone()), ("answer", told.answer.to_owned())]).inc();
        for (outcome, n) in [("accepted", told.accepted), ("refused", told.refused)] {
            if n > 0 {
                self.signals.of([("source", source.clone()), ("outcome", outcome.to_owned())]).inc_by(n);
            }
        }
        if let Some(ahead) = told.ahead_ms {
            self.skewed(&source, ahead);
        }
    }

    /// How far a sender's clock is ahead of ours, milliseconds.
    pub fn skewed(&self, source: &str, ahead_ms: i64) {
        self.skew.of([("source", source.to_owned())]).set(seconds(ahead_ms.max(0)));
    }

    /// A request was answered. `route`: as it is declared in the code, never the path of the request.
    pub fn http(&self, route: &str, status: u16) {
        let class = format!("{}xx", status / 100);
        self.http.of([("route", route.to_owned()), ("class", class)]).inc();
    }

    pub fn heartbeat(&self, arrived: bool) {
        let outcome = if arrived { "sent" } else { "failed" };
        self.heartbeats.of([("outcome", outcome.to_owned())]).inc();
    }
}

impl Observer for Meters {
    fn arrived(&self, source: &str, at: At) {
        self.last_inbound.of([("source", source.to_owned())]).set(seconds(at.0));
    }

    fn decided(&self, took: Duration) {
        self.decide.observe(took.as_secs_f64());
    }

    fn committed(&self, took: Duration, turns: usize, runs: &[Ended]) {
        self.commit.observe(took.as_secs_f64());
        self.turns.inc_by(turns as u64);
        for ended in runs {
            let outcome = match ended {
                Ended::Succeeded => "succeeded",
                Ended::Failed { .. } => "failed",
                Ended::TimedOut { .. } => "timed_out",
                Ended::NotStarted { .. } => "not_started",
                Ended::Unknown { .. } => "unknown",
            };
            self.runs.of([("outcome", outcome.to_owned())]).inc();
        }
    }

    fn carried(&self, destination: Destination, progress: &Progress) {
        let outcome = match progress {
            Progress::Sending => return,
            Progress::Sent { .. } => "sent",
            Progress::Again { .. } => "again",
            Progress::Unknown { .. } | Progress::Look { .. } => "unknown",
            Progress::Superseded { .. } => "superseded",
            Progress::Dead { .. } => "dead",
        };
        self.deliveries.of([("destination", destination.label()), ("outcome", outcome.to_owned())]).inc();
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / SECOND as f64
}

/// A name's series, of which there are never too many.
struct Series<const N: usize, M> {
    family: Family<Labels<N>, M>,
    number: AtomicUsize,
}

impl<const N: usize, M: Default + Clone> Series<N, M> {
    fn new() -> Self {
        Self { family: Family::default(), number: AtomicUsize::new(0) }
    }

    /// The series of these labels, or of `other` when there are too many already.
    fn of(&self, labels: Labels<N>) -> M {
        if let Some(known) = self.family.get(&labels) {
            return known.clone();
        }
        let more = self.number.fetch_add(1, Ordering::Relaxed) < MAX_SERIES;
        self.family.get_or_create_owned(&if more { labels } else { labels.map(|(name, _)| (name, OTHER.to_owned())) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meters() -> Meters {
        Meters::new(Gauges::default(), At(1_795_168_800_000))
    }

    #[test]
    fn the_page_is_open_metrics_and_ends() {
        let meters = meters();
        meters.answered(&Answered {
            source: Some("prod"),
            answer: "taken",
            accepted: 3,
            refused: 1,
            ahead_ms: Some(2_500),
        });
        meters.arrived("alerts/prod", At(1_795_168_800_500));
        meters.http("/alerts/{source}", 200);
        let page = meters.page();
        assert!(page.ends_with("# EOF\n"), "{page}");
        for line in [
            "smokejumper_alert_answers_total{source=\"prod\",answer=\"taken\"} 1",
            "smokejumper_alerts_total{source=\"prod\",outcome=\"accepted\"} 3",
            "smokejumper_clock_skew_seconds{source=\"prod\"} 2.5",
            "smokejumper_last_inbound_timestamp_seconds{source=\"alerts/prod\"} 1795168800.5",
            "smokejumper_http_answers_total{route=\"/alerts/{source}\",class=\"2xx\"} 1",
            "process_start_time_seconds 1795168800.0",
            "smokejumper_runs_total{outcome=\"unknown\"} 0",
        ] {
            assert!(page.lines().any(|l| l == line), "{line} is not in\n{page}");
        }
    }

    #[test]
    fn no_set_of_labels_grows_without_end() {
        let meters = meters();
        for n in 0..10_000 {
            meters.http(&format!("/made-up/{n}"), 404);
        }
        let page = meters.page();
        assert_eq!(page.matches("smokejumper_http_answers_total{").count(), MAX_SERIES + 1);
        assert!(page.contains("{route=\"other\",class=\"other\"}"));
    }
}
