//! People, tokens, sessions and secrets as rows, and the audit log.

use rusqlite::Connection;
use rusqlite::types::ToSql;
use serde::Serialize;
use tocsin_core::audit::{AuditHash, AuditHead, AuditRow};
use tocsin_core::identity::{IdentityRows, IdentityWrites};
use tocsin_core::ids::TenantId;

use super::columns::Columns;
use super::failure::Failure;
use super::load::{documents, each};
use crate::{AuditOrder, AuditQuery, MAX_AUDIT_ROWS_PER_QUERY};

/// Writes what changed of who may do what.
pub(super) fn write(
    connection: &Connection,
    tenant: i64,
    writes: &IdentityWrites,
) -> Result<(), Failure> {
    let table = |table, key, column| Table { connection, tenant, table, key, column };
    let people = writes.people.iter().map(|(handle, row)| (handle.as_str(), row));
    table("person", "handle", "person").write(people)?;
    let teams = writes.teams.iter().map(|(name, row)| (&**name, row));
    table("team", "name", "team").write(teams)?;
    let credentials = writes.credentials.iter().map(|(handle, row)| (handle.as_str(), row));
    table("credentials", "handle", "credentials").write(credentials)?;
    let tokens = writes.tokens.iter().map(|(id, row)| (id.to_string(), row));
    table("api_token", "id", "token").write(tokens)?;
    let sessions = writes.sessions.iter().map(|(id, row)| (id.to_string(), row));
    table("session", "id", "session").write(sessions)?;
    let links = writes.links.iter().map(|(hash, row)| (hex(&hash.0), row));
    table("sign_in_link", "hash", "link").write(links)?;
    let secrets = writes.secrets.iter().map(|(name, row)| (name.as_str(), row));
    table("secret", "name", "secret").write(secrets)
}

/// A table of documents by a key.
pub(super) struct Table<'c> {
    pub(super) connection: &'c Connection,
    pub(super) tenant: i64,
    pub(super) table: &'static str,
    pub(super) key: &'static str,
    pub(super) column: &'static str,
}

impl Table<'_> {
    /// Replaces rows, and removes those that are gone.
    pub(super) fn write<'r, K: ToSql, V: Serialize + 'r>(
        &self,
        rows: impl ExactSizeIterator<Item = (K, &'r Option<V>)>,
    ) -> Result<(), Failure> {
        if rows.len() == 0 {
            return Ok(());
        }
        let Self { connection, tenant, table, key, column } = self;
        let mut replace = connection.prepare_cached(&format!(
            "INSERT OR REPLACE INTO {table} (tenant, {key}, {column}) VALUES (?1, ?2, ?3)"
        ))?;
        let mut delete = connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE tenant = ?1 AND {key} = ?2"))?;
        for (key, row) in rows {
            match row {
                Some(row) => replace.execute((tenant, key, serde_json::to_string(row)?))?,
                None => delete.execute((tenant, key))?,
            };
        }
        Ok(())
    }
}

/// Appends to the audit log.
pub(super) fn append_audit(
    connection: &Connection,
    tenant: i64,
    rows: &[AuditRow],
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    // No conflict clause: two rows in one place mean that two histories diverged.
    let mut insert = connection.prepare_cached(
        "INSERT INTO audit (tenant, number, action, subject, entry, hash) \
         VALUES (?1, ?2, ?3 ->> '$.action', ?3 ->> '$.subject', ?3, ?4)",
    )?;
    for row in rows {
        insert.execute((tenant, row.number.cast_signed(), &*row.text, row.hash.0.as_slice()))?;
    }
    Ok(())
}

/// Reads who may do what.
pub(super) fn load(connection: &Connection, tenant: i64) -> Result<IdentityRows, Failure> {
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
    Ok(IdentityRows {
        people: rows!("person", "person", "handle"),
        teams: rows!("team", "team", "name"),
        tokens: rows!("api_token", "token", "id"),
        sessions: rows!("session", "session", "id"),
        credentials: rows!("credentials", "credentials", "handle"),
        links: rows!("sign_in_link", "link", "hash"),
        secrets: rows!("secret", "secret", "name"),
    })
}

/// Reads where the audit log ends.
pub(super) fn audit_head(connection: &Connection, tenant: i64) -> Result<AuditHead, Failure> {
    let sql =
        "SELECT number, entry, hash FROM audit WHERE tenant = ?1 ORDER BY number DESC LIMIT 1";
    let mut head = AuditHead::default();
    each(connection, "audit", sql, (tenant,), |columns| {
        let row = read_audit(&columns)?;
        head = AuditHead { number: row.number, hash: row.hash };
        Ok(())
    })?;
    Ok(head)
}

/// Reads rows of the audit log.
pub(super) fn audit(
    connection: &Connection,
    tenant: TenantId,
    query: &AuditQuery,
) -> Result<Vec<AuditRow>, Failure> {
    let direction = match query.order {
        AuditOrder::OldestFirst => "ASC",
        AuditOrder::NewestFirst => "DESC",
    };
    let sql = format!(
        "SELECT number, entry, hash FROM audit \
         WHERE tenant = ?1 AND number > ?2 AND number < ?3 \
           AND (?4 IS NULL OR action = ?4) AND (?5 IS NULL OR subject = ?5) \
           AND (?6 IS NULL OR coalesce(entry ->> '$.who.name', entry ->> '$.who.kind') = ?6) \
         ORDER BY number {direction} LIMIT ?7"
    );
    let edge = |number: Option<u64>, otherwise: i64| {
        number.map_or(otherwise, |number| i64::try_from(number).unwrap_or(i64::MAX))
    };
    let parameters = (
        tenant.0.cast_signed(),
        edge(query.after, -1),
        edge(query.before, i64::MAX),
        query.action.as_deref(),
        query.subject.as_deref(),
        query.who.as_deref(),
        i64::try_from(query.limit.min(MAX_AUDIT_ROWS_PER_QUERY)).unwrap_or(i64::MAX),
    );
    let mut rows = Vec::new();
    each(connection, "audit", &sql, parameters, |columns| {
        rows.push(read_audit(&columns)?);
        Ok(())
    })?;
    Ok(rows)
}

fn read_audit(columns: &Columns<'_>) -> Result<AuditRow, Failure> {
    let hash = columns.bytes(2)?.try_into();
    let hash = hash.map_err(|_| columns.corrupt("the hash has not 32 bytes"))?;
    Ok(AuditRow {
        number: columns.number(0)?,
        text: columns.text(1)?.into(),
        hash: AuditHash(hash),
    })
}

/// Returns the number of the tenant with that name, new ones included.
pub(super) fn tenant_number(connection: &Connection, name: &str) -> Result<TenantId, Failure> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO tenant (name) VALUES (?1)")?
        .execute([name])?;
    let mut find = connection.prepare_cached("SELECT number FROM tenant WHERE name = ?1")?;
    let number: i64 = find.query_row([name], |row| row.get(0))?;
    Ok(TenantId(number.cast_unsigned()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
