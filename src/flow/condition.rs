//! Named conditions a route may carry besides its matchers, each in plain words. There is no expression language (DESIGN 16).
//!
//! Knows what can be asked of the desk at a moment; knows nothing of what a route then does.

use super::draft::Draft;
use super::hours::Hours;
use super::moment::span;
use super::policy::Matcher;
use super::signal::{AlertKey, AlertStatus};
use super::suspects;

/// Something that holds or does not, at the moment an alert is placed.
#[derive(Clone, Debug)]
pub enum Condition {
    /// It is one of these hours.
    TimeIn(Hours),
    /// Another alert that matches is firing.
    AlertFiring(Vec<Matcher>),
    /// The alert's service, or one it depends on, was changed on purpose this recently (ms). A change that names no service is not
    /// about it: whoever may tell of changes is not to say which alerts count.
    ChangedWithin(i64),
}

impl Condition {
    /// Whether it holds for the alert `key` of `service` now.
    #[must_use]
    pub fn holds(&self, draft: &Draft, key: &AlertKey, service: Option<&str>) -> bool {
        match self {
            Self::TimeIn(hours) => hours.contains(draft.now),
            Self::AlertFiring(matchers) => draft.alerts().any(|a| {
                a.status == AlertStatus::Firing && a.key != *key && matchers.iter().all(|m| m.matches(&a.labels))
            }),
            Self::ChangedWithin(window) => draft.desk.changes.iter().any(|c| {
                let named = c.service.as_deref().zip(service);
                named.is_some_and(|(changed, own)| suspects::touches(changed, own, draft.policy))
                    && c.at <= draft.now
                    && draft.now.since(c.at) < *window
            }),
        }
    }

    /// `it is Mon-Fri 09:00-17:00 (UTC)`, `an alert with alertname="Down" is firing`.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::TimeIn(hours) => format!("it is {}", hours.text()),
            Self::AlertFiring(matchers) => {
                let all: Vec<String> = matchers.iter().map(Matcher::text).collect();
                format!("another alert with {} is firing", all.join(", "))
            }
            Self::ChangedWithin(window) => format!("its service was changed within {}", span(*window)),
        }
    }
}
