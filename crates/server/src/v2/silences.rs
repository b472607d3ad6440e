//! `/api/v2/silences` and `/api/v2/silence/{id}`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tocsin_core::Tenant;
use tocsin_core::command::{Command, Rejection, Reply};
use tocsin_core::ids::SilenceId;
use tocsin_core::silence::{SilenceRejection, SilenceState};
use tocsin_wire::alertmanager::{
    ApiError, decode_silence, encode_silence, encode_silences, parse_silence_id, rejection,
};

use super::alerts::json_body;
use super::query::Params;
use super::reply::{self, Failure};
use crate::App;
use crate::access::Caller;
use crate::v1::{may_change, may_silence};

/// What is answered for the id of no silence: nothing but the status.
const UNKNOWN: ApiError = ApiError::Empty { status: 404 };

/// What is answered to somebody who may silence less than they ask for.
const FORBIDDEN: ApiError = ApiError::Empty { status: 403 };

/// Lists silences: active ones that end soonest, pending ones that start soonest, expired ones
/// that ended last.
///
/// A silence passes a filter when it has that very matcher, not when it would match.
pub(super) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Response, Failure> {
    let wanted = params.matchers("filter", app.options.parse_mode)?;
    let shows = |state| match state {
        SilenceState::Active => params.flag("active"),
        SilenceState::Pending => params.flag("pending"),
        SilenceState::Expired => params.flag("expired"),
    };
    let silences = app.engine.read(Tenant::silences).await?;
    let shown = silences.iter().filter(|(silence, state)| {
        shows(*state) && wanted.iter().all(|one| silence.matchers.iter().any(|has| has == one))
    });
    Ok(reply::json(encode_silences(shown)))
}

/// Makes a silence or changes one.
pub(super) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let posted = decode_silence(&json_body(&headers, body)?)?;
    let request = posted.into_request(app.engine.now(), app.options.parse_mode)?;
    may_silence(&caller, &request.matchers).map_err(|_| FORBIDDEN)?;
    if let Some(id) = request.id {
        may_change(&app, &caller, id).await.map_err(|_| FORBIDDEN)?;
    }
    let fresh_id = SilenceId::new_v4();
    match app.engine.command(Command::SetSilence { request, fresh_id }.by(caller.actor)).await? {
        Reply::Silence(id) => Ok(reply::json(json!({ "silenceID": id }).to_string())),
        Reply::Rejected(Rejection::Silence(why)) => Err(rejection(&why).into()),
        other => Err(Failure::Unexpected(other)),
    }
}

/// Shows one silence.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = parse_silence_id(&id)?;
    let found = app.engine.read(move |tenant, now| tenant.silence(id, now)).await?;
    let (silence, state) = found.ok_or(UNKNOWN)?;
    Ok(reply::json(encode_silence(&silence, state)))
}

/// Ends a silence; ending it again changes nothing.
pub(super) async fn expire(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = parse_silence_id(&id)?;
    may_change(&app, &caller, id).await.map_err(|_| FORBIDDEN)?;
    match app.engine.command(Command::ExpireSilence { id }.by(caller.actor)).await? {
        Reply::Done | Reply::Silence(_) => Ok(StatusCode::OK.into_response()),
        Reply::Rejected(Rejection::Silence(SilenceRejection::NotFound)) => Err(UNKNOWN.into()),
        Reply::Rejected(Rejection::Silence(why)) => Err(rejection(&why).into()),
        other => Err(Failure::Unexpected(other)),
    }
}
