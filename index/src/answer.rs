//! From what the model holds probable to what is said: candidates with reasons, none of them without evidence.
//!
//! Evidence is past cases that turned out so: similar ones where there are any, else the last one. Whoever is in no case
//! any more (forgotten, or corrected away) is not named.

use crate::case::{CaseId, Ranked};
use crate::learn::input::Input;
use crate::learn::panel::{self, Panel};
use crate::learn::student::Vote;
use crate::learn::{Model, Target};
use crate::part::Part;
use crate::recall::Hit;
use crate::trouble::Trouble;
use std::collections::BTreeMap;

/// Candidates in an answer.
pub const CANDIDATES: usize = 5;
/// Cases named as evidence of a candidate.
pub const EVIDENCE: usize = 5;
/// Features named of a candidate: those that set it most apart from the others.
pub const NAMED: usize = 6;
/// Candidates whose evidence is looked for.
const TRIED: usize = 20;

/// What a case turned out to be, the one who mattered most first.
pub(crate) fn values(part: &dyn Part, doc: u32, target: Target) -> Result<Vec<String>, Trouble> {
    Ok(match target {
        Target::Cause => part.cause(doc)?.into_iter().collect(),
        Target::Responder => part.responders(doc)?,
    })
}

/// The votes of hits whose outcome was known at `at`.
pub(crate) fn votes(
    target: Target,
    hits: &[Hit],
    parts: &[&dyn Part],
    model: &Model,
    at: i64,
) -> Result<Vec<Vote>, Trouble> {
    let top = hits.first().map_or(1.0, |hit| hit.score);
    let mut votes = Vec::new();
    for (number, hit) in hits.iter().enumerate() {
        let Some(part) = parts.get(hit.part) else { continue };
        let closed = part.closed_at(hit.doc);
        if closed.is_some_and(|closed| closed > at) {
            continue;
        }
        let Some(class) = values(*part, hit.doc, target)?.first().and_then(|name| model.of(target).class(name)) else {
            continue;
        };
        let since = |then: i64| at.saturating_sub(then).max(0) as f64;
        votes.push(Vote {
            class,
            hit: number,
            score: hit.score / top,
            similarity: hit.similarity,
            age: since(hit.opened_at),
            known: since(closed.unwrap_or(hit.opened_at)),
        });
    }
    Ok(votes)
}

/// Everything that candidates and their reasons are made of.
pub(crate) struct Grounds<'a> {
    pub target: Target,
    pub model: &'a Model,
    pub input: &'a Input,
    pub panel: &'a Panel,
    pub votes: &'a [Vote],
    pub hits: &'a [Hit],
    pub parts: &'a [&'a dyn Part],
    pub at: i64,
    pub exclude: Option<&'a CaseId>,
}

impl Grounds<'_> {
    /// Best first, at most [`CANDIDATES`].
    pub fn candidates(&self) -> Result<Vec<Ranked>, Trouble> {
        let mut named = Vec::new();
        // Nothing it says was ever heard: whatever was frequent elsewhere is no answer.
        if self.hits.is_empty() {
            return Ok(named);
        }
        for row in self.panel.order.iter().take(TRIED) {
            let value = self.model.of(self.target).name(*row);
            let evidence = self.evidence(*row, value)?;
            if value.is_empty() || evidence.is_empty() {
                continue;
            }
            let p = self.panel.p.get(*row).copied().unwrap_or_default();
            named.push(Ranked { value: value.to_owned(), p, features: self.features(*row), evidence });
            if named.len() == CANDIDATES {
                break;
            }
        }
        Ok(named)
    }

    /// The strongest voters with their share of this candidate's votes; without any, the last case.
    fn evidence(&self, row: usize, value: &str) -> Result<Vec<(CaseId, f64)>, Trouble> {
        let mine = || self.votes.iter().filter(|vote| vote.class as usize == row);
        let total: f64 = mine().map(|vote| vote.score).sum();
        let mut cases = Vec::new();
        for vote in mine().take(EVIDENCE) {
            if let Some(hit) = self.hits.get(vote.hit)
                && let Some(part) = self.parts.get(hit.part)
            {
                cases.push((part.id(hit.doc)?, (vote.score / total).clamp(f64::MIN_POSITIVE, 1.0)));
            }
        }
        if cases.is_empty()
            && let Some(last) = self.model.of(self.target).last_case(row)
            && Some(&last) != self.exclude
            && self.still_says(&last, value)?
        {
            cases.push((last, 1.0));
        }
        Ok(cases)
    }

    fn still_says(&self, case: &CaseId, value: &str) -> Result<bool, Trouble> {
        for part in self.parts {
            if let Some(doc) = part.find(case)? {
                let known = part.opened_at(doc) <= self.at && part.closed_at(doc).is_none_or(|at| at <= self.at);
                return Ok(known && values(*part, doc, self.target)?.first().is_some_and(|first| first == value));
            }
        }
        Ok(false)
    }

    /// Log-odds that each kind of feature gives this candidate beyond the average one; those that count most.
    fn features(&self, row: usize) -> Vec<(String, f64)> {
        let panel = self.panel;
        let Some(mine) = panel.rows.get(row) else { return Vec::new() };
        let combiner = &self.model.of(self.target).combiner;
        let mut kinds: BTreeMap<String, f64> = BTreeMap::new();
        let known = 1.0 - panel.p_novel;
        let mut mean = vec![0.0; mine.len()];
        for (row, p) in panel.rows.iter().zip(&panel.p) {
            for (mean, x) in mean.iter_mut().zip(row) {
                *mean += p / known * f64::from(*x);
            }
        }
        for ((column, x), mean) in panel.columns.iter().zip(mine).zip(mean) {
            let column = usize::from(*column);
            *kinds.entry(panel::name(column, &self.input.keys)).or_default() +=
                combiner.weight(column) * (f64::from(*x) - mean);
        }
        let mut all: Vec<(String, f64)> = kinds.into_iter().filter(|(_, x)| x.abs() >= 0.005).collect();
        all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
        all.truncate(NAMED);
        // A journal holds a number as text: a thousandth is the same again when it is read.
        for (_, x) in &mut all {
            *x = (*x * 1_000.0).round() / 1_000.0;
        }
        all
    }
}
