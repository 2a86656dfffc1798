//! When each source of the configuration was heard last.

use super::{Check, Finding, Ground, ago};
use crate::edges::alerts::inbox_source;
use async_trait::async_trait;

pub struct Inbound;

#[async_trait]
impl Check for Inbound {
    fn name(&self) -> &'static str {
        "sources"
    }

    async fn look(&self, ground: &Ground) -> Vec<Finding> {
        let Ok(reader) = &ground.reader else { return Vec::new() };
        let heard = match reader.last_heard().await {
            Ok(heard) => heard,
            Err(problem) => return vec![Finding::broken(problem.to_string(), "try again in a moment")],
        };
        let sources = ground.checked.config.sources.iter().map(|source| {
            if let Some(at) = heard.get(&inbox_source(&source.name)) {
                return Finding::ok(format!("{}: {}", source.name, ago(ground.now.since(*at))));
            }
            let todo = format!("send it a test alert: its address ends in /alerts/{}", source.name);
            Finding::look(format!("{}: nothing came lately, or ever", source.name), todo)
        });
        let people = heard.iter().filter_map(|(name, at)| name.strip_prefix("ask:").map(|p| (p, at)));
        let people =
            people.map(|(platform, at)| Finding::ok(format!("people on {platform}: {}", ago(ground.now.since(*at)))));
        sources.chain(people).collect()
    }
}
