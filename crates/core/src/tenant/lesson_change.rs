//! What people and programs do about what is learned.

use std::collections::BTreeSet;

use compact_str::CompactString;
use jiff::Timestamp;
use serde_json::json;

use super::Tenant;
use crate::audit::AuditNote;
use crate::command::Rejection;
use crate::identity::{Actor, Handle};
use crate::incident::{Author, AuthorKind, Fact, IncidentNumber, MAX_TEXT_CHARS, MAX_TITLE_CHARS};
use crate::lesson::{LessonChange, LessonRejection, LessonReply, LessonSubject};
use crate::postmortem::{
    MAX_POSTMORTEM_COMMENTS, MAX_TAG_CHARS, MAX_TAGS, Postmortem, PostmortemComment,
    PostmortemDraft, PostmortemEdit, PostmortemState, PostmortemStep, Section, SectionName,
    allowed_from, due_at,
};

type Done = (LessonReply, Option<AuditNote>);

impl Tenant {
    /// Carries out a change; the note is for the audit log, `None` when nothing changed.
    pub(super) fn change_lesson(
        &mut self,
        now: Timestamp,
        actor: &Actor,
        change: LessonChange,
    ) -> Result<Done, Rejection> {
        let by = Author::of(actor);
        let done = match change {
            LessonChange::Postmortem { incident, expected, stored, step } => {
                // What memory holds is newer than what the store had when the command was made.
                if let Some(stored) = stored.filter(|it| it.incident == incident) {
                    self.lessons.postmortems.entry(incident).or_insert(*stored);
                }
                self.step_postmortem(now, &by, (incident, expected), step)?
            }
            LessonChange::AddAction { incident, draft } => {
                self.add_action(now, &by, incident, *draft)?
            }
            LessonChange::EditAction { id, expected, stored, edit } => {
                if let Some(stored) = stored.filter(|it| it.id == id) {
                    self.lessons.actions.entry(id).or_insert(*stored);
                }
                self.edit_action(now, &by, (id, expected), *edit)?
            }
            LessonChange::NoteRecurrence { incident, earlier } => {
                (self.note_recurrence(now, incident, &earlier), None)
            }
            LessonChange::SetArticle { number, expected, stored, draft } => {
                if let Some(stored) = stored.filter(|it| Some(it.number) == number) {
                    self.lessons.articles.entry(stored.number).or_insert(*stored);
                }
                self.set_article(now, &by, (number, expected), *draft)?
            }
        };
        Ok(done)
    }

    fn step_postmortem(
        &mut self,
        now: Timestamp,
        by: &Author,
        (incident, expected): (IncidentNumber, Option<u64>),
        step: PostmortemStep,
    ) -> Result<Done, LessonRejection> {
        let Some(known) = self.postmortem(incident).cloned() else {
            return match step {
                PostmortemStep::Begin => self.begin_by_hand(now, by, incident),
                _ => Err(LessonRejection::NoPostmortem { incident }),
            };
        };
        let (before, version) = (shown(&known), known.version);
        if expected.is_some_and(|it| it != version) {
            let (by, at) = (known.changed_by, known.changed_at);
            return Err(LessonRejection::Stale { version, by, at });
        }
        let (action, reason) = match &step {
            PostmortemStep::Begin => ("postmortem.begin", String::new()),
            PostmortemStep::Draft(_) => ("postmortem.draft", String::new()),
            PostmortemStep::Edit(_) => ("postmortem.edit", String::new()),
            PostmortemStep::Move { to, reason, .. } => (action_of(*to), reason.clone()),
            PostmortemStep::Comment { text, .. } => ("postmortem.comment", text.clone()),
        };
        let has_changed = match step {
            PostmortemStep::Begin => false,
            PostmortemStep::Draft(draft) => self.put_draft(now, by, known, *draft)?,
            PostmortemStep::Edit(edit) => self.edit_postmortem(now, by, &known, *edit)?,
            PostmortemStep::Move { to, reason, frozen } => {
                self.move_postmortem(now, by, known, to, (reason, frozen))?
            }
            PostmortemStep::Comment { section, text } => {
                self.comment_postmortem(now, by, known, section, text)?
            }
        };
        let after = self.postmortem(incident);
        let reply = LessonReply {
            subject: LessonSubject::Postmortem(incident),
            version: after.map_or(version, |it| it.version),
            has_changed,
            is_new: false,
        };
        if !has_changed {
            return Ok((reply, None));
        }
        let note = AuditNote::new(action, format!("postmortem/{incident}")).because(&reason);
        let after = after.map(shown).unwrap_or_default();
        Ok((reply, Some(note.before(before).after(after))))
    }

    fn begin_by_hand(
        &mut self,
        now: Timestamp,
        by: &Author,
        incident: IncidentNumber,
    ) -> Result<Done, LessonRejection> {
        let Some(it) = self.incident(incident) else {
            return Err(LessonRejection::UnknownIncident { incident });
        };
        if it.is_active() {
            return Err(LessonRejection::GoesOn { incident });
        }
        let is_required = self.policy.incidents.requires_postmortem(it.severity);
        let resolved_at = it.record.cycle().resolved_at.unwrap_or(now);
        let due_at =
            is_required.then(|| due_at(self.policy.incidents.targets(it.severity), resolved_at));
        self.begin_postmortem(now, incident, by, due_at);
        let subject = LessonSubject::Postmortem(incident);
        let version = self.postmortem(incident).map_or(0, |it| it.version);
        let reply = LessonReply { subject, version, has_changed: true, is_new: true };
        let note = AuditNote::new("postmortem.begin", format!("postmortem/{incident}"));
        Ok((reply, Some(note.after(self.postmortem(incident).map(shown).unwrap_or_default()))))
    }

    fn put_draft(
        &mut self,
        now: Timestamp,
        by: &Author,
        mut it: Postmortem,
        draft: PostmortemDraft,
    ) -> Result<bool, LessonRejection> {
        self.take_up_again(&mut it);
        if !it.state.is_editable() {
            return Err(LessonRejection::Settled { state: it.state });
        }
        // Somebody asked for it meanwhile, and may be writing already.
        if by.kind == AuthorKind::System && it.drafted_at.is_some() {
            return Ok(false);
        }
        let is_known =
            |current: &crate::incident::Incident| current.version == draft.incident_version;
        if !self.incident(it.incident).is_none_or(is_known) {
            return Err(LessonRejection::Outdated);
        }
        for name in SectionName::ALL {
            let sentences = draft.sections.get(&name).cloned().unwrap_or_default();
            if !sentences.is_empty() || it.sections.contains_key(&name) {
                it.sections.entry(name).or_default().drafted = sentences;
            }
        }
        it.recommendations = draft.recommendations;
        it.drafted_at = Some(now);
        it.drafted_from = draft.incident_version;
        self.write_postmortem(now, it, &by.name);
        Ok(true)
    }

    fn edit_postmortem(
        &mut self,
        now: Timestamp,
        by: &Author,
        before: &Postmortem,
        edit: PostmortemEdit,
    ) -> Result<bool, LessonRejection> {
        let mut it = before.clone();
        if let Some(title) = &edit.title {
            it.title = checked_title(title)?;
        }
        if let Some(owner) = edit.owner {
            if let Some(owner) = &owner {
                self.check_owner(owner)?;
                self.check_reader(it.incident, owner)?;
            }
            it.owner = owner;
        }
        it.review_at = edit.review_at.unwrap_or(it.review_at);
        if let Some(tags) = edit.tags {
            it.tags = checked_tags(tags)?;
        }
        for (name, text) in edit.sections {
            let section = it.sections.entry(name).or_default();
            if section.text == text {
                continue;
            }
            if let Some(text) = &text {
                checked_text(name.as_str(), text)?;
            }
            section.edited_by = text.is_some().then(|| by.name.clone());
            section.edited_at = text.is_some().then_some(now);
            section.text = text;
        }
        it.sections.retain(|_, section| *section != Section::default());
        if it == *before {
            return Ok(false);
        }
        // Who sees to it and when people meet may change until it is published.
        let has_words = it.sections != before.sections || it.title != before.title;
        let is_allowed = if has_words { it.state.is_editable() } else { it.state.is_open() };
        if !is_allowed {
            return Err(LessonRejection::Settled { state: it.state });
        }
        let incident = it.incident;
        let owner = it.owner.clone().filter(|_| it.owner != before.owner);
        let owner = owner.filter(|owner| owner.as_str() != by.name);
        self.write_postmortem(now, it, &by.name);
        let line = format!("Its postmortem is yours now, says {}.", by.name);
        self.notify_later(now, incident, &owner.into_iter().collect(), &[line]);
        Ok(true)
    }

    fn move_postmortem(
        &mut self,
        now: Timestamp,
        by: &Author,
        mut it: Postmortem,
        to: PostmortemState,
        (reason, frozen): (String, Option<Box<crate::postmortem::LiveBlocks>>),
    ) -> Result<bool, LessonRejection> {
        let from = it.state;
        if from == to {
            return Ok(false);
        }
        checked_text("reason", &reason)?;
        if !allowed_from(from).contains(&to) {
            return Err(LessonRejection::Never { from, to });
        }
        if from.needs_reason(to) && reason.trim().is_empty() {
            return Err(LessonRejection::Unexplained { from, to });
        }
        if to == PostmortemState::Scheduled && it.review_at.is_none() {
            return Err(invalid("review_at", "must be set before it is scheduled"));
        }
        if matches!(to, PostmortemState::Completed | PostmortemState::Published) {
            let missing = it.missing();
            if !missing.is_empty() {
                return Err(LessonRejection::Incomplete { missing });
            }
        }
        it.state = to;
        it.waived_because = (to == PostmortemState::Waived).then(|| reason.clone());
        it.frozen = None;
        let incident = it.incident;
        if to == PostmortemState::Published {
            let frozen = frozen.ok_or(LessonRejection::Outdated)?;
            let is_same =
                |known: &crate::incident::Incident| known.version == frozen.incident_version;
            if !self.incident(incident).is_none_or(is_same) {
                return Err(LessonRejection::Outdated);
            }
            it.frozen = Some(frozen);
            it.published_at = Some(now);
        }
        if let Some(held) = self.incidents.held.get_mut(&incident) {
            held.incident.postmortem = Some(to);
            if to == PostmortemState::Published {
                // Published again it is still the first time that counts.
                held.incident.measure.postmortem_at.get_or_insert(now);
            }
        }
        self.write_postmortem(now, it, &by.name);
        self.tell_incident(now, incident, by, now, Fact::Postmortem { state: to, note: reason });
        if to == PostmortemState::Published {
            self.tell_of_published(now, incident, by);
        }
        Ok(true)
    }

    /// Whoever worked on an incident or followed it may read what was learned.
    fn tell_of_published(&mut self, now: Timestamp, number: IncidentNumber, by: &Author) {
        let Some(incident) = self.incident(number) else { return };
        let mut people = incident.participants.clone();
        people.extend(incident.crew.subscribers.iter().cloned());
        people.retain(|person| person.as_str() != by.name);
        let line = format!("Its postmortem is published, says {}.", by.name);
        self.notify_later(now, number, &people, &[line]);
    }

    fn comment_postmortem(
        &mut self,
        now: Timestamp,
        by: &Author,
        mut it: Postmortem,
        section: Option<SectionName>,
        text: String,
    ) -> Result<bool, LessonRejection> {
        if text.trim().is_empty() {
            return Err(invalid("text", "must not be empty"));
        }
        checked_text("text", &text)?;
        if it.comments >= MAX_POSTMORTEM_COMMENTS {
            return Err(LessonRejection::TooMany { limit: MAX_POSTMORTEM_COMMENTS });
        }
        it.comments += 1;
        let (incident, number) = (it.incident, it.comments);
        let comment =
            PostmortemComment { incident, number, at: now, by: by.clone(), section, text };
        self.recorder.lessons.comments.push(comment);
        self.lessons.commented.insert(incident, now);
        // A comment is no new version of what it is about.
        self.recorder.lessons.postmortems.push(it.clone());
        self.lessons.postmortems.insert(incident, it);
        Ok(true)
    }

    /// Whoever has something to do about a restricted incident has to be one who may see it.
    pub(super) fn check_reader(
        &self,
        incident: IncidentNumber,
        person: &Handle,
    ) -> Result<(), LessonRejection> {
        match self.incident(incident) {
            Some(it) if !self.may_know(it, person) => Err(invalid(
                "owner",
                "may not see the incident; name them in the restriction first",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn check_owner(&self, owner: &Handle) -> Result<(), LessonRejection> {
        match self.directory.person(owner.as_str()) {
            Some(known) if known.is_active => Ok(()),
            _ => Err(LessonRejection::UnknownPerson { person: owner.to_string() }),
        }
    }
}

fn action_of(to: PostmortemState) -> &'static str {
    match to {
        PostmortemState::Published => "postmortem.publish",
        PostmortemState::Waived => "postmortem.waive",
        _ => "postmortem.move",
    }
}

/// Returns what the audit log keeps of a postmortem.
fn shown(it: &Postmortem) -> serde_json::Value {
    json!({
        "title": it.title,
        "state": it.state,
        "owner": it.owner,
        "version": it.version,
        "comments": it.comments,
    })
}

pub(super) fn checked_title(title: &str) -> Result<String, LessonRejection> {
    let line: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    if line.is_empty() {
        return Err(invalid("title", "must not be empty"));
    }
    if line.chars().count() > MAX_TITLE_CHARS {
        return Err(invalid("title", format!("must have at most {MAX_TITLE_CHARS} characters")));
    }
    Ok(line.to_owned())
}

pub(super) fn checked_text(field: &'static str, text: &str) -> Result<(), LessonRejection> {
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(invalid(field, format!("must have at most {MAX_TEXT_CHARS} characters")));
    }
    Ok(())
}

pub(super) fn checked_tags(
    tags: BTreeSet<CompactString>,
) -> Result<BTreeSet<CompactString>, LessonRejection> {
    if tags.len() > MAX_TAGS {
        return Err(invalid("tags", format!("must be at most {MAX_TAGS}")));
    }
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    for tag in &tags {
        if tag.is_empty() || tag.chars().count() > MAX_TAG_CHARS || !tag.chars().all(is_plain) {
            let message = format!(
                "must be words of at most {MAX_TAG_CHARS} letters, digits, `-`, `_`, `.` and `:`"
            );
            return Err(invalid("tags", message));
        }
    }
    Ok(tags.into_iter().map(|tag| tag.to_lowercase()).collect())
}

pub(super) fn invalid(field: &'static str, message: impl Into<String>) -> LessonRejection {
    LessonRejection::Invalid { field, message: message.into() }
}
