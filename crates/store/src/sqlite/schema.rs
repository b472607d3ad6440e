//! The tables, as numbered steps that only go forward.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::failure::Failure;
use crate::StoreError;

/// Every step since the first release, in order; a released one never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_alerts_groups_and_history.sql"),
    include_str!("../../migrations/sqlite/0002_acknowledgements.sql"),
    include_str!("../../migrations/sqlite/0003_doubted_pages.sql"),
    include_str!("../../migrations/sqlite/0004_identity_and_audit.sql"),
    include_str!("../../migrations/sqlite/0005_escalations.sql"),
    include_str!("../../migrations/sqlite/0006_schedules.sql"),
    include_str!("../../migrations/sqlite/0007_incidents.sql"),
    include_str!("../../migrations/sqlite/0008_reminders.sql"),
    include_str!("../../migrations/sqlite/0009_lessons.sql"),
    include_str!("../../migrations/sqlite/0010_incident_lists.sql"),
    include_str!("../../migrations/sqlite/0011_runbooks.sql"),
    include_str!("../../migrations/sqlite/0012_mentions.sql"),
];

/// Marks a file as ours ("tocs"), so that no other program's database is migrated by mistake.
const APPLICATION_ID: i64 = 0x746f_6373;

/// Brings the database to the newest version, one transaction per step.
///
/// # Errors
/// [`StoreError::TooNew`] when a later release wrote it.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Failure> {
    let found = version(connection, path)?;
    for (step, version) in MIGRATIONS.iter().zip(1..).skip_while(|(_, version)| *version <= found) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
        tracing::info!(version, "database migrated to schema version {version}");
    }
    Ok(())
}

/// Returns the version of the tables; 0 for an empty file.
///
/// # Errors
/// [`StoreError::TooNew`] when a later release wrote it, and when it is another program's.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<i64, Failure> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::TooNew { path: path.display().to_string(), found, known }.into());
    }
    refuse_a_foreign_file(connection, path)?;
    Ok(found)
}

fn refuse_a_foreign_file(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let is_empty = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?
        == 0;
    if id == APPLICATION_ID || is_empty {
        return Ok(());
    }
    Err(StoreError::Database(format!(
        "{} is a database of another program; choose another data directory",
        path.display()
    ))
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns every table and index as the database remembers it, tables before their indexes.
    fn dump(connection: &Connection) -> String {
        let mut query = connection
            .prepare(
                // What the index of words keeps for itself is made with it.
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL \
                     AND tbl_name NOT LIKE 'knowledge\\_text\\_%' ESCAPE '\\' \
                 ORDER BY tbl_name, type DESC, name",
            )
            .unwrap();
        let statements: Vec<String> =
            query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let head = "-- Today's tables: what all migrations together make. A test proves it;\n\
                    -- UPDATE_EXPECT=1 cargo test -p tocsin-store rewrites it.\n";
        format!("{head}\n{};\n", statements.join(";\n\n"))
    }

    #[test]
    fn the_schema_file_equals_all_migrations() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Path::new("memory")).unwrap();
        let found = dump(&connection);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.sql");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&file, &found).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), found);
    }

    #[test]
    fn the_schema_file_makes_the_same_tables() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("../../schema.sql")).unwrap();
        assert_eq!(dump(&connection), include_str!("../../schema.sql"));
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Path::new("memory")).unwrap();
        let once = dump(&connection);
        migrate(&mut connection, Path::new("memory")).unwrap();
        assert_eq!(dump(&connection), once);
    }

    #[test]
    fn another_programs_database_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
        let error = migrate(&mut connection, Path::new("their.db")).unwrap_err().of_read();
        assert!(error.to_string().contains("their.db is a database of another program"));
    }
}
