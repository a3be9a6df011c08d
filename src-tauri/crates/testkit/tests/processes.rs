use std::process::Stdio;
use std::time::Duration;

use slipway_testkit::{OwnedProcess, eventually};
use tokio::io::{AsyncBufReadExt as _, BufReader};

fn is_alive(id: &str) -> Result<(), String> {
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
    assert!(is_alive(&child).is_err());
    drop(process);
    eventually("the grandchild ends", Duration::from_secs(5), async || is_alive(&child)).await;
}

#[test]
#[should_panic(expected = "no-such-program-here is missing: install it")]
fn a_missing_program_says_how_to_get_it() {
    let _ = OwnedProcess::start("no-such-program-here", "install it", |_| {});
}
