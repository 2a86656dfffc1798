//! Who we are on GitHub: a token, or an App's installation whose token is fetched, kept and renewed.

use super::answer::{Judged, judge};
use super::jwt;
use super::wire::{Ask, Wire, not_read};
use crate::config::github::Access as Configured;
use crate::config::secret::Secret;
use crate::flow::moment::{At, MINUTE};
use crate::ports::Undelivered;
use axum::http::Method;
use ring::signature::RsaKeyPair;
use serde::Deserialize;
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// An installation's token is good for an hour; it is renewed well before.
const RENEW_AFTER: i64 = 50 * MINUTE;

pub struct Access {
    kind: Kind,
    /// Login under which our issues are made, once it was asked for.
    login: Mutex<Option<String>>,
}

enum Kind {
    Token(Secret),
    App { id: u64, installation: u64, key: Box<RsaKeyPair>, cached: Mutex<Option<Cached>> },
}

/// An installation's token, when it was fetched, and whether it may write issues.
#[derive(Clone)]
struct Cached {
    token: Secret,
    at: At,
    writes: bool,
}

#[derive(Deserialize)]
struct Fetched {
    token: String,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

#[derive(Deserialize)]
struct App {
    slug: String,
}

impl Access {
    /// # Errors
    /// The App's key cannot be read.
    pub fn new(configured: &Configured) -> Result<Self, String> {
        let kind = match configured {
            Configured::Token(token) => Kind::Token(token.clone()),
            Configured::App { id, installation, key } => {
                let key = Box::new(jwt::key(key.expose())?);
                Kind::App { id: *id, installation: *installation, key, cached: Mutex::default() }
            }
        };
        Ok(Self { kind, login: Mutex::default() })
    }

    /// In the words of whoever set it up.
    pub const fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Token(_) => "a token",
            Kind::App { .. } => "an App's installation",
        }
    }

    /// What to send as bearer now.
    pub async fn bearer(&self, wire: &Wire, now: At) -> Result<Secret, Undelivered> {
        let Kind::App { id, installation, key, cached } = &self.kind else {
            let Kind::Token(token) = &self.kind else { return Err(never("there is no token")) };
            return Ok(token.clone());
        };
        let mut cached = cached.lock().await;
        // A clock that was set back makes an old token look new: its age counts either way.
        if let Some(known) = cached.as_ref().filter(|known| now.0.abs_diff(known.at.0) < RENEW_AFTER.unsigned_abs()) {
            return Ok(known.token.clone());
        }
        let proof = jwt::signed(key, *id, now).map_err(|why| never(&why))?;
        let path = format!("/app/installations/{installation}/access_tokens");
        let ask = Ask { method: &Method::POST, path: &path, body: None, etag: None };
        let answer = wire.ask(&proof, ask).await.map_err(not_read)?;
        let fetched: Fetched = match judge(&answer, now) {
            Judged::Fine => answer.json().map_err(|e| garbled(&e))?,
            Judged::Limited { why, after_ms } => return Err(Undelivered::NotYet { why, after_ms: Some(after_ms) }),
            Judged::Refused { status: 401, .. } => {
                return Err(never(
                    "GitHub does not accept the App's key: compare `app.id` and `app.key` with the App's page, and this \
                     machine's clock with the time",
                ));
            }
            Judged::Refused { status: 404, .. } => {
                return Err(never(
                    "the App has no such installation: compare `app.installation` with the page of the installation",
                ));
            }
            Judged::Refused { why, .. } => return Err(never(&why)),
            Judged::Trouble { why } => return Err(Undelivered::NotYet { why, after_ms: None }),
        };
        let token = Secret::new(fetched.token);
        let writes = fetched.permissions.get("issues").is_some_and(|right| right == "write");
        *cached = Some(Cached { token: token.clone(), at: now, writes });
        Ok(token)
    }

    /// Whether it may write issues, once it was asked for; a token does not say.
    pub async fn writes(&self) -> Option<bool> {
        match &self.kind {
            Kind::Token(_) => None,
            Kind::App { cached, .. } => cached.lock().await.as_ref().map(|known| known.writes),
        }
    }

    /// GitHub did not accept what [`Access::bearer`] gave: the next one is fetched. `false`: there is no other.
    pub async fn spurned(&self) -> bool {
        match &self.kind {
            Kind::Token(_) => false,
            Kind::App { cached, .. } => cached.lock().await.take().is_some(),
        }
    }

    /// The login that GitHub shows as the author of what we make.
    pub async fn login(&self, wire: &Wire, now: At) -> Result<String, Undelivered> {
        let mut known = self.login.lock().await;
        if let Some(login) = known.as_ref() {
            return Ok(login.clone());
        }
        let login = match &self.kind {
            Kind::Token(token) => {
                let answer = wire.ask(token.expose(), Ask::get("/user")).await.map_err(not_read)?;
                read::<Account>(&answer, now)?.login
            }
            Kind::App { id, key, .. } => {
                let proof = jwt::signed(key, *id, now).map_err(|why| never(&why))?;
                let answer = wire.ask(&proof, Ask::get("/app")).await.map_err(not_read)?;
                format!("{}[bot]", read::<App>(&answer, now)?.slug)
            }
        };
        *known = Some(login.clone());
        Ok(login)
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

fn never(why: &str) -> Undelivered {
    Undelivered::Never { why: why.to_owned() }
}

fn garbled(why: &str) -> Undelivered {
    Undelivered::NotYet { why: format!("GitHub's answer cannot be read: {why}"), after_ms: None }
}

fn read<T: serde::de::DeserializeOwned>(answer: &crate::egress::Answer, now: At) -> Result<T, Undelivered> {
    match judge(answer, now) {
        Judged::Fine => answer.json().map_err(|e| garbled(&e)),
        Judged::Limited { why, after_ms } => Err(Undelivered::NotYet { why, after_ms: Some(after_ms) }),
        Judged::Refused { why, .. } => Err(never(&why)),
        Judged::Trouble { why } => Err(Undelivered::NotYet { why, after_ms: None }),
    }
}
