//! The combiner: one log-linear model over the named features, its weights shared by all candidates, learnt online.
//!
//! A weight says how much a kind of evidence is worth, not who is meant, so it holds for those who come tomorrow. It
//! starts where it is sensible and is pulled back there, so a small history is not led astray. Because it is a softmax
//! fitted to outcomes, its probabilities are calibrated without a further step.

use super::bytes::{In, Out};
use super::panel::{BY_CAUSE, COLUMNS, FIXED, Kept, NEAREST, NOVELTY, Panel, VOTES, WORDS, restored};

/// Chosen on four histories in time order: .01 to .05 differ by less than a point.
const RATE: f64 = 0.02;
/// Added under the root of the squared gradients.
const SOFTENER: f64 = 1.0;
/// Pull towards the starting weights.
const PULL: f64 = 1e-3;

/// Where a weight starts.
fn start(column: usize) -> f64 {
    match column {
        ..WORDS => 0.1,
        WORDS => 0.4,
        VOTES..NEAREST => 0.05,
        BY_CAUSE | NEAREST..FIXED => 0.0,
        _ => 0.02,
    }
}

/// Weights and what they learnt from.
#[derive(Clone, Debug)]
pub(crate) struct Combiner {
    weights: Vec<f64>,
    squares: Vec<f64>,
    novelty: [f64; NOVELTY],
    novelty_squares: [f64; NOVELTY],
}

impl Default for Combiner {
    fn default() -> Self {
        let weights: Vec<f64> = (0..COLUMNS).map(start).collect();
        let squares = vec![0.0; weights.len()];
        // At first the chance of somebody new is the rate of new ones.
        Self { weights, squares, novelty: [0.0, 1.0, 0.0], novelty_squares: [1e-3; NOVELTY] }
    }
}

impl Combiner {
    pub fn weight(&self, column: usize) -> f64 {
        self.weights.get(column).copied().unwrap_or_default()
    }

    fn of(&self, columns: &[u16]) -> Vec<f64> {
        columns.iter().map(|column| self.weight(usize::from(*column))).collect()
    }

    fn novel(&self, novelty: &[f32; NOVELTY]) -> f64 {
        let score: f64 = novelty.iter().zip(&self.novelty).map(|(x, w)| f64::from(*x) * w).sum();
        1.0 / (1.0 + (-score).exp())
    }

    /// Fills in scores, probabilities and order. They sum to one, together with somebody new.
    pub fn judge(&self, panel: &mut Panel) {
        let weights = self.of(&panel.columns);
        panel.scores = panel.rows.iter().map(|row| dot(row.iter().map(|x| f64::from(*x)), &weights)).collect();
        panel.p = softmax(&panel.scores);
        panel.p_novel = if panel.rows.is_empty() { 1.0 } else { self.novel(&panel.novelty) };
        for p in &mut panel.p {
            *p *= 1.0 - panel.p_novel;
        }
        let at = |row: &usize| panel.p.get(*row).copied().unwrap_or_default();
        panel.order = (0..panel.p.len()).collect();
        panel.order.sort_by(|a, b| at(b).total_cmp(&at(a)).then(a.cmp(b)));
    }

    /// Learns from what was said then: `right` is the hash of the name that turned out right, `novel` that it was not
    /// known then.
    pub fn learn(&mut self, said: &Kept, right: u64, novel: bool) {
        if said.classes == 0 {
            return;
        }
        let off = self.novel(&said.novelty) - f64::from(u8::from(novel));
        for ((weight, square), x) in self.novelty.iter_mut().zip(&mut self.novelty_squares).zip(said.novelty) {
            let gradient = off * f64::from(x);
            *square += gradient * gradient;
            *weight -= RATE * gradient / square.sqrt();
        }
        let row = said.rows.iter().position(|(name, _)| *name == right);
        // Among the others where there are any; else it was not asked about.
        let Some(row) = row.or_else(|| said.others.as_ref().map(|_| said.rows.len())) else { return };
        if novel {
            return;
        }
        let weights = self.of(&said.columns);
        let kept = said.rows.iter().map(|(_, row)| (0.0, row));
        let others = said.others.iter().map(|(beyond, row)| (f64::from(*beyond), row));
        let rows: Vec<(f64, &Vec<i16>)> = kept.chain(others).collect();
        let scores: Vec<f64> = rows.iter().map(|(beyond, row)| beyond + dot(restored(row), &weights)).collect();
        let mut gradient = vec![0.0; said.columns.len()];
        for (number, (p, (_, x))) in softmax(&scores).into_iter().zip(&rows).enumerate() {
            let off = p - f64::from(u8::from(number == row));
            for (gradient, x) in gradient.iter_mut().zip(restored(x)) {
                *gradient += off * x;
            }
        }
        for (column, gradient) in said.columns.iter().zip(gradient) {
            let at = usize::from(*column);
            if let (Some(weight), Some(square)) = (self.weights.get_mut(at), self.squares.get_mut(at)) {
                let gradient = gradient + PULL * (*weight - start(at));
                *square += gradient * gradient;
                *weight -= RATE * gradient / (*square + SOFTENER).sqrt();
            }
        }
    }

    pub fn write(&self, out: &mut Out) {
        for values in [&self.weights[..], &self.squares, &self.novelty, &self.novelty_squares] {
            for x in values {
                out.f64(*x);
            }
        }
    }

    pub fn read(input: &mut In<'_>) -> Option<Self> {
        let mut read = Self::default();
        for values in [&mut read.weights[..], &mut read.squares, &mut read.novelty, &mut read.novelty_squares] {
            for value in values {
                *value = input.f64()?;
            }
        }
        Some(read)
    }
}

fn dot(row: impl Iterator<Item = f64>, weights: &[f64]) -> f64 {
    row.zip(weights).map(|(x, w)| x * w).sum()
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::MIN, f64::max);
    let shares: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}
