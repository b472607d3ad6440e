//! Why an alert was told, or was not.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use tocsin_core::escalation::EscalationRun;
use tocsin_core::event::{Event, Recorded, Subject};
use tocsin_core::ids::{AlertNumber, GroupNumber, OutboxNumber};
use tocsin_core::views::Explanation;
use tocsin_store::{AlertRecord, EventQuery, MAX_EVENTS_PER_QUERY, StoreError};
use tocsin_wire::v1::{
    Alert, AlertExplanation, Escalation, Event as Shown, GroupStanding, Mentions,
};

use super::alerts::{no_alert, parse_fingerprint};
use super::escalations::sees;
use super::names;
use super::params::{Ask, FromQuery, Params};
use super::problem::Answer;
use crate::App;
use crate::access::Caller;

/// The most lives of the alert that are looked at.
const MAX_LIVES: usize = 100;

/// The most groups whose history is searched for the alert; the latest ones count.
const MAX_GROUPS: usize = 500;

/// How many pages of the history of groups are searched for the alert.
const MAX_GROUP_PAGES: usize = 10;

/// How much to tell.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExplainQuery {
    /// The most events of the history; the latest ones are shown.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for ExplainQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self { limit: params.limit()? })
    }
}

/// Explain an alert
///
/// Why it was told, or was not: where it stands in each of its groups, and what was decided about
/// it. Works for alerts that are over, too.
#[utoipa::path(
    get, path = "/api/v1/alerts/{fingerprint}/explain", operation_id = "explain_alert",
    tag = "alerts",
    params(
        ("fingerprint" = String, Path, description = "Sixteen hexadecimal digits"),
        ExplainQuery
    ),
    responses((status = 200, description = "The explanation", body = AlertExplanation))
)]
pub(super) async fn explain(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(fingerprint): Path<String>,
    Ask(query): Ask<ExplainQuery>,
) -> Answer<Json<AlertExplanation>> {
    let fingerprint = parse_fingerprint(&fingerprint)?;
    let read = app.engine.read(move |tenant, now| {
        let runs: Vec<_> = tenant.escalations_of(fingerprint).into_iter().cloned().collect();
        (tenant.explain(fingerprint, now), runs)
    });
    let (known, mut runs) = read.await?;
    runs.retain(|run| sees(&caller, run));
    let (store, tenant) = (app.engine.store(), app.engine.tenant());
    let lives = store.alert_history(tenant, fingerprint, MAX_LIVES).await?;
    let (alert, received) = match (&known, lives.first()) {
        (Some(known), _) => (present(known), known.received),
        (None, Some(life)) => (past(life), life.row.received),
        (None, None) => return Err(no_alert(fingerprint)),
    };
    let mut numbers: BTreeSet<AlertNumber> = lives.iter().map(|it| it.identity.number).collect();
    numbers.insert(AlertNumber(alert.number));
    let history = History::read(&app, &numbers, known.as_ref(), &runs, query.limit).await?;

    let mut directory = names::directory(&app).await;
    let mut mentions = Mentions::default();
    let groups = known.as_ref().map_or(&[][..], |known| &known.groups);
    for cause in groups.iter().filter_map(|group| group.muted.as_ref()) {
        mentions.add_cause(cause);
    }
    names::look_up(&app, &mut directory, mentions).await;
    names::learn(&app, &mut directory, &history.events).await;
    let is_resolved = known.as_ref().is_none_or(|known| known.is_resolved);
    let groups = groups
        .iter()
        .map(|group| GroupStanding::new(group, &alert.labels, is_resolved, &directory))
        .collect();
    Ok(Json(AlertExplanation {
        groups,
        escalations: runs.iter().map(Escalation::new).collect(),
        received,
        history: history.events.iter().map(|it| Shown::new(it, &directory)).collect(),
        is_history_cut: history.is_cut,
        alert,
    }))
}

fn present(known: &Explanation) -> Alert {
    let alert = Alert::from(&known.alert);
    if known.is_resolved { alert.resolved() } else { alert }
}

fn past(life: &AlertRecord) -> Alert {
    Alert::past(&life.identity, &life.description, life.row.activity)
}

/// What was decided about an alert.
struct History {
    /// The oldest first.
    events: Vec<Recorded>,
    /// Whether there may be more before that.
    is_cut: bool,
}

impl History {
    async fn read(
        app: &App,
        numbers: &BTreeSet<AlertNumber>,
        known: Option<&Explanation>,
        runs: &[EscalationRun],
        limit: usize,
    ) -> Result<Self, StoreError> {
        let own = EventQuery {
            subjects: numbers.iter().map(|number| Subject::Alert(*number)).collect(),
            limit: MAX_EVENTS_PER_QUERY,
            ..EventQuery::default()
        };
        let mut events = app.engine.store().events(app.engine.tenant(), own).await?;
        let mut is_cut = events.len() >= MAX_EVENTS_PER_QUERY;

        let mut groups: BTreeSet<GroupNumber> = events.iter().flat_map(groups_in).collect();
        groups.extend(known.iter().flat_map(|known| known.groups.iter().map(|it| it.number)));
        is_cut |= groups.len() > MAX_GROUPS;
        let latest = groups.into_iter().rev().take(MAX_GROUPS).map(Subject::Group).collect();
        let about_groups = GroupHistory::read(app, latest).await?;
        is_cut |= about_groups.is_cut;
        let moments: BTreeSet<Timestamp> = events.iter().map(|recorded| recorded.at).collect();
        events.extend(about_groups.mentioning(numbers, &moments));

        if !runs.is_empty() {
            let subjects = runs.iter().map(|run| Subject::Run(run.number)).collect();
            let limit = MAX_EVENTS_PER_QUERY;
            let query = EventQuery { subjects, limit, ..EventQuery::default() };
            let found = app.engine.store().events(app.engine.tenant(), query).await?;
            is_cut |= found.len() >= MAX_EVENTS_PER_QUERY;
            events.extend(found);
        }

        events.sort_unstable_by_key(|recorded| recorded.sequence);
        let surplus = events.len().saturating_sub(limit);
        events.drain(..surplus);
        Ok(Self { events, is_cut: is_cut || surplus > 0 })
    }
}

fn groups_in(recorded: &Recorded) -> Vec<GroupNumber> {
    match &recorded.event {
        Event::AlertFired { groups, .. } => groups.clone(),
        Event::AlertMuted { group, .. } | Event::AlertUnmuted { group, .. } => vec![*group],
        _ => Vec::new(),
    }
}

/// What was decided about the groups of an alert.
struct GroupHistory {
    events: Vec<Recorded>,
    is_cut: bool,
}

impl GroupHistory {
    async fn read(app: &App, subjects: Vec<Subject>) -> Result<Self, StoreError> {
        let mut history = Self { events: Vec::new(), is_cut: false };
        if subjects.is_empty() {
            return Ok(history);
        }
        let mut query =
            EventQuery { subjects, limit: MAX_EVENTS_PER_QUERY, ..EventQuery::default() };
        for _ in 0..MAX_GROUP_PAGES {
            let page = app.engine.store().events(app.engine.tenant(), query.clone()).await?;
            let is_last = page.len() < MAX_EVENTS_PER_QUERY;
            query.before = page.last().map(|recorded| recorded.sequence);
            history.events.extend(page);
            if is_last {
                return Ok(history);
            }
        }
        history.is_cut = true;
        Ok(history)
    }

    /// Returns the events that have to do with these alerts: messages that told of one, what
    /// became of those, and when the group began, was looked at early because of one, and ended.
    fn mentioning(
        self,
        alerts: &BTreeSet<AlertNumber>,
        moments: &BTreeSet<Timestamp>,
    ) -> impl Iterator<Item = Recorded> {
        let told: BTreeSet<OutboxNumber> = self
            .events
            .iter()
            .filter_map(|recorded| match &recorded.event {
                Event::NotificationQueued { notification, firing, resolved, .. } => firing
                    .iter()
                    .chain(resolved)
                    .any(|alert| alerts.contains(alert))
                    .then_some(*notification),
                _ => None,
            })
            .collect();
        self.events.into_iter().filter(move |recorded| match &recorded.event {
            Event::NotificationQueued { notification, .. }
            | Event::NotificationSent { notification, .. }
            | Event::MessageDegraded { notification, .. }
            | Event::AttemptFailed { notification, .. }
            | Event::NotificationAbandoned { notification, .. } => told.contains(notification),
            Event::FlushAdvanced { .. } => moments.contains(&recorded.at),
            _ => true,
        })
    }
}
