//! GitHub's webhooks about deployments and releases (events `deployment`, `deployment_status`, `release`, `ping`). Pure.
//!
//! Signed by `X-Hub-Signature-256`, which covers the body alone: so what it is about is told from the body, not from
//! `X-GitHub-Event`, and the same body is the same delivery, whatever `X-GitHub-Delivery` says.

use super::{Told, change, reading, unreadable};
use crate::edges::alerts::signature::Signing;
use crate::edges::alerts::{Kind, MAX_ONE, Media, Reading, Setting, Unreadable, bounds};
use crate::flow::moment::At;
use crate::flow::signal::ChangeStatus;
use serde::Deserialize;
use serde_json::Value;

/// Its row in the table of kinds.
pub const KIND: Kind = Kind {
    name: "github",
    about: "GitHub webhooks: deployments, deployment statuses and releases",
    read,
    media: Media::Json,
    signing: Some(Signing { header: "x-hub-signature-256", prefix: "sha256=", timestamp: None }),
    max_body: MAX_ONE,
};

/// Letters of a commit that people read.
const SHORT: usize = 7;
/// Letters of a whole commit (SHA-1).
const COMMIT: usize = 40;

/// What is used of any of the events; everything else they say is skipped unread.
#[derive(Debug, Deserialize)]
struct Body {
    action: Option<String>,
    deployment: Option<Deployment>,
    deployment_status: Option<Status>,
    release: Option<Release>,
    repository: Option<Repository>,
    zen: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Deployment {
    id: u64,
    #[serde(rename = "ref")]
    reference: Option<String>,
    environment: Option<String>,
    creator: Option<Account>,
    created_at: Option<String>,
    /// Whatever its maker put there: an object, or text.
    payload: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Status {
    state: String,
    created_at: Option<String>,
    log_url: Option<String>,
    target_url: Option<String>,
    environment_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Release {
    id: u64,
    tag_name: Option<String>,
    html_url: Option<String>,
    published_at: Option<String>,
    author: Option<Account>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: Option<String>,
    html_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Account {
    login: Option<String>,
}

fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let body: Body = serde_json::from_slice(bytes).map_err(|e| unreadable(&e, "a webhook of GitHub"))?;
    match (&body.deployment, &body.deployment_status, &body.release) {
        (Some(deployment), status, _) => deployed(setting, bytes, &body, deployment, status.as_ref()),
        (None, _, Some(release)) => released(setting, bytes, &body, release),
        _ if body.zen.is_some() => Ok(Reading::nothing("a ping: the webhook is set up")),
        _ => Ok(Reading::nothing("neither a deployment nor a release: choose those events for this webhook")),
    }
}

fn deployed(
    setting: &Setting<'_>,
    bytes: &[u8],
    body: &Body,
    deployment: &Deployment,
    told: Option<&Status>,
) -> Result<Reading, Unreadable> {
    let status = match told.map(|status| status.state.as_str()) {
        None | Some("in_progress") => ChangeStatus::InProgress,
        Some("success") => ChangeStatus::Succeeded,
        Some("failure" | "error") => ChangeStatus::Failed,
        // Nothing has been changed yet, or something newer has been.
        Some("queued" | "pending" | "waiting" | "inactive") => {
            return Ok(Reading::nothing("a deployment that waits, or has been replaced"));
        }
        Some(_) => return Ok(Reading::nothing("a deployment in a state that is not known here")),
    };
    let at = told.and_then(|status| status.created_at.as_deref()).or(deployment.created_at.as_deref());
    let link = told.and_then(|status| {
        [&status.log_url, &status.target_url, &status.environment_url].into_iter().flatten().find(|url| !url.is_empty())
    });
    let page = body.repository.as_ref().and_then(|r| r.html_url.as_ref()).map(|url| format!("{url}/deployments"));
    let environment = deployment.environment.as_deref();
    let mut summary = format!("Deploy {}", short(deployment.reference.as_deref().unwrap_or("something")));
    if let Some(environment) = environment {
        summary.push_str(" to ");
        summary.push_str(environment);
    }
    let told = Told {
        id: &format!("deployment-{}", deployment.id),
        at: moment(at)?,
        service: service(body, deployment.payload.as_ref()),
        environment,
        summary: &summary,
        by: deployment.creator.as_ref().and_then(|a| a.login.as_deref()),
        link: link.or(page.as_ref()).map(String::as_str),
        status,
    };
    Ok(reading(setting, bytes, vec![change(setting, told)]))
}

fn released(setting: &Setting<'_>, bytes: &[u8], body: &Body, release: &Release) -> Result<Reading, Unreadable> {
    // One release makes `created`, `released` and `published`; drafts make none of the last.
    if body.action.as_deref() != Some("published") {
        return Ok(Reading::nothing("a release that was not published just now"));
    }
    let told = Told {
        id: &format!("release-{}", release.id),
        at: moment(release.published_at.as_deref())?,
        service: service(body, None),
        environment: None,
        summary: &format!("Release {}", release.tag_name.as_deref().unwrap_or("without a tag")),
        by: release.author.as_ref().and_then(|a| a.login.as_deref()),
        link: release.html_url.as_deref(),
        status: ChangeStatus::Succeeded,
    };
    Ok(reading(setting, bytes, vec![change(setting, told)]))
}

/// What the deployment's maker says (`payload: { "service": … }`), else the repository: the catalogue knows whose it is.
fn service<'b>(body: &'b Body, payload: Option<&'b Value>) -> Option<&'b str> {
    let said = payload.and_then(|payload| payload.get("service")).and_then(Value::as_str).filter(|s| !s.is_empty());
    said.or_else(|| body.repository.as_ref().and_then(|r| r.full_name.as_deref()))
}

fn moment(text: Option<&str>) -> Result<Option<At>, Unreadable> {
    bounds::moment(text, "created_at").map_err(Unreadable::Malformed)
}

/// A branch or a tag as it is, a commit as people write it.
fn short(reference: &str) -> &str {
    let commit = reference.len() == COMMIT && reference.bytes().all(|b| b.is_ascii_hexdigit());
    if commit { reference.get(..SHORT).unwrap_or(reference) } else { reference }
}
