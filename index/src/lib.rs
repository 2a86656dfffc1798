//! Incident memory: search and triage over past incidents, with reasons. Synchronous; knows cases, not chats or SQL.
//!
//! In reading order: what goes in and comes out (`case`), text into terms (`tokenize`), what is stored (`schema`,
//! `writer`, `segment`, `tail`, joined by `part`), a question (`query`, `recall`), what outcomes taught (`learn`, kept by
//! `snapshot`), the answer (`answer`, `explain`), and the door to all of it (`memory`). `history` and `evaluate` replay a
//! team's past to measure it, beside `baseline`.
//!
//! The index is a cache: whatever is wrong with it, it is thrown away and rebuilt from the journal.
pub mod answer;
pub mod case;
pub mod evaluate;
pub mod explain;
pub mod history;
pub mod memory;
pub mod query;
pub mod recall;
pub mod score;
pub mod tokenize;
pub mod trouble;

mod baseline;
mod learn;
mod part;
mod schema;
mod segment;
mod snapshot;
mod tail;
mod writer;

pub use memory::{Memory, Opened};
pub use trouble::Trouble;
