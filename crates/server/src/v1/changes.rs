//! Changes told from outside.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use tocsin_core::command::{Command, Reply};
use tocsin_core::ids::Sequence;
use tocsin_store::EventQuery;
use tocsin_wire::v1::{Change, ChangeDraft, ChangePage};

use super::body::Json as Body;
use super::cursor::List;
use super::params::{Ask, FromQuery, Nothing, Params};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::Caller;

/// The kind of event that a change is.
const KIND: &str = "change_recorded";

/// What tells us changes through this API.
const INTEGRATION: &str = "api";

/// Which changes to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangesQuery {
    /// Not told earlier than this.
    from: Option<Timestamp>,
    /// Told earlier than this.
    to: Option<Timestamp>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for ChangesQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            from: params.instant("from")?,
            to: params.instant("to")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// List changes
///
/// The newest first, for as long as the history is kept.
#[utoipa::path(
    get, path = "/api/v1/changes", operation_id = "list_changes", tag = "events",
    params(ChangesQuery),
    responses((status = 200, description = "A page of changes", body = ChangePage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(query): Ask<ChangesQuery>,
) -> Answer<Json<ChangePage>> {
    let before: Option<u64> = List::Changes.key(query.cursor.as_deref())?;
    let asked = EventQuery {
        kinds: vec![KIND.to_owned()],
        before: before.map(Sequence),
        from: query.from,
        to: query.to,
        limit: query.limit,
        ..EventQuery::default()
    };
    let found = app.engine.store().events(app.engine.tenant(), asked).await?;
    // A page that is full may be the last one; then the next one is empty.
    let last = found.last().filter(|_| found.len() >= query.limit);
    let next_cursor = last.map(|last| List::Changes.cursor(last.sequence));
    Ok(Json(ChangePage { items: found.iter().filter_map(Change::of).collect(), next_cursor }))
}

/// Tell a change
///
/// A deploy, a setting, a switch: what may be the cause of an incident that follows.
#[utoipa::path(
    post, path = "/api/v1/changes", operation_id = "post_change", tag = "events",
    request_body = ChangeDraft,
    responses((status = 202, description = "It is part of the history"))
)]
pub(super) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<ChangeDraft>,
) -> Answer<StatusCode> {
    let change = draft.into_change(INTEGRATION, app.engine.now()).map_err(Refusal::fields)?;
    match app.engine.command(Command::RecordChange { change }.by(caller.actor)).await? {
        Reply::Done => Ok(StatusCode::ACCEPTED),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}
