//! Which database: the one whose URL a secret holds, or SQLite in the data directory.
//!
//! The URL has a password in it, so it is never written where others may read it, and never repeated in a message.

use super::checked::Checker;
use super::environment::Environment;
use super::raw;
use super::secret::Secret;
use super::secrets::Resolved;
use super::value::OneOrMany;
use toml::Spanned;

/// Read where the configuration names no database; containers are told so without a file.
pub const VARIABLE: &str = "SMOKEJUMPER_DATABASE_URL";
/// How the URL of a Postgres database begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
const HINT: &str = "write it as postgres://USER:PASSWORD@HOST:5432/DATABASE";

/// The URL of a Postgres database; `None`: SQLite.
///
/// # Errors
/// One is wanted and not known: nothing may be opened in its place.
pub(super) fn resolve(
    checker: &mut Checker<'_>,
    written: Option<&raw::Database>,
    secrets: &Resolved,
    environment: &Environment<'_>,
) -> Result<Option<Secret>, Unknown> {
    // What is written about it could not be read, which was said already.
    let Some(written) = written else { return Err(Unknown) };
    let Some(name) = &written.url else {
        let given = (environment.variable)(VARIABLE).filter(|url| !url.is_empty());
        if let Some(url) = &given
            && !is_url(url)
        {
            let what = format!("{VARIABLE} is not the URL of a Postgres database");
            checker.problems.push(super::problem::Problem::of_file(checker.file, what).hint(HINT));
            return Err(Unknown);
        }
        return Ok(given.map(Secret::new));
    };
    let one = Spanned::new(name.span(), OneOrMany(vec![name.get_ref().clone()]));
    if SCHEMES.iter().any(|scheme| name.get_ref().starts_with(scheme)) {
        let hint = "write it under [secrets], such as `database_url = { env = \"DATABASE_URL\" }`, and its name here";
        checker.error(&name.span(), "the URL of a database is a secret, and what belongs here is its name", hint);
        return Err(Unknown);
    }
    let Some(url) = super::secrets::refer(checker, &one, secrets).pop() else { return Err(Unknown) };
    if !is_url(url.expose()) {
        let what = format!("the secret `{}` is not the URL of a Postgres database", name.get_ref());
        checker.error(&name.span(), what, HINT);
        return Err(Unknown);
    }
    Ok(Some(url))
}

/// A database is wanted, and not known.
#[derive(Debug)]
pub(super) struct Unknown;

fn is_url(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

/// The password in such a URL, as it is written there.
#[must_use]
pub fn password(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password).filter(|password| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_in_its_url() {
        for (url, found) in [
            ("postgres://ana:hunter2@db.example.org:5432/smokejumper", Some("hunter2")),
            ("postgresql://ana:a%40b:c@db/x?host=/run", Some("a%40b:c")),
            ("postgres://ana@db/x?options=a:b@c", None),
            ("postgres:///x", None),
            ("postgres://ana:@db/x", None),
        ] {
            assert_eq!(password(url), found, "{url}");
        }
    }
}
