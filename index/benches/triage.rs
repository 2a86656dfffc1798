//! Triage of a whole incident, beside a search library's own best mode for the whole text, in one run.
//!
//! `cargo bench -p smokejumper-index --bench triage -- [CASES]`, by default 20 000: made-up incidents of about 120 words,
//! each of one of 600 kinds with its own service, words and responder. The peer is tantivy's exhaustive union over all
//! terms of the incident (`tweak_score`; its default is 9 to 11 times slower on that many): it only finds, ours also
//! ranks causes and responders and explains. Times are of the processor, so that a busy
//! machine changes them little; where the system counts it in ticks (of 4 ms), only the mean says anything.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it is a measurement: its output is its purpose")]

use smokejumper_index::Memory;
use smokejumper_index::case::{Case, CaseId, Probe};
use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::Instant;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{IndexRecordOption, STORED, Schema, TEXT};
use tantivy::{DocId, Index, Score, SegmentReader, Term, doc};

const CASES: usize = 20_000;
const ASKED: usize = 300;
const KINDS: u64 = 600;
const WORDS: u64 = 40_000;

fn main() {
    // `cargo bench` passes flags of its own.
    let cases = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(CASES);
    let mut memory = Memory::in_memory().unwrap();
    let (before, started) = (resident(), Instant::now());
    let mut learning = Vec::with_capacity(cases);
    for i in 0..cases {
        let case = incident(i as u64);
        let start = worked();
        memory.remember(case).unwrap();
        learning.push(worked() - start);
    }
    memory.flush().unwrap();
    println!("{cases} cases, learnt one by one, each asked about first: {:.1} s", started.elapsed().as_secs_f64());
    println!("memory of ours: {:.1} KiB a case", resident().saturating_sub(before) as f64 / cases as f64);
    show("learn one", learning);

    let (index, text) = peer(cases);
    let searcher = index.reader().unwrap().searcher();
    let asked: Vec<Case> = (0..ASKED).map(|i| incident((cases + i) as u64)).collect();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut found, mut found_theirs, mut right) = (0, 0, 0);
    // One of each in turn: what else the machine does falls on both.
    for case in &asked {
        let probe = probe(case);
        let start = worked();
        let answer = black_box(memory.rank(&probe).unwrap());
        ours.push(worked() - start);
        let kind = case.cause.as_deref();
        found += answer.similar.iter().filter(|s| s.case.cause.as_deref() == kind).count();
        right += usize::from(answer.responders.first().is_some_and(|r| Some(&r.value) == case.responders.first()));
        let start = worked();
        let terms: BTreeSet<String> = words(&format!("{} {}", case.title, case.text)).collect();
        let query = BooleanQuery::new(
            terms
                .iter()
                .map(|word| {
                    let term = TermQuery::new(Term::from_field_text(text, word), IndexRecordOption::WithFreqs);
                    (Occur::Should, Box::new(term) as Box<dyn Query>)
                })
                .collect(),
        );
        let exhaustive = TopDocs::with_limit(10).tweak_score(|_: &SegmentReader| |_: DocId, score: Score| score);
        let hits = black_box(searcher.search(&query, &exhaustive).unwrap());
        theirs.push(worked() - start);
        let same = |at| {
            let doc: tantivy::TantivyDocument = searcher.doc(at).unwrap();
            let id = doc.get_first(index.schema().get_field("id").unwrap());
            id.and_then(|id| tantivy::schema::Value::as_u64(&id))
                .is_some_and(|id| incident(id).cause.as_deref() == kind)
        };
        found_theirs += hits.into_iter().filter(|(_, at)| same(*at)).count();
    }
    show("triage", ours);
    show("peer: tantivy, all terms", theirs);
    let share = |n: usize| n as f64 / (ASKED * 10) as f64;
    println!("P@10 of the same kind: ours {:.3}, peer {:.3}", share(found), share(found_theirs));
    println!("responder right at first: {:.3}", right as f64 / ASKED as f64);
}

fn show(what: &str, mut times: Vec<f64>) {
    times.sort_unstable_by(f64::total_cmp);
    let at = |permille: usize| times.get(times.len() * permille / 1_000).copied().unwrap_or(0.0);
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    println!("{what:26} mean {mean:7.3} ms  p50 {:7.3} ms  p99 {:7.3} ms", at(500), at(990));
}

fn probe(case: &Case) -> Probe {
    Probe {
        at: case.opened_at,
        title: case.title.clone(),
        text: case.text.clone(),
        service: case.service.clone(),
        labels: case.labels.clone(),
        exclude: None,
    }
}

fn peer(cases: usize) -> (Index, tantivy::schema::Field) {
    let mut schema = Schema::builder();
    let (text, id) = (schema.add_text_field("text", TEXT), schema.add_u64_field("id", STORED));
    let index = Index::create_in_ram(schema.build());
    let mut writer = index.writer_with_num_threads(1, 50_000_000).unwrap();
    for i in 0..cases as u64 {
        let case = incident(i);
        writer.add_document(doc!(text => format!("{} {}", case.title, case.text), id => i)).unwrap();
    }
    writer.commit().unwrap();
    (index, text)
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(str::to_owned)
}

/// The i-th incident; a kind's words, then words of everybody, frequent ones more often.
fn incident(i: u64) -> Case {
    let mut lot = Lot(i.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    (0..3).for_each(|_| _ = lot.below(2));
    let kind = lot.below(KINDS);
    let of_kind = |lot: &mut Lot| format!("k{}x{}", kind, lot.below(24));
    let title = (0..6).map(|n| if n < 3 { of_kind(&mut lot) } else { common(&mut lot) }).collect::<Vec<_>>().join(" ");
    let text =
        (0..114).map(|n| if n < 14 { of_kind(&mut lot) } else { common(&mut lot) }).collect::<Vec<_>>().join(" ");
    let at = i64::try_from(i).unwrap() * 600_000;
    Case {
        id: CaseId(format!("INC-{i}")),
        opened_at: at,
        closed_at: Some(at + 60_000),
        title,
        text,
        service: Some(format!("service-{}", kind % 400)),
        labels: BTreeMap::from([("env".into(), ["prod", "test"][usize::try_from(lot.below(2)).unwrap()].into())]),
        cause: Some(format!("cause {kind}")),
        resolution: None,
        responders: vec![format!("person-{}", kind % 300)],
        runbooks: Vec::new(),
        url: None,
    }
}

/// About Zipf's law: the square of an even lot.
fn common(lot: &mut Lot) -> String {
    let even = lot.below(WORDS);
    format!("w{}", even * even / WORDS)
}

struct Lot(u64);

impl Lot {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// Milliseconds that this thread has had of a processor; where the system does not say, of the wall clock.
fn worked() -> f64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let status = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: Option<f64> = status.split_whitespace().next().and_then(|first| first.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed().as_secs_f64() * 1e3, |ns| ns / 1e6)
}

/// Resident memory in KiB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
