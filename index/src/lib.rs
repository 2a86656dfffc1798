//! Incident memory: search and triage over past incidents, with reasons. Synchronous; knows cases, not chats or SQL.
//!
//! In reading order: what goes in and comes out (`case`), text into terms (`tokenize`), what is stored (`schema`,
//! `writer`, `segment`, `tail`, joined by `part`), a question (`query`, `recall`), its answer (`rank`, `calibrate`,
//! `explain`), and the door to all of it (`memory`). `history` and `evaluate` replay a team's past to measure it.
//!
//! The index is a cache: whatever is wrong with it, it is thrown away and rebuilt from the journal.
pub mod calibrate;
pub mod case;
pub mod evaluate;
pub mod explain;
pub mod history;
pub mod memory;
pub mod query;
pub mod rank;
pub mod recall;
pub mod score;
pub mod tokenize;
pub mod trouble;

mod part;
mod schema;
mod segment;
mod tail;
mod writer;

pub use memory::{Memory, Opened, Outcome};
pub use trouble::Trouble;
