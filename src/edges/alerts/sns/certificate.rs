//! The public key in a certificate, and signatures made with it (RSA, PKCS #1 v1.5). Pure.

use ring::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use webpki::EndEntityCert;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;

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
