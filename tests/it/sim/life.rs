//! One simulated life: the real engine, step by step, in a world that interrupts it anywhere; then peace, until nothing is left to do.

use super::dice::Dice;
use super::moment::{Task, step};
use super::outside::{Desk, Outside, Truth};
use super::planted::Fault;
use super::script::{Script, Step};
use super::strait::{Sky, Strait};
use crate::world::ledger::{Ledger, Posted, Standing};
use crate::world::town::{SOURCE, START, account, person, policy};
use crate::world::watch::Watch;
use smokejumper::engine::{Engine, Ports};
use smokejumper::flow::effect::{Destination, Effect};
use smokejumper::flow::escalation::read_key;
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::{Answered, Ended, Entry, Fact, Origin};
use smokejumper::flow::identity::{PersonId, Platform};
use smokejumper::flow::missed::Why;
use smokejumper::flow::moment::{MINUTE, SECOND};
use smokejumper::flow::policy::{Policy, Storm, Tracking};
use smokejumper::flow::rota::{Schedule, Shifts};
use smokejumper::ports::{Arrival, Chat, Clock, Door, Outgoing, Pager, StoreError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

/// Steps after which a life that has not come to rest never will.
const MAX_STEPS: usize = 40_000;
/// Rounds of waiting for timers after the script.
const MAX_WAITS: usize = 1_000;

/// What a task came to.
enum Came {
    Started(Result<Box<Engine>, StoreError>),
    Turned(Result<usize, StoreError>),
    Claimed(Result<Vec<Outgoing>, StoreError>),
    Looked(Result<usize, StoreError>),
    Carried(Result<(), StoreError>),
    Taken(Box<Arrival>, Result<(), StoreError>),
}

/// What a task is for: the engine does one turn, one claim and one start at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    Start,
    Turn,
    Claim,
    Look,
    Carry,
    Take,
}

pub struct Life {
    pub script: Script,
    pub ledger: Ledger,
    pub truth: Arc<Mutex<Truth>>,
    /// Everything that was handed in.
    pub handed: Vec<Arrival>,
    /// What happened, when somebody wants to read it.
    pub trace: Option<Vec<String>>,
    fault: Option<Fault>,
    dice: Dice,
    sky: Arc<Mutex<Sky>>,
    watch: Arc<Watch>,
    policy: Policy,
    engine: Option<Arc<Engine>>,
    tasks: Vec<(Job, Task<Came>)>,
    /// Handed in and not acknowledged: senders come again.
    owed: VecDeque<Arrival>,
    steps: usize,
    /// The engine looked for something to carry, and there was nothing.
    calm: bool,
    crashes: u32,
}

impl Life {
    pub fn new(seed: u64, fault: Option<Fault>, traced: bool) -> Self {
        let script = Script::of(seed);
        let weather = script.weather;
        let watch = Arc::new(Watch::at(START));
        let mut policy = policy();
        policy.storm = Storm { incidents: 3, window: 5 * MINUTE };
        if weather.slack {
            policy.platforms.push(Platform::Slack);
        }
        if weather.tracker {
            policy.tracking = Some(Tracking { repository: Some("acme/ops".to_owned()), ..Tracking::default() });
        }
        if weather.phones {
            let always = |who: &str| Shifts::Always(vec![PersonId(who.to_owned())]);
            let levels = vec![always("ben"), always("eva")];
            policy.rota = vec![Schedule { name: "primary".to_owned(), levels, ..Schedule::default() }];
            policy.escalation.phones = true;
            policy.escalation.again = 1;
        } else {
            // The lives of old seeds stay what they were.
            policy.nudges.every.clear();
            policy.nudges.closing_every = 0;
        }
        let truth = Truth {
            file: "good".to_owned(),
            members: ["ana", "ben", "eva"].map(|p| PersonId(p.to_owned())).into(),
            policies: vec![(0, policy.clone())],
            ..Truth::default()
        };
        let sky =
            Sky { dice: Dice::new(!seed), store: weather.store, vendor: weather.vendor, away: false, struck: (0, 0) };
        let clock: Arc<dyn Clock> = watch.clone();
        Self {
            script,
            ledger: Ledger::new(clock),
            truth: Arc::new(Mutex::new(truth)),
            handed: Vec::new(),
            trace: traced.then(Vec::new),
            fault,
            dice: Dice::new(seed.rotate_left(32)),
            sky: Arc::new(Mutex::new(sky)),
            watch,
            policy,
            engine: None,
            tasks: Vec::new(),
            owed: VecDeque::new(),
            steps: 0,
            calm: false,
            crashes: 0,
        }
    }

    /// Lives the script through, in its weather, and comes to rest.
    ///
    /// # Errors
    /// It never does.
    pub fn live(&mut self) -> Result<(), String> {
        let steps = std::mem::take(&mut self.script.steps);
        let crash = self.script.weather.crash;
        self.start();
        for next in &steps {
            self.happens(next);
            for _ in 0..self.dice.below(60) {
                self.work();
                if self.dice.chance(crash) {
                    self.crash();
                }
            }
        }
        self.script.steps = steps;
        {
            let mut sky = self.sky.lock().unwrap();
            (sky.store, sky.vendor, sky.away) = (0, 0, false);
        }
        if self.script.weather.restart {
            self.crash();
        }
        self.rest()
    }

    /// Works, and lets time pass, until there is nothing left to do.
    ///
    /// # Errors
    /// It never ends.
    pub fn rest(&mut self) -> Result<(), String> {
        let mut waits = 0;
        loop {
            if let Some(arrival) = self.owed.pop_front() {
                self.take(arrival);
            }
            let idle = self.idle();
            self.work();
            if self.steps > MAX_STEPS {
                return Err(format!("I8: not at rest after {MAX_STEPS} steps"));
            }
            if !idle || !self.owed.is_empty() {
                continue;
            }
            let backlog = self.ledger.backlog(self.watch.now());
            let Some(due) = backlog.next else {
                if self.calm && backlog.due == 0 {
                    return Ok(());
                }
                continue;
            };
            waits += 1;
            if waits > MAX_WAITS {
                return Err(format!("I8: not at rest after {MAX_WAITS} timers"));
            }
            self.watch.set(due);
        }
    }

    /// Nothing under way, nothing waiting, nothing due.
    fn idle(&self) -> bool {
        let backlog = || self.ledger.backlog(self.watch.now());
        self.tasks.is_empty() && self.engine.is_some() && backlog().waiting == 0 && backlog().due == 0
    }

    fn start(&mut self) {
        let strait = Arc::new(Strait::new(self.ledger.clone(), Arc::clone(&self.sky), self.fault));
        let outside = Outside::new(Arc::clone(&self.truth), Arc::clone(&self.sky), self.ledger.clone(), self.fault);
        let chats = self.policy.platforms.iter().map(|platform| {
            let desk: Arc<dyn Chat> = Arc::new(Desk { outside: outside.clone(), platform: *platform });
            (*platform, desk)
        });
        let ports = Ports {
            inbox: strait.clone(),
            journal: strait.clone(),
            outbox: strait.clone(),
            views: strait,
            chats: chats.collect::<BTreeMap<_, _>>(),
            memory: Arc::new(outside.clone()),
            runner: Arc::new(outside.clone()),
            tracker: Some(Arc::new(outside.clone())),
            pager: self.script.weather.phones.then(|| Arc::new(outside.clone()) as Arc<dyn Pager>),
            directory: Arc::new(outside),
            clock: self.watch.clone(),
        };
        let policy = self.policy.clone();
        let task = Box::pin(async move { Came::Started(Engine::start(ports, policy).await.map(Box::new)) });
        self.tasks.push((Job::Start, task));
    }

    /// The process ends, here and now; the next one starts.
    fn crash(&mut self) {
        self.note(|| "CRASH".to_owned());
        self.crashes += 1;
        self.tasks.clear();
        self.engine = None;
        for arrival in &self.handed {
            // Whoever got no answer comes again; who got one does so too, now and then.
            if !self.owed.contains(arrival) {
                self.owed.push_back(arrival.clone());
            }
        }
        self.owed.truncate(64);
        self.ledger = self.ledger.crash();
        self.start();
    }

    fn happens(&mut self, next: &Step) {
        self.note(|| format!("{next:?}"));
        match next {
            Step::Handed { source, key, event } => {
                let arrival = Arrival {
                    source: (*source).to_owned(),
                    key: key.clone(),
                    at: self.watch.now(),
                    event: event.clone(),
                };
                self.handed.push(arrival.clone());
                self.take(arrival);
            }
            Step::Clock(ms) => self.watch.set(self.watch.now().plus(*ms)),
            Step::File(content) => (*content).clone_into(&mut self.truth.lock().unwrap().file),
            Step::Pressed(nth) => {
                let key = self.truth.lock().unwrap().ringing().into_iter().rev().nth(*nth);
                let Some((key, (incident, page))) = key.and_then(|key| read_key(&key).map(|of| (key, of))) else {
                    return;
                };
                let answered = Answered::Acknowledged { by: "whoever it was".to_owned() };
                let arrival = Arrival {
                    source: "pager/pagerduty".to_owned(),
                    key: format!("pressed {key}"),
                    at: self.watch.now(),
                    event: Event::Paged { incident, page, answered, key: Some(key), account: None },
                };
                self.handed.push(arrival.clone());
                self.take(arrival);
            }
            Step::Away(away) => self.sky.lock().unwrap().away = *away,
            Step::Left(who) => {
                self.truth.lock().unwrap().members.remove(who);
            }
            Step::Revised(book) => {
                let name = crate::world::town::RUNBOOKS[*book].0;
                if let Some(book) = self.policy.runbooks.get_mut(name) {
                    book.revision.push('x');
                }
                self.new_policy();
            }
            Step::Linked { from, to } => {
                let (from, to) = (account(*from), person(&account(*to)));
                for p in &mut self.policy.people {
                    p.identities.retain(|i| *i != from);
                }
                if let Some(p) = self.policy.people.iter_mut().find(|p| Some(&p.id) == to.as_ref()) {
                    p.identities.push(from);
                }
                self.new_policy();
            }
        }
    }

    fn new_policy(&mut self) {
        let since = self.ledger.written();
        self.truth.lock().unwrap().policies.push((since, self.policy.clone()));
        if let Some(engine) = &self.engine {
            engine.set_policy(self.policy.clone());
        }
    }

    fn take(&mut self, arrival: Arrival) {
        let Some(engine) = self.engine.clone() else {
            self.owed.push_back(arrival);
            return;
        };
        let task = Box::pin(async move {
            let done = engine.take(vec![arrival.clone()]).await;
            Came::Taken(Box::new(arrival), done)
        });
        self.tasks.push((Job::Take, task));
    }

    /// One step of one task, after giving the engine something to do.
    fn work(&mut self) {
        self.steps += 1;
        let now = self.watch.now();
        self.watch.set(now.plus(self.dice.ms(0, SECOND / 4)));
        if let Some(engine) = &self.engine {
            if !self.has(Job::Turn) && self.dice.chance(self.script.weather.turns) {
                let engine = Arc::clone(engine);
                self.tasks.push((Job::Turn, Box::pin(async move { Came::Turned(engine.turns().await) })));
            } else if !self.has(Job::Look) && self.ledger.doubts(self.watch.now()) > 0 && self.dice.chance(300) {
                let engine = Arc::clone(engine);
                self.tasks.push((Job::Look, Box::pin(async move { Came::Looked(engine.reconcile().await) })));
            } else if !self.has(Job::Claim) && self.dice.chance(300) {
                let engine = Arc::clone(engine);
                self.tasks.push((Job::Claim, Box::pin(async move { Came::Claimed(engine.claim().await) })));
            }
        }
        if self.tasks.is_empty() {
            return;
        }
        let at = self.dice.below(self.tasks.len());
        let Some(came) = step(&mut self.tasks[at].1) else { return };
        drop(self.tasks.swap_remove(at));
        self.came(came);
    }

    fn has(&self, job: Job) -> bool {
        self.tasks.iter().any(|(j, _)| *j == job)
    }

    fn came(&mut self, came: Came) {
        match &came {
            Came::Claimed(Ok(rows)) if rows.is_empty() => self.calm = true,
            Came::Turned(Ok(0)) => {}
            _ => self.calm = false,
        }
        match came {
            Came::Started(Ok(engine)) => {
                self.note(|| "started".to_owned());
                engine.set_policy(self.policy.clone());
                self.engine = Some(Arc::from(engine));
            }
            Came::Started(Err(e)) => {
                self.note(|| format!("did not start: {e}"));
                self.start();
            }
            Came::Turned(done) => self.note(|| format!("turned {done:?}")),
            Came::Claimed(Ok(rows)) => {
                self.note(|| format!("claimed {:?}", rows.iter().map(|r| (r.id, &r.op)).collect::<Vec<_>>()));
                for row in rows {
                    let Some(engine) = self.engine.clone() else { continue };
                    self.tasks.push((Job::Carry, Box::pin(async move { Came::Carried(engine.carry(row).await) })));
                }
            }
            Came::Claimed(Err(e)) => self.note(|| format!("claimed nothing: {e}")),
            Came::Looked(done) => self.note(|| format!("looked {done:?}")),
            Came::Carried(done) => self.note(|| format!("carried {done:?}")),
            Came::Taken(arrival, done) => {
                self.note(|| format!("{} taken {done:?}", arrival.key));
                if done.is_err() {
                    self.owed.push_back(*arrival);
                }
            }
        }
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", self.watch.now().rfc3339(), what()));
        }
    }

    /// Every alert is delivered once more, by a peer that knows of no other.
    ///
    /// # Errors
    /// It never comes to rest.
    pub fn again(&mut self) -> Result<(), String> {
        let alerts: Vec<Arrival> = self.handed.iter().filter(|a| a.source == SOURCE).cloned().collect();
        for (n, mut arrival) in alerts.into_iter().enumerate() {
            arrival.key = format!("again-{n}");
            self.owed.push_back(arrival);
        }
        let asks: Vec<Arrival> =
            self.handed.iter().filter(|a| matches!(a.event, Event::Asked { .. })).cloned().collect();
        self.owed.extend(asks);
        self.rest()
    }

    /// What this life went through.
    pub fn seen(&self) -> BTreeSet<String> {
        let journal = self.ledger.journal();
        let mut seen: BTreeSet<String> = journal.iter().filter_map(|e| Some(e.fact.encode().ok()?.0)).collect();
        let unknown = |e: &Entry| matches!(&e.fact, Fact::RunFinished { outcome, .. } if matches!(outcome.ended, Ended::Unknown { .. }));
        let storm = |e: &Entry| matches!(&e.fact, Fact::Declared { origin: Origin::Storm, .. });
        let truth = self.truth.lock().unwrap();
        let sky = self.sky.lock().unwrap();
        let posted = self.ledger.posted();
        let found = |destination| {
            let is = |p: &&Posted| p.standing == Standing::Reconciled && p.effect.destination() == destination;
            posted.iter().any(|p| is(&p))
        };
        let missed = |p: &Posted| match &p.effect {
            Effect::SayMissed { missed, .. } => Some(missed.why),
            _ => None,
        };
        for (what, is_so) in [
            ("crash", self.crashes > 0),
            ("store struck", sky.struck.0 > 0),
            ("vendor struck", sky.struck.1 > 0),
            ("storm", journal.iter().any(storm)),
            ("process started", !truth.starts.is_empty()),
            ("outcome unknown", journal.iter().any(unknown)),
            ("issue found again", found(Destination::Tracker)),
            ("slack found again", found(Destination::Room(Platform::Slack))),
            ("caught up", posted.iter().any(|p| missed(p) == Some(Why::Away))),
            ("said late", posted.iter().any(|p| missed(p) == Some(Why::Late))),
            ("much at once", posted.iter().any(|p| missed(p) == Some(Why::Much))),
        ] {
            if is_so {
                seen.insert(what.to_owned());
            }
        }
        seen
    }
}
