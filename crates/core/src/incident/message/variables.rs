//! What an incident gives its messages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use compact_str::CompactString;
use jiff::{SignedDuration, Timestamp};

use super::super::{Incident, Role, Targets};
use crate::identity::Handle;

/// Variables that follow from the incident or are always there, with what they are. Whoever sends may give another
/// value.
pub const INCIDENT_VARIABLES: [(&str, &str); 30] = [
    ("affected_customers", "How many users are concerned, or that it is not known."),
    ("affected_services", "The services, or what it is about."),
    ("category", "What kind of harm it is, or that it is not known."),
    ("current_actions", "Where it stands, when nobody says what is being done."),
    ("customer_notifications", "How many messages customers were sent about it."),
    ("description", "The summary, or the title."),
    ("detected_at", "When it was detected."),
    ("duration", "How long it took, or takes so far."),
    (
        "incident_channel",
        "Where people talk about it, as the configuration says, or that no channel is named.",
    ),
    ("incident_commander", "Who is in command, or else who has it, or nobody yet."),
    ("incident_id", "Its reference."),
    ("incident_number", "Its number."),
    ("next_update_time", "When its severity promises the next word."),
    ("owner", "Who has it, or nobody yet."),
    ("public_status", "Where it stands, in the words of a status page."),
    ("regions", "Where users are concerned; only where somebody said."),
    ("resolved_at", "When it was over; only of one that is."),
    ("revenue_impact", "The lost revenue as it is estimated, or that it is not known."),
    ("root_cause", "What caused it; only where somebody said."),
    ("severity", "sev1 to sev5."),
    ("severity_word", "The same in a word, such as critical."),
    ("runbook_url", "What to follow, as its alerts say, or that none is known."),
    (
        "sla_breach",
        "Whether what customers were promised is broken, where somebody said, and which promises of \
         its severity were kept.",
    ),
    ("started_at", "When harm began, or else when it was detected."),
    ("status", "Where it stands."),
    ("tags", "Its tags; only where it has any."),
    ("ticket", "The ticket elsewhere; only where there is one."),
    ("time_in_status", "How long it has stood there."),
    ("timeline_summary", "Where it stood when, a line each."),
    ("title", "What it is about."),
];

/// Variables that whoever sends has to give, or the configuration, with what they are.
pub const GIVEN_VARIABLES: [(&str, &str); 7] = [
    ("company_name", "Who signs."),
    ("impact_description", "What customers notice."),
    ("next_steps", "What comes next."),
    ("preventive_measures", "What is done so that it does not come back."),
    ("resolution_summary", "What was done."),
    ("status_page_url", "Where everybody can see how it stands."),
    ("update_message", "What is new."),
];

/// The most lines of `timeline_summary`; the latest count.
const MAX_SUMMARY_LINES: usize = 12;

/// Returns the values of [`INCIDENT_VARIABLES`]; `targets` are those of its severity.
pub fn variables_of(it: &Incident, targets: &Targets, now: Timestamp) -> BTreeMap<String, String> {
    let status = it.status();
    let detected = it.record.detected_at();
    let resolved = it.record.cycle().resolved_at.filter(|_| !it.is_active());
    let started = it.measure.impact_started_at.unwrap_or(detected);
    let ended = it.measure.impact_ended_at.or(resolved);
    let owner = it.owner.as_ref().map_or_else(|| "nobody yet".to_owned(), ToString::to_string);
    let commanders: Vec<&str> =
        it.crew.holders(Role::IncidentCommander).map(Handle::as_str).collect();
    let commander = if commanders.is_empty() { owner.clone() } else { commanders.join(", ") };
    let services = it.all_services().join(", ");
    let services = if services.is_empty() { it.title.clone() } else { services };
    let unknown = || "not known yet".to_owned();
    let description = if it.summary.is_empty() { &it.title } else { &it.summary };
    let update = SignedDuration::from_mins(i64::from(targets.update_minutes));
    let share = it.evidence.users_percent.map(|share| format!("{share} % of users"));
    let users = match (it.impact.users, share) {
        (Some(users), Some(share)) => Some(format!("about {users} users, {share}")),
        (Some(users), None) => Some(format!("about {users} users")),
        (None, share) => share,
    };
    let revenue = it.impact.revenue_text().map(|text| format!("about {text}"));
    let list = |it: &BTreeSet<CompactString>| {
        it.iter().map(CompactString::as_str).collect::<Vec<_>>().join(", ")
    };
    let broken = match it.impact.sla_breach {
        Some(true) => "what customers were promised is broken; ",
        Some(false) => "what customers were promised is kept; ",
        None => "",
    };
    let ticket = it.ticket.as_ref().map(|it| format!("{} {}", it.id, it.url).trim().to_owned());
    let pairs = [
        ("affected_customers", users.unwrap_or_else(unknown)),
        ("affected_services", services),
        ("category", it.category.map_or_else(unknown, |it| it.to_string())),
        ("current_actions", format!("it is {status}, and {owner} has it")),
        ("customer_notifications", it.impact.customer_notifications.unwrap_or(0).to_string()),
        ("description", description.clone()),
        ("detected_at", clock(detected)),
        ("duration", span(ended.unwrap_or(now).duration_since(started))),
        ("incident_commander", commander),
        ("incident_id", it.reference().to_string()),
        ("incident_number", it.number.to_string()),
        ("next_update_time", now.checked_add(update).map_or_else(|_| unknown(), clock)),
        ("owner", owner),
        ("public_status", status.public().as_str().to_owned()),
        ("regions", list(&it.impact.regions)),
        ("resolved_at", resolved.map(clock).unwrap_or_default()),
        ("revenue_impact", revenue.unwrap_or_else(unknown)),
        ("root_cause", it.root_cause.clone()),
        ("severity", it.severity.as_str().to_owned()),
        ("severity_word", it.severity.word().to_owned()),
        ("sla_breach", format!("{broken}{}", promises(it, targets, now))),
        ("started_at", clock(started)),
        ("status", status.to_string()),
        ("tags", list(&it.tags)),
        ("ticket", ticket.unwrap_or_default()),
        ("time_in_status", span(now.duration_since(it.record.status_since()))),
        ("timeline_summary", summary(it)),
        ("title", it.title.clone()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Returns a time in words of minutes, which is as exact as readers need it.
fn span(span: SignedDuration) -> String {
    let minutes = span.as_mins().max(0);
    let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) if minutes == 0 => "less than a minute".to_owned(),
        (0, 0) => format!("{minutes} min"),
        (0, hours) => format!("{hours} h {minutes} min"),
        (days, hours) => format!("{days} d {hours} h"),
    }
}

fn promises(it: &Incident, targets: &Targets, now: Timestamp) -> String {
    let first = &it.record.cycles()[0];
    let took = |end: Option<Timestamp>| end.unwrap_or(now).duration_since(first.opened_at);
    let word = |what: &str, end: Option<Timestamp>, minutes: u32| {
        let is_late = took(end) > SignedDuration::from_mins(i64::from(minutes));
        let kept = match (is_late, end) {
            (true, _) => "missed",
            (false, Some(_)) => "kept",
            (false, None) => "still open",
        };
        format!("{what} within {minutes} min: {kept}")
    };
    let taken = first.acknowledged_at.or(first.resolved_at);
    let mut text = word("taken", taken, targets.acknowledge_minutes);
    if let Some(minutes) = targets.resolve_minutes {
        let over = it.record.cycle().resolved_at.filter(|_| !it.is_active());
        let _ = write!(text, "; {}", word("over", over, minutes));
    }
    text
}

fn summary(it: &Incident) -> String {
    let intervals = it.record.intervals();
    let latest = &intervals[intervals.len().saturating_sub(MAX_SUMMARY_LINES)..];
    let lines = latest.iter().map(|interval| {
        format!("{}  {} ({})", clock(interval.entered_at), interval.status, interval.by)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_as_people_do() {
        let of = |seconds| span(SignedDuration::from_secs(seconds));
        assert_eq!(of(59), "less than a minute");
        assert_eq!(of(60 * 61), "1 h 1 min");
        assert_eq!(of(86_400 * 2 + 3_600), "2 d 1 h");
        assert_eq!(of(-5), "less than a minute");
    }
}
