use std::process::{Output, Stdio};

use slipway_testkit::SecretService;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

async fn secret_tool(service: &SecretService, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new("secret-tool")
        .args(arguments)
        .envs(service.environment())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
    child.wait_with_output().await.unwrap()
}

#[tokio::test]
async fn a_child_process_stores_and_reads_a_secret_until_the_keyring_goes() {
    let mut service = SecretService::start().await;
    assert!(secret_tool(&service, &["store", "--label=one", "key", "one"], "密码").await.status.success());
    assert_eq!(secret_tool(&service, &["lookup", "key", "one"], "").await.stdout, "密码".as_bytes());
    service.stop_keyring().await;
    assert!(!secret_tool(&service, &["lookup", "key", "one"], "").await.status.success());
}

#[tokio::test]
async fn a_bus_without_a_keyring_stores_nothing() {
    let service = SecretService::start_without_keyring().await;
    assert!(!secret_tool(&service, &["store", "--label=one", "key", "one"], "x").await.status.success());
}
