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
        let (soon, later) = (early.rank(&probe).unwrap(), late.rank(&probe).unwrap());
        prop_assert_eq!((soon.seen, soon.of, soon.since, &soon.similar), (later.seen, later.of, later.since, &later.similar));
        // What was forgotten leaves what was learnt with the next flush.
        if !steps.iter().any(|step| matches!(step, Step::Forget(_))) {
            prop_assert_eq!(soon, later);
        }
        prop_assert_eq!(early.search(&probe.title, 10).unwrap(), late.search(&probe.title, 10).unwrap());
    }

    #[test]
    fn every_candidate_has_evidence_and_probabilities_are_probabilities(steps in steps(), probe in some_probe()) {
        let mut memory = Memory::in_memory().unwrap();
        let naive = follow(&steps, &mut memory, false);
        let answer = memory.rank(&probe).unwrap();
        prop_assert_eq!(answer.since, naive.0.values().map(|c| c.opened_at).min());
        for ranked in [&answer.causes, &answer.responders] {
            prop_assert!(ranked.len() <= answer::CANDIDATES);
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
fn a_small_history_is_believed_a_little() {
    let mut memory = Memory::in_memory().unwrap();
    let p = |memory: &Memory, title| memory.rank(&probe(title)).unwrap().causes[0].p;
    memory.remember(Case { cause: Some("log rotation".into()), ..case(1, "disk full on db node", 1) }).unwrap();
    let alone = p(&memory, "disk full on db node");
    assert!(alone < 0.6, "one case proves little: {alone}");
    memory.remember(Case { cause: Some("expired".into()), ..case(2, "certificate rejected at the edge", 2) }).unwrap();
    let twin = memory.rank(&probe("disk full on db node")).unwrap();
    assert_eq!(twin.causes[0].value, "log rotation");
    let stranger = p(&memory, "tsunami on a distant node");
    assert!(twin.causes[0].p > stranger, "{} and {stranger}", twin.causes[0].p);
}

/// Twenty incidents, five people, each with their own kind.
fn small_team() -> Vec<Case> {
    let kinds = ["disk full on db", "pool exhausted in checkout", "certificate expired", "queue grows", "login fails"];
    let people = ["ana", "bo", "cy", "dee", "eve"];
    let of = |i: u8| (kinds[usize::from(i % 5)], people[usize::from(i % 5)]);
    (0..20_u8)
        .map(|i| Case {
            closed_at: Some(i64::from(i) * 1_000 + 500),
            responders: vec![of(i).1.into()],
            cause: (i % 2 == 0).then(|| of(i).0.to_owned()),
            ..case(i, &format!("{} on node {i}", of(i).0), i64::from(i) * 1_000)
        })
        .collect()
}

#[test]
fn five_people_with_twenty_incidents_get_sensible_answers() {
    let mut memory = Memory::in_memory().unwrap();
    for case in small_team() {
        memory.remember(case).unwrap();
    }
    let answer = memory.rank(&probe("queue grows on node 77")).unwrap();
    assert_eq!(answer.responders[0].value, "dee");
    assert!((0.5..0.95).contains(&answer.responders[0].p), "{}", answer.responders[0].p);
    assert_eq!(answer.responders[0].evidence.len(), 4);
    let features = &answer.responders[0].features;
    assert!(!features.is_empty() && features.len() <= answer::NAMED && features[0].1 > 0.0, "{features:?}");
    let unlike = memory.rank(&probe("tsunami in the north of another node")).unwrap();
    assert!(unlike.responders[0].p < 0.4, "hardly anything like it: {}", unlike.responders[0].p);
}

#[test]
fn sureness_follows_the_record() {
    let mut memory = Memory::in_memory().unwrap();
    let people = ["ana", "bo"];
    let by = |i: u8, who: usize| Case { responders: vec![people[who].into()], ..case(i, "disk full", i64::from(i)) };
    memory.remember(by(1, 0)).unwrap();
    memory.remember(by(2, 1)).unwrap();
    let asked = probe("disk full");
    let before = memory.rank(&asked).unwrap();
    let p = |answer: &Answer, who: &str| answer.responders.iter().find(|r| r.value == who).map_or(0.0, |r| r.p);
    for i in 3..30 {
        let said = memory.rank(&asked).unwrap();
        memory.learn(by(i, 0), Some(&said.memo)).unwrap();
    }
    let after = memory.rank(&asked).unwrap();
    assert!(p(&after, "ana") > p(&before, "ana") + 0.2, "{} then {}", p(&before, "ana"), p(&after, "ana"));
    assert_ne!(before.model, after.model);
    for i in 30..90 {
        memory.learn(by(i, 1), Some(&memory.rank(&asked).unwrap().memo)).unwrap();
    }
    let turned = memory.rank(&asked).unwrap();
    assert!(p(&turned, "ana") < 0.3 && p(&turned, "bo") > 0.6, "people come and go: {:?}", turned.responders);
}

#[test]
fn an_outcome_comes_in_pieces_is_corrected_and_counts_once() {
    let mut memory = Memory::in_memory().unwrap();
    let open = case(1, "disk full", 10);
    let learnt = |memory: &Memory| memory.rank(&probe("disk full")).unwrap();
    memory.remember(open.clone()).unwrap();
    assert!(learnt(&memory).responders.is_empty());
    let taken = Case { responders: vec!["ana".into()], ..open.clone() };
    memory.remember(taken.clone()).unwrap();
    let early = learnt(&memory);
    assert_eq!((early.responders[0].value.as_str(), early.causes.len()), ("ana", 0), "learnt when it was taken");
    memory.remember(taken.clone()).unwrap();
    assert_eq!(learnt(&memory), early, "said again, it is no news");
    memory.remember(Case { cause: Some("logs".into()), ..taken }).unwrap();
    assert_eq!(learnt(&memory).causes[0].value, "logs");
    memory.remember(Case { responders: vec!["bo".into()], cause: Some("logs".into()), ..open }).unwrap();
    let corrected = learnt(&memory);
    assert_eq!(corrected.responders.iter().map(|r| r.value.as_str()).collect::<Vec<_>>(), ["bo"], "ana is in no case");
}

#[test]
fn a_forgotten_case_leaves_nothing_in_what_was_learnt() {
    let dir = tempfile::tempdir().unwrap();
    let (mut memory, _) = Memory::open(dir.path()).unwrap();
    let secret = Case { responders: vec!["zorro".into()], cause: Some("heist".into()), ..case(77, "vault is open", 5) };
    memory.remember(secret.clone()).unwrap();
    for case in small_team() {
        memory.remember(case).unwrap();
    }
    memory.flush().unwrap();
    let holds = |dir: &Path| {
        let mut files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let learnt = files.find(|path| path.file_name().unwrap().to_string_lossy().starts_with("learnt-"));
        std::fs::read(learnt.unwrap()).unwrap().windows(5).any(|bytes| bytes == b"zorro" || bytes == b"heist")
    };
    assert!(holds(dir.path()));
    memory.forget(&secret.id).unwrap();
    memory.flush().unwrap();
    assert!(!holds(dir.path()), "neither the person nor the cause");
    let answer = memory.rank(&probe("queue grows on node 5")).unwrap();
    assert_eq!(answer.responders[0].value, "dee", "the rest is still known");
}

#[test]
fn after_a_restart_it_says_the_same_to_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    let (mut memory, _) = Memory::open(dir.path()).unwrap();
    let mut twin = Memory::in_memory().unwrap();
    for (i, case) in small_team().into_iter().enumerate() {
        memory.remember(case.clone()).unwrap();
        twin.remember(case).unwrap();
        if i == 9 {
            memory.flush().unwrap();
            drop(memory);
            memory = Memory::open(dir.path()).unwrap().0;
        }
    }
    let asked = probe("certificate expired on node 5");
    assert_eq!(memory.rank(&asked).unwrap(), twin.rank(&asked).unwrap());
}

#[test]
fn a_memo_of_somebody_else_is_not_believed() {
    for memo in ["", "zz", "00", &"ff".repeat(500), &"0".repeat(7)] {
        let mut memory = Memory::in_memory().unwrap();
        let mut twin = Memory::in_memory().unwrap();
        for case in small_team() {
            memory.learn(case.clone(), Some(memo)).unwrap();
            twin.remember(case).unwrap();
        }
        let asked = probe("queue grows");
        assert_eq!(memory.rank(&asked).unwrap(), twin.rank(&asked).unwrap(), "{memo}");
    }
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
