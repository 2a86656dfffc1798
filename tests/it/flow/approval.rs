//! Four eyes, expiry, binding, loops: over random sequences of acts by random accounts nothing starts that should not (I15–I18).

use super::story::Story;
use crate::world::town::{
    ACCOUNTS, RUNBOOKS, START, account, asked, delivery, firing, person, runbook, succeeded, tool, verdict,
};
use proptest::prelude::*;
use smokejumper::flow::effect::Timer;
use smokejumper::flow::event::{Event, Fresh};
use smokejumper::flow::fact::{Ended, Fact, RunOutcome};
use smokejumper::flow::identity::{Actor, PersonId};
use smokejumper::flow::incident::{IncidentId, Phase, Run};
use smokejumper::flow::moment::{At, HOUR, MINUTE};
use smokejumper_intents::intent::Intent;
use smokejumper_intents::word::{Right, State};
use std::collections::{BTreeMap, BTreeSet};

/// The one incident of these stories.
const INC: IncidentId = IncidentId(1);

/// Something a person, the world or the machine does.
#[derive(Clone, Debug)]
enum Act {
    Run {
        by: usize,
        runbook: usize,
        target: usize,
    },
    /// `plan`: 0 none, 1 the one shown, 2 a wrong one.
    Approve {
        by: usize,
        request: Option<u32>,
        plan: u8,
    },
    Deny {
        by: usize,
        request: Option<u32>,
    },
    /// The outbox carries a run: memberships and files are looked at, and what the flow starts ends at once or later.
    Poise {
        request: u32,
        good_file: bool,
        absent: Option<usize>,
    },
    Ran {
        request: u32,
        ended: u8,
    },
    Verified {
        request: u32,
        passed: bool,
    },
    Expiry {
        request: u32,
    },
    Wait {
        ms: i64,
    },
    SetState {
        state: State,
    },
    /// The reviewed file of a runbook changes.
    Revise {
        runbook: usize,
    },
    /// An account is found to belong to somebody.
    Link {
        from: usize,
        to: usize,
    },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let by = || 0..ACCOUNTS.len();
    let request = || 1..5_u32;
    let states = vec![State::Investigating, State::Resolved, State::Closed, State::Cancelled];
    let act = prop_oneof![
        8 => (by(), 0..RUNBOOKS.len(), 0..2_usize).prop_map(|(by, runbook, target)| Act::Run { by, runbook, target }),
        14 => (by(), prop::option::of(request()), 0..3_u8).prop_map(|(by, request, plan)| Act::Approve { by, request, plan }),
        2 => (by(), prop::option::of(request())).prop_map(|(by, request)| Act::Deny { by, request }),
        10 => (request(), prop::bool::weighted(0.8), prop::option::weighted(0.3, by()))
            .prop_map(|(request, good_file, absent)| Act::Poise { request, good_file, absent }),
        6 => (request(), 0..5_u8).prop_map(|(request, ended)| Act::Ran { request, ended }),
        4 => (request(), any::<bool>()).prop_map(|(request, passed)| Act::Verified { request, passed }),
        3 => request().prop_map(|request| Act::Expiry { request }),
        4 => (-10 * MINUTE..40 * MINUTE).prop_map(|ms| Act::Wait { ms }),
        1 => prop::sample::select(states).prop_map(|state| Act::SetState { state }),
        1 => (0..RUNBOOKS.len()).prop_map(|runbook| Act::Revise { runbook }),
        1 => (by(), by()).prop_map(|(from, to)| Act::Link { from, to }),
    ];
    prop::collection::vec(act, 1..60)
}

/// A story with one open incident.
fn story() -> Story {
    let mut story = Story::new();
    story.tell(delivery(vec![firing("Down", "checkout", 0, START)])).unwrap();
    story
}

fn run(story: &Story, request: u32) -> Option<&Run> {
    story.incident(1).runs.get(&request)
}

fn ended(n: u8) -> RunOutcome {
    let why = "so it was".to_owned();
    let ended = match n {
        0 => Ended::Succeeded,
        1 => Ended::Failed { step: 1, why },
        2 => Ended::TimedOut { step: 1 },
        3 => Ended::NotStarted { why },
        _ => Ended::Unknown { why },
    };
    RunOutcome { ended, ..succeeded() }
}

fn fresh(absent: Option<usize>, sha256: &str) -> Fresh {
    let gone = absent.map(account).and_then(|a| person(&a));
    let approvers =
        ["ana", "ben", "eva"].map(|p| PersonId(p.to_owned())).into_iter().filter(|p| Some(p) != gone.as_ref());
    Fresh { approvers: approvers.collect(), files: tool(sha256) }
}

/// Does `act`; gives the request that was allowed to start, with the membership it was judged by.
fn act(story: &mut Story, act: &Act) -> Option<(u32, Fresh)> {
    let event = match act {
        Act::Run { by, runbook, target } => {
            let params = vec![("target".to_owned(), ["web", "db"][*target].to_owned())];
            asked(*by, Some(1), Intent::Run { runbook: RUNBOOKS[*runbook].0.to_owned(), params, dry: false })
        }
        Act::Approve { by, request, plan } => {
            let shown = request.and_then(|r| run(story, r)).map(|r| r.sha256[..12].to_owned());
            let plan = match plan {
                0 => None,
                1 => shown,
                _ => Some("0123456789ab".to_owned()),
            };
            asked(*by, Some(1), Intent::Approve { request: *request, plan })
        }
        Act::Deny { by, request } => asked(*by, Some(1), Intent::Deny { request: *request, reason: None }),
        Act::Poise { request, good_file, absent } => {
            let fresh = fresh(*absent, if *good_file { "good" } else { "bad" });
            let event = Event::Poised { incident: INC, request: *request, fresh: fresh.clone() };
            return story.tell(event).unwrap().map(|_| (*request, fresh));
        }
        Act::Ran { request, ended: n } => Event::Ran { incident: INC, request: *request, outcome: ended(*n) },
        Act::Verified { request, passed } => {
            Event::Verified { incident: INC, request: *request, verdict: verdict(*passed) }
        }
        Act::Expiry { request } => Event::Due { incident: INC, timer: Timer::Expiry { request: *request } },
        Act::Wait { ms } => {
            story.wait(*ms);
            return None;
        }
        Act::SetState { state } => asked(0, Some(1), Intent::SetState { state: *state, note: None }),
        Act::Revise { runbook } => {
            let book = story.policy.runbooks.get_mut(RUNBOOKS[*runbook].0).unwrap();
            book.revision.push('x');
            return None;
        }
        Act::Link { from, to } => {
            let (from, to) = (account(*from), person(&account(*to)));
            for p in &mut story.policy.people {
                p.identities.retain(|i| *i != from);
            }
            if let Some(p) = story.policy.people.iter_mut().find(|p| Some(&p.id) == to.as_ref()) {
                p.identities.push(from);
            }
            return None;
        }
    };
    // A refusal is an answer too.
    let _ = story.tell(event);
    None
}

/// I16 in its own words: distinct linked people with the right, none of them who asked, as it is at this moment.
fn enough_eyes(story: &Story, run: &Run, fresh: &Fresh) -> bool {
    let who = |i| story.policy.person(i);
    let requester = match &run.requested_by {
        Actor::Account(i) => who(i).map(|p| p.id.clone()),
        _ => None,
    };
    let mut eyes = BTreeSet::new();
    for identity in &run.approvals {
        let Some(p) = who(identity) else { continue };
        if p.right >= Right::Approver && fresh.approvers.contains(&p.id) && Some(&p.id) != requester.as_ref() {
            eyes.insert(p.id.clone());
        }
        assert!(run.requested_by != Actor::Account(identity.clone()), "the requester's own account counts for nothing");
    }
    eyes.len() >= usize::from(run.needs)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_starts_without_leave(acts in acts()) {
        let mut story = story();
        let mut starts = BTreeMap::<u32, u32>::new();
        let mut over = BTreeMap::<u32, Phase>::new();
        for a in &acts {
            let approved_before: Vec<u32> = story.incident(1).runs.iter().filter(|(_, r)| r.phase == Phase::Approved).map(|(n, _)| *n).collect();
            let open = story.incident(1).is_open();
            let now = story.now;
            if let Some((request, fresh)) = act(&mut story, a) {
                let run = run(&story, request).unwrap();
                *starts.entry(request).or_default() += 1;
                prop_assert!(approved_before.contains(&request), "started without approval");
                prop_assert!(enough_eyes(&story, run, &fresh), "started without enough eyes: {:?}", run.approvals);
                prop_assert!(now < run.expires_at, "started after its time");
                prop_assert!(run.plan.files == fresh.files, "started with another file");
                prop_assert_eq!(run.plan.sha256(), run.sha256.clone());
                prop_assert_eq!(&story.policy.runbooks[&run.plan.runbook].revision, &run.plan.revision);
                prop_assert!(open, "started in an incident that is over");
            }
            // I17: what is over stays over.
            for (n, r) in &story.incident(1).runs {
                if let Some(was) = over.get(n) {
                    prop_assert_eq!(*was, r.phase, "run #{} came back to life", n);
                }
                if r.phase.is_terminal() {
                    over.insert(*n, r.phase);
                }
            }
        }
        prop_assert!(starts.values().all(|n| *n == 1), "started twice: {:?}", starts);
        for entry in &story.journal {
            if let Fact::RunApproved { request, .. } = &entry.fact {
                prop_assert!(entry.at < run(&story, *request).unwrap().expires_at, "approved after expiry");
            }
        }
    }

    /// An incident that is over has nothing left to approve or to start.
    #[test]
    fn the_end_of_an_incident_ends_its_requests(acts in acts()) {
        let mut story = story();
        for a in &acts {
            act(&mut story, a);
            let incident = story.incident(1);
            if !incident.is_open() {
                let left = incident.runs.values().any(|r| matches!(r.phase, Phase::Requested | Phase::Approved));
                prop_assert!(!left, "{:?} with a request that waits", incident.state);
            }
        }
    }

    /// However often people ask, what was without effect `max_ineffective` times is not run again, and two alike never run at once.
    #[test]
    fn loops_are_broken(acts in acts()) {
        let mut story = story();
        for a in &acts {
            act(&mut story, a);
        }
        let mut alike = BTreeMap::<_, Vec<&Run>>::new();
        for r in story.incident(1).runs.values() {
            alike.entry((r.plan.runbook.clone(), r.plan.params.clone())).or_default().push(r);
        }
        for runs in alike.values() {
            let under_way = runs.iter().filter(|r| !r.phase.is_terminal()).count();
            prop_assert!(under_way <= 1, "two alike under way");
            let vain = runs.iter().filter(|r| {
                r.verdict.as_ref().is_some_and(|v| !v.passed)
                    || r.outcome.as_ref().is_some_and(|o| matches!(o.ended, Ended::Failed { .. } | Ended::TimedOut { .. }))
            });
            prop_assert!(vain.count() <= story.policy.approval.max_ineffective as usize);
        }
    }
}

fn ask_run(by: usize, runbook: &str) -> Event {
    asked(by, Some(1), Intent::Run { runbook: runbook.to_owned(), params: Vec::new(), dry: false })
}

fn approve(by: usize) -> Event {
    asked(by, Some(1), Intent::Approve { request: None, plan: None })
}

#[test]
fn two_accounts_of_one_person_are_one_pair_of_eyes() {
    let mut story = story();
    story.tell(ask_run(2, "failover")).unwrap();
    story.tell(approve(0)).unwrap();
    assert!(story.tell(approve(1)).unwrap_err().because.contains("approved run #1 already"));
    assert!(story.tell(approve(2)).unwrap_err().because.contains("yourself"));
    assert!(story.tell(approve(5)).unwrap_err().because.contains("right"));
    story.tell(approve(3)).unwrap();
    let poised = Event::Poised { incident: INC, request: 1, fresh: fresh(None, "good") };
    assert!(story.tell(poised.clone()).unwrap().is_some());
    assert!(story.tell(poised).unwrap().is_none(), "leave is given once");
}

#[test]
fn linking_requester_and_approver_voids() {
    let mut story = story();
    story.tell(ask_run(0, "restart")).unwrap();
    story.tell(approve(2)).unwrap();
    act(&mut story, &Act::Link { from: 0, to: 2 });
    let poised = Event::Poised { incident: INC, request: 1, fresh: fresh(None, "good") };
    assert!(story.tell(poised).unwrap().is_none());
    assert_eq!(run(&story, 1).unwrap().phase, Phase::Voided);
}

/// I16: who is behind an unlinked account nobody knows, so nobody could tell whether somebody else approves.
#[test]
fn an_unlinked_account_cannot_ask_for_what_needs_four_eyes() {
    let mut story = story();
    assert!(story.tell(ask_run(5, "restart")).unwrap_err().because.contains("linked to nobody"));
    assert!(run(&story, 1).is_none());
}

#[test]
fn expiry_is_exact_to_the_millisecond() {
    for (late, allowed) in [(-1, true), (0, false), (5, false)] {
        let mut story = story();
        story.tell(ask_run(0, "restart")).unwrap();
        story.now = run(&story, 1).unwrap().expires_at.plus(late);
        assert_eq!(story.tell(approve(2)).is_ok(), allowed, "{late} ms");
        let poised = Event::Poised { incident: INC, request: 1, fresh: fresh(None, "good") };
        assert_eq!(story.tell(poised).unwrap().is_some(), allowed, "{late} ms");
    }
}

/// I13: a timer that fired while the clock was ahead is set again, so that a request nobody decides always ends.
#[test]
fn a_timer_that_fired_early_is_set_again() {
    let mut story = story();
    story.tell(ask_run(0, "restart")).unwrap();
    let due = Event::Due { incident: INC, timer: Timer::Expiry { request: 1 } };
    let expires_at = run(&story, 1).unwrap().expires_at;
    let turn = smokejumper::flow::decide::decide(&story.state, due, &story.policy, At(expires_at.0 - HOUR)).unwrap();
    assert!(turn.facts.is_empty());
    assert!(
        turn.effects.iter().any(|e| e.due() == Some(expires_at)),
        "nothing will ever expire it: {:?}",
        turn.effects
    );
}

#[test]
fn a_changed_runbook_voids() {
    let mut story = story();
    story.tell(ask_run(0, "restart")).unwrap();
    story.tell(approve(2)).unwrap();
    let mut other = runbook("restart", 1);
    other.revision = "restart-2".to_owned();
    story.policy.runbooks.insert("restart".to_owned(), other);
    let poised = Event::Poised { incident: INC, request: 1, fresh: fresh(None, "good") };
    assert!(story.tell(poised).unwrap().is_none());
    assert_eq!(run(&story, 1).unwrap().phase, Phase::Voided);
}
