use super::*;
use crate::matcher::Matcher;
use crate::rows::MaintenanceRow;
use crate::time_interval::time_zone;

fn window(zone: &str, starts_at: &str, minutes: i64, rule: Option<&str>) -> MaintenanceWindow {
    MaintenanceWindow {
        name: "db".into(),
        matchers: Matchers::new(vec![Matcher::equal("service", "db")]),
        starts_at: starts_at.parse().unwrap(),
        duration: SignedDuration::from_mins(minutes),
        zone: time_zone(zone).unwrap(),
        recurrence: rule.map(|rule| Recurrence::new(rule).unwrap()),
        comment: "patch night".to_owned(),
        created_by: "ops".to_owned(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The starts of the next `count` occurrences after `from`, each looked at from within as well.
fn next_starts(window: &MaintenanceWindow, from: &str, count: usize) -> Vec<String> {
    let mut now = at(from);
    let mut starts = Vec::new();
    while let Some(next) = window.next_occurrence(now).filter(|_| starts.len() < count) {
        assert_eq!(next.ends_at.duration_since(next.starts_at), window.duration);
        assert_eq!(window.occurrence_at(next.starts_at), Some(next));
        let last = next.ends_at - SignedDuration::from_nanos(1);
        assert!(window.occurrence_at(last).is_some_and(|it| it.starts_at >= next.starts_at));
        starts.push(next.starts_at.to_string());
        now = next.starts_at;
    }
    starts
}

#[test]
fn a_window_without_a_rule_occurs_once() {
    let once = window("Europe/Berlin", "2026-06-01T22:00:00", 90, None);
    let occurrence =
        Occurrence { starts_at: at("2026-06-01T20:00:00Z"), ends_at: at("2026-06-01T21:30:00Z") };
    assert_eq!(once.next_occurrence(at("2020-01-01T00:00:00Z")), Some(occurrence));
    assert_eq!(once.next_occurrence(occurrence.starts_at), None);
    assert_eq!(once.occurrence_at(at("2026-06-01T19:59:59Z")), None);
    assert_eq!(once.occurrence_at(occurrence.starts_at), Some(occurrence));
    assert_eq!(once.occurrence_at(at("2026-06-01T21:29:59Z")), Some(occurrence));
    assert_eq!(once.occurrence_at(occurrence.ends_at), None);
}

#[test]
fn a_weekly_window_stays_at_its_local_time_when_clocks_change() {
    let berlin = window("Europe/Berlin", "2026-10-11T04:00:00", 60, Some("FREQ=WEEKLY;BYDAY=SU"));
    assert_eq!(
        next_starts(&berlin, "2026-10-11T00:00:00Z", 4),
        [
            "2026-10-11T02:00:00Z",
            "2026-10-18T02:00:00Z",
            "2026-10-25T03:00:00Z",
            "2026-11-01T03:00:00Z"
        ]
    );
    let new_york = window("America/New_York", "2026-02-22T09:00:00", 60, Some("FREQ=WEEKLY"));
    assert_eq!(
        next_starts(&new_york, "2026-02-28T00:00:00Z", 3),
        ["2026-03-01T14:00:00Z", "2026-03-08T13:00:00Z", "2026-03-15T13:00:00Z"]
    );
}

#[test]
fn a_start_in_the_gap_moves_on_and_a_repeated_one_occurs_once() {
    for (zone, gap, fold) in [
        (
            "Europe/Berlin",
            (
                "2026-03-27T12:00:00Z",
                ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"],
            ),
            (
                "2026-10-24T12:00:00Z",
                ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"],
            ),
        ),
        (
            "America/New_York",
            (
                "2026-03-06T12:00:00Z",
                ["2026-03-07T07:30:00Z", "2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z"],
            ),
            (
                "2026-10-30T12:00:00Z",
                ["2026-10-31T06:30:00Z", "2026-11-01T07:30:00Z", "2026-11-02T07:30:00Z"],
            ),
        ),
    ] {
        let nightly = window(zone, "2020-01-01T02:30:00", 20, Some("FREQ=DAILY"));
        assert_eq!(next_starts(&nightly, gap.0, 3), gap.1, "{zone}");
        // New York repeats the hour from one to two, so half past two is not repeated there.
        assert_eq!(next_starts(&nightly, fold.0, 3), fold.1, "{zone}");
    }
    let nightly = window("America/New_York", "2020-01-01T01:30:00", 20, Some("FREQ=DAILY"));
    assert_eq!(
        next_starts(&nightly, "2026-10-31T12:00:00Z", 2),
        ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]
    );
    assert_eq!(nightly.occurrence_at(at("2026-11-01T06:35:00Z")), None, "the second half past one");
}

#[test]
fn the_length_is_elapsed_time() {
    let night = window("Europe/Berlin", "2026-03-28T22:00:00", 8 * 60, Some("FREQ=DAILY;COUNT=1"));
    let occurrence = night.occurrence_at(at("2026-03-29T03:00:00Z")).unwrap();
    assert_eq!(occurrence.ends_at, at("2026-03-29T05:00:00Z"), "07:00, not 06:00, by the clock");
}

#[test]
fn starts_around_a_gap_come_in_the_order_of_instants() {
    let often =
        window("Europe/Berlin", "2026-03-01T00:00:00", 5, Some("FREQ=MINUTELY;INTERVAL=25"));
    // 02:10 and 02:35 are left out, so they happen an hour later, between the others.
    assert_eq!(
        next_starts(&often, "2026-03-29T00:00:00Z", 8),
        ["00:20", "00:45", "01:00", "01:10", "01:25", "01:35", "01:50", "02:15"]
            .map(|time| format!("2026-03-29T{time}:00Z"))
    );
    let covering = often.occurrence_at(at("2026-03-29T01:12:00Z")).unwrap();
    assert_eq!(covering.starts_at, at("2026-03-29T01:10:00Z"));
}

#[test]
fn count_and_until_end_a_window() {
    let counted = window("UTC", "2026-01-05T01:00:00", 60, Some("FREQ=WEEKLY;COUNT=3"));
    let expected = ["2026-01-05T01:00:00Z", "2026-01-12T01:00:00Z", "2026-01-19T01:00:00Z"];
    assert_eq!(next_starts(&counted, "2025-01-01T00:00:00Z", 9), expected);
    assert_eq!(counted.next_occurrence(at("2026-01-19T01:00:00Z")), None);
    assert!(counted.occurrence_at(at("2026-01-19T01:30:00Z")).is_some());
    assert_eq!(counted.occurrence_at(at("2026-01-26T01:30:00Z")), None);
    for until in ["20260119", "20260119T020000", "20260119T010000Z"] {
        let rule = format!("FREQ=WEEKLY;UNTIL={until}");
        let ending = window("Europe/Berlin", "2026-01-05T02:00:00", 60, Some(&rule));
        assert_eq!(next_starts(&ending, "2025-01-01T00:00:00Z", 9), expected, "{until}");
        assert_eq!(ending.occurrence_at(at("2026-01-26T01:30:00Z")), None);
    }
    let short = window(
        "Europe/Berlin",
        "2026-01-05T02:00:00",
        60,
        Some("FREQ=WEEKLY;UNTIL=20260119T005959Z"),
    );
    assert_eq!(next_starts(&short, "2025-01-01T00:00:00Z", 9), expected[..2]);
    // Every second of three is the first and the third.
    let other = window("UTC", "2026-01-05T01:00:00", 60, Some("FREQ=WEEKLY;INTERVAL=2;COUNT=2"));
    assert_eq!(next_starts(&other, "2025-01-01T00:00:00Z", 9), [expected[0], expected[2]]);
}

#[test]
fn of_overlapping_occurrences_the_last_one_covers() {
    let overlapping = window("UTC", "2026-01-01T00:00:00", 3 * 60, Some("FREQ=HOURLY"));
    let covering = overlapping.occurrence_at(at("2026-05-05T05:30:00Z")).unwrap();
    assert_eq!(covering.starts_at, at("2026-05-05T05:00:00Z"));
    let gaps = window("UTC", "2026-01-01T00:00:00", 3 * 60, Some("FREQ=DAILY;BYHOUR=0,1"));
    let covering = gaps.occurrence_at(at("2026-05-05T03:30:00Z")).unwrap();
    assert_eq!(covering.ends_at, at("2026-05-05T04:00:00Z"));
    assert_eq!(gaps.occurrence_at(at("2026-05-05T04:00:00Z")), None);
}

#[test]
fn the_first_start_is_an_occurrence_only_if_the_rule_names_it() {
    let sundays = window("UTC", "2026-06-03T01:00:00", 60, Some("FREQ=WEEKLY;BYDAY=SU"));
    assert_eq!(sundays.occurrence_at(at("2026-06-03T01:30:00Z")), None);
    assert_eq!(next_starts(&sundays, "2026-01-01T00:00:00Z", 1), ["2026-06-07T01:00:00Z"]);
}

#[test]
fn windows_that_began_long_ago_answer_quickly() {
    let now = at("2026-10-25T00:30:00Z");
    for (rule, is_covered, next) in [
        ("FREQ=DAILY", true, Some("2026-10-26T01:30:00Z")),
        ("FREQ=HOURLY", true, Some("2026-10-25T02:30:00Z")),
        ("FREQ=MINUTELY;INTERVAL=10", true, Some("2026-10-25T00:40:00Z")),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", false, Some("2028-02-29T01:30:00Z")),
        ("FREQ=HOURLY;COUNT=10000", false, None),
        ("FREQ=DAILY;COUNT=10000", false, None),
        ("FREQ=DAILY;INTERVAL=2;COUNT=10000", false, Some("2026-10-26T01:30:00Z")),
        ("FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=29;BYDAY=TU", false, Some("2028-02-28T23:00:00Z")),
        ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU", false, Some("2027-01-03T01:30:00Z")),
        ("FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29", false, None),
    ] {
        let old = window("Europe/Berlin", "1989-01-01T02:30:00", 30, Some(rule));
        assert_eq!(old.occurrence_at(now).is_some(), is_covered, "{rule}");
        let found = old.next_occurrence(now).map(|next| next.starts_at.to_string());
        assert_eq!(found.as_deref(), next, "{rule}");
    }
}

#[test]
fn rules_that_cannot_be_are_refused_with_what_is_wrong() {
    for (rule, message) in [
        ("", "`` is not of the form NAME=VALUE"),
        ("INTERVAL=2", "the part FREQ is missing"),
        ("FREQ=OFTEN", "FREQ is `OFTEN`, not YEARLY"),
        ("FREQ=SECONDLY", "FREQ=SECONDLY is not supported"),
        ("FREQ=DAILY;", "`` is not of the form NAME=VALUE"),
        ("FREQ=DAILY;FREQ=DAILY", "the part FREQ is there twice"),
        ("FREQ=DAILY;BYWEEK=1", "there is no part `BYWEEK`; there are FREQ, INTERVAL"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is `0`, not a number from 1 to 10000"),
        ("FREQ=DAILY;COUNT=10001", "COUNT is `10001`, not a number from 1 to 10000"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "COUNT and UNTIL exclude each other"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL is `TOMORROW`, not of the form 20270131"),
        ("FREQ=DAILY;UNTIL=20270230", "UNTIL is `20270230`"),
        ("FREQ=DAILY;UNTIL=20270131Z", "UNTIL is `20270131Z`"),
        ("FREQ=DAILY;UNTIL=20270131T250000", "UNTIL is `20270131T250000`"),
        ("FREQ=DAILY;UNTIL=2027013é", "UNTIL is `2027013é`"),
        ("FREQ=DAILY;WKST=1", "WKST is `1`, not a day such as MO"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY is `XX`, not a day such as MO, 1MO or -1FR"),
        ("FREQ=MONTHLY;BYDAY=XXMO", "BYDAY is `XXMO`"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY is `0MO`"),
        ("FREQ=MONTHLY;BYDAY=é", "BYDAY is `é`"),
        ("FREQ=MONTHLY;BYDAY=6MO", "a month has at most 5 of each day of the week"),
        ("FREQ=WEEKLY;BYDAY=1MO", "a number before a day of BYDAY goes with"),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", "does not go with BYWEEKNO"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO goes with FREQ=YEARLY only"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY does not go with FREQ=WEEKLY"),
        ("FREQ=DAILY;BYYEARDAY=1", "BYYEARDAY does not go with"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY has no 0"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY is `32`, not a number from -31 to 31"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH is `13`, not a number from 1 to 12"),
        ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH is `-1`"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR is `24`, not a number from 0 to 23"),
        ("FREQ=DAILY;BYHOUR=", "BYHOUR is ``"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS needs another part that begins with BY"),
        ("FREQ=DAILY;BYSECOND=0,30", "BYSECOND may name one second only"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "it never occurs"),
        ("FREQ=DAILY;BYHOUR=9;BYSETPOS=2", "it never occurs"),
    ] {
        let error = Recurrence::new(rule).unwrap_err();
        assert!(error.message.starts_with(message) || error.message.contains(message), "{error}");
        assert!(error.to_string().contains(rule));
    }
    let minutes: Vec<String> = (0..60).map(|minute| minute.to_string()).collect();
    let dense = format!("FREQ=DAILY;BYHOUR=0,1,2,3,4,5;BYMINUTE={}", minutes.join(","));
    assert!(Recurrence::new(&dense).unwrap_err().message.contains("288 starts"));
    let long = Recurrence::new(&"x".repeat(5000)).unwrap_err();
    assert!(long.to_string().len() < 1000 && long.message.contains("longer than"));
    let kept = Recurrence::new("rrule:freq=weekly;byday=su").unwrap();
    assert_eq!(kept.as_str(), "rrule:freq=weekly;byday=su");
}

#[test]
fn a_row_brings_the_window_back() {
    for zone in ["Europe/Berlin", "UTC", "+05:30"] {
        for rule in [None, Some("FREQ=MONTHLY;BYDAY=-1SU")] {
            let before = window(zone, "2026-01-05T01:00:00", 60, rule);
            let row = before.to_row();
            assert_eq!(row.time_zone, zone);
            let text = serde_json::to_string(&row).unwrap();
            let after = MaintenanceWindow::from_row(serde_json::from_str(&text).unwrap());
            assert_eq!(after.as_ref(), Ok(&before));
        }
    }
}

#[test]
fn a_row_that_is_no_window_says_why() {
    let row = window("UTC", "2026-01-05T01:00:00", 60, None).to_row();
    let refusal = |row| MaintenanceWindow::from_row(row).unwrap_err();
    let error = refusal(MaintenanceRow { time_zone: "Mars/Base".to_owned(), ..row.clone() });
    assert_eq!(error.to_string(), "maintenance window `db` has no usable time zone");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("Mars/Base"));
    let error = refusal(MaintenanceRow { recurrence: Some("FREQ=X".to_owned()), ..row.clone() });
    assert!(matches!(error, BadWindow::Recurrence { .. }));
    let error = refusal(MaintenanceRow { duration_seconds: 0, ..row.clone() });
    assert!(matches!(error, BadWindow::NoDuration { .. }));
    let error = refusal(MaintenanceRow { matchers: Matchers::default(), ..row.clone() });
    assert!(matches!(error, BadWindow::NoMatchers { .. }));
    assert_eq!(refusal(MaintenanceRow { name: " ".to_owned(), ..row }), BadWindow::NoName);
}

#[test]
fn extreme_instants_and_lengths_do_no_harm() {
    let mut endless = window("Pacific/Apia", "-009999-01-01T00:00:00", 1, Some("FREQ=MONTHLY"));
    for duration in [SignedDuration::MAX, SignedDuration::MIN, SignedDuration::ZERO] {
        endless.duration = duration;
        for instant in [Timestamp::MIN, at("2026-01-01T00:00:00Z"), Timestamp::MAX] {
            let covering = endless.occurrence_at(instant);
            assert!(covering.is_none_or(|it| it.starts_at <= instant && instant < it.ends_at));
            let next = endless.next_occurrence(instant);
            assert!(next.is_none_or(|it| it.starts_at > instant));
        }
    }
}
