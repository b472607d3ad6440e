//! What can go wrong inside, before it is known on which file it happened.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::StoreError;

/// The database's own words, or an error that already says everything.
#[derive(Debug)]
pub(super) enum Failure {
    Database(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(StoreError::Database(format!("a value cannot be written as JSON: {error}")))
    }
}

impl Failure {
    /// Names a failed write: whatever room or permission can heal is [`StoreError::Unwritable`].
    pub(super) fn of_write(self, path: &Path) -> StoreError {
        let error = match self {
            Self::Database(error) => error,
            Self::Store(error) => return error,
        };
        let can_heal = matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::ReadOnly
                    | ErrorCode::CannotOpen
                    | ErrorCode::PermissionDenied
            )
        );
        if can_heal { unwritable(path, &error) } else { Self::Database(error).of_read() }
    }

    /// Names a failed read.
    pub(super) fn of_read(self) -> StoreError {
        let error = match self {
            Self::Database(error) => error,
            Self::Store(error) => return error,
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Corrupt { table: "the database file", message: error.to_string() }
            }
            Some(ErrorCode::OperationInterrupted) => {
                StoreError::Database("the query took too long; narrow it".to_owned())
            }
            _ => StoreError::Database(error.to_string()),
        }
    }
}

/// Says that `path` cannot be written and why.
pub(super) fn unwritable(path: &Path, why: &impl ToString) -> StoreError {
    StoreError::Unwritable { path: path.display().to_string(), message: why.to_string() }
}
