//! A clock that stands still until a test moves it.

use smokejumper::flow::moment::At;
use smokejumper::ports::Clock;
use std::sync::atomic::{AtomicI64, Ordering};

#[derive(Debug)]
pub struct Watch(AtomicI64);

impl Watch {
    pub fn at(at: At) -> Self {
        Self(AtomicI64::new(at.0))
    }

    pub fn set(&self, at: At) {
        self.0.store(at.0, Ordering::SeqCst);
    }
}

impl Clock for Watch {
    fn now(&self) -> At {
        At(self.0.load(Ordering::SeqCst))
    }
}
