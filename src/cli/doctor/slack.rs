//! Slack, when it is configured: whether its tokens are good and of the right kind, which scopes are missing and what for, whether
//! it can reach us, and whether clocks, the channel for announcements and user groups are as they should be.

use super::{Check, Finding, Ground};
use crate::config::slack::{Intake, Slack as Configured};
use crate::edges::chat::slack;
use crate::edges::chat::slack::inspect::{Seen, app_page};
use crate::edges::chat::slack::manifest::{self, Feature};
use crate::edges::chat::slack::trouble::Trouble;
use crate::edges::clock::WallClock;
use crate::flow::identity::Platform;
use crate::flow::moment::{MINUTE, SECOND};
use crate::flow::policy::Policy;
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;

pub struct Slack;

/// Clocks further apart than this (ms) deserve a look; at five minutes requests in HTTP mode are refused.
const SKEW: i64 = MINUTE;
const REFUSED_AT: i64 = 5 * MINUTE;

#[async_trait]
impl Check for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    async fn look(&self, ground: &Ground) -> Vec<Finding> {
        let config = &ground.checked.config;
        let Some(configured) = &config.slack else { return Vec::new() };
        let slack = match slack::Slack::new(configured, Arc::new(WallClock)) {
            Ok(slack) => slack,
            Err(why) => return vec![Finding::broken(why, "docs/slack.md says how it is set up")],
        };
        let seen = match slack.inspect().await {
            Ok(seen) => seen,
            Err(trouble) => return vec![unreachable(configured, &trouble)],
        };
        let mut findings = vec![Finding::ok(format!(
            "{}: we are {} of workspace {} ({})",
            configured.api_url, seen.me.user, seen.me.workspace, seen.me.url
        ))];
        findings.extend(scopes(configured, &seen));
        findings.extend(clock(configured, &seen));
        findings.push(way_in(configured, &slack).await);
        findings.extend(announcements(configured, &slack).await);
        for group in configured.groups.keys() {
            findings.push(match slack.group_size(group).await {
                Ok(members) => Finding::ok(format!("user group {group}: {members} members")),
                Err(trouble) if trouble.is(&["no_such_subteam"]) => {
                    let todo =
                        "its id begins with S and stands at the end of its address in Slack: mend [slack.groups]";
                    Finding::broken(format!("user group {group}: there is no such group"), todo)
                }
                Err(trouble) => Finding::broken(format!("user group {group}: {trouble}"), "see docs/slack.md"),
            });
        }
        findings.push(people(&config.policy, &seen));
        findings
    }
}

fn page(configured: &Configured, page: &str) -> String {
    let token = match &configured.intake {
        Intake::Socket { app_token } => Some(app_token.expose()),
        Intake::Http { .. } => None,
    };
    app_page(token, page)
}

fn unreachable(configured: &Configured, trouble: &Trouble) -> Finding {
    let todo = if trouble.is(&["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"]) {
        format!("copy the Bot User OAuth Token (xoxb-) anew from {}", page(configured, "oauth"))
    } else {
        "compare api_url and bot_token with docs/slack.md; can this machine reach it?".to_owned()
    };
    Finding::broken(format!("{}: {trouble}", configured.api_url), todo)
}

/// Each that is missing by itself, and in one line those that nothing needs.
fn scopes(configured: &Configured, seen: &Seen) -> Vec<Finding> {
    let Some(there) = &seen.scopes else {
        return vec![Finding::look("Slack did not say which scopes the token has", "a proxy may take headers away")];
    };
    let oauth = page(configured, "oauth");
    let features = Feature::of(Some(configured));
    let wanted: BTreeSet<&str> = manifest::scopes(&features).map(|scope| scope.name).collect();
    let missing = manifest::scopes(&features).filter(|scope| !there.contains(scope.name));
    let mut findings: Vec<Finding> = missing
        .map(|scope| {
            let what = format!("the scope {} is missing: {} (without it: {})", scope.name, scope.why, scope.without);
            let todo = format!("add it at {oauth} under Scopes, Bot Token Scopes, then press Reinstall to Workspace");
            if scope.feature == Feature::Core { Finding::broken(what, todo) } else { Finding::look(what, todo) }
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::ok(format!("all {} scopes that are used are there", wanted.len())));
    }
    let more: Vec<&str> = there.iter().map(String::as_str).filter(|scope| !wanted.contains(scope)).collect();
    if !more.is_empty() {
        let what = format!("the app may do more than is used: {}", more.join(", "));
        findings.push(Finding::look(what, format!("take it away at {oauth}, unless you turn the feature on")));
    }
    findings
}

fn clock(configured: &Configured, seen: &Seen) -> Option<Finding> {
    let ahead = seen.ahead_ms?;
    if ahead.abs() <= SKEW {
        return Some(Finding::ok("this machine's clock agrees with Slack's"));
    }
    let way = if ahead > 0 { "behind" } else { "ahead of" };
    let what = format!("this machine's clock is {} s {way} Slack's", ahead.abs() / SECOND);
    let todo = "set it by NTP: requests that are signed more than five minutes away are refused";
    let refused = ahead.abs() >= REFUSED_AT && matches!(configured.intake, Intake::Http { .. });
    Some(if refused { Finding::broken(what, todo) } else { Finding::look(what, todo) })
}

/// How Slack reaches us.
async fn way_in(configured: &Configured, slack: &slack::Slack) -> Finding {
    match &configured.intake {
        Intake::Socket { .. } => match slack.connections_open().await {
            // The address is not used: it ends by itself.
            Ok(_) => Finding::ok("Socket Mode: the app-level token opens connections"),
            Err(trouble) if trouble.is(&["missing_scope", "not_allowed_token_type", "invalid_auth", "not_authed"]) => {
                let todo = format!(
                    "make an app-level token (xapp-) with {} at {} under App-Level Tokens, and write it as app_token",
                    manifest::APP_SCOPE,
                    page(configured, "general")
                );
                Finding::broken(format!("Socket Mode: {trouble}"), todo)
            }
            Err(trouble) => {
                let todo = format!("is Socket Mode on at {}?", page(configured, "socket-mode"));
                Finding::broken(format!("Socket Mode: {trouble}"), todo)
            }
        },
        Intake::Http { signing } => Finding::look(
            format!(
                "HTTP mode, {} signing secret{}: whether Slack finds this server cannot be seen from here",
                signing.len(),
                if signing.len() == 1 { "" } else { "s" }
            ),
            format!(
                "at {} the addresses are https://HOST{}, https://HOST{} and https://HOST{}; Event Subscriptions shows Verified",
                page(configured, "event-subscriptions"),
                manifest::EVENTS_PATH,
                manifest::COMMANDS_PATH,
                manifest::INTERACTIONS_PATH
            ),
        ),
    }
}

async fn announcements(configured: &Configured, slack: &slack::Slack) -> Option<Finding> {
    let wanted = configured.announce.as_ref()?;
    Some(match slack.find_channel(wanted).await {
        Ok(Some(channel)) if channel.is_archived => Finding::broken(
            format!("announcements: #{} is archived", channel.name),
            "unarchive it, or write another one",
        ),
        Ok(Some(channel)) if channel.is_member => Finding::ok(format!("announcements go to #{}", channel.name)),
        Ok(Some(channel)) if channel.is_private => Finding::broken(
            format!("announcements: we are not in #{}, which is private", channel.name),
            "say `/invite @smokejumper` there",
        ),
        Ok(Some(channel)) => Finding::ok(format!("announcements go to #{}, joined with the first", channel.name)),
        Ok(None) => Finding::broken(
            format!("announcements: there is no channel {wanted} that we may see"),
            "write its id or name as announce; say `/invite @smokejumper` in a private one",
        ),
        Err(trouble) => Finding::broken(format!("announcements: {trouble}"), "see docs/slack.md"),
    })
}

/// Who is not linked may read and respond, but never approve.
fn people(policy: &Policy, seen: &Seen) -> Finding {
    let here = |workspace: &str| workspace == seen.me.workspace;
    let linked = policy.people.iter().filter(|person| {
        person.identities.iter().any(|identity| identity.platform == Platform::Slack && here(&identity.workspace))
    });
    match linked.count() {
        0 => Finding::look(
            format!("nobody is linked to an account of workspace {}: no one there can approve", seen.me.workspace),
            format!(
                "write slack = \"{}/U…\" at each [[person]] (their profile in Slack, Copy member ID)",
                seen.me.workspace
            ),
        ),
        n => Finding::ok(format!("{n} of {} people are linked to their account there", policy.people.len())),
    }
}
