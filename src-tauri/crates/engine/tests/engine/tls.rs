//! An engine over TCP: TLS in both directions, and nothing without it.

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};
use slipway_core::ErrorCode;
use slipway_core::ports::{BuildEngine, Deadlines};
use slipway_engine::{DockerEngine, TlsMaterial, Transport};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring};

/// An authority that signs for the engine and for its users.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "engine test");
        let pem = params.self_signed(&key).unwrap().pem();
        Self { params, key, pem }
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        (certificate, key)
    }

    /// What a user of the engine has in the certificate folder.
    fn user(&self) -> TlsMaterial {
        let (certificate, key) = self.sign("user");
        TlsMaterial {
            ca: Some(self.pem.clone().into_bytes()),
            cert: Some(certificate.pem().into_bytes()),
            key: Some(key.serialize_pem().into_bytes()),
        }
    }
}

/// Listens as an engine does that wants its users' certificates; knows no image. Returns its port.
async fn listen(authority: &Authority) -> u16 {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.params.self_signed(&authority.key).unwrap().der().clone()).unwrap();
    let users = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let (certificate, key) = authority.sign("127.0.0.1");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(users)
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = vec![0; 4096];
                if stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                    stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
                    stream.shutdown().await.unwrap();
                }
            });
        }
    });
    port
}

async fn ask(port: u16, tls: &TlsMaterial) -> Result<(), ErrorCode> {
    let transport = Transport::open(&format!("tcp://127.0.0.1:{port}"), Some(tls), false).unwrap();
    let engine = DockerEngine::new(transport, None, Deadlines::default()).unwrap();
    engine.image("a").await.map(|image| assert_eq!(image, None)).map_err(|failure| failure.code)
}

#[tokio::test]
async fn t16_a_tcp_engine_is_proven_and_so_are_we() {
    let authority = Authority::new();
    let port = listen(&authority).await;
    let user = authority.user();
    assert_eq!(ask(port, &user).await, Ok(()));

    let impostor = Authority::new();
    let wrong_engine = TlsMaterial { ca: impostor.user().ca, ..user.clone() };
    assert_eq!(ask(port, &wrong_engine).await, Err(ErrorCode::EngineForbidden));
    // With TLS 1.3 the engine refuses a user only after the handshake.
    let stranger = TlsMaterial { ca: user.ca.clone(), ..impostor.user() };
    let nobody = TlsMaterial { cert: None, key: None, ..user.clone() };
    for refused in [stranger, nobody] {
        assert_eq!(ask(port, &refused).await, Err(ErrorCode::EngineForbidden));
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_refused() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 4096];
        assert!(stream.read(&mut hello).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent nonsense\r\n").await.unwrap();
    });
    assert_eq!(ask(port, &Authority::new().user()).await, Err(ErrorCode::EngineForbidden));
}
