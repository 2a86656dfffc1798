//! A message somebody wrote elsewhere, and that is kept: what it said, when, whose it was, where it stands.
//!
//! Outside text throughout. Knows no platform; `id` and `author` are the platform's own words.

use crate::bounds;
use crate::inert;
use serde::{Deserialize, Serialize};

/// Characters of a platform's id of a message or an account, workspace and channel included.
pub const ID_MAX: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// Unique on the platform: what is kept once is not kept again.
    pub id: String,
    pub text: String,
    /// When it was written, in epoch milliseconds UTC.
    pub at: i64,
    /// `platform/workspace/id` of whoever wrote it, where that is known.
    pub author: Option<String>,
    /// Where it can be read.
    pub link: Option<String>,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// A line of the timeline, at its own time.
    Timeline,
    /// A task of the incident.
    Task,
}

impl Quoted {
    /// As much of a message as is kept of it, without what cannot be seen. `None`: nothing is left of it, or it is no message of
    /// a platform.
    #[must_use]
    pub fn new(id: &str, text: &str, at: i64, author: Option<&str>, link: Option<&str>) -> Option<Self> {
        let text = inert::shorten(&inert::prose(text), bounds::NOTE_MAX);
        let link = link.filter(|link| bounds::link(link)).map(str::to_owned);
        let author = author.filter(|author| is_id(author)).map(str::to_owned);
        let quoted = Self { id: id.to_owned(), text, at, author, link };
        quoted.is_within().then_some(quoted)
    }

    /// Whether it is one that [`Quoted::new`] could have made.
    #[must_use]
    pub fn is_within(&self) -> bool {
        is_id(&self.id)
            && self.at >= 0
            && bounds::prose(&self.text, bounds::NOTE_MAX)
            && self.author.as_deref().is_none_or(is_id)
            && self.link.as_deref().is_none_or(bounds::link)
    }
}

fn is_id(text: &str) -> bool {
    (1..=ID_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_message_is_kept() {
        let quoted = Quoted::new(
            "T1/C2/17.01",
            " the\u{202e} deploy \u{1b}[31m was bad\n",
            5,
            Some("slack/T1/U1"),
            Some("ftp://x"),
        );
        let quoted = quoted.unwrap();
        assert_eq!((quoted.text.as_str(), quoted.link, quoted.at), ("the deploy  was bad", None, 5));
        assert_eq!(Quoted::new("T1/C2/17.01", " \u{200b} ", 5, None, None), None);
        assert_eq!(Quoted::new("no id", "text", 5, None, None), None);
    }
}
