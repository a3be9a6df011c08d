//! A real Secret Service (gnome-keyring on a D-Bus of its own), apart from the user's keyring.

use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::{OwnedProcess, eventually};

const HOW_TO_GET_IT: &str = "apt-get install dbus-daemon gnome-keyring libsecret-tools (or `make setup`)";

/// A session bus with an unlocked keyring on it. Both end, and their files are removed, when this is dropped.
#[derive(Debug)]
pub struct SecretService {
    keyring: Option<OwnedProcess>,
    _bus: OwnedProcess,
    folder: TempDir,
}

impl SecretService {
    /// Starts the bus and the keyring, and returns when a secret can be stored.
    pub async fn start() -> Self {
        let mut service = Self::start_without_keyring().await;
        service.start_keyring().await;
        service
    }

    /// Starts a bus on which no Secret Service answers, as on a server without a desktop.
    pub async fn start_without_keyring() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let socket = folder.path().join("bus");
        // A configuration of our own names no service files: nothing can be started by asking for it.
        let configuration = folder.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            socket.display()
        );
        std::fs::write(&configuration, text).expect("the bus' configuration can be written");
        let bus = OwnedProcess::start("dbus-daemon", HOW_TO_GET_IT, |command| {
            command.args(["--nofork", "--nopidfile", "--nosyslog"]);
            command.arg(format!("--config-file={}", configuration.display()));
        });
        eventually("the bus listens", Duration::from_secs(10), async || {
            std::os::unix::net::UnixStream::connect(&socket).map(drop)
        })
        .await;
        Self { keyring: None, _bus: bus, folder }
    }

    /// Returns the environment that makes a child process use this service and nothing of the user's.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let folder = self.folder.path().display().to_string();
        vec![
            ("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={folder}/bus")),
            ("XDG_DATA_HOME", folder.clone()),
            ("XDG_RUNTIME_DIR", folder.clone()),
            ("HOME", folder),
        ]
    }

    /// Starts the keyring on a bus that has none, with what the one before stored, and returns when a secret can be stored.
    pub async fn start_keyring(&mut self) {
        let mut keyring = OwnedProcess::start("gnome-keyring-daemon", HOW_TO_GET_IT, |command| {
            command.args(["--foreground", "--unlock", "--components=secrets", "--control-directory"]);
            command.arg(self.folder.path()).envs(self.environment()).stdin(Stdio::piped());
        });
        // The keyring's password: an empty standard input would make the daemon ask for one.
        let mut input = keyring.child().stdin.take().expect("it was piped");
        input.write_all(b"\n").await.expect("the keyring reads its password");
        drop(input);
        self.keyring = Some(keyring);
        eventually("the keyring stores a secret", Duration::from_secs(20), async || self.store_probe().await).await;
    }

    /// Removes what an ended keyring stored, as a person does who sets it up anew.
    pub fn forget(&self) {
        assert!(self.keyring.is_none(), "a keyring that runs would write it again");
        std::fs::remove_dir_all(self.folder.path().join("keyrings")).expect("it stored something");
    }

    /// Returns the socket of the bus, for a door in front of it.
    #[must_use]
    pub fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("bus")
    }

    /// Ends the keyring while the bus goes on: a keychain that went away.
    pub async fn stop_keyring(&mut self) {
        if let Some(mut keyring) = self.keyring.take() {
            keyring.kill().await;
        }
    }

    async fn store_probe(&self) -> Result<(), String> {
        let mut child = Command::new("secret-tool")
            .args(["store", "--label=probe", "slipway-testkit", "probe"])
            .envs(self.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("secret-tool is missing ({error}): {HOW_TO_GET_IT}"));
        let mut input = child.stdin.take().expect("it was piped");
        let _ = input.write_all(b"probe").await;
        drop(input);
        let output = child.wait_with_output().await.expect("secret-tool ends");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let cleared = Command::new("secret-tool")
            .args(["clear", "slipway-testkit", "probe"])
            .envs(self.environment())
            .status()
            .await
            .expect("secret-tool ran a moment ago");
        cleared.success().then_some(()).ok_or_else(|| "the probe could not be cleared".to_owned())
    }
}
