//! Refusals that no handler gives, in the shape each tree's clients expect.

use axum::Json;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tocsin_wire::v1::ProblemCode;

use crate::v1::problem;

/// Answers 404 for a path that does not exist.
pub(crate) async fn not_found(uri: Uri) -> Response {
    let path = uri.path();
    let message = match Tree::of(path) {
        Tree::V2 => format!("path {path} was not found"),
        Tree::V1 => format!("there is nothing at {path}; see /api/v1/openapi.json"),
        Tree::Other => "404 page not found".to_owned(),
    };
    refuse(path, ProblemCode::NotFound, &message)
}

/// Says why a body was not read, and what to do about it.
pub(crate) fn unread_body(status: StatusCode, cause: &str) -> String {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than this server takes; send less in \
             one request, or raise `limits.max_request_bytes`"
            .to_owned(),
        _ => format!("the body cannot be read: {cause}"),
    }
}

/// Refuses a request to `path`: go-swagger's shape under `/api/v2`, problem details (RFC 9457)
/// under `/api/v1`, a line of text elsewhere.
pub(crate) fn refuse(path: &str, code: ProblemCode, detail: &str) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match Tree::of(path) {
        Tree::V2 => {
            let body = Json(json!({ "code": status.as_u16(), "message": detail }));
            (status, [crate::v2::NO_STORE], body).into_response()
        }
        Tree::V1 => problem::response(code, detail),
        Tree::Other => (status, format!("{detail}\n")).into_response(),
    }
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
