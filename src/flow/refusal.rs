//! "No, because …; try …". What a person is told when the flow will not do something. Changes nothing, is never stored.

use smokejumper_intents::reply::{Button, Line, Reply, Span};

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
    /// What would do it all the same, for whoever means it.
    pub offer: Option<Box<Button>>,
}

impl Refusal {
    #[must_use]
    pub fn new(because: impl Into<String>) -> Self {
        Self { because: because.into(), try_instead: None, offer: None }
    }

    #[must_use]
    pub fn or_try(mut self, hint: impl Into<String>) -> Self {
        self.try_instead = Some(hint.into());
        self
    }

    #[must_use]
    pub fn or_press(mut self, button: Button) -> Self {
        self.offer = Some(Box::new(button));
        self
    }

    #[must_use]
    pub fn to_reply(&self) -> Reply {
        let mut spans = vec![Span::Strong(NO.to_owned()), Span::Outside(self.because.clone())];
        if let Some(hint) = &self.try_instead {
            spans.push(Span::Ours(" Try: ".to_owned()));
            spans.push(Span::Code(hint.clone()));
        }
        let buttons = self.offer.iter().map(|button| (**button).clone()).collect();
        Reply { title: Line { spans, depth: 0 }, buttons, ..Reply::default() }
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
