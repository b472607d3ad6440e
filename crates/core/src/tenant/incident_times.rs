//! Times of incidents are set right, and what differs afterwards becomes rows.

use std::collections::BTreeSet;

use compact_str::CompactString;
use jiff::Timestamp;

use super::incident_change::{CLOCK_SKEW, invalid};
use super::later;
use crate::incident::{Fact, Incident, IncidentEdit, IncidentRejection, TimeError, TimeField};
use crate::labels::TEAM;

/// Sets the times of an incident that an edit names; when they contradict each other, both are
/// named.
pub(super) fn set_times(
    changed: &mut Incident,
    edit: &IncidentEdit,
    now: Timestamp,
    by: &str,
) -> Result<(), IncidentRejection> {
    let latest = later(now, CLOCK_SKEW);
    let given = edit.times.iter().map(|(field, at)| (field.name(), Some(*at)));
    let impact =
        [("impact_started_at", edit.impact_started_at), ("impact_ended_at", edit.impact_ended_at)];
    for (name, at) in given.chain(impact) {
        if at.is_some_and(|at| at > latest) {
            return Err(invalid(name, "must not lie in the future"));
        }
        if at.is_some_and(|at| at < Timestamp::UNIX_EPOCH) {
            return Err(invalid(name, "must not lie before 1970"));
        }
    }
    let refused = |error| IncidentRejection::Times { error };
    let record = &mut changed.record;
    record.correct(&edit.times, by).map_err(refused)?;
    let (detected_at, resolved_at) = (record.detected_at(), record.cycle().resolved_at);
    let measure = &mut changed.measure;
    measure.impact_started_at = edit.impact_started_at.or(measure.impact_started_at);
    measure.is_predicted = edit.is_predicted.unwrap_or(measure.is_predicted);
    if edit.impact_ended_at.is_some() {
        measure.impact_ended_at = edit.impact_ended_at;
        measure.is_end_assumed = false;
    } else if measure.is_end_assumed && edit.times.contains_key(&TimeField::Resolved) {
        // Nobody said that harm ended at another time than the incident did.
        measure.impact_ended_at = resolved_at;
    }
    let is_edited = impact.iter().any(|(_, at)| at.is_some()) || edit.is_predicted.is_some();
    if !is_edited && edit.times.is_empty() {
        return Ok(());
    }
    let (started, ended) = (measure.impact_started_at, measure.impact_ended_at);
    let is_after = |from: Option<Timestamp>, to| from.zip(to).is_some_and(|(from, to)| to < from);
    let order = |earlier, later| refused(TimeError::Order { earlier, later });
    if is_after(started, ended) {
        return Err(order("impact_started_at", "impact_ended_at"));
    }
    if is_after(started, Some(detected_at)) && !measure.is_predicted {
        return Err(order("impact_started_at", "detected_at"));
    }
    Ok(())
}

/// Returns a row for every field that differs.
pub(super) fn differences(before: &Incident, after: &Incident) -> Vec<Fact> {
    let category = |it: &Incident| it.category.map(|it| it.to_string()).unwrap_or_default();
    let team = |it: &Incident| it.labels.value(TEAM).to_owned();
    let time = |at: Option<Timestamp>| at.map(|at| format!("{at:.0}")).unwrap_or_default();
    let evidence = |it: &Incident| serde_json::to_string(&it.evidence).unwrap_or_default();
    let started = |it: &Incident| time(it.measure.impact_started_at);
    let predicted = |it: &Incident| it.measure.is_predicted.to_string();
    let ended = |it: &Incident| time(it.measure.impact_ended_at);
    let whole = |it: Option<u64>| it.map(|it| it.to_string()).unwrap_or_default();
    let flag = |it: Option<bool>| it.map(|it| it.to_string()).unwrap_or_default();
    let list = |it: &BTreeSet<CompactString>| {
        it.iter().map(CompactString::as_str).collect::<Vec<_>>().join(", ")
    };
    let revenue = |it: &Incident| it.impact.revenue_text().unwrap_or_default();
    let ticket = |it: &Incident| match &it.ticket {
        Some(ticket) => format!("{} {}", ticket.id, ticket.url).trim().to_owned(),
        None => String::new(),
    };
    [
        ("title", before.title.clone(), after.title.clone()),
        ("summary", before.summary.clone(), after.summary.clone()),
        ("service", before.service.to_string(), after.service.to_string()),
        ("team", team(before), team(after)),
        ("category", category(before), category(after)),
        ("evidence", evidence(before), evidence(after)),
        ("impact.users", whole(before.impact.users), whole(after.impact.users)),
        ("impact.regions", list(&before.impact.regions), list(&after.impact.regions)),
        ("impact.revenue", revenue(before), revenue(after)),
        ("impact.sla_breach", flag(before.impact.sla_breach), flag(after.impact.sla_breach)),
        (
            "impact.customer_notifications",
            whole(before.impact.customer_notifications),
            whole(after.impact.customer_notifications),
        ),
        ("services", list(&before.services), list(&after.services)),
        ("tags", list(&before.tags), list(&after.tags)),
        ("ticket", ticket(before), ticket(after)),
        ("root_cause", before.root_cause.clone(), after.root_cause.clone()),
        ("impact_started_at", started(before), started(after)),
        ("impact_ended_at", ended(before), ended(after)),
        ("is_predicted", predicted(before), predicted(after)),
    ]
    .into_iter()
    .chain(TimeField::ALL.map(|field| {
        let of = |it: &Incident| match field {
            TimeField::Detected => time(Some(it.record.detected_at())),
            field => time(field.of(it.record.cycle())),
        };
        (field.name(), of(before), of(after))
    }))
    .filter(|(_, before, after)| before != after)
    .map(|(field, before, after)| Fact::Edited { field: field.into(), before, after })
    .collect()
}
