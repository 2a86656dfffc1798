//! Replays a history in time order and measures what memory would have said: the backtest.
//!
//! Strict prequential with delayed feedback: an incident is asked about when it opens, remembered without its outcome,
//! and its outcome is remembered and learnt when it became known, never earlier. So an outcome does not exist in memory
//! before its time. The product's own memory does it, unflushed tail and all, in memory; two baselines answer the same
//! questions in the same run. Deterministic.

use crate::answer::CANDIDATES;
use crate::case::{Answer, Ranked};
use crate::history::{History, Record};
use crate::memory::Memory;
use crate::score::{Ranking, Similar, SimilarTally, Tally};
use crate::trouble::Trouble;
use jiff::Timestamp;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

/// Share of a history that is not scored, by default: nobody is judged by the first days.
pub const WARM_UP: f64 = 0.2;

/// What was said about one incident: a line of the predictions file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    pub id: String,
    /// Best first.
    pub responders: Vec<String>,
    pub causes: Vec<String>,
    /// Ids of earlier incidents, most similar first.
    pub similar: Vec<String>,
    pub p: Probabilities,
}

/// Probabilities, in the order of the candidates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Probabilities {
    pub responder: Vec<f64>,
    pub cause: Vec<f64>,
}

/// One way to answer, and what it was worth. A figure is absent where the history has no such outcome.
#[derive(Clone, Debug, Serialize)]
pub struct System {
    pub name: &'static str,
    pub responder: Option<Ranking>,
    pub cause: Option<Ranking>,
    pub similar: Option<Similar>,
}

/// The result of a backtest.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub incidents: usize,
    /// The first ones, not scored.
    pub warm_up: usize,
    /// Ours first, then the baselines.
    pub systems: Vec<System>,
}

/// Replays `history`. `progress(done)` is called after each incident; `predicted` gets what memory said about each.
pub fn replay(
    history: &History,
    warm_up: f64,
    mut progress: impl FnMut(usize),
    mut predicted: impl FnMut(Prediction),
) -> Result<Report, Trouble> {
    let records = &history.records;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let start = (records.len() as f64 * warm_up.clamp(0.0, 1.0)) as usize;
    let closes = records.iter().any(|r| r.resolved_at.is_some());
    let mut memory = Memory::in_memory()?;
    let mut frequent = [Counts::default(), Counts::default()];
    let mut seen = [HashSet::new(), HashSet::new()];
    let mut judges = [Judge::default(), Judge::default(), Judge::default()];
    // Outcomes that are still in the future, by when they become known.
    let mut open: BTreeMap<(Timestamp, usize), String> = BTreeMap::new();
    for (i, record) in records.iter().enumerate() {
        while let Some(next) = open.first_entry()
            && next.key().0 <= record.opened_at
        {
            let ((_, j), memo) = next.remove_entry();
            if let Some(known) = records.get(j) {
                reveal(&mut memory, &mut frequent, known, &memo)?;
            }
        }
        let answer = memory.rank(&record.probe())?;
        let ours = prediction(&record.id, &answer);
        if i >= start {
            let plain = plain(&memory, record)?;
            let most = Prediction {
                causes: frequent[0].first(),
                responders: frequent[1].first(),
                p: Probabilities { cause: frequent[0].share(), responder: frequent[1].share() },
                ..empty(&record.id)
            };
            for (judge, said) in judges.iter_mut().zip([&ours, &plain, &most]) {
                judge.hear(record, said, &seen);
            }
        }
        for judge in &mut judges {
            judge.similar.pass(&record.id, record.cluster.as_deref(), record.responder.as_deref());
        }
        for (seen, truth) in seen.iter_mut().zip([&record.root_cause, &record.responder]) {
            seen.extend(truth.clone());
        }
        match record.resolved_at {
            None if closes => memory.remember(record.opened())?,
            None => reveal(&mut memory, &mut frequent, record, &answer.memo)?,
            Some(at) => {
                memory.remember(record.opened())?;
                open.insert((at, i), answer.memo);
            }
        }
        predicted(ours);
        progress(i + 1);
    }
    let names = ["smokejumper", "plain BM25", "most frequent"];
    let systems = names.into_iter().zip(judges).map(|(name, judge)| judge.verdict(name)).collect();
    Ok(Report { incidents: records.len(), warm_up: start, systems })
}

/// The outcome becomes known.
fn reveal(memory: &mut Memory, frequent: &mut [Counts; 2], record: &Record, memo: &str) -> Result<(), Trouble> {
    let case = record.closed();
    let [causes, responders] = frequent;
    causes.add(case.cause.as_ref());
    responders.add(case.responders.first());
    memory.learn(case, Some(memo))
}

/// One system's figures in the making.
#[derive(Default)]
struct Judge {
    cause: Tally,
    responder: Tally,
    similar: SimilarTally,
    offers_similar: bool,
}

impl Judge {
    fn hear(&mut self, record: &Record, said: &Prediction, seen: &[HashSet<String>; 2]) {
        let targets = [
            (&mut self.cause, &record.root_cause, &said.causes, &said.p.cause),
            (&mut self.responder, &record.responder, &said.responders, &said.p.responder),
        ];
        for ((tally, truth, ranked, p), seen) in targets.into_iter().zip(seen) {
            if let Some(truth) = truth {
                tally.add(truth, ranked.iter().map(String::as_str), p.first().copied(), seen.contains(truth));
            }
        }
        self.similar.add(&said.similar, record.cluster.as_deref(), &record.related, record.responder.as_deref());
        self.offers_similar |= !said.similar.is_empty();
    }

    fn verdict(self, name: &'static str) -> System {
        let similar = self.offers_similar.then(|| self.similar.figures());
        System { name, responder: self.responder.ranking(), cause: self.cause.ranking(), similar }
    }
}

/// The baseline that knows frequencies only.
#[derive(Default)]
struct Counts {
    of: BTreeMap<String, usize>,
    total: usize,
}

impl Counts {
    fn add(&mut self, value: Option<&String>) {
        if let Some(value) = value {
            *self.of.entry(value.clone()).or_default() += 1;
            self.total += 1;
        }
    }

    fn ranked(&self) -> Vec<(&String, usize)> {
        let mut all: Vec<(&String, usize)> = self.of.iter().map(|(value, n)| (value, *n)).collect();
        all.sort_by_key(|(_, n)| Reverse(*n));
        all.truncate(CANDIDATES);
        all
    }

    fn first(&self) -> Vec<String> {
        self.ranked().into_iter().map(|(value, _)| value.clone()).collect()
    }

    fn share(&self) -> Vec<f64> {
        self.ranked().into_iter().map(|(_, n)| n as f64 / self.total as f64).collect()
    }
}

fn empty(id: &str) -> Prediction {
    let p = Probabilities { responder: Vec::new(), cause: Vec::new() };
    Prediction { id: id.to_owned(), responders: Vec::new(), causes: Vec::new(), similar: Vec::new(), p }
}

fn values(ranked: &[Ranked]) -> Vec<String> {
    ranked.iter().map(|r| r.value.clone()).collect()
}

fn prediction(id: &str, answer: &Answer) -> Prediction {
    let p = |ranked: &[Ranked]| ranked.iter().map(|r| r.p).collect();
    Prediction {
        responders: values(&answer.responders),
        causes: values(&answer.causes),
        similar: answer.similar.iter().map(|s| s.case.id.0.clone()).collect(),
        p: Probabilities { responder: p(&answer.responders), cause: p(&answer.causes) },
        ..empty(id)
    }
}

/// The baseline of a search library; its probability is the plain share of the votes.
fn plain(memory: &Memory, record: &Record) -> Result<Prediction, Trouble> {
    let (similar, [causes, responders]) = memory.plain(&record.probe())?;
    let values = |shares: &[(String, f64)]| shares.iter().map(|(value, _)| value.clone()).collect();
    let shares = |shares: &[(String, f64)]| shares.iter().map(|(_, share)| *share).collect();
    Ok(Prediction {
        responders: values(&responders),
        causes: values(&causes),
        similar: similar.into_iter().map(|id| id.0).collect(),
        p: Probabilities { responder: shares(&responders), cause: shares(&causes) },
        ..empty(&record.id)
    })
}

#[cfg(test)]
mod tests;
