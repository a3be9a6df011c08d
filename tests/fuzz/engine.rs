//! What an engine says, and the Dockerfile that it is given.

use super::recipe::{Recipe, pieces};
use slipway_core::ErrorCode;
use slipway_core::image::ImageReference;
use slipway_core::log::BuildEvent;
use slipway_engine::fuzzing::{self, SaidOfStep};

/// Longest secret that is tried; shorter ones than six characters are not masked at all.
const SECRET: &str = "s3cr3t-w0rd";

/// A Dockerfile: places lie in the file, what is pulled has a legal name, and nothing grows beyond bounds.
pub(super) fn dockerfile(bytes: &[u8]) {
    let lines = u32::try_from(bytes.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX) + 1;
    match slipway_engine::dockerfile::inspect(bytes, &[], None, None) {
        Ok(facts) => {
            for image in &facts.images {
                assert!((1..=lines).contains(&image.line), "an image in line {} of {lines}", image.line);
                let written = image.reference.to_string();
                assert_eq!(ImageReference::parse(&written).ok().as_ref(), Some(&image.reference));
            }
            for stage in &facts.stages {
                assert!(
                    !stage.base.trim().is_empty() && stage.base.len() <= 64 * 1024,
                    "a base of {}",
                    stage.base.len()
                );
            }
            assert!(facts.secrets.iter().all(|secret| (1..=lines).contains(&secret.line)));
        }
        Err(failure) => {
            assert_eq!(failure.code, ErrorCode::DockerfileSyntax, "{failure}");
            super::can_be_shown(&failure);
            if let Some(line) = failure.details.get("line") {
                let line: u32 = line.parse().expect("a line is a number");
                assert!((1..=lines).contains(&line), "a failure in line {line} of {lines}");
            }
        }
    }
}

/// What an engine says about steps: shown without control characters and without the secret; output is passed on whole.
pub(super) fn build_status(bytes: &[u8]) {
    let mut recipe = Recipe(bytes);
    let dockerfile = recipe.bytes().to_vec();
    let mut said = Vec::new();
    while !recipe.is_empty() && said.len() < 16 {
        said.push(SaidOfStep {
            key: format!("sha256:{}", recipe.byte() % 4),
            name: recipe.text(),
            error: recipe.text(),
            output: vec![recipe.bytes().to_vec(), recipe.bytes().to_vec()],
            transfer: recipe.text(),
            warning: recipe.bytes().to_vec(),
            number: i64::from_le_bytes(std::array::from_fn(|_| recipe.byte())),
        });
    }
    let output: usize = said.iter().flat_map(|step| &step.output).map(Vec::len).sum();
    let mut passed_on = 0;
    for event in fuzzing::build_events(&dockerfile, SECRET, &said) {
        match event {
            BuildEvent::Step(step) => {
                shown(&step.name);
                step.error.as_deref().into_iter().for_each(shown);
                if let Some((first, last)) = step.lines {
                    assert!(first >= 1 && first <= last, "lines {first} to {last}");
                }
            }
            BuildEvent::Log { bytes, .. } => passed_on += bytes.len(),
            BuildEvent::Progress { item, .. } => shown(&item),
            BuildEvent::Clipped { marker, .. } => super::is_plain(&marker),
            BuildEvent::Warning { message, .. } => shown(&message),
        }
    }
    assert_eq!(passed_on, output, "output is lost");
    for step in &said {
        super::can_be_shown(&fuzzing::build_failure(&step.error, None));
    }
}

fn shown(text: &str) {
    super::is_plain(text);
    assert!(!text.contains(SECRET), "the secret is shown: {text:?}");
}

/// An engine's report of a push: however it is cut it says the same.
pub(super) fn push_report(bytes: &[u8]) {
    let (seed, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let whole = fuzzing::push_report(&[bytes], "v1");
    match (&whole, fuzzing::push_report(&pieces(bytes, *seed), "v1")) {
        (Ok(whole), Ok(pieces)) => {
            assert_eq!(*whole, pieces, "pieces say something else");
            whole.0.iter().for_each(|layer| super::is_plain(&layer.layer));
        }
        (Err(whole), Err(pieces)) => {
            assert_eq!((whole.code, &whole.message), (pieces.code, &pieces.message));
            super::can_be_shown(whole);
        }
        (whole, pieces) => panic!("whole: {whole:?}, in pieces: {pieces:?}"),
    }
}
