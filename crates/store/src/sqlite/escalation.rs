//! Escalations, pages, policies, contact methods and heartbeats as rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;
use tocsin_core::escalation::{EscalationPolicy, EscalationRun, RunState};
use tocsin_core::ids::TenantId;
use tocsin_core::rows::{TenantRows, WriteSet};

use super::columns::Columns;
use super::failure::Failure;
use super::load::{documents, each};
use crate::{MAX_RUNS_PER_QUERY, RunQuery, codec};

/// How many ended escalations a start reads, so that late answers are told that it is over.
const ENDED_READ_AT_START: i64 = 10_000;

/// Writes what a turn changed.
pub(super) fn write(
    connection: &Connection,
    tenant: i64,
    writes: &WriteSet,
) -> Result<(), Failure> {
    write_runs(connection, tenant, &writes.runs)?;
    let text = serde_json::to_string::<EscalationPolicy>;
    for (name, policy) in &writes.policies {
        let document = policy.as_deref().map(text).transpose()?;
        put(connection, tenant, "escalation_policy", ("name", "policy"), name, document)?;
    }
    for page in &writes.pages {
        let document = serde_json::to_string(page)?;
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO page (tenant, number, page) VALUES (?1, ?2, ?3)",
            )?
            .execute((tenant, page.number.0.cast_signed(), document))?;
    }
    // Numbers are shared with notifications, so most of these are not pages.
    for number in &writes.finished_outbox {
        connection
            .prepare_cached("DELETE FROM page WHERE tenant = ?1 AND number = ?2")?
            .execute((tenant, number.0.cast_signed()))?;
    }
    for (person, contacts) in &writes.contacts {
        let document = Some(serde_json::to_string(contacts)?);
        put(connection, tenant, "contact", ("handle", "contacts"), person.as_str(), document)?;
    }
    for (recipient, throttle) in &writes.throttles {
        let key = serde_json::to_string(recipient)?;
        let document = Some(serde_json::to_string(throttle)?);
        put(connection, tenant, "method_use", ("recipient", "throttle"), &key, document)?;
    }
    for (policy, step, count) in &writes.turns {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO step_turn (tenant, policy, step, count) \
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((
                tenant,
                &**policy,
                i64::try_from(*step).unwrap_or(i64::MAX),
                count.cast_signed(),
            ))?;
    }
    for row in &writes.heartbeats {
        let document = Some(serde_json::to_string(row)?);
        put(connection, tenant, "heartbeat", ("name", "heartbeat"), &row.name, document)?;
    }
    Ok(())
}

/// Writes a document by its key, or deletes it.
fn put(
    connection: &Connection,
    tenant: i64,
    table: &'static str,
    (key_column, column): (&'static str, &'static str),
    key: &str,
    document: Option<String>,
) -> Result<(), Failure> {
    match document {
        Some(document) => connection
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO {table} (tenant, {key_column}, {column}) \
                 VALUES (?1, ?2, ?3)"
            ))?
            .execute((tenant, key, document))?,
        None => connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE tenant = ?1 AND {key_column} = ?2"
            ))?
            .execute((tenant, key))?,
    };
    Ok(())
}

fn write_runs(connection: &Connection, tenant: i64, runs: &[EscalationRun]) -> Result<(), Failure> {
    if runs.is_empty() {
        return Ok(());
    }
    let mut replace = connection.prepare_cached(
        "INSERT OR REPLACE INTO escalation (tenant, number, started_at, ended_at, policy, run) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut keep = connection.prepare_cached(
        "INSERT OR IGNORE INTO escalation_snapshot (tenant, hash, policy) VALUES (?1, ?2, ?3)",
    )?;
    // Runs of one policy share it.
    let mut names: BTreeMap<*const EscalationPolicy, [u8; 16]> = BTreeMap::new();
    for run in runs {
        let name = match names.get(&Arc::as_ptr(&run.policy)) {
            Some(name) => *name,
            None => {
                let document = serde_json::to_string(&*run.policy)?;
                let name = EscalationPolicy::snapshot_name(&document);
                keep.execute((tenant, name.as_slice(), document))?;
                names.insert(Arc::as_ptr(&run.policy), name);
                name
            }
        };
        let ended_at = match &run.state {
            RunState::Ended { at, .. } => Some(codec::instant(*at)),
            _ => None,
        };
        replace.execute((
            tenant,
            run.number.0.cast_signed(),
            codec::instant(run.started_at),
            ended_at,
            name.as_slice(),
            serde_json::to_string(run)?,
        ))?;
    }
    Ok(())
}

/// Reads what a start needs into `rows`.
pub(super) fn load(
    connection: &Connection,
    tenant: i64,
    rows: &mut TenantRows,
) -> Result<(), Failure> {
    rows.runs = read_runs(
        connection,
        "WHERE escalation.tenant = ?1 AND ended_at IS NULL ORDER BY number",
        (tenant,),
    )?;
    rows.runs.extend(read_runs(
        connection,
        "WHERE escalation.tenant = ?1 AND ended_at IS NOT NULL ORDER BY ended_at DESC, number LIMIT ?2",
        (tenant, ENDED_READ_AT_START),
    )?);
    rows.runs.sort_by_key(|run| run.number);
    let sql = "SELECT page FROM page WHERE tenant = ?1 ORDER BY number";
    rows.pages = documents(connection, "page", sql, tenant)?;
    let sql = "SELECT policy FROM escalation_policy WHERE tenant = ?1 ORDER BY name";
    rows.policies = documents(connection, "escalation_policy", sql, tenant)?;
    let sql = "SELECT heartbeat FROM heartbeat WHERE tenant = ?1 ORDER BY name";
    rows.heartbeats = documents(connection, "heartbeat", sql, tenant)?;
    let sql = "SELECT handle, contacts FROM contact WHERE tenant = ?1 ORDER BY handle";
    each(connection, "contact", sql, (tenant,), |columns| {
        let handle = tocsin_core::identity::Handle::parse(columns.text(0)?);
        let handle = handle.map_err(|error| columns.corrupt(error.to_string()))?;
        rows.contacts.push((handle, columns.json(1)?));
        Ok(())
    })?;
    let sql = "SELECT recipient, throttle FROM method_use WHERE tenant = ?1 ORDER BY recipient";
    each(connection, "method_use", sql, (tenant,), |columns| {
        rows.throttles.push((columns.json(0)?, columns.json(1)?));
        Ok(())
    })?;
    let sql = "SELECT policy, step, count FROM step_turn WHERE tenant = ?1 ORDER BY policy, step";
    each(connection, "step_turn", sql, (tenant,), |columns| {
        let step = usize::try_from(columns.number(1)?).unwrap_or(usize::MAX);
        rows.turns.push((columns.text(0)?.into(), step, columns.number(2)?));
        Ok(())
    })
}

/// Returns escalations, newest first.
pub(super) fn query(
    connection: &Connection,
    tenant: TenantId,
    query: &RunQuery,
) -> Result<Vec<EscalationRun>, Failure> {
    let before = query.before.map_or(i64::MAX, |number| number.0.cast_signed());
    let limit = i64::try_from(query.limit.min(MAX_RUNS_PER_QUERY)).unwrap_or(i64::MAX);
    let tenant = tenant.0.cast_signed();
    let choice = match query.is_open {
        None => "",
        Some(true) => "AND ended_at IS NULL",
        Some(false) => "AND ended_at IS NOT NULL",
    };
    let sql = format!(
        "WHERE escalation.tenant = ?1 AND number < ?2 {choice} ORDER BY number DESC LIMIT ?3"
    );
    read_runs(connection, &sql, (tenant, before, limit))
}

/// Deletes escalations that ended before, at most `limit`, and returns how many.
pub(super) fn purge(
    connection: &Connection,
    tenant: i64,
    before: i64,
    limit: i64,
) -> Result<u64, Failure> {
    let count = connection.execute(
        "DELETE FROM escalation WHERE tenant = ?1 AND number IN \
             (SELECT number FROM escalation WHERE tenant = ?1 AND ended_at < ?2 \
              ORDER BY ended_at LIMIT ?3)",
        (tenant, before, limit),
    )?;
    if count > 0 {
        connection.execute(
            "DELETE FROM escalation_snapshot WHERE tenant = ?1 AND hash NOT IN \
                 (SELECT policy FROM escalation WHERE tenant = ?1)",
            (tenant,),
        )?;
    }
    Ok(count as u64)
}

fn read_runs(
    connection: &Connection,
    choice: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<EscalationRun>, Failure> {
    let sql = format!(
        "SELECT run, escalation.policy, escalation_snapshot.policy FROM escalation \
         LEFT JOIN escalation_snapshot ON escalation_snapshot.tenant = escalation.tenant \
             AND escalation_snapshot.hash = escalation.policy {choice}"
    );
    let mut shared: BTreeMap<Vec<u8>, Arc<EscalationPolicy>> = BTreeMap::new();
    let mut runs = Vec::new();
    each(connection, "escalation", &sql, parameters, |columns: Columns<'_>| {
        let mut run: EscalationRun = columns.json(0)?;
        let hash = columns.bytes(1)?.to_vec();
        run.policy = match shared.get(&hash) {
            Some(policy) => Arc::clone(policy),
            None => {
                let policy: Arc<EscalationPolicy> =
                    Arc::new(columns.of("escalation_snapshot").json(2)?);
                shared.insert(hash, Arc::clone(&policy));
                policy
            }
        };
        runs.push(run);
        Ok(())
    })?;
    Ok(runs)
}
