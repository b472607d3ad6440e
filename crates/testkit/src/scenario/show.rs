//! The state, as lines.

use jiff::Timestamp;
use tocsin_core::Tenant;
use tocsin_core::alert::{Activity, AlertView};
use tocsin_core::escalation::Simulation;
use tocsin_core::identity::Handle;
use tocsin_core::labels::Labels;
use tocsin_core::notification::{LogEntry, LogKey};
use tocsin_core::oncall::Pick;
use tocsin_core::silence::SilenceState;

use super::action::Show;
use super::names;
use super::sentences::Teller;
use super::time::show_duration;
use crate::memory::MemoryRows;

impl Teller<'_> {
    /// Returns the lines of a view at `now`.
    pub(super) fn show(
        &self,
        what: &Show,
        tenant: &Tenant,
        rows: &MemoryRows,
        now: Timestamp,
    ) -> Vec<String> {
        let lines: Vec<String> = match what {
            Show::Alerts => tenant.alerts(now).iter().map(|alert| self.alert_line(alert)).collect(),
            Show::Groups => self.group_lines(tenant, now),
            Show::Silences => self.silence_lines(tenant, now),
            Show::Maintenance => self.maintenance_lines(tenant, now),
            Show::Log => rows.log().iter().map(|(key, entry)| self.log_line(key, entry)).collect(),
            Show::Escalations => self.escalation_lines(&tenant.escalation_state(now)),
            Show::Shifts { schedule, until } => self.shift_lines(tenant, schedule, now, *until),
            Show::Incidents => self.incident_lines(tenant),
            Show::Timeline(number) => self.timeline_lines(rows, *number),
            Show::OnCall(schedule) => on_call_lines(tenant, schedule, now),
            Show::Simulation { service, severity } => {
                self.simulation_lines(&tenant.simulate(service, *severity, "", None, now))
            }
            Show::Explain(labels) => self.explain_lines(tenant, labels, now),
        };
        if lines.is_empty() { vec!["(none)".to_owned()] } else { lines }
    }

    fn shift_lines(
        &self,
        tenant: &Tenant,
        schedule: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Vec<String> {
        let view = tenant.roster().final_view(schedule, now, until, now).unwrap_or_default();
        let segments = view.segments.iter().map(|segment| {
            let (from, to) = (self.time(segment.from), self.time(segment.to));
            let on_call =
                tocsin_core::oncall::OnCall::new(segment.duties.clone(), segment.gap, None);
            format!("{from} to {to}: {}", on_call.sentence())
        });
        let warnings = view.warnings.iter().map(|warning| format!("warning: {}", warning.message));
        segments.chain(warnings).collect()
    }

    fn alert_line(&self, alert: &AlertView) -> String {
        let mut line = names::alert(&alert.identity.labels);
        let state = if alert.status.is_suppressed() { "suppressed" } else { "active" };
        line.push_str(&format!(" {state} {}", self.activity(&alert.activity)));
        if !alert.description.annotations.is_empty() {
            line.push_str(&format!(" {}", names::set(&alert.description.annotations)));
        }
        for cause in self.status(alert) {
            line.push_str(", ");
            line.push_str(&cause);
        }
        line.push_str(&format!(" -> {}", alert.receivers.join(", ")));
        line
    }

    fn activity(&self, activity: &Activity) -> String {
        let timeout = if activity.is_timeout { " (timeout)" } else { "" };
        format!(
            "since {} until {}{timeout}",
            self.time(activity.starts_at),
            self.time(activity.ends_at)
        )
    }

    fn status(&self, alert: &AlertView) -> Vec<String> {
        let status = &alert.status;
        let mut causes = Vec::new();
        causes.extend(
            status.inhibited_by.iter().map(|inhibitor| {
                format!("inhibited by {}", self.names.fingerprint(inhibitor.source))
            }),
        );
        causes.extend(
            status.silenced_by.iter().map(|id| format!("silenced by {}", self.names.silence(*id))),
        );
        causes.extend(status.maintained_by.iter().map(|name| format!("in maintenance \"{name}\"")));
        causes.extend(status.muted_by.iter().map(|name| format!("muted by interval {name}")));
        causes
    }

    fn group_lines(&self, tenant: &Tenant, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        for group in tenant.groups(now) {
            lines.push(format!(
                "{} {}, next flush {}",
                group.receiver,
                names::set(&group.labels),
                self.time(group.flush_at)
            ));
            for alert in &group.alerts {
                let mut line =
                    format!("  {}", names::alert_without(&alert.identity.labels, &group.labels));
                let causes = self.status(alert);
                if !causes.is_empty() {
                    line.push_str(&format!(" {}", causes.join(", ")));
                }
                lines.push(line);
            }
        }
        lines
    }

    fn silence_lines(&self, tenant: &Tenant, now: Timestamp) -> Vec<String> {
        tenant
            .silences(now)
            .iter()
            .map(|(silence, state)| {
                format!(
                    "{} {}: {} from {} to {}",
                    self.names.silence(silence.id),
                    state_name(*state),
                    silence.matchers,
                    self.time(silence.starts_at),
                    self.time(silence.ends_at)
                )
            })
            .collect()
    }

    fn maintenance_lines(&self, tenant: &Tenant, now: Timestamp) -> Vec<String> {
        tenant
            .maintenance_windows(now)
            .iter()
            .map(|view| {
                let mut line = format!("\"{}\" {}", view.window.name, state_name(view.state));
                if let Some(occurrence) = view.occurrence {
                    let (from, to) =
                        (self.time(occurrence.starts_at), self.time(occurrence.ends_at));
                    line.push_str(&format!(" from {from} to {to}"));
                }
                line
            })
            .collect()
    }

    fn log_line(&self, key: &LogKey, entry: &LogEntry) -> String {
        let list = |fingerprints: &[tocsin_core::labels::Fingerprint]| -> String {
            let names: Vec<String> =
                fingerprints.iter().map(|fp| self.names.fingerprint(*fp)).collect();
            names.join(", ")
        };
        let mut line = format!("{} {}", self.integration(&key.integration()), key.group);
        line.push_str(&format!(" told at {}", self.time(entry.told_at)));
        if !entry.firing.is_empty() {
            line.push_str(&format!(", firing {}", list(&entry.firing)));
        }
        if !entry.resolved.is_empty() {
            line.push_str(&format!(", resolved {}", list(&entry.resolved)));
        }
        line
    }

    fn simulation_lines(&self, simulation: &Simulation) -> Vec<String> {
        let mut lines = vec![simulation.why.clone()];
        for step in &simulation.steps {
            let mut line = format!("{} step {}", self.time(step.at), step.step);
            if step.round > 1 {
                line.push_str(&format!(" of round {}", step.round));
            }
            if !step.skipped.is_empty() {
                line.push_str(&format!(" finds nobody: {}", step.skipped));
            }
            for place in &step.places {
                line.push_str(&format!(", tells {place}"));
            }
            for person in &step.people {
                let messages = person.messages.iter().map(|message| {
                    let held = match message.held.as_str() {
                        "" => String::new(),
                        held => format!(" ({held})"),
                    };
                    format!("{} at {}{held}", message.method, self.time(message.at))
                });
                let messages: Vec<String> = messages.collect();
                line.push_str(&format!(", pages {}: {}", person.person, messages.join(", ")));
            }
            lines.push(line);
        }
        lines
    }

    fn explain_lines(&self, tenant: &Tenant, labels: &Labels, now: Timestamp) -> Vec<String> {
        let Some(explanation) = tenant.explain(labels.fingerprint(), now) else {
            return Vec::new();
        };
        let alert = &explanation.alert;
        let state = if explanation.is_resolved { "resolved" } else { "firing" };
        let mut lines = vec![format!(
            "{} {state} {}, tellings {}",
            names::alert(&alert.identity.labels),
            self.activity(&alert.activity),
            explanation.received
        )];
        for group in &explanation.groups {
            let mut line = format!("  {} next flush {}", group.key, self.time(group.flush_at));
            if let Some(cause) = &group.muted {
                line.push_str(&format!(", held back: {}", self.cause(cause)));
            }
            lines.push(line);
            for integration in &group.integrations {
                let mut line = format!("    {}:", self.integration(&integration.integration));
                match &integration.log {
                    Some(log) => line.push_str(&format!(
                        " {} at {}",
                        if integration.was_told { "told" } else { "told about the group" },
                        self.time(log.told_at)
                    )),
                    None => line.push_str(" not told"),
                }
                if let Some(at) = integration.repeat_at {
                    line.push_str(&format!(", repeat due {}", self.time(at)));
                }
                if let Some((_, attempts, next)) = integration.pending {
                    let wait =
                        show_duration(next.duration_since(now).max(jiff::SignedDuration::ZERO));
                    line.push_str(&format!(
                        ", on its way after {attempts} attempts, next in {wait}"
                    ));
                }
                lines.push(line);
            }
        }
        lines
    }
}

/// Returns who is on call, with the reason.
fn on_call_lines(tenant: &Tenant, schedule: &str, now: Timestamp) -> Vec<String> {
    let Some(on_call) = tenant.roster().on_call(schedule, &Pick::Current, now) else {
        return vec![format!("there is no schedule {schedule}")];
    };
    let people: Vec<&str> = on_call.people.iter().map(Handle::as_str).collect();
    let people = if people.is_empty() { "nobody".to_owned() } else { people.join(", ") };
    vec![format!("{schedule}: {people} ({})", on_call.sentence())]
}

fn state_name(state: SilenceState) -> &'static str {
    match state {
        SilenceState::Pending => "pending",
        SilenceState::Active => "active",
        SilenceState::Expired => "expired",
    }
}
