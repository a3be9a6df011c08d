//! The vault against a real Secret Service (gnome-keyring) on a message bus of its own. Each test runs itself once more
//! inside the session that it needs, so that the person's own keyring is never touched.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use keyring_core::api::CredentialStoreApi as _;
use slipway_core::ports::Vault;
use slipway_core::{ErrorCode, Secret};
use slipway_vault::KeychainVault;
use std::process::{Command, Stdio};

/// The daemon returns before its name is on the bus, and its name is there before its objects: ask until they answer, for 20 s
/// at least.
const WAIT_FOR_SERVICE: &str = "for look in $(seq 401); do \
    dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
        org.freedesktop.DBus.Properties.Get string:org.freedesktop.Secret.Service string:Collections \
        >/dev/null 2>&1 && break; [ $look -le 400 ] || exit 1; sleep 0.05; done";

const SERVICE: &str = "slipway-test";
const MARK: &str = "SLIPWAY_VAULT_TEST_SESSION";
const START_UNLOCKED: &str =
    r#"eval "$(printf '\n' | gnome-keyring-daemon --unlock --components=secrets 2>/dev/null)""#;

/// What the session around the test's body offers.
enum Session {
    /// A bus and an unlocked keyring.
    Unlocked,
    /// A bus and a keyring service without an unlocked collection.
    NeverUnlocked,
    /// A bus that can start no service.
    NoService,
    /// No bus at all.
    NoBus,
}

/// Runs `body` inside the session: the first call starts this test program again there, the second call is `body`.
fn inside(session: &Session, test_name: &str, body: impl AsyncFnOnce()) {
    if std::env::var_os(MARK).is_some() {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(body());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let bus_config = folder.path().join("bus.conf");
    std::fs::write(
        &bus_config,
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
            "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"#,
    )
    .unwrap();
    let program = std::env::current_exe().unwrap();
    let again = format!("exec '{}' --exact {test_name} --nocapture", program.display());
    let mut command = match session {
        Session::NoBus => {
            let mut command = Command::new("sh");
            command.args(["-c", &again]).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
            command
        }
        _ => {
            let mut command = Command::new("dbus-run-session");
            command.arg(format!("--config-file={}", bus_config.display())).args(["--", "bash", "-c"]);
            let start = match session {
                Session::Unlocked => START_UNLOCKED,
                Session::NeverUnlocked => "gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1",
                Session::NoService | Session::NoBus => ":",
            };
            command.arg(format!("{start}\n{}\n{again}", if start == ":" { ":" } else { WAIT_FOR_SERVICE }));
            command
        }
    };
    let output = command
        .env(MARK, "1")
        .env("XDG_DATA_HOME", folder.path().join("data"))
        .env("XDG_RUNTIME_DIR", folder.path())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdin(Stdio::null())
        .output()
        .expect("dbus-run-session and gnome-keyring-daemon are needed: apt-get install dbus gnome-keyring");
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && printed.contains("1 passed"), "inside the session:\n{printed}");
}

/// Writes or removes the key's item behind the vault's back.
fn tamper(account: &str, value: Option<&[u8]>) {
    let entry = zbus_secret_service_keyring_store::Store::new().unwrap().build(SERVICE, account, None).unwrap();
    match value {
        Some(value) => entry.set_secret(value).unwrap(),
        None => entry.delete_credential().unwrap(),
    }
}

fn start_keyring() {
    let status = Command::new("bash").args(["-c", &format!("{START_UNLOCKED}\n{WAIT_FOR_SERVICE}")]).status().unwrap();
    assert!(status.success());
}

#[test]
fn seals_and_opens_with_a_key_in_the_real_keyring() {
    inside(&Session::Unlocked, "seals_and_opens_with_a_key_in_the_real_keyring", async || {
        let vault = KeychainVault::new(SERVICE);
        vault.check().await.unwrap();
        let sealed = vault.seal(&Secret::new("canary 密码")).await.unwrap();
        assert_eq!(KeychainVault::new(SERVICE).open(&sealed).await.unwrap().expose(), "canary 密码");
        let other = KeychainVault::with_account_suffix(SERVICE, "second-folder");
        assert_eq!(other.open(&sealed).await.unwrap_err().code, ErrorCode::KeychainKeyLost);
    });
}

#[test]
fn f15_a_wiped_or_truncated_key_in_the_real_keyring_is_lost() {
    inside(&Session::Unlocked, "f15_a_wiped_or_truncated_key_in_the_real_keyring_is_lost", async || {
        let sealed = KeychainVault::new(SERVICE).seal(&Secret::new("canary")).await.unwrap();
        tamper("vault-key", Some(b"AAAA"));
        assert_eq!(KeychainVault::new(SERVICE).open(&sealed).await.unwrap_err().code, ErrorCode::KeychainKeyLost);
        tamper("vault-key", None);
        assert_eq!(KeychainVault::new(SERVICE).open(&sealed).await.unwrap_err().code, ErrorCode::KeychainKeyLost);
        let vault = KeychainVault::new(SERVICE);
        vault.forget_key().await.unwrap();
        let fresh = vault.seal(&Secret::new("again")).await.unwrap();
        assert_eq!(vault.open(&fresh).await.unwrap().expose(), "again");
    });
}

#[test]
fn f15_a_keyring_that_was_never_unlocked_is_locked() {
    inside(&Session::NeverUnlocked, "f15_a_keyring_that_was_never_unlocked_is_locked", async || {
        let vault = KeychainVault::new(SERVICE);
        assert_eq!(vault.check().await.unwrap_err().code, ErrorCode::KeychainLocked);
        assert_eq!(vault.seal(&Secret::new("canary")).await.unwrap_err().code, ErrorCode::KeychainLocked);
    });
}

#[test]
fn f15_a_bus_without_a_secret_service_is_absent_until_one_starts() {
    inside(&Session::NoService, "f15_a_bus_without_a_secret_service_is_absent_until_one_starts", async || {
        let vault = KeychainVault::new(SERVICE);
        assert_eq!(vault.check().await.unwrap_err().code, ErrorCode::KeychainAbsent);
        assert_eq!(vault.seal(&Secret::new("canary")).await.unwrap_err().code, ErrorCode::KeychainAbsent);
        start_keyring();
        vault.check().await.unwrap();
        let sealed = vault.seal(&Secret::new("canary")).await.unwrap();
        assert_eq!(vault.open(&sealed).await.unwrap().expose(), "canary");
    });
}

#[test]
fn f15_no_bus_is_absent() {
    inside(&Session::NoBus, "f15_no_bus_is_absent", async || {
        let vault = KeychainVault::new(SERVICE);
        assert_eq!(vault.check().await.unwrap_err().code, ErrorCode::KeychainAbsent);
        assert_eq!(vault.open(&[1; 60]).await.unwrap_err().code, ErrorCode::KeychainAbsent);
    });
}
