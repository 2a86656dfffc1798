//! The journal's hash chain: an HMAC over the former link, the metadata, and the salted commitment of each payload.
//!
//! Pure, apart from drawing salts. Knows neither SQL nor files. Erasing a payload and its salt leaves the chain whole
//! and the payload unguessable.

use ring::rand::SecureRandom;
use ring::{digest, hmac};

/// Bytes of a key and of a salt: as much as the digest has, so neither is the weaker part.
pub const KEY_BYTES: usize = 32;
/// Bytes of a payload's salt; 128 bits cannot be searched.
const SALT_BYTES: usize = 16;
/// Separates these codes from any other use of the key.
const LABEL_LINK: &str = "smokejumper journal link 1";
const LABEL_SEAL: &str = "smokejumper anchor 1";
const LABEL_KEY: &str = "smokejumper key 1";

/// The key that lies outside the database. Has no `Debug` that shows it.
pub struct ChainKey(hmac::Key);

impl std::fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChainKey(..)")
    }
}

/// Everything of an entry that stays for ever.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    pub seq: i64,
    pub incident: i64,
    pub n: i64,
    pub kind: &'a str,
    pub v: i64,
    pub at: i64,
    pub actor: &'a str,
    /// Hex, from [`commit`].
    pub commitment: &'a str,
}

impl ChainKey {
    #[must_use]
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The next value of the chain, hex.
    #[must_use]
    pub fn extend(&self, former: &str, link: &Link<'_>) -> String {
        let numbers = [link.seq, link.incident, link.n, link.v, link.at].map(i64::to_be_bytes).concat();
        self.code(&[
            LABEL_LINK.as_bytes(),
            former.as_bytes(),
            &numbers,
            link.kind.as_bytes(),
            link.actor.as_bytes(),
            link.commitment.as_bytes(),
        ])
    }

    /// Seals a text kept outside the database, hex.
    #[must_use]
    pub fn seal(&self, text: &str) -> String {
        self.code(&[LABEL_SEAL.as_bytes(), text.as_bytes()])
    }

    /// By which a database knows the key it was begun with, hex. Says nothing about the key.
    #[must_use]
    pub fn sign(&self) -> String {
        self.code(&[LABEL_KEY.as_bytes()])
    }

    /// Each part goes in with its length, so no two lists of parts look alike.
    fn code(&self, parts: &[&[u8]]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        hex::encode(context.sign().as_ref())
    }
}

/// Commitment to a payload as it is stored, hex: SHA-256 of salt and bytes.
#[must_use]
pub fn commit(salt: &str, stored: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(salt.as_bytes());
    context.update(stored.as_bytes());
    hex::encode(context.finish().as_ref())
}

/// A fresh salt, hex. `None` when the system gives no randomness.
#[must_use]
pub fn salt() -> Option<String> {
    random::<SALT_BYTES>().map(hex::encode)
}

/// Fresh random bytes. `None` when the system gives no randomness.
#[must_use]
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    ring::rand::SystemRandom::new().fill(&mut bytes).ok().map(|()| bytes)
}

/// Exactly `N` bytes from hexadecimal digits.
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}
