//! "No, because …; try …". What a person is told when the flow will not do something. Changes nothing, is never stored.

use smokejumper_intents::reply::{Line, Reply, Span};

/// How every refusal begins. Only our own words are ever [`Span::Strong`].
const NO: &str = "No: ";

/// Whether a reply is a refusal, for those who need to know without reading it (exit codes).
#[must_use]
pub fn is_refusal(reply: &Reply) -> bool {
    matches!(reply.title.spans.first(), Some(Span::Strong(text)) if text == NO)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Our words: why not.
    pub because: String,
    /// Our words: what would work instead.
    pub try_instead: Option<String>,
}

impl Refusal {
    #[must_use]
    pub fn new(because: impl Into<String>) -> Self {
        Self { because: because.into(), try_instead: None }
    }

    #[must_use]
    pub fn or_try(mut self, hint: impl Into<String>) -> Self {
        self.try_instead = Some(hint.into());
        self
    }

    #[must_use]
    pub fn to_reply(&self) -> Reply {
        let mut spans = vec![Span::Strong(NO.to_owned()), Span::Outside(self.because.clone())];
        if let Some(hint) = &self.try_instead {
            spans.push(Span::Ours(" Try: ".to_owned()));
            spans.push(Span::Code(hint.clone()));
        }
        Reply { title: Line { spans, depth: 0 }, ..Reply::default() }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.because)?;
        if let Some(hint) = &self.try_instead {
            write!(f, " Try: {hint}")?;
        }
        Ok(())
    }
}
