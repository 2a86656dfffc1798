//! Grafana's unified alerting, webhook contact point: Alertmanager's format with fields of its own. Pure.
//!
//! Facts: grafana.com/docs, "Configure webhook notifications": `version` is "1", each alert has a panel and a dashboard to look at,
//! and a signature (Grafana 12 and later) that may cover a time. Here it must: the contact point's *timestamp header* is set.

use super::alertmanager::{self, Dialect};
use super::signature::Signing;
use super::{Reading, Setting, Unreadable};

/// The header's default name, and the time under the name that docs/sources.md asks for.
pub const SIGNING: Signing =
    Signing { header: "x-grafana-alerting-signature", prefix: "", timestamp: Some("x-grafana-alerting-timestamp") };

const DIALECT: Dialect = Dialect { name: "Grafana", version: "1", limit: "Max Alerts in Grafana's contact point" };

/// # Errors
/// [`Unreadable`]
pub fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    alertmanager::read_dialect(&DIALECT, setting, bytes)
}
