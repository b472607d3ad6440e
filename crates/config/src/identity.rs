//! People, teams, and who is let in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tocsin_core::identity::{
    Grant, Handle, Member, Permission, Permissions, Person, PersonOrigin, Role, Scope, Team,
};

use crate::document::Document;
use crate::escalation::{ContactMethodConfig, NotifyConfig};
use crate::interval::Zone;
use crate::outbound::OutboundRules;
use crate::reader::{Fields, Reader, Value, nearest};
use crate::section::{Out, Shape, Text, section, words};
use crate::values::{Secret, SecretSource};
use crate::yaml::Node;

const HOUR: Duration = Duration::from_secs(3600);

section! {
    /// Somebody who works with the alerts. How they sign in is theirs and never in this file.
    PersonConfig, check = check_person => {
        /// The short name: `a` to `z`, digits, `.`, `-` and `_`.
        @Native handle: Option<HandleText>;
        /// The full name; unset means the handle.
        @Native name: String;
        /// The address; people may sign in with it, too.
        @Native email: String;
        /// The zone the person lives in; unset means UTC.
        @Native time_zone: Option<Zone>;
        /// Language and region, as in `en-GB`.
        @Native locale: String = "en".to_owned();
        /// What the person knows well.
        @Native expertise: Vec<String>;
        /// The handle of whom the person reports to.
        @Native manager: Option<HandleText>;
        /// Roles: `responder`, `manager@team:db`, `viewer@service:checkout`.
        @Native roles: Vec<GrantText>;
        /// Whether the person may sign in and be given work.
        @Native active: bool = true;
        /// Ways to reach the person, the preferred first; unset means mail to `email`.
        @Native contact_methods: Vec<ContactMethodConfig>;
        /// When the person is reached by which of them.
        @Native notify: Option<NotifyConfig>;
    }
}

section! {
    /// People who look after something together: whatever carries the label `team` with the name.
    TeamConfig, check = check_team => {
        /// The name.
        @Native name: String;
        /// What the team looks after.
        @Native description: String;
        /// Who belongs to it.
        @Native members: Vec<MemberConfig>;
        /// Who takes over what has no owner any more.
        @Native default_on_call: Option<HandleText>;
    }
}

section! {
    /// One who belongs to a team.
    MemberConfig, check = check_member => {
        /// Who.
        @Native person: Option<HandleText>;
        /// What they may do with what is the team's.
        @Native role: RoleWord;
    }
}

section! {
    /// Who is let in, and how long people stay signed in.
    AccessConfig => {
        /// What whoever works on this machine may do without signing in.
        @Native loopback: Loopback;
        /// Addresses that need no credentials, such as those of Prometheus.
        @Native allow: Vec<AllowConfig>;
        /// Proxies whose word is taken for whom they pass on (`X-Forwarded-For`).
        @Native proxies: Vec<NetworkText>;
        /// Names besides that of `--web.external-url` under which browsers reach the server.
        @Native hosts: Vec<String>;
        /// After how long without use somebody is signed out.
        @Native session_idle: Duration = HOUR * 24;
        /// After how long somebody is signed out whatever happens.
        @Native session_max: Duration = HOUR * 24 * 30;
        /// The fewest characters a password has.
        @Native password_min_length: usize = 12;
        /// An identity provider where people may sign in instead.
        @Native oidc: Option<OidcConfig>;
    }
}

section! {
    /// An identity provider that speaks OpenID Connect.
    OidcConfig, check = check_oidc => {
        /// Its address, exactly as it calls itself.
        @Native issuer: String;
        /// What it calls this server.
        @Native client_id: String;
        /// The secret of this server there; unset for a public client.
        @Native client_secret: Option<Secret>;
        /// A file with that secret.
        @Native client_secret_file: Option<PathBuf>;
        /// What to ask for beside `openid`.
        @Native scopes: Vec<String> = vec!["profile".to_owned(), "email".to_owned()];
        /// What the button says.
        @Native name: String = "single sign-on".to_owned();
        /// The claim that handles are made of.
        @Native handle_claim: String = "preferred_username".to_owned();
        /// The claim with the groups of a person; dots lead into objects.
        @Native groups_claim: String = "groups".to_owned();
        /// Roles by group, as in `sre: [responder, "manager@team:db"]`.
        @Native roles: BTreeMap<String, Vec<GrantText>>;
        /// Roles of everybody who signs in there; without any, whoever has no group is refused.
        @Native default_roles: Vec<GrantText>;
        /// Whether somebody with the verified address of a person known here is that person.
        @Native link_by_email: bool;
    }
}

fn check_oidc(oidc: &mut OidcConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["issuer", "client_id"]);
    if oidc.client_secret.is_some() && oidc.client_secret_file.is_some() {
        let why = "at most one of `client_secret` and `client_secret_file`";
        reader.error_at(fields, "client_secret_file", why);
    }
}

/// An identity provider, and what its claims mean here.
#[derive(Clone, Debug)]
pub struct OidcRules {
    /// Its address, exactly as it calls itself.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    client_secret: Option<Secret>,
    client_secret_file: Option<PathBuf>,
    /// What to ask for beside `openid`.
    pub scopes: Vec<String>,
    /// What the button says.
    pub name: String,
    /// The claim that handles are made of.
    pub handle_claim: String,
    /// The claim with the groups of a person.
    pub groups_claim: String,
    /// Roles by group.
    pub roles: BTreeMap<String, Vec<Grant>>,
    /// Roles of everybody who signs in there.
    pub default_roles: Vec<Grant>,
    /// Whether somebody with the verified address of a person known here is that person.
    pub link_by_email: bool,
    /// Which addresses may be connected to.
    pub outbound: OutboundRules,
}

impl OidcRules {
    /// Returns where the secret of this server there is; `None` for a public client.
    pub fn client_secret(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.client_secret.as_ref(), self.client_secret_file.as_deref())
    }

    fn of(config: &OidcConfig, outbound: &OutboundRules) -> Self {
        let grants = |list: &[GrantText]| list.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
        Self {
            issuer: config.issuer.clone(),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            client_secret_file: config.client_secret_file.clone(),
            scopes: config.scopes.clone(),
            name: config.name.clone(),
            handle_claim: config.handle_claim.clone(),
            groups_claim: config.groups_claim.clone(),
            roles: config.roles.iter().map(|(group, it)| (group.clone(), grants(it))).collect(),
            default_roles: grants(&config.default_roles),
            link_by_email: config.link_by_email,
            outbound: outbound.clone(),
        }
    }
}

section! {
    /// Addresses that need no credentials.
    AllowConfig, check = check_allow => {
        /// What the audit log calls whoever comes from there.
        @Native name: String;
        /// Networks, as in `10.1.0.0/16`, or single addresses.
        @Native from: Vec<NetworkText>;
        /// A role.
        @Native role: Option<RoleWord>;
        /// Permissions, as in `alert.ingest`.
        @Native permissions: Vec<PermissionText>;
    }
}

words! {
    /// What whoever works on this machine may do without signing in.
    Loopback {
        /// Everything until somebody has an account, then what `ingest` allows.
        Open = "open",
        /// Post alerts and read metrics.
        Ingest = "ingest",
        /// Nothing.
        Closed = "closed",
    }
    default = Open
}

words! {
    /// A role.
    RoleWord {
        /// Sees everything of daily work.
        Viewer = "viewer",
        /// Works on alerts and incidents.
        Responder = "responder",
        /// Plans maintenance, leads teams, publishes.
        Manager = "manager",
        /// May do everything.
        Admin = "admin",
    }
    default = Responder
}

impl RoleWord {
    /// Returns the role.
    pub fn role(self) -> Role {
        match self {
            Self::Viewer => Role::Viewer,
            Self::Responder => Role::Responder,
            Self::Manager => Role::Manager,
            Self::Admin => Role::Admin,
        }
    }
}

fn check_person(_: &mut PersonConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["handle"]);
}

fn check_team(_: &mut TeamConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["name"]);
}

fn check_member(_: &mut MemberConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["person"]);
}

fn check_allow(_: &mut AllowConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["from"]);
    if !fields.has("role") && !fields.has("permissions") {
        reader.error_at(fields, "from", "say what they may do with `role` or `permissions`");
    }
}

/// A value that is one text.
macro_rules! text_value {
    ($(#[$doc:meta])* $name:ident($inner:ty), $what:literal, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name(pub $inner);

        impl Value for $name {
            fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
                let parse: fn(&str) -> Result<$inner, String> = $parse;
                reader.parsed(node, $what, |text| parse(text).map(Self))
            }

            fn encode(&self) -> Out {
                Out::text(&self.to_string())
            }

            fn shape() -> Shape {
                Shape::Text(Text::Named($what))
            }
        }
    };
}
pub(crate) use text_value;

text_value! {
    /// A person's handle.
    HandleText(Handle), "a handle", |text| {
        let why = "use 1 to 64 of a-z, 0-9, `.`, `-` and `_`, beginning with a letter or digit";
        Handle::parse(text).map_err(|_| why.to_owned())
    }
}

text_value! {
    /// A role and where it holds.
    GrantText(Grant), "a role", parse_grant
}

text_value! {
    /// A network or a single address.
    NetworkText(IpNet), "a network", parse_network
}

text_value! {
    /// A permission.
    PermissionText(Permission), "a permission", |text| {
        let hint = || nearest(text, Permission::ALL.iter().map(|it| it.as_str()));
        Permission::parse(text).ok_or_else(|| format!("there is no such permission{}", hint()))
    }
}

fn parse_grant(text: &str) -> Result<Grant, String> {
    let (role, scope) = text.split_once('@').unwrap_or((text, "tenant"));
    let hint = || nearest(role, Role::ALL.iter().map(|it| it.as_str()));
    let role = Role::parse(role).ok_or_else(|| {
        format!("`{role}` is no role: viewer, responder, manager or admin{}", hint())
    })?;
    let scope = Scope::parse(scope).ok_or_else(|| {
        format!(
            "`{scope}` is no scope: write `{role}@team:NAME` or `@service:NAME`",
            role = role.as_str()
        )
    })?;
    Ok(Grant { role, scope })
}

pub(crate) fn parse_network(text: &str) -> Result<IpNet, String> {
    let single = || text.parse().map(|address: std::net::IpAddr| IpNet::from(address));
    text.parse::<IpNet>()
        .map(|net| net.trunc())
        .or_else(|_| single())
        .map_err(|_| "write it as `10.1.0.0/16` or `192.0.2.7`".to_owned())
}

impl std::fmt::Display for HandleText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for GrantText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0.scope {
            Scope::Tenant => f.write_str(self.0.role.as_str()),
            scope => write!(f, "{}@{scope}", self.0.role.as_str()),
        }
    }
}

impl std::fmt::Display for NetworkText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for PermissionText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Who is let in without credentials, and how long people stay signed in.
#[derive(Clone, Debug)]
pub struct Access {
    /// What whoever works on this machine may do.
    pub loopback: Loopback,
    /// Addresses that need no credentials.
    pub allow: Vec<Allow>,
    /// Proxies whose word is taken for whom they pass on.
    pub proxies: Vec<IpNet>,
    /// Names besides the external one under which browsers reach the server, lower-case.
    pub hosts: Vec<String>,
    /// After how long without use somebody is signed out.
    pub session_idle: Duration,
    /// After how long somebody is signed out whatever happens.
    pub session_max: Duration,
    /// The fewest characters a password has.
    pub password_min_length: usize,
    /// An identity provider where people may sign in instead.
    pub oidc: Option<OidcRules>,
}

/// Addresses that need no credentials.
#[derive(Clone, Debug, PartialEq)]
pub struct Allow {
    /// What the audit log calls whoever comes from there.
    pub name: String,
    /// From where.
    pub from: Vec<IpNet>,
    /// What they may do.
    pub permissions: Permissions,
}

impl Default for Access {
    fn default() -> Self {
        Self::of(&AccessConfig::default(), &OutboundRules::default())
    }
}

impl Access {
    pub(crate) fn of(config: &AccessConfig, outbound: &OutboundRules) -> Self {
        let allow = config.allow.iter().map(|it| Allow {
            name: if it.name.is_empty() { "network".to_owned() } else { it.name.clone() },
            from: it.from.iter().map(|net| net.0).collect(),
            permissions: it
                .permissions
                .iter()
                .map(|it| it.0)
                .collect::<Permissions>()
                .or(it.role.map(|it| it.role().permissions()).unwrap_or_default()),
        });
        Self {
            loopback: config.loopback,
            allow: allow.collect(),
            proxies: config.proxies.iter().map(|net| net.0).collect(),
            hosts: config.hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            session_idle: config.session_idle,
            session_max: config.session_max,
            password_min_length: config.password_min_length.max(8),
            oidc: config.oidc.as_ref().map(|oidc| OidcRules::of(oidc, outbound)),
        }
    }
}

/// Returns the people and teams of a document; who is named and not there is complained about.
pub(crate) fn compile(document: &Document, reader: &mut Reader<'_>) -> (Vec<Person>, Vec<Team>) {
    let mut people: Vec<Person> = Vec::new();
    for (index, config) in document.people.iter().enumerate() {
        let Some(HandleText(handle)) = config.handle.clone() else { continue };
        if people.iter().any(|other| other.handle == handle) {
            let span = reader.place(&format!(".people[{index}].handle"));
            reader.error_span(span, format!("a second person has the handle `{handle}`"));
        }
        people.push(person(config, handle));
    }
    let knows = |handle: &Handle| people.iter().any(|person| person.handle == *handle);
    let mut complaints = Vec::new();
    for (index, config) in document.people.iter().enumerate() {
        if let Some(manager) = config.manager.as_ref().filter(|it| !knows(&it.0)) {
            complaints.push((format!(".people[{index}].manager"), manager));
        }
    }
    let mut teams: Vec<Team> = Vec::new();
    for (index, config) in document.teams.iter().enumerate() {
        for (member, config) in config.members.iter().enumerate() {
            if let Some(person) = config.person.as_ref().filter(|it| !knows(&it.0)) {
                complaints.push((format!(".teams[{index}].members[{member}].person"), person));
            }
        }
        if let Some(person) = config.default_on_call.as_ref().filter(|it| !knows(&it.0)) {
            complaints.push((format!(".teams[{index}].default_on_call"), person));
        }
        if teams.iter().any(|other| *other.name == *config.name) {
            let span = reader.place(&format!(".teams[{index}].name"));
            reader.error_span(span, format!("a second team is named `{}`", config.name));
        }
        teams.push(team(config));
    }
    for (place, handle) in complaints {
        let hint = nearest(handle.0.as_str(), people.iter().map(|it| it.handle.as_str()));
        let span = reader.place(&place);
        reader.error_span(span, format!("no person of this file has the handle `{handle}`{hint}"));
    }
    (people, teams)
}

fn person(config: &PersonConfig, handle: Handle) -> Person {
    let name = if config.name.is_empty() { handle.to_string() } else { config.name.clone() };
    let zone = config.time_zone.as_ref().map(|zone| Zone::of(Some(zone)));
    Person {
        name,
        handle,
        email: config.email.clone(),
        time_zone: zone
            .and_then(|zone| zone.iana_name().map(str::to_owned))
            .unwrap_or_else(|| "UTC".to_owned()),
        locale: config.locale.clone(),
        contact_methods: Vec::new(),
        expertise: config.expertise.clone(),
        manager: config.manager.as_ref().map(|it| it.0.clone()),
        grants: config.roles.iter().map(|it| it.0.clone()).collect(),
        is_active: config.active,
        origin: PersonOrigin::Provisioned,
    }
}

fn team(config: &TeamConfig) -> Team {
    let member = |it: &MemberConfig| {
        Some(Member { handle: it.person.as_ref()?.0.clone(), role: it.role.role() })
    };
    Team {
        name: Arc::from(config.name.as_str()),
        description: config.description.clone(),
        members: config.members.iter().filter_map(member).collect(),
        default_on_call: config.default_on_call.as_ref().map(|it| it.0.clone()),
        origin: PersonOrigin::Provisioned,
    }
}
