//! Delivery: effects leave through ports; what became of them is stored together with the event it caused.
//!
//! Knows when to repeat and when to give up; knows no vendor. A run is started once, whatever happens (ARCHITECTURE.md D6).

use super::Engine;
use super::reach::vendor;
use super::settle::Load;
use crate::flow::effect::Effect;
use crate::flow::escalation::key;
use crate::flow::event::{Event, Fresh};
use crate::flow::fact::{Answered, Ended, RunOutcome};
use crate::flow::identity::{Identity, Party};
use crate::flow::incident::{Incident, IncidentId, Page, Phase};
use crate::flow::moment::{DAY, MINUTE, SECOND};
use crate::flow::triage::question;
use crate::ports::{Arrival, Call, Outgoing, Progress, StoreError, Undelivered};
use smokejumper_intents::reply::Reply;

/// Attempts before an effect is given up and a person is told: with `backoff` about half an hour.
pub const MAX_ATTEMPTS: u32 = 40;
/// Rows claimed at once.
const CLAIM: u32 = 32;
const CLAIM_URGENT: u32 = 16;

/// Milliseconds to wait after the `attempts`-th attempt: 250 ms, doubling, at most a minute.
fn backoff(attempts: u32) -> i64 {
    (SECOND / 4).saturating_mul(1_i64 << attempts.min(8)).min(MINUTE)
}

/// Rows younger than this are never given up, however often they were tried.
const GIVE_UP_AFTER: i64 = 30 * MINUTE;
/// A vendor that says when to come again is not failing: its limits are waited for this long, however often it says so. Likewise for a
/// chat platform that cannot be reached.
const WAIT_AT_MOST: i64 = DAY;

/// A page nobody could take is given up sooner, so that people hear of it and the next on call is asked: after so many attempts, and
/// not before this time (ms).
const MAX_PAGE_ATTEMPTS: u32 = 5;
const PAGE_PATIENCE: i64 = 2 * MINUTE;

/// Why the world is not touched: the store is not reached, and another process may act in our place.
const NOT_SURELY_OURS: &str =
    "this process may have lost the database to another, and does nothing until it knows better";

/// What carrying an effect out came to; to be stored, whatever it takes.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) progress: Progress,
    pub(super) event: Option<Event>,
}

impl Done {
    pub(super) const fn sent(remote: Option<String>, said: Option<Reply>) -> Self {
        Self { progress: Progress::Sent { remote, said }, event: None }
    }

    pub(super) fn with(event: Event) -> Self {
        Self { event: Some(event), ..Self::sent(None, None) }
    }

    pub(super) fn superseded(why: &str) -> Self {
        Self { progress: Progress::Superseded { why: why.to_owned() }, event: None }
    }
}

impl Engine {
    /// Effects that are due now, and that nobody carries yet. Outcomes the store refused so far come first.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn claim(&self) -> Result<Vec<Outgoing>, StoreError> {
        self.claim_some(false).await
    }

    /// Likewise, pages and timers alone: for when slow work has taken all other hands.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn claim_urgent(&self) -> Result<Vec<Outgoing>, StoreError> {
        self.claim_some(true).await
    }

    async fn claim_some(&self, urgent: bool) -> Result<Vec<Outgoing>, StoreError> {
        self.settle_debts().await?;
        self.hurry().await;
        let (outbox, now) = (&self.ports.outbox, self.ports.clock.now());
        let claimed = if urgent {
            outbox.claim_urgent(now, CLAIM_URGENT).await
        } else {
            outbox.claim_within(now, CLAIM, &self.shares()).await
        };
        if claimed.is_err() {
            // It may have marked rows as sending that nobody will carry.
            self.doubt();
        }
        let mut rows = claimed?;
        rows.retain(|row| self.pick_up(row));
        Ok(rows)
    }

    /// Carries one claimed effect out, and stores what became of it.
    ///
    /// # Errors
    /// The store cannot be written: what became of it is kept, and stored before the next claim.
    #[tracing::instrument(level = "debug", name = "carry", skip_all, fields(op = row.op, destination = row.effect.destination().label()))]
    pub async fn carry(&self, row: Outgoing) -> Result<(), StoreError> {
        let load = Load::new(self, row.id);
        let Some(done) = self.attempt(&row).await? else {
            load.put_down();
            return Ok(());
        };
        self.observer.carried(row.effect.destination(), &done.progress);
        load.settle(done.progress, done.event.map(|event| self.result_of(&row, event))).await
    }

    /// Carries it out, without storing what became of it. `None`: that is stored already.
    async fn attempt(&self, row: &Outgoing) -> Result<Option<Done>, StoreError> {
        if let Effect::Run { incident, request } = row.effect {
            return self.run(row, incident, request).await;
        }
        Ok(Some(match self.perform(row).await {
            Ok(done) => done,
            Err(Undelivered::NoRoom { change, why }) => self.no_room(row, change, why).await?,
            Err(problem) => self.undelivered(row, problem),
        }))
    }

    /// What is stored of a row whose delivery came to grief in our own code.
    pub(super) async fn broken(&self, row: &Outgoing) -> Result<(), StoreError> {
        let why = "a fault in Smokejumper itself; its log says more".to_owned();
        let done = match row.effect {
            Effect::Run { incident, request } => lost(incident, request, why),
            _ => given_up(row, why),
        };
        let load = Load::new(self, row.id);
        self.observer.carried(row.effect.destination(), &done.progress);
        load.settle(done.progress, done.event.map(|event| self.result_of(row, event))).await
    }

    /// A row that was marked as sending and that nobody carries: a run is never begun again, what may be repeated is.
    pub(super) async fn abandon(&self, row: &Outgoing, why: &str) -> Result<(), StoreError> {
        let (progress, event) = match &row.effect {
            Effect::Run { incident, request } => {
                let done = lost(*incident, *request, why.to_owned());
                let why = "interrupted; never begun again".to_owned();
                (Progress::Dead { why }, done.event.map(|event| self.result_of(row, event)))
            }
            effect if effect.repeatable() => {
                (Progress::Again { at: self.ports.clock.now(), why: why.to_owned() }, None)
            }
            effect => (self.in_doubt(effect, why.to_owned()), None),
        };
        self.store_outcome(row.id, progress, event).await
    }

    pub(super) fn result_of(&self, row: &Outgoing, event: Event) -> Arrival {
        Arrival { source: "effect".to_owned(), key: row.op.clone(), at: self.ports.clock.now(), event }
    }

    /// Asked directly before the world is touched: a process that may have lost its lease leaves that to whoever has it.
    pub(super) fn surely_ours(&self) -> Result<(), Undelivered> {
        if self.ports.outbox.may_act() {
            return Ok(());
        }
        Err(Undelivered::NotYet { why: NOT_SURELY_OURS.to_owned(), after_ms: Some(SECOND) })
    }

    async fn perform(&self, row: &Outgoing) -> Result<Done, Undelivered> {
        let id = row.effect.incident();
        let unavailable = |e: StoreError| Undelivered::NotYet { why: e.to_string(), after_ms: None };
        let Some(incident) = self.incident(id).await.map_err(unavailable)? else {
            return Ok(Done::superseded("the incident is gone"));
        };
        let now = self.ports.clock.now();
        self.surely_ours()?;
        match &row.effect {
            Effect::OpenRoom { platform, .. }
            | Effect::Card { platform, .. }
            | Effect::Say { platform, .. }
            | Effect::SayMissed { platform, .. }
            | Effect::Furnish { platform, .. }
            | Effect::CloseRoom { platform, .. }
            | Effect::Announce { platform, .. }
            | Effect::Tell { to: Identity { platform, .. }, .. } => self.speak(row, &incident, *platform).await,
            Effect::Recall { .. } => {
                let recollection = self.ports.memory.recall(question(&incident, now)).await?;
                Ok(Done::with(Event::Recalled { incident: id, recollection }))
            }
            Effect::Remember { lesson, .. } => {
                self.ports.memory.remember(lesson.as_ref().clone()).await?;
                Ok(Done::sent(None, None))
            }
            Effect::Forget { .. } => {
                self.ports.memory.forget(&id.to_string()).await?;
                Ok(Done::sent(None, None))
            }
            Effect::FileIssue { follow_up, .. } => self.file_issue(row, *follow_up).await,
            Effect::MoveIssue { follow_up, .. } => self.move_issue(&incident, *follow_up).await,
            Effect::Page { page, .. } => self.page(&incident, *page).await,
            Effect::EndPage { page, .. } => self.end_page(&incident, *page).await,
            Effect::Wake { timer, .. } => Ok(Done::with(Event::Due { incident: id, timer: timer.clone() })),
            Effect::Verify { request, .. } => {
                let Some(run) = incident.runs.get(request) else { return Ok(Done::superseded("no such run")) };
                let verdict = self.ports.runner.verify(&run.plan).await;
                Ok(Done::with(Event::Verified { incident: id, request: *request, verdict }))
            }
            Effect::Run { .. } => Ok(Done::superseded("runs are started elsewhere")),
        }
    }

    /// Under the page's own key, so that a repeated attempt rings once.
    async fn page(&self, incident: &Incident, number: u32) -> Result<Done, Undelivered> {
        let Some(page) = incident.pages.get(&number) else { return Ok(Done::superseded("there is no such page")) };
        if !page.rings() || !incident.is_open() {
            return Ok(Done::superseded("nobody need be woken any more"));
        }
        let Some(pager) = &self.ports.pager else { return Err(no_pager()) };
        let Some(call) = call(incident, number, page) else { return Ok(Done::superseded("they have no phone")) };
        let by = pager.page(&key(incident.id, number, page), &call).await?;
        Ok(Done::with(paged(incident.id, number, Answered::Accepted { by })))
    }

    async fn end_page(&self, incident: &Incident, number: u32) -> Result<Done, Undelivered> {
        let Some(page) = incident.pages.get(&number) else { return Ok(Done::superseded("there is no such page")) };
        let Some(pager) = &self.ports.pager else { return Err(no_pager()) };
        let Some(call) = call(incident, number, page) else { return Ok(Done::superseded("they have no phone")) };
        pager.end(&key(incident.id, number, page), &call).await?;
        Ok(Done::sent(None, None))
    }

    /// `None`: the flow gave no leave, and that is stored.
    async fn run(&self, row: &Outgoing, incident: IncidentId, request: u32) -> Result<Option<Done>, StoreError> {
        let run = self.incident(incident).await?.and_then(|mut i| i.runs.remove(&request));
        let run = match run {
            Some(run) if run.phase == Phase::Approved => run,
            // Its start was stored, and whoever asked for that never heard so: not this attempt's row to close.
            Some(run) if run.phase == Phase::Started => {
                return Err(StoreError::Conflict(format!("run #{request} of {incident} was marked as started before")));
            }
            _ => return Ok(Some(Done::superseded("it is not approved any more"))),
        };
        let fresh = Fresh {
            // Who cannot be asked is nobody: approval fails closed.
            approvers: self.ports.directory.approvers().await.unwrap_or_default(),
            files: self.ports.runner.freshen(&run.plan).await,
        };
        let event = Event::Poised { incident, request, fresh };
        let Some(approved) = self.poise(row.id, &row.op, event).await? else { return Ok(None) };
        let outcome = if self.ports.outbox.may_act() {
            self.ports.runner.run(approved).await
        } else {
            let ended = Ended::NotStarted { why: NOT_SURELY_OURS.to_owned() };
            RunOutcome { ended, steps: Vec::new(), duration_ms: 0 }
        };
        Ok(Some(Done::with(Event::Ran { incident, request, outcome })))
    }

    /// Again later, or never: then a person is told.
    fn undelivered(&self, row: &Outgoing, problem: Undelivered) -> Done {
        let attempts = row.attempts.saturating_add(1);
        tracing::warn!(op = %row.op, attempts, problem = %problem, "effect not delivered");
        let again = |why: String, after: Option<i64>| {
            let wait = match after {
                // A short wait, for a room that is being opened: soon at first, and then as long as it takes.
                Some(short) if short < SECOND => (short.max(1) << attempts.min(10)).min(MINUTE),
                Some(after) => after.max(backoff(attempts)),
                None => backoff(attempts),
            };
            Done { progress: Progress::Again { at: self.ports.clock.now().plus(wait), why }, event: None }
        };
        let age = self.ports.clock.now().since(row.queued_at);
        // What tells when to come again is not failing, and a service of others that does not answer, or not in time, will be back.
        let waits = match &problem {
            Undelivered::NotYet { after_ms: Some(ms), .. } => *ms >= SECOND,
            _ => vendor(row.effect.destination()).is_some(),
        };
        let patient = match row.effect {
            Effect::Page { .. } => attempts < MAX_PAGE_ATTEMPTS || age < PAGE_PATIENCE,
            // Both, since a clock may jump.
            _ => attempts < MAX_ATTEMPTS || age < if waits { WAIT_AT_MOST } else { GIVE_UP_AFTER },
        };
        match problem {
            Undelivered::NotYet { why, after_ms } if patient => again(why, after_ms),
            Undelivered::Unknown { why } if row.effect.repeatable() && patient => again(why, None),
            // It may have had its effect, and that does no harm: a person is told that nobody knows.
            Undelivered::Unknown { why } if row.effect.repeatable() => given_up(row, why),
            Undelivered::Unknown { why } => Done { progress: self.in_doubt(&row.effect, why), event: None },
            Undelivered::NotYet { why, .. } | Undelivered::Never { why } | Undelivered::NoRoom { why, .. } => {
                given_up(row, why)
            }
        }
    }
}

/// Given up, and a person is told.
pub(super) fn given_up(row: &Outgoing, why: String) -> Done {
    let incident = row.effect.incident();
    let event = match row.effect {
        Effect::Page { page, .. } => paged(incident, page, Answered::Failed { why: why.clone() }),
        _ => Event::Undelivered { incident, what: what(&row.effect), why: why.clone() },
    };
    Done { progress: Progress::Dead { why }, event: Some(event) }
}

fn no_pager() -> Undelivered {
    Undelivered::Never { why: "no pager is connected".to_owned() }
}

fn paged(incident: IncidentId, page: u32, answered: Answered) -> Event {
    Event::Paged { incident, page, answered, key: None, account: None }
}

/// What a phone says. Of a private incident it says only that there is one. `None`: whom it is for, no pager can know.
fn call(incident: &Incident, number: u32, page: &Page) -> Option<Call> {
    let Party::Person(who) = page.who.clone() else { return None };
    let private = incident.private;
    Some(Call {
        incident: incident.id,
        page: number,
        who,
        title: if private { "a private incident".to_owned() } else { incident.title.clone() },
        severity: incident.severity(),
        service: incident.service.clone(),
        hidden: private,
        because: if private { "you are asked to come".to_owned() } else { page.because.clone() },
        link: incident.rooms.values().find_map(|room| room.link.clone()),
    })
}

/// A run nobody knows the end of.
fn lost(incident: IncidentId, request: u32, why: String) -> Done {
    let outcome = RunOutcome { ended: Ended::Unknown { why: why.clone() }, steps: Vec::new(), duration_ms: 0 };
    Done { progress: Progress::Unknown { why }, event: Some(Event::Ran { incident, request, outcome }) }
}

/// What could not be done, for a person.
pub(super) fn what(effect: &Effect) -> String {
    match effect {
        Effect::OpenRoom { platform, .. } => format!("open the room on {}", platform.label()),
        Effect::Card { platform, .. } => format!("bring the card on {} up to date", platform.label()),
        Effect::Say { platform, .. } | Effect::SayMissed { platform, .. } => format!("post on {}", platform.label()),
        Effect::Furnish { platform, .. } => format!("bring the room on {} up to date", platform.label()),
        Effect::CloseRoom { platform, .. } => format!("archive the room on {} that was left", platform.label()),
        Effect::Announce { platform, .. } => format!("announce it on {}", platform.label()),
        Effect::Tell { to, .. } => format!("write to somebody on {}", to.platform.label()),
        Effect::Recall { .. } => "ask memory".to_owned(),
        Effect::Remember { .. } => "remember what was learned".to_owned(),
        Effect::Forget { .. } => "have memory forget it".to_owned(),
        Effect::FileIssue { follow_up, .. } => format!("make an issue of follow-up F-{follow_up}"),
        Effect::MoveIssue { follow_up, .. } => format!("bring the issue of follow-up F-{follow_up} up to date"),
        Effect::Page { page, .. } => format!("send page {page}"),
        Effect::EndPage { page, .. } => format!("end page {page}"),
        Effect::Wake { .. } => "set a timer".to_owned(),
        Effect::Run { request, .. } => format!("run #{request}"),
        Effect::Verify { request, .. } => format!("verify run #{request}"),
    }
}
