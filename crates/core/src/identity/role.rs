//! Roles: bundles of permissions, given for the whole tenant, a team or a service.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::permission::{Permission, Permissions};
use crate::labels::Labels;

/// A bundle of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything of daily work and changes nothing.
    Viewer,
    /// Works on alerts and incidents.
    Responder,
    /// Plans maintenance, leads teams, publishes.
    Manager,
    /// May do everything.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Responder, Self::Manager, Self::Admin];

    /// Returns the name that settings and answers use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    /// Returns the role of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Returns what the role allows; each role allows what the lesser ones do.
    pub fn permissions(self) -> Permissions {
        Permission::ALL.iter().copied().filter(|it| self >= least_role(*it)).collect()
    }
}

/// Returns the least role that has the permission.
fn least_role(permission: Permission) -> Role {
    use Permission as P;
    match permission {
        P::AlertRead
        | P::SilenceRead
        | P::MaintenanceRead
        | P::ChangeRead
        | P::EventRead
        | P::NotificationRead
        | P::RoutingRead
        | P::StatusRead
        | P::MetricsRead
        | P::EscalationRead
        | P::HeartbeatRead
        | P::ContactOwn
        | P::IncidentRead
        | P::ScheduleRead
        | P::PeopleRead => Role::Viewer,
        P::AlertAcknowledge
        | P::AlertComment
        | P::SilenceWrite
        | P::ChangeRecord
        | P::EscalationAnswer
        | P::EscalationPage
        | P::IncidentCreate
        | P::IncidentComment
        | P::IncidentTransition
        | P::IncidentResolve
        | P::IncidentSeverity
        | P::IncidentRole
        | P::IncidentMerge
        | P::PostmortemWrite
        | P::KnowledgeWrite
        | P::RunbookRun
        | P::ScheduleOwn
        | P::ScheduleOverride
        | P::TokenOwn => Role::Responder,
        P::AlertIngest
        | P::MaintenanceWrite
        | P::PolicyWrite
        | P::HeartbeatPing
        | P::ReceiverTest
        | P::IncidentEditTime
        | P::IncidentCloseForce
        | P::IncidentReopenClosed
        | P::PostmortemPublish
        | P::ApprovalAnswer
        | P::StatusPublish
        | P::ScheduleWrite
        | P::TeamWrite => Role::Manager,
        P::ConfigReload
        | P::ScheduleCorrect
        | P::IncidentRestrictedRead
        | P::PeopleWrite
        | P::TokenWrite
        | P::AuditRead
        | P::SecretWrite => Role::Admin,
    }
}

/// Where a role holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everywhere in the tenant.
    Tenant,
    /// For what carries the label `team` with this value.
    Team(Arc<str>),
    /// For what carries the label `service` with this value.
    Service(Arc<str>),
}

impl Scope {
    /// Returns whether something with these labels lies within.
    #[must_use]
    pub fn covers(&self, labels: &Labels) -> bool {
        match self {
            Self::Tenant => true,
            Self::Team(team) => labels.get("team") == Some(team),
            Self::Service(service) => labels.get("service") == Some(service),
        }
    }

    /// Returns the label and the value that something within carries; `None` for the tenant.
    pub fn label(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Tenant => None,
            Self::Team(team) => Some(("team", team)),
            Self::Service(service) => Some(("service", service)),
        }
    }

    /// Reads `tenant`, `team:NAME` or `service:NAME`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "tenant" => Some(Self::Tenant),
            Some(("team", name)) if !name.is_empty() => Some(Self::Team(name.into())),
            Some(("service", name)) if !name.is_empty() => Some(Self::Service(name.into())),
            _ => None,
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tenant => f.write_str("tenant"),
            Self::Team(name) => write!(f, "team:{name}"),
            Self::Service(name) => write!(f, "service:{name}"),
        }
    }
}

/// A role, and where it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// What is allowed.
    pub role: Role,
    /// Where.
    pub scope: Scope,
}

/// What somebody may do, and where: the sum of all grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    by_scope: BTreeMap<Scope, Permissions>,
}

impl Access {
    /// Returns access to everything in the tenant.
    pub fn full() -> Self {
        Self::tenant(Permissions::all())
    }

    /// Returns these permissions for the whole tenant.
    pub fn tenant(permissions: Permissions) -> Self {
        let mut access = Self::default();
        access.add(Scope::Tenant, permissions);
        access
    }

    /// Allows more.
    pub fn add(&mut self, scope: Scope, permissions: Permissions) {
        if !permissions.is_empty() {
            let known = self.by_scope.entry(scope).or_default();
            *known = known.or(permissions);
        }
    }

    /// Returns whether the permission holds for the whole tenant.
    #[must_use]
    pub fn allows(&self, permission: Permission) -> bool {
        self.by_scope.get(&Scope::Tenant).is_some_and(|set| set.contains(permission))
    }

    /// Returns whether the permission holds anywhere at all.
    #[must_use]
    pub fn allows_somewhere(&self, permission: Permission) -> bool {
        self.by_scope.values().any(|set| set.contains(permission))
    }

    /// Returns whether the permission holds for something with these labels.
    #[must_use]
    pub fn allows_for(&self, permission: Permission, labels: &Labels) -> bool {
        self.by_scope.iter().any(|(scope, set)| set.contains(permission) && scope.covers(labels))
    }

    /// Returns whether the permission holds within that scope as a whole.
    #[must_use]
    pub fn allows_within(&self, permission: Permission, scope: &Scope) -> bool {
        self.allows(permission)
            || self.by_scope.get(scope).is_some_and(|set| set.contains(permission))
    }

    /// Returns what is allowed for the whole tenant.
    pub fn everywhere(&self) -> Permissions {
        self.by_scope.get(&Scope::Tenant).copied().unwrap_or_default()
    }

    /// Returns what is allowed where, the whole tenant first.
    pub fn iter(&self) -> impl Iterator<Item = (&Scope, Permissions)> {
        self.by_scope.iter().map(|(scope, set)| (scope, *set))
    }

    /// Returns what remains when only these permissions and only these scopes are wanted; no
    /// scopes means everywhere.
    #[must_use]
    pub fn narrowed(&self, permissions: Permissions, scopes: &[Scope]) -> Self {
        let mut narrowed = Self::default();
        for (scope, set) in self.iter() {
            let set = set.and(permissions);
            if scopes.is_empty() || scopes.contains(scope) {
                narrowed.add(scope.clone(), set);
            } else if *scope == Scope::Tenant {
                for wanted in scopes {
                    narrowed.add(wanted.clone(), set);
                }
            }
        }
        narrowed
    }

    /// Returns whether everything the other allows is allowed here, too: nobody can hand out more
    /// than they have.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        other
            .iter()
            .all(|(scope, set)| set.iter().all(|permission| self.allows_within(permission, scope)))
    }
}

impl FromIterator<Grant> for Access {
    fn from_iter<T: IntoIterator<Item = Grant>>(grants: T) -> Self {
        let mut access = Self::default();
        for grant in grants {
            access.add(grant.scope, grant.role.permissions());
        }
        access
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::new(pairs.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect())
    }

    #[test]
    fn each_role_allows_what_the_lesser_ones_do_and_more() {
        for pair in Role::ALL.windows(2) {
            let (lesser, greater) = (pair[0].permissions(), pair[1].permissions());
            assert_eq!(lesser.and(greater), lesser);
            assert_ne!(lesser, greater);
        }
        assert_eq!(Role::Admin.permissions(), Permissions::all());
        assert!(!Role::Viewer.permissions().contains(Permission::SilenceWrite));
        assert!(!Role::Manager.permissions().contains(Permission::AuditRead));
    }

    #[test]
    fn a_role_for_a_team_reaches_only_what_carries_its_label() {
        let grant = Grant { role: Role::Responder, scope: Scope::Team("db".into()) };
        let access: Access = [grant].into_iter().collect();
        let may = |labels: &Labels| access.allows_for(Permission::AlertAcknowledge, labels);
        assert!(may(&labels(&[("team", "db")])));
        assert!(!may(&labels(&[("team", "web")])));
        assert!(!may(&labels(&[("service", "db")])));
        assert!(!access.allows(Permission::AlertAcknowledge));
        assert!(access.allows_somewhere(Permission::AlertAcknowledge));
    }

    #[test]
    fn narrowing_never_widens() {
        let access: Access = [
            Grant { role: Role::Viewer, scope: Scope::Tenant },
            Grant { role: Role::Manager, scope: Scope::Team("db".into()) },
        ]
        .into_iter()
        .collect();
        let narrowed = access.narrowed(
            [Permission::SilenceWrite, Permission::AlertRead].into_iter().collect(),
            &[Scope::Team("db".into()), Scope::Team("web".into())],
        );
        assert!(access.includes(&narrowed));
        assert!(narrowed.allows_within(Permission::SilenceWrite, &Scope::Team("db".into())));
        assert!(!narrowed.allows_within(Permission::SilenceWrite, &Scope::Team("web".into())));
        assert!(narrowed.allows_within(Permission::AlertRead, &Scope::Team("web".into())));
        assert!(!narrowed.allows(Permission::AlertRead));
        assert!(!narrowed.includes(&access));
    }

    #[test]
    fn names_of_permissions_are_read_back() {
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()), Some(*permission));
        }
        let text = serde_json::to_string(&Role::Viewer.permissions()).unwrap();
        assert_eq!(serde_json::from_str::<Permissions>(&text).unwrap(), Role::Viewer.permissions());
    }
}
