//! The memory: what the rest of the house calls.
//!
//! One value owns the index on disk, the unflushed tail and what was learnt. `&self` answers, `&mut self` changes, so
//! the caller's lock is all the concurrency there is.

use crate::answer::{self, Grounds};
use crate::baseline;
use crate::case::{Answer, Case, CaseId, Probe, Ranked, Recalled};
use crate::explain;
use crate::learn::input::Input;
use crate::learn::panel::Panel;
use crate::learn::student::Vote;
use crate::learn::{Model, News, Said, Target};
use crate::part::Part;
use crate::query::{self, Query, Recipe};
use crate::recall::{self, Found, Hit, Limits};
use crate::schema::{VALUE_BYTES, VERSION, bounded};
use crate::tail::Tail;
use crate::tokenize::{Terms, clip};
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
/// Hits of which some vote: many have no known outcome yet.
const POOL: usize = 200;
/// The name of the ranking, in [`Answer::model`]. Raised when the meaning of a feature changes.
const MODEL: &str = "combined-1";

/// How opening went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The index is whole. Everything up to `mark` (see [`Memory::set_mark`]) is in it; the caller feeds what came later.
    Ready { cases: u64, mark: u64 },
    /// The index is empty: the caller rebuilds it from the journal.
    Fresh { because: String },
}

/// Searchable, learning memory of cases.
#[derive(Debug)]
pub struct Memory {
    stored: Stored,
    tail: Tail,
    ledger: Ledger,
    model: Box<Model>,
    /// Something was learnt since the last flush.
    learnt: bool,
    /// It knows something of a case that was forgotten.
    stale: bool,
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
        let (ledger, model, fresh) = match found {
            writer::Found::Whole(ledger, model) => (*ledger, model, None),
            writer::Found::Fresh(because) => (Self::new_ledger(), Box::default(), Some(because)),
        };
        let memory = Self::of(stored, ledger, model);
        let opened = match fresh {
            Some(because) => Opened::Fresh { because },
            None => Opened::Ready { cases: memory.len(), mark: memory.ledger.mark },
        };
        Ok((memory, opened))
    }

    /// A memory that touches no disk.
    pub fn in_memory() -> Result<Self, Trouble> {
        Ok(Self::of(Stored::in_memory()?, Self::new_ledger(), Box::default()))
    }

    fn of(stored: Stored, ledger: Ledger, model: Box<Model>) -> Self {
        Self { stored, tail: Tail::default(), ledger, model, learnt: false, stale: false, dirty: false, retry_at: TAIL }
    }

    /// As [`Memory::learn`], for a case about which nothing was said when it opened.
    pub fn remember(&mut self, case: Case) -> Result<(), Trouble> {
        self.learn(case, None)
    }

    /// Remembers a case, replacing the one of the same id, and learns what is new of its outcome. It can be found at
    /// once; it is on disk after a flush, which happens by itself when [`TAIL`] cases wait. Titles and texts are kept up
    /// to `tokenize::{TITLE_BYTES, TEXT_BYTES}`.
    ///
    /// An outcome may come in pieces (who took it, later what it was), and be corrected: each new value is learnt once.
    /// `memo` is [`Answer::memo`] of what was said of this incident: how much each feature is worth is learnt from those
    /// values, never from today's. Without one (an import), what would be said now is taken instead.
    ///
    /// [`Trouble::Full`] means that it was not remembered; any other error, that it was but could not be flushed.
    pub fn learn(&mut self, case: Case, memo: Option<&str>) -> Result<(), Trouble> {
        self.make_room()?;
        let case = bounded(case);
        self.learn_outcome(&case, memo)?;
        let terms = Terms::of_case(&case);
        self.hide(&case.id)?;
        self.tail.insert(case, terms);
        self.dirty = true;
        if self.tail.len() >= self.retry_at {
            self.flush()?;
        }
        Ok(())
    }

    fn learn_outcome(&mut self, case: &Case, memo: Option<&str>) -> Result<(), Trouble> {
        let outcome = outcome(case);
        let before = Trouble::guard(|| self.outcome(&case.id))?;
        let [why, who] = [(&outcome[0], &before[0]), (&outcome[1], &before[1])]
            .map(|(now, before)| now.as_deref().map(|name| (name, now != before)));
        if ![why, who].iter().flatten().any(|(_, news)| *news) {
            return Ok(());
        }
        let at = case.closed_at.unwrap_or(case.opened_at);
        let probe = Probe {
            at,
            title: case.title.clone(),
            text: case.text.clone(),
            service: case.service.clone(),
            labels: case.labels.clone(),
            exclude: Some(case.id.clone()),
        };
        let said = match memo.and_then(Said::from_text) {
            Some(said) => said,
            None => Trouble::guard(|| {
                let (_, found) = self.neighbours(&probe, &query::OURS, POOL)?;
                Ok(self.model.keep(&self.opine(&probe, &found)?.panels))
            })?,
        };
        let news = News { case: &case.id, at, cause: why, responder: who };
        self.model.learn(&input(&probe), &news, Some(&said));
        self.learnt = true;
        Ok(())
    }

    /// Learns anew from the cases that are there, in the order in which their outcome became known.
    fn relearn(&mut self) -> Result<(), Trouble> {
        let model = Trouble::guard(|| {
            let parts = self.parts();
            let mut known: Vec<(i64, i64, u64, usize, u32)> = Vec::new();
            for (number, part) in parts.iter().enumerate() {
                for doc in (0..part.size()).filter(|doc| part.is_living(*doc)) {
                    let opened = part.opened_at(doc);
                    known.push((part.closed_at(doc).unwrap_or(opened), opened, part.tie(doc), number, doc));
                }
            }
            known.sort_unstable();
            let mut model = self.model.without_cases();
            for (at, _, _, number, doc) in known {
                let Some(part) = parts.get(number) else { continue };
                let case = part.case(doc)?;
                let outcome = outcome(&case);
                if outcome.iter().all(Option::is_none) {
                    continue;
                }
                let [why, who] = outcome.each_ref().map(|name| name.as_deref().map(|name| (name, true)));
                let input = Input::of(&case.title, &case.text, &case.labels, case.service.as_deref());
                model.learn(&input, &News { case: &case.id, at, cause: why, responder: who }, None);
            }
            Ok(model)
        })?;
        *self.model = model;
        (self.stale, self.learnt) = (false, true);
        Ok(())
    }

    /// What is known of a case's outcome: cause and first responder.
    fn outcome(&self, id: &CaseId) -> Result<[Option<String>; 2], Trouble> {
        for part in self.parts() {
            if let Some(doc) = part.find(id)? {
                return Ok([part.cause(doc)?, part.responders(doc)?.into_iter().next()]);
            }
        }
        Ok([None, None])
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
    /// merge; a caller who must be sure that no byte remains opens a new directory. With that flush, too, everything that
    /// was learnt of candidates is learnt anew from the cases that are left: what a hidden incident taught is gone, and
    /// so is a name that no case holds any more.
    pub fn forget(&mut self, id: &CaseId) -> Result<bool, Trouble> {
        self.stale |= Trouble::guard(|| self.outcome(id))?.iter().any(Option::is_some);
        let known = self.tail.remove(id) | self.hide(id)?;
        self.dirty |= known;
        Ok(known)
    }

    /// Past incidents like this one, best first, at most `k` (and [`RECALLED`]).
    pub fn recall(&self, probe: &Probe, k: usize) -> Result<Vec<Recalled>, Trouble> {
        Trouble::guard(|| {
            let (query, found) = self.neighbours(probe, &query::OURS, k.min(RECALLED))?;
            self.present(&query, &found.hits, Some(probe.at), k)
        })
    }

    /// Past incidents by words or `key=value` labels, also of their cause, resolution and responders.
    pub fn search(&self, text: &str, k: usize) -> Result<Vec<Recalled>, Trouble> {
        Trouble::guard(|| {
            let parts = self.parts();
            let query = Query::weigh(query::of_text(text), &parts, &query::OURS)?;
            let found = recall::find(&query, &parts, &query::OURS, Limits::default(), k.min(RECALLED))?;
            self.present(&query, &found.hits, None, k)
        })
    }

    /// Everything memory says about the incident at hand.
    pub fn rank(&self, probe: &Probe) -> Result<Answer, Trouble> {
        Trouble::guard(|| {
            let (query, found) = self.neighbours(probe, &query::OURS, POOL)?;
            let opinion = self.opine(probe, &found)?;
            let [causes, responders] = self.candidates(probe, &found, &opinion)?;
            Ok(Answer {
                model: format!("{MODEL}+{}", self.model.learnt()),
                similar: self.present(&query, &recall::fresh_first(&found.hits, probe.at), Some(probe.at), SIMILAR)?,
                causes,
                responders,
                seen: found.seen,
                of: self.len(),
                since: self.parts().iter().filter_map(|p| p.oldest()).min(),
                memo: self.model.keep(&opinion.panels).to_text(),
            })
        })
    }

    /// What a search library gives without thought, for comparison: similar cases, and candidates with their shares.
    pub(crate) fn plain(&self, probe: &Probe) -> Result<Plain, Trouble> {
        let (_, found) = self.neighbours(probe, &query::PLAIN, baseline::POOL)?;
        let parts = self.parts();
        let best = found.hits.iter().take(SIMILAR);
        let ids = best.filter_map(|hit| Some(parts.get(hit.part)?.id(hit.doc))).collect::<Result<_, _>>()?;
        let by = |target| baseline::shares(target, &found.hits, &parts, probe.at);
        Ok((ids, [by(Target::Cause)?, by(Target::Responder)?]))
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
        if self.stale {
            self.relearn()?;
        }
        let model = self.learnt.then_some(&*self.model);
        let done = self.stored.commit(&self.tail, &mut self.ledger, model);
        if done.is_ok() {
            self.tail = Tail::default();
            (self.dirty, self.learnt) = (false, false);
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
        Ledger { version: VERSION, ..Ledger::default() }
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

    /// What the model makes of the incident and of who solved those like it.
    fn opine(&self, probe: &Probe, found: &Found) -> Result<Opinion, Trouble> {
        let parts = self.parts();
        let input = input(probe);
        let of = |target| answer::votes(target, &found.hits, &parts, &self.model, probe.at);
        let votes = [of(Target::Cause)?, of(Target::Responder)?];
        let panels = self.model.ask(&input, votes.each_ref().map(Vec::as_slice), probe.at);
        Ok(Opinion { input, votes, panels })
    }

    /// Causes and responders.
    fn candidates(&self, probe: &Probe, found: &Found, opinion: &Opinion) -> Result<[Vec<Ranked>; 2], Trouble> {
        let parts = self.parts();
        let ([of_causes, of_responders], [causes, responders]) = (&opinion.votes, &opinion.panels);
        let ranked = |target, panel, votes| {
            let grounds = Grounds {
                target,
                panel,
                votes,
                model: &self.model,
                input: &opinion.input,
                hits: &found.hits,
                parts: &parts,
                at: probe.at,
                exclude: probe.exclude.as_ref(),
            };
            grounds.candidates()
        };
        Ok([ranked(Target::Cause, causes, of_causes)?, ranked(Target::Responder, responders, of_responders)?])
    }

    fn present(&self, query: &Query, hits: &[Hit], at: Option<i64>, k: usize) -> Result<Vec<Recalled>, Trouble> {
        let parts = self.parts();
        let mut recalled = Vec::new();
        for hit in hits.iter().take(k) {
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

/// Ids of similar cases; causes and responders with their share of the votes.
pub(crate) type Plain = (Vec<CaseId>, [Vec<(String, f64)>; 2]);

/// What the model makes of a question, with what it was made from.
struct Opinion {
    input: Input,
    votes: [Vec<Vote>; 2],
    panels: [Panel; 2],
}

/// Cause and first responder, as the index keeps them for voting.
fn outcome(case: &Case) -> [Option<String>; 2] {
    let value = |name: &String| Some(clip(name, VALUE_BYTES).to_owned()).filter(|name| !name.is_empty());
    [case.cause.as_ref().and_then(value), case.responders.first().and_then(value)]
}

fn input(probe: &Probe) -> Input {
    Input::of(&probe.title, &probe.text, &probe.labels, probe.service.as_deref())
}

/// The case as it was before anybody knew how it would end.
fn as_opened(case: Case) -> Case {
    Case { closed_at: None, cause: None, resolution: None, responders: Vec::new(), runbooks: Vec::new(), ..case }
}

#[cfg(test)]
mod tests;
