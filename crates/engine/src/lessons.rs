//! What is learned by itself: postmortems are drafted from what the store holds, and incidents are
//! compared with earlier ones.
//!
//! The core decides what a draft says and whether it is still wanted; this only gathers what it is
//! made from.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tocsin_core::command::{Command, Order, Reply};
use tocsin_core::event::{Event, Recorded, Subject};
use tocsin_core::identity::{Actor, Scope};
use tocsin_core::incident::{BlackedOut, Entry, Incident, IncidentAlert, IncidentNumber, Status};
use tocsin_core::knowledge::{Novelty, Probe, Similar, novelty, similar};
use tocsin_core::labels::{ALERTNAME, Labels};
use tocsin_core::lesson::LessonChange;
use tocsin_core::postmortem::{AlertFacts, Facts, LiveBlocks, PostmortemStep, draft, live};
use tocsin_store::{
    EntryQuery, EventQuery, LikeQuery, Likes, MAX_ENTRIES_PER_QUERY, MAX_EVENTS_PER_QUERY, Visible,
};
use tracing::{Instrument as _, warn};

use crate::handle::{EngineError, EngineHandle};

/// How often is looked for postmortems to draft, beside when an incident ends.
const PERIOD: Duration = Duration::from_secs(15);

/// The most rows of a timeline that a draft reads; those in the middle are left out.
const MAX_ENTRIES: usize = 20_000;

/// The most alerts of an incident that a draft looks at; the first ones tell the most.
const MAX_ALERTS: usize = 50;

/// The most lives of one alert that are looked through for the one that belongs to the incident.
const MAX_LIVES: usize = 20;

/// How long before an incident changes are looked for. Those that are too early to matter for
/// when it really began are left out later.
const CHANGES_BEFORE: SignedDuration = SignedDuration::from_hours(6);

/// How long after an incident began a change may have been told that came before it.
const TOLD_LATE: SignedDuration = SignedDuration::from_hours(1);

/// The most changes that a draft looks at.
const MAX_CHANGES: usize = 200;

/// In which time incidents count that say how often something happens.
const NOVELTY_WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What was found about an incident and those before it.
#[derive(Clone, Debug)]
pub struct SimilarFound {
    /// The most alike first.
    pub similar: Vec<Similar>,
    /// How often something like it happens.
    pub novelty: Novelty,
    /// How many of the 30 days before are alike.
    pub alike: u64,
    /// Of how many.
    pub of: u64,
}

/// What the incident and its timeline say, as one reader saw them.
struct Seen {
    incident: Incident,
    alerts: Vec<IncidentAlert>,
}

pub(crate) fn spawn(handle: &EngineHandle) {
    let handle = handle.clone();
    let work = async move {
        let mut feed = handle.subscribe();
        // However much happens, it is looked every so often.
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + PERIOD, PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !handle.has_stopped() {
            let told = tokio::select! {
                told = feed.recv() => Some(told),
                _ = ticks.tick() => None,
            };
            let begun = match told {
                Some(Ok(events)) => match worth_looking(&events) {
                    Some(begun) => begun,
                    None => continue,
                },
                // The feed ran ahead, or it is time: look anyway.
                Some(Err(tokio::sync::broadcast::error::RecvError::Lagged(_))) | None => Vec::new(),
                Some(Err(tokio::sync::broadcast::error::RecvError::Closed)) => return,
            };
            for incident in begun {
                if let Err(error) = note_recurrence(&handle, incident).await {
                    warn!(incident = incident.0, "earlier incidents were not looked for: {error}");
                }
            }
            let Ok(waiting) = handle.read(|tenant, _| tenant.postmortems_to_draft()).await else {
                continue;
            };
            for incident in waiting {
                if let Err(error) = draft_postmortem(&handle, incident, Actor::ENGINE).await {
                    warn!(incident = incident.0, "its postmortem was not drafted: {error}");
                }
            }
        }
    };
    tokio::spawn(work.in_current_span());
}

/// Returns the incidents that began in a turn; `None` when none began and nothing is to be drafted.
fn worth_looking(events: &[Recorded]) -> Option<Vec<IncidentNumber>> {
    let mut begun = Vec::new();
    let mut wants_draft = false;
    for recorded in events {
        match &recorded.event {
            Event::IncidentOpened { incident, .. } => begun.push(*incident),
            Event::IncidentMoved { to: Status::Resolved, .. } => wants_draft = true,
            // What a draft may have quoted is blacked out, or a postmortem begins otherwise.
            Event::IncidentNoted { what, .. } if what == "redacted" || what == "postmortem" => {
                wants_draft = true;
            }
            _ => {}
        }
    }
    (wants_draft || !begun.is_empty()).then_some(begun)
}

/// Drafts the postmortem of an incident from what is recorded; returns what the engine says, or
/// `None` when there is no such incident.
///
/// # Errors
/// [`EngineError`]; nothing was drafted.
pub async fn draft_postmortem(
    handle: &EngineHandle,
    incident: IncidentNumber,
    by: Actor,
) -> Result<Option<Reply>, EngineError> {
    let Some(facts) = gather(handle, incident).await? else { return Ok(None) };
    let step = PostmortemStep::Draft(Box::new(draft(&facts)));
    let stored = handle.store().postmortem(handle.tenant(), incident, None).await;
    let stored = stored?.map(Box::new);
    let change = LessonChange::Postmortem { incident, expected: None, stored, step };
    Ok(Some(handle.command(Order { by, command: Command::Lesson(change) }).await?))
}

/// What a postmortem shows of its incident.
#[derive(Clone, Debug)]
pub struct IncidentTold {
    /// The incident.
    pub incident: Incident,
    /// The blocks that are shown live.
    pub live: LiveBlocks,
    /// What must not be read any more.
    pub blacked_out: BlackedOut,
}

/// Returns what a postmortem shows of its incident.
///
/// # Errors
/// [`EngineError`] when it cannot be read.
pub async fn incident_told(
    handle: &EngineHandle,
    incident: IncidentNumber,
) -> Result<Option<IncidentTold>, EngineError> {
    let Some(Seen { incident, .. }) = find(handle, incident).await? else { return Ok(None) };
    let entries = entries(handle, &incident).await?;
    let live = live(&incident, &entries);
    let blacked_out = BlackedOut::of(&entries, &incident.marks);
    Ok(Some(IncidentTold { incident, live, blacked_out }))
}

/// Returns earlier incidents like one, as far as they may be seen.
///
/// # Errors
/// [`EngineError`] when they cannot be read.
pub async fn similar_incidents(
    handle: &EngineHandle,
    incident: &Incident,
    visible: Visible,
) -> Result<SimilarFound, EngineError> {
    let detected_at = incident.record.detected_at();
    let query = LikeQuery {
        incident: incident.number,
        traits: incident.traits.clone(),
        since: detected_at.checked_sub(NOVELTY_WINDOW).unwrap_or(Timestamp::MIN),
        visible,
    };
    let likes = handle.store().likes(handle.tenant(), query).await?;
    let Likes { candidates, frequencies, total, recent_alike, recent_total } = likes;
    let probe = Probe {
        number: incident.number,
        detected_at,
        text: format!("{} {}", incident.title, incident.summary),
        traits: incident.traits.clone(),
        frequencies,
        total,
    };
    Ok(SimilarFound {
        similar: similar(&probe, candidates),
        novelty: novelty(recent_alike, recent_total),
        alike: recent_alike,
        of: recent_total,
    })
}

/// Whatever was promised after earlier incidents like one that begins gets a note.
async fn note_recurrence(
    handle: &EngineHandle,
    incident: IncidentNumber,
) -> Result<(), EngineError> {
    let has_open = handle.read(|tenant, _| tenant.actions().any(|it| it.status.is_open())).await?;
    let Some(seen) = find(handle, incident).await?.filter(|_| has_open) else { return Ok(()) };
    let earlier = earlier(handle, &seen.incident).await?;
    let earlier: Vec<_> = numbers(&seen.incident, &earlier).into_iter().collect();
    if !earlier.is_empty() {
        let change = LessonChange::NoteRecurrence { incident, earlier };
        handle.command(Command::Lesson(change)).await?;
    }
    Ok(())
}

/// Returns the numbers of earlier incidents about the same. Who may know of what was promised after
/// them is decided by the core.
fn numbers(incident: &Incident, similar: &[Similar]) -> BTreeSet<IncidentNumber> {
    similar.iter().map(|it| it.candidate.number).chain(incident.recurrence_of).collect()
}

/// Returns earlier incidents like one that everybody may know of who may know of it: those of the
/// same service and the same team that are not restricted.
async fn earlier(handle: &EngineHandle, incident: &Incident) -> Result<Vec<Similar>, EngineError> {
    let uses = handle.read(|tenant, _| tenant.policy().incidents.automation.uses_knowledge);
    if !uses.await? {
        return Ok(Vec::new());
    }
    let everybody = Some(vec![Scope::Tenant].into());
    let mut found = similar_incidents(handle, incident, everybody).await?.similar;
    let own =
        |labels: &Labels| (labels.value("service").to_owned(), labels.value("team").to_owned());
    let scope = own(&incident.labels);
    found.retain(|it| own(&it.candidate.labels) == scope);
    Ok(found)
}

/// Gathers what a draft is made from; `None` when there is no such incident.
async fn gather(
    handle: &EngineHandle,
    incident: IncidentNumber,
) -> Result<Option<Facts>, EngineError> {
    let Some(Seen { incident, alerts }) = find(handle, incident).await? else { return Ok(None) };
    let entries = entries(handle, &incident).await?;
    let alerts_total = alerts.len();
    let mut known = Vec::new();
    for alert in alerts.iter().take(MAX_ALERTS) {
        known.extend(alert_facts(handle, alert).await?);
    }
    let similar = earlier(handle, &incident).await?;
    let (about, of) = (incident.clone(), numbers(&incident, &similar));
    let asked = handle.read(move |tenant, _| {
        let settings = &tenant.policy().incidents;
        let targets = settings.targets(about.severity).clone();
        let recommends = settings.automation.recommends_actions;
        (tenant.promised_after(&about, &of), targets, recommends)
    });
    let (open_actions, targets, recommends) = asked.await?;
    let events = events_of(handle, &incident).await?;
    let changes = changes_before(handle, &incident).await?;
    Ok(Some(Facts {
        incident,
        entries,
        alerts: known,
        alerts_total,
        events,
        changes,
        similar,
        open_actions,
        targets,
        recommends,
    }))
}

async fn find(handle: &EngineHandle, number: IncidentNumber) -> Result<Option<Seen>, EngineError> {
    let known = handle
        .read(move |tenant, _| {
            let alerts = tenant.incident_alerts(number).into_iter().map(|(alert, _)| alert);
            let mut alerts: Vec<IncidentAlert> = alerts.collect();
            alerts.sort_by_key(|alert| (alert.joined_at, alert.fingerprint));
            Some(Seen { incident: tenant.incident(number)?.clone(), alerts })
        })
        .await?;
    if known.is_some() {
        return Ok(known);
    }
    let stored = handle.store().incident(handle.tenant(), number).await?;
    Ok(stored.map(|(incident, alerts)| Seen { incident, alerts }))
}

/// Returns the timeline of an incident, without the middle of one that is too long: how it began
/// and how it ended tell the most.
async fn entries(handle: &EngineHandle, incident: &Incident) -> Result<Vec<Entry>, EngineError> {
    let half = MAX_ENTRIES as u64 / 2;
    let tail = incident.entries.saturating_sub(half);
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let mut after = all.last().map_or(0, |entry| entry.seq);
        if after >= half {
            after = after.max(tail);
        }
        let query = EntryQuery { incident: incident.number, after, limit: MAX_ENTRIES_PER_QUERY };
        let page = handle.store().incident_entries(handle.tenant(), query).await?;
        let is_last = page.len() < MAX_ENTRIES_PER_QUERY;
        all.extend(page);
        if is_last || all.len() >= MAX_ENTRIES + MAX_ENTRIES_PER_QUERY {
            return Ok(all);
        }
    }
}

async fn alert_facts(
    handle: &EngineHandle,
    alert: &IncidentAlert,
) -> Result<Option<AlertFacts>, EngineError> {
    let store = handle.store();
    let lives = store.alert_history(handle.tenant(), alert.fingerprint, MAX_LIVES).await;
    let lives = lives?;
    let life = lives.into_iter().find(|it| it.row.number == alert.alert);
    Ok(life.map(|life| {
        let (labels, annotations) = (&life.identity.labels, &life.description.annotations);
        let runbook = annotations.get("runbook_url").or_else(|| annotations.get("runbook"));
        AlertFacts {
            number: alert.alert,
            name: labels.value(ALERTNAME).to_owned(),
            service: labels.value("service").to_owned(),
            starts_at: life.row.activity.starts_at,
            runbook: runbook.map(str::to_owned),
        }
    }))
}

/// Returns what happened to the escalations of an incident, the oldest first.
async fn events_of(
    handle: &EngineHandle,
    incident: &Incident,
) -> Result<Vec<Recorded>, EngineError> {
    if incident.runs.is_empty() {
        return Ok(Vec::new());
    }
    let query = EventQuery {
        subjects: incident.runs.iter().map(|run| Subject::Run(*run)).collect(),
        limit: MAX_EVENTS_PER_QUERY,
        ..EventQuery::default()
    };
    let mut events = handle.store().events(handle.tenant(), query).await?;
    events.reverse();
    Ok(events)
}

/// Returns what was changed before an incident, the oldest first.
async fn changes_before(
    handle: &EngineHandle,
    incident: &Incident,
) -> Result<Vec<Recorded>, EngineError> {
    let detected_at = incident.record.detected_at();
    let query = EventQuery {
        kinds: vec!["change_recorded".to_owned()],
        from: detected_at.checked_sub(CHANGES_BEFORE).ok(),
        to: detected_at.checked_add(TOLD_LATE).ok(),
        limit: MAX_CHANGES,
        ..EventQuery::default()
    };
    let mut changes = handle.store().events(handle.tenant(), query).await?;
    changes.reverse();
    Ok(changes)
}
