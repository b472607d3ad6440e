//! Refusals that no handler gives, in the shape each tree's clients expect.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Answers 404 for a path that does not exist.
pub(crate) async fn not_found(uri: Uri) -> Response {
    let path = uri.path();
    let message = match Tree::of(path) {
        Tree::V2 => format!("path {path} was not found"),
        Tree::V1 => format!("there is nothing at {path}; see /api/v1/openapi.json"),
        Tree::Other => "404 page not found".to_owned(),
    };
    refuse(path, StatusCode::NOT_FOUND, "not_found", "Not found", &message)
}

/// Refuses a request to `path`: go-swagger's shape under `/api/v2`, problem details (RFC 9457)
/// with a stable `code` under `/api/v1`, a line of text elsewhere.
pub(crate) fn refuse(
    path: &str,
    status: StatusCode,
    code: &str,
    title: &str,
    detail: &str,
) -> Response {
    match Tree::of(path) {
        Tree::V2 => {
            let body = Json(json!({ "code": status.as_u16(), "message": detail }));
            (status, [crate::v2::NO_STORE], body).into_response()
        }
        Tree::V1 => problem(status, code, title, detail),
        Tree::Other => (status, format!("{detail}\n")).into_response(),
    }
}

/// Returns an error as problem details (RFC 9457) with a stable code.
pub(crate) fn problem(status: StatusCode, code: &str, title: &str, detail: &str) -> Response {
    const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
    let body = json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    (status, [(header::CONTENT_TYPE, PROBLEM)], body.to_string()).into_response()
}

/// Whose clients ask.
enum Tree {
    V1,
    V2,
    Other,
}

impl Tree {
    /// Finds the tree of a path, whatever prefix it has.
    fn of(path: &str) -> Self {
        let has = |tree: &str| {
            path.find(tree).is_some_and(|at| {
                let rest = &path[at + tree.len()..];
                rest.is_empty() || rest.starts_with('/')
            })
        };
        if has("/api/v2") {
            Self::V2
        } else if has("/api/v1") {
            Self::V1
        } else {
            Self::Other
        }
    }
}
