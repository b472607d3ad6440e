//! Deletes what retention no longer keeps, a little at a time.

use rusqlite::{Connection, OptionalExtension};
use tocsin_core::ids::TenantId;

use super::failure::Failure;
use super::history::EVENTS_PER_BLOCK;
use crate::{Retention, codec};

/// How many lives one transaction deletes at most: few enough that a turn waits only
/// milliseconds. Of events it is the [`EVENTS_PER_BLOCK`].
const MAX_LIVES_PER_STEP: i64 = 1_000;

/// What one step did.
#[derive(Debug)]
pub(super) struct Step {
    /// How many events or lives it deleted.
    pub(super) deleted: u64,
    /// Whether nothing is left to delete.
    pub(super) is_over: bool,
}

/// Deletes the old events of one block, in the transaction that is open.
pub(super) fn old_events(
    connection: &Connection,
    tenant: TenantId,
    retention: Retention,
) -> Result<Step, Failure> {
    let tenant = tenant.0.cast_signed();
    let bound = codec::instant(retention.events_before);
    let block: Option<i64> = connection
        .prepare_cached(
            "SELECT block FROM event_block WHERE tenant = ?1 AND earliest_at < ?2 \
             ORDER BY block LIMIT 1",
        )?
        .query_row((tenant, bound), |row| row.get(0))
        .optional()?;
    let Some(block) = block else { return Ok(Step { deleted: 0, is_over: true }) };
    let (first, end) = (block * EVENTS_PER_BLOCK, (block + 1) * EVENTS_PER_BLOCK);
    let deleted = connection
        .prepare_cached(
            "DELETE FROM event \
             WHERE tenant = ?1 AND sequence >= ?2 AND sequence < ?3 AND at < ?4",
        )?
        .execute((tenant, first, end, bound))?;
    let earliest_left: Option<i64> = connection
        .prepare_cached(
            "SELECT min(at) FROM event WHERE tenant = ?1 AND sequence >= ?2 AND sequence < ?3",
        )?
        .query_row((tenant, first, end), |row| row.get(0))?;
    match earliest_left {
        Some(at) => connection
            .prepare_cached(
                "UPDATE event_block SET earliest_at = ?3 WHERE tenant = ?1 AND block = ?2",
            )?
            .execute((tenant, block, at))?,
        None => connection
            .prepare_cached("DELETE FROM event_block WHERE tenant = ?1 AND block = ?2")?
            .execute((tenant, block))?,
    };
    Ok(Step { deleted: deleted as u64, is_over: false })
}

/// Deletes escalations that ended long ago, in the transaction that is open.
pub(super) fn old_runs(
    connection: &Connection,
    tenant: TenantId,
    retention: Retention,
) -> Result<Step, Failure> {
    let (tenant, bound) = (tenant.0.cast_signed(), codec::instant(retention.events_before));
    let deleted = super::escalation::purge(connection, tenant, bound, MAX_LIVES_PER_STEP)?;
    Ok(Step { deleted, is_over: deleted < MAX_LIVES_PER_STEP.unsigned_abs() })
}

/// Deletes lives that ended long ago, in the transaction that is open.
pub(super) fn old_lives(
    connection: &Connection,
    tenant: TenantId,
    retention: Retention,
) -> Result<Step, Failure> {
    let tenant = tenant.0.cast_signed();
    let numbers = connection
        .prepare_cached(
            "SELECT number FROM alert_state INDEXED BY alert_state_ended \
             WHERE tenant = ?1 AND is_closed = 1 AND ends_at < ?2 \
             ORDER BY ends_at LIMIT ?3",
        )?
        .query_map((tenant, codec::instant(retention.alerts_before), MAX_LIVES_PER_STEP), |row| {
            row.get(0)
        })?
        .collect::<Result<Vec<i64>, _>>()?;
    for sql in [
        "DELETE FROM alert_identity WHERE tenant = ?1 AND number = ?2",
        "DELETE FROM alert_description WHERE tenant = ?1 AND number = ?2",
        "DELETE FROM alert_state WHERE tenant = ?1 AND number = ?2",
    ] {
        let mut delete = connection.prepare_cached(sql)?;
        for number in &numbers {
            delete.execute((tenant, number))?;
        }
    }
    let is_over = (numbers.len() as u64) < MAX_LIVES_PER_STEP.unsigned_abs();
    Ok(Step { deleted: numbers.len() as u64, is_over })
}
