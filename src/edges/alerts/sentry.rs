//! Sentry, webhooks of an internal integration: an issue alert, a metric alert or an issue that changed -> one signal. Pure.
//!
//! Facts: docs.sentry.io, "Integration Platform, Webhooks". The signature covers the body alone, so what it is about is read from
//! the body and not from `Sentry-Hook-Resource`. An issue's webhook does not say when it was resolved: it is ordered by when it
//! was last seen, so an issue that is resolved fires again with its next event, not by being reopened by hand.
//!
//! Whoever has a project's DSN, which is in every web page it watches, can send it events with any tags and any level. So neither
//! decides whom an alert is for or whether it wakes anybody: the project, the rule and a metric alert's own state do.

use super::fields::{Pairs, Several, Word, Words, given, json};
use super::signature::Signing;
use super::told::Told;
use super::{Reading, Setting, Unreadable, bounds};
use crate::flow::moment::At;
use crate::flow::routing::SERVICE_LABELS;
use crate::flow::signal::{AlertStatus, MAX_LABEL_CHARS};
use serde::Deserialize;

/// Of the body alone. The time in `Sentry-Hook-Timestamp` is not signed.
pub const SIGNING: Signing = Signing { header: "sentry-hook-signature", prefix: "", timestamp: None };

/// The label with the name of the rule that was met.
const RULE: &str = "rule";

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    action: Option<Word<'a>>,
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    event: Option<Event<'a>>,
    #[serde(borrow)]
    issue: Option<Issue<'a>>,
    #[serde(borrow)]
    metric_alert: Option<MetricAlert<'a>>,
    #[serde(borrow)]
    triggered_rule: Option<Word<'a>>,
    #[serde(borrow)]
    description_title: Option<Word<'a>>,
    #[serde(borrow)]
    description_text: Option<Word<'a>>,
    #[serde(borrow)]
    web_url: Option<Word<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "event_id")]
    id: Option<Word<'a>>,
    #[serde(borrow)]
    issue_id: Option<Word<'a>>,
    #[serde(borrow)]
    title: Option<Word<'a>>,
    #[serde(borrow)]
    culprit: Option<Word<'a>>,
    #[serde(borrow)]
    level: Option<Word<'a>>,
    #[serde(borrow)]
    datetime: Option<Word<'a>>,
    #[serde(borrow)]
    url: Option<Word<'a>>,
    #[serde(borrow)]
    web_url: Option<Word<'a>>,
    /// Pairs of a name and a value.
    #[serde(borrow)]
    tags: Option<Several<Words<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issue<'a> {
    #[serde(borrow)]
    id: Option<Word<'a>>,
    #[serde(borrow)]
    short_id: Option<Word<'a>>,
    #[serde(borrow)]
    title: Option<Word<'a>>,
    #[serde(borrow)]
    culprit: Option<Word<'a>>,
    #[serde(borrow)]
    level: Option<Word<'a>>,
    #[serde(borrow)]
    first_seen: Option<Word<'a>>,
    #[serde(borrow)]
    last_seen: Option<Word<'a>>,
    #[serde(borrow, rename = "web_url")]
    web_url: Option<Word<'a>>,
    #[serde(borrow)]
    permalink: Option<Word<'a>>,
    #[serde(borrow)]
    project: Option<Pairs<'a>>,
}

#[derive(Deserialize)]
struct MetricAlert<'a> {
    #[serde(borrow)]
    id: Option<Word<'a>>,
    #[serde(borrow)]
    title: Option<Word<'a>>,
    #[serde(borrow)]
    date_started: Option<Word<'a>>,
    #[serde(borrow)]
    date_closed: Option<Word<'a>>,
    #[serde(borrow)]
    projects: Option<Words<'a>>,
    #[serde(borrow)]
    alert_rule: Option<Pairs<'a>>,
}

/// # Errors
/// [`Unreadable`]
pub fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let body: Body<'_> = json(setting, bytes, "a Sentry webhook")?;
    let Some(action) = given(body.action.as_ref()) else {
        return Err(malformed("no \"action\": this does not look like a webhook of a Sentry integration"));
    };
    let Some(data) = &body.data else { return Err(malformed("no \"data\" in the webhook")) };
    match (&data.metric_alert, &data.event, &data.issue) {
        (Some(alert), ..) => metric_alert(setting, action, data, alert),
        (None, Some(event), _) if action == "triggered" => issue_alert(setting, data, event),
        (None, None, Some(about)) => issue(setting, action, about),
        // Installations, comments, errors, and what comes next.
        _ => Ok(Reading::nothing(format!("{} says nothing of an alert", setting.line(action, 60)))),
    }
}

fn malformed(why: &str) -> Unreadable {
    Unreadable::Malformed(why.to_owned())
}

fn moment(word: Option<&Word<'_>>, field: &str) -> Result<Option<At>, Unreadable> {
    bounds::moment(given(word), field).map_err(Unreadable::Malformed)
}

/// A rule about issues was met: the issue fires.
fn issue_alert(setting: &Setting<'_>, data: &Data<'_>, event: &Event<'_>) -> Result<Reading, Unreadable> {
    let Some(id) = given(event.issue_id.as_ref()) else { return Err(malformed("the event has no issue_id")) };
    let at = moment(event.datetime.as_ref(), "datetime")?;
    let fingerprint = format!("issue:{id}");
    let tags = event.tags.iter().flat_map(|tags| &tags.0).filter_map(|pair| {
        let mut texts = pair.iter();
        Some((tag(setting, texts.next()?), texts.next()))
    });
    let tags: Vec<(String, Option<&str>)> = tags.collect();
    let mut labels = vec![
        ("alertname", given(event.title.as_ref()).or(Some("Sentry issue"))),
        ("severity", given(event.level.as_ref()).map(severity)),
        (RULE, given(data.triggered_rule.as_ref())),
        ("service", given(event.url.as_ref()).and_then(project)),
    ];
    labels.extend(tags.iter().map(|(name, text)| (name.as_str(), *text)));
    let told = Told {
        fingerprint: &fingerprint,
        status: AlertStatus::Firing,
        starts: at,
        ends: None,
        labels,
        annotations: vec![("description", given(event.culprit.as_ref()))],
        link: given(event.web_url.as_ref()),
    };
    let event_id = given(event.id.as_ref()).unwrap_or_default();
    let rule = given(data.triggered_rule.as_ref()).unwrap_or_default();
    Ok(told.reading(setting, &["event_alert", id, event_id, rule, event.datetime.as_deref().unwrap_or_default()]))
}

/// A level in an alert's words: no worse than a warning, for whoever sends the event says it.
fn severity(level: &str) -> &'static str {
    match level.trim().to_ascii_lowercase().as_str() {
        "fatal" | "critical" | "error" | "warning" => "warning",
        _ => "info",
    }
}

/// A tag as a label: `tag_service` where the name is one that routes, grouping and people go by.
fn tag(setting: &Setting<'_>, name: &str) -> String {
    // As it will be kept: what can't be seen makes no other name.
    let name = setting.line(name, MAX_LABEL_CHARS);
    let ours = name == RULE || bounds::WANTED.contains(&&*name) || SERVICE_LABELS.contains(&&*name);
    if ours { format!("tag_{name}") } else { name }
}

/// The project in an event's address: `…/projects/<organization>/<project>/events/…`.
fn project(address: &str) -> Option<&str> {
    address.split_once("/projects/")?.1.split('/').nth(1).filter(|slug| !slug.is_empty())
}

fn metric_alert(
    setting: &Setting<'_>,
    action: &str,
    data: &Data<'_>,
    alert: &MetricAlert<'_>,
) -> Result<Reading, Unreadable> {
    let status = match action {
        "critical" | "warning" => AlertStatus::Firing,
        "resolved" => AlertStatus::Resolved,
        other => return Ok(Reading::nothing(format!("{} is no state of a metric alert", setting.line(other, 60)))),
    };
    let Some(id) = given(alert.id.as_ref()) else { return Err(malformed("the metric alert has no id")) };
    let started = moment(alert.date_started.as_ref(), "date_started")?;
    let closed = moment(alert.date_closed.as_ref(), "date_closed")?;
    let fingerprint = format!("metric:{id}");
    let rule = alert.alert_rule.as_ref().and_then(|rule| rule.get("name"));
    let told = Told {
        fingerprint: &fingerprint,
        status,
        starts: started,
        ends: closed,
        labels: vec![
            ("alertname", rule.or(given(alert.title.as_ref())).or(Some("Sentry metric alert"))),
            ("severity", (status == AlertStatus::Firing).then_some(action)),
            ("service", alert.projects.as_ref().and_then(Words::first)),
            ("environment", alert.alert_rule.as_ref().and_then(|rule| rule.get("environment"))),
        ],
        annotations: vec![
            ("summary", given(data.description_title.as_ref())),
            ("description", given(data.description_text.as_ref())),
        ],
        link: given(data.web_url.as_ref()),
    };
    let stamps = [&alert.date_started, &alert.date_closed].map(|word| word.as_deref().unwrap_or_default());
    Ok(told.reading(setting, &["metric_alert", id, action, stamps[0], stamps[1]]))
}

fn issue(setting: &Setting<'_>, action: &str, issue: &Issue<'_>) -> Result<Reading, Unreadable> {
    let status = match action {
        "created" | "unresolved" => AlertStatus::Firing,
        // Archived (earlier: ignored): somebody decided that it is no trouble.
        "resolved" | "archived" | "ignored" => AlertStatus::Resolved,
        other => {
            let other = setting.line(other, 60);
            return Ok(Reading::nothing(format!("{other} says nothing of an issue's state")));
        }
    };
    let Some(id) = given(issue.id.as_ref()) else { return Err(malformed("the issue has no id")) };
    let last = moment(issue.last_seen.as_ref(), "lastSeen")?;
    let at = last.or(moment(issue.first_seen.as_ref(), "firstSeen")?);
    let fingerprint = format!("issue:{id}");
    let project = issue.project.as_ref().and_then(|project| project.get("slug").or(project.get("name")));
    let told = Told {
        fingerprint: &fingerprint,
        status,
        starts: at,
        ends: at,
        labels: vec![
            ("alertname", given(issue.title.as_ref()).or(Some("Sentry issue"))),
            ("severity", given(issue.level.as_ref()).map(severity)),
            ("service", project),
            ("issue", given(issue.short_id.as_ref())),
        ],
        annotations: vec![("description", given(issue.culprit.as_ref()))],
        link: given(issue.web_url.as_ref()).or(given(issue.permalink.as_ref())),
    };
    let stamps = [&issue.first_seen, &issue.last_seen].map(|word| word.as_deref().unwrap_or_default());
    Ok(told.reading(setting, &["issue", id, action, stamps[0], stamps[1]]))
}
