//! Sources of alerts and of changes: which there are, what they speak, and how each proves who it is.

use super::checked::{Checker, DEFAULT_SOURCE};
use super::mapping;
use super::mapping::Mapping;
use super::problem::Problem;
use super::raw::{self, Text};
use super::secrets::{self, Resolved};
use super::sns;
use super::source::{Auth, KnownKind, Source};
use super::wording::{did_you_mean, listed, short};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Characters of a header's name; the longest of a vendor's has a third of them.
const MAX_HEADER_NAME: usize = 100;
/// Bytes a secret has at least when signatures are made with it: fewer can be guessed from one signed request.
const MIN_SIGNING_SECRET: usize = 16;

/// A source as it is written, of alerts or of changes.
pub(super) struct Written<'r> {
    name: &'r Text,
    kind: &'r Text,
    auth: Option<&'r raw::Auth>,
    mapping: Option<&'r Text>,
}

impl<'r> From<&'r raw::Source> for Written<'r> {
    fn from(source: &'r raw::Source) -> Self {
        Self { name: &source.name, kind: &source.kind, auth: source.auth.as_ref(), mapping: source.mapping.as_ref() }
    }
}

impl<'r> From<&'r raw::ChangeSource> for Written<'r> {
    fn from(source: &'r raw::ChangeSource) -> Self {
        Self { name: &source.name, kind: &source.kind, auth: source.auth.as_ref(), mapping: None }
    }
}

pub(super) fn resolve(
    checker: &mut Checker<'_>,
    written: &[raw::Source],
    secrets: &Resolved,
    kinds: &[KnownKind],
    local: bool,
) -> Vec<Source> {
    let written: Vec<Written<'_>> = written.iter().map(Into::into).collect();
    let mut sources = resolve_all(checker, ("source", "alerts"), &written, secrets, kinds, local);
    if sources.is_empty() {
        if !local {
            let what = format!("anybody who reaches the server can send alerts to /alerts/{DEFAULT_SOURCE}");
            let hint = "add a [[source]] with auth, or listen on 127.0.0.1 only";
            checker.problems.push(Problem::of_file(checker.file, what).hint(hint).warning());
        }
        sources.push(Source {
            name: DEFAULT_SOURCE.to_owned(),
            kind: DEFAULT_SOURCE.to_owned(),
            auth: Auth::Open,
            mapping: None,
        });
    }
    sources
}

/// `what` it is called and what it sends.
pub(super) fn resolve_all(
    checker: &mut Checker<'_>,
    (what, sends): (&str, &str),
    written: &[Written<'_>],
    secrets: &Resolved,
    kinds: &[KnownKind],
    local: bool,
) -> Vec<Source> {
    let mut used = BTreeSet::new();
    let mut one = |source: &Written<'_>| {
        let name = checker.name(what, source.name, &mut used);
        let kind = source.kind.get_ref().clone();
        let known = kinds.iter().find(|k| k.name == kind);
        if known.is_none() {
            let problem = format!("there is no kind of {what} `{}`", short(&kind));
            checker.error(&source.kind.span(), problem, did_you_mean(&kind, kinds.iter().map(|k| k.name)));
        }
        let auth = source.auth.map_or(Auth::Open, |written| auth(checker, written, source.name, secrets));
        if let (Some(hmac), Some(KnownKind { signs: false, .. })) = (source.auth.and_then(|a| a.hmac.as_ref()), known) {
            let signing: Vec<&str> = kinds.iter().filter(|k| k.signs).map(|k| k.name).collect();
            let hint = format!("use `bearer`, `basic` or `header`; those who sign are {}", listed(&signing));
            checker.error(&hmac.span(), format!("`{}` does not sign what it sends", short(&kind)), hint);
        }
        if auth.is_open() && source.auth.is_none() && !local {
            let problem = format!("anybody who reaches the server can send {sends} as `{}`", short(&name));
            let hint = "set auth = { bearer = \"name-of-a-secret\" }, or listen on 127.0.0.1 only";
            checker.warn(&source.name.span(), problem, hint);
        }
        if matches!(auth, Auth::Sns(_)) != (kind == KnownKind::THROUGH_SNS) && known.is_some() {
            let problem = if kind == KnownKind::THROUGH_SNS {
                "alarms through Amazon SNS are believed by its signature only".to_owned()
            } else {
                format!("`{}` does not come through Amazon SNS", short(&kind))
            };
            let hint = "kind = \"cloudwatch\" and auth = { sns = { topics = [\"arn:aws:sns:…\"] } } go together";
            checker.error(&source.kind.span(), problem, hint);
        }
        let mapping = mapping(checker, source, &kind);
        Source { name, kind, auth, mapping }
    };
    written.iter().map(&mut one).collect()
}

/// There for the one kind that needs it.
fn mapping(checker: &mut Checker<'_>, source: &Written<'_>, kind: &str) -> Option<Arc<Mapping>> {
    match (source.mapping, kind == KnownKind::MAPPED) {
        (Some(file), true) => match mapping::load(&checker.folder.join(file.get_ref())) {
            Ok(mapping) => Some(Arc::new(mapping)),
            Err(problems) => {
                let what = format!("the mapping {} cannot be used", short(file.get_ref()));
                checker.error(&file.span(), what, "mend what is said about it");
                checker.problems.extend(problems);
                None
            }
        },
        (None, true) => {
            let hint = "write mapping = \"FILE\"; docs/json-source.md says what stands in it";
            checker.error(&source.kind.span(), "a source of kind `json` needs a mapping file", hint);
            None
        }
        (Some(file), false) => {
            checker.error(
                &file.span(),
                "only a source of kind `json` has a mapping",
                "leave it out, or write kind = \"json\"",
            );
            None
        }
        (None, false) => None,
    }
}

fn auth(checker: &mut Checker<'_>, auth: &raw::Auth, of: &Text, secrets: &Resolved) -> Auth {
    match (&auth.bearer, &auth.basic, &auth.header, &auth.hmac) {
        (None, None, None, None) => match &auth.sns {
            Some(written) => Auth::Sns(Box::new(sns::resolve(checker, written))),
            None => one_of(checker, of),
        },
        _ if auth.sns.is_some() => one_of(checker, of),
        (Some(names), None, None, None) => Auth::Bearer(secrets::refer(checker, names, secrets)),
        (None, Some(basic), None, None) => {
            let basic = basic.get_ref();
            if basic.user.get_ref().is_empty() || basic.user.get_ref().contains(':') {
                let hint = "write the name the sender gives";
                checker.error(&basic.user.span(), "a user is not empty and has no `:`", hint);
            }
            let passwords = secrets::refer(checker, &basic.password, secrets);
            Auth::Basic { user: basic.user.get_ref().clone(), passwords }
        }
        (None, None, Some(header), None) => {
            let header = header.get_ref();
            let name = header.name.get_ref();
            let token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if name.is_empty() || name.len() > MAX_HEADER_NAME || !name.chars().all(token) {
                let what = format!("`{}` is no name of a header", short(name));
                checker.error(
                    &header.name.span(),
                    what,
                    "write it as the sender is told to, such as \"X-Alert-Token\"",
                );
            }
            let values = secrets::refer(checker, &header.value, secrets);
            Auth::Header { name: name.clone(), values }
        }
        (None, None, None, Some(names)) => {
            let found = secrets::refer(checker, names, secrets);
            if found.iter().any(|s| s.expose().len() < MIN_SIGNING_SECRET) {
                let what = format!("a secret that signs has at least {MIN_SIGNING_SECRET} characters");
                checker.warn(&names.span(), what, "take the one the vendor made, or a long random one");
            }
            Auth::Signed(found)
        }
        _ => one_of(checker, of),
    }
}

/// Fails closed: the broken configuration is refused, and this lets nobody in.
fn one_of(checker: &mut Checker<'_>, of: &Text) -> Auth {
    let hint = "write auth = { bearer = \"name-of-a-secret\" }";
    checker.error(&of.span(), "auth is one of `bearer`, `basic`, `header`, `hmac` and `sns`", hint);
    Auth::Bearer(Vec::new())
}
