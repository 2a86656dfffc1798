//! The configuration as `check` finds it, and the names of the secrets that are set. Never their values.

use super::{Check, Finding, Ground, counted};
use crate::cli::add_runbooks;
use async_trait::async_trait;

pub struct Configuration;
pub struct Secrets;

#[async_trait]
impl Check for Configuration {
    fn name(&self) -> &'static str {
        "configuration"
    }

    async fn look(&self, ground: &Ground) -> Vec<Finding> {
        let mut config = ground.checked.config.clone();
        let mut problems = ground.checked.problems.clone();
        // A folder that is missing was a problem of the configuration already.
        if config.runbooks.as_ref().is_some_and(|folder| folder.is_dir()) {
            match add_runbooks(&mut config) {
                Ok(more) | Err(more) => problems.extend(more),
            }
        }
        let file = config.file.as_ref().map_or("defaults, no file".to_owned(), |file| file.display().to_string());
        let policy = &config.policy;
        let parts = [
            counted(config.sources.len() as u64, "source", "sources"),
            counted(policy.people.len() as u64, "person", "people"),
            counted(policy.services.len() as u64, "service", "services"),
            counted(policy.runbooks.len() as u64, "runbook", "runbooks"),
        ];
        let mut findings = vec![Finding::ok(format!("{file}: {}", parts.join(", ")))];
        for problem in problems {
            let (what, todo) =
                (format!("line {}: {}", problem.line, problem.what), problem.hint.clone().unwrap_or_default());
            findings.push(if problem.is_error() { Finding::broken(what, todo) } else { Finding::look(what, todo) });
        }
        findings
    }
}

#[async_trait]
impl Check for Secrets {
    fn name(&self) -> &'static str {
        "secrets"
    }

    async fn look(&self, ground: &Ground) -> Vec<Finding> {
        let names: Vec<&str> = ground.checked.config.secrets.keys().map(String::as_str).collect();
        vec![Finding::ok(if names.is_empty() {
            "none are set up".to_owned()
        } else {
            format!("set: {}", names.join(", "))
        })]
    }
}
