//! Short ways to write schedules down.

use std::sync::Arc;

use jiff::Timestamp;
use tocsin_core::identity::{Handle, PersonOrigin};
use tocsin_core::oncall::{
    Cadence, ClockTime, Combine, Entry, Fallback, HolidayMode, LayerSpec, Length, Mode, Notices,
    Override, Pick, Rollout, Roster, Schedule, ScheduleSpec, Segment, ShiftWindow, Slot, Unit,
    Weekdays, Zone,
};
use uuid::Uuid;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(crate) fn who(name: &str) -> Handle {
    Handle::parse(name).unwrap()
}

pub(crate) fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

pub(crate) fn every(count: u32, unit: Unit) -> Cadence {
    Cadence::Every(Length { count, unit })
}

pub(crate) fn slots(names: &str) -> Vec<Slot> {
    names
        .split_whitespace()
        .map(|name| match name {
            "-" => Slot::Empty,
            name if name.contains('+') => Slot::Group(name.split('+').map(who).collect()),
            name => Slot::Person(who(name)),
        })
        .collect()
}

pub(crate) fn layer(name: &str, members: &str, cadence: Cadence, handoff: &str) -> LayerSpec {
    LayerSpec {
        name: Arc::from(name),
        rank: 0,
        combine: Combine::Replace,
        zone: None,
        colour: String::new(),
        members: slots(members),
        mode: Mode::Sequential,
        cadence,
        handoff: handoff.parse().unwrap(),
        first: 0,
        per_shift: 1,
        shifts_per_member: 1,
        windows: Vec::new(),
        holiday_mode: HolidayMode::Ignore,
        rollout: Rollout::AfterCurrentShift,
    }
}

pub(crate) fn window(days: &[&str], from: &str, to: &str) -> ShiftWindow {
    ShiftWindow {
        days: Weekdays::parse(days).unwrap(),
        from: ClockTime::parse(from).unwrap(),
        to: ClockTime::parse(to).unwrap(),
    }
}

pub(crate) fn spec(zone_name: &str, layers: Vec<LayerSpec>) -> ScheduleSpec {
    ScheduleSpec {
        name: Arc::from("web"),
        team: None,
        description: String::new(),
        zone: zone(zone_name),
        holidays: Vec::new(),
        fallback: Fallback::Skip,
        min_coverage: 1,
        notices: Notices::default(),
        layers,
        imports: Vec::new(),
    }
}

/// A roster with one schedule that has been there for a long time.
pub(crate) fn roster(spec: &ScheduleSpec) -> Roster {
    let mut roster = Roster::default();
    roster.insert(entry(spec));
    roster
}

pub(crate) fn entry(spec: &ScheduleSpec) -> Entry {
    let since = at("2000-01-01T00:00:00Z");
    Entry::new(Schedule::create(spec, PersonOrigin::Api, "ada", since))
}

pub(crate) fn change(out: Option<&str>, into: Option<&str>, from: &str, to: &str) -> Override {
    Override {
        id: Uuid::from_u128(u128::from(at(from).as_second().unsigned_abs()) << 8),
        schedule: Arc::from("web"),
        number: 1,
        user_out: out.map(who),
        user_in: into.map(who),
        from: at(from),
        to: at(to),
        layer: None,
        reason: String::new(),
        author: "ada".to_owned(),
    }
}

/// Who is on call, joined by spaces; `-` for nobody.
pub(crate) fn now(roster: &Roster, instant: &str) -> String {
    pick(roster, &Pick::Current, instant)
}

pub(crate) fn pick(roster: &Roster, pick: &Pick, instant: &str) -> String {
    names(&roster.on_call("web", pick, at(instant)).unwrap().people)
}

pub(crate) fn names(people: &[Handle]) -> String {
    if people.is_empty() {
        return "-".to_owned();
    }
    people.iter().map(Handle::as_str).collect::<Vec<_>>().join(" ")
}

/// The plan as `from who` lines.
pub(crate) fn plan(roster: &Roster, from: &str, to: &str) -> Vec<String> {
    let view = roster.final_view("web", at(from), at(to), at(from)).unwrap();
    joined(&view.segments).into_iter().map(|(from, who)| format!("{from} {who}")).collect()
}

/// Segments with the same people are one.
pub(crate) fn joined(segments: &[Segment]) -> Vec<(Timestamp, String)> {
    let mut found: Vec<(Timestamp, String)> = Vec::new();
    for segment in segments {
        let who = names(&segment.people());
        if found.last().is_none_or(|(_, last)| *last != who) {
            found.push((segment.from, who));
        }
    }
    found
}
