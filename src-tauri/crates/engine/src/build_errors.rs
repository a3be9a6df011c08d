//! What the engine's words about a failed build mean.
//!
//! BuildKit reports text, not codes; the shapes are those of `reference/engine-and-git-facts.md`, "Error shapes", for engines
//! from 20.10 on. The words of a RUN step's command stand inside some messages, so a message is read from its ends inwards.

use bollard_buildkit_proto::google::rpc::Status as TypedStatus;
use prost::Message;
use slipway_core::log::StepUpdate;
use slipway_core::{ErrorClass, ErrorCode, Failure};
use std::error::Error;

/// Longest piece of the engine's words that is kept, in bytes.
const WORDS: usize = 4000;

/// What engines put in front of the words that matter.
const WRAPPERS: [&str; 5] = [
    "failed to solve with frontend dockerfile.v0: ",
    "failed to solve with frontend gateway.v0: ",
    "failed to solve: ",
    "failed to create LLB definition: ",
    "failed to build LLB: ",
];

/// Where in the Dockerfile an error is: a typed detail that engines from 23 on send (`errdefs.Source` of BuildKit, whose
/// `grpcerrors` writes details as JSON).
#[derive(serde::Deserialize)]
struct ErrorSource {
    ranges: Vec<Range>,
}

#[derive(serde::Deserialize)]
struct Range {
    start: Position,
    end: Option<Position>,
}

#[derive(serde::Deserialize)]
struct Position {
    line: u32,
}

/// Explains why Solve failed, from its status and the step that failed.
pub(crate) fn from_status(status: &tonic::Status, step: Option<&StepUpdate>) -> Failure {
    // A status with a source was made on our side: the connection broke and the engine said nothing.
    if let Some(source) = status.source() {
        return Failure::new(ErrorCode::EngineLost, format!("the connection to the engine broke: {}", root(source)));
    }
    let mut failure = classify(status.message(), step.map(|step| step.name.as_str()));
    if failure.code == ErrorCode::EngineError && hung_up(status) {
        failure.code = ErrorCode::EngineLost;
    }
    let in_dockerfile = matches!(failure.code.class(), ErrorClass::Dockerfile | ErrorClass::BaseImage);
    if !in_dockerfile && failure.code != ErrorCode::EngineError {
        return failure;
    }
    if let Some(step) = step {
        failure = failure.with("step", step.name.clone());
    }
    let lines = source_lines(status).or_else(|| step.and_then(|step| step.lines));
    match lines {
        Some((first, last)) if !failure.details.contains_key("line") => {
            failure.with("line", first.to_string()).with("last_line", last.to_string())
        }
        _ => failure,
    }
}

/// Explains the engine's words; `step` is the name of the step that failed.
pub(crate) fn classify(words: &str, step: Option<&str>) -> Failure {
    let core = unwrap(words);
    let failure = |code| Failure::new(code, clean(core));
    if let Some(code) = exit_code(core) {
        return failure(ErrorCode::StepFailed).with("exit_code", code);
    }
    if core.starts_with("executor failed running [") || core.starts_with("process \"") {
        return failure(ErrorCode::StepFailed);
    }
    if let Some(rest) =
        core.strip_prefix("dockerfile parse error ").or_else(|| core.strip_prefix("Dockerfile parse error "))
    {
        let failure = failure(ErrorCode::DockerfileSyntax);
        let rest = rest.strip_prefix("on ").unwrap_or(rest);
        let line: String = rest.strip_prefix("line ").unwrap_or("").chars().take_while(char::is_ascii_digit).collect();
        return if line.is_empty() { failure } else { failure.with("line", line) };
    }
    if core.contains("cannot be empty") || core.starts_with("file with no instructions") || is_bad_instruction(core) {
        return failure(ErrorCode::DockerfileSyntax);
    }
    if core.starts_with("failed to read dockerfile") && core.contains("no such file") {
        return failure(ErrorCode::DockerfileMissing);
    }
    if let Some(target) = core.strip_prefix("target stage ").and_then(|rest| rest.split_once(" could not be found")) {
        return failure(ErrorCode::TargetMissing).with("target", target.0.trim_matches('"'));
    }
    if let Some(name) = core.strip_suffix(" is not allowed").and_then(|rest| rest.rsplit(' ').next())
        && (name.starts_with("network.") || name.starts_with("security.") || name.starts_with("device"))
    {
        return failure(ErrorCode::EntitlementRefused).with("entitlement", name);
    }
    if core.contains("granting entitlement") || core.contains("entitlements.") {
        return failure(ErrorCode::EntitlementRefused);
    }
    if core.contains("no space left on device") || core.contains("disk quota exceeded") {
        return failure(ErrorCode::EngineDiskFull);
    }
    if let Some(id) = missing_secret(core) {
        return failure(ErrorCode::SecretMissing).with("secret", id);
    }
    if core.contains("exclusion pattern")
        || core.contains("excludepatterns")
        || core.contains("syntax error in pattern")
    {
        return failure(ErrorCode::BadIgnoreFile);
    }
    if core.contains("multiple platforms") || core.contains("manifest lists") {
        return failure(ErrorCode::EnginePlatforms);
    }
    if let Some(base) = base_image(core, step) {
        return failure(base_image_code(core)).with("image", base);
    }
    if let Some(path) = missing_source(core) {
        return failure(ErrorCode::CopySourceMissing).with("path", path);
    }
    failure(ErrorCode::EngineError)
}

/// Foreign words on one line: no control characters, no escape sequences, of bearable length.
pub(crate) fn clean(words: &str) -> String {
    let mut out = String::with_capacity(words.len().min(WORDS));
    for character in words.trim().chars() {
        if out.len() >= WORDS {
            out.push('…');
            break;
        }
        let bidirectional = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match character {
            '\n' | '\t' => out.push(' '),
            character if character.is_control() || bidirectional => {}
            character => out.push(character),
        }
    }
    out
}

fn unwrap(words: &str) -> &str {
    let mut core = words.trim();
    loop {
        let before = core;
        for wrapper in WRAPPERS {
            core = core.strip_prefix(wrapper).unwrap_or(core);
        }
        if core.starts_with("rpc error: code = ") {
            core = core.split_once(" desc = ").map_or(core, |(_, rest)| rest);
        }
        if core == before {
            return core;
        }
    }
}

/// `executor failed running […]: exit code: 3`, `process "…" did not complete successfully: exit code: 3`.
fn exit_code(core: &str) -> Option<&str> {
    let (command, code) = core.rsplit_once("exit code: ")?;
    let is_run = command.contains("executor failed running") || command.contains("did not complete successfully");
    (is_run && !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// What the frontend says of an instruction that parses but makes no sense.
fn is_bad_instruction(core: &str) -> bool {
    [
        "failed to parse stage name",
        "failed to process ",
        "base name (",
        "no build stage in current context",
        "invalid from flag value",
        "circular dependency",
        "failed to parse platform",
        "invalid reference format",
        "unknown instruction",
        "unsupported mount type",
        "no stage",
    ]
    .iter()
    .any(|known| core.starts_with(known))
}

/// `secret npm: not found`, `secret npm not found`, with or without something in front.
fn missing_secret(core: &str) -> Option<&str> {
    let rest = core.strip_suffix(": not found").or_else(|| core.strip_suffix(" not found"))?;
    let rest = rest.strip_suffix(": not found").or_else(|| rest.strip_suffix(" not found")).unwrap_or(rest);
    let (before, id) = rest.rsplit_once("secret ")?;
    let plain = !id.is_empty() && !id.contains([' ', '"', '/']) && (before.is_empty() || before.ends_with(' '));
    plain.then(|| id.trim_end_matches(':'))
}

/// The image, when a base image is what failed: the engine names the step, newer ones also say so in the words.
fn base_image(core: &str, step: Option<&str>) -> Option<String> {
    if let Some((_, rest)) = core.split_once("failed to resolve source metadata for ") {
        return Some(until_colon_space(rest).to_owned());
    }
    let named = step.and_then(|step| {
        let known = [
            "[internal] load metadata for ",
            "resolve image config for docker-image://",
            "resolve image config for ",
            "FROM ",
        ];
        let after = known.iter().find_map(|known| step.strip_prefix(known));
        after.or_else(|| step.split_once("] FROM ").map(|(_, image)| image))
    });
    named.map(|image| image.split(['@', ' ']).next().unwrap_or(image).to_owned()).or_else(|| requested_manifest(core))
}

/// The image of a manifest request: `Head "https://registry-1.docker.io/v2/library/x/manifests/latest": …`.
fn requested_manifest(core: &str) -> Option<String> {
    let (before, after) = core.split_once("/manifests/")?;
    let (host, name) = before.rsplit_once("://")?.1.split_once("/v2/")?;
    let reference = after.split(['"', ':', ' ']).next()?;
    let host = if host == "registry-1.docker.io" { "docker.io" } else { host };
    Some(format!("{host}/{name}:{reference}"))
}

fn base_image_code(core: &str) -> ErrorCode {
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| core.contains(phrase));
    if says(&["toomanyrequests", "Too Many Requests", "429"]) {
        ErrorCode::BaseImageRateLimited
    } else if says(&["no match for platform", "does not match the specified platform", "no matching manifest"]) {
        ErrorCode::BaseImagePlatform
    } else if says(&["dial tcp", "no such host", "connection refused", "timeout", "x509", "tls:", "deadline exceeded"])
    {
        ErrorCode::BaseImageUnreachable
    } else if says(&[
        "not found",
        "pull access denied",
        "insufficient_scope",
        "nauthorized",
        "Forbidden",
        "unknown:",
        "no basic auth",
    ]) {
        ErrorCode::BaseImageMissing
    } else {
        ErrorCode::BaseImageUnreachable
    }
}

/// `"/X" not found`, or the `lstat` of a file in the engine's copy of the context.
fn missing_source(core: &str) -> Option<String> {
    if let Some((before, _)) = core.rsplit_once("\" not found").or_else(|| core.rsplit_once("\": not found")) {
        let (_, path) = before.rsplit_once('"')?;
        return path.starts_with('/').then(|| path.to_owned());
    }
    let (before, _) = core.rsplit_once(": no such file or directory")?;
    let (_, path) = before.rsplit_once("lstat ")?;
    // The engine shows where it mounted the context.
    let inside = path.split_once("/buildkit-mount").and_then(|(_, rest)| rest.split_once('/'));
    Some(inside.map_or_else(|| path.to_owned(), |(_, rest)| format!("/{rest}")))
}

fn until_colon_space(words: &str) -> &str {
    words.split_once(": ").map_or(words, |(head, _)| head)
}

/// The engine goes down, or lost our session.
fn hung_up(status: &tonic::Status) -> bool {
    let said = [
        "no active session",
        "transport is closing",
        "connection is closing",
        "context canceled",
        "EOF",
        "Missing response message",
    ];
    matches!(status.code(), tonic::Code::Unavailable | tonic::Code::Cancelled)
        || said.iter().any(|words| status.message().contains(words))
}

fn root(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    clean(&deepest.to_string())
}

/// First and last line of the Dockerfile from the status's typed details.
fn source_lines(status: &tonic::Status) -> Option<(u32, u32)> {
    let typed = TypedStatus::decode(status.details()).ok()?;
    let detail = typed.details.iter().find(|detail| detail.type_url.contains("errdefs.Source"))?;
    let source: ErrorSource = serde_json::from_slice(&detail.value).ok()?;
    let range = source.ranges.first()?;
    let first = range.start.line;
    Some((first, range.end.as_ref().map_or(first, |end| end.line.max(first))))
}

#[cfg(test)]
#[path = "build_errors_tests.rs"]
mod tests;
