//! Incident memory: search and triage over past incidents, with reasons. Synchronous; knows cases, not chats or SQL.
pub mod case;
