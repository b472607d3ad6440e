//! Permissions: one for each thing that may be allowed or not.

use serde::{Deserialize, Serialize};

macro_rules! permissions {
    ($($name:ident $text:literal $doc:literal),+ $(,)?) => {
        /// One thing that somebody may be allowed to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Permission {
            $(
                #[doc = $doc]
                #[serde(rename = $text)]
                $name,
            )+
        }

        impl Permission {
            /// Every permission there is, in the order of the manual.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the name that tokens, roles and answers use.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// Returns what it allows, for people.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $doc,)+
                }
            }
        }
    };
}

permissions! {
    AlertRead "alert.read" "See alerts, groups and why each was told or held back.",
    AlertIngest "alert.ingest" "Post alerts, as Prometheus and integrations do.",
    AlertAcknowledge "alert.acknowledge" "Acknowledge alerts and take that back.",
    AlertComment "alert.comment" "Add notes to alerts.",
    SilenceRead "silence.read" "See silences.",
    SilenceWrite "silence.write" "Make, change and end silences.",
    MaintenanceRead "maintenance.read" "See maintenance windows.",
    MaintenanceWrite "maintenance.write" "Plan, change and remove maintenance windows.",
    ChangeRead "change.read" "See changes such as deployments.",
    ChangeRecord "change.record" "Tell of changes such as deployments.",
    EventRead "event.read" "Read the history and follow the live feed.",
    NotificationRead "notification.read" "See what is on its way out and what was told.",
    RoutingRead "routing.read" "See routes and receivers, and try where an alert would go.",
    StatusRead "status.read" "See the state of the server and the configuration, secrets masked.",
    MetricsRead "metrics.read" "Read the server's own metrics.",
    EscalationRead "escalation.read" "See escalations, policies, pages and who would be paged.",
    EscalationAnswer "escalation.answer" "Acknowledge, give back, escalate, resolve and snooze.",
    EscalationPage "escalation.page" "Page people by hand.",
    PolicyWrite "policy.write" "Make, change and remove escalation policies.",
    ContactOwn "contact.own" "Change how one is reached oneself, with a token.",
    HeartbeatRead "heartbeat.read" "See heartbeat monitors.",
    HeartbeatPing "heartbeat.ping" "Say that something watched is alive.",
    ReceiverTest "receiver.test" "Send test messages to receivers.",
    ConfigReload "config.reload" "Read the configuration anew.",
    IncidentRead "incident.read" "See incidents.",
    IncidentCreate "incident.create" "Declare incidents.",
    IncidentComment "incident.comment" "Comment on incidents.",
    IncidentTransition "incident.transition" "Move incidents to another status.",
    IncidentResolve "incident.resolve" "Resolve incidents.",
    IncidentSeverity "incident.severity" "Change the severity of incidents.",
    IncidentRole "incident.role" "Give and take roles in incidents.",
    IncidentMerge "incident.merge" "Merge and split incidents.",
    IncidentEditTime "incident.edit_time" "Correct the times of incidents.",
    IncidentCloseForce "incident.close_force" "Close incidents whatever is still open.",
    IncidentReopenClosed "incident.reopen_closed" "Reopen closed incidents.",
    IncidentRestrictedRead "incident.restricted.read" "See restricted incidents without being named.",
    PostmortemWrite "postmortem.write" "Write postmortems and action items.",
    KnowledgeWrite "knowledge.write" "Write articles of the knowledge base.",
    PostmortemPublish "postmortem.publish" "Publish postmortems.",
    RunbookRun "runbook.run" "Run runbooks.",
    ApprovalAnswer "approval.answer" "Approve or refuse what automation wants to do.",
    StatusPublish "status.publish" "Publish on status pages.",
    ScheduleRead "schedule.read" "See schedules, and who is on call.",
    ScheduleOwn "schedule.own" "Swap one's own shifts and say when one is away.",
    ScheduleOverride "schedule.override" "Override who is on call, and swap shifts of others.",
    ScheduleWrite "schedule.write" "Make, change and remove schedules and fixed blocks.",
    ScheduleCorrect "schedule.correct" "Correct the record of who was on call.",
    PeopleRead "people.read" "See people and teams.",
    PeopleWrite "people.write" "Make, change and deactivate people, and give them roles.",
    TeamWrite "team.write" "Make, change and remove teams.",
    TokenOwn "token.own" "Make and revoke tokens of one's own.",
    TokenWrite "token.write" "Make and revoke tokens and integration keys of services and others.",
    AuditRead "audit.read" "Read, verify and export the audit log.",
    SecretWrite "secret.write" "Set and remove secrets; nobody can read them.",
}

impl Permission {
    /// Returns the permission of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.as_str() == text)
    }
}

impl std::fmt::Display for Permission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u64);

// A permission is a bit of the set.
const _: () = assert!(Permission::ALL.len() <= 64);

impl Permissions {
    /// Nothing at all.
    pub const NONE: Self = Self(0);

    /// Returns every permission there is.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Returns whether the permission is among them.
    #[must_use]
    pub fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u64) != 0
    }

    /// Returns what is in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns what is in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns what is in this one and not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns them in the order of the manual.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |it| self.contains(*it))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<T: IntoIterator<Item = Permission>>(permissions: T) -> Self {
        Self(permissions.into_iter().fold(0, |set, it| set | (1 << it as u64)))
    }
}

impl Serialize for Permissions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        // A later release may know more; what this one does not know it cannot allow.
        Ok(names.iter().filter_map(|name| Permission::parse(name)).collect())
    }
}
