//! A channel as it should be: name, topic, purpose, links, people, archived or not. Read first, so that doing it twice changes
//! nothing; one thing that cannot be done keeps no other from being done.

use super::Slack;
use super::method;
use super::pace::Lane;
use super::room::{Channel, Words};
use super::text::{escaped, fit, size};
use super::trouble::{Cause, Trouble};
use crate::flow::fact::{Room, RoomChange};
use crate::flow::identity::{Identity, Platform};
use crate::flow::incident::Incident;
use crate::flow::rooms::Furnishing;
use crate::ports::Undelivered;
use serde::Deserialize;
use serde_json::{Value, json};
use smokejumper_intents::inert;
use smokejumper_intents::reply::may_be_linked;
use std::collections::BTreeSet;

/// Characters of a topic and of a purpose, escapes counted.
const MAX_TOPIC: usize = 250;
/// People invited by one call.
const MAX_INVITED: usize = 100;
/// Members on a page, and pages: a channel with everybody in it.
const PER_PAGE: usize = 200;
const MAX_PAGES: usize = 25;

#[derive(Deserialize)]
struct Bookmark {
    id: String,
    #[serde(default)]
    title: String,
    link: Option<String>,
}

/// What is left to say of one part: `Err` is for all of it (nothing can be done now, or the room is not there).
type Part = Result<Option<String>, Undelivered>;

impl Slack {
    pub(super) async fn bring(
        &self,
        incident: &Incident,
        room: &Room,
        wanted: &Furnishing,
    ) -> Result<Vec<String>, Undelivered> {
        let channel = self.channel(&room.id).await.map_err(Trouble::in_room)?;
        if channel.is_archived && wanted.archived {
            return Ok(Vec::new());
        }
        if channel.is_archived {
            self.unarchive(incident, &channel).await?;
        }
        let mut problems = Vec::new();
        problems.extend(self.name(&channel, wanted).await?);
        let topic = (&wanted.topic, &channel.topic, &method::SET_TOPIC, "topic");
        let purpose = (&wanted.purpose, &channel.purpose, &method::SET_PURPOSE, "purpose");
        for (text, words, method, field) in [topic, purpose] {
            problems.extend(self.words(&channel, text, words, method, field).await?);
        }
        problems.extend(self.links(&channel, wanted).await?);
        problems.extend(self.people(&channel, &wanted.people).await?);
        if wanted.archived {
            problems.extend(self.set(&method::ARCHIVE, json!({ "channel": channel.id }), "archive the channel").await?);
        }
        Ok(problems)
    }

    /// Only when the incident was reopened: what people archived by hand stays so.
    async fn unarchive(&self, incident: &Incident, channel: &Channel) -> Result<(), Undelivered> {
        let reopened = incident.is_open() && incident.times.resolved.is_some();
        let by_hand = incident.lost_rooms.contains_key(&Platform::Slack);
        let archived = |why: String| Undelivered::NoRoom { change: RoomChange::Archived, why };
        if !reopened || by_hand {
            return Err(archived("the channel was archived".to_owned()));
        }
        let turn = self.turn(&method::UNARCHIVE, None, Lane::Chatter, &channel.id);
        match self.call_in::<Value>(turn, &json!({ "channel": channel.id })).await {
            Ok(_) => Ok(()),
            Err(trouble) if trouble.is(&["not_archived"]) => Ok(()),
            // Slack lets a bot out of a channel that is archived, and then not in again by itself.
            Err(trouble) if trouble.code().is_some() => {
                Err(archived(format!("it can't be unarchived by us: {trouble}")))
            }
            Err(trouble) => Err(trouble.into()),
        }
    }

    async fn name(&self, channel: &Channel, wanted: &Furnishing) -> Part {
        let Some(name) = wanted.name.as_ref().filter(|name| **name != channel.name) else { return Ok(None) };
        let done = format!("{} name", channel.id);
        // Slack may have made something else of it: not asked for again.
        if self.noted(&done).as_ref() == Some(name) {
            return Ok(None);
        }
        let arguments = json!({ "channel": channel.id, "name": name });
        let problem = self.set(&method::RENAME, arguments, "rename the channel").await?;
        self.note(done, name.clone());
        Ok(problem)
    }

    /// Topic or purpose, when it says something else. What people write over ours stays until ours changes.
    async fn words(
        &self,
        channel: &Channel,
        text: &str,
        words: &Words,
        method: &'static method::Method,
        field: &'static str,
    ) -> Part {
        let text = quiet(text);
        let done = format!("{} {field}", channel.id);
        if text.is_empty() || words.say(&text) || self.noted(&done).as_ref() == Some(&text) {
            return Ok(None);
        }
        let arguments = json!({ "channel": channel.id, field: escaped(&text) });
        let problem = self.set(method, arguments, "set what the channel says of itself").await?;
        if problem.is_none() {
            self.note(done, text);
        }
        Ok(problem)
    }

    /// Ours are known by their titles.
    async fn links(&self, channel: &Channel, wanted: &Furnishing) -> Part {
        #[derive(Deserialize)]
        struct Listed {
            #[serde(default)]
            bookmarks: Vec<Bookmark>,
        }
        let links: Vec<_> = wanted.links.iter().filter(|(_, link)| may_be_linked(link)).collect();
        if links.is_empty() {
            return Ok(None);
        }
        let turn = self.turn(&method::BOOKMARKS_LIST, None, Lane::Chatter, &channel.id);
        let listed: Listed = match self.call_in(turn, &json!({ "channel_id": channel.id })).await {
            Ok(listed) => listed,
            Err(trouble) => return part(trouble, "put links at the top of the channel"),
        };
        let mut problem = None;
        for (title, link) in links {
            let title = inert::line(title);
            let (method, arguments) = match listed.bookmarks.iter().find(|known| known.title == title) {
                Some(known) if known.link.as_ref() == Some(link) => continue,
                Some(known) => {
                    let (id, channel) = (&known.id, &channel.id);
                    (&method::BOOKMARKS_EDIT, json!({ "channel_id": channel, "bookmark_id": id, "link": link }))
                }
                None => {
                    let new = json!({ "channel_id": channel.id, "title": title, "type": "link", "link": link });
                    (&method::BOOKMARKS_ADD, new)
                }
            };
            problem = self.set(method, arguments, "put links at the top of the channel").await?.or(problem);
        }
        Ok(problem)
    }

    /// Everybody is invited once: who leaves again wants that.
    async fn people(&self, channel: &Channel, people: &[Identity]) -> Result<Vec<String>, Undelivered> {
        let me = self.me().await?;
        let invited = |id: &str| format!("{} invited {id}", channel.id);
        let fits =
            |who: &&Identity| who.platform == Platform::Slack && who.workspace == me.workspace && who.id != me.user;
        let missing: BTreeSet<&str> =
            people.iter().filter(fits).map(|who| who.id.as_str()).filter(|id| !self.did(&invited(id))).collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let there = match self.members(&channel.id).await {
            Ok(there) => there,
            Err(trouble) => return part(trouble, "see who is in the channel").map(|p| p.into_iter().collect()),
        };
        let (there, missing): (Vec<&str>, Vec<&str>) = missing.into_iter().partition(|id| there.contains(*id));
        for id in there {
            self.now_did(invited(id));
        }
        let mut problems = Vec::new();
        for some in missing.chunks(MAX_INVITED) {
            match self.invite(&channel.id, some).await {
                Ok(()) => {}
                // One of them cannot be invited; Slack may have left out all.
                Err(trouble) if some.len() > 1 && is_about_people(&trouble) => {
                    for one in some {
                        if let Err(trouble) = self.invite(&channel.id, &[one]).await {
                            problems.extend(part(trouble, "invite somebody")?);
                        }
                    }
                }
                Err(trouble) => problems.extend(part(trouble, "invite somebody")?),
            }
            for id in some {
                self.now_did(invited(id));
            }
        }
        Ok(problems)
    }

    async fn invite(&self, channel: &str, people: &[&str]) -> Result<(), Trouble> {
        let users = people.join(",");
        let turn = self.turn(&method::INVITE, None, Lane::Urgent, &users);
        let arguments = json!({ "channel": channel, "users": users, "force": true });
        match self.call_in::<Value>(turn, &arguments).await {
            Err(trouble) if trouble.is(&["already_in_channel"]) => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    async fn members(&self, channel: &str) -> Result<BTreeSet<String>, Trouble> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            members: Vec<String>,
            response_metadata: Option<Value>,
        }
        let mut found = BTreeSet::new();
        let mut arguments = json!({ "channel": channel, "limit": PER_PAGE });
        for _ in 0..MAX_PAGES {
            let turn = self.turn(&method::MEMBERS, None, Lane::Chatter, channel);
            let page: Page = self.call_in(turn, &arguments).await?;
            found.extend(page.members);
            let next = page.response_metadata.as_ref().and_then(|m| m["next_cursor"].as_str()).unwrap_or_default();
            if next.is_empty() {
                break;
            }
            arguments["cursor"] = json!(next);
        }
        Ok(found)
    }

    /// One call that does the same when it is repeated.
    async fn set(&self, method: &'static method::Method, arguments: Value, what: &str) -> Part {
        let turn = self.turn(method, None, Lane::Chatter, arguments["channel"].as_str().unwrap_or(method.name));
        match self.call_in::<Value>(turn, &arguments).await {
            Ok(_) => Ok(None),
            Err(trouble) if trouble.is(&["already_archived", "name_unchanged"]) => Ok(None),
            Err(trouble) => part(trouble, what),
        }
    }
}

/// The room is gone, or Slack is: all of it comes again. Everything else is told, and the rest is done.
fn part(trouble: Trouble, what: &str) -> Part {
    match trouble.cause {
        Cause::Said { .. } if trouble.room_change().is_none() => Ok(Some(format!("can't {what}: {trouble}"))),
        Cause::Refused(_) => Ok(Some(format!("can't {what}: {trouble}"))),
        _ => Err(trouble.in_room()),
    }
}

fn is_about_people(trouble: &Trouble) -> bool {
    trouble.is(&[
        "already_in_channel",
        "app_cannot_join_channel",
        "cant_invite",
        "cant_invite_self",
        "invitee_cant_see_channel",
        "no_external_invite_permission",
        "no_user",
        "org_user_not_in_team",
        "ura_max_channels",
        "user_is_restricted",
        "user_not_found",
        "users_not_found",
    ])
}

/// Outside text where Slack makes links of addresses by itself: they are broken up; and within the length, escapes counted.
fn quiet(text: &str) -> String {
    let text = inert::line(text).replace("://", ": //").replace("www.", "www .");
    let mut max = MAX_TOPIC;
    loop {
        let fitting = fit(&text, max);
        match size(&escaped(&fitting)).checked_sub(MAX_TOPIC) {
            None | Some(0) => return fitting,
            Some(over) => max = max.saturating_sub(over.max(1)).max(1),
        }
        if max <= 1 {
            return String::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_links_nothing_and_fits() {
        assert_eq!(quiet("see https://evil.example/x\nnow"), "see https: //evil.example/x now");
        for text in ["<&>".repeat(400), "x".repeat(400), "&".repeat(251), "😀".repeat(200)] {
            assert!(size(&escaped(&quiet(&text))) <= MAX_TOPIC, "{text}");
        }
    }
}
