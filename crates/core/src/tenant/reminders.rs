//! Reminders are set as things stand, and said when they are due: once, however long we were down.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Tenant, Timer};
use crate::identity::Handle;
use crate::incident::{
    Author, Fact, INCIDENT_REMINDERS, Incident, IncidentNumber, Role, Said, Task,
};
use crate::reminder::{Reminder, ReminderKey, ReminderKind, ReminderPlan, ReminderSubject};
use crate::severity::Severity;

/// How often somebody is reminded until their manager is told, too.
const REMINDED_ALONE: u32 = 2;

impl Tenant {
    /// Returns the reminders of an incident, by kind.
    pub fn reminders_of(&self, number: IncidentNumber) -> Vec<Reminder> {
        let of = |key: &ReminderKey| key.subject.incident() == number;
        self.reminders.values().filter(|it| of(&it.key)).copied().collect()
    }

    /// Sets the reminders of what changed in this turn.
    pub(super) fn look_at_reminders(&mut self, now: Timestamp) {
        let written = self.recorder.lessons.postmortems.iter().map(|it| it.incident);
        let changed: BTreeSet<IncidentNumber> =
            self.recorder.incidents.iter().copied().chain(written).collect();
        for number in changed {
            self.tell_executives(now, number);
            self.look_at_reminders_of(now, number);
        }
    }

    /// Sets all reminders: after a start, and when the configuration is another one.
    pub(super) fn look_at_all_reminders(&mut self, now: Timestamp) {
        let known: BTreeSet<IncidentNumber> = self.incidents.held.keys().copied().collect();
        let lost = self.reminders.keys().filter(|it| !known.contains(&it.subject.incident()));
        for key in lost.copied().collect::<Vec<_>>() {
            self.plan_reminder(now, key, None);
        }
        for number in known {
            self.look_at_reminders_of(now, number);
        }
    }

    fn look_at_reminders_of(&mut self, now: Timestamp, number: IncidentNumber) {
        for kind in INCIDENT_REMINDERS {
            let key = ReminderKey::new(kind, ReminderSubject::Incident(number));
            self.plan_reminder(now, key, self.wanted_reminder(key));
        }
        let of_requests = self.requests_of(number).into_iter().map(|request| {
            let subject = ReminderSubject::Request(number, request);
            ReminderKey::new(ReminderKind::RequestUnanswered, subject)
        });
        let tasks = self.incident(number).into_iter().flat_map(|it| &it.tasks);
        let of_tasks = tasks.map(|task| {
            let subject = ReminderSubject::Task(number, task.number);
            ReminderKey::new(ReminderKind::TaskDue, subject)
        });
        let snoozes = self.incident(number).into_iter().flat_map(|it| &it.snoozes);
        let of_snoozes = snoozes.map(|it| it.again(number));
        let parts = self.parts_of(number);
        let others: BTreeSet<ReminderKey> =
            of_requests.chain(of_tasks).chain(of_snoozes).chain(parts).collect();
        for key in others {
            self.plan_reminder(now, key, self.wanted_reminder(key));
        }
    }

    /// Returns the requests for help that nobody has answered.
    fn requests_of(&self, number: IncidentNumber) -> Vec<u32> {
        let incident = self.incident(number);
        incident.into_iter().flat_map(|it| it.crew.waiting()).map(|it| it.number).collect()
    }

    /// Returns the reminders that are set for parts of an incident.
    fn parts_of(&self, number: IncidentNumber) -> Vec<ReminderKey> {
        // Subjects are ordered by what they are first, so those of requests begin here.
        let subject = ReminderSubject::Request(number, 0);
        let from = ReminderKey { subject, kind: ReminderKind::ALL[0] };
        let is_part = |key: &&ReminderKey| {
            key.subject.incident() == number && !matches!(key.subject, ReminderSubject::Incident(_))
        };
        self.reminders.range(from..).map(|(key, _)| key).filter(is_part).copied().collect()
    }

    /// Returns when a reminder is wanted, as things stand.
    pub(super) fn wanted_reminder(&self, key: ReminderKey) -> Option<ReminderPlan> {
        let incident = self.incident(key.subject.incident())?;
        match key.subject {
            ReminderSubject::Incident(number) => {
                incident.reminder(key.kind, &self.policy.incidents, self.postmortem(number))
            }
            ReminderSubject::Snooze(number, snooze) => self.wanted_snooze(number, snooze),
            ReminderSubject::Request(_, request) => incident.request_reminder(request),
            ReminderSubject::Task(_, task) => {
                let task = incident.tasks.iter().find(|it| it.number == task)?;
                task.reminder().filter(|_| self.policy.incidents.remind && incident.is_told())
            }
        }
    }

    /// Sets one reminder as it is wanted, or forgets it.
    pub(super) fn plan_reminder(
        &mut self,
        now: Timestamp,
        key: ReminderKey,
        plan: Option<ReminderPlan>,
    ) {
        let before = self.reminders.get(&key).copied();
        let after = plan.map(|plan| Reminder::follow(key, before.as_ref(), plan));
        if before == after {
            return;
        }
        if let Some(at) = before.and_then(|it| it.due_at) {
            self.timers.remove(&(at, Timer::Reminder(key)));
        }
        match after {
            Some(reminder) => self.keep_reminder(now, reminder),
            None => {
                self.reminders.remove(&key);
                self.recorder.reminders.remove(&key);
                self.recorder.ended_reminders.insert(key);
            }
        }
    }

    fn keep_reminder(&mut self, now: Timestamp, reminder: Reminder) {
        let key = reminder.key;
        self.reminders.insert(key, reminder);
        self.recorder.ended_reminders.remove(&key);
        self.recorder.reminders.insert(key);
        if let Some(at) = reminder.due_at {
            self.schedule(at.max(now), Timer::Reminder(key));
        }
    }

    /// Takes up the reminders that the store holds.
    pub(super) fn restore_reminders(&mut self, now: Timestamp) {
        let waiting = self.reminders.values().filter_map(|it| Some((it.due_at?, it.key)));
        for (at, key) in waiting.collect::<Vec<_>>() {
            self.schedule(at.max(now), Timer::Reminder(key));
        }
        self.look_at_all_reminders(now);
    }

    /// A reminder is due.
    pub(super) fn reminder_due(&mut self, now: Timestamp, key: ReminderKey) {
        let Some(mut reminder) = self.reminders.get(&key).copied() else { return };
        if reminder.due_at.is_none_or(|at| at > now) {
            return;
        }
        // What it waited for may have come in this turn, before anybody looked at reminders.
        let plan = self.wanted_reminder(key);
        let Some(plan) = plan.filter(|it| it.anchor == reminder.anchor) else {
            self.plan_reminder(now, key, plan);
            return;
        };
        reminder.fire(now, plan);
        self.keep_reminder(now, reminder);
        self.say_reminder(now, key, reminder.fired);
    }

    fn say_reminder(&mut self, now: Timestamp, key: ReminderKey, fired: u32) {
        let number = key.subject.incident();
        if let ReminderSubject::Request(_, request) = key.subject {
            self.request_expired(now, number, request);
            return;
        }
        if let ReminderSubject::Snooze(_, snooze) = key.subject {
            self.say_again(now, number, snooze);
            return;
        }
        let Some(mut text) = self.reminder_text(now, key) else { return };
        let mut people = self.whom_to_remind(now, key);
        let escalates = matches!(key.kind, ReminderKind::AckSla | ReminderKind::EscalateThreshold);
        if escalates && fired == 1 {
            people.extend(self.look_for_others(now, number, key.kind, &mut text));
        }
        if fired > REMINDED_ALONE || self.is_overdue(now, key) {
            let managers = people.iter().filter_map(|it| self.substitute_of(it));
            people.extend(managers.collect::<Vec<_>>());
        }
        people.retain(|person| !self.is_put_off(key, person, now));
        let told = self.say_to(now, number, &people, key.kind, &text);
        // That something will be due is no news for anybody else.
        if key.kind != ReminderKind::UpdateSoon {
            let fact = Fact::Reminded { reminder: key.kind, text, told };
            self.tell_incident(now, number, &Author::system(), now, fact);
        }
    }

    /// Asks the next level: by its policy while nobody has taken it, by word of mouth otherwise.
    /// Returns who is to be told beside the others.
    fn look_for_others(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        kind: ReminderKind,
        text: &mut String,
    ) -> BTreeSet<Handle> {
        let steps = self.push_escalations(now, number, text);
        if let Some(step) = steps.iter().max() {
            let _ = write!(text, "; step {step} is asked now");
        }
        match kind {
            ReminderKind::EscalateThreshold if steps.is_empty() => self.next_level(now, number),
            _ => BTreeSet::new(),
        }
    }

    /// Says it to people: at once by how bad it is, or when they are not disturbed. Returns who is
    /// told.
    pub(super) fn say_to(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        people: &BTreeSet<Handle>,
        kind: ReminderKind,
        text: &String,
    ) -> Vec<Handle> {
        let lines = std::slice::from_ref(text);
        match kind {
            ReminderKind::PostmortemMissing
            | ReminderKind::PostmortemDue
            | ReminderKind::ReviewMeeting => self.notify_later(now, number, people, lines),
            _ => self.notify_all(now, number, people, lines),
        }
    }

    /// Returns whether a manager has to know however often it was said.
    fn is_overdue(&self, now: Timestamp, key: ReminderKey) -> bool {
        let due_at = self.postmortem(key.subject.incident()).and_then(|it| it.due_at);
        key.kind == ReminderKind::PostmortemDue && due_at.is_some_and(|at| at < now)
    }

    /// Returns what is said, in one sentence; `None` when it is too late to say it.
    pub(super) fn reminder_text(&self, now: Timestamp, key: ReminderKey) -> Option<String> {
        let number = key.subject.incident();
        let incident = self.incident(number)?;
        if let ReminderSubject::Task(_, task) = key.subject {
            let task = incident.tasks.iter().find(|it| it.number == task)?;
            return Some(format!("task {} is due: {}", task.number, task.title));
        }
        let postmortem = self.postmortem(number);
        match key.kind {
            ReminderKind::PostmortemDue => {
                let due_at = postmortem?.due_at?;
                Some(match due_at < now {
                    true => format!("the postmortem was due at {due_at:.0} and is not published"),
                    false => format!("the postmortem is due at {due_at:.0}"),
                })
            }
            ReminderKind::ReviewMeeting => {
                let at = postmortem?.review_at.filter(|at| *at > now)?;
                Some(format!("you meet about its postmortem at {at:.0}"))
            }
            kind => Some(text_of(kind, incident, &self.policy.incidents)),
        }
    }

    /// Somebody who was asked for help has not answered in time: whoever asked hears of it.
    fn request_expired(&mut self, now: Timestamp, number: IncidentNumber, request: u32) {
        let asked = self.incident(number).and_then(|it| it.crew.request(request)).cloned();
        let Some(asked) = asked else { return };
        self.end_request(now, number, &Author::system(), request, Said::Expired, "");
        if let Ok(asker) = Handle::parse(&asked.by) {
            let line = format!("{} has not answered to your request for help.", asked.person);
            self.notify(now, number, &asker, &[line]);
        }
    }

    fn whom_to_remind(&self, now: Timestamp, key: ReminderKey) -> BTreeSet<Handle> {
        let Some(incident) = self.incident(key.subject.incident()) else {
            return BTreeSet::new();
        };
        let owner = || incident.owner.iter().cloned().collect::<BTreeSet<_>>();
        let overseers = || self.overseers(incident, now);
        match key.kind {
            ReminderKind::AckSla => overseers(),
            ReminderKind::EscalateThreshold => owner().into_iter().chain(overseers()).collect(),
            ReminderKind::UpdateDue | ReminderKind::UpdateSoon => {
                let crew = &incident.crew;
                let leads = [Role::IncidentCommander, Role::CommunicationsLead];
                owner()
                    .into_iter()
                    .chain(leads.into_iter().flat_map(|it| crew.holders(it)).cloned())
                    .collect()
            }
            ReminderKind::RoleVacant => {
                let commander = incident.crew.holders(Role::IncidentCommander).cloned();
                let known: BTreeSet<Handle> = owner().into_iter().chain(commander).collect();
                match incident.severity {
                    Severity::Sev1 => known.into_iter().chain(overseers()).collect(),
                    _ => known,
                }
            }
            ReminderKind::AllRecovered => {
                let commander = incident.crew.holders(Role::IncidentCommander).cloned();
                let known: BTreeSet<Handle> = owner().into_iter().chain(commander).collect();
                if known.is_empty() { overseers() } else { known }
            }
            ReminderKind::PostmortemMissing | ReminderKind::PostmortemDue => {
                self.author_of_postmortem(incident).map_or_else(overseers, |it| [it].into())
            }
            ReminderKind::ReviewMeeting => {
                let author = self.author_of_postmortem(incident);
                incident.participants.iter().cloned().chain(author).collect()
            }
            ReminderKind::TaskDue => {
                let of =
                    |it: &&Task| key.subject == ReminderSubject::Task(incident.number, it.number);
                let task = incident.tasks.iter().find(of);
                task.and_then(|it| it.assignee.clone()).into_iter().collect()
            }
            // It is told otherwise.
            ReminderKind::RequestUnanswered => BTreeSet::new(),
            ReminderKind::Inactivity if incident.owner.is_none() => overseers(),
            ReminderKind::Inactivity => owner(),
        }
    }

    /// Returns who has to see to a postmortem: whoever has it, else whoever had the incident.
    fn author_of_postmortem(&self, incident: &Incident) -> Option<Handle> {
        let own = self.postmortem(incident.number).and_then(|it| it.owner.as_ref());
        own.into_iter().chain(&incident.owner).find(|it| self.is_there(it)).cloned()
    }
}

/// Returns what is said, in one sentence.
fn text_of(
    kind: ReminderKind,
    incident: &Incident,
    settings: &crate::incident::IncidentSettings,
) -> String {
    let targets = settings.targets(incident.severity);
    let severity = incident.severity;
    match kind {
        ReminderKind::AckSla => {
            let minutes = targets.acknowledge_minutes;
            format!("nobody has taken it in {minutes} minutes, which {severity} promises")
        }
        ReminderKind::UpdateDue => {
            let minutes = targets.update_minutes;
            format!("an update is due: {severity} promises one every {minutes} minutes")
        }
        ReminderKind::UpdateSoon => {
            let minutes = targets.update_minutes;
            format!("an update will be due soon: {severity} promises one every {minutes} minutes")
        }
        ReminderKind::RoleVacant => {
            let vacant = incident.crew.vacant(targets, incident.owner.as_ref());
            let vacant: Vec<String> = vacant.into_iter().map(Role::title).collect();
            format!("nobody is {} yet, and {severity} asks for it", vacant.join(", "))
        }
        ReminderKind::TaskDue => "a task is due".to_owned(),
        ReminderKind::RequestUnanswered => "a request for help waits".to_owned(),
        ReminderKind::EscalateThreshold => {
            let minutes = targets.escalate_minutes;
            format!("it is not over after {minutes} minutes; at {severity} the next level knows")
        }
        ReminderKind::Inactivity => {
            let days = settings.inactive_after.as_hours() / 24;
            let owner = incident.owner.as_ref().map(|it| format!("@{it} ")).unwrap_or_default();
            format!("{owner}nothing has happened for {days} days: how does it go?")
        }
        ReminderKind::AllRecovered => {
            let is_silent = incident.recovered.is_some_and(|it| it.is_silent);
            let what = if is_silent { "nobody tells of its alerts" } else { "nothing of it fires" };
            format!("{what} any more: is it over?")
        }
        ReminderKind::PostmortemMissing => {
            let hours = settings.postmortem_after.as_hours();
            format!(
                "{severity} asks for a postmortem, and {hours} hours after the end none is published"
            )
        }
        ReminderKind::PostmortemDue => "the postmortem is due".to_owned(),
        ReminderKind::ReviewMeeting => "you meet about its postmortem".to_owned(),
    }
}
