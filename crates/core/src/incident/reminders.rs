//! When somebody has to be reminded of an incident, as it stands.

use jiff::{SignedDuration, Timestamp};

use super::{Incident, IncidentSettings, Mode, ResolutionCode, Status};
use crate::postmortem::{Postmortem, PostmortemState};
use crate::reminder::{ReminderKind, ReminderPlan};
use crate::severity::Severity;

/// How often a postmortem that is missing is asked for.
const POSTMORTEM_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// How much of the time until an update is due is over when somebody hears of it, in percent.
const UPDATE_WARNING_PERCENT: u32 = 80;

/// How long before a postmortem is due, and before people meet about it, they hear of it.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// The reminders that belong to an incident itself.
pub const INCIDENT_REMINDERS: [ReminderKind; 10] = [
    ReminderKind::AckSla,
    ReminderKind::UpdateDue,
    ReminderKind::UpdateSoon,
    ReminderKind::RoleVacant,
    ReminderKind::EscalateThreshold,
    ReminderKind::Inactivity,
    ReminderKind::AllRecovered,
    ReminderKind::PostmortemMissing,
    ReminderKind::PostmortemDue,
    ReminderKind::ReviewMeeting,
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

/// Returns when a postmortem that is not settled is due.
fn due_at(postmortem: Option<&Postmortem>) -> Option<Timestamp> {
    postmortem.filter(|it| it.state.is_open())?.due_at
}

/// Returns a day earlier.
fn before(at: Timestamp) -> Timestamp {
    at.checked_sub(AHEAD).unwrap_or(Timestamp::MIN)
}

impl Incident {
    /// Returns when somebody has to be reminded, if anybody.
    ///
    /// `None` while there is nothing to be reminded of; then what was said before is forgotten.
    pub fn reminder(
        &self,
        kind: ReminderKind,
        settings: &IncidentSettings,
        postmortem: Option<&Postmortem>,
    ) -> Option<ReminderPlan> {
        if !settings.remind || !self.is_told() {
            return None;
        }
        let targets = settings.targets(self.severity);
        let cycle = self.record.cycle();
        let minutes = |count: u32| SignedDuration::from_mins(i64::from(count));
        match kind {
            ReminderKind::AckSla if self.status() == Status::Detected => {
                let since = self.record.status_since();
                Some(ReminderPlan::after(since, minutes(targets.acknowledge_minutes)))
            }
            ReminderKind::UpdateDue if self.is_active() && self.status() > Status::Detected => {
                let every = minutes(targets.update_minutes);
                Some(ReminderPlan::after(self.told_since(), every).every(every / 2))
            }
            ReminderKind::UpdateSoon if self.is_active() && self.status() > Status::Detected => {
                let seconds = i64::from(targets.update_minutes) * 60;
                let warned = seconds * i64::from(UPDATE_WARNING_PERCENT) / 100;
                let after = SignedDuration::from_secs(warned);
                Some(ReminderPlan::after(self.told_since(), after))
            }
            ReminderKind::RoleVacant if self.is_active() && self.status() > Status::Detected => {
                let after = minutes(vacancy_minutes(self.severity)?);
                if self.crew.vacant(targets, self.owner.as_ref()).is_empty() {
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
            ReminderKind::AllRecovered if self.is_active() && self.status() > Status::Detected => {
                let recovery = self.recovered?;
                // On what nobody works, nothing is asked: it ends by itself.
                let ends = self.status() <= Status::Acknowledged && !recovery.is_silent;
                (!ends).then(|| ReminderPlan::after(recovery.at, settings.resolve_delay))
            }
            ReminderKind::PostmortemMissing => {
                let plan = self.missing_postmortem(settings)?;
                // From a day before it is due on, that is what is said.
                match due_at(postmortem).map(before) {
                    Some(at) => (plan.first <= at).then(|| plan.until(at)),
                    None => Some(plan),
                }
            }
            ReminderKind::PostmortemDue => {
                let due_at = due_at(postmortem)?;
                let missing = self.missing_postmortem(settings).map(|it| it.first);
                // Whoever hears just then that it is missing need not hear it twice.
                let is_said = missing == Some(before(due_at));
                let first = if is_said { due_at } else { before(due_at) };
                let since = cycle.resolved_at.unwrap_or(due_at);
                let plan = ReminderPlan { first, ..ReminderPlan::after(since, AHEAD) };
                Some(plan.every(POSTMORTEM_AGAIN))
            }
            ReminderKind::ReviewMeeting => {
                let postmortem = postmortem.filter(|it| it.state.is_open())?;
                let at = postmortem.review_at?;
                Some(ReminderPlan { first: before(at), ..ReminderPlan::after(at, AHEAD) })
            }
            _ => None,
        }
    }

    /// Returns when somebody has to be asked for a postmortem that is not published.
    fn missing_postmortem(&self, settings: &IncidentSettings) -> Option<ReminderPlan> {
        let is_wanted = self.status() == Status::Resolved && self.owes_postmortem(settings);
        let since = self.record.cycle().resolved_at.filter(|_| is_wanted)?;
        Some(ReminderPlan::after(since, settings.postmortem_after).every(POSTMORTEM_AGAIN))
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
