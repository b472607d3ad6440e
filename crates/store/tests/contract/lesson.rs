//! Postmortems, action items, articles, and how they are found.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_core::action::{ActionCategory, ActionId, ActionItem, ActionPriority, ActionStatus};
use tocsin_core::identity::{Handle, Scope};
use tocsin_core::ids::TenantId;
use tocsin_core::incident::{Author, Fact, IncidentNumber, Restriction};
use tocsin_core::knowledge::{Article, ArticleDraft, ArticleKind, ArticleNumber};
use tocsin_core::labels::Labels;
use tocsin_core::lesson::{LessonWrites, Runbook};
use tocsin_core::postmortem::{
    Postmortem, PostmortemComment, PostmortemState, Section, SectionName, Sentence, Source,
};
use tocsin_core::rows::WriteSet;
use tocsin_store::{ActionQuery, KnowledgeKind, KnowledgeQuery, LikeQuery, PostmortemQuery, Store};

use crate::Fixture;
use crate::incident::{at, entry, incident, over};
use crate::state::TENANT;

const ELSEWHERE: TenantId = TenantId(TENANT.0 + 1);

pub(crate) fn postmortem(incident: u64, version: u64, text: &str) -> Postmortem {
    let drafted = vec![Sentence {
        text: "It ended as fixed: rolled back.".to_owned(),
        sources: vec![Source::entry(3)],
    }];
    let written = Section { text: Some(text.to_owned()), ..Section::default() };
    Postmortem {
        incident: IncidentNumber(incident),
        version,
        state: PostmortemState::Draft,
        title: format!("Postmortem {incident}"),
        is_required: true,
        due_at: Some(at(500)),
        created_at: at(0),
        created_by: Author::system(),
        changed_at: at(version.cast_signed()),
        changed_by: "ada".to_owned(),
        owner: Handle::parse("ada").ok(),
        review_at: None,
        published_at: None,
        waived_because: None,
        drafted_at: None,
        drafted_from: 0,
        sections: BTreeMap::from([
            (SectionName::Summary, Section { drafted, ..Section::default() }),
            (SectionName::RootCause, written),
        ]),
        recommendations: Vec::new(),
        tags: BTreeSet::from(["deploy".into()]),
        comments: 0,
        frozen: None,
    }
}

pub(crate) fn action(incident: u64, number: u32, priority: ActionPriority, due: i64) -> ActionItem {
    ActionItem {
        id: ActionId { incident: IncidentNumber(incident), number },
        version: 1,
        title: format!("Enlarge the pool {number}"),
        description: "Connections run out".to_owned(),
        priority,
        category: ActionCategory::Tooling,
        owner: Handle::parse("ada").ok(),
        due_at: at(due),
        status: ActionStatus::Open,
        reason: String::new(),
        link: String::new(),
        rule: Default::default(),
        created_at: at(0),
        created_by: Author::system(),
        changed_at: at(0),
        changed_by: String::new(),
        completed_at: None,
        recurred: Vec::new(),
        reminded_at: None,
        reminders: 0,
    }
}

fn article(number: u64, version: u64, body: &str, service: &str) -> Article {
    Article {
        number: ArticleNumber(number),
        version,
        content: ArticleDraft {
            kind: ArticleKind::BestPractice,
            title: format!("Article {number}"),
            body: body.to_owned(),
            tags: BTreeSet::from(["data-loss".into()]),
            service: service.into(),
            team: Default::default(),
            incident: None,
            is_archived: false,
        },
        created_at: at(0),
        created_by: "ada".to_owned(),
        changed_at: at(version.cast_signed()),
        changed_by: "ada".to_owned(),
    }
}

pub(crate) fn of(lessons: LessonWrites) -> WriteSet {
    WriteSet { lessons, ..WriteSet::default() }
}

async fn with_incidents(store: &impl Store) {
    let mut other = over(incident(2, None), true);
    other.service = "db".into();
    other.labels = Labels::from([("service", "db"), ("team", "data")]);
    let incidents = vec![over(incident(1, None), false), other];
    store.commit(TENANT, WriteSet { incidents, ..WriteSet::default() }).await.unwrap();
}

pub(crate) async fn postmortems_come_back_with_every_version(fixture: impl Fixture) {
    with_incidents(fixture.store()).await;
    let mut done = postmortem(2, 1, "x");
    done.state = PostmortemState::Published;
    let comment = PostmortemComment {
        incident: IncidentNumber(1),
        number: 1,
        at: at(1),
        by: Author::person("bob", "api"),
        section: Some(SectionName::Summary),
        text: "how so?".to_owned(),
    };
    let (first, second) = (postmortem(1, 1, "a full disk"), postmortem(1, 2, "a full pool"));
    let lessons = LessonWrites {
        postmortems: vec![first.clone(), second.clone(), done.clone()],
        comments: vec![comment.clone()],
        actions: vec![action(1, 1, ActionPriority::P1, 9), action(1, 2, ActionPriority::P2, 9)],
        articles: vec![article(4, 1, "x", "")],
        ..LessonWrites::default()
    };
    fixture.store().commit(TENANT, of(lessons)).await.unwrap();
    let fixture = fixture.reopen().await;
    let store = fixture.store();
    let rows = store.load(TENANT).await.unwrap().lessons;
    assert_eq!(rows.postmortems, std::slice::from_ref(&second));
    assert_eq!(rows.actions.len(), 2);
    assert_eq!(rows.action_numbers, [(IncidentNumber(1), 2)]);
    assert_eq!(rows.article, ArticleNumber(4));
    let number = IncidentNumber(1);
    assert_eq!(store.postmortem(TENANT, number, None).await.unwrap(), Some(second));
    assert_eq!(store.postmortem(TENANT, number, Some(1)).await.unwrap(), Some(first));
    assert_eq!(store.postmortem(TENANT, number, Some(9)).await.unwrap(), None);
    let versions = store.postmortem_versions(TENANT, number).await.unwrap();
    assert_eq!(versions.iter().map(|it| it.version).collect::<Vec<_>>(), [2, 1]);
    let said = store.postmortem_comments(TENANT, number).await.unwrap();
    assert_eq!(said, std::slice::from_ref(&comment));
    // What was said cannot be replaced.
    let again = LessonWrites { comments: vec![comment], ..LessonWrites::default() };
    assert!(store.commit(TENANT, of(again)).await.is_err());
    let list = async |query: PostmortemQuery| {
        let query = PostmortemQuery { limit: 10, ..query };
        let found = store.postmortems(TENANT, query).await.unwrap();
        found.iter().map(|it| it.postmortem.incident.0).collect::<Vec<_>>()
    };
    let any = PostmortemQuery::default();
    assert_eq!(list(any.clone()).await, [2, 1]);
    let overdue = PostmortemQuery { due_before: Some(at(501)), ..any.clone() };
    assert_eq!(list(overdue).await, [1]);
    let published = vec![PostmortemState::Published];
    assert_eq!(list(PostmortemQuery { states: published, ..any.clone() }).await, [2]);
    let data = Some(vec![Scope::Team("data".into())].into());
    assert_eq!(list(PostmortemQuery { visible: data, ..any.clone() }).await, [2]);
    // What is restricted is only for those who may see everything.
    let mut secret = over(incident(2, None), true);
    secret.restricted = Some(Restriction {
        since: at(0),
        by: "ada".to_owned(),
        reason: "x".to_owned(),
        people: Default::default(),
        teams: Default::default(),
        requests: Vec::new(),
    });
    let writes = WriteSet { incidents: vec![secret], ..WriteSet::default() };
    store.commit(TENANT, writes).await.unwrap();
    let whole = Some(vec![Scope::Tenant].into());
    assert_eq!(list(PostmortemQuery { visible: whole, ..any.clone() }).await, [1]);
    assert_eq!(list(any.clone()).await, [2, 1]);
    let nothing = Some(Vec::new().into());
    assert!(list(PostmortemQuery { visible: nothing, ..any }).await.is_empty());
    assert_eq!(store.postmortem(ELSEWHERE, number, None).await.unwrap(), None);
    assert!(store.postmortem_versions(ELSEWHERE, number).await.unwrap().is_empty());
    assert!(store.load(ELSEWHERE).await.unwrap().lessons.postmortems.is_empty());
}

pub(crate) async fn action_items_are_listed_the_most_urgent_first(fixture: impl Fixture) {
    let store = fixture.store();
    with_incidents(store).await;
    let mut done = action(2, 1, ActionPriority::P0, 1);
    done.status = ActionStatus::Completed;
    let mut nobodys = action(1, 3, ActionPriority::P2, 30);
    nobodys.owner = None;
    let actions = vec![
        action(1, 1, ActionPriority::P2, 20),
        action(1, 2, ActionPriority::P1, 40),
        nobodys,
        done.clone(),
    ];
    store.commit(TENANT, of(LessonWrites { actions, ..LessonWrites::default() })).await.unwrap();
    let list = async |query: ActionQuery| {
        let query = ActionQuery { limit: 10, ..query };
        let found = store.actions(TENANT, query).await.unwrap();
        found.iter().map(|it| it.id.to_string()).collect::<Vec<_>>()
    };
    let any = ActionQuery::default();
    assert_eq!(list(any.clone()).await, ["AI-2-1", "AI-1-2", "AI-1-1", "AI-1-3"]);
    let open = vec![ActionStatus::Open, ActionStatus::InProgress];
    assert_eq!(
        list(ActionQuery { statuses: open, ..any.clone() }).await,
        ["AI-1-2", "AI-1-1", "AI-1-3"]
    );
    let overdue = ActionQuery { due_before: Some(at(25)), ..any.clone() };
    assert_eq!(list(overdue).await, ["AI-1-1"]);
    let hers = ActionQuery { owner: Handle::parse("ada").ok(), ..any.clone() };
    assert_eq!(list(hers).await, ["AI-2-1", "AI-1-2", "AI-1-1"]);
    let after = action(1, 2, ActionPriority::P1, 40).order();
    let page = ActionQuery { after: Some(after), ..any.clone() };
    assert_eq!(list(page).await, ["AI-1-1", "AI-1-3"]);
    let db = Some(vec![Scope::Service("db".into())].into());
    assert_eq!(list(ActionQuery { visible: db, ..any }).await, ["AI-2-1"]);
    assert_eq!(store.action(TENANT, done.id).await.unwrap(), Some(done.clone()));
    assert_eq!(store.action(ELSEWHERE, done.id).await.unwrap(), None);
    assert!(store.load(TENANT).await.unwrap().lessons.actions.iter().all(|it| it.id != done.id));
}

pub(crate) async fn what_is_written_is_found_and_only_where_it_may_be_seen(fixture: impl Fixture) {
    let store = fixture.store();
    with_incidents(store).await;
    let mut said = entry(2, 1);
    said.fact = Fact::Commented {
        text: "The Größe of the volume grew".to_owned(),
        mentions: Vec::new(),
        unknown: Vec::new(),
    };
    let runbook = Runbook {
        url: "https://wiki.example/disk".to_owned(),
        alert: "DiskFull".to_owned(),
        text: "A volume is full".to_owned(),
    };
    let lessons = LessonWrites {
        postmortems: vec![postmortem(1, 1, "a full disk"), postmortem(1, 2, "a full pool")],
        actions: vec![action(1, 1, ActionPriority::P1, 9)],
        articles: vec![
            article(1, 1, "Take snapshots of the volume", ""),
            article(2, 1, "Only for the volume of web", "web"),
        ],
        runbooks: vec![(IncidentNumber(2), runbook)],
        ..LessonWrites::default()
    };
    let writes = WriteSet { entries: vec![said], lessons, ..WriteSet::default() };
    store.commit(TENANT, writes).await.unwrap();
    let search = async |query: KnowledgeQuery| {
        let found = store.knowledge(TENANT, KnowledgeQuery { limit: 10, ..query }).await.unwrap();
        found.hits.iter().map(|it| format!("{} {}", it.kind.as_str(), it.key)).collect::<Vec<_>>()
    };
    let text = |text: &str| KnowledgeQuery { text: text.to_owned(), ..KnowledgeQuery::default() };
    // Only the newest words of a postmortem are found.
    assert_eq!(search(text("full pool")).await, ["postmortem 1"]);
    assert!(search(text("\"full disk\"")).await.is_empty());
    assert_eq!(search(text("connections run")).await, ["action AI-1-1"]);
    let mut all = search(text("VOLUM")).await;
    all.sort();
    let volumes =
        ["best_practice 1", "best_practice 2", "comment 2/1", "runbook https://wiki.example/disk"];
    assert_eq!(all, volumes);
    // Accents and case make no difference.
    assert_eq!(search(text("grosse")).await.len(), 0);
    assert_eq!(search(text("große grew")).await, ["comment 2/1"]);
    let hit = store.knowledge(TENANT, KnowledgeQuery { limit: 1, ..text("grew") }).await.unwrap();
    assert_eq!(hit.hits[0].title, "Größe 2 \"down\"");
    assert_eq!(hit.hits[0].excerpt, "The Größe of the volume grew");
    let kinds = vec![KnowledgeKind::BestPractice];
    let limited = KnowledgeQuery { kinds, ..text("volume") };
    assert_eq!(search(limited.clone()).await.len(), 2);
    // Articles for everybody, and what lies within the scopes.
    let db = Some(vec![Scope::Service("db".into())].into());
    let mut seen = search(KnowledgeQuery { visible: db, ..text("volume") }).await;
    seen.sort();
    assert_eq!(seen, ["best_practice 1", "comment 2/1", "runbook https://wiki.example/disk"]);
    let tagged = KnowledgeQuery { tags: vec!["deploy".to_owned()], ..text("pool") };
    assert_eq!(search(tagged.clone()).await, ["postmortem 1"]);
    let other = KnowledgeQuery { tags: vec!["data-loss".to_owned()], ..tagged };
    assert!(search(other).await.is_empty());
    // Some of the words are better than nothing, and it says so.
    let partial = KnowledgeQuery { limit: 10, ..text("pool zebra") };
    let found = store.knowledge(TENANT, partial).await.unwrap();
    assert!(found.is_partial && !found.hits.is_empty());
    // A comment is found by what it says now, and not at all when it must not be read.
    let mut later = entry(2, 2);
    later.fact = Fact::Revised { row: 1, text: "The volume shrank".to_owned() };
    store.commit(TENANT, WriteSet { entries: vec![later], ..WriteSet::default() }).await.unwrap();
    assert_eq!(search(text("shrank")).await, ["comment 2/1"]);
    assert!(search(text("grew")).await.is_empty());
    let mut later = entry(2, 3);
    later.fact = Fact::Redacted { row: 1, reason: "a password".to_owned() };
    store.commit(TENANT, WriteSet { entries: vec![later], ..WriteSet::default() }).await.unwrap();
    assert!(search(text("shrank")).await.is_empty());
    // Changing an article replaces what is found.
    let articles = vec![article(1, 2, "Snapshots are taken by themselves", "")];
    store.commit(TENANT, of(LessonWrites { articles, ..LessonWrites::default() })).await.unwrap();
    assert_eq!(search(limited).await, ["best_practice 2"]);
    let kept = store.article(TENANT, ArticleNumber(1)).await.unwrap().unwrap();
    assert_eq!(kept.version, 2);
    // What holds no more is found only by those who ask for it.
    let mut old = article(2, 2, "Only for the volume of web", "web");
    old.content.is_archived = true;
    let lessons = LessonWrites { articles: vec![old], ..LessonWrites::default() };
    store.commit(TENANT, of(lessons)).await.unwrap();
    assert!(
        search(KnowledgeQuery { kinds: vec![KnowledgeKind::BestPractice], ..text("volume") })
            .await
            .is_empty()
    );
    let archived = KnowledgeQuery { tags: vec!["archived".to_owned()], ..text("volume") };
    assert_eq!(search(archived).await, ["best_practice 2"]);
    // Nothing of it is anywhere else.
    let elsewhere = KnowledgeQuery { limit: 10, ..text("volume") };
    assert!(store.knowledge(ELSEWHERE, elsewhere).await.unwrap().hits.is_empty());
    let newest = KnowledgeQuery { limit: 10, ..KnowledgeQuery::default() };
    assert!(store.knowledge(ELSEWHERE, newest.clone()).await.unwrap().hits.is_empty());
    assert_eq!(store.knowledge(TENANT, newest).await.unwrap().hits.len(), 7);
    assert_eq!(store.article(ELSEWHERE, ArticleNumber(1)).await.unwrap(), None);
}

pub(crate) async fn whatever_somebody_types_is_no_error(fixture: impl Fixture) {
    let store = fixture.store();
    with_incidents(store).await;
    for typed in [
        "\"",
        "\"\"",
        "*",
        "a*b",
        "title:x",
        "-x",
        "NOT",
        "a AND",
        "OR OR",
        "NEAR(",
        "(",
        "^x",
        "{",
        "\u{0}",
        "'; DROP TABLE knowledge",
        "größe\"",
        "\\",
        "%",
        "😀",
        "a\"b\"c",
        "t1",
        "scope : t1",
    ] {
        let query = KnowledgeQuery {
            text: typed.to_owned(),
            tags: vec![typed.to_owned()],
            limit: 10,
            ..KnowledgeQuery::default()
        };
        let found = store.knowledge(TENANT, query).await;
        assert!(found.is_ok(), "{typed}: {found:?}");
    }
}

pub(crate) async fn incidents_that_share_something_rare_are_named(fixture: impl Fixture) {
    let store = fixture.store();
    let with = |number: u64, traits: &[&str]| {
        let mut it = over(incident(number, None), false);
        it.traits = traits.iter().map(|name| (*name).to_owned()).collect();
        it
    };
    let incidents = vec![
        with(1, &["alert:A", "service:web"]),
        with(2, &["service:web"]),
        with(3, &["alert:B"]),
        incident(4, None),
    ];
    let traits = incidents
        .iter()
        .flat_map(|it| it.traits.iter().map(|name| (it.number, name.clone())))
        .chain([(IncidentNumber(4), "alert:A".to_owned())])
        .collect();
    let lessons = LessonWrites { traits, ..LessonWrites::default() };
    let writes = WriteSet { incidents, lessons, ..WriteSet::default() };
    store.commit(TENANT, writes).await.unwrap();
    let query = LikeQuery {
        incident: IncidentNumber(9),
        traits: BTreeSet::from(["alert:A".to_owned(), "service:web".to_owned()]),
        since: at(0),
        visible: None,
    };
    let likes = store.likes(TENANT, query.clone()).await.unwrap();
    // One that goes on has nothing to tell yet.
    let numbers: Vec<u64> = likes.candidates.iter().map(|it| it.number.0).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(likes.frequencies.get("alert:A"), Some(&2));
    assert_eq!((likes.total, likes.recent_alike, likes.recent_total), (4, 2, 4));
    let nothing = LikeQuery { visible: Some(Vec::new().into()), ..query.clone() };
    assert!(store.likes(TENANT, nothing).await.unwrap().candidates.is_empty());
    assert!(store.likes(ELSEWHERE, query).await.unwrap().candidates.is_empty());
}
