//! What the engine's step names say: `[build 2/5] RUN make`, `[linux/arm64 stage-1 1/3] FROM …`, `[internal] load …`.

/// What stands in front of a step's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StepName {
    /// The stage, when it has a name (`stage-1` for the second without one, when there are several).
    pub(super) stage: Option<String>,
    /// Position in its stage and number of steps there.
    pub(super) position: Option<(u32, u32)>,
}

/// Reads a step's name. Steps without a position are the engine's own doing.
pub(super) fn parse(name: &str) -> StepName {
    let Some((inside, _)) = name.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return StepName::default();
    };
    let mut words: Vec<&str> = inside.split_whitespace().collect();
    let Some(position) = words.pop().and_then(position) else { return StepName::default() };
    // In front of the stage there may be a platform; a stage's name holds no slash.
    let stage = words.last().filter(|word| !word.contains('/')).map(|word| (*word).to_owned());
    StepName { stage, position: Some(position) }
}

fn position(word: &str) -> Option<(u32, u32)> {
    let (at, of) = word.split_once('/')?;
    Some((at.parse().ok()?, of.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_engines_are_read() {
        for (name, stage, position) in [
            ("[2/3] COPY . /", None, Some((2, 3))),
            ("[ 2/10] RUN x", None, Some((2, 10))),
            ("[build 2/5] RUN make", Some("build"), Some((2, 5))),
            ("[build  2/12] RUN make", Some("build"), Some((2, 12))),
            ("[stage-1 1/3] FROM docker.io/library/x", Some("stage-1"), Some((1, 3))),
            ("[linux/arm64 build 2/4] RUN [1/2]", Some("build"), Some((2, 4))),
            ("[linux/amd64->arm64 build 2/4] RUN x", Some("build"), Some((2, 4))),
            ("[linux/arm64 2/4] RUN x", None, Some((2, 4))),
            ("[internal] load build context", None, None),
            ("[auth] library/alpine:pull token for registry-1.docker.io", None, None),
            ("exporting to image", None, None),
            ("[", None, None),
            ("", None, None),
        ] {
            assert_eq!(parse(name), StepName { stage: stage.map(str::to_owned), position }, "{name}");
        }
    }
}
