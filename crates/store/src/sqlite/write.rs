//! A turn as rows: every statement that changes what readers see, except retention.

use std::collections::BTreeMap;

use rusqlite::types::ToSql;
use rusqlite::{CachedStatement, Connection};
use serde::Serialize;
use tocsin_core::ids::TenantId;
use tocsin_core::rows::{AlertRow, Highest, WriteSet};

use super::columns::Json;
use super::failure::Failure;
use super::history::EVENTS_PER_BLOCK;
use super::{escalation, identity, incident, lesson, oncall, reminder};
use crate::codec;

/// Writes all of `writes` into the transaction that is open on `connection`.
pub(super) fn write_set(
    connection: &Connection,
    tenant: TenantId,
    writes: &WriteSet,
) -> Result<(), Failure> {
    let mut writer = RowWriter { connection, tenant: tenant.0.cast_signed(), json: Vec::new() };
    writer.events(writes)?;
    writer.identities(writes)?;
    writer.descriptions(writes)?;
    writer.alerts(writes)?;
    writer.acknowledgements(writes)?;
    writer.groups(writes)?;
    writer.log(writes)?;
    writer.outbox(writes)?;
    writer.silences(writes)?;
    writer.maintenance_windows(writes)?;
    identity::write(connection, writer.tenant, &writes.identity)?;
    oncall::write(connection, writer.tenant, &writes.on_call)?;
    identity::append_audit(connection, writer.tenant, &writes.audit)?;
    escalation::write(connection, writer.tenant, writes)?;
    incident::write(connection, writer.tenant, writes)?;
    reminder::write(connection, writer.tenant, writes)?;
    lesson::write(connection, writer.tenant, writes)?;
    writer.highest(&highest(writes))
}

/// Returns the highest numbers that occur in `writes`; zero where there is none.
fn highest(writes: &WriteSet) -> Highest {
    let alerts = writes.alerts.iter().map(|row| row.number);
    let groups = writes.groups.iter().map(|row| row.number);
    let outbox = writes.outbox.iter().map(|entry| entry.number);
    let outbox = outbox.chain(writes.pages.iter().map(|page| page.number));
    let silences = writes.silences.iter().chain(&writes.forgotten_silences).map(|it| it.number);
    Highest {
        alert: alerts
            .chain(writes.identities.iter().map(|identity| identity.number))
            .max()
            .unwrap_or_default(),
        group: groups.chain(writes.closed_groups.iter().copied()).max().unwrap_or_default(),
        outbox: outbox.chain(writes.finished_outbox.iter().copied()).max().unwrap_or_default(),
        silence: silences.max().unwrap_or_default(),
        event: writes.events.iter().map(|event| event.sequence).max().unwrap_or_default(),
        run: writes.runs.iter().map(|run| run.number).max().unwrap_or_default(),
        incident: writes.incidents.iter().map(|it| it.number).max().unwrap_or_default(),
    }
}

struct RowWriter<'c> {
    connection: &'c Connection,
    tenant: i64,
    /// Reused for every value that is written as JSON.
    json: Vec<u8>,
}

impl<'c> RowWriter<'c> {
    fn statement(&self, sql: &str) -> Result<CachedStatement<'c>, Failure> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    fn events(&mut self, writes: &WriteSet) -> Result<(), Failure> {
        if writes.events.is_empty() {
            return Ok(());
        }
        // No conflict clause: an event that is already there means that two histories diverged,
        // and then nothing of the turn may be written.
        let mut insert = self.statement(
            "INSERT INTO event \
                 (tenant, sequence, at, kind, subject_kind, subject_number, payload) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for recorded in &writes.events {
            let kind = recorded.event.kind();
            let (subject_kind, subject_number) = recorded.event.subject().to_parts();
            write_json(&mut self.json, &recorded.event)?;
            let payload = codec::without_kind(&mut self.json, kind);
            insert.execute((
                self.tenant,
                recorded.sequence.0.cast_signed(),
                codec::instant(recorded.at),
                kind,
                subject_kind,
                subject_number.cast_signed(),
                Json(payload),
            ))?;
        }
        self.event_blocks(writes)
    }

    fn event_blocks(&self, writes: &WriteSet) -> Result<(), Failure> {
        let mut blocks: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for recorded in &writes.events {
            let at = codec::instant(recorded.at);
            let block = recorded.sequence.0.cast_signed() / EVENTS_PER_BLOCK;
            let (earliest, latest) = blocks.entry(block).or_insert((at, at));
            *earliest = at.min(*earliest);
            *latest = at.max(*latest);
        }
        let mut widen = self.statement(
            "INSERT INTO event_block (tenant, block, earliest_at, latest_at) \
             VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (tenant, block) DO UPDATE SET \
                 earliest_at = min(earliest_at, excluded.earliest_at), \
                 latest_at = max(latest_at, excluded.latest_at)",
        )?;
        for (block, (earliest, latest)) in blocks {
            widen.execute((self.tenant, block, earliest, latest))?;
        }
        Ok(())
    }

    fn identities(&mut self, writes: &WriteSet) -> Result<(), Failure> {
        if writes.identities.is_empty() {
            return Ok(());
        }
        let mut replace = self.statement(
            "INSERT OR REPLACE INTO alert_identity (tenant, number, labels) VALUES (?1, ?2, ?3)",
        )?;
        for identity in &writes.identities {
            write_json(&mut self.json, &identity.labels)?;
            replace.execute((self.tenant, identity.number.0.cast_signed(), Json(&self.json)))?;
        }
        Ok(())
    }

    fn descriptions(&mut self, writes: &WriteSet) -> Result<(), Failure> {
        if writes.descriptions.is_empty() {
            return Ok(());
        }
        let mut replace = self.statement(
            "INSERT OR REPLACE INTO alert_description \
                 (tenant, number, annotations, generator_url) \
             VALUES (?1, ?2, ?3, ?4)",
        )?;
        for (number, description) in &writes.descriptions {
            write_json(&mut self.json, &description.annotations)?;
            replace.execute((
                self.tenant,
                number.0.cast_signed(),
                Json(&self.json),
                description.generator_url.as_str(),
            ))?;
        }
        Ok(())
    }

    fn alerts(&mut self, writes: &WriteSet) -> Result<(), Failure> {
        if writes.alerts.is_empty() {
            return Ok(());
        }
        let mut upsert = self.statement(
            "INSERT INTO alert_state \
                 (tenant, number, fingerprint, starts_at, ends_at, is_timeout, updated_at, \
                  is_resolved, received, is_closed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
             ON CONFLICT (tenant, number) DO UPDATE SET \
                 fingerprint = excluded.fingerprint, starts_at = excluded.starts_at, \
                 ends_at = excluded.ends_at, is_timeout = excluded.is_timeout, \
                 updated_at = excluded.updated_at, is_resolved = excluded.is_resolved, \
                 received = excluded.received, is_closed = excluded.is_closed",
        )?;
        // Leaves the columns of the open and closed indexes alone, so those are not touched.
        let mut refresh = self.statement(
            "UPDATE alert_state SET \
                 starts_at = ?4, ends_at = ?5, is_timeout = ?6, updated_at = ?7, \
                 is_resolved = ?8, received = ?9 \
             WHERE tenant = ?1 AND number = ?2 AND fingerprint = ?3 AND is_closed = ?10",
        )?;
        let first_new = writes.identities.iter().map(|identity| identity.number).min();
        for row in &writes.alerts {
            let is_new = first_new.is_some_and(|first| row.number >= first);
            let may_refresh = !is_new && !row.is_closed;
            if !may_refresh || self.alert(&mut refresh, row)? == 0 {
                self.alert(&mut upsert, row)?;
            }
        }
        Ok(())
    }

    fn alert(&self, statement: &mut CachedStatement<'_>, row: &AlertRow) -> Result<usize, Failure> {
        Ok(statement.execute((
            self.tenant,
            row.number.0.cast_signed(),
            row.fingerprint.0.cast_signed(),
            codec::instant(row.activity.starts_at),
            codec::instant(row.activity.ends_at),
            row.activity.is_timeout,
            codec::instant(row.activity.updated_at),
            row.is_resolved,
            row.received.cast_signed(),
            row.is_closed,
        ))?)
    }

    fn groups(&mut self, writes: &WriteSet) -> Result<(), Failure> {
        if !writes.groups.is_empty() {
            let mut replace = self.statement(
                "INSERT OR REPLACE INTO alert_group \
                     (tenant, number, route, labels, opened_at, flush_at, early_flush_at, \
                      has_flushed, alerts, held_back) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?;
            for row in &writes.groups {
                write_json(&mut self.json, &row.labels)?;
                replace.execute((
                    self.tenant,
                    row.number.0.cast_signed(),
                    &*row.route,
                    Json(&self.json),
                    codec::instant(row.opened_at),
                    codec::instant(row.flush_at),
                    row.early_flush_at.map(codec::instant),
                    row.has_flushed,
                    codec::fingerprints(row.alerts.iter().map(|(fingerprint, _)| *fingerprint)),
                    codec::held_back(&row.alerts)?,
                ))?;
            }
        }
        let closed = writes.closed_groups.iter().map(|number| number.0.cast_signed());
        self.delete("DELETE FROM alert_group WHERE tenant = ?1 AND number = ?2", closed)
    }

    fn log(&mut self, writes: &WriteSet) -> Result<(), Failure> {
        if !writes.log.is_empty() {
            let mut replace = self.statement(
                "INSERT OR REPLACE INTO notification_log \
                     (tenant, group_key, receiver, kind, position, told_at, firing, resolved, \
                      expires_at, receipt, page_key, doubted) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?;
            for (key, entry) in &writes.log {
                replace.execute((
                    self.tenant,
                    &*key.group,
                    &*key.receiver,
                    &*key.kind,
                    key.index,
                    codec::instant(entry.told_at),
                    codec::fingerprints(entry.firing.iter().copied()),
                    codec::fingerprints(entry.resolved.iter().copied()),
                    codec::instant(entry.expires_at),
                    entry.receipt.as_deref(),
                    entry.page_key.as_deref(),
                    codec::fingerprints(entry.doubted.iter().copied()),
                ))?;
            }
        }
        if !writes.forgotten_log.is_empty() {
            let mut delete = self.statement(
                "DELETE FROM notification_log \
                 WHERE tenant = ?1 AND group_key = ?2 AND receiver = ?3 AND kind = ?4 \
                   AND position = ?5",
            )?;
            for key in &writes.forgotten_log {
                delete.execute((
                    self.tenant,
                    &*key.group,
                    &*key.receiver,
                    &*key.kind,
                    key.index,
                ))?;
            }
        }
        Ok(())
    }

    fn acknowledgements(&mut self, writes: &WriteSet) -> Result<(), Failure> {
        // The ends first: within one turn an alert may end, fire again and be acknowledged anew.
        let ended = writes.ended_acknowledgements.iter().map(|number| number.0.cast_signed());
        self.delete("DELETE FROM acknowledgement WHERE tenant = ?1 AND number = ?2", ended)?;
        self.documents(
            "INSERT OR REPLACE INTO acknowledgement (tenant, number, acknowledgement) \
             VALUES (?1, ?2, ?3)",
            writes.acknowledgements.iter().map(|(number, row)| (number.0.cast_signed(), row)),
        )
    }

    fn outbox(&mut self, writes: &WriteSet) -> Result<(), Failure> {
        self.documents(
            "INSERT OR REPLACE INTO outbox (tenant, number, entry) VALUES (?1, ?2, ?3)",
            writes.outbox.iter().map(|entry| (entry.number.0.cast_signed(), entry)),
        )?;
        let finished = writes.finished_outbox.iter().map(|number| number.0.cast_signed());
        self.delete("DELETE FROM outbox WHERE tenant = ?1 AND number = ?2", finished)
    }

    fn silences(&mut self, writes: &WriteSet) -> Result<(), Failure> {
        self.documents(
            "INSERT OR REPLACE INTO silence (tenant, number, silence) VALUES (?1, ?2, ?3)",
            writes.silences.iter().map(|silence| (silence.number.0.cast_signed(), silence)),
        )?;
        let forgotten =
            writes.forgotten_silences.iter().map(|silence| silence.number.0.cast_signed());
        self.delete("DELETE FROM silence WHERE tenant = ?1 AND number = ?2", forgotten)
    }

    fn maintenance_windows(&mut self, writes: &WriteSet) -> Result<(), Failure> {
        self.documents(
            "INSERT OR REPLACE INTO maintenance_window (tenant, name, maintenance_window) \
             VALUES (?1, ?2, ?3)",
            writes.maintenance_windows.iter().map(|window| (window.name.as_str(), window)),
        )?;
        self.delete(
            "DELETE FROM maintenance_window WHERE tenant = ?1 AND name = ?2",
            writes.deleted_maintenance_windows.iter().map(String::as_str),
        )
    }

    fn highest(&mut self, highest: &Highest) -> Result<(), Failure> {
        if *highest == Highest::default() {
            return Ok(());
        }
        let mut raise = self.statement(
            "INSERT INTO highest_number (tenant, alert, alert_group, outbox, silence, event, run, \
                                         incident) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
             ON CONFLICT (tenant) DO UPDATE SET \
                 alert = max(alert, excluded.alert), \
                 alert_group = max(alert_group, excluded.alert_group), \
                 outbox = max(outbox, excluded.outbox), \
                 silence = max(silence, excluded.silence), \
                 event = max(event, excluded.event), \
                 run = max(run, excluded.run), \
                 incident = max(incident, excluded.incident)",
        )?;
        raise.execute((
            self.tenant,
            highest.alert.0.cast_signed(),
            highest.group.0.cast_signed(),
            highest.outbox.0.cast_signed(),
            highest.silence.0.cast_signed(),
            highest.event.0.cast_signed(),
            highest.run.0.cast_signed(),
            highest.incident.0.cast_signed(),
        ))?;
        Ok(())
    }

    /// Writes rows that are a key and a JSON document.
    fn documents<K: ToSql, V: Serialize>(
        &mut self,
        sql: &str,
        rows: impl ExactSizeIterator<Item = (K, V)>,
    ) -> Result<(), Failure> {
        if rows.len() == 0 {
            return Ok(());
        }
        let mut replace = self.statement(sql)?;
        for (key, document) in rows {
            write_json(&mut self.json, &document)?;
            replace.execute((self.tenant, key, Json(&self.json)))?;
        }
        Ok(())
    }

    fn delete<K: ToSql>(
        &self,
        sql: &str,
        keys: impl ExactSizeIterator<Item = K>,
    ) -> Result<(), Failure> {
        if keys.len() == 0 {
            return Ok(());
        }
        let mut delete = self.statement(sql)?;
        for key in keys {
            delete.execute((self.tenant, key))?;
        }
        Ok(())
    }
}

fn write_json(buffer: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Failure> {
    buffer.clear();
    Ok(serde_json::to_writer(buffer, value)?)
}
