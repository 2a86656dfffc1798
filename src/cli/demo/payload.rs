//! What a real Alertmanager would send about the victim: its webhook, version 4.

use crate::flow::moment::At;
use serde_json::{Value, json};

/// One alert about `checkout`, firing since `since`, resolved at `until` if that is given.
#[must_use]
pub fn alertmanager(release: &str, since: At, until: Option<At>) -> Value {
    let status = if until.is_some() { "resolved" } else { "firing" };
    let ends_at = until.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), At::rfc3339);
    let labels = json!({
        "alertname": "CheckoutErrorRate", "service": "checkout", "severity": "critical",
        "release": release, "instance": "checkout-1",
    });
    let annotations = json!({
        "summary": "checkout answers 500 to every request: connection pool exhausted",
        "description": format!("0 of 5 database connections free since release {release}"),
    });
    json!({
        "version": "4", "groupKey": "{}:{service=\"checkout\"}", "truncatedAlerts": 0, "status": status,
        "receiver": "smokejumper", "groupLabels": { "service": "checkout" }, "commonLabels": labels,
        "commonAnnotations": annotations, "externalURL": "http://127.0.0.1:9093",
        "alerts": [{
            "status": status, "labels": labels, "annotations": annotations, "startsAt": since.rfc3339(),
            "endsAt": ends_at, "generatorURL": "http://127.0.0.1:9090/graph?g0.expr=checkout_errors",
            "fingerprint": format!("c0ffee{:>010}", release.replace('.', "")),
        }],
    })
}
