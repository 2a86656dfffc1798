//! All candidates of one question with their features, and the part of it that is kept to learn from later.
//!
//! A suggestion is learnt from with the features it had, never with today's. What is kept: the first candidates, and one
//! row for all the others together (their mean, weighted by probability), which makes the gradient of the first order
//! exact although they are not kept.

use super::bytes::{In, Out};
use super::decay::LIVES;
use super::input::{KEY_COLUMNS, KEYS, hash};

/// Half-lives of the frequencies in general, in labels.
pub(crate) const GENERAL: [f32; 5] = [5.0, 20.0, 100.0, 500.0, f32::INFINITY];
/// How neighbours' votes fade, in days, hyperbolically; each for both sharpnesses.
pub(crate) const FADING: [f64; 4] = [f64::INFINITY, 365.0, 90.0, 20.0];
/// A vote weighs the score, as a share of the best one, to this power.
pub(crate) const SHARPNESS: [f64; 2] = [1.5, 4.0];

/// Where each kind of feature begins.
pub(crate) const WORDS: usize = GENERAL.len();
pub(crate) const VOTES: usize = WORDS + 1;
pub(crate) const NEAREST: usize = VOTES + FADING.len() * SHARPNESS.len();
pub(crate) const VOTERS: usize = NEAREST + 1;
pub(crate) const RELATIVE: usize = NEAREST + 2;
pub(crate) const FRESH: usize = NEAREST + 3;
pub(crate) const BY_CAUSE: usize = NEAREST + 4;
pub(crate) const DAYS: usize = NEAREST + 5;
pub(crate) const LABELS: usize = NEAREST + 6;
pub(crate) const FIXED: usize = NEAREST + 7;
#[expect(clippy::cast_possible_truncation, reason = "a small constant")]
pub(crate) const COLUMNS: usize = FIXED + KEY_COLUMNS as usize * LIVES;

/// Candidates that are kept.
pub(crate) const KEPT: usize = 5;
/// Of the chance that it is somebody never seen: a constant, the rate of the newest labels, and how unlike it is.
pub(crate) const NOVELTY: usize = 3;

/// Steps of a kept feature: within ±32, a thousandth of what can be told apart.
const STEPS: f32 = 1024.0;
/// Rows and columns that a kept panel has at most: what is larger is no panel of ours.
const MOST: usize = FIXED + KEYS * LIVES;

/// What a column is called for people.
pub(crate) fn name(column: usize, keys: &[super::input::Key]) -> String {
    let fixed = match column {
        ..WORDS => "how often of late",
        WORDS => "words and labels",
        VOTES..NEAREST => "similar incidents",
        NEAREST | RELATIVE => "most similar incident",
        VOTERS => "number of similar incidents",
        FRESH => "recent similar incident",
        BY_CAUSE => "probable cause",
        DAYS | LABELS => "last time",
        _ => {
            let number = (column - FIXED) / LIVES;
            let key = keys.iter().find(|key| usize::from(key.column) == number);
            return key.map_or_else(|| "another key".to_owned(), |key| key.name.clone());
        }
    };
    fixed.to_owned()
}

/// Features of all candidates, one row each, and what the combiner makes of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panel {
    /// What each number of a row means; below [`COLUMNS`].
    pub columns: Vec<u16>,
    /// A row for each class, in the order of classes.
    pub rows: Vec<Vec<f32>>,
    pub novelty: [f32; NOVELTY],
    /// Filled in by the combiner: log-odds and probability of each row, and of nobody known.
    pub scores: Vec<f64>,
    pub p: Vec<f64>,
    pub p_novel: f64,
    /// Rows, best first.
    pub order: Vec<usize>,
}

/// What is kept of a panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kept {
    /// Classes that were known.
    pub classes: u32,
    pub novelty: [f32; NOVELTY],
    pub columns: Vec<u16>,
    /// Hash of the candidate's name, and its features.
    pub rows: Vec<(u64, Vec<i16>)>,
    /// Log-odds that the others have beyond their mean features, and those.
    pub others: Option<(f32, Vec<i16>)>,
}

impl Panel {
    /// What is kept. `named` gives the name of a class.
    pub fn keep<'a>(&self, named: impl Fn(usize) -> &'a str) -> Kept {
        let first = self.order.iter().take(KEPT);
        let rows = first.filter_map(|row| Some((hash(&[named(*row)]), quantised(self.rows.get(*row)?)))).collect();
        Kept {
            classes: u32::try_from(self.rows.len()).unwrap_or(u32::MAX),
            novelty: self.novelty,
            columns: self.columns.clone(),
            rows,
            others: self.others(),
        }
    }

    fn others(&self) -> Option<(f32, Vec<i16>)> {
        let rest = self.order.get(KEPT..)?;
        let at = |values: &[f64], row: usize| values.get(row).copied().unwrap_or_default();
        let mass: f64 = rest.iter().map(|row| at(&self.p, *row)).sum();
        if mass <= 1e-9 {
            return None;
        }
        let mut mean = vec![0.0_f64; self.columns.len()];
        let mut score = 0.0;
        for row in rest {
            let share = at(&self.p, *row) / mass;
            score += share * at(&self.scores, *row);
            for (mean, x) in mean.iter_mut().zip(self.rows.get(*row)?) {
                *mean += share * f64::from(*x);
            }
        }
        let first = *self.order.first()?;
        let all = at(&self.scores, first) + (mass / at(&self.p, first).max(1e-12)).ln();
        #[expect(clippy::cast_possible_truncation, reason = "features are f32")]
        let mean: Vec<f32> = mean.into_iter().map(|x| x as f32).collect();
        #[expect(clippy::cast_possible_truncation, reason = "features are f32")]
        let beyond = (all - score) as f32;
        Some((beyond, quantised(&mean)))
    }
}

fn quantised(row: &[f32]) -> Vec<i16> {
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and that is meant")]
    let step = |x: &f32| (x * STEPS).round() as i16;
    row.iter().map(step).collect()
}

pub(crate) fn restored(row: &[i16]) -> impl Iterator<Item = f64> {
    row.iter().map(|x| f64::from(*x) / f64::from(STEPS))
}

impl Kept {
    pub fn write(&self, out: &mut Out) {
        out.u32(self.classes);
        for x in &self.novelty {
            out.f32(*x);
        }
        out.list(self.columns.iter(), |out, column| out.u16(*column));
        out.list(self.rows.iter(), |out, (name, row)| {
            out.u64(*name);
            write_row(out, row);
        });
        out.list(self.others.iter(), |out, (beyond, row)| {
            out.f32(*beyond);
            write_row(out, row);
        });
    }

    pub fn read(input: &mut In<'_>) -> Option<Self> {
        let (classes, novelty) = (input.u32()?, input.array()?);
        let columns = input.list(In::u16)?;
        let width = columns.len();
        if width > MOST || columns.iter().any(|column| usize::from(*column) >= COLUMNS) {
            return None;
        }
        let row = |input: &mut In<'_>| {
            let row: Option<Vec<i16>> = (0..width).map(|_| Some(input.u16()?.cast_signed())).collect();
            row
        };
        let rows = input.list(|input| Some((input.u64()?, row(input)?)))?;
        let mut others = input.list(|input| Some((input.f32()?, row(input)?)))?;
        Some(Self { classes, novelty, columns, rows, others: others.pop() })
    }
}

fn write_row(out: &mut Out, row: &[i16]) {
    for x in row {
        out.u16(x.cast_unsigned());
    }
}

/// Text that a journal can hold.
pub(crate) fn to_text(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// What [`to_text`] wrote.
pub(crate) fn from_text(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
    let digits = digits?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
