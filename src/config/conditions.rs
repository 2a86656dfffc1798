//! Hours, maintenance windows and the named conditions of routes, as they are written and as the flow gets them.

use super::checked::Checker;
use super::raw::Text;
use super::rules::matchers;
use super::value::Duration;
use super::wording::{did_you_mean, short};
use crate::flow::condition::Condition;
use crate::flow::hours::Hours;
use crate::flow::policy::Maintenance;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;

/// Working hours of those who have none of their own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    pub hours: Option<Text>,
    pub timezone: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMaintenance {
    pub name: Text,
    #[serde(rename = "match")]
    pub matchers: Text,
    pub every: Text,
    pub timezone: Option<Text>,
}

/// `when` and `unless` of a route. Of several each is a condition of its own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    pub time_in: Option<Text>,
    pub timezone: Option<Text>,
    pub alert_firing: Option<Text>,
    pub changed_within: Option<Duration>,
}

/// The house's own hours, whose zone is everybody's who names none.
pub(super) fn working(checker: &mut Checker<'_>, written: &WorkingHours) -> Hours {
    let usual = Hours::default();
    let zone = zone(checker, written.timezone.as_ref(), &TimeZone::UTC);
    match &written.hours {
        Some(text) => hours(checker, text, zone).unwrap_or(usual),
        None => usual.in_zone(zone),
    }
}

/// Hours that are written at `text`.
pub(super) fn hours(checker: &mut Checker<'_>, text: &Text, zone: TimeZone) -> Option<Hours> {
    match Hours::parse(text.get_ref(), zone) {
        Ok(hours) => Some(hours),
        Err(error) => {
            let at = checker.inside(text, error.at);
            checker.error(&(at..at), error.what, error.hint);
            None
        }
    }
}

/// A zone by its IANA name; without a name the one that is given.
pub(super) fn zone(checker: &mut Checker<'_>, written: Option<&Text>, otherwise: &TimeZone) -> TimeZone {
    let Some(written) = written else { return otherwise.clone() };
    let name = written.get_ref();
    TimeZone::get(name).unwrap_or_else(|_| {
        let known: Vec<String> = jiff::tz::db().available().map(|n| n.to_string()).collect();
        let hint = match did_you_mean(name, known.iter().map(String::as_str)) {
            near if near.starts_with("did you mean") => near,
            _ => "write the name of an IANA time zone, such as \"Europe/Madrid\" or \"UTC\"".to_owned(),
        };
        checker.error(&written.span(), format!("there is no time zone `{}`", short(name)), hint);
        otherwise.clone()
    })
}

pub(super) fn maintenance(checker: &mut Checker<'_>, written: &[RawMaintenance], house: &Hours) -> Vec<Maintenance> {
    let mut used = BTreeSet::new();
    let mut windows = Vec::new();
    for window in written {
        let name = checker.name("maintenance window", &window.name, &mut used);
        let zone = zone(checker, window.timezone.as_ref(), house.zone());
        let every = hours(checker, &window.every, zone);
        let matchers = matchers(checker, &window.matchers);
        windows.extend(every.map(|every| Maintenance { name, matchers, every }));
    }
    windows
}

/// The conditions that stand in `when` or `unless`.
pub(super) fn conditions(checker: &mut Checker<'_>, written: Option<&Spanned<When>>, house: &Hours) -> Vec<Condition> {
    let Some(written) = written else { return Vec::new() };
    let when = written.get_ref();
    let mut found = Vec::new();
    if let Some(text) = &when.time_in {
        let zone = zone(checker, when.timezone.as_ref(), house.zone());
        found.extend(hours(checker, text, zone).map(Condition::TimeIn));
    } else if let Some(zone) = &when.timezone {
        checker.error(
            &zone.span(),
            "`timezone` belongs to `time_in`",
            "write time_in = \"Mon-Fri 09:00-17:00\" beside it",
        );
    }
    if let Some(text) = &when.alert_firing {
        found.push(Condition::AlertFiring(matchers(checker, text)));
    }
    found.extend(when.changed_within.map(|d| Condition::ChangedWithin(d.0)));
    if found.is_empty() && when.time_in.is_none() {
        let hint = "write time_in, alert_firing or changed_within in it, or leave it out";
        checker.error(&written.span(), "this condition says nothing", hint);
    }
    found
}
