//! Reads the open state of a tenant.

use std::sync::Arc;

use rusqlite::Connection;
use serde::de::DeserializeOwned;
use tocsin_core::acknowledgement::Acknowledgement;
use tocsin_core::alert::{Activity, Description, Identity};
use tocsin_core::change::Change;
use tocsin_core::event::Event;
use tocsin_core::ids::{
    AlertNumber, GroupNumber, OutboxNumber, RunNumber, Sequence, SilenceNumber, TenantId,
};
use tocsin_core::incident::IncidentNumber;
use tocsin_core::labels::Fingerprint;
use tocsin_core::notification::{LogEntry, LogKey};
use tocsin_core::rows::{AlertRow, GroupRow, Highest, MAX_RECENT_CHANGES, TenantRows};

use super::columns::Columns;
use super::failure::Failure;
use super::{escalation, identity, incident, lesson, oncall, reminder};
use crate::{AlertRecord, codec};

/// Reads everything open, as of one moment.
pub(super) fn tenant_rows(
    connection: &mut Connection,
    tenant: TenantId,
) -> Result<TenantRows, Failure> {
    // One transaction, so that a turn which commits meanwhile is seen whole or not at all.
    let transaction = connection.transaction()?;
    let tenant = tenant.0.cast_signed();
    let mut rows = TenantRows {
        alerts: open_alerts(&transaction, tenant)?,
        acknowledgements: acknowledgements(&transaction, tenant)?,
        groups: groups(&transaction, tenant)?,
        log: log(&transaction, tenant)?,
        outbox: documents(
            &transaction,
            "outbox",
            "SELECT entry FROM outbox WHERE tenant = ?1 ORDER BY number",
            tenant,
        )?,
        silences: documents(
            &transaction,
            "silence",
            "SELECT silence FROM silence WHERE tenant = ?1 ORDER BY number",
            tenant,
        )?,
        maintenance_windows: documents(
            &transaction,
            "maintenance_window",
            "SELECT maintenance_window FROM maintenance_window WHERE tenant = ?1 ORDER BY name",
            tenant,
        )?,
        identity: identity::load(&transaction, tenant)?,
        on_call: oncall::load(&transaction, tenant)?,
        audit_head: identity::audit_head(&transaction, tenant)?,
        highest: highest(&transaction, tenant)?,
        ..TenantRows::default()
    };
    escalation::load(&transaction, tenant, &mut rows)?;
    incident::load(&transaction, tenant, &mut rows)?;
    rows.reminders = reminder::load(&transaction, tenant)?;
    rows.lessons = lesson::load(&transaction, tenant)?;
    rows.changes = changes(&transaction, tenant)?;
    transaction.finish()?;
    Ok(rows)
}

/// Returns the changes that were told last, oldest first.
fn changes(connection: &Connection, tenant: i64) -> Result<Vec<Change>, Failure> {
    let sql = "SELECT payload FROM event WHERE tenant = ?1 AND kind = 'change_recorded' \
               ORDER BY sequence DESC LIMIT ?2";
    let mut changes = Vec::new();
    let most = i64::try_from(MAX_RECENT_CHANGES).unwrap_or(i64::MAX);
    each(connection, "event", sql, (tenant, most), |columns| {
        let event = codec::read_event("change_recorded", columns.text(0)?)
            .map_err(|message| columns.corrupt(message))?;
        if let Event::ChangeRecorded { change } = event {
            changes.push(change);
        }
        Ok(())
    })?;
    changes.reverse();
    Ok(changes)
}

/// The columns that [`read_alert`] expects, to be followed by the choice of the rows.
macro_rules! select_alerts {
    ($from:literal) => {
        concat!(
            "SELECT alert_state.number, fingerprint, starts_at, ends_at, is_timeout, updated_at, \
                    is_resolved, received, is_closed, labels, annotations, generator_url \
             FROM alert_state ",
            $from
        )
    };
}
pub(super) use select_alerts;

const OPEN_ALERTS: &str = select_alerts!(
    "INDEXED BY alert_state_open \
     LEFT JOIN alert_identity USING (tenant, number) \
     LEFT JOIN alert_description USING (tenant, number) \
     WHERE alert_state.tenant = ?1 AND is_closed = 0 \
     ORDER BY alert_state.number"
);

type AlertTriple = (Arc<Identity>, Arc<Description>, AlertRow);

fn open_alerts(connection: &Connection, tenant: i64) -> Result<Vec<AlertTriple>, Failure> {
    let mut list = Vec::new();
    each(connection, "alert_state", OPEN_ALERTS, (tenant,), |columns| {
        let AlertRecord { identity, description, row } = read_alert(&columns)?;
        list.push((identity, description, row));
        Ok(())
    })?;
    Ok(list)
}

/// Reads a row of [`select_alerts`].
pub(super) fn read_alert(columns: &Columns<'_>) -> Result<AlertRecord, Failure> {
    let number = AlertNumber(columns.number(0)?);
    let fingerprint = Fingerprint(columns.number(1)?);
    let row = AlertRow {
        number,
        fingerprint,
        activity: Activity {
            starts_at: columns.instant(2)?,
            ends_at: columns.instant(3)?,
            is_timeout: columns.flag(4)?,
            updated_at: columns.instant(5)?,
        },
        is_resolved: columns.flag(6)?,
        received: columns.number(7)?,
        is_closed: columns.flag(8)?,
    };
    let of_identity = columns.of("alert_identity");
    if of_identity.is_null(9)? {
        return Err(of_identity.corrupt(format!("alert {number} has a state but no identity")));
    }
    let identity = Identity { number, fingerprint, labels: of_identity.json(9)? };
    let of_description = columns.of("alert_description");
    // An alert that was never described has no row.
    let description = if of_description.is_null(10)? {
        Description::default()
    } else {
        Description {
            annotations: of_description.json(10)?,
            generator_url: of_description.text(11)?.into(),
        }
    };
    Ok(AlertRecord { identity: Arc::new(identity), description: Arc::new(description), row })
}

fn acknowledgements(
    connection: &Connection,
    tenant: i64,
) -> Result<Vec<(AlertNumber, Acknowledgement)>, Failure> {
    let sql = "SELECT number, acknowledgement FROM acknowledgement WHERE tenant = ?1 \
               ORDER BY number";
    let mut list = Vec::new();
    each(connection, "acknowledgement", sql, (tenant,), |columns| {
        list.push((AlertNumber(columns.number(0)?), columns.json(1)?));
        Ok(())
    })?;
    Ok(list)
}

fn groups(connection: &Connection, tenant: i64) -> Result<Vec<GroupRow>, Failure> {
    let sql = "SELECT number, route, labels, opened_at, flush_at, early_flush_at, has_flushed, \
                      alerts, held_back \
               FROM alert_group WHERE tenant = ?1 ORDER BY number";
    let mut list = Vec::new();
    each(connection, "alert_group", sql, (tenant,), |columns| {
        list.push(GroupRow {
            number: GroupNumber(columns.number(0)?),
            route: columns.text(1)?.into(),
            labels: columns.json(2)?,
            opened_at: columns.instant(3)?,
            flush_at: columns.instant(4)?,
            early_flush_at: columns.optional_instant(5)?,
            has_flushed: columns.flag(6)?,
            alerts: codec::read_group_alerts(columns.bytes(7)?, columns.optional_text(8)?)
                .map_err(|message| columns.corrupt(message))?,
        });
        Ok(())
    })?;
    Ok(list)
}

fn log(connection: &Connection, tenant: i64) -> Result<Vec<(LogKey, LogEntry)>, Failure> {
    let sql = "SELECT group_key, receiver, kind, position, told_at, firing, resolved, \
                      expires_at, receipt, page_key, doubted \
               FROM notification_log WHERE tenant = ?1 \
               ORDER BY group_key, receiver, kind, position";
    let mut list = Vec::new();
    each(connection, "notification_log", sql, (tenant,), |columns| {
        let key = LogKey {
            group: columns.text(0)?.into(),
            receiver: columns.text(1)?.into(),
            kind: columns.text(2)?.into(),
            index: u32::try_from(columns.integer(3)?)
                .map_err(|_| columns.corrupt("the position is out of range"))?,
        };
        let entry = LogEntry {
            told_at: columns.instant(4)?,
            firing: columns.fingerprints(5)?,
            resolved: columns.fingerprints(6)?,
            expires_at: columns.instant(7)?,
            receipt: columns.optional_text(8)?.map(str::to_owned),
            page_key: columns.optional_text(9)?.map(Into::into),
            doubted: columns.fingerprints(10)?,
        };
        list.push((key, entry));
        Ok(())
    })?;
    Ok(list)
}

fn highest(connection: &Connection, tenant: i64) -> Result<Highest, Failure> {
    let sql = "SELECT alert, alert_group, outbox, silence, event, run, incident \
               FROM highest_number \
               WHERE tenant = ?1";
    let mut highest = Highest::default();
    each(connection, "highest_number", sql, (tenant,), |columns| {
        highest = Highest {
            alert: AlertNumber(columns.number(0)?),
            group: GroupNumber(columns.number(1)?),
            outbox: OutboxNumber(columns.number(2)?),
            silence: SilenceNumber(columns.number(3)?),
            event: Sequence(columns.number(4)?),
            run: RunNumber(columns.number(5)?),
            incident: IncidentNumber(columns.number(6)?),
        };
        Ok(())
    })?;
    Ok(highest)
}

/// Reads a column of JSON documents.
pub(super) fn documents<T: DeserializeOwned>(
    connection: &Connection,
    table: &'static str,
    sql: &str,
    tenant: i64,
) -> Result<Vec<T>, Failure> {
    let mut list = Vec::new();
    each(connection, table, sql, (tenant,), |columns| {
        list.push(columns.json(0)?);
        Ok(())
    })?;
    Ok(list)
}

/// Runs a query and hands every row to `read`.
pub(super) fn each(
    connection: &Connection,
    table: &'static str,
    sql: &str,
    parameters: impl rusqlite::Params,
    mut read: impl FnMut(Columns<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut query = connection.prepare_cached(sql)?;
    let mut rows = query.query(parameters)?;
    while let Some(row) = rows.next()? {
        read(Columns::new(row, table))?;
    }
    Ok(())
}
