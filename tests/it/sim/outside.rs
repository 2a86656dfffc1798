//! The world as it really is: what platforms, memory and processes have seen. It outlives every crash of the bot, and judges.

use super::moment::pause;
use super::planted::Fault;
use super::strait::{Sky, Struck};
use crate::world::ledger::Ledger;
use crate::world::town::{succeeded, tool, verdict};
use async_trait::async_trait;
use smokejumper::flow::fact::{Ended, Entry, Fact, Issue, Room, RunOutcome, Verdict};
use smokejumper::flow::identity::{Actor, PersonId, Platform};
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::At;
use smokejumper::flow::plan::{FileDigest, Plan};
use smokejumper::flow::policy::Policy;
use smokejumper::flow::recollection::{Candidate, Lesson, PastIncident, Question, Recollection};
use smokejumper::flow::remediation::Approved;
use smokejumper::ports::{
    Call, Chat, Directory, Found, IssueDraft, IssueWanted, Memory, Pager, Runner, Sought, Tracker, Undelivered,
};
use smokejumper_intents::reply::Reply;
use smokejumper_intents::word::Right;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// Everything the outside knows. Lengths of the journal serve as dates.
#[derive(Default)]
pub struct Truth {
    /// Content of the one file that plans name.
    pub file: String,
    /// Who may approve now, and everything the directory answered so far.
    pub members: BTreeSet<PersonId>,
    pub answers: Vec<(usize, BTreeSet<PersonId>)>,
    /// Rules in force, and since when.
    pub policies: Vec<(usize, Policy)>,
    /// Processes started, by (incident, request).
    pub starts: BTreeMap<(IncidentId, u32), u32>,
    /// Rooms made, by the operation that made them.
    pub rooms: BTreeMap<(Platform, IncidentId), BTreeSet<String>>,
    /// Each as it was made.
    pub opened: BTreeMap<String, Room>,
    /// How often each operation posted, and in which room.
    pub posts: BTreeMap<(Platform, String), (u32, String)>,
    /// Cards that were made and not edited, in each room, by the operation that made them.
    pub roots: BTreeMap<(Platform, String), BTreeSet<String>>,
    /// How much of its incident the card shows.
    pub cards: BTreeMap<(Platform, IncidentId), u32>,
    pub lessons: BTreeMap<String, Lesson>,
    /// Issues in the order they were made: the follow-up, and the operation each bears. Nothing can be made there once only.
    pub issues: Vec<(IncidentId, u32, String)>,
    /// Issues that are closed there, by their number.
    pub closed: BTreeSet<u64>,
    /// How often a phone rang for each page, by its key, and whether it still does; in the order in which they rang.
    pub phones: Vec<(String, u32, bool)>,
    /// Calls refused for now, by operation.
    pub refused: BTreeMap<String, u32>,
    /// Calls that had their effect and whose answer was lost, by operation.
    pub lost: BTreeMap<String, u32>,
    /// Promises seen broken.
    pub broken: Vec<String>,
}

impl Truth {
    /// Keys of pages whose phones ring.
    pub fn ringing(&self) -> Vec<String> {
        self.phones.iter().filter(|(_, _, rings)| *rings).map(|(key, ..)| key.clone()).collect()
    }
}

/// One process's way to the outside.
#[derive(Clone)]
pub struct Outside {
    truth: Arc<Mutex<Truth>>,
    sky: Arc<Mutex<Sky>>,
    ledger: Ledger,
    fault: Option<Fault>,
}

/// One platform of it.
pub struct Desk {
    pub outside: Outside,
    pub platform: Platform,
}

impl Outside {
    pub fn new(truth: Arc<Mutex<Truth>>, sky: Arc<Mutex<Sky>>, ledger: Ledger, fault: Option<Fault>) -> Self {
        Self { truth, sky, ledger, fault }
    }

    fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap()
    }

    /// One call: `work` is the effect it has, once.
    async fn call<T>(&self, op: &str, work: impl FnOnce(&mut Truth) -> T + Send) -> Result<T, Undelivered> {
        self.call_or_never(op, 0, work).await
    }

    /// The same, at a vendor who refuses so many of the calls it has trouble with (per mille) for good.
    async fn call_or_never<T>(
        &self,
        op: &str,
        never: usize,
        work: impl FnOnce(&mut Truth) -> T + Send,
    ) -> Result<T, Undelivered> {
        pause().await;
        let (fate, spoken) = {
            let mut sky = self.sky.lock().unwrap();
            let per_mille = sky.vendor;
            let fate = sky.strike(per_mille);
            sky.struck.1 += u32::from(fate.is_some());
            (fate, (sky.dice.chance(500), sky.dice.chance(never)))
        };
        let why = || "the simulated vendor has a bad day".to_owned();
        if fate == Some(Struck::Before) {
            *self.truth().refused.entry(op.to_owned()).or_default() += 1;
            // Not reached, or answered nothing: only the vendor knows that there was no effect.
            return Err(match spoken {
                (_, true) => Undelivered::Never { why: why() },
                (true, _) => Undelivered::NotYet { why: why(), after_ms: None },
                (false, _) => Undelivered::Unknown { why: why() },
            });
        }
        let done = work(&mut self.truth());
        pause().await;
        if fate == Some(Struck::After) {
            *self.truth().lost.entry(op.to_owned()).or_default() += 1;
            return Err(Undelivered::Unknown { why: why() });
        }
        Ok(done)
    }
}

impl Desk {
    /// Whether it can be reached at all.
    async fn reach(&self, op: &str) -> Result<(), Undelivered> {
        let slow = {
            let mut sky = self.outside.sky.lock().unwrap();
            if self.platform == Platform::Console || !sky.away {
                return Ok(());
            }
            sky.dice.chance(100)
        };
        pause().await;
        *self.outside.truth().refused.entry(op.to_owned()).or_default() += 1;
        let why = "simulated Slack is away".to_owned();
        Err(if slow { Undelivered::Unknown { why } } else { Undelivered::NotYet { why, after_ms: None } })
    }
}

#[async_trait]
impl Chat for Desk {
    fn platform(&self) -> Platform {
        self.platform
    }

    async fn open_room(&self, op: &str, incident: &Incident, name: &str) -> Result<Room, Undelivered> {
        self.reach(op).await?;
        let place = (self.platform, incident.id);
        let (private, name, op) = (incident.private, name.to_owned(), op.to_owned());
        let again = self.platform == Platform::Console;
        let open = |truth: &mut Truth| {
            let ops = truth.rooms.entry(place).or_default();
            if !ops.insert(op.clone()) && !again {
                truth.broken.push(format!("I7: {op} opened its room on slack twice"));
            }
            // One in the place of another is another.
            let nth = if ops.len() > 1 && !again { format!("-{}", ops.len()) } else { String::new() };
            let id = format!("room-{}{}{nth}", place.1.0, if private { "-private" } else { "" });
            let room = Room { id, name, link: None, private };
            truth.opened.insert(op.clone(), room.clone());
            room
        };
        self.outside.call(&op.clone(), open).await
    }

    async fn card(
        &self,
        op: &str,
        incident: &Incident,
        room: &Room,
        _: &Reply,
        posted: Option<&str>,
    ) -> Result<Option<String>, Undelivered> {
        self.reach(op).await?;
        let (place, entries) = ((self.platform, incident.id), incident.entries);
        let (made, room) = (op.to_owned(), (self.platform, room.id.clone()));
        let known = posted.is_some();
        self.outside
            .call_or_never(op, 100, |truth| {
                // What cannot be edited in this room is made anew.
                let cards = truth.roots.entry(room).or_default();
                let anew = place.0 != Platform::Console && (!known || cards.is_empty());
                if anew && !cards.insert(made) {
                    truth.broken.push(format!("I7: {op} posted its card twice"));
                }
                let shown = truth.cards.entry(place).or_default();
                if *shown > entries {
                    truth.broken.push(format!("the card of {} went back from entry {shown} to {entries}", place.1));
                }
                *shown = entries;
            })
            .await?;
        Ok(Some(format!("card-{}", incident.id.0)))
    }

    async fn find(
        &self,
        op: &str,
        incident: &Incident,
        sought: Sought<'_>,
        _: At,
    ) -> Result<Option<Found>, Undelivered> {
        if self.outside.fault == Some(Fault::LooksAway) {
            return Ok(None);
        }
        self.reach("find").await?;
        let key = (self.platform, op.to_owned());
        let card = Found::Message(format!("card-{}", incident.id.0));
        let found = |truth: &mut Truth| match sought {
            Sought::Room { .. } => truth.opened.get(op).cloned().map(Found::Room),
            Sought::Message { room }
                if truth.roots.get(&(key.0, room.id.clone())).is_some_and(|ops| ops.contains(op)) =>
            {
                Some(card)
            }
            _ => truth.posts.contains_key(&key).then(|| Found::Message("post".to_owned())),
        };
        self.outside.call("find", found).await
    }

    async fn say(&self, op: &str, _: &Incident, room: &Room, _: &Reply) -> Result<Option<String>, Undelivered> {
        self.reach(op).await?;
        let (key, room) = ((self.platform, op.to_owned()), room.id.clone());
        let again = self.platform == Platform::Console;
        self.outside
            .call_or_never(op, 100, |truth| {
                let (count, last) = truth.posts.entry(key).or_default();
                if *last != room {
                    // What was said in a room that is gone may be said again in the one in its place.
                    (*count, *last) = (0, room);
                }
                // The console keeps one post per operation, as its contract says; Slack does not.
                *count = if again { 1 } else { *count + 1 };
            })
            .await?;
        Ok(None)
    }
}

#[async_trait]
impl Memory for Outside {
    async fn recall(&self, question: Question) -> Result<Recollection, Undelivered> {
        self.call("recall", |truth| {
            let lesson = truth.lessons.values().find(|l| l.case != question.case && l.cause.is_some());
            let Some(lesson) = lesson else { return Recollection::default() };
            let past = PastIncident {
                case: lesson.case.clone(),
                title: lesson.title.clone(),
                opened_at: lesson.opened_at,
                cause: lesson.cause.clone(),
                resolution: None,
                responders: Vec::new(),
                url: None,
                similarity: 0.5,
                shared: Vec::new(),
                snippet: String::new(),
            };
            let evidence = vec![(lesson.case.clone(), 1.0)];
            let value = lesson.cause.clone().unwrap_or_default();
            let causes = vec![Candidate { value, p: 0.75, features: Vec::new(), evidence }];
            Recollection { similar: vec![past], causes, seen: 1, of: 1, ..Recollection::default() }
        })
        .await
    }

    async fn remember(&self, lesson: Lesson) -> Result<(), Undelivered> {
        self.call("remember", |truth| drop(truth.lessons.insert(lesson.case.clone(), lesson))).await
    }

    async fn forget(&self, case: &str) -> Result<(), Undelivered> {
        self.call("forget", |truth| drop(truth.lessons.remove(case))).await
    }

    async fn search(&self, _: &str, _: usize) -> Result<Vec<PastIncident>, Undelivered> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Pager for Outside {
    async fn page(&self, op: &str, _: &Call) -> Result<String, Undelivered> {
        let key = op.to_owned();
        self.call_or_never(op, 100, |truth| match truth.phones.iter_mut().find(|(known, ..)| *known == key) {
            // It rings already: one key, one alarm.
            Some((.., true)) => {}
            Some((_, times, rings)) => {
                *times += 1;
                *rings = true;
            }
            None => truth.phones.push((key, 1, true)),
        })
        .await?;
        Ok("the simulated pager".to_owned())
    }

    async fn end(&self, op: &str, _: &Call) -> Result<(), Undelivered> {
        self.call(op, |truth| {
            if let Some((.., rings)) = truth.phones.iter_mut().find(|(known, ..)| known == op) {
                *rings = false;
            }
        })
        .await
    }
}

#[async_trait]
impl Tracker for Outside {
    async fn file(&self, op: &str, draft: &IssueDraft) -> Result<(Issue, Vec<String>), Undelivered> {
        let made = (draft.incident, draft.follow_up, op.to_owned());
        let number = self
            .call_or_never(op, 100, |truth| {
                truth.issues.push(made);
                truth.issues.len()
            })
            .await?;
        Ok((issue(number), Vec::new()))
    }

    async fn find(&self, op: &str, _: &IssueDraft, _: At) -> Result<Option<(Issue, Vec<String>)>, Undelivered> {
        if self.fault == Some(Fault::LooksAway) {
            return Ok(None);
        }
        let found = self.call("find", |truth| truth.issues.iter().position(|(_, _, own)| own == op)).await?;
        Ok(found.map(|at| (issue(at + 1), Vec::new())))
    }

    async fn bring(&self, issue: &Issue, wanted: &IssueWanted) -> Result<Vec<String>, Undelivered> {
        let (number, closed) = (issue.number, wanted.closed);
        self.call("bring", |truth| if closed { truth.closed.insert(number) } else { truth.closed.remove(&number) })
            .await?;
        Ok(Vec::new())
    }
}

fn issue(number: usize) -> Issue {
    let url = format!("https://github.com/acme/ops/issues/{number}");
    Issue { repository: "acme/ops".to_owned(), number: number as u64, url }
}

#[async_trait]
impl Directory for Outside {
    async fn approvers(&self) -> Result<BTreeSet<PersonId>, Undelivered> {
        let now = self.ledger.written();
        if self.fault == Some(Fault::TrustsOldMembership) {
            let mut truth = self.truth();
            let members = truth.members.clone();
            truth.answers.push((now, members));
            return Ok(["ana", "ben", "eva"].map(|p| PersonId(p.to_owned())).into());
        }
        self.call("directory", |truth| {
            truth.answers.push((now, truth.members.clone()));
            truth.members.clone()
        })
        .await
    }
}

#[async_trait]
impl Runner for Outside {
    async fn freshen(&self, plan: &Plan) -> Vec<FileDigest> {
        pause().await;
        if self.fault == Some(Fault::TrustsOldFiles) {
            return plan.files.clone();
        }
        tool(&self.truth().file)
    }

    async fn run(&self, approved: Approved) -> RunOutcome {
        pause().await;
        // Executed from the open file that was digested, so a change since shows here.
        let why = "the file changed".to_owned();
        if self.fault.is_none() && approved.plan().files != tool(&self.truth().file) {
            return RunOutcome { ended: Ended::NotStarted { why }, ..succeeded() };
        }
        self.begin(&approved);
        pause().await;
        pause().await;
        let ended = match self.sky.lock().unwrap().dice.below(6) {
            0 => Ended::Failed { step: 1, why: "exit code 1".to_owned() },
            1 => Ended::TimedOut { step: 1 },
            _ => Ended::Succeeded,
        };
        RunOutcome { ended, ..succeeded() }
    }

    async fn verify(&self, _: &Plan) -> Verdict {
        pause().await;
        verdict(self.sky.lock().unwrap().dice.chance(600))
    }
}

impl Outside {
    /// A process starts: was it allowed to? I15, I16, I17, I18, judged from what is stored and what is true outside.
    fn begin(&self, approved: &Approved) {
        let journal = self.ledger.journal();
        let mut truth = self.truth();
        let (id, request) = (approved.incident(), approved.request());
        let run = format!("{id} run #{request}");
        let count = truth.starts.entry((id, request)).or_default();
        *count += 1;
        let mut broken = Vec::new();
        if *count > 1 {
            broken.push(format!("I18: {run} started {count} times"));
        }
        let story: Vec<(usize, &Entry)> = journal.iter().enumerate().filter(|(_, e)| e.incident == id).collect();
        if !story.iter().any(|(_, e)| e.fact == Fact::RunStarted { request }) {
            broken.push(format!("I18: {run} started before that was stored"));
        }
        let asked = story.iter().find_map(|(_, e)| match &e.fact {
            Fact::RunRequested { request: r, plan, sha256, needs, expires_at } if *r == request => {
                Some((e, plan, sha256, *needs, *expires_at))
            }
            _ => None,
        });
        match asked {
            None => broken.push(format!("I15: {run} was never asked for")),
            Some((entry, plan, sha256, needs, expires_at)) => {
                if approved.sha256() != sha256 || approved.plan().sha256() != *sha256 || approved.plan() != plan {
                    broken.push(format!("I15: {run} is not the plan that was shown"));
                }
                if plan.files != tool(&truth.file) {
                    broken.push(format!("I15: {run} has another file than was approved"));
                }
                let approvals: Vec<_> = story
                    .iter()
                    .filter_map(|(at, e)| match &e.fact {
                        Fact::RunApproved { request: r, by } if *r == request => Some((*at, by)),
                        _ => None,
                    })
                    .collect();
                let since = approvals.last().map_or(0, |(at, _)| *at);
                let eyes = |policy: &Policy, members: &BTreeSet<PersonId>| {
                    let requester = match &entry.by {
                        Actor::Account(i) => policy.person(i).map(|p| &p.id),
                        _ => None,
                    };
                    let linked = approvals.iter().filter_map(|(_, i)| policy.person(i));
                    let able = linked.filter(|p| p.right >= Right::Approver && members.contains(&p.id));
                    let people: BTreeSet<_> = able.map(|p| &p.id).filter(|p| Some(*p) != requester).collect();
                    people.len() >= usize::from(needs)
                        && policy.runbooks.get(&plan.runbook).is_some_and(|b| b.revision == plan.revision)
                };
                let nobody = BTreeSet::new();
                let answers: Vec<&BTreeSet<PersonId>> =
                    truth.answers.iter().filter(|(at, _)| *at > since).map(|(_, a)| a).chain([&nobody]).collect();
                // Those in force when the last approval was stored, or later.
                let rules = truth
                    .policies
                    .iter()
                    .enumerate()
                    .filter(|(n, _)| truth.policies.get(n + 1).is_none_or(|(until, _)| *until > since));
                if !rules.map(|(_, (_, p))| p).any(|p| answers.iter().any(|a| eyes(p, a))) {
                    broken.push(format!("I16: {run} started without enough eyes, or with another revision"));
                }
                let started = story.iter().find(|(_, e)| e.fact == Fact::RunStarted { request });
                if started.is_some_and(|(_, e)| e.at >= expires_at) {
                    broken.push(format!("I17: {run} started after its time"));
                }
            }
        }
        truth.broken.append(&mut broken);
    }
}
