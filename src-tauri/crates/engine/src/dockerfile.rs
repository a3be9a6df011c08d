//! What a Dockerfile says before anything is built: does it parse, which images will the engine pull, which secrets does
//! it mount, is the target there. Only what the target needs counts, as BuildKit leaves other stages out.

mod expand;
mod lines;

use expand::expand;
pub use lines::InstructionLines;
use lines::{LineStarts, instruction_lines};
use parse_dockerfile::{Flag, Instruction, Source};
use slipway_core::image::{ImageReference, Platform};
use slipway_core::rule::NameValue;
use slipway_core::{ErrorCode, Failure};
use std::collections::{HashMap, HashSet};

use crate::client::printable;

/// What was found in a Dockerfile. Lines are 1-based.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DockerfileFacts {
    /// Images that the engine pulls for the target, each once, in the order of the file.
    pub images: Vec<PulledImage>,
    /// All stages in order.
    pub stages: Vec<StageFacts>,
    /// Secrets that the target's steps mount, each id once.
    pub secrets: Vec<SecretMount>,
    /// False when a target was asked for that is not in the file.
    pub target_exists: bool,
    /// `ADD https://…` of the target's steps: content that no commit holds.
    pub remote_sources: Vec<RemoteSource>,
    /// Where each instruction stands.
    pub instructions: Vec<InstructionLines>,
    /// The Dockerfile is written for a frontend of its own (`# syntax=` that is not `docker/dockerfile`), so only that
    /// image is known.
    pub foreign_syntax: bool,
}

/// An image that a Dockerfile pulls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledImage {
    /// Which.
    pub reference: ImageReference,
    /// `--platform` of the FROM, when it is a fixed one.
    pub platform: Option<Platform>,
    /// Where it is named.
    pub line: u32,
    /// How it is used.
    pub used_by: ImageUse,
}

/// How a Dockerfile uses an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageUse {
    /// `FROM image`
    From,
    /// `COPY --from=image`
    Copy,
    /// `RUN --mount=from=image`
    Mount,
    /// `# syntax=image`
    Syntax,
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageFacts {
    /// Its name, when it has one.
    pub name: Option<String>,
    /// The line of its FROM.
    pub line: u32,
    /// What stands after FROM, expanded.
    pub base: String,
}

/// A secret that a step mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretMount {
    /// Its id.
    pub id: String,
    /// The step fails without it.
    pub required: bool,
    /// The first step that mounts it.
    pub line: u32,
}

/// A source outside the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSource {
    /// The URL as written.
    pub url: String,
    /// Where.
    pub line: u32,
}

/// Reads a Dockerfile. `args` are the build arguments given; `target` is a stage's name or number; `platform` is the one
/// that is built for, which the automatic arguments (`TARGETARCH`, …) take their values from.
///
/// # Errors
/// [`ErrorCode::DockerfileSyntax`] with the `line` in the details.
pub fn inspect(
    bytes: &[u8],
    args: &[NameValue],
    target: Option<&str>,
    platform: Option<&Platform>,
) -> Result<DockerfileFacts, Failure> {
    let text = decode(bytes)?;
    let parsed = match parse_dockerfile::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => return foreign_or_syntax(text, &error),
    };
    let escape = parsed.parser_directives.escape.as_ref().map_or('\\', |directive| directive.value.value);
    let file = File { lines: LineStarts::new(text), escape };
    let variables = global_variables(&parsed, args, platform, &file)?;

    let mut facts = DockerfileFacts { target_exists: true, ..DockerfileFacts::default() };
    facts.instructions = instruction_lines(text, &parsed.instructions, &file.lines);
    if let Some(syntax) = &parsed.parser_directives.syntax {
        facts.images.extend(syntax_image(syntax.value.value, file.lines.of(syntax.value.span.start)));
    }

    let stages = stages(&parsed, &variables, &file)?;
    facts.stages = stages.iter().map(|stage| stage.facts.clone()).collect();
    let wanted = match target.filter(|target| !target.is_empty()) {
        None => stages.len().checked_sub(1),
        Some(target) => find_stage(&stages, target),
    };
    let Some(wanted) = wanted else {
        facts.target_exists = false;
        return Ok(facts);
    };
    let mut needed = vec![wanted];
    let mut seen = HashSet::from([wanted]);
    while let Some(index) = needed.pop() {
        needed.extend(stages[index].needs.iter().copied().filter(|need| seen.insert(*need)));
    }
    for (index, stage) in stages.into_iter().enumerate() {
        if seen.contains(&index) {
            merge(&mut facts, stage);
        }
    }
    Ok(facts)
}

/// One stage with all that it asks for.
struct Stage {
    facts: StageFacts,
    /// Stages that must be built for it.
    needs: Vec<usize>,
    images: Vec<PulledImage>,
    secrets: Vec<SecretMount>,
    remote_sources: Vec<RemoteSource>,
}

struct File {
    lines: LineStarts,
    escape: char,
}

impl File {
    fn syntax(&self, at: usize, why: impl std::fmt::Display) -> Failure {
        syntax_error(Some(self.lines.of(at)), &why.to_string())
    }
}

fn syntax_error(line: Option<u32>, why: &str) -> Failure {
    let why = printable(why);
    let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let failure = Failure::new(ErrorCode::DockerfileSyntax, format!("{place}{why}")).with("reason", why);
    match line {
        Some(line) => failure.with("line", line.to_string()),
        None => failure,
    }
}

/// The engine reads UTF-8, with or without a byte order mark.
fn decode(bytes: &[u8]) -> Result<&str, Failure> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(syntax_error(Some(1), "the file is UTF-16; a Dockerfile is UTF-8").with("encoding", "utf-16"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        syntax_error(u32::try_from(line).ok(), "the file is not UTF-8")
    })?;
    if text.trim().is_empty() {
        return Err(syntax_error(None, "the Dockerfile is empty"));
    }
    Ok(text)
}

/// A frontend of its own may have a grammar of its own; the built-in one and `docker/dockerfile` have this one.
fn foreign_or_syntax(text: &str, error: &parse_dockerfile::Error) -> Result<DockerfileFacts, Failure> {
    let syntax = text.lines().take_while(|line| line.starts_with('#')).find_map(|line| {
        let (name, value) = line.strip_prefix('#')?.split_once('=')?;
        name.trim().eq_ignore_ascii_case("syntax").then(|| value.trim())
    });
    let image = syntax.and_then(|value| syntax_image(value, 1));
    match image {
        Some(image) if !image.reference.repository().starts_with("docker.io/docker/dockerfile") => {
            Ok(DockerfileFacts { images: vec![image], target_exists: true, foreign_syntax: true, ..Default::default() })
        }
        _ => {
            let line = u32::try_from(error.line()).ok().filter(|line| *line > 0);
            Err(syntax_error(line, &format!("{error:#}")))
        }
    }
}

fn syntax_image(value: &str, line: u32) -> Option<PulledImage> {
    let reference = ImageReference::parse(value.split_whitespace().next()?).ok()?;
    Some(PulledImage { reference, platform: None, line, used_by: ImageUse::Syntax })
}

/// Global ARGs with their defaults or given values, and the automatic platform arguments.
fn global_variables(
    parsed: &parse_dockerfile::Dockerfile<'_>,
    args: &[NameValue],
    platform: Option<&Platform>,
    file: &File,
) -> Result<HashMap<String, String>, Failure> {
    let mut variables = HashMap::new();
    if let Some(platform) = platform {
        for side in ["TARGET", "BUILD"] {
            variables.insert(format!("{side}PLATFORM"), platform.to_string());
            variables.insert(format!("{side}OS"), platform.os.clone());
            variables.insert(format!("{side}ARCH"), platform.architecture.clone());
            variables.insert(format!("{side}VARIANT"), platform.variant.clone().unwrap_or_default());
        }
    }
    let given = |name: &str| args.iter().rev().find(|arg| arg.name == name).map(|arg| arg.value.clone());
    for arg in parsed.global_args() {
        for word in words(&arg.arguments.value) {
            let (name, default) = match word.split_once('=') {
                Some((name, default)) => (name, Some(default)),
                None => (word, None),
            };
            let default = default
                .map(|default| expand(default, &variables, file.escape))
                .transpose()
                .map_err(|why| file.syntax(arg.arg.span.start, why))?;
            if let Some(value) = given(name).or(default) {
                variables.insert(name.to_owned(), value);
            }
        }
    }
    Ok(variables)
}

/// Splits `a=1 b="x y"` at blanks outside quotes.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
        match (c.is_whitespace() && quote.is_none(), start) {
            (true, Some(begin)) => {
                words.push(&text[begin..at]);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    words.extend(start.map(|begin| &text[begin..]));
    words
}

fn stages(
    parsed: &parse_dockerfile::Dockerfile<'_>,
    variables: &HashMap<String, String>,
    file: &File,
) -> Result<Vec<Stage>, Failure> {
    let names: Vec<Option<String>> =
        parsed.stages().map(|stage| stage.from.as_.as_ref().map(|(_, name)| name.value.to_string())).collect();
    let mut stages = Vec::with_capacity(names.len());
    for (index, parsed_stage) in parsed.stages().enumerate() {
        let from = parsed_stage.from;
        let at = from.from.span.start;
        let line = file.lines.of(at);
        let base =
            expand(&from.image.value, variables, file.escape).map_err(|why| file.syntax(from.image.span.start, why))?;
        if base.trim().is_empty() {
            return Err(file.syntax(at, format!("the image {} expands to nothing", from.image.value)));
        }
        let mut stage = Stage {
            facts: StageFacts { name: names[index].clone(), line, base: base.clone() },
            needs: Vec::new(),
            images: Vec::new(),
            secrets: Vec::new(),
            remote_sources: Vec::new(),
        };
        let earlier = names[..index].iter().position(|name| is_name(name, &base));
        if let Some(earlier) = earlier {
            stage.needs.push(earlier);
        } else if base != "scratch" {
            let reference = ImageReference::parse(&base).map_err(|failure| file.syntax(at, failure.message))?;
            let platform = flag(&from.options, "platform")
                .and_then(|value| expand(value, variables, file.escape).ok()?.parse().ok());
            stage.images.push(PulledImage { reference, platform, line, used_by: ImageUse::From });
        }
        for instruction in parsed_stage.instructions {
            read_instruction(&mut stage, instruction, &names, file)?;
        }
        stages.push(stage);
    }
    Ok(stages)
}

fn read_instruction(
    stage: &mut Stage,
    instruction: &Instruction<'_>,
    names: &[Option<String>],
    file: &File,
) -> Result<(), Failure> {
    match instruction {
        Instruction::Copy(copy) => {
            if let Some(from) = flag(&copy.options, "from") {
                use_image(stage, from, copy.copy.span.start, ImageUse::Copy, names, file)?;
            }
        }
        Instruction::Add(add) => {
            let line = file.lines.of(add.add.span.start);
            let urls = add.src.iter().filter_map(|source| match source {
                Source::Path(path) if is_url(&path.value) => Some(RemoteSource { url: path.value.to_string(), line }),
                _ => None,
            });
            stage.remote_sources.extend(urls);
        }
        Instruction::Run(run) => {
            let at = run.run.span.start;
            for mount in run.options.iter().filter(|flag| flag.name.value == "mount") {
                let Some(value) = &mount.value else { continue };
                let mount = Mount::read(&value.value);
                if mount.kind.as_deref() == Some("secret")
                    && let Some(id) = mount.secret_id()
                {
                    stage.secrets.push(SecretMount { id, required: mount.required, line: file.lines.of(at) });
                }
                if let Some(from) = &mount.from {
                    use_image(stage, from, at, ImageUse::Mount, names, file)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// `--from` names a stage, a stage's number or an image. Variables in it are left to the engine.
fn use_image(
    stage: &mut Stage,
    from: &str,
    at: usize,
    used_by: ImageUse,
    names: &[Option<String>],
    file: &File,
) -> Result<(), Failure> {
    if from.is_empty() || from.contains('$') || from == "scratch" {
        return Ok(());
    }
    let number = from.parse::<usize>().ok().filter(|number| *number < names.len());
    if let Some(index) = names.iter().position(|name| is_name(name, from)).or(number) {
        stage.needs.push(index);
        return Ok(());
    }
    let reference = ImageReference::parse(from).map_err(|failure| file.syntax(at, failure.message))?;
    stage.images.push(PulledImage { reference, platform: None, line: file.lines.of(at), used_by });
    Ok(())
}

/// The fields of `--mount=` that matter here.
#[derive(Default)]
struct Mount {
    kind: Option<String>,
    id: Option<String>,
    target: Option<String>,
    from: Option<String>,
    required: bool,
}

impl Mount {
    fn read(value: &str) -> Self {
        let mut mount = Self::default();
        for field in value.split(',') {
            let field = field.trim().trim_matches('"');
            let (name, value) = match field.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (field, None),
            };
            match name.to_ascii_lowercase().as_str() {
                "type" => mount.kind = value.map(|kind| kind.to_ascii_lowercase()),
                "id" => mount.id = value,
                "target" | "dst" | "destination" => mount.target = value,
                "from" => mount.from = value,
                "required" => mount.required = value.is_none_or(|value| matches!(value.as_str(), "true" | "1")),
                _ => {}
            }
        }
        mount
    }

    /// The id, else the file name of the target.
    fn secret_id(&self) -> Option<String> {
        self.id.clone().or_else(|| Some(self.target.as_ref()?.rsplit('/').next()?.to_owned()))
    }
}

fn flag<'a>(flags: &'a [Flag<'_>], name: &str) -> Option<&'a str> {
    flags.iter().find(|flag| flag.name.value == name)?.value.as_ref().map(|value| &*value.value)
}

fn is_name(name: &Option<String>, text: &str) -> bool {
    name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(text))
}

fn is_url(source: &str) -> bool {
    ["http://", "https://", "git@", "ssh://", "git://"].iter().any(|scheme| source.starts_with(scheme))
}

fn find_stage(stages: &[Stage], target: &str) -> Option<usize> {
    stages
        .iter()
        .position(|stage| is_name(&stage.facts.name, target))
        .or_else(|| target.parse().ok().filter(|index| *index < stages.len()))
}

fn merge(facts: &mut DockerfileFacts, stage: Stage) {
    for image in stage.images {
        if !facts.images.iter().any(|known| known.reference == image.reference && known.platform == image.platform) {
            facts.images.push(image);
        }
    }
    for secret in stage.secrets {
        match facts.secrets.iter_mut().find(|known| known.id == secret.id) {
            Some(known) => known.required |= secret.required,
            None => facts.secrets.push(secret),
        }
    }
    facts.remote_sources.extend(stage.remote_sources);
}

#[cfg(test)]
mod tests;
