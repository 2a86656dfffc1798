//! Erasing: what of an ended incident is purged and what stays of it; and how a person is taken out of what was written.
//!
//! Pure. That something happened, when, and that it was erased stays in the journal for ever; what was said does not.

use super::fact::{Entry, Fact};
use super::identity::{Actor, Identity, PersonId};
use super::incident::Incident;
use super::moment::At;
use serde_json::Value;
use smokejumper_intents::word::Milestone;

/// The title of an incident that was purged.
pub const PURGED: &str = "(purged)";

/// Says nothing of anybody's own: it stays.
fn is_bare(fact: &Fact) -> bool {
    match fact {
        Fact::Acknowledged
        | Fact::SeveritySet { .. }
        | Fact::StateSet { note: None, .. }
        | Fact::Judged { cause: None, .. }
        | Fact::RunApproved { .. }
        | Fact::RunDenied { reason: None, .. }
        | Fact::RunExpired { .. }
        | Fact::RunStarted { .. }
        | Fact::Resolved { cause: None, fix: None }
        | Fact::FollowUpDone { .. }
        | Fact::FollowUpReopened { .. }
        | Fact::TaskDone { .. }
        | Fact::PostmortemDrafted { .. }
        | Fact::Merged { .. }
        | Fact::Corrected { .. }
        | Fact::MadePrivate { .. }
        | Fact::NudgesSnoozed { .. }
        | Fact::RoomsArchived
        | Fact::Redacted { .. }
        | Fact::Rewritten { .. } => true,
        Fact::Renamed { title } => title == PURGED,
        // What a later version says is erased, rather than kept by mistake.
        _ => false,
    }
}

/// What is to be written so that nothing is left of what was said in an ended incident: an erasure for each entry that said
/// something, and after that how it ended and when, which were in some of them. Empty: nothing is left to erase.
#[must_use]
pub fn purge(before: &Incident, entries: &[Entry], by: &Actor, now: At) -> Vec<Entry> {
    let mut last = entries.last().map_or(0, |entry| entry.n);
    let mut next = |fact| {
        last += 1;
        Entry { incident: before.id, n: last, at: now, by: by.clone(), fact }
    };
    let said = entries.iter().filter(|entry| !is_bare(&entry.fact));
    let mut more: Vec<Entry> = said.clone().map(|entry| next(Fact::Redacted { n: entry.n })).collect();
    if more.is_empty() {
        return more;
    }
    more.push(next(Fact::Renamed { title: PURGED.to_owned() }));
    let erased = |entry: &Entry| if is_bare(&entry.fact) { entry.clone() } else { blank(entry) };
    let left: Vec<Entry> = entries.iter().map(erased).chain(more.iter().cloned()).collect();
    let after = Incident::fold(before.id, &left);
    if let Some(severity) = before.severity.filter(|severity| after.severity != Some(*severity)) {
        more.push(next(Fact::SeveritySet { severity }));
    }
    if after.state != before.state {
        more.push(next(Fact::StateSet { state: before.state.0, note: None }));
    }
    let (was, is) = (&before.times, &after.times);
    for (milestone, to, from) in [
        (Milestone::Declared, Some(was.declared), Some(is.declared)),
        (Milestone::Acknowledged, was.acknowledged, is.acknowledged),
        (Milestone::Identified, was.identified, is.identified),
        (Milestone::Mitigated, was.mitigated, is.mitigated),
        (Milestone::Resolved, was.resolved, if after.state == before.state { is.resolved } else { None }),
    ] {
        if let Some(to) = to.filter(|to| Some(*to) != from) {
            more.push(next(Fact::Corrected { milestone, from: None, to }));
        }
    }
    more
}

/// An entry as it reads when its payload is gone.
fn blank(entry: &Entry) -> Entry {
    Entry { fact: Fact::Redacted { n: entry.n }, ..entry.clone() }
}

/// A person to be forgotten, and what stands in their place from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    pub person: PersonId,
    /// As they are called in messages.
    pub name: Option<String>,
    pub identities: Vec<Identity>,
    /// `forgotten-` and random letters: the same for all of theirs, so that two approvers stay two.
    pub tombstone: String,
}

/// Keys under which a text names a person, in facts, effects and replies.
const NAMING: [&str; 7] = ["person", "owner", "who", "assignee", "responders", "approvers", "members"];

impl Forgotten {
    /// Takes them out of a stored document; whether anything was of them. Free text stays as it was said.
    pub fn scrub(&self, document: &mut Value) -> bool {
        self.walk(document, false)
    }

    /// `naming`: texts here name people.
    fn walk(&self, value: &mut Value, naming: bool) -> bool {
        match value {
            Value::String(text) if naming && (*text == self.person.0 || self.name.as_ref() == Some(text)) => {
                text.clone_from(&self.tombstone);
                true
            }
            Value::Array(items) => items.iter_mut().fold(false, |found, item| self.walk(item, naming) | found),
            Value::Object(fields) => {
                if self.identities.iter().any(|identity| is_identity(fields, identity)) {
                    fields.insert("id".to_owned(), Value::String(self.tombstone.clone()));
                    return true;
                }
                let mut found = false;
                for (key, field) in fields.iter_mut() {
                    found |= key == "author" && self.unsign(field);
                    // A candidate of "responders" names them in its "value".
                    let names = NAMING.contains(&key.as_str()) || (naming && key == "value");
                    found |= self.walk(field, names);
                }
                found
            }
            _ => false,
        }
    }
}

impl Forgotten {
    /// Whoever wrote a message that was kept is named as one text: `slack/T024BE7LD/U2147483697`.
    fn unsign(&self, author: &mut Value) -> bool {
        let Some(named) = author.as_str().and_then(Identity::parse) else { return false };
        let theirs = self.identities.contains(&named);
        if theirs {
            *author = Value::String(format!("{}/{}/{}", named.platform.label(), named.workspace, self.tombstone));
        }
        theirs
    }
}

fn is_identity(fields: &serde_json::Map<String, Value>, identity: &Identity) -> bool {
    let is = |key: &str, text: &str| fields.get(key).and_then(Value::as_str) == Some(text);
    fields.len() == 3
        && is("platform", identity.platform.label())
        && is("workspace", &identity.workspace)
        && is("id", &identity.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::identity::Platform;
    use serde_json::json;

    #[test]
    fn a_person_goes_wherever_they_are_named_and_nobody_else_does() {
        let account = Identity { platform: Platform::Slack, workspace: "T1".to_owned(), id: "U1".to_owned() };
        let forgotten = Forgotten {
            person: PersonId("ana".to_owned()),
            name: Some("Ana Ruiz".to_owned()),
            identities: vec![account],
            tombstone: "forgotten-x".to_owned(),
        };
        let mut document = json!({
            "who": {"person": "ana"}, "by": {"platform": "slack", "workspace": "T1", "id": "U1"},
            "other": {"platform": "slack", "workspace": "T1", "id": "U2"}, "owner": "ana", "service": "ana",
            "responders": ["ana", "bo", {"value": "ana", "p": 0.5, "features": [["ana", 1.0]]}],
            "spans": [{"person": "Ana Ruiz"}, {"outside": "Ana Ruiz was here"}], "title": "ana",
            "message": {"author": "slack/T1/U1", "text": "x"}, "another": {"author": "slack/T1/U2"}
        });
        assert!(forgotten.scrub(&mut document));
        assert_eq!(
            document,
            json!({
                "who": {"person": "forgotten-x"}, "by": {"platform": "slack", "workspace": "T1", "id": "forgotten-x"},
                "other": {"platform": "slack", "workspace": "T1", "id": "U2"}, "owner": "forgotten-x", "service": "ana",
                "responders": ["forgotten-x", "bo", {"value": "forgotten-x", "p": 0.5, "features": [["ana", 1.0]]}],
                "spans": [{"person": "forgotten-x"}, {"outside": "Ana Ruiz was here"}], "title": "ana",
                "message": {"author": "slack/T1/forgotten-x", "text": "x"}, "another": {"author": "slack/T1/U2"}
            })
        );
        assert!(!forgotten.scrub(&mut document), "once is enough");
    }
}
