//! A second model of the same rules, slow and obvious, that must agree at every instant.
//!
//! It shares no arithmetic with the real one: a local time is found by looking at the clock minute
//! by minute, turns are counted by going through all handoffs, windows by trying all days around.

use std::sync::Arc;

use jiff::civil::{DateTime, Weekday};
use jiff::{SignedDuration, Span, Timestamp};
use tocsin_core::identity::Handle;
use tocsin_core::oncall::{
    BlockShift, Cadence, ClockTime, Combine, Entry, Fallback, FixedBlock, Layer, LayerSpec,
    LayerVersion, Length, Mode, Override, Pick, Rollout, Roster, ScheduleSpec, ShiftWindow, Slot,
    SwapRequest, SwapState, Unavailability, Unit, Weekdays, Zone,
};
use uuid::Uuid;

use crate::support::{at, entry, layer, names, spec, who};

const ZONES: [&str; 14] = [
    "UTC",
    "America/Chicago",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Santiago",
    "Asia/Beirut",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Asia/Tehran",
    "Antarctica/Troll",
];

/// Days around which clocks change somewhere in the list.
const DAYS: [&str; 9] = [
    "2011-12-28",
    "2026-02-14",
    "2026-09-05",
    "2026-09-26",
    "2026-10-03",
    "2026-10-24",
    "2026-10-31",
    "2027-03-13",
    "2027-03-27",
];

const PEOPLE: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

// --- the slow model ------------------------------------------------------------------------

fn minutes(span: i64) -> SignedDuration {
    SignedDuration::from_mins(span)
}

/// Every minute from well before to well after a local time, whatever the zone.
fn around(local: DateTime) -> impl DoubleEndedIterator<Item = Timestamp> {
    let middle = Zone::utc().first(local);
    (-16 * 60..40 * 60).map(move |n| middle + minutes(n))
}

/// The first minute at which the clock shows that time or a later one.
fn begins(zone: &Zone, local: DateTime) -> Timestamp {
    around(local).find(|it| zone.local(*it) >= local).unwrap()
}

/// The minute after the last at which the clock shows an earlier time.
fn ends(zone: &Zone, local: DateTime) -> Timestamp {
    around(local).rev().find(|it| zone.local(*it) < local).unwrap() + minutes(1)
}

/// All handoffs up to `at`, in order.
fn handoffs(version: &LayerVersion, at: Timestamp) -> Vec<Timestamp> {
    let spec = &version.spec;
    let mut found = Vec::new();
    let mut wall = spec.handoff;
    for number in 0_i64.. {
        let start = match &spec.cadence {
            Cadence::Every(Length { count, unit: Unit::Hours }) if 24 % count != 0 => {
                begins(&version.zone, spec.handoff) + minutes(60 * i64::from(*count) * number)
            }
            Cadence::Every(Length { count, unit: Unit::Months }) => {
                let months = Span::new().months(i64::from(*count) * number);
                begins(&version.zone, spec.handoff + months)
            }
            _ => begins(&version.zone, wall),
        };
        if start > at {
            return found;
        }
        found.push(start);
        let length = match &spec.cadence {
            Cadence::Every(length) => *length,
            Cadence::Alternating { lengths } => lengths[(found.len() - 1) % lengths.len()],
            Cadence::Rule { .. } => unreachable!("rules have tests of their own"),
        };
        wall += match length.unit {
            Unit::Hours => Span::new().hours(i64::from(length.count)),
            Unit::Days => Span::new().days(i64::from(length.count)),
            Unit::Weeks => Span::new().weeks(i64::from(length.count)),
            Unit::Months => Span::new(),
        };
    }
    found
}

fn is_open(window: &ShiftWindow, zone: &Zone, at: Timestamp) -> bool {
    let today = zone.local(at).date();
    (-4..=4).any(|offset| {
        let day = today + Span::new().days(offset);
        let name = match day.weekday() {
            Weekday::Monday => "monday",
            Weekday::Tuesday => "tuesday",
            Weekday::Wednesday => "wednesday",
            Weekday::Thursday => "thursday",
            Weekday::Friday => "friday",
            Weekday::Saturday => "saturday",
            Weekday::Sunday => "sunday",
        };
        let wall = |minutes: u16| day.at(0, 0, 0, 0) + Span::new().minutes(i64::from(minutes));
        let (from, mut to) = (window.from.minutes(), window.to.minutes());
        if to <= from {
            to += 24 * 60;
        }
        Vec::<String>::from(window.days).contains(&name.to_owned())
            && begins(zone, wall(from)) <= at
            && at < ends(zone, wall(to))
    })
}

fn of_layer(
    layer: &Layer,
    absences: &[Unavailability],
    at: Timestamp,
) -> Option<(u32, Combine, Vec<Handle>)> {
    let version = layer.versions.iter().rev().find(|version| version.effective_from <= at)?;
    let spec = &version.spec;
    let members = &spec.members;
    if members.is_empty() {
        return None;
    }
    if !spec.windows.is_empty() && !spec.windows.iter().any(|it| is_open(it, &version.zone, at)) {
        return None;
    }
    let turns = handoffs(version, at).len();
    let turn = turns.checked_sub(1)?;
    let count = (spec.per_shift as usize).min(members.len());
    let begin = version.first as usize + turn / spec.shifts_per_member as usize * count;
    let is_away = |person: &Handle| {
        spec.mode == Mode::SkipUnavailable
            && absences.iter().any(|it| it.person == *person && it.from <= at && at < it.to)
    };
    let is_usable = |slot: &Slot| slot.people().iter().any(|person| !is_away(person));
    let mut chosen: Vec<usize> = (0..count).map(|n| (begin + n) % members.len()).collect();
    let mut people: Vec<Handle> = Vec::new();
    for nth in 0..count {
        let slot = &members[chosen[nth]];
        let mut here: Vec<Handle> = slot.people().to_vec();
        if is_usable(slot) {
            here.retain(|person| !is_away(person));
        } else if !slot.people().is_empty() {
            let others = (0..members.len()).map(|n| (begin + count + n) % members.len());
            let stand_in =
                others.into_iter().find(|n| !chosen.contains(n) && is_usable(&members[*n]));
            if let Some(place) = stand_in {
                chosen.push(place);
                here = members[place].people().to_vec();
                here.retain(|person| !is_away(person));
            }
        }
        for person in here {
            if !people.contains(&person) {
                people.push(person);
            }
        }
    }
    Some((spec.rank, spec.combine, people))
}

fn swap_in(people: &mut Vec<Handle>, out: &Handle, into: &Handle) -> bool {
    let Some(place) = people.iter().position(|it| it == out).filter(|_| out != into) else {
        return false;
    };
    if people.contains(into) {
        people.remove(place);
    } else {
        people[place] = into.clone();
    }
    true
}

fn slow(entry: &Entry, absences: &[Unavailability], at: Timestamp) -> Vec<Handle> {
    let fallback = || match &entry.schedule.fallback {
        Fallback::Person(person) => vec![person.clone()],
        _ => Vec::new(),
    };
    let or_fallback = |people: Vec<Handle>| if people.is_empty() { fallback() } else { people };
    if let Some(block) = entry.blocks.iter().rev().find(|it| it.from <= at && at < it.to) {
        let mut people: Vec<Handle> = Vec::new();
        for shift in block.shifts.iter().filter(|it| it.from <= at && at < it.to) {
            if !people.contains(&shift.person) {
                people.push(shift.person.clone());
            }
        }
        return or_fallback(people);
    }
    let swaps: Vec<(&Handle, &Handle, usize)> = entry
        .swaps
        .iter()
        .enumerate()
        .filter(|(_, it)| it.from <= at && at < it.to)
        .filter_map(|(place, it)| Some((&it.owner, it.taker()?, place)))
        .collect();
    let mut swapped = Vec::new();
    let mut ranks: Vec<(u32, Combine, Vec<Handle>)> = Vec::new();
    for layer in &entry.schedule.layers {
        let Some((rank, combine, mut people)) = of_layer(layer, absences, at) else { continue };
        for (owner, taker, place) in &swaps {
            if swap_in(&mut people, owner, taker) {
                swapped.push(*place);
            }
        }
        if !people.is_empty() {
            ranks.push((rank, combine, people));
        }
    }
    ranks.sort_by_key(|(rank, _, _)| *rank);
    let mut people: Vec<Handle> = Vec::new();
    let mut rank = 0;
    while rank <= 3 {
        let here = || ranks.iter().filter(|it| it.0 == rank);
        if here().any(|it| it.1 == Combine::Replace) {
            people.clear();
        }
        for person in here().flat_map(|it| &it.2) {
            if !people.contains(person) {
                people.push(person.clone());
            }
        }
        rank += 1;
    }
    for it in entry.overrides.iter().filter(|it| it.from <= at && at < it.to) {
        match (&it.user_out, &it.user_in) {
            (Some(out), Some(into)) => {
                swap_in(&mut people, out, into);
            }
            (Some(out), None) => people.retain(|person| person != out),
            (None, Some(into)) if !people.contains(into) => people.push(into.clone()),
            _ => {}
        }
    }
    for (owner, taker, place) in swaps {
        if !swapped.contains(&place) {
            swap_in(&mut people, owner, taker);
        }
    }
    or_fallback(people)
}

// --- random schedules ----------------------------------------------------------------------

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    fn number(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.roll(usize::try_from(high - low + 1).unwrap())).unwrap()
    }

    fn time(&mut self) -> ClockTime {
        let quarter = self.number(0, 95);
        let text = format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
        ClockTime::parse(&text).unwrap()
    }

    fn cadence(&mut self) -> Cadence {
        let every = |count: i64, unit| {
            Cadence::Every(Length { count: u32::try_from(count).unwrap(), unit })
        };
        match self.roll(6) {
            0 => every(self.of(&[1, 2, 3, 6, 12, 24]), Unit::Hours),
            1 => every(self.of(&[5, 7, 10, 36, 48]), Unit::Hours),
            2 => every(self.number(1, 3), Unit::Days),
            3 => every(1, Unit::Weeks),
            4 => every(1, Unit::Months),
            _ => {
                let length = |count, unit| Length { count, unit };
                Cadence::Alternating {
                    lengths: vec![
                        length(10, Unit::Hours),
                        length(14, Unit::Hours),
                        length(2, Unit::Days),
                    ],
                }
            }
        }
    }

    fn members(&mut self) -> String {
        let count = self.number(1, 4);
        let slots = (0..count).map(|_| match self.roll(8) {
            0 => "-".to_owned(),
            1 => format!("{}+{}", self.of(&PEOPLE), self.of(&PEOPLE)),
            _ => self.of(&PEOPLE).to_owned(),
        });
        slots.collect::<Vec<_>>().join(" ")
    }

    fn layer(&mut self, name: &str, around: Timestamp) -> LayerSpec {
        let back =
            if self.roll(4) == 0 { self.number(-1_000, 2_000) } else { self.number(0, 9_000) };
        let start = Zone::utc().local(around - minutes(back));
        let handoff = start.date().to_datetime(self.time().on(start.date()).time());
        let members = self.members();
        let cadence = self.cadence();
        let mut it = layer(name, &members, cadence, &handoff.to_string());
        it.rank = u32::try_from(self.roll(3)).unwrap();
        it.combine = self.of(&[Combine::Replace, Combine::Add]);
        it.mode = self.of(&[Mode::Sequential, Mode::SkipUnavailable]);
        it.first = u32::try_from(self.roll(3)).unwrap();
        it.per_shift = self.of(&[1, 1, 1, 2]);
        it.shifts_per_member = self.of(&[1, 1, 2]);
        it.rollout =
            self.of(&[Rollout::Immediate, Rollout::AfterCurrentShift, Rollout::AfterFullRotation]);
        if self.roll(3) == 0 {
            it.zone = Some(Zone::named(self.of(&ZONES)).unwrap());
        }
        for _ in 0..self.roll(3) {
            let days: &[&str] = self.of(&[&[][..], &["mon-fri"][..], &["sat", "sun"][..]]);
            let days = Weekdays::parse(days).unwrap();
            it.windows.push(ShiftWindow { days, from: self.time(), to: self.time() });
        }
        it
    }

    fn schedule(&mut self, around: Timestamp) -> ScheduleSpec {
        let zone = self.of(&ZONES);
        let count = self.number(1, 3);
        let layers = (0..count).map(|n| self.layer(&format!("layer {n}"), around)).collect();
        let mut it = spec(zone, layers);
        if self.roll(2) == 0 {
            it.fallback = Fallback::Person(who("boss"));
        }
        it
    }

    fn span(&mut self, around: Timestamp) -> (Timestamp, Timestamp) {
        let from = around + minutes(15 * self.number(-100, 300));
        (from, from + minutes(15 * self.number(1, 200)))
    }

    fn person(&mut self) -> Handle {
        who(self.of(&PEOPLE))
    }

    fn exceptions(&mut self, entry: &mut Entry, around: Timestamp) {
        let web = || Arc::from("web");
        for number in 0..self.roll(4) as u64 {
            let (from, to) = self.span(around);
            let (out, into) = (self.person(), self.person());
            let kind = self.roll(3);
            entry.overrides.push(Override {
                id: Uuid::from_u128(u128::from(number)),
                schedule: web(),
                number,
                user_out: (kind != 0).then_some(out),
                user_in: (kind != 1).then_some(into),
                from,
                to,
                layer: None,
                reason: String::new(),
                author: "ada".to_owned(),
            });
        }
        for number in 0..self.roll(3) as u64 {
            let (from, to) = self.span(around);
            let state = match self.roll(3) {
                0 => SwapState::Open,
                _ => SwapState::Taken { by: self.person() },
            };
            entry.swaps.push(SwapRequest {
                id: Uuid::from_u128(100 + u128::from(number)),
                schedule: web(),
                number,
                owner: self.person(),
                from,
                to,
                state,
                offered_to: None,
                in_return: None,
                reason: String::new(),
            });
        }
        if self.roll(4) == 0 {
            let (from, to) = self.span(around);
            let shifts = (0..self.roll(4)).map(|_| {
                let (begin, end) = self.span(from);
                BlockShift { person: self.person(), from: begin, to: end }
            });
            entry.blocks.push(FixedBlock {
                id: Uuid::from_u128(200),
                schedule: web(),
                number: 1,
                shifts: shifts.collect(),
                from,
                to,
                reason: String::new(),
                author: "ada".to_owned(),
            });
        }
    }
}

/// How many random schedules are compared.
fn cases() -> u64 {
    if std::env::var_os("TOCSIN_TEST_LONG").is_some() { 2_000 } else { 24 }
}

#[test]
fn every_instant_has_exactly_the_responders_that_the_slow_model_names() {
    for seed in 1..=cases() {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let around = at(&format!("{}T00:00Z", dice.of(&DAYS)));
        let mut entry = entry(&dice.schedule(around));
        let mut roster = Roster::default();
        let mut absences = Vec::new();
        for number in 0..dice.roll(5) as u128 {
            let (from, to) = dice.span(around);
            let absence = Unavailability {
                id: Uuid::from_u128(number),
                person: dice.person(),
                from,
                to,
                kind: Default::default(),
                is_imported: false,
                note: String::new(),
            };
            roster.insert_absence(absence.clone());
            absences.push(absence);
        }
        // Edits at several instants; each keeps everything before it as it was.
        for number in 0..dice.roll(3) {
            let edit_at = around + minutes(dice.number(-600, 3_000));
            let before = entry.schedule.clone();
            let mut wanted = before.spec();
            if !wanted.layers.is_empty() {
                let place = dice.roll(wanted.layers.len());
                let name = wanted.layers[place].name.to_string();
                match dice.roll(3) {
                    0 => wanted.layers[place].members = crate::support::slots(&dice.members()),
                    1 => wanted.layers[place] = dice.layer(&name, around),
                    _ => {
                        wanted.layers.remove(place);
                    }
                }
            }
            wanted.layers.push(dice.layer(&format!("new {number}"), around));
            entry.schedule = before.edited(&wanted, "grace", edit_at, &roster);
        }
        dice.exceptions(&mut entry, around);
        roster.insert(entry.clone());
        let from = around - minutes(24 * 60);
        let to = around + minutes(4 * 24 * 60);
        let view = roster.final_view("web", from, to, from).unwrap();
        let mut instants: Vec<Timestamp> =
            (0..12).map(|_| from + minutes(dice.number(0, 5 * 24 * 60 - 1))).collect();
        // Where something changes is where mistakes are.
        let edges: Vec<Timestamp> = view.segments.iter().map(|it| it.from).collect();
        for _ in 0..6 {
            let edge = dice.of(&edges);
            instants.extend([edge, edge - minutes(1)].into_iter().filter(|it| *it >= from));
        }
        for instant in instants {
            let expected = names(&slow(&entry, &absences, instant));
            let found = roster.on_call("web", &Pick::Current, instant).unwrap();
            assert_eq!(names(&found.people), expected, "seed {seed} at {instant}: {entry:#?}");
            let segment = view.segments.iter().find(|it| it.from <= instant && instant < it.to);
            let in_view = names(&segment.unwrap().people());
            assert_eq!(in_view, expected, "view of seed {seed} at {instant}: {entry:#?}");
            assert!(found.until.is_none_or(|until| until > instant), "seed {seed} at {instant}");
        }
        let whole: i64 =
            view.segments.iter().map(|it| it.to.duration_since(it.from).as_mins()).sum();
        assert_eq!(whole, 5 * 24 * 60, "seed {seed}: the view has a hole or an overlap");
    }
}

#[test]
fn an_edit_never_changes_what_comes_before_it() {
    for seed in 1..=cases() {
        let mut dice = Dice(seed.wrapping_mul(0xD1B5_4A32_D192_ED03));
        let around = at(&format!("{}T00:00Z", dice.of(&DAYS)));
        let mut roster = Roster::default();
        roster.insert(entry(&dice.schedule(around)));
        let edit_at = around + minutes(dice.number(0, 3_000));
        let known = roster.entry("web").unwrap().clone();
        let mut wanted = dice.schedule(around);
        wanted.zone = known.schedule.zone.clone();
        wanted.fallback = known.schedule.fallback.clone();
        let mut after = roster.clone();
        let mut edited = known.clone();
        edited.schedule = known.schedule.edited(&wanted, "grace", edit_at, &roster);
        after.insert(edited);
        let from = around - minutes(24 * 60);
        let before = |roster: &Roster| {
            let view = roster.final_view("web", from, edit_at, from).unwrap();
            crate::support::joined(&view.segments)
        };
        assert_eq!(before(&roster), before(&after), "seed {seed}");
    }
}
