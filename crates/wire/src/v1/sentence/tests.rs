mod incident;
mod paging;

use std::sync::Arc;

use tocsin_core::acknowledgement::AcknowledgementEnd;
use tocsin_core::alert::Identity;
use tocsin_core::change::{Change, ChangeLink};
use tocsin_core::event::Recorded;
use tocsin_core::identity::Handle;
use tocsin_core::ids::{Sequence, SilenceNumber};
use tocsin_core::matcher::Matchers;
use tocsin_core::notification::{Failure, FailureClass, NotifyReason};
use tocsin_core::oncall::{HandoffNotice, NoticedShift, OpenWork};
use tocsin_core::policy::InhibitRule;

use super::super::Event as WireEvent;
use super::*;

const SILENCE: &str = "6e0d7c4e-2b5e-4f0e-9d5c-0f3b8f7f4a11";

fn at(time: &str) -> jiff::Timestamp {
    format!("2026-11-20T{time}Z").parse().unwrap()
}

fn silence() -> SilenceId {
    SILENCE.parse().unwrap()
}

fn slow() -> Labels {
    Labels::from([("alertname", "SlowCheckout"), ("service", "checkout")])
}

fn errors() -> Labels {
    Labels::from([("alertname", "HighErrorRate"), ("service", "checkout")])
}

fn failure(message: &str) -> Failure {
    Failure {
        class: FailureClass::ServerError,
        message: message.to_owned(),
        retry_after_ms: None,
        may_have_arrived: false,
    }
}

/// Every kind of event, in the order of the enum, with variants where the sentence has some.
fn every_kind() -> Vec<Event> {
    let (alert, group, notification) = (AlertNumber(1), GroupNumber(7), OutboxNumber(9));
    let fingerprint = slow().fingerprint();
    let integration = || "team/slack[0]".to_owned();
    let fired = |is_timeout, is_refire, groups| Event::AlertFired {
        alert,
        fingerprint,
        starts_at: at("11:59:00"),
        ends_at: at("12:05:00"),
        is_timeout,
        is_refire,
        groups,
    };
    let resolved = |is_timeout| Event::AlertResolved {
        alert,
        fingerprint,
        ends_at: at("12:05:00"),
        is_timeout,
    };
    let muted = |cause| Event::AlertMuted { alert, group, cause };
    let inhibited =
        |rule| MuteCause::Inhibition(Inhibitor { source: errors().fingerprint(), rule });
    let queued = |reason, firing, resolved| Event::NotificationQueued {
        notification,
        group,
        integration: integration(),
        reason,
        firing,
        resolved,
    };
    let set = |comment: &str| Event::SilenceSet {
        silence: SilenceNumber(3),
        id: silence(),
        by: "ada".to_owned(),
        matchers: r#"{service="checkout"}"#.to_owned(),
        starts_at: at("12:00:00"),
        ends_at: at("14:00:00"),
        comment: comment.to_owned(),
    };
    let name = || Arc::from("backup");
    let mut events = vec![
        fired(true, false, vec![group]),
        fired(false, true, vec![group, GroupNumber(8), GroupNumber(10)]),
        fired(true, false, Vec::new()),
        resolved(false),
        resolved(true),
        Event::AlertArrivedResolved { alert, fingerprint },
        Event::AlertLimited { fingerprint, limit: "max_alerts: 5".to_owned() },
        muted(inhibited(0)),
        muted(inhibited(4)),
        muted(MuteCause::ActiveInterval { names: Arc::from("work, weekend") }),
        muted(MuteCause::MuteInterval { name: Arc::from("night") }),
        muted(MuteCause::Silence { id: silence() }),
        muted(MuteCause::Maintenance { name: name() }),
        Event::AlertUnmuted { alert, group, cause: MuteCause::Silence { id: silence() } },
        Event::AlertAcknowledged {
            alert,
            by: "ada".to_owned(),
            comment: "on it".to_owned(),
            expires_at: Some(at("14:00:00")),
        },
        Event::AlertUnacknowledged { alert, why: AcknowledgementEnd::Lapsed },
        Event::AlertUnacknowledged { alert, why: AcknowledgementEnd::Resolved },
        Event::AlertUnacknowledged {
            alert,
            why: AcknowledgementEnd::TakenBack { by: "ada".to_owned(), comment: String::new() },
        },
        Event::AlertNoted { alert, by: "ada".to_owned(), text: "disk replaced".to_owned() },
        Event::GroupOpened {
            group,
            key: Arc::from("{}:{service=\"checkout\"}"),
            receiver: Arc::from("team"),
            labels: Labels::from([("service", "checkout")]),
            flush_at: at("12:00:30"),
            why: FlushReason::GroupWait,
        },
        Event::FlushAdvanced { group, flush_at: at("12:00:10"), why: FlushReason::SeverityWindow },
        Event::GroupClosed { group },
        queued(NotifyReason::First, vec![alert], Vec::new()),
        queued(NotifyReason::SomeResolved, (1..=8).map(AlertNumber).collect(), vec![alert]),
        Event::NotificationSent { notification, group, integration: integration(), attempts: 1 },
        Event::NotificationSent { notification, group, integration: integration(), attempts: 3 },
        Event::MessageDegraded {
            notification,
            group,
            integration: integration(),
            why: vec!["`title`: team.tmpl:3:7: there is no function `foo`".to_owned()],
        },
        Event::AttemptFailed {
            notification,
            group,
            integration: integration(),
            attempt: 2,
            failure: failure("slack answered 503"),
            retry_at: at("12:00:45"),
        },
        Event::NotificationAbandoned {
            notification,
            group,
            integration: integration(),
            why: "its time is over".to_owned(),
        },
        set("deploy"),
        set(""),
        Event::SilenceStarted { silence: SilenceNumber(3), id: silence() },
        Event::SilenceEnded { silence: SilenceNumber(3), id: silence(), is_early: true },
        Event::SilenceEnded { silence: SilenceNumber(3), id: silence(), is_early: false },
        Event::MaintenanceWindowSet { name: name(), by: "ada".to_owned() },
        Event::MaintenanceWindowDeleted { name: name() },
        Event::MaintenanceWindowUnreadable {
            name: name(),
            why: "maintenance window `nightly` has no usable time zone: X/Y".to_owned(),
        },
        Event::MaintenanceStarted { name: name(), ends_at: at("14:00:00") },
        Event::MaintenanceEnded { name: name() },
        Event::OnCallChanged {
            schedule: Some("web".into()),
            what: "override.add".to_owned(),
            by: "ada".to_owned(),
        },
        Event::HandedOver {
            schedule: "web".into(),
            handoff_at: at("09:00:00"),
            before: vec![Handle::parse("ada").unwrap()],
            after: vec![Handle::parse("grace").unwrap()],
            why: "grace has the turn in layer main".to_owned(),
            until: None,
        },
        Event::HandoffNoticed {
            notice: HandoffNotice {
                person: Handle::parse("grace").unwrap(),
                begins: vec![NoticedShift {
                    schedule: "web".into(),
                    at: at("09:00:00"),
                    until: Some(at("17:00:00")),
                }],
                ends: Vec::new(),
                is_ahead: false,
                is_late: false,
                open: OpenWork { alerts_waiting: 2, alerts_acknowledged: 1 },
            },
        },
        Event::SwapPastDue { schedule: "web".into(), owner: Handle::parse("ada").unwrap() },
        Event::CalendarRead {
            schedule: "web".into(),
            import: "google".into(),
            events: 12,
            unknown: 1,
        },
        Event::CalendarFailed {
            schedule: "web".into(),
            import: "google".into(),
            why: "the calendar answered 503".to_owned(),
        },
        Event::CalendarDropped {
            schedule: "web".into(),
            import: "google".into(),
            why: "the calendar answered 503".to_owned(),
        },
        Event::ChangeRecorded {
            change: Change {
                summary: "checkout 1.42 is live".to_owned(),
                source: "pipeline".to_owned(),
                occurred_at: at("11:58:00"),
                details: "{\"build\":42}".to_owned(),
                links: vec![ChangeLink {
                    href: "http://ci.example/42".to_owned(),
                    text: "the build".to_owned(),
                }],
                integration: "pagerduty".to_owned(),
            },
        },
    ];
    events.extend(paging::events());
    events.extend(incident::events());
    events.push(Event::EngineStarted { alerts: 1, groups: 2, notifications: 0 });
    events.push(Event::Reconfigured { groups: 3 });
    events
}

fn directory() -> Directory {
    let mut directory = Directory::default();
    for (number, labels) in [(1, slow()), (2, errors())] {
        let fingerprint = labels.fingerprint();
        let identity = Identity { number: AlertNumber(number), fingerprint, labels };
        directory.add_identity(&Arc::new(identity));
    }
    directory.set_rules(&[InhibitRule {
        name: Some(Arc::from("errors-before-latency")),
        source: Matchers::default(),
        target: Matchers::default(),
        equal: vec!["service".into(), "zone".into()],
    }]);
    for (i, event) in every_kind().into_iter().enumerate() {
        let recorded = Recorded { sequence: Sequence(i as u64), at: at("12:00:00"), event };
        directory.learn(&recorded);
    }
    directory
}

#[test]
fn every_kind_of_event_has_its_sentence() {
    let directory = directory();
    let shown: Vec<String> = every_kind()
        .iter()
        .map(|event| {
            let (subject, text) = (subject_name(event, &directory), sentence(event, &directory));
            format!("{}\n  {subject}: {text}", event.kind())
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn what_is_not_known_is_shown_by_its_number() {
    let shown: Vec<String> = every_kind()
        .iter()
        .map(|event| format!("{}: {}", subject_name(event, &()), sentence(event, &())))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn what_sentences_mention_can_be_looked_up_before() {
    let events = every_kind();
    let all = Mentions::unknown(events.iter(), &());
    assert_eq!(all.alerts[&AlertNumber(1)], Some(slow().fingerprint()));
    assert_eq!(all.alerts.len(), MAX_NAMED_ALERTS);
    assert_eq!(all.groups, [7, 8, 10].map(GroupNumber).into());
    assert_eq!(all.silences, [silence()].into());
    let left = Mentions::unknown(events.iter(), &directory());
    assert_eq!(left.alerts.into_keys().collect::<Vec<_>>(), [3, 4, 5].map(AlertNumber));
    assert!(left.fingerprints.is_empty() && left.silences.is_empty());
}

#[test]
fn every_kind_of_event_is_covered_above() {
    let mut kinds: Vec<_> = every_kind().iter().map(Event::kind).collect();
    kinds.dedup();
    assert_eq!(kinds, super::super::event::KINDS);
}

#[test]
fn an_event_is_written_with_its_subject_and_details() {
    let muted = &every_kind()[7];
    let recorded = Recorded { sequence: Sequence(42), at: at("10:02:11"), event: muted.clone() };
    insta::assert_json_snapshot!(WireEvent::new(&recorded, &directory()));
}
