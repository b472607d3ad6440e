//! Who finds what belongs to incidents that are not for everybody.

use std::collections::BTreeSet;

use tocsin_core::action::ActionPriority;
use tocsin_core::identity::{Handle, Scope};
use tocsin_core::incident::{
    Fact, Holding, Incident, IncidentNumber, Mark, Restriction, Role, Status,
};
use tocsin_core::lesson::{LessonWrites, Runbook};
use tocsin_core::rows::WriteSet;
use tocsin_store::{
    ActionQuery, KnowledgeKind, KnowledgeQuery, LikeQuery, PostmortemQuery, Store, Viewer, Visible,
};

use crate::Fixture;
use crate::incident::{at, entry, incident, over};
use crate::lesson::{action, of, postmortem};
use crate::state::TENANT;

const RUNBOOK: &str = "https://wiki.example/disk";

fn who(name: &str) -> Handle {
    Handle::parse(name).unwrap()
}

fn restriction(by: &str, people: &[&str], teams: &[&str]) -> Option<Restriction> {
    Some(Restriction {
        since: at(0),
        by: by.to_owned(),
        reason: "so it is".to_owned(),
        people: people.iter().map(|it| who(it)).collect(),
        teams: teams.iter().map(|it| (*it).to_owned()).collect(),
        requests: Vec::new(),
    })
}

fn with(number: u64, names: &[&str]) -> Incident {
    let mut it = over(incident(number, None), false);
    it.owner = None;
    it.traits = names.iter().map(|name| (*name).to_owned()).collect();
    it
}

fn traits(incidents: &[Incident]) -> Vec<(IncidentNumber, String)> {
    incidents.iter().flat_map(|it| it.traits.iter().map(|name| (it.number, name.clone()))).collect()
}

/// Somebody who may see incidents everywhere, and restricted ones nowhere.
fn person(name: &str, teams: &[&str]) -> Visible {
    Some(Viewer {
        scopes: vec![Scope::Tenant],
        restricted: Vec::new(),
        person: Some(who(name)),
        teams: teams.iter().map(|it| (*it).into()).collect(),
    })
}

pub(crate) async fn those_whom_a_restricted_incident_names_find_what_belongs_to_it(
    fixture: impl Fixture,
) {
    let store = fixture.store();
    let mut secret = with(1, &["alert:A"]);
    secret.owner = Some(who("owner"));
    secret.restricted = restriction("author", &["named"], &["ops"]);
    let holding = |name: &str, until: Option<i64>| Holding {
        role: Role::IncidentCommander,
        person: who(name),
        assumed_at: at(0),
        renounced_at: until.map(at),
        by: "author".to_owned(),
        note: String::new(),
    };
    secret.crew.holdings = vec![holding("before", Some(1)), holding("holder", None)];
    let incidents = vec![secret];
    let lessons = LessonWrites {
        postmortems: vec![postmortem(1, 1, "a full pool")],
        actions: vec![action(1, 1, ActionPriority::P1, 9)],
        traits: traits(&incidents),
        ..LessonWrites::default()
    };
    let writes = WriteSet { incidents, lessons, ..WriteSet::default() };
    store.commit(TENANT, writes).await.unwrap();
    let seen = async |visible: Visible| {
        let query = PostmortemQuery { visible: visible.clone(), limit: 9, ..Default::default() };
        let postmortems = store.postmortems(TENANT, query).await.unwrap().len();
        let query = ActionQuery { visible: visible.clone(), limit: 9, ..Default::default() };
        let actions = store.actions(TENANT, query).await.unwrap().len();
        let kinds = vec![KnowledgeKind::Postmortem];
        let text = "pool".to_owned();
        let query = KnowledgeQuery {
            text,
            kinds,
            visible: visible.clone(),
            limit: 9,
            ..Default::default()
        };
        let hits = store.knowledge(TENANT, query).await.unwrap().hits.len();
        let likes = like(visible);
        let likes = store.likes(TENANT, likes).await.unwrap();
        (postmortems, actions, hits, likes.candidates.len(), likes.recent_total)
    };
    for (name, teams) in [
        ("owner", &[][..]),
        ("author", &[]),
        ("named", &[]),
        ("holder", &[]),
        ("somebody", &["web", "ops"]),
    ] {
        assert_eq!(seen(person(name, teams)).await, (1, 1, 1, 1, 1), "{name}");
    }
    for (name, teams) in [("before", &[][..]), ("stranger", &["web"])] {
        assert_eq!(seen(person(name, teams)).await, (0, 0, 0, 0, 0), "{name}");
    }
    // A program has no name that could be named.
    assert_eq!(seen(Some(vec![Scope::Tenant].into())).await, (0, 0, 0, 0, 0));
    // Whoever may see restricted ones sees them where they may see incidents.
    let may = |scopes: Vec<Scope>, restricted: Vec<Scope>| {
        Some(Viewer { scopes, restricted, ..Viewer::default() })
    };
    let own = || Scope::Service("web".into());
    let elsewhere = || Scope::Service("elsewhere".into());
    assert_eq!(seen(may(vec![Scope::Tenant], vec![Scope::Tenant])).await.0, 1);
    assert_eq!(seen(may(vec![Scope::Tenant], vec![elsewhere()])).await.0, 0);
    assert_eq!(seen(may(vec![elsewhere()], vec![own(), Scope::Tenant])).await.0, 0);
    // Being named lets nobody see what they could not see otherwise.
    let named = Viewer { scopes: vec![elsewhere()], ..person("named", &[]).unwrap() };
    assert_eq!(seen(Some(named)).await.0, 0);
}

fn like(visible: Visible) -> LikeQuery {
    LikeQuery {
        incident: IncidentNumber(999),
        traits: BTreeSet::from(["alert:A".to_owned()]),
        since: at(0),
        visible,
    }
}

pub(crate) async fn a_runbook_is_found_by_whoever_sees_any_of_its_incidents(fixture: impl Fixture) {
    let store = fixture.store();
    let mut secret = with(2, &["alert:A"]);
    secret.restricted = restriction("author", &[], &[]);
    let incidents = vec![with(1, &["alert:A"]), secret];
    let runbook = |number: u64, text: &str| {
        let (url, alert) = (RUNBOOK.to_owned(), "DiskFull".to_owned());
        (IncidentNumber(number), Runbook { url, alert, text: text.to_owned() })
    };
    let lessons = LessonWrites {
        traits: traits(&incidents),
        runbooks: vec![runbook(1, "A volume is full")],
        ..LessonWrites::default()
    };
    let writes = WriteSet { incidents, lessons, ..WriteSet::default() };
    store.commit(TENANT, writes).await.unwrap();
    let runbooks = vec![runbook(2, "The volume of the merger is full")];
    store.commit(TENANT, of(LessonWrites { runbooks, ..Default::default() })).await.unwrap();
    let search = async |text: &str, visible: Visible| {
        let query =
            KnowledgeQuery { text: text.to_owned(), visible, limit: 9, ..Default::default() };
        let found = store.knowledge(TENANT, query).await.unwrap();
        let shown = found.hits.into_iter().map(|it| (it.key, it.incident.map(|it| it.0)));
        shown.collect::<Vec<_>>()
    };
    let one = |incident: u64| vec![(RUNBOOK.to_owned(), Some(incident))];
    assert_eq!(search("volume", person("ada", &[])).await, one(1));
    assert_eq!(search("merger", person("ada", &[])).await, []);
    assert_eq!(search("merger", person("author", &[])).await, one(2));
    // It is one runbook, however many incidents name it.
    assert_eq!(search("DiskFull", None).await.len(), 1);
    let likes = store.likes(TENANT, like(None)).await.unwrap();
    let named: Vec<_> = likes.candidates.iter().map(|it| it.runbook.as_deref()).collect();
    assert_eq!(named, [Some(RUNBOOK), Some(RUNBOOK)]);
}

pub(crate) async fn what_may_not_be_seen_takes_no_place_among_similar_incidents(
    fixture: impl Fixture,
) {
    let store = fixture.store();
    let mut incidents = vec![with(1, &["alert:A"]), with(2, &["alert:A"])];
    for number in 3..=402 {
        let mut it = with(number, &["alert:A"]);
        if number % 2 == 0 {
            it.restricted = restriction("author", &[], &[]);
        } else {
            it = Incident { traits: it.traits, ..incident(number, None) };
            assert_ne!(it.status(), Status::Resolved);
        }
        incidents.push(it);
    }
    let lessons = LessonWrites { traits: traits(&incidents), ..LessonWrites::default() };
    let writes = WriteSet { incidents, lessons, ..WriteSet::default() };
    store.commit(TENANT, writes).await.unwrap();
    let likes = store.likes(TENANT, like(person("ada", &[]))).await.unwrap();
    let numbers: Vec<u64> = likes.candidates.iter().map(|it| it.number.0).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!((likes.recent_alike, likes.recent_total), (202, 202));
    let all = store.likes(TENANT, like(None)).await.unwrap();
    assert_eq!((all.recent_alike, all.recent_total), (402, 402));
    assert!(all.candidates.len() > 50);
}

pub(crate) async fn what_is_blacked_out_is_quoted_and_found_no_more(fixture: impl Fixture) {
    let store = fixture.store();
    let mut it = with(1, &["alert:A"]);
    let mut end = entry(1, 3);
    end.fact = Fact::Moved {
        from: Status::Acknowledged,
        to: Status::Resolved,
        note: "rolled back".to_owned(),
        code: None,
    };
    let lessons = LessonWrites {
        postmortems: vec![postmortem(1, 1, "They rolled back, and that was it")],
        traits: traits(std::slice::from_ref(&it)),
        ..LessonWrites::default()
    };
    let writes = WriteSet {
        incidents: vec![it.clone()],
        entries: vec![end],
        lessons,
        ..WriteSet::default()
    };
    store.commit(TENANT, writes).await.unwrap();
    let search = async || {
        let text = "rolled".to_owned();
        let query = KnowledgeQuery { text, limit: 9, ..Default::default() };
        store.knowledge(TENANT, query).await.unwrap().hits.len()
    };
    assert_eq!(search().await, 2);
    it.marks.insert(3, Mark { redacted_at: Some(at(9)), ..Mark::default() });
    let mut redacted = entry(1, 4);
    redacted.fact = Fact::Redacted { row: 3, reason: "a name".to_owned() };
    let writes = WriteSet { incidents: vec![it], entries: vec![redacted], ..WriteSet::default() };
    store.commit(TENANT, writes).await.unwrap();
    assert_eq!(search().await, 0);
    // Nor when it is written again with the same words.
    let postmortems = vec![postmortem(1, 2, "They rolled back, and that was it")];
    store.commit(TENANT, of(LessonWrites { postmortems, ..Default::default() })).await.unwrap();
    assert_eq!(search().await, 0);
    let likes = store.likes(TENANT, like(None)).await.unwrap();
    let candidate = &likes.candidates[0];
    assert_eq!(candidate.note, "");
    assert!(!candidate.text.contains("rolled"), "{}", candidate.text);
}
