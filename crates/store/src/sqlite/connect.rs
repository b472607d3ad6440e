//! Opens connections, each for one purpose.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::Failure;
use super::{PAGE_BYTES, checkpoint};
use crate::StoreError;

/// How long a connection waits for another one. The writer is the only one that writes, so this
/// covers only the moments in which the log starts over.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Statements a connection keeps compiled; more than there are.
const MAX_STATEMENTS: usize = 64;

/// What the writer keeps of the file in memory: the ends of the tables, which every turn
/// touches, and the states of some hundred thousand open alerts.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// What each reader keeps in memory; the operating system's cache holds the rest.
const READER_CACHE_KIB: i64 = 2 * 1024;

/// Opens the connection that writes; makes the file when there is none.
pub(super) fn writer(path: &Path) -> Result<Connection, StoreError> {
    configure_writer(path).map_err(|failure| failure.of_write(path))
}

fn configure_writer(path: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    // Has an effect only before the first page is written.
    connection.pragma_update(None, "page_size", PAGE_BYTES.cast_signed())?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Database(format!(
            "{} cannot have a write-ahead log (journal mode is {mode})",
            path.display()
        ))
        .into());
    }
    // A turn is answered only once it is on the disk.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(
        None,
        "journal_size_limit",
        checkpoint::MAX_KEPT_LOG_BYTES.cast_signed(),
    )?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

/// Opens a connection that only checkpoints.
pub(super) fn checkpointer(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let prepare = || -> Result<Connection, Failure> {
        let connection = open(path, flags)?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(connection)
    };
    prepare().map_err(|failure| failure.of_write(path))
}

/// Opens a connection that cannot write.
pub(super) fn reader(path: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, Failure> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(MAX_WAIT)?;
    connection.set_prepared_statement_cache_capacity(MAX_STATEMENTS);
    // An orderly end empties the log itself; without one, the log is the record, as after a crash.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}
