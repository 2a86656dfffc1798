//! What waits, what nobody knows the outcome of, and what was given up.

use super::{Check, Finding, Ground, ago, counted};
use crate::flow::moment::MINUTE;
use async_trait::async_trait;

pub struct Outbox;

/// Deliveries have their turn within milliseconds, effects go out within seconds.
const LATE_MS: i64 = 10 * MINUTE;

#[async_trait]
impl Check for Outbox {
    fn name(&self) -> &'static str {
        "work"
    }

    async fn look(&self, ground: &Ground) -> Vec<Finding> {
        let Ok(reader) = &ground.reader else { return Vec::new() };
        let stock = match reader.stock().await {
            Ok(stock) => stock,
            Err(problem) => return vec![Finding::broken(problem.to_string(), "try again in a moment")],
        };
        let waited = stock.oldest.map_or(0, |at| ground.now.since(at));
        let what = counted(stock.waiting, "delivery waits for its turn", "deliveries wait for their turn");
        let mut findings = vec![if waited > LATE_MS {
            Finding::look(format!("{what}, the oldest came {}", ago(waited)), "is a server running? look into its log")
        } else {
            Finding::ok(what)
        }];
        for heap in stock.outbox {
            let to = heap.destination;
            let rows = counted(heap.rows, "effect", "effects");
            match heap.state.as_str() {
                "unknown" => findings.push(Finding::look(
                    format!("{rows} to {to} may or may not have arrived"),
                    "they are looked for before they are repeated; if they stay, look there yourself",
                )),
                "dead" => findings.push(Finding::look(
                    format!("{rows} to {to} could not be delivered and were given up"),
                    "`smokejumper export` says which, and why; people were told in the incident",
                )),
                _ if ground.now.since(heap.oldest) > LATE_MS => {
                    let what = format!("{rows} to {to} wait, the oldest since {}", ago(ground.now.since(heap.oldest)));
                    findings.push(Finding::look(what, "is it reachable? look into the server's log"));
                }
                _ => {}
            }
        }
        let letters: u64 = stock.dead_letters.values().sum();
        if letters > 0 {
            let from: Vec<&str> = stock.dead_letters.keys().map(String::as_str).collect();
            let what = format!(
                "{} from {}",
                counted(letters, "unreadable delivery", "unreadable deliveries"),
                from.join(", ")
            );
            findings
                .push(Finding::look(what, "the log says what was wrong with them; is the kind of the source right?"));
        }
        findings
    }
}
