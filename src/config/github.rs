//! GitHub, where follow-ups become issues: its address, who we are there, and what webhooks are signed with.

use super::api;
use super::catalogue::slug;
use super::checked::Checker;
use super::raw::{Raw, Text};
use super::secret::Secret;
use super::secrets::{self, Resolved};
use super::value::OneOrMany;
use super::wording::short;
use crate::flow::policy::{Policy, Tracking};
use serde::Deserialize;
use toml::Spanned;

/// GitHub itself; GitHub Enterprise Server is `https://HOST/api/v3`.
pub const DEFAULT_API: &str = "https://api.github.com";
/// Labels an issue gets, and characters of each (GitHub: 50).
const MAX_LABELS: usize = 10;
const MAX_LABEL: usize = 50;

#[derive(Clone, Debug)]
pub struct GitHub {
    pub api_url: String,
    pub access: Access,
    /// Each is good, so that one can be replaced without a gap; empty: no webhooks.
    pub webhook: Vec<Secret>,
    pub allow_plaintext: bool,
}

#[derive(Clone, Debug)]
pub enum Access {
    /// A fine-grained or classic token.
    Token(Secret),
    /// An App's installation; the key is PEM.
    App { id: u64, installation: u64, key: Secret },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGitHub {
    pub api_url: Option<Text>,
    pub token: Option<Text>,
    pub app: Option<RawApp>,
    pub webhook_secret: Option<Spanned<OneOrMany<String>>>,
    pub repository: Option<Text>,
    #[serde(default)]
    pub labels: Vec<Text>,
    #[serde(default)]
    pub allow_plaintext: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawApp {
    pub id: u64,
    pub installation: u64,
    /// Name of the secret that holds the private key.
    pub key: Text,
}

pub(super) fn resolve(checker: &mut Checker<'_>, raw: &Raw, secrets: &Resolved, policy: &mut Policy) -> Option<GitHub> {
    let written = raw.github.as_ref()?;
    let span = written.span();
    let written = written.get_ref();
    let one = |checker: &mut Checker<'_>, name: &Text| {
        let name = Spanned::new(name.span(), OneOrMany(vec![name.get_ref().clone()]));
        secrets::refer(checker, &name, secrets).pop()
    };
    let access = match (&written.token, &written.app) {
        (Some(token), None) => one(checker, token).map(Access::Token),
        (None, Some(app)) => {
            let (id, installation) = (app.id, app.installation);
            one(checker, &app.key).map(|key| Access::App { id, installation, key })
        }
        _ => {
            let hint =
                "write token = \"name-of-a-secret\", or app = { id = 1, installation = 2, key = \"name-of-a-secret\" }";
            checker.error(&span, "GitHub needs either a token or an App", hint);
            None
        }
    };
    let webhook = written.webhook_secret.as_ref().map(|names| secrets::refer(checker, names, secrets));
    let usual = written.repository.as_ref().and_then(|name| slug(name.get_ref()));
    if let Some(name) = written.repository.as_ref().filter(|_| usual.is_none()) {
        let what = format!("the repository `{}` is not written owner/name", short(name.get_ref()));
        checker.error(&name.span(), what, "write it like \"acme/operations\"");
    }
    let nowhere = written.repository.is_none() && policy.services.values().all(|s| s.repository.is_none());
    if nowhere {
        let hint = "set repository = \"owner/name\" here, or at a [[service]]";
        checker.warn(&span, "no follow-up will become an issue: no repository is named", hint);
    }
    for label in &written.labels {
        let text = label.get_ref();
        if text.trim().is_empty() || text.chars().count() > MAX_LABEL || written.labels.len() > MAX_LABELS {
            let hint = format!("at most {MAX_LABELS} labels of at most {MAX_LABEL} characters");
            checker.error(&label.span(), format!("`{}` is no label", short(text)), hint);
        }
    }
    let (usual_api, like) = (DEFAULT_API, "https://HOST/api/v3");
    let api_url = api::address(checker, written.api_url.as_ref(), written.allow_plaintext, usual_api, like);
    policy.tracking = Some(Tracking {
        repository: usual,
        labels: written.labels.iter().map(|l| l.get_ref().clone()).collect(),
        console: None,
    });
    let allow_plaintext = written.allow_plaintext;
    access.map(|access| GitHub { api_url, access, webhook: webhook.unwrap_or_default(), allow_plaintext })
}
