//! People come and go, sign in and out; what they may do follows.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Directory, IdentityWrites};
use crate::audit::AuditNote;
use crate::identity::{
    ApiToken, ExternalAccount, Grant, Handle, IdentityChange, IdentityRejection, Member,
    Permission, Permissions, Person, PersonOrigin, Proof, Role, Scope, SecretHash, Session, SignIn,
    SignInLink, SignedInBy, Team, TokenOwner,
};

type Outcome = Result<Option<AuditNote>, IdentityRejection>;

#[derive(Default)]
struct House {
    directory: Directory,
    next: u128,
}

fn at(minute: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
}

fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

fn person(name: &str, grants: &[(Role, Scope)]) -> Person {
    Person {
        handle: handle(name),
        name: name.to_owned(),
        email: format!("{name}@example.org"),
        time_zone: "UTC".to_owned(),
        locale: "en".to_owned(),
        contact_methods: Vec::new(),
        expertise: Vec::new(),
        manager: None,
        grants: grants
            .iter()
            .map(|(role, scope)| Grant { role: *role, scope: scope.clone() })
            .collect(),
        is_active: true,
        origin: PersonOrigin::Api,
    }
}

impl House {
    fn with(people: &[Person]) -> Self {
        let mut house = Self::default();
        for person in people {
            house.change(IdentityChange::AddPerson(Box::new(person.clone()))).unwrap();
        }
        house
    }

    fn change(&mut self, change: IdentityChange) -> Outcome {
        self.directory.apply(at(0), change, &mut IdentityWrites::default())
    }

    fn password(&mut self, name: &str) {
        let (person, hash) = (handle(name), "phc".into());
        self.change(IdentityChange::SetPassword { person, hash, keep: None }).unwrap();
    }

    fn sign_in(
        &mut self,
        minute: i64,
        name: &str,
        proof: Proof,
    ) -> Result<Uuid, IdentityRejection> {
        self.next += 1;
        let id = Uuid::from_u128(self.next);
        let session = Session {
            id,
            hash: SecretHash::of(&self.next.to_be_bytes()),
            person: handle(name),
            by: SignedInBy::Password,
            created_at: at(minute),
            last_seen_at: at(minute),
            ends_at: at(minute + 600),
            idle_seconds: 3600,
            address: None,
            user_agent: String::new(),
        };
        let change = IdentityChange::SignIn(Box::new(SignIn { session, proof }));
        self.directory.apply(at(minute), change, &mut IdentityWrites::default()).map(|_| id)
    }

    fn token(&mut self, owner: TokenOwner) -> Result<Uuid, IdentityRejection> {
        self.next += 1;
        let id = Uuid::from_u128(self.next);
        let token = ApiToken {
            id,
            name: "t".to_owned(),
            hash: SecretHash::of(&self.next.to_be_bytes()),
            owner,
            permissions: Permissions::all(),
            scopes: Vec::new(),
            allowed_from: Vec::new(),
            created_at: at(0),
            created_by: "x".to_owned(),
            expires_at: None,
            last_used_at: None,
        };
        self.change(IdentityChange::AddToken(Box::new(token))).map(|_| id)
    }
}

#[test]
fn a_member_may_do_what_the_role_in_the_team_allows_with_what_is_the_teams() {
    let mut house = House::with(&[person("ada", &[])]);
    assert!(!house.directory.access_of("ada").allows_somewhere(Permission::PeopleRead));
    let members = vec![Member { handle: handle("ada"), role: Role::Responder }];
    let team = Team {
        name: "db".into(),
        description: String::new(),
        members,
        default_on_call: None,
        origin: PersonOrigin::Api,
    };
    house.change(IdentityChange::SetTeam(Box::new(team))).unwrap();
    let access = house.directory.access_of("ada");
    assert!(access.allows_within(Permission::SilenceWrite, &Scope::Team("db".into())));
    assert!(!access.allows(Permission::SilenceWrite));
    assert!(access.allows(Permission::PeopleRead));
}

#[test]
fn a_code_is_asked_for_once_a_second_factor_is_known_to_work_and_taken_once() {
    let mut house = House::with(&[person("ada", &[])]);
    house.password("ada");
    house.sign_in(1, "ada", Proof::Password).unwrap();
    let sealed = "s".to_owned();
    house.change(IdentityChange::BeginTotp { person: handle("ada"), sealed }).unwrap();
    house.sign_in(2, "ada", Proof::Password).unwrap();
    let codes = vec![SecretHash::of(b"r")];
    let confirm = IdentityChange::ConfirmTotp {
        person: handle("ada"),
        step: 10,
        recovery_codes: codes.clone(),
    };
    house.change(confirm).unwrap();
    let refused = house.sign_in(3, "ada", Proof::Password);
    assert_eq!(refused, Err(IdentityRejection::CodeWanted));
    let used = house.sign_in(3, "ada", Proof::Code { step: 10 });
    assert_eq!(used, Err(IdentityRejection::CodeUsed));
    house.sign_in(3, "ada", Proof::Code { step: 11 }).unwrap();
    let again = house.sign_in(3, "ada", Proof::Code { step: 11 });
    assert_eq!(again, Err(IdentityRejection::CodeUsed));
    house.sign_in(3, "ada", Proof::RecoveryCode { hash: codes[0] }).unwrap();
    let again = house.sign_in(3, "ada", Proof::RecoveryCode { hash: codes[0] });
    assert_eq!(again, Err(IdentityRejection::CodeUsed));
    house.change(IdentityChange::RemoveTotp(handle("ada"))).unwrap();
    house.sign_in(4, "ada", Proof::Password).unwrap();
}

#[test]
fn a_link_signs_in_once_before_its_end_and_a_newer_one_ends_it() {
    let mut house = House::with(&[person("ada", &[]), person("bob", &[])]);
    let link = |secret: &[u8], expires_at| SignInLink {
        hash: SecretHash::of(secret),
        person: handle("ada"),
        expires_at,
    };
    let proof = |secret: &[u8]| Proof::Link { hash: SecretHash::of(secret) };
    house.change(IdentityChange::AddLink(link(b"a", at(60)))).unwrap();
    house.change(IdentityChange::AddLink(link(b"b", at(60)))).unwrap();
    assert_eq!(house.sign_in(1, "bob", proof(b"a")), Err(IdentityRejection::LinkEnded));
    assert_eq!(house.sign_in(60, "bob", proof(b"b")), Err(IdentityRejection::LinkEnded));
    let id = house.sign_in(59, "bob", proof(b"b")).unwrap();
    // Whose link it is counts, not who says so.
    assert_eq!(house.directory.session(id).unwrap().person, handle("ada"));
    assert_eq!(house.sign_in(59, "ada", proof(b"b")), Err(IdentityRejection::LinkEnded));
}

#[test]
fn whoever_leaves_is_signed_out_and_what_they_own_passes_on() {
    let boss = person("boss", &[]);
    let lead = Person { manager: Some(handle("boss")), ..person("lead", &[]) };
    let junior = Person { manager: Some(handle("lead")), ..person("junior", &[]) };
    let mut house = House::with(&[boss, lead, junior]);
    house.password("lead");
    let session = house.sign_in(1, "lead", Proof::Password).unwrap();
    let token = house.token(TokenOwner::Person(handle("lead"))).unwrap();
    let team = Team {
        name: "db".into(),
        description: String::new(),
        members: vec![Member { handle: handle("lead"), role: Role::Manager }],
        default_on_call: Some(handle("lead")),
        origin: PersonOrigin::Api,
    };
    house.change(IdentityChange::SetTeam(Box::new(team))).unwrap();
    let owned = house.directory.owned_by(&handle("lead"));
    let kinds: Vec<_> = owned.iter().map(|it| (it.kind, it.passes_to.clone())).collect();
    let boss = Some(handle("boss"));
    assert_eq!(
        kinds,
        [("report", boss.clone()), ("default_on_call", boss.clone()), ("token", None)]
    );
    house.change(IdentityChange::Deactivate(handle("lead"))).unwrap();
    assert!(house.directory.session(session).is_none());
    assert!(house.directory.token(token).is_none());
    assert_eq!(house.directory.person("junior").unwrap().manager, boss);
    assert_eq!(house.directory.team("db").unwrap().default_on_call, boss);
    let refused = house.sign_in(2, "lead", Proof::Password);
    assert_eq!(refused, Err(IdentityRejection::Inactive(handle("lead"))));
    assert!(house.directory.person_signing_in("lead").is_none());
    assert_eq!(house.directory.access_of("lead"), Default::default());
}

#[test]
fn the_last_administrator_who_can_sign_in_stays() {
    let admin = [(Role::Admin, Scope::Tenant)];
    let mut house = House::with(&[person("ada", &admin), person("bob", &admin)]);
    house.password("ada");
    // Bob is one, too, and could not sign in.
    let refused = house.change(IdentityChange::Deactivate(handle("ada")));
    assert_eq!(refused, Err(IdentityRejection::LastAdmin(handle("ada"))));
    let lesser = Box::new(person("ada", &[(Role::Viewer, Scope::Tenant)]));
    let refused = house.change(IdentityChange::ChangePerson(lesser.clone()));
    assert_eq!(refused, Err(IdentityRejection::LastAdmin(handle("ada"))));
    house.password("bob");
    house.change(IdentityChange::ChangePerson(lesser)).unwrap();
}

#[test]
fn a_source_has_two_keys_at_once_and_no_more() {
    let mut house = House::default();
    let grafana = || TokenOwner::Integration("grafana".to_owned());
    let old = house.token(grafana()).unwrap();
    house.token(grafana()).unwrap();
    let refused = house.token(grafana()).unwrap_err();
    assert_eq!(refused, IdentityRejection::TwoKeys { source_name: "grafana".to_owned() });
    house.change(IdentityChange::RevokeToken(old)).unwrap();
    house.token(grafana()).unwrap();
}

#[test]
fn a_persons_token_never_allows_more_than_the_person_may_do_now() {
    let mut house = House::with(&[person("ada", &[(Role::Manager, Scope::Tenant)])]);
    let id = house.token(TokenOwner::Person(handle("ada"))).unwrap();
    let access =
        |house: &House| house.directory.access_of_token(house.directory.token(id).unwrap());
    assert!(access(&house).allows(Permission::MaintenanceWrite));
    assert!(!access(&house).allows(Permission::PeopleWrite));
    let lesser = Box::new(person("ada", &[(Role::Viewer, Scope::Tenant)]));
    house.change(IdentityChange::ChangePerson(lesser)).unwrap();
    assert!(!access(&house).allows(Permission::MaintenanceWrite));
}

#[test]
fn an_account_at_the_provider_makes_a_person_once_and_follows_the_roles_given_there() {
    let mut house = House::with(&[person("ada", &[])]);
    let account = |subject: &str| ExternalAccount {
        issuer: "https://id.example.org".to_owned(),
        subject: subject.to_owned(),
    };
    let proof = |subject: &str, role, link_to: Option<&str>| Proof::External {
        account: account(subject),
        profile: Box::new(person("ada", &[(role, Scope::Tenant)])),
        link_to: link_to.map(handle),
    };
    // The handle is taken by somebody else, whom nobody says this is.
    let id = house.sign_in(1, "ada", proof("s1", Role::Viewer, None)).unwrap();
    assert_eq!(house.directory.session(id).unwrap().person, handle("ada-2"));
    house.sign_in(2, "ada", proof("s1", Role::Manager, None)).unwrap();
    assert!(house.directory.access_of("ada-2").allows(Permission::MaintenanceWrite));
    assert_eq!(house.directory.people().count(), 2);
    // Known to be Ada: her own roles stay as they are.
    let id = house.sign_in(3, "ada", proof("s2", Role::Admin, Some("ada"))).unwrap();
    assert_eq!(house.directory.session(id).unwrap().person, handle("ada"));
    assert!(!house.directory.access_of("ada").allows(Permission::PeopleWrite));
    // Her account cannot be taken over by another one.
    let id = house.sign_in(4, "ada", proof("s3", Role::Viewer, Some("ada"))).unwrap();
    assert_eq!(house.directory.session(id).unwrap().person, handle("ada-3"));
}

#[test]
fn a_new_password_ends_every_other_session_and_idle_ones_are_forgotten() {
    let mut house = House::with(&[person("ada", &[])]);
    house.password("ada");
    let old = house.sign_in(1, "ada", Proof::Password).unwrap();
    let own = house.sign_in(2, "ada", Proof::Password).unwrap();
    let (person, hash) = (handle("ada"), "new".into());
    house.change(IdentityChange::SetPassword { person, hash, keep: Some(own) }).unwrap();
    assert!(house.directory.session(old).is_none());
    let touch = IdentityChange::Touch { sessions: vec![(own, at(50))], tokens: Vec::new() };
    assert_eq!(house.change(touch), Ok(None));
    assert!(house.directory.session(own).unwrap().is_valid_at(at(109)));
    assert!(!house.directory.session(own).unwrap().is_valid_at(at(110)));
    let mut writes = IdentityWrites::default();
    house.directory.sweep(at(110), &mut writes);
    assert!(house.directory.session(own).is_none());
    assert_eq!(writes.sessions[&own], None);
}

#[test]
fn nobody_has_more_sessions_than_the_bound_and_the_oldest_goes_first() {
    let mut house = House::with(&[person("ada", &[])]);
    house.password("ada");
    let ids: Vec<_> =
        (0..25).map(|minute| house.sign_in(minute, "ada", Proof::Password).unwrap()).collect();
    assert_eq!(house.directory.sessions().count(), 20);
    assert!(house.directory.session(ids[4]).is_none());
    assert!(house.directory.session(ids[5]).is_some());
}

#[test]
fn nobody_reports_to_themselves() {
    let mut house = House::with(&[person("a", &[])]);
    let b = Person { manager: Some(handle("a")), ..person("b", &[]) };
    house.change(IdentityChange::AddPerson(Box::new(b))).unwrap();
    let a = Person { manager: Some(handle("b")), ..person("a", &[]) };
    let refused = house.change(IdentityChange::ChangePerson(Box::new(a)));
    assert_eq!(refused, Err(IdentityRejection::ManagerCycle(handle("a"))));
}

#[test]
fn what_the_file_provides_is_read_only_and_keeps_what_people_sign_in_with() {
    let mut house = House::with(&[person("ada", &[])]);
    house.password("ada");
    let provisioned = Person { origin: PersonOrigin::Provisioned, ..person("ada", &[]) };
    house.directory.provision(&[provisioned], &[]);
    let refused = house.change(IdentityChange::Deactivate(handle("ada")));
    assert!(matches!(refused, Err(IdentityRejection::Provisioned { .. })));
    house.sign_in(1, "ada", Proof::Password).unwrap();
    house.directory.provision(&[], &[]);
    let unknown = house.sign_in(1, "ada", Proof::Password);
    assert!(matches!(unknown, Err(IdentityRejection::UnknownPerson(_))));
}

#[test]
fn an_address_signs_in_only_whom_it_names_alone() {
    let mut house = House::with(&[person("ada", &[])]);
    let find = |house: &House, name: &str| {
        house.directory.person_signing_in(name).map(|person| person.handle.to_string())
    };
    assert_eq!(find(&house, " ADA@example.org ").as_deref(), Some("ada"));
    assert_eq!(find(&house, "Ada").as_deref(), Some("ada"));
    assert_eq!(find(&house, ""), None);
    let twin = Person { email: "Ada@Example.org".to_owned(), ..person("ada2", &[]) };
    house.change(IdentityChange::AddPerson(Box::new(twin))).unwrap();
    assert_eq!(find(&house, "ada@example.org"), None);
}
