//! What is done to both sides, and when.

use std::collections::BTreeMap;
use std::fmt;

use super::generate::generate;
use super::moment::{LOOK_MS, TICK_MS, text};
use super::setup::Setup;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// Everything that is done to both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// What it was made from.
    pub seed: u64,
    /// The configuration at the start.
    pub setup: Setup,
    /// In the order of time.
    pub steps: Vec<Step>,
    /// When the last look is taken, in ticks.
    pub ticks: i64,
}

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which of the seed's steps it is.
    pub number: usize,
    /// When, in milliseconds from the start.
    pub at: i64,
    /// What.
    pub action: Action,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Alerts are posted in one request.
    Tell(Vec<Telling>),
    /// A silence is made.
    Silence {
        /// By which later steps know it.
        slot: usize,
        /// What it says.
        silence: Silence,
    },
    /// A silence is posted with its id.
    Change {
        /// Which.
        slot: usize,
        /// What it says from now on; its start stays when this has none.
        silence: Silence,
    },
    /// A silence is ended.
    Expire {
        /// Which.
        slot: usize,
    },
    /// The configuration is replaced and read anew.
    Reload(Box<Setup>),
    /// A webhook takes messages, or answers 400.
    Hook {
        /// Which.
        hook: usize,
        /// Whether it takes them.
        accepts: bool,
    },
}

/// What a source says about an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Which alert.
    pub labels: Labels,
    /// The annotation `note`.
    pub note: String,
    /// `startsAt`, if it says one.
    pub starts: Option<i64>,
    /// `endsAt`, if it says one.
    pub ends: Option<i64>,
}

/// What a person says about a silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Name, value, whether it is a regular expression, whether it has to match.
    pub matchers: Vec<(String, String, bool, bool)>,
    /// When it begins; `None` keeps the start of the one that is changed.
    pub starts: Option<i64>,
    /// When it ends.
    pub ends: i64,
    /// Free text.
    pub comment: String,
}

impl Schedule {
    /// Returns the schedule of a seed; the same for ever.
    pub fn new(seed: u64) -> Self {
        generate(seed)
    }

    /// Returns the instants at which the API is asked.
    pub fn looks(&self) -> impl Iterator<Item = i64> {
        (1..=self.ticks).map(|tick| tick * TICK_MS + LOOK_MS)
    }

    /// Returns the schedule with only those of its steps for which `keeps` says so.
    pub fn only(&self, mut keeps: impl FnMut(&Step) -> bool) -> Self {
        let steps = self.steps.iter().filter(|step| keeps(step)).cloned().collect();
        Self { steps, ..self.clone() }
    }

    /// Returns the numbers of its steps, as a report names them.
    pub fn numbers(&self) -> String {
        let numbers: Vec<_> = self.steps.iter().map(|step| step.number.to_string()).collect();
        numbers.join(",")
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {}: {}", self.number, text(self.at), self.action)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tell(tellings) => {
                for (index, telling) in tellings.iter().enumerate() {
                    write!(f, "{}{telling}", if index > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
            Self::Silence { slot, silence } => write!(f, "silence S{slot} {silence}"),
            Self::Change { slot, silence } => write!(f, "change S{slot} to {silence}"),
            Self::Expire { slot } => write!(f, "expire S{slot}"),
            Self::Reload(setup) => write!(f, "reload with\n{}", setup.yaml("http://hook")),
            Self::Hook { hook, accepts: true } => write!(f, "hook {hook} takes messages"),
            Self::Hook { hook, accepts: false } => write!(f, "hook {hook} answers 400"),
        }
    }
}

impl fmt::Display for Telling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<_> = self.labels.iter().map(|(n, v)| format!("{n}={v}")).collect();
        write!(f, "{{{}}} note={}", labels.join(" "), self.note)?;
        if let Some(starts) = self.starts {
            write!(f, " from {}", text(starts))?;
        }
        match self.ends {
            Some(ends) => write!(f, " to {}", text(ends)),
            None => write!(f, " without an end"),
        }
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value, is_regex, is_equal) in &self.matchers {
            let op = match (is_regex, is_equal) {
                (false, true) => "=",
                (false, false) => "!=",
                (true, true) => "=~",
                (true, false) => "!~",
            };
            write!(f, "{name}{op}{value} ")?;
        }
        if let Some(starts) = self.starts {
            write!(f, "from {} ", text(starts))?;
        }
        write!(f, "to {}", text(self.ends))
    }
}
