//! One alert: what a source says of it, what is kept of it, and how two tellings merge.

use std::sync::Arc;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::acknowledgement::Acknowledgement;
use crate::ids::AlertNumber;
use crate::labels::{Fingerprint, Labels};

/// An alert as a source tells it, checked and with every default filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingAlert {
    /// The hash of `labels`, computed where the alert was decoded.
    pub fingerprint: Fingerprint,
    /// What identifies the alert.
    pub labels: Labels,
    /// What describes it; free to change while it fires.
    pub annotations: Labels,
    /// Where the source shows it; empty when the source says nothing.
    pub generator_url: CompactString,
    /// When the condition began; `None` means "when it arrived".
    pub starts_at: Option<Timestamp>,
    /// When it ended or will end unless told again; `None` means "resolve timeout after arrival".
    pub ends_at: Option<Timestamp>,
}

impl IncomingAlert {
    /// Builds an alert that fires from its arrival until the resolve timeout.
    pub fn new(labels: Labels, annotations: Labels) -> Self {
        Self {
            fingerprint: labels.fingerprint(),
            labels,
            annotations,
            generator_url: CompactString::default(),
            starts_at: None,
            ends_at: None,
        }
    }
}

/// What never changes during an alert's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The life this is.
    pub number: AlertNumber,
    /// The hash of `labels`.
    pub fingerprint: Fingerprint,
    /// What identifies the alert.
    pub labels: Labels,
}

/// What describes an alert and may be told anew at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Free text by name.
    pub annotations: Labels,
    /// Where the source shows it; may be empty.
    pub generator_url: CompactString,
}

/// When an alert began and ends, and what that end is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// When the condition began.
    pub starts_at: Timestamp,
    /// When it ended, or will end unless told again.
    pub ends_at: Timestamp,
    /// Whether the end is only our resolve timeout and not the source's word.
    pub is_timeout: bool,
    /// When the source last told us.
    pub updated_at: Timestamp,
}

impl Activity {
    /// Returns whether the alert is over at `now`.
    pub fn is_resolved_at(&self, now: Timestamp) -> bool {
        self.ends_at <= now
    }

    /// Returns the activity after a newer telling.
    ///
    /// Ranges that overlap merge: the earliest start is kept; of two ends in the past the later
    /// one holds, and a firing alert keeps an older end only when that is later and the telling
    /// before named it. Ranges that do not overlap replace each other, so a re-fire gets its
    /// own start.
    ///
    /// Source: Alertmanager, `provider/mem` and `Alert.Merge`.
    pub fn merge(self, newer: Self) -> Self {
        let (old, mut new) = (self, newer);
        let overlaps = (new.ends_at > old.starts_at && new.ends_at < old.ends_at)
            || (new.starts_at > old.starts_at && new.starts_at < old.ends_at);
        if !overlaps {
            return new;
        }
        let at = new.updated_at;
        new.starts_at = new.starts_at.min(old.starts_at);
        if new.is_resolved_at(at) {
            if old.is_resolved_at(at) && old.ends_at > new.ends_at {
                new.ends_at = old.ends_at;
            }
        } else if old.ends_at > new.ends_at && !old.is_timeout {
            // Whose word the end is stays the newer one's: the next telling may move it.
            new.ends_at = old.ends_at;
        }
        new
    }
}

/// An alert as readers see it.
#[derive(Clone, Debug)]
pub struct AlertView {
    /// Labels, fingerprint, number.
    pub identity: Arc<Identity>,
    /// Annotations and generator URL.
    pub description: Arc<Description>,
    /// Start, end, last telling.
    pub activity: Activity,
    /// The receivers it routes to, in the order of the routes; each once with `route_identity`.
    pub receivers: Arc<[Arc<str>]>,
    /// Why it is held back right now; empty when it is not.
    pub status: AlertStatus,
    /// Who works on it.
    pub acknowledgement: Option<Acknowledgement>,
}

/// Everything that holds an alert back at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertStatus {
    /// Public ids of all active silences that match, ascending.
    pub silenced_by: Vec<crate::ids::SilenceId>,
    /// Names of the maintenance windows that are open and match, ascending.
    pub maintained_by: Vec<Arc<str>>,
    /// The source alert that inhibits it, and the rule.
    pub inhibited_by: Option<Inhibitor>,
    /// Names of the time intervals that mute its group; only filled in group views.
    pub muted_by: Vec<Arc<str>>,
}

impl AlertStatus {
    /// Returns whether anything holds the alert back.
    pub fn is_suppressed(&self) -> bool {
        !self.silenced_by.is_empty()
            || !self.maintained_by.is_empty()
            || self.inhibited_by.is_some()
            || !self.muted_by.is_empty()
    }
}

/// The firing alert that mutes another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Inhibitor {
    /// The source alert.
    pub source: Fingerprint,
    /// The rule's position in the configuration, counted from 0.
    pub rule: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn activity(start: i64, end: i64, is_timeout: bool, updated: i64) -> Activity {
        Activity { starts_at: at(start), ends_at: at(end), is_timeout, updated_at: at(updated) }
    }

    #[test]
    fn a_refresh_keeps_the_earliest_start_and_moves_the_end() {
        let merged = activity(10, 100, true, 10).merge(activity(20, 120, true, 20));
        assert_eq!(merged, activity(10, 120, true, 20));
    }

    #[test]
    fn a_refire_after_the_end_gets_its_own_start() {
        let merged = activity(10, 20, false, 20).merge(activity(30, 90, true, 30));
        assert_eq!(merged, activity(30, 90, true, 30));
    }

    #[test]
    fn a_later_end_survives_only_when_the_source_set_it() {
        let explicit = activity(10, 200, false, 10).merge(activity(20, 120, true, 20));
        assert_eq!(explicit, activity(10, 200, true, 20));
        let once_more = explicit.merge(activity(30, 130, true, 30));
        assert_eq!(once_more, activity(10, 130, true, 30), "it survives one refresh, not two");
        let timeout = activity(10, 200, true, 10).merge(activity(20, 120, true, 20));
        assert_eq!(timeout, activity(10, 120, true, 20));
    }

    #[test]
    fn of_two_ends_in_the_past_the_later_one_holds() {
        let merged = activity(10, 40, false, 40).merge(activity(10, 30, false, 50));
        assert_eq!(merged, activity(10, 40, false, 50));
    }
}
