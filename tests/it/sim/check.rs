//! What must always hold (ARCHITECTURE.md), as predicates over what was handed in, what is stored, and what the outside saw, when a
//! life has come to rest.

use super::life::Life;
use super::outside::Truth;
use super::script::Step;
use crate::world::ledger::{Posted, Standing};
use crate::world::town::{ACCOUNTS, account};
use smokejumper::engine::MAX_ATTEMPTS;
use smokejumper::flow::State;
use smokejumper::flow::desk::Desk;
use smokejumper::flow::effect::{Destination, Effect};
use smokejumper::flow::escalation::{levels, read_key, wanted};
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::{Answered, Entry, Fact, Origin, RoomChange};
use smokejumper::flow::identity::{Actor, Platform};
use smokejumper::flow::incident::{Incident, IncidentId, Phase};
use smokejumper::flow::missed::Why;
use smokejumper::flow::moment::At;
use smokejumper::flow::recollection::Lesson;
use smokejumper::flow::signal::{AlertKey, AlertStatus};
use smokejumper::ports::{Journal, Views};
use smokejumper_intents::intent::Intent;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

type Broken = Vec<String>;
type Alerts = BTreeMap<AlertKey, (At, AlertStatus, Option<At>)>;

/// Everything that is not as promised. Ends with the whole input handed in once more, which must change nothing.
pub fn check(life: &mut Life) -> Broken {
    let mut broken = std::mem::take(&mut life.truth.lock().unwrap().broken);
    let journal = life.ledger.journal();
    let posted = life.ledger.posted();
    let state = stored(life);
    alerts(life, &state, &mut broken);
    acts(life, &journal, &mut broken);
    folds(&journal, &state, &mut broken);
    ends(&journal, &posted, &state, &mut broken);
    outside(life, &journal, &posted, &state, &mut broken);
    phones(life, &journal, &posted, &state, &mut broken);
    missed(life, &posted, &mut broken);
    privacy(life, &journal, &posted, &state, &mut broken);
    if !broken.is_empty() {
        return broken;
    }
    let (before, sent) = (journal.len(), posted.len());
    if let Err(restless) = life.again() {
        broken.push(restless);
    }
    if life.ledger.written() != before || life.ledger.posted().len() != sent {
        let new: Vec<_> = life.ledger.journal().split_off(before).into_iter().map(|e| e.fact).collect();
        broken.push(format!("I3: what was delivered once more changed something: {new:?}"));
    }
    alerts(life, &stored(life), &mut broken);
    broken
}

/// What a process that starts now finds, with the incidents that are over.
fn stored(life: &Life) -> State {
    let mut state = now(life.ledger.restore()).unwrap();
    let last = state.desk.last;
    for id in (1..=last).map(IncidentId) {
        if let Some(incident) = now(life.ledger.load(id)).unwrap() {
            state.incidents.insert(id, incident);
        }
    }
    state
}

/// The ledger answers at once.
fn now<T>(answer: impl Future<Output = T>) -> T {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the ledger never waits"),
    }
}

/// I4: each alert's state is the join over everything that was delivered; I2: all of it was processed.
fn alerts(life: &Life, state: &State, broken: &mut Broken) {
    let mut wanted = Alerts::new();
    for arrival in &life.handed {
        let Event::Signals(delivery) = &arrival.event else { continue };
        for s in &delivery.signals {
            let end = s.ends_at.filter(|_| s.status == AlertStatus::Resolved);
            let this = (s.starts_at, s.status, end);
            let best = wanted.entry(s.key.clone()).or_insert(this);
            *best = (*best).max(this);
        }
    }
    let found: Alerts =
        state.desk.alerts.iter().map(|(k, a)| (k.clone(), (a.starts_at, a.status, a.ends_at))).collect();
    if wanted != found {
        broken.push(format!("I4: alerts are {found:?}, and should be {wanted:?}"));
    }
    for alert in state.desk.alerts.values() {
        let merged = alert.incident.and_then(|id| state.incidents.get(&id)?.merged_into);
        if let Some(into) = merged {
            broken.push(format!("I4: {:?} belongs to {:?}, which is part of {into}", alert.key, alert.incident));
        }
    }
    for incident in state.incidents.values().filter(|i| i.is_open()) {
        let fires = |a: &&smokejumper::flow::desk::AlertState| {
            a.incident == Some(incident.id) && a.status == AlertStatus::Firing
        };
        let count = state.desk.alerts.values().filter(fires).count();
        if incident.firing() as usize != count {
            broken.push(format!("I4: {} counts {} firing alerts of {count}", incident.id, incident.firing()));
        }
    }
}

/// I3 for people: what somebody did once happened once, however often it was handed in.
fn acts(life: &Life, journal: &[Entry], broken: &mut Broken) {
    let accepted = life.ledger.accepted();
    for arrival in &life.handed {
        let same = accepted.iter().filter(|(a, _)| a.source == arrival.source && a.key == arrival.key);
        let processed: Vec<bool> = same.map(|(_, processed)| *processed).collect();
        if processed != [true] {
            broken.push(format!("I2: {} was accepted {} times, processed {processed:?}", arrival.key, processed.len()));
        }
    }
    let mut once = BTreeSet::new();
    for arrival in life.handed.iter().filter(|a| once.insert((&a.source, &a.key))) {
        let Event::Asked { by, ask } = &arrival.event else { continue };
        let times = |is: &dyn Fn(&Fact) -> bool| journal.iter().filter(|e| is(&e.fact)).count();
        match &ask.intent {
            Intent::Declare { title, .. } => {
                let n = times(&|f| matches!(f, Fact::Declared { title: t, origin: Origin::Person, .. } if t == title));
                let asked = handed_once(life, &ask.intent);
                if n != asked {
                    broken.push(format!("I3: \"{title}\" was declared {n} times, asked for {asked} times"));
                }
            }
            Intent::Note { text } => {
                let n = times(&|f| matches!(f, Fact::Noted { text: t } if t == text));
                if n > handed_once(life, &ask.intent) {
                    broken.push(format!("I3: \"{text}\" was noted {n} times"));
                }
            }
            Intent::Keep { message, .. } => {
                let n = times(&|f| matches!(f, Fact::Kept { message: kept, .. } if kept.id == message.id));
                if n > 1 {
                    broken.push(format!("I3: the message {} was kept {n} times", message.id));
                }
            }
            Intent::Silence { comment, .. } => {
                let n = times(&|f| matches!(f, Fact::Silenced { comment: c, .. } if c == comment));
                let asked = handed_once(life, &ask.intent);
                // Whoever was linked to nobody when their turn came was refused.
                let known = life.truth.lock().unwrap().policies.iter().all(|(_, policy)| policy.person(by).is_some());
                if n > asked || (n < asked && known) {
                    broken.push(format!("I3: {comment:?} was silenced {n} times, asked for {asked} times"));
                }
            }
            _ => {}
        }
    }
}

/// How many different deliveries asked for exactly this.
fn handed_once(life: &Life, intent: &Intent) -> usize {
    let same = life.handed.iter().filter(|a| matches!(&a.event, Event::Asked { ask, .. } if ask.intent == *intent));
    same.map(|a| &a.key).collect::<BTreeSet<_>>().len()
}

/// The journal folds to what is stored; an incident's entries have no gap; numbers have none either.
fn folds(journal: &[Entry], state: &State, broken: &mut Broken) {
    let mut folded = State::default();
    for entry in journal {
        if entry.incident == IncidentId::HOUSE {
            folded.desk.apply_own(entry);
            continue;
        }
        let incident = folded.incidents.entry(entry.incident).or_insert_with(|| Incident::new(entry.incident));
        if entry.n != incident.entries + 1 {
            broken.push(format!("{} has no entry before {}", entry.incident, entry.n));
        }
        let before = incident.clone();
        incident.apply(entry);
        folded.desk.apply(entry, incident);
        absorbing(&before, incident, broken);
    }
    if folded.incidents != state.incidents {
        broken.push("the journal folds to other incidents than are stored".to_owned());
    }
    let desk = Desk { version: state.desk.version, ..folded.desk.without_alerts() };
    if desk != state.desk.without_alerts() {
        broken.push(format!("the journal folds to {desk:?}, stored is {:?}", state.desk.without_alerts()));
    }
    if !folded.incidents.keys().map(|i| i.0).eq(1..=state.desk.last) {
        broken.push(format!("numbers have gaps: {:?}", folded.incidents.keys()));
    }
}

/// I17.
fn absorbing(before: &Incident, after: &Incident, broken: &mut Broken) {
    if before.state.0.is_absorbing() && before.state != after.state {
        broken.push(format!("I17: {} left {:?}", after.id, before.state));
    }
    for (n, run) in &before.runs {
        if run.phase.is_terminal() && after.runs[n].phase != run.phase {
            broken.push(format!("I17: {} run #{n} went from {:?} to {:?}", after.id, run.phase, after.runs[n].phase));
        }
    }
}

/// I8: everything ends.
fn ends(journal: &[Entry], posted: &[Posted], state: &State, broken: &mut Broken) {
    let given_up = journal.iter().filter(|e| matches!(e.fact, Fact::Undelivered { .. })).count();
    // A page that was given up is told as one, unless somebody had come by then.
    let told = |p: &&Posted| !p.effect.is_run() && !matches!(p.effect, Effect::Page { .. });
    let dead = posted.iter().filter(|p| p.standing == Standing::Dead).filter(told).count();
    if dead != given_up {
        broken.push(format!("I8: {dead} effects were given up, people were told of {given_up}"));
    }
    for row in posted {
        let stuck = match row.standing {
            Standing::Sending | Standing::Pending => true,
            Standing::Unknown => !row.effect.is_run(),
            _ => false,
        };
        if stuck {
            broken.push(format!("I8: {} is {:?} for ever: {:?}", row.op, row.standing, row.effect));
        }
    }
    for incident in state.incidents.values() {
        for (n, run) in &incident.runs {
            if !run.phase.is_terminal() {
                broken.push(format!("I8: {} run #{n} is {:?} for ever", incident.id, run.phase));
            }
            let verify = run.outcome.as_ref().is_some_and(|o| o.ended == smokejumper::flow::fact::Ended::Succeeded);
            if verify && !run.plan.verify.is_empty() && run.verdict.is_none() {
                broken.push(format!("I8: {} run #{n} was never verified", incident.id));
            }
        }
    }
}

/// I11: what was to be said is said once, by itself or together with others; and of one outage a room is told once.
fn missed(life: &Life, posted: &[Posted], broken: &mut Broken) {
    let says = |p: &&Posted| {
        p.effect.destination() == Destination::Room(Platform::Slack)
            && matches!(p.effect, Effect::Say { .. } | Effect::SayMissed { .. })
    };
    let mut rooms = BTreeMap::<IncidentId, (u64, u64, u64)>::new();
    for row in posted.iter().filter(says) {
        let (asked, told, late) = rooms.entry(row.effect.incident()).or_default();
        *asked += 1;
        if row.why.as_ref().is_some_and(|why| why.starts_with("said together")) {
            continue;
        }
        let Effect::SayMissed { missed, .. } = &row.effect else {
            *told += 1;
            continue;
        };
        *told += missed.number();
        *late += u64::from(missed.why == Why::Away);
    }
    let why = |step: &&Step| matches!(step, Step::Away(true)) || matches!(step, Step::Clock(ms) if *ms > 0);
    let outages = life.script.steps.iter().filter(why).count() as u64;
    for (id, (asked, told, late)) in rooms {
        if asked != told {
            broken.push(format!("I11: {asked} messages were to be said in {id}, and {told} were"));
        }
        if life.script.weather.vendor == 0 && late > outages {
            broken.push(format!("I11: the room of {id} was told {late} times of {outages} outages"));
        }
    }
}

/// I7: one issue for each follow-up, whatever answers were lost; and both sides know of it and agree.
fn issues(truth: &Truth, posted: &[Posted], state: &State, broken: &mut Broken) {
    let mut made = BTreeMap::<(IncidentId, u32), Vec<u64>>::new();
    for (at, (incident, follow_up, _)) in truth.issues.iter().enumerate() {
        made.entry((*incident, *follow_up)).or_default().push(at as u64 + 1);
    }
    for ((id, number), numbers) in &made {
        if numbers.len() > 1 {
            broken.push(format!("I7: F-{number} of {id} has {} issues", numbers.len()));
        }
        let known = state.incidents.get(id).and_then(|i| i.follow_ups.get(number));
        // What is private says no more there, and is not looked for.
        let Some(follow_up) = known.filter(|_| !state.desk.private.contains(id)) else { continue };
        if follow_up.issue.as_ref().map(|issue| issue.number) != numbers.first().copied() {
            broken.push(format!("I8: F-{number} of {id} is issue {numbers:?}, and nobody here knows"));
        }
        let is = |p: &&Posted| matches!(&p.effect, Effect::MoveIssue { incident, follow_up } if (incident, follow_up) == (id, number));
        let given_up = posted.iter().filter(is).any(|p| p.standing == Standing::Dead);
        if follow_up.done_at.is_some() != truth.closed.contains(&numbers[0]) && !given_up {
            broken.push(format!("I8: F-{number} of {id} and its issue disagree on whether it is done"));
        }
    }
    for (id, incident) in &state.incidents {
        for (number, follow_up) in &incident.follow_ups {
            let is = |p: &&Posted| matches!(&p.effect, Effect::FileIssue { incident, follow_up } if (incident, follow_up) == (id, number));
            let asked = || posted.iter().filter(is);
            if follow_up.asked.is_some() && asked().next().is_none() {
                broken.push(format!("I8: an issue of F-{number} of {id} was asked for, and nobody makes it"));
            }
            if follow_up.issue.is_some() && !made.contains_key(&(*id, *number)) {
                broken.push(format!("I8: F-{number} of {id} is said to have an issue that was never made"));
            }
        }
    }
}

/// Nobody is woken who need not be, nobody twice, and nobody is forgotten.
fn phones(life: &Life, journal: &[Entry], posted: &[Posted], state: &State, broken: &mut Broken) {
    let truth = life.truth.lock().unwrap();
    let policy = &truth.policies.last().unwrap().1;
    for (key, times, rings) in &truth.phones {
        if *times > 1 {
            broken.push(format!("I7: {key} rang {times} times"));
        }
        let (id, number) = read_key(key).unwrap();
        let page = state.incidents.get(&id).and_then(|i| i.pages.get(&number));
        let gave_up = posted.iter().any(|p| {
            p.standing == Standing::Dead
                && matches!(p.effect, Effect::EndPage { incident, page } if (incident, page) == (id, number))
        });
        let over = state.incidents.get(&id).is_none_or(|i| !i.is_open());
        // What nobody knew to have rung (its answer was lost until it was given up) nobody ends.
        let lost = page.is_some_and(|p| matches!(p.answered, Some(Answered::Failed { .. })));
        if *rings && !gave_up && !lost && (over || page.is_none_or(|p| p.answered == Some(Answered::Ended))) {
            broken.push(format!("I8: {key} rings on, and nobody need come: {page:?}"));
        }
    }
    let mut folded = BTreeMap::<IncidentId, Incident>::new();
    for entry in journal.iter().filter(|e| e.incident != IncidentId::HOUSE) {
        let incident = folded.entry(entry.incident).or_insert_with(|| Incident::new(entry.incident));
        if matches!(entry.fact, Fact::Paged { level: 1.., .. })
            && (incident.times.acknowledged.is_some() || !incident.is_open())
        {
            broken.push(format!("{} paged somebody after it was acknowledged or over", entry.incident));
        }
        incident.apply(entry);
    }
    for incident in state.incidents.values() {
        // What waits for a phone is looked at again with every tick.
        let asked = incident.climb.unanswered.is_some()
            || incident.climb.held.is_some()
            || levels(incident, policy, At(0)).is_empty();
        if wanted(incident, policy) && !asked {
            broken.push(format!("I8: the timer of {} was forgotten at step {}", incident.id, incident.climb.level));
        }
    }
}

/// I7, I18 and what people see, as the outside has it.
fn outside(life: &Life, journal: &[Entry], posted: &[Posted], state: &State, broken: &mut Broken) {
    let truth = life.truth.lock().unwrap();
    for ((platform, id), ops) in &truth.rooms {
        // One in the place of each that is gone, or that others could read when the incident became private.
        let gone = |e: &&Entry| match &e.fact {
            Fact::RoomLeft { platform: on, .. }
            | Fact::RoomChanged { platform: on, change: RoomChange::Gone { .. }, .. } => on == platform,
            _ => false,
        };
        if ops.len() > 1 + journal.iter().filter(|e| e.incident == *id).filter(gone).count() {
            broken.push(format!("I7: {id} has {} rooms on {}: {ops:?}", ops.len(), platform.label()));
        }
    }
    for ((_, room), ops) in &truth.roots {
        if ops.len() > 1 {
            broken.push(format!("I7: {room} has {} cards: {ops:?}", ops.len()));
        }
    }
    for ((platform, op), (n, _)) in &truth.posts {
        if *n > 1 {
            broken.push(format!("I7: {op} was posted {n} times on {}", platform.label()));
        }
    }
    let says = posted.iter().filter(|p| p.effect.destination() == Destination::Room(Platform::Console));
    for row in says.filter(|p| matches!(p.effect, Effect::Say { .. }) && p.standing == Standing::Sent) {
        if !truth.posts.contains_key(&(Platform::Console, row.op.clone())) {
            broken.push(format!("I8: {} is marked as sent, and the console never saw it", row.op));
        }
    }
    issues(&truth, posted, state, broken);
    for row in posted.iter().filter(|p| p.standing == Standing::Dead && !p.effect.is_run()) {
        let paged = match row.effect {
            Effect::Page { incident, page } | Effect::EndPage { incident, page } => Some((incident, page)),
            _ => None,
        };
        // A pager knows the page's key, not the operation; a tracker the operation and its time.
        let own =
            |key: &str| key.strip_prefix(row.op.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        let of = |key: &String| paged.map_or(own(key), |page| read_key(key) == Some(page));
        // A page is given up soon, also when nobody knows whether it rang: the next on call is asked.
        let lost = paged.is_some().then_some(&truth.lost);
        let refused: u32 =
            truth.refused.iter().chain(lost.into_iter().flatten()).filter(|(key, _)| of(key)).map(|(_, n)| n).sum();
        // Whether an issue was made before its incident became private, people find out: nobody asks for it any more.
        let private =
            matches!(row.effect, Effect::FileIssue { incident, .. } if state.desk.private.contains(&incident));
        if refused == 0 && !private {
            broken.push(format!(
                "I8: {} was given up after {} of {MAX_ATTEMPTS} attempts, and nobody had refused it: {:?}",
                row.op, row.attempts, row.why
            ));
        }
    }
    for ((id, request), n) in &truth.starts {
        let run = state.incidents.get(id).and_then(|i| i.runs.get(request));
        if run.is_none_or(|r| r.phase != Phase::Finished) {
            broken.push(format!("I18: {id} run #{request} started {n} times, and nobody knows"));
        }
    }
    let mut lessons = BTreeMap::<&str, &Lesson>::new();
    let mut shown = BTreeMap::<IncidentId, u32>::new();
    for entry in journal {
        match &entry.fact {
            Fact::Learned(lesson) => drop(lessons.insert(&lesson.case, lesson)),
            // The card says nothing of these, and the house has none.
            Fact::Undelivered { .. }
            | Fact::RoomsArchived
            | Fact::RoomChanged { change: RoomChange::Renamed(_), .. } => {}
            _ if entry.incident == IncidentId::HOUSE => {}
            _ => drop(shown.insert(entry.incident, entry.n)),
        }
    }
    let dead = |id: IncidentId, is: fn(&Effect) -> bool| {
        posted.iter().any(|p| p.standing == Standing::Dead && p.effect.incident() == id && is(&p.effect))
    };
    for (case, lesson) in lessons {
        let id = IncidentId(case.trim_start_matches("INC-").parse().unwrap());
        if state.incidents.get(&id).is_some_and(|i| i.private || i.merged_into.is_some()) {
            continue;
        }
        if truth.lessons.get(case) != Some(lesson) && !dead(id, |e| matches!(e, Effect::Remember { .. })) {
            broken.push(format!("I8: memory has {:?} of {case}, the journal {lesson:?}", truth.lessons.get(case)));
        }
    }
    for (id, entries) in shown {
        let card = truth.cards.get(&(Platform::Console, id)).copied().unwrap_or_default();
        if card < entries && !dead(id, |e| matches!(e, Effect::Card { .. } | Effect::OpenRoom { .. })) {
            broken.push(format!("I8: the card of {id} shows entry {card} of {entries}"));
        }
    }
}

/// I27: what is private is in no lesson, no suggestion and no list of what is owed, and is there for nobody who has no part in it. What
/// became part of another teaches nothing by itself either.
fn privacy(life: &Life, journal: &[Entry], posted: &[Posted], state: &State, broken: &mut Broken) {
    let truth = life.truth.lock().unwrap();
    let mut hidden = BTreeSet::new();
    for entry in journal {
        match &entry.fact {
            Fact::MadePrivate { .. } => drop(hidden.insert(entry.incident)),
            Fact::Learned(_) if hidden.contains(&entry.incident) => {
                broken.push(format!("I27: {} taught something when it was private", entry.incident));
            }
            Fact::Suggested(said) => {
                let evidence = said.causes.iter().flat_map(|c| c.evidence.iter().map(|(case, _)| case));
                let cited = said.similar.iter().map(|p| &p.case).chain(evidence);
                for case in cited.filter(|case| hidden.iter().any(|id| id.to_string() == **case)) {
                    broken.push(format!("I27: {} suggests the private {case}", entry.incident));
                }
            }
            _ => {}
        }
    }
    if hidden != state.desk.private {
        broken.push(format!("I27: {hidden:?} are private, the desk knows of {:?}", state.desk.private));
    }
    for incident in state.incidents.values().filter(|i| i.private || i.merged_into.is_some()) {
        let forgets = |p: &&Posted| p.effect.incident() == incident.id && matches!(p.effect, Effect::Forget { .. });
        let given_up = posted.iter().filter(forgets).any(|p| p.standing == Standing::Dead);
        if truth.lessons.contains_key(&incident.id.to_string()) && !given_up {
            broken.push(format!("I27: memory still knows {}", incident.id));
        }
    }
    for id in &hidden {
        if state.desk.owed.iter().any(|owed| owed.incident == *id) {
            broken.push(format!("I27: the desk cites what {id} owes"));
        }
        for viewer in (0..ACCOUNTS.len()).map(account) {
            let acted = |e: &&Entry| e.by == Actor::Account(viewer.clone());
            let named = |e: &&Entry| matches!(&e.fact, Fact::MadePrivate { members } if members.contains(&viewer));
            let part = journal.iter().filter(|e| e.incident == *id).any(|e| acted(&e) || named(&e));
            if now(life.ledger.incident(&viewer, *id)).unwrap().is_some() != part {
                broken.push(format!("I27: {id} and {}, whose part in it is {part}", viewer.id));
            }
        }
    }
}
