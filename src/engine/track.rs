//! Follow-ups in the tracker: how they are filed, found again and moved.
//!
//! What an issue says is rendered when it is sent (`flow::issue`); what the tracker is, nobody here knows.

use super::Engine;
use super::deliver::Done;
use super::reconcile::Seen;
use crate::flow::event::Event;
use crate::flow::fact::Issue;
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::issue;
use crate::ports::{IssueDraft, IssueWanted, Outgoing, Progress, StoreError, Tracker, Undelivered};

const GONE: &str = "the incident is gone";

/// The operation as it stands in the issue: unique also when a database is begun anew, whose numbers are the old ones again.
fn mark(row: &Outgoing) -> String {
    format!("{}-{}", row.op, row.queued_at.0)
}

fn unavailable(problem: &StoreError) -> Undelivered {
    Undelivered::NotYet { why: problem.to_string(), after_ms: None }
}

fn filed(row: &Outgoing, incident: IncidentId, follow_up: u32, issue: Issue, unknown: Vec<String>) -> Done {
    tracing::info!(op = %row.op, repository = %issue.repository, number = issue.number, "an issue was made");
    let remote = Some(format!("{}#{}", issue.repository, issue.number));
    let event = Event::Filed { incident, follow_up, issue, unknown };
    Done { progress: Progress::Sent { remote, said: None }, event: Some(event) }
}

impl Engine {
    fn tracker(&self) -> Option<&dyn Tracker> {
        self.ports.tracker.as_deref()
    }

    pub(super) async fn file_issue(&self, row: &Outgoing, follow_up: u32) -> Result<Done, Undelivered> {
        let id = row.effect.incident();
        // The result of an earlier row for the same follow-up may still wait in the inbox: it was stored there before this
        // row could be claimed. Without it there would be a second issue.
        while self.turns().await.map_err(|e| unavailable(&e))? > 0 {}
        let incident = self.incident(id).await.map_err(|e| unavailable(&e))?;
        let Some(incident) = incident else { return Ok(Done::superseded(GONE)) };
        if let Some(why) = settled(&incident, follow_up) {
            return Ok(Done::superseded(why));
        }
        let (Some(tracker), Some(draft)) = (self.tracker(), self.draft(&incident, follow_up)) else {
            return Ok(Done::superseded("it stays here: private, or no tracker or repository is configured for it"));
        };
        // Turns take their time.
        self.surely_ours()?;
        let (issue, unknown) = tracker.file(&mark(row), &draft).await?;
        Ok(filed(row, id, follow_up, issue, unknown))
    }

    /// Looks for the issue that a lost answer may have been about.
    pub(super) async fn find_issue(&self, row: &Outgoing, id: IncidentId, follow_up: u32) -> Result<Seen, Undelivered> {
        let Some(incident) = self.incident(id).await.map_err(|e| unavailable(&e))? else {
            return Ok(Seen::Pointless(GONE.to_owned()));
        };
        if incident.private {
            return Ok(Seen::Pointless(
                "the incident is private by now; an issue of it may exist all the same: look for it".to_owned(),
            ));
        }
        let (Some(tracker), Some(draft)) = (self.tracker(), self.draft(&incident, follow_up)) else {
            return Err(Undelivered::NotYet { why: "no tracker is connected".to_owned(), after_ms: None });
        };
        Ok(match tracker.find(&mark(row), &draft, row.queued_at).await? {
            Some((issue, unknown)) => Seen::There(filed(row, id, follow_up, issue, unknown)),
            None => Seen::NotThere,
        })
    }

    pub(super) async fn move_issue(&self, incident: &Incident, follow_up: u32) -> Result<Done, Undelivered> {
        let policy = self.policy();
        let wanted = incident.follow_ups.get(&follow_up).filter(|_| !incident.private && policy.tracking.is_some());
        let Some((tracker, follow_up)) = self.tracker().zip(wanted) else {
            return Ok(Done::superseded("it stays here"));
        };
        let Some(issue) = &follow_up.issue else { return Ok(Done::superseded("there is no issue of it")) };
        let assignees = issue::assignees(follow_up, &policy);
        let unknown = tracker.bring(issue, &IssueWanted { closed: follow_up.done_at.is_some(), assignees }).await?;
        if !unknown.is_empty() {
            tracing::warn!(issue = %issue.url, unknown = unknown.join(", "), "assignees the tracker does not know");
        }
        Ok(Done::sent(None, None))
    }

    fn draft(&self, incident: &Incident, follow_up: u32) -> Option<IssueDraft> {
        let issue::Issue { repository, title, body, labels, assignees } =
            issue::of(incident, follow_up, &self.policy())?;
        Some(IssueDraft { incident: incident.id, follow_up, repository, title, body, labels, assignees })
    }
}

/// Why there is nothing to file any more.
fn settled(incident: &Incident, follow_up: u32) -> Option<&'static str> {
    match incident.follow_ups.get(&follow_up) {
        None => Some("there is no such follow-up"),
        Some(f) if f.issue.is_some() => Some("there is one already"),
        Some(f) if f.done_at.is_some() => Some("it is done already"),
        Some(_) => None,
    }
}
