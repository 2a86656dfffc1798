//! Who: platform identities as seen in signed events, persons by opaque id, and the actor of a fact.
//!
//! Knows nothing of names or rights; those are policy.

use serde::{Deserialize, Serialize};

/// A place people speak from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    Console,
    Cli,
    Slack,
    Discord,
    /// Only phones: acknowledging there is seen here. Nobody speaks from it, and no room is there.
    Pagerduty,
}

impl Platform {
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Cli => "cli",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Pagerduty => "pagerduty",
        }
    }

    /// Somebody else's chat: rooms are made, furnished and closed there, and people can be written to alone.
    #[must_use]
    pub const fn is_chat(self) -> bool {
        matches!(self, Self::Slack | Self::Discord)
    }

    /// As people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Console => "the console",
            Self::Cli => "the command line",
            Self::Slack => "Slack",
            Self::Discord => "Discord",
            Self::Pagerduty => "PagerDuty",
        }
    }
}

impl Identity {
    /// From `platform/workspace/id`, as in `slack/T024BE7LD/U2147483697`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (platform, workspace, id) = (parts.next()?, parts.next()?, parts.next()?);
        let platforms = [Platform::Console, Platform::Cli, Platform::Slack, Platform::Discord, Platform::Pagerduty];
        let platform = platforms.into_iter().find(|known| known.label() == platform)?;
        let whole = !workspace.is_empty() && !id.is_empty();
        whole.then(|| Self { platform, workspace: workspace.to_owned(), id: id.to_owned() })
    }
}

/// An account, never a name: `(slack, T024BE7LD, U2147483697)`, `(console, local, ana)`, `(cli, local, 1000)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    pub platform: Platform,
    pub workspace: String,
    pub id: String,
}

/// A person of the configuration, by opaque id. Equality of two of these is equality of persons.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub String);

/// Who made a fact happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Smokejumper itself: a rule, a timer, the result of an effect.
    Bot,
    /// An alert source, by its name in the configuration.
    Source(String),
    /// Somebody, as seen in a signed event.
    Account(Identity),
}

/// Somebody a fact speaks of: a linked person, or an account nobody has linked yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    Person(PersonId),
    Account(Identity),
}
