use chrono::{Datelike, TimeZone as _, Timelike};
use proptest::prelude::*;

use super::*;
use crate::maintenance::Recurrence;

/// Returns up to `limit` starts after which the rule has none before the search ends.
fn starts(rule: &str, first: &str, limit: usize) -> Vec<String> {
    let recurrence = Recurrence::new(rule).unwrap();
    let first: DateTime = first.parse().unwrap();
    let series = Series::new(recurrence.rule(), first);
    let mut found = Vec::new();
    series.forwards(first, years_after(first), |start| {
        found.push(start.to_string());
        if found.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found
}

#[test]
fn the_examples_of_the_standard_come_out_as_it_says() {
    // RFC 5545, section 3.8.5.3, all of which begin at 09:00 on 2 September 1997.
    for (rule, expected) in [
        ("FREQ=DAILY;INTERVAL=10", "09-02 09-12 09-22 10-02 10-12"),
        ("FREQ=WEEKLY;BYDAY=TU,TH", "09-02 09-04 09-09 09-11 09-16"),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,WE,FR", "09-03 09-05 09-15 09-17 09-19"),
        ("FREQ=MONTHLY;BYDAY=1FR", "09-05 10-03 11-07 12-05 01-02"),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU,-1SU", "09-07 09-28 11-02 11-30 01-04"),
        ("FREQ=MONTHLY;BYDAY=-2MO", "09-22 10-20 11-17 12-22 01-19"),
        ("FREQ=MONTHLY;BYMONTHDAY=-3", "09-28 10-29 11-28 12-29 01-29"),
        ("FREQ=MONTHLY;BYMONTHDAY=2,15", "09-02 09-15 10-02 10-15 11-02"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,-1", "09-30 10-01 10-31 11-01 11-30"),
        ("FREQ=MONTHLY;INTERVAL=18;BYMONTHDAY=10,11,12,13,14,15", "09-10 09-11 09-12 09-13 09-14"),
        ("FREQ=YEARLY;BYMONTH=6,7", "06-02 07-02 06-02 07-02 06-02"),
        ("FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200", "01-01 04-09 07-18 01-01 04-10"),
        ("FREQ=YEARLY;BYDAY=20MO", "05-18 05-17 05-15 05-14 05-20"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "05-11 05-17 05-15 05-14 05-13"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "03-05 03-12 03-19 03-26 03-04"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "02-13 03-13 11-13 08-13 10-13"),
        ("FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "09-13 10-11 11-08 12-13 01-10"),
        (
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
            "11-04 11-06 11-08 11-03 11-05",
        ),
        ("FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3", "09-04 10-07 11-06 12-04 01-07"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "09-29 10-30 11-27 12-30 01-29"),
        ("FREQ=MONTHLY;BYMONTHDAY=30", "09-30 10-30 11-30 12-30 01-30"),
    ] {
        let found = starts(rule, "1997-09-02T09:00:00", 5);
        let days: Vec<&str> = found.iter().map(|start| &start[5..10]).collect();
        assert_eq!(days.join(" "), expected, "{rule}: {found:?}");
        assert!(found.iter().all(|start| start.ends_with("T09:00:00")));
    }
    // How the first day of the week changes what every other week means.
    let days = |week_start: &str| {
        starts(
            &format!("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST={week_start}"),
            "1997-08-05T09:00:00",
            4,
        )
        .iter()
        .map(|start| start[5..10].to_owned())
        .collect::<Vec<_>>()
        .join(" ")
    };
    assert_eq!(days("MO"), "08-05 08-10 08-19 08-24");
    assert_eq!(days("SU"), "08-05 08-17 08-19 08-31");
}

#[test]
fn rules_within_a_day_skip_days_and_hours_that_are_not_theirs() {
    assert_eq!(
        starts("FREQ=HOURLY;INTERVAL=3;BYHOUR=9,12,15,17", "1997-09-02T09:00:00", 4),
        [
            "1997-09-02T09:00:00",
            "1997-09-02T12:00:00",
            "1997-09-02T15:00:00",
            "1997-09-03T09:00:00"
        ]
    );
    assert_eq!(
        starts("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10;BYMONTH=2", "1997-09-02T09:00:00", 7)[5..],
        ["1998-02-01T10:40:00", "1998-02-02T09:00:00"]
    );
    assert_eq!(
        starts("FREQ=MINUTELY;BYMINUTE=0,30;BYDAY=SU", "1997-09-02T09:00:00", 3),
        ["1997-09-07T00:00:00", "1997-09-07T00:30:00", "1997-09-07T01:00:00"]
    );
    assert_eq!(
        starts("FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,40;BYSECOND=5", "1997-09-02T09:30:00", 3),
        ["1997-09-02T09:40:05", "1997-09-02T10:00:05", "1997-09-02T10:40:05"]
    );
}

#[test]
fn the_n_th_of_a_kind_may_stand_beside_all_of_another() {
    assert_eq!(
        starts("FREQ=MONTHLY;BYDAY=FR,1MO", "2026-06-01T00:00:00", 6),
        [1, 5, 12, 19, 26]
            .map(|day| format!("2026-06-{day:02}T00:00:00"))
            .into_iter()
            .chain(["2026-07-03T00:00:00".to_owned()])
            .collect::<Vec<_>>()
    );
}

#[test]
fn the_last_week_of_a_year_may_end_in_the_next() {
    // Week 53 of 2026 runs from 28 December to 3 January.
    let found = starts("FREQ=YEARLY;BYWEEKNO=53", "2026-01-05T00:00:00", 7);
    assert_eq!((&*found[0], &*found[6]), ("2026-12-28T00:00:00", "2027-01-03T00:00:00"));
    assert_eq!(found, starts("FREQ=YEARLY;BYWEEKNO=-1", "2026-01-05T00:00:00", 7));
}

/// The same question to the crate `rrule`: an independent implementation, in local time as UTC.
fn starts_by_peer(rule: &str, first: DateTime, limit: u16) -> Vec<DateTime> {
    let peer_first = rrule::Tz::UTC
        .with_ymd_and_hms(
            first.year().into(),
            u32::try_from(first.month()).unwrap(),
            u32::try_from(first.day()).unwrap(),
            u32::try_from(first.hour()).unwrap(),
            u32::try_from(first.minute()).unwrap(),
            u32::try_from(first.second()).unwrap(),
        )
        .unwrap();
    let rule: rrule::RRule<rrule::Unvalidated> = rule.parse().unwrap();
    let small = |number: u32| i8::try_from(number).unwrap();
    rule.build(peer_first)
        .unwrap()
        .all(limit)
        .dates
        .into_iter()
        .map(|date| {
            DateTime::constant(
                i16::try_from(date.year()).unwrap(),
                small(date.month()),
                small(date.day()),
                small(date.hour()),
                small(date.minute()),
                small(date.second()),
                0,
            )
        })
        .collect()
}

fn list<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

/// Rules that both implementations read alike. The peer reads a mixture of `FR` and `1MO` as
/// "both", loses days of weeks that cross the year, ends a rule by the minute with `BYHOUR` before
/// its first start, and counts positions of the first week from the first start; none of these is
/// asked for.
fn any_rule() -> impl Strategy<Value = String> {
    let numbers = |low: i16, high: i16| proptest::collection::btree_set(low..=high, 1..4);
    let maybe = |name: &'static str, low: i16, high: i16| {
        proptest::option::weighted(0.3, numbers(low, high)).prop_map(move |numbers| {
            numbers.map_or(String::new(), |numbers| {
                let numbers: Vec<i16> =
                    numbers.into_iter().filter(|n| *n != 0 || low == 0).collect();
                if numbers.is_empty() {
                    String::new()
                } else {
                    format!(";{name}={}", list(&numbers))
                }
            })
        })
    };
    let days = proptest::sample::subsequence(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"], 1..4);
    let days = (days, prop_oneof![4 => Just(0_i8), 1 => -3_i8..=4]);
    (
        proptest::sample::select(vec![
            "YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY",
        ]),
        1_i64..5,
        maybe("BYMONTH", 1, 12),
        maybe("BYMONTHDAY", -31, 31),
        maybe("BYYEARDAY", -366, 366),
        proptest::option::weighted(0.3, days),
        maybe("BYHOUR", 0, 23),
        maybe("BYMINUTE", 0, 59),
        proptest::option::weighted(0.2, prop_oneof![1_i16..4, -3_i16..0]),
        proptest::sample::select(vec!["", ";WKST=SU", ";WKST=WE"]),
    )
        .prop_map(
            |(
                frequency,
                interval,
                months,
                mut month_days,
                mut year_days,
                days,
                mut hours,
                minutes,
                position,
                week_start,
            )| {
                if frequency == "MINUTELY" {
                    hours.clear();
                }
                if frequency == "WEEKLY" {
                    month_days.clear();
                }
                if matches!(frequency, "DAILY" | "WEEKLY" | "MONTHLY") {
                    year_days.clear();
                }
                let has_numbers = matches!(frequency, "YEARLY" | "MONTHLY");
                let days = days.map_or(String::new(), |(days, nth)| {
                    let nth = if has_numbers && nth != 0 { nth.to_string() } else { String::new() };
                    let days: Vec<String> = days.iter().map(|day| format!("{nth}{day}")).collect();
                    format!(";BYDAY={}", list(&days))
                });
                let parts = format!("{months}{month_days}{year_days}{days}{hours}{minutes}");
                let position = position
                    .filter(|_| !parts.is_empty() && frequency != "WEEKLY")
                    .map_or(String::new(), |position| format!(";BYSETPOS={position}"));
                format!("FREQ={frequency};INTERVAL={interval}{parts}{position}{week_start}")
            },
        )
}

fn any_start() -> impl Strategy<Value = DateTime> {
    (2015_i16..2027, 1_i8..=12, 1_i8..=28, 0_i8..24, 0_i8..60)
        .prop_map(|(year, month, day, hour, minute)| date(year, month, day).at(hour, minute, 0, 0))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn forwards_agrees_with_an_independent_implementation(
        rule in any_rule(), first in any_start(), skip in 0_usize..20,
    ) {
        let Ok(recurrence) = Recurrence::new(&rule) else { return Ok(()) };
        // Some rules never meet their own interval; the peer would search to the year 10000.
        let counted = format!("{rule};UNTIL={:04}1231T235959Z", first.year() + 5);
        let peer = starts_by_peer(&counted, first, 30);
        let series = Series::new(recurrence.rule(), first);
        let to = date(first.year() + 5, 12, 31).at(23, 59, 59, 0);
        let collect = |from: DateTime, to: DateTime| {
            let mut found = Vec::new();
            series.forwards(from, to, |start| {
                found.push(start);
                if found.len() == 30 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            found
        };
        let ours = collect(first, to);
        prop_assert_eq!(&ours, &peer, "{}", rule);
        // Beginning in the middle, and going backwards, gives the same starts.
        if let (Some(from), Some(last)) = (peer.get(skip), peer.last()) {
            prop_assert_eq!(&collect(*from, *last), &peer[skip..], "{} from {}", rule, from);
            let mut back = Vec::new();
            series.backwards(*last, *from, |start| {
                back.push(start);
                ControlFlow::Continue(())
            });
            back.reverse();
            prop_assert_eq!(&back, &peer[skip..], "{} back to {}", rule, from);
        }
    }
}
