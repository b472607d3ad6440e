//! Calendars elsewhere: whom they put on call, who is away by them, and what holds while they
//! cannot be read.

use std::collections::BTreeMap;

use tocsin_core::command::Command;
use tocsin_core::event::Event;
use tocsin_core::identity::{IdentityChange, Person};
use tocsin_core::oncall::{
    Cause, Combine, HolidayMode, ImportKind, ImportLocation, ImportOutcome, ImportSpec,
    ImportedEvent, Mode, OnCallChange, OnCallRejection, ScheduleSpec, WarningCode,
};

use crate::engine::{Stage, daily, set};
use crate::support::{at, plan, who};

fn import(name: &str, kind: ImportKind) -> ImportSpec {
    ImportSpec {
        name: name.into(),
        location: ImportLocation::Url("https://calendar.example/secret.ics".to_owned()),
        kind,
        rank: 1,
        combine: Combine::Replace,
        refresh_minutes: 10,
        names: BTreeMap::new(),
    }
}

fn with(imports: Vec<ImportSpec>) -> ScheduleSpec {
    ScheduleSpec { imports, ..daily("a b") }
}

fn event(from: &str, to: &str, text: &str) -> ImportedEvent {
    ImportedEvent { from: at(from), to: at(to), text: text.to_owned(), ..ImportedEvent::default() }
}

fn read(events: Vec<ImportedEvent>) -> ImportOutcome {
    ImportOutcome::Fetched { events, trouble: Vec::new() }
}

fn failed(why: &str) -> ImportOutcome {
    ImportOutcome::Failed { why: why.to_owned() }
}

fn ended(name: &str, outcome: ImportOutcome) -> OnCallChange {
    let (schedule, import) = ("web".into(), name.into());
    OnCallChange::Import { schedule, import, outcome, is_pushed: false }
}

/// Returns what is told of calendars, and forgets it.
fn told(stage: &mut Stage) -> Vec<String> {
    let events = std::mem::take(&mut stage.events);
    let line = |event: Event| match event {
        Event::CalendarRead { import, events, unknown, .. } => {
            Some(format!("{import} read: {events} events, {unknown} unknown"))
        }
        Event::CalendarFailed { import, why, .. } => Some(format!("{import} failed: {why}")),
        Event::CalendarDropped { import, .. } => Some(format!("{import} dropped")),
        Event::AlertFired { .. } => Some("alert".to_owned()),
        Event::AlertResolved { .. } => Some("alert over".to_owned()),
        _ => None,
    };
    events.into_iter().filter_map(|(_, event)| line(event)).collect()
}

fn warnings(stage: &Stage, now: &str) -> Vec<(WarningCode, String)> {
    let roster = stage.tenant.roster();
    let found = roster.standing_warnings(roster.entry("web").unwrap(), at(now));
    found.into_iter().map(|it| (it.code, it.message)).collect()
}

#[test]
fn a_calendar_stands_at_its_rank_and_says_so() {
    let mut stage = Stage::new("2026-11-09T08:00Z", Vec::new());
    let shifts = import("google", ImportKind::Shifts);
    let overrides = ImportSpec { rank: 0, ..import("overrides", ImportKind::Overrides) };
    stage.change("2026-11-09T08:00Z", set(with(vec![shifts, overrides]))).unwrap();
    let events = vec![
        event("2026-11-09T12:00Z", "2026-11-09T18:00Z", "c"),
        ImportedEvent { level: 2, ..event("2026-11-09T16:00Z", "2026-11-09T20:00Z", "d, c") },
        event("2026-11-10T00:00Z", "2026-11-10T01:00Z", "somebody else"),
    ];
    stage.change("2026-11-09T10:00Z", ended("google", read(events))).unwrap();
    let above = vec![event("2026-11-09T17:00Z", "2026-11-09T17:30Z", "b")];
    stage.change("2026-11-09T10:00Z", ended("overrides", read(above))).unwrap();
    let roster = stage.tenant.roster();
    assert_eq!(
        plan(roster, "2026-11-09T10:00Z", "2026-11-10T08:00Z"),
        [
            "2026-11-09T10:00:00Z a",
            "2026-11-09T12:00:00Z c",
            "2026-11-09T16:00:00Z d c",
            "2026-11-09T17:00:00Z b",
            "2026-11-09T17:30:00Z d c",
            "2026-11-09T20:00:00Z a",
        ]
    );
    let view = roster
        .final_view(
            "web",
            at("2026-11-09T12:00Z"),
            at("2026-11-09T13:00Z"),
            at("2026-11-09T10:00Z"),
        )
        .unwrap();
    let cause = &view.segments[0].duties[0].cause;
    assert_eq!(*cause, Cause::Import { import: "google".into() });
    assert_eq!(cause.sentence(Some(&who("c"))), "calendar google names c");
    let unknown = "calendar `google` names nobody who is known: somebody else";
    assert_eq!(
        warnings(&stage, "2026-11-09T10:00Z"),
        [(WarningCode::UnknownPerson, unknown.to_owned())]
    );
    stage.run("2026-11-09T17:10Z");
    assert_eq!(stage.now("2026-11-09T17:10Z"), "b", "and escalations page whom it names");
    assert_eq!(
        told(&mut stage),
        ["google read: 3 events, 1 unknown", "overrides read: 1 events, 0 unknown"]
    );
}

#[test]
fn what_it_said_last_holds_for_seven_days_and_then_nothing_does() {
    let mut stage = Stage::new("2026-11-09T08:00Z", Vec::new());
    stage
        .change("2026-11-09T08:00Z", set(with(vec![import("google", ImportKind::Shifts)])))
        .unwrap();
    let shift = || vec![event("2026-11-09T09:00Z", "2026-12-09T09:00Z", "c")];
    stage.change("2026-11-09T10:00Z", ended("google", read(shift()))).unwrap();
    told(&mut stage);
    stage.change("2026-11-10T10:00Z", ended("google", failed("503"))).unwrap();
    stage.change("2026-11-10T10:10Z", ended("google", failed("504"))).unwrap();
    assert_eq!(told(&mut stage), ["google failed: 503"], "once");
    let warning = "calendar `google` cannot be read since 2026-11-10T10:00:00Z, what it said last \
                   still holds: 504";
    assert_eq!(warnings(&stage, "2026-11-10T10:10Z"), [(WarningCode::Import, warning.to_owned())]);
    stage.restart("2026-11-12T10:00Z");
    assert_eq!(stage.now("2026-11-12T10:00Z"), "c", "a restart keeps the last good copy");
    stage.change("2026-11-16T10:00Z", ended("google", failed("503"))).unwrap();
    assert_eq!(stage.now("2026-11-16T10:00Z"), "c", "seven days are not over");
    stage.change("2026-11-16T10:10Z", ended("google", failed("503"))).unwrap();
    assert_eq!(stage.now("2026-11-16T10:10Z"), "b", "the layer takes over");
    assert_eq!(told(&mut stage), ["google failed: 503", "google dropped", "alert"]);
    let shown = warnings(&stage, "2026-11-16T10:10Z");
    assert!(shown[0].1.contains("nothing of it holds any more"), "{shown:?}");
    stage.run("2026-11-16T10:19Z");
    stage.change("2026-11-16T10:19Z", ended("google", failed("503"))).unwrap();
    assert_eq!(told(&mut stage), Vec::<String>::new(), "the alert goes on");
    stage.restart("2026-11-16T10:19Z");
    assert_eq!(stage.now("2026-11-16T10:19Z"), "b");
    stage.events.clear();
    stage.change("2026-11-16T10:20Z", ended("google", read(shift()))).unwrap();
    assert_eq!(stage.now("2026-11-16T10:20Z"), "c", "and back");
    assert_eq!(told(&mut stage), ["google read: 1 events, 0 unknown"]);
    assert_eq!(warnings(&stage, "2026-11-16T10:20Z"), []);
}

#[test]
fn the_alert_ends_when_the_calendar_can_be_read_again() {
    let mut stage = Stage::new("2026-11-09T08:00Z", Vec::new());
    stage
        .change("2026-11-09T08:00Z", set(with(vec![import("google", ImportKind::Shifts)])))
        .unwrap();
    let shift = || vec![event("2026-11-09T09:00Z", "2026-12-09T09:00Z", "c")];
    stage.change("2026-11-09T10:00Z", ended("google", read(shift()))).unwrap();
    stage.change("2026-11-17T10:00:00Z", ended("google", failed("503"))).unwrap();
    told(&mut stage);
    stage.change("2026-11-17T10:00:30Z", ended("google", read(shift()))).unwrap();
    assert_eq!(told(&mut stage), ["google read: 1 events, 0 unknown", "alert over"]);
}

#[test]
fn a_calendar_that_stays_as_it_is_keeps_the_copy_fresh_and_is_hardly_written() {
    let mut stage = Stage::new("2026-11-09T08:00Z", Vec::new());
    stage
        .change("2026-11-09T08:00Z", set(with(vec![import("google", ImportKind::Shifts)])))
        .unwrap();
    let shift = || vec![event("2026-11-09T09:00Z", "2026-12-09T09:00Z", "c")];
    let mut writes = 0;
    let mut now = at("2026-11-09T10:00Z");
    for nth in 0..(9 * 24 * 6) {
        let outcome = if nth % 2 == 0 { read(shift()) } else { ImportOutcome::Unchanged };
        let order = Command::OnCall(ended("google", outcome));
        let turn = stage.tenant.turn(now, vec![order.into()]);
        writes += turn.writes.on_call.imports.len();
        now += jiff::SignedDuration::from_mins(10);
    }
    assert!((30..=40).contains(&writes), "{writes}");
    let entry = stage.tenant.roster().entry("web").unwrap();
    assert_eq!(entry.imports["google"].fetched_at, Some(now - jiff::SignedDuration::from_mins(10)));
    stage.change("2026-11-24T10:00Z", ended("google", failed("503"))).unwrap();
    assert_eq!(stage.now("2026-11-24T10:00Z"), "c");
}

#[test]
fn who_is_away_by_a_calendar_is_skipped_and_the_days_of_another_are_holidays() {
    let mut stage = Stage::new("2026-11-09T08:00Z", Vec::new());
    let away = import("vacation", ImportKind::OutOfOffice);
    let days = import("holidays", ImportKind::Holidays);
    let mut wanted = with(vec![away, days]);
    wanted.layers[0].mode = Mode::SkipUnavailable;
    wanted.layers[0].holiday_mode = HolidayMode::Off;
    stage.change("2026-11-09T08:00Z", set(wanted.clone())).unwrap();
    let vacation = ImportedEvent {
        organizer: Some("c@example.org".to_owned()),
        ..event("2026-11-09T00:00Z", "2026-11-10T00:00Z", "a: vacation")
    };
    stage.change("2026-11-09T08:30Z", ended("vacation", read(vec![vacation]))).unwrap();
    let holiday = event("2026-11-11T00:00Z", "2026-11-12T00:00Z", "St Martin's Day");
    stage.change("2026-11-09T08:30Z", ended("holidays", read(vec![holiday]))).unwrap();
    let expected = [
        "2026-11-09T09:00:00Z b",
        "2026-11-10T00:00:00Z a",
        "2026-11-10T09:00:00Z b",
        "2026-11-11T00:00:00Z -",
        "2026-11-12T00:00:00Z a",
        "2026-11-12T09:00:00Z b",
    ];
    let shown =
        |stage: &Stage| plan(stage.tenant.roster(), "2026-11-09T09:00Z", "2026-11-12T12:00Z");
    assert_eq!(shown(&stage), expected);
    stage.restart("2026-11-09T08:40Z");
    assert_eq!(shown(&stage), expected, "after a restart, too");
    assert_eq!(stage.tenant.roster().absences().count(), 1);
    wanted.imports.clear();
    stage.change("2026-11-09T08:50Z", set(wanted)).unwrap();
    assert_eq!(stage.tenant.roster().absences().count(), 0, "gone with its calendar");
}

#[test]
fn people_are_found_anew_when_they_come_and_when_the_schedule_says_who_is_meant() {
    let mut stage = Stage::new("2026-11-09T08:00Z", Vec::new());
    let mut wanted = with(vec![import("google", ImportKind::Shifts)]);
    stage.change("2026-11-09T08:00Z", set(wanted.clone())).unwrap();
    let events = vec![
        event("2026-11-09T12:00Z", "2026-11-09T13:00Z", "Eve Example"),
        event("2026-11-09T13:00Z", "2026-11-09T14:00Z", "the boss"),
    ];
    stage.change("2026-11-09T10:00Z", ended("google", read(events))).unwrap();
    let shown =
        |stage: &Stage| plan(stage.tenant.roster(), "2026-11-09T11:00Z", "2026-11-09T15:00Z");
    assert_eq!(shown(&stage), ["2026-11-09T11:00:00Z a"]);
    let eve = Person { name: "Eve Example".to_owned(), ..crate::engine::person("e") };
    let identity = |change| vec![Command::Identity(change)];
    stage.turn("2026-11-09T10:10Z", identity(IdentityChange::AddPerson(Box::new(eve))));
    let with_eve = ["2026-11-09T11:00:00Z a", "2026-11-09T12:00:00Z e", "2026-11-09T13:00:00Z a"];
    assert_eq!(shown(&stage), with_eve);
    wanted.imports[0].names.insert("The Boss".to_owned(), who("d"));
    stage.change("2026-11-09T10:20Z", set(wanted)).unwrap();
    assert_eq!(shown(&stage)[2], "2026-11-09T13:00:00Z d");
    stage.turn("2026-11-09T10:30Z", identity(IdentityChange::Deactivate(who("e"))));
    assert_eq!(
        shown(&stage),
        ["2026-11-09T11:00:00Z a", "2026-11-09T13:00:00Z d", "2026-11-09T14:00:00Z a"]
    );
}

#[test]
fn what_nobody_imports_is_refused_and_nonsense_is() {
    let mut stage = Stage::new("2026-11-09T08:00Z", Vec::new());
    let google = import("google", ImportKind::Shifts);
    stage.change("2026-11-09T08:00Z", set(with(vec![google.clone()]))).unwrap();
    let unknown = stage.change("2026-11-09T08:10Z", ended("other", read(Vec::new())));
    assert!(matches!(unknown, Err(OnCallRejection::UnknownImport { .. })), "{unknown:?}");
    let wrong = [
        ImportSpec { refresh_minutes: 0, ..google.clone() },
        ImportSpec { refresh_minutes: 1_441, ..google.clone() },
        ImportSpec { name: "a/b".into(), ..google.clone() },
        ImportSpec { location: ImportLocation::Url("ftp://a/b".to_owned()), ..google.clone() },
        ImportSpec {
            location: ImportLocation::Url("https://a/<secret>".to_owned()),
            ..google.clone()
        },
    ];
    for import in wrong {
        let refused = stage.change("2026-11-09T08:10Z", set(with(vec![import.clone()])));
        assert!(matches!(refused, Err(OnCallRejection::Invalid { .. })), "{import:?}");
    }
    let twice = stage.change("2026-11-09T08:10Z", set(with(vec![google.clone(), google])));
    assert!(matches!(twice, Err(OnCallRejection::Invalid { .. })), "{twice:?}");
}

#[test]
fn a_secret_address_is_never_shown_and_kept_when_what_is_shown_comes_back() {
    let spec = with(vec![import("google", ImportKind::Shifts)]);
    let shown = spec.shown();
    let masked = ImportLocation::Url("https://calendar.example/<secret>".to_owned());
    assert_eq!(shown.imports[0].location, masked);
    let user = ImportLocation::Url("webcal://u:p@h.example:8/x?y".to_owned());
    assert_eq!(user.shown(), ImportLocation::Url("webcal://h.example:8/<secret>".to_owned()));
    let mut sent_back = shown;
    sent_back.keep_addresses(&spec);
    assert_eq!(sent_back, spec);
    let mut stage = Stage::new("2026-11-09T08:00Z", Vec::new());
    let order = Command::OnCall(set(spec));
    let turn = stage.tenant.turn(at("2026-11-09T08:00Z"), vec![order.into()]);
    let audited = format!("{:?}", turn.writes.audit);
    assert!(audited.contains("<secret>") && !audited.contains("secret.ics"), "{audited}");
}
