//! Teams and who belongs to them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::person::{Handle, PersonOrigin};
use super::role::Role;

/// A team's name: what alerts carry as the label `team`.
pub type TeamName = Arc<str>;

/// One who belongs to a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub handle: Handle,
    /// What they may do with what is the team's.
    pub role: Role,
}

/// People who look after something together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Unique in the tenant.
    pub name: TeamName,
    /// What the team looks after; may be empty.
    #[serde(default)]
    pub description: String,
    /// Who belongs to it.
    #[serde(default)]
    pub members: Vec<Member>,
    /// Who takes over what has no owner any more.
    #[serde(default)]
    pub default_on_call: Option<Handle>,
    /// Where the team comes from.
    #[serde(default)]
    pub origin: PersonOrigin,
}

impl Team {
    /// Returns the member of that handle.
    pub fn member(&self, handle: &Handle) -> Option<&Member> {
        self.members.iter().find(|member| member.handle == *handle)
    }
}
