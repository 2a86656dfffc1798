//! GitHub, when it is configured: who we are there, whether each repository takes issues, and how we hear of them.

use super::{Check, Finding, Ground};
use crate::edges::clock::WallClock;
use crate::edges::github;
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;

pub struct GitHub;

/// Repositories looked at: each is a request, and who has more learns from these.
const MAX_REPOSITORIES: usize = 50;

#[async_trait]
impl Check for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    async fn look(&self, ground: &Ground) -> Vec<Finding> {
        let config = &ground.checked.config;
        let Some(configured) = &config.github else { return Vec::new() };
        let github = match github::GitHub::new(configured, Arc::new(WallClock)) {
            Ok(github) => github,
            Err(why) => return vec![Finding::broken(why, "docs/github.md says how it is set up")],
        };
        let mut findings = Vec::new();
        match github.identity().await {
            Ok(login) => findings.push(Finding::ok(format!("{}: we are {login}", configured.api_url))),
            Err(problem) => {
                let todo = "compare api_url and the token or App with docs/github.md; can this machine reach it?";
                return vec![Finding::broken(format!("{}: {problem}", configured.api_url), todo)];
            }
        }
        let policy = &config.policy;
        let usual = policy.tracking.as_ref().and_then(|tracking| tracking.repository.clone());
        let repositories: BTreeSet<String> =
            policy.services.values().filter_map(|service| service.repository.clone()).chain(usual).collect();
        for repository in repositories.iter().take(MAX_REPOSITORIES) {
            findings.push(match github.inspect(repository).await {
                Ok(Some(false)) => {
                    let todo = "give the App \"Issues: read and write\", and accept that where it is installed";
                    Finding::broken(format!("{repository}: issues may be read, not written"), todo)
                }
                Ok(Some(true)) => Finding::ok(format!("{repository}: takes issues")),
                Ok(None) => Finding::ok(format!(
                    "{repository}: can be read; whether the token may write shows with the first issue"
                )),
                Err(problem) => Finding::broken(format!("{repository}: {problem}"), "see docs/github.md"),
            });
        }
        findings.push(if configured.webhook.is_empty() {
            let what = "no webhook_secret: what happens to issues there shows here after five minutes";
            Finding::look(what, "set one, and a webhook to /github/webhook (docs/github.md)")
        } else {
            Finding::ok("webhooks are taken at /github/webhook")
        });
        findings
    }
}
