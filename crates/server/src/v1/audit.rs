//! The audit log: read, verified, exported.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tocsin_core::audit::{AuditBreak, AuditHead, AuditRow, verify};
use tocsin_store::{AuditOrder, AuditQuery, MAX_AUDIT_ROWS_PER_QUERY};
use tocsin_wire::v1::{AuditPage, AuditVerdict};
use tokio::sync::mpsc;

use super::cursor::List;
use super::params::{Ask, FromQuery, Nothing, Params};
use super::problem::Answer;
use crate::App;

/// How many pages of an export may wait for a slow reader.
const EXPORT_PAGES: usize = 2;

/// Which rows to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditParams {
    /// Only of this action, such as `silence.set`.
    action: Option<String>,
    /// Only about this, such as `person/ada`.
    subject: Option<String>,
    /// Only by whoever has this name.
    who: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for AuditParams {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            action: params.text("action")?,
            subject: params.text("subject")?,
            who: params.text("who")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// List the audit log
///
/// Who changed what, from where, with what; the newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", operation_id = "list_audit", tag = "audit",
    params(AuditParams),
    responses((status = 200, description = "A page of the log", body = AuditPage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(params): Ask<AuditParams>,
) -> Answer<Json<AuditPage>> {
    let query = AuditQuery {
        before: List::Audit.key(params.cursor.as_deref())?,
        action: params.action,
        subject: params.subject,
        who: params.who,
        limit: params.limit,
        ..AuditQuery::default()
    };
    let rows = app.engine.store().audit(app.engine.tenant(), query).await?;
    let last = rows.last().filter(|_| rows.len() >= params.limit);
    let next_cursor = last.map(|last| List::Audit.cursor(last.number));
    Ok(Json(AuditPage { items: rows.iter().map(shown).collect(), next_cursor }))
}

/// Verify the audit log
///
/// Follows the hashes from the first row to the last and names the first row that does not follow.
#[utoipa::path(
    get, path = "/api/v1/audit/verify", operation_id = "verify_audit", tag = "audit",
    responses((status = 200, description = "Whether it is whole", body = AuditVerdict))
)]
pub(super) async fn check(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<AuditVerdict>> {
    let mut head = AuditHead::default();
    let broken = loop {
        let page = page_after(&app, head.number).await?;
        if page.is_empty() {
            break None;
        }
        // Rows before the broken one still count as followed.
        match page.iter().try_for_each(|row| {
            head = verify(head, [row])?;
            Ok::<_, AuditBreak>(())
        }) {
            Ok(()) => {}
            Err(broken) => break Some(broken),
        }
    };
    Ok(Json(AuditVerdict {
        intact: broken.is_none(),
        rows: head.number,
        hash: head.hash.to_string(),
        broken_row: broken.as_ref().map(|it| match it {
            AuditBreak::Gap { expected, .. } => *expected,
            AuditBreak::Altered { number } | AuditBreak::Misplaced { number } => *number,
        }),
        why: broken.map(|it| it.to_string()),
    }))
}

/// Export the audit log
///
/// Every row from the first on as one JSON object a line, with its hash.
#[utoipa::path(
    get, path = "/api/v1/audit/export", operation_id = "export_audit", tag = "audit",
    responses((status = 200, description = "NDJSON", body = String, content_type = "application/x-ndjson"))
)]
pub(super) async fn export(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    // The first page before the answer begins, so that a failure can still be said.
    let first = page_after(&app, 0).await?;
    let (pages, written) = mpsc::channel::<Result<Bytes, Infallible>>(EXPORT_PAGES);
    tokio::spawn(async move {
        let mut page = first;
        while let Some(last) = page.last().map(|row| row.number) {
            let lines: String = page.iter().map(|row| shown(row).to_string() + "\n").collect();
            if pages.send(Ok(lines.into())).await.is_err() {
                return;
            }
            match page_after(&app, last).await {
                Ok(next) => page = next,
                // Cut off before the end; the numbers show where.
                Err(_) => return,
            }
        }
    });
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(written));
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"tocsin-audit.ndjson\""),
    ];
    Ok((headers, body).into_response())
}

async fn page_after(app: &App, number: u64) -> Answer<Vec<AuditRow>> {
    let query = AuditQuery {
        after: Some(number),
        order: AuditOrder::OldestFirst,
        limit: MAX_AUDIT_ROWS_PER_QUERY,
        ..AuditQuery::default()
    };
    Ok(app.engine.store().audit(app.engine.tenant(), query).await?)
}

fn shown(row: &AuditRow) -> Value {
    let entry = serde_json::from_str::<Value>(&row.text);
    let mut entry = entry.unwrap_or_else(|_| json!({ "number": row.number, "text": &*row.text }));
    if let Some(fields) = entry.as_object_mut() {
        fields.insert("hash".to_owned(), json!(row.hash.to_string()));
    }
    entry
}
