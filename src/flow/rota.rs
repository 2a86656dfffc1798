//! The rota: who is on call at a moment, and who is next when nobody answers.
//!
//! Knows schedules as checked data; knows neither files nor calendars nor how somebody is reached.

use super::identity::PersonId;
use super::moment::At;
use super::policy::Policy;
use std::collections::BTreeSet;

/// One schedule: whom it serves, and who stands on which level at what time.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    pub name: String,
    /// Services it serves, by name; with no service and no team it serves everything.
    pub services: Vec<String>,
    /// Owner teams it serves.
    pub teams: Vec<String>,
    /// First who is asked first.
    pub levels: Vec<Shifts>,
}

/// Who stands on one level.
#[derive(Clone, Debug)]
pub enum Shifts {
    /// Everybody named, always.
    Always(Vec<PersonId>),
    /// In turns of `every` (ms, above 0), the first from `from`. Before `from` nobody.
    Rotation { people: Vec<PersonId>, from: At, every: i64 },
    /// As a calendar says.
    Calendar(Vec<Shift>),
}

/// From (included) until (excluded).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    pub from: At,
    pub until: At,
    pub who: PersonId,
}

/// Somebody on call, and why we say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    pub who: PersonId,
    /// From 1.
    pub level: u8,
    pub schedule: String,
    /// When the shift ends, if it does.
    pub until: Option<At>,
}

impl Shifts {
    /// Who stands here at `now`, and until when.
    #[must_use]
    pub fn at(&self, now: At) -> Vec<(PersonId, Option<At>)> {
        match self {
            Self::Always(people) => people.iter().map(|p| (p.clone(), None)).collect(),
            Self::Rotation { people, from, every } => {
                let gone = now.since(*from);
                if gone < 0 || *every <= 0 || people.is_empty() {
                    return Vec::new();
                }
                let turn = gone / every;
                // Neither fails: `gone` is not negative, and `people` is not empty.
                let index = usize::try_from(turn).unwrap_or_default() % people.len();
                let until = from.plus((turn + 1).saturating_mul(*every));
                people.get(index).map(|p| (p.clone(), Some(until))).into_iter().collect()
            }
            Self::Calendar(shifts) => {
                let on = shifts.iter().filter(|s| s.from <= now && now < s.until);
                on.map(|s| (s.who.clone(), Some(s.until))).collect()
            }
        }
    }
}

impl Shifts {
    /// Who comes on next, from when: the first turn that begins after `now`.
    #[must_use]
    pub fn next(&self, now: At) -> Option<(PersonId, At)> {
        match self {
            Self::Always(_) => None,
            Self::Rotation { people, from, every } => {
                if *every <= 0 || people.is_empty() {
                    return None;
                }
                let turn = if now < *from { 0 } else { now.since(*from) / every + 1 };
                let index = usize::try_from(turn).unwrap_or_default() % people.len();
                people.get(index).map(|p| (p.clone(), from.plus(turn.saturating_mul(*every))))
            }
            Self::Calendar(shifts) => {
                let next = shifts.iter().filter(|s| s.from > now).min_by_key(|s| s.from);
                next.map(|s| (s.who.clone(), s.from))
            }
        }
    }

    /// Everybody who ever stands here.
    #[must_use]
    pub fn people(&self) -> BTreeSet<&PersonId> {
        match self {
            Self::Always(people) | Self::Rotation { people, .. } => people.iter().collect(),
            Self::Calendar(shifts) => shifts.iter().map(|s| &s.who).collect(),
        }
    }

    /// Within `from` (included) and `until` (excluded): when nobody stands here, in order.
    #[must_use]
    pub fn gaps(&self, from: At, until: At) -> Vec<(At, At)> {
        let mut shifts: Vec<(At, At)> = match self {
            Self::Always(people) if people.is_empty() => Vec::new(),
            Self::Always(_) => return Vec::new(),
            Self::Rotation { people, every, .. } if people.is_empty() || *every <= 0 => Vec::new(),
            Self::Rotation { from, .. } => vec![(*from, At(i64::MAX))],
            Self::Calendar(shifts) => shifts.iter().map(|s| (s.from, s.until)).collect(),
        };
        shifts.sort_unstable();
        let mut gaps = Vec::new();
        let mut covered = from;
        for (begins, ends) in shifts {
            if begins > covered && covered < until {
                gaps.push((covered, begins.min(until)));
            }
            covered = covered.max(ends);
        }
        if covered < until {
            gaps.push((covered, until));
        }
        gaps
    }
}

impl Policy {
    /// Schedules that serve a service: those that name it or its owner team; without such, those that serve everything.
    #[must_use]
    pub fn serving(&self, service: Option<&str>) -> Vec<&Schedule> {
        let owners = service.and_then(|s| self.services.get(s)).map_or(&[][..], |s| s.owners.as_slice());
        let own = |s: &&Schedule| {
            service.is_some_and(|name| s.services.iter().any(|x| x == name))
                || s.teams.iter().any(|team| owners.contains(team))
        };
        let general = |s: &&Schedule| s.services.is_empty() && s.teams.is_empty();
        let own: Vec<&Schedule> = self.rota.iter().filter(own).collect();
        if own.is_empty() { self.rota.iter().filter(general).collect() } else { own }
    }

    /// Who is on call for a service now, first who is asked first, nobody twice. Schedules that name the service or its owner team
    /// come before those that serve everything; people who are always on call come first on level 1.
    #[must_use]
    pub fn on_call(&self, service: Option<&str>, now: At) -> Vec<OnCall> {
        let always = self.people.iter().filter(|p| p.on_call);
        let mut found: Vec<OnCall> = always
            .map(|p| OnCall { who: p.id.clone(), level: 1, schedule: "always on call".to_owned(), until: None })
            .collect();
        for schedule in self.serving(service) {
            for (level, shifts) in (1_u8..).zip(&schedule.levels) {
                for (who, until) in shifts.at(now) {
                    if !found.iter().any(|o| o.who == who) {
                        found.push(OnCall { who, level, schedule: schedule.name.clone(), until });
                    }
                }
            }
        }
        found.sort_by_key(|o| o.level);
        found
    }

    /// Who of a team is on call now, first who is asked first: by the schedules that serve it, or because they always are.
    #[must_use]
    pub fn team_on_call(&self, team: &str, now: At) -> Vec<OnCall> {
        let always = self.people.iter().filter(|p| p.on_call && p.teams.iter().any(|t| t.eq_ignore_ascii_case(team)));
        let mut found: Vec<OnCall> = always
            .map(|p| OnCall { who: p.id.clone(), level: 1, schedule: "always on call".to_owned(), until: None })
            .collect();
        let serves = |s: &&Schedule| s.teams.iter().any(|t| t.eq_ignore_ascii_case(team));
        for schedule in self.rota.iter().filter(serves) {
            for (level, shifts) in (1_u8..).zip(&schedule.levels) {
                for (who, until) in shifts.at(now) {
                    if !found.iter().any(|o| o.who == who) {
                        found.push(OnCall { who, level, schedule: schedule.name.clone(), until });
                    }
                }
            }
        }
        found.sort_by_key(|o| o.level);
        found
    }
}
