//! The history.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use tocsin_core::event::Subject;
use tocsin_core::ids::{AlertNumber, GroupNumber, RunNumber, Sequence, SilenceId, SilenceNumber};
use tocsin_core::incident::IncidentNumber;
use tocsin_store::EventQuery;
use tocsin_wire::v1::{Event, EventPage, KINDS};

use super::cursor::List;
use super::names;
use super::params::{Ask, FromQuery, Params, invalid, nearest};
use super::problem::{Answer, Refusal};
use crate::App;

/// The most lives of one alert that a query asks for.
const MAX_LIVES: usize = 1_000;

/// What a subject looks like.
const SUBJECT: &str = "must be `alert:` and a number or fingerprint, `group:` and a number, \
                       `silence:` and a number or id, `escalation:` or `incident:` and a number, \
                       or `tenant`";

/// Which events to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Only events of this kind, such as `alert_muted`; may be repeated, and then any will do.
    #[param(required = false)]
    kind: Vec<String>,
    /// Only events about this: `alert:` and a number or fingerprint, `group:` and a number,
    /// `silence:` and a number or id, `escalation:` and a number, or `tenant`; may be repeated,
    /// and then any will do.
    #[param(required = false)]
    subject: Vec<String>,
    /// Not earlier than this.
    from: Option<Timestamp>,
    /// Earlier than this.
    to: Option<Timestamp>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for EventsQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            kind: kinds(params)?,
            subject: params.many("subject"),
            from: params.instant("from")?,
            to: params.instant("to")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// Reads the kinds that are asked for.
///
/// # Errors
/// One does not exist.
pub(super) fn kinds(params: &Params) -> Answer<Vec<String>> {
    let kinds = params.many("kind");
    match kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
        None => Ok(kinds),
        Some(unknown) => {
            let message = match nearest(unknown, KINDS.iter().copied()) {
                Some(nearest) => {
                    format!("there is no kind `{unknown}`; did you mean `{nearest}`?")
                }
                None => format!("there is no kind `{unknown}`; there are {}", KINDS.join(", ")),
            };
            Err(invalid("kind", message))
        }
    }
}

/// List events
///
/// The newest first, for as long as they are kept.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "list_events", tag = "events",
    params(EventsQuery),
    responses((status = 200, description = "A page of events", body = EventPage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(query): Ask<EventsQuery>,
) -> Answer<Json<EventPage>> {
    let before: Option<u64> = List::Events.key(query.cursor.as_deref())?;
    let subjects = subjects(&app, &query.subject).await?;
    if subjects.is_empty() && !query.subject.is_empty() {
        return Ok(Json(EventPage { items: Vec::new(), next_cursor: None }));
    }
    let mut asked = EventQuery {
        subjects,
        kinds: query.kind,
        before: before.map(Sequence),
        after: None,
        from: query.from,
        to: query.to,
        limit: query.limit,
    };
    let (store, tenant) = (app.engine.store(), app.engine.tenant());
    let found = store.events(tenant, asked.clone()).await?;
    let mut next_cursor = None;
    if let Some(last) = found.last().filter(|_| found.len() >= query.limit) {
        // The store gives no more than a full page, so whether one follows is a question of its
        // own.
        asked.before = Some(last.sequence);
        asked.limit = 1;
        let follows = !store.events(tenant, asked).await?.is_empty();
        next_cursor = follows.then(|| List::Events.cursor(last.sequence));
    }
    let mut directory = names::directory(&app).await;
    names::learn(&app, &mut directory, &found).await;
    let items = found.iter().map(|recorded| Event::new(recorded, &directory)).collect();
    Ok(Json(EventPage { items, next_cursor }))
}

async fn subjects(app: &App, texts: &[String]) -> Answer<Vec<Subject>> {
    let mut subjects = Vec::with_capacity(texts.len());
    for text in texts {
        let bad = || invalid("subject", format!("`{text}` {SUBJECT}"));
        match text.split_once(':') {
            None if text == "tenant" => subjects.push(Subject::Tenant),
            // Sixteen digits could be both; no number will ever have that many.
            Some(("alert", fingerprint)) if fingerprint.len() == 16 => {
                let fingerprint = fingerprint.parse().map_err(|_| bad())?;
                let store = app.engine.store();
                let lives =
                    store.alert_history(app.engine.tenant(), fingerprint, MAX_LIVES).await?;
                subjects.extend(lives.iter().map(|life| Subject::Alert(life.identity.number)));
            }
            Some(("silence", id)) if id.parse::<u64>().is_err() => {
                let id: SilenceId = id.parse().map_err(|_| bad())?;
                let found = app.engine.read(move |tenant, now| tenant.silence(id, now)).await?;
                subjects.extend(found.map(|(silence, _)| Subject::Silence(silence.number)));
            }
            Some((kind, number)) => {
                let number = number.parse().map_err(|_| bad())?;
                subjects.push(match kind {
                    "alert" => Subject::Alert(AlertNumber(number)),
                    "group" => Subject::Group(GroupNumber(number)),
                    "silence" => Subject::Silence(SilenceNumber(number)),
                    "escalation" => Subject::Run(RunNumber(number)),
                    "incident" => Subject::Incident(IncidentNumber(number)),
                    _ => return Err::<_, Refusal>(bad()),
                });
            }
            None => return Err(bad()),
        }
    }
    Ok(subjects)
}
