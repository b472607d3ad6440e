//! Edge cases and the outcome we commit to.
//!
//! What concerns running escalations (a deactivated target, an open incident at a handoff) and the
//! engine's clock is tested with the tenant; what concerns calendars, with their parser.

use std::sync::Arc;

use tocsin_core::oncall::{
    Cadence, Fallback, Holiday, HolidayCalendar, HolidayMode, Length, Mode, OnCallRejection, Pick,
    Rollout, Roster, ScheduleSpec, Unavailability, Unit, WarningCode,
};
use uuid::Uuid;

use crate::support::{
    at, change, entry, every, layer, now, pick, plan, roster, slots, spec, who, window,
};

const MONDAY: &str = "2026-11-09T09:00";

fn weekly(members: &str) -> ScheduleSpec {
    spec("UTC", vec![layer("main", members, Cadence::WEEKLY, MONDAY)])
}

/// Edits the only schedule of a roster at an instant.
fn edit(roster: &Roster, instant: &str, change: impl FnOnce(&mut ScheduleSpec)) -> Roster {
    let known = roster.entry("web").unwrap();
    let mut wanted = known.schedule.spec();
    change(&mut wanted);
    let mut edited = known.clone();
    edited.schedule = known.schedule.edited(&wanted, "grace", at(instant), roster);
    let mut after = roster.clone();
    after.insert(edited);
    after
}

fn away(person: &str, from: &str, to: &str) -> Unavailability {
    Unavailability {
        id: Uuid::from_u128(u128::from(at(from).as_second().unsigned_abs())),
        person: who(person),
        from: at(from),
        to: at(to),
        kind: Default::default(),
        is_imported: false,
        note: String::new(),
    }
}

fn warnings(roster: &Roster, from: &str, to: &str) -> Vec<WarningCode> {
    let view = roster.final_view("web", at(from), at(to), at(from)).unwrap();
    view.warnings.iter().map(|it| it.code).collect()
}

#[test]
fn an_empty_rotation_is_a_gap_with_a_warning_and_the_fallback_runs() {
    for members in ["", "- -"] {
        let mut wanted = weekly(members);
        assert_eq!(now(&roster(&wanted), "2026-11-10T00:00Z"), "-");
        wanted.fallback = Fallback::Person(who("boss"));
        let roster = roster(&wanted);
        assert_eq!(now(&roster, "2026-11-10T00:00Z"), "boss");
        assert!(
            warnings(&roster, "2026-11-10T00:00Z", "2026-11-11T00:00Z")
                .contains(&WarningCode::Empty)
        );
    }
}

#[test]
fn an_empty_slot_is_a_gap_for_its_turn() {
    assert_eq!(
        plan(&roster(&weekly("a -")), "2026-11-09T09:00Z", "2026-11-24T00:00Z"),
        ["2026-11-09T09:00:00Z a", "2026-11-16T09:00:00Z -", "2026-11-23T09:00:00Z a"]
    );
}

#[test]
fn one_member_is_on_call_forever_without_a_handoff() {
    let roster = roster(&weekly("a"));
    assert_eq!(plan(&roster, "2026-11-09T09:00Z", "2027-11-09T09:00Z").len(), 1);
    assert_eq!(pick(&roster, &Pick::Next, "2026-11-10T00:00Z"), "-");
    let until = |roster: &Roster| {
        let on_call = roster.on_call("web", &Pick::Current, at("2026-11-10T00:00Z")).unwrap();
        on_call.until.map(|at| at.to_string())
    };
    assert_eq!(until(&roster), None, "how far was looked is no end");
    let two = crate::support::roster(&weekly("a b"));
    assert_eq!(until(&two).as_deref(), Some("2026-11-16T09:00:00Z"));
}

#[test]
fn when_all_are_away_the_nominal_person_keeps_the_shift_flagged() {
    let mut wanted = weekly("a b");
    wanted.layers[0].mode = Mode::SkipUnavailable;
    let mut roster = roster(&wanted);
    roster.insert_absence(away("a", "2026-11-10T00:00Z", "2026-11-13T00:00Z"));
    roster.insert_absence(away("b", "2026-11-11T00:00Z", "2026-11-12T00:00Z"));
    assert_eq!(
        plan(&roster, "2026-11-09T09:00Z", "2026-11-16T09:00Z"),
        [
            "2026-11-09T09:00:00Z a",
            "2026-11-10T00:00:00Z b",
            "2026-11-11T00:00:00Z a",
            "2026-11-12T00:00:00Z b",
            "2026-11-13T00:00:00Z a",
        ]
    );
    let on_call = roster.on_call("web", &Pick::Current, at("2026-11-11T12:00Z")).unwrap();
    assert_eq!(
        on_call.sentence(),
        "a has the turn in layer main, is away, and nobody can stand in"
    );
    assert!(
        warnings(&roster, "2026-11-09T09:00Z", "2026-11-16T09:00Z").contains(&WarningCode::Away)
    );
}

#[test]
fn a_member_removed_while_on_call_finishes_the_shift_unless_at_once() {
    let before = roster(&weekly("a b c"));
    let remove = |rollout| {
        move |it: &mut ScheduleSpec| {
            it.layers[0].members = slots("b c");
            it.layers[0].rollout = rollout;
        }
    };
    let instant = "2026-11-11T00:00Z";
    let later = edit(&before, instant, remove(Rollout::AfterCurrentShift));
    assert_eq!(
        plan(&later, instant, "2026-12-01T00:00Z"),
        [
            "2026-11-11T00:00:00Z a",
            "2026-11-16T09:00:00Z b",
            "2026-11-23T09:00:00Z c",
            "2026-11-30T09:00:00Z b",
        ]
    );
    let at_once = edit(&before, instant, remove(Rollout::Immediate));
    assert_eq!(
        plan(&at_once, instant, "2026-11-24T00:00Z"),
        ["2026-11-11T00:00:00Z b", "2026-11-16T09:00:00Z c", "2026-11-23T09:00:00Z b"]
    );
    let round = edit(&before, instant, remove(Rollout::AfterFullRotation));
    assert_eq!(
        plan(&round, instant, "2026-12-15T00:00Z"),
        [
            "2026-11-11T00:00:00Z a",
            "2026-11-16T09:00:00Z b",
            "2026-11-23T09:00:00Z c",
            "2026-11-30T09:00:00Z b",
            "2026-12-07T09:00:00Z c",
            "2026-12-14T09:00:00Z b",
        ]
    );
}

#[test]
fn somebody_who_left_is_skipped_and_stays_named() {
    let mut wanted = weekly("a b c");
    wanted.fallback = Fallback::Person(who("a"));
    let mut roster = roster(&wanted);
    roster.set_departed([who("b")].into());
    assert_eq!(
        plan(&roster, "2026-11-09T09:00Z", "2026-12-01T00:00Z"),
        ["2026-11-09T09:00:00Z a", "2026-11-16T09:00:00Z c", "2026-11-30T09:00:00Z a",]
    );
    let on_call = roster.on_call("web", &Pick::Current, at("2026-11-17T00:00Z")).unwrap();
    assert_eq!(on_call.sentence(), "c stands in for b in layer main");
    assert!(
        warnings(&roster, "2026-11-09T09:00Z", "2026-11-10T00:00Z")
            .contains(&WarningCode::UnknownPerson)
    );
}

#[test]
fn a_new_member_gets_the_given_place_and_the_present_one_stays() {
    let before = roster(&weekly("a b c"));
    let after = edit(&before, "2026-11-18T00:00Z", |it| {
        it.layers[0].members = slots("a b new c");
    });
    assert_eq!(
        plan(&after, "2026-11-18T00:00Z", "2026-12-08T00:00Z"),
        [
            "2026-11-18T00:00:00Z b",
            "2026-11-23T09:00:00Z new",
            "2026-11-30T09:00:00Z c",
            "2026-12-07T09:00:00Z a",
        ]
    );
}

#[test]
fn a_new_cadence_ends_the_present_shift_at_its_own_next_handoff() {
    let before = roster(&weekly("a b c"));
    let after = edit(&before, "2026-11-11T00:00Z", |it| {
        it.layers[0].cadence = every(1, Unit::Days);
    });
    assert_eq!(
        plan(&after, "2026-11-11T00:00Z", "2026-11-13T10:00Z"),
        [
            "2026-11-11T00:00:00Z a",
            "2026-11-11T09:00:00Z b",
            "2026-11-12T09:00:00Z c",
            "2026-11-13T09:00:00Z a",
        ]
    );
}

#[test]
fn another_zone_moves_the_next_handoff_and_nothing_before() {
    let before =
        roster(&spec("Europe/London", vec![layer("main", "a b", every(1, Unit::Days), MONDAY)]));
    let after = edit(&before, "2026-11-11T10:00Z", |it| {
        it.zone = tocsin_core::oncall::Zone::named("America/New_York").unwrap();
    });
    assert_eq!(
        plan(&after, "2026-11-11T10:00Z", "2026-11-12T15:00Z"),
        ["2026-11-11T10:00:00Z a", "2026-11-11T14:00:00Z b", "2026-11-12T14:00:00Z a"]
    );
}

#[test]
fn a_change_back_and_no_change_leave_one_version() {
    let before = roster(&weekly("a b"));
    let same = edit(&before, "2026-11-11T00:00Z", |_| {});
    assert_eq!(same.entry("web").unwrap().schedule, before.entry("web").unwrap().schedule);
    let there = edit(&before, "2026-11-11T00:00Z", |it| it.layers[0].members = slots("b a"));
    let back = edit(&there, "2026-11-12T00:00Z", |it| it.layers[0].members = slots("a b"));
    assert_eq!(back.entry("web").unwrap().schedule.layers[0].versions.len(), 1);
}

#[test]
fn a_removed_layer_ends_with_its_shift() {
    let mut wanted = weekly("a b");
    wanted.layers.push(layer("second", "c", every(1, Unit::Days), MONDAY));
    let after = edit(&roster(&wanted), "2026-11-11T00:00Z", |it| {
        it.layers.pop();
    });
    assert_eq!(
        plan(&after, "2026-11-11T00:00Z", "2026-11-12T00:00Z"),
        ["2026-11-11T00:00:00Z a c", "2026-11-11T09:00:00Z a"]
    );
    let again = edit(&after, "2026-11-13T00:00Z", |it| it.description = "x".to_owned());
    assert_eq!(again.entry("web").unwrap().schedule.layers.len(), 1);
}

#[test]
fn an_override_longer_than_the_shift_cuts_at_its_own_bounds() {
    let mut entry = entry(&weekly("a b"));
    entry.overrides.push(change(Some("a"), Some("x"), "2026-11-15T09:00Z", "2026-11-17T09:00Z"));
    let mut roster = Roster::default();
    roster.insert(entry);
    assert_eq!(
        plan(&roster, "2026-11-14T00:00Z", "2026-11-18T00:00Z"),
        ["2026-11-14T00:00:00Z a", "2026-11-15T09:00:00Z x", "2026-11-16T09:00:00Z b"]
    );
}

#[test]
fn an_override_covers_a_gap_and_adds_nobody_twice() {
    let mut entry = entry(&weekly("- a"));
    entry.overrides.push(change(None, Some("x"), "2026-11-10T00:00Z", "2026-11-11T00:00Z"));
    entry.overrides.push(change(None, Some("x"), "2026-11-10T12:00Z", "2026-11-11T00:00Z"));
    let mut roster = Roster::default();
    roster.insert(entry);
    assert_eq!(
        plan(&roster, "2026-11-09T09:00Z", "2026-11-12T00:00Z"),
        ["2026-11-09T09:00:00Z -", "2026-11-10T00:00:00Z x", "2026-11-11T00:00:00Z -"]
    );
}

#[test]
fn a_fallback_leads_through_schedules_and_never_in_a_circle() {
    let mut roster = Roster::default();
    let mut named = |name: &str, members: &str, fallback: &str| {
        let mut it = weekly(members);
        it.name = Arc::from(name);
        it.fallback = Fallback::Schedule(Arc::from(fallback));
        roster.insert(entry(&it));
    };
    named("web", "-", "second");
    named("second", "-", "third");
    named("third", "z", "web");
    assert_eq!(now(&roster, "2026-11-10T00:00Z"), "z");
    let on_call = roster.on_call("web", &Pick::Current, at("2026-11-10T00:00Z")).unwrap();
    assert_eq!(on_call.sentence(), "nobody is on call; z is on call in the fallback second");
    assert!(roster.fallback_circle("web", "second"));
    let mut named = |name: &str, fallback: &str| {
        let mut it = weekly("-");
        it.name = Arc::from(name);
        it.fallback = Fallback::Schedule(Arc::from(fallback));
        roster.insert(entry(&it));
    };
    named("third", "web");
    named("web", "second");
    assert_eq!(now(&roster, "2026-11-10T00:00Z"), "-");
}

#[test]
fn at_a_handoff_it_is_the_incoming_person() {
    let roster = roster(&weekly("a b"));
    assert_eq!(now(&roster, "2026-11-16T08:59:59.999999999Z"), "a");
    assert_eq!(now(&roster, "2026-11-16T09:00:00Z"), "b");
}

#[test]
fn who_is_asked_for_is_found() {
    let mut wanted = weekly("a b+c d");
    let mut extra = layer("night", "n", Cadence::WEEKLY, MONDAY);
    extra.rank = 1;
    extra.windows = vec![window(&[], "20:00", "08:00")];
    wanted.layers.push(extra);
    let roster = roster(&wanted);
    let day = "2026-11-16T12:00Z";
    assert_eq!(pick(&roster, &Pick::Current, day), "b c");
    assert_eq!(pick(&roster, &Pick::Next, day), "n");
    assert_eq!(pick(&roster, &Pick::Previous, day), "a");
    assert_eq!(pick(&roster, &Pick::All, day), "a b c d n");
    assert_eq!(pick(&roster, &Pick::Layer(Arc::from("night")), day), "-");
    assert_eq!(pick(&roster, &Pick::Layer(Arc::from("night")), "2026-11-16T22:00Z"), "n");
    assert_eq!(pick(&roster, &Pick::Nth(0), day), "b c");
    assert_eq!(pick(&roster, &Pick::Nth(1), day), "d");
    assert_eq!(pick(&roster, &Pick::Nth(2), day), "a");
    let load = [(who("a"), 3), (who("b"), 1), (who("c"), 1), (who("d"), 2), (who("n"), 9)];
    let load = Arc::new(load.into());
    let random = |seed| pick(&roster, &Pick::Random { seed, load: Arc::clone(&load) }, day);
    assert_eq!((random(0), random(1), random(2)), ("b".into(), "c".into(), "b".into()));
    assert!(roster.on_call("nowhere", &Pick::Current, at(day)).is_none());
}

#[test]
fn several_at_once_and_several_shifts_in_a_row() {
    let mut wanted = weekly("a b c d");
    wanted.layers[0].per_shift = 2;
    assert_eq!(
        plan(&roster(&wanted), "2026-11-09T09:00Z", "2026-11-24T00:00Z"),
        ["2026-11-09T09:00:00Z a b", "2026-11-16T09:00:00Z c d", "2026-11-23T09:00:00Z a b"]
    );
    let mut wanted = weekly("a b");
    wanted.layers[0].shifts_per_member = 2;
    wanted.layers[0].first = 1;
    assert_eq!(
        plan(&roster(&wanted), "2026-11-09T09:00Z", "2026-12-08T00:00Z"),
        ["2026-11-09T09:00:00Z b", "2026-11-23T09:00:00Z a", "2026-12-07T09:00:00Z b"]
    );
}

#[test]
fn a_start_in_the_past_is_counted_from_and_one_in_the_future_waited_for() {
    assert_eq!(now(&roster(&weekly("a b c")), "2030-01-01T00:00Z"), "c");
    assert_eq!(now(&roster(&weekly("a b c")), "2026-11-09T08:00Z"), "-");
}

#[test]
fn on_holidays_a_layer_is_off_or_another_stands_in() {
    let mut wanted = weekly("a b");
    wanted.holidays = vec![Arc::from("de")];
    wanted.layers[0].holiday_mode = HolidayMode::Off;
    wanted.zone = tocsin_core::oncall::Zone::named("Europe/Berlin").unwrap();
    let calendar = HolidayCalendar {
        name: Arc::from("de"),
        days: vec![Holiday {
            from: "2020-12-25".parse().unwrap(),
            to: "2020-12-26".parse().unwrap(),
            is_yearly: true,
            name: "Christmas".to_owned(),
        }],
    };
    let span = ("2026-12-24T00:00Z", "2026-12-28T00:00Z");
    let mut off = roster(&wanted);
    off.set_calendars([calendar.clone()]);
    assert_eq!(
        plan(&off, span.0, span.1),
        ["2026-12-24T00:00:00Z a", "2026-12-24T23:00:00Z -", "2026-12-26T23:00:00Z a"]
    );
    wanted.layers[0].holiday_mode = HolidayMode::MembersOf(Arc::from("holiday"));
    let mut other = layer("holiday", "h i", every(1, Unit::Days), "2026-11-09T12:00");
    other.windows = vec![window(&["wed"], "00:00", "00:01")];
    wanted.layers.push(other);
    let mut stands_in = roster(&wanted);
    stands_in.set_calendars([calendar]);
    assert_eq!(
        plan(&stands_in, span.0, span.1),
        [
            "2026-12-24T00:00:00Z a",
            "2026-12-24T23:00:00Z i",
            "2026-12-25T11:00:00Z h",
            "2026-12-26T11:00:00Z i",
            "2026-12-26T23:00:00Z a",
        ]
    );
}

#[test]
fn fair_turns_go_to_who_had_least_and_a_missed_turn_is_not_owed() {
    let mut wanted = weekly("a b c");
    wanted.layers[0].mode = Mode::Fair;
    wanted.layers[0].cadence = Cadence::Alternating {
        lengths: vec![Length { count: 5, unit: Unit::Days }, Length { count: 2, unit: Unit::Days }],
    };
    let mut roster = roster(&wanted);
    let names = |roster: &Roster| -> String {
        let lines = plan(roster, "2026-11-09T09:00Z", "2026-12-21T00:00Z");
        lines.iter().filter_map(|line| line.split(' ').nth(1)).collect::<Vec<_>>().join("")
    };
    // a 5, b 2, c 5, b 2 -> b again has least, then everybody evens out.
    assert!(names(&roster).starts_with("abcb"), "{}", names(&roster));
    roster.insert_absence(away("b", "2026-11-13T00:00Z", "2026-12-05T00:00Z"));
    let without_b = names(&roster);
    assert!(without_b.starts_with("ac"), "{without_b}");
    // Back in December, b gets a turn at once, and not several to make up for it.
    let lines = plan(&roster, "2026-12-05T00:00Z", "2026-12-21T09:00Z");
    assert_eq!(lines.iter().filter(|line| line.ends_with(" b")).count(), 1, "{lines:?}");
}

#[test]
fn rules_of_the_rfc_count_in_their_own_words() {
    let rule = |text: &str, hours: u32| {
        let length = Length { count: hours, unit: Unit::Hours };
        let cadence = Cadence::rule(text, length).unwrap();
        spec("UTC", vec![layer("main", "a b", cadence, "2026-11-09T09:00")])
    };
    // The occurrence equal to UNTIL is included, and its shift completes.
    assert_eq!(
        plan(
            &roster(&rule("FREQ=DAILY;UNTIL=20261110T090000Z", 12)),
            "2026-11-09T09:00Z",
            "2026-11-12T09:00Z"
        ),
        [
            "2026-11-09T09:00:00Z a",
            "2026-11-09T21:00:00Z -",
            "2026-11-10T09:00:00Z b",
            "2026-11-10T21:00:00Z -"
        ]
    );
    assert_eq!(
        plan(&roster(&rule("FREQ=DAILY;COUNT=3", 24)), "2026-11-09T09:00Z", "2026-11-20T09:00Z")
            .len(),
        4
    );
    // The last working day of the month.
    let last = rule("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", 24);
    assert_eq!(
        plan(&roster(&last), "2026-11-29T00:00Z", "2027-01-01T00:00Z"),
        [
            "2026-11-29T00:00:00Z -",
            "2026-11-30T09:00:00Z a",
            "2026-12-01T09:00:00Z -",
            "2026-12-31T09:00:00Z b"
        ]
    );
    // Left out as instants; the turn passes on to the next occurrence.
    let mut except = rule("FREQ=DAILY", 24);
    if let Cadence::Rule { except, .. } = &mut except.layers[0].cadence {
        except.push(at("2026-11-10T10:00:00+01:00"));
    }
    assert_eq!(
        plan(&roster(&except), "2026-11-09T09:00Z", "2026-11-12T09:00Z"),
        ["2026-11-09T09:00:00Z a", "2026-11-10T09:00:00Z -", "2026-11-11T09:00:00Z b",]
    );
}

#[test]
fn what_is_too_dense_or_makes_no_sense_is_refused() {
    let check = |change: &dyn Fn(&mut ScheduleSpec)| {
        let mut it = weekly("a b");
        change(&mut it);
        it.check()
    };
    assert!(check(&|_| {}).is_ok());
    let length = Length { count: 1, unit: Unit::Hours };
    let dense = Cadence::rule("FREQ=MINUTELY;INTERVAL=5", length).unwrap();
    assert!(Cadence::rule("FREQ=SECONDLY", length).is_err());
    let refused: [&dyn Fn(&mut ScheduleSpec); 7] = [
        &|it| it.layers[0].cadence = dense.clone(),
        &|it| it.layers[0].cadence = every(0, Unit::Days),
        &|it| it.layers[0].per_shift = 0,
        &|it| it.layers.push(it.layers[0].clone()),
        &|it| it.name = Arc::from(" web"),
        &|it| it.fallback = Fallback::Schedule(Arc::from("web")),
        &|it| it.layers[0].holiday_mode = HolidayMode::MembersOf(Arc::from("nobody")),
    ];
    for (place, change) in refused.into_iter().enumerate() {
        assert!(matches!(check(change), Err(OnCallRejection::Invalid { .. })), "{place}");
    }
}

#[test]
fn before_the_first_record_nothing_is_made_up() {
    let mut entry = entry(&weekly("a b"));
    entry.schedule.recorded_since = at("2026-11-10T00:00Z");
    let mut roster = Roster::default();
    roster.insert(entry);
    let (from, to) = (at("2026-11-01T00:00Z"), at("2026-11-20T00:00Z"));
    let view = roster.final_view("web", from, to, at("2026-11-12T00:00Z")).unwrap();
    assert_eq!(view.segments.first().unwrap().from, at("2026-11-10T00:00Z"));
    assert!(view.warnings.iter().any(|it| it.code == WarningCode::BeforeRecords));
    // Nothing was recorded since: nobody is known to have been on call.
    assert!(view.segments[0].people().is_empty());
    assert_eq!(view.segments[1].people(), [who("a")]);
}
