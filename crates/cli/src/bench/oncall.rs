//! How long it takes to say who is on call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp, civil};
use tocsin_core::identity::{Handle, PersonOrigin};
use tocsin_core::oncall::{
    Cadence, ClockTime, Entry, Fallback, LayerSpec, Length, Notices, OnCallWrites, Roster,
    Schedule, ScheduleSpec, ShiftWindow, Slot, Unit, Weekdays, Zone,
};

/// Schedules of the tenant.
pub(super) const SCHEDULES: usize = 10_000;

/// Days of the final view.
pub(super) const DAYS: i64 = 90;

/// How often the view is made; the median counts.
const RUNS: usize = 101;

/// Zones that the schedules take in turn.
const ZONES: [&str; 4] = ["Europe/Berlin", "America/Chicago", "Asia/Kolkata", "UTC"];

/// What was measured.
pub(super) struct Times {
    /// All schedules, asked for the first time.
    pub(super) cold: Duration,
    /// All schedules, asked again.
    pub(super) cached: Duration,
    /// One final view.
    pub(super) view: Duration,
}

/// Measures saying who is on call in all schedules, and one final view.
pub(super) fn measure(now: Timestamp) -> Result<Times> {
    let mut roster = Roster::default();
    let mut names: Vec<Arc<str>> = Vec::with_capacity(SCHEDULES);
    let since = now - SignedDuration::from_hours(200 * 24);
    for number in 0..SCHEDULES {
        let spec = schedule(number)?;
        names.push(Arc::clone(&spec.name));
        let schedule = Schedule::create(&spec, PersonOrigin::Provisioned, "bench", since);
        roster.insert(Entry::new(schedule));
    }
    let ask = |roster: &Roster| -> (Duration, usize) {
        let began = Instant::now();
        let mut people = 0;
        for entry in roster.entries() {
            people += roster.duties_in(entry, now).len();
        }
        (began.elapsed(), people)
    };
    let (cold, people) = ask(&roster);
    for name in &names {
        roster.settle(name, now, &mut OnCallWrites::default());
    }
    let (cached, again) = ask(&roster);
    ensure!(people == again && people >= SCHEDULES, "what was worked out is something else");
    let until = now + SignedDuration::from_hours(DAYS * 24);
    let mut views = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let began = Instant::now();
        let view = roster.final_view(&names[0], now, until, now);
        views.push(began.elapsed());
        ensure!(view.is_some_and(|view| view.segments.len() > 80), "the view has no shifts");
    }
    views.sort_unstable();
    Ok(Times { cold, cached, view: views[RUNS / 2] })
}

/// Weeks of six people, and nights of two others above them.
fn schedule(number: usize) -> Result<ScheduleSpec> {
    let person = |place: usize| -> Result<Slot> {
        let name = format!("person-{}", (number * 7 + place) % 5_000);
        Ok(Slot::Person(Handle::parse(&name)?))
    };
    let layer = |name: &str, people: std::ops::Range<usize>, unit: Unit| -> Result<LayerSpec> {
        Ok(LayerSpec {
            name: name.into(),
            rank: 0,
            combine: Default::default(),
            zone: None,
            colour: String::new(),
            members: people.map(person).collect::<Result<_>>()?,
            mode: Default::default(),
            cadence: Cadence::Every(Length { count: 1, unit }),
            handoff: civil::date(2026, 1, 5).at(9, 0, 0, 0),
            first: 0,
            per_shift: 1,
            shifts_per_member: 1,
            windows: Vec::new(),
            holiday_mode: Default::default(),
            rollout: Default::default(),
        })
    };
    let nights = LayerSpec {
        rank: 1,
        windows: vec![ShiftWindow {
            days: Weekdays::ALL,
            from: ClockTime::parse("20:00")?,
            to: ClockTime::parse("08:00")?,
        }],
        ..layer("nights", 6..8, Unit::Days)?
    };
    Ok(ScheduleSpec {
        name: format!("schedule-{number:05}").into(),
        team: None,
        description: String::new(),
        zone: Zone::named(ZONES[number % ZONES.len()])?,
        holidays: Vec::new(),
        fallback: Fallback::Skip,
        min_coverage: 1,
        notices: Notices::default(),
        layers: vec![layer("weeks", 0..6, Unit::Weeks)?, nights],
        imports: Vec::new(),
    })
}
