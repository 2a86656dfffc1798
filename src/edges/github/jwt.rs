//! How a GitHub App proves itself: an RS256 JWT over ring, from a PKCS#1 or PKCS#8 key as PEM.
//!
//! GitHub wants at most ten minutes, and takes a clock that is a minute ahead of its own.

use crate::flow::moment::{At, MINUTE, SECOND};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

/// Issued that long ago (ms), for a machine whose clock is ahead of GitHub's.
const AHEAD: i64 = MINUTE;
/// Good that long (ms) from now: with `AHEAD` GitHub's ten minutes at most.
const GOOD_FOR: i64 = 9 * MINUTE;

/// Reads the key of an App.
///
/// # Errors
/// What is wrong with it, without a byte of it.
pub fn key(pem: &str) -> Result<RsaKeyPair, String> {
    let (mut kind, mut body) = (None, String::new());
    for line in pem.lines().map(str::trim) {
        match line {
            "-----BEGIN RSA PRIVATE KEY-----" => kind = Some(true),
            "-----BEGIN PRIVATE KEY-----" => kind = Some(false),
            _ if line.starts_with("-----END") => break,
            _ if kind.is_some() => body.push_str(line),
            _ => {}
        }
    }
    let Some(pkcs1) = kind else {
        return Err("it is not a private key in PEM (-----BEGIN RSA PRIVATE KEY-----)".to_owned());
    };
    let der = STANDARD.decode(&body).map_err(|_| "what stands in its PEM is not base64".to_owned())?;
    let key = if pkcs1 { RsaKeyPair::from_der(&der) } else { RsaKeyPair::from_pkcs8(&der) };
    key.map_err(|e| format!("it is not a usable RSA key ({e}): download a new one from the App's page"))
}

/// Signed for `app` at `now`.
///
/// # Errors
/// The machine has no randomness, which blinding needs.
pub fn signed(key: &RsaKeyPair, app: u64, now: At) -> Result<String, String> {
    let (issued, expires) = (now.plus(-AHEAD).0 / SECOND, now.plus(GOOD_FOR).0 / SECOND - 1);
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let head = part(serde_json::json!({ "alg": "RS256", "typ": "JWT" }));
    let claims = part(serde_json::json!({ "iat": issued, "exp": expires, "iss": app.to_string() }));
    let message = format!("{head}.{claims}");
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .map_err(|_| "the App's key cannot sign".to_owned())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
