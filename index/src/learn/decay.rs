//! Counts that fade: who solved the last ones, at several half-lives side by side.
//!
//! A half-life is in labels, not days: a busy team forgets no sooner than a quiet one. Which of them to believe is
//! learnt by the combiner.

use super::bytes::{In, Out};

/// Half-lives in labels of the same key; the last never fades.
const HALF_LIVES: [f32; LIVES] = [4.0, 16.0, 64.0, f32::INFINITY];
pub(crate) const LIVES: usize = 4;
/// Classes that one key remembers; the lightest makes room.
const HELD: usize = 64;

/// Who had a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tallies {
    /// Class, and its weight at each half-life.
    pub held: Vec<(u32, [f32; LIVES])>,
    pub total: [f32; LIVES],
}

impl Tallies {
    pub fn add(&mut self, class: u32) {
        let kept = HALF_LIVES.map(|half| 0.5_f32.powf(1.0 / half));
        for (total, kept) in self.total.iter_mut().zip(kept) {
            *total = *total * kept + 1.0;
        }
        for (_, weights) in &mut self.held {
            for (weight, kept) in weights.iter_mut().zip(kept) {
                *weight *= kept;
            }
        }
        if let Some((_, weights)) = self.held.iter_mut().find(|(c, _)| *c == class) {
            for weight in weights.iter_mut() {
                *weight += 1.0;
            }
            return;
        }
        if self.held.len() >= HELD {
            let lightest = (0..).zip(&self.held).min_by(|(_, (_, a)), (_, (_, b))| a[2].total_cmp(&b[2]));
            if let Some(lightest) = lightest.map(|(number, _): (usize, _)| number) {
                self.held.swap_remove(lightest);
            }
        }
        self.held.push((class, [1.0; LIVES]));
    }

    pub fn write(&self, out: &mut Out) {
        for total in &self.total {
            out.f32(*total);
        }
        out.list(self.held.iter(), |out, (class, weights)| {
            out.u32(*class);
            for weight in weights {
                out.f32(*weight);
            }
        });
    }

    pub fn read(input: &mut In<'_>) -> Option<Self> {
        let total = input.array()?;
        Some(Self { total, held: input.list(|input| Some((input.u32()?, input.array()?)))? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_half_life_follows_and_the_long_one_remembers() {
        let mut tallies = Tallies::default();
        for class in [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1] {
            tallies.add(class);
        }
        let share = |class: usize, life: usize| tallies.held[class].1[life] / tallies.total[life];
        assert!(share(1, 0) > 0.5 && share(1, 3) < 0.3);
        assert!((share(0, 0) + share(1, 0) - 1.0).abs() < 1e-6);
        for class in 0..1_000 {
            tallies.add(class);
        }
        assert_eq!(tallies.held.len(), HELD);
    }
}
