//! Schedules, what changes them, and who really was on call.

use rusqlite::{Connection, named_params};
use tocsin_core::ids::TenantId;
use tocsin_core::oncall::{
    Changed, FixedBlock, ImportRow, OnCallRows, OnCallWrites, Override, RECORDS_IN_MEMORY,
    ShiftRecord, SwapRequest,
};

use super::failure::Failure;
use super::identity::Table;
use super::load::{documents, each};
use crate::{MAX_SHIFT_RECORDS_PER_QUERY, ShiftQuery, codec};

/// Writes what changed of who is on call.
pub(super) fn write(
    connection: &Connection,
    tenant: i64,
    writes: &OnCallWrites,
) -> Result<(), Failure> {
    if writes.is_empty() {
        return Ok(());
    }
    let table = |table, key, column| Table { connection, tenant, table, key, column };
    let schedules = writes.schedules.iter().map(|(name, row)| (&**name, row));
    table("schedule", "name", "schedule").write(schedules)?;
    let overrides = writes.overrides.iter().map(|(id, row)| (id.to_string(), row));
    table("schedule_override", "id", "override").write(overrides)?;
    let blocks = writes.blocks.iter().map(|(id, row)| (id.to_string(), row));
    table("schedule_block", "id", "block").write(blocks)?;
    let swaps = writes.swaps.iter().map(|(id, row)| (id.to_string(), row));
    table("shift_swap", "id", "swap").write(swaps)?;
    let absences = writes.absences.iter().map(|(id, row)| (id.to_string(), row));
    table("absence", "id", "absence").write(absences)?;
    let feeds = writes.feeds.iter().map(|(id, row)| (id.to_string(), row));
    table("calendar_feed", "id", "feed").write(feeds)?;
    write_imports(connection, tenant, &writes.imports)?;
    write_records(connection, tenant, &writes.records)
}

fn write_imports<K>(
    connection: &Connection,
    tenant: i64,
    imports: &Changed<(K, K), ImportRow>,
) -> Result<(), Failure>
where
    K: AsRef<str> + Ord,
{
    let mut replace = connection.prepare_cached(
        "INSERT OR REPLACE INTO calendar_import (tenant, schedule, name, import) \
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut delete = connection.prepare_cached(
        "DELETE FROM calendar_import WHERE tenant = ?1 AND schedule = ?2 AND name = ?3",
    )?;
    for ((schedule, name), row) in imports {
        let (schedule, name) = (schedule.as_ref(), name.as_ref());
        match row {
            Some(row) => {
                replace.execute((tenant, schedule, name, serde_json::to_string(row)?))?;
            }
            None => {
                delete.execute((tenant, schedule, name))?;
            }
        }
    }
    Ok(())
}

fn write_records(
    connection: &Connection,
    tenant: i64,
    records: &Changed<u64, ShiftRecord>,
) -> Result<(), Failure> {
    let mut replace = connection.prepare_cached(
        "INSERT OR REPLACE INTO shift_record (tenant, number, schedule, starts_at, ends_at, record) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut delete =
        connection.prepare_cached("DELETE FROM shift_record WHERE tenant = ?1 AND number = ?2")?;
    for (number, row) in records {
        match row {
            Some(row) => {
                replace.execute((
                    tenant,
                    number.cast_signed(),
                    &*row.schedule,
                    codec::instant(row.from),
                    row.to.map(codec::instant),
                    serde_json::to_string(row)?,
                ))?;
            }
            None => {
                delete.execute((tenant, number.cast_signed()))?;
            }
        }
    }
    Ok(())
}

/// Reads who is on call when, with the open records and those of the last weeks.
pub(super) fn load(connection: &Connection, tenant: i64) -> Result<OnCallRows, Failure> {
    macro_rules! rows {
        ($table:literal, $column:literal, $key:literal) => {
            documents(
                connection,
                $table,
                concat!("SELECT ", $column, " FROM ", $table, " WHERE tenant = ?1 ORDER BY ", $key),
                tenant,
            )?
        };
    }
    let mut overrides: Vec<Override> = rows!("schedule_override", "override", "id");
    overrides.sort_by_key(|it| it.number);
    let mut blocks: Vec<FixedBlock> = rows!("schedule_block", "block", "id");
    blocks.sort_by_key(|it| it.number);
    let mut swaps: Vec<SwapRequest> = rows!("shift_swap", "swap", "id");
    swaps.sort_by_key(|it| it.number);
    let span = i64::try_from(RECORDS_IN_MEMORY.as_nanos()).unwrap_or(i64::MAX);
    let mut records = Vec::new();
    // The clock of the last start is close enough: what is older is read when it is asked for.
    let sql = "SELECT record FROM shift_record WHERE tenant = ?1 AND (ends_at IS NULL OR \
               ends_at >= (SELECT max(starts_at) FROM shift_record WHERE tenant = ?1) - ?2) \
               ORDER BY number";
    each(connection, "shift_record", sql, (tenant, span), |columns| {
        records.push(columns.json(0)?);
        Ok(())
    })?;
    let highest: Option<i64> = connection
        .prepare_cached("SELECT max(number) FROM shift_record WHERE tenant = ?1")?
        .query_row((tenant,), |row| row.get(0))?;
    Ok(OnCallRows {
        schedules: rows!("schedule", "schedule", "name"),
        overrides,
        blocks,
        swaps,
        absences: rows!("absence", "absence", "id"),
        feeds: rows!("calendar_feed", "feed", "id"),
        imports: rows!("calendar_import", "import", "schedule, name"),
        records,
        highest_record: highest.unwrap_or_default().cast_unsigned(),
    })
}

/// Returns the records that match, ascending by their beginning.
pub(super) fn records(
    connection: &mut Connection,
    tenant: TenantId,
    query: &ShiftQuery,
) -> Result<Vec<ShiftRecord>, Failure> {
    let sql = "SELECT record FROM shift_record \
               WHERE tenant = :tenant AND schedule = :schedule AND starts_at < :to \
                 AND (ends_at IS NULL OR ends_at > :from) \
               ORDER BY starts_at, number LIMIT :limit";
    let parameters = named_params! {
        ":tenant": tenant.0.cast_signed(),
        ":schedule": query.schedule,
        ":from": codec::instant(query.from),
        ":to": codec::instant(query.to),
        ":limit": i64::try_from(MAX_SHIFT_RECORDS_PER_QUERY).unwrap_or(i64::MAX),
    };
    let mut found = Vec::new();
    each(connection, "shift_record", sql, parameters, |columns| {
        found.push(columns.json(0)?);
        Ok(())
    })?;
    Ok(found)
}
