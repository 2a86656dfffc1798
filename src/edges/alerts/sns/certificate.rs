//! The public key in a certificate, and signatures made with it (RSA, PKCS #1 v1.5). Pure.

use crate::flow::moment::At;
use ring::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, UnixTime, alg_id,
};
use std::time::Duration;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;
use webpki::{EndEntityCert, Error, KeyUsage};

/// `SignatureVersion` of SNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1, the default of topics to this day.
    Sha1,
    /// 2
    Sha256,
}

/// A certificate that can be read, kept for the key in it. Who issued it is not asked: SNS' own host served it over TLS, and
/// that is what AWS documents.
#[derive(Debug)]
pub struct PublicKey(CertificateDer<'static>);

impl PublicKey {
    /// `None`: not one that can be read.
    #[must_use]
    pub fn of_pem(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem).ok()?.into_owned();
        EndEntityCert::try_from(&der).is_ok().then_some(Self(der))
    }

    /// Within the dates it bears.
    #[must_use]
    pub fn is_of(&self, now: At) -> bool {
        let Ok(certificate) = EndEntityCert::try_from(&self.0) else { return false };
        let Ok(since_epoch) = u64::try_from(now.0).map(Duration::from_millis) else { return false };
        // The dates are looked at before anything else: that nobody issued it, as far as we know, is said of one within them.
        let now = UnixTime::since_unix_epoch(since_epoch);
        let judged = certificate.verify_for_usage(&[], &[], &[], now, KeyUsage::server_auth(), None, None);
        let dates = |e: &Error| {
            matches!(
                e,
                Error::CertExpired { .. }
                    | Error::CertNotValidYet { .. }
                    | Error::InvalidCertValidity
                    | Error::BadDer
                    | Error::BadDerTime
            )
        };
        !judged.as_ref().err().is_some_and(dates)
    }

    #[must_use]
    pub fn proves(&self, version: Version, message: &[u8], signature: &[u8]) -> bool {
        let Ok(certificate) = EndEntityCert::try_from(&self.0) else { return false };
        let algorithm: &dyn SignatureVerificationAlgorithm = match version {
            Version::Sha1 => &RsaSha1,
            Version::Sha256 => RSA_PKCS1_2048_8192_SHA256,
        };
        certificate.verify_signature(algorithm, message, signature).is_ok()
    }
}

/// No certificate may be signed so any more, which is why webpki has it not; topics still sign their messages so.
#[derive(Debug)]
struct RsaSha1;

impl SignatureVerificationAlgorithm for RsaSha1 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, public_key);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    /// Not looked at when a message is verified; there is no constant for SHA-1.
    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_PKCS1_SHA256
    }
}
