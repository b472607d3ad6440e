//! What the built-in messages say: one wording for chat, mail and terminal.
//!
//! A message is read on a phone by somebody who was asleep. So the title alone must tell what is
//! wrong and where; after it comes one line per alert with what the author of the rule wrote.
//! Everything has a bound: an alert storm must not make a message that the other side refuses.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use tocsin_core::labels::{ALERTNAME, Labels};
use tocsin_core::notification::{Notification, NotifiedAlert};

/// The most alerts a message lists; the rest is counted.
pub(crate) const MAX_ALERTS: usize = 20;

/// The most characters the list of alerts may have together.
pub(crate) const MAX_TEXT_CHARS: usize = 3_000;

/// The most characters of a title; Slack cuts there.
pub(crate) const MAX_TITLE_CHARS: usize = 1_024;

/// The most characters of one annotation, so that a single one cannot push all others out.
const MAX_DETAIL_CHARS: usize = 300;

/// The most characters of one alert's labels.
const MAX_LABELS_CHARS: usize = 300;

/// The most alert names a title lists.
const MAX_NAMES_IN_TITLE: usize = 3;

/// Annotations that say in words what is wrong, the shortest kind first.
const DETAIL_ANNOTATIONS: [&str; 3] = ["summary", "description", "message"];

/// Annotations that link to what to do, as different rule sets spell them.
const RUNBOOK_ANNOTATIONS: [&str; 2] = ["runbook_url", "runbook"];

/// The built-in wording of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// What is wrong and where, such as `[FIRING:2] HighLatency checkout`.
    pub(crate) title: String,
    /// Whether at least one alert fires.
    pub(crate) is_firing: bool,
    /// How many alerts fire, those not listed included.
    pub(crate) firing: usize,
    /// How many alerts ended, those not listed included.
    pub(crate) resolved: usize,
    /// The severity that all alerts share, if they do.
    pub(crate) severity: Option<String>,
    /// The labels that all alerts share, without the alert's name and the severity.
    pub(crate) shared: Vec<(String, String)>,
    /// Where all alerts send the reader for help, if they agree.
    pub(crate) runbook_url: Option<String>,
    /// One per alert, firing ones first.
    pub(crate) lines: Vec<Line>,
    /// How many alerts are not among the lines.
    pub(crate) hidden: usize,
    /// Why it is sent now.
    pub(crate) reason: &'static str,
}

/// One alert of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Whether it ended.
    pub(crate) is_resolved: bool,
    /// The alert's name.
    pub(crate) name: String,
    /// What the author of the rule says about it; may be empty.
    pub(crate) detail: String,
    /// The labels that tell it apart from its neighbours, `instance=a job=b`; may be empty.
    pub(crate) labels: String,
    /// Since when, or how long it took: `for 5m`, `after 1h 20m`.
    pub(crate) duration: String,
    /// Where to read what to do, unless the whole message says it.
    pub(crate) runbook_url: Option<String>,
    /// Where the source shows it.
    pub(crate) source_url: Option<String>,
}

impl Message {
    /// Words `notification`.
    pub(crate) fn new(notification: &Notification) -> Self {
        let resolved = notification.alerts.iter().filter(|alert| alert.is_resolved).count();
        let firing = notification.alerts.len() - resolved;
        let common = notification.common_labels();
        let common_annotations = notification.common_annotations();
        let runbook_url = first_of(&common_annotations, &RUNBOOK_ANNOTATIONS).map(str::to_owned);

        let mut lines = Vec::new();
        let mut chars = 0;
        for alert in notification.alerts.iter().take(MAX_ALERTS) {
            let mut line = Line::new(alert, &common, notification.decided_at);
            if runbook_url.is_some() {
                line.runbook_url = None;
            }
            chars += line.chars();
            // The first line is bounded by its parts and always fits.
            if chars > MAX_TEXT_CHARS && !lines.is_empty() {
                break;
            }
            lines.push(line);
        }
        Self {
            title: title(notification, &common, firing),
            is_firing: firing > 0,
            firing,
            resolved,
            severity: common.get("severity").map(str::to_owned),
            shared: common
                .iter()
                .filter(|(name, _)| *name != ALERTNAME && *name != "severity")
                .map(|(name, value)| (name.to_owned(), cut(value, MAX_DETAIL_CHARS)))
                .take(MAX_ALERTS)
                .collect(),
            runbook_url,
            hidden: notification.alerts.len() - lines.len(),
            lines,
            reason: notification.reason.as_str(),
        }
    }

    /// Returns how many alerts fire and ended: `2 firing, 1 resolved`.
    pub(crate) fn counts(&self) -> String {
        match (self.firing, self.resolved) {
            (firing, 0) => format!("{firing} firing"),
            (0, resolved) => format!("{resolved} resolved"),
            (firing, resolved) => format!("{firing} firing, {resolved} resolved"),
        }
    }

    /// Returns the note about the alerts that are not listed, if there are any.
    pub(crate) fn more(&self) -> Option<String> {
        (self.hidden > 0).then(|| format!("… and {} more", self.hidden))
    }

    /// Returns the shared labels as `cluster=eu1 team=db`.
    pub(crate) fn shared_text(&self) -> String {
        pairs_text(self.shared.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

impl Line {
    fn new(alert: &NotifiedAlert, common: &Labels, decided_at: Timestamp) -> Self {
        let own = alert.labels.iter().filter(|(name, value)| {
            *name != ALERTNAME && common.get(name).is_none_or(|shared| shared != *value)
        });
        let duration = if alert.is_resolved {
            format!("after {}", duration(alert.starts_at, alert.ends_at))
        } else {
            format!("for {}", duration(alert.starts_at, decided_at))
        };
        Self {
            is_resolved: alert.is_resolved,
            name: cut(alert.labels.get(ALERTNAME).unwrap_or("alert"), MAX_DETAIL_CHARS),
            detail: cut(
                first_of(&alert.annotations, &DETAIL_ANNOTATIONS).unwrap_or(""),
                MAX_DETAIL_CHARS,
            ),
            labels: cut(&pairs_text(own), MAX_LABELS_CHARS),
            duration,
            runbook_url: first_of(&alert.annotations, &RUNBOOK_ANNOTATIONS).map(str::to_owned),
            source_url: (!alert.generator_url.is_empty()).then(|| alert.generator_url.to_string()),
        }
    }

    /// Returns `FIRING` or `RESOLVED`.
    pub(crate) fn state(&self) -> &'static str {
        if self.is_resolved { "RESOLVED" } else { "FIRING" }
    }

    fn chars(&self) -> usize {
        [&self.name, &self.detail, &self.labels, &self.duration]
            .iter()
            .map(|text| text.chars().count() + 4)
            .sum()
    }
}

/// Words the title: how many fire, which alerts, and the values that name the place.
fn title(notification: &Notification, common: &Labels, firing: usize) -> String {
    let mut title = if firing > 0 { format!("[FIRING:{firing}]") } else { "[RESOLVED]".to_owned() };
    let group = &notification.group_labels;
    match group.get(ALERTNAME).or_else(|| common.get(ALERTNAME)) {
        Some(name) => {
            title.push(' ');
            title.push_str(name);
        }
        None => title.push_str(&names_by_count(notification, firing > 0)),
    }
    for (_, value) in group.iter().filter(|(name, _)| *name != ALERTNAME) {
        title.push(' ');
        title.push_str(value);
    }
    cut(&one_line(&title), MAX_TITLE_CHARS)
}

/// Lists the names of the alerts that the message is about, the most frequent first.
fn names_by_count(notification: &Notification, only_firing: bool) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for alert in notification.alerts.iter().filter(|alert| !only_firing || !alert.is_resolved) {
        if let Some(name) = alert.labels.get(ALERTNAME) {
            *counts.entry(name).or_default() += 1;
        }
    }
    let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
    names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown: Vec<&str> = names.iter().take(MAX_NAMES_IN_TITLE).map(|(name, _)| *name).collect();
    let mut text = String::new();
    if !shown.is_empty() {
        let _ = write!(text, " {}", shown.join(", "));
        if names.len() > shown.len() {
            let _ = write!(text, " and {} more", names.len() - shown.len());
        }
    }
    text
}

fn first_of<'a>(annotations: &'a Labels, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| annotations.get(name))
}

fn pairs_text<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push(' ');
        }
        let _ = write!(text, "{name}={value}");
    }
    one_line(&text)
}

/// Replaces control characters by blanks: a line feed in a label must not forge a second line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Returns at most `max_chars` characters of `text`, the last one being `…` when some are missing.
pub(crate) fn cut(text: &str, max_chars: usize) -> String {
    if text.chars().nth(max_chars).is_none() {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(max_chars.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// Words the time between two instants by its two largest units: `1d 4h`, `12m`, `0s`.
fn duration(from: Timestamp, to: Timestamp) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut seconds = to.duration_since(from).as_secs().max(0);
    let Some(largest) = UNITS.iter().position(|(unit, _)| seconds >= *unit) else {
        return "0s".to_owned();
    };
    let mut text = String::new();
    for (unit, letter) in UNITS.iter().skip(largest).take(2) {
        let count = seconds / unit;
        seconds %= unit;
        if count > 0 {
            let blank = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{blank}{count}{letter}");
        }
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use tocsin_core::ids::AlertNumber;
    use tocsin_core::notification::NotifyReason;

    use super::*;

    pub(crate) fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// An alert that fires since five minutes before [`notification`] was decided.
    pub(crate) fn alert(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> NotifiedAlert {
        let labels: Labels = labels.iter().copied().collect();
        NotifiedAlert {
            number: AlertNumber(1),
            fingerprint: labels.fingerprint(),
            labels,
            annotations: annotations.iter().copied().collect(),
            generator_url: "http://prom.example/graph?g0.expr=up&g0.tab=1".into(),
            starts_at: at("2026-11-20T15:00:00Z"),
            ends_at: at("2026-11-20T15:02:03Z"),
            is_resolved: false,
        }
    }

    pub(crate) fn notification(group: &[(&str, &str)], alerts: Vec<NotifiedAlert>) -> Notification {
        Notification {
            receiver: "ops".into(),
            group_key: "{}:{}".into(),
            group_labels: group.iter().copied().collect(),
            route_labels: Labels::default(),
            reason: NotifyReason::First,
            alerts,
            decided_at: at("2026-11-20T15:05:00Z"),
        }
    }

    fn slow(instance: &str) -> NotifiedAlert {
        alert(
            &[
                ("alertname", "HighLatency"),
                ("service", "checkout"),
                ("severity", "critical"),
                ("instance", instance),
            ],
            &[("summary", "p99 above 2 s"), ("runbook_url", "https://runbooks.example/latency")],
        )
    }

    #[test]
    fn the_title_counts_and_names_the_alert_and_its_place() {
        let message = Message::new(&notification(
            &[("alertname", "HighLatency"), ("service", "checkout")],
            vec![slow("a"), slow("b")],
        ));
        assert_eq!(message.title, "[FIRING:2] HighLatency checkout");
        assert_eq!(message.severity.as_deref(), Some("critical"));
        assert_eq!(message.counts(), "2 firing");
        assert_eq!(message.shared_text(), "service=checkout");
        assert_eq!(message.runbook_url.as_deref(), Some("https://runbooks.example/latency"));
        assert_eq!(message.lines[1].labels, "instance=b");
        assert_eq!(message.lines[1].detail, "p99 above 2 s");
        assert_eq!(message.lines[1].duration, "for 5m");
        assert_eq!(message.lines[1].runbook_url, None);
        assert_eq!(message.more(), None);
    }

    #[test]
    fn a_group_of_several_alerts_is_named_by_the_most_frequent() {
        let other = |name| alert(&[("alertname", name), ("cluster", "eu1")], &[]);
        let message = Message::new(&notification(
            &[("cluster", "eu1")],
            vec![other("B"), other("A"), other("C"), other("C"), other("D")],
        ));
        assert_eq!(message.title, "[FIRING:5] C, A, B and 1 more eu1");
    }

    #[test]
    fn the_end_says_how_long_it_took() {
        let mut ended = slow("a");
        ended.is_resolved = true;
        let message = Message::new(&notification(&[], vec![ended]));
        assert_eq!(message.title, "[RESOLVED] HighLatency");
        assert!(!message.is_firing);
        assert_eq!(message.lines[0].state(), "RESOLVED");
        assert_eq!(message.lines[0].duration, "after 2m 3s");
        assert_eq!(message.counts(), "1 resolved");
    }

    #[test]
    fn a_storm_is_cut_by_number_and_by_size() {
        let storm: Vec<_> = (0..100).map(|i| slow(&i.to_string())).collect();
        let message = Message::new(&notification(&[], storm));
        assert_eq!(message.lines.len(), MAX_ALERTS);
        assert_eq!(message.more().as_deref(), Some("… and 80 more"));

        let long = "x".repeat(10_000);
        let big: Vec<_> = (0..20)
            .map(|i| alert(&[("alertname", &long), ("i", &i.to_string())], &[("summary", &long)]))
            .collect();
        let message = Message::new(&notification(&[("alertname", &long)], big));
        let total: usize = message.lines.iter().map(Line::chars).sum();
        assert!(total <= MAX_TEXT_CHARS, "{total}");
        assert_eq!(message.lines.len() + message.hidden, 20);
        assert!(!message.lines.is_empty());
        assert_eq!(message.title.chars().count(), MAX_TITLE_CHARS);
        assert!(message.title.ends_with('…'));
    }

    #[test]
    fn a_line_feed_in_a_label_forges_no_second_line() {
        let forged = alert(&[("alertname", "A\r\nBcc: x"), ("x", "1\n2")], &[]);
        let message = Message::new(&notification(&[("alertname", "A\r\nBcc: x")], vec![forged]));
        assert_eq!(message.title, "[FIRING:1] A  Bcc: x");
        assert_eq!(message.shared_text(), "x=1 2");
    }

    #[test]
    fn durations_show_their_two_largest_units() {
        let from = at("2026-11-20T00:00:00Z");
        for (to, expected) in [
            ("2026-11-20T00:00:00.9Z", "0s"),
            ("2026-11-19T00:00:00Z", "0s"),
            ("2026-11-20T00:00:59Z", "59s"),
            ("2026-11-20T01:00:05Z", "1h"),
            ("2026-11-20T01:20:05Z", "1h 20m"),
            ("2026-11-22T04:59:00Z", "2d 4h"),
        ] {
            assert_eq!(duration(from, at(to)), expected);
        }
    }
}
