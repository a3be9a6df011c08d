//! A certificate authority that only this test trusts.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A CA with its key, as a company runs one.
#[derive(Debug, Clone)]
pub struct PrivateCa {
    params: CertificateParams,
    key: Arc<KeyPair>,
    pem: String,
}

impl PrivateCa {
    /// Makes a CA with a new key.
    #[must_use]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("a CA needs no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "Slipway test CA");
        let pem = params.self_signed(&key).expect("a CA signs itself").pem();
        Self { params, key: Arc::new(key), pem }
    }

    /// Returns the CA's certificate as PEM, the form in which users have it.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Writes the CA's certificate to a file, for clients that want a path.
    pub fn write_to(&self, path: &Path) {
        std::fs::write(path, &self.pem).expect("the certificate can be written");
    }

    /// Returns a TLS acceptor with a new certificate for `localhost` and `127.0.0.1`.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key can be made");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let issuer = Issuer::from_params(&self.params, self.key.as_ref());
        let certificate = CertificateParams::new(names)
            .and_then(|params| params.signed_by(&key, &issuer))
            .expect("the CA signs a certificate");
        // The provider is named, so that a test needs no process-wide one.
        let configuration = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .expect("the certificate belongs to its key");
        TlsAcceptor::from(Arc::new(configuration))
    }
}

impl Default for PrivateCa {
    fn default() -> Self {
        Self::new()
    }
}
