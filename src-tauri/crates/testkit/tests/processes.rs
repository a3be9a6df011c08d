use std::process::Stdio;
use std::time::Duration;

use slipway_testkit::{OwnedProcess, eventually};
use tokio::io::{AsyncBufReadExt as _, BufReader};

fn is_gone(id: &str) -> Result<(), String> {
    // A process that nobody has waited for yet is dead all the same.
    match std::fs::read_to_string(format!("/proc/{id}/stat")) {
        Ok(stat) if !stat.contains(") Z ") => Err(stat),
        _ => Ok(()),
    }
}

#[tokio::test]
async fn dropping_a_fixture_ends_the_program_and_what_it_started() {
    let mut process = OwnedProcess::start("sh", "every system has sh", |command| {
        command.args(["-c", "sleep 1000 & echo $!; wait"]).stdout(Stdio::piped());
    });
    let output = process.child().stdout.take().unwrap();
    let child = BufReader::new(output).lines().next_line().await.unwrap().unwrap();
    assert!(is_gone(&child).is_err());
    drop(process);
    eventually("the grandchild ends", Duration::from_secs(5), async || is_gone(&child)).await;
}

#[test]
#[should_panic(expected = "no-such-program-here is missing: install it")]
fn a_missing_program_says_how_to_get_it() {
    let _ = OwnedProcess::start("no-such-program-here", "install it", |_| {});
}

#[tokio::test]
async fn a_killed_test_leaves_nothing_running() {
    const CHILD: &str = "SLIPWAY_TESTKIT_WRITE_PID_TO";
    if let Ok(path) = std::env::var(CHILD) {
        let process = OwnedProcess::start("sleep", "every system has sleep", |command| {
            command.arg("1000");
        });
        // Before it is `sleep` the kernel was not yet told what to do when its parent dies.
        let name = format!("/proc/{}/comm", process.id());
        eventually("the program is what was asked for", Duration::from_secs(20), async || {
            let name = std::fs::read_to_string(&name).map_err(|error| error.to_string())?;
            if name.trim() == "sleep" { Ok(()) } else { Err(name) }
        })
        .await;
        std::fs::write(path, process.id().to_string()).unwrap();
        std::future::pending::<()>().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pid");
    let mut test = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::a_killed_test_leaves_nothing_running"])
        .env(CHILD, &path)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let id = eventually("the other test has started a program", Duration::from_secs(20), async || {
        std::fs::read_to_string(&path).ok().filter(|id| !id.is_empty()).ok_or("no process id yet")
    })
    .await;
    assert!(is_gone(&id).is_err());
    test.kill().await.unwrap();
    eventually("its program ends", Duration::from_secs(5), async || is_gone(&id)).await;
}
