//! What measurements take from the tests' world, so that both see the same Postgres and the same Slack.
#![allow(dead_code, unused_imports, reason = "the tests use all of it")]
#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "linted as tests"
)]

#[path = "../../tests/it/world/postgres.rs"]
pub mod postgres;
#[path = "../../tests/it/world/slack/mod.rs"]
pub mod slack;
#[path = "../../tests/it/world/wait.rs"]
pub mod wait;
#[path = "../../tests/it/world/watch.rs"]
pub mod watch;
