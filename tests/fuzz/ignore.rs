//! `.dockerignore`.

use super::recipe::Recipe;
use slipway_core::ErrorCode;
use slipway_core::dockerignore::Ignore;

/// An ignore file and paths: asking for one path and walking down to it give the same, and what a walker may skip holds nothing
/// that is kept.
pub(super) fn dockerignore(bytes: &[u8]) {
    let mut recipe = Recipe(bytes);
    let file = recipe.bytes();
    let ignore = match Ignore::parse(file) {
        Ok(ignore) => ignore,
        Err(failure) => {
            assert_eq!(failure.code, ErrorCode::BadIgnoreFile);
            super::can_be_shown(&failure);
            return;
        }
    };
    while !recipe.is_empty() {
        let text = recipe.text();
        let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
        if parts.is_empty() || parts.len() > 8 {
            continue;
        }
        let path = parts.join("/");
        let mut state = ignore.root();
        let mut skipped = None;
        for end in 1..parts.len() {
            let folder = parts[..end].join("/");
            let decision = ignore.folder(&state, &folder);
            assert_eq!(decision.ignored, ignore.is_ignored(&folder), "{folder:?} differs");
            assert_eq!(decision.may_skip, ignore.may_skip_folder(&folder), "{folder:?} may be skipped or not");
            if decision.may_skip {
                skipped.get_or_insert(folder);
            }
            state = decision.state;
        }
        let ignored = ignore.file(&state, &path);
        assert_eq!(ignored, ignore.is_ignored(&path), "{path:?} differs");
        if let Some(folder) = skipped {
            assert!(ignored, "{path:?} is kept, and {folder:?} may be skipped");
        }
    }
}
