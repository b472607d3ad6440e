//! A notification: what is told, to whom, and why now.

use std::sync::Arc;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AlertNumber, GroupNumber, OutboxNumber};
use crate::labels::{Fingerprint, Labels};

/// What is told to one integration, complete: nothing has to be looked up to send it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The name of the receiver.
    pub receiver: Arc<str>,
    /// Alertmanager's group key; its SHA-256 names the incident at PagerDuty and the like.
    pub group_key: Arc<str>,
    /// The labels that the group's alerts share by configuration.
    pub group_labels: Labels,
    /// The labels of the route.
    pub route_labels: Labels,
    /// Why it is sent now.
    pub reason: NotifyReason,
    /// Firing alerts first, each part by labels.
    pub alerts: Vec<NotifiedAlert>,
    /// When it was decided.
    pub decided_at: Timestamp,
}

impl Notification {
    /// Returns whether at least one alert fires.
    pub fn is_firing(&self) -> bool {
        self.alerts.iter().any(|alert| !alert.is_resolved)
    }

    /// Returns whether the other one tells nothing that this one does not. When they were decided
    /// and until when alerts fire does not count.
    pub fn tells_the_same(&self, other: &Self) -> bool {
        let told = |alert: &NotifiedAlert| NotifiedAlert {
            ends_at: if alert.is_resolved { alert.ends_at } else { Timestamp::MAX },
            ..alert.clone()
        };
        self.reason == other.reason
            && self.group_key == other.group_key
            && self.route_labels == other.route_labels
            && self.alerts.iter().map(told).eq(other.alerts.iter().map(told))
    }

    /// Returns the labels that all alerts share.
    pub fn common_labels(&self) -> Labels {
        Labels::common(self.alerts.iter().map(|alert| &alert.labels))
    }

    /// Returns the annotations that all alerts share.
    pub fn common_annotations(&self) -> Labels {
        Labels::common(self.alerts.iter().map(|alert| &alert.annotations))
    }
}

/// One alert of a notification, as it was when that was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifiedAlert {
    /// The alert's number.
    pub number: AlertNumber,
    /// The hash of its labels.
    pub fingerprint: Fingerprint,
    /// What identifies it.
    pub labels: Labels,
    /// What describes it.
    pub annotations: Labels,
    /// Where the source shows it; may be empty.
    pub generator_url: CompactString,
    /// When it began.
    pub starts_at: Timestamp,
    /// When it ended; meaningless while it fires.
    pub ends_at: Timestamp,
    /// Whether it had ended.
    pub is_resolved: bool,
}

/// Why a notification is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyReason {
    /// The group has not been told, or everything told had been resolved.
    First,
    /// An alert fires that the last message did not have.
    NewAlerts,
    /// Some alerts ended, others fire on.
    SomeResolved,
    /// The last firing alert ended.
    AllResolved,
    /// Nothing changed for the repeat interval.
    Repeat,
    /// A silence, maintenance window or mute interval ended and an alert still fires.
    Unmuted,
}

impl NotifyReason {
    /// Returns the words of Alertmanager's `notification_reason`; `Unmuted` is ours.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first notification",
            Self::NewAlerts => "new alerts added",
            Self::SomeResolved => "some alerts resolved",
            Self::AllResolved => "all alerts resolved",
            Self::Repeat => "repeat interval elapsed",
            Self::Unmuted => "no longer muted",
        }
    }
}

/// Names one log of what was told: one integration of one receiver, for one group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogKey {
    /// The group's identity: its route's key, a colon, its labels.
    pub group: Arc<str>,
    /// The name of the receiver.
    pub receiver: Arc<str>,
    /// The kind of the integration.
    pub kind: Arc<str>,
    /// The position among the receiver's integrations of that kind.
    pub index: u32,
}

/// What was last told under a [`LogKey`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The instant that `repeat_interval` counts from.
    pub told_at: Timestamp,
    /// The alerts told as firing, ascending.
    pub firing: Vec<Fingerprint>,
    /// The alerts told as resolved, ascending.
    pub resolved: Vec<Fingerprint>,
    /// When the entry may be forgotten.
    pub expires_at: Timestamp,
    /// What the integration wants back next time, such as the message to update.
    pub receipt: Option<String>,
    /// The group key that the page carried. Its end carries the same one, so that whatever was
    /// opened by it on the other side is closed; `None` while nothing is told as firing.
    pub page_key: Option<Arc<str>>,
    /// The alerts in messages that were sent and never confirmed, ascending: they may have been
    /// told as firing, so their end is told.
    pub doubted: Vec<Fingerprint>,
}

impl LogEntry {
    /// Returns whether somebody was, or may have been, told that the alert fires.
    pub fn may_have_told(&self, fingerprint: Fingerprint) -> bool {
        [&self.firing, &self.doubted].iter().any(|list| list.binary_search(&fingerprint).is_ok())
    }
}

/// A notification on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Its number, and with the tenant's its idempotency key.
    pub number: OutboxNumber,
    /// The group that was flushed.
    pub group: GroupNumber,
    /// Where it goes.
    pub key: LogKey,
    /// What is told.
    pub notification: Arc<Notification>,
    /// What the log says once it has been told.
    pub firing: Vec<Fingerprint>,
    /// What the log says once it has been told.
    pub resolved: Vec<Fingerprint>,
    /// When the log entry that follows may be forgotten.
    pub log_expires_at: Timestamp,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// After this it is given up and the next flush decides anew.
    pub deadline: Timestamp,
    /// What the integration gave back for the message before, such as the message to update.
    #[serde(default)]
    pub receipt: Option<String>,
}

impl OutboxEntry {
    /// Returns the key that makes sending twice harmless: the same before and after a crash,
    /// different for every notification of every installation. 32 hexadecimal digits.
    pub fn idempotency_key(&self) -> String {
        use sha2::Digest as _;
        let mut hash = sha2::Sha256::new();
        // Not by the key of the log: that may change while the notification is on its way.
        for part in [&*self.notification.group_key, &*self.key.receiver, &*self.key.kind] {
            hash.update(part.as_bytes());
            hash.update([0xff]);
        }
        hash.update(self.key.index.to_be_bytes());
        hash.update(self.number.0.to_be_bytes());
        hash.update(self.notification.decided_at.as_nanosecond().to_be_bytes());
        hex::encode(&hash.finalize()[..16])
    }
}

impl LogKey {
    /// Returns the integration as people read it: `receiver/kind[index]`.
    pub fn integration(&self) -> String {
        format!("{}/{}[{}]", self.receiver, self.kind, self.index)
    }
}

/// How one attempt to send ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptOutcome {
    /// The other side took it.
    Delivered {
        /// What the integration wants back next time.
        receipt: Option<String>,
        /// Sentences about parts of the message whose template failed: built-in text took their
        /// place.
        fallbacks: Vec<String>,
    },
    /// Worth trying again: the network, a time-out, a 5xx, or whatever the integration retries.
    Failed(Failure),
    /// The other side refused for good, as far as its protocol tells.
    Refused(Failure),
}

impl AttemptOutcome {
    /// Returns whether it failed and the message may have arrived all the same.
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::Delivered { .. } => false,
            Self::Failed(failure) | Self::Refused(failure) => failure.may_have_arrived,
        }
    }
}

/// What went wrong, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// One of Alertmanager's reasons: `other`, `clientError`, `serverError`, `contextCanceled`,
    /// `contextDeadlineExceeded`, `authError`, `rateLimited`.
    pub class: FailureClass,
    /// For people: what was tried, on what, and what came back.
    pub message: String,
    /// How long the other side asks us to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// Whether the message may have arrived all the same: it was sent, and no answer came.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_have_arrived: bool,
}

/// The class of a failure, as metrics count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureClass {
    /// Anything without a class of its own, the network above all.
    Other,
    /// A 4xx.
    ClientError,
    /// A 5xx.
    ServerError,
    /// We stopped it.
    ContextCanceled,
    /// It took too long.
    ContextDeadlineExceeded,
    /// 401 or 403.
    AuthError,
    /// 429.
    RateLimited,
}
