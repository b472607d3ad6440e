//! The knowledge base: search, articles, and incidents like one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_core::identity::Permission;
use tocsin_core::incident::IncidentNumber;
use tocsin_core::knowledge::{self, ArticleNumber};
use tocsin_core::labels::Labels;
use tocsin_core::lesson::{LessonChange, LessonSubject};
use tocsin_engine::similar_incidents;
use tocsin_store::{KnowledgeKind, KnowledgeQuery, MAX_HITS_PER_QUERY, MAX_RANKED};
use tocsin_wire::v1::{
    Article, ArticleDraft, KnowledgeItem, KnowledgePage, SimilarIncident, SimilarIncidents,
};

use super::super::body::Json as Body;
use super::super::cursor::List;
use super::super::incidents::{etag, find, parse};
use super::super::params::{Ask, FromQuery, Nothing, Params, invalid, words};
use super::super::problem::{Answer, Refusal};
use super::{command, expected, tags, visible};
use crate::App;
use crate::access::Caller;

/// The most characters of what is searched for.
const MAX_SEARCH_CHARS: usize = 400;

/// What to search for.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct SearchQuery {
    /// Words, and phrases in double quotes; without any the newest come first.
    q: Option<String>,
    /// Only documents of this kind; may be repeated.
    #[param(required = false)]
    kind: Vec<String>,
    /// Only documents with this tag; may be repeated, and then all are needed.
    #[param(required = false)]
    tag: Vec<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page; at most a hundred are given.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for SearchQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            q: params.text("q")?,
            kind: params.many("kind"),
            tag: params.many("tag"),
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// Search the knowledge base
///
/// Incidents, what was said about them, postmortems, action items, runbooks, best practices and
/// lessons; the best first, as far as the caller may see them.
#[utoipa::path(
    get, path = "/api/v1/kb/search", operation_id = "search_knowledge", tag = "knowledge",
    params(SearchQuery),
    responses((status = 200, description = "What was found", body = KnowledgePage))
)]
pub(in super::super) async fn search(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(query): Ask<SearchQuery>,
) -> Answer<Json<KnowledgePage>> {
    let text = query.q.unwrap_or_default();
    if text.chars().count() > MAX_SEARCH_CHARS {
        let message = format!("must have at most {MAX_SEARCH_CHARS} characters");
        return Err(invalid("q", message));
    }
    let kinds = words("kind", &query.kind, "the kinds", KnowledgeKind::parse)?;
    let offset: u64 = List::Knowledge.key(query.cursor.as_deref())?.unwrap_or(0);
    let offset = usize::try_from(offset).unwrap_or(MAX_RANKED).min(MAX_RANKED);
    let limit = query.limit.min(MAX_HITS_PER_QUERY - 1);
    let asked = KnowledgeQuery {
        text,
        kinds,
        tags: query.tag,
        visible: visible(&app, &caller),
        offset,
        limit: limit + 1,
    };
    let mut found = app.engine.store().knowledge(app.engine.tenant(), asked).await?;
    let next_cursor = List::Knowledge.page(&mut found.hits, limit, |_| offset + limit);
    let items = found.hits.into_iter().map(|it| KnowledgeItem {
        kind: it.kind.as_str().to_owned(),
        key: it.key,
        incident: it.incident.map(|it| it.0),
        title: it.title,
        excerpt: it.excerpt,
        at: it.at,
        score: it.score,
    });
    let items = items.collect();
    Ok(Json(KnowledgePage { items, is_partial: found.is_partial, next_cursor }))
}

/// Show earlier incidents like one
///
/// At most five that are over, each with the reasons, and how often something like it happens.
#[utoipa::path(
    get, path = "/api/v1/incidents/{incident}/similar", operation_id = "list_similar_incidents",
    tag = "incidents",
    params(("incident" = String, Path, description = "Its number or reference")),
    responses((status = 200, description = "Earlier incidents", body = SimilarIncidents))
)]
pub(in super::super) async fn similar(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<SimilarIncidents>> {
    let (it, _) = find(&app, &caller, parse(&text)?).await?;
    let found = similar_incidents(&app.engine, &it, visible(&app, &caller)).await?;
    Ok(Json(SimilarIncidents {
        items: found.similar.iter().map(SimilarIncident::new).collect(),
        novelty: found.novelty,
        alike: found.alike,
        of: found.of,
    }))
}

/// Returns the labels by which an article may be seen; nothing for everybody.
fn labels_of(service: &str, team: &str) -> Labels {
    Labels::from([("service", service), ("team", team)])
}

async fn found(app: &App, caller: &Caller, text: &str) -> Answer<knowledge::Article> {
    let none = || Refusal::not_found(format!("there is no article {text}"));
    let number = ArticleNumber(text.parse().map_err(|_| none())?);
    let known = app.engine.read(move |tenant, _| tenant.article(number).cloned()).await?;
    let known = match known {
        Some(known) => Some(known),
        None => app.engine.store().article(app.engine.tenant(), number).await?,
    };
    let it = known.ok_or_else(none)?;
    let labels = labels_of(&it.content.service, &it.content.team);
    if labels.is_empty() || caller.may(Permission::IncidentRead, &labels) {
        return Ok(it);
    }
    Err(none())
}

/// Show an article
#[utoipa::path(
    get, path = "/api/v1/kb/articles/{number}", operation_id = "get_article", tag = "knowledge",
    params(("number" = u64, Path, description = "Its number")),
    responses((status = 200, description = "The article", body = Article))
)]
pub(in super::super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    let it = found(&app, &caller, &text).await?;
    Ok(([(header::ETAG, etag(it.version))], Json(Article::new(&it))).into_response())
}

/// Write an article
///
/// A best practice or a lesson. One for a service or a team is seen by those who may see its
/// incidents; one for none by everybody.
#[utoipa::path(
    post, path = "/api/v1/kb/articles", operation_id = "create_article", tag = "knowledge",
    request_body = ArticleDraft,
    responses((status = 201, description = "The article", body = Article))
)]
pub(in super::super) async fn write(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<ArticleDraft>,
) -> Answer<Response> {
    caller.must(Permission::KnowledgeWrite, &labels_of(&body.service, &body.team))?;
    let draft = Box::new(draft_of(body));
    let change = LessonChange::SetArticle { number: None, expected: None, stored: None, draft };
    let reply = command(&app, &caller, change).await?;
    let LessonSubject::Article(number) = reply.subject else {
        return Err(Refusal::not_found("the article is not there"));
    };
    answer(&app, &caller, number, StatusCode::CREATED).await
}

/// Write an article anew
#[utoipa::path(
    put, path = "/api/v1/kb/articles/{number}", operation_id = "replace_article",
    tag = "knowledge", params(("number" = u64, Path, description = "Its number")),
    request_body = ArticleDraft,
    responses((status = 200, description = "The article", body = Article))
)]
pub(in super::super) async fn rewrite(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<ArticleDraft>,
) -> Answer<Response> {
    let expected = expected(&headers)?;
    let it = found(&app, &caller, &text).await?;
    // Neither may be taken from where one may write nothing, nor be brought there.
    caller.must(Permission::KnowledgeWrite, &labels_of(&it.content.service, &it.content.team))?;
    caller.must(Permission::KnowledgeWrite, &labels_of(&body.service, &body.team))?;
    let stored = app.engine.store().article(app.engine.tenant(), it.number).await?;
    let change = LessonChange::SetArticle {
        number: Some(it.number),
        expected,
        stored: stored.map(Box::new),
        draft: Box::new(draft_of(body)),
    };
    command(&app, &caller, change).await?;
    answer(&app, &caller, it.number, StatusCode::OK).await
}

fn draft_of(body: ArticleDraft) -> knowledge::ArticleDraft {
    knowledge::ArticleDraft {
        kind: body.kind,
        title: body.title,
        body: body.body,
        tags: tags(body.tags),
        service: body.service.into(),
        team: body.team.into(),
        incident: body.incident.map(IncidentNumber),
        is_archived: body.is_archived,
    }
}

async fn answer(
    app: &App,
    caller: &Caller,
    number: ArticleNumber,
    status: StatusCode,
) -> Answer<Response> {
    let it = found(app, caller, &number.to_string()).await?;
    Ok((status, [(header::ETAG, etag(it.version))], Json(Article::new(&it))).into_response())
}
