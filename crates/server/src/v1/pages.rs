//! Messages to people and places: on their way, and in the past with every attempt.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::SignedDuration;
use tocsin_core::event::{Event, Recorded};
use tocsin_core::ids::{RunNumber, Sequence};
use tocsin_core::paging::{Page, Recipient};
use tocsin_store::{EventQuery, MAX_EVENTS_PER_QUERY};
use tocsin_wire::v1::{PageMoment, PagedMessage, PagedMessages, sentence};

use super::cursor::List;
use super::params::{Ask, FromQuery, Params};
use super::problem::Answer;
use crate::App;

/// How many pages of the history are searched for what a filter asks for; the cursor leads on.
const MAX_PAGES_SEARCHED: usize = 10;

/// How many pages of the history are searched for what became of the messages of one answer.
const MAX_PAGES_OF_OUTCOMES: usize = 10;

/// How long after a message was decided something may still become of it.
const OUTCOME_SPAN: SignedDuration = SignedDuration::from_hours(2);

/// Which messages to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PagesQuery {
    /// Only those to the person with this handle.
    person: Option<String>,
    /// Only those about the escalation with this number.
    run: Option<u64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for PagesQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            person: params.text("person")?,
            run: params.parsed("run", "a number")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

impl PagesQuery {
    fn takes(&self, recipient: &Recipient, mut runs: impl Iterator<Item = RunNumber>) -> bool {
        let is_to = |wanted: &String| recipient.person().is_some_and(|it| it.as_str() == wanted);
        self.person.as_ref().is_none_or(is_to)
            && self.run.is_none_or(|run| runs.any(|other| other.0 == run))
    }
}

/// List pages on their way
///
/// Ascending by number: what was decided and has not arrived yet. Addresses are not shown.
#[utoipa::path(
    get, path = "/api/v1/pages", operation_id = "list_pages", tag = "escalations",
    params(PagesQuery),
    responses((status = 200, description = "Pages on their way", body = PagedMessages))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(query): Ask<PagesQuery>,
) -> Answer<Json<PagedMessages>> {
    let after: Option<u64> = List::Pages.key(query.cursor.as_deref())?;
    let limit = query.limit;
    let found = app.engine.read(move |tenant, _| {
        let takes = |page: &&Page| {
            after.is_none_or(|after| page.number.0 > after)
                && query.takes(&page.recipient, page.runs())
        };
        let pages = tenant.pages().filter(takes).take(limit + 1);
        pages.map(PagedMessage::waiting).collect::<Vec<_>>()
    });
    let mut items = found.await?;
    let next_cursor = List::Pages.page(&mut items, limit, |page| page.number);
    Ok(Json(PagedMessages { items, next_cursor }))
}

/// List past pages
///
/// The newest first, each with every attempt and what the provider told later; those on their way
/// are among them.
#[utoipa::path(
    get, path = "/api/v1/pages/history", operation_id = "list_past_pages", tag = "escalations",
    params(PagesQuery),
    responses((status = 200, description = "Past pages", body = PagedMessages))
)]
pub(super) async fn past(
    State(app): State<Arc<App>>,
    Ask(query): Ask<PagesQuery>,
) -> Answer<Json<PagedMessages>> {
    let before: Option<u64> = List::PastPages.key(query.cursor.as_deref())?;
    let (store, tenant) = (app.engine.store(), app.engine.tenant());
    let mut asked = EventQuery {
        kinds: vec!["page_queued".to_owned()],
        before: before.map(Sequence),
        limit: MAX_EVENTS_PER_QUERY,
        ..EventQuery::default()
    };
    let mut queued: Vec<Recorded> = Vec::new();
    let mut is_end = false;
    for _ in 0..MAX_PAGES_SEARCHED {
        let page = store.events(tenant, asked.clone()).await?;
        is_end = page.len() < MAX_EVENTS_PER_QUERY;
        for recorded in page {
            if queued.len() == query.limit {
                is_end = false;
                break;
            }
            asked.before = Some(recorded.sequence);
            if let Event::PageQueued { recipient, runs, .. } = &recorded.event
                && query.takes(recipient, runs.iter().copied())
            {
                queued.push(recorded);
            }
        }
        if is_end || queued.len() == query.limit {
            break;
        }
    }
    let next = asked.before.filter(|_| !is_end);
    let next_cursor = next.map(|sequence| List::PastPages.cursor(sequence));
    let mut items: Vec<PagedMessage> = queued.iter().filter_map(begun).collect();
    add_outcomes(&app, &queued, &mut items).await?;
    Ok(Json(PagedMessages { items, next_cursor }))
}

fn moment(recorded: &Recorded) -> PageMoment {
    PageMoment { at: recorded.at, text: sentence(&recorded.event, &()) }
}

fn begun(recorded: &Recorded) -> Option<PagedMessage> {
    let Event::PageQueued { page, runs, recipient, channel, content, urgency } = &recorded.event
    else {
        return None;
    };
    Some(PagedMessage {
        number: page.0,
        recipient: recipient.to_string(),
        person: recipient.person().map(ToString::to_string),
        channel: channel.to_string(),
        content: content.to_string(),
        urgency: urgency.as_str().to_owned(),
        escalations: runs.iter().map(|run| run.0).collect(),
        decided_at: recorded.at,
        state: "waiting".to_owned(),
        attempts: 0,
        due_at: None,
        history: vec![moment(recorded)],
    })
}

/// Adds what became of messages.
async fn add_outcomes(app: &App, queued: &[Recorded], items: &mut [PagedMessage]) -> Answer<()> {
    let (Some(newest), Some(oldest)) = (queued.first(), queued.last()) else { return Ok(()) };
    let mut query = EventQuery {
        kinds: super::escalations::PAGE_KINDS.iter().map(ToString::to_string).collect(),
        from: Some(oldest.at),
        to: newest.at.checked_add(OUTCOME_SPAN).ok(),
        limit: MAX_EVENTS_PER_QUERY,
        ..EventQuery::default()
    };
    let mut outcomes = Vec::new();
    for _ in 0..MAX_PAGES_OF_OUTCOMES {
        let found = app.engine.store().events(app.engine.tenant(), query.clone()).await?;
        let is_last = found.len() < MAX_EVENTS_PER_QUERY;
        query.before = found.last().map(|recorded| recorded.sequence);
        outcomes.extend(found);
        if is_last {
            break;
        }
    }
    outcomes.reverse();
    let places: BTreeMap<u64, usize> =
        items.iter().enumerate().map(|(index, item)| (item.number, index)).collect();
    for recorded in &outcomes {
        let (page, state, attempts) = match &recorded.event {
            Event::PageSent { page, attempts, .. } => (page, "sent", Some(*attempts)),
            Event::PageAttemptFailed { page, attempt, retry_at, .. } => {
                let state = if retry_at.is_some() { "waiting" } else { "failed" };
                (page, state, Some(*attempt))
            }
            Event::PageDropped { page, .. } => (page, "dropped", None),
            Event::PageConfirmed { page, state, .. } => (page, state.as_str(), None),
            _ => continue,
        };
        let Some(item) = places.get(&page.0).and_then(|index| items.get_mut(*index)) else {
            continue;
        };
        state.clone_into(&mut item.state);
        item.attempts = attempts.unwrap_or(item.attempts);
        item.history.push(moment(recorded));
    }
    Ok(())
}
