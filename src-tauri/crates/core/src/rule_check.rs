//! What must be true of a rule before it is saved, as far as the rule alone tells; the pre-flight check asks the outside
//! (`product.md` section 4). Every problem stands beside its field: paths begin with `spec.`, those of
//! [`BuildOptions::check`] with the prefix that the caller gives.

use crate::code::RefName;
use crate::image::Platform;
use crate::matching::{TriggerMatcher, compile_regex};
use crate::paths::PathMatcher;
use crate::rule::{BuildOptions, NameValue, RuleSpec, VersionRule};
use crate::{ErrorCode, Failure, naming};
use std::collections::BTreeSet;

/// Longest name of a rule, in characters.
const LONGEST_NAME: usize = 64;
/// Shortest and longest deadline of the build stage, in seconds.
const TIMEOUT_SECONDS: std::ops::RangeInclusive<u32> = 10..=24 * 60 * 60;
/// Words in an argument's name that mean that its value is no argument but a secret.
const CREDENTIAL_WORDS: [&str; 14] = [
    "apikey",
    "auth",
    "credential",
    "credentials",
    "key",
    "passphrase",
    "passwd",
    "password",
    "pat",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
];

impl RuleSpec {
    /// Returns everything that is wrong with the rule; it can be saved when that is nothing.
    #[must_use]
    pub fn check(&self) -> Vec<Failure> {
        let mut found = Vec::new();
        let length = self.name.chars().count();
        if self.name.trim() != self.name || !(1..=LONGEST_NAME).contains(&length) {
            let why = format!("a rule's name has 1 to {LONGEST_NAME} characters, without white space at its ends");
            found.push(invalid("name", why));
        } else if self.name.chars().any(char::is_control) {
            found.push(invalid("name", "a rule's name has no control characters"));
        }
        for (index, branch) in self.triggers.branches.iter().enumerate() {
            found
                .extend(RefName::branch(branch).err().map(|failure| failure.at(format!("triggers.branches[{index}]"))));
        }
        found.extend(TriggerMatcher::new(&self.triggers).err());
        found.extend(PathMatcher::new(&self.paths).err());
        found.extend(naming::validate(&self.version, &self.pattern_groups()).err());
        if self.dockerfile_path.is_root() {
            let why = "the path of the Dockerfile is empty";
            found.push(Failure::new(ErrorCode::BadRepositoryPath, why).at("dockerfile_path"));
        }
        found.extend(self.options.check("options"));
        found.into_iter().map(|failure| under("spec", failure)).collect()
    }

    /// Returns what a person should know although the rule can be saved.
    #[must_use]
    pub fn warnings(&self) -> Vec<Failure> {
        let mut found = self.options.warnings("options");
        if let (VersionRule::Templates { templates }, None) = (&self.version, &self.overwrite_tag)
            && templates.iter().all(|template| !template.contains('{'))
        {
            let why = "every build of this rule gets the same tags";
            found.push(invalid("version", why).with("warning", "fixed_tags"));
        }
        found.into_iter().map(|failure| under("spec", failure)).collect()
    }

    /// Numbers and names of the pattern's groups; none when it does not compile, which is reported by itself.
    fn pattern_groups(&self) -> Vec<String> {
        let pattern = self.triggers.pattern.as_deref().and_then(|text| compile_regex(text, "").ok());
        let Some(pattern) = pattern else { return Vec::new() };
        let named = pattern.capture_names().flatten().map(str::to_owned);
        (1..pattern.captures_len()).map(|number| number.to_string()).chain(named).collect()
    }
}

impl BuildOptions {
    /// Returns everything that is wrong with the options; `prefix` is where they stand in the request.
    #[must_use]
    pub fn check(&self, prefix: &str) -> Vec<Failure> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, platform) in self.platforms.iter().enumerate() {
            let field = format!("platforms[{index}]");
            if let Err(failure) = platform.to_string().parse::<Platform>() {
                found.push(failure.at(field));
            } else if !seen.insert(platform) {
                found.push(invalid(field, format!("{platform} is there twice")));
            }
        }
        check_names(&self.args, "args", is_argument_name, "letters, digits and '_', no digit first", &mut found);
        let label_rule = "lower-case letters, digits, '.', '-', '_' and '/', a letter or digit at both ends";
        check_names(&self.labels, "labels", is_label_key, label_rule, &mut found);
        for (index, label) in self.labels.iter().enumerate().filter(|(_, label)| label.name.starts_with("slipway.")) {
            let why = format!("{:?}: labels under slipway. are Slipway's own", label.name);
            found.push(invalid(format!("labels[{index}].name"), why));
        }
        let mut ids = BTreeSet::new();
        for (index, secret) in self.secrets.iter().enumerate() {
            let field = format!("secrets[{index}].id");
            if !is_secret_id(&secret.id) {
                found.push(invalid(field, "a secret's id has letters, digits, '.', '-' and '_', at most 128"));
            } else if !ids.insert(&secret.id) {
                found.push(invalid(field, format!("{:?} is there twice", secret.id)));
            }
        }
        if self.target.as_deref().is_some_and(|target| !is_stage_name(target)) {
            found.push(invalid("target", "a stage has letters, digits, '.', '-' and '_', or is a number"));
        }
        if self.timeout_seconds.is_some_and(|seconds| !TIMEOUT_SECONDS.contains(&seconds)) {
            found.push(invalid("timeout_seconds", "the deadline is between 10 seconds and 24 hours"));
        }
        if self.engine.as_deref().is_some_and(|engine| !is_engine_name(engine)) {
            found.push(invalid("engine", "an engine is local or context:<name>"));
        }
        found.into_iter().map(|failure| under(prefix, failure)).collect()
    }

    /// Returns what a person should know although the options can be saved: arguments that look like credentials, which
    /// everybody can read in the image's history.
    #[must_use]
    pub fn warnings(&self, prefix: &str) -> Vec<Failure> {
        let suspects = self.args.iter().enumerate().filter(|(_, argument)| looks_like_credential(&argument.name));
        suspects
            .map(|(index, argument)| {
                let why = format!("{:?} looks like a credential: arguments are visible, use a secret", argument.name);
                let failure = invalid(format!("args[{index}].name"), why).with("warning", "credential_argument");
                under(prefix, failure.with("name", &argument.name))
            })
            .collect()
    }
}

/// Returns whether a build argument's name says that its value is secret: `NPM_TOKEN`, `DbPassword`, but not `PUBLIC_KEY`.
#[must_use]
pub fn looks_like_credential(name: &str) -> bool {
    let mut words = String::new();
    let mut before_is_lower = false;
    for c in name.chars() {
        if before_is_lower && c.is_ascii_uppercase() {
            words.push('_');
        }
        before_is_lower = c.is_ascii_lowercase();
        words.push(c.to_ascii_lowercase());
    }
    let mut words = words.split(|c: char| !c.is_ascii_alphabetic());
    let is_credential = |word: &str| CREDENTIAL_WORDS.contains(&word) || word.ends_with("password");
    words.clone().any(is_credential) && !words.any(|word| word == "public")
}

fn invalid(field: impl Into<String>, why: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::InvalidField, why).at(field)
}

fn under(prefix: &str, mut failure: Failure) -> Failure {
    failure.field = failure.field.map(|field| format!("{prefix}.{field}"));
    failure
}

fn check_names(
    pairs: &[NameValue],
    field: &str,
    is_legal: fn(&str) -> bool,
    characters: &str,
    found: &mut Vec<Failure>,
) {
    let mut seen = BTreeSet::new();
    for (index, NameValue { name, value }) in pairs.iter().enumerate() {
        let at = format!("{field}[{index}].name");
        if !is_legal(name) {
            found.push(invalid(at, format!("{name:?} is no legal name: {characters}")));
        } else if !seen.insert(name) {
            found.push(invalid(at, format!("{name:?} is there twice")));
        }
        if value.contains('\0') {
            found.push(invalid(format!("{field}[{index}].value"), "the value holds a NUL character"));
        }
    }
}

fn is_argument_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= 256
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Docker's guidelines for label keys, and `/`, which others use.
fn is_label_key(name: &str) -> bool {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.starts_with(is_end)
        && name.ends_with(is_end)
        && name.len() <= 256
        && name.chars().all(|c| is_end(c) || matches!(c, '.' | '-' | '_' | '/'))
}

fn is_word_of(text: &str, first: fn(u8) -> bool) -> bool {
    text.len() <= 128
        && text.bytes().next().is_some_and(first)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

fn is_secret_id(id: &str) -> bool {
    is_word_of(id, |b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
}

/// A stage's name (a letter first, as BuildKit wants it) or its number.
fn is_stage_name(target: &str) -> bool {
    is_word_of(target, |b| b.is_ascii_alphabetic())
        || (!target.is_empty() && target.len() <= 4 && target.bytes().all(|b| b.is_ascii_digit()))
}

/// Context names as the Docker client allows them.
fn is_engine_name(engine: &str) -> bool {
    let is_context = |name: &str| {
        name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+'))
    };
    engine == "local" || engine.strip_prefix("context:").is_some_and(is_context)
}

#[cfg(test)]
mod tests;
