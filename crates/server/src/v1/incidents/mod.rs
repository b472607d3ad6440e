//! Incidents: how they stand, and how people declare them.

mod access;
mod alerts;
pub(crate) mod chat;
mod mentions;
mod messages;
mod people;
mod relations;
mod report;
mod rows;
mod severities;
mod steps;
mod tasks;
mod timeline;

pub(super) use steps::version_of;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::{Handle, Permission, Who};
use tocsin_core::incident::{
    self, AlertRole, Facet, IncidentAlert, IncidentChange, IncidentKey, IncidentNumber,
    IncidentReply, Mode, Status,
};
use tocsin_core::labels::Labels;
use tocsin_core::severity::Severity;
use tocsin_store::{IncidentQuery, MAX_INCIDENTS_PER_QUERY};
use tocsin_wire::v1::{
    Incident, IncidentAlertRow, IncidentCategory, IncidentDetail, IncidentDraft, IncidentMode,
    IncidentPage, IncidentReminder, IncidentState, IncidentStatus, MAX_LISTED_INCIDENT_ALERTS,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Json as Body;
use super::cursor::List;
use super::escalations::parse_severity;
use super::params::{Ask, FromQuery, Nothing, Params, invalid, person, words};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::Caller;

/// How many pages of the store are searched for what a caller may see; the cursor leads on.
const MAX_PAGES_PER_LIST: usize = 20;

/// The most incidents that one request names.
const MAX_NAMED_INCIDENTS: usize = 100;

/// The header that makes asking twice harmless.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Returns the routes of incidents.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, steps::edit))
        .routes(routes!(steps::acknowledge))
        .routes(routes!(steps::unacknowledge))
        .routes(routes!(steps::transition))
        .routes(routes!(steps::resolve))
        .routes(routes!(steps::reopen))
        .routes(routes!(steps::close))
        .routes(routes!(steps::rate))
        .routes(routes!(steps::assign))
        .routes(routes!(steps::comment))
        .routes(routes!(report::report))
        .routes(routes!(severities::list))
        .routes(routes!(severities::classify))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::change))
        .routes(routes!(people::give))
        .routes(routes!(people::join))
        .routes(routes!(people::leave))
        .routes(routes!(people::hand_over))
        .routes(routes!(people::ask))
        .routes(routes!(people::answer))
        .routes(routes!(people::subscribe))
        .routes(routes!(people::unsubscribe))
        .routes(routes!(people::snooze))
        .routes(routes!(access::ask))
        .routes(routes!(mentions::mine))
        .routes(routes!(access::answer))
        .routes(routes!(relations::merge))
        .routes(routes!(relations::unmerge))
        .routes(routes!(relations::split))
        .routes(routes!(relations::duplicate))
        .routes(routes!(relations::link))
        .routes(routes!(relations::unlink))
        .routes(routes!(relations::resolve_all))
        .routes(routes!(messages::templates))
        .routes(routes!(messages::update))
        .routes(routes!(messages::preview))
        .routes(routes!(tasks::add))
        .routes(routes!(tasks::change))
        .routes(routes!(tasks::restrict))
        .routes(routes!(tasks::unrestrict))
        .routes(routes!(rows::import))
        .routes(routes!(rows::mark))
        .routes(routes!(rows::revise))
        .routes(routes!(rows::redact))
        .routes(routes!(timeline::list))
        .routes(routes!(timeline::export))
}

/// Which incidents to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct IncidentsQuery {
    /// Only those that stand like this; may be repeated, and then any will do.
    #[param(required = false)]
    status: Vec<IncidentStatus>,
    /// The same by four words; beside `status`, either will do.
    #[param(required = false)]
    state: Vec<IncidentState>,
    /// Only those of this severity; may be repeated.
    #[param(required = false)]
    severity: Vec<String>,
    /// Only those that are about this service.
    service: Option<String>,
    /// Only those of this kind of harm.
    #[param(inline, required = false)]
    category: Option<IncidentCategory>,
    /// Only those with this label `team`.
    team: Option<String>,
    /// Only those with this tag; may be repeated, and then all of them.
    #[param(required = false)]
    tag: Vec<String>,
    /// Only those that this person has, by handle, or `me`.
    owner: Option<String>,
    /// Only those that this person has, works on or was named in, by handle, or `me`.
    participant: Option<String>,
    /// Only those in which this person has a role, by handle, or `me`.
    role: Option<String>,
    /// Only those of this mode; may be repeated.
    #[param(required = false)]
    mode: Vec<IncidentMode>,
    /// Only those with words that begin like these in the title, the summary or the names of alerts.
    q: Option<String>,
    /// Only those that were detected not earlier than this.
    from: Option<Timestamp>,
    /// Only those that were detected earlier than this.
    to: Option<Timestamp>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for IncidentsQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            status: params.choices("status")?,
            state: params.choices("state")?,
            severity: params.many("severity"),
            service: params.text("service")?,
            category: params.choice("category")?,
            team: params.text("team")?,
            tag: params.many("tag"),
            owner: params.text("owner")?,
            participant: params.text("participant")?,
            role: params.text("role")?,
            mode: params.choices("mode")?,
            q: params.text("q")?,
            from: params.instant("from")?,
            to: params.instant("to")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// Reads a handle, or `me` for whoever asks.
fn whom(name: &str, text: Option<&str>, caller: &Caller) -> Answer<Option<Handle>> {
    if text != Some("me") {
        return person(name, text);
    }
    match &caller.actor.who {
        Who::Person(person) => Ok(Some(person.clone())),
        _ => Err(invalid(name, "`me` is nobody here; name somebody by their handle")),
    }
}

/// Returns what narrows a list by these.
fn facets(category: Option<IncidentCategory>, team: Option<&str>) -> Vec<String> {
    let category = category.map(|it| Facet::Category.of(incident::Category::from(it)));
    category.into_iter().chain(team.map(|it| Facet::Team.of(it))).collect()
}

/// Reads the severities that a query names.
fn severities(list: &[String]) -> Answer<Vec<Severity>> {
    words("severity", list, "sev1 to sev5", Severity::from_word)
}

impl IncidentsQuery {
    fn asked(&self, caller: &Caller) -> Answer<IncidentQuery> {
        let mut statuses: Vec<Status> = self.status.iter().map(|it| (*it).into()).collect();
        for state in &self.state {
            statuses.extend(incident::State::from(*state).statuses());
        }
        let participant = whom("participant", self.participant.as_deref(), caller)?;
        let holder = whom("role", self.role.as_deref(), caller)?;
        let mut facets = facets(self.category, self.team.as_deref());
        facets.extend(self.tag.iter().map(|it| Facet::Tag.of(it)));
        facets.extend(participant.map(|it| Facet::Participant.of(it)));
        facets.extend(holder.map(|it| Facet::Holder.of(it)));
        Ok(IncidentQuery {
            statuses,
            severities: severities(&self.severity)?,
            modes: self.mode.iter().map(|it| Mode::from(*it)).collect(),
            service: self.service.clone(),
            owner: whom("owner", self.owner.as_deref(), caller)?,
            facets,
            from: self.from,
            to: self.to,
            text: self.q.clone(),
            before: List::Incidents.key(self.cursor.as_deref())?.map(IncidentNumber),
            limit: MAX_INCIDENTS_PER_QUERY,
        })
    }
}

/// List incidents
///
/// The newest first.
#[utoipa::path(
    get, path = "/api/v1/incidents", operation_id = "list_incidents", tag = "incidents",
    params(IncidentsQuery),
    responses((status = 200, description = "A page of incidents", body = IncidentPage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(query): Ask<IncidentsQuery>,
) -> Answer<Json<IncidentPage>> {
    let (store, tenant) = (app.engine.store(), app.engine.tenant());
    let mut asked = query.asked(&caller)?;
    asked.limit = (query.limit + 1).min(MAX_INCIDENTS_PER_QUERY);
    let mut items = Vec::new();
    for _ in 0..MAX_PAGES_PER_LIST {
        let found = store.incidents(tenant, asked.clone()).await?;
        let is_last = found.len() < asked.limit;
        for it in &found {
            if items.len() == query.limit {
                let next_cursor = asked.before.map(|before| List::Incidents.cursor(before));
                return Ok(Json(IncidentPage { items, next_cursor }));
            }
            if sees(&app, &caller, it) {
                items.push(Incident::new(it));
            }
            asked.before = Some(it.number);
        }
        if is_last {
            return Ok(Json(IncidentPage { items, next_cursor: None }));
        }
    }
    let next_cursor = asked.before.map(|before| List::Incidents.cursor(before));
    Ok(Json(IncidentPage { items, next_cursor }))
}

/// Show an incident
///
/// With the first of its alerts, each time it was open, how long things took, and where it may go from here.
#[utoipa::path(
    get, path = "/api/v1/incidents/{incident}", operation_id = "get_incident", tag = "incidents",
    params(("incident" = String, Path, description = "Its number or reference")),
    responses((status = 200, description = "The incident", body = IncidentDetail))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    let (it, alerts) = find(&app, &caller, parse(&text)?).await?;
    let (number, severity, total) = (it.number, it.severity, alerts.len());
    let roles = incident::alert_roles(&alerts);
    let shown: Vec<IncidentAlert> = alerts.into_iter().take(MAX_LISTED_INCIDENT_ALERTS).collect();
    let rows = app.engine.read(move |tenant, _| {
        let row = |(alert, role): (&IncidentAlert, AlertRole)| {
            let labels = tenant.identity(alert.fingerprint).map(|it| it.labels.clone());
            IncidentAlertRow::new(alert, role, labels, tenant.is_alert_firing(alert.fingerprint))
        };
        let rows: Vec<IncidentAlertRow> = shown.iter().zip(roles).map(row).collect();
        let reminders = tenant.reminders_of(number);
        let targets = tenant.policy().incidents.targets(severity).clone();
        (rows, reminders.iter().map(IncidentReminder::new).collect::<Vec<_>>(), targets)
    });
    let (rows, reminders, targets) = rows.await?;
    let detail = IncidentDetail { reminders, ..IncidentDetail::new(&it, &targets, rows, total) };
    Ok(([(header::ETAG, etag(it.version))], Json(detail)).into_response())
}

/// Declare an incident
///
/// Asking twice with one `Idempotency-Key` within a day makes one incident.
#[utoipa::path(
    post, path = "/api/v1/incidents", operation_id = "create_incident", tag = "incidents",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Makes asking twice harmless")
    ),
    request_body = IncidentDraft,
    responses(
        (status = 201, description = "The incident", body = Incident,
            headers(("Location" = String, description = "Where it is found"))),
        (status = 200, description = "It was there already", body = Incident)
    )
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(mut draft): Body<IncidentDraft>,
) -> Answer<Response> {
    if draft.team.is_empty() {
        let service = draft.service.clone();
        let team = app.engine.read(move |tenant, _| tenant.team_of_service(&service)).await?;
        draft.team = team.into();
    }
    let labels = Labels::from([("service", &*draft.service), ("team", &*draft.team)]);
    caller.must(Permission::IncidentCreate, &labels)?;
    if let Some(page) = draft.page.clone() {
        caller.must(Permission::EscalationPage, &labels)?;
        // Whose policy it is, may not be paged by others.
        let read = app.engine.read(move |tenant, _| {
            tenant.escalation_policy(&page).and_then(|it| it.team.as_ref().map(ToString::to_string))
        });
        if let Some(team) = read.await? {
            let labels = Labels::from([("service", &*draft.service), ("team", &*team)]);
            caller.must(Permission::EscalationPage, &labels)?;
        }
    }
    let draft = draft_of(draft, header_text(&headers, &IDEMPOTENCY_KEY)?)?;
    let change = IncidentChange::Declare(Box::new(draft));
    let reply = command(&app, &caller, change).await?;
    // Whoever has just declared it knows what it says, although its category may let few see it.
    let declared = if reply.is_new { look_up(&app, reply.incident).await? } else { None };
    let (it, _) = match declared {
        Some(declared) => declared,
        None => find(&app, &caller, reply.incident).await?,
    };
    let location = format!("{}/api/v1/incidents/{}", app.options.prefix(), it.number);
    let headers = [(header::LOCATION, location), (header::ETAG, etag(it.version))];
    let status = if reply.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, headers, Json(Incident::new(&it))).into_response())
}

fn draft_of(
    draft: IncidentDraft,
    idempotency_key: Option<String>,
) -> Answer<incident::IncidentDraft> {
    let severity = draft.severity.as_deref().map(|word| parse_severity("/severity", word));
    let key = match draft.key.as_deref() {
        None => None,
        Some(text) => Some(IncidentKey::chosen(text).ok_or_else(|| {
            let limit = IncidentKey::MAX_CHARS;
            Refusal::field("/key", format!("must have 1 to {limit} characters"))
        })?),
    };
    let particulars = draft.particulars();
    Ok(incident::IncidentDraft {
        particulars,
        title: draft.title,
        summary: draft.summary,
        severity: severity.transpose()?,
        evidence: draft.evidence.into(),
        category: draft.category.map(Into::into),
        service: draft.service.into(),
        team: draft.team.into(),
        mode: draft.mode.into(),
        key,
        owner: parse_owner(draft.owner.as_deref())?,
        page: draft.page.map(Into::into),
        detected_at: draft.detected_at,
        idempotency_key,
    })
}

pub(super) fn parse_owner(text: Option<&str>) -> Answer<Option<Handle>> {
    let owner = text.map(Handle::parse).transpose();
    owner.map_err(|error| Refusal::field("/owner", error.to_string()))
}

async fn command(app: &App, caller: &Caller, change: IncidentChange) -> Answer<IncidentReply> {
    match app.engine.command(Command::Incident(change).by(caller.actor.clone())).await? {
        Reply::Incident(reply) => Ok(reply),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

/// Reads the number or the reference in a path.
pub(super) fn parse(text: &str) -> Answer<IncidentNumber> {
    text.parse().map_err(|why: incident::RefError| Refusal::not_found(why.to_string()))
}

/// Reads the number of something within an incident in a path.
fn number(text: &str) -> Answer<u32> {
    text.parse().map_err(|_| Refusal::not_found(format!("`{text}` is no number")))
}

pub(super) type Found = (incident::Incident, Vec<IncidentAlert>);

/// Returns an incident that the caller may see: as it is in memory, or else as the store has it.
pub(super) async fn find(app: &App, caller: &Caller, number: IncidentNumber) -> Answer<Found> {
    let found = look_up(app, number).await?;
    let missing = || Refusal::not_found(format!("there is no incident {number}"));
    let (it, alerts) = found
        .filter(|(it, _)| caller.may(Permission::IncidentRead, &it.labels))
        .ok_or_else(missing)?;
    if it.restricted.is_some() {
        // Whoever looks is written down, and whoever may not does not learn that it is there.
        let is_allowed = is_open_to(app, caller, &it);
        let change = IncidentChange::Looked { incident: number, is_allowed };
        command(app, caller, change).await?;
        if !is_allowed {
            return Err(missing());
        }
    }
    Ok((it, alerts))
}

/// Lets the engine take up an incident that was closed long ago, so that something can be done about
/// what belongs to it.
pub(super) async fn recall(app: &App, caller: &Caller, number: IncidentNumber) -> Answer<()> {
    let is_held = app.engine.read(move |tenant, _| tenant.incident(number).is_some()).await?;
    if is_held {
        return Ok(());
    }
    if let Some(found) = app.engine.store().incident(app.engine.tenant(), number).await? {
        command(app, caller, IncidentChange::Recall(Box::new(found))).await?;
    }
    Ok(())
}

/// Returns an incident, whoever may see it.
async fn look_up(app: &App, number: IncidentNumber) -> Answer<Option<Found>> {
    let known = app.engine.read(move |tenant, _| {
        let alerts = tenant.incident_alerts(number).into_iter().map(|(alert, _)| alert);
        let mut alerts: Vec<IncidentAlert> = alerts.collect();
        alerts.sort_by_key(|alert| (alert.joined_at, alert.fingerprint));
        Some((tenant.incident(number)?.clone(), alerts))
    });
    Ok(match known.await? {
        Some(found) => Some(found),
        None => app.engine.store().incident(app.engine.tenant(), number).await?,
    })
}

/// Returns whether the caller may see an incident.
fn sees(app: &App, caller: &Caller, it: &incident::Incident) -> bool {
    caller.may(Permission::IncidentRead, &it.labels) && is_open_to(app, caller, it)
}

/// Returns whether the caller may know of an incident: everybody, unless it is restricted.
fn is_open_to(app: &App, caller: &Caller, it: &incident::Incident) -> bool {
    it.restricted.is_none()
        || caller.may(Permission::IncidentRestrictedRead, &it.labels)
        || matches!(&caller.actor.who, Who::Person(person)
            if it.is_open_to(person, &app.engine.directory()))
}

pub(super) fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// Returns the text of a header.
pub(super) fn header_text(headers: &HeaderMap, name: &HeaderName) -> Answer<Option<String>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().map_err(|_| invalid(name.as_str(), "must be plain text"))?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}
