//! A real registry (Debian's `docker-registry`, CNCF distribution 2.8) on a loopback port.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use crate::{Login, OwnedProcess, eventually, free_port};

const HOW_TO_GET_IT: &str = "apt-get install docker-registry apache2-utils (or `make setup`)";

/// A running registry with storage of its own; both are gone when it is dropped.
#[derive(Debug)]
pub struct RegistryServer {
    folder: TempDir,
    port: u16,
    login: Option<Login>,
    process: OwnedProcess,
}

impl RegistryServer {
    /// Starts a registry that asks for `login` (nobody has to sign in without one) and lets manifests be deleted or not.
    pub async fn start(login: Option<Login>, delete: bool) -> Self {
        Self::start_with(login, delete, None).await
    }

    /// As [`Self::start`]; each manifest that arrives is told to `listener` in the registry's own form (a POST of `events`),
    /// one after another in their order.
    pub async fn start_telling(login: Option<Login>, listener: &str) -> Self {
        Self::start_with(login, true, Some(listener)).await
    }

    async fn start_with(login: Option<Login>, delete: bool, listener: Option<&str>) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let port = free_port();
        let storage = folder.path().join("storage");
        let mut configuration = format!(
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: {delete}\n\
             http:\n  addr: 127.0.0.1:{port}\n",
            storage.display()
        );
        if let Some(url) = listener {
            configuration += &format!(
                "notifications:\n  endpoints:\n    - name: test\n      url: {url}\n      timeout: 5s\n      threshold: 5\n      \
                 backoff: 1s\n"
            );
        }
        if let Some(login) = &login {
            let passwords = folder.path().join("htpasswd");
            std::fs::write(&passwords, hashed(login)).expect("the password file can be written");
            configuration +=
                &format!("auth:\n  htpasswd:\n    realm: slipway-test\n    path: {}\n", passwords.display());
        }
        std::fs::write(folder.path().join("config.yml"), configuration).expect("the configuration can be written");
        let process = Self::spawn(&folder);
        let server = Self { folder, port, login, process };
        server.wait_until_ready().await;
        server
    }

    /// Returns `host:port`, the first part of image names in this registry.
    #[must_use]
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns the address of the API, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.host())
    }

    /// Returns the login that the registry asks for.
    #[must_use]
    pub fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Returns the folder that holds the registry's blobs, for tests that damage or count them.
    #[must_use]
    pub fn storage(&self) -> PathBuf {
        self.folder.path().join("storage")
    }

    /// Returns the digest that `repository:tag` has now, read by a plain HEAD request, or nothing when there is no such tag.
    pub async fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        let mut request = client().head(format!("{}/v2/{repository}/manifests/{tag}", self.url())).header(
            "accept",
            "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json, \
             application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.index.v1+json",
        );
        if let Some(login) = &self.login {
            request = request.basic_auth(&login.user, Some(&login.password));
        }
        let answer = request.send().await.expect("the registry answers");
        if answer.status() == 404 {
            return None;
        }
        let answer = answer.error_for_status().expect("the registry lets its own login read");
        Some(answer.headers()["docker-content-digest"].to_str().expect("a digest is ASCII").to_owned())
    }

    /// Ends the registry, as a crash would. Its storage and its port stay.
    pub async fn stop(&mut self) {
        self.process.kill().await;
    }

    /// Starts a stopped registry again on the same port with the same storage.
    pub async fn start_again(&mut self) {
        self.process = Self::spawn(&self.folder);
        self.wait_until_ready().await;
    }

    /// Loses everything that was stored and runs on, as a registry on a new disk.
    pub async fn forget(&mut self) {
        self.stop().await;
        std::fs::remove_dir_all(self.storage()).expect("it stored something");
        self.start_again().await;
    }

    /// Makes the registry accept connections and answer nothing, until [`Self::resume`].
    pub fn freeze(&self) {
        self.process.freeze();
    }

    /// Lets a frozen registry go on.
    pub fn resume(&self) {
        self.process.resume();
    }

    fn spawn(folder: &TempDir) -> OwnedProcess {
        let log = std::fs::File::create(folder.path().join("log")).expect("the log can be made");
        OwnedProcess::start("docker-registry", HOW_TO_GET_IT, |command| {
            command.arg("serve").arg(folder.path().join("config.yml")).stderr(log);
        })
    }

    async fn wait_until_ready(&self) {
        let client = client();
        eventually("the registry answers", Duration::from_secs(20), async || {
            match client.get(format!("{}/v2/", self.url())).send().await {
                Ok(_) => Ok(()),
                Err(error) => Err((error, std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default())),
            }
        })
        .await;
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()
        .expect("a plain HTTP client can be made")
}

/// Hashes the password as the registry wants it (bcrypt). It goes in by standard input, never by the command line.
fn hashed(login: &Login) -> Vec<u8> {
    let mut child = std::process::Command::new("htpasswd")
        .args(["-inBC", "4", &login.user])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("htpasswd is missing ({error}): {HOW_TO_GET_IT}"));
    child
        .stdin
        .take()
        .expect("it was piped")
        .write_all(login.password.as_bytes())
        .expect("htpasswd reads the password");
    let output = child.wait_with_output().expect("htpasswd ends");
    assert!(output.status.success(), "htpasswd failed");
    output.stdout
}
