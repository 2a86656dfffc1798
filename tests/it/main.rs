//! The one test binary: stories in the user's words, contracts, the process, and the rules of the house.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a failed expectation is the message of a test"
)]

mod backtest;
mod contracts;
mod demo_memory;
mod documents;
mod engine;
mod flow;
mod packaging;
mod process;
mod sim;
mod stand_in;
mod stories;
mod tidy;
mod web;
mod world;
