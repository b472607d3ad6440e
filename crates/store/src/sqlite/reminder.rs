//! Reminders as rows.

use rusqlite::Connection;
use tocsin_core::reminder::Reminder;
use tocsin_core::rows::WriteSet;

use super::failure::Failure;
use super::load::each;
use crate::codec;

/// Writes what a turn changed.
pub(super) fn write(
    connection: &Connection,
    tenant: i64,
    writes: &WriteSet,
) -> Result<(), Failure> {
    for key in &writes.ended_reminders {
        connection
            .prepare_cached(
                "DELETE FROM reminder WHERE tenant = ?1 AND subject = ?2 AND kind = ?3",
            )?
            .execute((tenant, key.subject.to_string(), key.kind.as_str()))?;
    }
    for reminder in &writes.reminders {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO reminder (tenant, subject, kind, due_at, reminder) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                tenant,
                reminder.key.subject.to_string(),
                reminder.key.kind.as_str(),
                reminder.due_at.map(codec::instant),
                serde_json::to_string(reminder)?,
            ))?;
    }
    Ok(())
}

/// Reads all that are kept.
pub(super) fn load(connection: &Connection, tenant: i64) -> Result<Vec<Reminder>, Failure> {
    let sql = "SELECT reminder FROM reminder WHERE tenant = ?1 ORDER BY subject, kind";
    let mut list = Vec::new();
    each(connection, "reminder", sql, (tenant,), |columns| {
        list.push(columns.json(0)?);
        Ok(())
    })?;
    Ok(list)
}
