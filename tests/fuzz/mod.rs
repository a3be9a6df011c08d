//! What must hold for every byte that comes from outside: one target per parser. `make fuzz` feeds them for minutes with coverage
//! to guide it; what it once found, and a few seeds, lie in `tests/fuzz/corpus` and are fed again by an ordinary test.

mod archives;
mod callbacks;
mod configuration;
mod engine;
mod git;
mod ignore;
mod kubernetes;
mod names;
mod output;
mod recipe;
mod registry;

use slipway_core::Failure;

/// A parser with what must hold for it.
#[derive(Debug)]
pub struct Target {
    /// Its name, and that of its folder in the corpus.
    pub name: &'static str,
    /// Bytes of the longest input that is tried.
    pub longest: usize,
    /// Feeds it; panics where something does not hold.
    pub feed: fn(&[u8]),
}

const fn target(name: &'static str, longest: usize, feed: fn(&[u8])) -> Target {
    Target { name, longest, feed }
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("git_packets", 4096, git::packets),
    target("git_refs", 4096, git::refs),
    target("git_modules", 2048, git::modules),
    target("ssh_address", 512, git::ssh_address),
    target("dockerignore", 2048, ignore::dockerignore),
    target("dockerfile", 4096, engine::dockerfile),
    target("image_reference", 512, names::image_reference),
    target("tag_name", 1024, names::tag_name),
    target("image_config", 4096, registry::image_config),
    target("registry_answer", 2048, registry::answer),
    target("registry_headers", 1024, registry::headers),
    target("build_status", 4096, engine::build_status),
    target("push_report", 4096, engine::push_report),
    target("log_lines", 4096, output::log_lines),
    target("shown_text", 1024, output::shown_text),
    target("masked_text", 2048, output::masked_text),
    target("webhook_body", 2048, callbacks::webhook_body),
    target("webhook_head", 1024, callbacks::webhook_head),
    target("oauth_callback", 2048, callbacks::oauth_callback),
    target("kubeconfig", 4096, kubernetes::kubeconfig),
    target("configuration_file", 4096, configuration::file),
    target("context_archive", 8192, archives::context),
    target("image_archive", 8192, archives::image),
];

/// Finds a target by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// A failure is shown to people: bounded, without characters that a terminal or an eye would be deceived by.
fn can_be_shown(failure: &Failure) {
    for words in std::iter::once(&failure.message).chain(failure.details.values()) {
        is_plain(&words.replace(['\n', '\t'], " "));
        assert!(!words.contains(HIDDEN), "hidden characters are shown: {words:?}");
        assert!(words.len() < 256 * 1024, "{} bytes of words", words.len());
    }
}

/// Characters that hide something or turn the reading direction; not all of them.
const HIDDEN: [char; 8] = ['\u{202e}', '\u{2066}', '\u{2069}', '\u{200b}', '\u{feff}', '\u{61c}', '\u{ad}', '\u{2028}'];

fn is_plain(text: &str) {
    assert!(!text.chars().any(char::is_control), "control characters are shown: {text:?}");
}
