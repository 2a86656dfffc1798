//! One alert as a vendor tells it, on its way to a signal and a delivery: cut to the bounds, with the key that makes a
//! repetition the same.
//!
//! For kinds whose deliveries are about one alert each. Knows no vendor.

use super::{Reading, Setting, bounds, inbox_source};
use crate::flow::event::Event;
use crate::flow::moment::At;
use crate::flow::signal::{AlertKey, AlertStatus, Delivery, START_UNKNOWN, Signal};
use crate::ports::Arrival;

/// Not bounded yet.
#[derive(Debug)]
pub struct Told<'t> {
    /// The vendor's name for it: the same when it fires and when it is resolved.
    pub fingerprint: &'t str,
    pub status: AlertStatus,
    /// When this state began, as far as the vendor says. It orders what is told of one alert, in whatever order it comes:
    /// the later wins, and of two at the same time the resolution.
    pub starts: Option<At>,
    pub ends: Option<At>,
    /// The first of each name stays; those without text are left out.
    pub labels: Vec<(&'t str, Option<&'t str>)>,
    pub annotations: Vec<(&'t str, Option<&'t str>)>,
    pub link: Option<&'t str>,
}

impl Told<'_> {
    /// `key` is what makes this delivery the same as another: taken from what a signature covers.
    #[must_use]
    pub fn reading(self, setting: &Setting<'_>, key: &[&str]) -> Reading {
        let (arrival, trimmed) = self.arrival(setting, key);
        Reading { arrivals: vec![arrival], signals: 1, trimmed: usize::from(trimmed), ..Reading::default() }
    }

    /// As a delivery of its own, and whether it was cut.
    #[must_use]
    pub fn arrival(self, setting: &Setting<'_>, key: &[&str]) -> (Arrival, bool) {
        let parts: Vec<&[u8]> = key.iter().map(|part| part.as_bytes()).collect();
        let (signal, trimmed) = self.signal(setting);
        let delivery = Delivery { source: setting.source.to_owned(), group: None, signals: vec![signal] };
        let arrival = Arrival {
            source: inbox_source(setting.source),
            key: bounds::digest(&parts),
            at: setting.now,
            event: Event::Signals(delivery),
        };
        (arrival, trimmed)
    }

    fn signal(self, setting: &Setting<'_>) -> (Signal, bool) {
        let starts_at = self.starts.filter(|at| bounds::plausible(*at, setting.now)).unwrap_or(START_UNKNOWN);
        let ends = self.ends.filter(|at| self.status == AlertStatus::Resolved && bounds::plausible(*at, setting.now));
        let (labels, labels_cut) = bounds::labels(setting, firsts(self.labels));
        let (annotations, annotations_cut) = bounds::annotations(setting, firsts(self.annotations));
        let fingerprint = bounds::fingerprint(setting, self.fingerprint);
        let key = AlertKey { source: setting.source.to_owned(), fingerprint };
        let link = self.link.and_then(bounds::link).map(|url| (setting.scrub)(&url));
        let ends_at = ends.map(|at| at.max(starts_at));
        let signal = Signal { key, status: self.status, starts_at, ends_at, labels, annotations, link };
        (signal, labels_cut || annotations_cut)
    }
}

fn firsts<'t>(pairs: Vec<(&'t str, Option<&'t str>)>) -> Vec<(&'t str, &'t str)> {
    let mut kept: Vec<(&str, &str)> = Vec::with_capacity(pairs.len());
    let mut seen = std::collections::BTreeSet::new();
    for (name, text) in pairs {
        if let Some(text) = text.filter(|t| !t.trim().is_empty())
            && seen.insert(name)
        {
            kept.push((name, text));
        }
    }
    kept
}
