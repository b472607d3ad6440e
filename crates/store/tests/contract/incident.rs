//! Incidents, their alerts and their timelines.

use jiff::Timestamp;
use tocsin_core::identity::Handle;
use tocsin_core::ids::AlertNumber;
use tocsin_core::incident::{
    AlertRole, Author, Category, Entry, Evidence, Facet, Fact, Incident, IncidentAlert,
    IncidentKey, IncidentNumber, Mode, Record, ResolutionCode, Status,
};
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_core::reminder::{Reminder, ReminderKey, ReminderKind, ReminderSubject};
use tocsin_core::rows::WriteSet;
use tocsin_core::severity::Severity;
use tocsin_store::{EntryQuery, IncidentQuery, MentionQuery, Store};

use crate::Fixture;
use crate::state::TENANT;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

pub(crate) fn incident(number: u64, key: Option<&str>) -> Incident {
    let by = Author::person("ada", "api");
    let title = format!("Größe {number} \"down\"");
    let blank = Incident::new(IncidentNumber(number), at(0), by, title, Severity::Sev2);
    Incident {
        key: key.and_then(IncidentKey::chosen),
        version: 3,
        entries: 2,
        summary: "more".to_owned(),
        severity_by: Some("ada".to_owned()),
        service: "web".into(),
        labels: Labels::from([("service", "web")]),
        record: Record::new(at(number.cast_signed()), "ada"),
        owner: Handle::parse("ada").ok(),
        participants: Handle::parse("ada").into_iter().collect(),
        runs: [tocsin_core::ids::RunNumber(7)].into(),
        active_at: at(1),
        evidence: Evidence { error_rate: Some(0.25), ..Evidence::default() },
        idempotency_key: Some("once".to_owned()),
        ..blank
    }
}

pub(crate) fn over(mut incident: Incident, is_closed: bool) -> Incident {
    let code = Some(ResolutionCode::Fixed);
    incident.record.enter(at(100), Status::Resolved, "ada", true, code);
    if is_closed {
        incident.record.enter(at(200), Status::Closed, "ada", true, None);
    }
    incident
}

fn of(incidents: Vec<Incident>) -> WriteSet {
    WriteSet { incidents, ..WriteSet::default() }
}

pub(crate) fn entry(incident: u64, seq: u64) -> Entry {
    Entry {
        incident: IncidentNumber(incident),
        seq,
        occurred_at: at(1),
        recorded_at: at(2),
        cycle: 1,
        by: Author::person("ada", "api"),
        fact: Fact::Commented {
            text: format!("row {seq} \u{0}\n\""),
            mentions: Vec::new(),
            unknown: Vec::new(),
        },
    }
}

pub(crate) async fn incidents_come_back_with_what_belongs_to_them(fixture: impl Fixture) {
    let alert = |n: u64| IncidentAlert {
        fingerprint: Fingerprint(u64::MAX - n),
        alert: AlertNumber(n),
        joined_at: at(0),
        role: None,
    };
    let one = incident(1, Some("a"));
    let closed = over(incident(2, Some("a")), true);
    let writes = WriteSet {
        incidents: vec![one.clone(), closed.clone()],
        incident_alerts: vec![(one.number, alert(1)), (one.number, alert(2))],
        ..WriteSet::default()
    };
    fixture.store().commit(TENANT, writes).await.unwrap();
    let fixture = fixture.reopen().await;
    let rows = fixture.store().load(TENANT).await.unwrap();
    assert_eq!(rows.incidents, [one.clone(), closed]);
    assert_eq!(rows.highest.incident, IncidentNumber(2));
    assert_eq!(rows.incident_alerts.len(), 2);
    // Another life of an alert replaces the row.
    let role = Some(AlertRole::Root);
    let anew = IncidentAlert { alert: AlertNumber(9), role, ..alert(1) };
    let writes = WriteSet { incident_alerts: vec![(one.number, anew)], ..WriteSet::default() };
    fixture.store().commit(TENANT, writes).await.unwrap();
    let (found, alerts) = fixture.store().incident(TENANT, one.number).await.unwrap().unwrap();
    assert_eq!(found, one);
    assert_eq!(alerts, [alert(2), anew]);
    assert!(fixture.store().incident(TENANT, IncidentNumber(3)).await.unwrap().is_none());
    // One that belongs to another incident leaves this one.
    let left_incident_alerts = vec![(one.number, alert(2).fingerprint)];
    let incident_alerts = vec![(IncidentNumber(2), alert(2))];
    let writes = WriteSet { left_incident_alerts, incident_alerts, ..WriteSet::default() };
    fixture.store().commit(TENANT, writes).await.unwrap();
    let (_, alerts) = fixture.store().incident(TENANT, one.number).await.unwrap().unwrap();
    assert_eq!(alerts, [anew]);
    let (_, alerts) = fixture.store().incident(TENANT, IncidentNumber(2)).await.unwrap().unwrap();
    assert_eq!(alerts, [alert(2)]);
}

pub(crate) async fn reminders_come_back_as_often_as_they_were_said(fixture: impl Fixture) {
    let reminder = |number: u64, kind, fired, due_at: Option<i64>| Reminder {
        key: ReminderKey::new(kind, ReminderSubject::Incident(IncidentNumber(number))),
        anchor: at(0),
        fired,
        due_at: due_at.map(at),
    };
    let said = reminder(1, ReminderKind::AckSla, 1, None);
    let waiting = reminder(1, ReminderKind::Inactivity, 0, Some(5));
    let other = reminder(2, ReminderKind::Inactivity, 3, Some(5));
    let reminders = vec![said, waiting, other];
    let writes = WriteSet { reminders, ..WriteSet::default() };
    assert!(!writes.is_empty());
    fixture.store().commit(TENANT, writes).await.unwrap();
    let again = reminder(1, ReminderKind::Inactivity, 1, Some(9));
    let ended_reminders = vec![other.key];
    let writes = WriteSet { reminders: vec![again], ended_reminders, ..WriteSet::default() };
    fixture.store().commit(TENANT, writes).await.unwrap();
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store().load(TENANT).await.unwrap().reminders, [said, again]);
}

pub(crate) async fn two_open_incidents_with_one_key_are_refused(fixture: impl Fixture) {
    let store = fixture.store();
    store.commit(TENANT, of(vec![incident(1, Some("a"))])).await.unwrap();
    assert!(store.commit(TENANT, of(vec![incident(2, Some("a"))])).await.is_err());
    assert_eq!(store.load(TENANT).await.unwrap().incidents.len(), 1);
    // Within one turn the one may give its key to the other, whichever is older.
    let (first, second) = (over(incident(1, Some("a")), false), incident(2, Some("a")));
    store.commit(TENANT, of(vec![second, first])).await.unwrap();
    let back = vec![incident(1, Some("a")), over(incident(2, Some("a")), false)];
    store.commit(TENANT, of(back)).await.unwrap();
    // Those without a key are never in each other's way.
    store.commit(TENANT, of(vec![incident(3, None), incident(4, None)])).await.unwrap();
}

pub(crate) async fn lists_have_what_was_asked_for_the_newest_first(fixture: impl Fixture) {
    let store = fixture.store();
    let mut all: Vec<Incident> = (1..=6).map(|number| incident(number, None)).collect();
    all[1] = over(all[1].clone(), false);
    all[2].severity = Severity::Sev4;
    all[3].service = "db".into();
    all[4].owner = None;
    all[5].mode = Mode::Drill;
    store.commit(TENANT, of(all)).await.unwrap();
    let list = async |query: IncidentQuery| {
        let query = IncidentQuery { limit: 10, ..query };
        let found = store.incidents(TENANT, query).await.unwrap();
        found.iter().map(|it| it.number.0).collect::<Vec<_>>()
    };
    let any = IncidentQuery::default();
    assert_eq!(list(any.clone()).await, [6, 5, 4, 3, 2, 1]);
    let resolved =
        IncidentQuery { statuses: vec![Status::Resolved, Status::Closed], ..any.clone() };
    assert_eq!(list(resolved).await, [2]);
    let low = IncidentQuery { severities: vec![Severity::Sev4, Severity::Sev5], ..any.clone() };
    assert_eq!(list(low).await, [3]);
    assert_eq!(list(IncidentQuery { service: Some("db".to_owned()), ..any.clone() }).await, [4]);
    let drills = IncidentQuery { modes: vec![Mode::Drill], ..any.clone() };
    assert_eq!(list(drills).await, [6]);
    let hers = IncidentQuery { owner: Handle::parse("ada").ok(), ..any.clone() };
    assert_eq!(list(hers).await, [6, 4, 3, 2, 1]);
    let named = IncidentQuery { text: Some("4 \"DOWN".to_owned()), ..any.clone() };
    assert_eq!(list(named).await, [4]);
    let prefixed = IncidentQuery { text: Some("dow 4".to_owned()), ..any.clone() };
    assert_eq!(list(prefixed).await, [4]);
    let wordless = IncidentQuery { text: Some("?!".to_owned()), ..any.clone() };
    assert_eq!(list(wordless).await, [] as [u64; 0]);
    let early = IncidentQuery { from: Some(at(2)), to: Some(at(4)), ..any.clone() };
    assert_eq!(list(early).await, [3, 2]);
    let page = IncidentQuery { before: Some(IncidentNumber(3)), ..any };
    assert_eq!(list(page).await, [2, 1]);
}

pub(crate) async fn lists_are_narrowed_by_what_incidents_may_have_several_of(
    fixture: impl Fixture,
) {
    let store = fixture.store();
    let mut all: Vec<Incident> = (1..=5).map(|number| incident(number, None)).collect();
    for it in &mut all {
        it.owner = None;
        it.participants.clear();
        it.category = Some(Category::Capacity);
        it.summary = format!("the queue of shard {}", it.number);
    }
    all[1].participants.extend(Handle::parse("grace").ok());
    all[3].participants.extend(Handle::parse("grace").ok());
    all[3].category = Some(Category::Security);
    store.commit(TENANT, of(all.clone())).await.unwrap();
    let list = async |facets: &[String], text: Option<&str>, before: Option<u64>| {
        let query = IncidentQuery {
            facets: facets.to_vec(),
            text: text.map(str::to_owned),
            before: before.map(IncidentNumber),
            limit: 2,
            ..IncidentQuery::default()
        };
        let found = store.incidents(TENANT, query).await.unwrap();
        found.iter().map(|it| it.number.0).collect::<Vec<_>>()
    };
    let (capacity, grace) =
        (Facet::Category.of(Category::Capacity), Facet::Participant.of("grace"));
    assert_eq!(list(std::slice::from_ref(&capacity), None, None).await, [5, 3]);
    assert_eq!(list(std::slice::from_ref(&capacity), None, Some(3)).await, [2, 1]);
    assert_eq!(list(std::slice::from_ref(&grace), None, None).await, [4, 2]);
    assert_eq!(list(&[capacity.clone(), grace.clone()], None, None).await, [2]);
    assert_eq!(list(&[], Some("queue"), None).await, [5, 4]);
    assert_eq!(list(&[], Some("queue"), Some(4)).await, [3, 2]);
    assert_eq!(list(std::slice::from_ref(&grace), Some("que"), None).await, [4, 2]);
    assert_eq!(list(&[], Some("queue 3"), None).await, [3]);
    // What it had is no more.
    all[1].participants.clear();
    store.commit(TENANT, of(vec![all[1].clone()])).await.unwrap();
    assert_eq!(list(&[grace], None, None).await, [4]);
    let elsewhere = tocsin_core::ids::TenantId(TENANT.0 + 1);
    let query = IncidentQuery { text: Some("queue".to_owned()), limit: 9, ..Default::default() };
    assert!(store.incidents(elsewhere, query).await.unwrap().is_empty());
}

pub(crate) async fn a_timeline_is_only_added_to(fixture: impl Fixture) {
    let store = fixture.store();
    let entries = vec![entry(1, 1), entry(1, 2), entry(2, 1)];
    store.commit(TENANT, WriteSet { entries, ..WriteSet::default() }).await.unwrap();
    let again = WriteSet { entries: vec![entry(1, 2)], ..WriteSet::default() };
    assert!(store.commit(TENANT, again).await.is_err());
    let query = |after, limit| EntryQuery { incident: IncidentNumber(1), after, limit };
    let all = store.incident_entries(TENANT, query(0, 10)).await.unwrap();
    assert_eq!(all, [entry(1, 1), entry(1, 2)]);
    assert_eq!(store.incident_entries(TENANT, query(0, 1)).await.unwrap(), [entry(1, 1)]);
    assert_eq!(store.incident_entries(TENANT, query(1, 10)).await.unwrap(), [entry(1, 2)]);
    let elsewhere = tocsin_core::ids::TenantId(TENANT.0 + 1);
    assert!(store.incident_entries(elsewhere, query(0, 10)).await.unwrap().is_empty());
}

pub(crate) async fn whoever_is_named_finds_where(fixture: impl Fixture) {
    let store = fixture.store();
    let handle = |name: &str| Handle::parse(name).unwrap();
    let naming = |number, seq, people: &[&str]| {
        let mentions = people.iter().map(|it| handle(it)).collect();
        let fact = Fact::Commented { text: "look".to_owned(), mentions, unknown: Vec::new() };
        Entry { fact, ..entry(number, seq) }
    };
    let entries = vec![
        naming(1, 1, &["ada", "grace"]),
        naming(1, 2, &["grace"]),
        naming(2, 1, &["ada"]),
        entry(2, 2),
    ];
    store
        .commit(TENANT, WriteSet { entries: entries.clone(), ..Default::default() })
        .await
        .unwrap();
    let later = naming(1, 3, &["ada"]);
    let writes = WriteSet { entries: vec![later.clone()], ..Default::default() };
    store.commit(TENANT, writes).await.unwrap();
    let query = |person, before, limit| MentionQuery { person: handle(person), before, limit };
    let all = store.mentions(TENANT, query("ada", None, 10)).await.unwrap();
    let rows: Vec<&Entry> = all.iter().map(|(_, entry)| entry).collect();
    assert_eq!(rows, [&later, &entries[2], &entries[0]]);
    let first = store.mentions(TENANT, query("ada", None, 1)).await.unwrap();
    let rest = store.mentions(TENANT, query("ada", Some(first[0].0), 10)).await.unwrap();
    assert_eq!(rest, all[1..]);
    assert!(store.mentions(TENANT, query("linus", None, 10)).await.unwrap().is_empty());
    let elsewhere = tocsin_core::ids::TenantId(TENANT.0 + 1);
    assert!(store.mentions(elsewhere, query("ada", None, 10)).await.unwrap().is_empty());
}
