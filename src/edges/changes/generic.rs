//! Changes in a small JSON of our own, for pipelines that can call an address: docs/changes.md describes it. Pure.

use super::{Told, change, reading, unreadable};
use crate::edges::alerts::{Kind, MAX_BODY, Media, Reading, Setting, Unreadable, bounds};
use crate::flow::moment::At;
use crate::flow::signal::ChangeStatus;
use serde::Deserialize;

/// Its row in the table of kinds.
pub const KIND: Kind = Kind {
    name: "generic",
    about: "change events in a small JSON of our own (docs/changes.md)",
    read,
    media: Media::Json,
    signing: None,
    max_body: MAX_BODY,
};

/// Changes in one delivery: a release train, not an archive.
pub const MAX_CHANGES: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: String,
    at: Option<String>,
    service: Option<String>,
    environment: Option<String>,
    summary: String,
    by: Option<String>,
    link: Option<String>,
    status: Option<Status>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    InProgress,
    Succeeded,
    Failed,
}

fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let expected = "a change event of ours (see docs/changes.md)";
    // Which shape it has is seen at once; serde's words about both at the same time help nobody.
    let many = bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    let read = if many { serde_json::from_slice(bytes) } else { serde_json::from_slice(bytes).map(|one| vec![one]) };
    let raw: Vec<Raw> = read.map_err(|e| unreadable(&e, expected))?;
    if raw.len() > MAX_CHANGES {
        return Err(Unreadable::TooLarge(format!("more than {MAX_CHANGES} changes in one delivery")));
    }
    let mut changes = Vec::with_capacity(raw.len());
    for raw in &raw {
        if raw.id.is_empty() {
            return Err(Unreadable::Malformed(
                "a change has an empty \"id\": without one its end can't be told".to_owned(),
            ));
        }
        let at: Option<At> = bounds::moment(raw.at.as_deref(), "at").map_err(Unreadable::Malformed)?;
        let status = match raw.status {
            Some(Status::InProgress) => ChangeStatus::InProgress,
            Some(Status::Failed) => ChangeStatus::Failed,
            // Most pipelines call when they are done, and only then.
            Some(Status::Succeeded) | None => ChangeStatus::Succeeded,
        };
        let told = Told {
            id: &raw.id,
            at,
            service: raw.service.as_deref(),
            environment: raw.environment.as_deref(),
            summary: &raw.summary,
            by: raw.by.as_deref(),
            link: raw.link.as_deref(),
            status,
        };
        changes.push(change(setting, told));
    }
    Ok(reading(setting, bytes, changes))
}
