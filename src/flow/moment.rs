//! A moment, as the flow knows it: epoch milliseconds UTC, handed in from outside. Knows no clock.

use serde::{Deserialize, Serialize};

/// Epoch milliseconds UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct At(pub i64);

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

impl At {
    /// `ms` later; saturates at the ends of time.
    #[must_use]
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; 0 when the clock went backwards.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        let d = self.0.saturating_sub(earlier.0);
        if d < 0 { 0 } else { d }
    }

    /// The latest `hour:minute` (UTC) that is not after this moment. Out of range, they count on: the minute 60 is the next hour's first.
    #[must_use]
    pub const fn last(self, hour: u8, minute: u8) -> Self {
        let midnight = self.0.saturating_sub(self.0.rem_euclid(DAY));
        let today = midnight.saturating_add(hour as i64 * HOUR + minute as i64 * MINUTE);
        Self(if today > self.0 { today.saturating_sub(DAY) } else { today })
    }

    /// A minute of the calendar, in UTC; `None` when there is no such day or minute.
    #[must_use]
    pub fn on(year: i16, month: u8, day: u8, hour: u8, minute: u8) -> Option<Self> {
        let small = |n: u8| i8::try_from(n).ok();
        let date = jiff::civil::Date::new(year, small(month)?, small(day)?).ok()?;
        let time = jiff::civil::Time::new(small(hour)?, small(minute)?, 0, 0).ok()?;
        let moment = date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self(moment.timestamp().as_millisecond()))
    }

    /// `2026-11-20 10:02` in UTC.
    #[must_use]
    pub fn minute(self) -> String {
        self.format("%Y-%m-%d %H:%M")
    }

    /// `10:02` in UTC.
    #[must_use]
    pub fn hm(self) -> String {
        self.format("%H:%M")
    }

    /// `2026-11-20` in UTC.
    #[must_use]
    pub fn day(self) -> String {
        self.format("%Y-%m-%d")
    }

    /// `2026-11-20T10:02:03Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%SZ")
    }

    fn format(self, pattern: &str) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(
            |_| format!("{} ms", self.0),
            |t| t.to_zoned(jiff::tz::TimeZone::UTC).strftime(pattern).to_string(),
        )
    }
}

/// A duration in words: `250 ms`, `45 s`, `3 min`, `2 h 5 min`, `63 days`.
#[must_use]
pub fn span(ms: i64) -> String {
    let ms = ms.max(0);
    if ms < SECOND {
        format!("{ms} ms")
    } else if ms < MINUTE {
        format!("{} s", ms / SECOND)
    } else if ms < HOUR {
        format!("{} min", ms / MINUTE)
    } else if ms < 2 * DAY {
        let (h, m) = (ms / HOUR, ms % HOUR / MINUTE);
        if m == 0 { format!("{h} h") } else { format!("{h} h {m} min") }
    } else {
        format!("{} days", ms / DAY)
    }
}
