//! The address of a vendor's API, which a token is sent to.

use super::checked::Checker;
use super::raw::Text;
use std::net::IpAddr;

/// What is written, or else the `usual` one; without a slash at its end. `like` is an example of another one.
pub(super) fn address(
    checker: &mut Checker<'_>,
    written: Option<&Text>,
    allow_plaintext: bool,
    usual: &str,
    like: &str,
) -> String {
    let Some(written) = written else { return usual.to_owned() };
    let text = written.get_ref().trim_end_matches('/');
    if let Some(rest) = text.strip_prefix("http://") {
        if !allow_plaintext && !is_loopback(rest.split('/').next().unwrap_or_default()) {
            let hint = "write https://, or add allow_plaintext = true if you mean it";
            checker.error(&written.span(), "the token would cross the network in plain text", hint);
        }
    } else if !text.starts_with("https://") {
        let hint = format!("leave the key out for {usual}, or write \"{like}\"");
        checker.error(&written.span(), "this is not the address of an API", hint);
    }
    text.to_owned()
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
