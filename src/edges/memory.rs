//! Incident memory behind its port: translates between the flow's words and the index, and keeps its work off the runtime.
//!
//! Wraps `smokejumper-index`; knows neither storage nor chats. The index is a cache: the app rebuilds it from lessons.

use crate::flow::moment::At;
use crate::flow::recollection::{Candidate, Lesson, PastIncident, Question, Recollection};
use crate::ports::{Memory, Undelivered};
use async_trait::async_trait;
use smokejumper_index::case::{Answer, Case, CaseId, Probe, Ranked, Recalled, RunbookOutcome};
use smokejumper_index::{Memory as Index, Opened, Outcome, Trouble};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The index, shared by everybody who asks it.
#[derive(Clone, Debug)]
pub struct IndexedMemory {
    index: Arc<Mutex<Index>>,
}

impl IndexedMemory {
    /// Opens the index in `dir`, or makes an empty one that is to be taught everything again.
    ///
    /// # Errors
    /// A lock somebody else holds, missing permission, a full disk; nothing is wiped then.
    pub fn open(dir: &Path) -> Result<(Self, Opened), Trouble> {
        let (index, opened) = Index::open(dir)?;
        Ok((Self { index: Arc::new(Mutex::new(index)) }, opened))
    }

    /// A memory without a directory: for the time that the one on disk cannot be opened.
    ///
    /// # Errors
    /// Hardly ever: the index cannot be made in memory.
    pub fn volatile() -> Result<Self, Trouble> {
        Ok(Self { index: Arc::new(Mutex::new(Index::in_memory()?)) })
    }

    /// Teaches past cases that no journal holds: imports, and the demo's public incidents.
    ///
    /// # Errors
    /// The index cannot be written.
    pub async fn teach(&self, cases: Vec<Case>) -> Result<(), Undelivered> {
        self.with(move |index| cases.into_iter().try_for_each(|case| index.remember(case))).await
    }

    /// Writes what came in to disk, with the journal position up to which everything is in it, when that is known.
    ///
    /// # Errors
    /// The index cannot be written; what came in stays searchable.
    pub async fn flush(&self, mark: Option<u64>) -> Result<(), Undelivered> {
        self.with(move |index| {
            if let Some(mark) = mark {
                index.set_mark(mark);
            }
            index.flush()
        })
        .await
    }

    /// Cases in memory.
    pub async fn cases(&self) -> u64 {
        self.with(|index| Ok(index.len())).await.unwrap_or_default()
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Index) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Undelivered> {
        let index = Arc::clone(&self.index);
        let done = tokio::task::spawn_blocking(move || {
            let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut index)
        });
        match done.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(trouble)) => Err(Undelivered::NotYet { why: trouble.to_string(), after_ms: None }),
            Err(stopped) => Err(Undelivered::NotYet { why: stopped.to_string(), after_ms: None }),
        }
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
        self.with(move |index| index.rank(&probe)).await.map(recollection)
    }

    async fn remember(&self, mut lesson: Lesson) -> Result<(), Undelivered> {
        let said = lesson.said.take();
        let case = case(lesson);
        self.with(move |index| {
            if let Some(said) = said {
                let outcome = Outcome { cause: case.cause.clone(), responders: case.responders.clone() };
                let ranked = |c: Vec<Candidate>| c.into_iter().map(ranked).collect();
                let answer = Answer {
                    model: said.model,
                    causes: ranked(said.causes),
                    responders: ranked(said.responders),
                    similar: Vec::new(),
                    seen: 0,
                    of: 0,
                    since: None,
                };
                index.learn(&answer, &outcome);
            }
            index.remember(case)
        })
        .await
    }

    async fn search(&self, text: &str, limit: usize) -> Result<Vec<PastIncident>, Undelivered> {
        let text = text.to_owned();
        let found = self.with(move |index| index.search(&text, limit)).await?;
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

fn ranked(candidate: Candidate) -> Ranked {
    let evidence = candidate.evidence.into_iter().map(|(id, share)| (CaseId(id), share)).collect();
    Ranked { value: candidate.value, p: candidate.p, features: candidate.features, evidence }
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
