//! From a share of votes to an honest probability, learnt from how earlier answers turned out.
//!
//! Knows shares and outcomes only: not cases, terms or time. The state is two small tables; the same outcomes in the
//! same order give the same state, on every machine.

use serde::{Deserialize, Serialize};

/// Ranges of the vote share, of equal width.
const BINS: usize = 20;
/// Imagined outcomes in each range before anything is known. At this strength, memory believes its own record more than
/// the prior once a range has seen about this many outcomes.
const PRIOR_STRENGTH: f64 = 3.0;
/// The imagined outcomes are right this often, as a share of the vote share: low, so that a memory without a record is
/// not sure of itself.
const PRIOR_RATE: f64 = 0.5;
/// When a table holds this many outcomes all of it counts half: the recent past weighs more, and the state is bounded.
const HORIZON: f64 = 2_000.0;

/// One monotone map from vote share to probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Table {
    outcomes: [f64; BINS],
    hits: [f64; BINS],
    shares: [f64; BINS],
}

impl Default for Table {
    fn default() -> Self {
        Self { outcomes: [0.0; BINS], hits: [0.0; BINS], shares: [0.0; BINS] }
    }
}

impl Table {
    fn learn(&mut self, share: f64, hit: bool) {
        let share = share.clamp(0.0, 1.0);
        let bin = bin(share);
        for (values, add) in
            [(&mut self.outcomes, 1.0), (&mut self.hits, f64::from(u8::from(hit))), (&mut self.shares, share)]
        {
            if let Some(value) = values.get_mut(bin) {
                *value += add;
            }
        }
        if self.outcomes.iter().sum::<f64>() >= HORIZON {
            for value in self.outcomes.iter_mut().chain(&mut self.hits).chain(&mut self.shares) {
                *value /= 2.0;
            }
        }
    }

    /// Isotonic regression (pool adjacent violators) over the ranges, read between their means by straight lines.
    fn probability(&self, share: f64) -> f64 {
        let mut pools: Vec<Pool> = Vec::with_capacity(BINS);
        for (bin, ((outcomes, hits), shares)) in self.outcomes.iter().zip(&self.hits).zip(&self.shares).enumerate() {
            let centre = (bin as f64 + 0.5) / BINS as f64;
            let hits = hits + PRIOR_STRENGTH * PRIOR_RATE * centre;
            let mut pool = Pool { outcomes: *outcomes, hits, shares: *shares, ranges: 1.0, centres: centre };
            while let Some(last) = pools.pop_if(|last| last.rate() >= pool.rate()) {
                pool = pool.join(&last);
            }
            pools.push(pool);
        }
        let share = share.clamp(0.0, 1.0);
        let mut before = (0.0, 0.0);
        for pool in pools {
            let (at, rate) = (pool.mean_share(), pool.rate());
            if share <= at {
                let along = if at > before.0 { (share - before.0) / (at - before.0) } else { 1.0 };
                return before.1 + along * (rate - before.1);
            }
            before = (at, rate);
        }
        before.1
    }
}

/// Neighbouring ranges with one rate.
struct Pool {
    outcomes: f64,
    /// With the imagined ones.
    hits: f64,
    shares: f64,
    ranges: f64,
    centres: f64,
}

impl Pool {
    fn rate(&self) -> f64 {
        self.hits / (self.outcomes + PRIOR_STRENGTH * self.ranges)
    }

    /// Where its outcomes lie; without any, its middle.
    fn mean_share(&self) -> f64 {
        if self.outcomes > 0.0 { self.shares / self.outcomes } else { self.centres / self.ranges }
    }

    fn join(&self, other: &Self) -> Self {
        Self {
            outcomes: self.outcomes + other.outcomes,
            hits: self.hits + other.hits,
            shares: self.shares + other.shares,
            ranges: self.ranges + other.ranges,
            centres: self.centres + other.centres,
        }
    }
}

/// What kind of candidate a share belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Cause,
    Responder,
}

/// Maps for the first candidate and for those after it, of causes and of responders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    causes: [Table; 2],
    responders: [Table; 2],
    /// Answers learnt from, ever.
    answers: u64,
}

impl Calibration {
    /// Answers whose outcome was learnt.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.answers
    }

    /// Shares of one answer's candidates, best first, and whether each was right.
    pub(crate) fn learn(&mut self, target: Target, candidates: impl Iterator<Item = (f64, bool)>) {
        for (rank, (share, hit)) in candidates.enumerate() {
            self.table(target, rank).learn(share, hit);
        }
    }

    pub(crate) fn count(&mut self) {
        self.answers += 1;
    }

    /// Probabilities of one answer's candidates, best first: never rising, and together at most 1.
    pub(crate) fn probabilities(&self, target: Target, shares: &[f64]) -> Vec<f64> {
        let tables = match target {
            Target::Cause => &self.causes,
            Target::Responder => &self.responders,
        };
        let (mut cap, mut left) = (1.0_f64, 1.0_f64);
        let mut all = Vec::with_capacity(shares.len());
        for (rank, share) in shares.iter().enumerate() {
            let [first, later] = tables;
            let p = if rank == 0 { first } else { later }.probability(*share).min(cap).min(left);
            cap = p;
            left = (left - p).max(0.0);
            all.push(p);
        }
        all
    }

    fn table(&mut self, target: Target, rank: usize) -> &mut Table {
        let [first, later] = match target {
            Target::Cause => &mut self.causes,
            Target::Responder => &mut self.responders,
        };
        if rank == 0 { first } else { later }
    }
}

fn bin(share: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=1 times 20")]
    let bin = (share * BINS as f64) as usize;
    bin.min(BINS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_little_at_first() {
        let none = Calibration::default();
        let p = none.probabilities(Target::Cause, &[1.0, 0.2]);
        assert!(p[0] < 0.5 && p[1] < 0.12, "{p:?}");
    }

    #[test]
    fn follows_the_record_and_stays_monotone() {
        let mut c = Calibration::default();
        for i in 0..2_000_u32 {
            // Overconfident votes: a share of .9 is right in 6 of 10, one of .3 in 1 of 10.
            c.learn(Target::Responder, [(0.9, i % 10 < 6)].into_iter());
            c.learn(Target::Responder, [(0.3, i % 10 < 1)].into_iter());
        }
        let at = |share| c.probabilities(Target::Responder, &[share])[0];
        assert!((at(0.9) - 0.6).abs() < 0.03, "{}", at(0.9));
        assert!((at(0.3) - 0.1).abs() < 0.03, "{}", at(0.3));
        let all: Vec<f64> = (0..=100).map(|i| at(f64::from(i) / 100.0)).collect();
        assert!(all.is_sorted(), "{all:?}");
        assert_eq!(c.probabilities(Target::Cause, &[0.9]), Calibration::default().probabilities(Target::Cause, &[0.9]));
    }

    #[test]
    fn candidates_share_one_certainty() {
        let mut c = Calibration::default();
        for _ in 0..100 {
            c.learn(Target::Cause, [(0.5, true), (0.5, true)].into_iter());
        }
        let p = c.probabilities(Target::Cause, &[0.5, 0.5, 0.5]);
        assert!(p.iter().sum::<f64>() <= 1.0 + 1e-12 && p.is_sorted_by(|a, b| a >= b), "{p:?}");
    }

    #[test]
    fn forgets_at_the_horizon() {
        let mut c = Calibration::default();
        for hit in [true, false] {
            for _ in 0..20_000 {
                c.learn(Target::Cause, [(0.7, hit)].into_iter());
            }
        }
        assert!(c.probabilities(Target::Cause, &[0.7])[0] < 0.05);
        assert!(c.causes[0].outcomes.iter().sum::<f64>() <= HORIZON);
    }
}
