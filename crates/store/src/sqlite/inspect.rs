//! A look at a database from outside, while its process has it or not.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use tocsin_core::ids::TenantId;

use super::backup::{BackupSummary, summary_of};
use super::{DATABASE_FILE, connect};
use crate::{StoreError, codec};

/// What a data directory holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// How much there is of everything.
    pub summary: BackupSummary,
    /// When the newest event was recorded.
    pub newest_event_at: Option<Timestamp>,
    /// The names of the stored secrets of each tenant, by its name.
    pub secrets: BTreeMap<String, Vec<String>>,
    /// How many people of the default tenant can sign in.
    pub accounts: u64,
}

/// The newest event of all tenants; each one's is found by the end of its history.
const NEWEST_EVENT: &str = "SELECT max(at) FROM highest_number AS it JOIN event \
     ON event.tenant = it.tenant AND event.sequence = \
        (SELECT max(sequence) FROM event WHERE tenant = it.tenant)";
const ACCOUNTS: &str = "SELECT count(*) FROM credentials WHERE tenant = ?1";

const SECRETS: &str = "SELECT tenant.name, secret.name FROM secret \
     JOIN tenant ON tenant.number = secret.tenant ORDER BY secret.tenant, secret.name";

impl Inspection {
    /// Returns the names of the stored secrets of the tenant with this name.
    pub fn secrets_of(&self, tenant: &str) -> &[String] {
        self.secrets.get(tenant).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Reads the whole database in `directory` and changes nothing; `None` when there is none.
///
/// # Errors
/// As [`super::check_backup`].
pub fn inspect(directory: &Path) -> Result<Option<Inspection>, StoreError> {
    let file = directory.join(DATABASE_FILE);
    if !file.exists() {
        return Ok(None);
    }
    let open = || connect::reader(&file);
    let mut connection = open().map_err(super::failure::Failure::of_read)?;
    let summary = summary_of(&mut connection, &file)?;
    let newest: Option<i64> = connection.query_row(NEWEST_EVENT, [], |row| row.get(0)).ok();
    let newest_event_at = newest.and_then(codec::read_instant);
    let secrets =
        secrets(&connection).map_err(|error| super::failure::Failure::from(error).of_read())?;
    let accounts =
        accounts(&connection).map_err(|error| super::failure::Failure::from(error).of_read())?;
    Ok(Some(Inspection { summary, newest_event_at, secrets, accounts }))
}

/// A database of an older release may not have the table yet.
fn accounts(connection: &rusqlite::Connection) -> rusqlite::Result<u64> {
    if !connection.table_exists(None, "credentials")? {
        return Ok(0);
    }
    let count: i64 =
        connection.query_row(ACCOUNTS, [TenantId::DEFAULT.0.cast_signed()], |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

/// A database of an older release may not have the table yet.
fn secrets(connection: &rusqlite::Connection) -> rusqlite::Result<BTreeMap<String, Vec<String>>> {
    let mut secrets = BTreeMap::<String, Vec<String>>::new();
    if !connection.table_exists(None, "secret")? {
        return Ok(secrets);
    }
    let mut statement = connection.prepare(SECRETS)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for row in rows {
        let (tenant, name): (String, String) = row?;
        secrets.entry(tenant).or_default().push(name);
    }
    Ok(secrets)
}
