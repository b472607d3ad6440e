//! Notices of handoffs: told once, by the method that the person's rules for what is not urgent
//! name first, with what is open.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Tenant;
use crate::escalation::{EscalationRun, Target};
use crate::event::Event;
use crate::identity::Handle;
use crate::oncall::{HandoffNotice, NoticedShift, OpenWork, Pick, ScheduleName};
use crate::paging::{Content, Recipient, Urgency};

/// The most open problems that a notice names; the rest is counted.
const MAX_OPEN_LINES: usize = 10;

impl Tenant {
    /// Tells those who come next, and those who go, that the handoff is near.
    pub(super) fn shift_ahead(
        &mut self,
        now: Timestamp,
        at: Timestamp,
        name: &ScheduleName,
        minutes: u32,
    ) {
        let Some(entry) = self.roster.entry(name) else { return };
        let Some(present) = &entry.present else { return };
        let ahead = SignedDuration::from_mins(i64::from(minutes));
        // An edit may have moved the handoff; then the timer it set is the one that counts.
        let Some(until) = present.until.filter(|until| until.checked_sub(ahead).ok() == Some(at))
        else {
            return;
        };
        if until <= now {
            // Nobody was watching; the handoff itself is told.
            return;
        }
        let Some(next) = self.roster.on_call(name, &Pick::Current, until) else { return };
        let present: Vec<Handle> = present.duties.iter().map(|duty| duty.person.clone()).collect();
        let shift = NoticedShift { schedule: Arc::clone(name), at: until, until: next.until };
        let comes = next.people.iter().filter(|person| !present.contains(person));
        let goes = present.iter().filter(|person| !next.people.contains(person));
        let mut notices = Vec::new();
        for person in comes {
            let begins = vec![shift.clone()];
            notices.push(HandoffNotice { begins, is_ahead: true, ..HandoffNotice::to(person) });
        }
        for person in goes {
            let ends = vec![shift.clone()];
            notices.push(HandoffNotice { ends, is_ahead: true, ..HandoffNotice::to(person) });
        }
        for notice in notices {
            self.tell_handoff(now, notice);
        }
    }

    /// Tells everybody of the handoffs of this turn, each once.
    pub(super) fn tell_handoffs(&mut self, now: Timestamp) {
        for notice in self.handoffs.take() {
            self.tell_handoff(now, notice);
        }
    }

    fn tell_handoff(&mut self, now: Timestamp, mut notice: HandoffNotice) {
        notice.open = self.open_work(&notice);
        self.record(now, Event::HandoffNoticed { notice: notice.clone() });
        self.send_handoff(now, &notice);
    }

    /// Sends a notice by the first method of the rules for what is not urgent, after quiet hours.
    /// Somebody without a method is told nothing; the history has the notice.
    fn send_handoff(&mut self, now: Timestamp, notice: &HandoffNotice) {
        let is_active =
            self.directory.person(notice.person.as_str()).is_some_and(|it| it.is_active);
        if !is_active {
            return;
        }
        let contacts = self.contacts_of(&notice.person);
        let plan = contacts.rules.plan(&contacts, Urgency::Low);
        let Some((_, method)) = plan.first() else { return };
        let zone = self.zone_of(&notice.person);
        let quiet = contacts.rules.quiet_hours.as_ref();
        let due_at = quiet.and_then(|quiet| quiet.end_of(now, &zone)).unwrap_or(now);
        // What is only told once it has happened is told by the notice of the handoff itself.
        let first = notice.begins.iter().chain(&notice.ends).map(|shift| shift.at).min();
        if notice.is_ahead && first.is_some_and(|at| due_at >= at) {
            return;
        }
        let content = Content::Handoff {
            schedule: notice.schedules().into(),
            text: notice.message(&zone),
            open: self.open_lines(notice),
        };
        let recipient =
            Recipient::Person { person: notice.person.clone(), method: method.id.clone() };
        let to = (method.channel, method.address.clone());
        self.send_page_at(now, due_at, recipient, to, Urgency::Low, content, None);
    }

    /// Returns what is open in the schedules in which somebody's time begins, the worst first.
    fn open_lines(&self, notice: &HandoffNotice) -> Vec<String> {
        let mut open: Vec<&EscalationRun> = self
            .escalations
            .runs
            .values()
            .filter(|run| run.is_open())
            .filter(|run| notice.begins.iter().any(|shift| self.is_about(run, &shift.schedule)))
            .collect();
        open.sort_by_key(|run| (run.severity, run.number));
        let rest = open.len().saturating_sub(MAX_OPEN_LINES);
        let line = |run: &EscalationRun| {
            let (state, by) = run.state.word();
            let by = if by.is_empty() { String::new() } else { format!(" by {by}") };
            let (number, title, severity) = (run.number, &run.title, run.severity);
            format!("{number}: {title} ({severity}), {}{by}", state.as_str())
        };
        let mut lines: Vec<String> = open.into_iter().take(MAX_OPEN_LINES).map(line).collect();
        if rest > 0 {
            lines.push(format!("and {rest} more"));
        }
        let OpenWork { alerts_waiting, alerts_acknowledged } = notice.open;
        if alerts_waiting + alerts_acknowledged > 0 {
            lines.push(format!(
                "alerts: {alerts_waiting} wait, {alerts_acknowledged} are worked on"
            ));
        }
        lines
    }

    /// Returns whether an escalation pages a schedule or is its team's.
    fn is_about(&self, run: &EscalationRun, schedule: &str) -> bool {
        let mut targets = run.policy.steps.iter().flat_map(|step| &step.targets);
        let pages = targets.any(|target| match target {
            Target::Schedule { schedule: other, .. } => **other == *schedule,
            _ => false,
        });
        let team = self.roster.entry(schedule).and_then(|entry| entry.schedule.team.as_deref());
        pages || team.is_some_and(|team| run.group_labels.get("team") == Some(team))
    }

    /// Counts what is open for the teams of the schedules in which somebody's time begins.
    fn open_work(&self, notice: &HandoffNotice) -> OpenWork {
        let teams: Vec<Option<Arc<str>>> = notice
            .begins
            .iter()
            .filter_map(|shift| self.roster.entry(&shift.schedule))
            .map(|entry| entry.schedule.team.clone())
            .collect();
        let mut open = OpenWork::default();
        for alert in self.alerts.values().filter(|alert| !alert.is_resolved) {
            let team = alert.identity.labels.get("team");
            let is_theirs = teams.iter().any(|it| it.as_deref().is_none_or(|it| team == Some(it)));
            if !is_theirs {
                continue;
            }
            if alert.acknowledgement.is_some() {
                open.alerts_acknowledged += 1;
            } else {
                open.alerts_waiting += 1;
            }
        }
        open
    }
}
