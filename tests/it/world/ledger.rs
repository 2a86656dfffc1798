//! Storage in memory, with the contract of the real one, for the simulator: deterministic, immediate, and able to fail.
//!
//! What a call stored is durable when it returns; [`Ledger::crash`] gives what the next process finds. A handle from before
//! the crash is fenced. [`Ledger::fail_at`] lets the k-th call fail before or after it took effect.

use async_trait::async_trait;
use smokejumper::flow::State;
use smokejumper::flow::desk::{AlertState, Desk};
use smokejumper::flow::effect::{CHATTER, Destination, Effect};
use smokejumper::flow::fact::{Entry, Fact};
use smokejumper::flow::identity::{Identity, Platform};
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::{At, SECOND};
use smokejumper::flow::privacy::{veil, veil_entry};
use smokejumper::flow::signal::{AlertKey, AlertStatus};
use smokejumper::ports::{
    Accepted, Arrival, Clock, Commit, DeadLetter, Inbox, Journal, MAX_SAID, Outbox, Outgoing, Progress, Said, Shares,
    StoreError, Views, Waiting,
};
use smokejumper_intents::reply::Reply;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// One process's handle on the ledger.
#[derive(Clone)]
pub struct Ledger {
    books: Arc<Mutex<Books>>,
    clock: Arc<dyn Clock>,
    epoch: u64,
}

/// As the real one has it.
const OVERTAKEN_FOR: i64 = 10 * SECOND;

/// When a failing call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Nothing happened.
    Before,
    /// It happened, and nobody was told.
    After,
}

/// Where an outbox row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Pending,
    Sending,
    Unknown,
    Sent,
    Reconciled,
    Superseded,
    Dead,
}

/// An outbox row, for a checker.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    pub id: i64,
    pub op: String,
    pub effect: Effect,
    pub standing: Standing,
    pub priority: i64,
    pub attempts: u32,
    pub due: At,
    pub queued_at: At,
    pub settled_at: Option<At>,
    pub remote: Option<String>,
    pub said: Option<Reply>,
    pub why: Option<String>,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Events whose turn has not come.
    pub waiting: usize,
    /// Rows a claim or a look would give out now.
    pub due: usize,
    /// When the next row is due, or to be looked for, that is not due now.
    pub next: Option<At>,
}

#[derive(Default)]
struct Books {
    epoch: u64,
    /// Nobody knows whose it is.
    lease_over: bool,
    /// Calls so far, and the one that is to fail.
    calls: u64,
    failing: Option<(u64, When)>,
    inbox: BTreeMap<i64, (Arrival, bool)>,
    waiting: BTreeSet<i64>,
    keys: BTreeMap<(String, String), i64>,
    letters: Vec<DeadLetter>,
    journal: Vec<Entry>,
    /// Places of an incident's entries in the journal.
    pages: BTreeMap<IncidentId, Vec<usize>>,
    alerts: BTreeMap<AlertKey, AlertState>,
    desk: Desk,
    snapshots: BTreeMap<IncidentId, Incident>,
    rooms: BTreeMap<(Platform, String), IncidentId>,
    outbox: BTreeMap<i64, Posted>,
    live: BTreeSet<i64>,
    ops: BTreeSet<String>,
    /// Operations of runs that were started, which outlive even a restored copy.
    started: BTreeSet<String>,
}

impl Ledger {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { books: Arc::default(), clock, epoch: 0 }.crash()
    }

    /// The process is gone; this is what the next one finds.
    pub fn crash(&self) -> Self {
        let mut books = self.books.lock().unwrap();
        books.epoch += 1;
        books.failing = None;
        for id in books.live.clone() {
            let row = books.outbox.get_mut(&id).unwrap();
            if row.standing == Standing::Sending {
                row.standing = Standing::Unknown;
                row.why = Some("the process ended while it was being sent".to_owned());
            }
        }
        Self { books: Arc::clone(&self.books), clock: Arc::clone(&self.clock), epoch: books.epoch }
    }

    /// Lets the `k`-th call from now (from 1) fail.
    pub fn fail_at(&self, k: u64, when: When) {
        let mut books = self.books.lock().unwrap();
        books.failing = Some((books.calls + k, when));
    }

    /// The lease runs out, as far as the process can tell; or is renewed.
    pub fn lease_is_over(&self, over: bool) {
        self.books.lock().unwrap().lease_over = over;
    }

    /// Calls of all handles so far.
    pub fn calls(&self) -> u64 {
        self.books.lock().unwrap().calls
    }

    /// What there is to do at `now`, without a call.
    pub fn backlog(&self, now: At) -> Backlog {
        let books = self.books.lock().unwrap();
        let (free, doubtful) = (books.free(Some(now)), books.doubtful());
        let dues = || free.iter().chain(&doubtful).map(|row| row.due);
        Backlog {
            waiting: books.waiting.len(),
            due: dues().filter(|due| *due <= now).count(),
            next: dues().filter(|due| *due > now).min(),
        }
    }

    /// Rows that may be looked for now, without a call.
    pub fn doubts(&self, now: At) -> usize {
        self.books.lock().unwrap().doubtful().iter().filter(|row| row.due <= now).count()
    }

    /// Entries written so far.
    pub fn written(&self) -> usize {
        self.books.lock().unwrap().journal.len()
    }

    /// Every entry, in the order of the journal.
    pub fn journal(&self) -> Vec<Entry> {
        self.books.lock().unwrap().journal.clone()
    }

    /// Every outbox row, in the order of queueing.
    pub fn posted(&self) -> Vec<Posted> {
        self.books.lock().unwrap().outbox.values().cloned().collect()
    }

    /// Every delivery that was ever accepted, and whether its turn has come.
    pub fn accepted(&self) -> Vec<(Arrival, bool)> {
        self.books.lock().unwrap().inbox.values().cloned().collect()
    }

    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.books.lock().unwrap().letters.clone()
    }

    /// One call: counted, fenced, and failed when its turn to fail has come.
    fn call<T>(&self, work: impl FnOnce(&mut Books, At) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut books: MutexGuard<'_, Books> = self.books.lock().unwrap();
        books.calls += 1;
        if books.epoch != self.epoch {
            return Err(StoreError::Unusable("another process took this ledger over".to_owned()));
        }
        let failing = books.failing.filter(|(k, _)| *k == books.calls).map(|(_, when)| when);
        let failed = || Err(StoreError::Unavailable("planned to fail here".to_owned()));
        match failing {
            Some(When::Before) => failed(),
            Some(When::After) => work(&mut books, self.clock.now()).and_then(|_| failed()),
            None => work(&mut books, self.clock.now()),
        }
    }
}

impl Books {
    fn accept(&mut self, arrival: Arrival) -> Accepted {
        let key = (arrival.source.clone(), arrival.key.clone());
        if let Some(id) = self.keys.get(&key) {
            return Accepted::Known(*id);
        }
        let id = i64::try_from(self.inbox.len()).unwrap() + 1;
        self.keys.insert(key, id);
        self.inbox.insert(id, (arrival, false));
        self.waiting.insert(id);
        Accepted::New(id)
    }

    /// Would `commits` be accepted, one after the other? Changes nothing, so that all or none of them happen.
    fn check(&self, commits: &[Commit]) -> Result<(), StoreError> {
        let conflict = |what: String| Err(StoreError::Conflict(what));
        let (mut ends, mut processed) = (BTreeMap::new(), BTreeSet::new());
        let (mut ops, mut standings) = (BTreeSet::new(), BTreeMap::new());
        let mut version = self.desk.version;
        for commit in commits {
            if let Some(id) = commit.processed
                && !(self.waiting.contains(&id) && processed.insert(id))
            {
                return conflict(format!("inbox row {id} was processed already, or never was there"));
            }
            for entry in &commit.entries {
                let end =
                    ends.entry(entry.incident).or_insert_with(|| self.pages.get(&entry.incident).map_or(0, Vec::len));
                if entry.n as usize != *end + 1 {
                    return conflict(format!("{} has {end} entries, so {} is not the next", entry.incident, entry.n));
                }
                *end += 1;
            }
            for (id, progress) in &commit.outbox {
                let standing = standings.get(id).copied();
                standings.insert(*id, self.step(*id, standing, progress)?);
            }
            for (op, _) in &commit.effects {
                if self.ops.contains(op) || !ops.insert(op) {
                    return conflict(format!("operation {op} is there already"));
                }
            }
            if let Some(desk) = &commit.desk {
                if desk.version != version + 1 {
                    return conflict(format!("the desk is at version {version}"));
                }
                version += 1;
            }
        }
        Ok(())
    }

    /// Where a row stands after `progress`. `now`: where it stands, when that is not what is stored.
    fn step(&self, id: i64, now: Option<Standing>, progress: &Progress) -> Result<Standing, StoreError> {
        let conflict = |what: String| Err(StoreError::Conflict(what));
        let Some(row) = self.outbox.get(&id) else { return conflict(format!("there is no outbox row {id}")) };
        let standing = now.unwrap_or(row.standing);
        if standing > Standing::Unknown {
            return conflict(format!("outbox row {id} is {standing:?} already"));
        }
        match progress {
            Progress::Sending if !row.effect.is_run() || standing != Standing::Pending => {
                conflict(format!("outbox row {id} is {standing:?} and cannot be started"))
            }
            Progress::Sending if self.started.contains(&row.op) => conflict(format!("{} was started before", row.op)),
            Progress::Again { .. } if row.effect.is_run() && standing != Standing::Pending => {
                conflict(format!("run {id} may have begun; it is never begun again"))
            }
            Progress::Sending => Ok(Standing::Sending),
            Progress::Again { .. } => Ok(Standing::Pending),
            Progress::Sent { .. } if standing == Standing::Unknown => Ok(Standing::Reconciled),
            Progress::Sent { .. } => Ok(Standing::Sent),
            Progress::Look { .. } if row.effect.is_run() => conflict(format!("run {id} is looked for by people only")),
            Progress::Unknown { .. } | Progress::Look { .. } => Ok(Standing::Unknown),
            Progress::Superseded { .. } => Ok(Standing::Superseded),
            Progress::Dead { .. } => Ok(Standing::Dead),
        }
    }

    fn progress(&mut self, id: i64, progress: Progress, now: At) -> Result<(), StoreError> {
        let standing = self.step(id, None, &progress)?;
        let row = self.outbox.get_mut(&id).unwrap();
        row.standing = standing;
        match progress {
            Progress::Sending => {
                row.attempts += 1;
                self.started.insert(row.op.clone());
            }
            Progress::Again { at, why } => {
                row.due = at;
                row.why = Some(why);
            }
            Progress::Sent { remote, said } => {
                (row.remote, row.said, row.settled_at, row.why) = (remote, said, Some(now), None);
            }
            Progress::Look { at, why } => {
                (row.due, row.settled_at, row.why) = (at, Some(now), Some(why));
            }
            Progress::Unknown { why } => {
                (row.due, row.settled_at, row.why) = (At(i64::MAX), Some(now), Some(why));
            }
            Progress::Superseded { why } | Progress::Dead { why } => {
                (row.settled_at, row.why) = (Some(now), Some(why));
            }
        }
        if standing > Standing::Unknown {
            self.live.remove(&id);
        }
        Ok(())
    }

    fn queue(&mut self, op: String, effect: Effect, now: At) {
        let lane = (effect.incident(), effect.destination());
        let mut due = effect.due().unwrap_or(now);
        if let Some(key) = effect.supersedes() {
            for id in self.live.clone() {
                let row = self.outbox.get_mut(&id).unwrap();
                let same = (row.effect.incident(), row.effect.destination()) == lane;
                if same && row.standing == Standing::Pending && row.effect.supersedes().as_ref() == Some(&key) {
                    if row.attempts > 0 && effect.due().is_none() {
                        due = due.max(row.due);
                    }
                    row.standing = Standing::Superseded;
                    (row.settled_at, row.why) = (Some(now), Some("a newer one took its place".to_owned()));
                    self.live.remove(&id);
                }
            }
        }
        let old = now.plus(-OVERTAKEN_FOR);
        let overtaken = |id: &i64| {
            let row = &self.outbox[id];
            let waits = row.standing == Standing::Pending && row.priority == CHATTER && row.queued_at <= old;
            waits && (row.effect.incident(), row.effect.destination()) == lane
        };
        let is_card = matches!(effect, Effect::Card { .. });
        let priority = if is_card && self.live.iter().any(overtaken) { CHATTER } else { effect.priority() };
        let id = i64::try_from(self.outbox.len()).unwrap() + 1;
        self.ops.insert(op.clone());
        self.live.insert(id);
        let row = Posted {
            id,
            op,
            effect,
            standing: Standing::Pending,
            priority,
            attempts: 0,
            due,
            queued_at: now,
            settled_at: None,
            remote: None,
            said: None,
            why: None,
        };
        self.outbox.insert(id, row);
    }

    /// Pending rows of which nothing in their lane goes before them, at `now` or when they are due.
    fn free(&self, now: Option<At>) -> Vec<&Posted> {
        let mut lanes = BTreeMap::<_, Vec<&Posted>>::new();
        let mut free = Vec::new();
        for row in self.live.iter().map(|id| &self.outbox[id]) {
            match row.effect.destination() {
                Destination::Clock if row.standing == Standing::Pending => free.push(row),
                destination => lanes.entry((row.effect.incident(), destination)).or_default().push(row),
            }
        }
        for rows in lanes.into_values() {
            let holds = |row: &&Posted| match row.standing {
                Standing::Sending => true,
                Standing::Unknown => !row.effect.is_run(),
                _ => false,
            };
            if rows.iter().any(holds) {
                continue;
            }
            let pending = || rows.iter().copied().filter(|row| row.standing == Standing::Pending);
            free.extend(pending().filter(|row| {
                let at = now.unwrap_or(row.due);
                !pending().any(|before| {
                    let holds = before.due <= at || before.priority == row.priority || before.priority < 2;
                    (before.priority, before.id) < (row.priority, row.id) && holds
                })
            }));
        }
        free.sort_by_key(|row| row.id);
        free
    }

    /// Takes due rows for sending; with `urgent` pages, then timers, and nothing else.
    fn claim(&mut self, now: At, limit: usize, shares: &mut Shares, urgent: bool) -> Vec<Outgoing> {
        let rank = |row: &&Posted| match row.effect.destination() {
            Destination::Pager { .. } => Some(0),
            Destination::Clock => Some(1),
            _ => None,
        };
        let mut free: Vec<_> = self.free(Some(now)).into_iter().filter(|row| row.due <= now).collect();
        free.retain(|row| rank(row).is_some() == urgent);
        free.sort_by_key(|row| (rank(row), if urgent { 0 } else { row.priority }, row.id));
        let mut has_share = |row: &&Posted| match row.effect.destination().platform().and_then(|p| shares.get_mut(&p)) {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        };
        let claimed: Vec<_> = free.into_iter().filter(|row| has_share(row)).take(limit).map(Posted::outgoing).collect();
        for outgoing in claimed.iter().filter(|outgoing| !outgoing.effect.is_run()) {
            let row = self.outbox.get_mut(&outgoing.id).unwrap();
            row.standing = Standing::Sending;
            row.attempts += 1;
        }
        claimed
    }

    /// Rows that are to be looked for, some time.
    fn doubtful(&self) -> Vec<&Posted> {
        let rows = self.live.iter().map(|id| &self.outbox[id]);
        rows.filter(|row| row.standing == Standing::Unknown && !row.effect.is_run() && row.due < At(i64::MAX)).collect()
    }

    fn entries(&self, id: IncidentId) -> Vec<Entry> {
        self.pages.get(&id).map_or_else(Vec::new, |pages| pages.iter().map(|i| self.journal[*i].clone()).collect())
    }

    fn load(&self, id: IncidentId) -> Option<Incident> {
        if id == IncidentId::HOUSE {
            return None;
        }
        let written = self.pages.get(&id).map_or(0, Vec::len);
        match self.snapshots.get(&id) {
            Some(snapshot) if written == 0 || snapshot.entries as usize == written => Some(snapshot.clone()),
            None if written == 0 => None,
            _ => Some(Incident::fold(id, &self.entries(id))),
        }
    }

    fn shown(&self, id: IncidentId) -> Vec<Entry> {
        let mut entries = self.entries(id);
        for entry in &mut entries {
            veil_entry(entry, &self.desk.private);
        }
        entries
    }

    fn seen(&self, viewer: &Identity, id: IncidentId) -> Option<Incident> {
        let mut incident = self.load(id).filter(|incident| incident.admits(viewer))?;
        veil(&mut incident, &self.desk.private);
        Some(incident)
    }
}

#[async_trait]
impl Inbox for Ledger {
    async fn accept(&self, arrivals: Vec<Arrival>) -> Result<Vec<Accepted>, StoreError> {
        self.call(|books, _| Ok(arrivals.into_iter().map(|arrival| books.accept(arrival)).collect()))
    }

    async fn waiting(&self, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        self.call(|books, _| {
            let ids = books.waiting.iter().take(limit as usize);
            Ok(ids.map(|id| Waiting { id: *id, arrival: books.inbox[id].0.clone() }).collect())
        })
    }

    async fn bury(&self, letter: DeadLetter) -> Result<(), StoreError> {
        self.call(|books, _| {
            books.letters.push(letter);
            Ok(())
        })
    }
}

#[async_trait]
impl Journal for Ledger {
    async fn commit(&self, commits: Vec<Commit>) -> Result<(), StoreError> {
        self.call(|books, now| {
            books.check(&commits)?;
            for commit in commits {
                if let Some(id) = commit.processed {
                    books.waiting.remove(&id);
                    books.inbox.get_mut(&id).unwrap().1 = true;
                }
                for entry in commit.entries {
                    if let Fact::Redacted { n } = entry.fact
                        && n < entry.n
                        && let Some(i) = books.pages.get(&entry.incident).and_then(|p| p.get(n as usize - 1)).copied()
                    {
                        books.journal[i].fact = Fact::Redacted { n };
                    }
                    if let Fact::RoomOpened { platform, room } = &entry.fact {
                        books.rooms.insert((*platform, room.id.clone()), entry.incident);
                    }
                    let place = books.journal.len();
                    books.pages.entry(entry.incident).or_default().push(place);
                    books.journal.push(entry);
                }
                books.alerts.extend(commit.alerts.into_iter().map(|alert| (alert.key.clone(), alert)));
                for (id, progress) in commit.outbox {
                    books.progress(id, progress, now)?;
                }
                for (op, effect) in commit.effects {
                    books.queue(op, effect, now);
                }
                books.snapshots.extend(commit.incidents.into_iter().map(|incident| (incident.id, incident)));
                if let Some(desk) = commit.desk {
                    books.desk = desk.without_alerts();
                }
            }
            Ok(())
        })
    }

    async fn restore(&self) -> Result<State, StoreError> {
        self.call(|books, _| {
            let mut desk = books.desk.clone();
            desk.alerts = books.alerts.clone();
            let all = books.snapshots.keys().filter_map(|id| books.load(*id));
            let incidents = all.filter(Incident::is_open).map(|incident| (incident.id, incident)).collect();
            Ok(State { desk, incidents })
        })
    }

    async fn load(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        self.call(|books, _| Ok(books.load(id)))
    }
}

#[async_trait]
impl Outbox for Ledger {
    async fn claim_within(&self, now: At, limit: u32, shares: &Shares) -> Result<Vec<Outgoing>, StoreError> {
        self.call(|books, _| {
            let (limit, mut shares) = (limit as usize, shares.clone());
            let mut claimed = books.claim(now, limit.div_ceil(2), &mut shares, true);
            claimed.extend(books.claim(now, limit - claimed.len(), &mut shares, false));
            claimed.extend(books.claim(now, limit - claimed.len(), &mut shares, true));
            Ok(claimed)
        })
    }

    async fn claim_urgent(&self, now: At, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.call(|books, _| Ok(books.claim(now, limit as usize, &mut Shares::new(), true)))
    }

    async fn settle(&self, id: i64, progress: Progress, event: Option<Arrival>) -> Result<(), StoreError> {
        self.call(|books, now| {
            books.progress(id, progress, now)?;
            if let Some(arrival) = event {
                books.accept(arrival);
            }
            Ok(())
        })
    }

    async fn interrupted(&self) -> Result<Vec<Outgoing>, StoreError> {
        self.call(|books, _| {
            let rows = books.live.iter().map(|id| &books.outbox[id]);
            Ok(rows.filter(|row| row.standing == Standing::Unknown).map(Posted::outgoing).collect())
        })
    }

    async fn sending(&self) -> Result<Vec<Outgoing>, StoreError> {
        self.call(|books, _| {
            let rows = books.live.iter().map(|id| &books.outbox[id]);
            Ok(rows.filter(|row| row.standing == Standing::Sending).map(Posted::outgoing).collect())
        })
    }

    async fn doubtful(&self, now: At, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.call(|books, _| {
            let mut rows = books.doubtful();
            rows.retain(|row| row.due <= now);
            rows.sort_by_key(|row| (row.due, row.id));
            Ok(rows.into_iter().take(limit as usize).map(Posted::outgoing).collect())
        })
    }

    async fn behind(&self, id: i64, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.call(|books, _| {
            let Some(lane) = books.outbox.get(&id).map(Posted::lane) else { return Ok(Vec::new()) };
            let rows = books.live.iter().filter(|other| **other != id).map(|other| &books.outbox[other]);
            let waits = |row: &&Posted| row.standing == Standing::Pending && row.lane() == lane;
            Ok(rows.filter(waits).take(limit as usize).map(Posted::outgoing).collect())
        })
    }

    async fn fold(&self, id: i64, effect: Effect, rows: &[i64]) -> Result<(), StoreError> {
        self.call(|books, now| {
            let lane = (effect.incident(), effect.destination());
            let is = |id: &i64, standing| {
                let row = books.outbox.get(id);
                row.is_some_and(|r| r.standing == standing && r.lane() == lane && r.effect.supersedes().is_none())
            };
            if !is(&id, Standing::Sending) || !rows.iter().all(|row| is(row, Standing::Pending)) {
                return Err(StoreError::Conflict(format!("outbox row {id} cannot take these in")));
            }
            for row in rows {
                let why = format!("said together with others, in row {id}");
                books.progress(*row, Progress::Superseded { why }, now)?;
            }
            books.outbox.get_mut(&id).unwrap().effect = effect;
            Ok(())
        })
    }

    async fn hurry(&self, rows: &[i64]) -> Result<(), StoreError> {
        self.call(|books, now| {
            for id in rows.iter().filter(|id| books.live.contains(id)) {
                let row = books.outbox.get_mut(id).unwrap();
                let waits = [Standing::Pending, Standing::Unknown].contains(&row.standing) && !row.effect.is_run();
                if waits && row.due < At(i64::MAX) {
                    row.due = row.due.min(now);
                }
            }
            Ok(())
        })
    }

    fn may_act(&self) -> bool {
        let books = self.books.lock().unwrap();
        books.epoch == self.epoch && !books.lease_over
    }

    async fn last_posted(
        &self,
        incident: IncidentId,
        destination: Destination,
        key: &str,
    ) -> Result<Option<String>, StoreError> {
        self.call(|books, _| {
            let meant = |row: &&Posted| {
                row.effect.incident() == incident
                    && row.effect.destination() == destination
                    && row.effect.supersedes().as_deref() == Some(key)
            };
            Ok(books.outbox.values().rev().filter(meant).find_map(|row| row.remote.clone()))
        })
    }

    async fn next_due_within(&self, shares: &Shares) -> Result<Option<At>, StoreError> {
        let spared = |row: &&Posted| row.effect.destination().platform().is_some_and(|p| shares.get(&p) == Some(&0));
        self.call(|books, _| Ok(books.free(None).into_iter().filter(|row| !spared(row)).map(|row| row.due).min()))
    }
}

#[async_trait]
impl Views for Ledger {
    async fn list(&self, viewer: &Identity, closed: bool, limit: u32) -> Result<Vec<Incident>, StoreError> {
        self.call(|books, _| {
            let seen = books.snapshots.keys().rev().filter_map(|id| books.seen(viewer, *id));
            Ok(seen.filter(|incident| incident.is_open() != closed).take(limit as usize).collect())
        })
    }

    async fn incident(&self, viewer: &Identity, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        self.call(|books, _| Ok(books.seen(viewer, id)))
    }

    async fn entries(&self, viewer: &Identity, id: IncidentId) -> Result<Vec<Entry>, StoreError> {
        self.call(|books, _| Ok(books.seen(viewer, id).map_or_else(Vec::new, |_| books.shown(id))))
    }

    async fn alerts(&self, viewer: &Identity, id: IncidentId, limit: u32) -> Result<Vec<AlertState>, StoreError> {
        self.call(|books, _| {
            Ok(books.seen(viewer, id).map_or_else(Vec::new, |_| books.newest(limit, |a| a.incident == Some(id))))
        })
    }

    async fn loose(&self, _viewer: &Identity, limit: u32) -> Result<Vec<AlertState>, StoreError> {
        self.call(|books, _| {
            Ok(books.newest(limit, |alert| {
                let ended = |id| books.load(id).is_some_and(|i| !i.is_open() && !i.private);
                alert.status == AlertStatus::Firing && alert.incident.is_none_or(ended)
            }))
        })
    }

    async fn said(&self, viewer: &Identity, id: IncidentId, platform: Platform) -> Result<Vec<Said>, StoreError> {
        self.call(|books, _| {
            if books.seen(viewer, id).is_none() {
                return Ok(Vec::new());
            }
            let sent =
                books.outbox.values().filter(|row| [Standing::Sent, Standing::Reconciled].contains(&row.standing));
            let mut said: Vec<_> = sent.filter_map(|row| row.said(id, platform)).collect();
            said.drain(..said.len().saturating_sub(MAX_SAID));
            Ok(said)
        })
    }

    async fn desk(&self) -> Result<Desk, StoreError> {
        self.call(|books, _| Ok(books.desk.clone()))
    }

    async fn incident_of_room(&self, platform: Platform, room: &str) -> Result<Option<IncidentId>, StoreError> {
        self.call(|books, _| Ok(books.rooms.get(&(platform, room.to_owned())).copied()))
    }
}

impl Books {
    fn newest(&self, limit: u32, wanted: impl Fn(&AlertState) -> bool) -> Vec<AlertState> {
        let mut alerts: Vec<_> = self.alerts.values().filter(|alert| wanted(alert)).cloned().collect();
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert.last_seen));
        alerts.truncate(limit as usize);
        alerts
    }
}

impl Posted {
    fn outgoing(&self) -> Outgoing {
        let Self { id, op, effect, attempts, queued_at, .. } = self.clone();
        Outgoing { id, op, effect, attempts, queued_at }
    }

    fn lane(&self) -> (IncidentId, Destination) {
        (self.effect.incident(), self.effect.destination())
    }

    fn said(&self, id: IncidentId, platform: Platform) -> Option<Said> {
        match &self.effect {
            Effect::SayMissed { incident, platform: place, .. } if *incident == id && *place == platform => {
                Some(Said { op: self.op.clone(), at: self.settled_at.unwrap(), message: self.said.clone()? })
            }
            Effect::Say { incident, platform: place, message } if *incident == id && *place == platform => Some(Said {
                op: self.op.clone(),
                at: self.settled_at.unwrap(),
                message: self.said.clone().unwrap_or_else(|| (**message).clone()),
            }),
            _ => None,
        }
    }
}
