//! Random tokens and their digests. What is kept of a token is its SHA-256: a dump of memory's maps opens nothing, and
//! looking one up by digest says nothing by its timing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};

/// Bytes of a token: 256 bit.
pub const TOKEN_BYTES: usize = 32;
/// Characters of one, in base64url without padding.
pub const TOKEN_CHARS: usize = 43;

/// SHA-256 of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The system gives no random bytes; nothing may be handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's source of randomness does not answer")]
pub struct NoEntropy;

/// A fresh token.
pub fn token() -> Result<String, NoEntropy> {
    let mut bytes = [0_u8; TOKEN_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Digest of the parts, each told apart from its neighbours by its length.
#[must_use]
pub fn digest(parts: &[&str]) -> Digest {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut out = [0_u8; 32];
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    Digest(out)
}

impl Digest {
    /// 64 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

/// Whether two secrets are equal; by digest, so that timing tells nothing about where they differ.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    digest(&[a]) == digest(&[b])
}
