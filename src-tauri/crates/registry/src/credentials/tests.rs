//! Logins from small shell scripts and configuration files in temporary folders.
#![allow(clippy::unwrap_used)]

use super::docker_config::look_up;
use super::helper::ask;
use super::login_from_command;
use slipway_core::image::RegistryLogin;
use slipway_core::{ErrorCode, Failure};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);
/// A program has begun long before.
const STARTED: Duration = Duration::from_secs(4);

/// A folder with programs and a `config.json`.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn program(&self, name: &str, script: &str) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    fn config(&self, json: &str) {
        std::fs::write(self.path().join("config.json"), json).unwrap();
    }

    /// The folder first, then the machine's own programs for the scripts to use.
    fn search_path(&self) -> OsString {
        let mut folders = vec![self.path().to_owned()];
        folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        std::env::join_paths(folders).unwrap()
    }

    async fn look_up(&self, env_json: Option<&str>, host: &str) -> Result<Option<String>, Failure> {
        let found = look_up(self.path(), env_json, host, LONG, Some(&self.search_path())).await?;
        Ok(found.map(|login| shown(&login)))
    }

    async fn ask(&self, name: &str, host: &str, deadline: Duration) -> Result<Option<String>, Failure> {
        Ok(ask(name, host, deadline, Some(&self.search_path())).await?.map(|login| shown(&login)))
    }
}

fn shown(login: &RegistryLogin) -> String {
    match login {
        RegistryLogin::Anonymous => "anonymous".to_owned(),
        RegistryLogin::Basic { username, password } => format!("{username}:{}", password.expose()),
        RegistryLogin::IdentityToken { token } => format!("token {}", token.expose()),
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> ErrorCode {
    result.unwrap_err().code
}

#[tokio::test]
async fn without_a_configuration_there_is_no_login() {
    assert_eq!(Home::new().look_up(None, "ghcr.io").await, Ok(None));
}

#[tokio::test]
async fn finds_logins_of_the_file_by_every_spelling() {
    let home = Home::new();
    // u:p, hub:a:b, nul:p\0\0
    home.config(
        r#"{"auths":{"plain.example:5000":{"auth":"dTpw"},"https://index.docker.io/v1/":{"auth":"aHViOmE6Yg=="},
            "https://index.docker.io/v1/access-token":{"auth":"eDp5"},"https://old.example/v1/":{"auth":"bnVsOnAAAA=="},
            "id.example":{"auth":"dTpw","identitytoken":"T"},"two.example":{"username":"u","password":"q"},
            "empty.example":{},"broken.example":{"auth":"%%%"}},"psFormat":"x"}"#,
    );
    let cases = [
        ("plain.example:5000", Some("u:p")),
        ("plain.example", None),
        ("docker.io", Some("hub:a:b")),
        ("registry-1.docker.io", Some("hub:a:b")),
        ("old.example", Some("nul:p")),
        ("id.example", Some("token T")),
        ("two.example", Some("u:q")),
        ("empty.example", None),
        ("broken.example", None),
        ("example", None),
        ("plain.example:5000.evil", None),
    ];
    for (host, expected) in cases {
        assert_eq!(home.look_up(None, host).await.unwrap().as_deref(), expected, "{host}");
    }
}

#[tokio::test]
async fn the_environment_comes_first_when_it_is_valid() {
    let home = Home::new();
    home.config(r#"{"auths":{"a.example":{"auth":"dTpw"}}}"#);
    let cases = [
        (r#"{"auths":{"a.example":{"auth":"ZW52OnA="}}}"#, "env:p"),
        (r#"{"auths":{"b.example":{"auth":"ZW52OnA="}}}"#, "u:p"),
        (r#"{"auths":{"a.example":{"auth":"ZW52OnA=","identitytoken":"T"}}}"#, "u:p"),
        (r#"{"auths":{"a.example":{"auth":"ZW52OnA="},"b":{"auth":""}}}"#, "u:p"),
        (r#"{"auths":{"a.example":{"auth":"ZW52OnA="}},"credsStore":"x"}"#, "u:p"),
        ("not json", "u:p"),
    ];
    for (env, expected) in cases {
        assert_eq!(home.look_up(Some(env), "a.example").await.unwrap().as_deref(), Some(expected), "{env}");
    }
}

#[tokio::test]
async fn helpers_of_a_host_beat_the_store_and_the_store_beats_the_file() {
    let home = Home::new();
    home.program(
        "docker-credential-one",
        r#"read h; echo "{\"ServerURL\":\"$h\",\"Username\":\"one\",\"Secret\":\"$h\"}""#,
    );
    home.program(
        "docker-credential-all",
        r#"read h; case $h in *known*|*docker.io*) echo "{\"Username\":\"<token>\",\"Secret\":\"$1 $h\"}";;
           *) echo "credentials not found in native keychain"; exit 1;; esac"#,
    );
    home.config(
        r#"{"credsStore":"all","credHelpers":{"one.example":"one"},
            "auths":{"one.example":{"auth":"dTpw"},"known.example":{},"file.example":{"auth":"dTpw"}}}"#,
    );
    let cases = [
        ("one.example", Some("one:one.example")),
        ("known.example", Some("token get known.example")),
        ("docker.io", Some("token get https://index.docker.io/v1/")),
        ("file.example", Some("u:p")),
        ("none.example", None),
    ];
    for (host, expected) in cases {
        assert_eq!(home.look_up(None, host).await.unwrap().as_deref(), expected, "{host}");
    }
}

#[tokio::test]
async fn a_damaged_configuration_says_so_without_its_text() {
    let home = Home::new();
    home.config("{\n\"auths\": {\"a\": {\"auth\": canary}}}");
    let failure = home.look_up(None, "a").await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::CredentialHelperFailed);
    assert!(failure.message.contains("line 2") && !format!("{failure:?}").contains("canary"), "{failure:?}");
}

#[tokio::test]
async fn a_helper_that_fails_says_so_without_its_output() {
    let home = Home::new();
    home.program("docker-credential-bad", "echo canary; echo canary >&2; exit 3");
    home.program("docker-credential-empty", "exit 0");
    home.program("docker-credential-page", "echo '<html>canary'");
    home.program("docker-credential-flood", "exec yes canary");
    for name in ["bad", "empty", "page", "flood", "missing"] {
        let failure = home.ask(name, "a.example", LONG).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::CredentialHelperFailed, "{name}");
        assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
    }
    for name in ["", "../evil", "a b", "x;y"] {
        assert_eq!(code(home.ask(name, "a.example", LONG).await), ErrorCode::InvalidField, "{name:?}");
    }
}

#[tokio::test]
async fn a_helper_that_hangs_is_ended_with_everything_it_started() {
    let home = Home::new();
    let pid_file = home.path().join("pid");
    home.program("docker-credential-hang", &format!("sleep 600 & echo $! > {}; wait", pid_file.display()));
    let begun = Instant::now();
    assert_eq!(code(home.ask("hang", "a.example", STARTED).await), ErrorCode::CredentialHelperFailed);
    assert!(begun.elapsed() < Duration::from_secs(60));
    let pid: i32 = std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    let gone = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    };
    let limit = Instant::now() + Duration::from_secs(10);
    while !gone() && Instant::now() < limit {
        tokio::task::yield_now().await;
    }
    assert!(gone(), "the helper's child is still running");
}

#[tokio::test]
async fn a_helper_gets_one_question_at_a_time() {
    let home = Home::new();
    let folder = home.path().join("busy");
    home.program(
        "docker-credential-single",
        &format!(
            r#"mkdir {0} || exit 9; read h; sleep 0.05; rmdir {0}; echo "{{\"Username\":\"u\",\"Secret\":\"$h\"}}""#,
            folder.display()
        ),
    );
    let answers = futures::future::join_all((0..5).map(|_| home.ask("single", "a.example", LONG))).await;
    for answer in answers {
        assert_eq!(answer.unwrap().as_deref(), Some("u:a.example"));
    }
}

#[tokio::test]
async fn a_command_prints_a_password_or_a_credential() {
    let home = Home::new();
    let cases = [
        ("line", "echo '  secret 密 '; echo more", Some("me:secret 密")),
        ("json", r#"printf '{\n "Username":"AWS","Secret":"tok"}\n'"#, Some("AWS:tok")),
        ("arguments", r#"echo "$1/$2""#, Some("me:a b/$(id)")),
        ("nothing", "true", None),
        ("blank", "echo; echo x", Some("me:x")),
        ("json-without", r#"echo '{"error":"canary"}'"#, None),
        ("fails", "echo canary; exit 1", None),
        ("binary", r"printf '\377\376'", None),
    ];
    for (name, script, expected) in cases {
        let argv = [home.program(name, script), "a b".to_owned(), "$(id)".to_owned()];
        let answer = login_from_command("me", &argv, LONG).await;
        match expected {
            Some(expected) => assert_eq!(shown(&answer.unwrap()), expected, "{name}"),
            None => {
                let failure = answer.unwrap_err();
                assert_eq!(failure.code, ErrorCode::CredentialHelperFailed, "{name}");
                assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
            }
        }
    }
    assert_eq!(code(login_from_command("me", &[], LONG).await), ErrorCode::InvalidField);
    let missing = ["/nonexistent/program".to_owned()];
    assert_eq!(code(login_from_command("me", &missing, LONG).await), ErrorCode::CredentialHelperFailed);
    let hanging = [home.program("hang", "exec sleep 600")];
    assert_eq!(code(login_from_command("me", &hanging, SHORT).await), ErrorCode::CredentialHelperFailed);
}
