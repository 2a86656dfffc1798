//! What a sender is told: a status it acts rightly upon, and words for whoever set it up. Never what it sent.

use super::Reading;
use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Seconds after which a sender may come again. Alertmanager keeps its own, growing pace from well below this.
const COME_AGAIN: &str = "5";

pub enum Answer {
    /// All of it is on disk.
    Taken(Reading),
    /// All that could be read of it is.
    Partly {
        reading: Reading,
        why: String,
    },
    Malformed(String),
    TooLarge(String),
    Unsupported(String),
    NoSuchSource,
    Unproven(&'static str),
    WebPage,
    /// Our fault, or passing: the sender keeps it and comes again.
    Later(String),
}

impl Answer {
    pub fn why(&self) -> &str {
        match self {
            Self::Taken(_) => "",
            Self::Partly { why, .. }
            | Self::Malformed(why)
            | Self::TooLarge(why)
            | Self::Unsupported(why)
            | Self::Later(why) => why,
            Self::NoSuchSource => "there is no source of this name; add one to the configuration",
            Self::Unproven(_) => "missing or wrong credentials",
            Self::WebPage => "web pages may not send here; set auth for this source",
        }
    }

    /// For who counts answers.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Taken(_) => "taken",
            Self::Partly { .. } => "partly",
            Self::Malformed(_) => "malformed",
            Self::TooLarge(_) => "too_large",
            Self::Unsupported(_) => "unsupported",
            Self::NoSuchSource => "no_such_source",
            Self::Unproven(_) => "unproven",
            Self::WebPage => "web_page",
            Self::Later(_) => "later",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Taken(_) | Self::Partly { .. } => StatusCode::OK,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoSuchSource => StatusCode::NOT_FOUND,
            Self::Unproven(_) => StatusCode::UNAUTHORIZED,
            Self::WebPage => StatusCode::FORBIDDEN,
            Self::Later(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// How a delivery was answered, for who counts: an extension of the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// `None`: there is no such source.
    pub source: Option<String>,
    pub answer: &'static str,
    pub accepted: u64,
    pub refused: u64,
    /// See [`Reading::ahead_ms`].
    pub ahead_ms: Option<i64>,
}

impl Told {
    pub(super) fn of(source: Option<String>, answer: &Answer) -> Self {
        let (accepted, refused, ahead_ms) = match answer {
            Answer::Taken(reading) | Answer::Partly { reading, .. } => {
                (reading.signals as u64, reading.refused as u64, reading.ahead_ms)
            }
            _ => (0, 0, None),
        };
        Self { source, answer: answer.word(), accepted, refused, ahead_ms }
    }
}

pub fn respond(answer: &Answer) -> Response {
    let status = answer.status();
    let mut response = match answer {
        Answer::Taken(reading) => {
            let mut told = json!({ "accepted": reading.signals, "shortened": reading.trimmed });
            if let (Some(why), Some(fields)) = (&reading.first_ignored, told.as_object_mut()) {
                fields.insert("ignored".to_owned(), reading.ignored.into());
                fields.insert("note".to_owned(), why.as_str().into());
            }
            Json(told).into_response()
        }
        Answer::Partly { reading, why } => {
            Json(json!({ "accepted": reading.signals, "refused": reading.refused, "error": why })).into_response()
        }
        _ => Json(json!({ "error": answer.why() })).into_response(),
    };
    *response.status_mut() = status;
    match answer {
        Answer::Later(_) => response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(COME_AGAIN)),
        Answer::Unproven(challenge) => {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
        }
        _ => None,
    };
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_trouble_is_a_503() {
        let later = respond(&Answer::Later("full".to_owned()));
        assert_eq!(later.status(), 503);
        assert_eq!(later.headers().get("retry-after").unwrap(), COME_AGAIN);
        assert_eq!(respond(&Answer::Malformed(String::new())).status(), 400);
        assert!(respond(&Answer::Malformed(String::new())).headers().get("retry-after").is_none());
    }
}
