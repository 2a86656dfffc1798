//! What is learnt, taught again, and forgotten, across restarts.

use super::*;
use crate::flow::recollection::Opinion;
use std::collections::BTreeMap;

fn lesson(case: &str, why: &str) -> Lesson {
    Lesson {
        case: case.to_owned(),
        opened_at: At(1_000),
        closed_at: Some(At(2_000)),
        title: format!("checkout is down {case}"),
        text: String::new(),
        service: Some("checkout".to_owned()),
        labels: BTreeMap::new(),
        cause: Some(why.to_owned()),
        resolution: None,
        responders: Vec::new(),
        runbooks: Vec::new(),
        url: None,
        said: None,
    }
}

async fn causes(memory: &IndexedMemory) -> Vec<Option<String>> {
    let mut found = memory.search("checkout", 10).await.expect("it searches");
    found.sort_by(|a, b| a.case.cmp(&b.case));
    found.into_iter().map(|past| past.cause).collect()
}

#[tokio::test]
async fn what_is_learnt_meanwhile_is_not_overwritten_by_what_is_older() {
    let folder = tempfile::tempdir().expect("a folder");
    let (memory, _) = IndexedMemory::open(folder.path()).expect("it opens");
    memory.remember(lesson("INC-1", "the new cause")).await.expect("remembered");
    memory.relearn(lesson("INC-1", "the old cause")).await.expect("skipped");
    memory.relearn(lesson("INC-2", "another cause")).await.expect("remembered");
    let both = [Some("the new cause".to_owned()), Some("another cause".to_owned())];
    assert_eq!(causes(&memory).await, both);
    // Until everything up to a mark is in it, nothing goes to disk.
    memory.flush().await.expect("not now");
    drop(memory);
    let (memory, opened) = IndexedMemory::open(folder.path()).expect("it opens");
    assert!(!matches!(opened, Opened::Ready { cases: 1.., .. }), "{opened:?}");
    memory.relearn(lesson("INC-1", "the new cause")).await.expect("remembered");
    memory.learnt_up_to(7).await.expect("noted");
    memory.relearn(lesson("INC-2", "another cause")).await.expect("remembered");
    drop(memory);
    let (memory, opened) = IndexedMemory::open(folder.path()).expect("it opens");
    assert_eq!(opened, Opened::Ready { cases: 1, mark: 7 });
    memory.caught_up(Some(9)).await.expect("noted");
    memory.remember(lesson("INC-2", "another cause")).await.expect("remembered");
    memory.flush().await.expect("written");
    drop(memory);
    let (memory, opened) = IndexedMemory::open(folder.path()).expect("it opens");
    assert_eq!(opened, Opened::Ready { cases: 2, mark: 9 });
    assert_eq!(causes(&memory).await, both);
}

#[tokio::test]
async fn what_is_forgotten_stays_so_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (memory, _) = IndexedMemory::open(folder.path()).expect("it opens");
    memory.relearn(lesson("INC-1", "a leak")).await.expect("remembered");
    memory.relearn(lesson("INC-2", "another leak")).await.expect("remembered");
    // While old lessons are read it is gone at once, and asked for again until it is gone from disk.
    assert!(matches!(memory.forget("INC-1").await, Err(Undelivered::NotYet { .. })));
    assert_eq!(causes(&memory).await, [Some("another leak".to_owned())]);
    memory.relearn(lesson("INC-1", "a leak")).await.expect("skipped");
    memory.caught_up(Some(7)).await.expect("noted");
    memory.forget("INC-1").await.expect("forgotten");
    memory.forget("INC-2").await.expect("forgotten");
    memory.forget("INC-3").await.expect("nobody knew it");
    drop(memory);
    let (memory, opened) = IndexedMemory::open(folder.path()).expect("it opens");
    assert_eq!(opened, Opened::Ready { cases: 0, mark: 7 });
    assert!(causes(&memory).await.is_empty());
}

async fn asked(memory: &IndexedMemory) -> Recollection {
    let (text, service, labels) = (String::new(), Some("checkout".to_owned()), BTreeMap::new());
    let title = "checkout is down".to_owned();
    let question = Question { case: "INC-9".to_owned(), at: At(9_000), title, text, service, labels };
    memory.recall(question).await.expect("it answers")
}

#[tokio::test]
async fn a_lesson_that_comes_again_does_not_count_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (memory, _) = IndexedMemory::open(folder.path()).expect("it opens");
    memory.remember(lesson("INC-1", "a leak")).await.expect("remembered");
    let Recollection { model, causes, responders, memo, .. } = asked(&memory).await;
    let said = Some(Opinion { model: model.clone(), causes, responders, memo });
    let judged = || Lesson { said: said.clone(), ..lesson("INC-2", "a leak") };
    memory.remember(judged()).await.expect("remembered");
    let learnt = asked(&memory).await;
    assert_ne!(learnt.model, model, "it learnt how sure to be");
    // Its delivery is repeated; then the process ends, and the next one finds the lesson in the journal.
    memory.remember(judged()).await.expect("remembered");
    assert_eq!(asked(&memory).await, learnt);
    memory.caught_up(None).await.expect("written");
    drop(memory);
    let (memory, opened) = IndexedMemory::open(folder.path()).expect("it opens");
    assert_eq!(opened, Opened::Ready { cases: 2, mark: 0 });
    memory.relearn(judged()).await.expect("remembered");
    assert_eq!(asked(&memory).await, learnt);
    // Whoever learns the same in the same order says the same, to the bit.
    let other = IndexedMemory::volatile().expect("it opens");
    other.relearn(lesson("INC-1", "a leak")).await.expect("remembered");
    other.relearn(judged()).await.expect("remembered");
    assert_eq!(asked(&other).await, learnt);
}
