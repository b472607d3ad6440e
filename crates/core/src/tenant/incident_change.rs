//! What people and programs do about incidents.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::incident_alerts::{SERVICE, with_label};
use super::incident_times::set_times;
use super::{Tenant, later};
use crate::audit::AuditNote;
use crate::command::Rejection;
use crate::escalation::EscalationPolicy;
use crate::identity::{Actor, Handle};
use crate::incident::{
    Author, AuthorKind, Expected, Fact, Incident, IncidentChange, IncidentDraft, IncidentEdit,
    IncidentNumber, IncidentRejection, IncidentReply, IncidentStep, MAX_IDEMPOTENCY_CHARS,
    MAX_TEXT_CHARS, MAX_TITLE_CHARS, Mode, Record, RelationStep, Status, TimeField, classify,
};
use crate::labels::TEAM;
use crate::severity::Severity;
use crate::text::one_line;

/// How far in the future a time may lie that a source with another clock names.
pub(super) const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

type Done = (IncidentReply, Option<AuditNote>);

impl Tenant {
    /// Carries out a change; the note is for the audit log, `None` when nothing changed.
    pub(super) fn change_incident(
        &mut self,
        now: Timestamp,
        actor: &Actor,
        change: IncidentChange,
    ) -> Result<Done, Rejection> {
        match change {
            IncidentChange::Declare(draft) => Ok(self.declare(now, actor, *draft)?),
            IncidentChange::Looked { incident, is_allowed } => {
                let action = if is_allowed { "incident.read" } else { "incident.read_denied" };
                let note = AuditNote::new(action, format!("incident/{incident}"));
                Ok((self.incident_reply(incident, false, false), Some(note)))
            }
            IncidentChange::Recall(stored) => {
                let (incident, alerts) = *stored;
                let number = incident.number;
                self.recall_incident(now, incident, alerts);
                Ok((self.incident_reply(number, false, false), None))
            }
            IncidentChange::AskAccess { incident, reason } => {
                check_text("reason", &reason)?;
                if reason.trim().is_empty() {
                    return Err(invalid("reason", "must say why").into());
                }
                let note = AuditNote::new("incident.access_ask", format!("incident/{incident}"));
                let note = note.because(&reason);
                self.ask_access(now, actor, incident, &reason);
                Ok((self.incident_reply(incident, false, false), Some(note)))
            }
            IncidentChange::Step { incident, expected, step } => {
                Ok(self.step_incident(now, actor, incident, expected, step)?)
            }
        }
    }

    fn declare(
        &mut self,
        now: Timestamp,
        actor: &Actor,
        draft: IncidentDraft,
    ) -> Result<Done, IncidentRejection> {
        check_draft(&draft, now)?;
        let known = draft.idempotency_key.as_ref();
        let known = known.and_then(|key| self.incidents.by_idempotency.get(key));
        let known = known.filter(|number| {
            let day = SignedDuration::from_hours(24);
            self.incident(**number).is_some_and(|it| now < later(it.created_at, day))
        });
        let open = draft.key.as_ref().and_then(|key| self.incidents.by_key.get(key));
        if let Some(number) = known.or(open).copied() {
            return Ok((self.incident_reply(number, false, false), None));
        }
        if !self.has_room_for_incident() {
            let limit = super::incidents::MAX_OPEN_INCIDENTS;
            return Err(IncidentRejection::TooMany { limit });
        }
        if let Some(owner) = &draft.owner {
            self.check_person(owner)?;
        }
        let policy = self.policy_to_page(&draft)?;
        let classified = classify(&draft.evidence);
        let author = Author::of(actor);
        let (severity, severity_by, why) = match draft.severity {
            Some(severity) => (severity, Some(author.name.clone()), "declared".to_owned()),
            None if draft.evidence.is_empty() => (Severity::Sev3, None, "declared".to_owned()),
            None => (classified.severity, None, classified.clause.text().to_owned()),
        };
        let number = IncidentNumber(self.highest.incident.0 + 1);
        let detected_at = draft.detected_at.unwrap_or(now);
        let title = one_line(&draft.title);
        let mut incident = Incident::new(number, now, author.clone(), title, severity);
        incident.record = Record::new(detected_at, &author.name);
        if draft.detected_at.is_some() {
            incident.record.note_given(TimeField::Detected);
        }
        let team = match draft.team.is_empty() {
            true => self.team_of_service(&draft.service),
            false => draft.team,
        };
        incident.labels = with_label(&incident.labels, SERVICE, &draft.service);
        incident.labels = with_label(&incident.labels, TEAM, &team);
        incident.severity_by = severity_by;
        incident.summary = draft.summary;
        incident.evidence = draft.evidence;
        incident.category = draft.category;
        incident.service = draft.service;
        incident.mode = draft.mode;
        incident.recurrence_of =
            draft.key.as_ref().and_then(|key| self.incidents.latest.get(key)).copied();
        incident.key = draft.key;
        incident.idempotency_key = draft.idempotency_key;
        draft.particulars.apply(&mut incident).map_err(said_wrong)?;
        self.highest.incident = number;
        incident.owner = draft.owner;
        incident.participants.extend(incident.owner.clone());
        if let Some(handle) = self.person_of(&author) {
            incident.participants.insert(handle);
        }
        incident.restricted = self.restriction_by_category(now, &incident);
        let shown = shown(&incident);
        let owner = incident.owner.clone().filter(|it| it.as_str() != author.name);
        self.begin_incident(now, incident, &[], why);
        self.tell_restricted(now, number);
        self.set_incident_timer(now, number);
        if let Some(owner) = owner {
            let line = format!("It is yours: {} has declared it.", author.name);
            self.notify(now, number, &owner, &[line]);
        }
        if let Some(policy) = policy {
            self.page_for_incident(now, policy, number);
        }
        let note = AuditNote::new("incident.declare", format!("incident/{number}")).after(shown);
        Ok((self.incident_reply(number, true, true), Some(note)))
    }

    /// Returns the policy that a draft asks for.
    fn policy_to_page(
        &self,
        draft: &IncidentDraft,
    ) -> Result<Option<Arc<EscalationPolicy>>, IncidentRejection> {
        let Some(name) = draft.page.as_deref() else { return Ok(None) };
        if !matches!(draft.mode, Mode::Real | Mode::Drill) {
            let mode = draft.mode.as_str();
            return Err(invalid("page", format!("pages nobody about what is {mode}")));
        }
        let Some(policy) = self.escalation_policy(name) else {
            return Err(invalid("page", format!("names the unknown policy `{name}`")));
        };
        if !self.has_room_for_run() {
            return Err(impossible("too many escalations are open; declare it without paging"));
        }
        Ok(Some(Arc::clone(policy)))
    }

    fn step_incident(
        &mut self,
        now: Timestamp,
        actor: &Actor,
        number: IncidentNumber,
        expected: Expected,
        step: IncidentStep,
    ) -> Result<Done, IncidentRejection> {
        let incident = self.known_incident(number)?;
        let before = shown(incident);
        let is_done = is_done_already(incident, &step);
        if !is_done {
            check_expected(incident, expected)?;
        }
        let by = Author::of(actor);
        let (action, reason) = (action_of(&step), reason_of(&step));
        let is_split = matches!(step, IncidentStep::Relate(RelationStep::Split { .. }));
        let has_changed = !is_done && self.do_step(now, number, &by, step)?;
        if has_changed {
            // What was missing to close it may be there now.
            self.set_incident_timer(now, number);
        }
        let reply = match is_split && has_changed {
            // Whoever splits goes on with what came out of it.
            true => self.incident_reply(self.highest.incident, true, true),
            false => self.incident_reply(number, has_changed, false),
        };
        if !has_changed {
            return Ok((reply, None));
        }
        let note = AuditNote::new(action, format!("incident/{number}")).because(&reason);
        let after = self.incident(number).map(shown).unwrap_or_default();
        Ok((reply, Some(note.before(before).after(after))))
    }

    pub(super) fn do_step(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        step: IncidentStep,
    ) -> Result<bool, IncidentRejection> {
        match step {
            IncidentStep::Move { to, note, code } => {
                check_text("note", &note)?;
                self.check_reopening(number, to)?;
                if to == Status::Closed {
                    self.check_closing(number)?;
                }
                let has_moved = self.move_as_asked(now, number, by, to, (note, code))?;
                if has_moved && to.is_active() {
                    self.no_duplicate_any_more(number);
                }
                Ok(has_moved)
            }
            IncidentStep::SetSeverity { severity, reason } => {
                if reason.trim().is_empty() {
                    return Err(invalid("reason", "must say why"));
                }
                check_text("reason", &reason)?;
                let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
                let from = std::mem::replace(&mut held.incident.severity, severity);
                held.incident.severity_by = Some(by.name.clone());
                let fact = Fact::SeverityChanged { from, to: severity, reason };
                let text = format!("{}, says {}.", fact.sentence(), by.name);
                self.tell_incident(now, number, by, now, fact);
                self.tell_subscribers(now, number, by, text);
                self.was_worse(now, number);
                Ok(true)
            }
            IncidentStep::Assign { to } => {
                if let Some(person) = &to {
                    self.check_person(person)?;
                }
                let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
                let from = std::mem::replace(&mut held.incident.owner, to.clone());
                held.incident.participants.extend(to.clone());
                let fact = Fact::Assigned { from, to: to.clone(), note: String::new() };
                self.tell_incident(now, number, by, now, fact);
                if let Some(person) = to.filter(|it| it.as_str() != by.name) {
                    let line = format!("It is yours now, says {}.", by.name);
                    self.notify(now, number, &person, &[line]);
                }
                Ok(true)
            }
            IncidentStep::Comment { text, occurred_at } => {
                if text.trim().is_empty() {
                    return Err(invalid("text", "must not be empty"));
                }
                check_text("text", &text)?;
                let occurred_at = occurred_at.unwrap_or(now);
                if occurred_at > later(now, CLOCK_SKEW) {
                    return Err(invalid("occurred_at", "must not lie in the future"));
                }
                self.comment(now, number, by, text, occurred_at);
                self.set_incident_timer(now, number);
                Ok(true)
            }
            IncidentStep::Edit(edit) => self.edit_incident(now, number, by, &edit),
            IncidentStep::Update(update) => self.update_incident(now, number, by, *update),
            IncidentStep::People(step) => self.people_step(now, number, by, step),
            IncidentStep::Relate(step) => self.relation_step(now, number, by, step),
            IncidentStep::Curate(step) => self.curate_step(now, number, by, step),
            IncidentStep::Task(step) => self.task_step(now, number, by, step),
            IncidentStep::Restrict(step) => self.restrict_step(now, number, by, step),
            IncidentStep::SetAlertRole { alert, role } => {
                self.set_alert_role(now, number, by, alert, role)
            }
            IncidentStep::CloseAnyway { note } => {
                if note.trim().is_empty() {
                    return Err(invalid("note", "must say why"));
                }
                check_text("note", &note)?;
                Ok(self.move_as_asked(now, number, by, Status::Closed, (note, None))?)
            }
        }
    }

    /// Whatever has to be done before an incident is closed is done.
    pub(super) fn check_closing(&self, number: IncidentNumber) -> Result<(), IncidentRejection> {
        let is_resolved = self.incident(number).is_some_and(|it| it.status() == Status::Resolved);
        let missing = self.missing_to_close(number);
        if is_resolved && !missing.is_empty() {
            return Err(IncidentRejection::Unfinished { incident: number, missing });
        }
        Ok(())
    }

    /// What goes on as part of another incident is not opened by itself.
    fn check_reopening(&self, number: IncidentNumber, to: Status) -> Result<(), IncidentRejection> {
        let merge = self.incident(number).and_then(|it| it.relations.merged_into.as_ref());
        match merge.filter(|_| to.is_active()) {
            Some(merge) => {
                let into = merge.into;
                Err(impossible(format!("it goes on as part of incident {into}; unmerge it")))
            }
            None => Ok(()),
        }
    }

    fn edit_incident(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        edit: &IncidentEdit,
    ) -> Result<bool, IncidentRejection> {
        let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
        let incident = &mut held.incident;
        let mut changed = incident.clone();
        if let Some(title) = &edit.title {
            check_title(title)?;
            changed.title = one_line(title);
        }
        if let Some(summary) = &edit.summary {
            check_text("summary", summary)?;
            changed.summary.clone_from(summary);
        }
        if let Some(service) = &edit.service {
            check_name("service", service)?;
            changed.labels = with_label(&changed.labels, SERVICE, service);
            changed.service.clone_from(service);
        }
        if let Some(team) = &edit.team {
            check_name("team", team)?;
            changed.labels = with_label(&changed.labels, TEAM, team);
        }
        changed.category = edit.category.or(changed.category);
        changed.evidence = edit.evidence.unwrap_or(changed.evidence);
        if let Some((field, message)) = changed.evidence.problem() {
            return Err(invalid(field, format!("must be {message}")));
        }
        edit.particulars.apply(&mut changed).map_err(said_wrong)?;
        set_times(&mut changed, edit, now, &by.name)?;
        let facts = super::incident_times::differences(incident, &changed);
        if facts.is_empty() {
            return Ok(false);
        }
        let has_evidence = incident.evidence != changed.evidence;
        let has_category = incident.category != changed.category;
        *incident = changed;
        if has_category {
            self.restrict_by_category(now, number);
        }
        for fact in facts {
            self.tell_incident(now, number, by, now, fact);
        }
        if has_evidence {
            self.classify_anew(now, number);
        }
        Ok(true)
    }

    /// More is known of the effects: that may make it worse by itself, never better.
    fn classify_anew(&mut self, now: Timestamp, number: IncidentNumber) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        let classified = classify(&held.incident.evidence);
        let from = held.incident.severity;
        if classified.severity >= from || held.incident.severity_by.is_some() {
            return;
        }
        held.incident.severity = classified.severity;
        let reason = classified.clause.text().to_owned();
        let fact = Fact::SeverityChanged { from, to: classified.severity, reason };
        self.tell_incident(now, number, &Author::system(), now, fact);
        self.was_worse(now, number);
    }

    pub(super) fn check_person(&self, person: &Handle) -> Result<(), IncidentRejection> {
        match self.directory.person(person.as_str()) {
            Some(known) if known.is_active => Ok(()),
            _ => Err(IncidentRejection::UnknownPerson { person: person.to_string() }),
        }
    }

    /// Returns who is behind a row, when that is a person with an account.
    pub(super) fn person_of(&self, by: &Author) -> Option<Handle> {
        let handle = Handle::parse(&by.name).ok().filter(|_| by.kind == AuthorKind::Person)?;
        self.directory.person(handle.as_str()).map(|_| handle)
    }

    fn incident_reply(
        &self,
        incident: IncidentNumber,
        has_changed: bool,
        is_new: bool,
    ) -> IncidentReply {
        let version = self.incident(incident).map_or(0, |it| it.version);
        IncidentReply { incident, version, has_changed, is_new }
    }
}

fn check_expected(incident: &Incident, expected: Expected) -> Result<(), IncidentRejection> {
    let is_version = expected.version.is_none_or(|it| it == incident.version);
    let is_status = expected.status.is_none_or(|it| it == incident.status());
    if is_version && is_status {
        return Ok(());
    }
    let last = incident.record.intervals().last();
    Err(IncidentRejection::Stale {
        incident: incident.number,
        status: incident.status(),
        version: incident.version,
        by: last.map(|it| it.by.clone()).unwrap_or_default(),
        since: incident.record.status_since(),
    })
}

/// Returns whether there is nothing left to do: two people often do the same at once, and neither
/// is wrong.
pub(super) fn is_done_already(incident: &Incident, step: &IncidentStep) -> bool {
    match step {
        IncidentStep::Move { to, .. } => incident.status() == *to,
        IncidentStep::SetSeverity { severity, .. } => {
            incident.severity == *severity && incident.severity_by.is_some()
        }
        IncidentStep::Assign { to } => incident.owner == *to,
        IncidentStep::Comment { .. }
        | IncidentStep::Edit(_)
        | IncidentStep::People(_)
        | IncidentStep::Update(_)
        | IncidentStep::Relate(_)
        | IncidentStep::Curate(_)
        | IncidentStep::Task(_)
        | IncidentStep::Restrict(_)
        | IncidentStep::SetAlertRole { .. } => false,
        IncidentStep::CloseAnyway { .. } => incident.status() == Status::Closed,
    }
}

fn action_of(step: &IncidentStep) -> &'static str {
    match step {
        IncidentStep::Move { to: Status::Acknowledged, .. } => "incident.acknowledge",
        IncidentStep::Move { to: Status::Resolved, .. } => "incident.resolve",
        IncidentStep::Move { to: Status::Closed, .. } => "incident.close",
        IncidentStep::Move { .. } => "incident.transition",
        IncidentStep::SetSeverity { .. } => "incident.severity",
        IncidentStep::Assign { .. } => "incident.assign",
        IncidentStep::Comment { .. } => "incident.comment",
        IncidentStep::Edit(_) => "incident.edit",
        IncidentStep::People(step) => step.action(),
        IncidentStep::Relate(step) => step.action(),
        IncidentStep::Update(_) => "incident.update",
        IncidentStep::Curate(step) => step.action(),
        IncidentStep::Task(step) => step.action(),
        IncidentStep::Restrict(step) => step.action(),
        IncidentStep::SetAlertRole { .. } => "incident.alert_role",
        IncidentStep::CloseAnyway { .. } => "incident.close_force",
    }
}

fn reason_of(step: &IncidentStep) -> String {
    match step {
        IncidentStep::Move { note, .. } => note.clone(),
        IncidentStep::SetSeverity { reason, .. } => reason.clone(),
        IncidentStep::Comment { text, .. } => text.clone(),
        IncidentStep::People(step) => step.reason().to_owned(),
        IncidentStep::Relate(RelationStep::ResolveAll { note, .. }) => note.clone(),
        IncidentStep::Curate(step) => step.reason().to_owned(),
        IncidentStep::Restrict(step) => step.reason().to_owned(),
        IncidentStep::CloseAnyway { note } => note.clone(),
        IncidentStep::Assign { .. }
        | IncidentStep::Edit(_)
        | IncidentStep::Relate(_)
        | IncidentStep::SetAlertRole { .. }
        | IncidentStep::Task(_) => String::new(),
        IncidentStep::Update(update) => update.note.clone(),
    }
}

/// Returns what the audit log keeps of an incident.
fn shown(incident: &Incident) -> serde_json::Value {
    json!({
        "title": incident.title,
        "status": incident.status(),
        "severity": incident.severity,
        "owner": incident.owner,
        "version": incident.version,
    })
}

fn said_wrong((field, message): (&'static str, String)) -> IncidentRejection {
    invalid(field, message)
}

fn check_draft(draft: &IncidentDraft, now: Timestamp) -> Result<(), IncidentRejection> {
    check_title(&draft.title)?;
    check_text("summary", &draft.summary)?;
    check_name("service", &draft.service)?;
    check_name("team", &draft.team)?;
    if let Some((field, message)) = draft.evidence.problem() {
        return Err(invalid(field, format!("must be {message}")));
    }
    if let Some(key) = &draft.idempotency_key
        && !(1..=MAX_IDEMPOTENCY_CHARS).contains(&key.chars().count())
    {
        let message = format!("must have 1 to {MAX_IDEMPOTENCY_CHARS} characters");
        return Err(invalid("idempotency_key", message));
    }
    match (draft.mode, draft.detected_at) {
        (_, Some(at)) if at > later(now, CLOCK_SKEW) => {
            Err(invalid("detected_at", "must not lie in the future"))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_title(title: &str) -> Result<(), IncidentRejection> {
    if title.trim().is_empty() {
        return Err(invalid("title", "must not be empty"));
    }
    if title.chars().count() > MAX_TITLE_CHARS {
        return Err(invalid("title", format!("must have at most {MAX_TITLE_CHARS} characters")));
    }
    Ok(())
}

fn check_name(field: &'static str, name: &str) -> Result<(), IncidentRejection> {
    if name.chars().count() > MAX_TITLE_CHARS || name.chars().any(char::is_control) {
        let message = format!("must be one line of at most {MAX_TITLE_CHARS} characters");
        return Err(invalid(field, message));
    }
    Ok(())
}

pub(super) fn check_text(field: &'static str, text: &str) -> Result<(), IncidentRejection> {
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(invalid(field, format!("must have at most {MAX_TEXT_CHARS} characters")));
    }
    Ok(())
}

pub(super) fn invalid(field: &'static str, message: impl Into<String>) -> IncidentRejection {
    IncidentRejection::Invalid { field, message: message.into() }
}

/// Returns that something cannot be done as things stand.
pub(super) fn impossible(why: impl Into<String>) -> IncidentRejection {
    IncidentRejection::Impossible { why: why.into() }
}
