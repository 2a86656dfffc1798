//! Channels: made once, found again by their name, and told from others of the same name.

use super::method;
use super::pace::Lane;
use super::text::escaped;
use super::trouble::Trouble;
use super::{Me, Slack};
use crate::flow::fact::Room;
use crate::flow::incident::Incident;
use crate::flow::moment::{At, DAY};
use crate::ports::Undelivered;
use serde::Deserialize;
use serde_json::{Value, json};

/// Characters of a channel's name.
const MAX_NAME: usize = 80;
/// Channels of one name that are tried: `…-2`, `…-3`.
const MAX_TRIES: usize = 9;
/// Channels on a page, and pages: all those a bot is in, in the largest of workspaces.
const PER_PAGE: usize = 200;
const MAX_PAGES: usize = 100;
/// A clock that jumped a day ahead before the channel was made must not hide it.
const LOOK_BACK: i64 = DAY;

/// What is used of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Channel {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub is_private: bool,
    #[serde(default)]
    pub is_archived: bool,
    #[serde(default)]
    pub is_member: bool,
    #[serde(default)]
    pub creator: String,
    /// Seconds since 1970.
    #[serde(default)]
    pub created: i64,
    #[serde(default)]
    pub topic: Words,
    #[serde(default)]
    pub purpose: Words,
}

/// A channel's topic or purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Words {
    #[serde(default)]
    pub value: String,
}

impl Words {
    /// Slack gives back what it was given, mostly with its escapes.
    #[must_use]
    pub fn say(&self, text: &str) -> bool {
        self.value == text || self.value == escaped(text)
    }
}

#[derive(Deserialize)]
struct One {
    channel: Channel,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    channels: Vec<Channel>,
    response_metadata: Option<Value>,
}

/// `name`, then `name-2`, `name-3`: whole within Slack's length.
fn candidate(name: &str, number: usize) -> String {
    let suffix = if number < 2 { String::new() } else { format!("-{number}") };
    let kept: String = name.chars().take(MAX_NAME.saturating_sub(suffix.len())).collect();
    format!("{}{suffix}", kept.trim_end_matches('-'))
}

/// Made by us for this and never taken into use: one that was has a purpose.
fn is_unclaimed(channel: &Channel, me: &Me, private: bool, since: At) -> bool {
    channel.creator == me.user
        && channel.is_private == private
        && !channel.is_archived
        && channel.purpose.value.is_empty()
        && At(channel.created.saturating_mul(1_000)) >= since.plus(-LOOK_BACK)
}

impl Slack {
    pub(super) async fn make_room(&self, op: &str, incident: &Incident, name: &str) -> Result<Room, Undelivered> {
        let me = self.me().await?;
        let mut taken = String::new();
        for number in 1..=MAX_TRIES {
            let name = candidate(name, number);
            let arguments = json!({ "name": name, "is_private": incident.private });
            let turn = self.turn(&method::CREATE, None, Lane::Urgent, op);
            match self.call_in::<One>(turn, &arguments).await {
                Ok(one) => return Ok(room(&me, one.channel)),
                Err(trouble) if trouble.is(&["name_taken"]) => {
                    // By ourselves, when the answer to an earlier attempt was lost.
                    let declared = incident.times.declared;
                    if let Some(own) = self.unclaimed(std::slice::from_ref(&name), incident.private, declared).await? {
                        return Ok(room(&me, own));
                    }
                    taken = name;
                }
                Err(trouble) => return Err(trouble.into()),
            }
        }
        Err(Undelivered::Never { why: format!("there are channels of all names up to `{taken}` already") })
    }

    /// The channel that an attempt of ours made whose answer was lost. `Ok(None)` is certain.
    pub(super) async fn lost_room(
        &self,
        incident: &Incident,
        name: &str,
        since: At,
    ) -> Result<Option<Room>, Undelivered> {
        let me = self.me().await?;
        let names: Vec<String> = (1..=MAX_TRIES).map(|number| candidate(name, number)).collect();
        let found = self.unclaimed(&names, incident.private, since).await?;
        Ok(found.map(|channel| room(&me, channel)))
    }

    /// Of the channels we are in (and whoever makes one is in it) the one of such a name that is not in use yet.
    async fn unclaimed(&self, names: &[String], private: bool, since: At) -> Result<Option<Channel>, Undelivered> {
        let me = self.me().await?;
        let fits = |channel: &Channel| names.contains(&channel.name) && is_unclaimed(channel, &me, private, since);
        let types = "public_channel,private_channel";
        let arguments = json!({ "types": types, "exclude_archived": true, "limit": PER_PAGE });
        Ok(self.search(&method::USERS_CONVERSATIONS, arguments, fits).await?)
    }

    /// Goes through all pages of channels for the first that fits.
    pub(super) async fn search(
        &self,
        method: &'static method::Method,
        mut arguments: Value,
        fits: impl Fn(&Channel) -> bool,
    ) -> Result<Option<Channel>, Trouble> {
        for _ in 0..MAX_PAGES {
            let turn = self.turn(method, None, Lane::Urgent, "");
            let page: Page = self.call_in(turn, &arguments).await?;
            if let Some(found) = page.channels.into_iter().find(|channel| fits(channel)) {
                return Ok(Some(found));
            }
            let next = page.response_metadata.as_ref().and_then(|m| m["next_cursor"].as_str()).unwrap_or_default();
            if next.is_empty() {
                break;
            }
            arguments["cursor"] = json!(next);
        }
        Ok(None)
    }

    pub(super) async fn channel(&self, id: &str) -> Result<Channel, Trouble> {
        let turn = self.turn(&method::INFO, None, Lane::Chatter, id);
        let one: One = self.call_in(turn, &json!({ "channel": id })).await?;
        Ok(one.channel)
    }

    /// The channel in which we and one person are alone.
    pub(super) async fn direct(&self, user: &str) -> Result<String, Trouble> {
        let known = format!("{user} direct");
        if let Some(id) = self.noted(&known) {
            return Ok(id);
        }
        let turn = self.turn(&method::OPEN, None, Lane::Urgent, user);
        let one: One = self.call_in(turn, &json!({ "users": user })).await?;
        self.note(known, one.channel.id.clone());
        Ok(one.channel.id)
    }
}

/// As Slack named it, which may differ from what was asked for.
fn room(me: &Me, channel: Channel) -> Room {
    let link = Some(me.channel_link(&channel.id));
    Room { id: channel.id, name: channel.name, link, private: channel.is_private }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number_and_its_length() {
        assert_eq!(candidate("inc-1-checkout", 1), "inc-1-checkout");
        assert_eq!(candidate("inc-1-checkout", 3), "inc-1-checkout-3");
        let long = candidate(&"x".repeat(200), 12);
        assert_eq!((long.len(), long.ends_with("x-12")), (80, true));
    }

    #[test]
    fn only_what_we_made_and_nobody_uses_is_adopted() {
        let me = Me { workspace: "T1".into(), user: "U1".into(), bot: None, url: String::new() };
        let since = At(1_795_168_800_000);
        let own = Channel { creator: "U1".into(), created: since.0 / 1_000 - 60, ..Channel::default() };
        assert!(is_unclaimed(&own, &me, false, since));
        let used = Channel { purpose: Words { value: "INC-1: x".into() }, ..own.clone() };
        let archived = Channel { is_archived: true, ..own.clone() };
        let old = Channel { created: since.0 / 1_000 - 200_000, ..own.clone() };
        let open = Channel { is_private: true, ..own.clone() };
        let foreign = Channel { creator: "U2".into(), ..own };
        for channel in [used, archived, old, open, foreign] {
            assert!(!is_unclaimed(&channel, &me, false, since), "{channel:?}");
        }
    }
}
