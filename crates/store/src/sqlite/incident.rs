//! Incidents, their alerts and their timelines as rows.

use std::collections::BTreeSet;

use rusqlite::Connection;
use tocsin_core::ids::{AlertNumber, TenantId};
use tocsin_core::incident::{AlertRole, Entry, Fact, Incident, IncidentAlert, IncidentNumber};
use tocsin_core::labels::Fingerprint;
use tocsin_core::rows::{TenantRows, WriteSet};

use super::failure::Failure;
use super::load::each;
use crate::{EntryQuery, MAX_ENTRIES_PER_QUERY, MentionQuery, codec};

/// How many closed incidents a start reads, so that late words reach them.
const CLOSED_READ_AT_START: i64 = 10_000;

/// Writes what a turn changed.
pub(super) fn write(
    connection: &Connection,
    tenant: i64,
    writes: &WriteSet,
) -> Result<(), Failure> {
    // Those that are over first: within one turn one may give its key to another.
    let (open, over): (Vec<_>, Vec<_>) = writes.incidents.iter().partition(|it| it.is_active());
    for incident in over.into_iter().chain(open) {
        write_incident(connection, tenant, incident)?;
    }
    for (incident, alert) in &writes.incident_alerts {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO incident_alert \
                     (tenant, incident, fingerprint, alert, joined_at, role) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                tenant,
                incident.0.cast_signed(),
                alert.fingerprint.0.cast_signed(),
                alert.alert.0.cast_signed(),
                codec::instant(alert.joined_at),
                alert.role.map(AlertRole::as_str),
            ))?;
    }
    for (incident, fingerprint) in &writes.left_incident_alerts {
        connection
            .prepare_cached(
                "DELETE FROM incident_alert \
                 WHERE tenant = ?1 AND incident = ?2 AND fingerprint = ?3",
            )?
            .execute((tenant, incident.0.cast_signed(), fingerprint.0.cast_signed()))?;
    }
    for entry in &writes.entries {
        // No conflict clause: a timeline is only ever added to.
        connection
            .prepare_cached(
                "INSERT INTO incident_entry (tenant, incident, seq, entry) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((
                tenant,
                entry.incident.0.cast_signed(),
                entry.seq.cast_signed(),
                serde_json::to_string(entry)?,
            ))?;
        write_mentions(connection, tenant, entry)?;
    }
    Ok(())
}

fn write_mentions(connection: &Connection, tenant: i64, entry: &Entry) -> Result<(), Failure> {
    let Fact::Commented { mentions, .. } = &entry.fact else { return Ok(()) };
    for person in mentions {
        connection
            .prepare_cached(
                "INSERT OR IGNORE INTO incident_mention (tenant, person, incident, seq) \
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((
                tenant,
                person.as_str(),
                entry.incident.0.cast_signed(),
                entry.seq.cast_signed(),
            ))?;
    }
    Ok(())
}

/// Reads the comments that name somebody, the latest first.
pub(super) fn mentions(
    connection: &Connection,
    tenant: TenantId,
    query: &MentionQuery,
) -> Result<Vec<(u64, Entry)>, Failure> {
    let sql = "SELECT incident_mention.id, incident_entry.entry \
               FROM incident_mention JOIN incident_entry USING (tenant, incident, seq) \
               WHERE tenant = ?1 AND person = ?2 AND incident_mention.id < ?3 \
               ORDER BY incident_mention.id DESC LIMIT ?4";
    let limit = i64::try_from(query.limit.min(MAX_ENTRIES_PER_QUERY)).unwrap_or(i64::MAX);
    let before = query.before.map_or(i64::MAX, |id| i64::try_from(id).unwrap_or(i64::MAX));
    let parameters = (tenant.0.cast_signed(), query.person.as_str(), before, limit);
    let mut list = Vec::new();
    each(connection, "incident_mention", sql, parameters, |columns| {
        list.push((columns.number(0)?, columns.json(1)?));
        Ok(())
    })?;
    Ok(list)
}

fn write_incident(connection: &Connection, tenant: i64, it: &Incident) -> Result<(), Failure> {
    let key = it.key.as_ref().filter(|_| it.is_active());
    let severity = it.severity as i64 + 1;
    connection
        .prepare_cached(
            "INSERT INTO incident (tenant, number, key, status, severity, mode, service, owner, \
                                   detected_at, closed_at, title, incident) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
             ON CONFLICT (tenant, number) DO UPDATE SET \
                 key = excluded.key, status = excluded.status, severity = excluded.severity, \
                 mode = excluded.mode, service = excluded.service, owner = excluded.owner, \
                 detected_at = excluded.detected_at, closed_at = excluded.closed_at, \
                 title = excluded.title, incident = excluded.incident",
        )?
        .execute((
            tenant,
            it.number.0.cast_signed(),
            key.map(tocsin_core::incident::IncidentKey::as_str),
            it.status().as_str(),
            severity,
            it.mode.as_str(),
            it.service.as_str(),
            it.owner.as_ref().map(tocsin_core::identity::Handle::as_str),
            codec::instant(it.record.detected_at()),
            it.record.cycle().closed_at.map(codec::instant),
            it.title.as_str(),
            serde_json::to_string(it)?,
        ))?;
    write_facets(connection, tenant, it)
}

/// Writes by what an incident is found in lists, as far as that is another.
fn write_facets(connection: &Connection, tenant: i64, it: &Incident) -> Result<(), Failure> {
    let number = it.number.0.cast_signed();
    let mut written = BTreeSet::new();
    let sql = "SELECT facet FROM incident_facet WHERE tenant = ?1 AND incident = ?2";
    each(connection, "incident_facet", sql, (tenant, number), |columns| {
        written.insert(columns.text(0)?.to_owned());
        Ok(())
    })?;
    let facets = it.facets();
    for facet in written.difference(&facets) {
        connection
            .prepare_cached(
                "DELETE FROM incident_facet \
                 WHERE tenant = ?1 AND incident = ?2 AND facet = ?3",
            )?
            .execute((tenant, number, facet))?;
    }
    for facet in facets.difference(&written) {
        connection
            .prepare_cached(
                "INSERT INTO incident_facet (tenant, incident, facet) VALUES (?1, ?2, ?3)",
            )?
            .execute((tenant, number, facet))?;
    }
    Ok(())
}

/// Reads what a start needs into `rows`.
pub(super) fn load(
    connection: &Connection,
    tenant: i64,
    rows: &mut TenantRows,
) -> Result<(), Failure> {
    let sql = "SELECT incident FROM incident WHERE tenant = ?1 AND closed_at IS NULL \
               ORDER BY number";
    let mut incidents = Vec::new();
    each(connection, "incident", sql, (tenant,), |columns| {
        incidents.push(columns.json::<Incident>(0)?);
        Ok(())
    })?;
    let sql = "SELECT incident FROM incident INDEXED BY incident_closed \
               WHERE tenant = ?1 AND closed_at IS NOT NULL ORDER BY closed_at DESC LIMIT ?2";
    each(connection, "incident", sql, (tenant, CLOSED_READ_AT_START), |columns| {
        incidents.push(columns.json(0)?);
        Ok(())
    })?;
    // Who may know of what is still to be learned depends on its incident, however old.
    let sql = "SELECT incident FROM incident WHERE tenant = ?1 AND closed_at IS NOT NULL \
               AND number IN (SELECT incident FROM postmortem WHERE tenant = ?1 \
                                  AND state NOT IN ('published', 'waived') \
                              UNION SELECT incident FROM action_item WHERE tenant = ?1 \
                                  AND status <> 'completed')";
    let known: BTreeSet<IncidentNumber> = incidents.iter().map(|it| it.number).collect();
    each(connection, "incident", sql, (tenant,), |columns| {
        let incident: Incident = columns.json(0)?;
        incidents.extend(Some(incident).filter(|it| !known.contains(&it.number)));
        Ok(())
    })?;
    incidents.sort_by_key(|it: &Incident| it.number);
    for incident in &incidents {
        let alerts = alerts(connection, tenant, incident.number)?;
        rows.incident_alerts.extend(alerts.into_iter().map(|alert| (incident.number, alert)));
    }
    rows.incidents = incidents;
    Ok(())
}

/// Returns an incident with its alerts.
pub(super) fn one(
    connection: &Connection,
    tenant: TenantId,
    number: IncidentNumber,
) -> Result<Option<(Incident, Vec<IncidentAlert>)>, Failure> {
    let tenant = tenant.0.cast_signed();
    let sql = "SELECT incident FROM incident WHERE tenant = ?1 AND number = ?2";
    let mut found = None;
    each(connection, "incident", sql, (tenant, number.0.cast_signed()), |columns| {
        found = Some(columns.json(0)?);
        Ok(())
    })?;
    let Some(incident) = found else { return Ok(None) };
    Ok(Some((incident, alerts(connection, tenant, number)?)))
}

/// Returns rows of a timeline, in the order of recording.
pub(super) fn entries(
    connection: &Connection,
    tenant: TenantId,
    query: &EntryQuery,
) -> Result<Vec<Entry>, Failure> {
    let sql = "SELECT entry FROM incident_entry \
               WHERE tenant = ?1 AND incident = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4";
    let limit = i64::try_from(query.limit.min(MAX_ENTRIES_PER_QUERY)).unwrap_or(i64::MAX);
    let parameters =
        (tenant.0.cast_signed(), query.incident.0.cast_signed(), query.after.cast_signed(), limit);
    let mut list = Vec::new();
    each(connection, "incident_entry", sql, parameters, |columns| {
        list.push(columns.json(0)?);
        Ok(())
    })?;
    Ok(list)
}

fn alerts(
    connection: &Connection,
    tenant: i64,
    incident: IncidentNumber,
) -> Result<Vec<IncidentAlert>, Failure> {
    let sql = "SELECT fingerprint, alert, joined_at, role FROM incident_alert \
               WHERE tenant = ?1 AND incident = ?2 ORDER BY joined_at, fingerprint";
    let mut list = Vec::new();
    let parameters = (tenant, incident.0.cast_signed());
    each(connection, "incident_alert", sql, parameters, |columns| {
        let role = match columns.is_null(3)? {
            true => None,
            false => AlertRole::parse(columns.text(3)?),
        };
        list.push(IncidentAlert {
            fingerprint: Fingerprint(columns.number(0)?),
            alert: AlertNumber(columns.number(1)?),
            joined_at: columns.instant(2)?,
            role,
        });
        Ok(())
    })?;
    Ok(list)
}
