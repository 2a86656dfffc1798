//! Requests and questions in plain words, in English and in Spanish.
//!
//! Rules, no statistics: the same words always mean the same. A rule ([`rule`]) names the words it needs, those it also explains, and the
//! slots (a severity, a person, a number) that fill it in; its confidence is the part of the words that carry something which it
//! explains. *Asks* are answered from [`ASK`] on. An *act* must explain every word, may not be a question about the act, and
//! is only ever offered: a negation, a condition, somebody else's act or a past one leave a word unexplained. Text that begins
//! like a request for a note, a task or a declaration ([`opening`]) takes the rest of it as it is.
//!
//! Knows no vocabulary of its own beyond these tables; severities, handles, durations and parameters are read as commands read them.

mod acts;
mod asks;
mod opening;
mod rule;
mod slots;
mod vocabulary;
mod words;

use crate::bounds;
use crate::intent::{Ask, Intent};
use crate::token::Token;
use crate::utterance::Place;
use crate::verb::{self, Kind, Scope, Verb};
use rule::{Judged, Rule};
use slots::Slots;
use words::Words;

/// The least confidence at which a question is answered.
const ASK: f32 = 0.6;
/// The least confidence at which a verb is worth naming as "did you mean".
const NEAR: f32 = 0.25;
/// More verbs than this are no hint.
const NEAR_MAX: usize = 3;

/// What plain words came to.
#[derive(Clone, Debug)]
pub(crate) enum Meaning {
    /// A question: it is answered.
    Asked(Ask),
    /// An act with everything filled in: it is offered.
    Act(Ask),
    /// An act that needs more than was said.
    Form(&'static Verb, Option<u32>),
    /// An incident's verb, and none was named.
    Which(&'static Verb, Intent),
    /// Nothing certain; these are near, the nearest first.
    Near(Vec<&'static Verb>),
}

/// What is meant by words that are not a command, said in this place.
pub(crate) fn plain(source: &str, tokens: &[Token<'_>], place: Place) -> Meaning {
    let said = Words::of(tokens);
    let slots = Slots::of(tokens, &said);
    let incident = match place {
        Place::Incident(number) => Some(number),
        Place::Lobby => None,
    };
    if said.list.is_empty() || tokens.iter().any(|token| token.fenced) {
        return Meaning::Near(Vec::new());
    }
    if let Some(meant) = opening::read(source, tokens, &said, &slots, incident) {
        return meant;
    }
    if said.more {
        return Meaning::Near(Vec::new());
    }
    let mut judged: Vec<Judged> = rules().filter_map(|rule| rule.judge(&said, &slots, incident)).collect();
    // Stable, so of two that explain as much the earlier in the table counts.
    judged.sort_by(|a, b| b.rank().total_cmp(&a.rank()));
    let certain = judged.iter().find(|judged| judged.certain(ASK)).and_then(|judged| judged.meaning(&slots, incident));
    certain.unwrap_or_else(|| Meaning::Near(near(&judged, &said)))
}

/// `this`, `please`: nothing that an act could need.
pub(crate) fn says_nothing(token: &Token<'_>) -> bool {
    let word = words::plain(token);
    word.is_empty() || vocabulary::is_empty(&word)
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    acts::RULES.iter().chain(asks::RULES)
}

/// Acts that were turned round are not proposed.
fn near(judged: &[Judged], said: &Words<'_>) -> Vec<&'static Verb> {
    let negated = said.list.iter().any(|word| vocabulary::negates(&word.plain));
    let mut verbs: Vec<&'static Verb> = Vec::new();
    for candidate in judged.iter().filter(|judged| judged.confidence >= NEAR) {
        let Some(verb) = verb::find(candidate.rule.verb) else { continue };
        let repeated = verbs.iter().any(|known| known.name == verb.name);
        if verbs.len() < NEAR_MAX && !repeated && !(negated && verb.kind == Kind::Act) {
            verbs.push(verb);
        }
    }
    verbs
}

/// The intent, where it is meant: in the incident that was named, or in this place.
fn placed(verb: &'static Verb, intent: Intent, named: Option<u32>, place: Option<u32>) -> Option<Meaning> {
    let incident = match verb.scope {
        Scope::Lobby => None,
        Scope::Both => named,
        Scope::Incident => named.or(place),
    };
    let act = intent.is_act();
    let ask = Ask { incident, intent };
    if !bounds::within(&ask) {
        return None;
    }
    Some(match (verb.scope, incident) {
        (Scope::Incident, None) => Meaning::Which(verb, ask.intent),
        _ if act => Meaning::Act(ask),
        _ => Meaning::Asked(ask),
    })
}

#[cfg(test)]
mod tests;
