//! A source of alerts or changes as it was set up: its name, what it speaks, and how it proves who it is.

use super::mapping::Mapping;
use super::secret::Secret;
use crate::egress::Allowed;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Source {
    /// Its place in the address: `POST /alerts/{name}`.
    pub name: String,
    /// What it speaks: a name of the table of kinds in `edges/alerts`.
    pub kind: String,
    pub auth: Auth,
    /// Where things stand in what it sends; there for the kind `json`, and for no other.
    pub mapping: Option<Arc<Mapping>>,
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
    /// Signed by Amazon SNS with its own key, whose certificate it names.
    Sns(Box<SnsTrust>),
}

/// Which messages of Amazon SNS are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnsTrust {
    /// `arn:aws:sns:REGION:ACCOUNT:NAME`
    pub topics: Vec<String>,
    /// Where certificates and confirmations may be: the hosts of the topics' regions, or what the operator wrote instead.
    pub allowed: Allowed,
    /// For an SNS of the operator's own, as PEM.
    pub ca_pem: Option<Vec<u8>>,
}

/// A kind of source, as far as the configuration must know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownKind {
    pub name: &'static str,
    /// Whether what it sends can be signed.
    pub signs: bool,
}

impl KnownKind {
    /// The kind that needs a mapping file.
    pub const MAPPED: &str = "json";
    /// The kind that comes through Amazon SNS.
    pub const THROUGH_SNS: &str = "cloudwatch";
}

impl Auth {
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}
