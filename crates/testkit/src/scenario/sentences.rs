//! What happened, as short sentences.

use jiff::Timestamp;
use tocsin_core::acknowledgement::AcknowledgementEnd;
use tocsin_core::event::{Event, FlushReason, MuteCause};
use tocsin_core::labels::Labels;
use tocsin_core::notification::{NotifiedAlert, OutboxEntry};
use tocsin_core::policy::Policy;

use super::names::{self, Names};
use super::time::Origin;
use crate::simulation::{Happening, What};

/// Turns happenings into sentences.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    pub(super) names: &'a Names,
    pub(super) policy: &'a Policy,
    pub(super) origin: &'a Origin,
    /// Whether every event is told, not only what people would notice.
    pub(super) traces: bool,
}

impl Teller<'_> {
    /// Returns the sentence for a happening; `None` when nobody would notice it.
    pub(super) fn tell(&self, happening: &Happening) -> Option<String> {
        match &happening.what {
            What::Arrived { entry, is_again } => Some(self.arrived(entry, *is_again)),
            What::Paged { page, is_again } => Some(self.paged(page, *is_again)),
            What::Doubted { .. } => None,
            What::Lost { integration } => {
                Some(format!("{}: attempt lost, the process died", self.integration(integration)))
            }
            What::Recorded(recorded) => {
                let event = &recorded.event;
                self.noticed(event)
                    .or_else(|| self.about_paging(event))
                    .or_else(|| self.about_roster(event))
                    .or_else(|| self.about_incidents(event))
                    .or_else(|| self.traced(event))
            }
        }
    }

    fn arrived(&self, entry: &OutboxEntry, is_again: bool) -> String {
        let notification = &entry.notification;
        let (resolved, firing): (Vec<&NotifiedAlert>, Vec<&NotifiedAlert>) =
            notification.alerts.iter().partition(|alert| alert.is_resolved);
        let mut counts = Vec::new();
        if !firing.is_empty() {
            counts.push(format!("FIRING {}", firing.len()));
        }
        if !resolved.is_empty() {
            counts.push(format!("RESOLVED {}", resolved.len()));
        }
        let mut why = notification.reason.as_str().to_owned();
        if entry.attempts > 1 {
            why.push_str(&format!(", attempt {}", entry.attempts));
        }
        if is_again {
            why.push_str(", again with the same key");
        }
        let common = &notification.group_labels;
        let mut told = list(&firing, common);
        if !resolved.is_empty() {
            if !told.is_empty() {
                told.push_str("; resolved ");
            }
            told.push_str(&list(&resolved, common));
        }
        if !told.is_empty() {
            told.insert_str(0, ": ");
        }
        format!(
            "{}: {} ({why}) {}{told}",
            self.integration(&entry.key.integration()),
            counts.join(", "),
            names::set(common),
        )
    }

    fn noticed(&self, event: &Event) -> Option<String> {
        let names = self.names;
        Some(match event {
            Event::AlertResolved { alert, is_timeout: true, .. } => {
                format!("{} ended: nobody told that it goes on", names.alert(*alert))
            }
            Event::AlertLimited { fingerprint, limit } => {
                format!("not accepted: {} ({limit})", names.fingerprint(*fingerprint))
            }
            Event::AlertMuted { alert, group, cause } => {
                let (receiver, _) = names.group(*group);
                format!("not sent to {receiver}: {} {}", names.alert(*alert), self.cause(cause))
            }
            Event::AlertUnmuted { alert, group, cause } => {
                let (receiver, _) = names.group(*group);
                let (alert, cause) = (names.alert(*alert), self.cause(cause));
                format!("no longer held back from {receiver}: {alert}, was {cause}")
            }
            Event::AttemptFailed { integration, attempt, failure, retry_at, .. } => format!(
                "{}: attempt {attempt} failed ({}), next at {}",
                self.integration(integration),
                failure.message,
                self.time(*retry_at)
            ),
            Event::NotificationAbandoned { integration, why, .. } => {
                format!("{}: given up ({why})", self.integration(integration))
            }
            Event::MessageDegraded { integration, why, .. } => {
                format!("{}: templates failed: {}", self.integration(integration), why.join("; "))
            }
            Event::AlertAcknowledged { alert, by, expires_at, .. } => {
                let until = expires_at.map(|at| format!(" until {}", self.time(at)));
                format!("{} acknowledged by {by}{}", names.alert(*alert), until.unwrap_or_default())
            }
            Event::AlertUnacknowledged { alert, why } => {
                let why = match why {
                    AcknowledgementEnd::Lapsed => "lapsed".to_owned(),
                    AcknowledgementEnd::Resolved => "resolved".to_owned(),
                    AcknowledgementEnd::TakenBack { by, .. } => format!("taken back by {by}"),
                };
                format!("{} no longer acknowledged, {why}", names.alert(*alert))
            }
            Event::SilenceStarted { id, .. } => format!("{} begins", names.silence(*id)),
            Event::SilenceEnded { id, is_early, .. } => {
                let early = if *is_early { " early" } else { "" };
                format!("{} ends{early}", names.silence(*id))
            }
            Event::MaintenanceStarted { name, ends_at } => {
                format!("maintenance \"{name}\" begins, until {}", self.time(*ends_at))
            }
            Event::MaintenanceEnded { name } => format!("maintenance \"{name}\" ends"),
            Event::EngineStarted { alerts, groups, notifications } => {
                // The very first start finds nothing and is no news.
                if (*alerts, *groups, *notifications) == (0, 0, 0) {
                    return None;
                }
                format!("started with alerts {alerts}, groups {groups}, unsent {notifications}")
            }
            Event::Reconfigured { groups } => format!("reloaded, groups {groups}"),
            _ => return None,
        })
    }

    fn traced(&self, event: &Event) -> Option<String> {
        if !self.traces {
            return None;
        }
        let names = self.names;
        Some(match event {
            Event::AlertFired { alert, starts_at, ends_at, is_timeout, is_refire, .. } => format!(
                "{} {} since {}, until {}{}",
                names.alert(*alert),
                if *is_refire { "fires again" } else { "fires" },
                self.time(*starts_at),
                self.time(*ends_at),
                if *is_timeout { " unless told again" } else { "" },
            ),
            Event::AlertResolved { alert, ends_at, .. } => {
                format!("{} resolved at {}", names.alert(*alert), self.time(*ends_at))
            }
            Event::AlertArrivedResolved { alert, .. } => {
                format!("{} arrived resolved", names.alert(*alert))
            }
            Event::GroupOpened { receiver, labels, flush_at, why, .. } => format!(
                "group opened for {receiver} {}, flush at {} ({})",
                names::set(labels),
                self.time(*flush_at),
                flush_reason(*why)
            ),
            Event::FlushAdvanced { group, flush_at, why } => {
                let (receiver, labels) = names.group(*group);
                let (at, why) = (self.time(*flush_at), flush_reason(*why));
                format!("group of {receiver} {labels} is flushed at {at} already ({why})")
            }
            Event::GroupClosed { group } => {
                let (receiver, labels) = names.group(*group);
                format!("group of {receiver} {labels} closed")
            }
            Event::NotificationQueued { integration, reason, .. } => {
                format!("{}: queued ({})", self.integration(integration), reason.as_str())
            }
            Event::SilenceSet { id, matchers, starts_at, ends_at, .. } => format!(
                "{} set: {matchers} from {} to {}",
                names.silence(*id),
                self.time(*starts_at),
                self.time(*ends_at)
            ),
            Event::MaintenanceWindowSet { name, by } => {
                format!("maintenance \"{name}\" planned by {by}")
            }
            Event::MaintenanceWindowDeleted { name } => format!("maintenance \"{name}\" removed"),
            Event::MaintenanceWindowUnreadable { why, .. } => {
                format!("{why}; it holds nothing back")
            }
            _ => return None,
        })
    }

    /// Says what holds an alert back.
    pub(super) fn cause(&self, cause: &MuteCause) -> String {
        match cause {
            MuteCause::Inhibition(inhibitor) => {
                let source = self.names.fingerprint(inhibitor.source);
                let rule = self.policy.inhibit_rules.get(inhibitor.rule);
                let equal = rule.map(|rule| rule.equal.join(", ")).unwrap_or_default();
                let name = rule.and_then(|rule| rule.name.clone());
                let mut text = format!("inhibited by {source}");
                if let Some(name) = name {
                    text.push_str(&format!(" through rule \"{name}\""));
                }
                if !equal.is_empty() {
                    text.push_str(&format!(" on {equal}"));
                }
                text
            }
            MuteCause::ActiveInterval { names } => format!("outside active interval {names}"),
            MuteCause::MuteInterval { name } => format!("muted by interval {name}"),
            MuteCause::Silence { id } => format!("silenced by {}", self.names.silence(*id)),
            MuteCause::Maintenance { name } => format!("in maintenance \"{name}\""),
        }
    }

    pub(super) fn time(&self, at: Timestamp) -> String {
        self.origin.show(at)
    }

    pub(super) fn integration(&self, name: &str) -> String {
        names::integration(self.policy, name)
    }
}

/// Prints alerts by what tells them apart within their group. One whose labels are all the group's
/// needs no words.
fn list(alerts: &[&NotifiedAlert], common: &Labels) -> String {
    let shown = alerts.iter().map(|alert| {
        let mut parts = vec![names::alert_without(&alert.labels, common)];
        parts.retain(|part| part != "{}");
        if !alert.annotations.is_empty() {
            parts.push(annotations(alert));
        }
        parts.join(" ")
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn annotations(alert: &NotifiedAlert) -> String {
    let pairs: Vec<String> =
        alert.annotations.iter().map(|(name, text)| format!("{name}={text:?}")).collect();
    format!("[{}]", pairs.join(", "))
}

fn flush_reason(why: FlushReason) -> &'static str {
    match why {
        FlushReason::GroupWait => "group_wait",
        FlushReason::OldAlert => "old alert",
        FlushReason::SeverityWindow => "severity window",
        FlushReason::Unmute => "no longer held back",
        FlushReason::Repeat => "repeat",
        FlushReason::StartDelay => "start delay",
        FlushReason::Unacknowledged => "no longer acknowledged",
    }
}
