//! The only reader of the wall clock.

use crate::flow::moment::At;
use crate::ports::Clock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    /// Epoch milliseconds; 0 when the machine believes that it is before 1970.
    fn now(&self) -> At {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        At(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
