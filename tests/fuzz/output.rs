//! What builds print, as it is kept and shown.

use super::recipe::{Recipe, pieces};
use slipway_app::build_log::BuildLogs;
use slipway_core::Secret;
use slipway_core::control::{clean_text, one_line};
use slipway_core::ids::BuildId;
use slipway_core::log::LogStream;
use slipway_core::mask::Masker;
use slipway_testkit::TempDataDir;
use std::sync::Arc;

/// A log: cut anywhere it has the same lines, and pages and search find what is in the file.
pub(super) fn log_lines(bytes: &[u8]) {
    let (seed, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let folder = TempDataDir::new();
    let logs = BuildLogs::open(folder.path().to_owned()).expect("a folder can be used");
    let keep = |build: BuildId, parts: &[&[u8]]| {
        let mut writer = logs.writer(build, Arc::new(str::to_owned)).expect("a log can be written");
        for part in parts {
            writer.output(1, LogStream::Out, None, part).expect("a log can be written");
        }
        writer.end_step(1, chrono::DateTime::UNIX_EPOCH);
        drop(writer);
        std::fs::read(logs.log_path(build)).expect("a log can be read")
    };
    let whole = keep(BuildId(1), &[bytes]);
    assert_eq!(keep(BuildId(2), &pieces(bytes, *seed)), whole, "pieces give other lines");
    // Each byte that is no UTF-8 becomes three at most, and the last line gets its end.
    assert!(whole.len() <= bytes.len() * 3 + 1, "{} bytes became {}", bytes.len(), whole.len());
    let text = String::from_utf8(whole).expect("a log is text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(logs.line_count(BuildId(1)).expect("lines can be counted"), lines.len() as u64);
    let page = logs.page(BuildId(1), 0, usize::MAX, Some(1)).expect("a page can be read");
    assert_eq!(page.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), lines, "a page shows other lines");
    let found = logs.search(BuildId(1), "e", true, 0, usize::MAX).expect("a log can be searched");
    assert_eq!(found.count as usize, lines.iter().filter(|line| line.contains('e')).count());
}

/// Foreign text: nothing dangerous is left, cleaning again changes nothing, one line is one line of limited length.
pub(super) fn shown_text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let clean = clean_text(&text);
    assert!(clean.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')), "control characters stay: {clean:?}");
    assert!(
        !clean.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{61c}']),
        "hidden ones stay: {clean:?}"
    );
    assert_eq!(clean_text(&clean), clean, "cleaning again changes it");
    for most in [1, 20, 200] {
        let line = one_line(&text, most);
        super::is_plain(&line);
        assert!(line.chars().count() <= most, "{line:?} is longer than {most}");
    }
}

/// A secret in output: masked however the output is cut, and nothing else is lost.
pub(super) fn masked_text(bytes: &[u8]) {
    let mut recipe = Recipe(bytes);
    let (seed, secret) = (recipe.byte(), recipe.text());
    let secret = secret.trim();
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '*' && c != '\u{fffd}';
    if !(6..=64).contains(&secret.chars().count()) || !secret.chars().all(plain) {
        return;
    }
    let (masker, unmaskable) = Masker::new(&[Secret::new(secret)]);
    assert!(unmaskable.is_empty());
    // The secret stands where the output has a NUL.
    let output: Vec<u8> =
        recipe.0.iter().flat_map(|byte| if *byte == 0 { secret.as_bytes().to_vec() } else { vec![*byte] }).collect();
    let masked = |parts: &[&[u8]]| {
        let mut stream = masker.stream();
        let mut shown: Vec<u8> = parts.iter().flat_map(|part| stream.push(part)).collect();
        shown.extend(stream.finish());
        shown
    };
    let whole = masked(&[&output]);
    assert_eq!(masked(&pieces(&output, seed)), whole, "pieces are masked differently");
    let holds = |text: &[u8]| text.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!holds(&whole), "the secret is shown: {:?}", String::from_utf8_lossy(&whole));
    if !holds(&output) {
        return;
    }
    assert!(whole.windows(3).any(|window| window == b"***"), "no mask stands where the secret was");
}
