//! What Amazon SNS posts to an HTTP subscription, and the text that its signature covers. Pure.

use crate::edges::alerts::text;
use serde::Deserialize;
use std::borrow::Cow;

/// Bytes of a posted message. SNS allows 256 KiB in it, which escaping may double.
pub const MAX_ENVELOPE: usize = 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Type {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope<'b> {
    #[serde(rename = "Type")]
    pub kind: Type,
    #[serde(borrow)]
    pub message_id: Cow<'b, str>,
    #[serde(rename = "TopicArn", borrow)]
    pub topic: Cow<'b, str>,
    #[serde(borrow)]
    pub message: Cow<'b, str>,
    #[serde(borrow)]
    pub timestamp: Cow<'b, str>,
    #[serde(default, borrow)]
    pub subject: Option<Cow<'b, str>>,
    #[serde(default, borrow)]
    pub token: Option<Cow<'b, str>>,
    #[serde(default, rename = "SubscribeURL", borrow)]
    pub subscribe_url: Option<Cow<'b, str>>,
    #[serde(default, borrow)]
    pub signature_version: Cow<'b, str>,
    #[serde(default, borrow)]
    pub signature: Cow<'b, str>,
    #[serde(default, rename = "SigningCertURL", borrow)]
    pub certificate_url: Cow<'b, str>,
}

impl<'b> Envelope<'b> {
    /// # Errors
    /// It is none; in words for whoever set up the sender.
    pub fn read(bytes: &'b [u8]) -> Result<Self, String> {
        if bytes.len() > MAX_ENVELOPE {
            return Err("larger than a message of Amazon SNS can be".to_owned());
        }
        serde_json::from_slice(bytes).map_err(|e| {
            let words = text::line(&e.to_string(), 200);
            format!("not a message of Amazon SNS ({words}); raw message delivery must be off, for it has no signature")
        })
    }

    /// What is signed: names and values line by line, in the order of the names (AWS: "Verifying the signatures of Amazon SNS
    /// messages"). `Subject` only where there is one.
    #[must_use]
    pub fn signed(&self) -> String {
        let subject = self.subject.as_deref();
        let (url, token) = (self.subscribe_url.as_deref(), self.token.as_deref());
        let notification = self.kind == Type::Notification;
        let lines = [
            ("Message", Some(&*self.message)),
            ("MessageId", Some(&*self.message_id)),
            ("Subject", subject.filter(|_| notification)),
            ("SubscribeURL", Some(url.unwrap_or_default()).filter(|_| !notification)),
            ("Timestamp", Some(&*self.timestamp)),
            ("Token", Some(token.unwrap_or_default()).filter(|_| !notification)),
            ("TopicArn", Some(&*self.topic)),
            ("Type", Some(self.kind.name())),
        ];
        lines.into_iter().filter_map(|(name, value)| Some(format!("{name}\n{}\n", value?))).collect()
    }
}
