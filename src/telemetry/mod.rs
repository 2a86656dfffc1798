//! TELEMETRY: what can be known of a running Smokejumper from outside: logs, and numbers for a monitoring system.
//!
//! Knows the ports' words; knows neither SQL nor HTTP nor any edge. Decides nothing, and never holds a secret.

pub mod gauges;
pub mod logs;
pub mod meters;
mod process;

#[cfg(feature = "otlp")]
mod traces;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Where traces go.
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// Base address of a collector that speaks OTLP over HTTP.
    pub endpoint: String,
    /// Share of traces that are sent, 0..=1.
    pub share: f64,
}

/// Whether this build can send traces.
pub const TRACES: bool = cfg!(feature = "otlp");

/// Starts logging, and sending traces where this build can. `filter` is the operator's own, `json` for machines. Says why
/// traces are not sent, if so: that keeps nothing from starting.
pub fn start(filter: Option<&str>, json: bool, traces: Option<&Traces>) {
    let registry = tracing_subscriber::registry().with(logs::layer(filter, json));
    // A second start, as in tests, keeps the first.
    #[cfg(feature = "otlp")]
    {
        let (layer, problem) = match traces.map(traces::layer).transpose() {
            Ok(layer) => (layer, None),
            Err(problem) => (None, Some(problem)),
        };
        let _ = registry.with(layer).try_init();
        if let Some(problem) = problem {
            tracing::error!(problem, "traces are not sent");
        }
    }
    #[cfg(not(feature = "otlp"))]
    {
        let _ = registry.try_init();
        debug_assert!(traces.is_none(), "the configuration was checked");
    }
}

/// Sends what has not been sent yet.
pub fn stop() {
    #[cfg(feature = "otlp")]
    traces::stop();
}
