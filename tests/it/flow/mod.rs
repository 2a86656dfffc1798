//! The flow, proven by properties: whatever arrives, in whatever order, these things hold (RELIABILITY I4, I15–I18, F8, F23, F24).

mod alerts;
mod approval;
mod arbitrary;
mod facts;
mod lifecycle;
mod town;
