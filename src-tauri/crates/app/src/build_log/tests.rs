#![allow(clippy::unwrap_used)]
use super::*;
use slipway_core::log::LogStream;

struct Folder {
    logs: Arc<BuildLogs>,
    _root: tempfile::TempDir,
}

const BUILD: BuildId = BuildId(7);

fn folder() -> Folder {
    let root = tempfile::tempdir().unwrap();
    Folder { logs: BuildLogs::open(root.path().join("logs")).unwrap(), _root: root }
}

impl Folder {
    fn writer(&self) -> LogWriter {
        self.logs.writer(BUILD, Arc::new(|line: &str| line.replace("hunter2", "***"))).unwrap()
    }

    fn texts(&self) -> Vec<String> {
        self.logs.page(BUILD, 0, usize::MAX, None).unwrap().into_iter().map(|line| line.text).collect()
    }
}

#[test]
fn lines_of_two_steps_are_kept_apart_and_in_order() {
    let folder = folder();
    let mut writer = folder.writer();
    writer.output(0, LogStream::Out, None, b"first half, ").unwrap();
    writer.output(1, LogStream::Err, None, b"other step\n").unwrap();
    writer.output(0, LogStream::Out, None, b"second half\nnext\n").unwrap();
    drop(writer);
    assert_eq!(folder.texts(), ["other step", "first half, second half", "next"]);
    let one: Vec<_> = folder.logs.page(BUILD, 0, 10, Some(0)).unwrap();
    assert_eq!(one.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        folder.logs.steps(BUILD).unwrap(),
        [StepLines { step: 1, first: 0, count: 1 }, StepLines { step: 0, first: 1, count: 2 }]
    );
}

/// Seconds of the engine's clock.
fn second(second: i64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(second, 0).unwrap()
}

#[test]
fn a_line_is_not_torn_when_its_step_is_said_to_be_over_before_the_rest_of_it_comes() {
    let folder = folder();
    let mut writer = folder.writer();
    writer.output(0, LogStream::Out, Some(second(1)), b"one\npassword hun").unwrap();
    writer.end_step(0, second(4));
    // Printed before the end, so more of the first step may come.
    writer.output(1, LogStream::Out, Some(second(2)), b"beside it\n").unwrap();
    writer.output(0, LogStream::Out, Some(second(3)), b"ter2\nthree").unwrap();
    writer.output(0, LogStream::Err, Some(second(4)), b"warned").unwrap();
    writer.flush().unwrap();
    assert_eq!(folder.texts(), ["one", "beside it", "password ***"]);
    // Printed after it: that was all, and it stands where it belongs.
    writer.output(1, LogStream::Out, Some(second(5)), b"later\nand no end").unwrap();
    writer.flush().unwrap();
    assert_eq!(folder.texts()[3..], ["three", "warned", "later"]);
    writer.end_step(1, second(6));
    writer.finish().unwrap();
    assert_eq!(folder.texts()[6..], ["and no end"]);
}

#[test]
fn a_secret_across_chunks_never_reaches_the_disk() {
    let folder = folder();
    let mut writer = folder.writer();
    writer.output(0, LogStream::Out, None, b"password hun").unwrap();
    writer.output(0, LogStream::Out, None, b"ter2 is set\n").unwrap();
    drop(writer);
    let whole = std::fs::read_to_string(folder.logs.log_path(BUILD)).unwrap();
    assert_eq!(whole, "password *** is set\n");
}

#[test]
fn search_counts_every_line_once_and_pages_through_hits() {
    let folder = folder();
    let mut writer = folder.writer();
    for number in 0..5000 {
        writer.output(0, LogStream::Out, None, format!("Line {number} needle needle\nplain\n").as_bytes()).unwrap();
    }
    drop(writer);
    let found = folder.logs.search(BUILD, "needle", true, 0, 3).unwrap();
    assert_eq!(found, LogSearch { count: 5000, lines: vec![0, 2, 4] });
    let found = folder.logs.search(BUILD, "NEEDLE", false, 9_997, 10).unwrap();
    assert_eq!(found, LogSearch { count: 5000, lines: vec![9_998] });
    assert_eq!(folder.logs.search(BUILD, "NEEDLE", true, 0, 10).unwrap().count, 0);
    assert_eq!(folder.logs.search(BUILD, "line 4999 ", false, 0, 10).unwrap().lines, [9_998]);
}

#[test]
fn a_long_line_is_shown_clipped_and_kept_whole() {
    let folder = folder();
    let mut writer = folder.writer();
    writer.output(0, LogStream::Out, None, &[b"x".repeat(20_000), b"\n".to_vec()].concat()).unwrap();
    drop(writer);
    let line = &folder.logs.tail(BUILD, 1).unwrap()[0];
    assert!(line.clipped);
    assert_eq!(line.text.len(), SHOWN_LINE_BYTES);
    assert_eq!(std::fs::metadata(folder.logs.log_path(BUILD)).unwrap().len(), 20_001);
}

#[test]
fn f01_a_killed_writer_leaves_a_log_that_goes_on() {
    use std::io::Write;
    let folder = folder();
    let mut writer = folder.writer();
    writer.output(0, LogStream::Out, None, b"one\ntwo\n").unwrap();
    drop(writer);
    // Killed between log and index, and inside a line.
    open_appending(&folder.logs.log_path(BUILD)).unwrap().write_all(b"three\nfo").unwrap();
    open_appending(&folder.logs.index_path(BUILD)).unwrap().write_all(&[1, 2, 3]).unwrap();
    let mut writer = folder.writer();
    writer.output(0, LogStream::Out, None, b"five\n").unwrap();
    drop(writer);
    assert_eq!(folder.texts(), ["one", "two", "three", "fo", "five"]);
    assert_eq!(folder.logs.page(BUILD, 2, 1, None).unwrap()[0].step, None);
}

#[test]
fn f19_a_lost_index_is_built_again() {
    let folder = folder();
    let mut writer = folder.writer();
    writer.output(0, LogStream::Out, None, b"one\ntwo\n").unwrap();
    drop(writer);
    std::fs::remove_file(folder.logs.index_path(BUILD)).unwrap();
    drop(folder.writer());
    assert_eq!(folder.texts(), ["one", "two"]);
}

#[test]
fn f28_memory_does_not_grow_with_the_log() {
    let folder = folder();
    let mut writer = folder.writer();
    let chunk = b"a line of a noisy build step 0123456789\n".repeat(1000);
    for _ in 0..100 {
        writer.output(0, LogStream::Out, None, &chunk).unwrap();
    }
    drop(writer);
    assert_eq!(folder.logs.line_count(BUILD).unwrap(), 100_000);
    let tail = folder.logs.tail(BUILD, 2).unwrap();
    assert_eq!(tail.iter().map(|line| line.number).collect::<Vec<_>>(), [99_998, 99_999]);
}

#[tokio::test]
async fn a_follower_wakes_for_new_lines_and_at_the_end() {
    let folder = folder();
    let mut writer = folder.writer();
    let logs = Arc::clone(&folder.logs);
    let waiting = tokio::spawn(async move { logs.wait_beyond(BUILD, 0).await });
    tokio::task::yield_now().await;
    writer.line(0, chrono::DateTime::UNIX_EPOCH, "hello").unwrap();
    assert_eq!(waiting.await.unwrap(), 1);
    drop(writer);
    assert_eq!(folder.logs.wait_beyond(BUILD, 1).await, 1);
}
