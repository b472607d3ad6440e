//! People, teams, tokens and sessions as our API shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::identity::{
    self as domain, Access, ApiToken, Grant, Handle, PersonOrigin, Role, Scope, SealedSecret,
    TokenOwner,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::FieldError;

/// The most characters of a name.
const MAX_NAME_CHARS: usize = 200;

/// The most entries of a list within an object.
const MAX_ENTRIES: usize = 200;

/// Somebody who works with the alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// The short name, unique and never changed.
    #[schema(example = "ada")]
    pub handle: String,
    /// The full name.
    pub name: String,
    /// The address; empty for none.
    pub email: String,
    /// The IANA name of the zone the person lives in.
    #[schema(example = "Europe/Vienna")]
    pub time_zone: String,
    /// Language and region (BCP 47).
    pub locale: String,
    /// What the person knows well.
    pub expertise: Vec<String>,
    /// The handle of whom the person reports to.
    pub manager: Option<String>,
    /// Roles beside those that membership in teams brings: `responder`, `manager@team:db`.
    pub roles: Vec<String>,
    /// Whether the person may sign in and be given work.
    pub active: bool,
    /// Where the person comes from.
    pub origin: Origin,
    /// The teams the person belongs to.
    pub teams: Vec<String>,
}

/// Where a person or a team comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The configuration file; changed there only.
    Provisioned,
    /// The API.
    Api,
    /// The identity provider.
    Provider,
}

impl From<PersonOrigin> for Origin {
    fn from(origin: PersonOrigin) -> Self {
        match origin {
            PersonOrigin::Provisioned => Self::Provisioned,
            PersonOrigin::Api => Self::Api,
            PersonOrigin::Provider => Self::Provider,
        }
    }
}

impl Person {
    /// Returns a person of a directory.
    pub fn new(person: &domain::Person, directory: &domain::Directory) -> Self {
        let teams = directory.teams().filter(|team| team.member(&person.handle).is_some());
        Self {
            handle: person.handle.to_string(),
            name: person.name.clone(),
            email: person.email.clone(),
            time_zone: person.time_zone.clone(),
            locale: person.locale.clone(),
            expertise: person.expertise.clone(),
            manager: person.manager.as_ref().map(ToString::to_string),
            roles: person.grants.iter().map(written_grant).collect(),
            active: person.is_active,
            origin: person.origin.into(),
            teams: teams.map(|team| team.name.to_string()).collect(),
        }
    }
}

/// Everybody.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PeoplePage {
    /// Ascending by handle.
    pub items: Vec<Person>,
    /// The cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A person as they are made or changed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a person: an object")]
pub struct PersonDraft {
    /// The short name: `a` to `z`, digits, `.`, `-` and `_`. Needed for a new person; otherwise the
    /// path says it.
    #[serde(default)]
    #[schema(example = "ada")]
    pub handle: Option<String>,
    /// The full name; the handle when it is not given.
    #[serde(default)]
    pub name: String,
    /// The address.
    #[serde(default)]
    pub email: String,
    /// The IANA name of a zone; UTC when it is not given.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Language and region (BCP 47); `en` when it is not given.
    #[serde(default)]
    pub locale: Option<String>,
    /// What the person knows well.
    #[serde(default)]
    pub expertise: Vec<String>,
    /// The handle of whom the person reports to.
    #[serde(default)]
    pub manager: Option<String>,
    /// Roles: `responder`, `manager@team:db`, `viewer@service:checkout`.
    #[serde(default)]
    pub roles: Vec<String>,
}

impl PersonDraft {
    /// Returns the person of that handle.
    ///
    /// # Errors
    /// The fields that make no sense.
    pub fn into_person(self, handle: Handle) -> Result<domain::Person, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut check = |pointer: &str, why: Result<(), String>| {
            errors.extend(why.err().map(|why| FieldError::at(pointer, why)));
        };
        check("/name", short(&self.name));
        check("/email", email(&self.email));
        check("/expertise", listed(&self.expertise));
        let time_zone = self.time_zone.unwrap_or_else(|| "UTC".to_owned());
        let known = jiff::tz::TimeZone::get(&time_zone).map(drop);
        check("/time_zone", known.map_err(|_| "is not the IANA name of a zone".to_owned()));
        let locale = self.locale.unwrap_or_else(|| "en".to_owned());
        check("/locale", short(&locale));
        let manager = self.manager.map(|text| Handle::parse(&text)).transpose();
        check("/manager", manager.as_ref().map(drop).map_err(ToString::to_string));
        let mut grants = Vec::new();
        for (index, text) in self.roles.iter().take(MAX_ENTRIES).enumerate() {
            match read_grant(text) {
                Ok(grant) => grants.push(grant),
                Err(why) => errors.push(FieldError::at(format!("/roles/{index}"), why)),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(domain::Person {
            name: if self.name.is_empty() { handle.to_string() } else { self.name },
            handle,
            email: self.email,
            time_zone,
            locale,
            contact_methods: Vec::new(),
            expertise: self.expertise,
            manager: manager.ok().flatten(),
            grants,
            is_active: true,
            origin: PersonOrigin::Api,
        })
    }
}

/// A link that signs somebody in once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignInLinkMade {
    /// To be opened by the person.
    pub url: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Something a person owns.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OwnedThing {
    /// What kind of thing: `acknowledgement`, `silence`, `report`, `default_on_call`, `token`.
    pub kind: String,
    /// Which one.
    pub subject: String,
    /// Who has it when the owner leaves; absent when it ends then or nobody is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passes_to: Option<String>,
}

/// What a person owns.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OwnedThings {
    /// All of it.
    pub items: Vec<OwnedThing>,
}

impl From<Vec<domain::Owned>> for OwnedThings {
    fn from(owned: Vec<domain::Owned>) -> Self {
        let thing = |it: domain::Owned| OwnedThing {
            kind: it.kind.to_owned(),
            subject: it.subject,
            passes_to: it.passes_to.map(|handle| handle.to_string()),
        };
        Self { items: owned.into_iter().map(thing).collect() }
    }
}

/// People who look after something together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Team {
    /// Unique; what alerts carry as the label `team`.
    pub name: String,
    /// What the team looks after.
    pub description: String,
    /// Who belongs to it.
    pub members: Vec<TeamMember>,
    /// Who takes over what has no owner any more.
    pub default_on_call: Option<String>,
    /// Where the team comes from.
    pub origin: Origin,
}

/// One who belongs to a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamMember {
    /// The handle.
    pub person: String,
    /// What they may do with what is the team's: `viewer`, `responder`, `manager` or `admin`.
    #[serde(default = "responder")]
    pub role: String,
}

fn responder() -> String {
    Role::Responder.as_str().to_owned()
}

/// All teams.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Teams {
    /// Ascending by name.
    pub items: Vec<Team>,
}

impl From<&domain::Team> for Team {
    fn from(team: &domain::Team) -> Self {
        let member = |it: &domain::Member| TeamMember {
            person: it.handle.to_string(),
            role: it.role.as_str().to_owned(),
        };
        Self {
            name: team.name.to_string(),
            description: team.description.clone(),
            members: team.members.iter().map(member).collect(),
            default_on_call: team.default_on_call.as_ref().map(ToString::to_string),
            origin: team.origin.into(),
        }
    }
}

/// A team as it is made or changed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a team: an object")]
pub struct TeamDraft {
    /// What the team looks after.
    #[serde(default)]
    pub description: String,
    /// Who belongs to it.
    #[serde(default)]
    pub members: Vec<TeamMember>,
    /// The handle of who takes over what has no owner any more.
    #[serde(default)]
    pub default_on_call: Option<String>,
}

impl TeamDraft {
    /// Returns the team of that name.
    ///
    /// # Errors
    /// The fields that make no sense.
    pub fn into_team(self, name: String) -> Result<domain::Team, Vec<FieldError>> {
        let mut errors = Vec::new();
        errors.extend(short(&name).err().map(|why| FieldError::at("/name", why)));
        errors.extend(short(&self.description).err().map(|it| FieldError::at("/description", it)));
        if self.members.len() > MAX_ENTRIES {
            errors.push(FieldError::at("/members", format!("are more than {MAX_ENTRIES}")));
        }
        let mut members: Vec<domain::Member> = Vec::new();
        for (index, member) in self.members.iter().take(MAX_ENTRIES).enumerate() {
            let pointer = |field: &str| format!("/members/{index}/{field}");
            let role = Role::parse(&member.role);
            if role.is_none() {
                let why = "is no role: viewer, responder, manager or admin";
                errors.push(FieldError::at(pointer("role"), why));
            }
            match Handle::parse(&member.person) {
                Err(why) => errors.push(FieldError::at(pointer("person"), why.to_string())),
                Ok(handle) if members.iter().any(|it| it.handle == handle) => {
                    errors.push(FieldError::at(pointer("person"), "is a member already"));
                }
                Ok(handle) => members.extend(role.map(|role| domain::Member { handle, role })),
            }
        }
        let on_call = self.default_on_call.map(|text| Handle::parse(&text)).transpose();
        let wrong = on_call.as_ref().err();
        errors.extend(wrong.map(|why| FieldError::at("/default_on_call", why.to_string())));
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(domain::Team {
            name: name.into(),
            description: self.description,
            members,
            default_on_call: on_call.ok().flatten(),
            origin: PersonOrigin::Api,
        })
    }
}

/// A token or an integration key, without its secret.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Names it; no secret.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Whom it stands for: `person`, `service` or `integration`.
    pub owner_kind: String,
    /// The handle of the person, or the name of the service or integration.
    pub owner: String,
    /// What it may be used for.
    pub permissions: Vec<String>,
    /// Where: `tenant`, `team:NAME`, `service:NAME`; empty for everywhere.
    pub scopes: Vec<String>,
    /// Networks from which it may be used; empty for anywhere.
    pub allowed_from: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it ends; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the minute; absent for not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

impl From<&ApiToken> for Token {
    fn from(token: &ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name.clone(),
            owner_kind: match token.owner {
                TokenOwner::Person(_) => "person",
                TokenOwner::Service(_) => "service",
                TokenOwner::Integration(_) => "integration",
            }
            .to_owned(),
            owner: token.owner.name().to_owned(),
            permissions: token.permissions.iter().map(|it| it.to_string()).collect(),
            scopes: token.scopes.iter().map(ToString::to_string).collect(),
            allowed_from: token.allowed_from.iter().map(ToString::to_string).collect(),
            created_at: token.created_at,
            created_by: token.created_by.clone(),
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
        }
    }
}

/// All tokens that the caller may see.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// The newest first.
    pub items: Vec<Token>,
}

/// A token that was just made. Its secret is never shown again.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewToken {
    /// What is sent as `Authorization: Bearer …`; keep it, it is shown this once.
    pub secret: String,
    /// What is known of it from now on.
    pub token: Token,
}

/// A stored secret, without its value, which nobody can read.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StoredSecret {
    /// The name, as in `${secret:NAME}`.
    pub name: String,
    /// When it was set last.
    pub set_at: Timestamp,
    /// Who set it.
    pub set_by: String,
    /// When it was used last, to the minute; absent for not since it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

impl From<&SealedSecret> for StoredSecret {
    fn from(secret: &SealedSecret) -> Self {
        Self {
            name: secret.name.clone(),
            set_at: secret.set_at,
            set_by: secret.set_by.clone(),
            last_used_at: secret.last_used_at,
        }
    }
}

/// All stored secrets.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StoredSecrets {
    /// Ascending by name.
    pub items: Vec<StoredSecret>,
}

/// A secret as it is set.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretDraft {
    /// The value, at most 64 KiB. No answer ever holds it.
    #[schema(example = "correct horse battery staple", min_length = 1)]
    pub value: String,
}

/// A token as it is asked for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a token: an object with `name`")]
pub struct TokenDraft {
    /// What people call it.
    #[schema(example = "deploy pipeline")]
    pub name: String,
    /// The service it stands for; the caller themselves when neither this nor `integration` is
    /// given.
    #[serde(default)]
    pub service: Option<String>,
    /// The integration whose key it is: what its alerts carry as the label `integration`. Each has
    /// at most two, so that a new one can be put in place before the old one is revoked.
    #[serde(default)]
    pub integration: Option<String>,
    /// A role whose permissions it has.
    #[serde(default)]
    #[schema(example = "responder")]
    pub role: Option<String>,
    /// What it may be used for. A person's token that names neither role nor permissions may do
    /// what the person may do; a key of an integration may post alerts and changes.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// Where: `team:NAME`, `service:NAME`; everywhere when there is none.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Networks from which it may be used, such as `10.1.0.0/16`; anywhere when there is none.
    #[serde(default)]
    pub allowed_from: Vec<String>,
    /// When it ends; never when it is not given.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// Who asks, and what they may do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Identity {
    /// What kind of caller: `person`, `service`, `integration`, `local`, `network`,
    /// `listener_user`.
    pub kind: String,
    /// The handle of a person, or the name of something else.
    pub name: String,
    /// The IANA name of the zone a person lives in; absent for anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What is allowed where.
    pub access: Vec<AllowedIn>,
}

/// What is allowed in one place.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AllowedIn {
    /// `tenant`, `team:NAME` or `service:NAME`.
    pub scope: String,
    /// What is allowed there.
    pub permissions: Vec<String>,
}

impl Identity {
    /// Returns who asks.
    pub fn new(who: &domain::Who, access: &Access) -> Self {
        use domain::Who;
        let kind = match who {
            Who::Engine => "engine",
            Who::Local => "local",
            Who::Person(_) => "person",
            Who::Service(_) => "service",
            Who::Integration(_) => "integration",
            Who::ListenerUser(_) => "listener_user",
            Who::Network(_) => "network",
            Who::Stranger => "stranger",
        };
        let allowed = access.iter().map(|(scope, permissions)| AllowedIn {
            scope: scope.to_string(),
            permissions: permissions.iter().map(|it| it.to_string()).collect(),
        });
        let (kind, name) = (kind.to_owned(), who.name().to_owned());
        Self { kind, name, time_zone: None, access: allowed.collect() }
    }
}

/// Reads `responder` or `manager@team:db`.
///
/// # Errors
/// What is wrong with it.
pub fn read_grant(text: &str) -> Result<Grant, String> {
    let (role, scope) = text.split_once('@').unwrap_or((text, "tenant"));
    let role = Role::parse(role).ok_or("is no role: viewer, responder, manager or admin")?;
    let scope =
        Scope::parse(scope).ok_or("is no scope: `role@team:NAME` or `role@service:NAME`")?;
    Ok(Grant { role, scope })
}

fn written_grant(grant: &Grant) -> String {
    match &grant.scope {
        Scope::Tenant => grant.role.as_str().to_owned(),
        scope => format!("{}@{scope}", grant.role.as_str()),
    }
}

fn short(text: &str) -> Result<(), String> {
    if text.chars().count() > MAX_NAME_CHARS {
        return Err(format!("is longer than {MAX_NAME_CHARS} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("has a control character".to_owned());
    }
    Ok(())
}

fn email(text: &str) -> Result<(), String> {
    short(text)?;
    let is_plain = |it: &str| !it.is_empty() && !it.contains(['@', ' ', '<', '>', ',']);
    let is_address = text.split_once('@').is_some_and(|(a, b)| is_plain(a) && is_plain(b));
    if text.is_empty() || is_address { Ok(()) } else { Err("is no address".to_owned()) }
}

fn listed(texts: &[String]) -> Result<(), String> {
    if texts.len() > MAX_ENTRIES {
        return Err(format!("has more than {MAX_ENTRIES} entries"));
    }
    texts.iter().try_for_each(|text| short(text))
}

impl TokenDraft {
    /// Returns the texts of the draft as the domain knows them.
    ///
    /// # Errors
    /// The fields that make no sense.
    pub fn read(&self, now: Timestamp) -> Result<TokenWish, Vec<FieldError>> {
        let mut errors = Vec::new();
        if self.name.trim().is_empty() {
            errors.push(FieldError::at("/name", "must not be empty"));
        }
        let names = [("/name", Some(&self.name)), ("/service", self.service.as_ref())];
        for (pointer, name) in
            names.into_iter().chain([("/integration", self.integration.as_ref())])
        {
            let wrong = name.and_then(|name| short(name).err());
            errors.extend(wrong.map(|why| FieldError::at(pointer, why)));
        }
        if self.service.is_some() && self.integration.is_some() {
            errors.push(FieldError::at("/integration", "goes not with `service`"));
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            errors.push(FieldError::at("/expires_at", "must be in the future"));
        }
        let mut permissions = domain::Permissions::NONE;
        for (index, text) in self.permissions.iter().enumerate() {
            match domain::Permission::parse(text) {
                Some(permission) => {
                    permissions = permissions.or([permission].into_iter().collect());
                }
                None => {
                    let pointer = format!("/permissions/{index}");
                    errors.push(FieldError::at(pointer, "there is no such permission"));
                }
            }
        }
        if let Some(role) = &self.role {
            match Role::parse(role) {
                Some(role) => permissions = permissions.or(role.permissions()),
                None => {
                    let why = "is no role: viewer, responder, manager or admin";
                    errors.push(FieldError::at("/role", why));
                }
            }
        }
        let mut scopes = Vec::new();
        for (index, text) in self.scopes.iter().take(MAX_ENTRIES).enumerate() {
            match Scope::parse(text) {
                Some(scope) => scopes.push(scope),
                None => {
                    let why = "is no scope: `tenant`, `team:NAME` or `service:NAME`";
                    errors.push(FieldError::at(format!("/scopes/{index}"), why));
                }
            }
        }
        let mut allowed_from = Vec::new();
        for (index, text) in self.allowed_from.iter().take(MAX_ENTRIES).enumerate() {
            let single = || text.parse().map(|it: core::net::IpAddr| ipnet::IpNet::from(it));
            match text.parse::<ipnet::IpNet>().or_else(|_| single()) {
                Ok(net) => allowed_from.push(net.trunc()),
                Err(_) => {
                    let why = "is no network: write it as `10.1.0.0/16` or `192.0.2.7`";
                    errors.push(FieldError::at(format!("/allowed_from/{index}"), why));
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(TokenWish { permissions, scopes, allowed_from })
    }
}

/// What a token is wanted for.
#[derive(Clone, Debug)]
pub struct TokenWish {
    /// What it may be used for; none when that was not said.
    pub permissions: domain::Permissions,
    /// Where.
    pub scopes: Vec<Scope>,
    /// From where.
    pub allowed_from: Vec<ipnet::IpNet>,
}
