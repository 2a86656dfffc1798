//! The parts of a running Smokejumper that work until told to stop, under watch: one that ends earlier must not go unnoticed,
//! because a process without it looks alive and does nothing.

use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

/// The parts, and the word to stop.
#[derive(Debug)]
pub struct Loops {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

/// A part that ended although nobody had told it to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part} ended: {why}")]
pub struct Ended {
    pub part: &'static str,
    pub why: String,
}

impl Loops {
    #[must_use]
    pub fn new() -> Self {
        Self { stop: watch::Sender::new(false), tasks: JoinSet::new(), names: HashMap::new() }
    }

    /// Starts a part; it ends itself soon after the word it is given turns true.
    pub fn start<F>(&mut self, part: &'static str, work: impl FnOnce(watch::Receiver<bool>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = self.tasks.spawn(work(self.stop.subscribe()));
        self.names.insert(task.id(), part);
    }

    /// Returns when a part has ended; meant to be asked before [`Loops::stop`]. May be dropped and asked again.
    pub async fn ended(&mut self) -> Ended {
        let (id, why) = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => (id, "nobody told it to".to_owned()),
            Some(Err(fault)) => (fault.id(), fault.to_string()),
            None => return std::future::pending().await,
        };
        Ended { part: self.names.remove(&id).unwrap_or("a part"), why }
    }

    /// Ends all of them where they are, and waits this long at most until they have.
    pub async fn end(mut self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.tasks.shutdown()).await;
    }

    /// Tells all of them, and waits this long at most; then ends those that still work, and says which.
    pub async fn stop(mut self, patience: Duration) -> Vec<&'static str> {
        self.stop.send_replace(true);
        let all = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.names.remove(&ended.map_or_else(|fault| fault.id(), |(id, ())| id));
            }
        };
        if tokio::time::timeout(patience, all).await.is_err() {
            self.tasks.abort_all();
        }
        self.names.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn obedient(mut stop: watch::Receiver<bool>) {
        let _ = stop.wait_for(|stop| *stop).await;
    }

    #[tokio::test]
    async fn a_part_that_ends_early_is_noticed_with_its_name() {
        let mut loops = Loops::new();
        loops.start("the good one", obedient);
        loops.start("the bad one", |_| async { panic!("out of luck") });
        let ended = loops.ended().await;
        assert_eq!(ended.part, "the bad one");
        assert!(ended.why.contains("out of luck"), "{ended}");
        loops.start("the short one", |_| async {});
        let ended = loops.ended().await;
        assert_eq!(ended.to_string(), "the short one ended: nobody told it to");
        assert_eq!(loops.stop(Duration::from_secs(30)).await, [""; 0]);
    }

    #[tokio::test]
    async fn all_of_them_can_be_ended_where_they_are() {
        let mut loops = Loops::new();
        let held = std::sync::Arc::new(());
        let kept = std::sync::Arc::clone(&held);
        loops.start("the deaf one", |_| async move {
            std::future::pending::<()>().await;
            drop(kept);
        });
        loops.end(Duration::from_secs(30)).await;
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
    }

    #[tokio::test]
    async fn one_that_does_not_hear_is_ended_when_patience_is_over() {
        let mut loops = Loops::new();
        loops.start("the good one", obedient);
        loops.start("the deaf one", |_| std::future::pending());
        assert_eq!(loops.stop(Duration::from_millis(200)).await, ["the deaf one"]);
    }
}
