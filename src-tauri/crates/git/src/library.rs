//! One-time settings of libgit2.

use std::sync::Once;

/// Makes libgit2 ignore everything outside the repositories it is given. Called before each first use; only the first call acts.
#[allow(unsafe_code)]
pub(crate) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: these functions write global settings of libgit2 and must not race with other uses of it. This crate is
        // the only user, every use comes after this call, and `Once` lets nobody pass before it has ended.
        //
        // No system or user configuration: what a repository means does not depend on the machine (T12). A clone that
        // belongs to another user may be opened: the user chose the folder, and nothing from its configuration or hooks is
        // ever executed here, which is what the check protects from.
        let done = unsafe {
            use git2::ConfigLevel::{Global, ProgramData, System, XDG};
            [System, Global, XDG, ProgramData]
                .into_iter()
                .try_for_each(|level| git2::opts::set_search_path(level, ""))
                .and_then(|()| git2::opts::set_verify_owner_validation(false))
        };
        if let Err(error) = done {
            tracing::warn!(%error, "libgit2 did not take its settings");
        }
    });
}
