//! The background job that reads the calendars that schedules import, each as often as it says.
//!
//! How an attempt ended is a command like any other, so the last good copy is written with
//! everything else and holds while a calendar cannot be read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tocsin_connect::{CalendarRead, Edition};
use tocsin_core::command::{Command, Reply};
use tocsin_core::oncall::{ImportLocation, ImportOutcome, OnCallChange, OnCallRejection};
use tocsin_core::policy::Policy;
use tocsin_core::tenant::CalendarToRead;
use tracing::{Instrument as _, debug, info, warn};

use crate::delivery::Deliver;
use crate::handle::{EngineError, EngineHandle};

/// How often it is looked which calendars are due.
const LOOK: Duration = Duration::from_secs(10);

/// How many calendars of a tenant are read at once.
pub(crate) const MAX_AT_ONCE: usize = 4;

/// How many are read in a row before it is looked again which are due, the longest due first.
const MAX_PER_ROUND: usize = 64;

/// After how long a calendar is read as a whole although it says that it did not change: what lies
/// far ahead comes within reach only then.
const WHOLE_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// How long after a failure a calendar is tried again; doubled each time, up to its own pause.
const FIRST_RETRY: SignedDuration = SignedDuration::from_mins(1);

/// The longest pause that the other side may ask for.
const MAX_ASKED_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// The part of its pause by which the reads of a calendar are moved, so that not all come at once.
const JITTER_PART: i64 = 10;

pub(crate) fn spawn(handle: &EngineHandle, deliver: Arc<dyn Deliver>) {
    let poll = Poll { handle: handle.clone(), deliver, known: BTreeMap::new(), policy: None };
    tokio::spawn(poll.run().in_current_span());
}

type Key = (Arc<str>, Arc<str>);

struct Poll {
    handle: EngineHandle,
    deliver: Arc<dyn Deliver>,
    known: BTreeMap<Key, Known>,
    /// The configuration that was looked at last.
    policy: Option<Arc<Policy>>,
}

/// What is known of a calendar between two reads.
struct Known {
    calendar: CalendarToRead,
    due_at: Timestamp,
    edition: Edition,
    /// When it was read as a whole.
    whole_at: Option<Timestamp>,
    /// How often in a row it could not be read.
    failures: u32,
}

impl Poll {
    async fn run(mut self) {
        // A start has more urgent things to do; the last good copies hold meanwhile.
        tokio::time::sleep(LOOK).await;
        while !self.handle.has_stopped() {
            if let Err(error) = self.round().await {
                debug!("calendars cannot be looked at: {error}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn round(&mut self) -> Result<(), EngineError> {
        let read =
            self.handle.read(|tenant, _| (tenant.calendars_to_read(), Arc::clone(tenant.policy())));
        let (calendars, policy) = read.await?;
        self.look(calendars, policy);
        let now = self.handle.now();
        let mut due: Vec<&mut Known> =
            self.known.values_mut().filter(|known| known.due_at <= now).collect();
        due.sort_by_key(|known| known.due_at);
        due.truncate(MAX_PER_ROUND);
        let mut reads: Vec<BoxFuture<'_, ()>> = Vec::with_capacity(due.len());
        for known in due {
            reads.push(known.read(&self.handle, &*self.deliver).boxed());
        }
        stream::iter(reads).buffer_unordered(MAX_AT_ONCE).collect::<()>().await;
        Ok(())
    }

    /// Takes up calendars that are new or read otherwise than before, and forgets the others.
    fn look(&mut self, calendars: Vec<CalendarToRead>, policy: Arc<Policy>) {
        let now = self.handle.now();
        let is_same = |known: &Arc<Policy>| Arc::ptr_eq(known, &policy);
        let is_reloaded = self.policy.as_ref().is_some_and(|known| !is_same(known));
        self.policy = Some(policy);
        let mut before = std::mem::take(&mut self.known);
        for calendar in calendars {
            let key = (Arc::clone(&calendar.schedule), Arc::clone(&calendar.spec.name));
            // Where a calendar of the file lies is known only to who reads it.
            let may_have_moved = is_reloaded && calendar.spec.location == ImportLocation::Settings;
            let known = match before.remove(&key) {
                Some(mut known) if known.calendar.reads_like(&calendar) && !may_have_moved => {
                    known.calendar = calendar;
                    known
                }
                Some(_) => Known::new(calendar, now),
                None => {
                    let due_at = match calendar.read_at {
                        Some(at) => after(at, pause(&calendar) + jitter(&calendar)).max(now),
                        None => now,
                    };
                    Known::new(calendar, due_at)
                }
            };
            self.known.insert(key, known);
        }
    }
}

impl Known {
    fn new(calendar: CalendarToRead, due_at: Timestamp) -> Self {
        Self { calendar, due_at, edition: Edition::default(), whole_at: None, failures: 0 }
    }

    async fn read(&mut self, handle: &EngineHandle, deliver: &dyn Deliver) {
        let now = handle.now();
        let is_whole = self.whole_at.is_none_or(|at| now.duration_since(at) >= WHOLE_EVERY);
        let edition = (!is_whole).then_some(&self.edition);
        let read = read(handle, deliver, &self.calendar, edition).await;
        let CalendarRead { outcome, edition, retry_after } = read;
        let (schedule, name) = (&self.calendar.schedule, &self.calendar.spec.name);
        let pause = pause(&self.calendar);
        let pause = match &outcome {
            ImportOutcome::Failed { why } => {
                self.failures = self.failures.saturating_add(1);
                if self.failures == 1 {
                    warn!("calendar {name} of schedule {schedule} cannot be read: {why}");
                } else {
                    let count = self.failures;
                    debug!("calendar {name} of {schedule} cannot be read, {count} in a row: {why}");
                }
                let doubled = 1_i32.checked_shl(self.failures - 1).unwrap_or(i32::MAX).max(1);
                let retry = FIRST_RETRY.saturating_mul(doubled).min(pause);
                retry.max(retry_after.unwrap_or_default().min(MAX_ASKED_PAUSE))
            }
            ImportOutcome::Fetched { .. } | ImportOutcome::Unchanged => {
                if std::mem::take(&mut self.failures) > 0 {
                    info!("calendar {name} of schedule {schedule} can be read again");
                }
                if matches!(outcome, ImportOutcome::Fetched { .. }) {
                    self.whole_at = Some(now);
                }
                self.edition = edition;
                pause + jitter(&self.calendar)
            }
        };
        self.due_at = after(handle.now(), pause);
        if let Err(error) = hand_in(handle, &self.calendar, outcome).await {
            // What it said is asked for anew, as a whole.
            self.whole_at = None;
            debug!("what calendar {name} of {schedule} says was not taken: {error}");
        }
    }
}

/// Reads a calendar when there is room.
async fn read(
    handle: &EngineHandle,
    deliver: &dyn Deliver,
    calendar: &CalendarToRead,
    edition: Option<&Edition>,
) -> CalendarRead {
    let _room = handle.calendar_reads().acquire().await;
    let read = deliver.read_calendar(calendar, edition, handle.now()).await;
    handle.count_calendar(&read.outcome);
    read
}

async fn hand_in(
    handle: &EngineHandle,
    calendar: &CalendarToRead,
    outcome: ImportOutcome,
) -> Result<Reply, EngineError> {
    let change = OnCallChange::Import {
        schedule: Arc::clone(&calendar.schedule),
        import: Arc::clone(&calendar.spec.name),
        outcome,
        is_pushed: false,
    };
    handle.command(Command::OnCall(change)).await
}

/// Reads a calendar now because somebody asks for it; how that ended is recorded.
///
/// # Errors
/// [`EngineError`] when the engine does not answer.
pub async fn refresh_calendar(
    handle: &EngineHandle,
    deliver: &dyn Deliver,
    schedule: &str,
    import: &str,
) -> Result<Reply, EngineError> {
    let (schedule, import): Key = (schedule.into(), import.into());
    let wanted = (Arc::clone(&schedule), Arc::clone(&import));
    let found = handle.read(move |tenant, _| {
        let (schedule, import) = wanted;
        let mut all = tenant.calendars_to_read().into_iter();
        all.find(|it| it.schedule == schedule && it.spec.name == import)
    });
    let Some(calendar) = found.await? else {
        let unknown = OnCallRejection::UnknownImport { schedule, import };
        return Ok(Reply::Rejected(unknown.into()));
    };
    let CalendarRead { outcome, .. } = read(handle, deliver, &calendar, None).await;
    hand_in(handle, &calendar, outcome).await
}

fn pause(calendar: &CalendarToRead) -> SignedDuration {
    SignedDuration::from_mins(i64::from(calendar.spec.refresh_minutes.max(1)))
}

/// Returns the part of a pause that a calendar's name gives it.
fn jitter(calendar: &CalendarToRead) -> SignedDuration {
    let name = calendar.schedule.bytes().chain([b'/']).chain(calendar.spec.name.bytes());
    let hash = name.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let most = (pause(calendar).as_secs() / JITTER_PART).max(1);
    let part = i64::try_from(hash % most.unsigned_abs()).unwrap_or(0);
    SignedDuration::from_secs(part)
}

fn after(at: Timestamp, pause: SignedDuration) -> Timestamp {
    at.checked_add(pause).unwrap_or(Timestamp::MAX)
}
