//! The replay keeps time: nothing is used before it is known.

use super::*;
use crate::history::read;
use std::fmt::Write;

/// 200 incidents, one an hour, of four kinds; `owner` says who solved the i-th, `hours` how long it took.
fn history(owner: impl Fn(usize) -> String, hours: impl Fn(usize) -> Option<i64>) -> History {
    let kinds =
        ["disk full on db", "pool exhausted in checkout", "certificate expired at edge", "queue grows in billing"];
    let start: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    let mut lines = String::new();
    for i in 0..200 {
        let at = |hour: i64| start + jiff::SignedDuration::from_hours(hour);
        let hour = i64::try_from(i).unwrap();
        let resolved = hours(i).map_or_else(String::new, |h| format!(r#","resolved_at":"{}""#, at(hour + h)));
        let (opened, title, owner) = (at(hour), kinds[i % 4], owner(i));
        writeln!(
            lines,
            r#"{{"id":"T-{i:03}","opened_at":"{opened}","title":"{title}","responder":"{owner}"{resolved}}}"#
        )
        .unwrap();
    }
    read(lines.as_bytes())
}

fn run(history: &History) -> (Report, Vec<Prediction>) {
    let mut said = Vec::new();
    let mut last = 0;
    let report = replay(history, WARM_UP, |done| last = done, |p| said.push(p)).unwrap();
    assert_eq!((last, said.len()), (200, 200));
    (report, said)
}

fn by_kind(i: usize) -> String {
    ["ana", "bo", "cy", "dee"][i % 4].into()
}

#[test]
fn a_rule_in_the_past_is_found_and_the_baseline_that_cannot_see_it_does_not() {
    let (report, said) = run(&history(by_kind, |_| Some(2)));
    let top1: Vec<f64> = report.systems.iter().map(|s| s.responder.as_ref().unwrap().top1).collect();
    assert!(top1[0] > 0.99 && top1[2] < 0.3, "{top1:?}");
    assert!(said[199].p.responder[0] > 0.8, "a record of being right makes sure: {:?}", said[199].p);
    assert_eq!(run(&history(by_kind, |_| Some(2))).1, said, "deterministic");
}

#[test]
fn an_outcome_is_used_from_the_moment_it_is_known() {
    let (_, said) = run(&history(by_kind, |_| Some(10)));
    // T-000 is solved at hour 10, when T-010 opens; T-004 is of its kind but comes too early, T-012 is in time.
    assert!(said[..10].iter().all(|p| p.responders.is_empty()));
    assert_eq!(said[12].responders[0], "ana");
    assert!(said[4].similar.contains(&"T-000".to_owned()), "its inputs are known at once");
}

#[test]
fn what_is_never_resolved_is_never_used() {
    let (_, said) = run(&history(by_kind, |i| (i == 199).then_some(1)));
    assert!(said.iter().all(|p| p.responders.is_empty()));
}

#[test]
fn without_close_times_an_outcome_is_known_after_its_own_prediction() {
    let (_, said) = run(&history(by_kind, |_| None));
    assert!(said[0].responders.is_empty());
    assert_eq!(said[4].responders[0], "ana");
}

#[test]
fn similar_incidents_are_earlier_ones() {
    let (_, said) = run(&history(by_kind, |_| Some(1)));
    for prediction in &said {
        assert!(prediction.similar.iter().all(|id| *id < prediction.id));
        assert!(prediction.similar.len() <= crate::memory::SIMILAR);
    }
}

#[test]
fn with_labels_drawn_by_lot_nobody_beats_the_majority_and_nobody_claims_to() {
    // A fixed pseudo-random order in which "ana" has half of all.
    let lot = |i: usize| if i * i * 7919 % 101 < 50 { "ana".into() } else { format!("other-{}", i * 31 % 5) };
    let (report, said) = run(&history(lot, |_| Some(1)));
    let ours = report.systems[0].responder.as_ref().unwrap();
    let majority = report.systems[2].responder.as_ref().unwrap().top1;
    assert!(ours.top1 <= majority + 0.05, "{} against {majority}", ours.top1);
    assert!(said.iter().all(|p| p.p.responder.first().is_none_or(|p| *p < 0.8)));
}

#[test]
fn a_canary_is_never_heard_before_its_time() {
    // Each name belongs to one incident, so whoever says it knows that outcome.
    let hours = |i: usize| i64::try_from(1 + i * 7 % 23).unwrap();
    let (_, said) = run(&history(|i| format!("canary {i}"), |i| Some(hours(i))));
    let mut heard = 0;
    for (now, prediction) in (0_i64..).zip(&said) {
        for name in &prediction.responders {
            let of: usize = name.strip_prefix("canary ").unwrap().parse().unwrap();
            assert!(i64::try_from(of).unwrap() + hours(of) <= now, "{name} is known to {}", prediction.id);
            heard += 1;
        }
    }
    assert!(heard > 500, "only {heard} names were said: it proves nothing");
}
