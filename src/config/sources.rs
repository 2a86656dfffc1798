//! Sources of alerts and of changes: which there are, what they speak, and how each proves who it is.

use super::checked::{Checker, DEFAULT_SOURCE};
use super::problem::Problem;
use super::raw::{self, Text};
use super::secrets::{self, Resolved};
use super::source::{Auth, KnownKind, Source};
use super::wording::{did_you_mean, listed, short};
use std::collections::BTreeSet;

/// Characters of a header's name; the longest of a vendor's has a third of them.
const MAX_HEADER_NAME: usize = 100;
/// Bytes a secret has at least when signatures are made with it: fewer can be guessed from one signed request.
const MIN_SIGNING_SECRET: usize = 16;

pub(super) fn resolve(
    checker: &mut Checker<'_>,
    written: &[raw::Source],
    secrets: &Resolved,
    kinds: &[KnownKind],
    local: bool,
) -> Vec<Source> {
    let mut sources = resolve_all(checker, ("source", "alerts"), written, secrets, kinds, local);
    if sources.is_empty() {
        if !local {
            let what = format!("anybody who reaches the server can send alerts to /alerts/{DEFAULT_SOURCE}");
            let hint = "add a [[source]] with auth, or listen on 127.0.0.1 only";
            checker.problems.push(Problem::of_file(checker.file, what).hint(hint).warning());
        }
        sources.push(Source { name: DEFAULT_SOURCE.to_owned(), kind: DEFAULT_SOURCE.to_owned(), auth: Auth::Open });
    }
    sources
}

/// `what` it is called and what it sends.
pub(super) fn resolve_all(
    checker: &mut Checker<'_>,
    (what, sends): (&str, &str),
    written: &[raw::Source],
    secrets: &Resolved,
    kinds: &[KnownKind],
    local: bool,
) -> Vec<Source> {
    let mut used = BTreeSet::new();
    let mut one = |source: &raw::Source| {
        let name = checker.name(what, &source.name, &mut used);
        let kind = source.kind.get_ref().clone();
        let known = kinds.iter().find(|k| k.name == kind);
        if known.is_none() {
            let problem = format!("there is no kind of {what} `{}`", short(&kind));
            checker.error(&source.kind.span(), problem, did_you_mean(&kind, kinds.iter().map(|k| k.name)));
        }
        let auth = source.auth.as_ref().map_or(Auth::Open, |written| auth(checker, written, &source.name, secrets));
        if let (Some(hmac), Some(KnownKind { signs: false, .. })) =
            (source.auth.as_ref().and_then(|a| a.hmac.as_ref()), known)
        {
            let signing: Vec<&str> = kinds.iter().filter(|k| k.signs).map(|k| k.name).collect();
            let hint = format!("use `bearer`, `basic` or `header`; those who sign are {}", listed(&signing));
            checker.error(&hmac.span(), format!("`{}` does not sign what it sends", short(&kind)), hint);
        }
        if auth.is_open() && source.auth.is_none() && !local {
            let problem = format!("anybody who reaches the server can send {sends} as `{}`", short(&name));
            let hint = "set auth = { bearer = \"name-of-a-secret\" }, or listen on 127.0.0.1 only";
            checker.warn(&source.name.span(), problem, hint);
        }
        Source { name, kind, auth }
    };
    written.iter().map(&mut one).collect()
}

fn auth(checker: &mut Checker<'_>, auth: &raw::Auth, of: &Text, secrets: &Resolved) -> Auth {
    match (&auth.bearer, &auth.basic, &auth.header, &auth.hmac) {
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
        // Fails closed: the broken configuration is refused, and this lets nobody in.
        _ => {
            checker.error(
                &of.span(),
                "auth is one of `bearer`, `basic`, `header` and `hmac`",
                "write auth = { bearer = \"name-of-a-secret\" }",
            );
            Auth::Bearer(Vec::new())
        }
    }
}
