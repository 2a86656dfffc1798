//! What is learnt of one target, causes or responders: a few simple learners, each with its own view, and the combiner
//! that knows what each is worth.
//!
//! The learners: how often each candidate was right of late; a linear model over words and labels; the votes of similar
//! incidents, fading at several speeds; who had the same label, service or title before, at several half-lives; what the
//! probable cause says of the responder; when each was last seen.

use super::bytes::{In, Out};
use super::combine::Combiner;
use super::decay::{LIVES, Tallies};
use super::input::{Input, hash};
use super::linear::Linear;
use super::panel::{
    BY_CAUSE, DAYS, FADING, FIXED, FRESH, GENERAL, Kept, LABELS, NEAREST, NOVELTY, Panel, RELATIVE, SHARPNESS, VOTERS,
    VOTES,
};
use crate::case::CaseId;
use std::collections::BTreeMap;

/// Candidates that are told apart: the largest of the public histories has 130 persons. Those who come later are not
/// learnt.
pub(crate) const CLASSES: usize = 2_048;
/// Keys that are remembered: at 200 bytes each, 100 MB.
const KEYS: usize = 500_000;
/// Similar incidents that vote.
const VOTING: usize = 60;
/// Imagined labels of a key, spread as in general.
const PRIOR: f64 = 1.0;
/// Weight of those who do not vote, over the similarity of the best voter.
const DOUBT: f64 = 0.25;
/// Half-life, in labels, of the rate at which somebody new turns up.
const NEW_HALF_LIFE: f64 = 300.0;
/// A feature never says less than this: what never happened may happen.
const LEAST: f64 = 1e-4;
/// Of what the probable causes say, the half-life that is used (64 labels).
const CAUSE_LIFE: usize = 2;

const DAY: f64 = 86_400_000.0;

/// A similar incident whose outcome is known.
#[derive(Clone, Debug)]
pub(crate) struct Vote {
    pub class: u32,
    /// Which hit it was.
    pub hit: usize,
    /// As a share of the best hit's.
    pub score: f64,
    pub similarity: f64,
    /// Milliseconds since it opened, and since its outcome is known.
    pub age: f64,
    pub known: f64,
}

#[derive(Clone, Debug, Default)]
struct Class {
    name: String,
    general: [f32; GENERAL.len()],
    last_at: i64,
    last_label: u64,
    last_case: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Student {
    classes: Vec<Class>,
    numbers: BTreeMap<String, u32>,
    general: [f32; GENERAL.len()],
    labels: u64,
    new: f64,
    new_of: f64,
    linear: Linear,
    keys: BTreeMap<u64, Tallies>,
    by_cause: BTreeMap<u32, Tallies>,
    pub combiner: Combiner,
}

impl Default for Student {
    fn default() -> Self {
        Self {
            classes: Vec::new(),
            numbers: BTreeMap::new(),
            general: [0.0; GENERAL.len()],
            labels: 0,
            new: 1.0,
            new_of: 2.0,
            linear: Linear::default(),
            keys: BTreeMap::new(),
            by_cause: BTreeMap::new(),
            combiner: Combiner::default(),
        }
    }
}

impl Student {
    pub fn class(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub fn name(&self, class: usize) -> &str {
        self.classes.get(class).map_or("", |class| &class.name)
    }

    /// The last case that turned out so.
    pub fn last_case(&self, class: usize) -> Option<CaseId> {
        self.classes.get(class).map(|class| CaseId(class.last_case.clone()))
    }

    pub fn without_cases(&self) -> Self {
        Self { combiner: self.combiner.clone(), ..Self::default() }
    }

    /// Everybody known, with features and probabilities. `causes`: probable causes with their probability.
    pub fn ask(&self, input: &Input, votes: &[Vote], causes: &[(u32, f64)], at: i64) -> Panel {
        let prior = self.prior();
        let keys: Vec<_> = input.keys.iter().filter_map(|key| Some((key, self.keys.get(&key.value)?))).collect();
        let fixed = (0..FIXED).filter_map(|column| u16::try_from(column).ok());
        let of_keys = keys.iter().flat_map(|(key, _)| {
            (0..LIVES).filter_map(|life| u16::try_from(FIXED + usize::from(key.column) * LIVES + life).ok())
        });
        let columns: Vec<u16> = fixed.chain(of_keys).collect();
        let mut rows: Vec<Vec<f32>> = vec![Vec::with_capacity(columns.len()); self.classes.len()];
        let words = self.linear.probabilities(&input.features, self.classes.len());
        for ((row, class), word) in rows.iter_mut().zip(&self.classes).zip(words) {
            self.in_general(class, row);
            row.push(f32_of((f64::from(word) + LEAST).ln()));
            row.resize(FIXED, 0.0);
            set(row, DAYS, -0.5 * (1.0 + (at - class.last_at).max(0) as f64 / DAY).ln());
            set(row, LABELS, -0.5 * (1.0 + (self.labels - class.last_label) as f64).ln());
        }
        vote(&mut rows, votes, &prior);
        self.ask_causes(&mut rows, causes, &prior);
        for (_, tallies) in &keys {
            key(&mut rows, tallies, &prior);
        }
        let rate = self.new / self.new_of;
        let unlike = 1.0 - votes.first().map_or(0.0, |vote| vote.similarity);
        let novelty: [f32; NOVELTY] = [1.0, f32_of(rate.ln()), f32_of(unlike)];
        let mut panel = Panel { columns, rows, novelty, ..Panel::default() };
        self.combiner.judge(&mut panel);
        panel
    }

    /// Shares in general, half of late and half ever, in which nobody is impossible.
    fn prior(&self) -> Vec<f64> {
        let imagined = 0.5 / self.classes.len().max(1) as f64;
        let share = |class: &Class, life: usize| {
            let of = |values: &[f32]| f64::from(values.get(life).copied().unwrap_or_default());
            (of(&class.general) + imagined) / (of(&self.general) + 0.5)
        };
        self.classes.iter().map(|class| (0.5 * share(class, 2) + 0.5 * share(class, 4)).max(1e-5)).collect()
    }

    fn in_general(&self, class: &Class, row: &mut Vec<f32>) {
        let imagined = 0.2 / self.classes.len().max(1) as f64;
        for (weight, total) in class.general.iter().zip(self.general) {
            let share = (f64::from(*weight) + imagined) / (f64::from(total) + 0.2);
            row.push(f32_of(share.ln().max(-9.0)));
        }
    }

    /// Whom the probable causes call for.
    fn ask_causes(&self, rows: &mut [Vec<f32>], causes: &[(u32, f64)], prior: &[f64]) {
        if causes.is_empty() {
            return;
        }
        let mut weights: Vec<f64> = vec![0.0; rows.len()];
        let mut total = 0.0;
        for (cause, p) in causes {
            for (weight, prior) in weights.iter_mut().zip(prior) {
                *weight += 2.0 * p * prior;
            }
            total += 2.0 * p;
            let Some(tallies) = self.by_cause.get(cause) else { continue };
            for (class, lives) in &tallies.held {
                if let (Some(weight), Some(life)) = (weights.get_mut(*class as usize), lives.get(CAUSE_LIFE)) {
                    *weight += p * f64::from(*life);
                }
            }
            total += p * f64::from(tallies.total.get(CAUSE_LIFE).copied().unwrap_or_default());
        }
        for ((row, weight), prior) in rows.iter_mut().zip(weights).zip(prior) {
            set(row, BY_CAUSE, (weight / total.max(1e-9) / prior).max(LEAST).ln());
        }
    }

    /// Learns who or what it was. `said`: what was said of it, where that is known. `cause`: the cause's number, where it
    /// is known, for a responder.
    pub fn learn(&mut self, input: &Input, name: &str, id: &CaseId, said: Option<&Kept>, cause: Option<u32>, at: i64) {
        let before = self.class(name);
        let novel = before.is_none_or(|class| said.is_some_and(|said| class >= said.classes));
        if let Some(said) = said {
            self.combiner.learn(said, hash(&[name]), novel);
        }
        let kept = 0.5_f64.powf(1.0 / NEW_HALF_LIFE);
        self.new = self.new * kept + f64::from(u8::from(novel));
        self.new_of = self.new_of * kept + 1.0;
        let Some(number) = before.or_else(|| self.enrol(name)) else { return };
        self.labels += 1;
        for (life, half) in GENERAL.iter().enumerate() {
            let kept = 0.5_f32.powf(1.0 / half);
            for class in &mut self.classes {
                if let Some(weight) = class.general.get_mut(life) {
                    *weight *= kept;
                }
            }
            if let Some(total) = self.general.get_mut(life) {
                *total = *total * kept + 1.0;
            }
        }
        if let Some(class) = self.classes.get_mut(number as usize) {
            for weight in &mut class.general {
                *weight += 1.0;
            }
            (class.last_at, class.last_label) = (at, self.labels);
            class.last_case.clone_from(&id.0);
        }
        for key in &input.keys {
            if self.keys.len() < KEYS || self.keys.contains_key(&key.value) {
                self.keys.entry(key.value).or_default().add(number);
            }
        }
        if let Some(cause) = cause {
            self.by_cause.entry(cause).or_default().add(number);
        }
        self.linear.learn(&input.features, number, self.classes.len());
    }

    fn enrol(&mut self, name: &str) -> Option<u32> {
        if self.classes.len() >= CLASSES {
            return None;
        }
        let number = u32::try_from(self.classes.len()).ok()?;
        self.classes.push(Class { name: name.to_owned(), ..Class::default() });
        self.numbers.insert(name.to_owned(), number);
        Some(number)
    }

    pub fn write(&self, out: &mut Out) {
        out.list(self.classes.iter(), |out, class| {
            out.text(&class.name);
            for weight in &class.general {
                out.f32(*weight);
            }
            out.i64(class.last_at);
            out.u64(class.last_label);
            out.text(&class.last_case);
        });
        for total in &self.general {
            out.f32(*total);
        }
        out.u64(self.labels);
        out.f64(self.new);
        out.f64(self.new_of);
        self.linear.write(out);
        out.list(self.keys.iter(), |out, (value, tallies)| {
            out.u64(*value);
            tallies.write(out);
        });
        out.list(self.by_cause.iter(), |out, (cause, tallies)| {
            out.u32(*cause);
            tallies.write(out);
        });
        self.combiner.write(out);
    }

    pub fn read(input: &mut In<'_>) -> Option<Self> {
        let classes = input.list(|input| {
            let (name, general) = (input.text()?, input.array()?);
            let (last_at, last_label, last_case) = (input.i64()?, input.u64()?, input.text()?);
            Some(Class { name, general, last_at, last_label, last_case })
        })?;
        let numbers = (0..).zip(&classes).map(|(number, class)| (class.name.clone(), number)).collect();
        let general = input.array()?;
        let (labels, new, new_of) = (input.u64()?, input.f64()?, input.f64()?);
        let linear = Linear::read(input)?;
        let keys = input.list(|input| Some((input.u64()?, Tallies::read(input)?)))?.into_iter().collect();
        let by_cause = input.list(|input| Some((input.u32()?, Tallies::read(input)?)))?.into_iter().collect();
        let combiner = Combiner::read(input)?;
        Some(Self { classes, numbers, general, labels, new, new_of, linear, keys, by_cause, combiner })
    }
}

/// The votes of similar incidents.
fn vote(rows: &mut [Vec<f32>], votes: &[Vote], prior: &[f64]) {
    let votes = votes.get(..VOTING.min(votes.len())).unwrap_or_default();
    let doubt = DOUBT / votes.first().map_or(0.0, |vote| vote.similarity).max(0.05);
    let kinds = SHARPNESS.iter().flat_map(|sharpness| FADING.iter().map(move |fading| (*sharpness, *fading)));
    for (column, (sharpness, fading)) in (VOTES..).zip(kinds) {
        let mut weights = vec![0.0; rows.len()];
        let mut total = 0.0;
        for vote in votes {
            let weight = vote.score.powf(sharpness) / (1.0 + vote.age / DAY / fading);
            weights.get_mut(vote.class as usize).into_iter().for_each(|sum| *sum += weight);
            total += weight;
        }
        // Where all votes are old, so is the doubt.
        let fresh = if fading.is_finite() { (total / votes.len().max(1) as f64).clamp(1e-6, 1.0) } else { 1.0 };
        let doubt = (doubt * fresh).max(1e-9);
        for ((row, weight), prior) in rows.iter_mut().zip(weights).zip(prior) {
            set(row, column, ((weight + doubt * prior) / (total + doubt) / prior).ln());
        }
    }
    let mut counts = vec![0_u32; rows.len()];
    for vote in votes {
        let number = vote.class as usize;
        let Some(row) = rows.get_mut(number) else { continue };
        if let Some(count) = counts.get_mut(number) {
            *count += 1;
        }
        let raise = |row: &mut Vec<f32>, column: usize, x: f64| {
            let higher = row.get(column).copied().unwrap_or_default().max(f32_of(x));
            if let Some(value) = row.get_mut(column) {
                *value = higher;
            }
        };
        raise(row, NEAREST, vote.similarity);
        raise(row, RELATIVE, vote.score);
        raise(row, FRESH, vote.similarity / (1.0 + vote.known / DAY / 30.0));
    }
    for (row, count) in rows.iter_mut().zip(counts) {
        set(row, VOTERS, 0.5 * (1.0 + f64::from(count)).ln());
    }
}

/// Who had this key before.
fn key(rows: &mut [Vec<f32>], tallies: &Tallies, prior: &[f64]) {
    let from = rows.first().map_or(0, Vec::len);
    let nobody = tallies.total.map(|total| f32_of((PRIOR / (f64::from(total) + PRIOR)).ln()));
    for row in rows.iter_mut() {
        row.extend(nobody);
    }
    for (class, weights) in &tallies.held {
        let (Some(row), Some(prior)) = (rows.get_mut(*class as usize), prior.get(*class as usize)) else { continue };
        for ((x, weight), total) in row.iter_mut().skip(from).zip(weights).zip(tallies.total) {
            *x = f32_of(((f64::from(*weight) + PRIOR * prior) / (f64::from(total) + PRIOR) / prior).ln());
        }
    }
}

fn set(row: &mut [f32], column: usize, x: f64) {
    if let Some(value) = row.get_mut(column) {
        *value = f32_of(x);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "features are f32")]
fn f32_of(x: f64) -> f32 {
    x as f32
}
