//! THE WORLD. Each edge stands alone: it implements a port or feeds the door. No edge knows another.

pub mod alerts;
pub mod changes;
pub mod chat;
pub mod clock;
pub mod directory;
pub mod github;
pub mod listen;
pub mod memory;
pub mod monitor;
pub mod pager;
pub mod runner;
pub mod socket;
pub mod store;
pub mod web;
