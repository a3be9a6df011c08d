//! Where instructions stand in a Dockerfile.

use parse_dockerfile::Instruction;

/// Where an instruction stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructionLines {
    /// In capitals.
    pub keyword: &'static str,
    /// First line.
    pub first: u32,
    /// Last line, with continuations and heredocs.
    pub last: u32,
}

/// Byte offsets at which lines begin.
pub(super) struct LineStarts(Vec<usize>);

impl LineStarts {
    pub(super) fn new(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    pub(super) fn of(&self, at: usize) -> u32 {
        u32::try_from(self.0.partition_point(|start| *start <= at)).unwrap_or(u32::MAX)
    }
}

/// An instruction ends at the last line before the next one that is neither blank nor a comment.
pub(super) fn instruction_lines(
    text: &str,
    instructions: &[Instruction<'_>],
    lines: &LineStarts,
) -> Vec<InstructionLines> {
    let starts: Vec<(&'static str, usize)> = instructions.iter().map(start_of).collect();
    let ends = starts.iter().skip(1).map(|(_, start)| *start).chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|((keyword, start), end)| {
            let first = lines.of(*start);
            let inside = text[*start..end].lines().enumerate();
            let is_content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
            let last = inside.filter(|(_, line)| is_content(line)).last().map_or(0, |(index, _)| index);
            InstructionLines { keyword, first, last: first + u32::try_from(last).unwrap_or(0) }
        })
        .collect()
}

fn start_of(instruction: &Instruction<'_>) -> (&'static str, usize) {
    let (keyword, at) = match instruction {
        Instruction::Add(i) => ("ADD", &i.add),
        Instruction::Arg(i) => ("ARG", &i.arg),
        Instruction::Cmd(i) => ("CMD", &i.cmd),
        Instruction::Copy(i) => ("COPY", &i.copy),
        Instruction::Entrypoint(i) => ("ENTRYPOINT", &i.entrypoint),
        Instruction::Env(i) => ("ENV", &i.env),
        Instruction::Expose(i) => ("EXPOSE", &i.expose),
        Instruction::From(i) => ("FROM", &i.from),
        Instruction::Healthcheck(i) => ("HEALTHCHECK", &i.healthcheck),
        Instruction::Label(i) => ("LABEL", &i.label),
        Instruction::Maintainer(i) => ("MAINTAINER", &i.maintainer),
        Instruction::Onbuild(i) => ("ONBUILD", &i.onbuild),
        Instruction::Run(i) => ("RUN", &i.run),
        Instruction::Shell(i) => ("SHELL", &i.shell),
        Instruction::Stopsignal(i) => ("STOPSIGNAL", &i.stopsignal),
        Instruction::User(i) => ("USER", &i.user),
        Instruction::Volume(i) => ("VOLUME", &i.volume),
        Instruction::Workdir(i) => ("WORKDIR", &i.workdir),
        // The parser may learn instructions that this list does not know yet.
        _ => return ("", 0),
    };
    (keyword, at.span.start)
}
