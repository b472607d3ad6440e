//! Who may do what, and the audit log of everything that people and programs change.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::acknowledge::Word;
use super::{Tenant, Turn};
use crate::acknowledgement::AcknowledgementEnd;
use crate::audit::{AuditEntry, AuditHead, AuditNote, AuditRow};
use crate::command::{Command, Rejection};
use crate::identity::{
    Actor, Directory, Handle, IdentityChange, IdentityRejection, Owned, PersonOrigin, Who,
};
use crate::ids::SilenceId;
use crate::labels::Fingerprint;

/// The most alerts that one row of the audit log names.
const MAX_NAMED_ALERTS: usize = 100;

impl Tenant {
    /// Returns who may do what, as decided so far.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Returns where the audit log ends.
    pub fn audit_head(&self) -> AuditHead {
        self.audit_head
    }

    /// Returns everything a person owns, and who has it when they leave.
    pub fn owned_by(&self, handle: &Handle) -> Vec<Owned> {
        let mut owned = self.directory.owned_by(handle);
        let successor = self.directory.successor_of(handle);
        for fingerprint in self.acknowledged_by(handle) {
            let (kind, subject) = ("acknowledgement", fingerprint.to_string());
            owned.push(Owned { kind, subject, passes_to: successor.clone() });
        }
        for policy in self.escalation_policies() {
            if policy.people().any(|person| person == handle) {
                let (kind, subject) = ("escalation_target", policy.name.to_string());
                owned.push(Owned { kind, subject, passes_to: successor.clone() });
            }
        }
        for run in self.runs_acknowledged_by(handle) {
            let (kind, subject) = ("escalation", run.to_string());
            owned.push(Owned { kind, subject, passes_to: successor.clone() });
        }
        for number in self.incidents_of(handle) {
            let (kind, subject) = ("incident", number.to_string());
            owned.push(Owned { kind, subject, passes_to: self.heir_of(number, handle) });
        }
        for schedule in self.roster.schedules_of(handle, self.latest) {
            // The next member stands in, turn by turn.
            owned.push(Owned { kind: "shift", subject: schedule.to_string(), passes_to: None });
        }
        let is_theirs = |by: &str| by == handle.as_str();
        for entry in self.silences.values().filter(|it| is_theirs(&it.silence.created_by)) {
            if entry.silence.state_at(self.latest) != crate::silence::SilenceState::Expired {
                // It ends by itself and goes on until then.
                let subject = entry.silence.id.to_string();
                owned.push(Owned { kind: "silence", subject, passes_to: None });
            }
        }
        owned
    }

    pub(super) fn change_identity(
        &mut self,
        now: Timestamp,
        actor: &Actor,
        change: IdentityChange,
    ) -> Result<Option<AuditNote>, Rejection> {
        if let IdentityChange::DeleteTeam(name) = &change {
            let users = self.users_of_team(name);
            let is_ours = self
                .directory
                .team(name)
                .is_some_and(|team| team.origin != PersonOrigin::Provisioned);
            if is_ours && !users.is_empty() {
                let name = Arc::clone(name);
                return Err(IdentityRejection::TeamInUse { name, users }.into());
            }
        }
        let leaver = match &change {
            IdentityChange::Deactivate(handle) => Some((
                handle.clone(),
                self.directory.successor_of(handle),
                self.acknowledged_by(handle),
            )),
            _ => None,
        };
        let concerns_rosters = matches!(
            &change,
            IdentityChange::AddPerson(_)
                | IdentityChange::ChangePerson(_)
                | IdentityChange::Deactivate(_)
                | IdentityChange::Reactivate(_)
        );
        let directory = Arc::make_mut(&mut self.directory);
        let note = directory.apply(now, change, &mut self.recorder.identity)?;
        self.directory_changed = true;
        if let Some((handle, successor, mut acknowledged)) = leaver {
            // Whose escalations go on is decided by their policies, not by the org chart.
            let reopened = self.leave_runs(now, &handle, successor.as_ref());
            acknowledged.retain(|alert| !reopened.contains(alert));
            self.pass_on(now, actor, &handle, successor.as_ref(), &acknowledged);
            self.pass_incidents_on(now, &handle);
            self.pass_lessons_of_leavers(now);
        }
        if concerns_rosters {
            self.look_after_people(now);
        }
        Ok(note)
    }

    /// Alerts that a leaver works on get their successor, or nobody works on them any more.
    fn pass_on(
        &mut self,
        now: Timestamp,
        actor: &Actor,
        leaver: &Handle,
        successor: Option<&Handle>,
        alerts: &[Fingerprint],
    ) {
        let comment = format!("taken over from {leaver}, who has left");
        for fingerprint in alerts {
            let until = self.alerts.get(fingerprint).and_then(|it| it.acknowledgement.as_ref());
            let until = until.and_then(|it| it.expires_at).filter(|at| *at > now);
            match successor {
                Some(successor) => {
                    let word = Word::new(successor.to_string(), comment.clone());
                    // The alert fires and the end lies ahead, so nothing can be refused.
                    let _ = self.acknowledge(now, vec![*fingerprint], &word, until);
                }
                None => {
                    let by = actor.who.name().to_owned();
                    let comment = format!("{leaver} has left");
                    let why = AcknowledgementEnd::TakenBack { by, comment };
                    self.end_acknowledgement(now, *fingerprint, why);
                }
            }
        }
        if successor.is_none() {
            self.look_after_acknowledgement(now, alerts);
        }
    }

    fn acknowledged_by(&self, handle: &Handle) -> Vec<Fingerprint> {
        let is_theirs = |by: &str| by == handle.as_str();
        self.alerts
            .iter()
            .filter(|(_, alert)| !alert.is_resolved)
            .filter(|(_, alert)| alert.acknowledgement.as_ref().is_some_and(|it| is_theirs(&it.by)))
            .map(|(fingerprint, _)| *fingerprint)
            .collect()
    }

    /// Takes over the people and teams of the configuration.
    pub(super) fn provision_identity(&mut self) {
        let policy = Arc::clone(&self.policy);
        Arc::make_mut(&mut self.directory).provision(&policy.people, &policy.teams);
        self.directory_changed = true;
    }

    /// Appends to the audit log.
    pub(super) fn audit(&mut self, now: Timestamp, actor: Actor, note: AuditNote) {
        let number = self.audit_head.number + 1;
        let row = AuditRow::seal(self.audit_head.hash, &AuditEntry::new(number, now, actor, note));
        self.audit_head = AuditHead { number, hash: row.hash };
        self.recorder.audit.push(row);
    }

    /// Hands over who may do what when that changed, for those who let people in.
    pub(super) fn with_directory(&mut self, turn: Turn) -> Turn {
        let changed = std::mem::take(&mut self.directory_changed);
        Turn { directory: changed.then(|| Arc::clone(&self.directory)), ..turn }
    }

    /// Forgets sessions and links that ended.
    pub(super) fn sweep_identity(&mut self, now: Timestamp) {
        let directory = Arc::make_mut(&mut self.directory);
        directory.sweep(now, &mut self.recorder.identity);
        self.directory_changed |= !self.recorder.identity.is_empty();
    }

    /// Returns what the audit log says of a command, as far as it can be known before the command
    /// is carried out; `None` for what sources and the engine do all day.
    pub(super) fn note_before(&self, actor: &Actor, command: &Command) -> Option<AuditNote> {
        match command {
            Command::SetSilence { request, .. } => {
                let id = request.id;
                let note = AuditNote::new("silence.set", String::new());
                Some(match id.and_then(|id| self.shown_silence(id)) {
                    Some(before) => note.before(before),
                    None => note,
                })
            }
            Command::ExpireSilence { id } => {
                let note = AuditNote::new("silence.expire", format!("silence/{id}"));
                Some(note.before(self.shown_silence(*id)?))
            }
            Command::SetMaintenanceWindow { window } => {
                let note =
                    AuditNote::new("maintenance.set", format!("maintenance/{}", window.name));
                let note = note.after(json!(window.to_row()));
                Some(match self.windows.get(&window.name) {
                    Some(known) => note.before(json!(known.window.to_row())),
                    None => note,
                })
            }
            Command::DeleteMaintenanceWindow { name } => {
                let known = self.windows.get(name.as_str())?;
                let note = AuditNote::new("maintenance.delete", format!("maintenance/{name}"));
                Some(note.before(json!(known.window.to_row())))
            }
            Command::Acknowledge { comment, .. } => {
                Some(AuditNote::new("alert.acknowledge", String::new()).because(comment))
            }
            Command::Unacknowledge { comment, .. } => {
                Some(AuditNote::new("alert.unacknowledge", String::new()).because(comment))
            }
            Command::AddNote { alert, text, .. } => {
                let note = AuditNote::new("alert.note", format!("alert/{alert}"));
                Some(note.after(json!({ "text": text })))
            }
            Command::RecordChange { change } => {
                let note = AuditNote::new("change.record", "changes".to_owned());
                Some(note.after(json!({ "summary": change.summary, "source": change.source })))
            }
            Command::Reconfigure { .. } => {
                (actor.who != Who::Engine).then(|| AuditNote::new("config.reload", "config".into()))
            }
            Command::Answer(answer) => {
                let note =
                    AuditNote::new("escalation.answer", format!("escalation/{}", answer.run));
                let before = json!({ "by": answer.by.name(), "action": answer.action.as_str() });
                Some(note.before(before).because(&answer.comment))
            }
            Command::Spoken(spoken) => {
                let subject = format!("channel/{}", spoken.channel);
                Some(AuditNote::new("escalation.answer", subject))
            }
            Command::Ingest { .. }
            | Command::AttemptEnded { .. }
            | Command::GroupSynced { .. }
            | Command::Identity(_)
            | Command::Paging(_)
            | Command::Incident(_)
            | Command::Lesson(_)
            | Command::OnCall(_)
            | Command::Receipt(_)
            | Command::ReportMissed { .. }
            | Command::ReportWatcher { .. }
            | Command::Beat { .. } => None,
        }
    }

    pub(super) fn shown_silence(&self, id: SilenceId) -> Option<Value> {
        let silence = &self.silences.get(self.silence_ids.get(&id)?)?.silence;
        Some(json!({
            "matchers": silence.matchers.to_string(),
            "starts_at": silence.starts_at,
            "ends_at": silence.ends_at,
            "created_by": silence.created_by,
            "comment": silence.comment,
        }))
    }
}

/// Completes a note about alerts with those that were really concerned.
pub(super) fn about_alerts(note: AuditNote, by: &str, alerts: &[Fingerprint]) -> AuditNote {
    let subject = match alerts {
        [only] => format!("alert/{only}"),
        _ => "alerts".to_owned(),
    };
    let named: Vec<_> = alerts.iter().take(MAX_NAMED_ALERTS).map(ToString::to_string).collect();
    let after = json!({ "by": by, "alerts": named, "count": alerts.len() });
    AuditNote { subject, ..note }.after(after)
}
