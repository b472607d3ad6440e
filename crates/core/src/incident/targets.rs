//! What each severity asks for: how fast, by whom, and whether a postmortem is due.

use serde::{Deserialize, Serialize};

use crate::severity::Severity;

/// What kind of harm it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Something does not answer.
    Availability,
    /// Something is slow.
    Performance,
    /// Data is lost or wrong.
    DataIntegrity,
    /// Somebody may do or see what they must not.
    Security,
    /// Something is full, or will be.
    Capacity,
    /// Somebody else's service fails.
    Dependency,
    /// A setting is wrong.
    Configuration,
    /// A model answers badly.
    Model,
}

impl Category {
    /// All, in the order of the manual.
    pub const ALL: [Self; 8] = [
        Self::Availability,
        Self::Performance,
        Self::DataIntegrity,
        Self::Security,
        Self::Capacity,
        Self::Dependency,
        Self::Configuration,
        Self::Model,
    ];

    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Availability => "availability",
            Self::Performance => "performance",
            Self::DataIntegrity => "data_integrity",
            Self::Security => "security",
            Self::Capacity => "capacity",
            Self::Dependency => "dependency",
            Self::Configuration => "configuration",
            Self::Model => "model",
        }
    }

    /// Reads a word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|category| category.as_str() == lower)
    }
}

impl std::fmt::Display for Category {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What somebody is in an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Decides and coordinates.
    IncidentCommander,
    /// Leads the search for the cause and the repair.
    TechnicalLead,
    /// Tells those who have to know.
    CommunicationsLead,
    /// Writes down what happens.
    Scribe,
    /// Knows what is concerned.
    SubjectMatterExpert,
    /// Works on it.
    Responder,
}

impl Role {
    /// All, in the order of the manual.
    pub const ALL: [Self; 6] = [
        Self::IncidentCommander,
        Self::TechnicalLead,
        Self::CommunicationsLead,
        Self::Scribe,
        Self::SubjectMatterExpert,
        Self::Responder,
    ];

    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IncidentCommander => "incident_commander",
            Self::TechnicalLead => "technical_lead",
            Self::CommunicationsLead => "communications_lead",
            Self::Scribe => "scribe",
            Self::SubjectMatterExpert => "subject_matter_expert",
            Self::Responder => "responder",
        }
    }

    /// Returns what people call it.
    pub fn title(self) -> String {
        self.as_str().replace('_', " ")
    }

    /// Returns what somebody with it does, in one sentence.
    pub fn responsibility(self) -> &'static str {
        match self {
            Self::IncidentCommander => {
                "Decides, coordinates everybody, and says when it is over; repairs nothing."
            }
            Self::TechnicalLead => "Leads the search for the cause and the repair.",
            Self::CommunicationsLead => "Tells colleagues, customers and executives how it goes.",
            Self::Scribe => "Writes down what happens and what is decided, with the time.",
            Self::SubjectMatterExpert => {
                "Knows what is concerned, and says what may be done with it."
            }
            Self::Responder => "Works on it, and says what they do before they do it.",
        }
    }

    /// Reads a word, or `commander`, `lead`, `communications` and `expert` for short.
    pub fn parse(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        Some(match lower.as_str() {
            "commander" | "ic" => Self::IncidentCommander,
            "lead" => Self::TechnicalLead,
            "communications" => Self::CommunicationsLead,
            "expert" | "sme" => Self::SubjectMatterExpert,
            lower => return Self::ALL.into_iter().find(|role| role.as_str() == lower),
        })
    }

    /// Returns whether one person has it at a time.
    pub fn is_single(self) -> bool {
        self < Self::SubjectMatterExpert
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a postmortem is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "duty")]
pub enum PostmortemDuty {
    /// One must be published.
    Required {
        /// Within so many days.
        days: u8,
        /// Whether Saturdays and Sundays do not count.
        business: bool,
    },
    /// One may be written; somebody asks.
    Optional,
    /// Nobody asks for one.
    None,
}

/// What a severity asks for. Minutes count from when the incident was detected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// Somebody has taken it.
    pub acknowledge_minutes: u32,
    /// An update is written so often.
    pub update_minutes: u32,
    /// It goes to the next level when it is not over.
    pub escalate_minutes: u32,
    /// It is over; `None` for no promise.
    pub resolve_minutes: Option<u32>,
    /// Whether executives are told.
    pub tells_executives: bool,
    /// Roles that somebody must have.
    pub roles: Vec<Role>,
    /// Whether a postmortem is due.
    pub postmortem: PostmortemDuty,
}

impl Targets {
    /// Returns what a severity asks for where nothing else is configured.
    pub fn usual(severity: Severity) -> Self {
        use Role::{Responder, SubjectMatterExpert, TechnicalLead};
        let duty = |days, business| PostmortemDuty::Required { days, business };
        let (minutes, resolve, roles, postmortem): (_, _, &'static [Role], _) = match severity {
            Severity::Sev1 => ([5, 15, 30], Some(60), &Role::ALL, duty(3, false)),
            Severity::Sev2 => ([15, 30, 60], Some(120), &Role::ALL, duty(5, true)),
            Severity::Sev3 => (
                [30, 60, 120],
                Some(8 * 60),
                &[TechnicalLead, SubjectMatterExpert, Responder],
                PostmortemDuty::Optional,
            ),
            Severity::Sev4 => {
                ([60, 120, 240], Some(3 * 24 * 60), &[Responder], PostmortemDuty::None)
            }
            Severity::Sev5 => ([480, 1440, 2880], None, &[], PostmortemDuty::None),
        };
        let [acknowledge_minutes, update_minutes, escalate_minutes] = minutes;
        Self {
            acknowledge_minutes,
            update_minutes,
            escalate_minutes,
            resolve_minutes: resolve,
            tells_executives: severity.is_urgent(),
            roles: roles.to_vec(),
            postmortem,
        }
    }

    /// Returns in how many days a postmortem is due, and whether Saturdays and Sundays do not count;
    /// that of one which nobody asked for, too.
    pub fn postmortem_days(&self) -> (u8, bool) {
        match self.postmortem {
            PostmortemDuty::Required { days, business } => (days, business),
            PostmortemDuty::Optional | PostmortemDuty::None => (5, true),
        }
    }

    /// Returns whether somebody has to be in command.
    pub fn needs_commander(&self) -> bool {
        self.roles.contains(&Role::IncidentCommander)
    }
}

/// What every severity asks for, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeverityTable([Targets; 5]);

impl SeverityTable {
    /// Returns what a severity asks for.
    pub fn of(&self, severity: Severity) -> &Targets {
        &self.0[severity as usize]
    }

    /// Returns the same to change it.
    pub fn of_mut(&mut self, severity: Severity) -> &mut Targets {
        &mut self.0[severity as usize]
    }
}

impl Default for SeverityTable {
    fn default() -> Self {
        Self(Severity::ALL.map(Targets::usual))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_those_of_the_incident_response_guide() {
        let minutes = Severity::ALL.map(|severity| {
            let it = Targets::usual(severity);
            (it.acknowledge_minutes, it.update_minutes, it.escalate_minutes)
        });
        assert_eq!(
            minutes,
            [(5, 15, 30), (15, 30, 60), (30, 60, 120), (60, 120, 240), (480, 1440, 2880)]
        );
        let commanded = Severity::ALL.map(|severity| Targets::usual(severity).needs_commander());
        assert_eq!(commanded, [true, true, false, false, false]);
        assert_eq!(Targets::usual(Severity::Sev1).resolve_minutes, Some(60));
        assert_eq!(Targets::usual(Severity::Sev5).resolve_minutes, None);
    }

    #[test]
    fn worse_is_never_slower() {
        for pair in Severity::ALL.windows(2) {
            let [worse, better] = [Targets::usual(pair[0]), Targets::usual(pair[1])];
            assert!(worse.acknowledge_minutes < better.acknowledge_minutes);
            assert!(worse.update_minutes < better.update_minutes);
            assert!(worse.escalate_minutes < better.escalate_minutes);
            assert!(worse.roles.len() >= better.roles.len());
        }
    }

    #[test]
    fn words_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("IC"), Some(Role::IncidentCommander));
        assert_eq!(Role::parse("king"), None);
        assert_eq!(Role::ALL.into_iter().filter(|role| role.is_single()).count(), 4);
        for category in Category::ALL {
            assert_eq!(Category::parse(category.as_str()), Some(category));
        }
    }
}
