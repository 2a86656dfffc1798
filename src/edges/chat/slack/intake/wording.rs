//! Slack's way to write text (`&lt;`, `<@U1|ana>`, `<#C1|general>`, `<https://…|label>`), read back to what was meant. Pure.

use smokejumper_intents::inert;

/// Characters of a text that are looked at: a message of Slack's has 40,000.
const MAX: usize = 40_000;

/// A text as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording(String);

impl Wording {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(inert::shorten(text, MAX))
    }

    /// Without the mention that made it ours, at its beginning.
    #[must_use]
    pub fn without_mention_of(self, ours: &[String]) -> Self {
        let trimmed = self.0.trim_start();
        let mentioned = trimmed.strip_prefix("<@").and_then(|rest| rest.split_once('>'));
        match mentioned {
            Some((who, rest)) if is_one_of(who, ours) => Self(rest.trim_start().to_owned()),
            _ => self,
        }
    }

    /// As it was meant. `name` gives what a person is called by whoever reads it, from the account's id; without one it stays an id.
    #[must_use]
    pub fn plain(&self, name: impl Fn(&str) -> Option<String>) -> String {
        let mut out = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('<') {
            out.push_str(before);
            // A `<` of somebody's own is written `&lt;`, so this one opens something.
            let Some((inside, next)) = after.split_once('>') else {
                out.push('<');
                rest = after;
                continue;
            };
            meant(inside, &name, &mut out);
            rest = next;
        }
        out.push_str(rest);
        // The last one first would make two of `&amp;lt;`.
        out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }
}

/// No id is known where the delivery does not say who we are: then whoever is named first is meant.
fn is_one_of(who: &str, ours: &[String]) -> bool {
    let id = who.split('|').next().unwrap_or_default();
    ours.is_empty() || ours.iter().any(|own| own == id)
}

fn meant(inside: &str, name: &impl Fn(&str) -> Option<String>, out: &mut String) {
    let (target, label) = inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    match target.split_at_checked(1) {
        Some(("@", user)) => {
            out.push('@');
            out.push_str(&name(user).unwrap_or_else(|| user.to_owned()));
        }
        Some(("#", channel)) => {
            out.push('#');
            out.push_str(label.unwrap_or(channel));
        }
        // `!here`, `!subteam^S1|@team`, `!date^…|text`: words, never again a mention.
        Some(("!", special)) => out.push_str(label.unwrap_or(special).trim_start_matches('@')),
        // The address is what was meant where a command takes one; a label can say anything.
        _ => out.push_str(target.strip_prefix("mailto:").unwrap_or(target)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        Wording::new(text).plain(|id| (id == "U1").then(|| "ana".to_owned()))
    }

    #[test]
    fn what_was_written_is_read_back() {
        assert_eq!(plain("lead <@U1|an> and <@U2>"), "lead @ana and @U2");
        assert_eq!(
            plain("see <https://a.example/x?a=1&amp;b=2|here> in <#C1|ops>"),
            "see https://a.example/x?a=1&b=2 in #ops"
        );
        assert_eq!(plain("<!channel> <!subteam^S1|@ops> a &lt;b&gt; &amp;lt; <"), "channel ops a <b> &lt; <");
        assert_eq!(plain("no > markup & nothing"), "no > markup & nothing");
    }

    #[test]
    fn the_mention_that_made_it_ours_goes() {
        let ours = ["U9".to_owned()];
        assert_eq!(Wording::new(" <@U9> ack").without_mention_of(&ours), Wording::new("ack"));
        assert_eq!(Wording::new("<@U1> ack").without_mention_of(&ours), Wording::new("<@U1> ack"));
        assert_eq!(Wording::new("hey <@U9> ack").without_mention_of(&ours), Wording::new("hey <@U9> ack"));
    }
}
