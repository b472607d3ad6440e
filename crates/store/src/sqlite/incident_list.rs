//! Lists of incidents: what drives a query is whatever leaves the fewest, so that none reads the
//! whole table.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tocsin_core::ids::TenantId;
use tocsin_core::incident::{Facet, Incident};

use super::failure::Failure;
use super::knowledge::incidents_with;
use super::load::each;
use crate::{IncidentQuery, MAX_INCIDENTS_PER_QUERY, codec};

/// How far facets are counted to find the rarest.
const MAX_COUNTED: i64 = 1_000;

/// The most facets that one query asks for; further ones are left out.
const MAX_FACETS: usize = 20;

/// A condition with the values of its question marks, in order.
#[derive(Default)]
struct Conditions {
    sql: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn add(&mut self, sql: &str, value: impl Into<Value>) {
        self.sql.push(sql.to_owned());
        self.values.push(value.into());
    }

    fn any_of(&mut self, column: &str, list: Vec<Value>) {
        if !list.is_empty() {
            let marks = vec!["?"; list.len()].join(", ");
            self.sql.push(format!("{column} IN ({marks})"));
            self.values.extend(list);
        }
    }
}

/// Returns incidents, the newest first.
pub(super) fn query(
    connection: &Connection,
    tenant: TenantId,
    query: &IncidentQuery,
) -> Result<Vec<Incident>, Failure> {
    let tenant = tenant.0.cast_signed();
    let service = query.service.as_ref().map(|service| Facet::Service.of(service));
    let mut facets: Vec<String> = service.into_iter().chain(query.facets.clone()).collect();
    facets.truncate(MAX_FACETS);
    let words = match &query.text {
        None => None,
        // What has no words is in nothing.
        Some(text) => match incidents_with(tenant, text) {
            Some(words) => Some(words),
            None if text.trim().is_empty() => None,
            None => return Ok(Vec::new()),
        },
    };
    let mut all = Conditions::default();
    let (from, order) = if let Some(words) = words {
        all.add("knowledge_text MATCH ?", words);
        all.add("k.tenant = ?", tenant);
        all.add("k.kind = ?", "incident".to_owned());
        if let Some(document) = document_before(connection, tenant, query)? {
            all.add("t.rowid < ?", document);
        }
        let from = "knowledge_text t CROSS JOIN knowledge k ON k.id = t.rowid \
                    CROSS JOIN incident i ON i.tenant = k.tenant AND i.number = k.incident";
        // Documents are counted as incidents are.
        (from, "t.rowid")
    } else if let Some(rarest) = rarest(connection, tenant, &facets)? {
        let facet = facets.swap_remove(rarest);
        all.add("f.tenant = ?", tenant);
        all.add("f.facet = ?", facet);
        let from = "incident_facet f INDEXED BY incident_facet_by_value \
                    CROSS JOIN incident i ON i.tenant = f.tenant AND i.number = f.incident";
        (from, "f.incident")
    } else {
        all.add("i.tenant = ?", tenant);
        ("incident i INDEXED BY incident_narrow", "i.number")
    };
    for facet in facets {
        all.add(
            "EXISTS (SELECT 1 FROM incident_facet o WHERE o.tenant = i.tenant \
                 AND o.incident = i.number AND o.facet = ?)",
            facet,
        );
    }
    narrow(&mut all, query, order);
    let limit = i64::try_from(query.limit.min(MAX_INCIDENTS_PER_QUERY)).unwrap_or(i64::MAX);
    all.values.push(limit.into());
    let sql = format!(
        "SELECT o.incident FROM \
             (SELECT i.tenant, i.number FROM {from} WHERE {} ORDER BY {order} DESC LIMIT ?) found \
         CROSS JOIN incident o ON o.tenant = found.tenant AND o.number = found.number \
         ORDER BY found.number DESC",
        all.sql.join(" AND ")
    );
    let mut list = Vec::new();
    each(connection, "incident", &sql, params_from_iter(all.values), |columns| {
        list.push(columns.json(0)?);
        Ok(())
    })?;
    Ok(list)
}

fn narrow(all: &mut Conditions, query: &IncidentQuery, order: &str) {
    if let Some(before) = query.before {
        let column = if order == "f.incident" { order } else { "i.number" };
        all.add(&format!("{column} < ?"), before.0.cast_signed());
    }
    let word = |word: &str| Value::from(word.to_owned());
    all.any_of("i.status", query.statuses.iter().map(|it| word(it.as_str())).collect());
    let severities = query.severities.iter().map(|it| Value::from(*it as i64 + 1)).collect();
    all.any_of("i.severity", severities);
    all.any_of("i.mode", query.modes.iter().map(|it| word(it.as_str())).collect());
    if let Some(owner) = &query.owner {
        all.add("i.owner = ?", owner.to_string());
    }
    if let Some(from) = query.from {
        all.add("i.detected_at >= ?", codec::instant(from));
    }
    if let Some(to) = query.to {
        all.add("i.detected_at < ?", codec::instant(to));
    }
}

/// Returns the document of the incident before which the page begins.
fn document_before(
    connection: &Connection,
    tenant: i64,
    query: &IncidentQuery,
) -> Result<Option<i64>, Failure> {
    let Some(before) = query.before else { return Ok(None) };
    let sql = "SELECT id FROM knowledge WHERE tenant = ?1 AND kind = ?2 AND key = ?3";
    let mut found = None;
    each(connection, "knowledge", sql, (tenant, "incident", before.to_string()), |columns| {
        found = Some(columns.integer(0)?);
        Ok(())
    })?;
    Ok(found)
}

/// Returns the place of the facet that the fewest incidents have; `None` when there are none.
fn rarest(
    connection: &Connection,
    tenant: i64,
    facets: &[String],
) -> Result<Option<usize>, Failure> {
    let mut rarest: Option<(i64, usize)> = None;
    for (place, facet) in facets.iter().enumerate() {
        let count: i64 = connection
            .prepare_cached(
                "SELECT count(*) FROM (SELECT 1 FROM incident_facet \
                     INDEXED BY incident_facet_by_value \
                     WHERE tenant = ?1 AND facet = ?2 LIMIT ?3)",
            )?
            .query_row((tenant, facet, MAX_COUNTED), |row| row.get(0))?;
        rarest = Some(rarest.map_or((count, place), |known| known.min((count, place))));
    }
    Ok(rarest.map(|(_, place)| place))
}
