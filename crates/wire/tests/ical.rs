//! Calendars as others export them, clock changes, and whatever bytes there are.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tocsin_core::oncall::{ImportKind, ImportedEvent, MAX_IMPORTED_EVENTS, Zone};
use tocsin_wire::ical::{Calendar, MAX_CALENDAR_BYTES, MAX_EVENTS, NotACalendar, Reading, read};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn reading(zone: &str) -> Reading {
    Reading {
        zone: Zone::named(zone).unwrap(),
        kind: ImportKind::Shifts,
        from: at("2026-10-01T00:00:00Z"),
        to: at("2028-01-01T00:00:00Z"),
    }
}

/// Returns what a calendar says, one line for each event, and what is wrong with it.
fn shown(calendar: &Calendar) -> String {
    let mut text = String::new();
    for event in &calendar.events {
        let hours = event.to.duration_since(event.from).as_secs_f64() / 3_600.0;
        let level = if event.level == 0 { String::new() } else { format!("[L{}] ", event.level) };
        write!(text, "{} for {hours} h: {level}{}", event.from, event.text).unwrap();
        if !event.attendees.is_empty() {
            write!(text, " ({})", event.attendees.join(", ")).unwrap();
        }
        if let Some(organizer) = &event.organizer {
            write!(text, " by {organizer}").unwrap();
        }
        text.push('\n');
    }
    for sentence in &calendar.trouble {
        writeln!(text, "! {sentence}").unwrap();
    }
    text
}

fn golden(name: &str, zone: &str) {
    let body = std::fs::read(format!("tests/ical/{name}.ics")).unwrap();
    // Calendars end lines as mail does; the files here do not.
    let body = String::from_utf8(body).unwrap().replace('\n', "\r\n");
    let calendar = read(body.as_bytes(), &reading(zone)).unwrap();
    insta::with_settings!({ snapshot_path => "ical", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, shown(&calendar));
    });
}

#[test]
fn a_calendar_of_google_is_read() {
    golden("google", "Europe/Berlin");
}

#[test]
fn a_calendar_of_outlook_is_read() {
    golden("outlook", "Europe/Berlin");
}

#[test]
fn a_calendar_of_pagerduty_is_read() {
    golden("pagerduty", "UTC");
}

#[test]
fn a_calendar_of_grafana_is_read() {
    golden("grafana", "America/Chicago");
}

#[test]
fn what_is_broken_is_named_and_the_rest_is_kept() {
    golden("broken", "UTC");
}

/// Returns the events of a calendar with this content.
fn events(content: &str) -> Vec<ImportedEvent> {
    let calendar = calendar_of(content);
    assert_eq!(calendar.trouble, Vec::<String>::new());
    calendar.events
}

fn calendar_of(content: &str) -> Calendar {
    let body = format!("BEGIN:VCALENDAR\n{content}\nEND:VCALENDAR\n");
    read(body.as_bytes(), &reading("America/Chicago")).unwrap()
}

/// Returns begin and hours of each.
fn spans(events: &[ImportedEvent]) -> Vec<(String, f64)> {
    let span = |event: &ImportedEvent| {
        let hours = event.to.duration_since(event.from).as_secs_f64() / 3_600.0;
        (event.from.strftime("%m-%d %H:%MZ").to_string(), hours)
    };
    events.iter().map(span).collect()
}

#[track_caller]
fn check(content: &str, expected: &[(&str, f64)]) {
    let content = format!("BEGIN:VEVENT\nSUMMARY:ada\n{content}\nEND:VEVENT");
    let expected: Vec<_> = expected.iter().map(|(at, hours)| ((*at).to_owned(), *hours)).collect();
    assert_eq!(spans(&events(&content)), expected);
}

#[test]
fn weekly_shifts_keep_their_clock_through_both_changes() {
    let chicago = "DTSTART;TZID=America/Chicago:20261026T090000\n\
                   DTEND;TZID=America/Chicago:20261102T090000\nRRULE:FREQ=WEEKLY;COUNT=2";
    check(chicago, &[("10-26 14:00Z", 169.0), ("11-02 15:00Z", 168.0)]);
    let chicago = "DTSTART;TZID=America/Chicago:20270308T090000\n\
                   DTEND;TZID=America/Chicago:20270315T090000\nRRULE:FREQ=WEEKLY;COUNT=2";
    check(chicago, &[("03-08 15:00Z", 167.0), ("03-15 14:00Z", 168.0)]);
}

#[test]
fn nights_are_shorter_and_longer_when_clocks_change() {
    let night = |day: &str| {
        format!(
            "DTSTART;TZID=America/Chicago:{day}T220000\nDTEND;TZID=America/Chicago:{}T060000\n\
             RRULE:FREQ=DAILY;COUNT=2",
            day.parse::<u32>().unwrap() + 1
        )
    };
    check(&night("20270313"), &[("03-14 04:00Z", 7.0), ("03-15 03:00Z", 8.0)]);
    check(&night("20261030"), &[("10-31 03:00Z", 8.0), ("11-01 03:00Z", 9.0)]);
}

#[test]
fn days_are_those_of_the_schedule_and_have_23_to_25_hours() {
    check("DTSTART;VALUE=DATE:20270314", &[("03-14 06:00Z", 23.0)]);
    check("DTSTART;VALUE=DATE:20261101\nDTEND;VALUE=DATE:20261102", &[("11-01 05:00Z", 25.0)]);
    let row = "DTSTART;VALUE=DATE:20261031\nDTEND;VALUE=DATE:20261101\nRRULE:FREQ=DAILY;COUNT=3";
    check(row, &[("10-31 05:00Z", 24.0), ("11-01 05:00Z", 25.0), ("11-02 06:00Z", 24.0)]);
    // Some programs write the first day as the end.
    check("DTSTART;VALUE=DATE:20270401\nDTEND;VALUE=DATE:20270401", &[("04-01 05:00Z", 24.0)]);
}

#[test]
fn a_time_that_clocks_leave_out_or_repeat_is_the_one_that_calendars_show() {
    let gap =
        "DTSTART;TZID=America/Chicago:20270313T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3";
    check(gap, &[("03-13 08:30Z", 1.0), ("03-14 08:30Z", 1.0), ("03-15 07:30Z", 1.0)]);
    let fold = "DTSTART;TZID=America/Chicago:20261101T013000\nDURATION:PT1H";
    check(fold, &[("11-01 06:30Z", 1.0)]);
    // Samoa left out a whole day; so it still does.
    check(
        "DTSTART;TZID=Europe/Berlin:20270328T023000\nDTEND;TZID=Europe/Berlin:20270328T033000",
        &[("03-28 01:30Z", 0.0)][..0],
    );
}

#[test]
fn a_rule_counts_and_ends_as_the_standard_says() {
    let until = "DTSTART;TZID=America/Chicago:20270301T090000\nDURATION:PT1H\n\
                 RRULE:FREQ=DAILY;UNTIL=20270303T150000Z";
    check(until, &[("03-01 15:00Z", 1.0), ("03-02 15:00Z", 1.0), ("03-03 15:00Z", 1.0)]);
    let month_end = "DTSTART:20270131T100000Z\nDURATION:PT1H\n\
                     RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3";
    // The 31st is a Sunday, and the first of the row all the same.
    check(
        month_end,
        &[
            ("01-31 10:00Z", 1.0),
            ("02-26 10:00Z", 1.0),
            ("03-31 10:00Z", 1.0),
            ("04-30 10:00Z", 1.0),
        ],
    );
    let long_ago = "DTSTART:19990101T100000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY";
    check(long_ago, &[("01-01 10:00Z", 1.0)]);
}

#[test]
fn dates_are_left_out_as_instants_whatever_their_zone() {
    let row =
        "DTSTART;TZID=America/Chicago:20270308T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4\n";
    let utc = format!("{row}EXDATE:20270308T150000Z,20270315T140000Z\nEXDATE;VALUE=DATE:20270322");
    check(&utc, &[("03-29 14:00Z", 1.0)]);
    let tokyo =
        format!("{row}EXDATE;TZID=Asia/Tokyo:20270309T000000\nEXRULE:FREQ=WEEKLY;INTERVAL=2");
    check(&tokyo, &[("03-15 14:00Z", 1.0), ("03-29 14:00Z", 1.0)]);
}

#[test]
fn a_repetition_may_move_be_cancelled_or_change_with_all_later_ones() {
    let row = "BEGIN:VEVENT\nUID:1\nSUMMARY:ada\nDTSTART;TZID=America/Chicago:20270301T090000\n\
               DTEND;TZID=America/Chicago:20270301T100000\nRRULE:FREQ=DAILY;COUNT=4\nEND:VEVENT\n";
    let moved = "BEGIN:VEVENT\nUID:1\nSUMMARY:grace\nRECURRENCE-ID:20270302T150000Z\n\
                 DTSTART:20270302T180000Z\nDTEND:20270302T200000Z\nEND:VEVENT\n";
    let cancelled = "BEGIN:VEVENT\nUID:1\nSTATUS:CANCELLED\n\
                     RECURRENCE-ID;TZID=America/Chicago:20270303T090000\nEND:VEVENT\n";
    let found = events(&format!("{row}{moved}{cancelled}"));
    let who: Vec<&str> = found.iter().map(|event| event.text.as_str()).collect();
    assert_eq!(who, ["ada", "grace", "ada"]);
    let expected = [("03-01 15:00Z", 1.0), ("03-02 18:00Z", 2.0), ("03-04 15:00Z", 1.0)];
    assert_eq!(spans(&found), expected.map(|(at, hours)| (at.to_owned(), hours)));

    let later = "BEGIN:VEVENT\nUID:1\nSUMMARY:grace\n\
                 RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=America/Chicago:20270303T090000\n\
                 DTSTART;TZID=America/Chicago:20270303T110000\n\
                 DTEND;TZID=America/Chicago:20270303T140000\nEND:VEVENT\n";
    let found = events(&format!("{later}{row}{moved}"));
    let expected = [
        ("03-01 15:00Z", 1.0),
        ("03-02 18:00Z", 2.0),
        ("03-03 17:00Z", 3.0),
        ("03-04 17:00Z", 3.0),
    ];
    assert_eq!(spans(&found), expected.map(|(at, hours)| (at.to_owned(), hours)));
}

#[test]
fn who_is_free_is_not_away_unless_all_day() {
    let content = "BEGIN:VCALENDAR\n\
        BEGIN:VEVENT\nSUMMARY:dentist\nDTSTART:20270301T100000Z\nDURATION:PT1H\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:gym\nDTSTART:20270302T100000Z\nDURATION:PT1H\nTRANSP:TRANSPARENT\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:vacation\nDTSTART;VALUE=DATE:20270303\nTRANSP:TRANSPARENT\nEND:VEVENT\n\
        END:VCALENDAR";
    let titles = |kind| {
        let calendar = read(content.as_bytes(), &Reading { kind, ..reading("UTC") }).unwrap();
        calendar.events.iter().map(|event| event.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(titles(ImportKind::OutOfOffice), ["dentist", "vacation"]);
    assert_eq!(titles(ImportKind::Shifts), ["dentist", "gym", "vacation"]);
}

#[test]
fn what_is_no_calendar_is_refused_and_so_is_half_of_one() {
    let refused = |body: &str| read(body.as_bytes(), &reading("UTC")).unwrap_err();
    assert_eq!(refused(""), NotACalendar::Empty);
    assert_eq!(refused("\r\n\r\n"), NotACalendar::Empty);
    assert_eq!(refused("<!DOCTYPE html>\n<html>"), NotACalendar::WebPage);
    let begins = "`{\"error\": \"denied\"}`".to_owned();
    assert_eq!(refused("{\"error\": \"denied\"}"), NotACalendar::SomethingElse { begins });
    assert!(matches!(refused("BEGIN:VCARD\nEND:VCARD"), NotACalendar::SomethingElse { .. }));
    assert_eq!(refused("BEGIN:VCALENDAR\nVERSION:2.0"), NotACalendar::BreaksOff { line: 2 });
    let half = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:ada\nDTSTART:2027";
    assert_eq!(refused(half), NotACalendar::BreaksOff { line: 4 });
    assert_eq!(refused(&" ".repeat(MAX_CALENDAR_BYTES + 1)), NotACalendar::TooLong);
    let empty = read(b"BEGIN:VCALENDAR\nEND:VCALENDAR", &reading("UTC")).unwrap();
    assert_eq!(empty, Calendar::default());
    let two = "BEGIN:VCALENDAR\nEND:VCALENDAR\nbegin:vcalendar\nBEGIN:VEVENT\nSUMMARY:ada\n\
               DTSTART:20270301T100000Z\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR";
    assert_eq!(read(two.as_bytes(), &reading("UTC")).unwrap().events.len(), 1);
}

#[test]
fn what_is_too_much_is_left_out_and_named() {
    let mut many = String::new();
    for nth in 0..=MAX_EVENTS {
        let day = 1 + nth % 28;
        write!(many, "BEGIN:VEVENT\nUID:{nth}\nSUMMARY:{nth}\n").unwrap();
        write!(many, "DTSTART:202702{day:02}T100000Z\nDURATION:PT1H\nEND:VEVENT\n").unwrap();
    }
    let calendar = calendar_of(&many);
    assert_eq!(calendar.events.len(), MAX_IMPORTED_EVENTS);
    let told = calendar.trouble.join("\n");
    assert!(told.contains("more than 20000 events; the rest is left out"), "{told}");
    assert!(told.contains("there are more than 10000 events; those from"), "{told}");

    let dense = "BEGIN:VEVENT\nSUMMARY:ada\nDTSTART:20260101T000000Z\nDURATION:PT15M\n\
                 RRULE:FREQ=MINUTELY;INTERVAL=15\nEND:VEVENT\n";
    let calendar = calendar_of(&dense.repeat(40));
    assert_eq!(calendar.events.len(), MAX_IMPORTED_EVENTS);
    assert!(calendar.trouble.join("\n").contains("repeats more than can be followed"));
}

#[test]
fn what_is_before_and_after_the_time_is_left_out() {
    let day = |text: &str| format!("BEGIN:VEVENT\nDTSTART;VALUE=DATE:{text}\nEND:VEVENT\n");
    let reaching = "BEGIN:VEVENT\nDTSTART:20260901T000000Z\nDTEND:20261002T000000Z\nEND:VEVENT\n";
    let content = day("20260929") + reaching + &day("20271231") + &day("20280101");
    let begins: Vec<_> = spans(&events(&content)).into_iter().map(|(at, _)| at).collect();
    assert_eq!(begins, ["09-01 00:00Z", "12-31 06:00Z"]);
}

/// Lines that calendars are made of, to be put together at random.
fn lines() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "RDATE",
        "EXDATE",
        "EXRULE",
        "RECURRENCE-ID",
        "UID",
        "SUMMARY",
        "ATTENDEE",
        "ORGANIZER",
        "STATUS",
        "TRANSP",
        "SEQUENCE",
        "TZID",
        "TZOFFSETTO",
        "TZOFFSETFROM",
        "X-LIC-LOCATION",
    ]);
    let parameter = prop::sample::select(vec![
        "",
        ";TZID=Europe/Berlin",
        ";TZID=own",
        ";VALUE=DATE",
        ";CN=\"a, b\"",
        ";RANGE=THISANDFUTURE",
        ";X",
        ";Y=\"",
    ]);
    let value = prop_oneof![
        prop::sample::select(vec![
            "20270301",
            "20270328T023000",
            "20271031T023000Z",
            "19700101T000000",
            "99991231T235959Z",
            "00010101",
            "P1D",
            "PT8H",
            "-P1W",
            "P99999D",
            "own",
            "+0100",
            "-9959",
            "CANCELLED",
            "FREQ=DAILY",
            "FREQ=WEEKLY;COUNT=10;BYDAY=MO,TU",
            "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
            "FREQ=MINUTELY;INTERVAL=15",
            "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=FR;UNTIL=20280101",
            "20270301T000000Z/PT1H",
            "20270301T000000Z/20270302T000000Z,20270303",
            "[L3] ada",
            "mailto:ada@x.org",
            "TRANSPARENT",
            "7",
        ])
        .prop_map(str::to_owned),
        ".{0,20}",
    ];
    let part = prop::sample::select(vec!["VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT", "VALARM"]);
    prop_oneof![
        6 => (name, parameter, value).prop_map(|(name, parameter, value)| {
            format!("{name}{parameter}:{value}")
        }),
        1 => part.clone().prop_map(|part| format!("BEGIN:{part}")),
        1 => part.prop_map(|part| format!("END:{part}")),
        1 => Just("END:VEVENT\nBEGIN:VEVENT".to_owned()),
    ]
}

fn check_bounds(body: &[u8], zone: &str) {
    let reading = reading(zone);
    let Ok(calendar) = read(body, &reading) else { return };
    assert!(calendar.events.len() <= MAX_IMPORTED_EVENTS);
    assert!(calendar.trouble.len() <= 51, "{:?}", calendar.trouble);
    assert!(calendar.events.is_sorted());
    for event in &calendar.events {
        assert!(event.from < event.to && event.from < reading.to && event.to > reading.from);
        assert!(event.text.chars().count() <= 500 && event.level <= 9);
    }
    assert_eq!(read(body, &reading).as_ref(), Ok(&calendar), "the same each time");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_lines_there_are_nothing_breaks(
        lines in prop::collection::vec(lines(), 0..40),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Chicago", "Pacific/Apia"]),
    ) {
        let content = lines.join("\n");
        check_bounds(format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{content}\nEND:VCALENDAR").as_bytes(), zone);
    }

    #[test]
    fn whatever_bytes_there_are_nothing_breaks(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check_bounds(&bytes, "UTC");
        let body = [b"BEGIN:VCALENDAR\n".as_slice(), &bytes, b"\nEND:VCALENDAR"].concat();
        check_bounds(&body, "UTC");
    }

    /// A plain row of shifts is what a clock on the wall makes of it, one by one.
    #[test]
    fn a_row_is_what_a_clock_on_the_wall_makes_of_it(
        start_hour in 0_i8..24,
        hours in 1_i64..48,
        every in 1_i64..10,
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Chicago", "Australia/Lord_Howe"]),
    ) {
        let zone = Zone::named(zone).unwrap();
        let first = jiff::civil::date(2026, 10, 2).at(start_hour, 15, 0, 0);
        let show = |local: jiff::civil::DateTime| local.strftime("%Y%m%dT%H%M%S").to_string();
        let length = SignedDuration::from_hours(hours);
        let content = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:{}\nDTEND:{}\nRRULE:FREQ=DAILY;INTERVAL={every};\
             COUNT=45\nEND:VEVENT\nEND:VCALENDAR",
            show(first), show(first + length)
        );
        let calendar = read(content.as_bytes(), &reading(zone.name())).unwrap();
        let instant = |local| zone.rules().to_ambiguous_timestamp(local).compatible().unwrap();
        let expected: Vec<(Timestamp, Timestamp)> = (0..45)
            .map(|nth| first + SignedDuration::from_hours(24 * every * nth))
            .map(|local| (instant(local), instant(local + length)))
            .filter(|(from, to)| from < to)
            .collect();
        let found: Vec<_> = calendar.events.iter().map(|it| (it.from, it.to)).collect();
        prop_assert_eq!(found, expected);
    }
}
