//! Incident memory behind its port: translates between the flow's words and the index, and keeps its work off the runtime.
//!
//! Wraps `smokejumper-index`; knows neither storage nor chats. The index is a cache: the app rebuilds it from lessons.

use crate::flow::moment::At;
use crate::flow::recollection::{Candidate, Lesson, PastIncident, Question, Recollection};
use crate::ports::{Memory, Undelivered};
use async_trait::async_trait;
use smokejumper_index::case::{Answer, Case, CaseId, Probe, Ranked, Recalled, RunbookOutcome};
use smokejumper_index::{Memory as Index, Opened, Trouble};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The index, shared by everybody who asks it.
#[derive(Clone, Debug)]
pub struct IndexedMemory {
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Debug)]
struct Shelf {
    index: Index,
    /// While old lessons are taught: cases of which something newer was learnt meanwhile. `None` once it has caught up.
    newer: Option<BTreeSet<String>>,
}

impl IndexedMemory {
    /// Opens the index in `dir`, or makes an empty one that is to be taught everything again.
    ///
    /// # Errors
    /// A lock somebody else holds, missing permission, a full disk; nothing is wiped then.
    pub fn open(dir: &Path) -> Result<(Self, Opened), Trouble> {
        let (index, opened) = Index::open(dir)?;
        Ok((Self::of(index), opened))
    }

    /// A memory without a directory: for the time that the one on disk cannot be opened.
    ///
    /// # Errors
    /// Hardly ever: the index cannot be made in memory.
    pub fn volatile() -> Result<Self, Trouble> {
        Ok(Self::of(Index::in_memory()?))
    }

    fn of(index: Index) -> Self {
        Self { shelf: Arc::new(Mutex::new(Shelf { index, newer: Some(BTreeSet::new()) })) }
    }

    /// Teaches past cases that no journal holds: imports, and the demo's public incidents.
    ///
    /// # Errors
    /// The index cannot be written.
    pub async fn teach(&self, cases: Vec<Case>) -> Result<(), Undelivered> {
        self.with(move |shelf| cases.into_iter().try_for_each(|case| shelf.index.remember(case))).await
    }

    /// Teaches an old lesson of the journal, unless something newer was learnt of the same case meanwhile.
    ///
    /// # Errors
    /// The index cannot be written.
    pub async fn relearn(&self, lesson: Lesson) -> Result<(), Undelivered> {
        self.with(move |shelf| {
            let old = shelf.newer.as_ref().is_some_and(|newer| newer.contains(&lesson.case));
            if old { Ok(()) } else { shelf.learn(lesson) }
        })
        .await
    }

    /// Drops what an earlier process taught of a case, unless something newer was learnt or forgotten of it meanwhile; whether it
    /// was known. Written with the next mark.
    ///
    /// # Errors
    /// The index cannot be written.
    pub async fn unlearn(&self, case: String) -> Result<bool, Undelivered> {
        self.with(move |shelf| {
            if shelf.newer.as_ref().is_some_and(|newer| newer.contains(&case)) {
                return Ok(true);
            }
            let case = CaseId(case);
            let known = shelf.index.contains(&case)?;
            shelf.index.forget(&case)?;
            Ok(known)
        })
        .await
    }

    /// Everything of the journal up to `mark` was taught; noted on disk together with it.
    ///
    /// # Errors
    /// The index cannot be written; what came in stays searchable.
    pub async fn learnt_up_to(&self, mark: u64) -> Result<(), Undelivered> {
        self.with(move |shelf| shelf.learnt_up_to(Some(mark))).await
    }

    /// Everything of the journal that was there at the start was taught, up to `mark` if nothing of it failed.
    ///
    /// # Errors
    /// The index cannot be written; what came in stays searchable.
    pub async fn caught_up(&self, mark: Option<u64>) -> Result<(), Undelivered> {
        self.with(move |shelf| {
            shelf.newer = None;
            shelf.learnt_up_to(mark)
        })
        .await
    }

    /// Writes what came in to disk. Not while old lessons are taught: what is not noted would be taught again.
    ///
    /// # Errors
    /// The index cannot be written; what came in stays searchable.
    pub async fn flush(&self) -> Result<(), Undelivered> {
        self.with(|shelf| if shelf.newer.is_none() { shelf.index.flush() } else { Ok(()) }).await
    }

    /// Cases in memory.
    pub async fn cases(&self) -> u64 {
        self.with(|shelf| Ok(shelf.index.len())).await.unwrap_or_default()
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Shelf) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Undelivered> {
        let shared = Arc::clone(&self.shelf);
        let done = tokio::task::spawn_blocking(move || {
            let mut held = shared.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut held)
        });
        match done.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(trouble)) => Err(Undelivered::NotYet { why: trouble.to_string(), after_ms: None }),
            Err(stopped) => Err(Undelivered::NotYet { why: stopped.to_string(), after_ms: None }),
        }
    }
}

impl Shelf {
    fn learn(&mut self, mut lesson: Lesson) -> Result<(), Trouble> {
        // An outcome that is known was learnt from, too: the same lesson may come again after a restart.
        let memo = lesson.said.take().map(|said| said.memo).filter(|memo| !memo.is_empty());
        self.index.learn(case(lesson), memo.as_deref())
    }

    /// Whether that is on disk.
    fn forget(&mut self, case: String) -> Result<bool, Trouble> {
        self.index.forget(&CaseId(case.clone()))?;
        let Some(newer) = &mut self.newer else {
            self.index.flush()?;
            return Ok(true);
        };
        // What the journal taught of it before is not taught again.
        newer.insert(case);
        Ok(false)
    }

    fn learnt_up_to(&mut self, mark: Option<u64>) -> Result<(), Trouble> {
        if let Some(mark) = mark {
            self.index.set_mark(mark);
        }
        self.index.flush()
    }
}

#[async_trait]
impl Memory for IndexedMemory {
    async fn recall(&self, question: Question) -> Result<Recollection, Undelivered> {
        let probe = Probe {
            at: question.at.0,
            title: question.title,
            text: question.text,
            service: question.service,
            labels: question.labels,
            exclude: Some(CaseId(question.case)),
        };
        self.with(move |shelf| shelf.index.rank(&probe)).await.map(recollection)
    }

    async fn remember(&self, lesson: Lesson) -> Result<(), Undelivered> {
        self.with(move |shelf| {
            if let Some(newer) = &mut shelf.newer {
                newer.insert(lesson.case.clone());
            }
            shelf.learn(lesson)
        })
        .await
    }

    async fn forget(&self, case: &str) -> Result<(), Undelivered> {
        let case = case.to_owned();
        let written = self.with(move |shelf| shelf.forget(case)).await?;
        // Only what is gone from disk, too, is forgotten: until then a restart would bring it back.
        if written {
            Ok(())
        } else {
            Err(Undelivered::NotYet { why: "old lessons are being read".to_owned(), after_ms: None })
        }
    }

    async fn search(&self, text: &str, limit: usize) -> Result<Vec<PastIncident>, Undelivered> {
        let text = text.to_owned();
        let found = self.with(move |shelf| shelf.index.search(&text, limit)).await?;
        Ok(found.into_iter().map(past).collect())
    }
}

fn recollection(answer: Answer) -> Recollection {
    Recollection {
        model: answer.model,
        similar: answer.similar.into_iter().map(past).collect(),
        causes: answer.causes.into_iter().map(candidate).collect(),
        responders: answer.responders.into_iter().map(candidate).collect(),
        seen: answer.seen,
        of: answer.of,
        since: answer.since.map(At),
        memo: answer.memo,
    }
}

fn past(recalled: Recalled) -> PastIncident {
    PastIncident {
        case: recalled.case.id.0,
        title: recalled.case.title,
        opened_at: At(recalled.case.opened_at),
        cause: recalled.case.cause,
        resolution: recalled.case.resolution,
        responders: recalled.case.responders,
        url: recalled.case.url,
        similarity: recalled.similarity,
        shared: recalled.shared,
        snippet: recalled.snippet,
    }
}

fn candidate(ranked: Ranked) -> Candidate {
    let evidence = ranked.evidence.into_iter().map(|(id, share)| (id.0, share)).collect();
    Candidate { value: ranked.value, p: ranked.p, features: ranked.features, evidence }
}

fn case(lesson: Lesson) -> Case {
    Case {
        id: CaseId(lesson.case),
        opened_at: lesson.opened_at.0,
        closed_at: lesson.closed_at.map(|at| at.0),
        title: lesson.title,
        text: lesson.text,
        service: lesson.service,
        labels: lesson.labels,
        cause: lesson.cause,
        resolution: lesson.resolution,
        responders: lesson.responders,
        runbooks: lesson.runbooks.into_iter().map(|(runbook, worked)| RunbookOutcome { runbook, worked }).collect(),
        url: lesson.url,
    }
}

#[cfg(test)]
mod tests;
