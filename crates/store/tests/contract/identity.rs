//! Stories about people, tokens, sessions, secrets and the audit log.

use std::sync::Arc;

use jiff::Timestamp;
use tocsin_core::audit::{self, AuditEntry, AuditHead, AuditNote, AuditRow};
use tocsin_core::identity::{
    Actor, ApiToken, Credentials, Grant, Handle, IdentityWrites, Permission, Person, PersonOrigin,
    Role, Scope, SealedSecret, SecretHash, Session, SignInLink, SignedInBy, Team, TokenOwner, Totp,
};
use tocsin_core::ids::TenantId;
use tocsin_core::rows::WriteSet;
use tocsin_store::{AuditOrder, AuditQuery, Store};
use uuid::Uuid;

use crate::Fixture;
use crate::state::TENANT;

const OTHER: TenantId = TenantId(2);

fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

fn person(name: &str) -> Person {
    Person {
        handle: handle(name),
        name: "Ada \"Größe\" 🦀".to_owned(),
        email: "ada@example.org".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        locale: "de-AT".to_owned(),
        contact_methods: Vec::new(),
        expertise: vec!["postgres".to_owned()],
        manager: Some(handle("grace")),
        grants: vec![Grant { role: Role::Manager, scope: Scope::Team("db".into()) }],
        is_active: true,
        origin: PersonOrigin::Api,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn session(id: u128) -> Session {
    Session {
        id: Uuid::from_u128(id),
        hash: SecretHash::of(b"cookie"),
        person: handle("ada"),
        by: SignedInBy::PasswordAndCode,
        created_at: at(1),
        last_seen_at: at(2),
        ends_at: at(3),
        idle_seconds: 60,
        address: Some("::1".parse().unwrap()),
        user_agent: "test".to_owned(),
    }
}

fn token(id: u128) -> ApiToken {
    ApiToken {
        id: Uuid::from_u128(id),
        name: "ci".to_owned(),
        hash: SecretHash::of(b"token"),
        owner: TokenOwner::Integration("grafana".to_owned()),
        permissions: [Permission::AlertIngest].into_iter().collect(),
        scopes: vec![Scope::Service("shop".into()), Scope::Tenant],
        allowed_from: vec!["10.0.0.0/8".parse().unwrap()],
        created_at: at(1),
        created_by: "ada".to_owned(),
        expires_at: Some(at(9)),
        last_used_at: None,
    }
}

fn everything() -> IdentityWrites {
    let mut writes = IdentityWrites::default();
    writes.people.insert(handle("ada"), Some(Arc::new(person("ada"))));
    let team = Team {
        name: "db".into(),
        description: String::new(),
        members: Vec::new(),
        default_on_call: Some(handle("ada")),
        origin: PersonOrigin::Api,
    };
    writes.teams.insert("db".into(), Some(Arc::new(team)));
    writes.tokens.insert(Uuid::from_u128(7), Some(Arc::new(token(7))));
    writes.sessions.insert(Uuid::from_u128(8), Some(Arc::new(session(8))));
    let credentials = Credentials {
        password: Some("$argon2id$".to_owned()),
        totp: Some(Totp { sealed: "x".to_owned(), is_confirmed: true, last_step: 4 }),
        recovery_codes: vec![SecretHash::of(b"code")],
        ..Credentials::none(handle("ada"))
    };
    writes.credentials.insert(handle("ada"), Some(Arc::new(credentials)));
    let link =
        SignInLink { hash: SecretHash::of(b"link"), person: handle("ada"), expires_at: at(5) };
    writes.links.insert(link.hash, Some(Arc::new(link)));
    let secret = SealedSecret {
        name: "slack".to_owned(),
        sealed: "sealed".to_owned(),
        set_at: at(4),
        set_by: "ada".to_owned(),
        last_used_at: Some(at(5)),
    };
    writes.secrets.insert("slack".to_owned(), Some(Arc::new(secret)));
    writes
}

fn of(identity: IdentityWrites) -> WriteSet {
    WriteSet { identity, ..WriteSet::default() }
}

pub(crate) async fn who_may_do_what_comes_back_and_can_be_replaced_and_removed(
    fixture: impl Fixture,
) {
    let written = everything();
    fixture.store().commit(TENANT, of(written.clone())).await.unwrap();
    let fixture = fixture.reopen().await;
    let rows = fixture.store().load(TENANT).await.unwrap().identity;
    assert_eq!(rows.people, [person("ada")]);
    assert_eq!(rows.tokens, [token(7)]);
    assert_eq!(rows.sessions, [session(8)]);
    assert_eq!(Some(&rows.teams[0]), written.teams.values().next().unwrap().as_deref());
    assert_eq!(Some(&rows.credentials[0]), written.credentials[&handle("ada")].as_deref());
    assert_eq!(Some(&rows.links[0]), written.links.values().next().unwrap().as_deref());
    assert_eq!(Some(&rows.secrets[0]), written.secrets["slack"].as_deref());
    assert_eq!(fixture.store().load(OTHER).await.unwrap().identity, Default::default());

    let mut change = IdentityWrites::default();
    let left = Person { is_active: false, ..person("ada") };
    change.people.insert(handle("ada"), Some(Arc::new(left.clone())));
    change.tokens.insert(Uuid::from_u128(7), None);
    change.sessions.insert(Uuid::from_u128(8), None);
    change.links.insert(SecretHash::of(b"link"), None);
    change.secrets.insert("slack".to_owned(), None);
    change.teams.insert("db".into(), None);
    change.credentials.insert(handle("ada"), None);
    fixture.store().commit(TENANT, of(change)).await.unwrap();
    let rows = fixture.store().load(TENANT).await.unwrap().identity;
    let expected = tocsin_core::identity::IdentityRows { people: vec![left], ..Default::default() };
    assert_eq!(rows, expected);
}

fn chain(from: AuditHead, count: u64) -> Vec<AuditRow> {
    let mut head = from;
    let mut next = |number: u64| {
        let action = if number.is_multiple_of(2) { "team.set" } else { "silence.set" };
        let note = AuditNote::new(action, format!("thing/{}", number % 5));
        let row = AuditRow::seal(head.hash, &AuditEntry::new(number, at(9), Actor::ENGINE, note));
        head = AuditHead { number, hash: row.hash };
        row
    };
    (from.number + 1..=from.number + count).map(&mut next).collect()
}

fn rows(audit: Vec<AuditRow>) -> WriteSet {
    WriteSet { audit, ..WriteSet::default() }
}

pub(crate) async fn the_audit_log_is_read_in_pages_and_followed_to_its_end(fixture: impl Fixture) {
    let first = chain(AuditHead::default(), 12);
    fixture.store().commit(TENANT, rows(first.clone())).await.unwrap();
    let fixture = fixture.reopen().await;
    let head = fixture.store().load(TENANT).await.unwrap().audit_head;
    assert_eq!(audit::verify(AuditHead::default(), &first), Ok(head));
    fixture.store().commit(TENANT, rows(chain(head, 5))).await.unwrap();

    let mut end = AuditHead::default();
    loop {
        let query = AuditQuery {
            after: Some(end.number),
            order: AuditOrder::OldestFirst,
            limit: 4,
            ..AuditQuery::default()
        };
        let page = fixture.store().audit(TENANT, query).await.unwrap();
        if page.is_empty() {
            break;
        }
        end = audit::verify(end, &page).unwrap();
    }
    assert_eq!(end.number, 17);
    assert_eq!(end, fixture.store().load(TENANT).await.unwrap().audit_head);
    let store = fixture.store();
    let numbers = |query: AuditQuery| async move {
        let page = store.audit(TENANT, AuditQuery { limit: 100, ..query }).await.unwrap();
        page.iter().map(|row| row.number).collect::<Vec<_>>()
    };
    let before = AuditQuery { before: Some(4), ..AuditQuery::default() };
    assert_eq!(numbers(before).await, [3, 2, 1]);
    let action = AuditQuery {
        action: Some("team.set".to_owned()),
        subject: Some("thing/0".to_owned()),
        ..AuditQuery::default()
    };
    assert_eq!(numbers(action).await, [10]);
    let who = |name: &str| AuditQuery { who: Some(name.to_owned()), ..AuditQuery::default() };
    assert_eq!(numbers(who("nobody")).await, [0; 0]);
    assert_eq!(numbers(who("engine")).await.len(), 17);
    assert!(fixture.store().audit(OTHER, AuditQuery::default()).await.unwrap().is_empty());
}

pub(crate) async fn a_second_row_in_one_place_of_the_audit_log_is_refused(fixture: impl Fixture) {
    let first = chain(AuditHead::default(), 2);
    fixture.store().commit(TENANT, rows(first.clone())).await.unwrap();
    assert!(fixture.store().commit(TENANT, rows(first)).await.is_err());
    assert_eq!(fixture.store().load(TENANT).await.unwrap().audit_head.number, 2);
}

pub(crate) async fn a_name_of_a_tenant_gets_one_number(fixture: impl Fixture) {
    let number = async |name: &str| fixture.store().tenant(name.to_owned()).await.unwrap();
    assert_eq!(number("default").await, TenantId::DEFAULT);
    let acme = number("acme").await;
    assert_ne!(acme, TenantId::DEFAULT);
    assert_eq!(number("acme").await, acme);
    assert_ne!(number("Acme").await, acme);
}

pub(crate) async fn the_same_names_live_in_every_tenant(fixture: impl Fixture) {
    let store = fixture.store();
    let others = store.tenant("acme".to_owned()).await.unwrap();
    for tenant in [TENANT, others] {
        let writes = WriteSet { identity: everything(), ..WriteSet::default() };
        store.commit(tenant, writes).await.unwrap();
    }
    let before = store.load(others).await.unwrap().identity;
    let mut gone = IdentityWrites::default();
    gone.people.insert(handle("ada"), None);
    gone.tokens.extend(before.tokens.iter().map(|token| (token.id, None)));
    gone.sessions.extend(before.sessions.iter().map(|session| (session.id, None)));
    gone.secrets.extend(before.secrets.iter().map(|secret| (secret.name.clone(), None)));
    let writes = WriteSet { identity: gone, ..WriteSet::default() };
    store.commit(TENANT, writes).await.unwrap();

    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store().load(others).await.unwrap().identity, before);
    let left = fixture.store().load(TENANT).await.unwrap().identity;
    assert!(left.people.is_empty() && left.tokens.is_empty() && left.secrets.is_empty());
    assert!(!left.teams.is_empty());
}
