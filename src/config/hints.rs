//! What `check` adds about a configuration that is right: what nobody owns, teams that are for nothing, services that matter and
//! have nobody on call. Nothing of it is wrong.

use crate::flow::policy::{Policy, Service};
use std::collections::BTreeSet;

/// Names in one hint; more are counted.
const NAMED: usize = 5;

/// In the order in which a person would mend them.
#[must_use]
pub fn hints(policy: &Policy) -> Vec<String> {
    let mut hints = Vec::new();
    let mut say = |names: Vec<&str>, what: &str| {
        if !names.is_empty() {
            hints.push(format!("{}: {what}", listed(&names)));
        }
    };
    let services = || policy.services.values();
    let names = |of: &dyn Fn(&Service) -> bool| services().filter(|s| of(s)).map(|s| s.name.as_str()).collect();
    say(names(&|s| s.owners.is_empty()), "nobody owns it; set `owners`, or name CODEOWNERS under [catalogue]");
    let uncovered = |s: &Service| {
        let served = !policy.serving(Some(&s.name)).is_empty() || policy.people.iter().any(|p| p.on_call);
        s.tier == Some(1) && !served
    };
    say(names(&uncovered), "tier 1, and no on-call schedule serves it");
    let teams: BTreeSet<&str> = policy.people.iter().flat_map(|p| p.teams.iter().map(String::as_str)).collect();
    let invited = |team: &str| {
        let members = || policy.people.iter().filter(|p| p.teams.iter().any(|t| t == team));
        policy.routes.iter().any(|r| members().all(|p| r.invite.contains(&p.id)))
    };
    let used = |team: &str| {
        services().any(|s| s.owners.iter().any(|o| o == team))
            || policy.rota.iter().any(|s| s.teams.iter().any(|t| t == team))
            || invited(team)
    };
    say(teams.into_iter().filter(|team| !used(team)).collect(), "a team that owns nothing and is called by nothing");
    hints
}

fn listed(names: &[&str]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let mut text = names.iter().take(NAMED).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.extend([" and ", &more.to_string(), " more"]);
    }
    text
}
