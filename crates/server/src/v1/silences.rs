//! Silences: a person mutes matching alerts for a time.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tocsin_core::Tenant;
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::Permission;
use tocsin_core::ids::SilenceId;
use tocsin_core::labels::Labels;
use tocsin_core::matcher::{MatchOp, Matchers, ParseMode};
use tocsin_core::silence::SilenceRequest;
use tocsin_wire::v1::{
    Alert, Silence, SilenceDraft, SilencePage, SilencePreview, SilencePreviewRequest, SilenceState,
};

use super::body::Json as Body;
use super::cursor::{DEFAULT_LIMIT, List};
use super::matchers;
use super::params::{Ask, FromQuery, Nothing, Params, invalid};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::Caller;

/// The longest comment, name and annotation, in bytes.
const MAX_TEXT_BYTES: usize = 10_000;

/// The most annotations of one silence.
const MAX_ANNOTATIONS: usize = 100;

/// Which silences to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SilencesQuery {
    /// Only silences that stand like this; may be repeated, and then any will do.
    #[param(required = false)]
    state: Vec<SilenceState>,
    /// Only silences that have this very matcher, such as `service="checkout"`; may be repeated,
    /// and then they must have all.
    #[param(required = false)]
    filter: Vec<String>,
    /// Only silences that this person made.
    created_by: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for SilencesQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            state: params.choices("state")?,
            filter: params.many("filter"),
            created_by: params.text("created_by")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// List silences
///
/// The newest first, expired ones included for as long as they are kept.
#[utoipa::path(
    get, path = "/api/v1/silences", operation_id = "list_silences", tag = "silences",
    params(SilencesQuery),
    responses((status = 200, description = "A page of silences", body = SilencePage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(query): Ask<SilencesQuery>,
) -> Answer<Json<SilencePage>> {
    let wanted = matchers::from_filter(&query.filter, app.options.parse_mode)?;
    let before: Option<u64> = List::Silences.key(query.cursor.as_deref())?;
    let mut found = app.engine.read(Tenant::silences).await?;
    found.retain(|(silence, state)| {
        before.is_none_or(|before| silence.number.0 < before)
            && (query.state.is_empty() || query.state.contains(&(*state).into()))
            && query.created_by.as_ref().is_none_or(|by| silence.created_by == *by)
            && wanted.iter().all(|one| silence.matchers.iter().any(|has| has == one))
    });
    found.sort_unstable_by_key(|(silence, _)| std::cmp::Reverse(silence.number));
    let next_cursor = List::Silences.page(&mut found, query.limit, |(silence, _)| silence.number);
    let items = found.iter().map(|(silence, state)| Silence::new(silence, *state)).collect();
    Ok(Json(SilencePage { items, next_cursor }))
}

/// Make a silence
#[utoipa::path(
    post, path = "/api/v1/silences", operation_id = "create_silence", tag = "silences",
    request_body = SilenceDraft,
    responses((
        status = 201, description = "The silence", body = Silence,
        headers(("Location" = String, description = "Where it is found"))
    ))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<SilenceDraft>,
) -> Answer<Response> {
    let now = app.engine.now();
    let starts_at = draft.starts_at.unwrap_or(now).max(now);
    let request = request(None, draft, starts_at, app.options.parse_mode)?;
    let silence = set(&app, caller, request).await?;
    let location = format!("{}/api/v1/silences/{}", app.options.prefix(), silence.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(silence)).into_response())
}

/// Show a silence
#[utoipa::path(
    get, path = "/api/v1/silences/{id}", operation_id = "get_silence", tag = "silences",
    params(("id" = uuid::Uuid, Path, description = "The id of the silence")),
    responses((status = 200, description = "The silence", body = Silence))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Silence>> {
    find(&app, parse_id(&id)?).await.map(Json)
}

/// Change a silence
///
/// When its matchers change or it is over, it ends and a new silence with another id takes its
/// place: the answer shows which one holds now. Without `starts_at` it keeps its start.
#[utoipa::path(
    put, path = "/api/v1/silences/{id}", operation_id = "replace_silence", tag = "silences",
    params(("id" = uuid::Uuid, Path, description = "The id of the silence")),
    request_body = SilenceDraft,
    responses((status = 200, description = "The silence that holds now", body = Silence))
)]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<SilenceDraft>,
) -> Answer<Json<Silence>> {
    let id = parse_id(&id)?;
    let known = find(&app, id).await?;
    let starts_at = match known.state {
        SilenceState::Expired => draft.starts_at.unwrap_or_else(|| app.engine.now()),
        SilenceState::Active | SilenceState::Pending => draft.starts_at.unwrap_or(known.starts_at),
    };
    let request = request(Some(id), draft, starts_at, app.options.parse_mode)?;
    set(&app, caller, request).await.map(Json)
}

/// End a silence
///
/// It stays to be looked up for a while. Ending it again changes nothing.
#[utoipa::path(
    delete, path = "/api/v1/silences/{id}", operation_id = "expire_silence", tag = "silences",
    params(("id" = uuid::Uuid, Path, description = "The id of the silence")),
    responses((status = 200, description = "The silence as it stands now", body = Silence))
)]
pub(super) async fn expire(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Silence>> {
    let id = parse_id(&id)?;
    may_change(&app, &caller, id).await?;
    match app.engine.command(Command::ExpireSilence { id }.by(caller.actor)).await? {
        Reply::Done | Reply::Silence(_) => find(&app, id).await.map(Json),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

/// Show what a silence would mute
///
/// Nothing changes. At most a hundred of the matching alerts are shown; all are counted.
#[utoipa::path(
    post, path = "/api/v1/silences/preview", operation_id = "preview_silence", tag = "silences",
    request_body = SilencePreviewRequest,
    responses((status = 200, description = "What would be muted", body = SilencePreview))
)]
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
    Body(request): Body<SilencePreviewRequest>,
) -> Answer<Json<SilencePreview>> {
    let matchers = matchers::from_body(&request.matchers, app.options.parse_mode)?;
    let is_acceptable = !matchers.iter().all(|matcher| matcher.matches_value(""));
    let alerts = app.engine.read(Tenant::alerts).await?;
    let firing = alerts.len();
    let matching: Vec<_> =
        alerts.iter().filter(|alert| matchers.matches(&alert.identity.labels)).collect();
    Ok(Json(SilencePreview {
        matching: matching.len(),
        firing,
        already_suppressed: matching.iter().filter(|it| it.status.is_suppressed()).count(),
        is_acceptable,
        alerts: matching.into_iter().take(DEFAULT_LIMIT).map(Alert::from).collect(),
    }))
}

fn request(
    id: Option<SilenceId>,
    draft: SilenceDraft,
    starts_at: Timestamp,
    mode: ParseMode,
) -> Answer<SilenceRequest> {
    let matchers = matchers::from_body(&draft.matchers, mode)?;
    let end = draft.end(starts_at);
    let ends_at = end.map_err(|(field, why)| Refusal::field(&format!("/{field}"), why))?;
    check_text("/created_by", &draft.created_by)?;
    if draft.created_by.trim().is_empty() {
        return Err(Refusal::field("/created_by", "must not be empty"));
    }
    check_text("/comment", &draft.comment)?;
    if draft.annotations.len() > MAX_ANNOTATIONS {
        let message = format!("there are more than {MAX_ANNOTATIONS} annotations");
        return Err(Refusal::field("/annotations", message));
    }
    for (name, value) in &draft.annotations {
        check_text("/annotations", name)?;
        check_text("/annotations", value)?;
    }
    Ok(SilenceRequest {
        id,
        matchers,
        starts_at,
        ends_at,
        created_by: draft.created_by,
        comment: draft.comment,
        annotations: draft.annotations,
    })
}

/// Refuses text that is longer than people write.
pub(super) fn check_text(pointer: &str, text: &str) -> Answer<()> {
    if text.len() <= MAX_TEXT_BYTES {
        return Ok(());
    }
    Err(Refusal::field(pointer, format!("is longer than {MAX_TEXT_BYTES} bytes")))
}

async fn set(app: &App, caller: Caller, request: SilenceRequest) -> Answer<Silence> {
    may_silence(&caller, &request.matchers)?;
    if let Some(id) = request.id {
        may_change(app, &caller, id).await?;
    }
    let fresh_id = SilenceId::new_v4();
    match app.engine.command(Command::SetSilence { request, fresh_id }.by(caller.actor)).await? {
        Reply::Silence(id) => find(app, id).await,
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

/// Refuses a silence that could mute more than the caller may: it must name a team or a service
/// of theirs.
pub(crate) fn may_silence(caller: &Caller, matchers: &Matchers) -> Answer<()> {
    let named = matchers.iter().filter(|matcher| matcher.op() == MatchOp::Equal);
    let labels = named.map(|matcher| (matcher.name().into(), matcher.value().into())).collect();
    caller.must(Permission::SilenceWrite, &Labels::new(labels))
}

/// Refuses to touch a silence that is not the caller's to change.
pub(crate) async fn may_change(app: &App, caller: &Caller, id: SilenceId) -> Answer<()> {
    if caller.access.allows(Permission::SilenceWrite) {
        return Ok(());
    }
    let found = app.engine.read(move |tenant, now| tenant.silence(id, now)).await?;
    // That there is none is said by who looks for it.
    found.map_or(Ok(()), |(silence, _)| may_silence(caller, &silence.matchers))
}

async fn find(app: &App, id: SilenceId) -> Answer<Silence> {
    let found = app.engine.read(move |tenant, now| tenant.silence(id, now)).await?;
    let (silence, state) =
        found.ok_or_else(|| Refusal::not_found(format!("there is no silence {id}")))?;
    Ok(Silence::new(&silence, state))
}

fn parse_id(text: &str) -> Answer<SilenceId> {
    SilenceId::parse_str(text).map_err(|_| invalid("id", "must be a UUID"))
}
