//! Which lines of the Dockerfile a step belongs to. Engines tell it for some errors only, so it is counted as the frontend
//! counts: the steps of a stage are its `FROM` (unless it is another stage or `scratch`), `RUN`, `COPY`, `ADD`, `WORKDIR`.

use parse_dockerfile::Instruction;

/// The steps of every stage with their lines.
#[derive(Debug, Default)]
pub(super) struct DockerfileLines {
    stages: Vec<StageLines>,
}

#[derive(Debug)]
struct StageLines {
    name: Option<String>,
    from: (u32, u32),
    /// The engine gives `FROM` a step of its own.
    from_counts: bool,
    steps: Vec<(u32, u32)>,
}

impl DockerfileLines {
    /// Counts the steps of a Dockerfile; none when it does not parse (the engine says why).
    pub(super) fn read(dockerfile: &[u8]) -> Self {
        let text = String::from_utf8_lossy(dockerfile);
        let Ok(parsed) = parse_dockerfile::parse(&text) else { return Self::default() };
        let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let line = |at: usize| u32::try_from(starts.partition_point(|start| *start <= at)).unwrap_or(u32::MAX);
        // An instruction reaches to the next one, without what is blank or a comment at its end.
        let begins: Vec<usize> = parsed.instructions.iter().map(begin).collect();
        let lines: Vec<(u32, u32)> = begins
            .iter()
            .enumerate()
            .map(|(index, start)| {
                let end = begins.get(index + 1).copied().unwrap_or(text.len());
                (line(*start), line(*start + occupied(&text[*start..end]).saturating_sub(1)))
            })
            .collect();
        let mut stages: Vec<StageLines> = Vec::new();
        for (instruction, lines) in parsed.instructions.iter().zip(lines) {
            match instruction {
                Instruction::From(from) => {
                    let base = from.image.value.as_ref();
                    let known =
                        |stage: &StageLines| stage.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(base));
                    let from_counts = base != "scratch" && !stages.iter().any(known);
                    let name = from.as_.as_ref().map(|(_, name)| name.value.to_lowercase());
                    stages.push(StageLines { name, from: lines, from_counts, steps: Vec::new() });
                }
                Instruction::Run(_) | Instruction::Copy(_) | Instruction::Add(_) | Instruction::Workdir(_) => {
                    if let Some(stage) = stages.last_mut() {
                        stage.steps.push(lines);
                    }
                }
                _ => {}
            }
        }
        Self { stages }
    }

    /// Returns the lines of the n-th of m steps of a stage.
    pub(super) fn of(&self, stage: Option<&str>, (at, of): (u32, u32)) -> Option<(u32, u32)> {
        let stage = match stage {
            None if self.stages.len() == 1 => self.stages.first()?,
            None => return None,
            Some(name) => self.stage(name)?,
        };
        let (at, of) = (usize::try_from(at).ok()?.checked_sub(1)?, usize::try_from(of).ok()?);
        // A base given by an argument may turn out to be a stage; ONBUILD of the base adds steps after FROM.
        let from_counts = stage.from_counts && of > stage.steps.len();
        let added = of.checked_sub(stage.steps.len() + usize::from(from_counts))?;
        if from_counts && at == 0 {
            return Some(stage.from);
        }
        match (at - usize::from(from_counts)).checked_sub(added) {
            Some(index) => stage.steps.get(index).copied(),
            None => Some(stage.from),
        }
    }

    fn stage(&self, name: &str) -> Option<&StageLines> {
        let named = self.stages.iter().find(|stage| stage.name.as_deref() == Some(&name.to_lowercase()));
        named.or_else(|| self.stages.get(name.strip_prefix("stage-")?.parse::<usize>().ok()?))
    }
}

/// Where an instruction's keyword stands.
fn begin(instruction: &Instruction<'_>) -> usize {
    match instruction {
        Instruction::Add(i) => i.add.span.start,
        Instruction::Arg(i) => i.arg.span.start,
        Instruction::Cmd(i) => i.cmd.span.start,
        Instruction::Copy(i) => i.copy.span.start,
        Instruction::Entrypoint(i) => i.entrypoint.span.start,
        Instruction::Env(i) => i.env.span.start,
        Instruction::Expose(i) => i.expose.span.start,
        Instruction::From(i) => i.from.span.start,
        Instruction::Healthcheck(i) => i.healthcheck.span.start,
        Instruction::Label(i) => i.label.span.start,
        Instruction::Maintainer(i) => i.maintainer.span.start,
        Instruction::Onbuild(i) => i.onbuild.span.start,
        Instruction::Run(i) => i.run.span.start,
        Instruction::Shell(i) => i.shell.span.start,
        Instruction::Stopsignal(i) => i.stopsignal.span.start,
        Instruction::User(i) => i.user.span.start,
        Instruction::Volume(i) => i.volume.span.start,
        Instruction::Workdir(i) => i.workdir.span.start,
        // The crate may learn new instructions; they have no step until the frontend gives them one.
        _ => 0,
    }
}

/// Bytes of an instruction without blank and comment lines at its end.
fn occupied(text: &str) -> usize {
    let mut used = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let words = line.trim();
        if !words.is_empty() && !words.starts_with('#') {
            used = at + line.trim_end().len();
        }
        at += line.len();
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_to_their_lines() {
        let lines = DockerfileLines::read(
            b"# syntax-less\nARG BASE=x\nFROM base:1 AS build\nENV A=1\nRUN make \\\n    all\n\n# then\nWORKDIR /w\n\
              FROM build AS test\nRUN test\n\nFROM scratch\nCOPY --from=build /a /a\nADD b /b\n",
        );
        for (stage, position, expected) in [
            ("build", (1, 3), Some((3, 3))),
            ("build", (2, 3), Some((5, 6))),
            ("build", (3, 3), Some((9, 9))),
            ("test", (1, 1), Some((11, 11))),
            ("stage-2", (1, 2), Some((14, 14))),
            ("stage-2", (2, 2), Some((15, 15))),
            ("stage-2", (3, 2), None),
            ("nothing", (1, 2), None),
        ] {
            assert_eq!(lines.of(Some(stage), position), expected, "{stage} {position:?}");
        }
    }

    #[test]
    fn steps_of_onbuild_belong_to_from_and_an_argument_may_name_a_stage() {
        let onbuild = DockerfileLines::read(b"FROM base:1\nRUN a\n");
        assert_eq!(onbuild.of(None, (1, 4)), Some((1, 1)));
        assert_eq!(onbuild.of(None, (3, 4)), Some((1, 1)));
        assert_eq!(onbuild.of(None, (4, 4)), Some((2, 2)));
        let argument = DockerfileLines::read(b"ARG X=a\nFROM base:1 AS a\nRUN a\nFROM $X AS b\nRUN b\n");
        assert_eq!(argument.of(Some("b"), (1, 1)), Some((5, 5)));
    }
}
