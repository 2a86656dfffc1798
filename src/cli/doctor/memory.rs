//! The search index: there, or built at the next start. It is a cache: nothing of it can be lost.

use super::{Check, Finding, Ground};
use async_trait::async_trait;

pub struct Memory;

#[async_trait]
impl Check for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn look(&self, ground: &Ground) -> Vec<Finding> {
        let index = ground.checked.config.data_dir.join(crate::app::INDEX);
        let meta = index.join("meta.json");
        let readable =
            std::fs::read(&meta).is_ok_and(|text| serde_json::from_slice::<serde_json::Value>(&text).is_ok());
        let size: u64 = std::fs::read_dir(&index)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|f| f.metadata().ok())
            .map(|m| m.len())
            .sum();
        vec![if readable {
            Finding::ok(format!("an index of {} KiB", size / 1024))
        } else if index.exists() {
            Finding::look("the index cannot be read", "restart the server: it builds it anew from the journal")
        } else {
            Finding::ok("no index yet; it is built from the journal")
        }]
    }
}
