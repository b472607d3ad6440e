//! Reads what happened and what was.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rusqlite::{Connection, named_params};
use tocsin_core::event::{Recorded, Subject};
use tocsin_core::ids::{Sequence, TenantId};
use tocsin_core::labels::Fingerprint;

use super::columns::Columns;
use super::failure::Failure;
use super::load::{each, read_alert, select_alerts};
use crate::{AlertRecord, EventQuery, MAX_EVENTS_PER_QUERY, StoreError, codec};

/// How many places of the history one row of `event_block` covers.
pub(super) const EVENTS_PER_BLOCK: i64 = 1_000;

/// The most subjects one query may ask for; a caller that has more asks for all.
const MAX_SUBJECTS: usize = 10_000;

/// The most kinds one query may ask for; there are fewer.
const MAX_KINDS: usize = 100;

/// The most lives that one query returns.
const MAX_LIVES: usize = 1_000;

/// What every query of events has; all of them name the same parameters.
macro_rules! select_events {
    ($index:literal, $which:literal) => {
        concat!(
            "SELECT sequence, at, kind, payload FROM event ",
            $index,
            " WHERE tenant = :tenant AND sequence > :after AND sequence < :before \
                AND at >= :from AND at < :to AND ",
            $which,
            " ORDER BY sequence DESC LIMIT :limit"
        )
    };
}

const ALL_EVENTS: &str = select_events!("", "(:kinds IS NULL AND :subjects IS NULL)");

// Here `:kinds` is a single kind as it is, not a JSON list.
const EVENTS_OF_KIND: &str =
    select_events!("INDEXED BY event_by_kind", "kind = :kinds AND :subjects IS NULL");

// Left to itself, SQLite prefers to walk through the whole history, which spares it the sorting.
const EVENTS_OF_SUBJECTS: &str = select_events!(
    "INDEXED BY event_by_subject",
    "(subject_kind, subject_number) IN \
         (SELECT value ->> 0, value ->> 1 FROM json_each(:subjects)) \
     AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))"
);

/// Returns the events that match, newest first.
pub(super) fn events(
    connection: &mut Connection,
    tenant: TenantId,
    query: &EventQuery,
) -> Result<Vec<Recorded>, Failure> {
    within(query.subjects.len(), MAX_SUBJECTS, "subjects")?;
    within(query.kinds.len(), MAX_KINDS, "kinds")?;
    let transaction = connection.transaction()?;
    let Some(range) = Range::of(&transaction, tenant, query)? else { return Ok(Vec::new()) };
    let list = if !query.subjects.is_empty() {
        let subjects = as_json(&query.subjects)?;
        let kinds = (!query.kinds.is_empty()).then(|| serde_json::to_string(&query.kinds));
        let kinds = kinds.transpose()?;
        range.read(&transaction, EVENTS_OF_SUBJECTS, Some(&subjects), kinds.as_deref())?
    } else if !query.kinds.is_empty() {
        // Kind by kind, each in the order of its index: together they would be sorted first,
        // and of some kinds there are millions.
        let mut list = Vec::new();
        for kind in query.kinds.iter().collect::<BTreeSet<_>>() {
            list.append(&mut range.read(&transaction, EVENTS_OF_KIND, None, Some(kind))?);
        }
        list.sort_unstable_by_key(|recorded| Reverse(recorded.sequence));
        list.truncate(range.limit);
        list
    } else {
        range.read(&transaction, ALL_EVENTS, None, None)?
    };
    transaction.finish()?;
    Ok(list)
}

fn within(count: usize, limit: usize, what: &str) -> Result<(), Failure> {
    if count <= limit {
        return Ok(());
    }
    Err(StoreError::Database(format!(
        "a query for events names {count} {what}, at most {limit} are possible"
    ))
    .into())
}

/// Where in the history to look, and how far.
struct Range {
    tenant: i64,
    after: i64,
    before: i64,
    from: i64,
    to: i64,
    limit: usize,
}

impl Range {
    /// Returns the places that can match; `None` when there is none.
    fn of(
        connection: &Connection,
        tenant: TenantId,
        query: &EventQuery,
    ) -> Result<Option<Self>, Failure> {
        let mut range = Self {
            tenant: tenant.0.cast_signed(),
            after: query.after.map_or(-1, |sequence| sequence.0.cast_signed()),
            before: query.before.map_or(i64::MAX, |sequence| sequence.0.cast_signed()),
            from: query.from.map_or(i64::MIN, codec::instant),
            to: query.to.map_or(i64::MAX, codec::instant),
            limit: query.limit.min(MAX_EVENTS_PER_QUERY),
        };
        if query.from.is_some() {
            let first = "SELECT min(block) FROM event_block WHERE tenant = ?1 AND latest_at >= ?2";
            let Some(block) = range.block(connection, first, range.from)? else { return Ok(None) };
            range.after = range.after.max(block * EVENTS_PER_BLOCK - 1);
        }
        if query.to.is_some() {
            let last = "SELECT max(block) FROM event_block WHERE tenant = ?1 AND earliest_at < ?2";
            let Some(block) = range.block(connection, last, range.to)? else { return Ok(None) };
            range.before = range.before.min((block + 1) * EVENTS_PER_BLOCK);
        }
        Ok(Some(range))
    }

    fn block(&self, connection: &Connection, sql: &str, at: i64) -> Result<Option<i64>, Failure> {
        let mut query = connection.prepare_cached(sql)?;
        Ok(query.query_row((self.tenant, at), |row| row.get(0))?)
    }

    fn read(
        &self,
        connection: &Connection,
        sql: &str,
        subjects: Option<&str>,
        kinds: Option<&str>,
    ) -> Result<Vec<Recorded>, Failure> {
        let parameters = named_params! {
            ":tenant": self.tenant,
            ":after": self.after,
            ":before": self.before,
            ":from": self.from,
            ":to": self.to,
            ":subjects": subjects,
            ":kinds": kinds,
            ":limit": i64::try_from(self.limit).unwrap_or(i64::MAX),
        };
        let mut list = Vec::new();
        each(connection, "event", sql, parameters, |columns| {
            list.push(read_event(&columns)?);
            Ok(())
        })?;
        Ok(list)
    }
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
