//! Local times and the instants they mean, computed by an independent implementation of the rules.

use jiff::Timestamp;
use jiff::civil::DateTime;
use tocsin_core::oncall::{Cadence, Length, Unit};

use crate::support::{at, every, layer, plan, roster, spec, window, zone};

/// Zone, local time, instant where something begins, what the clock shows then.
///
/// Computed with tzdata 2025b, but for Casablanca: since then Morocco gave up changing its clocks
/// in September 2026, so its row is the last Ramadan before.
const FIRST: &[(&str, &str, &str, &str)] = &[
    ("America/Chicago", "2027-03-13T02:30", "2027-03-13T08:30Z", "2027-03-13T02:30"),
    ("America/Chicago", "2027-03-14T02:30", "2027-03-14T08:00Z", "2027-03-14T03:00"),
    ("America/Chicago", "2027-03-15T02:30", "2027-03-15T07:30Z", "2027-03-15T02:30"),
    ("America/Chicago", "2026-11-01T01:30", "2026-11-01T06:30Z", "2026-11-01T01:30"),
    ("Europe/Berlin", "2027-03-28T02:30", "2027-03-28T01:00Z", "2027-03-28T03:00"),
    ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30Z", "2026-10-25T02:30"),
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30Z", "2026-10-04T02:30"),
    ("Australia/Lord_Howe", "2027-04-04T01:45", "2027-04-03T14:45Z", "2027-04-04T01:45"),
    ("Africa/Cairo", "2027-04-30T00:00", "2027-04-29T22:00Z", "2027-04-30T01:00"),
    ("America/Santiago", "2026-09-06T00:00", "2026-09-06T04:00Z", "2026-09-06T01:00"),
    ("Asia/Beirut", "2027-03-28T00:00", "2027-03-27T22:00Z", "2027-03-28T01:00"),
    ("Pacific/Chatham", "2026-09-27T02:50", "2026-09-26T14:00Z", "2026-09-27T03:45"),
    ("Pacific/Apia", "2011-12-30T09:00", "2011-12-30T10:00Z", "2011-12-31T00:00"),
    ("Africa/Casablanca", "2026-02-15T02:30", "2026-02-15T01:30Z", "2026-02-15T02:30"),
    ("Asia/Kathmandu", "2027-01-04T09:00", "2027-01-04T03:15Z", "2027-01-04T09:00"),
];

/// Zone, local time, instant where something ends.
const LAST: &[(&str, &str, &str)] = &[
    ("America/Chicago", "2026-11-01T01:30", "2026-11-01T07:30Z"),
    ("Africa/Casablanca", "2026-02-15T02:30", "2026-02-15T02:30Z"),
];

fn local(text: &str) -> DateTime {
    text.parse().unwrap()
}

#[test]
fn a_local_time_means_its_first_instant_where_something_begins() {
    for (name, wall, instant, shown) in FIRST {
        let zone = zone(name);
        assert_eq!(zone.first(local(wall)), at(instant), "{name} {wall}");
        assert_eq!(zone.local(at(instant)), local(shown), "{name} {wall}");
    }
}

#[test]
fn a_local_time_means_its_last_instant_where_something_ends() {
    for (name, wall, instant) in LAST {
        assert_eq!(zone(name).last(local(wall)), at(instant), "{name} {wall}");
    }
}

/// Returns the first `count` handoffs from `from` on.
fn handoffs(
    name: &str,
    cadence: Cadence,
    anchor: &str,
    from: &str,
    count: usize,
) -> Vec<Timestamp> {
    let roster = roster(&spec(name, vec![layer("main", "a b c", cadence, anchor)]));
    let from = at(from);
    let to = from.checked_add(jiff::SignedDuration::from_hours(24 * 3_000)).unwrap();
    let view = roster.final_view("web", from, to, from).unwrap();
    view.segments.iter().map(|it| it.from).filter(|it| *it >= from).take(count).collect()
}

fn instants(texts: &[&str]) -> Vec<Timestamp> {
    texts.iter().map(|text| at(text)).collect()
}

fn hours_between(handoffs: &[Timestamp]) -> Vec<f64> {
    handoffs
        .windows(2)
        .map(|pair| pair[1].duration_since(pair[0]).as_secs_f64() / 3_600.0)
        .collect()
}

#[test]
fn chicago_daily_shifts_around_the_gap_last_half_an_hour_less() {
    let found = handoffs(
        "America/Chicago",
        every(1, Unit::Days),
        "2027-03-01T02:30",
        "2027-03-13T08:30Z",
        3,
    );
    assert_eq!(found, instants(&["2027-03-13T08:30Z", "2027-03-14T08:00Z", "2027-03-15T07:30Z"]));
    assert_eq!(hours_between(&found), [23.5, 23.5]);
}

#[test]
fn chicago_daily_shifts_around_the_overlap_last_24_and_25_hours() {
    let found = handoffs(
        "America/Chicago",
        every(1, Unit::Days),
        "2026-10-01T01:30",
        "2026-10-31T06:30Z",
        3,
    );
    assert_eq!(hours_between(&found), [24.0, 25.0]);
    assert_eq!(found[1], at("2026-11-01T06:30Z"));
}

#[test]
fn a_window_covers_both_copies_of_a_repeated_time_and_nothing_of_a_missing_one() {
    let mut main = layer("main", "a", Cadence::WEEKLY, "2026-01-01T00:00");
    main.windows = vec![window(&[], "01:15", "01:45"), window(&[], "02:10", "02:50")];
    let roster = roster(&spec("America/Chicago", vec![main]));
    assert_eq!(
        plan(&roster, "2026-11-01T05:00Z", "2026-11-01T08:05Z"),
        ["2026-11-01T05:00:00Z -", "2026-11-01T06:15:00Z a", "2026-11-01T07:45:00Z -",]
    );
    // On the day of the gap only the first window is there.
    assert_eq!(
        plan(&roster, "2027-03-14T06:00Z", "2027-03-14T12:00Z"),
        ["2027-03-14T06:00:00Z -", "2027-03-14T07:15:00Z a", "2027-03-14T07:45:00Z -",]
    );
}

#[test]
fn chicago_weeks_last_167_and_169_hours_around_the_changes() {
    let weekly =
        |from, count| handoffs("America/Chicago", Cadence::WEEKLY, "2026-01-05T09:00", from, count);
    let spring = weekly("2027-03-08T15:00Z", 2);
    assert_eq!(spring, instants(&["2027-03-08T15:00Z", "2027-03-15T14:00Z"]));
    assert_eq!(hours_between(&spring), [167.0]);
    let autumn = weekly("2026-10-26T14:00Z", 2);
    assert_eq!(autumn, instants(&["2026-10-26T14:00Z", "2026-11-02T15:00Z"]));
    assert_eq!(hours_between(&autumn), [169.0]);
}

#[test]
fn chicago_nights_last_7_and_9_hours_around_the_changes() {
    let mut main = layer("main", "a", Cadence::WEEKLY, "2026-01-01T00:00");
    main.windows = vec![window(&[], "22:00", "06:00")];
    let roster = roster(&spec("America/Chicago", vec![main]));
    assert_eq!(
        plan(&roster, "2027-03-14T03:00Z", "2027-03-14T12:00Z"),
        ["2027-03-14T03:00:00Z -", "2027-03-14T04:00:00Z a", "2027-03-14T11:00:00Z -"]
    );
    assert_eq!(
        plan(&roster, "2026-11-01T02:00Z", "2026-11-01T13:00Z"),
        ["2026-11-01T02:00:00Z -", "2026-11-01T03:00:00Z a", "2026-11-01T12:00:00Z -"]
    );
}

#[test]
fn chicago_half_days_keep_eight_and_twenty_o_clock() {
    let found = handoffs(
        "America/Chicago",
        every(12, Unit::Hours),
        "2027-03-01T08:00",
        "2027-03-14T02:00Z",
        3,
    );
    assert_eq!(found, instants(&["2027-03-14T02:00Z", "2027-03-14T13:00Z", "2027-03-15T01:00Z"]));
}

#[test]
fn two_handoffs_in_a_missing_day_collapse_to_the_later_member() {
    let roster = roster(&spec(
        "Pacific/Apia",
        vec![layer("main", "a b c d", every(12, Unit::Hours), "2011-12-29T09:00")],
    ));
    // 29th 09:00 a, 21:00 b; the 30th (c, d) is missing and its last handoff counts; 31st 09:00 a.
    assert_eq!(
        plan(&roster, "2011-12-29T19:00Z", "2011-12-31T00:00Z"),
        [
            "2011-12-29T19:00:00Z a",
            "2011-12-30T07:00:00Z b",
            "2011-12-30T10:00:00Z d",
            "2011-12-30T19:00:00Z a"
        ]
    );
}

#[test]
fn months_are_clamped_from_the_day_of_the_first_handoff() {
    let zone = zone("UTC");
    let found =
        handoffs("UTC", every(1, Unit::Months), "2027-01-31T00:00", "2027-01-31T00:00Z", 14);
    let days: Vec<i8> = found.iter().map(|it| zone.local(*it).day()).collect();
    assert_eq!(days, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29]);
    let yearly =
        handoffs("UTC", every(12, Unit::Months), "2028-02-29T00:00", "2028-02-29T00:00Z", 5);
    assert_eq!(
        yearly,
        instants(&[
            "2028-02-29T00:00Z",
            "2029-02-28T00:00Z",
            "2030-02-28T00:00Z",
            "2031-02-28T00:00Z",
            "2032-02-29T00:00Z"
        ])
    );
}

#[test]
fn hours_that_divide_a_day_follow_the_clock_as_goalert_counts_them() {
    let hourly = |anchor, from, count| {
        handoffs("America/Chicago", every(1, Unit::Hours), anchor, from, count)
    };
    // 01:00 CST, then 03:00 CDT an hour later.
    assert_eq!(
        hourly("2027-03-01T00:00", "2027-03-14T07:00Z", 2),
        instants(&["2027-03-14T07:00Z", "2027-03-14T08:00Z"])
    );
    // 01:30, then the missing 02:30 at 03:00, then 03:30: a shift of half an hour.
    assert_eq!(
        hourly("2027-03-01T00:30", "2027-03-14T07:30Z", 3),
        instants(&["2027-03-14T07:30Z", "2027-03-14T08:00Z", "2027-03-14T08:30Z"])
    );
    // 01:00 CDT to 02:00 CST is one shift of two hours.
    assert_eq!(
        hourly("2026-10-01T00:00", "2026-11-01T06:00Z", 2),
        instants(&["2026-11-01T06:00Z", "2026-11-01T08:00Z"])
    );
    // 24 hours are a day.
    let daily = |unit, count| {
        handoffs("America/Chicago", every(count, unit), "2027-03-01T09:00", "2027-03-12T15:00Z", 5)
    };
    assert_eq!(daily(Unit::Hours, 24), daily(Unit::Days, 1));
    // Five hours are five hours.
    let five = handoffs(
        "America/Chicago",
        every(5, Unit::Hours),
        "2027-03-14T00:00",
        "2027-03-14T06:00Z",
        4,
    );
    assert_eq!(hours_between(&five), [5.0, 5.0, 5.0]);
}

#[test]
fn lengths_that_alternate_keep_the_clock() {
    let lengths =
        vec![Length { count: 5, unit: Unit::Days }, Length { count: 2, unit: Unit::Days }];
    let found = handoffs(
        "Europe/Berlin",
        Cadence::Alternating { lengths },
        "2026-01-05T09:00",
        "2027-03-26T08:00Z",
        4,
    );
    // Friday is the middle of five days; Saturday, Monday, Saturday follow.
    assert_eq!(
        found,
        instants(&[
            "2027-03-26T08:00Z",
            "2027-03-27T08:00Z",
            "2027-03-29T07:00Z",
            "2027-04-03T07:00Z"
        ])
    );
}
