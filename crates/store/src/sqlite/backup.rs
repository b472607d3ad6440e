//! Copies of the database: taken while it is in use, checked, and put back.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use tocsin_core::ids::TenantId;

use super::failure::{Failure, unwritable};
use super::lock::DirectoryLock;
use super::{DATABASE_FILE, PAGE_BYTES, connect, load, make_directory, schema};
use crate::StoreError;

/// Files that belong to a database beside the one that is named.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// The most defects of a damaged file that are told.
const MAX_DEFECTS: usize = 5;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The version of its tables.
    pub schema_version: i64,
    /// Alerts whose life is not over.
    pub open_alerts: usize,
    /// Silences, ended ones included.
    pub silences: usize,
    /// Notifications that were not sent yet.
    pub unsent_notifications: usize,
    /// Events of the history.
    pub events: u64,
    /// Incidents, closed ones included.
    pub incidents: u64,
    /// Postmortems.
    pub postmortems: u64,
    /// Action items.
    pub actions: u64,
    /// Articles of the knowledge base, in their newest version each.
    pub articles: u64,
}

/// What became of the database that a restored one replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What was put back.
    pub summary: BackupSummary,
    /// Where the replaced database lies now, if there was one.
    pub kept_as: Option<PathBuf>,
}

/// Copies the database in `directory` to the file `target`, as of one instant between two turns.
///
/// The process that has the directory keeps working meanwhile. The copy is checked before it gets
/// its name, so a file named `target` is always whole.
///
/// # Errors
/// [`StoreError::Unwritable`] when `target` exists and `replace` is not set, or cannot be written;
/// [`StoreError::Damaged`] when the copy does not pass the check.
pub fn back_up(
    directory: &Path,
    target: &Path,
    replace: bool,
) -> Result<BackupSummary, StoreError> {
    let source = directory.join(DATABASE_FILE);
    if !source.exists() {
        return Err(StoreError::Database(format!("there is no database at {}", source.display())));
    }
    if target.exists() && !replace {
        return Err(unwritable(target, &"the file exists already"));
    }
    let part = with_suffix(target, ".part");
    let copied = copy(&source, &part).map_err(|failure| failure.of_write(&part));
    let checked = copied.and_then(|()| check_backup(&part));
    let finished = checked.and_then(|summary| {
        sync_and_rename(&part, target).map_err(|error| unwritable(target, &error))?;
        Ok(summary)
    });
    if finished.is_err() {
        // What is left of it is of no use; that it cannot be removed changes nothing.
        let _ = std::fs::remove_file(&part);
    }
    finished
}

/// Reads a whole backup and says what it holds.
///
/// # Errors
/// [`StoreError::Damaged`] when the file is not a whole database of ours;
/// [`StoreError::TooNew`] when a later release wrote it.
pub fn check_backup(file: &Path) -> Result<BackupSummary, StoreError> {
    let mut connection = open_alone(file).map_err(|failure| damage(file, failure.of_read()))?;
    summary_of(&mut connection, file)
}

/// Reads everything and says what there is.
pub(super) fn summary_of(
    connection: &mut Connection,
    file: &Path,
) -> Result<BackupSummary, StoreError> {
    read_all(connection, file).map_err(|failure| damage(file, failure.of_read()))
}

fn damage(file: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Database(message) | StoreError::Corrupt { message, .. } => {
            StoreError::Damaged { path: file.display().to_string(), message }
        }
        other => other,
    }
}

fn read_all(connection: &mut Connection, file: &Path) -> Result<BackupSummary, Failure> {
    let schema_version = schema::version(connection, file)?;
    let defects = defects(connection)?;
    if !defects.is_empty() {
        return Err(StoreError::Database(defects.join("; ")).into());
    }
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let events: i64 = connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
    let mut summary = BackupSummary {
        bytes: pages.unsigned_abs() * PAGE_BYTES,
        schema_version,
        open_alerts: 0,
        silences: 0,
        unsent_notifications: 0,
        events: events.unsigned_abs(),
        incidents: rows_of(connection, "incident", "tenant, number")?,
        postmortems: rows_of(connection, "postmortem", "tenant, incident")?,
        actions: rows_of(connection, "action_item", "tenant, incident, number")?,
        articles: rows_of(connection, "article", "tenant, number")?,
    };
    for tenant in tenants(connection)? {
        let rows = load::tenant_rows(connection, tenant)?;
        summary.open_alerts += rows.alerts.len();
        summary.silences += rows.silences.len();
        summary.unsent_notifications += rows.outbox.len();
    }
    Ok(summary)
}

/// Counts what a table holds, each thing once; one of an older release may not have it yet.
fn rows_of(
    connection: &Connection,
    table: &'static str,
    key: &'static str,
) -> Result<u64, Failure> {
    if !connection.table_exists(None, table)? {
        return Ok(0);
    }
    let sql = format!("SELECT count(*) FROM (SELECT DISTINCT {key} FROM {table})");
    let count: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Puts a backup into `directory`, whose process must have ended. A database that is there is kept
/// under another name that ends in `label`.
///
/// # Errors
/// As [`check_backup`]; [`StoreError::Unwritable`] when a process has the directory, or when there
/// is a database already and `replace` is not set. The directory is as it was then.
pub fn restore(
    file: &Path,
    directory: &Path,
    replace: bool,
    label: &str,
) -> Result<Restored, StoreError> {
    let summary = check_backup(file)?;
    make_directory(directory).map_err(|error| unwritable(directory, &error))?;
    let _lock = DirectoryLock::take(directory)?;
    let target = directory.join(DATABASE_FILE);
    if target.exists() && !replace {
        return Err(unwritable(&target, &"there is a database already"));
    }
    let part = with_suffix(&target, ".restoring");
    let put = || -> std::io::Result<Option<PathBuf>> {
        std::fs::copy(file, &part)?;
        let kept_as = if target.exists() { Some(set_aside(&target, label)?) } else { None };
        sync_and_rename(&part, &target)?;
        Ok(kept_as)
    };
    let kept_as = put().map_err(|error| unwritable(&target, &error))?;
    Ok(Restored { summary, kept_as })
}

fn copy(source: &Path, target: &Path) -> Result<(), Failure> {
    let from = connect::reader(source)?;
    schema::version(&from, source)?;
    // What an attempt before left would be taken for a database to be overwritten page by page.
    let _ = std::fs::remove_file(target);
    let mut to = Connection::open(target)?;
    {
        let backup = Backup::new(&from, &mut to)?;
        // In one step: a copy in several would begin anew with every turn that is written
        // meanwhile. Turns go on, readers do not hold them up.
        match backup.step(-1)? {
            StepResult::Done => {}
            other => {
                let why = format!("the copy of {} stopped: {other:?}", source.display());
                return Err(StoreError::Database(why).into());
            }
        }
    }
    // One file with nothing beside it.
    to.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
    to.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Opens a file that nobody else has, and writes nothing beside it.
fn open_alone(file: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let path = file.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Ok(Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?)
}

fn defects(connection: &Connection) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let limit = i64::try_from(MAX_DEFECTS).unwrap_or(i64::MAX);
    connection.pragma(None, "integrity_check", limit, |row| {
        let text: String = row.get(0)?;
        if text != "ok" {
            found.push(text);
        }
        Ok(())
    })?;
    Ok(found)
}

fn tenants(connection: &Connection) -> Result<Vec<TenantId>, Failure> {
    let mut query = connection.prepare("SELECT tenant FROM highest_number ORDER BY tenant")?;
    let tenants = query.query_map([], |row| Ok(TenantId(row.get::<_, i64>(0)?.cast_unsigned())))?;
    Ok(tenants.collect::<Result<_, _>>()?)
}

/// Renames a database with its companions; returns its new name.
fn set_aside(database: &Path, label: &str) -> std::io::Result<PathBuf> {
    let aside = with_suffix(database, &format!(".{label}"));
    for companion in COMPANIONS {
        let beside = with_suffix(database, companion);
        if beside.exists() {
            std::fs::rename(&beside, with_suffix(&aside, companion))?;
        }
    }
    std::fs::rename(database, &aside)?;
    Ok(aside)
}

/// Gives a file its name such that power loss leaves either the old or the whole new one.
fn sync_and_rename(from: &Path, to: &Path) -> std::io::Result<()> {
    File::open(from)?.sync_all()?;
    std::fs::rename(from, to)?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
