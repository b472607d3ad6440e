//! The knowledge base: what is found by its words, and incidents that share something.

use rusqlite::{Connection, OptionalExtension as _, named_params};
use tocsin_core::ids::TenantId;
use tocsin_core::incident::{BlackedOut, Entry, Fact, Incident, IncidentNumber, Marks};
use tocsin_core::knowledge::{Article, ArticleKind, Candidate};
use tocsin_core::postmortem::{Postmortem, SectionName};
use tocsin_core::rows::WriteSet;

use super::failure::Failure;
use super::lesson::list;
use super::load::each;
use super::viewer::{viewer, visible};
use crate::{
    KnowledgeHit, KnowledgeHits, KnowledgeKind, KnowledgeQuery, LikeQuery, Likes,
    MAX_HITS_PER_QUERY, MAX_RANKED, codec,
};

/// The most words that a search looks for; further ones are left out.
const MAX_TERMS: usize = 16;

/// How many words an excerpt has.
const EXCERPT_WORDS: i64 = 24;

/// The most characters of an excerpt where nothing was searched for.
const EXCERPT_CHARS: usize = 200;

/// The most incidents with one trait that are counted or looked at.
const MAX_COUNTED: i64 = 10_000;
const MAX_PER_TRAIT: i64 = 100;

/// The most incidents that one is compared with.
const MAX_CANDIDATES: usize = 150;

/// One document as it is indexed.
struct Document<'d> {
    kind: KnowledgeKind,
    key: String,
    incident: Option<IncidentNumber>,
    service: Option<&'d str>,
    team: Option<&'d str>,
    at: i64,
    title: &'d str,
    body: String,
    tags: String,
    /// Whether it holds no more.
    is_archived: bool,
}

/// Indexes what a turn changed.
pub(super) fn write(
    connection: &Connection,
    tenant: i64,
    writes: &WriteSet,
) -> Result<(), Failure> {
    for it in &writes.incidents {
        put(connection, tenant, &of_incident(it))?;
    }
    for it in &writes.entries {
        if let Some(document) = of_entry(it) {
            put(connection, tenant, &document)?;
        }
        if let Fact::Redacted { .. } = &it.fact
            && !writes.lessons.postmortems.iter().any(|new| new.incident == it.incident)
            && let Some(quotes) = super::lesson::postmortem(
                connection,
                TenantId(tenant.cast_unsigned()),
                it.incident,
                None,
            )?
        {
            put_postmortem(connection, tenant, quotes)?;
        }
    }
    let lessons = &writes.lessons;
    for it in &lessons.postmortems {
        put_postmortem(connection, tenant, it.clone())?;
    }
    for it in &lessons.actions {
        let document = Document {
            kind: KnowledgeKind::Action,
            key: it.id.to_string(),
            incident: Some(it.id.incident),
            service: None,
            team: None,
            at: codec::instant(it.created_at),
            title: &it.title,
            body: it.description.clone(),
            tags: format!("{} {}", it.category, it.priority),
            is_archived: false,
        };
        put(connection, tenant, &document)?;
    }
    for it in &lessons.articles {
        put(connection, tenant, &of_article(it))?;
    }
    for (incident, it) in &lessons.runbooks {
        let known = writes.incidents.iter().find(|known| known.number == *incident);
        let at = match known {
            Some(known) => codec::instant(known.record.detected_at()),
            None => connection
                .prepare_cached(
                    "SELECT detected_at FROM incident WHERE tenant = ?1 AND number = ?2",
                )?
                .query_row((tenant, incident.0.cast_signed()), |row| row.get(0))
                .optional()?
                .unwrap_or(0),
        };
        let document = Document {
            kind: KnowledgeKind::Runbook,
            key: runbook_key(*incident, &it.url),
            incident: Some(*incident),
            service: None,
            team: None,
            at,
            title: &it.alert,
            body: format!("{} {}", it.text, it.url),
            tags: String::new(),
            is_archived: false,
        };
        put(connection, tenant, &document)?;
    }
    Ok(())
}

/// Returns the key of a runbook in the words of one incident. Each incident has a document of its
/// own, so that nobody reads what an alert said that is not for them; they are found as one.
fn runbook_key(incident: IncidentNumber, url: &str) -> String {
    format!("{incident} {url}")
}

fn of_incident(it: &Incident) -> Document<'_> {
    let alerts = it.traits.iter().filter_map(|it| it.strip_prefix("alert:"));
    let mut body = it.summary.clone();
    if !it.root_cause.is_empty() {
        body.push(' ');
        body.push_str(&it.root_cause);
    }
    for alert in alerts {
        body.push(' ');
        body.push_str(alert);
    }
    let category = it.category.map(|it| it.to_string()).unwrap_or_default();
    let tags: Vec<&str> = it.tags.iter().map(compact_str::CompactString::as_str).collect();
    Document {
        kind: KnowledgeKind::Incident,
        key: it.number.to_string(),
        incident: Some(it.number),
        service: None,
        team: None,
        at: codec::instant(it.record.detected_at()),
        title: &it.title,
        body,
        tags: format!(
            "{} {category} {} {} {}",
            it.all_services().join(" "),
            it.severity,
            it.reference(),
            tags.join(" ")
        ),
        is_archived: false,
    }
}

fn of_entry(it: &Entry) -> Option<Document<'_>> {
    let (row, text) = match &it.fact {
        Fact::Commented { text, .. } | Fact::Imported { text, .. } => (it.seq, text.as_str()),
        Fact::Moved { note, .. } if it.by.is_person() && !note.is_empty() => {
            (it.seq, note.as_str())
        }
        // It is found by what it says now, and what must not be read is not found.
        Fact::Revised { row, text } => (*row, text.as_str()),
        Fact::Redacted { row, .. } => (*row, ""),
        _ => return None,
    };
    Some(Document {
        kind: KnowledgeKind::Comment,
        key: format!("{}/{row}", it.incident),
        incident: Some(it.incident),
        service: None,
        team: None,
        at: codec::instant(it.occurred_at),
        title: "",
        body: text.to_owned(),
        tags: String::new(),
        is_archived: false,
    })
}

/// Indexes a postmortem without what must not be read any more of its timeline.
fn put_postmortem(connection: &Connection, tenant: i64, mut it: Postmortem) -> Result<(), Failure> {
    let sql = "SELECT json_extract(incident, '$.marks') FROM incident \
               WHERE tenant = ?1 AND number = ?2";
    let mut marks = Marks::default();
    let number = it.incident.0.cast_signed();
    each(connection, "incident", sql, (tenant, number), |columns| {
        if !columns.is_null(0)? {
            marks = columns.json(0)?;
        }
        Ok(())
    })?;
    marks.retain(|_, mark| mark.redacted_at.is_some());
    if !marks.is_empty() {
        let rows: Vec<u64> = marks.keys().copied().collect();
        let sql = "SELECT entry FROM incident_entry WHERE tenant = ?1 AND incident = ?2 \
                   AND (seq IN (SELECT value FROM json_each(?3)) \
                        OR json_extract(entry, '$.row') IN (SELECT value FROM json_each(?3)))";
        let mut entries: Vec<Entry> = Vec::new();
        let parameters = (tenant, number, serde_json::to_string(&rows)?);
        each(connection, "incident_entry", sql, parameters, |columns| {
            entries.push(columns.json(0)?);
            Ok(())
        })?;
        it.black_out(&BlackedOut::of(&entries, &marks));
    }
    put(connection, tenant, &of_postmortem(&it))
}

fn of_postmortem(it: &Postmortem) -> Document<'_> {
    let mut body = String::new();
    for name in SectionName::ALL {
        let Some(section) = it.sections.get(&name) else { continue };
        match &section.text {
            Some(text) => body.push_str(text),
            None => {
                for sentence in &section.drafted {
                    body.push_str(&sentence.text);
                    body.push(' ');
                }
            }
        }
        body.push('\n');
    }
    let tags: Vec<&str> = it.tags.iter().map(compact_str::CompactString::as_str).collect();
    Document {
        is_archived: false,
        kind: KnowledgeKind::Postmortem,
        key: it.incident.to_string(),
        incident: Some(it.incident),
        service: None,
        team: None,
        at: codec::instant(it.created_at),
        title: &it.title,
        body,
        tags: tags.join(" "),
    }
}

fn of_article(it: &Article) -> Document<'_> {
    let content = &it.content;
    let tags: Vec<&str> = content.tags.iter().map(compact_str::CompactString::as_str).collect();
    Document {
        is_archived: content.is_archived,
        kind: match content.kind {
            ArticleKind::BestPractice => KnowledgeKind::BestPractice,
            ArticleKind::Lesson => KnowledgeKind::Lesson,
        },
        key: it.number.to_string(),
        incident: None,
        service: Some(content.service.as_str()).filter(|it| !it.is_empty()),
        team: Some(content.team.as_str()).filter(|it| !it.is_empty()),
        at: codec::instant(it.changed_at),
        title: &content.title,
        body: content.body.clone(),
        tags: tags.join(" "),
    }
}

/// Puts a document in, in the place of the one with its key.
fn put(connection: &Connection, tenant: i64, it: &Document<'_>) -> Result<(), Failure> {
    let mut kinds = vec![it.kind.as_str()];
    // An article may become of the other kind.
    match it.kind {
        KnowledgeKind::BestPractice => kinds.push(KnowledgeKind::Lesson.as_str()),
        KnowledgeKind::Lesson => kinds.push(KnowledgeKind::BestPractice.as_str()),
        _ => {}
    }
    let mut known: Option<i64> = None;
    for kind in kinds {
        known = known.or(connection
            .prepare_cached(
                "SELECT id FROM knowledge WHERE tenant = ?1 AND kind = ?2 AND key = ?3",
            )?
            .query_row((tenant, kind, &it.key), |row| row.get(0))
            .optional()?);
    }
    let incident = it.incident.map(|it| it.0.cast_signed());
    let word = match (it.kind, it.is_archived) {
        (_, true) => ARCHIVED,
        (KnowledgeKind::Incident, _) => INCIDENT,
        _ => "",
    };
    let scope = format!("{} {word}", scope_word(tenant));
    let Some(id) = known else {
        connection
            .prepare_cached(
                "INSERT INTO knowledge (tenant, kind, key, incident, service, team, at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((tenant, it.kind.as_str(), &it.key, incident, it.service, it.team, it.at))?;
        connection
            .prepare_cached(
                "INSERT INTO knowledge_text (rowid, scope, title, body, tags) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((connection.last_insert_rowid(), scope, it.title, &it.body, &it.tags))?;
        return Ok(());
    };
    connection
        .prepare_cached(
            "UPDATE knowledge SET kind = ?2, incident = ?3, service = ?4, team = ?5, at = ?6 \
             WHERE id = ?1",
        )?
        .execute((id, it.kind.as_str(), incident, it.service, it.team, it.at))?;
    // Indexing anew is far dearer than looking whether there is anything new.
    connection
        .prepare_cached(
            "UPDATE knowledge_text SET title = ?2, body = ?3, tags = ?4, scope = ?5 \
             WHERE rowid = ?1 \
                 AND (title <> ?2 OR body <> ?3 OR tags <> ?4 OR trim(scope) <> trim(?5))",
        )?
        .execute((id, it.title, &it.body, &it.tags, scope))?;
    Ok(())
}

/// The word of the scope that incidents have, so that lists of them look at nothing else.
const INCIDENT: &str = "incident";

/// How many times [`MAX_RANKED`] documents are looked at for somebody who may not see most of them.
const MAX_ROUNDS: usize = 8;

/// The word of the scope that a document has which holds no more.
const ARCHIVED: &str = "archived";

/// The word that every document of a tenant has and no other.
fn scope_word(tenant: i64) -> String {
    format!("t{tenant}")
}

/// Returns the words and phrases of what somebody typed.
fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    // What stands at an odd place stands between two quotes; one that is not closed ends with the
    // text.
    for (place, part) in text.split('"').enumerate() {
        let words: Vec<&str> =
            part.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
        if place % 2 == 1 {
            terms.push(words.join(" "));
        } else {
            terms.extend(words.into_iter().map(str::to_owned));
        }
    }
    terms.retain(|term| !term.is_empty());
    terms.truncate(MAX_TERMS);
    terms
}

/// Returns an expression of the index: every term in quotes, so that none is ever syntax. The last
/// word may go on.
///
/// The word of the tenant is left out where no other has documents: to merge the list of all of
/// them with that of a word takes as long as everything else.
fn expression(scope: Option<i64>, terms: &[String], tags: &[String], joined_by: &str) -> String {
    let last = terms.len().saturating_sub(1);
    let quoted: Vec<String> = terms
        .iter()
        .enumerate()
        .map(|(place, term)| {
            let star = if place == last && !term.contains(' ') { "*" } else { "" };
            format!("\"{term}\"{star}")
        })
        .collect();
    let mut parts = Vec::new();
    parts.extend(scope.map(|tenant| format!("scope : \"{}\"", scope_word(tenant))));
    if !quoted.is_empty() {
        parts.push(format!("{{title body tags}} : ({})", quoted.join(joined_by)));
    }
    for tag in tags {
        if tag == ARCHIVED {
            parts.push(format!("scope : \"{ARCHIVED}\""));
            continue;
        }
        let words: Vec<&str> =
            tag.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
        if !words.is_empty() {
            parts.push(format!("tags : \"{}\"", words.join(" ")));
        }
    }
    let all = parts.join(" AND ");
    if tags.iter().any(|tag| tag == ARCHIVED) {
        return all;
    }
    format!("({all}) NOT scope : \"{ARCHIVED}\"")
}

/// Returns an expression of the index for incidents with words that begin like all of these; `None`
/// when there are no words.
pub(super) fn incidents_with(tenant: i64, text: &str) -> Option<String> {
    let words: Vec<String> = terms(text).into_iter().map(|it| format!("\"{it}\"*")).collect();
    let scope = format!("scope : \"{}\" AND scope : \"{INCIDENT}\"", scope_word(tenant));
    (!words.is_empty()).then(|| format!("{scope} AND {{title body}} : ({})", words.join(" AND ")))
}

/// Returns the documents that somebody searches for.
pub(super) fn search(
    connection: &Connection,
    tenant: TenantId,
    query: &KnowledgeQuery,
) -> Result<KnowledgeHits, Failure> {
    let tenant = tenant.0.cast_signed();
    let terms = terms(&query.text);
    if terms.is_empty() && !query.text.trim().is_empty() {
        return Ok(KnowledgeHits::default());
    }
    let only: Option<bool> = connection
        .prepare_cached(
            "SELECT (SELECT min(tenant) FROM knowledge) = (SELECT max(tenant) FROM knowledge)",
        )?
        .query_row((), |row| row.get(0))?;
    let scope = (terms.is_empty() || only != Some(true)).then_some(tenant);
    let all = expression(scope, &terms, &query.tags, " AND ");
    let mut hits = ranked(connection, tenant, query, &all, !terms.is_empty())?;
    let is_partial = hits.is_empty() && terms.len() > 1 && query.offset == 0;
    if is_partial {
        let any = expression(scope, &terms, &query.tags, " OR ");
        hits = ranked(connection, tenant, query, &any, true)?;
    }
    Ok(KnowledgeHits { is_partial: is_partial && !hits.is_empty(), hits })
}

/// The newest documents that match and come before one, the best first. Who may see them is looked
/// at one by one, in this order, for that takes far longer.
const RANKED: &str = "SELECT id, kind, key, owner, at, score FROM ( \
         SELECT knowledge.id AS id, knowledge.kind AS kind, \
                CASE knowledge.kind WHEN 'runbook' \
                    THEN substr(knowledge.key, instr(knowledge.key, ' ') + 1) \
                    ELSE knowledge.key END AS key, \
                knowledge.incident AS owner, knowledge.at AS at, \
                CASE WHEN :ranked THEN -bm25(knowledge_text, 0.0, 8.0, 1.0, 4.0) ELSE 0.0 END \
                    AS score \
         FROM knowledge_text CROSS JOIN knowledge ON knowledge.id = knowledge_text.rowid \
         WHERE knowledge_text MATCH :match AND knowledge_text.rowid < :before \
             AND knowledge.tenant = :tenant \
             AND (:kinds IS NULL OR knowledge.kind IN (SELECT value FROM json_each(:kinds))) \
         ORDER BY knowledge_text.rowid DESC LIMIT :most \
     ) ORDER BY score DESC, at DESC, id DESC";

/// Whether somebody may see a document: an article by its service and team, anything else as its
/// incident.
const MAY_SEE: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM knowledge \
         LEFT JOIN incident ON incident.tenant = knowledge.tenant \
             AND incident.number = knowledge.incident \
         WHERE knowledge.id = :id AND (CASE WHEN knowledge.incident IS NULL THEN \
                      :viewer IS NULL OR json_extract(:viewer, '$.seen.all') \
                      OR (knowledge.service IS NULL AND knowledge.team IS NULL) \
                      OR knowledge.service \
                          IN (SELECT value FROM json_each(:viewer, '$.seen.services')) \
                      OR knowledge.team \
                          IN (SELECT value FROM json_each(:viewer, '$.seen.teams')) \
                  ELSE ",
    visible!(),
    " END))"
);

fn ranked(
    connection: &Connection,
    tenant: i64,
    query: &KnowledgeQuery,
    expression: &str,
    is_ranked: bool,
) -> Result<Vec<KnowledgeHit>, Failure> {
    let kinds: Vec<&str> = query.kinds.iter().map(|it| it.as_str()).collect();
    let kinds = list(&kinds)?;
    let viewer = viewer(&query.visible)?;
    let wanted = query.offset.saturating_add(query.limit.min(MAX_HITS_PER_QUERY));
    // A runbook that several incidents name is one document.
    let mut runbooks = std::collections::BTreeSet::new();
    // Many documents belong to one incident.
    let mut known = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    let mut before = i64::MAX;
    for _ in 0..MAX_ROUNDS {
        let parameters = named_params! {
            ":tenant": tenant,
            ":match": expression,
            ":ranked": is_ranked,
            ":kinds": kinds,
            ":before": before,
            ":most": i64::try_from(MAX_RANKED).unwrap_or(i64::MAX),
        };
        let mut round = Vec::new();
        each(connection, "knowledge", RANKED, parameters, |columns| {
            let incident = if columns.is_null(3)? { None } else { Some(columns.number(3)?) };
            let hit = KnowledgeKind::parse(columns.text(1)?).map(|kind| -> Result<_, Failure> {
                Ok(KnowledgeHit {
                    kind,
                    key: columns.text(2)?.to_owned(),
                    incident: incident.map(IncidentNumber),
                    title: String::new(),
                    excerpt: String::new(),
                    at: columns.instant(4)?,
                    score: columns.real(5)?,
                })
            });
            round.push((columns.integer(0)?, hit.transpose()?));
            Ok(())
        })?;
        let is_all = round.len() < MAX_RANKED;
        before = round.iter().map(|(id, _)| *id).min().unwrap_or(before);
        for (id, hit) in round.into_iter().filter_map(|(id, hit)| Some((id, hit?))) {
            if found.len() >= wanted {
                break;
            }
            let may_see = match hit.incident.and_then(|it| known.get(&it)) {
                _ if query.visible.is_none() => true,
                Some(may_see) => *may_see,
                None => {
                    let parameters = named_params! { ":id": id, ":viewer": viewer };
                    let may_see: bool = connection
                        .prepare_cached(MAY_SEE)?
                        .query_row(parameters, |row| row.get(0))?;
                    known.extend(hit.incident.map(|it| (it, may_see)));
                    may_see
                }
            };
            let is_known =
                may_see && hit.kind == KnowledgeKind::Runbook && !runbooks.insert(hit.key.clone());
            if may_see && !is_known {
                found.push((id, hit));
            }
        }
        if is_all || found.len() >= wanted {
            break;
        }
    }
    found.drain(..query.offset.min(found.len()));
    let mut hits = Vec::new();
    for (id, mut hit) in found {
        let texts: Option<(String, String, String)> = connection
            .prepare_cached(
                "SELECT title, snippet(knowledge_text, 2, '', '', '…', ?3), body \
                 FROM knowledge_text WHERE knowledge_text MATCH ?1 AND rowid = ?2",
            )?
            .query_row((expression, id, EXCERPT_WORDS), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((title, excerpt, body)) = texts else { continue };
        hit.excerpt = if is_ranked { excerpt } else { body.chars().take(EXCERPT_CHARS).collect() };
        hit.title = title;
        if let (KnowledgeKind::Comment, Some(incident)) = (hit.kind, hit.incident) {
            let title: Option<String> = connection
                .prepare_cached("SELECT title FROM incident WHERE tenant = ?1 AND number = ?2")?
                .query_row((tenant, incident.0.cast_signed()), |row| row.get(0))
                .optional()?;
            hit.title = title.unwrap_or_default();
        }
        hits.push(hit);
    }
    Ok(hits)
}

/// Returns earlier incidents that share something with one, the rarest first.
pub(super) fn likes(
    connection: &Connection,
    tenant: TenantId,
    query: &LikeQuery,
) -> Result<Likes, Failure> {
    let tenant = tenant.0.cast_signed();
    let own = query.incident.0.cast_signed();
    let mut likes = Likes::default();
    for name in &query.traits {
        let count: i64 = connection
            .prepare_cached(
                "SELECT count(*) FROM (SELECT 1 FROM incident_trait \
                 WHERE tenant = ?1 AND trait = ?2 LIMIT ?3)",
            )?
            .query_row((tenant, name, MAX_COUNTED), |row| row.get(0))?;
        likes.frequencies.insert(name.clone(), count.unsigned_abs());
    }
    likes.total = connection
        .prepare_cached("SELECT coalesce(max(number), 0) FROM incident WHERE tenant = ?1")?
        .query_row((tenant,), |row| row.get::<_, i64>(0))?
        .unsigned_abs();
    let viewer = viewer(&query.visible)?;
    (likes.recent_alike, likes.recent_total) = recent(connection, tenant, query, &viewer)?;
    let mut rarest: Vec<(&String, u64)> =
        likes.frequencies.iter().map(|(name, count)| (name, *count)).collect();
    rarest.sort_by_key(|(name, count)| (*count, *name));
    let mut seen = std::collections::BTreeSet::new();
    for (name, _) in rarest {
        let parameters = named_params! {
            ":tenant": tenant, ":trait": name, ":own": own, ":viewer": viewer,
            ":counted": MAX_COUNTED, ":limit": MAX_PER_TRAIT,
        };
        let mut numbers = Vec::new();
        each(connection, "incident_trait", SHARED, parameters, |columns| {
            numbers.push(columns.number(0)?);
            Ok(())
        })?;
        for number in numbers {
            if likes.candidates.len() < MAX_CANDIDATES && seen.insert(number) {
                likes.candidates.extend(candidate(connection, tenant, &viewer, number)?);
            }
        }
    }
    likes.candidates.sort_by_key(|it| it.number);
    Ok(likes)
}

/// The newest incidents with a trait that are over and may be seen. Whatever else has the trait
/// takes no place from them.
const SHARED: &str = concat!(
    "SELECT shared.number FROM ( \
         SELECT incident AS number FROM incident_trait \
         WHERE tenant = :tenant AND trait = :trait AND incident <> :own \
         ORDER BY incident DESC LIMIT :counted \
     ) AS shared CROSS JOIN incident \
         ON incident.tenant = :tenant AND incident.number = shared.number \
     WHERE incident.status IN ('resolved', 'closed') AND ",
    visible!(),
    " ORDER BY shared.number DESC LIMIT :limit"
);

const RECENT: &str = concat!(
    "SELECT count(*), count(CASE WHEN EXISTS ( \
         SELECT 1 FROM incident_trait WHERE incident_trait.tenant = incident.tenant \
             AND incident_trait.incident = incident.number \
             AND incident_trait.trait IN (SELECT value FROM json_each(:traits))) THEN 1 END) \
     FROM incident WHERE incident.tenant = :tenant AND incident.detected_at >= :since \
         AND incident.number <> :own AND ",
    visible!()
);

/// Returns how many incidents since the given time share an alert, or else the service, and how
/// many there were, as far as they may be seen.
fn recent(
    connection: &Connection,
    tenant: i64,
    query: &LikeQuery,
    viewer: &Option<String>,
) -> Result<(u64, u64), Failure> {
    let with = |head: &str| -> Vec<&str> {
        query.traits.iter().map(String::as_str).filter(|it| it.starts_with(head)).collect()
    };
    let alerts = with("alert:");
    let names = if alerts.is_empty() { with("service:") } else { alerts };
    let parameters = named_params! {
        ":tenant": tenant,
        ":traits": serde_json::to_string(&names)?,
        ":since": codec::instant(query.since),
        ":own": query.incident.0.cast_signed(),
        ":viewer": viewer,
    };
    let (all, alike): (i64, i64) = connection
        .prepare_cached(RECENT)?
        .query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((alike.unsigned_abs(), all.unsigned_abs()))
}

const CANDIDATE: &str = concat!(
    "SELECT incident.incident, \
            (SELECT entry FROM incident_entry \
             WHERE incident_entry.tenant = incident.tenant \
                 AND incident_entry.incident = incident.number \
                 AND json_extract(entry, '$.to') = 'resolved' ORDER BY seq DESC LIMIT 1), \
            (SELECT substr(key, instr(key, ' ') + 1) FROM knowledge \
             WHERE knowledge.tenant = incident.tenant AND knowledge.incident = incident.number \
                 AND knowledge.kind = 'runbook' ORDER BY knowledge.id LIMIT 1) \
     FROM incident WHERE incident.tenant = :tenant AND incident.number = :number \
         AND incident.status IN ('resolved', 'closed') AND ",
    visible!()
);

fn candidate(
    connection: &Connection,
    tenant: i64,
    viewer: &Option<String>,
    number: u64,
) -> Result<Option<Candidate>, Failure> {
    let parameters = named_params! {
        ":tenant": tenant,
        ":number": number.cast_signed(),
        ":viewer": viewer,
    };
    let mut found = None;
    each(connection, "incident", CANDIDATE, parameters, |columns| {
        let it: Incident = columns.json(0)?;
        let resolution = it.record.cycle().resolution;
        if resolution.is_some_and(|code| !code.counts()) {
            return Ok(());
        }
        let note = match columns.is_null(1)? {
            true => String::new(),
            false => match columns.json::<Entry>(1)?.told(&it.marks, None).entry.fact {
                Fact::Moved { note, .. } => note,
                _ => String::new(),
            },
        };
        let runbook = if columns.is_null(2)? { None } else { Some(columns.text(2)?.to_owned()) };
        let metrics = tocsin_core::incident::measure(&it.record, &it.measure);
        let is_mttr = |metric: &&tocsin_core::incident::Metric| {
            metric.name == tocsin_core::incident::MetricName::Mttr && metric.cycle.is_none()
        };
        found = Some(Candidate {
            number: it.number,
            detected_at: it.record.detected_at(),
            text: format!("{} {} {note}", it.title, it.summary),
            title: it.title,
            traits: it.traits,
            labels: it.labels,
            resolution,
            note,
            owner: it.owner,
            mttr: metrics.iter().find(is_mttr).and_then(|metric| metric.seconds),
            runbook,
        });
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_never_syntax() {
        let all = |text: &str| expression(Some(7), &terms(text), &[], " AND ");
        assert_eq!(
            all("disk full"),
            "(scope : \"t7\" AND {title body tags} : (\"disk\" AND \"full\"*)) \
             NOT scope : \"archived\""
        );
        assert_eq!(
            all("a NEAR(b) OR \"no space\""),
            "(scope : \"t7\" AND {title body tags} : \
             (\"a\" AND \"NEAR\" AND \"b\" AND \"OR\" AND \"no space\")) NOT scope : \"archived\""
        );
        assert_eq!(terms("* ^ - : ( ) { } \u{0} \"\" \"*\""), Vec::<String>::new());
        assert_eq!(terms(&"x ".repeat(100)).len(), MAX_TERMS);
        let tagged = expression(Some(7), &[], &["data-loss".to_owned(), "\")".to_owned()], " AND ");
        let hidden = "NOT scope : \"archived\"";
        assert_eq!(tagged, format!("(scope : \"t7\" AND tags : \"data loss\") {hidden}"));
        let archived = expression(Some(7), &[], &[ARCHIVED.to_owned()], " AND ");
        assert_eq!(archived, "scope : \"t7\" AND scope : \"archived\"");
    }
}
