//! Running a program that gives a login, once a person allowed its command line (T20).
//!
//! Source of the exchange: kubernetes.io, "client-go credential plugins".

use super::kubeconfig::{Access, ExecEntry, Login};
use base64::Engine as _;
use serde::Deserialize;
use serde_json::json;
use slipway_core::{ErrorCode, Failure, Secret};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// A login is a few kilobytes.
const LARGEST: u64 = 1 << 20;

#[derive(Deserialize)]
struct ExecCredential {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Runs the program and returns what it gave.
pub(super) async fn run(exec: &ExecEntry, access: &Access, deadline: Duration) -> Result<Login, Failure> {
    if exec.interactive_mode.as_deref() == Some("Always") {
        return Err(failed(exec, "needs a terminal"));
    }
    let mut spec = json!({"interactive": false});
    if exec.provide_cluster_info {
        let ca = access.ca_pem.as_ref().map(|pem| base64::engine::general_purpose::STANDARD.encode(pem));
        spec["cluster"] = json!({"server": access.server, "insecure-skip-tls-verify": access.insecure,
            "certificate-authority-data": ca});
    }
    let info = json!({"apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec});
    // A path is the kubeconfig's own neighbour; a name is looked for as a shell does.
    let program = if exec.command.contains('/') || exec.command.contains('\\') {
        access.folder.join(&exec.command).into_os_string()
    } else {
        exec.command.clone().into()
    };
    let mut command = Command::new(program);
    command
        .args(exec.args.iter().flatten())
        .envs(exec.env.iter().flatten().map(|one| (&one.name, &one.value)))
        .env("KUBERNETES_EXEC_INFO", info.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(|error| failed(exec, &format!("cannot be started: {error}")))?;
    let mut group = Group(child.id());
    let mut output = Vec::new();
    let stdout = child.stdout.take().ok_or_else(|| Failure::internal("the output was piped"))?;
    let ended = tokio::time::timeout(deadline, async {
        stdout.take(LARGEST).read_to_end(&mut output).await?;
        child.wait().await
    })
    .await;
    let status = match ended {
        Err(_) => return Err(failed(exec, "did not end in time")),
        Ok(Err(error)) => return Err(failed(exec, &format!("cannot be read: {error}"))),
        Ok(Ok(status)) => status,
    };
    // What it left running on purpose (an agent that remembers the login) may go on.
    group.0 = None;
    if !status.success() {
        return Err(failed(exec, &format!("failed ({status})")));
    }
    let given: Option<ExecCredential> = serde_json::from_slice(&output).ok();
    match given.and_then(|credential| credential.status) {
        Some(Status { client_certificate_data: Some(certificate), client_key_data: Some(key), .. }) => {
            Ok(Login::Certificate(Secret::new(format!("{certificate}\n{key}"))))
        }
        Some(Status { token: Some(token), .. }) => Ok(Login::Token(Secret::new(token))),
        _ => Err(failed(exec, "gave no login")),
    }
}

/// The program and what it started: all of it ends when it is given up.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.0.and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

fn failed(exec: &ExecEntry, why: &str) -> Failure {
    let message = format!("the program that signs in to the cluster {why}");
    Failure::new(ErrorCode::ClusterUnauthorized, message).with("command", exec.command_line())
}
