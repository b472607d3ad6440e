//! Stories about schedules and who really was on call.

use std::sync::Arc;

use jiff::Timestamp;
use tocsin_core::identity::{Handle, PersonOrigin, SecretHash};
use tocsin_core::ids::TenantId;
use tocsin_core::oncall::{
    BlockShift, Cadence, CalendarFeed, Cause, Combine, Fallback, FeedOf, FixedBlock, HolidayMode,
    ImportKind, ImportLocation, ImportRow, ImportSpec, ImportedEvent, LayerSpec, Mode, Notices,
    OnCallRows, OnCallWrites, Override, Rollout, Schedule, ScheduleSpec, ShiftRecord, ShiftWindow,
    Slot, SwapRequest, SwapState, Unavailability, Weekdays, Zone,
};
use tocsin_core::rows::WriteSet;
use tocsin_store::{ShiftQuery, Store};
use uuid::Uuid;

use crate::Fixture;
use crate::state::TENANT;

const OTHER: TenantId = TenantId(2);
const DAY: i64 = 86_400;

fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn schedule() -> Schedule {
    let layer = LayerSpec {
        name: "main \"Größe\" 🦀".into(),
        rank: 3,
        combine: Combine::Add,
        zone: Some(Zone::named("Pacific/Chatham").unwrap()),
        colour: "#123456".to_owned(),
        members: vec![
            Slot::Person(handle("ada")),
            Slot::Group(vec![handle("grace"), handle("linus")]),
            Slot::Empty,
        ],
        mode: Mode::Fair,
        cadence: Cadence::rule(
            "FREQ=MONTHLY;BYDAY=-1FR",
            tocsin_core::oncall::Length { count: 3, unit: tocsin_core::oncall::Unit::Days },
        )
        .unwrap(),
        handoff: "2026-01-31T09:30:00".parse().unwrap(),
        first: 1,
        per_shift: 2,
        shifts_per_member: 2,
        windows: vec![ShiftWindow {
            days: Weekdays::parse(&["mon-fri"]).unwrap(),
            from: tocsin_core::oncall::ClockTime::parse("09:00").unwrap(),
            to: tocsin_core::oncall::ClockTime::parse("24:00").unwrap(),
        }],
        holiday_mode: HolidayMode::MembersOf("other".into()),
        rollout: Rollout::Immediate,
    };
    let spec = ScheduleSpec {
        name: "web".into(),
        team: Some("db".into()),
        description: "who looks after the web".to_owned(),
        zone: Zone::named("Europe/Berlin").unwrap(),
        holidays: vec!["de".into()],
        fallback: Fallback::Schedule("boss".into()),
        min_coverage: 2,
        notices: Notices { at_handoff: false, minutes_before: vec![15] },
        layers: vec![layer],
        imports: vec![ImportSpec {
            name: "google".into(),
            location: ImportLocation::Url("https://calendar.example/secret.ics".to_owned()),
            kind: ImportKind::Overrides,
            rank: 3,
            combine: Combine::Add,
            refresh_minutes: 30,
            names: std::iter::once(("Ada L.".to_owned(), handle("ada"))).collect(),
        }],
    };
    Schedule::create(&spec, PersonOrigin::Api, "ada", at(5))
}

fn record(number: u64, from: i64, to: Option<i64>) -> ShiftRecord {
    ShiftRecord {
        number,
        schedule: "web".into(),
        person: handle("ada"),
        from: at(from),
        to: to.map(at),
        cause: Cause::Override {
            id: Uuid::from_u128(2),
            instead_of: Some(handle("grace")),
            by: "linus".to_owned(),
        },
        config: "abc".into(),
        corrected_by: None,
    }
}

fn everything() -> OnCallRows {
    OnCallRows {
        schedules: vec![schedule()],
        overrides: vec![Override {
            id: Uuid::from_u128(1),
            schedule: "web".into(),
            number: 1,
            user_out: Some(handle("ada")),
            user_in: None,
            from: at(1),
            to: at(2),
            layer: Some("main".into()),
            reason: "flu".to_owned(),
            author: "grace".to_owned(),
        }],
        blocks: vec![FixedBlock {
            id: Uuid::from_u128(2),
            schedule: "web".into(),
            number: 1,
            from: at(1),
            to: at(9),
            shifts: vec![BlockShift { person: handle("ada"), from: at(1), to: at(2) }],
            reason: String::new(),
            author: "grace".to_owned(),
        }],
        swaps: vec![SwapRequest {
            id: Uuid::from_u128(3),
            schedule: "web".into(),
            number: 1,
            owner: handle("ada"),
            from: at(1),
            to: at(2),
            state: SwapState::Taken { by: handle("grace") },
            offered_to: None,
            in_return: Some((at(3), at(4))),
            reason: String::new(),
        }],
        absences: vec![Unavailability {
            id: Uuid::from_u128(4),
            person: handle("ada"),
            from: at(1),
            to: at(2),
            kind: tocsin_core::oncall::AbsenceKind::Sick,
            is_imported: false,
            note: "flu".to_owned(),
        }],
        feeds: vec![CalendarFeed {
            id: Uuid::from_u128(5),
            hash: SecretHash::of(b"secret"),
            of: FeedOf::Person(handle("ada")),
            created_at: at(1),
            created_by: "ada".to_owned(),
        }],
        imports: vec![ImportRow {
            schedule: "web".into(),
            import: "google".into(),
            events: vec![ImportedEvent {
                from: at(1),
                to: at(2),
                text: "somebody".to_owned(),
                level: 2,
                attendees: vec!["ada@example.org".to_owned()],
                organizer: Some("grace@example.org".to_owned()),
            }],
            trouble: vec!["line 7: no date".to_owned()],
            fetched_at: at(3),
        }],
        records: vec![record(7, 1, Some(2)), record(8, 2, None)],
        highest_record: 8,
    }
}

fn written(rows: &OnCallRows) -> OnCallWrites {
    let mut writes = OnCallWrites::default();
    for it in rows.schedules.clone() {
        writes.schedules.insert(Arc::clone(&it.name), Some(it));
    }
    writes.overrides.extend(rows.overrides.iter().map(|it| (it.id, Some(it.clone()))));
    writes.blocks.extend(rows.blocks.iter().map(|it| (it.id, Some(it.clone()))));
    writes.swaps.extend(rows.swaps.iter().map(|it| (it.id, Some(it.clone()))));
    writes.absences.extend(rows.absences.iter().map(|it| (it.id, Some(it.clone()))));
    writes.feeds.extend(rows.feeds.iter().map(|it| (it.id, Some(it.clone()))));
    for it in rows.imports.clone() {
        writes.imports.insert((Arc::clone(&it.schedule), Arc::clone(&it.import)), Some(it));
    }
    writes.records.extend(rows.records.iter().map(|it| (it.number, Some(it.clone()))));
    writes
}

fn of(on_call: OnCallWrites) -> WriteSet {
    WriteSet { on_call, ..WriteSet::default() }
}

pub(crate) async fn who_is_on_call_comes_back_and_can_be_replaced_and_removed(
    fixture: impl Fixture,
) {
    let rows = everything();
    fixture.store().commit(TENANT, of(written(&rows))).await.unwrap();
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store().load(TENANT).await.unwrap().on_call, rows);
    assert_eq!(fixture.store().load(OTHER).await.unwrap().on_call, OnCallRows::default());

    let mut change = written(&rows);
    change.schedules.values_mut().for_each(|row| *row = None);
    change.overrides.values_mut().for_each(|row| *row = None);
    change.blocks.values_mut().for_each(|row| *row = None);
    change.swaps.values_mut().for_each(|row| *row = None);
    change.absences.values_mut().for_each(|row| *row = None);
    change.feeds.values_mut().for_each(|row| *row = None);
    change.imports.values_mut().for_each(|row| *row = None);
    change.records = [(7, None), (8, Some(record(8, 2, Some(3))))].into();
    fixture.store().commit(TENANT, of(change)).await.unwrap();
    let expected = OnCallRows {
        records: vec![record(8, 2, Some(3))],
        highest_record: 8,
        ..OnCallRows::default()
    };
    assert_eq!(fixture.store().load(TENANT).await.unwrap().on_call, expected);
}

pub(crate) async fn shifts_are_found_by_their_time_and_the_old_ones_stay_out_of_memory(
    fixture: impl Fixture,
) {
    let all = [
        record(1, 0, Some(DAY)),
        record(2, DAY, Some(90 * DAY)),
        record(3, 90 * DAY, Some(99 * DAY)),
        record(4, 99 * DAY, None),
    ];
    let records = all.iter().map(|it| (it.number, Some(it.clone()))).collect();
    let writes = OnCallWrites { records, ..OnCallWrites::default() };
    fixture.store().commit(TENANT, of(writes)).await.unwrap();
    let loaded = fixture.store().load(TENANT).await.unwrap().on_call;
    assert_eq!(loaded.records, all[1..]);
    assert_eq!(loaded.highest_record, 4);
    let store = fixture.store();
    let find = async |from: i64, to: i64| {
        let query = ShiftQuery { schedule: "web".to_owned(), from: at(from), to: at(to) };
        let found = store.shift_records(TENANT, query).await.unwrap();
        found.iter().map(|it| it.number).collect::<Vec<_>>()
    };
    assert_eq!(find(0, 200 * DAY).await, [1, 2, 3, 4]);
    assert_eq!(find(DAY, 90 * DAY).await, [2]);
    assert_eq!(find(150 * DAY, 200 * DAY).await, [4]);
    let query = ShiftQuery { schedule: "db".to_owned(), from: at(0), to: at(DAY) };
    assert!(store.shift_records(TENANT, query).await.unwrap().is_empty());
}
