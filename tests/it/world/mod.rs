//! The world around the story, as tests need it: stateful, deterministic, and theirs to break.

pub mod door;
pub mod github;
pub mod ledger;
pub mod pagerduty;
pub mod postgres;
#[allow(dead_code, reason = "the stories and the tests of the edge use more of it as they come")]
pub mod slack;
pub mod small;
pub mod strand;
pub mod town;
pub mod wait;
pub mod watch;
