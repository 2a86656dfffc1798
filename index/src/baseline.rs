//! What a search library gives without thought: the nearest cases vote with their score. Beside it ours is measured.

use crate::answer::{CANDIDATES, values};
use crate::learn::Target;
use crate::part::Part;
use crate::recall::Hit;
use crate::trouble::Trouble;
use std::collections::BTreeMap;

/// Hits from which voters are drawn.
pub(crate) const POOL: usize = 100;
const VOTERS: usize = 20;

/// Candidates of one target with their share of the votes, best first. An outcome that became known after `at` does not
/// vote; the one who mattered most counts fully, the next half, then a third.
pub(crate) fn shares(
    target: Target,
    hits: &[Hit],
    parts: &[&dyn Part],
    at: i64,
) -> Result<Vec<(String, f64)>, Trouble> {
    let (mut weights, mut voters, mut total) = (BTreeMap::<String, f64>::new(), 0, 0.0);
    for hit in hits {
        let Some(part) = parts.get(hit.part) else { continue };
        if part.closed_at(hit.doc).is_some_and(|closed| closed > at) || voters == VOTERS {
            continue;
        }
        let values = values(*part, hit.doc, target)?;
        voters += usize::from(!values.is_empty());
        for (rank, value) in (1u32..).zip(values) {
            let weight = hit.score / f64::from(rank);
            total += weight;
            *weights.entry(value).or_default() += weight;
        }
    }
    let mut ranked: Vec<(String, f64)> = weights.into_iter().map(|(value, weight)| (value, weight / total)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.truncate(CANDIDATES);
    Ok(ranked)
}
