//! A linear softmax over hashed features, learnt online: AdaGrad (Duchi et al. 2011), with replay of recent examples.
//!
//! A feature's weights for all classes lie side by side in one table, from where its hash points; features may overlap,
//! and what they share they learn to share. The table is fixed in size; the system gives memory only to what was touched.

use super::bytes::{In, Out};
use std::collections::VecDeque;
use std::fmt;

/// Cells of the table, as a power of two: 4 MiB of weights and as much of squared gradients.
const BITS: u32 = 20;
/// Classes that have weights; see [`super::student::CLASSES`].
const ROOM: usize = 1 << BITS;
const RATE: f32 = 0.3;
/// Added under the root: the first steps stay small.
const SOFTENER: f32 = 1e-2;
/// A class whose probability is off by less than this is left alone: nearly all of them, at nearly no loss.
const NEGLIGIBLE: f32 = 1e-3;
/// Recent examples from which some are learnt again with each new one.
const RECENT: usize = 1_500;
const REPLAYED: usize = 3;

/// Features by cell, each with its value.
type Example = Vec<(u32, f32)>;

#[derive(Clone)]
pub(crate) struct Linear {
    weights: Vec<f32>,
    squares: Vec<f32>,
    recent: VecDeque<(Example, u32)>,
    lot: u64,
}

impl fmt::Debug for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linear").field("recent", &self.recent.len()).finish_non_exhaustive()
    }
}

impl Default for Linear {
    fn default() -> Self {
        let cells = ROOM + super::student::CLASSES;
        let (weights, squares) = (vec![0.0; cells], vec![0.0; cells]);
        Self { weights, squares, recent: VecDeque::new(), lot: 0x2545_f491_4f6c_dd1d }
    }
}

impl Linear {
    /// Probabilities of the first `classes` classes.
    pub fn probabilities(&self, features: &[(u64, f32)], classes: usize) -> Vec<f32> {
        self.of_example(&cells(features), classes)
    }

    fn of_example(&self, example: &Example, classes: usize) -> Vec<f32> {
        let mut scores = vec![0.0_f32; classes];
        for (cell, value) in example {
            let row = self.weights.get(*cell as usize..).unwrap_or_default();
            for (score, weight) in scores.iter_mut().zip(row) {
                *score += value * weight;
            }
        }
        let top = scores.iter().copied().fold(f32::MIN, f32::max);
        let mut sum = 0.0;
        for score in &mut scores {
            *score = (*score - top).exp();
            sum += *score;
        }
        for score in &mut scores {
            *score /= sum;
        }
        scores
    }

    /// Learns one example, and some recent ones again.
    pub fn learn(&mut self, features: &[(u64, f32)], class: u32, classes: usize) {
        let example = cells(features);
        self.step(&example, class, classes);
        self.recent.push_back((example, class));
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        for _ in 0..REPLAYED {
            let number = self.draw(self.recent.len());
            let Some((example, class)) = self.recent.get_mut(number).map(|(e, c)| (std::mem::take(e), *c)) else {
                continue;
            };
            self.step(&example, class, classes);
            if let Some(slot) = self.recent.get_mut(number) {
                slot.0 = example;
            }
        }
    }

    fn step(&mut self, example: &Example, class: u32, classes: usize) {
        let mut errors: Vec<(usize, f32)> = self.of_example(example, classes).into_iter().enumerate().collect();
        if let Some(right) = errors.get_mut(class as usize) {
            right.1 -= 1.0;
        }
        errors.retain(|(_, error)| error.abs() > NEGLIGIBLE);
        for (cell, value) in example {
            for (class, error) in &errors {
                let at = *cell as usize + class;
                let gradient = error * value;
                if let (Some(square), Some(weight)) = (self.squares.get_mut(at), self.weights.get_mut(at)) {
                    *square += gradient * gradient;
                    *weight -= RATE * gradient / (*square + SOFTENER).sqrt();
                }
            }
        }
    }

    /// Xorshift (Marsaglia 2003): the same lots everywhere.
    fn draw(&mut self, below: usize) -> usize {
        self.lot ^= self.lot << 13;
        self.lot ^= self.lot >> 7;
        self.lot ^= self.lot << 17;
        usize::try_from(self.lot % below.max(1) as u64).unwrap_or(0)
    }

    pub fn write(&self, out: &mut Out) {
        out.u64(self.lot);
        let touched = || self.weights.iter().zip(&self.squares).zip(0_u32..).filter(|((_, s), _)| **s > 0.0);
        out.u32(u32::try_from(touched().count()).unwrap_or(u32::MAX));
        for ((weight, square), at) in touched() {
            out.u32(at);
            out.f32(*weight);
            out.f32(*square);
        }
        out.list(self.recent.iter(), |out, (example, class)| {
            out.u32(*class);
            out.list(example.iter(), |out, (cell, value)| {
                out.u32(*cell);
                out.f32(*value);
            });
        });
    }

    pub fn read(input: &mut In<'_>) -> Option<Self> {
        let mut linear = Self { lot: input.u64()?, ..Self::default() };
        for _ in 0..input.u32()? {
            let at = input.u32()? as usize;
            *linear.weights.get_mut(at)? = input.f32()?;
            *linear.squares.get_mut(at)? = input.f32()?;
        }
        let recent = input.list(|input| {
            let class = input.u32()?;
            Some((input.list(|input| Some((input.u32()?, input.f32()?)))?, class))
        });
        linear.recent = recent?.into();
        Some(linear)
    }
}

/// Where each feature's weights begin (Fibonacci hashing).
fn cells(features: &[(u64, f32)]) -> Example {
    let cell = |hash: u64| u32::try_from(hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BITS)).unwrap_or(0);
    features.iter().map(|(hash, value)| (cell(*hash), *value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_what_is_always_so_and_survives_being_written() {
        let mut linear = Linear::default();
        let (disk, pool) = ([(1_u64, 1.0_f32), (99, 1.0)], [(2_u64, 1.0_f32), (99, 1.0)]);
        for _ in 0..30 {
            linear.learn(&disk, 0, 3);
            linear.learn(&pool, 1, 3);
        }
        let p = linear.probabilities(&disk, 3);
        assert!(p[0] > 0.9 && p[2] < 0.05, "{p:?}");
        let mut out = Out::default();
        linear.write(&mut out);
        let mut again = Linear::read(&mut In(&out.0)).unwrap();
        again.learn(&pool, 2, 3);
        linear.learn(&pool, 2, 3);
        assert_eq!(again.probabilities(&pool, 3), linear.probabilities(&pool, 3), "to the bit, lots and all");
    }
}
