//! Starting and ending the `ssh` program: no terminal, no question, and its whole session ended with it.

use super::SshSetup;
use crate::error::plain;
use slipway_core::ssh::SshAddress;
use slipway_core::{ErrorCode, Failure};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// What the program says about itself is a few kilobytes; a host may add to it.
const MOST_WORDS: usize = 128 * 1024;
/// A program that closed its output ends at once.
const ENDING: Duration = Duration::from_secs(2);

/// What applies to every connection, whatever the user's configuration says: nobody is asked, nothing of this machine is lent
/// to the host, the user's files stay as they are, and the program tells what it does.
const ALWAYS: &[&str] = &[
    "BatchMode=yes",
    "StrictHostKeyChecking=ask",
    "UpdateHostKeys=no",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "ControlMaster=no",
    "LogLevel=DEBUG1",
];

/// A running `ssh`.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    pub(super) input: ChildStdin,
    pub(super) output: ChildStdout,
    words: Arc<Mutex<Vec<u8>>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Starts a command at a host.
    pub(super) async fn start(setup: &SshSetup, address: &SshAddress, command: &str) -> Result<Self, Failure> {
        let known = format!("GlobalKnownHostsFile={}", super::host_keys::global_list(setup, address).await?);
        Self::start_with(setup, address, &[&known, "SendEnv=GIT_PROTOCOL"], command)
    }

    /// Starts a command at a host with these options beside those that always apply; they come first and win.
    pub(super) fn start_with(
        setup: &SshSetup,
        address: &SshAddress,
        options: &[&str],
        command: &str,
    ) -> Result<Self, Failure> {
        let seconds = setup.deadlines.request.as_secs().clamp(1, 10);
        let mut ssh = prepared(setup);
        for option in options.iter().chain(ALWAYS) {
            ssh.args(["-o", option]);
        }
        ssh.args(["-o", &format!("ConnectTimeout={seconds}"), "-T"]);
        name_host(&mut ssh, address).arg(command);
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = ssh.spawn().map_err(|error| not_started(setup, &error))?;
        let (input, output, errors) = match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(input), Some(output), Some(errors)) => (input, output, errors),
            _ => return Err(Failure::internal("the pipes of a program that was just started are missing")),
        };
        let words = Arc::new(Mutex::new(Vec::new()));
        let listening = tokio::spawn(listen(errors, Arc::clone(&words)));
        Ok(Self { child, input, output, words, listening })
    }

    /// Waits until the program has ended.
    pub(super) async fn wait(&mut self) {
        let _ = self.child.wait().await;
    }

    /// Waits for the end of a program that does nothing more, and returns how it ended and what it said.
    pub(super) async fn last_words(&mut self) -> (Option<ExitStatus>, String) {
        let status = tokio::time::timeout(ENDING, self.child.wait()).await.ok().and_then(Result::ok);
        // A shared connection in the background may keep the pipe open: what is there has to do.
        let _ = tokio::time::timeout(ENDING, &mut self.listening).await;
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        (status, String::from_utf8_lossy(&words).into_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.listening.abort();
        // Proxies and jumps are in the program's own session, so one signal ends them all.
        #[cfg(unix)]
        if let Some(group) = self.child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// Returns what the user's configuration means for a host, as `ssh -G` prints it.
pub(super) async fn configuration(setup: &SshSetup, address: &SshAddress) -> Result<String, Failure> {
    let mut ssh = prepared(setup);
    ssh.arg("-G").stdin(Stdio::null());
    name_host(&mut ssh, address);
    let output = tokio::time::timeout(setup.deadlines.helper, ssh.output())
        .await
        .map_err(|_| crate::blocking::timed_out("reading the SSH configuration", setup.deadlines.helper))?
        .map_err(|error| not_started(setup, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let why = plain(&String::from_utf8_lossy(&output.stderr));
    Err(Failure::new(ErrorCode::SshFailed, format!("the SSH configuration cannot be used: {why}"))
        .with("host", address.host()))
}

/// The program without arguments: in a session of its own, so that no terminal is there to ask on, and without a window to
/// ask in; a jump on the way has only these, not the options of the connection.
fn prepared(setup: &SshSetup) -> Command {
    let mut ssh = Command::new(&setup.program);
    ssh.kill_on_drop(true).envs([
        ("LC_ALL", "C"),
        ("GIT_PROTOCOL", "version=2"),
        ("SSH_ASKPASS_REQUIRE", "never"),
        ("SSH_ASKPASS", ""),
    ]);
    own_session(&mut ssh);
    ssh
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn own_session(ssh: &mut Command) {
    // SAFETY: between fork and exec only `setsid` runs, which is safe after a fork and touches no memory.
    unsafe {
        ssh.pre_exec(|| rustix::process::setsid().map(drop).map_err(Into::into));
    }
}

#[cfg(windows)]
fn own_session(ssh: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    ssh.creation_flags(CREATE_NO_WINDOW);
}

fn name_host<'a>(ssh: &'a mut Command, address: &SshAddress) -> &'a mut Command {
    if let Some(port) = address.port() {
        ssh.args(["-p", &port.to_string()]);
    }
    if let Some(user) = address.user() {
        ssh.args(["-l", user]);
    }
    ssh.args(["--", address.host()])
}

fn not_started(setup: &SshSetup, error: &std::io::Error) -> Failure {
    let program = setup.program.to_string_lossy();
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new(ErrorCode::SshMissing, format!("the program {program} is not on this machine"))
        }
        _ => Failure::new(ErrorCode::SshFailed, format!("the program {program} cannot be started: {error}")),
    }
}

async fn listen(mut errors: impl AsyncRead + Unpin, words: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = errors.read(&mut buffer).await {
        let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST_WORDS.saturating_sub(words.len());
        words.extend_from_slice(&buffer[..count.min(room)]);
    }
}
