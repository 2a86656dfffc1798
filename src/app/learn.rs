//! How memory gets what it misses: opened at the start, then taught from the journal while alerts are already taken in.

use super::StartError;
use crate::edges::memory::IndexedMemory;
use crate::edges::store::Store;
use crate::ports::{StoreError, Undelivered};
use smokejumper_index::Opened;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;

/// What memory learned is written to disk this often; until then it is searched from memory, and the journal has it anyway.
const FLUSH_EVERY: Duration = Duration::from_secs(30);
/// Lessons between two notes of how far it came: fewer than memory holds before it writes by itself, so that none is stored
/// without its note and counted again after a crash.
const NOTED_EVERY: usize = 1_000;
/// After the journal could not be read.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Memory, and how far in the journal it was taught. A damaged index starts empty; one that cannot be opened is replaced, for
/// the time being, by one without a directory: triage is a help, never a reason not to start (I29).
///
/// # Errors
/// Hardly ever: the index cannot be made in memory.
pub fn open(dir: &Path) -> Result<(IndexedMemory, u64), StartError> {
    Ok(match IndexedMemory::open(dir) {
        Ok((memory, Opened::Ready { mark, .. })) => (memory, mark),
        Ok((memory, Opened::Fresh { because })) => {
            tracing::info!(because, "memory is built from the journal");
            (memory, 0)
        }
        Err(trouble) => {
            tracing::error!(%trouble, "the index cannot be opened; until the next start memory is not kept on disk");
            let memory = IndexedMemory::volatile().map_err(|e| StartError::Other(e.to_string()))?;
            (memory, 0)
        }
    })
}

/// Drops what memory knows of incidents that were purged, rewritten, hidden or merged away after `since`, perhaps by another process
/// with an index of its own, and teaches what is left of them. The position up to which that was looked for.
async fn unlearn(memory: &IndexedMemory, store: &Store, since: u64) -> Result<u64, StoreError> {
    let (changed, last) = store.reader().untaught(since).await?;
    if changed.is_empty() {
        return Ok(since);
    }
    let unavailable = |e: Undelivered| StoreError::Unavailable(e.to_string());
    let mut known = BTreeMap::new();
    for id in changed {
        let case = id.to_string();
        known.insert(case.clone(), memory.unlearn(case).await.map_err(unavailable)?);
    }
    tracing::info!(incidents = known.len(), "memory drops what was erased or hidden since it was written");
    for (seq, mut lesson) in store.reader().lessons(0).await? {
        let Some(known) = known.get(&lesson.case).filter(|_| seq <= since) else { continue };
        if *known {
            // How sure to be was learnt from it before.
            lesson.said = None;
        }
        memory.relearn(lesson).await.map_err(unavailable)?;
    }
    Ok(last)
}

/// Teaches memory what the journal has after `since`, until it is done or told to stop. What was erased or hidden after `since` goes
/// first.
///
/// # Errors
/// The journal cannot be read.
pub async fn catch_up(
    memory: &IndexedMemory,
    store: &Store,
    since: u64,
    stopped: &watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let unlearned = unlearn(memory, store, since).await?;
    let lessons = store.reader().lessons(since).await?;
    let number = lessons.len();
    if number > 0 {
        tracing::info!(lessons = number, "memory learns from the journal; until it has, it answers with what is there");
    }
    let mut mark = since;
    let mut missed = 0;
    for (taught, (seq, lesson)) in lessons.into_iter().enumerate() {
        if *stopped.borrow() {
            return Ok(());
        }
        if let Err(problem) = memory.relearn(lesson).await {
            missed += 1;
            if missed == 1 {
                tracing::warn!(%problem, "a lesson was not remembered");
            }
        }
        mark = mark.max(seq);
        if missed == 0 && (taught + 1) % NOTED_EVERY == 0 {
            note(memory.learnt_up_to(mark).await);
        }
    }
    note(memory.caught_up((missed == 0).then_some(mark.max(unlearned))).await);
    if number > 0 {
        tracing::info!(lessons = number, missed, "memory has learnt what the journal had");
    }
    Ok(())
}

/// Catches up, then writes now and then what memory learns.
pub async fn keep(memory: IndexedMemory, store: Store, since: u64, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        match catch_up(&memory, &store, since, &stopped).await {
            Ok(()) => break,
            Err(problem) => {
                tracing::warn!(%problem, "the journal could not be read for memory; it is tried again");
                pause(AGAIN_AFTER, &mut stopped).await;
            }
        }
    }
    while !*stopped.borrow() {
        pause(FLUSH_EVERY, &mut stopped).await;
        note(memory.flush().await);
    }
}

async fn pause(time: Duration, stopped: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = stopped.changed() => {}
    }
}

fn note(written: Result<(), crate::ports::Undelivered>) {
    if let Err(problem) = written {
        tracing::warn!(%problem, "memory not written; it stays searchable, and the journal has it");
    }
}

#[cfg(test)]
mod tests;
