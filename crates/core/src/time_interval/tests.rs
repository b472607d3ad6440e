use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZone {
    time_zone(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Builds an interval from the words of the configuration file.
fn interval(zone_name: &str, parts: &[(&str, &str)]) -> TimeInterval {
    let mut interval = TimeInterval::always(zone(zone_name));
    for (kind, text) in parts {
        match *kind {
            "times" => {
                let (start, end) = text.split_once('-').unwrap();
                interval.times.push(parse_times(start, end).unwrap());
            }
            "weekdays" => interval.weekdays.push(parse_weekdays(text).unwrap()),
            "days" => interval.days_of_month.push(parse_days_of_month(text).unwrap()),
            "months" => interval.months.push(parse_months(text).unwrap()),
            "years" => interval.years.push(parse_years(text).unwrap()),
            other => panic!("{other}"),
        }
    }
    interval
}

#[test]
fn an_interval_without_conditions_contains_every_instant_and_never_changes() {
    let always = TimeInterval::default();
    for instant in [Timestamp::MIN, at("2026-03-29T01:00:00Z"), Timestamp::MAX] {
        assert!(always.contains(instant));
        assert_eq!(next_change(std::slice::from_ref(&always), instant), None);
        assert_eq!(next_change(&[], instant), None);
    }
    assert_eq!(
        next_change(&[TimeInterval::always(zone("Europe/Berlin"))], at("2026-03-01T00:00:00Z")),
        None
    );
}

#[test]
fn every_field_that_is_set_must_hold() {
    let office = interval(
        "UTC",
        &[
            ("times", "09:00-17:00"),
            ("weekdays", "monday:friday"),
            ("months", "march"),
            ("years", "2026"),
        ],
    );
    for (instant, expected) in [
        ("2026-03-02T09:00:00Z", true),
        ("2026-03-02T16:59:59Z", true),
        ("2026-03-02T17:00:00Z", false),
        ("2026-03-02T08:59:59Z", false),
        ("2026-03-01T09:00:00Z", false),
        ("2026-04-01T09:00:00Z", false),
        ("2027-03-01T09:00:00Z", false),
    ] {
        assert_eq!(office.contains(at(instant)), expected, "{instant}");
    }
}

#[test]
fn a_day_ends_at_twenty_four_hundred() {
    let late = interval("UTC", &[("times", "22:00-24:00")]);
    assert!(late.contains(at("2026-03-02T23:59:59Z")));
    assert!(!late.contains(at("2026-03-03T00:00:00Z")));
    assert_eq!(next_change(&[late], at("2026-03-02T22:30:10Z")), Some(at("2026-03-03T00:00:00Z")));
}

#[test]
fn days_of_the_month_are_clamped_to_its_length() {
    let holds = |text: &str, day: &str| {
        interval("UTC", &[("days", text)]).contains(at(&format!("{day}T12:00:00Z")))
    };
    assert!(holds("-1", "2026-02-28") && !holds("-1", "2026-02-27"));
    assert!(holds("-1", "2028-02-29") && holds("-3:-1", "2026-04-28"));
    assert!(!holds("31", "2026-04-30"), "a month without a 31st is left out");
    assert!(holds("29:31", "2026-04-30") && !holds("29:31", "2026-02-28"));
    assert!(holds("-31:-1", "2026-02-01"));
    assert!(!holds("-31:-29", "2026-02-01"), "February has no such days");
    assert!(holds("5:-3", "2026-02-26") && !holds("5:-3", "2026-02-27"));
}

#[test]
fn local_time_is_read_through_changes_of_clocks() {
    // 02:00 to 03:00 is left out on 29 March and lived twice on 25 October.
    let night = interval("Europe/Berlin", &[("times", "02:00-03:00")]);
    assert!(!night.contains(at("2026-03-29T00:59:00Z")));
    assert!(!night.contains(at("2026-03-29T01:00:00Z")));
    assert_eq!(
        next_change(std::slice::from_ref(&night), at("2026-03-28T03:00:00Z")),
        Some(at("2026-03-30T00:00:00Z"))
    );
    let begin = at("2026-10-25T00:00:00Z");
    assert!(night.contains(begin) && night.contains(at("2026-10-25T01:59:59Z")));
    assert_eq!(next_change(std::slice::from_ref(&night), begin), Some(at("2026-10-25T02:00:00Z")));
    // Part of the repeated hour comes, goes and comes again.
    let quarter = [interval("Europe/Berlin", &[("times", "02:15-02:45")])];
    let mut changes = Vec::new();
    let mut now = begin;
    for _ in 0..4 {
        now = next_change(&quarter, now).unwrap();
        changes.push(now);
    }
    assert_eq!(
        changes,
        [
            "2026-10-25T00:15:00Z",
            "2026-10-25T00:45:00Z",
            "2026-10-25T01:15:00Z",
            "2026-10-25T01:45:00Z",
        ]
        .map(at)
    );
    // A range that begins in the gap begins where the gap ends.
    let early = [interval("America/New_York", &[("times", "02:30-04:00")])];
    assert_eq!(next_change(&early, at("2026-03-08T05:00:00Z")), Some(at("2026-03-08T07:00:00Z")));
}

#[test]
fn distant_changes_are_found_within_the_horizon_only() {
    let leap_day = [interval("Europe/Berlin", &[("months", "2"), ("days", "29")])];
    assert_eq!(
        next_change(&leap_day, at("2027-03-01T12:34:56Z")),
        Some(at("2028-02-28T23:00:00Z"))
    );
    assert_eq!(next_change(&leap_day, at("2026-03-01T00:00:00Z")), None);
    let new_year = [interval("Pacific/Auckland", &[("years", "2027")])];
    assert_eq!(
        next_change(&new_year, at("2026-01-05T00:00:00Z")),
        Some(at("2026-12-31T11:00:00Z"))
    );
    assert_eq!(next_change(&new_year, Timestamp::MAX), None);
}

#[test]
fn adjoining_intervals_are_one() {
    let halves = [
        interval("UTC", &[("times", "00:00-12:00"), ("weekdays", "monday")]),
        interval("UTC", &[("times", "12:00-24:00"), ("weekdays", "monday")]),
        interval("UTC", &[("weekdays", "tuesday")]),
    ];
    assert_eq!(next_change(&halves, at("2026-03-02T00:00:00Z")), Some(at("2026-03-04T00:00:00Z")));
}

#[test]
fn a_day_that_a_zone_left_out_is_not_looked_for() {
    // Samoa went from 29 to 31 December 2011.
    let days = [interval("Pacific/Apia", &[("days", "30:31"), ("months", "december")])];
    assert_eq!(next_change(&days, at("2011-12-29T12:00:00Z")), Some(at("2011-12-30T10:00:00Z")));
}

/// What `next_change` must find, by looking at every minute of some days.
fn next_change_by_minutes(
    intervals: &[TimeInterval],
    from: Timestamp,
    days: i64,
) -> Option<Timestamp> {
    let contains = |at| intervals.iter().any(|interval| interval.contains(at));
    let first = from.as_second().div_euclid(60) + 1;
    (first..=first + days * 24 * 60)
        .map(|minute| Timestamp::from_second(minute * 60).unwrap())
        .find(|minute| contains(*minute) != contains(from))
}

fn any_days(low: i16, high: i16) -> impl Strategy<Value = Vec<DayRange>> {
    let range =
        (low..=high, low..=high).prop_map(|(a, b)| DayRange { start: a.min(b), end: a.max(b) });
    prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(range, 1..3)]
}

fn any_interval() -> impl Strategy<Value = TimeInterval> {
    let minute =
        prop_oneof![0_u16..=1440, (0_u16..=96).prop_map(|quarter| quarter * 15), 0_u16..240];
    let times = (minute.clone(), minute).prop_filter_map("a range", |(a, b)| {
        (a != b).then(|| MinuteRange { start: a.min(b), end: a.max(b) })
    });
    let times = prop_oneof![Just(Vec::new()), proptest::collection::vec(times, 1..4)];
    let negative = any_days(-31, -1);
    let days = prop_oneof![any_days(1, 31), negative];
    let zones = proptest::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "America/Santiago",
        "Asia/Kathmandu",
        "+13:45",
    ]);
    (times, any_days(0, 6), days, any_days(1, 12), any_days(2025, 2028), zones).prop_map(
        |(times, weekdays, days_of_month, months, years, zone_name)| TimeInterval {
            times,
            weekdays,
            days_of_month,
            months,
            years,
            zone: zone(zone_name),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn the_next_change_is_the_one_that_a_look_at_every_minute_finds(
        intervals in proptest::collection::vec(any_interval(), 1..4),
        // The days around which clocks change, and any others.
        day in prop_oneof![
            proptest::sample::select(vec![
                "2026-03-07", "2026-03-28", "2026-04-04", "2026-04-23", "2026-09-05", "2026-10-03",
                "2026-10-24", "2026-10-29", "2026-10-31", "2026-12-30", "2028-02-27",
            ]).prop_map(|day| at(&format!("{day}T00:00:00Z"))),
            (0_i64..1000).prop_map(|day| Timestamp::from_second(1_767_225_600 + day * 86_400).unwrap()),
        ],
        second in 0_i64..86_400,
    ) {
        const DAYS: i64 = 4;
        let from = day + SignedDuration::from_secs(second);
        let found = next_change(&intervals, from);
        let expected = next_change_by_minutes(&intervals, from, DAYS);
        match expected {
            Some(_) => prop_assert_eq!(found, expected),
            // Nothing changes in these days, so what was found must lie beyond them and be real.
            None => if let Some(found) = found {
                prop_assert!(found > from + SignedDuration::from_hours(24 * DAYS));
                let contains = |at| intervals.iter().any(|interval| interval.contains(at));
                prop_assert_ne!(contains(found), contains(from));
                prop_assert_eq!(contains(found - SignedDuration::from_mins(1)), contains(from));
            },
        }
    }
}
