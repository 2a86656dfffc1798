//! One rule: what it needs, what it explains, and how sure it is.

use super::slots::Slots;
use super::vocabulary;
use super::words::Words;
use super::{Meaning, placed};
use crate::intent::Intent;
use crate::verb;

/// What a wrong letter costs.
const CORRECTION: f32 = 0.1;
/// What a negation costs a question: `why don't you …` rarely asks for the cause.
const NEGATION: f32 = 0.3;
/// Prepositions before what a question is about (`who can help with checkout`).
const ABOUT: [&str; 13] = ["for", "with", "about", "of", "on", "in", "de", "del", "con", "en", "sobre", "para", "por"];
/// Words of what a question is about: more of them are another sentence.
const TOPIC_MAX: usize = 4;

/// A row of the tables.
#[derive(Debug)]
pub struct Rule {
    /// The verb that does it.
    pub verb: &'static str,
    /// One phrase of each is needed; phrases are parted by `, `.
    pub needs: &'static [&'static str],
    /// Phrases that belong to it, too.
    pub may: &'static str,
    /// Slots it takes; those that it cannot do without, `make` looks after.
    pub takes: &'static [Takes],
    pub make: Make,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Severity,
    Grade,
    Person,
    Name,
    Item,
    Length,
    Moment,
    State,
    Milestone,
    Runbook,
}

#[derive(Clone, Copy, Debug)]
pub enum Make {
    /// A question. `true`: it must be asked (a question mark, or a word that asks).
    Ask(bool, fn(&Found<'_>) -> Option<Intent>),
    Act(fn(&Found<'_>) -> Option<Intent>),
    /// More is needed than words can say well.
    Form,
}

/// What a rule can be filled in with.
#[derive(Debug)]
pub struct Found<'f> {
    pub said: &'f Words<'f>,
    pub slots: &'f Slots<'f>,
    /// What it is about, as written: the words nobody explained, after a preposition.
    pub topic: String,
    pub place: Option<u32>,
}

impl Found<'_> {
    pub fn has(&self, phrase: &str) -> bool {
        self.said.find(phrase, false).is_some()
    }

    pub fn has_any(&self, phrases: &str) -> bool {
        phrases.split(", ").any(|phrase| self.has(phrase))
    }
}

/// A rule that fits these words somehow.
#[derive(Debug)]
pub struct Judged {
    pub rule: &'static Rule,
    /// The part of the words that carry something which it explains, less what was corrected: 0 to 1.
    pub confidence: f32,
    explained: usize,
    intent: Option<Intent>,
    acts: bool,
}

impl Rule {
    /// `None`: one of its needs is not there, or its slots are not.
    pub fn judge(&'static self, said: &Words<'_>, slots: &Slots<'_>, place: Option<u32>) -> Option<Judged> {
        let acts = !matches!(self.make, Make::Ask(..));
        if matches!(self.make, Make::Ask(true, _)) && !said.asked {
            return None;
        }
        if acts && about_an_act(said) {
            return None;
        }
        let mut explained = vec![false; said.list.len()];
        let mut corrections = 0_u8;
        for group in self.needs {
            let mut met = None;
            for phrase in group.split(", ") {
                if let Some((places, corrected)) = said.find(phrase, true) {
                    mark(&mut explained, &places);
                    met = Some(met.unwrap_or(true) && corrected);
                }
            }
            corrections += u8::from(met?);
        }
        for phrase in self.may.split(", ") {
            if let Some((places, _)) = said.find(phrase, false) {
                mark(&mut explained, &places);
            }
        }
        for takes in self.takes {
            mark(&mut explained, takes.places(slots));
        }
        let hits = explained.iter().filter(|explained| **explained).count();
        // What it is about counts neither for nor against it.
        let topic = if acts { String::new() } else { topic(said, &mut explained) };
        let carrying = |at: &usize| said.list.get(*at).is_some_and(|word| !word.empty);
        let open = (0..said.list.len()).filter(|at| !explained.get(*at).copied().unwrap_or(false));
        let missed: Vec<usize> = open.filter(carrying).collect();
        let negated = missed.iter().filter_map(|at| said.list.get(*at)).any(|word| vocabulary::negates(&word.plain));
        let found = Found { said, slots, topic, place };
        let intent = match self.make {
            Make::Ask(_, make) | Make::Act(make) => Some(make(&found)?),
            Make::Form => None,
        };
        let mut confidence = share(hits, hits + missed.len()) - CORRECTION * f32::from(corrections);
        if negated {
            confidence -= NEGATION;
        }
        Some(Judged { rule: self, confidence, explained: hits, intent, acts })
    }
}

impl Judged {
    /// An act has to explain everything, letter by letter.
    pub fn certain(&self, ask: f32) -> bool {
        self.confidence >= if self.acts { 1.0 } else { ask }
    }

    /// The surest first; of those the one that explains most; an act that is certain before a question.
    pub fn rank(&self) -> f32 {
        const WORD: f32 = 0.001;
        self.confidence + WORD * share(self.explained, 1)
    }

    pub fn meaning(&self, slots: &Slots<'_>, place: Option<u32>) -> Option<Meaning> {
        let verb = verb::find(self.rule.verb)?;
        let named = slots.incidents.first().copied().filter(|_| verb.name != "merge" || slots.incidents.len() > 1);
        match &self.intent {
            Some(intent) => placed(verb, intent.clone(), named, place),
            None => Some(Meaning::Form(verb, named.or(place))),
        }
    }
}

/// A question about an act is not the act, unless it is a polite way to ask for it.
fn about_an_act(said: &Words<'_>) -> bool {
    if vocabulary::polite().any(|phrase| said.find(phrase, false).is_some()) {
        return false;
    }
    let first = said.list.first().is_some_and(|word| vocabulary::inverts(&word.plain));
    first || said.marked
}

/// What follows a preposition and nobody explained; it counts as explained from here on.
fn topic(said: &Words<'_>, explained: &mut [bool]) -> String {
    let open = |at: usize, explained: &[bool]| {
        let carries = said.list.get(at).is_some_and(|word| !word.empty && !vocabulary::negates(&word.plain));
        carries && !explained.get(at).copied().unwrap_or(true)
    };
    let before = |at: usize| {
        said.list
            .get(..at)
            .unwrap_or_default()
            .iter()
            .rev()
            .find(|word| !is_article(&word.plain))
            .map(|word| word.plain.as_str())
    };
    let Some(start) =
        (1..said.list.len()).find(|at| open(*at, explained) && before(*at).is_some_and(|word| ABOUT.contains(&word)))
    else {
        return String::new();
    };
    let end = (start..said.list.len()).find(|at| !open(*at, explained)).unwrap_or(said.list.len());
    if end - start > TOPIC_MAX {
        return String::new();
    }
    mark(explained, &(start..end).collect::<Vec<_>>());
    let words = said.list.get(start..end).unwrap_or_default();
    let raw: Vec<&str> = words.iter().map(|word| word.token.raw.trim_end_matches(['?', '!', '.', ',', ';'])).collect();
    raw.join(" ")
}

fn is_article(word: &str) -> bool {
    matches!(word, "the" | "this" | "that" | "a" | "an" | "el" | "la" | "los" | "las" | "este" | "esta" | "un" | "una")
}

fn mark(explained: &mut [bool], places: &[usize]) {
    for at in places {
        if let Some(place) = explained.get_mut(*at) {
            *place = true;
        }
    }
}

/// A part of at most [`super::words::WORDS_MAX`] words.
#[allow(clippy::cast_precision_loss)]
fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole.max(1) as f32
}

impl Takes {
    fn places<'s>(self, slots: &'s Slots<'_>) -> &'s [usize] {
        match self {
            Self::Severity => slots.severity.places(),
            Self::Grade => slots.grade.places(),
            Self::Person => slots.person.places(),
            Self::Name => slots.name.places(),
            Self::Item => slots.item.places(),
            Self::Length => slots.length.places(),
            Self::Moment => slots.moment.places(),
            Self::State => slots.state.places(),
            Self::Milestone => slots.milestone.places(),
            Self::Runbook => slots.runbook.as_ref().map_or(&[], |(places, ..)| places),
        }
    }
}
