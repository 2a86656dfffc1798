//! What webhooks missed: GitHub sends none a second time, so the issues of follow-ups that are still owed are looked at now
//! and then. An issue that did not change costs nothing there (ETag).

use super::answer::{Judged, judge};
use super::webhook::login;
use super::wire::Ask;
use super::{GitHub, Shown, is_repository};
use crate::flow::event::{Event, IssueMove};
use crate::flow::fact::Issue;
use crate::flow::incident::IncidentId;
use crate::flow::moment::At;
use crate::ports::{Arrival, Door, Undelivered, Views};
use axum::http::Method;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Between two rounds: whoever has no webhook sees it within minutes.
const EVERY: Duration = Duration::from_mins(5);
/// Issues looked at in one round: with twelve rounds an hour a quarter of the 5,000 requests GitHub allows, should all have
/// changed.
const A_ROUND: usize = 100;

/// Looks for gaps.
pub struct Gaps {
    github: GitHub,
    views: Arc<dyn Views>,
    door: Arc<dyn Door>,
    /// What was seen last, of issues that are still owed.
    seen: BTreeMap<(String, u64), Seen>,
    /// Whose turn it is.
    queue: VecDeque<Owed>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    etag: Option<String>,
    /// Login; `None`: nobody, or never seen.
    assignee: Option<String>,
    /// It was looked at before.
    known: bool,
    gone: bool,
}

#[derive(Clone, Debug)]
struct Owed {
    incident: IncidentId,
    follow_up: u32,
    issue: Issue,
}

impl std::fmt::Debug for Gaps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gaps").field("seen", &self.seen.len()).finish_non_exhaustive()
    }
}

impl Gaps {
    #[must_use]
    pub fn new(github: GitHub, views: Arc<dyn Views>, door: Arc<dyn Door>) -> Self {
        Self { github, views, door, seen: BTreeMap::new(), queue: VecDeque::new() }
    }

    /// Until told to stop.
    pub async fn keep(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stop.changed() => return,
            }
            if let Err(problem) = self.round().await {
                tracing::warn!(%problem, "GitHub's issues could not be looked at; the next round does");
            }
        }
    }

    /// Looks at some of what is owed, in turn; how many issues were looked at.
    ///
    /// # Errors
    /// GitHub or storage is not there; what was not looked at has its turn first the next time.
    pub async fn round(&mut self) -> Result<usize, Undelivered> {
        let unavailable = |e: crate::ports::StoreError| Undelivered::NotYet { why: e.to_string(), after_ms: None };
        let desk = self.views.desk().await.map_err(unavailable)?;
        let owed: Vec<Owed> = desk
            .owed
            .into_iter()
            .filter_map(|o| Some(Owed { incident: o.incident, follow_up: o.id, issue: o.issue? }))
            .collect();
        let known: BTreeSet<_> = owed.iter().map(Owed::key).collect();
        self.seen.retain(|key, _| known.contains(key));
        self.queue.retain(|o| known.contains(&o.key()));
        let queued: BTreeSet<_> = self.queue.iter().map(Owed::key).collect();
        self.queue.extend(owed.into_iter().filter(|o| !queued.contains(&o.key())));
        let mut looked = 0;
        for _ in 0..self.queue.len().min(A_ROUND) {
            let Some(next) = self.queue.front().cloned() else { break };
            let told = self.look(&next).await?;
            if !told.is_empty() {
                self.door.take(told).await.map_err(unavailable)?;
            }
            self.queue.rotate_left(1);
            looked += 1;
        }
        Ok(looked)
    }

    async fn look(&mut self, owed: &Owed) -> Result<Vec<Arrival>, Undelivered> {
        let (repository, number) = (&owed.issue.repository, owed.issue.number);
        let seen = self.seen.entry(owed.key()).or_default();
        if seen.gone || !is_repository(repository) {
            return Ok(Vec::new());
        }
        let path = format!("/repos/{repository}/issues/{number}");
        let ask = Ask { method: &Method::GET, path: &path, body: None, etag: seen.etag.as_deref() };
        let answer = self.github.read(ask).await?;
        if answer.status == 304 {
            return Ok(Vec::new());
        }
        if let Judged::Refused { status: 404 | 410, .. } = judge(&answer, self.github.clock.now()) {
            seen.gone = true;
            return Ok(vec![self.told(owed, "gone", IssueMove::Deleted, "somebody", None)]);
        }
        let shown: Shown = self.github.readable(&answer)?;
        let there = shown.issue(repository);
        if (there.number, there.repository.to_lowercase()) != (number, repository.to_lowercase()) {
            let key = format!("moved:{}#{}", there.repository, there.number);
            return Ok(vec![self.told(owed, &key, IssueMove::Transferred(there), "somebody", shown.changed())]);
        }
        let seen = self.seen.entry(owed.key()).or_default();
        let assignee = shown.assignees.first().map(|a| login(&a.login));
        let first = !std::mem::replace(&mut seen.known, true);
        let before = std::mem::replace(&mut seen.assignee, assignee.clone());
        seen.etag = answer.header("etag").map(str::to_owned);
        let mut told = Vec::new();
        if shown.state == "closed" {
            let by = shown.closed_by.as_ref().map_or_else(|| "somebody".to_owned(), |a| login(&a.login));
            let key = format!("closed:{}", shown.closed_at.as_deref().unwrap_or(&shown.updated_at));
            told.push(self.told(owed, &key, IssueMove::Closed, &by, shown.changed()));
        }
        if before != assignee {
            // Seen for the first time: whoever has it there has it. From then on each change is news.
            let when = if first { String::new() } else { format!(":{}", shown.updated_at) };
            let key = format!("assigned:{}{when}", assignee.as_deref().unwrap_or_default());
            told.push(self.told(owed, &key, IssueMove::Assigned(assignee), "somebody", shown.changed()));
        }
        Ok(told)
    }

    fn told(&self, owed: &Owed, what: &str, to: IssueMove, by: &str, changed: Option<At>) -> Arrival {
        let Owed { incident, follow_up, issue } = owed.clone();
        let key = format!("gap:{}#{}:{what}", issue.repository, issue.number);
        let event = Event::IssueMoved { incident, follow_up, issue, to, by: by.to_owned(), changed };
        Arrival { source: "github".to_owned(), key, at: self.github.clock.now(), event }
    }
}

impl Owed {
    fn key(&self) -> (String, u64) {
        (self.issue.repository.to_lowercase(), self.issue.number)
    }
}
