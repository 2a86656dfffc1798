//! Finds the cases that are alike: scores every case which shares a term, keeps the best.
//!
//! Scoring is exhaustive, term by term, over the chosen terms: tantivy 0.27's block-max WAND is slower than that from
//! about eight terms up, and our own sum is the same whatever was flushed, deleted or merged.

use crate::case::CaseId;
use crate::part::Part;
use crate::query::{Query, Recipe};
use crate::schema::Kind;
use crate::trouble::Trouble;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Similarity from which a case counts as "seen before".
pub const SEEN: f64 = 0.5;

/// A case that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    /// Which part, and the number in it.
    pub part: usize,
    pub doc: u32,
    pub score: f64,
    /// Share of the question's weight, 0..=1.
    pub similarity: f64,
    pub opened_at: i64,
    tie: u64,
}

/// What a question found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Best first.
    pub hits: Vec<Hit>,
    /// Cases of a similarity of at least [`SEEN`].
    pub seen: u32,
}

/// Which cases may be found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits<'a> {
    /// Nothing opened later than this.
    pub until: Option<i64>,
    pub exclude: Option<&'a CaseId>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    score: f64,
    covered: f64,
    /// The last group that covered, plus one.
    group: u32,
}

/// The best `k` cases.
pub(crate) fn find(
    query: &Query,
    parts: &[&dyn Part],
    recipe: &Recipe,
    limits: Limits<'_>,
    k: usize,
) -> Result<Found, Trouble> {
    let mut best: BinaryHeap<Hit> = BinaryHeap::with_capacity(k + 1);
    let mut seen = 0;
    for (number, part) in parts.iter().enumerate() {
        let mut sums = sum(query, *part, recipe)?;
        if let Some(excluded) = limits.exclude
            && let Some(doc) = part.find(excluded)?
            && let Some(sum) = sums.get_mut(doc as usize)
        {
            *sum = Sum::default();
        }
        for (doc, sum) in (0u32..).zip(sums) {
            if sum.score <= 0.0 {
                continue;
            }
            let score = sum.score;
            let similarity = (sum.covered / query.whole).clamp(0.0, 1.0);
            let hopeless = best.len() >= k && best.peek().is_none_or(|worst| score < worst.score);
            if hopeless && similarity < SEEN {
                continue;
            }
            let opened_at = part.opened_at(doc);
            if limits.until.is_some_and(|until| opened_at > until) {
                continue;
            }
            seen += u32::from(similarity >= SEEN);
            if !hopeless {
                best.push(Hit { part: number, doc, score, similarity, opened_at, tie: part.tie(doc) });
                if best.len() > k {
                    best.pop();
                }
            }
        }
    }
    Ok(Found { hits: best.into_sorted_vec(), seen })
}

/// Hits that are put in order of recency too.
const REORDERED: usize = 100;

/// The order in which similar incidents are shown: by score, where one of today is worth a third more than one of years
/// ago. The same trouble comes back soon; how soon, at three speeds, held on two trackers with known duplicates.
pub(crate) fn fresh_first(hits: &[Hit], at: i64) -> Vec<Hit> {
    let weight = |hit: &Hit| {
        let days = at.saturating_sub(hit.opened_at).max(0) as f64 / 86_400_000.0;
        hit.score.ln() - 0.05 * (1.0 + days).ln() + 0.2 / (1.0 + days / 60.0) + 0.1 / (1.0 + days / 7.0)
    };
    let mut first: Vec<(f64, Hit)> = hits.iter().take(REORDERED).map(|hit| (weight(hit), *hit)).collect();
    first.sort_by(|a, b| b.0.total_cmp(&a.0));
    first.into_iter().map(|(_, hit)| hit).collect()
}

fn sum(query: &Query, part: &dyn Part, recipe: &Recipe) -> Result<Vec<Sum>, Trouble> {
    let mut sums = vec![Sum::default(); part.size() as usize];
    let (k1, b) = (recipe.k1, recipe.b);
    let mean = query.mean_length.max(1.0);
    for term in &query.terms {
        let weight = term.weight;
        part.postings(term.kind, &term.text, &mut |doc, times| {
            let Some(sum) = sums.get_mut(doc as usize) else { return };
            let times = f64::from(times);
            let length = if term.kind == Kind::Word { f64::from(part.length(doc)) / mean } else { 1.0 };
            sum.score += weight * times * (k1 + 1.0) / (times + k1 * (1.0 - b + b * length));
            if sum.group != term.group + 1 {
                sum.group = term.group + 1;
                sum.covered += weight;
            }
        })?;
    }
    Ok(sums)
}

/// Greater is worse, so that a heap keeps the best and sorting puts them first: score, then the newer, then
/// [`crate::schema::tie`].
impl Ord for Hit {
    fn cmp(&self, other: &Self) -> Ordering {
        let newest = other.opened_at.cmp(&self.opened_at);
        other.score.total_cmp(&self.score).then(newest).then_with(|| self.tie.cmp(&other.tie))
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Hit {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Hit {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_one_goes_before_a_slightly_better_old_one_and_not_before_a_twin() {
        const DAY: i64 = 86_400_000;
        let hit = |doc, score, days: i64| Hit { part: 0, doc, score, similarity: 0.5, opened_at: -days * DAY, tie: 0 };
        let order = |hits: &[Hit]| fresh_first(hits, 0).into_iter().map(|hit| hit.doc).collect::<Vec<_>>();
        assert_eq!(order(&[hit(0, 10.0, 900), hit(1, 9.0, 1)]), [1, 0]);
        assert_eq!(order(&[hit(0, 20.0, 900), hit(1, 9.0, 1)]), [0, 1]);
        assert_eq!(order(&[hit(0, 9.0, 5), hit(1, 9.0, 5)]), [0, 1]);
    }
}
