//! What people are told at the beginning and the end of their time on call.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::schedule::ScheduleName;
use crate::identity::Handle;

/// One message for one person, however many schedules hand over at that time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffNotice {
    /// Whom it is for.
    pub person: Handle,
    /// Schedules in which their time begins.
    #[serde(default)]
    pub begins: Vec<NoticedShift>,
    /// Schedules in which their time ends.
    #[serde(default)]
    pub ends: Vec<NoticedShift>,
    /// Whether it is told before the time, not at it.
    #[serde(default)]
    pub is_ahead: bool,
    /// Whether it is told later than it should, because nobody was watching; several handoffs may
    /// be told as one then.
    #[serde(default)]
    pub is_late: bool,
    /// What is open in the schedules in which their time begins.
    #[serde(default)]
    pub open: OpenWork,
}

/// A shift that a notice names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticedShift {
    /// In which schedule.
    pub schedule: ScheduleName,
    /// When it begins or ends.
    pub at: Timestamp,
    /// Until when it lasts, at the earliest; `None` for not within sight.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// What the next one on call finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenWork {
    /// Alerts that fire and nobody works on.
    pub alerts_waiting: u64,
    /// Alerts that fire and somebody works on; they stay with whoever that is.
    pub alerts_acknowledged: u64,
}

impl HandoffNotice {
    /// Returns a notice to somebody that says nothing yet.
    pub fn to(person: &Handle) -> Self {
        Self {
            person: person.clone(),
            begins: Vec::new(),
            ends: Vec::new(),
            is_ahead: false,
            is_late: false,
            open: OpenWork::default(),
        }
    }

    /// Returns the schedules it names, each once.
    pub fn schedules(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for shift in self.begins.iter().chain(&self.ends) {
            if !names.contains(&&*shift.schedule) {
                names.push(&shift.schedule);
            }
        }
        names.join(", ")
    }

    /// Returns what it says to the person themselves, by their own clock.
    pub fn message(&self, zone: &TimeZone) -> String {
        let clock =
            |at: Timestamp| at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M %Z").to_string();
        let mut sentences = Vec::new();
        for shift in &self.begins {
            let name = &shift.schedule;
            let until =
                shift.until.map_or_else(String::new, |until| format!(" until {}", clock(until)));
            sentences.push(match (self.is_ahead, self.is_late) {
                (true, _) => format!("You are on call for {name} from {}{until}.", clock(shift.at)),
                (false, true) => format!("You are on call for {name} now{until}."),
                (false, false) => format!("You are on call for {name}{until}."),
            });
        }
        for shift in &self.ends {
            let name = &shift.schedule;
            sentences.push(if self.is_ahead {
                format!("Your time on call for {name} ends {}.", clock(shift.at))
            } else {
                format!("You are no longer on call for {name}.")
            });
        }
        sentences.join(" ")
    }

    /// Returns what it says as a sentence.
    pub fn sentence(&self) -> String {
        let names = |shifts: &[NoticedShift]| {
            let names: Vec<&str> = shifts.iter().map(|it| &*it.schedule).collect();
            names.join(", ")
        };
        let mut parts = Vec::new();
        if let Some(first) = self.begins.first() {
            let until = first.until.map_or_else(String::new, |until| format!(" until {until}"));
            let verb = match (self.is_ahead, self.is_late) {
                (true, _) => format!("will be on call from {}", first.at),
                (false, true) => "is on call now".to_owned(),
                (false, false) => "is on call".to_owned(),
            };
            parts.push(format!("{} {verb} for {}{until}", self.person, names(&self.begins)));
        }
        if !self.ends.is_empty() {
            let who = if parts.is_empty() { format!("{} ", self.person) } else { String::new() };
            let (names, at) = (names(&self.ends), self.ends.first().map(|it| it.at));
            parts.push(match at.filter(|_| self.is_ahead) {
                Some(at) => format!("{who}is on call for {names} until {at}"),
                None => format!("{who}is no longer on call for {names}"),
            });
        }
        let mut sentence = parts.join(", and ");
        if !self.begins.is_empty() && self.open != OpenWork::default() {
            let OpenWork { alerts_waiting, alerts_acknowledged } = self.open;
            sentence.push_str(&format!(
                "; open: {alerts_waiting} alerts wait, {alerts_acknowledged} are worked on"
            ));
        }
        sentence
    }
}
