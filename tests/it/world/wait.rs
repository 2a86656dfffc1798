//! The waiting room: looks again and again for what a test wants to see, up to a deadline. The only place where tests wait.

use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Longer than any promise about a single observation (I19: 10 s), on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until `seen` gives something; fails with `what` when it does not in time.
pub async fn until<T>(what: &str, mut seen: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = seen() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "did not see in {DEADLINE:?}: {what}");
        sleep(LOOK_EVERY).await;
    }
}

/// The same for a look that takes a while itself: a request, a query. `patience` where one observation stands for much work.
pub async fn seen<T, L: Future<Output = Option<T>>>(what: &str, patience: Duration, mut look: impl FnMut() -> L) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < patience, "did not see in {patience:?}: {what}");
        sleep(LOOK_EVERY).await;
    }
}

/// Any moment within the next while, for a kill that must do no harm whenever it comes. No test may hope that something has
/// happened by then.
pub async fn moment(after: Duration) {
    sleep(after).await;
}

/// Something that must come to its end by itself.
pub async fn ends<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("did not end in {DEADLINE:?}: {what}"))
}
