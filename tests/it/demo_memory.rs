//! The demo's memory is data somebody typed: each line must be a case that a reader can check.

use smokejumper_index::Memory;
use smokejumper_index::case::{Case, Probe};
use std::collections::{BTreeMap, BTreeSet};

const MEMORY: &str = include_str!("../../src/cli/demo/memory.jsonl");
const NOTICE: &str = include_str!("../../src/cli/demo/NOTICE.md");
/// 2010-01-01 and 2027-01-01 UTC, in epoch milliseconds: a date outside is a slip of a unit.
const PLAUSIBLE: std::ops::Range<i64> = 1_262_304_000_000..1_798_761_600_000;

fn cases() -> Vec<Case> {
    MEMORY.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

#[test]
fn every_case_is_complete_and_has_its_source() {
    let cases = cases();
    assert!(cases.len() >= 14, "only {} cases", cases.len());
    for case in &cases {
        let id = &case.id.0;
        assert!(PLAUSIBLE.contains(&case.opened_at), "{id}: opened_at");
        assert!(case.closed_at.is_none_or(|closed| closed > case.opened_at), "{id}: closed before it opened");
        assert!((2..=5).contains(&sentences(&case.text)), "{id}: {} sentences", sentences(&case.text));
        assert!(case.url.as_deref().is_some_and(|url| url.starts_with("https://")), "{id}: no link");
        assert!(
            case.cause.is_some() && case.resolution.is_some() && case.service.is_some(),
            "{id}: a target is missing"
        );
        assert!(
            !case.responders.is_empty() && case.responders.iter().all(|r| r.ends_with(" team")),
            "{id}: not a role"
        );
        assert!(case.runbooks.is_empty(), "{id}: a public incident never ran one of our runbooks");
        assert!(NOTICE.contains(&format!("| {id} |")), "{id}: NOTICE.md does not say what it was checked against");
    }
    assert_eq!(NOTICE.matches("| public-").count(), cases.len(), "NOTICE.md lists a case that is gone");
}

#[test]
fn ids_are_unique_and_in_order_of_time() {
    let cases = cases();
    let ids: BTreeSet<_> = cases.iter().map(|case| &case.id).collect();
    assert_eq!(ids.len(), cases.len());
    assert!(cases.is_sorted_by_key(|case| case.opened_at));
}

#[test]
fn an_outage_like_the_demos_finds_company() {
    let mut memory = Memory::in_memory().unwrap();
    for case in cases() {
        memory.remember(case).unwrap();
    }
    let causes_near = |text: &str| -> Vec<String> {
        let probe = Probe {
            at: PLAUSIBLE.end,
            title: "CheckoutErrors: checkout answers with errors".into(),
            text: text.into(),
            service: Some("checkout".into()),
            labels: BTreeMap::new(),
            exclude: None,
        };
        memory.recall(&probe, 5).unwrap().into_iter().filter_map(|found| found.case.cause).collect()
    };
    let near = causes_near("the database connection pool is exhausted, requests time out");
    assert_eq!(near.iter().filter(|cause| *cause == "connection pool exhausted").count(), 2, "{near:?}");
    let near = causes_near("HTTP 5xx since the last configuration change");
    assert_eq!(near.first().map(String::as_str), Some("bad configuration change"), "{near:?}");
}

fn sentences(text: &str) -> usize {
    text.matches(". ").count() + 1
}
