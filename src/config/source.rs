//! An alert source as it was set up: its name, what it speaks, and how it proves who it is.

use super::secret::Secret;

#[derive(Clone, Debug)]
pub struct Source {
    /// Its place in the address: `POST /alerts/{name}`.
    pub name: String,
    /// What it speaks: a name of the table of kinds in `edges/alerts`.
    pub kind: String,
    pub auth: Auth,
}

/// How a source proves who it is. Where there are several values each is good, so that one can be replaced without a gap.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Anybody who reaches the port: for loopback, or behind something that asks.
    Open,
    /// `Authorization: Bearer …`
    Bearer(Vec<Secret>),
    /// `Authorization: Basic …`
    Basic { user: String, passwords: Vec<Secret> },
    /// A header of the sender's own that carries the secret and nothing else.
    Header { name: String, values: Vec<Secret> },
    /// HMAC-SHA256 over the raw body, in the way the source's kind signs.
    Signed(Vec<Secret>),
}

/// A kind of source, as far as the configuration must know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownKind {
    pub name: &'static str,
    /// Whether what it sends can be signed.
    pub signs: bool,
}

impl Auth {
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}
