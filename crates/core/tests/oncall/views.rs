//! Final views: the cases that Grafana OnCall's own tests name, and how exceptions compose.

use std::sync::Arc;

use tocsin_core::oncall::{
    BlockShift, Cadence, Combine, Fallback, FixedBlock, SwapRequest, SwapState, Unit, WarningCode,
};
use uuid::Uuid;

use crate::support::{at, change, entry, every, layer, now, plan, roster, spec, who, window};

fn on(
    name: &str,
    members: &str,
    rank: u32,
    from: &str,
    to: &str,
) -> tocsin_core::oncall::LayerSpec {
    let mut it = layer(name, members, every(1, Unit::Days), "2026-01-01T00:00");
    it.rank = rank;
    it.windows = vec![window(&[], from, to)];
    it
}

const DAY: (&str, &str) = ("2026-11-10T00:00Z", "2026-11-11T00:00Z");

#[test]
fn a_higher_rank_cuts_off_lower_ones_where_it_has_somebody() {
    let layers = vec![
        on("a", "a", 1, "10:00", "20:00"),
        on("b", "b", 1, "12:00", "16:00"),
        on("c", "c", 2, "15:00", "18:00"),
    ];
    // Equal ranks are on call together, where Grafana's test lists them one by one.
    assert_eq!(
        plan(&roster(&spec("UTC", layers)), DAY.0, DAY.1),
        [
            "2026-11-10T00:00:00Z -",
            "2026-11-10T10:00:00Z a",
            "2026-11-10T12:00:00Z a b",
            "2026-11-10T15:00:00Z c",
            "2026-11-10T18:00:00Z a",
            "2026-11-10T20:00:00Z -",
        ]
    );
    let layers = vec![
        on("a", "a", 1, "10:00", "20:00"),
        on("b", "b", 1, "10:00", "20:00"),
        on("c", "c", 2, "10:00", "13:00"),
    ];
    assert_eq!(
        plan(&roster(&spec("UTC", layers)), DAY.0, DAY.1),
        [
            "2026-11-10T00:00:00Z -",
            "2026-11-10T10:00:00Z c",
            "2026-11-10T13:00:00Z a b",
            "2026-11-10T20:00:00Z -",
        ]
    );
}

#[test]
fn a_layer_that_adds_joins_those_below() {
    let mut shadow = on("shadow", "new", 1, "09:00", "12:00");
    shadow.combine = Combine::Add;
    let layers = vec![on("main", "a", 0, "00:00", "24:00"), shadow];
    assert_eq!(
        plan(&roster(&spec("UTC", layers)), DAY.0, DAY.1),
        ["2026-11-10T00:00:00Z a", "2026-11-10T09:00:00Z a new", "2026-11-10T12:00:00Z a",]
    );
}

#[test]
fn an_override_splits_the_shift_around_it() {
    let mut entry =
        entry(&spec("UTC", vec![layer("main", "a b", Cadence::WEEKLY, "2026-11-09T00:00")]));
    entry.overrides.push(change(Some("a"), Some("x"), "2026-11-10T10:00Z", "2026-11-10T12:00Z"));
    entry.overrides.push(change(None, Some("y"), "2026-11-10T11:00Z", "2026-11-10T13:00Z"));
    entry.overrides.push(change(Some("a"), None, "2026-11-10T20:00Z", "2026-11-10T21:00Z"));
    let mut roster = tocsin_core::oncall::Roster::default();
    roster.insert(entry);
    assert_eq!(
        plan(&roster, DAY.0, DAY.1),
        [
            "2026-11-10T00:00:00Z a",
            "2026-11-10T10:00:00Z x",
            "2026-11-10T11:00:00Z x y",
            "2026-11-10T12:00:00Z a y",
            "2026-11-10T13:00:00Z a",
            "2026-11-10T20:00:00Z -",
            "2026-11-10T21:00:00Z a",
        ]
    );
    let on_call =
        roster.on_call("web", &tocsin_core::oncall::Pick::Current, at("2026-11-10T11:30Z"));
    assert_eq!(
        on_call.unwrap().sentence(),
        "x is on call instead of a by an override of ada; y was added by an override of ada"
    );
}

#[test]
fn overrides_compose_and_those_without_effect_are_told_of() {
    let mut entry =
        entry(&spec("UTC", vec![layer("main", "a", Cadence::WEEKLY, "2026-11-09T00:00")]));
    let span = ("2026-11-10T10:00Z", "2026-11-10T12:00Z");
    let with_id = |id, mut it: tocsin_core::oncall::Override| {
        it.id = Uuid::from_u128(id);
        it
    };
    entry.overrides.push(with_id(1, change(Some("a"), Some("b"), span.0, span.1)));
    entry.overrides.push(with_id(2, change(Some("b"), Some("c"), span.0, span.1)));
    entry.overrides.push(with_id(3, change(Some("z"), Some("d"), span.0, span.1)));
    entry.overrides.push(with_id(4, change(None, Some("c"), span.0, span.1)));
    let mut roster = tocsin_core::oncall::Roster::default();
    roster.insert(entry);
    assert_eq!(now(&roster, "2026-11-10T11:00Z"), "c");
    let view = roster.final_view("web", at(DAY.0), at(DAY.1), at(DAY.0)).unwrap();
    let told: Vec<_> = view
        .warnings
        .iter()
        .filter(|it| it.code == WarningCode::IneffectiveOverride)
        .map(|it| it.message.as_str())
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("z is not on call then"), "{told:?}");
    assert!(told[1].contains("c is on call then anyway"), "{told:?}");
}

fn swap(owner: &str, taker: Option<&str>, from: &str, to: &str) -> SwapRequest {
    SwapRequest {
        id: Uuid::from_u128(9),
        schedule: Arc::from("web"),
        number: 1,
        owner: who(owner),
        from: at(from),
        to: at(to),
        state: taker.map_or(SwapState::Open, |by| SwapState::Taken { by: who(by) }),
        offered_to: None,
        in_return: None,
        reason: String::new(),
    }
}

fn with_swap(swap: SwapRequest) -> Vec<String> {
    let mut entry =
        entry(&spec("UTC", vec![layer("main", "a b", every(1, Unit::Days), "2026-11-10T00:00")]));
    entry.swaps.push(swap);
    let mut roster = tocsin_core::oncall::Roster::default();
    roster.insert(entry);
    plan(&roster, "2026-11-10T00:00Z", "2026-11-12T00:00Z")
}

#[test]
fn a_swap_that_was_taken_moves_exactly_its_part() {
    let days = ["2026-11-10T00:00:00Z a", "2026-11-11T00:00:00Z b"];
    // Open, and by somebody who is not on call: nothing.
    assert_eq!(with_swap(swap("a", None, "2026-11-10T06:00Z", "2026-11-10T08:00Z")), days);
    assert_eq!(with_swap(swap("z", Some("c"), "2026-11-10T06:00Z", "2026-11-10T08:00Z")), days);
    // The start, the end, both, the whole.
    assert_eq!(
        with_swap(swap("a", Some("c"), "2026-11-09T06:00Z", "2026-11-10T08:00Z")),
        ["2026-11-10T00:00:00Z c", "2026-11-10T08:00:00Z a", "2026-11-11T00:00:00Z b"]
    );
    assert_eq!(
        with_swap(swap("a", Some("c"), "2026-11-10T20:00Z", "2026-11-11T08:00Z")),
        ["2026-11-10T00:00:00Z a", "2026-11-10T20:00:00Z c", "2026-11-11T00:00:00Z b"]
    );
    assert_eq!(
        with_swap(swap("a", Some("c"), "2026-11-10T06:00Z", "2026-11-10T08:00Z")),
        [
            "2026-11-10T00:00:00Z a",
            "2026-11-10T06:00:00Z c",
            "2026-11-10T08:00:00Z a",
            "2026-11-11T00:00:00Z b"
        ]
    );
    assert_eq!(
        with_swap(swap("a", Some("c"), "2026-11-10T00:00Z", "2026-11-12T00:00Z")),
        ["2026-11-10T00:00:00Z c", "2026-11-11T00:00:00Z b"]
    );
}

#[test]
fn a_swap_goes_before_an_override_of_the_same_person() {
    let mut entry =
        entry(&spec("UTC", vec![layer("main", "a", Cadence::WEEKLY, "2026-11-09T00:00")]));
    entry.swaps.push(swap("a", Some("b"), "2026-11-10T06:00Z", "2026-11-10T08:00Z"));
    entry.overrides.push(change(Some("a"), Some("c"), "2026-11-10T06:00Z", "2026-11-10T09:00Z"));
    let mut roster = tocsin_core::oncall::Roster::default();
    roster.insert(entry);
    assert_eq!(now(&roster, "2026-11-10T07:00Z"), "b");
    assert_eq!(now(&roster, "2026-11-10T08:00Z"), "c");
}

#[test]
fn a_fixed_block_hides_everything_else_and_its_holes_are_gaps() {
    let mut wanted = spec("UTC", vec![layer("main", "a", Cadence::WEEKLY, "2026-11-09T00:00")]);
    wanted.fallback = Fallback::Person(who("boss"));
    let mut entry = entry(&wanted);
    entry.overrides.push(change(Some("a"), Some("x"), "2026-11-10T00:00Z", "2026-11-11T00:00Z"));
    let shift = |person, from, to| BlockShift { person: who(person), from: at(from), to: at(to) };
    entry.blocks.push(FixedBlock {
        id: Uuid::from_u128(1),
        schedule: Arc::from("web"),
        number: 1,
        from: at("2026-11-10T06:00Z"),
        to: at("2026-11-10T18:00Z"),
        shifts: vec![
            shift("m", "2026-11-10T06:00Z", "2026-11-10T10:00Z"),
            shift("n", "2026-11-10T12:00Z", "2026-11-10T18:00Z"),
        ],
        reason: String::new(),
        author: "ada".to_owned(),
    });
    let mut roster = tocsin_core::oncall::Roster::default();
    roster.insert(entry);
    assert_eq!(
        plan(&roster, DAY.0, DAY.1),
        [
            "2026-11-10T00:00:00Z x",
            "2026-11-10T06:00:00Z m",
            "2026-11-10T10:00:00Z boss",
            "2026-11-10T12:00:00Z n",
            "2026-11-10T18:00:00Z x",
        ]
    );
    let gaps = roster.gaps("web", at(DAY.0), at(DAY.1)).unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].from, gaps[0].to), (at("2026-11-10T10:00Z"), at("2026-11-10T12:00Z")));
}

#[test]
fn weekly_shifts_in_chicago_keep_midnight_through_both_changes() {
    let roster = roster(&spec(
        "America/Chicago",
        vec![layer("main", "a b", Cadence::WEEKLY, "2024-10-29T00:00")],
    ));
    assert_eq!(
        plan(&roster, "2024-10-29T05:00Z", "2024-11-06T00:00Z"),
        ["2024-10-29T05:00:00Z a", "2024-11-05T06:00:00Z b"]
    );
    assert_eq!(
        plan(&roster, "2025-03-04T06:00Z", "2025-03-12T00:00Z"),
        ["2025-03-04T06:00:00Z a", "2025-03-11T05:00:00Z b"]
    );
}

#[test]
fn pages_count_for_whoever_was_on_call_when_they_came() {
    let main = layer("main", "a b", every(1, Unit::Days), "2026-11-10T00:00");
    let roster = roster(&spec("Europe/Berlin", vec![main]));
    let entry = roster.entry("web").unwrap();
    let from = at("2026-11-09T23:00Z");
    let view = roster.view_of(entry, &[], from, at("2026-11-11T23:00Z"), from);
    let page = |instant: &str, person: &str| (at(instant), who(person));
    let pages = [
        page("2026-11-10T09:00Z", "a"),
        // At 23:30 in Berlin, and at 6:59 and 7:00 the next day.
        page("2026-11-10T22:30Z", "a"),
        page("2026-11-11T05:59Z", "b"),
        page("2026-11-11T06:00Z", "b"),
        // Nobody's shift, and not any more theirs.
        page("2026-11-11T12:00Z", "a"),
        page("2026-11-12T12:00Z", "b"),
    ];
    let rows = roster.monthly_hours(entry, &view, &pages, &|_| None);
    let counts: Vec<_> = rows
        .iter()
        .map(|row| {
            (row.person.as_str(), row.hours.total_seconds() / 3_600, row.pages, row.night_pages)
        })
        .collect();
    assert_eq!(counts, [("a", 24, 2, 1), ("b", 24, 2, 1)]);
}
