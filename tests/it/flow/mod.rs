//! The flow, proven by properties: whatever arrives, in whatever order, these things hold (I4, I15–I18).

mod alerts;
mod approval;
mod arbitrary;
mod facts;
mod keeping;
mod lifecycle;
mod mine;
mod responding;
mod ringing;
pub mod rooms;
pub mod story;
mod suspects;
mod team;
mod together;
