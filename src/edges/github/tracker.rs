//! The tracker's port over GitHub's issues: filed once, found by their marker, moved.

use super::answer::{Judged, judge};
use super::marker::Marker;
use super::wire::Ask;
use super::{GitHub, Shown, is_login, is_repository};
use crate::egress::Answer;
use crate::flow::fact::Issue;
use crate::flow::moment::{At, DAY};
use crate::ports::{IssueDraft, IssueWanted, Tracker, Undelivered};
use async_trait::async_trait;
use axum::http::Method;
use serde_json::{Value, json};

/// Characters GitHub takes of a title, and of a body.
const MAX_TITLE: usize = 256;
const MAX_BODY: usize = 65_536;
/// Assignees GitHub takes.
const MAX_ASSIGNEES: usize = 10;
/// Issues on a page, and pages: what was made or changed within days before a lost answer in the busiest of repositories.
const PER_PAGE: usize = 50;
const MAX_PAGES: usize = 60;
/// A clock that jumped a day ahead before the issue was made must not hide it.
const LOOK_BACK: i64 = 2 * DAY;

#[async_trait]
impl Tracker for GitHub {
    async fn file(&self, op: &str, draft: &IssueDraft) -> Result<(Issue, Vec<String>), Undelivered> {
        let repository = &draft.repository;
        if !is_repository(repository) {
            return Err(never(format!("`{repository}` is no repository: write owner/name")));
        }
        self.turn(op)?;
        let (known, mut unknown) = self.assignable(repository, &draft.assignees).await?;
        let marker = format!("\n\n{}\n", Marker::of(op, draft));
        let mut body: String = draft.body.chars().take(MAX_BODY - marker.len()).collect();
        body.push_str(&marker);
        let title: String = draft.title.chars().take(MAX_TITLE).collect();
        let mut content = json!({ "title": title, "body": body });
        if !draft.labels.is_empty() {
            content["labels"] = json!(draft.labels);
        }
        if !known.is_empty() {
            content["assignees"] = json!(known);
        }
        let path = format!("/repos/{repository}/issues");
        let answer = self.write(&Method::POST, &path, &content).await?;
        let shown: Shown = match judge(&answer, self.clock.now()) {
            // 201 and nothing to read: there is one, and its number is found by looking.
            Judged::Fine => {
                answer.json().map_err(|e| unknown_outcome(&format!("GitHub's answer cannot be read: {e}")))?
            }
            Judged::Refused { why, .. } => return Err(never(format!("{repository}: {why}"))),
            Judged::Limited { why, .. } | Judged::Trouble { why } => return Err(unknown_outcome(&why)),
        };
        unknown.extend(missing(draft, &known, &shown));
        Ok((shown.issue(repository), unknown))
    }

    async fn find(&self, op: &str, draft: &IssueDraft, since: At) -> Result<Option<(Issue, Vec<String>)>, Undelivered> {
        let repository = &draft.repository;
        if !is_repository(repository) {
            return Ok(None);
        }
        let login = self.login().await?;
        let (marker, since) = (Marker::of(op, draft), since.plus(-LOOK_BACK).rfc3339());
        for page in 1..=MAX_PAGES {
            // Listed, not searched for: the index lags. The oldest first, so that new ones move no page.
            let path = format!(
                "/repos/{repository}/issues?state=all&creator={}&since={since}&sort=created&direction=asc\
                 &per_page={PER_PAGE}&page={page}",
                login.replace('[', "%5B").replace(']', "%5D")
            );
            let answer = self.read(Ask::get(&path)).await?;
            let listed: Vec<Shown> = self.readable(&answer)?;
            let number = listed.len();
            // The marker can be copied by anybody; what we made bears our name.
            let ours = |shown: &Shown| {
                let by = shown.user.as_ref().is_some_and(|user| user.login.eq_ignore_ascii_case(&login));
                by && shown.body.as_deref().and_then(Marker::read).as_ref() == Some(&marker)
            };
            if let Some(shown) = listed.into_iter().find(ours) {
                let asked: Vec<String> = draft.assignees.clone();
                let unknown = missing(draft, &asked, &shown);
                return Ok(Some((shown.issue(repository), unknown)));
            }
            let more = answer.header("link").is_some_and(|link| link.contains("rel=\"next\""));
            if !more && number < PER_PAGE {
                return Ok(None);
            }
        }
        Err(unknown_outcome("there are more issues than can be looked through"))
    }

    async fn bring(&self, issue: &Issue, wanted: &IssueWanted) -> Result<Vec<String>, Undelivered> {
        if !is_repository(&issue.repository) {
            return Err(never(format!("`{}` is no repository", issue.repository)));
        }
        let path = format!("/repos/{}/issues/{}", issue.repository, issue.number);
        self.turn(&path)?;
        let (state, reason) = if wanted.closed { ("closed", "completed") } else { ("open", "reopened") };
        let mut content = json!({ "state": state, "state_reason": reason });
        let mut unknown = Vec::new();
        if let Some(assignees) = &wanted.assignees {
            let (known, strangers) = self.assignable(&issue.repository, assignees).await?;
            unknown = strangers;
            if !known.is_empty() {
                content["assignees"] = json!(known);
            }
        }
        let answer = self.write(&Method::PATCH, &path, &content).await?;
        match judge(&answer, self.clock.now()) {
            Judged::Fine => Ok(unknown),
            Judged::Refused { why, .. } => Err(never(format!("{}#{}: {why}", issue.repository, issue.number))),
            Judged::Limited { why, .. } | Judged::Trouble { why } => Err(unknown_outcome(&why)),
        }
    }
}

impl GitHub {
    /// # Errors
    /// Not yet: it is not the turn of `op`.
    fn turn(&self, op: &str) -> Result<(), Undelivered> {
        self.pace.write(op, self.clock.now()).map_err(|wait| Undelivered::NotYet {
            why: "GitHub takes one write a second, 80 a minute, 500 an hour".to_owned(),
            after_ms: Some(wait),
        })
    }

    /// Sends a change. An answer that says "wait" had no effect; a lost one may have had.
    async fn write(&self, method: &Method, path: &str, content: &Value) -> Result<Answer, Undelivered> {
        self.ask(Ask { method, path, body: Some(content), etag: None }, Undelivered::from).await
    }

    /// Who of these can be assigned there, and who not: GitHub would refuse all of the issue for one of them.
    async fn assignable(&self, repository: &str, logins: &[String]) -> Result<(Vec<String>, Vec<String>), Undelivered> {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for login in logins {
            if known.len() >= MAX_ASSIGNEES || !is_login(login) {
                unknown.push(login.clone());
                continue;
            }
            let answer = self.read(Ask::get(&format!("/repos/{repository}/assignees/{login}"))).await?;
            match judge(&answer, self.clock.now()) {
                Judged::Fine => known.push(login.clone()),
                // Or there is no such repository: the issue itself will tell.
                Judged::Refused { .. } => unknown.push(login.clone()),
                Judged::Limited { why, .. } | Judged::Trouble { why } => {
                    return Err(Undelivered::NotYet { why, after_ms: None });
                }
            }
        }
        Ok((known, unknown))
    }

    /// What a read came to.
    pub(super) fn readable<T: serde::de::DeserializeOwned>(&self, answer: &Answer) -> Result<T, Undelivered> {
        match judge(answer, self.clock.now()) {
            Judged::Fine => answer.json().map_err(|e| unknown_outcome(&format!("GitHub's answer cannot be read: {e}"))),
            Judged::Refused { why, .. } => Err(never(why)),
            Judged::Limited { why, .. } | Judged::Trouble { why } => Err(Undelivered::NotYet { why, after_ms: None }),
        }
    }
}

/// What was asked for and is not on the issue: GitHub drops labels and assignees without a word where the token may not set them.
fn missing(draft: &IssueDraft, assignees: &[String], shown: &Shown) -> Vec<String> {
    let has_label = |label: &String| shown.labels.iter().any(|l| l.name().eq_ignore_ascii_case(label));
    let has_login = |login: &String| shown.assignees.iter().any(|a| a.login.eq_ignore_ascii_case(login));
    let labels = draft.labels.iter().filter(|l| !has_label(l)).map(|label| format!("label {label}"));
    labels.chain(assignees.iter().filter(|login| !has_login(login)).cloned()).collect()
}

const fn never(why: String) -> Undelivered {
    Undelivered::Never { why }
}

fn unknown_outcome(why: &str) -> Undelivered {
    Undelivered::Unknown { why: why.to_owned() }
}
