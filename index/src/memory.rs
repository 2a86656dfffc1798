//! The memory: what the rest of the house calls.
//!
//! One value owns the index on disk, the unflushed tail and the calibration. `&self` answers, `&mut self` changes, so
//! the caller's lock is all the concurrency there is.

use crate::calibrate::{Calibration, Target};
use crate::case::{Answer, Case, CaseId, Probe, Ranked, Recalled};
use crate::explain;
use crate::part::Part;
use crate::query::{self, Query, Recipe};
use crate::rank::{self, POOL, Poll, SHARE};
use crate::recall::{self, Found, Limits};
use crate::schema::{VERSION, bounded};
use crate::tail::Tail;
use crate::tokenize::Terms;
use crate::trouble::Trouble;
use crate::writer::{self, Ledger, Stored};
use std::path::Path;

/// Cases in the unflushed tail at which remembering flushes. At this size scoring the tail costs about what a segment
/// of the same size costs, and a kill loses seconds of rereading the journal.
pub const TAIL: usize = 2_000;
/// Cases that the tail holds at most while flushing fails; then remembering is refused.
pub const TAIL_AT_MOST: usize = 8_000;
/// After a failed flush this many more cases come in before the next attempt.
const RETRY_AFTER: usize = 500;
/// Similar incidents in an answer.
pub const SIMILAR: usize = 10;
/// Cases that one recall or search returns at most.
pub const RECALLED: usize = 100;
/// The name of the ranking, in [`Answer::model`]. Raised when the meaning of a feature changes.
const MODEL: &str = "neighbours-1";

/// How opening went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The index is whole. Everything up to `mark` (see [`Memory::set_mark`]) is in it; the caller feeds what came later.
    Ready { cases: u64, mark: u64 },
    /// The index is empty: the caller rebuilds it from the journal.
    Fresh { because: String },
}

/// How an incident turned out, to learn from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub cause: Option<String>,
    /// Those who really mattered; empty if not known.
    pub responders: Vec<String>,
}

/// Searchable, learning memory of cases.
#[derive(Debug)]
pub struct Memory {
    stored: Stored,
    tail: Tail,
    ledger: Ledger,
    /// Something changed since the last flush.
    dirty: bool,
    /// Tail size below which no flush is tried after one failed.
    retry_at: usize,
}

impl Memory {
    /// Opens the index in `dir`, which is created if missing. Damage or another version gives [`Opened::Fresh`] and an
    /// empty memory. A held lock, missing permission or a full disk is an error and wipes nothing.
    pub fn open(dir: &Path) -> Result<(Self, Opened), Trouble> {
        let (stored, found) = Stored::open(dir)?;
        let (ledger, fresh) = match found {
            writer::Found::Whole(ledger) => (*ledger, None),
            writer::Found::Fresh(because) => (Self::new_ledger(), Some(because)),
        };
        let memory = Self { stored, tail: Tail::default(), ledger, dirty: false, retry_at: TAIL };
        let opened = match fresh {
            Some(because) => Opened::Fresh { because },
            None => Opened::Ready { cases: memory.len(), mark: memory.ledger.mark },
        };
        Ok((memory, opened))
    }

    /// A memory that touches no disk.
    pub fn in_memory() -> Result<Self, Trouble> {
        let stored = Stored::in_memory()?;
        Ok(Self { stored, tail: Tail::default(), ledger: Self::new_ledger(), dirty: false, retry_at: TAIL })
    }

    /// Remembers a case, replacing the one of the same id. It can be found at once; it is on disk after a flush, which
    /// happens by itself when [`TAIL`] cases wait. Titles and texts are kept up to `tokenize::{TITLE_BYTES, TEXT_BYTES}`.
    ///
    /// [`Trouble::Full`] means that it was not remembered; any other error, that it was but could not be flushed.
    pub fn remember(&mut self, case: Case) -> Result<(), Trouble> {
        self.make_room()?;
        let case = bounded(case);
        let terms = Terms::of_case(&case);
        self.hide(&case.id)?;
        self.tail.insert(case, terms);
        self.dirty = true;
        if self.tail.len() >= self.retry_at {
            self.flush()?;
        }
        Ok(())
    }

    /// Flushes when no more cases fit into the tail. After `Ok` the next one is not refused: for a caller who must not learn
    /// from what is not remembered.
    pub fn make_room(&mut self) -> Result<(), Trouble> {
        if self.tail.len() < TAIL_AT_MOST {
            return Ok(());
        }
        self.flush().map_err(|_| Trouble::Full(TAIL_AT_MOST))
    }

    /// Whether a case is remembered. What was learnt along with it is on disk exactly when the case is.
    pub fn contains(&self, id: &CaseId) -> Result<bool, Trouble> {
        Ok(self.tail.find(id)?.is_some() || Trouble::guard(|| self.stored.find(id))?.is_some())
    }

    /// Forgets a case: it is not found from now on. Whether it was known. It leaves the disk with the next flush and
    /// merge; a caller who must be sure that no byte remains opens a new directory.
    pub fn forget(&mut self, id: &CaseId) -> Result<bool, Trouble> {
        let known = self.tail.remove(id) | self.hide(id)?;
        self.dirty |= known;
        Ok(known)
    }

    /// Past incidents like this one, best first, at most `k` (and [`RECALLED`]).
    pub fn recall(&self, probe: &Probe, k: usize) -> Result<Vec<Recalled>, Trouble> {
        Trouble::guard(|| {
            let (query, found) = self.neighbours(probe, &query::OURS, k.min(RECALLED))?;
            self.present(&query, &found, Some(probe.at), k)
        })
    }

    /// Past incidents by words or `key=value` labels, also of their cause, resolution and responders.
    pub fn search(&self, text: &str, k: usize) -> Result<Vec<Recalled>, Trouble> {
        Trouble::guard(|| {
            let parts = self.parts();
            let query = Query::weigh(query::of_text(text), &parts, &query::OURS)?;
            let found = recall::find(&query, &parts, &query::OURS, Limits::default(), k.min(RECALLED))?;
            self.present(&query, &found, None, k)
        })
    }

    /// Everything memory says about the incident at hand.
    pub fn rank(&self, probe: &Probe) -> Result<Answer, Trouble> {
        Trouble::guard(|| {
            let (query, found) = self.neighbours(probe, &query::OURS, POOL)?;
            let [causes, responders] = self.poll(&found, probe.at, &rank::OURS)?;
            Ok(Answer {
                model: format!("{MODEL}+{}", self.ledger.calibration.answers()),
                similar: self.present(&query, &found, Some(probe.at), SIMILAR)?,
                causes,
                responders,
                seen: found.seen,
                of: self.len(),
                since: self.parts().iter().filter_map(|p| p.oldest()).min(),
            })
        })
    }

    /// What a search library gives without thought, for comparison: similar cases and candidates.
    pub(crate) fn plain(&self, probe: &Probe) -> Result<(Vec<CaseId>, [Vec<Ranked>; 2]), Trouble> {
        let (_, found) = self.neighbours(probe, &query::PLAIN, POOL)?;
        let parts = self.parts();
        let best = found.hits.iter().take(SIMILAR);
        let ids = best.filter_map(|hit| Some(parts.get(hit.part)?.id(hit.doc))).collect::<Result<_, _>>()?;
        Ok((ids, self.poll(&found, probe.at, &rank::PLAIN)?))
    }

    /// Learns how sure to be, from an answer given earlier and what turned out. Uses the answer's own features, never
    /// today's index. What the outcome leaves open is not learnt.
    pub fn learn(&mut self, answer: &Answer, outcome: &Outcome) {
        fn scored<'a>(ranked: &'a [Ranked], right: &'a [String]) -> impl Iterator<Item = (f64, bool)> + 'a {
            ranked.iter().filter_map(move |candidate| {
                let share = candidate.features.iter().find(|(name, _)| name == SHARE)?.1;
                share.is_finite().then(|| (share, right.contains(&candidate.value)))
            })
        }
        if !answer.model.starts_with(MODEL) {
            return;
        }
        let calibration = &mut self.ledger.calibration;
        if let Some(cause) = &outcome.cause {
            calibration.learn(Target::Cause, scored(&answer.causes, std::slice::from_ref(cause)));
        }
        if !outcome.responders.is_empty() {
            calibration.learn(Target::Responder, scored(&answer.responders, &outcome.responders));
        }
        calibration.count();
        self.dirty = true;
    }

    /// Notes how far the caller has read its journal. Stored with the next flush, atomically with all that was
    /// remembered, forgotten and learnt before: after a crash [`Opened::Ready`] gives it back.
    pub fn set_mark(&mut self, mark: u64) {
        self.dirty |= mark != self.ledger.mark;
        self.ledger.mark = mark;
    }

    /// Writes the tail to disk, if anything changed. Costs an fsync (68 ms median, 200 ms p99 measured): batch it.
    pub fn flush(&mut self) -> Result<(), Trouble> {
        if !self.dirty {
            return Ok(());
        }
        let done = self.stored.commit(&self.tail, &self.ledger);
        if done.is_ok() {
            self.tail = Tail::default();
            self.dirty = false;
            self.retry_at = TAIL;
        } else {
            self.retry_at = self.tail.len() + RETRY_AFTER;
        }
        done
    }

    /// Cases in memory.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.parts().iter().map(|p| p.cases()).sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Cases that wait to be flushed.
    #[must_use]
    pub fn unflushed(&self) -> usize {
        self.tail.len()
    }

    fn new_ledger() -> Ledger {
        Ledger { version: VERSION, mark: 0, calibration: Calibration::default() }
    }

    /// Hides a stored case until the next commit deletes it.
    fn hide(&mut self, id: &CaseId) -> Result<bool, Trouble> {
        let found = Trouble::guard(|| self.stored.find(id))?;
        let Some((number, doc)) = found else { return Ok(false) };
        if let Some(segment) = self.stored.segments.get_mut(number) {
            segment.kill(doc);
            self.stored.doomed.push(id.clone());
        }
        Ok(true)
    }

    fn parts(&self) -> Vec<&dyn Part> {
        let stored = self.stored.segments.iter().map(|s| s as &dyn Part);
        stored.chain([&self.tail as &dyn Part]).collect()
    }

    fn neighbours(&self, probe: &Probe, recipe: &Recipe, k: usize) -> Result<(Query, Found), Trouble> {
        let parts = self.parts();
        let query = Query::weigh(query::of_probe(probe), &parts, recipe)?;
        let limits = Limits { until: Some(probe.at), exclude: probe.exclude.as_ref() };
        let found = recall::find(&query, &parts, recipe, limits, k)?;
        Ok((query, found))
    }

    /// Causes and responders.
    fn poll(&self, found: &Found, at: i64, poll: &Poll) -> Result<[Vec<Ranked>; 2], Trouble> {
        let (parts, calibration) = (self.parts(), &self.ledger.calibration);
        let by = |target| rank::candidates(target, &found.hits, &parts, at, poll, calibration);
        Ok([by(Target::Cause)?, by(Target::Responder)?])
    }

    fn present(&self, query: &Query, found: &Found, at: Option<i64>, k: usize) -> Result<Vec<Recalled>, Trouble> {
        let parts = self.parts();
        let mut recalled = Vec::new();
        for hit in found.hits.iter().take(k) {
            let Some(part) = parts.get(hit.part) else { continue };
            let mut case = part.case(hit.doc)?;
            if at.is_some_and(|at| case.closed_at.is_some_and(|closed| closed > at)) {
                case = as_opened(case);
            }
            let (shared, snippet) = explain::explain(query, &case);
            recalled.push(Recalled { case, similarity: hit.similarity, score: hit.score, shared, snippet });
        }
        Ok(recalled)
    }
}

/// The case as it was before anybody knew how it would end.
fn as_opened(case: Case) -> Case {
    Case { closed_at: None, cause: None, resolution: None, responders: Vec::new(), runbooks: Vec::new(), ..case }
}

#[cfg(test)]
mod tests;
