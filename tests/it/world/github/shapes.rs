//! What GitHub's JSON looks like, with every field its OpenAPI requires.

use super::Issue;
use serde_json::{Value, json};
use smokejumper::flow::moment::At;

/// `2026-11-20T10:00:00Z`, without fractions as GitHub writes it.
fn time(at: At) -> String {
    At(at.0 / 1_000 * 1_000).rfc3339()
}

pub fn user(login: &str) -> Value {
    let api = format!("https://api.github.com/users/{login}");
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    json!({
        "login": login, "id": 1, "node_id": "U_1", "avatar_url": "https://avatars.example/1", "gravatar_id": "",
        "url": api, "html_url": format!("https://github.com/{login}"), "followers_url": format!("{api}/followers"),
        "following_url": format!("{api}/following{{/other_user}}"), "gists_url": format!("{api}/gists{{/gist_id}}"),
        "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"), "subscriptions_url": format!("{api}/subscriptions"),
        "organizations_url": format!("{api}/orgs"), "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events{{/privacy}}"), "received_events_url": format!("{api}/received_events"),
        "type": kind, "site_admin": false,
    })
}

/// `GET /user`.
pub fn me(login: &str) -> Value {
    let mut me = user(login);
    for (key, value) in [
        ("name", json!("Smokejumper")),
        ("company", json!(null)),
        ("blog", json!("")),
        ("location", json!(null)),
        ("email", json!(null)),
        ("hireable", json!(null)),
        ("bio", json!(null)),
        ("public_repos", json!(0)),
        ("public_gists", json!(0)),
        ("followers", json!(0)),
        ("following", json!(0)),
        ("created_at", json!("2026-01-01T00:00:00Z")),
        ("updated_at", json!("2026-01-01T00:00:00Z")),
    ] {
        me[key] = value;
    }
    me
}

/// `GET /app`.
pub fn app(id: u64, slug: &str) -> Value {
    json!({
        "id": id, "slug": slug, "node_id": "A_1", "owner": user("acme"), "name": slug, "description": null,
        "external_url": "https://smokejumper.example", "html_url": format!("https://github.com/apps/{slug}"),
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        "permissions": { "issues": "write", "metadata": "read" }, "events": ["issues"],
    })
}

pub fn issue(api: &str, repository: &str, issue: &Issue) -> Value {
    let url = format!("{api}/repos/{repository}/issues/{}", issue.number);
    let labels: Vec<Value> = issue.labels.iter().map(|name| label(api, repository, name)).collect();
    let assignees: Vec<Value> = issue.assignees.iter().map(|login| user(login)).collect();
    json!({
        "id": 1_000 + issue.number, "node_id": format!("I_{}", issue.number), "url": url,
        "repository_url": format!("{api}/repos/{repository}"), "labels_url": format!("{url}/labels{{/name}}"),
        "comments_url": format!("{url}/comments"), "events_url": format!("{url}/events"),
        "html_url": format!("https://github.com/{repository}/issues/{}", issue.number), "number": issue.number,
        "state": if issue.closed_at.is_some() { "closed" } else { "open" },
        "state_reason": issue.closed_at.map(|_| "completed"), "title": issue.title, "body": issue.body,
        "user": user(&issue.user), "labels": labels, "assignee": assignees.first(), "assignees": assignees,
        "milestone": null, "locked": false, "active_lock_reason": null, "comments": 0,
        "closed_at": issue.closed_at.map(time), "closed_by": issue.closed_by.as_deref().map(user),
        "created_at": time(issue.created_at), "updated_at": time(issue.updated_at), "author_association": "COLLABORATOR",
    })
}

fn label(api: &str, repository: &str, name: &str) -> Value {
    json!({
        "id": 1, "node_id": "L_1", "url": format!("{api}/repos/{repository}/labels/{name}"), "name": name,
        "description": null, "color": "ededed", "default": false,
    })
}

/// A delivery of the event `issues`.
pub fn delivery(api: &str, repository: &str, shown: &Issue, action: &str, sender: &str) -> Value {
    let (owner, name) = repository.split_once('/').unwrap();
    json!({
        "action": action,
        "issue": issue(api, repository, shown),
        "repository": { "id": 1, "name": name, "full_name": repository, "owner": user(owner) },
        "sender": user(sender),
    })
}
