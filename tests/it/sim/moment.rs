//! Steps in the life of a future: it is polled when the simulator says so, and may be dropped between any two polls.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

pub type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A boundary: whatever comes next happens in another poll, or never.
pub async fn pause() {
    let mut passed = false;
    poll_fn(|_| if std::mem::replace(&mut passed, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// One step; what came out when it was the last.
pub fn step<T>(task: &mut Task<T>) -> Option<T> {
    match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
