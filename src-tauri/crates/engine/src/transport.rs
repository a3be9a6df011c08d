//! How the engine is reached: one dialer for the HTTP calls, the build session and the build calls.

use slipway_core::{ErrorCode, Failure};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// How long opening one connection may take, TLS included.
const DIAL: Duration = Duration::from_secs(10);

/// A connection to the engine.
pub trait EngineStream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> EngineStream for T {}

/// Certificates for a TCP engine, PEM. Without `ca` the system's authorities are asked.
#[derive(Clone, Default)]
pub struct TlsMaterial {
    /// The authority that signed the engine's certificate.
    pub ca: Option<Vec<u8>>,
    /// Our certificate.
    pub cert: Option<Vec<u8>>,
    /// Our key.
    pub key: Option<Vec<u8>>,
}

/// A place where an engine listens, ready to be dialled. Cheap to clone.
#[derive(Clone)]
pub struct Transport {
    place: Arc<Place>,
}

enum Place {
    Unix(PathBuf),
    #[cfg(windows)]
    Pipe(String),
    Tls {
        address: TcpAddress,
        name: rustls_pki_types::ServerName<'static>,
        connector: tokio_rustls::TlsConnector,
    },
    PlainTcp(TcpAddress),
}

struct TcpAddress {
    host: String,
    port: u16,
}

impl std::fmt::Display for TcpAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Transport({})", self.endpoint())
    }
}

impl Transport {
    /// An engine behind a Unix socket.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self { place: Arc::new(Place::Unix(path.into())) }
    }

    /// Reads an engine address as `DOCKER_HOST` has it: `unix://`, `tcp://`, `http://`, `https://`, and `npipe://` on Windows.
    /// Plain TCP gives everybody on the way root on the engine's machine, so it needs `allow_plain_tcp` (T16).
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] for an address that cannot be read, [`ErrorCode::EngineUnsupported`] for a kind that is
    /// not offered, [`ErrorCode::EngineForbidden`] for plain TCP without the override or unusable certificates.
    pub fn open(address: &str, tls: Option<&TlsMaterial>, allow_plain_tcp: bool) -> Result<Self, Failure> {
        let invalid = |why: &str| {
            Failure::new(ErrorCode::InvalidField, format!("{address:?} is no engine address: {why}"))
                .with("endpoint", address)
        };
        let (scheme, rest) = address.split_once("://").ok_or_else(|| invalid("it has no scheme such as unix://"))?;
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::unix(rest)),
            "unix" => Err(invalid("the socket's path is not absolute")),
            "npipe" => Self::pipe(rest, address),
            "tcp" | "http" | "https" => {
                let secure = tls.is_some() || scheme == "https";
                let address =
                    tcp_address(rest, if secure { 2376 } else { 2375 }).ok_or_else(|| invalid("bad host or port"))?;
                match (secure, allow_plain_tcp) {
                    (true, _) => Self::tls(address, &tls.cloned().unwrap_or_default()),
                    (false, true) => Ok(Self { place: Arc::new(Place::PlainTcp(address)) }),
                    (false, false) => Err(Failure::new(
                        ErrorCode::EngineForbidden,
                        format!("the engine at {address} is offered over plain TCP, which is not protected"),
                    )
                    .with("endpoint", format!("tcp://{address}"))
                    .with("reason", "plain_tcp")),
                }
            }
            other => {
                Err(Failure::new(ErrorCode::EngineUnsupported, format!("engines over {other} are not supported yet"))
                    .with("endpoint", address))
            }
        }
    }

    fn tls(address: TcpAddress, material: &TlsMaterial) -> Result<Self, Failure> {
        let refused = |what: &str, why: &dyn std::fmt::Display| {
            Failure::new(ErrorCode::EngineForbidden, format!("{what} of {address}: {why}")).with("reason", "tls")
        };
        let name = rustls_pki_types::ServerName::try_from(address.host.clone())
            .map_err(|error| refused("the TLS name", &error))?;
        let config = client_config(material).map_err(|error| refused("the TLS certificates", &error))?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        Ok(Self { place: Arc::new(Place::Tls { address, name, connector }) })
    }

    #[cfg(windows)]
    fn pipe(rest: &str, _address: &str) -> Result<Self, Failure> {
        Ok(Self { place: Arc::new(Place::Pipe(rest.replace('/', "\\"))) })
    }

    #[cfg(not(windows))]
    fn pipe(_rest: &str, address: &str) -> Result<Self, Failure> {
        Err(Failure::new(ErrorCode::EngineUnsupported, "named pipes exist on Windows only").with("endpoint", address))
    }

    /// Returns the address that is dialled, for display.
    #[must_use]
    pub fn endpoint(&self) -> String {
        match &*self.place {
            Place::Unix(path) => format!("unix://{}", path.display()),
            #[cfg(windows)]
            Place::Pipe(path) => format!("npipe://{path}"),
            Place::Tls { address, .. } | Place::PlainTcp(address) => format!("tcp://{address}"),
        }
    }

    /// Opens one connection, within ten seconds.
    ///
    /// # Errors
    /// [`ErrorCode::EngineAbsent`] when nothing listens or answers, [`ErrorCode::EngineForbidden`] when the socket may not
    /// be opened or TLS fails.
    pub async fn dial(&self) -> Result<Box<dyn EngineStream>, Failure> {
        match tokio::time::timeout(DIAL, self.connect()).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(dial_failure(&error, &self.endpoint())),
            Err(_) => Err(Failure::new(
                ErrorCode::EngineAbsent,
                format!("the engine at {} takes no connection", self.endpoint()),
            )
            .with("endpoint", self.endpoint())
            .with("deadline_seconds", DIAL.as_secs().to_string())),
        }
    }

    async fn connect(&self) -> io::Result<Box<dyn EngineStream>> {
        match &*self.place {
            Place::Unix(path) => connect_unix(path).await,
            #[cfg(windows)]
            Place::Pipe(path) => connect_pipe(path).await,
            Place::PlainTcp(address) => Ok(Box::new(connect_tcp(address).await?)),
            Place::Tls { address, name, connector } => {
                let stream = connect_tcp(address).await?;
                Ok(Box::new(connector.connect(name.clone(), stream).await?))
            }
        }
    }
}

#[cfg(unix)]
async fn connect_unix(path: &Path) -> io::Result<Box<dyn EngineStream>> {
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn connect_unix(_path: &Path) -> io::Result<Box<dyn EngineStream>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "Unix sockets are not available on this system"))
}

/// A pipe answers "busy" until the server has made its next instance; the caller's deadline ends the wait.
#[cfg(windows)]
async fn connect_pipe(path: &str) -> io::Result<Box<dyn EngineStream>> {
    const ERROR_PIPE_BUSY: i32 = 231;
    loop {
        match tokio::net::windows::named_pipe::ClientOptions::new().open(path) {
            Ok(pipe) => return Ok(Box::new(pipe)),
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn connect_tcp(address: &TcpAddress) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn tcp_address(rest: &str, default_port: u16) -> Option<TcpAddress> {
    let authority = rest.split('/').next()?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (host, tail) = inner.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if tail.is_empty() { None } else { Some(tail.strip_prefix(':')?) })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None => default_port,
    };
    let legal =
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'_'));
    legal.then(|| TcpAddress { host: host.to_owned(), port })
}

#[derive(Debug, thiserror::Error)]
enum TlsFault {
    #[error("{what} cannot be read: {why}")]
    Pem { what: &'static str, why: rustls_pki_types::pem::Error },
    #[error("the system has no certificate authorities")]
    NoAuthorities,
    #[error("a certificate without its key, or a key without its certificate")]
    HalfIdentity,
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

fn client_config(material: &TlsMaterial) -> Result<rustls::ClientConfig, TlsFault> {
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};

    let certificates = |pem: &[u8], what| {
        CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(|why| TlsFault::Pem { what, why })
    };
    let mut roots = rustls::RootCertStore::empty();
    match &material.ca {
        Some(pem) => {
            for certificate in certificates(pem, "ca.pem")? {
                roots.add(certificate)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(TlsFault::NoAuthorities);
    }
    // The provider is named here: with two in one binary the process default cannot be guessed and would panic.
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    match (&material.cert, &material.key) {
        (Some(cert), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key).map_err(|why| TlsFault::Pem { what: "key.pem", why })?;
            Ok(builder.with_client_auth_cert(certificates(cert, "cert.pem")?, key)?)
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err(TlsFault::HalfIdentity),
    }
}

/// Tells "nothing there" from "not for you" by the kind of the I/O error, never by its text.
pub(crate) fn dial_failure(error: &io::Error, endpoint: &str) -> Failure {
    let tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    let failure = match error.kind() {
        _ if tls => {
            Failure::new(ErrorCode::EngineForbidden, format!("TLS to the engine at {endpoint} failed: {error}"))
                .with("reason", "tls")
        }
        io::ErrorKind::PermissionDenied => {
            Failure::new(ErrorCode::EngineForbidden, format!("the engine at {endpoint} may not be used by this user"))
                .with("reason", "permission")
        }
        io::ErrorKind::Unsupported => Failure::new(ErrorCode::EngineUnsupported, format!("{endpoint}: {error}")),
        _ => Failure::new(ErrorCode::EngineAbsent, format!("no engine answers at {endpoint}: {error}")),
    };
    failure.with("endpoint", endpoint)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn code(address: &str, allow_plain: bool) -> ErrorCode {
        Transport::open(address, None, allow_plain).unwrap_err().code
    }

    #[test]
    fn addresses_are_read_as_docker_host_writes_them() {
        for (address, endpoint) in [
            ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
            ("tcp://10.0.0.1", "tcp://10.0.0.1:2375"),
            ("tcp://build.example:2375", "tcp://build.example:2375"),
            ("tcp://[::1]:2375", "tcp://[::1]:2375"),
            ("http://build.example/", "tcp://build.example:2375"),
        ] {
            assert_eq!(Transport::open(address, None, true).unwrap().endpoint(), endpoint);
        }
        for bad in ["/var/run/docker.sock", "unix://docker.sock", "tcp://", "tcp://a b", "tcp://h:0", "tcp://h:99999"] {
            assert_eq!(code(bad, true), ErrorCode::InvalidField, "{bad}");
        }
        assert_eq!(code("ssh://host", true), ErrorCode::EngineUnsupported);
    }

    #[test]
    fn t16_plain_tcp_is_refused_without_the_override() {
        for address in ["tcp://10.0.0.1:2375", "tcp://127.0.0.1:2375", "http://10.0.0.1"] {
            assert_eq!(code(address, false), ErrorCode::EngineForbidden, "{address}");
        }
    }

    #[test]
    fn unusable_certificates_are_refused() {
        let half = TlsMaterial { ca: None, cert: Some(b"x".to_vec()), key: None };
        assert_eq!(Transport::open("tcp://h:2376", Some(&half), false).unwrap_err().code, ErrorCode::EngineForbidden);
    }

    #[test]
    fn io_errors_are_told_apart_by_number() {
        for (number, expected) in [
            (2, ErrorCode::EngineAbsent),
            (111, ErrorCode::EngineAbsent),
            (13, ErrorCode::EngineForbidden),
            (1, ErrorCode::EngineForbidden),
        ] {
            assert_eq!(dial_failure(&io::Error::from_raw_os_error(number), "unix:///x").code, expected, "{number}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn f07_missing_and_stale_sockets_are_an_absent_engine() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let missing = Transport::unix(&path).dial().await.err().unwrap();
        assert_eq!(missing.code, ErrorCode::EngineAbsent);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let stale = Transport::unix(&path).dial().await.err().unwrap();
        assert_eq!(stale.code, ErrorCode::EngineAbsent);
    }
}
