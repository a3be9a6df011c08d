//! What a window needs: a display, a bus with a keychain, a data folder, and the driver.

use crate::desktop::Desktop;
use crate::driver::Session;
use crate::frame::Display;
use slipway_flows::program;
use slipway_testkit::{OwnedProcess, SecretService, TempDataDir, eventually, free_port};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};

const HOW_TO_GET_IT: &str = "apt-get install xvfb webkit2gtk-driver (or `make setup`)";

/// Everything around one application.
pub(crate) struct Stage {
    pub(crate) display: Display,
    pub(crate) data_dir: TempDataDir,
    environment: Vec<(String, String)>,
    keyring: SecretService,
    driver: Option<OwnedProcess>,
    _screen: OwnedProcess,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let (screen, name) = start_screen().await;
        let keyring = SecretService::start().await;
        let data_dir = TempDataDir::new();
        let mut environment: Vec<(String, String)> =
            keyring.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let bus = bus_address(&keyring);
        for (name, value) in [
            ("DISPLAY", name.as_str()),
            // The system's bus is where locks against sleep are asked for.
            ("DBUS_SYSTEM_BUS_ADDRESS", &bus),
            ("SLIPWAY_DATA_DIR", data_dir.path().to_str().unwrap()),
            ("SLIPWAY_LOG", "info"),
            ("LANG", "C.UTF-8"),
            ("LC_ALL", "C.UTF-8"),
            ("GDK_BACKEND", "x11"),
            ("NO_AT_BRIDGE", "1"),
            ("WEBKIT_DISABLE_DMABUF_RENDERER", "1"),
            ("TAURI_WEBVIEW_AUTOMATION", "true"),
        ] {
            environment.push((name.to_owned(), value.to_owned()));
        }
        Self { display: Display::connect(&name), data_dir, environment, keyring, driver: None, _screen: screen }
    }

    /// Lets a desktop take its place on the bus: without it there is neither tray nor notification.
    pub(crate) async fn with_desktop(&self) -> Desktop {
        Desktop::start(&bus_address(&self.keyring)).await
    }

    /// Puts a browser on the desktop that only writes down what it is to open.
    pub(crate) fn with_browser(&mut self) -> Browser {
        let folder = TempDataDir::new();
        let opened = folder.path().join("opened");
        // What the desktop opens a link with; the application asks it.
        let script = folder.path().join("xdg-open");
        std::fs::write(&script, format!("#!/bin/sh\necho \"$1\" >> '{}'\n", opened.display())).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap();
        self.environment.push(("PATH".to_owned(), format!("{}:{path}", folder.path().display())));
        Browser { opened, _folder: folder }
    }

    /// Opens the application through the driver.
    pub(crate) async fn open(&mut self, arguments: &[&str]) -> Session {
        let port = free_port();
        let driver = OwnedProcess::start("WebKitWebDriver", HOW_TO_GET_IT, |command| {
            command.arg(format!("--port={port}")).arg("--host=127.0.0.1");
            command.envs(self.environment.iter().map(|(name, value)| (name, value))).stderr(Stdio::inherit());
        });
        self.driver = Some(driver);
        Session::open(&format!("http://127.0.0.1:{port}"), application().to_str().unwrap(), arguments).await
    }

    /// Starts the application as a person does, without the driver.
    pub(crate) fn start(&self, arguments: &[&str]) -> OwnedProcess {
        OwnedProcess::start(application().to_str().unwrap(), "cargo build -p slipway", |command| {
            command.args(arguments).stderr(Stdio::inherit());
            command.envs(self.environment.iter().map(|(name, value)| (name, value)));
            command.env_remove("TAURI_WEBVIEW_AUTOMATION");
        })
    }

    /// Starts the application on another data folder, to die at a fail point.
    pub(crate) fn start_to_die(&self, data_dir: &Path, point: &str) -> OwnedProcess {
        OwnedProcess::start(application().to_str().unwrap(), "cargo build -p slipway", |command| {
            command.stderr(Stdio::inherit());
            command.envs(self.environment.iter().map(|(name, value)| (name, value)));
            command.env("SLIPWAY_DATA_DIR", data_dir).env("SLIPWAY_DIE_AT", point);
            command.env_remove("TAURI_WEBVIEW_AUTOMATION");
        })
    }

    /// Returns the application's home folder.
    pub(crate) fn home(&self) -> PathBuf {
        let home = self.environment.iter().find(|(name, _)| name == "HOME").unwrap();
        Path::new(&home.1).to_owned()
    }

    /// Waits until the application has ended in order: it takes its door away.
    pub(crate) async fn ended(&self) {
        let door = self.data_dir.path().join("window");
        eventually("the application ends", Duration::from_secs(30), async || {
            if door.exists() { Err("its door is open") } else { Ok(()) }
        })
        .await;
    }
}

/// The person's browser, as far as the application can see it.
pub(crate) struct Browser {
    opened: PathBuf,
    _folder: TempDataDir,
}

impl Browser {
    /// Waits until it was asked for the page with this number (the first is 1), and returns its address.
    pub(crate) async fn was_asked_for(&self, number: usize) -> String {
        eventually("the browser is asked to open a page", Duration::from_secs(20), async || {
            let text = std::fs::read_to_string(&self.opened).unwrap_or_default();
            text.lines().nth(number - 1).map(str::to_owned).ok_or(text)
        })
        .await
    }
}

fn application() -> PathBuf {
    program("slipway")
}

fn bus_address(keyring: &SecretService) -> String {
    let environment = keyring.environment();
    environment.into_iter().find(|(name, _)| *name == "DBUS_SESSION_BUS_ADDRESS").unwrap().1
}

async fn start_screen() -> (OwnedProcess, String) {
    let mut screen = OwnedProcess::start("Xvfb", HOW_TO_GET_IT, |command| {
        command.args(["-displayfd", "1", "-screen", "0", "1280x860x24", "-nolisten", "tcp"]).stdout(Stdio::piped());
    });
    let output = screen.child().stdout.take().unwrap();
    let mut lines = BufReader::new(output).lines();
    let line = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await;
    let number = line.expect("the display starts").unwrap().unwrap();
    (screen, format!(":{number}"))
}
