//! Logs: one line an event on standard error, structured where the operator wants it so. Never holds a secret.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// What is logged unless told otherwise.
const DEFAULT: &str = "warn,smokejumper=info";

/// Starts logging. `filter` is the operator's own (`SMOKEJUMPER_LOG`), `json` for machines.
pub fn start(filter: Option<&str>, json: bool) {
    let filter = filter.and_then(|f| EnvFilter::try_new(f).ok()).unwrap_or_else(|| EnvFilter::new(DEFAULT));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let ansi = std::io::stderr().is_terminal();
    // A second start, as in tests, keeps the first.
    let _ = if json { builder.json().try_init() } else { builder.with_ansi(ansi).try_init() };
}
