//! Secrets by name: from a variable, a file, or the configuration itself. Their values go nowhere but into [`Secret`].

use super::checked::Checker;
use super::environment::Environment;
use super::raw;
use super::secret::Secret;
use super::value::OneOrMany;
use super::wording::{did_you_mean, short};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use toml::Spanned;

/// Bytes of a secret: room for a private key.
const MAX_SECRET: u64 = 64 * 1024;
/// Values that are in every guide, and in every guesser's list.
const WELL_KNOWN: [&str; 8] =
    ["changeme", "change-me", "password", "secret", "token", "smokejumper", "admin", "example"];

/// By name, with its place.
pub type Resolved = BTreeMap<String, (Range<usize>, Secret)>;

pub(super) fn resolve(
    checker: &mut Checker<'_>,
    written: &[(raw::Text, raw::Secret)],
    environment: &Environment<'_>,
) -> Resolved {
    let mut used = BTreeSet::new();
    let mut resolved = Resolved::new();
    for (name, secret) in written {
        let key = checker.name("secret", name, &mut used);
        let secret = match secret {
            raw::Secret::Plain(text) => plain(checker, &key, &name.span(), text.get_ref()),
            raw::Secret::From(from) => {
                elsewhere(checker, from, &key, environment).and_then(|v| fit(checker, &key, &name.span(), v))
            }
        };
        if let Some(secret) = secret {
            resolved.insert(key, (name.span(), secret));
        }
    }
    resolved
}

/// A value that stands in the configuration itself.
pub(super) fn plain(checker: &mut Checker<'_>, key: &str, span: &Range<usize>, value: &str) -> Option<Secret> {
    if checker.file.metadata().is_ok_and(|m| m.permissions().mode() & 0o077 != 0) {
        let what = format!("the secret `{}` stands in a file others may read", short(key));
        checker.warn(
            span,
            what,
            "chmod 600 the configuration, or keep the value in the environment or a file of its own",
        );
    }
    fit(checker, key, span, value.to_owned())
}

/// A value in a file of its own.
pub(super) fn of_file(checker: &mut Checker<'_>, key: &str, span: &Range<usize>, path: &str) -> Option<Secret> {
    let value = file(checker, span, path, key)?;
    fit(checker, key, span, value)
}

/// Held to be one that nobody guesses.
fn fit(checker: &mut Checker<'_>, key: &str, span: &Range<usize>, value: String) -> Option<Secret> {
    if value.is_empty() {
        checker.error(span, format!("the secret `{}` is empty", short(key)), "give it a value");
    } else if WELL_KNOWN.contains(&value.to_lowercase().as_str()) {
        let what = format!("the secret `{}` is one that anybody would guess", short(key));
        checker.error(span, what, "use a random one, such as of `openssl rand -hex 32`");
    } else {
        return Some(Secret::new(value));
    }
    None
}

fn elsewhere(
    checker: &mut Checker<'_>,
    from: &Spanned<raw::SecretFrom>,
    name: &str,
    environment: &Environment<'_>,
) -> Option<String> {
    match (&from.get_ref().env, &from.get_ref().file) {
        (Some(variable), None) => {
            let value = (environment.variable)(variable);
            if value.is_none() {
                let what =
                    format!("the environment variable {} is not set, which holds `{}`", short(variable), short(name));
                let hint = "set it where smokejumper starts, or keep the value in a file: { file = \"path\" }";
                checker.error(&from.span(), what, hint);
            }
            value
        }
        (None, Some(path)) => file(checker, &from.span(), path, name),
        _ => {
            checker.error(
                &from.span(),
                "a secret comes from one place",
                "write { env = \"NAME\" } or { file = \"path\" }",
            );
            None
        }
    }
}

fn file(checker: &mut Checker<'_>, span: &Range<usize>, path: impl AsRef<Path>, name: &str) -> Option<String> {
    let path = checker.folder.join(path);
    checker.files.insert(path.clone());
    match contents(&path) {
        Ok((value, open)) => {
            if open {
                checker.warn(span, format!("{} may be read by others", path.display()), "chmod 600 it");
            }
            Some(value)
        }
        Err(why) => {
            let what = format!("the secret file {} of `{}` cannot be used: {why}", path.display(), short(name));
            checker.error(span, what, "put the value alone into it, readable by this user");
            None
        }
    }
}

/// The value without its last line break, and whether anybody but its owner may write or read it.
fn contents(path: &Path) -> Result<(String, bool), String> {
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    let meta = file.metadata().map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut text = String::new();
    let read = file.take(MAX_SECRET + 1).read_to_string(&mut text).map_err(|e| e.to_string())?;
    if read as u64 > MAX_SECRET {
        return Err(format!("it is larger than {} KiB", MAX_SECRET / 1024));
    }
    let value = text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
    // Others, not the group: Kubernetes mounts secrets readable by the group.
    Ok((value.to_owned(), meta.permissions().mode() & 0o007 != 0))
}

/// The secrets of these names. More than two are a rotation that was never finished.
pub(super) fn refer(checker: &mut Checker<'_>, names: &Spanned<OneOrMany<String>>, secrets: &Resolved) -> Vec<Secret> {
    let mut found = Vec::new();
    let wanted = &names.get_ref().0;
    if wanted.is_empty() || wanted.len() > 2 {
        checker.error(&names.span(), "one secret is expected here, or two while one replaces the other", "name one");
    }
    for name in wanted {
        match secrets.get(name) {
            Some((_, secret)) => found.push(secret.clone()),
            // It is written, and what is wrong with it was said.
            None if checker.problems.iter().any(|p| p.what.contains(&format!("`{}`", short(name)))) => {}
            None => {
                let hint = if secrets.is_empty() {
                    "add one under [secrets], such as `am_token = { env = \"AM_TOKEN\" }`, and write its name here"
                        .to_owned()
                } else {
                    did_you_mean(name, secrets.keys().map(String::as_str))
                };
                // What stands here may be the secret itself, by mistake: it is not repeated.
                checker.error(&names.span(), "there is no secret of this name", hint);
            }
        }
    }
    found
}
