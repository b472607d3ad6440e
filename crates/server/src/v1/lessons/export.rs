//! A postmortem to take along.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tocsin_wire::postmortem::{confluence, html, markdown};
use tocsin_wire::v1::PostmortemDetail;

use super::super::params::{Ask, FromQuery, Params};
use super::super::problem::{Answer, Refusal};
use super::postmortems::found;
use crate::App;
use crate::access::Caller;

/// How a postmortem is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum PostmortemFormat {
    /// Markdown.
    #[default]
    Md,
    /// A page that needs nothing else, and prints well.
    Html,
    /// The storage format of Confluence.
    Confluence,
    /// JSON.
    Json,
}

/// How to export.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct PostmortemExportQuery {
    /// How it is written; Markdown unless said otherwise.
    #[param(inline, required = false)]
    format: Option<PostmortemFormat>,
}

impl FromQuery for PostmortemExportQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self { format: params.choice("format")? })
    }
}

/// Export a postmortem
///
/// What people wrote is Markdown without tags of its own; everything else is text.
#[utoipa::path(
    get, path = "/api/v1/postmortems/{incident}/export", operation_id = "export_postmortem",
    tag = "postmortems",
    params(
        ("incident" = String, Path, description = "The number or reference of its incident"),
        PostmortemExportQuery
    ),
    responses((
        status = 200, description = "The postmortem",
        content(
            (String = "text/markdown"),
            (String = "text/html"),
            (String = "application/xhtml+xml"),
            (PostmortemDetail = "application/json")
        )
    ))
)]
pub(in super::super) async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(query): Ask<PostmortemExportQuery>,
) -> Answer<Response> {
    let detail = found(&app, &caller, &text, None).await?.detail(&app).await?;
    let (kind, extension, body) = match query.format.unwrap_or_default() {
        PostmortemFormat::Md => ("text/markdown; charset=utf-8", "md", markdown(&detail)),
        PostmortemFormat::Html => ("text/html; charset=utf-8", "html", html(&detail)),
        PostmortemFormat::Confluence => {
            ("application/xhtml+xml; charset=utf-8", "xhtml", confluence(&detail))
        }
        PostmortemFormat::Json => {
            let text = serde_json::to_string_pretty(&detail);
            let text = text.map_err(|_| Refusal::not_found("the postmortem cannot be written"))?;
            ("application/json", "json", text)
        }
    };
    let name = format!("attachment; filename=\"{}.{extension}\"", detail.postmortem.reference);
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, body).into_response())
}
