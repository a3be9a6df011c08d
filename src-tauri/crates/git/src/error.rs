//! From the errors of the git libraries to the closed list of failures.

use git2::{ErrorClass, ErrorCode as Git2Code};
use slipway_core::{ErrorCode, Failure};

/// Text from outside without control characters and of limited length, for a message.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect::<String>().trim().to_owned()
}

/// A library error while a mirror was read or written: what the mirror must hold is missing or broken.
pub(crate) fn in_mirror(error: &git2::Error) -> Failure {
    let damaged = matches!(
        error.class(),
        ErrorClass::Odb
            | ErrorClass::Zlib
            | ErrorClass::Object
            | ErrorClass::Tree
            | ErrorClass::Indexer
            | ErrorClass::Reference
            | ErrorClass::Repository
            | ErrorClass::Config
    ) || error.code() == Git2Code::NotFound;
    if damaged {
        Failure::new(ErrorCode::MirrorDamaged, format!("the mirror is damaged: {}", plain(error.message())))
    } else {
        Failure::internal(format!("git failed: {}", plain(error.message())))
    }
}

/// A library error while a clone on this machine was read.
pub(crate) fn in_clone(error: &git2::Error) -> Failure {
    Failure::new(ErrorCode::SourceServerError, format!("the clone cannot be read: {}", plain(error.message())))
}

/// An object that the mirror must hold cannot be read.
pub(crate) fn broken_object(id: impl std::fmt::Display, error: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::MirrorDamaged, format!("object {id} cannot be read: {}", plain(&error.to_string())))
}

/// An input or output error in the data folder.
pub(crate) fn on_disk(what: &str, error: &std::io::Error) -> Failure {
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorCode::DiskFull,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => ErrorCode::DataReadOnly,
        _ => ErrorCode::Internal,
    };
    Failure::new(code, format!("{what}: {error}"))
}

/// The failure for a commit or ref that is not there.
pub(crate) fn not_found(what: &str) -> Failure {
    Failure::new(ErrorCode::RefNotFound, format!("{what} is not in the repository")).with("ref", what)
}
