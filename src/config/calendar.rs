//! A calendar file (iCalendar, RFC 5545) as shifts: who is on call when, laid out for some weeks ahead.
//!
//! Knows events, their zones, repetitions and exceptions; whom an event means is handed in. Whatever it can't read is said,
//! never guessed: a shift that is missing is a gap, and gaps are told.

use crate::flow::identity::PersonId;
use crate::flow::moment::{At, DAY};
use crate::flow::rota::Shift;
use icalendar::parser::{Component, Property, read_calendar, unfold};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rrule::RRuleSet;
use std::collections::BTreeSet;

/// How far ahead shifts are laid out: a person asks about next month, and they are laid out anew every few hours.
pub const AHEAD: i64 = 62 * DAY;
/// And back: who was on call yesterday evening may still be asked.
const BACK: i64 = 2 * DAY;
/// Components within each other; a calendar has three (calendar, event, alarm).
const MAX_DEPTH: usize = 8;
/// Events of one calendar, and shifts that come of them within the time laid out.
const MAX_EVENTS: usize = 5_000;
const MAX_SHIFTS: usize = 5_000;
/// Repetitions counted until the time laid out is reached: a daily event of a century.
const MAX_REPEATS: usize = 40_000;

/// Something that could not be used, and the line it is in, from 1; 0: the file as a whole.
#[derive(Debug, PartialEq, Eq)]
pub struct Trouble {
    pub line: usize,
    pub what: String,
    pub hint: &'static str,
}

/// How events are read.
pub struct Reading<'r> {
    pub now: At,
    /// Of events that name no zone; also of those whose zone is not in the IANA database, when `zone_is_given`.
    pub zone: TimeZone,
    pub zone_is_given: bool,
    /// Whom a summary or an address of an attendee means.
    pub whom: &'r dyn Fn(&str) -> Option<PersonId>,
}

/// One event, resolved.
struct Event {
    uid: String,
    line: usize,
    who: Vec<PersonId>,
    zone: TimeZone,
    from: DateTime,
    until: DateTime,
    rule: Option<String>,
    except: BTreeSet<At>,
    also: Vec<At>,
    /// It stands for the repetition that would have begun then.
    instead_of: Option<At>,
    cancelled: bool,
}

/// The shifts of a calendar around `now`, and what could not be used of it.
#[must_use]
pub fn shifts(text: &str, reading: &Reading<'_>) -> (Vec<Shift>, Vec<Trouble>) {
    let mut troubles = Vec::new();
    if depth(text) > MAX_DEPTH {
        troubles.push(trouble(0, "this is no calendar: its parts are too deep in each other".to_owned(), EXPORT));
        return (Vec::new(), troubles);
    }
    let unfolded = unfold(text);
    let Ok(calendar) = read_calendar(&unfolded) else {
        troubles.push(trouble(0, "this is no calendar".to_owned(), EXPORT));
        return (Vec::new(), troubles);
    };
    let named = calendar.properties.iter().find(|p| p.name == "X-WR-TIMEZONE");
    let own = named.filter(|_| !reading.zone_is_given).and_then(|p| TimeZone::get(p.val.as_str().trim()).ok());
    let zone = own.unwrap_or_else(|| reading.zone.clone());
    let parts = calendar.components.iter().filter(|c| c.name == "VEVENT");
    let mut events = Vec::new();
    for part in parts.take(MAX_EVENTS) {
        match event(part, text, &zone, reading) {
            Ok(event) => events.push(event),
            Err(problem) => troubles.push(problem),
        }
    }
    let moved: BTreeSet<(&str, At)> =
        events.iter().filter_map(|e| e.instead_of.map(|at| (e.uid.as_str(), at))).collect();
    let (first, last) = (reading.now.plus(-BACK), reading.now.plus(AHEAD));
    let mut shifts = Vec::new();
    for event in events.iter().filter(|e| !e.cancelled) {
        let begins = match event.begins(last) {
            Ok(begins) => begins,
            Err(what) => {
                troubles.push(trouble(event.line, what, "write the rule with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY"));
                continue;
            }
        };
        for from in begins {
            let replaced = event.instead_of.is_none() && moved.contains(&(event.uid.as_str(), from));
            let Some(until) = event.ends(from) else { continue };
            if !replaced && until > first && from < last && until > from {
                shifts.extend(event.who.iter().map(|who| Shift { from, until, who: who.clone() }));
            }
        }
    }
    shifts.sort_by_key(|s| (s.from, s.until));
    if shifts.len() > MAX_SHIFTS {
        troubles.push(trouble(0, format!("more than {MAX_SHIFTS} shifts in two months"), "make them longer"));
        shifts.truncate(MAX_SHIFTS);
    }
    (shifts, troubles)
}

const EXPORT: &str = "export it as iCalendar (.ics)";

fn trouble(line: usize, what: String, hint: &'static str) -> Trouble {
    Trouble { line, what, hint }
}

/// How deep components stand in each other; the reader would follow them with its stack.
fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0_usize);
    for line in text.lines() {
        let is = |word: &str| line.trim_start().get(..word.len()).is_some_and(|w| w.eq_ignore_ascii_case(word));
        if is("BEGIN:") {
            now += 1;
            most = most.max(now);
        } else if is("END:") {
            now = now.saturating_sub(1);
        }
    }
    most
}

fn event(part: &Component<'_>, text: &str, zone: &TimeZone, reading: &Reading<'_>) -> Result<Event, Trouble> {
    let value = |name: &str| part.find_prop(name).map(|p| p.val.as_str().trim().to_owned());
    let uid = value("UID").unwrap_or_default();
    let line = line_of(text, &uid);
    let summary = value("SUMMARY").map(|s| plain(&s)).unwrap_or_default();
    let wrong = |what: String, hint| trouble(line, what, hint);
    let start = part.find_prop("DTSTART").ok_or_else(|| wrong("an event without DTSTART".to_owned(), EXPORT))?;
    let zone = match parameter(start, "TZID") {
        _ if start.val.as_str().ends_with('Z') => TimeZone::UTC,
        None => zone.clone(),
        Some(name) => match iana(&name) {
            Some(zone) => zone,
            None if reading.zone_is_given => zone.clone(),
            None => {
                let what = format!("`{}` is no time zone of the IANA database", cut(&name));
                return Err(wrong(what, "set `timezone` beside `calendar`: it stands for zones like this one"));
            }
        },
    };
    let moment = |text: &str| {
        civil(text).ok_or_else(|| wrong(format!("`{}` is no date of iCalendar", cut(text)), "write 20261120T090000"))
    };
    let from = moment(start.val.as_str())?;
    let until = match (value("DTEND"), value("DURATION")) {
        (Some(end), _) => {
            let end_zone = part.find_prop("DTEND").and_then(|p| parameter(p, "TZID")).and_then(|name| iana(&name));
            let end_zone = if end.ends_with('Z') { Some(TimeZone::UTC) } else { end_zone };
            in_zone(moment(&end)?, end_zone.as_ref(), &zone).unwrap_or(from)
        }
        (None, Some(duration)) => {
            let span: jiff::Span = duration
                .parse()
                .map_err(|_| wrong(format!("`{}` is no duration of iCalendar", cut(&duration)), "write PT8H or P7D"))?;
            from.checked_add(span).unwrap_or(from)
        }
        (None, None) if start.val.as_str().trim().len() == 8 => from.checked_add(1.day()).unwrap_or(from),
        (None, None) => from,
    };
    let who = people(part, &summary, reading);
    let cancelled = value("STATUS").is_some_and(|s| s.eq_ignore_ascii_case("CANCELLED"));
    if who.is_empty() && !cancelled {
        let what = format!("nobody is called `{}`", cut(&summary));
        return Err(wrong(what, "write who that is under calendar_names, or give the person `mail`"));
    }
    let many = |name: &str| -> Vec<At> {
        let all = part.properties.iter().filter(|p| p.name == name);
        all.flat_map(|p| moments(p, &zone, from)).collect()
    };
    let instead_of = many("RECURRENCE-ID").first().copied();
    Ok(Event {
        line,
        who,
        rule: value("RRULE"),
        except: many("EXDATE").into_iter().collect(),
        also: many("RDATE"),
        instead_of,
        cancelled,
        uid,
        zone,
        from,
        until,
    })
}

/// By the attendees' addresses, or else by the summary.
fn people(part: &Component<'_>, summary: &str, reading: &Reading<'_>) -> Vec<PersonId> {
    let attendees = part.properties.iter().filter(|p| p.name == "ATTENDEE");
    let mail = |p: &Property<'_>| {
        let text = p.val.as_str().trim();
        let cut = text.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:")).map_or(0, str::len);
        text.get(cut..).unwrap_or_default().to_owned()
    };
    let by_mail: BTreeSet<PersonId> = attendees.filter_map(|p| (reading.whom)(&mail(p))).collect();
    if by_mail.is_empty() { (reading.whom)(summary).into_iter().collect() } else { by_mail.into_iter().collect() }
}

impl Event {
    /// When its repetitions begin, up to `last`.
    fn begins(&self, last: At) -> Result<Vec<At>, String> {
        let first = at(self.from, &self.zone).ok_or_else(|| "its date is out of range".to_owned())?;
        let mut all = match &self.rule {
            None => vec![first],
            Some(rule) => self.repeated(rule, last)?,
        };
        all.extend(&self.also);
        all.retain(|at| !self.except.contains(at));
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    fn repeated(&self, rule: &str, last: At) -> Result<Vec<At>, String> {
        let upper = rule.to_ascii_uppercase();
        let slow = ["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY"];
        if !slow.iter().any(|freq| upper.split(';').any(|part| part == *freq)) {
            return Err(format!("`{}` is no rule for shifts", cut(rule)));
        }
        let zone = self.zone.iana_name().unwrap_or("UTC");
        let start = self.from.strftime("%Y%m%dT%H%M%S");
        let parts: Vec<String> = upper.split(';').map(|part| self.utc_until(part)).collect();
        let start = if zone == "UTC" { format!("DTSTART:{start}Z") } else { format!("DTSTART;TZID={zone}:{start}") };
        let set: RRuleSet = format!("{start}\nRRULE:{}", parts.join(";"))
            .parse()
            .map_err(|_| format!("`{}` is no rule of iCalendar", cut(rule)))?;
        let begins = set.limit().into_iter().take(MAX_REPEATS).map(|begin| At(begin.timestamp_millis()));
        Ok(begins.take_while(|begin| *begin < last).collect())
    }

    /// `UNTIL` as the rule's reader wants it: in UTC. A day means its end.
    fn utc_until(&self, part: &str) -> String {
        let Some(until) = part.strip_prefix("UNTIL=") else { return part.to_owned() };
        let Some(mut moment) = civil(until) else { return part.to_owned() };
        if until.trim().len() == 8 {
            moment = moment.date().at(23, 59, 59, 0);
        }
        let utc = TimeZone::UTC;
        let zone = if until.ends_with('Z') { &utc } else { &self.zone };
        in_zone(moment, Some(zone), &utc)
            .map_or_else(|| part.to_owned(), |utc| format!("UNTIL={}Z", utc.strftime("%Y%m%dT%H%M%S")))
    }

    /// As long on the wall's clock as the first: a shift from nine to nine stays one when the clock is put back.
    fn ends(&self, from: At) -> Option<At> {
        let local = Timestamp::from_millisecond(from.0).ok()?.to_zoned(self.zone.clone()).datetime();
        let long = self.until.since((jiff::Unit::Day, self.from)).ok()?;
        at(local.checked_add(long).ok()?, &self.zone)
    }
}

/// The moments of a list: `EXDATE;TZID=Europe/Madrid:20261120T090000,…`. Days mean the time at which the event begins.
fn moments(property: &Property<'_>, zone: &TimeZone, begins: DateTime) -> Vec<At> {
    let own = parameter(property, "TZID").and_then(|name| iana(&name)).unwrap_or_else(|| zone.clone());
    let all = property.val.as_str().split(',');
    all.filter_map(|text| {
        let text = text.trim();
        let moment = civil(text)?;
        if text.len() == 8 {
            return at(moment.date().to_datetime(begins.time()), zone);
        }
        let utc = TimeZone::UTC;
        at(moment, if text.ends_with('Z') { &utc } else { &own })
    })
    .collect()
}

fn at(local: DateTime, zone: &TimeZone) -> Option<At> {
    zone.to_ambiguous_zoned(local).compatible().ok().map(|z| At(z.timestamp().as_millisecond()))
}

/// The same moment on another wall.
fn in_zone(local: DateTime, of: Option<&TimeZone>, to: &TimeZone) -> Option<DateTime> {
    let Some(of) = of else { return Some(local) };
    let moment = at(local, of)?;
    Some(Timestamp::from_millisecond(moment.0).ok()?.to_zoned(to.clone()).datetime())
}

/// `20261120`, `20261120T090000`, `20261120T090000Z`.
fn civil(text: &str) -> Option<DateTime> {
    let text = text.trim().trim_end_matches('Z');
    if text.len() == 8 {
        return Date::strptime("%Y%m%d", text).ok().map(|d| d.at(0, 0, 0, 0));
    }
    DateTime::strptime("%Y%m%dT%H%M%S", text).ok()
}

/// By its name in the database, perhaps behind a maker's prefix (`/freeassociation.sourceforge.net/Europe/Madrid`).
fn iana(name: &str) -> Option<TimeZone> {
    let name = name.trim().trim_matches('"');
    let mut tail = name.trim_start_matches('/');
    loop {
        if let Ok(zone) = TimeZone::get(tail) {
            return Some(zone);
        }
        tail = tail.split_once('/')?.1;
    }
}

fn parameter(property: &Property<'_>, name: &str) -> Option<String> {
    let found = property.params.iter().find(|p| p.key.as_str().eq_ignore_ascii_case(name))?;
    found.val.as_ref().map(|v| v.as_str().to_owned())
}

/// Where an event is: its UID is on one line.
fn line_of(text: &str, uid: &str) -> usize {
    let is = |line: &str| line.get(..4).is_some_and(|k| k.eq_ignore_ascii_case("UID:")) && line.contains(uid);
    if uid.is_empty() { 0 } else { text.lines().position(is).map_or(0, |at| at + 1) }
}

/// Without iCalendar's escapes.
fn plain(text: &str) -> String {
    text.replace("\\,", ",").replace("\\;", ";").replace("\\n", " ").replace("\\\\", "\\").trim().to_owned()
}

fn cut(text: &str) -> String {
    super::wording::short(text)
}

#[cfg(test)]
mod tests;
