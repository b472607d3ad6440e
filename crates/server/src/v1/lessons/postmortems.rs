//! Postmortems: listed, read, written, moved on.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_core::command::{Command, Rejection, Reply};
use tocsin_core::identity::Permission;
use tocsin_core::incident::{Incident, IncidentNumber};
use tocsin_core::lesson::{LessonChange, LessonRejection};
use tocsin_core::postmortem::{self, LiveBlocks, PostmortemEdit, PostmortemState, PostmortemStep};
use tocsin_engine::{IncidentTold, draft_postmortem, incident_told};
use tocsin_store::{
    ActionQuery, MAX_ACTIONS_PER_QUERY, MAX_POSTMORTEMS_PER_QUERY, PostmortemQuery,
};
use tocsin_wire::v1::{
    Postmortem, PostmortemComment, PostmortemCommentDraft, PostmortemComments, PostmortemDetail,
    PostmortemMove, PostmortemPage, PostmortemPatch, PostmortemResult, PostmortemVersion,
    PostmortemVersions,
};

use super::super::body::Json as Body;
use super::super::cursor::List;
use super::super::incidents::{etag, find, parse, recall};
use super::super::params::{Ask, FromQuery, Nothing, Params, person, words};
use super::super::problem::{Answer, Refusal};
use super::{expected, owner, tags, visible};
use crate::App;
use crate::access::Caller;

/// How often a postmortem is put together anew when the incident changes meanwhile.
const MAX_TRIES: usize = 4;

/// Which postmortems to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct PostmortemsQuery {
    /// Only those that are so far; may be repeated.
    #[param(required = false)]
    state: Vec<String>,
    /// Only those that this person sees to, by handle.
    owner: Option<String>,
    /// Only those that should have been published by now.
    #[param(required = false)]
    overdue: bool,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for PostmortemsQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            state: params.many("state"),
            owner: params.text("owner")?,
            overdue: params.parsed("overdue", "true or false")?.unwrap_or(false),
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// List postmortems
///
/// Those of the newest incidents first.
#[utoipa::path(
    get, path = "/api/v1/postmortems", operation_id = "list_postmortems", tag = "postmortems",
    params(PostmortemsQuery),
    responses((status = 200, description = "A page of postmortems", body = PostmortemPage))
)]
pub(in super::super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(query): Ask<PostmortemsQuery>,
) -> Answer<Json<PostmortemPage>> {
    let now = app.engine.now();
    let limit = query.limit.min(MAX_POSTMORTEMS_PER_QUERY - 1);
    let asked = PostmortemQuery {
        states: words("state", &query.state, "the states", PostmortemState::parse)?,
        owner: person("owner", query.owner.as_deref())?,
        due_before: query.overdue.then_some(now),
        visible: visible(&app, &caller),
        before: List::Postmortems.key(query.cursor.as_deref())?.map(IncidentNumber),
        limit: limit + 1,
    };
    let mut rows = app.engine.store().postmortems(app.engine.tenant(), asked).await?;
    let next_cursor = List::Postmortems.page(&mut rows, limit, |it| it.postmortem.incident);
    let items = rows
        .iter()
        .map(|row| {
            let about = (row.severity.as_str(), row.service.as_str());
            Postmortem::new(&row.postmortem, row.detected_at, about, now)
        })
        .collect();
    Ok(Json(PostmortemPage { items, next_cursor }))
}

/// Reads the number or the reference of an incident, or the reference of its postmortem.
fn named(text: &str) -> Answer<IncidentNumber> {
    let is_own = text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("pir-"));
    parse(if is_own { &text[4..] } else { text })
}

/// What belongs to a postmortem that the caller may see.
pub(super) struct Found {
    pub(super) postmortem: postmortem::Postmortem,
    incident: Incident,
    live: LiveBlocks,
}

/// Returns a postmortem of an incident that the caller may see, as it is or as it was.
pub(super) async fn found(
    app: &App,
    caller: &Caller,
    text: &str,
    version: Option<u64>,
) -> Answer<Found> {
    let (it, _) = find(app, caller, named(text)?).await?;
    let number = it.number;
    let known = match version {
        None => app.engine.read(move |tenant, _| tenant.postmortem(number).cloned()).await?,
        Some(_) => None,
    };
    let known = match known {
        Some(known) => Some(known),
        None => app.engine.store().postmortem(app.engine.tenant(), number, version).await?,
    };
    let Some(mut postmortem) = known else {
        return Err(Refusal::not_found(format!("incident {number} has no postmortem like that")));
    };
    let Some(told) = incident_told(&app.engine, number).await? else {
        return Err(Refusal::not_found(format!("there is no incident {number}")));
    };
    let IncidentTold { incident, live, blacked_out } = told;
    // What was written, frozen or kept before something was blacked out may quote it.
    postmortem.black_out(&blacked_out);
    Ok(Found { postmortem, incident, live })
}

impl Found {
    pub(super) async fn detail(&self, app: &App) -> Answer<PostmortemDetail> {
        let query = ActionQuery {
            incident: Some(self.incident.number),
            limit: MAX_ACTIONS_PER_QUERY,
            ..ActionQuery::default()
        };
        let actions = app.engine.store().actions(app.engine.tenant(), query).await?;
        let now = app.engine.now();
        Ok(PostmortemDetail::new(&self.postmortem, &self.incident, &self.live, &actions, now))
    }

    async fn answer(self, app: &App) -> Answer<Response> {
        let tag = etag(self.postmortem.version);
        Ok(([(header::ETAG, tag)], Json(self.detail(app).await?)).into_response())
    }
}

/// Show a postmortem
#[utoipa::path(
    get, path = "/api/v1/postmortems/{incident}", operation_id = "get_postmortem",
    tag = "postmortems",
    params(("incident" = String, Path, description = "The number or reference of its incident")),
    responses((status = 200, description = "The postmortem", body = PostmortemDetail))
)]
pub(in super::super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    found(&app, &caller, &text, None).await?.answer(&app).await
}

/// Show the postmortem of an incident
#[utoipa::path(
    get, path = "/api/v1/incidents/{incident}/postmortem",
    operation_id = "get_postmortem_of_incident", tag = "postmortems",
    params(("incident" = String, Path, description = "The number or reference of the incident")),
    responses((status = 200, description = "The postmortem", body = PostmortemDetail))
)]
pub(in super::super) async fn of_incident(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    found(&app, &caller, &text, None).await?.answer(&app).await
}

/// One request about one postmortem.
struct Asked {
    caller: Caller,
    incident: Incident,
}

impl Asked {
    async fn find(app: &App, caller: Caller, text: &str, may: Permission) -> Answer<Self> {
        let (incident, _) = find(app, &caller, named(text)?).await?;
        caller.must(may, &incident.labels)?;
        recall(app, &caller, incident.number).await?;
        Ok(Self { caller, incident })
    }

    /// Does something about the postmortem; returns whether that changed anything.
    async fn step(&self, app: &App, expected: Option<u64>, step: PostmortemStep) -> Answer<bool> {
        let done = self.try_step(app, expected, step).await?;
        Ok(done?)
    }

    async fn try_step(
        &self,
        app: &App,
        expected: Option<u64>,
        step: PostmortemStep,
    ) -> Answer<Result<bool, Rejection>> {
        let incident = self.incident.number;
        let stored = app.engine.store().postmortem(app.engine.tenant(), incident, None).await?;
        let stored = stored.map(Box::new);
        let change = LessonChange::Postmortem { incident, expected, stored, step };
        let order = Command::Lesson(change).by(self.caller.actor.clone());
        match app.engine.command(order).await? {
            Reply::Lesson(reply) => Ok(Ok(reply.has_changed)),
            Reply::Rejected(why) => Ok(Err(why)),
            other => Err(Refusal::unexpected(&other)),
        }
    }

    async fn answer(self, app: &App, has_changed: bool, status: StatusCode) -> Answer<Response> {
        let text = self.incident.number.to_string();
        let found = found(app, &self.caller, &text, None).await?;
        let tag = etag(found.postmortem.version);
        let postmortem = found.detail(app).await?;
        let result = PostmortemResult { has_changed, postmortem };
        Ok((status, [(header::ETAG, tag)], Json(result)).into_response())
    }
}

/// Begin the postmortem of an incident
///
/// One begins by itself when an incident ends whose severity asks for it. It is drafted from the
/// data at once.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/postmortem", operation_id = "begin_postmortem",
    tag = "postmortems",
    params(("incident" = String, Path, description = "The number or reference of the incident")),
    responses(
        (status = 201, description = "The postmortem", body = PostmortemResult),
        (status = 200, description = "It was there already", body = PostmortemResult)
    )
)]
pub(in super::super) async fn begin(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, Permission::PostmortemWrite).await?;
    let is_new = asked.step(&app, None, PostmortemStep::Begin).await?;
    if is_new {
        put_draft(&app, &asked).await?;
    }
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    asked.answer(&app, is_new, status).await
}

/// Drafts from the data, again when the incident changed meanwhile.
async fn put_draft(app: &App, asked: &Asked) -> Answer<()> {
    let (number, by) = (asked.incident.number, &asked.caller.actor);
    for _ in 0..MAX_TRIES {
        match draft_postmortem(&app.engine, number, by.clone()).await? {
            Some(Reply::Lesson(_)) => return Ok(()),
            Some(Reply::Rejected(why)) if is_outdated(&why) => {}
            Some(Reply::Rejected(why)) => return Err(why.into()),
            Some(other) => return Err(Refusal::unexpected(&other)),
            None => break,
        }
    }
    Err(Rejection::from(LessonRejection::Outdated).into())
}

fn is_outdated(why: &Rejection) -> bool {
    matches!(why, Rejection::Lesson(why)
        if matches!(**why, LessonRejection::Outdated))
}

/// Draft a postmortem again from the data
///
/// What people wrote stays; beside it stands what the data say now.
#[utoipa::path(
    post, path = "/api/v1/postmortems/{incident}/draft", operation_id = "draft_postmortem",
    tag = "postmortems",
    params(("incident" = String, Path, description = "The number or reference of its incident")),
    responses((status = 200, description = "What that did", body = PostmortemResult))
)]
pub(in super::super) async fn redraft(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, Permission::PostmortemWrite).await?;
    put_draft(&app, &asked).await?;
    asked.answer(&app, true, StatusCode::OK).await
}

/// Write a postmortem
///
/// What is absent stays. `If-Match` with the `ETag` that was seen keeps two people from writing
/// over each other.
#[utoipa::path(
    patch, path = "/api/v1/postmortems/{incident}", operation_id = "edit_postmortem",
    tag = "postmortems",
    params(("incident" = String, Path, description = "The number or reference of its incident")),
    request_body = PostmortemPatch,
    responses((status = 200, description = "What that did", body = PostmortemResult))
)]
pub(in super::super) async fn edit(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<PostmortemPatch>,
) -> Answer<Response> {
    let expected = expected(&headers)?;
    let asked = Asked::find(&app, caller, &text, Permission::PostmortemWrite).await?;
    let edit = PostmortemEdit {
        title: body.title,
        owner: owner(body.owner)?,
        review_at: body.review_at.map(Some),
        tags: body.tags.map(tags),
        sections: body.sections,
    };
    let has_changed = asked.step(&app, expected, PostmortemStep::Edit(Box::new(edit))).await?;
    asked.answer(&app, has_changed, StatusCode::OK).await
}

/// Move a postmortem to another state
///
/// `allowed_transitions` says where it may go. Publishing freezes its live blocks.
#[utoipa::path(
    post, path = "/api/v1/postmortems/{incident}/transition", operation_id = "move_postmortem",
    tag = "postmortems",
    params(("incident" = String, Path, description = "The number or reference of its incident")),
    request_body = PostmortemMove,
    responses((status = 200, description = "What that did", body = PostmortemResult))
)]
pub(in super::super) async fn transition(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<PostmortemMove>,
) -> Answer<Response> {
    let expected = expected(&headers)?;
    let PostmortemMove { to, reason } = body;
    let known = found(&app, &caller, &text, None).await?.postmortem.state;
    let is_settled = |state| matches!(state, PostmortemState::Published | PostmortemState::Waived);
    // Whoever may say that it is done may also say that it is not.
    let may = match is_settled(to) || is_settled(known) {
        true => Permission::PostmortemPublish,
        false => Permission::PostmortemWrite,
    };
    let asked = Asked::find(&app, caller, &text, may).await?;
    for attempt in 1..=MAX_TRIES {
        let frozen = match to {
            PostmortemState::Published => {
                let told = incident_told(&app.engine, asked.incident.number).await?;
                told.map(|it| Box::new(it.live))
            }
            _ => None,
        };
        let step = PostmortemStep::Move { to, reason: reason.clone(), frozen };
        match asked.try_step(&app, expected, step).await? {
            Err(why) if is_outdated(&why) && attempt < MAX_TRIES => {}
            done => {
                let has_changed = done?;
                return asked.answer(&app, has_changed, StatusCode::OK).await;
            }
        }
    }
    Err(Rejection::from(LessonRejection::Outdated).into())
}

/// List what was said about a postmortem
#[utoipa::path(
    get, path = "/api/v1/postmortems/{incident}/comments",
    operation_id = "list_postmortem_comments", tag = "postmortems",
    params(("incident" = String, Path, description = "The number or reference of its incident")),
    responses((status = 200, description = "What was said", body = PostmortemComments))
)]
pub(in super::super) async fn comments(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<PostmortemComments>> {
    let (it, _) = find(&app, &caller, named(&text)?).await?;
    let store = app.engine.store();
    let mut found = store.postmortem_comments(app.engine.tenant(), it.number).await?;
    if it.marks.values().any(|mark| mark.redacted_at.is_some())
        && let Some(told) = incident_told(&app.engine, it.number).await?
    {
        found.iter_mut().for_each(|comment| told.blacked_out.scrub(&mut comment.text));
    }
    Ok(Json(PostmortemComments { items: found.iter().map(PostmortemComment::new).collect() }))
}

/// Comment on a postmortem
#[utoipa::path(
    post, path = "/api/v1/postmortems/{incident}/comments", operation_id = "comment_postmortem",
    tag = "postmortems",
    params(("incident" = String, Path, description = "The number or reference of its incident")),
    request_body = PostmortemCommentDraft,
    responses((status = 200, description = "What that did", body = PostmortemResult))
)]
pub(in super::super) async fn comment(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<PostmortemCommentDraft>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, Permission::IncidentComment).await?;
    let PostmortemCommentDraft { text, section } = body;
    let step = PostmortemStep::Comment { section, text };
    let has_changed = asked.step(&app, None, step).await?;
    asked.answer(&app, has_changed, StatusCode::OK).await
}

/// List the versions of a postmortem
///
/// The newest first; of many changes the oldest are dropped, published ones never.
#[utoipa::path(
    get, path = "/api/v1/postmortems/{incident}/versions",
    operation_id = "list_postmortem_versions", tag = "postmortems",
    params(("incident" = String, Path, description = "The number or reference of its incident")),
    responses((status = 200, description = "Its versions", body = PostmortemVersions))
)]
pub(in super::super) async fn versions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<PostmortemVersions>> {
    let (it, _) = find(&app, &caller, named(&text)?).await?;
    let found = app.engine.store().postmortem_versions(app.engine.tenant(), it.number).await?;
    let items = found.into_iter().map(|it| {
        let tocsin_store::PostmortemVersion { version, state, at, by } = it;
        PostmortemVersion { version, state, at, by }
    });
    Ok(Json(PostmortemVersions { items: items.collect() }))
}

/// Show a version of a postmortem
#[utoipa::path(
    get, path = "/api/v1/postmortems/{incident}/versions/{version}",
    operation_id = "get_postmortem_version", tag = "postmortems",
    params(
        ("incident" = String, Path, description = "The number or reference of its incident"),
        ("version" = u64, Path, description = "Which version")
    ),
    responses((status = 200, description = "The postmortem", body = PostmortemDetail))
)]
pub(in super::super) async fn version(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((text, version)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    let Ok(version) = version.parse() else {
        return Err(Refusal::not_found("a version is a number"));
    };
    found(&app, &caller, &text, Some(version)).await?.answer(&app).await
}
