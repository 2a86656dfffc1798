//! A damaged index is noticed when it is opened and replaced; an index that is only out of reach is left alone.

use crate::case::{Case, CaseId, Probe};
use crate::memory::{Memory, Opened, TAIL_AT_MOST};
use crate::trouble::Trouble;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::{TempDir, tempdir};

const CASES: u64 = 60;

fn case(i: u64) -> Case {
    Case {
        id: CaseId(format!("INC-{i}")),
        opened_at: i64::try_from(i).unwrap(),
        closed_at: None,
        title: format!("disk full on node {i}"),
        text: "the volume of the database has no space left".into(),
        service: Some("db".into()),
        labels: BTreeMap::from([("env".into(), "prod".into())]),
        cause: Some("log rotation".into()),
        resolution: None,
        responders: vec!["ana".into(), "bo".into()],
        runbooks: Vec::new(),
        url: None,
    }
}

fn probe() -> Probe {
    let (title, text) = ("disk full".into(), String::new());
    Probe { at: 1_000, title, text, service: Some("db".into()), labels: BTreeMap::new(), exclude: None }
}

/// A copy of one index, which is made once: making it costs several fsyncs.
fn sound() -> TempDir {
    static MADE: OnceLock<Vec<(PathBuf, Vec<u8>)>> = OnceLock::new();
    let dir = tempdir().unwrap();
    for (path, bytes) in MADE.get_or_init(|| contents(made().path())) {
        fs::write(dir.path().join(path.file_name().unwrap()), bytes).unwrap();
    }
    dir
}

/// A directory with an index of [`CASES`] cases, some of them deleted again, and mark 7.
fn made() -> TempDir {
    let dir = tempdir().unwrap();
    let (mut memory, opened) = Memory::open(dir.path()).unwrap();
    assert_eq!(opened, Opened::Fresh { because: "there is no index yet".into() });
    for i in 0..CASES + 2 {
        memory.remember(case(i)).unwrap();
    }
    memory.flush().unwrap();
    memory.forget(&CaseId("INC-60".into())).unwrap();
    memory.forget(&CaseId("INC-61".into())).unwrap();
    memory.set_mark(7);
    memory.flush().unwrap();
    dir
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(dir)
        .into_iter()
        .filter(|p| !p.to_string_lossy().ends_with(".lock"))
        .map(|p| (p.clone(), fs::read(p).unwrap()))
        .collect()
}

fn segment_files(dir: &Path) -> Vec<PathBuf> {
    files(dir).into_iter().filter(|p| super::is_ours(p) && p.extension().is_some_and(|e| e != "json")).collect()
}

/// Opening says why it starts afresh, and what comes in afterwards is kept.
fn assert_fresh(dir: &Path, damage: &str) {
    let (mut memory, opened) = Memory::open(dir).unwrap();
    assert!(matches!(&opened, Opened::Fresh { because } if !because.is_empty()), "{damage}: {opened:?}");
    assert_eq!(memory.len(), 0, "{damage}");
    memory.remember(case(1)).unwrap();
    memory.flush().unwrap();
    drop(memory);
    let (memory, opened) = Memory::open(dir).unwrap();
    assert_eq!(opened, Opened::Ready { cases: 1, mark: 0 }, "{damage}");
    assert_eq!(memory.recall(&probe(), 5).unwrap().len(), 1, "{damage}");
}

#[test]
fn a_sound_index_is_opened_with_its_mark() {
    let dir = sound();
    let (mut memory, opened) = Memory::open(dir.path()).unwrap();
    assert_eq!(opened, Opened::Ready { cases: CASES, mark: 7 });
    let answer = memory.rank(&probe()).unwrap();
    assert_eq!(answer.responders[0].value, "ana");
    // What was not flushed is lost with the process, and the mark says so.
    memory.remember(case(99)).unwrap();
    memory.set_mark(8);
    drop(memory);
    let (mut memory, opened) = Memory::open(dir.path()).unwrap();
    assert_eq!(opened, Opened::Ready { cases: CASES, mark: 7 });
    assert_eq!(memory.rank(&probe()).unwrap(), answer);
    memory.learn(Case { cause: Some("a fork bomb".into()), ..case(1) }, Some(&answer.memo)).unwrap();
    memory.flush().unwrap();
    let learnt = memory.rank(&probe()).unwrap();
    assert_ne!(learnt.model, answer.model);
    // A mark alone is worth a flush: without it the next start would read the whole journal again.
    memory.set_mark(9);
    memory.flush().unwrap();
    drop(memory);
    let (memory, opened) = Memory::open(dir.path()).unwrap();
    assert_eq!(opened, Opened::Ready { cases: CASES, mark: 9 });
    assert_eq!(memory.rank(&probe()).unwrap(), learnt);
}

#[test]
fn a_damaged_or_missing_meta_file_starts_afresh() {
    for name in ["meta.json", ".managed.json"] {
        for content in ["", "{", "[]", "null", "\u{0}\u{0}\u{0}", r#"{"segments":[{"segment_id":"x"}]}"#] {
            if name == ".managed.json" && content == "[]" {
                continue; // What tantivy itself writes for an index that manages no file yet.
            }
            let dir = sound();
            fs::write(dir.path().join(name), content).unwrap();
            assert_fresh(dir.path(), &format!("{name} = {content:?}"));
        }
    }
    let dir = sound();
    fs::remove_file(dir.path().join("meta.json")).unwrap();
    assert_fresh(dir.path(), "no meta.json");
}

#[test]
fn a_missing_or_cut_segment_file_starts_afresh() {
    let count = segment_files(sound().path()).len();
    assert!(count >= 5, "the test must meet term dictionary, postings, columns, store and deletes");
    for number in 0..count {
        for keep in [None, Some(0.0), Some(0.5), Some(0.99)] {
            let dir = sound();
            let path = &segment_files(dir.path())[number];
            let bytes = fs::read(path).unwrap();
            match keep {
                None => fs::remove_file(path).unwrap(),
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
                Some(share) => fs::write(path, &bytes[..(bytes.len() as f64 * share) as usize]).unwrap(),
            }
            assert_fresh(dir.path(), &format!("{} keeping {keep:?}", path.display()));
        }
    }
}

#[test]
fn another_schema_or_version_starts_afresh() {
    let dir = tempdir().unwrap();
    let mut other = tantivy::schema::SchemaBuilder::default();
    other.add_text_field("title", tantivy::schema::TEXT);
    tantivy::Index::create_in_dir(dir.path(), other.build()).unwrap();
    assert_fresh(dir.path(), "another schema");

    let dir = sound();
    let meta = fs::read_to_string(dir.path().join("meta.json")).unwrap();
    let now = format!(r#"\"version\":{}"#, crate::schema::VERSION);
    assert!(meta.contains(&now), "{meta}");
    fs::write(dir.path().join("meta.json"), meta.replace(&now, r#"\"version\":4000"#)).unwrap();
    assert_fresh(dir.path(), "another version");
}

#[test]
fn starting_afresh_leaves_other_files_alone() {
    let dir = sound();
    fs::write(dir.path().join("journal.db"), "precious").unwrap();
    fs::write(dir.path().join("meta.json"), "").unwrap();
    let segments = segment_files(dir.path());
    assert_fresh(dir.path(), "empty meta.json");
    assert_eq!(fs::read_to_string(dir.path().join("journal.db")).unwrap(), "precious");
    assert!(segments.iter().all(|p| !p.exists()), "the damaged segments are gone");
}

#[test]
fn a_held_lock_wipes_nothing_even_over_a_damaged_index() {
    for damaged in [false, true] {
        let dir = sound();
        let (holder, _) = Memory::open(dir.path()).unwrap();
        if damaged {
            fs::write(dir.path().join("meta.json"), "").unwrap();
        }
        let before = contents(dir.path());
        assert!(matches!(Memory::open(dir.path()), Err(Trouble::Locked(at)) if at == dir.path()));
        assert_eq!(contents(dir.path()), before);
        drop(holder);
    }
}

#[test]
fn what_cannot_be_read_is_an_error_and_wipes_nothing() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("index");
    fs::write(&file, "not a directory").unwrap();
    assert!(matches!(Memory::open(&file), Err(Trouble::Io { .. })));
    assert_eq!(fs::read_to_string(&file).unwrap(), "not a directory");

    // Any other failure to read meta.json must not be taken for damage; root reads everything, so a directory stands in.
    let dir = sound();
    let meta = dir.path().join("meta.json");
    fs::remove_file(&meta).unwrap();
    fs::create_dir(&meta).unwrap();
    let before = segment_files(dir.path());
    assert!(matches!(Memory::open(dir.path()), Err(Trouble::Io { .. })));
    assert_eq!(segment_files(dir.path()), before);
}

#[test]
fn a_failing_flush_loses_nothing_and_the_tail_stays_bounded() {
    let dir = sound();
    let (mut memory, _) = Memory::open(dir.path()).unwrap();
    let away = dir.path().with_extension("away");
    fs::rename(dir.path(), &away).unwrap();
    let (mut kept, mut refused) = (0, 0);
    for i in 0..TAIL_AT_MOST as u64 + 3 {
        match memory.remember(case(1_000 + i)) {
            Err(Trouble::Full(_)) => refused += 1,
            _ => kept += 1,
        }
    }
    assert_eq!((kept, refused), (TAIL_AT_MOST, 3));
    assert_eq!(memory.len(), CASES + TAIL_AT_MOST as u64);
    assert_eq!(memory.search("node 1007", 1).unwrap()[0].case.id.0, "INC-1007");
    // The way is free again: the next flush writes it all, once.
    fs::rename(&away, dir.path()).unwrap();
    memory.flush().unwrap();
    drop(memory);
    let (_, opened) = Memory::open(dir.path()).unwrap();
    assert_eq!(opened, Opened::Ready { cases: CASES + TAIL_AT_MOST as u64, mark: 7 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Bits that rot inside a file are not looked for when opening; they must not bring the process down later.
    #[test]
    fn a_flipped_byte_is_an_error_or_an_answer(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let dir = sound();
        let all = segment_files(dir.path());
        let path = which.get(&all);
        let mut bytes = fs::read(path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(path, bytes).unwrap();
        match Memory::open(dir.path()) {
            Ok((mut memory, _)) => {
                let _ = memory.rank(&probe());
                let _ = memory.search("node 7 ana prod", 10);
                let _ = memory.remember(case(7));
                let _ = memory.flush();
            }
            Err(trouble) => prop_assert!(!matches!(trouble, Trouble::Locked(_)), "{}", trouble),
        }
    }
}
