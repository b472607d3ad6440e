//! Reads the columns of a row; what is not as expected names its table.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use serde::Deserialize;
use tocsin_core::labels::Fingerprint;

use super::failure::Failure;
use crate::{StoreError, codec};

/// One row of `table`.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    table: &'static str,
}

impl<'r> Columns<'r> {
    pub(super) fn new(row: &'r Row<'r>, table: &'static str) -> Self {
        Self { row, table }
    }

    /// Returns the same row, its columns seen as those of `table`: for joins.
    pub(super) fn of(&self, table: &'static str) -> Self {
        Self { row: self.row, table }
    }

    /// Says that the row cannot be read.
    pub(super) fn corrupt(&self, message: impl Into<String>) -> Failure {
        StoreError::Corrupt { table: self.table, message: message.into() }.into()
    }

    fn unexpected(&self, column: usize, found: &str) -> Failure {
        let name = self.row.as_ref().column_name(column).unwrap_or("?");
        self.corrupt(format!("column {name} is {found}"))
    }

    fn value(&self, column: usize) -> Result<ValueRef<'r>, Failure> {
        Ok(self.row.get_ref(column)?)
    }

    pub(super) fn is_null(&self, column: usize) -> Result<bool, Failure> {
        Ok(matches!(self.value(column)?, ValueRef::Null))
    }

    pub(super) fn integer(&self, column: usize) -> Result<i64, Failure> {
        match self.value(column)? {
            ValueRef::Integer(value) => Ok(value),
            other => {
                Err(self.unexpected(column, &format!("{} instead of a number", other.data_type())))
            }
        }
    }

    pub(super) fn real(&self, column: usize) -> Result<f64, Failure> {
        match self.value(column)? {
            ValueRef::Real(value) => Ok(value),
            other => {
                Err(self.unexpected(column, &format!("{} instead of a number", other.data_type())))
            }
        }
    }

    pub(super) fn number(&self, column: usize) -> Result<u64, Failure> {
        self.integer(column).map(i64::cast_unsigned)
    }

    pub(super) fn flag(&self, column: usize) -> Result<bool, Failure> {
        match self.integer(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.unexpected(column, &format!("{other} instead of 0 or 1"))),
        }
    }

    pub(super) fn instant(&self, column: usize) -> Result<Timestamp, Failure> {
        let stored = self.integer(column)?;
        codec::read_instant(stored)
            .ok_or_else(|| self.unexpected(column, &format!("{stored}, which is no instant")))
    }

    pub(super) fn optional_instant(&self, column: usize) -> Result<Option<Timestamp>, Failure> {
        if self.is_null(column)? { Ok(None) } else { self.instant(column).map(Some) }
    }

    pub(super) fn text(&self, column: usize) -> Result<&'r str, Failure> {
        match self.value(column)? {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes)
                .map_err(|_| self.unexpected(column, "text that is not UTF-8")),
            other => {
                Err(self.unexpected(column, &format!("{} instead of text", other.data_type())))
            }
        }
    }

    pub(super) fn optional_text(&self, column: usize) -> Result<Option<&'r str>, Failure> {
        if self.is_null(column)? { Ok(None) } else { self.text(column).map(Some) }
    }

    pub(super) fn bytes(&self, column: usize) -> Result<&'r [u8], Failure> {
        match self.value(column)? {
            ValueRef::Blob(bytes) => Ok(bytes),
            other => {
                Err(self.unexpected(column, &format!("{} instead of bytes", other.data_type())))
            }
        }
    }

    pub(super) fn fingerprints(&self, column: usize) -> Result<Vec<Fingerprint>, Failure> {
        codec::read_fingerprints(self.bytes(column)?)
            .ok_or_else(|| self.unexpected(column, "no list of fingerprints"))
    }

    pub(super) fn json<T: Deserialize<'r>>(&self, column: usize) -> Result<T, Failure> {
        serde_json::from_str(self.text(column)?)
            .map_err(|error| self.unexpected(column, &format!("JSON that cannot be read: {error}")))
    }
}

/// Text that was just written by a serialiser, which need not be checked again.
pub(super) struct Json<'a>(pub(super) &'a [u8]);

impl ToSql for Json<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}
