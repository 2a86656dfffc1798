//! TELEMETRY: what can be known of a running Smokejumper from outside: logs, and numbers for a monitoring system.
//!
//! Knows the ports' words; knows neither SQL nor HTTP nor any edge. Decides nothing, and never holds a secret.

pub mod gauges;
pub mod logs;
pub mod meters;
mod process;

pub use logs::start;
