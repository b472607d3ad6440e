//! How good a plan is: the cases that Grafana OnCall's own tests name.

use tocsin_core::oncall::{LayerSpec, Quality, Unit};

use crate::support::{at, every, layer, roster, spec, window};

fn quality(layers: Vec<LayerSpec>) -> Quality {
    let roster = roster(&spec("UTC", layers));
    let (from, to) = (at("2026-01-05T00:00Z"), at("2027-01-04T00:00Z"));
    let view = roster.final_view("web", from, to, from).unwrap();
    roster.quality(roster.entry("web").unwrap(), &view, from, to, &|_| None)
}

fn half_days(members: [&str; 2], days: &str) -> Vec<LayerSpec> {
    let half = |name: &str, members: &str, from: &str, to: &str| {
        let mut it = layer(name, members, every(1, Unit::Days), "2026-01-05T00:00");
        it.windows = vec![window(&[days], from, to)];
        it
    };
    vec![
        half(&format!("{days} early"), members[0], "00:00", "12:00"),
        half(&format!("{days} late"), members[1], "12:00", "24:00"),
    ]
}

#[test]
fn a_schedule_of_nobody_scores_nothing_and_says_so() {
    let nothing = quality(Vec::new());
    assert_eq!((nothing.score, nothing.band.as_str()), (0, "bad"));
    assert!(nothing.advice[0].contains("nobody is ever on call"));
}

#[test]
fn working_days_alone_score_86_with_29_per_cent_uncovered() {
    let half = quality(half_days(["a b c d", "e f g h"], "mon-fri"));
    assert_eq!(half.score, 86);
    assert_eq!(half.balance_percent, 100.0);
    assert!(half.advice[0].starts_with("29% of the time is not covered"), "{:?}", half.advice);
}

#[test]
fn with_even_weekends_it_scores_100() {
    let mut layers = half_days(["a b c d", "e f g h"], "mon-fri");
    layers.extend(half_days(["a b c d", "e f g h"], "sat-sun"));
    let whole = quality(layers);
    assert_eq!((whole.score, whole.band.as_str()), (100, "great"));
}

#[test]
fn weekends_loaded_on_some_score_88_and_name_them() {
    let mut layers = half_days(["a b c d", "e f g h"], "mon-fri");
    layers.extend(half_days(["a b", "e f"], "sat-sun"));
    let uneven = quality(layers);
    assert_eq!(uneven.score, 88);
    assert_eq!(uneven.coverage_percent, 100.0);
    let advice = uneven.advice.join("\n");
    assert!(advice.contains("a (+29%), b (+29%), e (+29%), f (+29%)"), "{advice}");
}
