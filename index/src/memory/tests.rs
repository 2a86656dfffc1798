//! Memory against a model that does by definition what memory does by index.

use super::*;
use crate::schema::Kind;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;

const VOCABULARY: [&str; 12] =
    ["disk", "full", "pool", "exhausted", "checkout", "latency", "HikariPool", "timeout", "db", "node", "größe", "42"];

fn case(id: u8, title: &str, opened_at: i64) -> Case {
    Case {
        id: CaseId(format!("INC-{id}")),
        opened_at,
        closed_at: None,
        title: title.to_owned(),
        text: String::new(),
        service: None,
        labels: BTreeMap::new(),
        cause: None,
        resolution: None,
        responders: Vec::new(),
        runbooks: Vec::new(),
        url: None,
    }
}

fn probe(title: &str) -> Probe {
    let (text, service) = (String::new(), None);
    Probe { at: 1_000_000, title: title.to_owned(), text, service, labels: BTreeMap::new(), exclude: None }
}

fn sentence() -> impl Strategy<Value = String> {
    vec(proptest::sample::select(&VOCABULARY[..]), 0..8).prop_map(|words| words.join(" "))
}

fn some_labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map("(env|team)", "(prod|eu, us|a)", 0..3)
}

fn some_case() -> impl Strategy<Value = Case> {
    let outcome =
        (proptest::option::of("(cert|disk)"), vec("(ana|bo|cy)", 0..3), proptest::option::of(0..2_000_000_i64));
    (0..12_u8, sentence(), sentence(), some_labels(), 0..2_000_000_i64, outcome).prop_map(
        |(id, title, text, labels, opened_at, (cause, responders, closed_at))| Case {
            closed_at,
            text,
            labels,
            cause,
            responders,
            ..case(id, &title, opened_at)
        },
    )
}

fn some_probe() -> impl Strategy<Value = Probe> {
    let exclude = proptest::option::of(0..12_u8).prop_map(|id| id.map(|id| CaseId(format!("INC-{id}"))));
    (sentence(), sentence(), some_labels(), exclude).prop_map(|(title, text, labels, exclude)| Probe {
        text,
        labels,
        exclude,
        ..probe(&title)
    })
}

#[derive(Clone, Debug)]
enum Step {
    Remember(Box<Case>),
    Forget(u8),
    Flush,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => some_case().prop_map(|case| Step::Remember(Box::new(case))),
        2 => (0..12_u8).prop_map(Step::Forget),
        1 => Just(Step::Flush),
    ];
    vec(step, 0..40)
}

/// Every case, every term, straight from the definitions.
#[derive(Default)]
struct Naive(BTreeMap<CaseId, Case>);

impl Naive {
    fn recall(&self, probe: &Probe) -> Vec<(CaseId, f64, f64)> {
        let all: Vec<(&Case, Terms)> = self.0.values().map(|c| (c, Terms::of_case(c))).collect();
        let count = all.len() as f64;
        let mean = all.iter().map(|(_, t)| f64::from(t.length())).sum::<f64>() / count.max(1.0);
        let times = |terms: &Terms, kind, text: &str| match kind {
            Kind::Word => terms.words.get(text).copied().unwrap_or(0),
            Kind::Label => u32::from(terms.labels.iter().any(|l| l == text)),
            Kind::About => 0,
        };
        let mut weighed = Vec::new();
        let mut whole = 0.0;
        for term in query::of_probe(probe) {
            let frequency = all.iter().filter(|(_, t)| times(t, term.kind, &term.text) > 0).count() as f64;
            let field = if term.kind == Kind::Label { query::OURS.label } else { 1.0 };
            let repetition = 1.0 + query::OURS.repeat * f64::from(term.times - 1);
            let weight = (1.0 + (count - frequency + 0.5) / (frequency + 0.5)).ln() * repetition * field;
            let identifier = term.text.bytes().any(|b| b.is_ascii_digit());
            whole += if frequency > 0.0 || !identifier { weight } else { 0.0 };
            weighed.push((term, weight));
        }
        let mut found = Vec::new();
        for (case, terms) in &all {
            let (mut score, mut covered) = (0.0, 0.0);
            for (term, weight) in &weighed {
                let n = f64::from(times(terms, term.kind, &term.text));
                if n > 0.0 {
                    let length = if term.kind == Kind::Word { f64::from(terms.length()) / mean } else { 1.0 };
                    let (k1, b) = (query::OURS.k1, query::OURS.b);
                    score += weight * n * (k1 + 1.0) / (n + k1 * (1.0 - b + b * length));
                    covered += weight;
                }
            }
            if score > 0.0 && case.opened_at <= probe.at && probe.exclude.as_ref() != Some(&case.id) {
                found.push((case.id.clone(), score, covered / whole));
            }
        }
        found
    }
}

fn follow(steps: &[Step], memory: &mut Memory, always_flush: bool) -> Naive {
    let mut naive = Naive::default();
    let mut turn = 0;
    for step in steps {
        match step {
            Step::Remember(case) => {
                memory.remember(Case::clone(case)).unwrap();
                naive.0.insert(case.id.clone(), Case::clone(case));
            }
            Step::Forget(id) => {
                let id = CaseId(format!("INC-{id}"));
                assert_eq!(memory.forget(&id).unwrap(), naive.0.remove(&id).is_some());
            }
            Step::Flush => memory.flush().unwrap(),
        }
        if always_flush {
            // A commit takes milliseconds: one for every third step shows the same.
            turn += 1;
            if turn % 3 == 0 {
                memory.flush().unwrap();
            }
        }
    }
    naive
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn recall_is_what_the_definitions_say(steps in steps(), probe in some_probe()) {
        let mut memory = Memory::in_memory().unwrap();
        let naive = follow(&steps, &mut memory, false);
        prop_assert_eq!(memory.len(), naive.0.len() as u64);
        let found = memory.recall(&probe, 100).unwrap();
        let mut expected = naive.recall(&probe);
        prop_assert!(found.is_sorted_by(|a, b| a.score >= b.score));
        prop_assert_eq!(found.len(), expected.len());
        for recalled in &found {
            let at = expected.iter().position(|(id, ..)| *id == recalled.case.id);
            let (id, score, similarity) = expected.swap_remove(at.unwrap());
            prop_assert!((recalled.score - score).abs() < 1e-9, "{:?}: {} is not {}", id, recalled.score, score);
            prop_assert!((recalled.similarity - similarity).abs() < 1e-9);
            let mut kept = naive.0[&id].clone();
            if kept.closed_at.is_some_and(|at| at > probe.at) {
                kept = as_opened(kept);
            }
            prop_assert_eq!(&recalled.case, &kept);
            prop_assert!(!recalled.shared.is_empty() && recalled.shared.len() <= explain::SHARED);
            prop_assert!(recalled.snippet.chars().count() <= explain::SNIPPET_CHARS);
        }
    }

    #[test]
    fn when_it_was_flushed_changes_no_answer(steps in steps(), probe in some_probe()) {
        let (mut early, mut late) = (Memory::in_memory().unwrap(), Memory::in_memory().unwrap());
        follow(&steps, &mut early, true);
        follow(&steps, &mut late, false);
        prop_assert_eq!(early.rank(&probe).unwrap(), late.rank(&probe).unwrap());
        prop_assert_eq!(early.search(&probe.title, 10).unwrap(), late.search(&probe.title, 10).unwrap());
    }

    #[test]
    fn every_candidate_has_evidence_and_probabilities_are_probabilities(steps in steps(), probe in some_probe()) {
        let mut memory = Memory::in_memory().unwrap();
        let naive = follow(&steps, &mut memory, false);
        let answer = memory.rank(&probe).unwrap();
        prop_assert_eq!(answer.since, naive.0.values().map(|c| c.opened_at).min());
        for ranked in [&answer.causes, &answer.responders] {
            prop_assert!(ranked.len() <= rank::CANDIDATES);
            prop_assert!(ranked.is_sorted_by(|a, b| a.p >= b.p));
            prop_assert!(ranked.iter().map(|r| r.p).sum::<f64>() <= 1.0 + 1e-9);
        }
        for r in answer.causes.iter().chain(&answer.responders) {
            prop_assert!((0.0..=1.0).contains(&r.p) && !r.evidence.is_empty());
            for (id, share) in &r.evidence {
                let case = &naive.0[id];
                prop_assert!(case.cause.as_ref() == Some(&r.value) || case.responders.contains(&r.value));
                prop_assert!(*share > 0.0 && *share <= 1.0 + 1e-9);
                prop_assert!(case.opened_at <= probe.at && case.closed_at.is_none_or(|at| at <= probe.at));
                prop_assert!(probe.exclude.as_ref() != Some(id));
            }
        }
    }

    #[test]
    fn any_text_is_taken(
        title in any::<String>(), text in "(?s).{0,300}", key in any::<String>(), value in any::<String>(), asked in any::<String>(),
    ) {
        let mut memory = Memory::in_memory().unwrap();
        let wild = Case {
            id: CaseId(value.clone()),
            text,
            service: Some(key.clone()),
            labels: BTreeMap::from([(key, value.clone())]),
            cause: Some(value.clone()),
            responders: vec![value],
            ..case(1, &title, 0)
        };
        let probe = Probe { text: asked.clone(), labels: wild.labels.clone(), service: wild.service.clone(), ..probe(&wild.title) };
        for _ in 0..2 {
            memory.remember(wild.clone()).unwrap();
            prop_assert_eq!(memory.len(), 1);
            memory.rank(&probe).unwrap();
            memory.search(&asked, 5).unwrap();
            memory.flush().unwrap();
        }
        prop_assert!(memory.forget(&wild.id).unwrap());
        prop_assert!(memory.recall(&probe, 5).unwrap().is_empty());
    }
}

#[test]
fn a_huge_text_is_kept_and_indexed_within_its_bounds() {
    let mut memory = Memory::in_memory().unwrap();
    let text = "connection pool exhausted ".repeat(200_000) + "zebra";
    memory.remember(Case { text, ..case(1, &"ü".repeat(5_000), 0) }).unwrap();
    let found = memory.search("pool", 5).unwrap();
    assert!(found[0].case.text.len() <= crate::tokenize::TEXT_BYTES);
    assert!(found[0].case.title.len() <= crate::tokenize::TITLE_BYTES);
    assert!(memory.search("zebra", 5).unwrap().is_empty());
}

#[test]
fn search_finds_what_came_out_of_it_and_labels() {
    let mut memory = Memory::in_memory().unwrap();
    let solved = Case {
        text: "Requests wait for a long time. ".repeat(20) + "The connection pools were exhausted by a slow report.",
        cause: Some("leaked connections".into()),
        resolution: Some("Restarted the reporting job".into()),
        responders: vec!["ana".into()],
        service: Some("checkout".into()),
        labels: BTreeMap::from([("env".into(), "prod".into())]),
        ..case(1, "Checkout answers 500", 10)
    };
    memory.remember(solved).unwrap();
    memory.remember(case(2, "Certificate expired", 20)).unwrap();
    for words in ["connection pool exhausted", "leaked", "reporting jobs", "ana", "env=prod", "checkout"] {
        let found = memory.search(words, 5).unwrap();
        assert_eq!(found.len(), 1, "{words}");
        assert_eq!(found[0].case.id.0, "INC-1", "{words}");
    }
    let found = memory.search("connection pool exhausted", 5).unwrap();
    assert_eq!(found[0].shared, ["connection", "exhausted", "pools"].map(String::from), "as the case writes them");
    assert!(found[0].snippet.contains("connection pools were exhausted"), "{}", found[0].snippet);
    assert!((found[0].similarity - 1.0).abs() < 1e-9);
}

#[test]
fn the_same_alert_counts_as_seen_and_a_new_one_does_not() {
    let mut memory = Memory::in_memory().unwrap();
    for (id, title) in
        [(1, "checkout: HikariPool exhausted"), (2, "checkout: HikariPool exhausted"), (3, "disk full on db 7")]
    {
        memory.remember(Case { cause: Some("pool too small".into()), ..case(id, title, i64::from(id)) }).unwrap();
    }
    let answer = memory.rank(&probe("checkout: HikariPool exhausted")).unwrap();
    assert_eq!((answer.seen, answer.of, answer.since), (2, 3, Some(1)));
    let new = memory.rank(&probe("tsunami in the canteen")).unwrap();
    assert_eq!((new.seen, new.causes.len(), new.similar.len()), (0, 0, 0));
}

#[test]
fn without_a_record_a_twin_is_worth_more_than_a_distant_relative() {
    let mut memory = Memory::in_memory().unwrap();
    memory.remember(Case { cause: Some("log rotation".into()), ..case(1, "disk full on db node", 1) }).unwrap();
    let p = |title| memory.rank(&probe(title)).unwrap().causes[0].p;
    let (twin, relative) = (p("disk full on db node"), p("node rebooted after kernel update"));
    assert!(twin > 0.35 && twin < 0.5 && relative < 0.25, "{twin} and {relative}");
}

#[test]
fn sureness_follows_the_record() {
    let mut memory = Memory::in_memory().unwrap();
    memory.remember(Case { responders: vec!["ana".into()], ..case(1, "disk full", 1) }).unwrap();
    let asked = probe("disk full");
    let first = memory.rank(&asked).unwrap();
    for _ in 0..50 {
        memory.learn(&first, &Outcome { cause: None, responders: vec!["ana".into()] });
    }
    let second = memory.rank(&asked).unwrap();
    assert!(
        second.responders[0].p > first.responders[0].p + 0.2,
        "{} then {}",
        first.responders[0].p,
        second.responders[0].p
    );
    assert_ne!(first.model, second.model);
    for _ in 0..400 {
        memory.learn(&first, &Outcome { cause: None, responders: vec!["bo".into()] });
    }
    assert!(memory.rank(&asked).unwrap().responders[0].p < 0.3);
    let foreign = Answer { model: "other-1".into(), ..first };
    let before = memory.rank(&asked).unwrap();
    memory.learn(&foreign, &Outcome { cause: None, responders: vec!["ana".into()] });
    assert_eq!(memory.rank(&asked).unwrap(), before, "another model's features mean something else");
}

#[test]
fn what_it_contains_is_known_wherever_it_is() {
    let mut memory = Memory::in_memory().unwrap();
    let (one, two) = (CaseId("INC-1".into()), CaseId("INC-2".into()));
    assert!(!memory.contains(&one).unwrap());
    memory.remember(case(1, "disk full", 1)).unwrap();
    assert!(memory.contains(&one).unwrap() && !memory.contains(&two).unwrap(), "in the tail");
    memory.flush().unwrap();
    memory.remember(case(2, "disk full", 2)).unwrap();
    assert!(memory.contains(&one).unwrap() && memory.contains(&two).unwrap(), "on disk, and in the tail");
    memory.forget(&one).unwrap();
    assert!(!memory.contains(&one).unwrap(), "forgotten, and still on disk");
    memory.flush().unwrap();
    assert!(!memory.contains(&one).unwrap() && memory.contains(&two).unwrap());
}

#[test]
fn the_tail_flushes_itself_when_it_is_full() {
    let mut memory = Memory::in_memory().unwrap();
    for i in 0..=TAIL {
        let id = CaseId(format!("INC-{i}"));
        memory.remember(Case { id, ..case(0, "disk full", 0) }).unwrap();
    }
    assert_eq!((memory.unflushed(), memory.len()), (1, TAIL as u64 + 1));
}
