//! What fills a rule in: numbers of incidents, severities, people, items, durations, times. Read as commands read them.

use super::vocabulary;
use super::words::Words;
use crate::intent::{Item, When, Who};
use crate::token::{self, Token};
use crate::word::{Milestone, Severity, State};

/// Two words for one value are at most so many words apart: `severity to 2`.
const REACH: usize = 3;

/// Each value with the words it was read from.
#[derive(Clone, Debug, Default)]
pub struct Slots<'a> {
    /// `INC-n`, in the order said.
    pub incidents: Vec<u32>,
    pub severity: Slot<Severity>,
    /// By its word: `critical`.
    pub grade: Slot<Severity>,
    /// `@ana`.
    pub person: Slot<Who>,
    /// `Ana`, after what may stand before a name.
    pub name: Slot<Who>,
    pub item: Slot<Item>,
    /// In minutes.
    pub length: Slot<u32>,
    pub moment: Slot<When>,
    pub state: Slot<State>,
    pub milestone: Slot<Milestone>,
    /// What a runbook is called, and its parameters, as written.
    pub runbook: Option<(Vec<usize>, &'a str, Vec<&'a str>)>,
}

/// A value, if exactly one was given.
#[derive(Clone, Debug, Default)]
pub enum Slot<T> {
    #[default]
    None,
    One(T, Vec<usize>),
    /// Two that differ: nothing is guessed.
    Many,
}

impl<T: PartialEq> Slot<T> {
    fn add(&mut self, value: T, at: Vec<usize>) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(value, at),
            Self::One(known, mut places) if known == value => {
                places.extend(at);
                Self::One(known, places)
            }
            Self::One(..) | Self::Many => Self::Many,
        };
    }
}

impl<T> Slot<T> {
    pub const fn one(&self) -> Option<&T> {
        match self {
            Self::One(value, _) => Some(value),
            Self::None | Self::Many => None,
        }
    }

    pub fn places(&self) -> &[usize] {
        match self {
            Self::One(_, places) => places,
            Self::None | Self::Many => &[],
        }
    }
}

impl<'a> Slots<'a> {
    pub fn of(tokens: &[Token<'_>], said: &Words<'a>) -> Self {
        let mut slots = Self {
            incidents: tokens.iter().filter_map(|token| token.incident().flatten()).collect(),
            ..Self::default()
        };
        for (at, word) in said.list.iter().enumerate() {
            let plain = word.plain.as_str();
            slots.severities(said, at);
            if let Some(grade) = vocabulary::severity_word(plain) {
                slots.grade.add(grade, vec![at]);
            }
            slots.people(said, at);
            let item = token::numbered(plain, "t-").flatten().map(Item::Task);
            if let Some(item) = item.or_else(|| token::numbered(plain, "f-").flatten().map(Item::FollowUp)) {
                slots.item.add(item, vec![at]);
            }
            slots.lengths(said, at);
            if let Some(When::Clock { hour, minute }) = token::when(plain) {
                slots.moment.add(When::Clock { hour, minute }, vec![at]);
            }
            if let Some(state) = vocabulary::state(plain) {
                slots.state.add(state, vec![at]);
            }
            if let Some(milestone) = vocabulary::milestone(plain) {
                slots.milestone.add(milestone, vec![at]);
            }
        }
        slots.runbook = runbook(said);
        slots
    }

    fn severities(&mut self, said: &Words<'_>, at: usize) {
        let Some(word) = said.list.get(at) else { return };
        if let Some(severity) = vocabulary::severity(&word.plain, false) {
            let before = at
                .checked_sub(1)
                .filter(|before| said.list.get(*before).is_some_and(|word| vocabulary::names_severity(&word.plain)));
            self.severity.add(severity, before.into_iter().chain([at]).collect());
        } else if vocabulary::names_severity(&word.plain) {
            let behind = said.list.iter().enumerate().skip(at + 1).take(REACH);
            for (place, word) in behind {
                if let Some(severity) = vocabulary::severity(&word.plain, true) {
                    if vocabulary::severity(&word.plain, false).is_none() {
                        self.severity.add(severity, vec![at, place]);
                    }
                    break;
                }
                if !word.empty && !matches!(word.plain.as_str(), "as" | "nivel" | "level") {
                    break;
                }
            }
        }
    }

    /// `@ana` and mentions; a name alone after `a` or `to`, or with a capital letter.
    fn people(&mut self, said: &Words<'_>, at: usize) {
        let Some(word) = said.list.get(at) else { return };
        let raw = word.token.raw.trim_end_matches(['?', '!', '.', ',', ':', ';']);
        if raw.starts_with('@') || raw.starts_with("<@") {
            if let Some(who) = token::who(raw) {
                self.person.add(who, vec![at]);
            }
            return;
        }
        let Some(before) = at.checked_sub(1).and_then(|before| said.list.get(before)) else { return };
        let named = matches!(before.plain.as_str(), "a" | "to") || raw.starts_with(char::is_uppercase);
        // `T-1` and `10:02` are no names.
        let lettered = !raw.contains(|c: char| c.is_ascii_digit());
        if named
            && lettered
            && !word.empty
            && !vocabulary::is_nobody(&word.plain)
            && let Some(who) = token::who(raw)
        {
            self.name.add(who, vec![at]);
        }
    }

    /// `30m`, `30 minutes`, `una hora`.
    fn lengths(&mut self, said: &Words<'_>, at: usize) {
        let Some(word) = said.list.get(at) else { return };
        if let Some(minutes) = token::minutes(&word.token.word()) {
            self.length.add(minutes, vec![at]);
            return;
        }
        let Some(each) = said.list.get(at + 1).and_then(|unit| vocabulary::unit(&unit.plain)) else { return };
        let number: Option<u32> = match word.plain.as_str() {
            "un" | "una" | "an" | "one" => Some(1),
            digits => digits.parse().ok(),
        };
        if let Some(minutes) = number.and_then(|number| number.checked_mul(each)).filter(|minutes| *minutes > 0) {
            self.length.add(minutes, vec![at, at + 1]);
        }
    }
}

/// The one word that can name a runbook: with a hyphen in it, or after `runbook`; and `name=value` behind it.
fn runbook<'a>(said: &Words<'a>) -> Option<(Vec<usize>, &'a str, Vec<&'a str>)> {
    let is_name = |at: usize| {
        said.list.get(at).is_some_and(|word| {
            let after = at.checked_sub(1).and_then(|before| said.list.get(before));
            let told = after.is_some_and(|before| before.plain == "runbook");
            (word.plain.contains('-') || told) && crate::bounds::name(word.token.raw) && !word.empty
        })
    };
    let at = (0..said.list.len()).find(|at| is_name(*at))?;
    let parameters: Vec<usize> = (at + 1..said.list.len())
        .filter(|at| said.list.get(*at).is_some_and(|word| word.token.raw.contains('=')))
        .collect();
    let raw = |at: &usize| said.list.get(*at).map(|word| word.token.raw);
    let written = parameters.iter().filter_map(raw).collect();
    Some((std::iter::once(at).chain(parameters.iter().copied()).collect(), raw(&at)?, written))
}
