use jiff::Timestamp;

use super::super::{Author, Incident, IncidentNumber, Mode, Record, ResolutionCode, Status};
use super::*;
use crate::labels::Labels;
use crate::severity::Severity;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Taken after `taken` seconds and over after `over`, where it was.
fn incident(number: u64, began: i64, taken: Option<i64>, over: Option<i64>) -> Incident {
    let mut record = Record::new(at(began), "tocsin");
    if let Some(taken) = taken {
        record.enter(at(began + taken), Status::Acknowledged, "ada", true, None);
    }
    if let Some(over) = over {
        let code = Some(ResolutionCode::Fixed);
        record.enter(at(began + over), Status::Resolved, "ada", true, code);
    }
    let author = Author::system();
    let number = IncidentNumber(number);
    let new = Incident::new(number, at(began), author, "x".to_owned(), Severity::Sev2);
    Incident { service: "pay".into(), labels: Labels::from_iter([("team", "core")]), record, ..new }
}

fn summary<'a>(group: &'a ReportGroup, name: &str) -> &'a Summary {
    &group.measures.iter().find(|(known, _)| known == name).unwrap().1
}

#[test]
fn figures_are_those_computed_by_hand_and_what_is_unknown_is_beside_them() {
    let list = [
        incident(1, 0, Some(60), Some(600)),
        incident(2, 1_000, Some(1_200), Some(9_000)),
        incident(3, 4_000, None, None),
    ];
    let report = report(&list, &ReportSpec::default(), at(4_100));
    let [group] = report.groups.as_slice() else { panic!("{report:?}") };
    assert_eq!((group.incidents, group.open, group.reopened), (3, 1, 0));
    let mtta = summary(group, "mtta");
    assert_eq!((mtta.count, mtta.pending, mtta.mean), (2, 1, Some(630.0)));
    assert_eq!(summary(group, "mttr").p90, Some(9_000));
    assert_eq!(group.between, Some(2_000.0));
    // A quarter of an hour is promised; the third is neither done nor late.
    assert_eq!(group.acknowledged_in_time, Kept { kept: 1, of: 2 });
    assert_eq!(group.resolved_in_time, Kept { kept: 1, of: 2 });
    assert_eq!(group.in_status[&Status::Detected], 60 + 1_200 + 100);
    let late = super::report(&list, &ReportSpec::default(), at(6_000));
    assert_eq!(late.groups[0].acknowledged_in_time, Kept { kept: 1, of: 3 });
}

#[test]
fn what_was_none_does_not_count_unless_it_is_asked_for() {
    let mut none = incident(1, 0, None, None);
    none.record.enter(at(9), Status::Resolved, "ada", true, Some(ResolutionCode::FalsePositive));
    let drill = Incident { mode: Mode::Drill, ..incident(2, 0, None, Some(5)) };
    let list = [none, drill, incident(3, 0, None, Some(5))];
    let told = report(&list, &ReportSpec::default(), at(10));
    assert_eq!((told.groups[0].incidents, told.left_out), (1, 2));
    let all = ReportSpec { counts_all: true, ..ReportSpec::default() };
    let told = report(&list, &all, at(10));
    assert_eq!((told.groups[0].incidents, told.left_out), (3, 0));
    assert!(report(&[], &all, at(10)).groups.is_empty());
}

#[test]
fn what_was_written_down_afterwards_counts_once_its_end_is_told() {
    let written = Incident { mode: Mode::Backfilled, ..incident(1, 0, None, Some(9_000)) };
    let spec = ReportSpec::default();
    let told = report([&written], &spec, at(10_000));
    assert_eq!((told.groups.len(), told.left_out), (0, 1));
    let mut known = written;
    known.record.correct(&[(TimeField::Resolved, at(300))].into(), "ada").unwrap();
    let told = report([&known], &spec, at(10_000));
    assert_eq!(summary(&told.groups[0], "mttr").mean, Some(300.0));
    known.record.enter(at(9_500), Status::Investigating, "ada", true, None);
    assert_eq!(report([&known], &spec, at(10_000)).left_out, 1);
}

#[test]
fn days_are_those_of_the_zone_that_is_asked_for() {
    // Half past eleven in the evening of a Sunday, and half an hour after midnight in Berlin.
    let late = "2026-01-04T23:30:00Z".parse::<Timestamp>().unwrap().as_second();
    let list = [incident(1, late, None, None)];
    let key = |by, zone: Option<&str>| {
        let zone = zone.map(|name| TimeZone::get(name).unwrap());
        let spec = ReportSpec { by, zone, ..ReportSpec::default() };
        report(&list, &spec, at(late)).groups[0].key.clone()
    };
    assert_eq!(key(GroupBy::Day, None), "2026-01-04");
    assert_eq!(key(GroupBy::Day, Some("Europe/Berlin")), "2026-01-05");
    assert_eq!(key(GroupBy::Week, None), "2026-W01");
    assert_eq!(key(GroupBy::Week, Some("Europe/Berlin")), "2026-W02");
    assert_eq!(key(GroupBy::Month, None), "2026-01");
    assert_eq!(key(GroupBy::Team, None), "core");
    assert_eq!(key(GroupBy::Service, None), "pay");
    assert_eq!(key(GroupBy::Severity, None), "sev2");
    assert_eq!(key(GroupBy::Owner, None), "");
}

#[test]
fn a_measure_of_ones_own_lies_between_two_moments() {
    let measure = CustomMeasure::parse("acknowledged..resolved").unwrap();
    let list = [incident(1, 0, Some(60), Some(600)), incident(2, 0, Some(60), None)];
    let spec = ReportSpec { measures: vec![measure], ..ReportSpec::default() };
    let told = report(&list, &spec, at(700));
    let own = summary(&told.groups[0], "acknowledged..resolved");
    assert_eq!((own.count, own.mean, own.pending), (1, Some(540.0), 1));
    let back = CustomMeasure::parse("resolved..detected").unwrap();
    assert_eq!(back.of(&list[0]), (None, Validity::Invalid));
    for moment in Moment::ALL {
        assert_eq!(Moment::parse(moment.as_str()), Some(moment));
    }
    let error = CustomMeasure::parse("detected..done").unwrap_err();
    assert!(error.contains("`done` is none of impact_started"), "{error}");
    assert!(CustomMeasure::parse("detected").is_err());
}
