//! On call, as it is written and as the flow gets it: people in turns, a calendar, or a list of shifts, level by level.

use super::calendar::{self, AHEAD, Reading};
use super::checked::Checker;
use super::conditions::zone;
use super::problem::Problem;
use super::raw::Text;
use super::sheet::{Sheet, text_of};
use super::value::{Duration, Moment};
use super::wording::{did_you_mean, short};
use crate::flow::identity::PersonId;
use crate::flow::moment::{At, DAY};
use crate::flow::policy::{Person, Policy};
use crate::flow::rota::{Schedule, Shift, Shifts};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// Levels of one schedule: who is asked when the ones before do not answer.
const MAX_LEVELS: usize = 10;
/// Gaps are looked for this far ahead: what is nearer can still be filled.
const LOOK_AHEAD: i64 = 28 * DAY;
/// Turns laid out of a rotation in a zone: hourly ones for two months would be more.
const MAX_TURNS: i64 = 2_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawOnCall {
    pub name: Text,
    #[serde(default)]
    pub services: Vec<Text>,
    #[serde(default)]
    pub teams: Vec<Text>,
    pub levels: Spanned<Vec<Spanned<RawLevel>>>,
}

/// Exactly one of `people`, `rotation`, `calendar` and `shifts`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawLevel {
    pub people: Option<Vec<Text>>,
    pub rotation: Option<Rotation>,
    pub calendar: Option<Text>,
    /// Whom names in the calendar mean.
    #[serde(default)]
    pub calendar_names: BTreeMap<String, Text>,
    /// Of events of the calendar that name no zone of their own.
    pub timezone: Option<Text>,
    pub shifts: Option<Vec<RawShift>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    pub people: Spanned<Vec<Text>>,
    pub every: Spanned<Duration>,
    pub from: Moment,
    /// Turns change at the same hour of this zone's clock, all the year.
    pub timezone: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawShift {
    pub who: Text,
    pub from: Moment,
    pub until: Spanned<Moment>,
}

/// Who can be named, and when it is.
struct Known<'p> {
    people: &'p [Person],
    /// Addresses of mail, in lower case.
    mail: BTreeMap<String, PersonId>,
    house: TimeZone,
    now: At,
}

pub(super) fn resolve<'f>(
    checker: &mut Checker<'f>,
    sheets: &[&'f Sheet<'f>],
    policy: &Policy,
    now: At,
) -> Vec<Schedule> {
    let everybody = sheets.iter().flat_map(|s| &s.raw.people);
    let addresses = everybody.flat_map(|p| {
        let mail = p.mail.iter().flat_map(|m| &m.get_ref().0);
        mail.map(|m| (m.to_lowercase(), PersonId(p.id.get_ref().clone())))
    });
    let known = Known { people: &policy.people, mail: addresses.collect(), house: policy.hours.zone().clone(), now };
    let mut used = BTreeSet::new();
    let mut schedules = Vec::new();
    for sheet in sheets {
        checker.turn_to(sheet);
        for written in &sheet.raw.on_call {
            schedules.push(schedule(checker, written, policy, &known, &mut used));
        }
    }
    schedules
}

fn schedule(
    checker: &mut Checker<'_>,
    written: &RawOnCall,
    policy: &Policy,
    known: &Known<'_>,
    used: &mut BTreeSet<String>,
) -> Schedule {
    let name = checker.name("schedule", &written.name, used);
    for service in written.services.iter().filter(|s| !policy.services.contains_key(s.get_ref())) {
        let what = format!("there is no service `{}`", short(service.get_ref()));
        let hint = did_you_mean(service.get_ref(), policy.services.keys().map(String::as_str));
        checker.error(&service.span(), what, hint);
    }
    let teams: BTreeSet<&str> = known.people.iter().flat_map(|p| p.teams.iter().map(String::as_str)).collect();
    for team in written.teams.iter().filter(|t| !teams.contains(t.get_ref().as_str())) {
        let what = format!("there is no team `{}`", short(team.get_ref()));
        checker.error(&team.span(), what, did_you_mean(team.get_ref(), teams.iter().copied()));
    }
    let all = written.levels.get_ref();
    if all.is_empty() || all.len() > MAX_LEVELS {
        let hint = "write levels = [{ people = [\"ana\"] }]";
        checker.error(&written.levels.span(), format!("a schedule has from 1 to {MAX_LEVELS} levels"), hint);
    }
    let levels: Vec<Shifts> = all.iter().take(MAX_LEVELS).map(|l| level(checker, l, known)).collect();
    gaps(checker, &written.name, levels.first(), known.now);
    let names = |list: &[Text]| list.iter().map(|t| t.get_ref().clone()).collect();
    Schedule { name, services: names(&written.services), teams: names(&written.teams), levels }
}

/// A first level on which nobody stands for a while is worth a word; on the others somebody else was asked before.
fn gaps(checker: &mut Checker<'_>, name: &Text, first: Option<&Shifts>, now: At) {
    // Without a clock there is no ahead.
    let Some(first) = first.filter(|_| now > At(0)) else { return };
    let gaps = first.gaps(now, now.plus(LOOK_AHEAD));
    let Some((from, until)) = gaps.first() else { return };
    let moment = |at: &At| format!("{} {} UTC", at.day(), at.hm());
    let more =
        if gaps.len() > 1 { format!(", and {} more times within four weeks", gaps.len() - 1) } else { String::new() };
    let what = format!("nobody is on call from {} to {}{more}", moment(from), moment(until));
    checker.warn(&name.span(), what, "fill it, or add a schedule that serves everything");
}

fn level(checker: &mut Checker<'_>, written: &Spanned<RawLevel>, known: &Known<'_>) -> Shifts {
    let level = written.get_ref();
    let empty = Shifts::Always(Vec::new());
    match (&level.people, &level.rotation, &level.calendar, &level.shifts) {
        (Some(people), None, None, None) => {
            Shifts::Always(people.iter().filter_map(|p| person(checker, p, known)).collect())
        }
        (None, Some(rotation), None, None) => in_turns(checker, rotation, known),
        (None, None, Some(file), None) => from_calendar(checker, file, level, known),
        (None, None, None, Some(shifts)) => {
            Shifts::Calendar(shifts.iter().filter_map(|s| shift(checker, s, known)).collect())
        }
        _ => {
            let hint = "write one of people, rotation, calendar and shifts";
            checker.error(&written.span(), "a level is one thing", hint);
            empty
        }
    }
}

fn person(checker: &mut Checker<'_>, written: &Text, known: &Known<'_>) -> Option<PersonId> {
    let found = known.people.iter().find(|p| p.id.0 == *written.get_ref());
    if found.is_none() {
        let what = format!("there is no person `{}`", short(written.get_ref()));
        checker.error(
            &written.span(),
            what,
            did_you_mean(written.get_ref(), known.people.iter().map(|p| p.id.0.as_str())),
        );
    }
    found.map(|p| p.id.clone())
}

fn shift(checker: &mut Checker<'_>, written: &RawShift, known: &Known<'_>) -> Option<Shift> {
    let (from, until) = (written.from.0, written.until.get_ref().0);
    if until <= from {
        checker.error(&written.until.span(), "this shift ends before it begins", "write a later `until`");
    }
    person(checker, &written.who, known).map(|who| Shift { from, until, who })
}

fn in_turns(checker: &mut Checker<'_>, written: &Rotation, known: &Known<'_>) -> Shifts {
    let people: Vec<PersonId> = written.people.get_ref().iter().filter_map(|p| person(checker, p, known)).collect();
    if written.people.get_ref().is_empty() {
        checker.error(&written.people.span(), "nobody takes turns here", "name the people in their order");
    }
    let (from, every) = (written.from.0, written.every.get_ref().0);
    let Some(named) = &written.timezone else { return Shifts::Rotation { people, from, every } };
    let zone = zone(checker, Some(named), &known.house);
    if every % DAY != 0 {
        let hint = "write \"1d\", \"7d\" or \"14d\", or leave `timezone` out";
        checker.error(&written.every.span(), "turns that follow a clock take whole days", hint);
        return Shifts::Rotation { people, from, every };
    }
    Shifts::Calendar(laid_out(&people, from, every / DAY, &zone, known.now))
}

/// Turns that change at the same hour of the wall, from the one of now on: as arithmetic of days, not of milliseconds.
fn laid_out(people: &[PersonId], from: At, days: i64, zone: &TimeZone, now: At) -> Vec<Shift> {
    let begin = |turn: i64| {
        let first = Timestamp::from_millisecond(from.0).ok()?.to_zoned(zone.clone());
        let at = first.checked_add(turn.checked_mul(days)?.days()).ok()?;
        Some(At(at.timestamp().as_millisecond()))
    };
    // One earlier than a count of days says: an hour may be missing or too many.
    let first = (now.since(from) / (days.max(1) * DAY) - 1).max(0);
    let mut shifts = Vec::new();
    for turn in first..first.saturating_add(MAX_TURNS) {
        let (Some(from), Some(until)) = (begin(turn), begin(turn + 1)) else { break };
        if from >= now.plus(AHEAD) {
            break;
        }
        let index = usize::try_from(turn).unwrap_or_default() % people.len().max(1);
        shifts.extend(people.get(index).map(|who| Shift { from, until, who: who.clone() }));
    }
    shifts
}

fn from_calendar(checker: &mut Checker<'_>, file: &Text, level: &RawLevel, known: &Known<'_>) -> Shifts {
    let path = checker.folder.join(file.get_ref());
    checker.files.insert(path.clone());
    let mut names: BTreeMap<&str, PersonId> = BTreeMap::new();
    for (name, who) in &level.calendar_names {
        names.extend(person(checker, who, known).map(|id| (name.as_str(), id)));
    }
    let zone = zone(checker, level.timezone.as_ref(), &known.house);
    let text = match text_of(&path) {
        Ok(text) => text,
        Err(why) => {
            let what = format!("{} cannot be read: {why}", path.display());
            checker.error(&file.span(), what, "write a path from the folder of this file");
            return Shifts::Calendar(Vec::new());
        }
    };
    let whom = |name: &str| {
        let same = |p: &&Person| p.id.0.eq_ignore_ascii_case(name) || p.name.eq_ignore_ascii_case(name);
        let by_name = || known.people.iter().find(same).map(|p| p.id.clone());
        names.get(name).cloned().or_else(|| known.mail.get(&name.to_lowercase()).cloned()).or_else(by_name)
    };
    let zone_is_given = level.timezone.is_some();
    let (shifts, troubles) = calendar::shifts(&text, &Reading { now: known.now, zone, zone_is_given, whom: &whom });
    for trouble in troubles {
        let mut problem = Problem::of_file(&path, trouble.what).hint(trouble.hint);
        // A calendar is kept by others, and changes by itself: what is missing in it is a gap, and that is told.
        if trouble.line > 0 {
            (problem.line, problem.column) = (trouble.line, 1);
            problem = problem.warning();
        }
        checker.problems.push(problem);
    }
    Shifts::Calendar(shifts)
}
