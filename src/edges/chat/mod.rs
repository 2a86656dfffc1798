//! Chat platforms: each implements the port `Chat` and renders what the bot means at its best.

pub mod console;
pub mod slack;
