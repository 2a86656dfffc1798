//! From the incident at hand, or from words somebody typed, to weighted terms.
//!
//! Knows which terms a question holds and which of them are worth following; not where cases lie.

use crate::case::Probe;
use crate::part::Part;
use crate::schema::Kind;
use crate::tokenize::{TEXT_BYTES, Terms, clip, words};
use crate::trouble::Trouble;
use std::collections::BTreeMap;

/// Terms of one question that are followed, the weightiest first.
pub const TERMS: usize = 40;
/// Terms whose frequency is looked up, so that the choice of [`TERMS`] stays cheap on long texts.
pub const CONSIDERED: usize = 300;

/// Cases up to which no term is too common to be followed.
pub const COMMON_CASES: u64 = 100;

/// How a question is weighed. Every figure was chosen on four public histories in time order (see `evaluate.rs`): a
/// value was kept only if it held on all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    /// Terms followed at most.
    pub terms: usize,
    /// A term of more than this share of the cases (and of more than [`COMMON_CASES`]) is not followed: its list is
    /// long and tells little.
    pub common: f64,
    /// BM25: how soon repetition stops to count.
    pub k1: f64,
    /// BM25: how much a long case is marked down.
    pub b: f64,
    /// Weight of a `key=value` term against a word of the same rarity.
    pub label: f64,
    /// A word that the question repeats (or has in its title) counts `1 + repeat * (n - 1)` times.
    pub repeat: f64,
}

/// Ours. Against the plain recipe: labels at three times the weight give 0 to +6 points of top-1, a damped title 0 to +2.
pub(crate) const OURS: Recipe = Recipe { terms: TERMS, common: 0.5, k1: 1.2, b: 0.75, label: 3.0, repeat: 0.3 };
/// What a search library gives without thought: every term, standard constants. The baseline of `evaluate.rs`.
pub(crate) const PLAIN: Recipe = Recipe { terms: CONSIDERED, common: 1.0, k1: 1.2, b: 0.75, label: 1.0, repeat: 1.0 };

/// A term with its weight.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    pub kind: Kind,
    pub text: String,
    /// Times the question says it (a word of the title is boosted).
    pub times: u32,
    /// Terms of one group are the same word in different fields: it covers the question once.
    pub group: u32,
    /// Rarity times repetition. 0 until weighed.
    pub weight: f64,
}

/// A question, weighed against what is in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    /// Those of one group side by side, the weightier first.
    pub terms: Vec<Term>,
    /// Weight of the followed terms and of the words nobody ever said: what "all of it" means for similarity.
    pub whole: f64,
    /// Mean length of a case in words.
    pub mean_length: f64,
}

/// The terms of the incident at hand.
pub(crate) fn of_probe(probe: &Probe) -> Vec<Term> {
    let terms = Terms::of_probe(probe);
    let words = terms.words.into_iter().map(|(text, n)| (Kind::Word, text, n));
    let labels = terms.labels.into_iter().map(|text| (Kind::Label, text, 1));
    words.chain(labels).zip(0..).map(|((kind, text, times), group)| term(kind, text, times, group)).collect()
}

/// The terms of a search: each word in what was said and in what came out of it; `key=value` is also a label.
pub(crate) fn of_text(text: &str) -> Vec<Term> {
    let text = clip(text, TEXT_BYTES);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for word in words(text) {
        *counts.entry(word.text).or_default() += 1;
    }
    let mut terms = Vec::new();
    for (group, (text, times)) in (0..).zip(counts) {
        terms.push(term(Kind::Word, text.clone(), times, group));
        terms.push(term(Kind::About, text, times, group));
    }
    let labels =
        text.split_whitespace().filter_map(|w| w.split_once('=')).filter_map(|(k, v)| crate::tokenize::label(k, v));
    for (group, label) in (1 << 16..).zip(labels.take(crate::tokenize::LABELS)) {
        terms.push(term(Kind::Label, label, 1, group));
    }
    terms
}

fn term(kind: Kind, text: String, times: u32, group: u32) -> Term {
    Term { kind, text, times, group, weight: 0.0 }
}

impl Query {
    /// Weighs the terms by their rarity and keeps those worth following.
    pub fn weigh(mut terms: Vec<Term>, parts: &[&dyn Part], recipe: &Recipe) -> Result<Self, Trouble> {
        let cases: u64 = parts.iter().map(|p| p.cases()).sum();
        let length: u64 = parts.iter().map(|p| p.words()).sum();
        // A long text is read from its most repeated words on: those are its subject.
        terms.sort_by(|a, b| b.times.cmp(&a.times).then_with(|| (a.kind, &a.text).cmp(&(b.kind, &b.text))));
        terms.truncate(CONSIDERED);
        let mut unknown: BTreeMap<u32, f64> = BTreeMap::new();
        let mut known = Vec::new();
        for mut term in terms {
            let mut frequency = 0;
            for part in parts {
                frequency += u64::from(part.frequency(term.kind, &term.text)?);
            }
            let repetition = 1.0 + recipe.repeat * f64::from(term.times - 1);
            let field = if term.kind == Kind::Label { recipe.label } else { 1.0 };
            term.weight = rarity(cases, frequency) * repetition * field;
            // A word nobody ever said makes the incident newer; an unheard number or id says nothing.
            if frequency == 0 && !term.text.bytes().any(|b| b.is_ascii_digit()) {
                raise(&mut unknown, &term);
            }
            let common = frequency > COMMON_CASES && frequency as f64 > cases as f64 * recipe.common;
            if frequency > 0 && !common {
                known.push(term);
            }
        }
        known.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| (a.kind, &a.text).cmp(&(b.kind, &b.text))));
        known.truncate(recipe.terms);
        known.sort_by(|a, b| a.group.cmp(&b.group).then(b.weight.total_cmp(&a.weight)));
        let mut followed = BTreeMap::new();
        for term in &known {
            raise(&mut followed, term);
        }
        unknown.retain(|group, _| !followed.contains_key(group));
        let whole = followed.values().chain(unknown.values()).sum();
        Ok(Self { terms: known, whole, mean_length: length as f64 / cases.max(1) as f64 })
    }
}

fn raise(weights: &mut BTreeMap<u32, f64>, term: &Term) {
    let heaviest = weights.entry(term.group).or_default();
    *heaviest = heaviest.max(term.weight);
}

/// Inverse document frequency as BM25 has it (Robertson and Zaragoza 2009, with Lucene's `1 +`, never negative).
fn rarity(cases: u64, frequency: u64) -> f64 {
    let (n, f) = (cases as f64, (frequency as f64).min(cases as f64));
    (1.0 + (n - f + 0.5) / (f + 0.5)).ln()
}
