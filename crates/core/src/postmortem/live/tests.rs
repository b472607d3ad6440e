//! Which rows a postmortem shows, and in which words.

use super::*;
use crate::incident::{IncidentNumber, Status};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn row(seq: u64, second: i64, fact: Fact) -> Entry {
    Entry {
        incident: IncidentNumber(7),
        seq,
        occurred_at: at(second),
        recorded_at: at(second),
        cycle: 1,
        by: Author::system(),
        fact,
    }
}

fn said(text: &str) -> Fact {
    Fact::Commented { text: text.to_owned(), mentions: Vec::new(), unknown: Vec::new() }
}

fn joined(name: &str, count: usize) -> Fact {
    Fact::AlertsJoined { alerts: vec![name.to_owned()], count }
}

fn incident() -> Incident {
    let title = "Down".to_owned();
    Incident::new(IncidentNumber(7), at(0), Author::system(), title, Severity::Sev2)
}

#[test]
fn what_is_of_one_kind_and_soon_after_is_one_row_with_its_first_last_and_peak() {
    let entries = vec![
        row(1, 0, joined("A", 2)),
        row(2, 30, said("hm")),
        row(3, 60, joined("B", 7)),
        row(4, 90, said("hm again")),
        row(5, 119, joined("A", 1)),
        row(6, 121, joined("C", 1)),
    ];
    let live = live(&incident(), &entries);
    let texts: Vec<&str> = live.timeline.iter().map(|it| it.text.as_str()).collect();
    // What people said is never merged, and two minutes count from the first.
    assert_eq!(texts, ["10 alerts fire, 7 of them at once: A, B", "hm", "hm again", "C fires"]);
    assert_eq!(live.timeline[0].rows, [1, 3, 5]);
    assert_eq!((live.timeline[0].at, live.timeline[0].until), (at(0), Some(at(119))));
}

#[test]
fn a_long_timeline_keeps_its_beginning_its_end_and_what_was_chosen() {
    let mut incident = incident();
    let mut entries: Vec<Entry> =
        (1..=2_000).map(|seq| row(seq, 1_000 * seq.cast_signed(), said("so"))).collect();
    let moved = Fact::Moved {
        from: Status::Investigating,
        to: Status::Identified,
        note: String::new(),
        code: None,
    };
    entries[1_000].fact = moved;
    incident.marks.insert(900, Mark { is_key_moment: true, ..Mark::default() });
    let live = live(&incident, &entries);
    assert_eq!(live.timeline.len(), MAX_LIVE_ROWS);
    assert_eq!(live.rows_left_out, 1_500);
    let rows: Vec<u64> = live.timeline.iter().flat_map(|it| it.rows.clone()).collect();
    for kept in [1, 2, 900, 1_001, 1_999, 2_000] {
        assert!(rows.contains(&kept), "{kept}");
    }
    assert!(rows.is_sorted());
}

#[test]
fn key_moments_stand_in_their_order_and_in_the_words_of_their_captions() {
    let mut incident = incident();
    let entries: Vec<Entry> = (1..=4).map(|seq| row(seq, seq.cast_signed(), said("so"))).collect();
    let moment = |position: Option<u32>, caption: &str| Mark {
        is_key_moment: true,
        position,
        caption: caption.to_owned(),
        ..Mark::default()
    };
    incident.marks.insert(2, moment(None, ""));
    incident.marks.insert(3, moment(Some(1), "The cache was cold"));
    incident.marks.insert(4, moment(None, "The end"));
    let live = live(&incident, &entries);
    let told: Vec<&str> = live.key_moments.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(told, ["The cache was cold", "so", "The end"]);
}
