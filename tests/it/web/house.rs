//! A house in memory: the real flow, a real console, and just enough storage to read back what was decided.

use crate::web::scene;
use async_trait::async_trait;
use smokejumper::edges::chat::console::{Changes, Console, changes};
use smokejumper::edges::web::{LoginDesk, Origins, Parts, Web, WebState, router};
use smokejumper::flow::decide::decide;
use smokejumper::flow::desk::{AlertState, Desk};
use smokejumper::flow::effect::Effect;
use smokejumper::flow::event::{Event, Fresh};
use smokejumper::flow::fact::{CheckResult, Ended, Entry, Output, RunOutcome, StepResult, Verdict};
use smokejumper::flow::identity::{Identity, Platform};
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::At;
use smokejumper::flow::policy::Policy;
use smokejumper::flow::recollection::{Lesson, PastIncident, Question, Recollection};
use smokejumper::flow::{State, answer};
use smokejumper::ports::{
    Arrival, Chat as _, Clock, DeadLetter, Door, Memory, Rules, Said, StoreError, Undelivered, Views,
};
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::reply::{Line, Reply};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

pub const PORT: u16 = 8080;
pub const HOST: &str = "127.0.0.1:8080";

pub struct House {
    pub policy: Arc<Policy>,
    pub clock: Arc<SetClock>,
    pub changes: Changes,
    pub logins: Arc<LoginDesk>,
    /// Storage does not answer while this is true.
    pub broken: AtomicBool,
    console: Console,
    rooms: Mutex<Rooms>,
}

#[derive(Default)]
pub struct Rooms {
    pub state: State,
    entries: BTreeMap<IncidentId, Vec<Entry>>,
    said: BTreeMap<IncidentId, Vec<Said>>,
    keys: BTreeSet<String>,
    /// Every ask that came through the door, repeated ones too.
    pub asked: Vec<(Identity, Ask, String)>,
}

pub struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> At {
        At(self.0.load(Ordering::Acquire))
    }
}

impl SetClock {
    pub fn at(&self, at: At) {
        self.0.store(at.0, Ordering::Release);
    }

    pub fn pass(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::AcqRel);
    }
}

impl House {
    pub fn new() -> Arc<Self> {
        let clock = Arc::new(SetClock(AtomicI64::new(scene::START.0)));
        let changes = changes();
        let console = Console::new(changes.clone(), "http://127.0.0.1:8080/");
        let logins = Arc::new(LoginDesk::new(clock.clone()));
        Arc::new(Self {
            policy: Arc::new(scene::policy()),
            clock,
            changes,
            logins,
            broken: AtomicBool::new(false),
            console,
            rooms: Mutex::default(),
        })
    }

    pub fn web(self: &Arc<Self>, origins: Origins) -> WebState {
        Web::new(Parts {
            door: self.clone(),
            views: self.clone(),
            memory: self.clone(),
            clock: self.clock.clone(),
            rules: Rules::new(self.policy.as_ref().clone()),
            logins: self.logins.clone(),
            changes: self.changes.clone(),
            origins,
            sign_in_hint: "Run smokejumper login to get one.".to_owned(),
        })
    }

    pub fn pages(self: &Arc<Self>) -> axum::Router {
        router(&self.web(Origins::loopback(PORT)))
    }

    pub fn rooms(&self) -> std::sync::MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap()
    }

    /// How many asks came through the door.
    pub fn asked(&self) -> usize {
        self.rooms().asked.len()
    }

    pub fn facts(&self, number: u32) -> Vec<Entry> {
        self.rooms().entries.get(&IncidentId(number)).cloned().unwrap_or_default()
    }

    /// Takes an event through the flow and does all that follows.
    pub async fn happen(&self, event: Event) -> Reply {
        let mut waiting = VecDeque::from([event]);
        let mut first = None;
        while let Some(event) = waiting.pop_front() {
            let (reply, effects) = self.turn(event, &mut waiting);
            first.get_or_insert(reply);
            for effect in effects {
                waiting.extend(self.carry_out(effect).await);
            }
        }
        first.flatten().unwrap_or_default()
    }

    fn turn(&self, event: Event, waiting: &mut VecDeque<Event>) -> (Option<Reply>, Vec<Effect>) {
        let mut rooms = self.rooms();
        let turn = match decide(&rooms.state, event, &self.policy, self.clock.now()) {
            Ok(turn) => turn,
            Err(refusal) => return (Some(refusal.to_reply()), Vec::new()),
        };
        rooms.state.apply(&turn);
        for entry in &turn.facts {
            rooms.entries.entry(entry.incident).or_default().push(entry.clone());
            let _ = self.changes.send(entry.incident);
        }
        if let Some(approved) = turn.go {
            let (incident, request) = (approved.incident(), approved.request());
            let output = Output { head: "deployment.apps/checkout restarted\n".to_owned(), ..Output::default() };
            let step = StepResult { code: Some(0), duration_ms: 8_400, output };
            let outcome = RunOutcome { ended: Ended::Succeeded, steps: vec![step], duration_ms: 8_400 };
            waiting.push_back(Event::Ran { incident, request, outcome });
        }
        (turn.reply, turn.effects)
    }

    async fn carry_out(&self, effect: Effect) -> Option<Event> {
        let incident = self.rooms().state.incidents.get(&effect.incident()).cloned()?;
        let room = incident.rooms.get(&Platform::Console).cloned();
        match effect {
            Effect::OpenRoom { incident: id, platform } => {
                let name = format!("inc-{}", id.0);
                let room = self.console.open_room("op", &incident, &name).await.unwrap();
                Some(Event::RoomOpened { incident: id, platform, room })
            }
            Effect::Say { incident: id, message, .. } => {
                let at = self.clock.now();
                let said = Said { op: format!("say-{}", at.0), at, message: *message };
                self.rooms().said.entry(id).or_default().push(said);
                self.console.say("op", &incident, &room?, &Reply::default()).await.unwrap();
                None
            }
            Effect::Card { .. } => {
                self.console.card("op", &incident, &room?, &Reply::default(), None).await.unwrap();
                None
            }
            Effect::Recall { incident: id } => {
                Some(Event::Recalled { incident: id, recollection: scene::recall(&incident) })
            }
            Effect::Run { incident: id, request } => {
                let approvers = self.policy.people.iter().map(|p| p.id.clone()).collect();
                let files = incident.runs.get(&request)?.plan.files.clone();
                Some(Event::Poised { incident: id, request, fresh: Fresh { approvers, files } })
            }
            Effect::Verify { incident: id, request } => {
                let what = "GET http://checkout.internal/healthz answers 200".to_owned();
                let checks = vec![CheckResult { what, passed: true, saw: "200".to_owned() }];
                let verdict = Verdict { passed: true, checks, after_ms: 12_000 };
                Some(Event::Verified { incident: id, request, verdict })
            }
            Effect::SayMissed { .. }
            | Effect::Furnish { .. }
            | Effect::CloseRoom { .. }
            | Effect::Announce { .. }
            | Effect::Tell { .. }
            | Effect::Remember { .. }
            | Effect::Wake { .. }
            | Effect::Forget { .. }
            | Effect::FileIssue { .. }
            | Effect::MoveIssue { .. }
            | Effect::Page { .. }
            | Effect::EndPage { .. } => None,
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.broken.load(Ordering::Acquire) { Err(StoreError::Unavailable("disk full".to_owned())) } else { Ok(()) }
    }
}

fn may_see(incident: &Incident, viewer: &Identity) -> bool {
    incident.admits(viewer)
}

#[async_trait]
impl Door for House {
    async fn take(&self, _arrivals: Vec<Arrival>) -> Result<(), StoreError> {
        unreachable!("the console hands no deliveries in")
    }

    async fn ask_noting(
        &self,
        by: Identity,
        ask: Ask,
        key: String,
        stored: Option<oneshot::Sender<()>>,
    ) -> Result<Reply, StoreError> {
        self.check()?;
        let _ = stored.map(|stored| stored.send(()));
        let known = {
            let mut rooms = self.rooms();
            rooms.asked.push((by.clone(), ask.clone(), key.clone()));
            ask.intent.is_act() && !rooms.keys.insert(key)
        };
        if known {
            return Ok(Reply::titled(Line::from("That is done already.")));
        }
        if ask.intent.is_act() {
            return Ok(self.happen(Event::Asked { by, ask }).await);
        }
        let now = self.clock.now();
        let open = self.list(&by, false, 50).await?;
        let rooms = self.rooms();
        let incident = ask.incident.and_then(|n| rooms.state.incidents.get(&IncidentId(n)));
        Ok(match (&ask.intent, incident) {
            (Intent::Why, Some(incident)) => answer::why(incident, &self.policy, now),
            (Intent::WhoToCall, Some(incident)) => answer::who(incident, &rooms.state.desk, &self.policy, now),
            (Intent::Similar, Some(incident)) => {
                answer::similar(&incident.suggestion.as_ref().map(|s| s.similar.clone()).unwrap_or_default())
            }
            (Intent::Runbooks, incident) => answer::runbooks(incident, &rooms.state.desk, &self.policy),
            _ => answer::list(&open, &[], false, now),
        })
    }

    async fn bury(&self, _letter: DeadLetter) -> Result<(), StoreError> {
        unreachable!("the console buries nothing")
    }
}

#[async_trait]
impl Views for House {
    async fn list(&self, viewer: &Identity, closed: bool, limit: u32) -> Result<Vec<Incident>, StoreError> {
        self.check()?;
        let rooms = self.rooms();
        let wanted = rooms.state.incidents.values().rev().filter(|i| i.is_open() != closed && may_see(i, viewer));
        Ok(wanted.take(limit as usize).cloned().collect())
    }

    async fn incident(&self, viewer: &Identity, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        self.check()?;
        Ok(self.rooms().state.incidents.get(&id).filter(|i| may_see(i, viewer)).cloned())
    }

    async fn entries(&self, _viewer: &Identity, id: IncidentId) -> Result<Vec<Entry>, StoreError> {
        self.check()?;
        Ok(self.facts(id.0))
    }

    async fn alerts(&self, _viewer: &Identity, id: IncidentId, limit: u32) -> Result<Vec<AlertState>, StoreError> {
        let rooms = self.rooms();
        let of_it = rooms.state.desk.alerts.values().filter(|a| a.incident == Some(id));
        Ok(of_it.take(limit as usize).cloned().collect())
    }

    async fn loose(&self, _viewer: &Identity, limit: u32) -> Result<Vec<AlertState>, StoreError> {
        let rooms = self.rooms();
        let loose = rooms.state.desk.alerts.values().filter(|a| a.incident.is_none());
        Ok(loose.take(limit as usize).cloned().collect())
    }

    async fn said(&self, _viewer: &Identity, id: IncidentId, _platform: Platform) -> Result<Vec<Said>, StoreError> {
        Ok(self.rooms().said.get(&id).cloned().unwrap_or_default())
    }

    async fn desk(&self) -> Result<Desk, StoreError> {
        Ok(self.rooms().state.desk.clone())
    }

    async fn incident_of_room(&self, platform: Platform, room: &str) -> Result<Option<IncidentId>, StoreError> {
        let rooms = self.rooms();
        let meant = |i: &&Incident| i.rooms.get(&platform).is_some_and(|own| own.id == room);
        Ok(rooms.state.incidents.values().find(meant).map(|i| i.id))
    }
}

#[async_trait]
impl Memory for House {
    async fn recall(&self, _question: Question) -> Result<Recollection, Undelivered> {
        unreachable!("the console asks nothing of the kind")
    }

    async fn remember(&self, _lesson: Lesson) -> Result<(), Undelivered> {
        unreachable!("the console teaches nothing")
    }

    async fn forget(&self, _case: &str) -> Result<(), Undelivered> {
        unreachable!("the console forgets nothing")
    }

    async fn search(&self, text: &str, limit: usize) -> Result<Vec<PastIncident>, Undelivered> {
        if text.contains("nothing") {
            return Ok(Vec::new());
        }
        Ok(scene::past().into_iter().take(limit).collect())
    }
}
