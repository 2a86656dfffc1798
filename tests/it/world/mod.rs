//! The world around the story, as tests need it: stateful, deterministic, and theirs to break.

pub mod door;
pub mod github;
pub mod ledger;
pub mod pagerduty;
pub mod postgres;
pub mod slack;
pub mod small;
pub mod strand;
pub mod town;
pub mod wait;
pub mod watch;
