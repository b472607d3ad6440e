//! What is done with rows of a timeline.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::tz::TimeZone;
use tocsin_core::identity::Permission;
use tocsin_core::incident::{
    CurateStep, Fact, FoundRow, Imported, IncidentNumber, IncidentStep, MarkEdit,
};
use tocsin_store::EntryQuery;
use tocsin_wire::v1::chat_import::{ChatMessage, day_of, read_lines, read_slack};
use tocsin_wire::v1::{
    ChatFormat, IncidentImport, IncidentRedaction, IncidentResult, IncidentRevision,
    IncidentRowPatch,
};

use super::super::body::Json as Body;
use super::super::params::{Ask, Nothing};
use super::super::problem::{Answer, Refusal};
use super::recall;
use super::steps::Asked;
use crate::App;
use crate::access::Caller;

/// Finds a row. Rows never change, so it is still like this when something is done with it.
async fn row(app: &App, incident: IncidentNumber, text: &str) -> Answer<FoundRow> {
    let missing = || Refusal::not_found(format!("incident {incident} has no row {text}"));
    let seq: u64 = text.parse().ok().filter(|it| *it > 0).ok_or_else(missing)?;
    let query = EntryQuery { incident, after: seq - 1, limit: 1 };
    let found = app.engine.store().incident_entries(app.engine.tenant(), query).await?;
    let entry = found.into_iter().find(|it| it.seq == seq).ok_or_else(missing)?;
    let is_text = matches!(entry.fact, Fact::Commented { .. } | Fact::Imported { .. });
    Ok(FoundRow { seq, by: entry.by.name, recorded_at: entry.recorded_at, is_text })
}

/// Pin a row of a timeline, or make it a key moment
///
/// Key moments are the story as it is told afterwards, each with its caption, in the order of
/// `position` and then of time.
#[utoipa::path(
    patch, path = "/api/v1/incidents/{incident}/timeline/{number}",
    operation_id = "mark_incident_row", tag = "incidents",
    params(
        ("incident" = String, Path, description = "Its number or reference"),
        ("number" = u64, Path, description = "Which row: its `seq`")
    ),
    request_body = IncidentRowPatch,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn mark(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((text, seq)): Path<(String, String)>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentRowPatch>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentComment)?;
    let row = row(&app, asked.incident().number, &seq).await?;
    let IncidentRowPatch { pinned, key_moment, caption, position } = body;
    let edit = MarkEdit { pinned, key_moment, caption, position };
    asked.carry_out(&app, IncidentStep::Curate(CurateStep::Mark { row, edit })).await
}

/// Correct a comment
///
/// Whoever wrote it may for 15 minutes; later it takes `incident.edit_time`. What it said before is
/// kept.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/timeline/{number}/revise",
    operation_id = "revise_incident_row", tag = "incidents",
    params(
        ("incident" = String, Path, description = "Its number or reference"),
        ("number" = u64, Path, description = "Which row: its `seq`")
    ),
    request_body = IncidentRevision,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn revise(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((text, seq)): Path<(String, String)>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentRevision>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentComment)?;
    let may_all = asked.caller().may(Permission::IncidentEditTime, &asked.incident().labels);
    let row = row(&app, asked.incident().number, &seq).await?;
    let step = CurateStep::Revise { row, text: body.text, may_all };
    asked.carry_out(&app, IncidentStep::Curate(step)).await
}

/// Black a row out
///
/// Nobody reads it any more in the timeline, its exports, the postmortem, among similar incidents or
/// by search; that there was one, and why it is blacked out, stays.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/timeline/{number}/redact",
    operation_id = "redact_incident_row", tag = "incidents",
    params(
        ("incident" = String, Path, description = "Its number or reference"),
        ("number" = u64, Path, description = "Which row: its `seq`")
    ),
    request_body = IncidentRedaction,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn redact(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((text, seq)): Path<(String, String)>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentRedaction>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentEditTime)?;
    // However long ago it was closed.
    recall(&app, asked.caller(), asked.incident().number).await?;
    let row = row(&app, asked.incident().number, &seq).await?;
    let step = CurateStep::Redact { row, reason: body.reason };
    asked.carry_out(&app, IncidentStep::Curate(step)).await
}

/// Import what was said in a chat
///
/// Each message at its own time, with the name its author has there. All of them, or none.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/timeline/import",
    operation_id = "import_incident_rows", tag = "incidents",
    params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentImport,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn import(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentImport>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentComment)?;
    let messages = messages(&body, asked.incident().record.detected_at())?;
    let imported =
        |it: ChatMessage| Imported { occurred_at: it.at, author: it.author, text: it.text };
    let rows = messages.into_iter().map(imported).collect();
    let source = match body.format {
        ChatFormat::Slack => "slack",
        ChatFormat::Lines => "chat",
    };
    let step = CurateStep::Import { rows, source: source.into() };
    asked.carry_out(&app, IncidentStep::Curate(step)).await
}

fn messages(body: &IncidentImport, detected_at: jiff::Timestamp) -> Answer<Vec<ChatMessage>> {
    let read = match body.format {
        ChatFormat::Slack => read_slack(&body.text),
        ChatFormat::Lines => {
            let zone = body.time_zone.as_deref().unwrap_or("UTC");
            let zone = TimeZone::get(zone)
                .map_err(|_| Refusal::field("/time_zone", format!("there is no zone `{zone}`")))?;
            let date = match body.date.as_deref() {
                None => day_of(detected_at, &zone),
                Some(text) => text
                    .parse()
                    .map_err(|_| Refusal::field("/date", "must be a day such as 2026-01-31"))?,
            };
            read_lines(&body.text, date, &zone)
        }
    };
    read.map_err(|error| Refusal::field("/text", error.to_string()))
}
