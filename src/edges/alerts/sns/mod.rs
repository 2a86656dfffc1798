//! Whether Amazon SNS really sent it: topic, certificate, signature; and the answer to a subscription that waits for one.
//!
//! The message says itself where its certificate is and where it is confirmed: both addresses are followed only to the hosts of
//! the topics in the configuration, and before the signature holds nothing else of a message is believed.

mod certificate;
pub mod envelope;

use self::certificate::{PublicKey, Version};
use self::envelope::{Envelope, Type};
use crate::config::source::SnsTrust;
use crate::egress::{Client, Failed, Limits, Outside, Terms};
use crate::flow::moment::At;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Certificates kept: one a region, and the next while it is replaced.
const MAX_CERTIFICATES: usize = 16;
/// Bytes of a certificate as PEM; Amazon's have 2 KiB.
const MAX_PEM: usize = 32 * 1024;
/// Requests to SNS at once: whoever invents certificate addresses must not make us a crowd.
const MAX_REQUESTS: usize = 2;
/// Digits in the name of a certificate; Amazon's have 32.
const MAX_DIGITS: usize = 64;
const ELSEWHERE: &str = "its certificate is somewhere else than those of SNS";
/// SNS gives up on an answer after 15 s.
const WITHIN: Duration = Duration::from_secs(5);

/// Why a message is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not of a topic of ours, or not signed by SNS; why is for the operator.
    Stranger(&'static str),
    /// Passing: SNS sends it again.
    Later(String),
}

/// Knows the topics, and the keys they were signed with.
pub struct Verifier {
    trust: SnsTrust,
    client: Client,
    /// By address, newest last.
    keys: Mutex<VecDeque<(String, Arc<PublicKey>)>>,
    requests: Semaphore,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("topics", &self.trust.topics).finish_non_exhaustive()
    }
}

impl Verifier {
    /// # Errors
    /// The certificate authority of the configuration is not one.
    pub fn new(trust: &SnsTrust) -> Result<Self, String> {
        let limits = Limits { connect: WITHIN, whole: WITHIN, body: MAX_PEM, hops: 0 };
        let terms = Terms { limits, ca_pem: trust.ca_pem.clone(), ..Terms::default() };
        let client = Client::new(Outside::Influenced(trust.allowed.clone()), &terms).map_err(|e| e.to_string())?;
        let requests = Semaphore::new(MAX_REQUESTS);
        Ok(Self { trust: trust.clone(), client, keys: Mutex::default(), requests })
    }

    /// Whether SNS sent it for a topic of ours. A subscription that asks for it is confirmed.
    ///
    /// # Errors
    /// [`Refusal`]: nothing may happen because of it.
    pub async fn admit(&self, bytes: &[u8], now: At) -> Result<(), Refusal> {
        let envelope = Envelope::read(bytes).map_err(|_| Refusal::Stranger("not a message of SNS"))?;
        if !self.trust.topics.iter().any(|topic| *topic == envelope.topic) {
            return Err(Refusal::Stranger("a topic that is not in the configuration"));
        }
        let version = match &*envelope.signature_version {
            "1" => Version::Sha1,
            "2" => Version::Sha256,
            _ => return Err(Refusal::Stranger("signed in a way that is not known")),
        };
        let signature =
            STANDARD.decode(envelope.signature.as_bytes()).map_err(|_| Refusal::Stranger("not signed by SNS"))?;
        let key = self.key(&envelope.certificate_url).await?;
        if !key.is_of(now) {
            return Err(Refusal::Stranger("its certificate is not valid now"));
        }
        if !key.proves(version, envelope.signed().as_bytes(), &signature) {
            return Err(Refusal::Stranger("not signed by SNS"));
        }
        match envelope.kind {
            Type::Notification => Ok(()),
            Type::SubscriptionConfirmation => self.confirm(&envelope).await,
            Type::UnsubscribeConfirmation => {
                let topic = &*envelope.topic;
                tracing::warn!(topic, "a subscription was ended: alarms of this topic do not come here any more");
                Ok(())
            }
        }
    }

    async fn key(&self, address: &str) -> Result<Arc<PublicKey>, Refusal> {
        if let Some(key) = self.known(address) {
            return Ok(key);
        }
        // Nothing else at SNS' hosts is a certificate of theirs: topics, say, hold what anybody wrote.
        if !is_certificate(address) {
            return Err(Refusal::Stranger(ELSEWHERE));
        }
        let pem = self.fetch(address, ELSEWHERE).await?;
        let key = Arc::new(PublicKey::of_pem(&pem).ok_or(Refusal::Stranger("its certificate is none"))?);
        self.keep(address, &key);
        Ok(key)
    }

    fn known(&self, address: &str) -> Option<Arc<PublicKey>> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().find(|(known, _)| known == address).map(|(_, key)| Arc::clone(key))
    }

    fn keep(&self, address: &str, key: &Arc<PublicKey>) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() == MAX_CERTIFICATES {
            keys.pop_front();
        }
        keys.push_back((address.to_owned(), Arc::clone(key)));
    }

    async fn confirm(&self, envelope: &Envelope<'_>) -> Result<(), Refusal> {
        let url = envelope.subscribe_url.as_deref().unwrap_or_default();
        self.fetch(url, "it would be confirmed somewhere else than at SNS").await?;
        tracing::info!(topic = &*envelope.topic, "a subscription was confirmed: its alarms come here from now on");
        Ok(())
    }

    async fn fetch(&self, url: &str, elsewhere: &'static str) -> Result<Vec<u8>, Refusal> {
        let Ok(_place) = self.requests.try_acquire() else {
            return Err(Refusal::Later("other messages are being looked into".to_owned()));
        };
        match self.client.get(url).await {
            Ok(answer) if answer.is_success() && !answer.cut => Ok(answer.body),
            Ok(answer) if (400..500).contains(&answer.status) => Err(Refusal::Stranger("SNS does not know of it")),
            Ok(answer) => Err(Refusal::Later(format!("SNS answered {}", answer.status))),
            Err(Failed::Refused(refused)) => {
                tracing::warn!(%refused, "a message that says it is of SNS leads elsewhere");
                Err(Refusal::Stranger(elsewhere))
            }
            Err(error) => {
                tracing::warn!(%error, "SNS cannot be asked; the message was put off");
                Err(Refusal::Later("SNS cannot be asked for now".to_owned()))
            }
        }
    }
}

/// `https://HOST/SimpleNotificationService-<hexadecimal>.pem`, whole; whether the host is one of SNS' the client judges.
fn is_certificate(address: &str) -> bool {
    let path = address.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
    let digits = path.and_then(|p| p.strip_prefix("SimpleNotificationService-")).and_then(|p| p.strip_suffix(".pem"));
    digits.is_some_and(|d| (1..=MAX_DIGITS).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_hexdigit()))
}
