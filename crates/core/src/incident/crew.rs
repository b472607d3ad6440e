//! Who does what in an incident: roles and who had them when, requests for help, and who wants to
//! hear how it goes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Role, Targets};
use crate::identity::Handle;

/// The most times that roles of one incident change hands.
pub const MAX_HOLDINGS: usize = 300;

/// The most requests for help in one incident.
pub const MAX_REQUESTS: usize = 100;

/// The most people who hear of every change of one incident.
pub const MAX_SUBSCRIBERS: usize = 200;

/// Everybody who has something to do with an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Crew {
    /// One for each time that somebody had a role, the oldest first; none is ever changed but by
    /// its end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holdings: Vec<Holding>,
    /// Who was asked for help, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<HelpRequest>,
    /// Who hears of every change.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub subscribers: BTreeSet<Handle>,
}

/// That somebody has or had a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Which.
    pub role: Role,
    /// Who.
    pub person: Handle,
    /// Since when.
    pub assumed_at: Timestamp,
    /// Until when; `None` for still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renounced_at: Option<Timestamp>,
    /// Who said so.
    pub by: String,
    /// What was said when it was given; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// That somebody was asked for help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelpRequest {
    /// Counted from 1 in the incident.
    pub number: u32,
    /// Who was asked.
    pub person: Handle,
    /// What they would be.
    pub role: Role,
    /// What they were told; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Who asked.
    pub by: String,
    /// When.
    pub asked_at: Timestamp,
    /// Until when an answer counts.
    pub expires_at: Timestamp,
    /// What became of it; `None` while nobody has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<HelpAnswer>,
}

/// What became of a request for help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelpAnswer {
    /// Whether they come.
    pub said: Said,
    /// When.
    pub at: Timestamp,
    /// What they said; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Whether somebody who was asked comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// They come.
    Accepted,
    /// They do not.
    Declined,
    /// They said nothing in time.
    Expired,
    /// They are not needed any more, or have left.
    Withdrawn,
}

impl Said {
    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Crew {
    /// Returns who has a role now, the longest first.
    pub fn holders(&self, role: Role) -> impl Iterator<Item = &Handle> {
        self.present().filter(move |it| it.role == role).map(|it| &it.person)
    }

    /// Returns the roles that somebody has now, and who.
    pub fn present(&self) -> impl Iterator<Item = &Holding> {
        self.holdings.iter().filter(|it| it.renounced_at.is_none())
    }

    /// Returns whether somebody has a role now.
    pub fn has(&self, role: Role, person: &Handle) -> bool {
        self.holders(role).any(|it| it == person)
    }

    /// Returns the roles that a severity asks for and nobody has, in the order of the manual.
    /// Whoever has the incident works on it.
    pub fn vacant(&self, targets: &Targets, owner: Option<&Handle>) -> Vec<Role> {
        let roles = targets.roles.iter().copied();
        let is_held = |role: Role| {
            self.holders(role).next().is_some() || (role == Role::Responder && owner.is_some())
        };
        roles.filter(|role| !is_held(*role)).collect()
    }

    /// Gives a role to somebody; whether that is allowed has been decided before.
    pub fn assume(&mut self, now: Timestamp, role: Role, person: &Handle, by: &str, note: &str) {
        self.holdings.push(Holding {
            role,
            person: person.clone(),
            assumed_at: now,
            renounced_at: None,
            by: by.to_owned(),
            note: note.to_owned(),
        });
    }

    /// Ends that somebody has a role; returns whether they had it.
    pub fn renounce(&mut self, now: Timestamp, role: Role, person: &Handle) -> bool {
        let is_it = |it: &&mut Holding| {
            it.role == role && it.person == *person && it.renounced_at.is_none()
        };
        let Some(holding) = self.holdings.iter_mut().find(is_it) else { return false };
        holding.renounced_at = Some(now.max(holding.assumed_at));
        true
    }

    /// Ends everything that somebody has; returns which roles.
    pub fn renounce_all(&mut self, now: Timestamp, person: &Handle) -> Vec<Role> {
        let roles: Vec<Role> =
            self.present().filter(|it| it.person == *person).map(|it| it.role).collect();
        for role in &roles {
            self.renounce(now, *role, person);
        }
        roles
    }

    /// Returns when a role was given back last.
    pub fn left_at(&self) -> Option<Timestamp> {
        self.holdings.iter().filter_map(|it| it.renounced_at).max()
    }

    /// Returns a request.
    pub fn request(&self, number: u32) -> Option<&HelpRequest> {
        self.requests.iter().find(|it| it.number == number)
    }

    /// Returns the requests that nobody has answered.
    pub fn waiting(&self) -> impl Iterator<Item = &HelpRequest> {
        self.requests.iter().filter(|it| it.answer.is_none())
    }

    /// Returns everybody who has something to do here.
    pub fn people(&self) -> BTreeSet<Handle> {
        self.present().map(|it| it.person.clone()).collect()
    }
}

/// Returns how long somebody has to answer to a request for help, unless it says so itself: as
/// long as an incident of that severity may wait until somebody takes it.
pub fn time_to_answer(targets: &Targets) -> SignedDuration {
    SignedDuration::from_mins(i64::from(targets.acknowledge_minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::severity::Severity;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn handle(name: &str) -> Handle {
        Handle::parse(name).unwrap()
    }

    #[test]
    fn each_time_that_somebody_has_a_role_is_a_row() {
        let (ada, grace) = (handle("ada"), handle("grace"));
        let mut crew = Crew::default();
        crew.assume(at(0), Role::Scribe, &ada, "ada", "");
        assert!(crew.has(Role::Scribe, &ada));
        assert!(crew.renounce(at(10), Role::Scribe, &ada));
        assert!(!crew.renounce(at(11), Role::Scribe, &ada));
        crew.assume(at(10), Role::Scribe, &grace, "ada", "my shift ends");
        crew.assume(at(20), Role::Responder, &grace, "grace", "");
        assert_eq!(crew.holders(Role::Scribe).collect::<Vec<_>>(), [&grace]);
        assert_eq!(crew.left_at(), Some(at(10)));
        assert_eq!(crew.renounce_all(at(30), &grace), [Role::Scribe, Role::Responder]);
        assert_eq!(crew.present().count(), 0);
        let spans: Vec<_> =
            crew.holdings.iter().map(|it| (it.assumed_at, it.renounced_at)).collect();
        assert_eq!(spans[0], (at(0), Some(at(10))));
        assert_eq!(spans[1], (at(10), Some(at(30))));
    }

    #[test]
    fn vacant_is_what_the_severity_asks_for_and_nobody_has() {
        let ada = handle("ada");
        let mut crew = Crew::default();
        assert_eq!(crew.vacant(&Targets::usual(Severity::Sev1), None).len(), 6);
        assert_eq!(crew.vacant(&Targets::usual(Severity::Sev5), None), []);
        crew.assume(at(0), Role::TechnicalLead, &ada, "ada", "");
        let vacant = crew.vacant(&Targets::usual(Severity::Sev3), Some(&ada));
        assert_eq!(vacant, [Role::SubjectMatterExpert]);
    }
}
