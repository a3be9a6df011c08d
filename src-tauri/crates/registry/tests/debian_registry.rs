//! The registry port against Debian's `docker-registry` (distribution 2.8), with and without login, deletes and TLS.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use sha2::Digest as _;
use slipway_core::image::{Digest, RegistryAccess, RegistryHost, RegistryLogin, RepositoryName, Tag};
use slipway_core::ports::{Deadlines, Hop, HopReport, Registries};
use slipway_core::{ErrorCode, Secret};
use slipway_registry::OciRegistries;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const PASSWORD: &str = "päss:word %2F";

#[derive(Default)]
struct Wanted {
    login: bool,
    delete: bool,
    tls: bool,
}

/// A running registry on a free loopback port; ends when dropped.
struct Registry {
    process: Child,
    host: String,
    ca_pem: Option<String>,
    _folder: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Registry {
    fn start(wanted: &Wanted) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut config = format!(
            "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: {}\nhttp:\n  addr: 127.0.0.1:0\n",
            at("data").display(),
            wanted.delete
        );
        let ca_pem = wanted.tls.then(|| write_certificates(folder.path()));
        if wanted.tls {
            config += &format!(
                "  tls:\n    certificate: {}\n    key: {}\n",
                at("server.pem").display(),
                at("server.key").display()
            );
        }
        if wanted.login {
            let entry = Command::new("htpasswd")
                .args(["-Bbn", "user", PASSWORD])
                .output()
                .expect("htpasswd is needed: apt-get install apache2-utils");
            std::fs::write(at("htpasswd"), entry.stdout).unwrap();
            config += &format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", at("htpasswd").display());
        }
        std::fs::write(at("config.yml"), config).unwrap();
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(at("config.yml"))
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry is needed: apt-get install docker-registry");
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        let host = loop {
            let begun = said.len();
            assert_ne!(log.read_line(&mut said).unwrap(), 0, "the registry did not start:\n{said}");
            if let Some((_, rest)) = said[begun..].split_once("listening on ") {
                break rest.split([',', '"', ' ', '\n']).next().unwrap().to_owned();
            }
        };
        // The registry stops writing, and so working, when nobody reads its log.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { process, host, ca_pem, _folder: folder }
    }

    fn access(&self, password: Option<&str>) -> RegistryAccess {
        RegistryAccess {
            host: RegistryHost::new(self.host.as_str()).unwrap(),
            plain_http: self.ca_pem.is_none(),
            ca_pem: self.ca_pem.clone(),
            proxy: None,
            login: match password {
                Some(password) => RegistryLogin::Basic { username: "user".to_owned(), password: Secret::new(password) },
                None => RegistryLogin::Anonymous,
            },
        }
    }

    /// Uploads a configuration blob and returns a manifest of an image without layers.
    async fn upload_image(&self, password: Option<&str>) -> String {
        let config = r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let login = |request: reqwest::RequestBuilder| match password {
            Some(password) => request.basic_auth("user", Some(password)),
            None => request,
        };
        let begin = login(client.post(format!("http://{}/v2/team/app/blobs/uploads/", self.host)));
        let begun = begin.send().await.unwrap().error_for_status().unwrap();
        let location = begun.headers()["location"].to_str().unwrap().to_owned();
        let digest = digest_of(config.as_bytes());
        let end = login(client.put(format!("{location}&digest={digest}"))).body(config);
        end.send().await.unwrap().error_for_status().unwrap();
        serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": config.len(),
                "digest": digest.as_str(),
            },
            "layers": [],
        })
        .to_string()
    }
}

/// Writes a server certificate of an own authority; returns the authority's certificate.
fn write_certificates(folder: &Path) -> String {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    std::fs::write(folder.join("server.pem"), server.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    authority.pem()
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::new(format!("sha256:{}", hex::encode(sha2::Sha256::digest(bytes)))).unwrap()
}

fn registries() -> OciRegistries {
    OciRegistries::new(Deadlines::default())
}

fn name() -> RepositoryName {
    RepositoryName::new("team/app").unwrap()
}

fn last(reports: &[HopReport]) -> (Hop, Option<ErrorCode>) {
    let last = reports.last().unwrap();
    (last.hop, last.result.as_ref().err().map(|failure| failure.code))
}

#[tokio::test]
async fn tags_move_lists_show_them_and_deletes_remove_them() {
    let server = Registry::start(&Wanted { login: true, delete: true, ..Wanted::default() });
    let (registries, access) = (registries(), server.access(Some(PASSWORD)));
    let manifest = server.upload_image(Some(PASSWORD)).await;
    let bytes = Bytes::from(manifest.clone());
    let expected = digest_of(&bytes);

    assert_eq!(registries.head(&access, &name(), "v1").await, Ok(None));
    for tag in ["v1", "v2", "latest"] {
        let tag = Tag::new(tag).unwrap();
        let put = registries.put_manifest(&access, &name(), &tag, MANIFEST_TYPE, bytes.clone()).await.unwrap();
        assert_eq!(put, expected);
    }
    let head = registries.head(&access, &name(), "v2").await.unwrap().unwrap();
    assert_eq!((&head.digest, head.media_type.as_str(), head.size), (&expected, MANIFEST_TYPE, manifest.len() as u64));
    for reference in ["v1", expected.as_str()] {
        let (again, body) = registries.manifest(&access, &name(), reference).await.unwrap().unwrap();
        assert_eq!((again, body.as_ref()), (head.clone(), manifest.as_bytes()));
    }
    let inside: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let config = Digest::new(inside["config"]["digest"].as_str().unwrap()).unwrap();
    let blob = registries.blob(&access, &name(), &config, 4096).await.unwrap();
    assert_eq!(digest_of(&blob), config);
    assert_eq!(registries.blob(&access, &name(), &config, 10).await.unwrap_err().code, ErrorCode::NotARegistry);

    let mut tags = registries.tags(&access, &name()).await.unwrap();
    tags.sort();
    assert_eq!(tags, ["latest", "v1", "v2"]);
    assert_eq!(registries.repositories(&access).await.unwrap(), ["team/app"]);

    registries.delete(&access, &name(), &expected).await.unwrap();
    registries.delete(&access, &name(), &expected).await.unwrap();
    assert_eq!(registries.head(&access, &name(), "v1").await, Ok(None));
    assert_eq!(registries.tags(&access, &name()).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_broken_manifest_is_refused_and_a_switched_off_delete_says_so() {
    let server = Registry::start(&Wanted::default());
    let (registries, access) = (registries(), server.access(None));
    let manifest = server.upload_image(None).await;
    let tag = Tag::new("v1").unwrap();
    let inside: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let config = inside["config"]["digest"].as_str().unwrap();
    let broken = manifest.replace(config, digest_of(b"never uploaded").as_str());
    let refused =
        registries.put_manifest(&access, &name(), &tag, MANIFEST_TYPE, Bytes::from(broken)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ManifestInvalid, "{refused:?}");
    let digest = registries.put_manifest(&access, &name(), &tag, MANIFEST_TYPE, Bytes::from(manifest)).await.unwrap();
    let failure = registries.delete(&access, &name(), &digest).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RegistryUnsupported);
    let missing = RepositoryName::new("team/other").unwrap();
    assert_eq!(registries.tags(&access, &missing).await.unwrap_err().code, ErrorCode::RegistryNameUnknown);
}

#[tokio::test]
async fn the_test_passes_with_the_password_and_names_the_login_without() {
    let server = Registry::start(&Wanted { login: true, ..Wanted::default() });
    let registries = registries();
    let reports = registries.test(&server.access(Some(PASSWORD)), &name()).await;
    assert_eq!((reports.len(), last(&reports)), (7, (Hop::Push, None)), "{reports:?}");
    for password in [Some("wrong"), None] {
        let reports = registries.test(&server.access(password), &name()).await;
        assert_eq!(last(&reports), (Hop::Login, Some(ErrorCode::RegistryUnauthorized)), "{reports:?}");
    }
    let failure = registries.tags(&server.access(Some("wrong")), &name()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RegistryUnauthorized);
}

#[tokio::test]
async fn an_own_authority_is_trusted_for_this_access_only() {
    let server = Registry::start(&Wanted { tls: true, ..Wanted::default() });
    let registries = registries();
    let reports = registries.test(&server.access(None), &name()).await;
    assert_eq!((reports.len(), last(&reports)), (7, (Hop::Push, None)), "{reports:?}");

    let without = RegistryAccess { ca_pem: None, plain_http: false, ..server.access(None) };
    let reports = registries.test(&without, &name()).await;
    assert_eq!(last(&reports), (Hop::Tls, Some(ErrorCode::RegistryTls)), "{reports:?}");
    let wrong_name = RegistryAccess {
        host: RegistryHost::new(server.host.replace("127.0.0.1", "localhost")).unwrap(),
        ..server.access(None)
    };
    let failure = registries.head(&wrong_name, &name(), "v1").await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RegistryTls, "{failure:?}");
}
