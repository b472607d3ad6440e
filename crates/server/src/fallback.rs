//! Answers for paths that do not exist, in the shape each tree's clients expect.

use axum::Json;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Answers 404: go-swagger's shape under `/api/v2`, problem details under `/api/v1`, text
/// elsewhere.
pub(crate) async fn not_found(uri: Uri) -> Response {
    let path = uri.path();
    if path.starts_with("/api/v2") {
        let message = format!("path {path} was not found");
        let body = Json(json!({ "code": 404, "message": message }));
        return (StatusCode::NOT_FOUND, body).into_response();
    }
    if path.starts_with("/api/v1") {
        let detail = format!("there is nothing at {path}; see /api/v1/openapi.json");
        return problem(StatusCode::NOT_FOUND, "not_found", "Not found", &detail);
    }
    (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}

/// Returns an error as problem details (RFC 9457) with a stable code.
pub(crate) fn problem(status: StatusCode, code: &str, title: &str, detail: &str) -> Response {
    let body = json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    let headers = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, headers, body.to_string()).into_response()
}
