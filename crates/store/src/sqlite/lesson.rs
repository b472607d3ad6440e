//! Postmortems, action items and articles as rows.

use rusqlite::{Connection, OptionalExtension as _, named_params};
use tocsin_core::action::{ActionId, ActionItem};
use tocsin_core::identity::Handle;
use tocsin_core::ids::TenantId;
use tocsin_core::incident::IncidentNumber;
use tocsin_core::knowledge::{Article, ArticleNumber};
use tocsin_core::lesson::LessonRows;
use tocsin_core::postmortem::{Postmortem, PostmortemComment};
use tocsin_core::rows::WriteSet;
use tocsin_core::severity::Severity;

use super::failure::Failure;
use super::load::each;
use super::viewer::{viewer, visible};
use crate::{
    ActionQuery, MAX_ACTIONS_PER_QUERY, MAX_POSTMORTEM_VERSIONS, MAX_POSTMORTEMS_PER_QUERY,
    PostmortemQuery, PostmortemRow, PostmortemVersion, codec,
};

/// Writes what a turn changed.
pub(super) fn write(
    connection: &Connection,
    tenant: i64,
    writes: &WriteSet,
) -> Result<(), Failure> {
    let lessons = &writes.lessons;
    for it in &lessons.postmortems {
        write_postmortem(connection, tenant, it)?;
    }
    for it in &lessons.comments {
        // No conflict clause: what was said is only ever added to.
        connection
            .prepare_cached(
                "INSERT INTO postmortem_comment (tenant, incident, number, comment) \
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((
                tenant,
                it.incident.0.cast_signed(),
                it.number.cast_signed(),
                serde_json::to_string(it)?,
            ))?;
    }
    for it in &lessons.actions {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO action_item \
                     (tenant, incident, number, status, priority, owner, due_at, item) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                tenant,
                it.id.incident.0.cast_signed(),
                it.id.number,
                it.status.as_str(),
                it.priority.as_str(),
                it.owner.as_ref().map(Handle::as_str),
                codec::instant(it.due_at),
                serde_json::to_string(it)?,
            ))?;
    }
    for it in &lessons.articles {
        connection
            .prepare_cached(
                "INSERT INTO article (tenant, number, version, article) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((
                tenant,
                it.number.0.cast_signed(),
                it.version.cast_signed(),
                serde_json::to_string(it)?,
            ))?;
    }
    for (incident, name) in &lessons.traits {
        connection
            .prepare_cached(
                "INSERT OR IGNORE INTO incident_trait (tenant, trait, incident) \
                 VALUES (?1, ?2, ?3)",
            )?
            .execute((tenant, name, incident.0.cast_signed()))?;
    }
    super::knowledge::write(connection, tenant, writes)
}

fn write_postmortem(connection: &Connection, tenant: i64, it: &Postmortem) -> Result<(), Failure> {
    let incident = it.incident.0.cast_signed();
    let document = serde_json::to_string(it)?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO postmortem \
                 (tenant, incident, version, state, owner, due_at, postmortem) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            tenant,
            incident,
            it.version.cast_signed(),
            it.state.as_str(),
            it.owner.as_ref().map(Handle::as_str),
            it.due_at.map(codec::instant),
            &document,
        ))?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO postmortem_version \
                 (tenant, incident, version, state, postmortem) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((tenant, incident, it.version.cast_signed(), it.state.as_str(), &document))?;
    connection
        .prepare_cached(
            "DELETE FROM postmortem_version WHERE tenant = ?1 AND incident = ?2 \
                 AND version <= ?3 AND state <> 'published'",
        )?
        .execute((
            tenant,
            incident,
            it.version.saturating_sub(MAX_POSTMORTEM_VERSIONS).cast_signed(),
        ))?;
    Ok(())
}

/// Reads what a start needs.
pub(super) fn load(connection: &Connection, tenant: i64) -> Result<LessonRows, Failure> {
    let mut rows = LessonRows::default();
    let sql = "SELECT postmortem FROM postmortem WHERE tenant = ?1 \
                   AND state NOT IN ('published', 'waived') ORDER BY incident";
    each(connection, "postmortem", sql, (tenant,), |columns| {
        rows.postmortems.push(columns.json(0)?);
        Ok(())
    })?;
    let sql = "SELECT item FROM action_item WHERE tenant = ?1 AND status <> 'completed' \
               ORDER BY incident, number";
    each(connection, "action_item", sql, (tenant,), |columns| {
        rows.actions.push(columns.json(0)?);
        Ok(())
    })?;
    let sql = "SELECT incident, max(number) FROM action_item WHERE tenant = ?1 GROUP BY incident";
    each(connection, "action_item", sql, (tenant,), |columns| {
        let number = u32::try_from(columns.integer(1)?).unwrap_or(u32::MAX);
        rows.action_numbers.push((IncidentNumber(columns.number(0)?), number));
        Ok(())
    })?;
    let highest: Option<i64> = connection
        .prepare_cached("SELECT max(number) FROM article WHERE tenant = ?1")?
        .query_row((tenant,), |row| row.get(0))?;
    rows.article = ArticleNumber(highest.unwrap_or(0).cast_unsigned());
    Ok(rows)
}

/// Returns the postmortem of an incident.
pub(super) fn postmortem(
    connection: &Connection,
    tenant: TenantId,
    incident: IncidentNumber,
    version: Option<u64>,
) -> Result<Option<Postmortem>, Failure> {
    let (tenant, incident) = (tenant.0.cast_signed(), incident.0.cast_signed());
    let mut found = None;
    match version {
        None => {
            let sql = "SELECT postmortem FROM postmortem WHERE tenant = ?1 AND incident = ?2";
            each(connection, "postmortem", sql, (tenant, incident), |columns| {
                found = Some(columns.json(0)?);
                Ok(())
            })?;
        }
        Some(version) => {
            let sql = "SELECT postmortem FROM postmortem_version \
                       WHERE tenant = ?1 AND incident = ?2 AND version = ?3";
            let key = (tenant, incident, version.cast_signed());
            each(connection, "postmortem_version", sql, key, |columns| {
                found = Some(columns.json(0)?);
                Ok(())
            })?;
        }
    }
    Ok(found)
}

/// Returns the versions of a postmortem, the newest first.
pub(super) fn versions(
    connection: &Connection,
    tenant: TenantId,
    incident: IncidentNumber,
) -> Result<Vec<PostmortemVersion>, Failure> {
    let sql = "SELECT version, postmortem FROM postmortem_version \
               WHERE tenant = ?1 AND incident = ?2 ORDER BY version DESC LIMIT 1000";
    let key = (tenant.0.cast_signed(), incident.0.cast_signed());
    let mut list = Vec::new();
    each(connection, "postmortem_version", sql, key, |columns| {
        let it: Postmortem = columns.json(1)?;
        let (version, state) = (columns.number(0)?, it.state);
        list.push(PostmortemVersion { version, state, at: it.changed_at, by: it.changed_by });
        Ok(())
    })?;
    Ok(list)
}

/// Returns what was said about a postmortem, in its order.
pub(super) fn comments(
    connection: &Connection,
    tenant: TenantId,
    incident: IncidentNumber,
) -> Result<Vec<PostmortemComment>, Failure> {
    let sql = "SELECT comment FROM postmortem_comment WHERE tenant = ?1 AND incident = ?2 \
               ORDER BY number LIMIT 1000";
    let key = (tenant.0.cast_signed(), incident.0.cast_signed());
    let mut list = Vec::new();
    each(connection, "postmortem_comment", sql, key, |columns| {
        list.push(columns.json(0)?);
        Ok(())
    })?;
    Ok(list)
}

/// Returns postmortems, those of the newest incidents first.
pub(super) fn postmortems(
    connection: &Connection,
    tenant: TenantId,
    query: &PostmortemQuery,
) -> Result<Vec<PostmortemRow>, Failure> {
    let sql = concat!(
        "SELECT postmortem.postmortem, incident.severity, incident.service, incident.detected_at \
         FROM postmortem JOIN incident \
             ON incident.tenant = postmortem.tenant AND incident.number = postmortem.incident \
         WHERE postmortem.tenant = :tenant AND postmortem.incident < :before \
             AND (:states IS NULL \
                  OR postmortem.state IN (SELECT value FROM json_each(:states))) \
             AND (:owner IS NULL OR postmortem.owner = :owner) \
             AND (:due IS NULL OR (postmortem.due_at < :due \
                                   AND postmortem.state NOT IN ('published', 'waived'))) \
             AND ",
        visible!(),
        " ORDER BY postmortem.incident DESC LIMIT :limit"
    );
    let states: Vec<&str> = query.states.iter().map(|it| it.as_str()).collect();
    let viewer = viewer(&query.visible)?;
    let limit = query.limit.min(MAX_POSTMORTEMS_PER_QUERY);
    let parameters = named_params! {
        ":tenant": tenant.0.cast_signed(),
        ":before": query.before.map_or(i64::MAX, |it| it.0.cast_signed()),
        ":states": list(&states)?,
        ":owner": query.owner.as_ref().map(Handle::as_str),
        ":due": query.due_before.map(codec::instant),
        ":viewer": viewer,
        ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
    };
    let mut rows = Vec::new();
    each(connection, "postmortem", sql, parameters, |columns| {
        let place = usize::try_from(columns.integer(1)? - 1).unwrap_or(usize::MAX);
        rows.push(PostmortemRow {
            postmortem: columns.json(0)?,
            severity: Severity::ALL.get(place).copied().unwrap_or_default(),
            service: columns.text(2)?.to_owned(),
            detected_at: columns.instant(3)?,
        });
        Ok(())
    })?;
    Ok(rows)
}

/// Returns action items, the most urgent and earliest due first.
pub(super) fn actions(
    connection: &Connection,
    tenant: TenantId,
    query: &ActionQuery,
) -> Result<Vec<ActionItem>, Failure> {
    let sql = concat!(
        "SELECT action_item.item FROM action_item JOIN incident \
             ON incident.tenant = action_item.tenant AND incident.number = action_item.incident \
         WHERE action_item.tenant = :tenant \
             AND (:incident IS NULL OR action_item.incident = :incident) \
             AND (:statuses IS NULL \
                  OR action_item.status IN (SELECT value FROM json_each(:statuses))) \
             AND (:priorities IS NULL \
                  OR action_item.priority IN (SELECT value FROM json_each(:priorities))) \
             AND (:owner IS NULL OR action_item.owner = :owner) \
             AND (:due IS NULL OR (action_item.due_at < :due \
                                   AND action_item.status <> 'completed')) \
             AND (:priority IS NULL \
                  OR (action_item.priority, action_item.due_at, action_item.incident, \
                      action_item.number) > (:priority, :at, :of, :number)) \
             AND ",
        visible!(),
        " ORDER BY action_item.priority, action_item.due_at, action_item.incident, \
             action_item.number LIMIT :limit"
    );
    let statuses: Vec<&str> = query.statuses.iter().map(|it| it.as_str()).collect();
    let priorities: Vec<&str> = query.priorities.iter().map(|it| it.as_str()).collect();
    let viewer = viewer(&query.visible)?;
    let after = query.after;
    let limit = query.limit.min(MAX_ACTIONS_PER_QUERY);
    let parameters = named_params! {
        ":tenant": tenant.0.cast_signed(),
        ":incident": query.incident.map(|it| it.0.cast_signed()),
        ":statuses": list(&statuses)?,
        ":priorities": list(&priorities)?,
        ":owner": query.owner.as_ref().map(Handle::as_str),
        ":due": query.due_before.map(codec::instant),
        ":priority": after.map(|(priority, ..)| priority.as_str()),
        ":at": after.map(|(_, at, _)| codec::instant(at)),
        ":of": after.map(|(.., id)| id.incident.0.cast_signed()),
        ":number": after.map(|(.., id)| id.number),
        ":viewer": viewer,
        ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
    };
    let mut rows = Vec::new();
    each(connection, "action_item", sql, parameters, |columns| {
        rows.push(columns.json(0)?);
        Ok(())
    })?;
    Ok(rows)
}

/// Returns an action item.
pub(super) fn action(
    connection: &Connection,
    tenant: TenantId,
    id: ActionId,
) -> Result<Option<ActionItem>, Failure> {
    let sql = "SELECT item FROM action_item WHERE tenant = ?1 AND incident = ?2 AND number = ?3";
    let key = (tenant.0.cast_signed(), id.incident.0.cast_signed(), id.number);
    let mut found = None;
    each(connection, "action_item", sql, key, |columns| {
        found = Some(columns.json(0)?);
        Ok(())
    })?;
    Ok(found)
}

/// Returns the newest version of an article.
pub(super) fn article(
    connection: &Connection,
    tenant: TenantId,
    number: ArticleNumber,
) -> Result<Option<Article>, Failure> {
    let text: Option<String> = connection
        .prepare_cached(
            "SELECT article FROM article WHERE tenant = ?1 AND number = ?2 \
             ORDER BY version DESC LIMIT 1",
        )?
        .query_row((tenant.0.cast_signed(), number.0.cast_signed()), |row| row.get(0))
        .optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// Returns a list as JSON; `None` for an empty one, which asks for nothing.
pub(super) fn list(words: &[&str]) -> Result<Option<String>, Failure> {
    if words.is_empty() { Ok(None) } else { Ok(Some(serde_json::to_string(words)?)) }
}
