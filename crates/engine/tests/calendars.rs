//! Calendars that schedules import, read in virtual time: how often, what happens while one cannot
//! be read, and after a restart.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use support::MemoryStore;
use tocsin_connect::{CalendarRead, Edition};
use tocsin_core::command::{Command, Rejection, Reply};
use tocsin_core::notification::{AttemptOutcome, OutboxEntry};
use tocsin_core::oncall::{
    ImportOutcome, ImportedEvent, OnCallRejection, Pick, ScheduleSpec, WarningCode,
};
use tocsin_core::tenant::CalendarToRead;
use tocsin_engine::{Clock, Deliver, EngineHandle, EngineOptions, refresh_calendar};
use tokio::time::{Instant, sleep};

const CONFIG: &str = r"
route: { receiver: none }
receivers: [{ name: none }]
people: [{ handle: ada }, { handle: grace, email: grace@example.org }]
schedules:
- name: web
  layers: [{ name: week, members: [ada], turn: [1w], start: 2026-03-02T09:00 }]
  imports:
  - { name: google, url: 'https://calendar.example/secret.ics', rank: 1, refresh: 30m }
";

/// The virtual clock of the runtime.
struct Virtual(Instant);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        let since = SignedDuration::try_from(self.0.elapsed()).unwrap();
        "2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap() + since
    }
}

/// A calendar server: it says the same until told otherwise.
struct Calendars {
    says: Mutex<ImportOutcome>,
    /// When each was asked for, and whether as a whole.
    asked: Mutex<BTreeMap<String, Vec<(Instant, bool)>>>,
    began: Instant,
    /// Whether that is another edition than the one that was given out last.
    is_new: AtomicBool,
}

#[async_trait]
impl Deliver for Calendars {
    async fn attempt(&self, _: &OutboxEntry, _: &str) -> AttemptOutcome {
        AttemptOutcome::Delivered { receipt: None, fallbacks: Vec::new() }
    }

    async fn read_calendar(
        &self,
        calendar: &CalendarToRead,
        edition: Option<&Edition>,
        _: Timestamp,
    ) -> CalendarRead {
        let name = calendar.spec.name.to_string();
        self.asked.lock().entry(name).or_default().push((Instant::now(), edition.is_none()));
        sleep(Duration::from_millis(200)).await;
        let says = self.says.lock().clone();
        let outcome = match (says, edition) {
            (ImportOutcome::Fetched { .. }, Some(_)) if !self.is_new.load(Ordering::SeqCst) => {
                ImportOutcome::Unchanged
            }
            (says, _) => {
                let is_given = matches!(says, ImportOutcome::Fetched { .. });
                self.is_new.fetch_and(!is_given, Ordering::SeqCst);
                says
            }
        };
        CalendarRead { outcome, edition: Edition::default(), retry_after: None }
    }
}

impl Calendars {
    /// Returns how many minutes after the beginning a calendar was asked for since the last time.
    fn asked(&self, name: &str) -> Vec<u64> {
        let asked = std::mem::take(self.asked.lock().entry(name.to_owned()).or_default());
        asked.iter().map(|(at, _)| at.duration_since(self.began).as_secs() / 60).collect()
    }

    fn says(&self, outcome: ImportOutcome) {
        *self.says.lock() = outcome;
        self.is_new.store(true, Ordering::SeqCst);
    }
}

fn shift(person: &str) -> ImportOutcome {
    let event = ImportedEvent {
        from: "2026-03-02T00:00:00Z".parse().unwrap(),
        to: "2026-05-02T00:00:00Z".parse().unwrap(),
        text: person.to_owned(),
        ..ImportedEvent::default()
    };
    ImportOutcome::Fetched { events: vec![event], trouble: Vec::new() }
}

fn failed() -> ImportOutcome {
    ImportOutcome::Failed { why: "the calendar answered 503".to_owned() }
}

struct House {
    engine: EngineHandle,
    store: Arc<MemoryStore>,
    calendars: Arc<Calendars>,
}

impl House {
    async fn new() -> Self {
        let calendars = Calendars {
            says: Mutex::new(shift("grace@example.org")),
            asked: Mutex::default(),
            began: Instant::now(),
            is_new: AtomicBool::new(true),
        };
        Self::on(Arc::new(MemoryStore::default()), Arc::new(calendars)).await
    }

    async fn on(store: Arc<MemoryStore>, calendars: Arc<Calendars>) -> Self {
        let options = tocsin_config::LoadOptions::default();
        let policy = tocsin_config::load_str("test.yaml", CONFIG, &options).unwrap().policy;
        let clock = Arc::new(Virtual(calendars.began));
        let (to, deliver) = (Arc::clone(&store), Arc::clone(&calendars));
        let options = EngineOptions::default();
        let engine = tocsin_engine::start(options, to, policy, deliver, clock).await.unwrap();
        Self { engine, store, calendars }
    }

    async fn now(&self) -> String {
        let on_call = self.engine.read(|tenant, now| {
            let on_call = tenant.roster().on_call("web", &Pick::Current, now).unwrap();
            on_call.people.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        });
        on_call.await.unwrap()
    }

    async fn warnings(&self) -> Vec<WarningCode> {
        let warnings = self.engine.read(|tenant, now| {
            let entry = tenant.roster().entry("web").unwrap();
            let warnings = tenant.roster().standing_warnings(entry, now);
            warnings.iter().map(|it| it.code).collect::<Vec<_>>()
        });
        warnings.await.unwrap()
    }

    fn told(&self, kind: &str) -> usize {
        self.store.rows.lock().events().iter().filter(|it| it.event.kind() == kind).count()
    }
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

#[tokio::test(start_paused = true)]
async fn a_calendar_is_read_soon_and_then_as_often_as_it_says() {
    let house = House::new().await;
    sleep(Duration::from_secs(20)).await;
    assert_eq!(house.now().await, "grace");
    sleep(minutes(24 * 60)).await;
    let asked = house.calendars.asked("google");
    let pauses: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.iter().all(|pause| (29..=34).contains(pause)), "{pauses:?}");
    assert!((43..=49).contains(&asked.len()), "{}", asked.len());
    sleep(minutes(2 * 24 * 60)).await;
    let asked = house.calendars.asked.lock();
    let whole = asked["google"].iter().filter(|(_, is_whole)| *is_whole).count();
    assert_eq!(whole, 2, "what lies far ahead comes within reach once a day");
    assert_eq!(house.told("calendar_read"), 1, "what did not change is not told");
}

#[tokio::test(start_paused = true)]
async fn a_failure_leaves_the_last_good_copy_and_recovery_is_told() {
    let house = House::new().await;
    sleep(minutes(60)).await;
    house.calendars.asked("google");
    house.calendars.says(failed());
    sleep(minutes(4 * 60)).await;
    let asked = house.calendars.asked("google");
    let first = asked[0];
    let since: Vec<u64> = asked.iter().map(|at| at - first).collect();
    assert_eq!(since[..6], [0, 1, 3, 7, 15, 31], "with growing pauses: {since:?}");
    assert!(since.windows(2).skip(5).all(|pair| pair[1] - pair[0] <= 31), "{since:?}");
    assert_eq!(house.now().await, "grace", "the last good copy holds");
    assert_eq!(house.warnings().await, [WarningCode::Import]);
    assert_eq!(house.told("calendar_failed"), 1, "once, not each time");
    house.calendars.says(shift("ada"));
    sleep(minutes(31)).await;
    assert_eq!(house.now().await, "ada");
    assert_eq!(house.told("calendar_read"), 2);
    assert_eq!(house.warnings().await, []);

    house.calendars.says(failed());
    sleep(minutes(8 * 24 * 60)).await;
    assert_eq!(house.told("calendar_dropped"), 1, "after seven days nothing of it holds");
    let alerts = house.engine.read(|tenant, now| {
        let alerts = tenant.alerts(now);
        alerts.iter().filter(|it| it.identity.labels.value("calendar") == "google").count()
    });
    assert_eq!(alerts.await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_the_copy_and_does_not_read_before_it_is_due() {
    let house = House::new().await;
    sleep(minutes(10)).await;
    house.engine.stop().await;
    house.calendars.asked("google");
    house.calendars.says(failed());
    let again = House::on(Arc::clone(&house.store), Arc::clone(&house.calendars)).await;
    assert_eq!(again.now().await, "grace", "before anything is read");
    sleep(minutes(10)).await;
    assert_eq!(again.calendars.asked("google"), [] as [u64; 0]);
    sleep(minutes(20)).await;
    assert!(!again.calendars.asked("google").is_empty());
    assert_eq!(again.now().await, "grace");
}

#[tokio::test(start_paused = true)]
async fn somebody_who_asks_gets_it_read_now() {
    let house = House::new().await;
    sleep(minutes(1)).await;
    house.calendars.says(shift("ada"));
    let refresh = async |import: &str| {
        refresh_calendar(&house.engine, &*house.calendars, "web", import).await.unwrap()
    };
    assert_eq!(refresh("google").await, Reply::Done);
    assert_eq!(house.now().await, "ada");
    let unknown = refresh("nobody's").await;
    let is_refused = matches!(
        unknown,
        Reply::Rejected(Rejection::OnCall(OnCallRejection::UnknownImport { .. }))
    );
    assert!(is_refused, "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_calendar_that_somebody_adds_is_read_within_moments_and_one_that_is_gone_is_not() {
    let house = House::new().await;
    sleep(minutes(1)).await;
    let spec = house.engine.read(|tenant, _| tenant.roster().entry("web").unwrap().schedule.spec());
    let spec = ScheduleSpec { name: "db".into(), ..spec.await.unwrap() };
    let mut with_url = spec.clone();
    with_url.imports[0].name = "other".into();
    with_url.imports[0].location =
        tocsin_core::oncall::ImportLocation::Url("https://calendar.example/b.ics".to_owned());
    let set = async |spec: ScheduleSpec| {
        let change = tocsin_core::oncall::OnCallChange::SetSchedule(Box::new(spec));
        house.engine.command(Command::OnCall(change)).await.unwrap()
    };
    assert_eq!(set(with_url.clone()).await, Reply::Done);
    sleep(Duration::from_secs(15)).await;
    assert_eq!(house.calendars.asked("other"), [1]);
    with_url.imports.clear();
    assert_eq!(set(with_url).await, Reply::Done);
    sleep(minutes(120)).await;
    assert_eq!(house.calendars.asked("other"), [] as [u64; 0]);
}
