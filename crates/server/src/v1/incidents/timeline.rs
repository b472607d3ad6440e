//! The timeline of an incident, to read and to take along.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tocsin_core::incident::{Entry, Fact, Incident, IncidentNumber, Mark};
use tocsin_store::{EntryQuery, MAX_ENTRIES_PER_QUERY};
use tocsin_wire::v1::{IncidentEntry, IncidentTimeline, timeline_csv, timeline_markdown};

use super::super::params::{Ask, FromQuery, Params};
use super::super::problem::{Answer, Refusal};
use super::{find, parse};
use crate::App;
use crate::access::Caller;

/// The most rows of a timeline that are exported at once; a longer one is cut, and says so.
const MAX_EXPORTED_ENTRIES: usize = 20_000;

/// Which rows to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct TimelineQuery {
    /// Only rows after this place: the `next_after` of the page before.
    after: Option<u64>,
    /// The most rows of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
    /// Only rows that are pinned, or only key moments, in the order in which they are told.
    #[param(inline, required = false)]
    only: Option<Only>,
    /// `html` adds what people wrote as HTML that is safe to show.
    #[param(inline, required = false)]
    render: Option<Render>,
}

/// Which rows of a timeline are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Only {
    /// Those that are shown above all others.
    Pinned,
    /// The story as it is told afterwards.
    KeyMoments,
}

/// How what people wrote is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Render {
    /// As HTML.
    Html,
}

impl FromQuery for TimelineQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            after: params.parsed("after", "a number")?,
            limit: params.limit()?,
            only: params.choice("only")?,
            render: params.choice("render")?,
        })
    }
}

/// Show the timeline of an incident
///
/// In the order of recording. `occurred_at` says when something happened, which may be earlier.
#[utoipa::path(
    get, path = "/api/v1/incidents/{incident}/timeline", operation_id = "list_incident_timeline",
    tag = "incidents",
    params(("incident" = String, Path, description = "Its number or reference"), TimelineQuery),
    responses((status = 200, description = "A page of the timeline", body = IncidentTimeline))
)]
pub(in super::super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(query): Ask<TimelineQuery>,
) -> Answer<Json<IncidentTimeline>> {
    let (it, _) = find(&app, &caller, parse(&text)?).await?;
    let (mut found, next_after) = match query.only {
        Some(only) => (chosen(&app, &it, only).await?, None),
        None => {
            let after = query.after.unwrap_or(0);
            let mut found = read(&app, it.number, after, query.limit + 1).await?;
            let has_more = found.len() > query.limit;
            found.truncate(query.limit);
            let next_after = found.last().filter(|_| has_more).map(|entry| entry.seq);
            (found, next_after)
        }
    };
    if query.only.is_some() {
        let position = |entry: &Entry| it.marks.get(&entry.seq).and_then(|mark| mark.position);
        found.sort_by_key(|it| (position(it).unwrap_or(u32::MAX), it.occurred_at, it.seq));
    }
    let mut items = marked(&app, &it, &found).await?;
    if query.render == Some(Render::Html) {
        items = items.into_iter().map(IncidentEntry::with_html).collect();
    }
    Ok(Json(IncidentTimeline { items, next_after }))
}

/// Returns the rows that are pinned, or the key moments. There are never many.
async fn chosen(app: &App, it: &Incident, only: Only) -> Answer<Vec<Entry>> {
    let is_meant = |mark: &Mark| match only {
        Only::Pinned => mark.is_pinned,
        Only::KeyMoments => mark.is_key_moment,
    };
    let mut found = Vec::new();
    for (seq, _) in it.marks.iter().filter(|(_, mark)| is_meant(mark)) {
        found.extend(read(app, it.number, seq - 1, 1).await?);
    }
    Ok(found)
}

/// Returns rows with what became of them since.
pub(super) async fn marked(
    app: &App,
    it: &Incident,
    found: &[Entry],
) -> Answer<Vec<IncidentEntry>> {
    let mut items = Vec::with_capacity(found.len());
    for entry in found {
        let revision = it.marks.get(&entry.seq).and_then(|mark| mark.revision);
        let revised = match revision {
            Some(seq) => read(app, it.number, seq - 1, 1).await?.pop(),
            None => None,
        };
        let text = match revised.as_ref().map(|row| &row.fact) {
            Some(Fact::Revised { text, .. }) => Some(text.as_str()),
            _ => None,
        };
        items.push(IncidentEntry::with_marks(entry, &it.marks, text));
    }
    Ok(items)
}

/// How a timeline is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum ExportFormat {
    /// Markdown.
    #[default]
    Md,
    /// JSON.
    Json,
    /// Comma-separated values (RFC 4180); what a spreadsheet would calculate begins with `'`.
    Csv,
}

/// How to export.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct ExportQuery {
    /// How it is written; Markdown unless said otherwise.
    #[param(inline, required = false)]
    format: Option<ExportFormat>,
}

impl FromQuery for ExportQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self { format: params.choice("format")? })
    }
}

/// Export the timeline of an incident
///
/// In the order in which things happened.
#[utoipa::path(
    get, path = "/api/v1/incidents/{incident}/timeline/export",
    operation_id = "export_incident_timeline", tag = "incidents",
    params(("incident" = String, Path, description = "Its number or reference"), ExportQuery),
    responses((
        status = 200, description = "The timeline",
        content(
            (String = "text/markdown"), (String = "text/csv"),
            (Vec<IncidentEntry> = "application/json")
        )
    ))
)]
pub(in super::super) async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(query): Ask<ExportQuery>,
) -> Answer<Response> {
    let (it, _) = find(&app, &caller, parse(&text)?).await?;
    let mut found: Vec<Entry> = Vec::new();
    loop {
        let after = found.last().map_or(0, |entry| entry.seq);
        let page = read(&app, it.number, after, MAX_ENTRIES_PER_QUERY).await?;
        let is_last = page.len() < MAX_ENTRIES_PER_QUERY;
        found.extend(page);
        if is_last || found.len() >= MAX_EXPORTED_ENTRIES {
            break;
        }
    }
    let is_cut = found.len() >= MAX_EXPORTED_ENTRIES;
    found.sort_by_key(|entry| (entry.occurred_at, entry.seq));
    let items = marked(&app, &it, &found).await?;
    let (kind, extension, body) = match query.format.unwrap_or_default() {
        ExportFormat::Md => {
            let text = timeline_markdown(&it.title, &it.reference().to_string(), &items, is_cut);
            ("text/markdown; charset=utf-8", "md", text)
        }
        ExportFormat::Csv => ("text/csv; charset=utf-8", "csv", timeline_csv(&items)),
        ExportFormat::Json => {
            let text = serde_json::to_string_pretty(&items);
            let text = text.map_err(|_| Refusal::not_found("the timeline cannot be written"))?;
            ("application/json", "json", text)
        }
    };
    let name = format!("attachment; filename=\"{}.{extension}\"", it.reference());
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, body).into_response())
}

async fn read(app: &App, incident: IncidentNumber, after: u64, limit: usize) -> Answer<Vec<Entry>> {
    let query = EntryQuery { incident, after, limit };
    Ok(app.engine.store().incident_entries(app.engine.tenant(), query).await?)
}
