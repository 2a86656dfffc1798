//! Pagers, escalation and reminders: who has phones ring, after what time the next is asked, how often people are reminded.

use super::checked::Checker;
use super::people::groups;
use super::raw::{Raw, Text};
use super::secret::Secret;
use super::secrets::{self, Resolved};
use super::value::{Duration, OneOrMany};
use super::wording::{did_you_mean, short};
use crate::flow::identity::PersonId;
use crate::flow::policy::{Person, Policy};
use serde::Deserialize;
use smokejumper_intents::word::Severity;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// Where PagerDuty takes events, unless told otherwise (its EU region has another).
pub const PAGERDUTY: &str = "https://events.pagerduty.com";
/// Pagers in a row: each takes its time before the next is tried, and somebody waits to be woken.
const MAX_PAGERS: usize = 5;
/// How often the last level may be asked again.
const MAX_AGAIN: u8 = 20;

// ---- as written ------------------------------------------------------------------------------------------------

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPager {
    pub name: Text,
    pub kind: Spanned<RawKind>,
    /// PagerDuty.
    pub api_url: Option<Text>,
    pub routing_key: Option<Text>,
    #[serde(default)]
    pub people: BTreeMap<Text, Text>,
    #[serde(default)]
    pub services: BTreeMap<Text, Text>,
    #[serde(default)]
    pub teams: BTreeMap<Text, Text>,
    /// Webhook.
    pub url: Option<Text>,
    pub secret: Option<Text>,
    /// Both.
    pub answers: Option<Spanned<OneOrMany<String>>>,
    #[serde(default)]
    pub allow_plaintext: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RawKind {
    Pagerduty,
    Webhook,
}

/// `"10m"`, or `"never"`.
#[derive(Clone, Copy, Debug)]
pub struct Every(pub Option<i64>);

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "never" {
            return Ok(Self(None));
        }
        Duration::parse(&text).map(|d| Self(Some(d.0))).ok_or_else(|| {
            let what = "this is neither a duration, such as \"10m\" or \"1h30m\", nor \"never\"";
            <D::Error as serde::de::Error>::custom(what)
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawEscalation {
    pub sev1: Option<Every>,
    pub sev2: Option<Every>,
    pub sev3: Option<Every>,
    pub sev4: Option<Every>,
    pub again: Option<Spanned<u8>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawNudges {
    pub sev1: Option<Every>,
    pub sev2: Option<Every>,
    pub sev3: Option<Every>,
    pub sev4: Option<Every>,
    pub closing: Option<Every>,
    pub overdue: Option<Every>,
}

// ---- as checked ------------------------------------------------------------------------------------------------

/// In the order in which they are tried.
#[derive(Clone, Debug, Default)]
pub struct Pagers {
    pub list: Vec<Pager>,
}

#[derive(Clone, Debug)]
pub struct Pager {
    pub name: String,
    /// Below which it is asked, or the very address.
    pub url: String,
    pub allow_plaintext: bool,
    pub kind: Kind,
    /// What it signs its answers with; empty: it gives none.
    pub answers: Vec<Secret>,
}

#[derive(Clone, Debug)]
pub enum Kind {
    PagerDuty(Keys),
    /// What each request is signed with.
    Webhook(Secret),
}

/// Routing keys: whose phone rings is decided behind them.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    people: BTreeMap<PersonId, Secret>,
    services: BTreeMap<String, Secret>,
    /// By team, told apart by the people in them.
    teams: BTreeMap<PersonId, Secret>,
    all: Option<Secret>,
}

impl Keys {
    /// The person's own key, or the service's, or that of their team, or the one for everybody.
    #[must_use]
    pub fn of(&self, service: Option<&str>, who: &PersonId) -> Option<&Secret> {
        let of_service = || service.and_then(|s| self.services.get(s));
        self.people.get(who).or_else(of_service).or_else(|| self.teams.get(who)).or(self.all.as_ref())
    }
}

pub(super) fn resolve(checker: &mut Checker<'_>, raw: &Raw, secrets: &Resolved, policy: &mut Policy) -> Pagers {
    let after = &raw.escalation;
    times(&mut policy.escalation.after, [after.sev1, after.sev2, after.sev3, after.sev4]);
    if let Some(again) = &after.again {
        if *again.get_ref() > MAX_AGAIN {
            let hint = "leave the key out to ask three times more";
            checker.error(&again.span(), format!("the last level is asked again at most {MAX_AGAIN} times"), hint);
        }
        policy.escalation.again = (*again.get_ref()).min(MAX_AGAIN);
    }
    let nudges = &raw.nudges;
    times(&mut policy.nudges.every, [nudges.sev1, nudges.sev2, nudges.sev3, nudges.sev4]);
    let or_never = |every: Option<Every>, default: i64| every.map_or(default, |e| e.0.unwrap_or(0));
    policy.nudges.closing_every = or_never(nudges.closing, policy.nudges.closing_every);
    policy.nudges.overdue_every = or_never(nudges.overdue, policy.nudges.overdue_every);
    if let Some(surplus) = raw.pagers.get(MAX_PAGERS) {
        checker.error(&surplus.name.span(), format!("more than {MAX_PAGERS} pagers"), "leave the last ones out");
    }
    let mut used = BTreeSet::new();
    let list: Vec<Pager> =
        raw.pagers.iter().take(MAX_PAGERS).filter_map(|p| pager(checker, p, secrets, policy, &mut used)).collect();
    policy.escalation.phones = !list.is_empty();
    Pagers { list }
}

fn times(by_severity: &mut BTreeMap<Severity, i64>, written: [Option<Every>; 4]) {
    for (severity, every) in Severity::ALL.into_iter().zip(written) {
        match every {
            Some(Every(Some(ms))) => drop(by_severity.insert(severity, ms)),
            Some(Every(None)) => drop(by_severity.remove(&severity)),
            None => {}
        }
    }
}

fn pager(
    checker: &mut Checker<'_>,
    written: &RawPager,
    secrets: &Resolved,
    policy: &Policy,
    used: &mut BTreeSet<String>,
) -> Option<Pager> {
    let name = checker.name("pager", &written.name, used);
    let answers = written.answers.as_ref().map(|names| secrets::refer(checker, names, secrets)).unwrap_or_default();
    let (url, kind) = match written.kind.get_ref() {
        RawKind::Pagerduty => {
            alien(checker, [("url", &written.url), ("secret", &written.secret)], "webhook");
            let keys = keys(checker, written, secrets, policy);
            (address(checker, written.api_url.as_ref(), PAGERDUTY), Kind::PagerDuty(keys))
        }
        RawKind::Webhook => {
            alien(checker, [("api_url", &written.api_url), ("routing_key", &written.routing_key)], "pagerduty");
            let (Some(url), Some(secret)) = (&written.url, &written.secret) else {
                let hint = "write url = \"https://…\" and secret = \"name-of-a-secret\"";
                checker.error(&written.name.span(), "a webhook needs an address, and a secret to sign with", hint);
                return None;
            };
            let secret = one(checker, secret, secrets)?;
            (address(checker, Some(url), PAGERDUTY), Kind::Webhook(secret))
        }
    };
    Some(Pager { name, url, allow_plaintext: written.allow_plaintext, kind, answers })
}

/// Keys that belong to another kind.
fn alien(checker: &mut Checker<'_>, keys: [(&str, &Option<Text>); 2], kind: &str) {
    for (key, written) in keys {
        if let Some(written) = written {
            checker.error(&written.span(), format!("`{key}` is for pagers of kind \"{kind}\""), "leave it out");
        }
    }
}

/// Where it may be gone to is judged again when it is gone to.
fn address(checker: &mut Checker<'_>, written: Option<&Text>, usual: &str) -> String {
    let Some(written) = written else { return usual.to_owned() };
    if !["https://", "http://"].iter().any(|scheme| written.get_ref().starts_with(scheme)) {
        checker.error(&written.span(), "this is not an address to call", "write one that begins with https://");
    }
    written.get_ref().clone()
}

fn keys(checker: &mut Checker<'_>, written: &RawPager, secrets: &Resolved, policy: &Policy) -> Keys {
    let mut keys = Keys { all: written.routing_key.as_ref().and_then(|k| one(checker, k, secrets)), ..Keys::default() };
    for (who, key) in &written.people {
        let person = policy.people.iter().find(|p| p.id.0 == *who.get_ref());
        if person.is_none() {
            let what = format!("there is no person `{}`", short(who.get_ref()));
            let known = policy.people.iter().map(|p| p.id.0.as_str());
            checker.error(&who.span(), what, did_you_mean(who.get_ref(), known));
        }
        if let Some(key) = one(checker, key, secrets) {
            keys.people.insert(PersonId(who.get_ref().clone()), key);
        }
    }
    for (service, key) in &written.services {
        if !policy.services.contains_key(service.get_ref()) {
            let what = format!("there is no service `{}`", short(service.get_ref()));
            let known = policy.services.keys().map(String::as_str);
            checker.error(&service.span(), what, did_you_mean(service.get_ref(), known));
        }
        if let Some(key) = one(checker, key, secrets) {
            keys.services.insert(service.get_ref().clone(), key);
        }
    }
    for (team, key) in &written.teams {
        let members: Vec<&Person> = policy.people.iter().filter(|p| p.teams.contains(team.get_ref())).collect();
        if members.is_empty() {
            let what = format!("nobody is in a team `{}`", short(team.get_ref()));
            checker.error(&team.span(), what, did_you_mean(team.get_ref(), groups(&policy.people)));
        }
        if let Some(key) = one(checker, key, secrets) {
            for member in members {
                keys.teams.entry(member.id.clone()).or_insert_with(|| key.clone());
            }
        }
    }
    let others = written.people.len() + written.services.len() + written.teams.len();
    if written.routing_key.is_none() && others == 0 {
        let hint = "write routing_key = \"name-of-a-secret\": the integration key of a service there";
        checker.error(&written.name.span(), "this pager has no routing key, so nobody's phone would ring", hint);
    }
    keys
}

fn one(checker: &mut Checker<'_>, name: &Text, secrets: &Resolved) -> Option<Secret> {
    let one = Spanned::new(name.span(), OneOrMany(vec![name.get_ref().clone()]));
    secrets::refer(checker, &one, secrets).pop()
}
