//! The demo's memory is data somebody typed: each line must be a case that a reader can check.

use smokejumper_index::case::Case;
use std::collections::BTreeSet;

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
fn the_checkout_outage_finds_company() {
    let related = |word: &str| cases().iter().filter(|case| case.text.contains(word)).count();
    assert!(related("connections") >= 3);
    assert!(related("configuration change") + related("configuration file") >= 3);
}

fn sentences(text: &str) -> usize {
    text.matches(". ").count() + 1
}
