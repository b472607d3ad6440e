//! Escalations: whom a problem paged and how it stands; people page by hand.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_core::command::{Command, PagingChange, Reply};
use tocsin_core::escalation::EscalationRun;
use tocsin_core::event::{Recorded, Subject};
use tocsin_core::identity::{Handle, Permission};
use tocsin_core::ids::RunNumber;
use tocsin_core::labels::Labels;
use tocsin_core::severity::Severity;
use tocsin_store::{EventQuery, MAX_EVENTS_PER_QUERY, MAX_RUNS_PER_QUERY, RunQuery};
use tocsin_wire::v1::{
    Escalation, EscalationDetail, EscalationDraft, EscalationHistory, EscalationPage,
    EscalationState, Event, ProblemCode,
};

use super::body::Json as Body;
use super::cursor::List;
use super::names;
use super::params::{Ask, FromQuery, Nothing, Params, invalid};
use super::people::parse_handle;
use super::problem::{Answer, Refusal};
use super::silences::check_text;
use crate::App;
use crate::access::Caller;

/// How many pages of the store are searched for what a filter asks for; the cursor leads on.
const MAX_PAGES_PER_LIST: usize = 20;

/// How many pages of the history are searched for messages that told of several escalations.
const MAX_PAGES_OF_HISTORY: usize = 5;

/// How many more events than asked for are looked at for one escalation.
const MAX_OWN_EVENTS: usize = 5_000;

/// The kinds of events that are about messages, which may tell of several escalations.
pub(super) const PAGE_KINDS: [&str; 5] =
    ["page_queued", "page_sent", "page_attempt_failed", "page_dropped", "page_confirmed"];

/// Which escalations to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EscalationsQuery {
    /// Only those that stand like this; may be repeated, and then any will do.
    #[param(required = false)]
    state: Vec<EscalationState>,
    /// Only those that paged the person with this handle.
    person: Option<String>,
    /// Only those of this service.
    service: Option<String>,
    /// Only those that page by this policy.
    policy: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for EscalationsQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            state: params.choices("state")?,
            person: params.text("person")?,
            service: params.text("service")?,
            policy: params.text("policy")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

impl EscalationsQuery {
    fn takes(&self, run: &EscalationRun) -> bool {
        let state = Escalation::new(run).state;
        (self.state.is_empty() || self.state.contains(&state))
            && self
                .person
                .as_ref()
                .is_none_or(|wanted| run.people.keys().any(|person| person.as_str() == wanted))
            && self.service.as_ref().is_none_or(|wanted| run.service == wanted.as_str())
            && self.policy.as_ref().is_none_or(|wanted| *run.policy.name == **wanted)
    }

    /// Returns whether only open ones, or only those that are over, can be meant.
    fn is_open(&self) -> Option<bool> {
        let is_over = |state: &EscalationState| *state == EscalationState::Resolved;
        match self.state.as_slice() {
            [] => None,
            states if states.iter().all(is_over) => Some(false),
            states if !states.iter().any(is_over) => Some(true),
            _ => None,
        }
    }
}

/// List escalations
///
/// The newest first, open and past ones.
#[utoipa::path(
    get, path = "/api/v1/escalations", operation_id = "list_escalations", tag = "escalations",
    params(EscalationsQuery),
    responses((status = 200, description = "A page of escalations", body = EscalationPage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(query): Ask<EscalationsQuery>,
) -> Answer<Json<EscalationPage>> {
    let before: Option<u64> = List::Escalations.key(query.cursor.as_deref())?;
    let (store, tenant) = (app.engine.store(), app.engine.tenant());
    let mut asked = RunQuery {
        is_open: query.is_open(),
        before: before.map(RunNumber),
        limit: MAX_RUNS_PER_QUERY,
    };
    let mut items = Vec::new();
    for _ in 0..MAX_PAGES_PER_LIST {
        let found = store.escalations(tenant, asked).await?;
        let is_last = found.len() < MAX_RUNS_PER_QUERY;
        for run in &found {
            if items.len() == query.limit {
                let next_cursor = asked.before.map(|before| List::Escalations.cursor(before));
                return Ok(Json(EscalationPage { items, next_cursor }));
            }
            if sees(&caller, run) && query.takes(run) {
                items.push(Escalation::new(run));
            }
            asked.before = Some(run.number);
        }
        if is_last {
            return Ok(Json(EscalationPage { items, next_cursor: None }));
        }
    }
    let next_cursor = asked.before.map(|before| List::Escalations.cursor(before));
    Ok(Json(EscalationPage { items, next_cursor }))
}

/// Show an escalation
///
/// The steps that were reached and why, who was paged, and what comes next if nobody answers.
#[utoipa::path(
    get, path = "/api/v1/escalations/{number}", operation_id = "get_escalation",
    tag = "escalations",
    params(("number" = u64, Path, description = "The number of the escalation")),
    responses((status = 200, description = "The escalation", body = EscalationDetail))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(number): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<EscalationDetail>> {
    let run = find(&app, &caller, parse_number(&number)?).await?;
    let name = Arc::clone(&run.policy.name);
    let present =
        app.engine.read(move |tenant, _| tenant.escalation_policy(&name).map(Arc::clone)).await?;
    let has_changed = !run.key.receiver.is_empty() && present.is_none_or(|it| it != run.policy);
    let events = format!("{}/api/v1/escalations/{}/events", app.options.prefix(), run.number);
    Ok(Json(EscalationDetail::new(&run, has_changed, events)))
}

/// Page by hand
///
/// By a policy, or people all at once. Nobody has to have posted an alert.
#[utoipa::path(
    post, path = "/api/v1/escalations", operation_id = "create_escalation", tag = "escalations",
    request_body = EscalationDraft,
    responses((
        status = 201, description = "The escalation", body = Escalation,
        headers(("Location" = String, description = "Where it is found"))
    ))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<EscalationDraft>,
) -> Answer<Response> {
    if draft.title.trim().is_empty() {
        return Err(Refusal::field("/title", "must not be empty"));
    }
    check_text("/title", &draft.title)?;
    check_text("/service", &draft.service)?;
    if draft.policy.is_some() && !draft.people.is_empty() {
        return Err(Refusal::field("/people", "cannot be given together with `policy`"));
    }
    caller
        .must(Permission::EscalationPage, &Labels::from([("service", draft.service.as_str())]))?;
    let severity = match &draft.severity {
        None => Severity::Sev2,
        Some(word) => parse_severity("/severity", word)?,
    };
    let mut people = Vec::new();
    for (index, person) in draft.people.iter().enumerate() {
        let handle = Handle::parse(person);
        people.push(
            handle
                .map_err(|error| Refusal::field(&format!("/people/{index}"), error.to_string()))?,
        );
    }
    let page = PagingChange::Page {
        policy: draft.policy,
        people,
        id: draft.idempotency_key.unwrap_or_else(uuid::Uuid::new_v4),
        title: draft.title,
        service: draft.service.into(),
        severity,
    };
    let number = match app.engine.command(Command::Paging(page).by(caller.actor.clone())).await? {
        Reply::Run(number) => number,
        Reply::Rejected(rejection) => return Err(rejection.into()),
        other => return Err(Refusal::unexpected(&other)),
    };
    let run = read(&app, number).await?.ok_or_else(|| no_escalation(number))?;
    let location = format!("{}/api/v1/escalations/{number}", app.options.prefix());
    let shown = Json(Escalation::new(&run));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], shown).into_response())
}

/// How much of a history to tell.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// The most events; the latest ones are shown.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for HistoryQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self { limit: params.limit()? })
    }
}

/// Show what happened in an escalation
///
/// The oldest first: steps, pages with every attempt, answers, and why each.
#[utoipa::path(
    get, path = "/api/v1/escalations/{number}/events", operation_id = "list_escalation_events",
    tag = "escalations",
    params(("number" = u64, Path, description = "The number of the escalation"), HistoryQuery),
    responses((status = 200, description = "What happened", body = EscalationHistory))
)]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(number): Path<String>,
    Ask(query): Ask<HistoryQuery>,
) -> Answer<Json<EscalationHistory>> {
    let run = find(&app, &caller, parse_number(&number)?).await?;
    let (mut found, mut is_cut) = history(&app, &run).await?;
    if found.len() > query.limit {
        found.drain(..found.len() - query.limit);
        is_cut = true;
    }
    let mut directory = names::directory(&app).await;
    names::learn(&app, &mut directory, &found).await;
    let items = found.iter().map(|recorded| Event::new(recorded, &directory)).collect();
    Ok(Json(EscalationHistory { items, is_cut }))
}

/// Returns what happened in an escalation, the oldest first, and whether something before that is
/// missing. A message about several escalations is an event of the first of them; the others find
/// it among all messages of their time.
pub(super) async fn history(app: &App, run: &EscalationRun) -> Answer<(Vec<Recorded>, bool)> {
    let (store, tenant) = (app.engine.store(), app.engine.tenant());
    let mut is_cut = false;
    let mut query = EventQuery {
        subjects: vec![Subject::Run(run.number)],
        limit: MAX_EVENTS_PER_QUERY,
        ..EventQuery::default()
    };
    let mut found: Vec<Recorded> = Vec::new();
    loop {
        let page = store.events(tenant, query.clone()).await?;
        let is_last = page.len() < MAX_EVENTS_PER_QUERY;
        query.before = page.last().map(|recorded| recorded.sequence);
        found.extend(page);
        if is_last {
            break;
        }
        if found.len() >= MAX_OWN_EVENTS {
            is_cut = true;
            break;
        }
    }
    let mut query = EventQuery {
        kinds: PAGE_KINDS.iter().map(ToString::to_string).collect(),
        from: Some(run.started_at),
        limit: MAX_EVENTS_PER_QUERY,
        ..EventQuery::default()
    };
    for _ in 0..MAX_PAGES_OF_HISTORY {
        let page = store.events(tenant, query.clone()).await?;
        let is_last = page.len() < MAX_EVENTS_PER_QUERY;
        query.before = page.last().map(|recorded| recorded.sequence);
        let others = page.into_iter().filter(|recorded| {
            recorded.event.subject() != Subject::Run(run.number)
                && recorded.event.runs().contains(&run.number)
        });
        found.extend(others);
        if is_last {
            break;
        }
    }
    found.sort_by_key(|recorded| recorded.sequence);
    Ok((found, is_cut))
}

/// Reads the number in a path.
pub(super) fn parse_number(text: &str) -> Answer<RunNumber> {
    text.parse().map(RunNumber).map_err(|_| invalid("number", "must be a number"))
}

/// Reads a severity: its number, or a word that sources use.
pub(super) fn parse_severity(pointer: &str, word: &str) -> Answer<Severity> {
    Severity::from_word(word).ok_or_else(|| {
        Refusal::field(pointer, "is none of sev1 to sev5, critical, high, medium, low, info")
    })
}

/// Returns an escalation: as it is in memory, or else as the store has it.
pub(super) async fn read(app: &App, number: RunNumber) -> Answer<Option<EscalationRun>> {
    let known = app.engine.read(move |tenant, _| tenant.escalation(number).cloned()).await?;
    if known.is_some() {
        return Ok(known);
    }
    let query = RunQuery { is_open: None, before: Some(RunNumber(number.0 + 1)), limit: 1 };
    let found = app.engine.store().escalations(app.engine.tenant(), query).await?;
    Ok(found.into_iter().find(|run| run.number == number))
}

/// Returns an escalation that the caller may see.
pub(super) async fn find(app: &App, caller: &Caller, number: RunNumber) -> Answer<EscalationRun> {
    let run = read(app, number).await?.filter(|run| sees(caller, run));
    run.ok_or_else(|| no_escalation(number))
}

fn no_escalation(number: RunNumber) -> Refusal {
    Refusal::new(ProblemCode::NotFound, format!("there is no escalation {number}"))
}

/// Returns whether the caller may see an escalation.
pub(super) fn sees(caller: &Caller, run: &EscalationRun) -> bool {
    caller.may(Permission::EscalationRead, &labels_of(run))
}

/// Returns the labels by which it is told who may do something with an escalation: those of its
/// group, its service, and the team of its policy unless the group names one.
pub(super) fn labels_of(run: &EscalationRun) -> Labels {
    let mut labels: Vec<_> =
        run.group_labels.iter().map(|(name, value)| (name.into(), value.into())).collect();
    if run.group_labels.get("service").is_none() && !run.service.is_empty() {
        labels.push(("service".into(), run.service.clone()));
    }
    if run.group_labels.get("team").is_none()
        && let Some(team) = &run.policy.team
    {
        labels.push(("team".into(), (&**team).into()));
    }
    Labels::new(labels)
}

/// Which escalation somebody asks about.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WhyQuery {
    /// The number of the escalation; the latest one when it is not given.
    run: Option<u64>,
}

impl FromQuery for WhyQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self { run: params.parsed("run", "the number of an escalation")? })
    }
}

/// Explain why somebody was paged, or was not
///
/// What was decided about one person in one escalation, the oldest first. Everybody may ask about
/// themselves.
#[utoipa::path(
    get, path = "/api/v1/people/{handle}/why", operation_id = "explain_page", tag = "escalations",
    params(("handle" = String, Path, description = "The handle"), WhyQuery),
    responses((status = 200, description = "Why", body = tocsin_wire::v1::WhyPaged))
)]
pub(super) async fn why(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(handle): Path<String>,
    Ask(query): Ask<WhyQuery>,
) -> Answer<Json<tocsin_wire::v1::WhyPaged>> {
    let person = parse_handle(&handle)?;
    let number = match query.run {
        Some(number) => RunNumber(number),
        None => {
            let asked = RunQuery { limit: 1, ..RunQuery::default() };
            let latest = app.engine.store().escalations(app.engine.tenant(), asked).await?;
            let latest = latest.first().map(|run| run.number);
            latest.ok_or_else(|| Refusal::not_found("there was no escalation yet"))?
        }
    };
    let is_self = super::contacts::is_self(&caller, &person);
    let run = read(&app, number).await?.filter(|run| is_self || sees(&caller, run));
    let run = run.ok_or_else(|| no_escalation(number))?;
    let (events, _) = history(&app, &run).await?;
    Ok(Json(super::why::why(&person, &run, &events)))
}
