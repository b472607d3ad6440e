//! Who asks, and the frame that every answer has.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::extract::rejection::BytesRejection;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};
use tocsin_config::InboundKind;
use tocsin_core::identity::Actor;
use tocsin_engine::EngineError;
use tocsin_wire::opsgenie::FieldErrors;
use uuid::Uuid;

use crate::fallback::unread_body;
use crate::inbound::Inbound;
use crate::{App, access};

/// How long a client should wait when the engine takes nothing, in seconds.
const BUSY_SECONDS: &str = "5";

/// One request of a client whose key is known.
pub(super) struct Caller {
    pub(super) inbound: Arc<Inbound>,
    pub(super) actor: Actor,
    pub(super) request: Uuid,
    params: Vec<(String, String)>,
    began: Instant,
}

/// An answer that is not what was asked for.
pub(super) struct Refused(pub(super) Box<Response>);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let began = Instant::now();
        let query = parts.uri.query().unwrap_or_default();
        let params: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let of_query =
            || params.iter().find(|(name, _)| name == "apiKey").map(|(_, key)| key.as_str());
        let key = given.and_then(|value| value.strip_prefix("GenieKey ")).or_else(of_query);
        let asker = parts.extensions.get().cloned();
        let asker = asker.unwrap_or_else(|| access::Caller::stranger(None));
        let known = match key.map(str::trim) {
            None | Some("") => Err("send `Authorization: GenieKey` with the key of an integration"),
            Some(key) => crate::inbound::admit(app, &asker, Some(InboundKind::Opsgenie), key)
                .map_err(|_| "this is not the key of any integration"),
        };
        let request = Uuid::new_v4();
        match known {
            Ok(inbound) => {
                let actor = crate::inbound::actor(&asker, &inbound);
                Ok(Self { inbound, actor, request, params, began })
            }
            Err(message) => {
                app.metrics.hook_refused("", "unknown_key");
                Err(Refused(Box::new(frame(
                    StatusCode::UNAUTHORIZED,
                    json!({ "message": message }),
                    request,
                    began,
                ))))
            }
        }
    }
}

impl Caller {
    /// Returns a parameter of the query.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Returns parameters as the fields of a body.
    pub(super) fn params_as_body(&self) -> Map<String, Value> {
        self.params.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
    }

    /// Answers with `body`, which must be an object.
    pub(super) fn answer(&self, status: StatusCode, body: Value) -> Response {
        frame(status, body, self.request, self.began)
    }

    /// Answers a request whose result can be asked for later.
    pub(super) fn accepted(&self) -> Response {
        self.answer(StatusCode::ACCEPTED, json!({ "result": "Request will be processed" }))
    }

    pub(super) fn refuse(&self, status: StatusCode, message: &str) -> Refused {
        Refused(Box::new(self.answer(status, json!({ "message": message }))))
    }

    /// Refuses for what is wrong with fields.
    pub(super) fn wrongs(&self, errors: &FieldErrors) -> Refused {
        let message = "the request cannot be processed; see its errors";
        let body = json!({ "message": message, "errors": errors });
        Refused(Box::new(self.answer(StatusCode::UNPROCESSABLE_ENTITY, body)))
    }

    pub(super) fn wrong(&self, field: &str, why: &str) -> Refused {
        self.wrongs(&FieldErrors::from([(field.to_owned(), why.to_owned())]))
    }

    pub(super) fn not_found(&self) -> Refused {
        self.refuse(StatusCode::NOT_FOUND, "no alert of this integration is known by that")
    }

    #[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
    pub(super) fn busy(&self, error: EngineError) -> Refused {
        let message = error.to_string();
        let mut refused = self.refuse(StatusCode::SERVICE_UNAVAILABLE, &message);
        let wait = HeaderValue::from_static(BUSY_SECONDS);
        refused.0.headers_mut().insert(header::RETRY_AFTER, wait);
        refused
    }

    /// Reads a body; an empty one is an object without fields.
    pub(super) fn body(
        &self,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<Map<String, Value>, Refused> {
        let body = body.map_err(|rejection| {
            let status = rejection.status();
            self.refuse(status, &unread_body(status, &rejection.body_text()))
        })?;
        if body.is_empty() {
            return Ok(Map::new());
        }
        serde_json::from_slice(&body).map_err(|error| {
            let why = format!("the body is not a JSON object: {error}");
            self.refuse(StatusCode::BAD_REQUEST, &why)
        })
    }
}

fn frame(status: StatusCode, mut body: Value, request: Uuid, began: Instant) -> Response {
    body["took"] = json!(began.elapsed().as_secs_f64());
    body["requestId"] = json!(request);
    let mut response = (status, axum::Json(body)).into_response();
    if let Ok(id) = HeaderValue::from_str(&request.to_string()) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}
