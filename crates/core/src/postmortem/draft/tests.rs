//! What drafts say, and that every sentence says why.

use jiff::Timestamp;

use super::*;
use crate::change::Change;
use crate::event::{Event, Recorded};
use crate::ids::{AlertNumber, RunNumber, Sequence};
use crate::incident::{
    Author, Entry, Evidence, Fact, Incident, IncidentNumber, Measure, Record, ResolutionCode,
    Status,
};
use crate::severity::Severity;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
}

fn ada() -> Author {
    Author::person("ada", "api")
}

/// An incident that began three minutes after a deploy, was taken after twelve, and is over.
fn facts() -> Facts {
    let mut record = Record::new(at(1), "tocsin");
    let mut entries = Vec::new();
    let mut row = |minute: i64, by: Author, fact: Fact| {
        let seq = entries.len() as u64 + 1;
        entries.push(Entry {
            incident: IncidentNumber(7),
            seq,
            occurred_at: at(minute),
            recorded_at: at(minute),
            cycle: 1,
            by,
            fact,
        });
    };
    let title = "HighErrorRate on checkout".to_owned();
    let (severity, why) = (Severity::Sev2, "receiver `pager` pages".to_owned());
    row(1, Author::system(), Fact::Opened { title: title.clone(), severity, why });
    let alerts = vec!["HighErrorRate".to_owned()];
    row(1, Author::system(), Fact::AlertsJoined { alerts, count: 1 });
    let moves = [
        (13, Status::Acknowledged, ""),
        (20, Status::Identified, "the new pool is too small"),
        (31, Status::Resolved, "rolled back"),
    ];
    let mut from = Status::Detected;
    for (minute, to, note) in moves {
        let code = (to == Status::Resolved).then_some(ResolutionCode::Fixed);
        record.enter(at(minute), to, "ada", true, code);
        row(minute, ada(), Fact::Moved { from, to, note: note.to_owned(), code });
        from = to;
    }
    let change = Change {
        summary: "Deploy checkout v42".to_owned(),
        source: "ci".to_owned(),
        occurred_at: at(-3),
        details: String::new(),
        links: Vec::new(),
        integration: "hooks".to_owned(),
    };
    let step = Event::StepReached {
        run: RunNumber(1),
        round: 1,
        step: 1,
        level: "L1".into(),
        due_at: at(1),
        people: Vec::new(),
        places: Vec::new(),
        left_out: Vec::new(),
        skipped: String::new(),
    };
    Facts {
        targets: crate::incident::Targets::usual(Severity::Sev2),
        recommends: true,
        incident: Incident {
            version: 9,
            entries: entries.len() as u64,
            service: "checkout".into(),
            record,
            postmortem: Some(crate::postmortem::PostmortemState::Draft),
            evidence: Evidence { users_percent: Some(12.5), ..Evidence::default() },
            measure: Measure { impact_started_at: Some(at(0)), ..Measure::default() },
            ..Incident::new(IncidentNumber(7), at(1), Author::system(), title, Severity::Sev2)
        },
        entries,
        alerts: vec![AlertFacts {
            number: AlertNumber(3),
            name: "HighErrorRate".to_owned(),
            service: "checkout".to_owned(),
            starts_at: at(0),
            runbook: None,
        }],
        alerts_total: 1,
        events: vec![Recorded { sequence: Sequence(5), at: at(1), event: step }],
        changes: vec![Recorded {
            sequence: Sequence(2),
            at: at(-3),
            event: Event::ChangeRecorded { change },
        }],
        similar: Vec::new(),
        open_actions: Vec::new(),
    }
}

fn texts(draft: &PostmortemDraft, name: SectionName) -> Vec<&str> {
    draft.sections.get(&name).into_iter().flatten().map(|it| it.text.as_str()).collect()
}

#[test]
fn a_draft_tells_the_story_in_the_words_of_its_rows() {
    let draft = draft(&facts());
    assert_eq!(
        texts(&draft, SectionName::Summary),
        [
            "HighErrorRate on checkout: sev2 (high), detected at 2027-01-15T08:01:00Z and \
             resolved after 30m.",
            "It concerned the service checkout.",
            "It ended as fixed: rolled back.",
        ]
    );
    assert_eq!(texts(&draft, SectionName::Impact)[0], "12.5 % of users were concerned.");
    assert_eq!(
        texts(&draft, SectionName::RootCause),
        ["As ada noted: the new pool is too small.", "What ended it: rolled back."]
    );
    assert_eq!(
        texts(&draft, SectionName::ContributingFactors),
        ["3m before it began something was changed at ci (2027-01-15T07:57:00Z): Deploy checkout \
          v42."]
    );
    let well = texts(&draft, SectionName::WentWell);
    assert!(well.contains(&"It was taken within 12m; the target is 15 minutes."), "{well:?}");
    assert!(well.contains(&"Whoever was paged first answered."), "{well:?}");
    let badly = texts(&draft, SectionName::CouldImprove);
    assert!(badly.contains(&"No alert says what to do (HighErrorRate)."), "{badly:?}");
    let rules: Vec<&str> = draft.recommendations.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(rules, ["no_runbook", "after_change"]);
    // What no row tells is left to people.
    assert!(!draft.sections.contains_key(&SectionName::LessonsLearned));
    assert!(!draft.sections.contains_key(&SectionName::GotLucky));
}

#[test]
fn every_sentence_names_sources_that_exist() {
    let facts = facts();
    let draft = draft(&facts);
    let sentences = draft.sections.values().flatten();
    let why = draft.recommendations.iter().map(|it| &it.why);
    let mut count = 0;
    for sentence in sentences.chain(why) {
        assert!(!sentence.sources.is_empty(), "{}", sentence.text);
        for source in &sentence.sources {
            count += 1;
            let (kind, id) = source.0.split_once('/').unwrap();
            let exists = match kind {
                "timeline" => id.parse::<u64>().unwrap() <= facts.incident.entries,
                "event" => ["2", "5"].contains(&id),
                "alert" => id == "3",
                "metric" | "field" => !id.is_empty(),
                other => panic!("{other}"),
            };
            assert!(exists, "{}: {source:?}", sentence.text);
        }
    }
    assert!(count > 20);
}

#[test]
fn what_is_late_or_unanswered_is_said_and_something_is_suggested() {
    let mut late = facts();
    late.incident.severity = Severity::Sev1;
    late.targets = crate::incident::Targets::usual(Severity::Sev1);
    late.alerts_total = 40;
    late.events.push(Recorded {
        sequence: Sequence(6),
        at: at(9),
        event: Event::EscalationUnanswered { run: RunNumber(1), rounds: 1, told: None },
    });
    let draft = draft(&late);
    let rules: Vec<&str> = draft.recommendations.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(
        rules,
        ["late_acknowledgement", "unanswered", "no_runbook", "noise", "after_change"]
    );
    let unanswered = &draft.recommendations[1];
    assert_eq!(unanswered.priority, crate::action::ActionPriority::P0);
    let badly = texts(&draft, SectionName::CouldImprove);
    assert_eq!(badly[0], "It was taken 7m later than the target of 5 minutes asks for.");
}

#[test]
fn an_incident_about_which_nothing_else_is_known_is_drafted_too() {
    let mut bare = facts();
    bare.entries.clear();
    bare.alerts.clear();
    bare.events.clear();
    bare.changes.clear();
    bare.alerts_total = 0;
    bare.incident.record = Record::new(at(1), "ada");
    bare.incident.measure = Measure::default();
    let draft = draft(&bare);
    assert_eq!(texts(&draft, SectionName::Response), ["Nobody took it."]);
    assert!(draft.sections.values().flatten().all(|it| !it.sources.is_empty()));
}
