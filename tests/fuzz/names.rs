//! Names of images and tags.

use super::recipe::Recipe;
use slipway_core::ErrorCode;
use slipway_core::build::BuildNumber;
use slipway_core::code::{CommitId, RefName};
use slipway_core::image::{ImageReference, Tag};
use slipway_core::naming::{TagContext, clean_tag, render_tags};
use slipway_core::rule::VersionRule;
use std::collections::BTreeMap;

/// What stands after `FROM`: written out and read again it is the same, in plain characters.
pub(super) fn image_reference(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match ImageReference::parse(&text) {
        Ok(reference) => {
            let written = reference.to_string();
            assert!(written.bytes().all(|byte| byte.is_ascii_graphic()), "{written:?} has odd characters");
            let again = ImageReference::parse(&written).unwrap_or_else(|failure| panic!("{written:?}: {failure}"));
            assert_eq!(again, reference, "{text:?} is written as {written:?}");
            assert!(written.starts_with(&reference.repository()));
            assert!(reference.name.as_str().split('/').all(|part| !matches!(part, "" | "." | "..")));
        }
        Err(failure) => super::can_be_shown(&failure),
    }
}

/// A branch's name in a tag: legal, of legal length, and the same each time.
pub(super) fn tag_name(bytes: &[u8]) {
    let mut recipe = Recipe(bytes);
    let (text, templates) = (recipe.text(), [recipe.text(), recipe.text()]);
    if let Some(tag) = clean_tag(&text, &text) {
        assert_eq!(Tag::new(tag.as_str()).expect("a clean tag is legal"), tag);
        assert_eq!(clean_tag(tag.as_str(), &text), Some(tag), "a clean tag stays as it is");
    }
    let Ok(name) = RefName::branch(&text) else { return };
    let commit = CommitId::new("0123456789abcdef0123456789abcdef01234567").expect("it is one");
    let groups = BTreeMap::from([("1".to_owned(), text.clone())]);
    let context = TagContext {
        ref_name: Some(&name),
        commit: Some(&commit),
        number: BuildNumber(7),
        started_at: chrono::DateTime::UNIX_EPOCH,
        offset_seconds: 3600,
        groups: &groups,
    };
    let rule = VersionRule::Templates { templates: templates.to_vec() };
    match render_tags(&rule, &context) {
        Ok(tags) => {
            assert!(!tags.is_empty());
            for tag in &tags {
                assert!(Tag::new(tag.as_str()).is_ok(), "{tag} is no legal tag");
            }
            assert_eq!(render_tags(&rule, &context).expect("it was rendered before"), tags);
        }
        Err(failure) => {
            assert_eq!(failure.code, ErrorCode::BadTagTemplate);
            super::can_be_shown(&failure);
        }
    }
}
