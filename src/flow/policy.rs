//! The rules users set, as checked data: routes, people, services, runbooks, thresholds. No I/O, no defaults hidden elsewhere.

use super::condition::Condition;
use super::hours::Hours;
use super::identity::{Identity, PersonId, Platform};
use super::moment::{At, DAY, HOUR, MINUTE};
use super::rota::Schedule;
use super::runbook::Runbook;
use regex::Regex;
use smokejumper_intents::word::{Right, Severity};
use std::collections::BTreeMap;

/// Everything `decide` may consult besides the state.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Tried in order; the first that matches decides. When none matches, `placing::route` has the default.
    pub routes: Vec<Route>,
    pub people: Vec<Person>,
    pub services: BTreeMap<String, Service>,
    /// By name.
    pub runbooks: BTreeMap<String, Runbook>,
    pub silences: Vec<Silence>,
    /// Recurring windows in which what matches is listed only.
    pub maintenance: Vec<Maintenance>,
    /// Working hours of those who have none of their own.
    pub hours: Hours,
    /// Where every incident gets a room.
    pub platforms: Vec<Platform>,
    pub grouping: Grouping,
    pub storm: Storm,
    pub triage: Triage,
    pub approval: Approval,
    /// Who is on call when, in the order of the configuration.
    pub rota: Vec<Schedule>,
    pub escalation: Escalation,
    pub nudges: Nudging,
    /// `None`: follow-ups stay here.
    pub tracking: Option<Tracking>,
    pub rooms: Rooming,
    /// What members of a platform's group may do, besides what is said of each person: by account, as the platform told last.
    pub members: BTreeMap<Identity, Right>,
}

/// `service="checkout"`, `severity=~"critical|page"`: Alertmanager's matcher syntax. A missing label is the empty string.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub label: String,
    pub op: MatchOp,
    pub value: String,
    /// Compiled and anchored at both ends when `op` is a pattern.
    pub pattern: Option<Regex>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchOp {
    Equal,
    NotEqual,
    Like,
    NotLike,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// A firing alert opens an incident when it belongs to none.
    Always,
    /// It joins what it belongs to and is otherwise only listed.
    Group,
    /// It is listed and never joins.
    Never,
}

/// Where an incident that a route opens is talked about, besides the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    /// A room of its own on every chat platform.
    #[default]
    Auto,
    /// The console alone.
    None,
}

#[derive(Clone, Debug)]
pub struct Route {
    /// How it is called in `explain`: its place or its name in the configuration.
    pub name: String,
    pub matchers: Vec<Matcher>,
    /// Every one of these must hold, too.
    pub when: Vec<Condition>,
    /// And none of these.
    pub unless: Vec<Condition>,
    /// `None`: the alert's `service` label (or the first of `job`, `app`, `namespace`).
    pub service: Option<String>,
    pub severity: Option<Severity>,
    pub open: Open,
    pub channel: Channel,
    /// Person ids and roles to bring in.
    pub invite: Vec<PersonId>,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub id: PersonId,
    /// Display name.
    pub name: String,
    pub right: Right,
    pub identities: Vec<Identity>,
    pub teams: Vec<String>,
    /// Always on call, whatever the rota says.
    pub on_call: bool,
    /// Login in the tracker.
    pub github: Option<String>,
    /// When they work; `None`: as everybody does ([`Policy::hours`]).
    pub hours: Option<Hours>,
}

#[derive(Clone, Debug, Default)]
pub struct Service {
    pub name: String,
    /// Person ids or team names.
    pub owners: Vec<String>,
    pub depends_on: Vec<String>,
    pub tier: Option<u8>,
    /// `owner/name`, where its follow-ups are filed.
    pub repository: Option<String>,
    /// Names of runbooks that are for it.
    pub runbooks: Vec<String>,
    /// Where its people talk, by platform-neutral name.
    pub channel: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Silence {
    pub name: String,
    pub matchers: Vec<Matcher>,
    pub from: At,
    pub until: At,
}

/// Known work that comes again: what matches in these hours is listed only.
#[derive(Clone, Debug)]
pub struct Maintenance {
    pub name: String,
    pub matchers: Vec<Matcher>,
    pub every: Hours,
}

/// When an alert belongs to an open incident.
#[derive(Clone, Debug)]
pub struct Grouping {
    /// Same service, and the incident saw an alert within this time (ms).
    pub service_window: i64,
    /// A service that depends on it, or that it depends on, within this time (ms).
    pub neighbour_window: i64,
    /// Every alert of an incident resolved for this long (ms): resolving it is proposed.
    pub quiet_after: i64,
}

/// How many incidents may open by themselves.
#[derive(Clone, Debug)]
pub struct Storm {
    /// More than this many within `window`: what follows joins one storm incident.
    pub incidents: usize,
    pub window: i64,
}

#[derive(Clone, Debug)]
pub struct Triage {
    /// Below this probability the bot says that it does not know. One in four by default: the number stands beside each
    /// suggestion, and less than that is a guess.
    pub threshold: f64,
    /// A change of probability worth saying in the thread.
    pub notable_change: f64,
    /// Shown at most.
    pub shown: usize,
}

#[derive(Clone, Debug)]
pub struct Approval {
    /// A request nobody decided expires after this time (ms).
    pub expires_after: i64,
    /// The same runbook with the same parameters, finished without verified effect this often in one incident, is refused.
    pub max_ineffective: u32,
}

/// Nobody acknowledges: the next on call is asked after this time (ms), by severity; without an entry nobody is.
#[derive(Clone, Debug)]
pub struct Escalation {
    pub after: BTreeMap<Severity, i64>,
    /// How often the last level is asked again before it is said that nobody answers.
    pub again: u8,
    /// A pager is connected. Without one people are asked in the room alone.
    pub phones: bool,
}

/// People are asked for an update this long (ms) after the last one, by severity, while it is open.
#[derive(Clone, Debug)]
pub struct Nudging {
    pub every: BTreeMap<Severity, i64>,
    /// What is owed after an incident is reminded of this often (ms), in working hours; 0: never.
    pub closing_every: i64,
    /// Likewise follow-ups that are overdue.
    pub overdue_every: i64,
}

/// Where follow-ups become issues.
#[derive(Clone, Debug, Default)]
pub struct Tracking {
    /// `owner/name`, when the service names none.
    pub repository: Option<String>,
    pub labels: Vec<String>,
    /// Address of the console as others reach it, without a slash at the end; `None`: issues do not link to it.
    pub console: Option<String>,
}

/// Rooms, besides where there are any ([`Policy::platforms`]).
#[derive(Clone, Debug)]
pub struct Rooming {
    /// Platforms on which everybody is told of severe incidents.
    pub announce: Vec<Platform>,
    /// The least severity that is announced.
    pub announce_from: Severity,
    /// A closed incident's room is archived after this time (ms); `None`: never.
    pub archive_after: Option<i64>,
    /// Address of the console as others reach it, without a slash at the end; `None`: rooms do not link to it.
    pub console: Option<String>,
}

impl Default for Rooming {
    /// SEV1 and SEV2, what wakes people; a week, so that what is owed can still be talked about.
    fn default() -> Self {
        Self { announce: Vec::new(), announce_from: Severity::Sev2, archive_after: Some(7 * DAY), console: None }
    }
}

impl Default for Escalation {
    /// The worst within 5 minutes, the next within 10: what people do by hand.
    fn default() -> Self {
        let after = [(Severity::Sev1, 5 * MINUTE), (Severity::Sev2, 10 * MINUTE)].into();
        Self { after, again: 3, phones: false }
    }
}

impl Default for Nudging {
    fn default() -> Self {
        let every = [(Severity::Sev1, HOUR / 2), (Severity::Sev2, HOUR / 2)].into();
        Self { every, closing_every: DAY, overdue_every: 7 * DAY }
    }
}

impl Default for Grouping {
    fn default() -> Self {
        Self { service_window: 30 * MINUTE, neighbour_window: 3 * MINUTE, quiet_after: 5 * MINUTE }
    }
}

impl Default for Storm {
    /// ARCHITECTURE.md D10: at most 10 automatic channels per 5 minutes.
    fn default() -> Self {
        Self { incidents: 10, window: 5 * MINUTE }
    }
}

impl Default for Triage {
    fn default() -> Self {
        Self { threshold: 0.25, notable_change: 0.10, shown: 3 }
    }
}

impl Default for Approval {
    fn default() -> Self {
        Self { expires_after: HOUR / 2, max_ineffective: 2 }
    }
}

impl Matcher {
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let actual = labels.get(&self.label).map_or("", String::as_str);
        let like = || self.pattern.as_ref().is_some_and(|p| p.is_match(actual));
        match self.op {
            MatchOp::Equal => actual == self.value,
            MatchOp::NotEqual => actual != self.value,
            MatchOp::Like => like(),
            MatchOp::NotLike => !like(),
        }
    }

    /// In the words it was written in.
    #[must_use]
    pub fn text(&self) -> String {
        let op = match self.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Like => "=~",
            MatchOp::NotLike => "!~",
        };
        format!("{}{op}\"{}\"", self.label, self.value)
    }
}

impl Route {
    /// As far as labels say; its conditions are asked by `placing::route`.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.matchers.iter().all(|m| m.matches(labels))
    }
}

impl Policy {
    /// The person behind an account, when it is linked to one.
    #[must_use]
    pub fn person(&self, identity: &Identity) -> Option<&Person> {
        self.people.iter().find(|p| p.identities.contains(identity))
    }

    #[must_use]
    pub fn person_by_id(&self, id: &PersonId) -> Option<&Person> {
        self.people.iter().find(|p| &p.id == id)
    }

    /// By id or display name, as people type it, without regard to case.
    #[must_use]
    pub fn person_called(&self, handle: &str) -> Option<&Person> {
        self.people
            .iter()
            .find(|p| p.id.0.eq_ignore_ascii_case(handle))
            .or_else(|| self.people.iter().find(|p| p.name.eq_ignore_ascii_case(handle)))
    }

    /// Whether somebody works at this moment; nobody in particular: whether people work.
    #[must_use]
    pub fn is_working(&self, who: Option<&PersonId>, now: At) -> bool {
        let own = who.and_then(|id| self.person_by_id(id)).and_then(|p| p.hours.as_ref());
        own.unwrap_or(&self.hours).contains(now)
    }

    /// What an account may do. Anyone who gets in may declare, claim and note; approving needs a linked approver, and some acts a
    /// person at all ([`smokejumper_intents::intent::Intent::needs_person`]).
    #[must_use]
    pub fn right(&self, identity: &Identity) -> Right {
        let own = self.person(identity);
        // A group's members may do more only when they are known people: nobody else can be asked about it afterwards.
        let accounts = own.iter().flat_map(|person| &person.identities);
        let grouped = accounts.filter_map(|account| self.members.get(account)).max().copied();
        own.map_or(Right::Responder, |person| grouped.map_or(person.right, |right| right.max(person.right)))
    }
}
