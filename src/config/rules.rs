//! Routes, silences and thresholds: the rules of the flow, each value within what makes sense.

use super::checked::Checker;
use super::conditions::{conditions, maintenance};
use super::people::groups;
use super::raw::{self, Raw, Text};
use super::wording::{did_you_mean, short};
use crate::flow::identity::PersonId;
use crate::flow::matcher;
use crate::flow::policy::{Channel, Matcher, Open, Person, Policy, Route, Silence};
use crate::flow::routing::DEFAULT;
use std::collections::BTreeSet;
use toml::Spanned;

/// Incidents a storm may open before it is one: more is a flood of channels.
const MAX_STORM: usize = 100;
/// Causes, people and runbooks shown at most (the card has room for three).
const MAX_SHOWN: usize = 3;
/// Runs without effect after which nobody believes in the next one.
const MAX_INEFFECTIVE: u32 = 10;

pub(super) fn resolve(checker: &mut Checker<'_>, raw: &Raw, policy: &mut Policy) {
    policy.routes = routes(checker, &raw.routes, policy);
    policy.silences = silences(checker, &raw.silences);
    policy.maintenance = maintenance(checker, &raw.maintenance, &policy.hours);
    let ms = |written: &Option<super::value::Duration>, default: i64| written.map_or(default, |d| d.0);
    policy.grouping.service_window = ms(&raw.grouping.service_window, policy.grouping.service_window);
    policy.grouping.neighbour_window = ms(&raw.grouping.neighbour_window, policy.grouping.neighbour_window);
    policy.grouping.quiet_after = ms(&raw.grouping.quiet_after, policy.grouping.quiet_after);
    policy.storm.window = ms(&raw.storm.window, policy.storm.window);
    policy.approval.expires_after = ms(&raw.approval.expires_after, policy.approval.expires_after);
    within(checker, raw.storm.incidents.as_ref(), 1, MAX_STORM, &mut policy.storm.incidents);
    within(checker, raw.triage.shown.as_ref(), 1, MAX_SHOWN, &mut policy.triage.shown);
    within(checker, raw.triage.threshold.as_ref(), 0.0, 1.0, &mut policy.triage.threshold);
    within(checker, raw.triage.notable_change.as_ref(), 0.0, 1.0, &mut policy.triage.notable_change);
    let ineffective = raw.approval.max_ineffective.as_ref();
    within(checker, ineffective, 1, MAX_INEFFECTIVE, &mut policy.approval.max_ineffective);
}

fn within<T>(checker: &mut Checker<'_>, written: Option<&Spanned<T>>, least: T, most: T, value: &mut T)
where
    T: Copy + PartialOrd + std::fmt::Display,
{
    let Some(written) = written else { return };
    // `nan` is within nothing.
    if *written.get_ref() >= least && *written.get_ref() <= most {
        *value = *written.get_ref();
    } else {
        let hint = format!("without the key it is {value}");
        checker.error(&written.span(), format!("this must be from {least} to {most}"), hint);
    }
}

fn routes(checker: &mut Checker<'_>, written: &[raw::Route], policy: &Policy) -> Vec<Route> {
    let mut used = BTreeSet::new();
    let mut routes = Vec::new();
    for (n, route) in written.iter().enumerate() {
        let name = match &route.name {
            Some(name) if name.get_ref() == DEFAULT => {
                checker.error(&name.span(), "`default` is what no route at all is called", "give it another name");
                DEFAULT.to_owned()
            }
            Some(name) => checker.name("route", name, &mut used),
            None => format!("route {}", n + 1),
        };
        if let Some(service) =
            route.service.as_ref().filter(|s| !policy.services.is_empty() && !policy.services.contains_key(s.get_ref()))
        {
            let what = format!("there is no service `{}`", short(service.get_ref()));
            let hint = did_you_mean(service.get_ref(), policy.services.keys().map(String::as_str));
            checker.error(&service.span(), what, hint);
        }
        routes.push(Route {
            name,
            matchers: matchers(checker, &route.matchers),
            when: conditions(checker, route.when.as_ref(), &policy.hours),
            unless: conditions(checker, route.unless.as_ref(), &policy.hours),
            service: route.service.as_ref().map(|s| s.get_ref().clone()),
            severity: route.severity,
            open: match route.open {
                Some(raw::Open::Always) => Open::Always,
                Some(raw::Open::Group) | None => Open::Group,
                Some(raw::Open::Never) => Open::Never,
            },
            channel: channel(checker, route.channel.as_ref()),
            invite: route.invite.iter().flat_map(|who| invited(checker, who, &policy.people)).collect(),
        });
    }
    routes
}

fn channel(checker: &mut Checker<'_>, written: Option<&Spanned<raw::Channel>>) -> Channel {
    match written.map(|written| (written.get_ref(), written.span())) {
        Some((raw::Channel::None, _)) => Channel::None,
        Some((raw::Channel::Thread, span)) => {
            let hint = "write \"auto\" for a channel of its own, or \"none\" for the console alone";
            checker.error(&span, "incidents cannot be talked about in threads of another channel yet", hint);
            Channel::Auto
        }
        Some((raw::Channel::Auto, _)) | None => Channel::Auto,
    }
}

/// A person, or everybody of a team.
fn invited(checker: &mut Checker<'_>, who: &Text, people: &[Person]) -> Vec<PersonId> {
    let name = who.get_ref();
    if let Some(person) = people.iter().find(|p| p.id.0 == *name) {
        return vec![person.id.clone()];
    }
    let team: Vec<PersonId> = people.iter().filter(|p| p.teams.contains(name)).map(|p| p.id.clone()).collect();
    if team.is_empty() {
        let what = format!("`{}` is neither a person nor a team", short(name));
        checker.error(&who.span(), what, did_you_mean(name, groups(people)));
    }
    team
}

fn silences(checker: &mut Checker<'_>, written: &[raw::Silence]) -> Vec<Silence> {
    let mut used = BTreeSet::new();
    let mut silences = Vec::new();
    for silence in written {
        let name = checker.name("silence", &silence.name, &mut used);
        let (from, until) = (silence.from.0, silence.until.get_ref().0);
        if until <= from {
            checker.error(&silence.until.span(), "this silence ends before it begins", "write a later `until`");
        }
        silences.push(Silence { name, matchers: matchers(checker, &silence.matchers), from, until });
    }
    silences
}

pub(super) fn matchers(checker: &mut Checker<'_>, written: &Text) -> Vec<Matcher> {
    matcher::parse(written.get_ref()).unwrap_or_else(|error| {
        let inside = checker.inside(written, error.at);
        checker.error(&(inside..inside), format!("not a matcher: {}", error.what), error.hint);
        Vec::new()
    })
}
