//! Causes and responders by the votes of the nearest past incidents.
//!
//! A case votes for what it turned out to be, with its similarity as weight. Knows nothing of policy: whether a
//! candidate is sure enough to be shown is decided elsewhere, by its `p`.

use crate::calibrate::{Calibration, Target};
use crate::case::{CaseId, Ranked};
use crate::part::Part;
use crate::recall::Hit;
use crate::trouble::Trouble;
use std::collections::HashMap;

/// Hits from which voters are drawn: of those some have no known outcome yet.
pub(crate) const POOL: usize = 100;
/// Candidates in an answer.
pub const CANDIDATES: usize = 5;
/// Cases named as evidence of a candidate.
pub const EVIDENCE: usize = 5;
/// The name of the feature that calibration learns from.
pub(crate) const SHARE: &str = "share";

const DAY: f64 = 86_400_000.0;

/// How neighbours vote. Chosen like [`crate::query::OURS`]: what held on all of four histories.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Poll {
    /// Voters at most.
    pub voters: usize,
    /// A vote weighs the score, as a share of the best one, to this power.
    pub sharpness: f64,
    /// Weight that votes for nobody, over the similarity of the best voter: a lone or a distant neighbour is no majority.
    pub doubt: f64,
    /// A vote of this age, in milliseconds, weighs half, of twice the age a third; infinite = age is nothing.
    ///
    /// Hyperbolic because it forgives: where people come and go the recent past decides (+3 to +6 points of top-1 in
    /// two histories), and where they stay an old twin still outweighs new strangers (no point lost in the others).
    pub fading: f64,
}

/// Ours.
pub(crate) const OURS: Poll = Poll { voters: 40, sharpness: 3.0, doubt: 0.25, fading: 90.0 * DAY };
/// The baseline's: the score is the weight.
pub(crate) const PLAIN: Poll = Poll { voters: 20, sharpness: 1.0, doubt: 0.0, fading: f64::INFINITY };

/// Similarity below which a neighbour is no nearer than another; keeps the doubt finite.
const NOTHING_ALIKE: f64 = 0.01;

#[derive(Default)]
struct Candidate {
    weight: f64,
    best: f64,
    votes: Vec<(usize, f64)>,
}

/// Candidates of one target, best first, at most [`CANDIDATES`], from `hits` (best first). An outcome that became
/// known after `at` does not vote.
pub(crate) fn candidates(
    target: Target,
    hits: &[Hit],
    parts: &[&dyn Part],
    at: i64,
    poll: &Poll,
    calibration: &Calibration,
) -> Result<Vec<Ranked>, Trouble> {
    let top = hits.first().map_or(1.0, |h| h.score);
    let mut found: HashMap<String, Candidate> = HashMap::new();
    let (mut voters, mut total) = (0, 0.0);
    for (number, hit) in hits.iter().enumerate() {
        let Some(part) = parts.get(hit.part) else { continue };
        if voters == poll.voters {
            break;
        }
        if part.closed_at(hit.doc).is_some_and(|closed| closed > at) {
            continue;
        }
        let values = match target {
            Target::Cause => part.cause(hit.doc)?.into_iter().collect(),
            Target::Responder => part.responders(hit.doc)?,
        };
        if values.is_empty() {
            continue;
        }
        if voters == 0 {
            total += poll.doubt / hit.similarity.max(NOTHING_ALIKE);
        }
        voters += 1;
        let age = (at - hit.opened_at).max(0) as f64;
        let vote = (hit.score / top).powf(poll.sharpness) / (1.0 + age / poll.fading);
        // The one who mattered most counts fully, the next half, then a third: the order is all that is known.
        for (rank, value) in (1u32..).zip(values) {
            let weight = vote / f64::from(rank);
            total += weight;
            let candidate = found.entry(value).or_default();
            candidate.weight += weight;
            candidate.best = candidate.best.max(hit.similarity);
            candidate.votes.push((number, weight));
        }
    }
    let mut ranked: Vec<(String, Candidate)> = found.into_iter().collect();
    ranked.sort_by(|a, b| b.1.weight.total_cmp(&a.1.weight).then_with(|| a.0.cmp(&b.0)));
    ranked.truncate(CANDIDATES);
    let shares: Vec<f64> = ranked.iter().map(|(_, c)| c.weight / total).collect();
    let probabilities = calibration.probabilities(target, &shares);
    let mut answer = Vec::with_capacity(ranked.len());
    for (((value, candidate), share), p) in ranked.into_iter().zip(shares).zip(probabilities) {
        let features = vec![
            (SHARE.to_owned(), share),
            ("votes".to_owned(), candidate.votes.len() as f64),
            ("voters".to_owned(), f64::from(u32::try_from(voters).unwrap_or(u32::MAX))),
            ("best_similarity".to_owned(), candidate.best),
        ];
        answer.push(Ranked { value, p, features, evidence: evidence(candidate, hits, parts)? });
    }
    Ok(answer)
}

/// The strongest voters with their share of this candidate's votes.
fn evidence(mut candidate: Candidate, hits: &[Hit], parts: &[&dyn Part]) -> Result<Vec<(CaseId, f64)>, Trouble> {
    candidate.votes.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let named = candidate.votes.iter().take(EVIDENCE);
    let mut cases = Vec::new();
    for (number, weight) in named {
        if let Some(hit) = hits.get(*number)
            && let Some(part) = parts.get(hit.part)
        {
            cases.push((part.id(hit.doc)?, weight / candidate.weight));
        }
    }
    Ok(cases)
}
