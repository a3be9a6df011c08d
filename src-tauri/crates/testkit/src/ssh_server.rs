//! Git over SSH: Debian's `sshd` as a process of the test's own user on a loopback port, and a user's SSH configuration that
//! knows it as `box`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use crate::{GitRepository, OwnedProcess, eventually, free_port};

const HOW_TO_GET_IT: &str = "apt-get install openssh-server openssh-client (or `make setup`)";
const SSHD: &str = "/usr/sbin/sshd";

/// A running SSH server with repositories of its own, and a user whose key it takes. Nothing of the machine's or the person's
/// own SSH configuration is read or written; everything is gone when it is dropped.
#[derive(Debug)]
pub struct SshServer {
    folder: TempDir,
    port: u16,
    new_protocol: bool,
    process: OwnedProcess,
    agent: Option<OwnedProcess>,
}

impl SshServer {
    /// Starts a server that lets the wish for Git's newer protocol through, or drops it, as sshd does unless it is told.
    pub async fn start(new_protocol: bool) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let port = free_port();
        for name in ["home", "bin", "repositories"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder can be made");
        }
        make_key(&folder.path().join("host_key")).await;
        make_key(&folder.path().join("home/id_ed25519")).await;
        let process = spawn(&folder, port, new_protocol);
        let server = Self { folder, port, new_protocol, process, agent: None };
        server.authorize();
        server.configure("");
        // The user's configuration is found through an account, not through HOME: the program is told where it is.
        let program = format!("#!/bin/sh\nexec /usr/bin/ssh -F '{}' \"$@\"\n", server.path("home/config").display());
        std::fs::write(server.program(), program).expect("the program can be written");
        make_executable(&server.program());
        server.wait_until_ready().await;
        server
    }

    /// Puts a copy of `repository` on the server and returns its address, `box:<path>`.
    pub async fn publish(&self, name: &str, repository: &GitRepository) -> String {
        repository.publish_to(&self.path_of(name)).await;
        self.url_of(name)
    }

    /// Returns the folder that holds the repository `name` on the server.
    #[must_use]
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path("repositories").join(name)
    }

    /// Returns the address of the repository `name`.
    #[must_use]
    pub fn url_of(&self, name: &str) -> String {
        format!("box:{}", self.path_of(name).display())
    }

    /// Returns the `ssh` program of the user; its folder can be put on a search path.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.path("bin/ssh")
    }

    /// Returns a file of the user: `known_hosts`, `config`, `id_ed25519`.
    #[must_use]
    pub fn home(&self, name: &str) -> PathBuf {
        self.path("home").join(name)
    }

    /// Returns the fingerprint of the server's key, as `ssh-keygen` shows it.
    pub async fn fingerprint(&self) -> String {
        let key = self.path("host_key.pub");
        let line = keygen(&["-l", "-f", text(&key)]).await;
        line.split(' ').nth(1).expect("a fingerprint is the second word").to_owned()
    }

    /// Writes the server's key into the user's own list of known hosts.
    pub async fn make_known(&self) {
        let key = std::fs::read_to_string(self.path("host_key.pub")).expect("the key can be read");
        let line = format!("[127.0.0.1]:{} {key}", self.port);
        std::fs::write(self.home("known_hosts"), line).expect("the list can be written");
    }

    /// Starts the server anew with another key.
    pub async fn change_host_key(&mut self) {
        self.process.kill().await;
        std::fs::remove_file(self.path("host_key")).expect("the key can be removed");
        make_key(&self.path("host_key")).await;
        self.process = spawn(&self.folder, self.port, self.new_protocol);
        self.wait_until_ready().await;
    }

    /// Takes the user's key from now on.
    pub fn authorize(&self) {
        std::fs::copy(self.home("id_ed25519.pub"), self.path("authorized")).expect("the key can be copied");
    }

    /// Takes no key from now on.
    pub fn authorize_nobody(&self) {
        std::fs::write(self.path("authorized"), "").expect("the list can be written");
    }

    /// Puts a passphrase on the user's key; an agent that holds it goes on.
    pub async fn lock_key(&self) {
        keygen(&["-q", "-p", "-P", "", "-N", "passphrase", "-f", text(&self.home("id_ed25519"))]).await;
    }

    /// Starts an agent that holds the user's key.
    pub async fn hold_key_in_agent(&mut self) {
        let socket = self.home("agent");
        let agent = OwnedProcess::start("ssh-agent", HOW_TO_GET_IT, |command| {
            command.args(["-D", "-a", text(&socket)]);
        });
        eventually("the agent listens", Duration::from_secs(10), async || {
            std::os::unix::net::UnixStream::connect(&socket).map(drop)
        })
        .await;
        let added = tokio::process::Command::new("ssh-add")
            .env("SSH_AUTH_SOCK", &socket)
            .args(["-q", text(&self.home("id_ed25519"))])
            .stdin(Stdio::null())
            .status()
            .await
            .expect("ssh-add starts");
        assert!(added.success(), "the agent takes the key");
        self.agent = Some(agent);
        self.configure(&format!("IdentityAgent {}\n", socket.display()));
    }

    /// Writes the user's configuration with these lines first: what stands first wins.
    pub fn configure(&self, first: &str) {
        let user = std::process::Command::new("id").arg("-un").output().expect("id starts").stdout;
        let user = String::from_utf8_lossy(&user);
        let (key, known) = (self.home("id_ed25519"), self.home("known_hosts"));
        let configuration = format!(
            "{first}\nHost box inner\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {}\n  IdentitiesOnly yes\n\
             Host inner\n  ProxyJump box\nHost closed\n  HostName 127.0.0.1\n  Port {}\n\
             Host *\n  IdentityAgent none\n  UserKnownHostsFile {}\n",
            self.port,
            user.trim(),
            key.display(),
            free_port(),
            known.display()
        );
        std::fs::write(self.home("config"), configuration).expect("the configuration can be written");
    }

    /// Stops the server where it stands, as a host that no longer answers.
    pub fn freeze(&self) {
        self.process.freeze();
    }

    /// Ends the server.
    pub async fn stop(&mut self) {
        self.process.kill().await;
    }

    /// Returns what the server wrote about its visitors.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).expect("the log can be read")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn wait_until_ready(&self) {
        eventually("sshd listens", Duration::from_secs(20), async || {
            tokio::net::TcpStream::connect(("127.0.0.1", self.port))
                .await
                .map(drop)
                .map_err(|error| (error, self.log()))
        })
        .await;
    }
}

fn spawn(folder: &TempDir, port: u16, new_protocol: bool) -> OwnedProcess {
    // As root it wants the folder that the system's service makes; other users need none.
    let _ = std::fs::create_dir_all("/run/sshd");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let configuration = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel VERBOSE\nMaxStartups 100\n{}",
        path("host_key"),
        path("authorized"),
        if new_protocol { "AcceptEnv GIT_PROTOCOL\n" } else { "" }
    );
    std::fs::write(path("sshd_config"), configuration).expect("the configuration can be written");
    let log = std::fs::OpenOptions::new().create(true).append(true).open(path("log")).expect("a log can be opened");
    OwnedProcess::start(SSHD, HOW_TO_GET_IT, |command| {
        command.args(["-D", "-e", "-f", &path("sshd_config")]).stderr(log);
    })
}

async fn make_key(path: &Path) {
    keygen(&["-q", "-t", "ed25519", "-N", "", "-C", "slipway-test", "-f", text(path)]).await;
}

async fn keygen(arguments: &[&str]) -> String {
    let output = tokio::process::Command::new("ssh-keygen")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap_or_else(|error| panic!("ssh-keygen is missing ({error}): {HOW_TO_GET_IT}"));
    assert!(output.status.success(), "ssh-keygen: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

fn make_executable(path: &Path) {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode can be set");
    #[cfg(not(unix))]
    let _ = path;
}
