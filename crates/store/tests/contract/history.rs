//! Stories about what happened: events and earlier lives.

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tocsin_core::acknowledgement::AcknowledgementEnd;
use tocsin_core::alert::{Description, Inhibitor};
use tocsin_core::change::{Change, ChangeLink};
use tocsin_core::event::{Event, FlushReason, MuteCause, Recorded, Subject};
use tocsin_core::identity::Handle;
use tocsin_core::ids::{AlertNumber, GroupNumber, OutboxNumber, Sequence, SilenceNumber};
use tocsin_core::incident::{IncidentNumber, ResolutionCode, Status};
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_core::notification::{Failure, FailureClass, NotifyReason};
use tocsin_core::oncall::{HandoffNotice, NoticedShift, OpenWork};
use tocsin_core::rows::WriteSet;
use tocsin_store::{EventQuery, MAX_EVENTS_PER_QUERY, Store};

use crate::Fixture;
use crate::state::{TENANT, alert, event};

/// One event of every kind, about alert `number` and its like.
pub(crate) fn every_event(number: u64) -> Vec<Event> {
    let (alert, group) = (AlertNumber(number), GroupNumber(number));
    let (notification, silence) = (OutboxNumber(number), SilenceNumber(number));
    let fingerprint = Fingerprint(u64::MAX - number);
    let at = Timestamp::new(1_795_000_000, 123_456_789).unwrap();
    let id = uuid::Uuid::from_u128(u128::MAX - u128::from(number));
    let integration = || "team/webhook[0]".to_owned();
    let cause = MuteCause::Inhibition(Inhibitor { source: fingerprint, rule: 3 });
    vec![
        Event::AlertFired {
            alert,
            fingerprint,
            starts_at: at,
            ends_at: at,
            is_timeout: true,
            is_refire: false,
            groups: vec![group, GroupNumber(2)],
        },
        Event::AlertResolved { alert, fingerprint, ends_at: at, is_timeout: false },
        Event::AlertArrivedResolved { alert, fingerprint },
        Event::AlertLimited { fingerprint, limit: "1000 \"alerts\"".to_owned() },
        Event::AlertMuted { alert, group, cause: cause.clone() },
        Event::AlertUnmuted { alert, group, cause: MuteCause::Silence { id } },
        Event::AlertAcknowledged {
            alert,
            by: "ada".to_owned(),
            comment: "on it".to_owned(),
            expires_at: Some(at),
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
            key: "{}:{a=\"b\"}".into(),
            receiver: "team".into(),
            labels: Labels::from([("größe", "\u{0}\n\"")]),
            flush_at: at,
            why: FlushReason::GroupWait,
        },
        Event::FlushAdvanced { group, flush_at: at, why: FlushReason::Unmute },
        Event::GroupClosed { group },
        Event::NotificationQueued {
            notification,
            group,
            integration: integration(),
            reason: NotifyReason::First,
            firing: vec![alert],
            resolved: vec![],
        },
        Event::NotificationSent { notification, group, integration: integration(), attempts: 2 },
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
            attempt: 1,
            failure: Failure {
                class: FailureClass::ServerError,
                message: "503".to_owned(),
                retry_after_ms: Some(5),
                may_have_arrived: false,
            },
            retry_at: at,
        },
        Event::NotificationAbandoned {
            notification,
            group,
            integration: integration(),
            why: "gone".to_owned(),
        },
        Event::SilenceSet {
            silence,
            id,
            by: "ada".to_owned(),
            matchers: "{a=\"b\"}".to_owned(),
            starts_at: at,
            ends_at: at,
            comment: String::new(),
        },
        Event::SilenceStarted { silence, id },
        Event::SilenceEnded { silence, id, is_early: true },
        Event::MaintenanceWindowSet { name: "nightly".into(), by: "grace".to_owned() },
        Event::MaintenanceWindowDeleted { name: "nightly".into() },
        Event::MaintenanceWindowUnreadable { name: "nightly".into(), why: "no zone".to_owned() },
        Event::MaintenanceStarted { name: "nightly".into(), ends_at: at },
        Event::MaintenanceEnded { name: "nightly".into() },
        Event::OnCallChanged {
            schedule: Some("web".into()),
            what: "override.add".to_owned(),
            by: "ada".to_owned(),
        },
        Event::HandedOver {
            schedule: "web".into(),
            handoff_at: at,
            before: vec![Handle::parse("ada").unwrap()],
            after: Vec::new(),
            why: "nobody is on call".to_owned(),
            until: Some(at),
        },
        Event::HandoffNoticed {
            notice: HandoffNotice {
                person: Handle::parse("ada").unwrap(),
                begins: vec![NoticedShift { schedule: "web".into(), at, until: None }],
                ends: Vec::new(),
                is_ahead: true,
                is_late: false,
                open: OpenWork { alerts_waiting: 1, alerts_acknowledged: 2 },
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
                occurred_at: at,
                details: "{\"build\":42}".to_owned(),
                links: vec![ChangeLink {
                    href: "http://ci.example/42".to_owned(),
                    text: "the build".to_owned(),
                }],
                integration: "pagerduty".to_owned(),
            },
        },
        Event::IncidentOpened {
            incident: IncidentNumber(number),
            severity: tocsin_core::severity::Severity::Sev2,
            title: "checkout is down".to_owned(),
            alerts: vec![alert],
            why: "declared".to_owned(),
            by: "ada".to_owned(),
        },
        Event::IncidentJoined { incident: IncidentNumber(number), alerts: vec![alert] },
        Event::IncidentMoved {
            incident: IncidentNumber(number),
            from: Status::Detected,
            to: Status::Resolved,
            code: Some(ResolutionCode::SelfRecovered),
            note: "\"gone\"".to_owned(),
            by: "tocsin".to_owned(),
        },
        Event::IncidentNoted {
            incident: IncidentNumber(number),
            entry: 3,
            what: "commented".into(),
            text: "look".to_owned(),
            by: "ada".to_owned(),
        },
        Event::EngineStarted { alerts: 1, groups: 2, notifications: 3 },
        Event::Reconfigured { groups: 4 },
    ]
}

/// Events that take effect in nearly the order of their places, around the borders of blocks.
fn history(count: usize) -> impl Strategy<Value = Vec<Recorded>> {
    let kinds = every_event(0).len();
    let one = (1..6_u64, 0..kinds, -30..30_i64);
    vec(one, count).prop_map(|list| {
        list.into_iter()
            .zip(1_u64..)
            .map(|((number, kind, jitter), sequence)| {
                let second = i64::try_from(sequence).unwrap() + jitter;
                event(sequence, second, every_event(number).swap_remove(kind))
            })
            .collect()
    })
}

async fn write(store: &impl Store, events: &[Recorded]) {
    for turn in events.chunks(170) {
        let writes = WriteSet { events: turn.to_vec(), ..WriteSet::default() };
        store.commit(TENANT, writes).await.unwrap();
    }
}

pub(crate) async fn every_kind_of_event_comes_back(fixture: impl Fixture) {
    let events: Vec<_> = every_event(7)
        .into_iter()
        .zip(1..)
        .map(|(it, sequence)| event(sequence, 1_795_000_000, it))
        .collect();
    write(fixture.store(), &events).await;
    let query = EventQuery { limit: 100, ..EventQuery::default() };
    let mut found = fixture.store().events(TENANT, query).await.unwrap();
    found.reverse();
    assert_eq!(found, events);
}

fn query() -> impl Strategy<Value = EventQuery> {
    let kinds: Vec<String> = every_event(0).iter().map(|it| it.kind().to_owned()).collect();
    let subjects: Vec<Subject> =
        every_event(3).iter().chain(&every_event(4)).map(Event::subject).collect();
    let place = || prop::option::of((0..2_400_u64).prop_map(Sequence));
    let time =
        || prop::option::of((0..2_400_i64).prop_map(|at| Timestamp::from_second(at).unwrap()));
    (
        prop_oneof![Just(vec![]), subsequence(subjects, 1..3)],
        prop_oneof![Just(vec![]), subsequence(kinds, 1..4)],
        (place(), place(), time(), time()),
        0..300_usize,
    )
        .prop_map(|(subjects, kinds, (before, after, from, to), limit)| EventQuery {
            subjects,
            kinds,
            before,
            after,
            from,
            to,
            limit,
        })
}

/// The plain search that every store must agree with.
fn search(history: &[Recorded], query: &EventQuery) -> Vec<Recorded> {
    let matches = |it: &Recorded| {
        (query.subjects.is_empty() || query.subjects.contains(&it.event.subject()))
            && (query.kinds.is_empty() || query.kinds.iter().any(|kind| kind == it.event.kind()))
            && query.before.is_none_or(|before| it.sequence < before)
            && query.after.is_none_or(|after| it.sequence > after)
            && query.from.is_none_or(|from| it.at >= from)
            && query.to.is_none_or(|to| it.at < to)
    };
    history.iter().rev().filter(|it| matches(it)).take(query.limit).cloned().collect()
}

pub(crate) async fn queries_agree_with_a_plain_search(fixture: impl Fixture) {
    let mut runner = TestRunner::deterministic();
    let history = history(2_300).new_tree(&mut runner).unwrap().current();
    write(fixture.store(), &history).await;
    for _ in 0..300 {
        let query = query().new_tree(&mut runner).unwrap().current();
        let found = fixture.store().events(TENANT, query.clone()).await.unwrap();
        assert_eq!(found, search(&history, &query), "{query:?}");
    }
}

pub(crate) async fn pages_show_every_event_once(fixture: impl Fixture) {
    let mut runner = TestRunner::deterministic();
    let mut history = history(500).new_tree(&mut runner).unwrap().current();
    write(fixture.store(), &history).await;
    let kinds = vec!["alert_fired".to_owned(), "group_closed".to_owned()];
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let query = EventQuery { kinds: kinds.clone(), before, limit: 7, ..EventQuery::default() };
        let page = fixture.store().events(TENANT, query).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.sequence);
        pages.extend(page);
    }
    history.retain(|it| kinds.iter().any(|kind| kind == it.event.kind()));
    history.reverse();
    assert_eq!(pages, history);
}

pub(crate) async fn a_page_is_bounded(fixture: impl Fixture) {
    let events: Vec<_> = (1..=1_200)
        .map(|sequence| event(sequence, 0, Event::GroupClosed { group: GroupNumber(1) }))
        .collect();
    write(fixture.store(), &events).await;
    let group = Subject::Group(GroupNumber(1));
    for (subjects, kinds) in [
        (vec![], vec![]),
        (vec![group], vec![]),
        (vec![], vec!["group_closed".to_owned()]),
        // The same thing asked for twice is found once.
        (vec![group, group], vec!["group_closed".to_owned(), "group_closed".to_owned()]),
    ] {
        let query = EventQuery { subjects, kinds, limit: usize::MAX, ..EventQuery::default() };
        let found = fixture.store().events(TENANT, query).await.unwrap();
        assert_eq!(found.len(), MAX_EVENTS_PER_QUERY);
        assert_eq!(found[0].sequence, Sequence(1_200));
    }
    let too_many = vec!["x".to_owned(); 5_000];
    let query = EventQuery { kinds: too_many, ..EventQuery::default() };
    assert!(fixture.store().events(TENANT, query).await.is_err());
}

pub(crate) async fn followers_get_what_came_after(fixture: impl Fixture) {
    let closed = |number| Event::GroupClosed { group: GroupNumber(number) };
    let events: Vec<_> = (1..=5).map(|number| event(number, 0, closed(number))).collect();
    write(fixture.store(), &events).await;
    let query = EventQuery { after: Some(Sequence(3)), limit: 10, ..EventQuery::default() };
    let found = fixture.store().events(TENANT, query).await.unwrap();
    assert_eq!(found.iter().map(|it| it.sequence.0).collect::<Vec<_>>(), [5, 4]);
}

pub(crate) async fn lives_come_newest_first_open_or_closed(fixture: impl Fixture) {
    let store = fixture.store();
    for number in 1..=6 {
        let (identity, mut row) = alert(number, if number == 4 { "Other" } else { "Flapping" });
        row.is_closed = number < 5;
        let description = Description {
            annotations: Labels::from([("life", number.to_string().as_str())]),
            ..Description::default()
        };
        let writes = WriteSet {
            identities: vec![identity],
            descriptions: vec![(row.number, description.into())],
            alerts: vec![row],
            ..WriteSet::default()
        };
        store.commit(TENANT, writes).await.unwrap();
    }
    let fingerprint = alert(1, "Flapping").1.fingerprint;
    let lives = store.alert_history(TENANT, fingerprint, 10).await.unwrap();
    let told: Vec<_> = lives
        .iter()
        .map(|it| (it.row.number.0, it.row.is_closed, it.description.annotations.value("life")))
        .collect();
    assert_eq!(
        told,
        [(6, false, "6"), (5, false, "5"), (3, true, "3"), (2, true, "2"), (1, true, "1")]
    );
    assert!(lives.iter().all(|it| it.identity.labels.value("alertname") == "Flapping"));
    assert_eq!(store.alert_history(TENANT, fingerprint, 2).await.unwrap().len(), 2);
    assert!(store.alert_history(TENANT, Fingerprint(1), 2).await.unwrap().is_empty());
}
