//! Events as sentences for people: the history of an alert, the live feed, scenario files.
//!
//! A sentence leaves its subject out, because it stands beside it: `subject_name` says what people
//! call that.

mod directory;
mod incident;
mod mentions;
mod paging;

use std::fmt::Write as _;

use tocsin_core::acknowledgement::AcknowledgementEnd;
use tocsin_core::alert::Inhibitor;
use tocsin_core::event::{Event, FlushReason, MuteCause};
use tocsin_core::ids::{AlertNumber, GroupNumber, OutboxNumber, SilenceId};
use tocsin_core::labels::{ALERTNAME, Fingerprint, Labels};

pub use directory::{Directory, GroupName, RuleName, SilenceName};
pub use mentions::Mentions;

/// How many alerts one sentence names; the rest is only counted.
pub const MAX_NAMED_ALERTS: usize = 5;

/// Knows what people call things. Whatever is not known is shown by its number.
pub trait Names {
    /// Returns the labels of an alert.
    fn alert(&self, _number: AlertNumber) -> Option<&Labels> {
        None
    }

    /// Returns the labels of the alert with that fingerprint.
    fn fingerprint(&self, _fingerprint: Fingerprint) -> Option<&Labels> {
        None
    }

    /// Returns what a group is called.
    fn group(&self, _number: GroupNumber) -> Option<&GroupName> {
        None
    }

    /// Returns who made a silence and why.
    fn silence(&self, _id: SilenceId) -> Option<&SilenceName> {
        None
    }

    /// Returns the inhibition rule at that position of the configuration.
    fn rule(&self, _index: usize) -> Option<&RuleName> {
        None
    }
}

/// Knows nothing.
impl Names for () {}

/// Returns what happened, and why, in one sentence without its subject.
pub fn sentence(event: &Event, names: &dyn Names) -> String {
    match event {
        Event::AlertFired { starts_at, ends_at, is_timeout, is_refire, groups, .. } => {
            let verb = if *is_refire { "fires again" } else { "fires" };
            let until = if *is_timeout { "unless told again" } else { "as its source says" };
            let places = match groups.as_slice() {
                [] => "in no group".to_owned(),
                groups => format!("in {}", list(groups.iter().map(|it| group_name(*it, names)))),
            };
            format!("{verb} since {starts_at:.0} and until {ends_at:.0} {until}, {places}")
        }
        Event::AlertResolved { ends_at, is_timeout: true, .. } => {
            format!("over since {ends_at:.0}: its source no longer says that it goes on")
        }
        Event::AlertResolved { ends_at, .. } => {
            format!("over since {ends_at:.0}, as its source said")
        }
        Event::AlertArrivedResolved { .. } => {
            "arrived resolved and was never seen firing, so nobody is told".to_owned()
        }
        Event::AlertLimited { limit, .. } => format!("left out because a bound was met: {limit}"),
        Event::AlertMuted { alert, cause: why, .. } => {
            format!("not sent: {}", cause(why, names.alert(*alert), names))
        }
        Event::AlertUnmuted { alert, cause: why, .. } => {
            format!("no longer held back; it was {}", cause(why, names.alert(*alert), names))
        }
        Event::AlertAcknowledged { by, comment, expires_at, .. } => {
            let mut text = format!("acknowledged by {by}");
            if let Some(at) = expires_at {
                let _ = write!(text, " until {at:.0}");
            }
            said(text, comment)
        }
        Event::AlertUnacknowledged { why, .. } => match why {
            AcknowledgementEnd::Lapsed => "no longer acknowledged: its time is over".to_owned(),
            AcknowledgementEnd::Resolved => "no longer acknowledged: it is over".to_owned(),
            AcknowledgementEnd::TakenBack { by, comment } => {
                said(format!("acknowledgement taken back by {by}"), comment)
            }
        },
        Event::AlertNoted { by, text, .. } => format!("noted by {by}: {text}"),
        Event::GroupOpened { flush_at, why, .. } => {
            format!("opened; looked at first at {flush_at:.0}, {}", flush_reason(*why))
        }
        Event::FlushAdvanced { flush_at, why, .. } => {
            format!("looked at already at {flush_at:.0}, {}", flush_reason(*why))
        }
        Event::GroupClosed { .. } => "closed: its last alert is gone".to_owned(),
        Event::NotificationQueued {
            notification, integration, reason, firing, resolved, ..
        } => {
            let mut text =
                format!("{} to {integration}: {}", message(*notification), reason.as_str());
            for (state, alerts) in [("firing", firing), ("resolved", resolved)] {
                if !alerts.is_empty() {
                    let _ = write!(text, "; {state} {}", named_alerts(alerts, names));
                }
            }
            text
        }
        Event::NotificationSent { notification, integration, attempts, .. } => {
            let message = message(*notification);
            match attempts {
                0 | 1 => format!("{message} arrived at {integration}"),
                _ => format!("{message} arrived at {integration} after {attempts} attempts"),
            }
        }
        Event::MessageDegraded { notification, integration, why, .. } => {
            let (message, why) = (message(*notification), why.join("; "));
            format!(
                "{message} went to {integration} with built-in text where templates failed: {why}"
            )
        }
        Event::AttemptFailed { notification, integration, attempt, failure, retry_at, .. } => {
            let (message, why) = (message(*notification), &failure.message);
            format!(
                "{message} did not arrive at {integration} in attempt {attempt}: {why}; \
                 tried again at {retry_at:.0}"
            )
        }
        Event::NotificationAbandoned { notification, integration, why, .. } => {
            format!("{} to {integration} was given up: {why}", message(*notification))
        }
        Event::SilenceSet { by, matchers, starts_at, ends_at, comment, .. } => {
            let mut text =
                format!("set by {by} for {matchers} from {starts_at:.0} to {ends_at:.0}");
            if !comment.is_empty() {
                let _ = write!(text, ": {comment}");
            }
            text
        }
        Event::SilenceStarted { .. } => "begins to mute".to_owned(),
        Event::SilenceEnded { is_early: true, .. } => "ended before its time by hand".to_owned(),
        Event::SilenceEnded { .. } => "ended".to_owned(),
        Event::MaintenanceWindowSet { name, by } => {
            format!("maintenance window `{name}` was planned by {by}")
        }
        Event::MaintenanceWindowDeleted { name } => {
            format!("maintenance window `{name}` was removed")
        }
        Event::MaintenanceWindowUnreadable { why, .. } => format!("{why}; it holds nothing back"),
        Event::MaintenanceStarted { name, ends_at } => {
            format!("maintenance window `{name}` is open until {ends_at:.0}")
        }
        Event::MaintenanceEnded { name } => format!("maintenance window `{name}` is closed"),
        Event::OnCallChanged { schedule, what, by } => {
            let of = schedule.as_ref().map_or_else(String::new, |it| format!(" of `{it}`"));
            format!("{what}{of} by {by}")
        }
        Event::HandedOver { schedule, why, .. } => format!("schedule `{schedule}`: {why}"),
        Event::HandoffNoticed { notice } => notice.sentence(),
        Event::SwapPastDue { schedule, owner } => {
            format!("nobody took the time that {owner} offered in schedule `{schedule}`")
        }
        Event::CalendarRead { schedule, import, events, unknown } => {
            let unknown = match unknown {
                0 => String::new(),
                unknown => format!(", {} that nobody goes by", count(*unknown, "name")),
            };
            let events = count(*events, "event");
            format!("calendar `{import}` of schedule `{schedule}` was read: {events}{unknown}")
        }
        Event::CalendarFailed { schedule, import, why } => format!(
            "calendar `{import}` of schedule `{schedule}` cannot be read; what it said last holds \
             for 7 days: {why}"
        ),
        Event::CalendarDropped { schedule, import, why } => format!(
            "calendar `{import}` of schedule `{schedule}` could not be read for 7 days; nothing of \
             it holds any more: {why}"
        ),
        Event::ChangeRecorded { change } => {
            let place = if change.source.is_empty() { "" } else { " at " };
            let (source, summary) = (&change.source, &change.summary);
            format!("changed{place}{source} ({}): {summary}", change.integration)
        }
        Event::EngineStarted { alerts, groups, notifications } => format!(
            "started with {}, {} and {}",
            count(*alerts, "firing alert"),
            count(*groups, "group"),
            count(*notifications, "unsent message"),
        ),
        Event::Reconfigured { groups } => {
            format!("a new configuration is in effect; {} built anew", count(*groups, "group"))
        }
        Event::IncidentOpened { .. }
        | Event::IncidentJoined { .. }
        | Event::IncidentMoved { .. }
        | Event::IncidentNoted { .. } => incident::sentence(event, names),
        Event::EscalationStarted { .. }
        | Event::EscalationJoined { .. }
        | Event::EscalationWorsened { .. }
        | Event::StepReached { .. }
        | Event::EscalationStandsStill { .. }
        | Event::EscalationWentOn { .. }
        | Event::EscalationAnswered { .. }
        | Event::EscalationReopened { .. }
        | Event::EscalationUnanswered { .. }
        | Event::StepMissed { .. }
        | Event::EscalationEnded { .. }
        | Event::PageQueued { .. }
        | Event::PageHeld { .. }
        | Event::PageSent { .. }
        | Event::PageAttemptFailed { .. }
        | Event::PageDropped { .. }
        | Event::PageFellBack { .. }
        | Event::PageConfirmed { .. }
        | Event::ChannelDown { .. }
        | Event::ContactStopped { .. }
        | Event::HeartbeatMissed { .. }
        | Event::HeartbeatHeard { .. }
        | Event::WatcherUnreachable { .. }
        | Event::WatcherReached => paging::sentence(event, names),
    }
}

/// Returns what people call the subject of an event.
pub fn subject_name(event: &Event, names: &dyn Names) -> String {
    match event {
        Event::AlertFired { alert, fingerprint, .. }
        | Event::AlertResolved { alert, fingerprint, .. }
        | Event::AlertArrivedResolved { alert, fingerprint } => {
            let labels = names.alert(*alert).or_else(|| names.fingerprint(*fingerprint));
            labels.map_or_else(|| fingerprint.to_string(), alert_name)
        }
        Event::AlertLimited { fingerprint, .. } => {
            names.fingerprint(*fingerprint).map_or_else(|| fingerprint.to_string(), alert_name)
        }
        Event::AlertMuted { alert, .. }
        | Event::AlertUnmuted { alert, .. }
        | Event::AlertAcknowledged { alert, .. }
        | Event::AlertUnacknowledged { alert, .. }
        | Event::AlertNoted { alert, .. } => {
            names.alert(*alert).map_or_else(|| format!("alert {alert}"), alert_name)
        }
        Event::GroupOpened { receiver, labels, .. } => format!("{receiver} {labels}"),
        Event::FlushAdvanced { group, .. }
        | Event::GroupClosed { group }
        | Event::NotificationQueued { group, .. }
        | Event::NotificationSent { group, .. }
        | Event::MessageDegraded { group, .. }
        | Event::AttemptFailed { group, .. }
        | Event::NotificationAbandoned { group, .. } => group_name(*group, names),
        Event::SilenceSet { id, .. }
        | Event::SilenceStarted { id, .. }
        | Event::SilenceEnded { id, .. } => format!("silence {id}"),
        Event::MaintenanceWindowSet { .. }
        | Event::MaintenanceWindowDeleted { .. }
        | Event::MaintenanceWindowUnreadable { .. }
        | Event::MaintenanceStarted { .. }
        | Event::MaintenanceEnded { .. }
        | Event::OnCallChanged { .. }
        | Event::HandedOver { .. }
        | Event::HandoffNoticed { .. }
        | Event::SwapPastDue { .. }
        | Event::CalendarRead { .. }
        | Event::CalendarFailed { .. }
        | Event::CalendarDropped { .. }
        | Event::ChangeRecorded { .. }
        | Event::EngineStarted { .. }
        | Event::Reconfigured { .. } => "tocsin".to_owned(),
        Event::IncidentOpened { .. }
        | Event::IncidentJoined { .. }
        | Event::IncidentMoved { .. }
        | Event::IncidentNoted { .. } => incident::subject(event),
        Event::EscalationStarted { .. }
        | Event::EscalationJoined { .. }
        | Event::EscalationWorsened { .. }
        | Event::StepReached { .. }
        | Event::EscalationStandsStill { .. }
        | Event::EscalationWentOn { .. }
        | Event::EscalationAnswered { .. }
        | Event::EscalationReopened { .. }
        | Event::EscalationUnanswered { .. }
        | Event::StepMissed { .. }
        | Event::EscalationEnded { .. }
        | Event::PageQueued { .. }
        | Event::PageHeld { .. }
        | Event::PageSent { .. }
        | Event::PageAttemptFailed { .. }
        | Event::PageDropped { .. }
        | Event::PageFellBack { .. }
        | Event::PageConfirmed { .. }
        | Event::ChannelDown { .. }
        | Event::ContactStopped { .. }
        | Event::HeartbeatMissed { .. }
        | Event::HeartbeatHeard { .. }
        | Event::WatcherUnreachable { .. }
        | Event::WatcherReached => paging::subject(event),
    }
}

/// Returns why an alert with `labels` is held back, so that it can follow "not sent: ".
pub fn cause(cause: &MuteCause, labels: Option<&Labels>, names: &dyn Names) -> String {
    match cause {
        MuteCause::Inhibition(inhibitor) => inhibition(inhibitor, labels, names),
        MuteCause::ActiveInterval { names } => {
            format!("outside of the active time intervals {names}")
        }
        MuteCause::MuteInterval { name } => format!("muted by the time interval {name}"),
        MuteCause::Silence { id } => match names.silence(*id) {
            Some(SilenceName { by, comment }) if comment.is_empty() => {
                format!("silenced by {id} ({by})")
            }
            Some(SilenceName { by, comment }) => format!("silenced by {id} ({by}: {comment})"),
            None => format!("silenced by {id}"),
        },
        MuteCause::Maintenance { name } => format!("held back by the maintenance window {name}"),
    }
}

fn inhibition(inhibitor: &Inhibitor, labels: Option<&Labels>, names: &dyn Names) -> String {
    let Inhibitor { source, rule } = inhibitor;
    let mut text = format!("inhibited by {source}");
    let source_labels = names.fingerprint(*source);
    if let Some(name) = source_labels.and_then(|labels| labels.get(ALERTNAME)) {
        let _ = write!(text, " ({name})");
    }
    let _ = write!(text, " through rule {rule}");
    let Some(rule) = names.rule(*rule) else { return text };
    if let Some(name) = &rule.name {
        let _ = write!(text, " ({name})");
    }
    // Source and target agree on these, so either can tell the values.
    let Some(labels) = labels.or(source_labels) else { return text };
    let equal = rule.equal.iter().filter_map(|name| Some((name, labels.get(name)?)));
    for (i, (name, value)) in equal.enumerate() {
        let separator = if i == 0 { " on " } else { ", " };
        let _ = write!(text, "{separator}{name}={value}");
    }
    text
}

/// Returns what people call an alert: its name, and the labels that tell it from others.
pub fn alert_name(labels: &Labels) -> String {
    let Some(name) = labels.get(ALERTNAME) else { return labels.to_string() };
    let rest: Labels = labels.iter().filter(|(name, _)| *name != ALERTNAME).collect();
    if rest.is_empty() { name.to_owned() } else { format!("{name}{rest}") }
}

fn named_alerts(alerts: &[AlertNumber], names: &dyn Names) -> String {
    let shown = alerts.iter().take(MAX_NAMED_ALERTS);
    let mut shown: Vec<String> = shown
        .map(|number| names.alert(*number).map_or_else(|| format!("alert {number}"), alert_name))
        .collect();
    let hidden = alerts.len().saturating_sub(MAX_NAMED_ALERTS);
    if hidden > 0 {
        shown.push(format!("{hidden} more"));
    }
    list(shown.into_iter())
}

fn group_name(number: GroupNumber, names: &dyn Names) -> String {
    match names.group(number) {
        Some(GroupName { receiver, labels }) => format!("{receiver} {labels}"),
        None => format!("group {number}"),
    }
}

fn message(number: OutboxNumber) -> String {
    format!("message {number}")
}

fn flush_reason(why: FlushReason) -> &'static str {
    match why {
        FlushReason::GroupWait => "after group_wait",
        FlushReason::OldAlert => "because its first alert is older than group_wait",
        FlushReason::SeverityWindow => "because the window of the alert's severity is shorter",
        FlushReason::Unmute => "because something that held alerts back is over",
        FlushReason::Repeat => "because the repeat interval is over then",
        FlushReason::Unacknowledged => "because nobody works on its alerts any more",
        FlushReason::StartDelay => "when the start delay of the process is over",
    }
}

/// Adds what somebody said, if they said anything.
fn said(mut text: String, comment: &str) -> String {
    if !comment.is_empty() {
        let _ = write!(text, ": {comment}");
    }
    text
}

/// Joins with commas, and with "and" before the last.
fn list(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
    }
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests;
