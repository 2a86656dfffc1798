//! Whether Slack would take what we bring, found out without changing anything: for `doctor`.

use super::method::{AUTH_TEST, CONVERSATIONS_LIST, GROUP_MEMBERS, INFO};
use super::trouble::{Cause, Trouble};
use super::{Me, Slack};
use crate::egress::{Answer, Client, Limits, Request, Terms};
use crate::flow::moment::At;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// A question of `doctor` may take so long: a person waits.
const WITHIN: Duration = Duration::from_secs(10);
/// Channels of a page: Slack takes fewer than 1000.
const PAGE: usize = 999;
/// Pages looked through for a name: larger workspaces write the id.
const MAX_PAGES: usize = 10;
/// Where apps are set up.
const APPS: &str = "https://api.slack.com/apps";

/// What `auth.test` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub me: Me,
    /// Scopes of the token (`X-OAuth-Scopes`). `None`: the answer did not say.
    pub scopes: Option<BTreeSet<String>>,
    /// How far Slack's clock is ahead of ours (ms, to the second). `None`: the answer did not say.
    pub ahead_ms: Option<i64>,
}

/// What is known of the channel for announcements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Channel {
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub is_member: bool,
    #[serde(default)]
    pub is_archived: bool,
    #[serde(default)]
    pub is_private: bool,
}

/// The page of the app where this is set: of this app, where an app-level token names it.
#[must_use]
pub fn app_page(app_token: Option<&str>, page: &str) -> String {
    let id = app_token.and_then(|token| token.split('-').nth(2));
    let plain = |id: &&str| id.starts_with('A') && id.len() <= 20 && id.bytes().all(|b| b.is_ascii_alphanumeric());
    match id.filter(plain) {
        Some(id) => format!("{APPS}/{id}/{page}"),
        None => APPS.to_owned(),
    }
}

impl Slack {
    /// Who we are there, with what the headers say.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn inspect(&self) -> Result<Seen, Trouble> {
        // The library keeps no headers, and these are what is wanted.
        let me = self.auth_test().await?;
        let answer = self.headers().await.map_err(|cause| Trouble::new(&AUTH_TEST, cause))?;
        let scopes = answer.header("x-oauth-scopes").map(|listed| {
            listed.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
        });
        let now = self.clock().now();
        let ahead_ms = answer.header("date").and_then(moment).map(|there| there.since(now));
        Ok(Seen { me, scopes, ahead_ms })
    }

    async fn headers(&self) -> Result<Answer, Cause> {
        let configured = self.configured();
        let limits = Limits { whole: WITHIN, hops: 0, ..Limits::default() };
        let terms = Terms { limits, ..Terms::default() };
        let http = Client::for_vendor_on(&configured.api_url, configured.allow_plaintext, &terms)
            .map_err(|refused| Cause::Refused(refused.to_string()))?;
        let url = format!("{}/{}", configured.api_url, AUTH_TEST.name);
        let request = Request::get(url).header("authorization", format!("Bearer {}", configured.bot_token.expose()));
        Ok(http.send(request).await?)
    }

    /// The channel with this id or name. `None`: there is none that we may see.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn find_channel(&self, wanted: &str) -> Result<Option<Channel>, Trouble> {
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
        let is_id =
            wanted.starts_with(['C', 'G']) && wanted.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if is_id {
            let asked: Result<One, Trouble> = self.call(&INFO, &json!({ "channel": wanted })).await;
            return match asked {
                Ok(One { channel }) => Ok(Some(channel)),
                Err(trouble) if trouble.is(&["channel_not_found"]) => Ok(None),
                Err(trouble) => Err(trouble),
            };
        }
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let mut arguments = json!({ "types": "public_channel,private_channel", "limit": PAGE });
            if !cursor.is_empty() {
                arguments["cursor"] = json!(cursor);
            }
            let page: Page = self.call(&CONVERSATIONS_LIST, &arguments).await?;
            if let Some(channel) = page.channels.into_iter().find(|channel| channel.name == wanted) {
                return Ok(Some(channel));
            }
            let next = page.response_metadata.and_then(|meta| Some(meta.get("next_cursor")?.as_str()?.to_owned()));
            match next.filter(|next| !next.is_empty()) {
                Some(next) => cursor = next,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// How many members the user group has.
    ///
    /// # Errors
    /// See [`Trouble`]; `no_such_subteam`: there is no such group.
    pub async fn group_size(&self, group: &str) -> Result<usize, Trouble> {
        #[derive(Deserialize)]
        struct Members {
            #[serde(default)]
            users: Vec<String>,
        }
        let members: Members = self.call(&GROUP_MEMBERS, &json!({ "usergroup": group })).await?;
        Ok(members.users.len())
    }
}

/// A date of HTTP: `Fri, 20 Nov 2026 13:00:00 GMT`.
fn moment(date: &str) -> Option<At> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    parser.parse_timestamp(date).ok().map(|stamp| At(stamp.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_that_of_the_app_whose_token_it_is() {
        assert_eq!(app_page(Some("xapp-1-A0123ABC-1-secret"), "oauth"), "https://api.slack.com/apps/A0123ABC/oauth");
        for other in [None, Some("xapp-1-../x-1"), Some("xapp"), Some("xapp-1--")] {
            assert_eq!(app_page(other, "oauth"), APPS);
        }
    }

    #[test]
    fn dates_of_http_are_read() {
        assert_eq!(moment("Thu, 01 Jan 1970 00:01:00 GMT"), Some(At(60_000)));
        assert_eq!(moment("yesterday"), None);
    }
}
