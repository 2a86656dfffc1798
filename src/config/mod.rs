//! CONFIGURATION: raw (as written, unknown keys refused) -> checked (resolved, cross-checked, secrets wrapped).
//!
//! The only room that reads the environment. Knows the flow's policy and the people's words; knows no edge.

mod api;
mod backstage;
mod calendar;
mod catalogue;
pub mod checked;
mod codeowners;
mod conditions;
pub mod database;
pub mod environment;
pub mod excerpt;
pub mod github;
pub mod hints;
mod imports;
pub mod mapping;
pub mod operations;
pub mod pager;
pub mod people;
pub mod problem;
mod raw;
mod rooms;
mod rota;
mod rules;
pub mod secret;
mod secrets;
mod sheet;
pub mod slack;
mod sns;
pub mod source;
mod sources;
pub mod value;
mod wording;

pub use checked::{Checked, Config, Given, check, load};
pub use environment::Environment;
