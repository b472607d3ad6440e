//! The OpenAPI document.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tocsin_wire::v1::{Event, Hello, PostedAlert, Problem, ProblemCode, Reset};
use utoipa::OpenApi as _;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{AdditionalProperties, Object, Schema};
use utoipa::openapi::{OpenApi, Ref, RefOr, Server};

use super::params::{Ask, Nothing};
use super::problem::Answer;
use crate::App;

/// What precedes the paths.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Tocsin",
        description = "Alerts in, the right message out, nothing lost, and the reason for \
                       everything.\n\nLists have pages: `next_cursor` of one page is `cursor` of \
                       the next. Instants are RFC 3339 in UTC. Whatever fails is answered as \
                       problem details (RFC 9457) with a stable `code`. Unknown parameters and \
                       fields of requests are refused; answers may gain fields.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(Event, Hello, PostedAlert, Problem, Reset)),
    tags(
        (name = "alerts", description = "Conditions that fire, and why they were told or not."),
        (name = "integrations", description = "Alerts from anything that can post to a URL."),
        (name = "groups", description = "Alerts that are told together."),
        (name = "silences", description = "People mute matching alerts for a time."),
        (name = "maintenance windows", description = "Planned, possibly recurring quiet times."),
        (name = "routing", description = "Who is told what."),
        (name = "notifications", description = "Messages on their way out."),
        (name = "events", description = "What happened, as history and live."),
        (name = "incidents", description = "Coordinated responses to harm."),
        (name = "postmortems", description = "What is learned from incidents, and what was promised."),
        (name = "knowledge", description = "What was written down, and how it is found."),
        (name = "escalations", description = "Whom a problem pages, and what they answer."),
        (name = "escalation policies", description = "Whom to page and when."),
        (name = "contacts", description = "How people are reached."),
        (name = "heartbeats", description = "What says in time that it is alive."),
        (name = "people", description = "Who works here, in which teams, and what they own."),
        (name = "secrets", description = "What messages are sent with: set here, never shown."),
        (name = "tokens", description = "What programs show to say who they are."),
        (name = "sessions", description = "Signing in and out, and what one signs in with."),
        (name = "audit", description = "Who changed what."),
        (name = "server", description = "The server itself.")
    )
)]
struct Frame;

/// Returns the document without paths.
pub(super) fn frame() -> OpenApi {
    let mut document = Frame::openapi();
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    // Derived from the crate's manifest, which names nobody.
    document.info.contact = None;
    document
}

/// Returns the OpenAPI document of the native API.
pub fn openapi() -> OpenApi {
    let mut document = super::documented()
        .merge(crate::inbound::documented())
        .merge(crate::sign_in::documented())
        .into_openapi();
    let codes: Vec<String> = ProblemCode::ALL
        .iter()
        .map(|code| format!("`{}` ({}): {}", code.as_str(), code.status(), code.meaning()))
        .collect();
    let description = format!("A problem. The codes are:\n\n- {}", codes.join("\n- "));
    let problem = ResponseBuilder::new()
        .description(description)
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
        )
        .build();
    if let Some(components) = &mut document.components {
        open_flattened(&mut components.schemas);
        components.responses.insert("Problem".to_owned(), RefOr::T(problem));
    }
    for item in document.paths.paths.values_mut() {
        let operations: [&mut Option<Operation>; 5] =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let problem = RefOr::Ref(Ref::from_response_name("Problem"));
            operation.responses.responses.insert("default".to_owned(), problem);
        }
    }
    document
}

/// Opens the parts of schemas that hold more than the part: a draft allows no other fields where it
/// stands by itself, and others stand beside it in what is made of it.
fn open_flattened(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let known = schemas.clone();
    let opened = |item: &RefOr<Schema>| {
        let RefOr::Ref(reference) = item else { return None };
        let name = reference.ref_location.rsplit('/').next()?;
        let Some(RefOr::T(Schema::Object(object))) = known.get(name) else { return None };
        let is_closed = matches!(
            object.additional_properties.as_deref(),
            Some(AdditionalProperties::FreeForm(false))
        );
        is_closed.then(|| {
            let mut object: Object = object.clone();
            object.additional_properties = None;
            object
        })
    };
    for schema in schemas.values_mut() {
        let RefOr::T(Schema::AllOf(all)) = schema else { continue };
        for item in &mut all.items {
            if let Some(object) = opened(item) {
                *item = RefOr::T(Schema::Object(object));
            }
        }
    }
}

/// Show this document
#[utoipa::path(
    get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "server",
    responses((status = 200, description = "An OpenAPI 3.1 document", body = serde_json::Value))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<OpenApi>> {
    let mut document = openapi();
    let prefix = app.options.prefix();
    if !prefix.is_empty() {
        document.servers = Some(vec![Server::new(prefix)]);
    }
    Ok(Json(document))
}
