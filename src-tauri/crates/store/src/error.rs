//! What can go wrong in the store.

use slipway_core::{ErrorCode, Failure};
use sqlx::error::ErrorKind;
use std::path::PathBuf;

/// An error of the store. Becomes a [`Failure`] at the border.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such row (any more).
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of object.
        what: &'static str,
        /// What was looked for.
        id: String,
    },
    /// A unique name exists already.
    #[error("the name is taken")]
    NameTaken {
        /// The field of the request.
        field: &'static str,
    },
    /// Something else still uses the object.
    #[error("the {what} is still in use")]
    InUse {
        /// The kind of object.
        what: &'static str,
    },
    /// The object's state does not allow this.
    #[error("{0}")]
    WrongState(String),
    /// The disk of the data folder is full.
    #[error("the disk of the data folder is full")]
    DiskFull,
    /// The data folder cannot be written.
    #[error("the data folder cannot be written: {0}")]
    ReadOnly(String),
    /// The database is damaged.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The database was written by a newer Slipway.
    #[error("the database has schema {found}, this Slipway knows schemas up to {known}")]
    Newer {
        /// Schema of the file.
        found: i64,
        /// Newest schema of this binary.
        known: i64,
    },
    /// Another process holds the data folder's lock.
    #[error("another Slipway uses the data folder {0}")]
    AlreadyRunning(PathBuf),
    /// The SQLite inside is older than the first one without the WAL-reset bug.
    #[error("SQLite {0} is too old, 3.51.3 or newer is needed")]
    OldSqlite(String),
    /// A stored value cannot be read back.
    #[error("column {column} cannot be read: {why}")]
    BadRow {
        /// The column.
        column: &'static str,
        /// Why.
        why: String,
    },
    /// A value cannot be stored.
    #[error("a value cannot be stored: {0}")]
    BadValue(#[from] serde_json::Error),
    /// A file operation failed.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A migration failed; the database is as it was before it.
    #[error("migration: {0}")]
    Migration(sqlx::migrate::MigrateError),
    /// Any other error of the database.
    #[error("database: {0}")]
    Database(sqlx::Error),
}

// Primary result codes of SQLite (sqlite.org/rescode.html); extended codes carry them in the lowest byte.
const SQLITE_READONLY: i32 = 8;
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_NOTADB: i32 = 26;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|e| e.code()).and_then(|code| code.parse::<i32>().ok());
        match code.map(|code| code & 0xff) {
            Some(SQLITE_READONLY) => Self::ReadOnly(error.to_string()),
            Some(SQLITE_FULL) => Self::DiskFull,
            Some(SQLITE_CORRUPT | SQLITE_NOTADB) => Self::Corrupt(error.to_string()),
            _ => Self::Database(error),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError;
        match error {
            MigrateError::Execute(inner) | MigrateError::ExecuteMigration(inner, _) => match Self::from(inner) {
                Self::Database(inner) => Self::Migration(MigrateError::Execute(inner)),
                exact => exact,
            },
            other => Self::Migration(other),
        }
    }
}

impl StoreError {
    /// Makes the error of a row that is not there.
    pub(crate) fn not_found(what: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    /// Makes the error of a file operation, with full disks and missing rights told apart.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly(format!("{action} {}: {source}", path.display()))
            }
            _ => Self::Io { action, path, source },
        }
    }

    /// Returns true when a unique index refused a row.
    pub(crate) fn is_unique_violation(&self) -> bool {
        self.is_kind(&ErrorKind::UniqueViolation)
    }

    fn is_kind(&self, kind: &ErrorKind) -> bool {
        matches!(self, Self::Database(error) if error.as_database_error().is_some_and(|e| e.kind() == *kind))
    }

    /// Turns a refusal by a unique index into "name taken" at this field.
    pub(crate) fn name_taken_at(self, field: &'static str) -> Self {
        if self.is_unique_violation() { Self::NameTaken { field } } else { self }
    }

    /// Turns a refusal by a foreign key into "in use".
    pub(crate) fn in_use_as(self, what: &'static str) -> Self {
        if self.is_kind(&ErrorKind::ForeignKeyViolation) { Self::InUse { what } } else { self }
    }

    /// Returns the code at the border.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::NameTaken { .. } => ErrorCode::NameTaken,
            Self::InUse { .. } => ErrorCode::InUse,
            Self::WrongState(_) => ErrorCode::WrongState,
            Self::DiskFull => ErrorCode::DiskFull,
            Self::ReadOnly(_) => ErrorCode::DataReadOnly,
            Self::Corrupt(_) | Self::BadRow { .. } => ErrorCode::DatabaseCorrupt,
            Self::Newer { .. } => ErrorCode::DatabaseNewer,
            Self::AlreadyRunning(_) => ErrorCode::AlreadyRunning,
            Self::OldSqlite(_) | Self::BadValue(_) | Self::Io { .. } | Self::Migration(_) | Self::Database(_) => {
                ErrorCode::Internal
            }
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Failure::new(error.code(), error.to_string());
        match &error {
            StoreError::NameTaken { field } => failure.at(*field),
            StoreError::NotFound { what, id } => failure.with("what", *what).with("id", id.as_str()),
            StoreError::InUse { what } => failure.with("what", *what),
            StoreError::Newer { found, known } => {
                failure.with("found", found.to_string()).with("known", known.to_string())
            }
            _ => failure,
        }
    }
}
