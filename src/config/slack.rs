//! Slack: its address, who we are there, how it reaches us, and what of it is used.
//!
//! Each secret is a name under `[secrets]`, the value itself, a file (`…_file`), or a variable of the environment.

use super::api;
use super::checked::Checker;
use super::environment::Environment;
use super::raw::{Raw, Text};
use super::secret::Secret;
use super::secrets::{self, Resolved};
use super::value::OneOrMany;
use super::wording::short;
use crate::flow::identity::Platform;
use crate::flow::policy::Policy;
use serde::Deserialize;
use smokejumper_intents::word::Right;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// Slack itself. Method names are appended.
pub const DEFAULT_API: &str = "https://slack.com/api";
/// Read where the configuration names no secret.
pub const BOT_TOKEN: &str = "SMOKEJUMPER_SLACK_BOT_TOKEN";
pub const APP_TOKEN: &str = "SMOKEJUMPER_SLACK_APP_TOKEN";
pub const SIGNING_SECRET: &str = "SMOKEJUMPER_SLACK_SIGNING_SECRET";
/// User groups that give a right: each is asked for once a minute.
const MAX_GROUPS: usize = 10;

#[derive(Clone, Debug)]
pub struct Slack {
    /// Without a slash at its end: `https://slack.com/api`.
    pub api_url: String,
    pub allow_plaintext: bool,
    /// `xoxb-…`.
    pub bot_token: Secret,
    pub intake: Intake,
    /// Id or name (without `#`) of the channel where severe incidents are announced; `None`: nowhere.
    pub announce: Option<String>,
    /// A message marked with an emoji is kept.
    pub capture: bool,
    /// Whoever joins an incident's channel is told, alone, what happened so far.
    pub catch_up: bool,
    /// What members of a user group (`S…`) may do, if they are known people.
    pub groups: BTreeMap<String, Right>,
}

/// How Slack reaches us.
#[derive(Clone, Debug)]
pub enum Intake {
    /// We connect; no inbound port. `xapp-…`.
    Socket { app_token: Secret },
    /// Slack posts to `/slack/…`; each secret is good, so that one can be replaced without a gap.
    Http { signing: Vec<Secret> },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSlack {
    pub api_url: Option<Text>,
    #[serde(default)]
    pub allow_plaintext: bool,
    pub mode: Option<Spanned<RawMode>>,
    pub bot_token: Option<Text>,
    pub bot_token_file: Option<Text>,
    pub app_token: Option<Text>,
    pub app_token_file: Option<Text>,
    pub signing_secret: Option<Spanned<OneOrMany<String>>>,
    pub signing_secret_file: Option<Text>,
    pub announce: Option<Text>,
    pub capture: Option<bool>,
    pub catch_up: Option<bool>,
    #[serde(default)]
    pub groups: BTreeMap<Text, Spanned<Right>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RawMode {
    Socket,
    Http,
}

/// What every credential is looked up in.
struct Sources<'s> {
    span: &'s Range<usize>,
    secrets: &'s Resolved,
    environment: &'s Environment<'s>,
}

/// One credential: what it is called, how its value begins, which variable holds it.
struct Wanted {
    key: &'static str,
    prefix: &'static str,
    variable: &'static str,
    hint: &'static str,
}

const BOT: Wanted = Wanted {
    key: "bot_token",
    prefix: "xoxb-",
    variable: BOT_TOKEN,
    hint: "it is under OAuth & Permissions of your Slack app and begins with xoxb- (docs/slack.md)",
};
const APP: Wanted = Wanted {
    key: "app_token",
    prefix: "xapp-",
    variable: APP_TOKEN,
    hint: "make one under Basic Information, App-Level Tokens, with connections:write; it begins with xapp- (docs/slack.md)",
};
const SIGNING: Wanted = Wanted {
    key: "signing_secret",
    prefix: "",
    variable: SIGNING_SECRET,
    hint: "it is under Basic Information of your Slack app (docs/slack.md)",
};

/// A member of a person's `slack` identity can't be told from a wrong one; what can be checked here is.
pub(super) fn resolve(
    checker: &mut Checker<'_>,
    raw: &Raw,
    secrets: &Resolved,
    environment: &Environment<'_>,
    policy: &mut Policy,
) -> Option<Slack> {
    let written = raw.slack.as_ref()?;
    let span = written.span();
    let written = written.get_ref();
    let sources = Sources { span: &span, secrets, environment };
    let bot_token = one(checker, &sources, &BOT, written.bot_token.as_ref(), written.bot_token_file.as_ref());
    let intake = intake(checker, &sources, written);
    let announce = written.announce.as_ref().map(|channel| channel.get_ref().trim_start_matches('#').to_owned());
    if let Some(channel) = written.announce.as_ref().filter(|_| announce.as_deref().is_none_or(|c| !is_channel(c))) {
        let what = format!("`{}` is no channel", short(channel.get_ref()));
        checker.error(&channel.span(), what, "write its id or its name, such as \"incidents\"");
    }
    if written.groups.len() > MAX_GROUPS {
        checker.error(&span, "too many user groups", format!("at most {MAX_GROUPS}"));
    }
    for group in written.groups.keys() {
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        if !group.get_ref().starts_with('S') || !group.get_ref().chars().all(plain) {
            let what = format!("`{}` is not the id of a user group", short(group.get_ref()));
            checker.error(
                &group.span(),
                what,
                "it begins with S, such as S0123ABCD; Slack shows it in the group's address",
            );
        }
    }
    let groups = written.groups.iter().map(|(id, right)| (id.get_ref().clone(), *right.get_ref())).collect();
    let (usual, like) = (DEFAULT_API, "https://HOST/api");
    let api_url = api::address(checker, written.api_url.as_ref(), written.allow_plaintext, usual, like);
    policy.platforms.push(Platform::Slack);
    if announce.is_some() {
        policy.rooms.announce.push(Platform::Slack);
    }
    Some(Slack {
        api_url,
        allow_plaintext: written.allow_plaintext,
        bot_token: bot_token?,
        intake: intake?,
        announce,
        capture: written.capture.unwrap_or(true),
        catch_up: written.catch_up.unwrap_or(true),
        groups,
    })
}

/// Socket Mode unless HTTP is asked for.
fn intake(checker: &mut Checker<'_>, sources: &Sources<'_>, written: &RawSlack) -> Option<Intake> {
    if written.mode.as_ref().map(|mode| *mode.get_ref()) == Some(RawMode::Http) {
        if let Some(names) = &written.signing_secret {
            let signing = secrets::refer(checker, names, sources.secrets);
            return (!signing.is_empty()).then_some(Intake::Http { signing });
        }
        let signing = one(checker, sources, &SIGNING, None, written.signing_secret_file.as_ref())?;
        return Some(Intake::Http { signing: vec![signing] });
    }
    let token = one(checker, sources, &APP, written.app_token.as_ref(), written.app_token_file.as_ref())?;
    Some(Intake::Socket { app_token: token })
}

fn one(
    checker: &mut Checker<'_>,
    sources: &Sources<'_>,
    wanted: &Wanted,
    written: Option<&Text>,
    file: Option<&Text>,
) -> Option<Secret> {
    let key = wanted.key;
    let (span, secret) = match (written, file) {
        (Some(text), None) if !wanted.prefix.is_empty() && text.get_ref().starts_with(wanted.prefix) => {
            (text.span(), secrets::plain(checker, key, &text.span(), text.get_ref())?)
        }
        (Some(name), None) => {
            let names = Spanned::new(name.span(), OneOrMany(vec![name.get_ref().clone()]));
            (name.span(), secrets::refer(checker, &names, sources.secrets).pop()?)
        }
        (None, Some(path)) => (path.span(), secrets::of_file(checker, key, &path.span(), path.get_ref())?),
        (None, None) => {
            let given = (sources.environment.variable)(wanted.variable).filter(|value| !value.is_empty());
            let Some(value) = given else {
                let what = format!("Slack needs `{key}`: write it, or `{key}_file`, or set {}", wanted.variable);
                checker.error(sources.span, what, wanted.hint);
                return None;
            };
            (sources.span.clone(), Secret::new(value))
        }
        (Some(_), Some(path)) => {
            checker.error(
                &path.span(),
                format!("`{key}` is given twice"),
                format!("leave out `{key}` or `{key}_file`"),
            );
            return None;
        }
    };
    if !secret.expose().starts_with(wanted.prefix) {
        // The value itself is not repeated.
        checker.error(&span, format!("what `{key}` holds is {}", kind(secret.expose())), wanted.hint);
        return None;
    }
    Some(secret)
}

/// What a credential is, by how it begins.
fn kind(value: &str) -> &'static str {
    const KINDS: [(&str, &str); 6] = [
        ("xoxb-", "a bot token"),
        ("xapp-", "an app-level token"),
        ("xoxp-", "a user token"),
        ("xoxe", "a token of token rotation, which ends after hours"),
        ("xoxc-", "a browser's token"),
        ("xoxs-", "a browser's token"),
    ];
    KINDS.iter().find(|(begins, _)| value.starts_with(begins)).map_or("no token of Slack", |(_, kind)| kind)
}

/// Letters of an id or a name, as Slack has them.
fn is_channel(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    (1..=80).contains(&text.chars().count()) && text.chars().all(plain)
}
