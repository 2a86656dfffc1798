//! Hours of a week in a time zone: `Mon-Fri 09:00-17:00, Sat 10:00-14:00`. Working hours, maintenance, the condition `time_in`.
//!
//! Text in, [`Hours`] out, or where and why not. Wall-clock hours: they follow daylight saving. Knows nothing of files; the
//! zone is handed in, already found.

use super::moment::At;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// Longest text, in bytes: every day of the week with three shifts.
const MAX_TEXT: usize = 512;
/// Most slots in one text, for the same reason.
const MAX_SLOTS: usize = 32;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// Parts of a week, in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    text: String,
    slots: Vec<Slot>,
    zone: TimeZone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    /// Bit n: the n-th day, Monday is 0. The day on which it begins.
    days: u8,
    /// Minutes since midnight, below [`DAY_MINUTES`].
    from: u16,
    /// Up to [`DAY_MINUTES`]. Not after `from`: it ends on the next day.
    until: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {hint}")]
pub struct HoursError {
    /// Byte offset in the text that was parsed.
    pub at: usize,
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

impl Hours {
    /// Slots separated by `,`: days (`Mon`, `Mon-Fri`, `Sat/Sun`; without any every day) and times of 24 hours. A slot that ends
    /// before it begins goes on past midnight.
    ///
    /// # Errors
    /// The first slot that is not one.
    pub fn parse(text: &str, zone: TimeZone) -> Result<Self, HoursError> {
        if text.len() > MAX_TEXT {
            return Err(wrong(0, format!("more than {MAX_TEXT} bytes of hours"), "write fewer"));
        }
        let mut slots = Vec::new();
        let mut at = 0;
        for part in text.split(',') {
            slots.push(slot(part, at)?);
            at += part.len() + 1;
        }
        if slots.len() > MAX_SLOTS {
            return Err(wrong(0, format!("more than {MAX_SLOTS} slots"), "write fewer"));
        }
        Ok(Self { text: text.trim().to_owned(), slots, zone })
    }

    /// Whether a moment lies in them.
    #[must_use]
    pub fn contains(&self, now: At) -> bool {
        let Ok(timestamp) = jiff::Timestamp::from_millisecond(now.0) else { return false };
        let local = timestamp.to_zoned(self.zone.clone());
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or_default();
        let today = local.weekday();
        self.slots.iter().any(|slot| slot.contains(today, minute))
    }

    /// The same hours of another wall.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// As written, with its zone: `Mon-Fri 09:00-17:00 (Europe/Madrid)`.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} ({})", self.text, self.zone.iana_name().unwrap_or("UTC"))
    }
}

impl Default for Hours {
    /// What most people mean by working hours.
    fn default() -> Self {
        let slots = vec![Slot { days: 0b001_1111, from: 9 * 60, until: 17 * 60 }];
        Self { text: "Mon-Fri 09:00-17:00".to_owned(), slots, zone: TimeZone::UTC }
    }
}

impl Slot {
    fn contains(self, today: Weekday, minute: u16) -> bool {
        let on = |day: Weekday| self.days & (1 << day.to_monday_zero_offset()) != 0;
        if self.from < self.until {
            return on(today) && self.from <= minute && minute < self.until;
        }
        on(today) && minute >= self.from || on(today.previous()) && minute < self.until
    }
}

fn wrong(at: usize, what: impl Into<String>, hint: &str) -> HoursError {
    HoursError { at, what: what.into(), hint: hint.to_owned() }
}

const EXAMPLE: &str = "write them like \"Mon-Fri 09:00-17:00\" or \"Sun 02:00-04:00\"";

/// `at`: where the part begins in the whole text.
fn slot(part: &str, at: usize) -> Result<Slot, HoursError> {
    let start = at + part.len() - part.trim_start().len();
    let words: Vec<&str> = part.split_whitespace().collect();
    let (days, times) = match words.as_slice() {
        [times] => (None, *times),
        [days, times] => (Some(*days), *times),
        _ => return Err(wrong(start, "these are no hours", EXAMPLE)),
    };
    let days = match days {
        None => 0b111_1111,
        Some(days) => read_days(days)
            .ok_or_else(|| wrong(start, format!("`{}` are no days of a week", days.escape_debug()), EXAMPLE))?,
    };
    let minutes = |text: &str| {
        let (hour, minute) = text.split_once(':')?;
        let digits = |t: &str| (1..=2).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
        let (hour, minute) = (hour.parse::<u16>().ok().filter(|_| digits(hour))?, minute.parse::<u16>().ok()?);
        let all = hour * 60 + minute;
        (minute < 60 && all <= DAY_MINUTES).then_some(all)
    };
    let span = times.split_once('-').and_then(|(from, until)| Some((minutes(from)?, minutes(until)?)));
    let at_times = start + part.trim_start().rfind(times).unwrap_or_default();
    match span {
        Some((from, until)) if from < DAY_MINUTES && from != until => Ok(Slot { days, from, until }),
        _ => Err(wrong(at_times, format!("`{}` is no time from and until", times.escape_debug()), EXAMPLE)),
    }
}

/// `Mon`, `Mon-Fri`, `Sat/Sun`, `Fri-Mon`.
fn read_days(text: &str) -> Option<u8> {
    let day = |name: &str| {
        let name = name.to_ascii_lowercase();
        let long = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        DAYS.iter().zip(long).position(|(short, long)| *short == name || long == name)
    };
    let mut days = 0;
    for part in text.split('/') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let mut at = first;
        loop {
            days |= 1 << at;
            if at == last {
                break;
            }
            at = (at + 1) % DAYS.len();
        }
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> At {
        At(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn hours(text: &str, zone: &str) -> Hours {
        Hours::parse(text, TimeZone::get(zone).unwrap()).unwrap()
    }

    #[test]
    fn hours_are_those_of_the_wall_in_their_zone() {
        let madrid = hours("Mon-Fri 09:00-17:00", "Europe/Madrid");
        // A Friday in winter (+01:00) and one in summer (+02:00).
        for (moment, is) in [
            ("2026-11-20T07:59:00Z", false),
            ("2026-11-20T08:00:00Z", true),
            ("2026-11-20T15:59:59Z", true),
            ("2026-11-20T16:00:00Z", false),
            ("2026-07-24T07:00:00Z", true),
            ("2026-07-24T15:00:00Z", false),
            ("2026-11-21T10:00:00Z", false),
        ] {
            assert_eq!(madrid.contains(at(moment)), is, "{moment}");
        }
        assert_eq!(madrid.text(), "Mon-Fri 09:00-17:00 (Europe/Madrid)");
    }

    #[test]
    fn a_slot_may_pass_midnight_and_a_week_its_end() {
        let night = hours("Sun 22:00-02:00, 12:00-12:30", "UTC");
        for (moment, is) in [
            ("2026-11-22T21:59:00Z", false),
            ("2026-11-22T22:00:00Z", true),
            ("2026-11-23T01:59:00Z", true),
            ("2026-11-23T02:00:00Z", false),
            ("2026-11-22T01:00:00Z", false),
            ("2026-11-24T12:15:00Z", true),
        ] {
            assert_eq!(night.contains(at(moment)), is, "{moment}");
        }
        assert!(hours("Sat-Mon 00:00-24:00", "UTC").contains(at("2026-11-23T23:59:59Z")));
        assert!(hours("Sat/mon 0:00-24:00", "UTC").contains(at("2026-11-23T23:59:59Z")));
        assert!(!hours("Sat/Mon 00:00-24:00", "UTC").contains(at("2026-11-22T12:00:00Z")));
    }

    #[test]
    fn what_are_no_hours_is_said_with_its_place() {
        for (text, at) in [
            ("", 0),
            ("Mon-Fri", 0),
            ("Mon-Fry 09:00-17:00", 0),
            ("Mon 09:00-17:00, Tue 9-17", 21),
            ("Mon 09:00-09:00", 4),
            ("Mon 24:00-01:00", 4),
            ("Mon 09:00-25:00", 4),
            ("Mon 09:60-10:00", 4),
            ("Mon 09:00 - 17:00", 0),
            ("Mon 999999:00-17:00", 4),
        ] {
            let error = Hours::parse(text, TimeZone::UTC).expect_err(text);
            assert_eq!(error.at, at, "{text}: {error}");
        }
        assert!(Hours::parse(&"Mon 09:00-17:00,".repeat(33), TimeZone::UTC).is_err());
    }

    #[test]
    fn the_usual_hours_are_what_they_say() {
        let usual = Hours::default();
        assert_eq!(Hours::parse("Mon-Fri 09:00-17:00", TimeZone::UTC).unwrap(), usual);
    }
}
