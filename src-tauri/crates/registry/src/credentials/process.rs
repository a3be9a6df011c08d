//! Running a helper program: no shell, a deadline, capped output, and its whole process group ended with it. What it prints
//! is a secret and is never part of an error.

use super::failed;
use slipway_core::Failure;
use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

/// Most bytes of a helper's answer; more is no credential.
const MOST_OUTPUT: u64 = 64 * 1024;

/// What a program did.
pub(super) struct Finished {
    /// True with exit code 0.
    pub(super) success: bool,
    /// `exit status: 1`, `signal: 9 (SIGKILL)`.
    pub(super) status: String,
    /// What it printed on its standard output.
    pub(super) output: Zeroizing<String>,
}

/// Runs a program with this input. Its standard error is thrown away: helpers print secrets and questions there.
pub(super) async fn run(
    program: &OsStr,
    arguments: &[String],
    path: Option<&OsStr>,
    input: &str,
    deadline: Duration,
) -> Result<Finished, Failure> {
    let name = program.to_string_lossy().into_owned();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let child = command
        .spawn()
        .map_err(|error| failed(format!("{name} cannot be started: {}", error.kind())).with("program", name.clone()))?;
    let mut group = Group(child);
    let finished = tokio::time::timeout(deadline, group.talk(input)).await;
    match finished {
        Ok(Ok(finished)) => Ok(finished),
        Ok(Err(why)) => Err(failed(format!("{name}: {why}")).with("program", name)),
        Err(_) => Err(failed(format!("{name} did not answer within {} seconds", deadline.as_secs()))
            .with("program", name)
            .with("seconds", deadline.as_secs().to_string())),
    }
}

/// A child and everything it started; ended when dropped, also when the caller gave up.
struct Group(Child);

impl Group {
    async fn talk(&mut self, input: &str) -> Result<Finished, String> {
        let stdin = self.0.stdin.take();
        let mut stdout = self.0.stdout.take().ok_or("its output cannot be read")?;
        let write = async {
            if let Some(mut stdin) = stdin {
                // A helper that does not read its input closes the pipe: that is its right.
                drop(stdin.write_all(input.as_bytes()).await);
            }
        };
        let ((), output) = tokio::join!(write, read_capped(&mut stdout));
        let output = output?;
        let status = self.0.wait().await.map_err(|error| error.kind().to_string())?;
        Ok(Finished { success: status.success(), status: status.to_string(), output })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(pid) = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
            // Gone already is as good as ended.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

async fn read_capped(stream: &mut (impl AsyncRead + Unpin)) -> Result<Zeroizing<String>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    stream.take(MOST_OUTPUT + 1).read_to_end(&mut bytes).await.map_err(|error| error.kind().to_string())?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MOST_OUTPUT {
        return Err("it prints more than a credential".to_owned());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "it prints something that is no text".to_owned())?;
    Ok(Zeroizing::new(text.to_owned()))
}
