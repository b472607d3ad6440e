//! The background job that proves from what was written that every due step of every escalation
//! ran. It asks neither the engine's memory nor its timers: only the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tocsin_core::command::Command;
use tocsin_core::escalation::{EscalationPolicy, MissedStep, RunState, StepAuditor};
use tocsin_core::event::{Event, Recorded, Subject};
use tocsin_core::ids::{RunNumber, Sequence};
use tocsin_store::{EventQuery, MAX_EVENTS_PER_QUERY, MAX_RUNS_PER_QUERY, RunQuery, StoreError};
use tracing::{Instrument as _, error, warn};

use crate::handle::EngineHandle;

/// How often the history is looked at.
const PERIOD: Duration = Duration::from_secs(30);

/// How late a step may be. A clock that is set forward is noticed within a minute.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// Escalations that ended that long before the start are followed, too.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// How many places of the history are read at once, so that memory stays bounded.
const PLACES_PER_READ: u64 = 20_000;

/// The most missed steps that are reported at once; the rest follows with the next look.
const MAX_REPORTED: usize = 100;

/// How many escalations without a beginning are passed over when it is found out where to begin:
/// theirs is older than what the history keeps.
const MAX_WITHOUT_BEGINNING: usize = 20;

/// What the audit of the history came to last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// When the history was last looked through.
    pub at: Option<Timestamp>,
    /// Up to which place.
    pub through: Sequence,
    /// How many open escalations are followed.
    pub followed: usize,
    /// How many missed steps were reported since the start.
    pub reported: u64,
    /// When one was reported last.
    pub reported_at: Option<Timestamp>,
    /// Why the last look did not work; `None` when it did.
    pub trouble: Option<String>,
}

pub(crate) fn spawn(handle: &EngineHandle) {
    let handle = handle.clone();
    let work = async move {
        let mut audit = Audit::new();
        let mut report = AuditReport::default();
        while !handle.has_stopped() {
            match audit.look(&handle).await {
                Ok(missed) => {
                    report.at = Some(handle.now());
                    report.through = audit.through;
                    report.followed = audit.auditor.len();
                    report.trouble = None;
                    tell(&handle, missed, &mut report).await;
                }
                Err(StoreError::Closed) => return,
                Err(error) => {
                    warn!("whether every due step ran was not looked at: {error}");
                    report.trouble = Some(error.to_string());
                }
            }
            handle.set_audit(report.clone());
            tokio::time::sleep(PERIOD).await;
        }
    };
    tokio::spawn(work.in_current_span());
}

/// Reports what is missing. What cannot be written now is found again by the next look.
async fn tell(handle: &EngineHandle, missed: Vec<(RunNumber, MissedStep)>, to: &mut AuditReport) {
    if missed.is_empty() {
        return;
    }
    for (run, MissedStep { due_at, round, step }) in &missed {
        error!(
            escalation = run.0,
            "step {step} (pass {round}) of escalation {run} was due at {due_at:.0} and never ran"
        );
    }
    let count = missed.len() as u64;
    match handle.command(Command::ReportMissed { missed }).await {
        Ok(_) => {
            to.reported += count;
            to.reported_at = Some(handle.now());
        }
        Err(error) => warn!("that steps were missed could not be recorded: {error}"),
    }
}

/// What is known of the history so far.
struct Audit {
    auditor: StepAuditor,
    /// Whether it is known where to begin.
    has_begun: bool,
    /// The last place that was read.
    through: Sequence,
    /// What was missing at the look before: only what still is, is told. A step may be written
    /// just while the history is read, or the clock have been set forward a moment ago.
    suspected: BTreeSet<(RunNumber, MissedStep)>,
}

impl Audit {
    fn new() -> Self {
        Self {
            auditor: StepAuditor::new(GRACE),
            has_begun: false,
            through: Sequence(0),
            suspected: BTreeSet::new(),
        }
    }

    /// Reads what was written since the last look and returns what is missing for certain.
    async fn look(
        &mut self,
        handle: &EngineHandle,
    ) -> Result<Vec<(RunNumber, MissedStep)>, StoreError> {
        let newest = EventQuery { limit: 1, ..EventQuery::default() };
        let newest = handle.store().events(handle.tenant(), newest).await?;
        let Some(newest) = newest.first().map(|it| it.sequence) else { return Ok(Vec::new()) };
        if !self.has_begun {
            self.through = beginning(handle, newest).await?;
            self.has_begun = true;
        }
        while self.through < newest {
            let end = Sequence(newest.0.min(self.through.0 + PLACES_PER_READ));
            self.follow(handle, end).await?;
            self.through = end;
        }
        let found = self.auditor.look(handle.now());
        let certain: Vec<_> =
            found.intersection(&self.suspected).take(MAX_REPORTED).cloned().collect();
        self.suspected = found;
        Ok(certain)
    }

    /// Follows the history up to a place.
    async fn follow(&mut self, handle: &EngineHandle, end: Sequence) -> Result<(), StoreError> {
        let events = events(handle, self.through, end).await?;
        let begun = events.iter().filter_map(|recorded| match recorded.event {
            Event::EscalationStarted { run, .. } => Some(run),
            _ => None,
        });
        let policies = policies(handle, begun.collect()).await?;
        for recorded in &events {
            self.auditor.take(recorded, |run| policies.get(&run).map(Arc::clone));
        }
        Ok(())
    }
}

/// Returns what happened to escalations after a place and up to another, the oldest first.
async fn events(
    handle: &EngineHandle,
    after: Sequence,
    end: Sequence,
) -> Result<Vec<Recorded>, StoreError> {
    let mut query = EventQuery {
        kinds: StepAuditor::KINDS.map(str::to_owned).to_vec(),
        after: Some(after),
        before: Some(Sequence(end.0 + 1)),
        limit: MAX_EVENTS_PER_QUERY,
        ..EventQuery::default()
    };
    let mut events = Vec::new();
    loop {
        let page = handle.store().events(handle.tenant(), query.clone()).await?;
        let is_last = page.len() < MAX_EVENTS_PER_QUERY;
        query.before = page.last().map(|recorded| recorded.sequence);
        events.extend(page);
        if is_last {
            events.reverse();
            return Ok(events);
        }
    }
}

/// Returns the policies with which escalations began.
async fn policies(
    handle: &EngineHandle,
    runs: BTreeSet<RunNumber>,
) -> Result<BTreeMap<RunNumber, Arc<EscalationPolicy>>, StoreError> {
    let mut policies = BTreeMap::new();
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Ok(policies) };
    let mut before = RunNumber(last.0 + 1);
    while before > *first {
        let span = usize::try_from(before.0 - first.0).unwrap_or(usize::MAX);
        let limit = span.min(MAX_RUNS_PER_QUERY);
        let query = RunQuery { is_open: None, before: Some(before), limit };
        let page = handle.store().escalations(handle.tenant(), query).await?;
        let Some(oldest) = page.last().map(|run| run.number) else { break };
        let wanted = page.into_iter().filter(|run| runs.contains(&run.number));
        policies.extend(wanted.map(|run| (run.number, run.policy)));
        before = oldest;
    }
    Ok(policies)
}

/// Returns the place after which the history says all about the escalations that are open or were
/// over lately.
async fn beginning(handle: &EngineHandle, newest: Sequence) -> Result<Sequence, StoreError> {
    let since = handle.now().checked_sub(RECENT).unwrap_or(Timestamp::MIN);
    let mut numbers = BTreeSet::new();
    let query = RunQuery { is_open: Some(false), before: None, limit: MAX_RUNS_PER_QUERY };
    let ended = handle.store().escalations(handle.tenant(), query).await?;
    let is_recent = |state: &RunState| matches!(state, RunState::Ended { at, .. } if *at > since);
    numbers.extend(ended.iter().filter(|run| is_recent(&run.state)).map(|run| run.number));
    let mut query = RunQuery { is_open: Some(true), before: None, limit: MAX_RUNS_PER_QUERY };
    loop {
        let page = handle.store().escalations(handle.tenant(), query).await?;
        query.before = page.last().map(|run| run.number);
        numbers.extend(page.iter().map(|run| run.number));
        if page.len() < MAX_RUNS_PER_QUERY {
            break;
        }
    }
    for number in numbers.into_iter().take(MAX_WITHOUT_BEGINNING) {
        let query = EventQuery {
            subjects: vec![Subject::Run(number)],
            kinds: vec!["escalation_started".to_owned()],
            limit: 1,
            ..EventQuery::default()
        };
        let found = handle.store().events(handle.tenant(), query).await?;
        if let Some(recorded) = found.first() {
            return Ok(Sequence(recorded.sequence.0.saturating_sub(1)));
        }
    }
    Ok(newest)
}
