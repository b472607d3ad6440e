//! When somebody has to be reminded of an incident, as it stands.

use jiff::{SignedDuration, Timestamp};

use super::{Incident, IncidentSettings, Mode, ResolutionCode, Status, Targets};
use crate::postmortem::PostmortemState;
use crate::reminder::{ReminderKind, ReminderPlan};
use crate::severity::Severity;

/// How often a postmortem that is missing is asked for.
const POSTMORTEM_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// How often somebody is asked for one update; whoever does not answer then has other worries.
const MAX_UPDATES_ASKED_FOR: u32 = 5;

/// The reminders that belong to an incident itself.
pub const INCIDENT_REMINDERS: [ReminderKind; 6] = [
    ReminderKind::AckSla,
    ReminderKind::UpdateDue,
    ReminderKind::RoleVacant,
    ReminderKind::EscalateThreshold,
    ReminderKind::Inactivity,
    ReminderKind::PostmortemMissing,
];

/// Returns how long a role may be nobody's once somebody works on an incident, in minutes; `None`
/// where nobody minds.
fn vacancy_minutes(severity: Severity) -> Option<u32> {
    match severity {
        Severity::Sev1 => Some(10),
        Severity::Sev2 => Some(20),
        _ => None,
    }
}

impl Incident {
    /// Returns when somebody has to be reminded, if anybody.
    ///
    /// `None` while there is nothing to be reminded of; then what was said before is forgotten.
    pub fn reminder(
        &self,
        kind: ReminderKind,
        settings: &IncidentSettings,
    ) -> Option<ReminderPlan> {
        if !settings.remind || !self.is_told() {
            return None;
        }
        let targets = Targets::of(self.severity);
        let cycle = self.record.cycle();
        let minutes = |count: u32| SignedDuration::from_mins(i64::from(count));
        match kind {
            ReminderKind::AckSla if self.status() == Status::Detected => {
                let since = self.record.status_since();
                Some(ReminderPlan::after(since, minutes(targets.acknowledge_minutes)))
            }
            ReminderKind::UpdateDue if self.is_active() && self.status() > Status::Detected => {
                let every = minutes(targets.update_minutes);
                let plan = ReminderPlan::after(self.told_since(), every).every(every / 2);
                Some(plan.at_most(MAX_UPDATES_ASKED_FOR))
            }
            ReminderKind::RoleVacant if self.is_active() && self.status() > Status::Detected => {
                let after = minutes(vacancy_minutes(self.severity)?);
                if self.crew.vacant(self.severity, self.owner.as_ref()).is_empty() {
                    return None;
                }
                let since = cycle.acknowledged_at.unwrap_or(cycle.opened_at);
                let since = self.crew.left_at().map_or(since, |at| at.max(since));
                Some(ReminderPlan::after(since, after))
            }
            ReminderKind::EscalateThreshold if self.is_active() => {
                Some(ReminderPlan::after(cycle.opened_at, minutes(targets.escalate_minutes)))
            }
            ReminderKind::Inactivity if self.is_active() => {
                let after = settings.inactive_after;
                Some(ReminderPlan::after(self.active_at, after).every(after))
            }
            ReminderKind::PostmortemMissing
                if self.status() == Status::Resolved && self.owes_postmortem(settings) =>
            {
                let plan = ReminderPlan::after(cycle.resolved_at?, settings.postmortem_after);
                Some(plan.every(POSTMORTEM_AGAIN))
            }
            _ => None,
        }
    }

    /// Returns whether anybody is told of it: not when somebody tries something out, or writes
    /// down afterwards what was.
    pub fn is_told(&self) -> bool {
        matches!(self.mode, Mode::Real | Mode::Drill)
    }

    /// Returns since when nobody has said how it goes.
    fn told_since(&self) -> Timestamp {
        let cycle = self.record.cycle();
        let taken = cycle.acknowledged_at.unwrap_or(cycle.opened_at);
        self.told_at.map_or(taken, |at| at.max(taken))
    }

    /// Returns when somebody who was asked for help has had time enough to answer.
    ///
    /// Even where nobody is reminded of anything: what becomes of the request is no reminder.
    pub fn request_reminder(&self, request: u32) -> Option<ReminderPlan> {
        let request = self.crew.request(request)?;
        let waits = request.answer.is_none() && self.is_active();
        let after = request.expires_at.duration_since(request.asked_at);
        waits.then(|| ReminderPlan::after(request.asked_at, after))
    }

    /// Returns whether a postmortem is asked for and none is published.
    pub fn owes_postmortem(&self, settings: &IncidentSettings) -> bool {
        let resolution = self.record.cycle().resolution;
        settings.requires_postmortem(self.severity)
            && resolution.is_some_and(ResolutionCode::is_reviewed)
            && self.measure.postmortem_at.is_none()
            && self.postmortem.is_none_or(PostmortemState::is_open)
    }
}
