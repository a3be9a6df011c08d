//! Is this a Dockerfile? Asked before anything is kept or queued.

use slipway_core::{ErrorCode, Failure};
use std::io::Read as _;
use std::path::Path;

/// Larger than any Dockerfile that a person writes.
const MOST_BYTES: usize = 1024 * 1024;

/// Returns what is wrong with the bytes of a Dockerfile. Line ends of both kinds and a UTF-8 mark at the start are fine, as
/// the engine takes them.
///
/// # Errors
/// [`ErrorCode::DockerfileSyntax`] with its `reason`, and the kind of `problem` or a `line` where there is one.
pub fn check_dockerfile(bytes: &[u8]) -> Result<(), Failure> {
    let wrong = |problem: &str, why: &str| {
        Err(Failure::new(ErrorCode::DockerfileSyntax, why).with("reason", why).with("problem", problem))
    };
    if bytes.len() > MOST_BYTES {
        return wrong("too_large", "the file is larger than 1 MiB: this is no Dockerfile");
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return wrong("utf16", "the file is UTF-16: save it as UTF-8");
    }
    if bytes.contains(&0) {
        return wrong("binary", "the file is no text: this is no Dockerfile");
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return wrong("encoding", "the file is not UTF-8: save it as UTF-8");
    };
    let text = text.trim_start_matches('\u{feff}');
    let instructions = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    if instructions.clone().next().is_none() {
        return wrong("empty", "the Dockerfile is empty");
    }
    let is_from =
        |line: &str| line.split_whitespace().next().is_some_and(|instruction| instruction.eq_ignore_ascii_case("from"));
    // A frontend of its own may have a grammar of its own.
    let own_syntax = text.lines().take_while(|line| line.starts_with('#')).any(|line| line.contains("syntax"));
    if !own_syntax && !instructions.clone().any(is_from) {
        return wrong("no_from", "there is no FROM: this is no Dockerfile");
    }
    slipway_engine::dockerfile::inspect(bytes, &[], None, None).map(drop)
}

/// Reads a file that should be a Dockerfile, no more of it than one has.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(ErrorCode::InvalidField, format!("the file cannot be read: {}", error.kind())).at("dockerfile")
    };
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(Failure::new(ErrorCode::InvalidField, "this is no file").at("dockerfile"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bad_files_have_a_clear_reason_each() {
        let utf16: Vec<u8> =
            [0xff, 0xfe].into_iter().chain("FROM x".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let large = [b"FROM scratch\n".as_slice(), &vec![b'#'; 20 << 20]].concat();
        let table: [(&[u8], &str); 8] = [
            (b"", "empty"),
            (b" \r\n# only a comment\r\n", "empty"),
            (&utf16, "utf16"),
            (b"\x7fELF\x02\x00\x00", "binary"),
            (b"FROM caf\xe9", "encoding"),
            (&large, "too_large"),
            (b"ARG A=1\n", "no_from"),
            (b"FROM scratch\nCOPPY a b\n", ""),
        ];
        for (bytes, reason) in table {
            let failure = check_dockerfile(bytes).unwrap_err();
            assert_eq!(failure.code, ErrorCode::DockerfileSyntax);
            let found = failure.details.get("problem").map_or("", String::as_str);
            assert_eq!(found, reason, "{failure:?}");
        }
        let line = check_dockerfile(b"FROM scratch\nCOPPY a b\n").unwrap_err().details.get("line").cloned();
        assert_eq!(line.as_deref(), Some("2"));
    }

    #[test]
    fn line_ends_of_windows_and_a_mark_are_fine() {
        check_dockerfile(b"\xef\xbb\xbfFROM scratch\r\nCOPY a \\\r\n b\r\n").unwrap();
        check_dockerfile(b"# syntax=docker/dockerfile:1\nfrom scratch\n").unwrap();
    }
}
