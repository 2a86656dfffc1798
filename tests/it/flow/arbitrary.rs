//! Facts and events nobody would think of: every kind, with values at the edges, in any order.

use super::facts::samples;
use crate::world::town::{
    ACCOUNTS, RUNBOOKS, SOURCE, START, account, asked, delivery, runbook, signal, succeeded, verdict,
};
use proptest::prelude::*;
use smokejumper::flow::effect::Timer;
use smokejumper::flow::event::{Event, Fresh};
use smokejumper::flow::fact::{Ended, Entry, Fact, GroupChange, Room, RoomChange, RunOutcome};
use smokejumper::flow::identity::{Actor, PersonId, Platform};
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::moment::{At, MINUTE};
use smokejumper::flow::recollection::Recollection;
use smokejumper::flow::render::render;
use smokejumper::flow::signal::AlertStatus;
use smokejumper_intents::intent::{Due, Intent, Item, When, Who};
use smokejumper_intents::quoted::{Keep, Quoted};
use smokejumper_intents::word::{Milestone, Role, Severity, State};

/// Small numbers, and those at the end of the range.
fn any_count() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..5_u32, 1 => Just(u32::MAX), 1 => Just(u32::MAX / 2)]
}

fn any_request() -> impl Strategy<Value = u32> {
    prop_oneof![9 => 1..4_u32, 1 => any_count()]
}

fn any_actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        Just(Actor::Bot),
        Just(Actor::Source(SOURCE.to_owned())),
        (0..ACCOUNTS.len()).prop_map(|a| Actor::Account(account(a))),
    ]
}

fn any_change() -> impl Strategy<Value = GroupChange> {
    (0..80_u32, any_count(), any_count(), any_count()).prop_map(|(name, joined, fired_again, resolved)| GroupChange {
        name: format!("alert {name}"),
        joined,
        fired_again,
        resolved,
        summary: None,
        severity: None,
        link: None,
    })
}

fn any_outcome() -> impl Strategy<Value = RunOutcome> {
    let why = || "why".to_owned();
    prop_oneof![
        Just(Ended::Succeeded),
        Just(Ended::Failed { step: 1, why: why() }),
        Just(Ended::TimedOut { step: 1 }),
        Just(Ended::NotStarted { why: why() }),
        Just(Ended::Unknown { why: why() }),
    ]
    .prop_map(|ended| RunOutcome { ended, ..succeeded() })
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let request = any_request;
    prop_oneof![
        6 => prop::sample::select(samples()),
        2 => prop::collection::vec(any_change(), 0..70).prop_map(|groups| Fact::AlertsChanged {
            source: SOURCE.to_owned(), because: String::new(), groups, digest: String::new(),
        }),
        2 => prop::sample::select(State::ALL.to_vec()).prop_map(|state| Fact::StateSet { state, note: None }),
        2 => (request(), 0..RUNBOOKS.len(), any::<u8>()).prop_map(|(request, book, needs)| {
            let (name, approvals) = RUNBOOKS[book];
            let plan = render(&runbook(name, approvals), IncidentId(1), &[], &std::collections::BTreeMap::new()).unwrap();
            Fact::RunRequested { request, sha256: plan.sha256(), plan, needs: needs % 4, expires_at: START }
        }),
        3 => (request(), 0..ACCOUNTS.len()).prop_map(|(request, a)| Fact::RunApproved { request, by: account(a) }),
        1 => request().prop_map(|request| Fact::RunDenied { request, reason: None }),
        1 => request().prop_map(|request| Fact::RunExpired { request }),
        1 => request().prop_map(|request| Fact::RunVoided { request, why: String::new() }),
        3 => request().prop_map(|request| Fact::RunStarted { request }),
        3 => (request(), any_outcome()).prop_map(|(request, outcome)| Fact::RunFinished { request, outcome }),
        1 => (request(), any::<bool>()).prop_map(|(request, ok)| Fact::RunVerified { request, verdict: verdict(ok) }),
        1 => request().prop_map(|id| Fact::FollowUpDone { id, there: None }),
    ]
}

/// Up to `max` entries of one incident, with numbers and times that need not make sense.
pub fn any_entries(max: usize) -> impl Strategy<Value = Vec<Entry>> {
    let moment = prop_oneof![9 => (0..100 * MINUTE).prop_map(|ms| START.plus(ms)), 1 => any::<i64>().prop_map(At)];
    let entry = (any_count(), moment, any_actor(), any_fact());
    prop::collection::vec(entry, 1..max).prop_map(|entries| {
        entries.into_iter().map(|(n, at, by, fact)| Entry { incident: IncidentId(1), n, at, by, fact }).collect()
    })
}

fn any_intent() -> impl Strategy<Value = Intent> {
    let text = || prop::sample::select(vec!["", "bad config", "checkout is down", "x"]).prop_map(str::to_owned);
    let maybe = || prop::option::of(text());
    let request = || prop::option::of(1..4_u32);
    let who = || prop_oneof![Just(Who::Me), Just(Who::Named("ben".to_owned())), Just(Who::Named("nobody".to_owned()))];
    prop_oneof![
        (text(), prop::option::of(prop::sample::select(Severity::ALL.to_vec())))
            .prop_map(|(title, severity)| Intent::Declare { title, severity, service: None }),
        Just(Intent::Acknowledge),
        (prop::sample::select(Role::ALL.to_vec()), who()).prop_map(|(role, who)| Intent::TakeRole { role, who }),
        prop::sample::select(Severity::ALL.to_vec()).prop_map(|severity| Intent::SetSeverity { severity }),
        (prop::sample::select(State::ALL.to_vec()), maybe()).prop_map(|(state, note)| Intent::SetState { state, note }),
        text().prop_map(|text| Intent::Note { text }),
        (0..RUNBOOKS.len() + 1, any::<bool>()).prop_map(|(book, dry)| Intent::Run {
            runbook: RUNBOOKS.get(book).map_or("none", |b| b.0).to_owned(),
            params: Vec::new(),
            dry,
        }),
        request().prop_map(|request| Intent::Approve { request, plan: None }),
        request().prop_map(|request| Intent::Approve { request, plan: None }),
        (request(), maybe()).prop_map(|(request, reason)| Intent::Deny { request, reason }),
        (maybe(), maybe()).prop_map(|(cause, fix)| Intent::Resolve { cause, fix }),
        (any::<bool>(), maybe()).prop_map(|(right, cause)| Intent::Feedback { right, cause }),
        (text(), prop::option::of(who())).prop_map(|(title, owner)| Intent::FollowUp {
            title,
            owner,
            due: Some(Due::InDays(3)),
            link: None,
        }),
        (1..4_u32).prop_map(|follow_up| Intent::FollowUpDone { follow_up }),
        any_response(),
        Just(Intent::Card),
        Just(Intent::Why),
        Just(Intent::List { closed: false }),
    ]
}

/// What a team does besides: all of it, in any state.
fn any_response() -> impl Strategy<Value = Intent> {
    let text = || prop::sample::select(vec!["", "bad config", "checkout is down", "x"]).prop_map(str::to_owned);
    let maybe = || prop::option::of(text());
    let who = || prop_oneof![Just(Who::Me), Just(Who::Named("kim".to_owned())), Just(Who::Named("nobody".to_owned()))];
    let item = prop_oneof![(1..3_u32).prop_map(Item::Task), (1..3_u32).prop_map(Item::FollowUp)];
    let when = prop_oneof![
        (0..24_u8, 0..60_u8).prop_map(|(hour, minute)| When::Clock { hour, minute }),
        (1..29_u8).prop_map(|day| When::On { year: 2026, month: 11, day, hour: 9, minute: 58 }),
        any::<u32>().prop_map(|minutes| When::Ago { minutes }),
    ];
    let matchers = vec!["service=checkout", "service=~\"pay.*\"", "service=", "=~", "a=~\"(\"", "{}"];
    prop_oneof![
        text().prop_map(|title| Intent::Rename { title }),
        (text(), maybe(), maybe()).prop_map(|(conditions, actions, needs)| Intent::Update {
            conditions,
            actions,
            needs
        }),
        (text(), prop::option::of(who())).prop_map(|(title, owner)| Intent::Task { title, owner }),
        (1..3_u32).prop_map(|task| Intent::TaskDone { task }),
        (prop::option::of(item), who()).prop_map(|(item, who)| Intent::Assign { item, who }),
        (1..5_u32).prop_map(|into| Intent::Merge { into }),
        (prop::sample::select(Milestone::ALL.to_vec()), when)
            .prop_map(|(milestone, when)| Intent::Correct { milestone, when }),
        Just(Intent::MakePrivate),
        (0..4_u32, prop::sample::select(vec![Keep::Timeline, Keep::Task])).prop_map(|(n, what)| Intent::Keep {
            message: Quoted::new(&format!("T1/C1/{n}"), "bad config", i64::from(n), None, None).unwrap(),
            what,
        }),
        (prop::sample::select(matchers), 0..90_u32, maybe(), prop::bool::ANY).prop_map(
            |(matchers, minutes, comment, anyway)| Intent::Silence {
                matchers: matchers.to_owned(),
                minutes,
                comment,
                anyway,
            }
        ),
        (1..3_u32).prop_map(|silence| Intent::EndSilence { silence }),
        Just(Intent::CatchUp),
        Just(Intent::Silences),
    ]
}

fn any_room_change() -> impl Strategy<Value = RoomChange> {
    prop_oneof![
        Just(RoomChange::Archived),
        Just(RoomChange::Unarchived),
        Just(RoomChange::Renamed("the-big-one".to_owned())),
        Just(RoomChange::Gone { why: "channel_not_found".to_owned() }),
    ]
}

/// Anything that can happen, to incidents that may or may not be there.
pub fn any_event() -> impl Strategy<Value = Event> {
    let incident = || (1..4_u32).prop_map(IncidentId);
    let room = Room { id: "r".to_owned(), name: "inc".to_owned(), link: None, private: false };
    let fresh = Fresh {
        approvers: ["ana", "ben", "eva"].map(|p| PersonId(p.to_owned())).into(),
        files: crate::world::town::tool("good"),
    };
    prop_oneof![
        6 => (0..3_u32, 0..3_usize, any::<bool>(), 0..9_i64).prop_map(|(pod, service, resolved, start)| {
            let status = if resolved { AlertStatus::Resolved } else { AlertStatus::Firing };
            let service = ["checkout", "payments", "search"][service];
            delivery(vec![signal("Down", service, pod, status, START.plus(start * MINUTE), None)])
        }),
        12 => (0..ACCOUNTS.len(), prop::option::weighted(0.9, 1..4_u32), any_intent())
            .prop_map(|(by, incident, intent)| asked(by, incident, intent)),
        2 => (incident(), any::<bool>(), 1..3_u32).prop_map(|(incident, private, n)| Event::RoomOpened {
            incident,
            platform: Platform::Slack,
            room: Room { id: format!("C{n}"), name: "inc".to_owned(), link: None, private },
        }),
        2 => (incident(), any_room_change(), 1..3_u32).prop_map(|(incident, change, n)| Event::RoomChanged {
            incident,
            platform: Platform::Slack,
            room: format!("C{n}"),
            change,
        }),
        1 => incident().prop_map(|incident| Event::Due { incident, timer: Timer::Archive }),
        1 => incident().prop_map(move |incident| Event::RoomOpened { incident, platform: Platform::Console, room: room.clone() }),
        1 => incident().prop_map(|incident| Event::Recalled { incident, recollection: Recollection::default() }),
        4 => (incident(), any_request()).prop_map(move |(incident, request)| Event::Poised { incident, request, fresh: fresh.clone() }),
        3 => (incident(), any_request(), any_outcome())
            .prop_map(|(incident, request, outcome)| Event::Ran { incident, request, outcome }),
        2 => (incident(), any_request(), any::<bool>())
            .prop_map(|(incident, request, ok)| Event::Verified { incident, request, verdict: verdict(ok) }),
        1 => incident().prop_map(|incident| Event::Undelivered { incident, what: "post".to_owned(), why: "no".to_owned() }),
        1 => (incident(), any_request()).prop_map(|(incident, request)| Event::Due { incident, timer: Timer::Expiry { request } }),
        1 => incident().prop_map(|incident| Event::Due { incident, timer: Timer::Quiet }),
        1 => Just(Event::Tick),
    ]
}
