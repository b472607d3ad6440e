//! Reads what happened and what was.

use rusqlite::{Connection, named_params};
use tocsin_core::event::{Recorded, Subject};
use tocsin_core::ids::{Sequence, TenantId};
use tocsin_core::labels::Fingerprint;

use super::columns::Columns;
use super::failure::Failure;
use super::load::{each, read_alert, select_alerts};
use crate::{AlertRecord, EventQuery, MAX_EVENTS_PER_QUERY, StoreError, codec};

/// The most subjects one query may ask for; an answer that needs more should ask for all.
const MAX_SUBJECTS: usize = 10_000;

/// What every query of events has; both name the same parameters.
macro_rules! select_events {
    ($table:literal, $subjects:literal) => {
        concat!(
            "SELECT sequence, at, kind, payload FROM ",
            $table,
            " WHERE tenant = :tenant AND sequence > :after AND sequence < :before \
                AND at >= :from AND at < :to \
                AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds))) AND ",
            $subjects,
            " ORDER BY sequence DESC LIMIT :limit"
        )
    };
}

const ALL_EVENTS: &str = select_events!("event", ":subjects IS NULL");

// Left to itself, SQLite prefers to walk through the whole history, which spares it the sorting.
const EVENTS_OF_SUBJECTS: &str = select_events!(
    "event INDEXED BY event_by_subject",
    "(subject_kind, subject_number) IN \
         (SELECT value ->> 0, value ->> 1 FROM json_each(:subjects))"
);

/// Returns the events that match, newest first.
pub(super) fn events(
    connection: &Connection,
    tenant: TenantId,
    query: &EventQuery,
) -> Result<Vec<Recorded>, Failure> {
    if query.subjects.len() > MAX_SUBJECTS {
        return Err(StoreError::Database(format!(
            "a query for events names {} subjects, at most {MAX_SUBJECTS} are possible",
            query.subjects.len()
        ))
        .into());
    }
    let limit = query.limit.min(MAX_EVENTS_PER_QUERY);
    let subjects = (!query.subjects.is_empty()).then(|| as_json(&query.subjects)).transpose()?;
    let kinds = match query.kinds.as_slice() {
        [] => None,
        kinds => Some(serde_json::to_string(kinds)?),
    };
    let parameters = named_params! {
        ":tenant": tenant.0.cast_signed(),
        ":after": query.after.map_or(-1, |sequence| sequence.0.cast_signed()),
        ":before": query.before.map_or(i64::MAX, |sequence| sequence.0.cast_signed()),
        ":from": query.from.map_or(i64::MIN, codec::instant),
        ":to": query.to.map_or(i64::MAX, codec::instant),
        ":kinds": kinds,
        ":subjects": subjects,
        ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
    };
    let sql = if query.subjects.is_empty() { ALL_EVENTS } else { EVENTS_OF_SUBJECTS };
    let mut list = Vec::new();
    each(connection, "event", sql, parameters, |columns| {
        list.push(read_event(&columns)?);
        Ok(())
    })?;
    Ok(list)
}

fn as_json(subjects: &[Subject]) -> Result<String, serde_json::Error> {
    let parts: Vec<_> = subjects
        .iter()
        .map(|subject| {
            let (kind, number) = subject.to_parts();
            (kind, number.cast_signed())
        })
        .collect();
    serde_json::to_string(&parts)
}

fn read_event(columns: &Columns<'_>) -> Result<Recorded, Failure> {
    Ok(Recorded {
        sequence: Sequence(columns.number(0)?),
        at: columns.instant(1)?,
        event: codec::read_event(columns.text(2)?, columns.text(3)?)
            .map_err(|message| columns.corrupt(message))?,
    })
}

const LIVES: &str = select_alerts!(
    "LEFT JOIN alert_identity USING (tenant, number) \
     LEFT JOIN alert_description USING (tenant, number) \
     WHERE alert_state.tenant = ?1 AND alert_state.number IN ( \
         SELECT number FROM alert_state INDEXED BY alert_state_open \
         WHERE tenant = ?1 AND is_closed = 0 AND fingerprint = ?2 \
         UNION ALL \
         SELECT number FROM alert_state INDEXED BY alert_state_closed \
         WHERE tenant = ?1 AND is_closed = 1 AND fingerprint = ?2) \
     ORDER BY alert_state.number DESC LIMIT ?3"
);

/// Returns the lives of the alerts with that fingerprint, newest first.
pub(super) fn lives(
    connection: &Connection,
    tenant: TenantId,
    fingerprint: Fingerprint,
    limit: usize,
) -> Result<Vec<AlertRecord>, Failure> {
    let limit = i64::try_from(limit.min(MAX_LIVES)).unwrap_or(i64::MAX);
    let parameters = (tenant.0.cast_signed(), fingerprint.0.cast_signed(), limit);
    let mut list = Vec::new();
    each(connection, "alert_state", LIVES, parameters, |columns| {
        list.push(read_alert(&columns)?);
        Ok(())
    })?;
    Ok(list)
}

/// The most lives that one query returns.
const MAX_LIVES: usize = 1_000;
