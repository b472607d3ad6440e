//! Deletes what retention no longer keeps, a little at a time.

use rusqlite::Connection;
use tocsin_core::ids::TenantId;

use super::failure::Failure;
use crate::Retention;

/// How many rows one transaction deletes at most: few enough that a turn waits only milliseconds.
const MAX_ROWS_PER_STEP: i64 = 1_000;

/// What one step did.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// How many rows it deleted.
    pub(super) deleted: u64,
    /// Where the next step begins; `None` when nothing is left.
    pub(super) next: Option<i64>,
}

/// Deletes old events after the place `after`, in the transaction that is open.
///
/// Events are kept in the order in which they were written, so the first thousand that hold
/// nothing old end the search. An event whose time lies in the future, from a clock that was
/// wrong, stays behind without keeping the ones around it.
pub(super) fn old_events(
    connection: &Connection,
    tenant: TenantId,
    retention: Retention,
    after: i64,
) -> Result<Step, Failure> {
    let tenant = tenant.0.cast_signed();
    let (seen, last): (i64, Option<i64>) = connection
        .prepare_cached(
            "SELECT count(*), max(sequence) FROM ( \
                 SELECT sequence FROM event WHERE tenant = ?1 AND sequence > ?2 \
                 ORDER BY sequence LIMIT ?3)",
        )?
        .query_row((tenant, after, MAX_ROWS_PER_STEP), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(last) = last else { return Ok(Step::default()) };
    let deleted = connection
        .prepare_cached(
            "DELETE FROM event \
             WHERE tenant = ?1 AND sequence > ?2 AND sequence <= ?3 AND at < ?4",
        )?
        .execute((tenant, after, last, crate::codec::instant(retention.events_before)))?;
    let is_over = deleted == 0 || seen < MAX_ROWS_PER_STEP;
    Ok(Step { deleted: deleted as u64, next: (!is_over).then_some(last) })
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
        .query_map(
            (tenant, crate::codec::instant(retention.alerts_before), MAX_ROWS_PER_STEP),
            |row| row.get(0),
        )?
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
    let is_over = (numbers.len() as u64) < MAX_ROWS_PER_STEP.unsigned_abs();
    Ok(Step { deleted: numbers.len() as u64, next: (!is_over).then_some(0) })
}
