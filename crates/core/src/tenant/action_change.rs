//! Action items and articles: written down, changed, done.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;

use super::Tenant;
use super::action_reminders::MAX_NAMED;
use super::lesson_change::{checked_tags, checked_text, checked_title, invalid};
use super::lessons::MAX_OPEN_ACTIONS;
use crate::action::{
    ActionDraft, ActionEdit, ActionId, ActionItem, ActionPriority, ActionStatus,
    MAX_ACTIONS_PER_INCIDENT, MAX_LINK_CHARS, MAX_RECURRENCES,
};
use crate::audit::AuditNote;
use crate::identity::Handle;
use crate::incident::{Author, Fact, Incident, IncidentNumber};
use crate::knowledge::{Article, ArticleDraft, ArticleNumber, MAX_ARTICLE_CHARS, MAX_SCOPE_CHARS};
use crate::lesson::{LessonRejection, LessonReply, LessonSubject};
use crate::paging::Urgency;

type Done = (LessonReply, Option<AuditNote>);

impl Tenant {
    pub(super) fn add_action(
        &mut self,
        now: Timestamp,
        by: &Author,
        incident: IncidentNumber,
        draft: ActionDraft,
    ) -> Result<Done, LessonRejection> {
        if incident.0 == 0 || incident > self.highest.incident {
            return Err(LessonRejection::UnknownIncident { incident });
        }
        let title = checked_title(&draft.title)?;
        checked_text("description", &draft.description)?;
        check_link(&draft.link)?;
        if let Some(owner) = &draft.owner {
            self.check_owner(owner)?;
            self.check_reader(incident, owner)?;
        }
        if let Some(same) = self.actions().find(|it| {
            it.id.incident == incident && !draft.rule.is_empty() && it.rule == draft.rule
        }) {
            return Ok((reply(same, false, false), None));
        }
        let number = self.lessons.action_numbers.get(&incident).copied().unwrap_or(0) + 1;
        if number > MAX_ACTIONS_PER_INCIDENT {
            return Err(LessonRejection::too_many_actions());
        }
        if self.actions().filter(|it| it.status.is_open()).count() >= MAX_OPEN_ACTIONS {
            return Err(LessonRejection::TooMany { limit: MAX_OPEN_ACTIONS as u64 });
        }
        let severity = self.incident(incident).map(|it| it.severity).unwrap_or_default();
        let priority = draft.priority.unwrap_or_else(|| ActionPriority::of(severity));
        let due_at = draft.due_at.unwrap_or_else(|| super::later(now, priority.time()));
        let id = ActionId { incident, number };
        self.lessons.action_numbers.insert(incident, number);
        self.write_action(
            now,
            ActionItem {
                id,
                version: 0,
                title: title.clone(),
                description: draft.description,
                priority,
                category: draft.category,
                owner: draft.owner,
                due_at,
                status: ActionStatus::Open,
                reason: String::new(),
                link: draft.link,
                rule: draft.rule,
                created_at: now,
                created_by: by.clone(),
                changed_at: now,
                changed_by: String::new(),
                completed_at: None,
                recurred: Vec::new(),
                reminded_at: None,
                reminders: 0,
            },
            &by.name,
        );
        let note = format!("was promised as {priority}");
        self.tell_incident(now, incident, by, now, Fact::Action { action: id, title, note });
        let Some(item) = self.action(id) else {
            return Err(LessonRejection::UnknownAction { id });
        };
        let note = AuditNote::new("action.add", format!("action/{id}")).after(shown(item));
        Ok((reply(item, true, true), Some(note)))
    }

    pub(super) fn edit_action(
        &mut self,
        now: Timestamp,
        by: &Author,
        (id, expected): (ActionId, Option<u64>),
        edit: ActionEdit,
    ) -> Result<Done, LessonRejection> {
        let Some(before) = self.action(id).cloned() else {
            return Err(LessonRejection::UnknownAction { id });
        };
        if expected.is_some_and(|it| it != before.version) {
            let (version, at) = (before.version, before.changed_at);
            let by = match before.changed_by.as_str() {
                "" => "somebody",
                by => by,
            };
            return Err(LessonRejection::Stale { version, by: by.to_owned(), at });
        }
        let mut it = before.clone();
        if let Some(title) = &edit.title {
            it.title = checked_title(title)?;
        }
        if let Some(description) = edit.description {
            checked_text("description", &description)?;
            it.description = description;
        }
        if let Some(link) = edit.link {
            check_link(&link)?;
            it.link = link;
        }
        if let Some(owner) = edit.owner {
            if let Some(owner) = &owner {
                self.check_owner(owner)?;
                self.check_reader(id.incident, owner)?;
            }
            it.owner = owner;
        }
        it.priority = edit.priority.unwrap_or(it.priority);
        it.category = edit.category.unwrap_or(it.category);
        it.due_at = edit.due_at.unwrap_or(it.due_at);
        it.status = edit.status.unwrap_or(it.status);
        if let Some(reason) = edit.reason {
            checked_text("reason", &reason)?;
            it.reason = reason;
        }
        let is_put_off = it.status == ActionStatus::Deferred && before.status != it.status;
        if is_put_off && (it.reason.trim().is_empty() || it.due_at <= now) {
            return Err(invalid(
                "reason",
                "must say why it is put off, and `due_at` until when; that must lie ahead",
            ));
        }
        if it.status != ActionStatus::Deferred {
            it.reason.clear();
        }
        it.completed_at = match it.status {
            ActionStatus::Completed => it.completed_at.or(Some(now)),
            _ => None,
        };
        if it == before {
            return Ok((reply(&before, false, false), None));
        }
        if it.due_at != before.due_at || it.owner != before.owner {
            // Whoever has it now, or has it until then, has not heard of it.
            (it.reminded_at, it.reminders) = (None, 0);
        }
        let (status, title) = (it.status, it.title.clone());
        self.write_action(now, it, &by.name);
        if status != before.status {
            let note = format!("is {}", status.as_str().replace('_', " "));
            let fact = Fact::Action { action: id, title, note };
            self.tell_incident(now, id.incident, by, now, fact);
        }
        let item = self.action(id).unwrap_or(&before);
        let note = AuditNote::new("action.edit", format!("action/{id}"));
        let note = note.before(shown(&before)).after(shown(item)).because(&item.reason);
        Ok((reply(item, true, false), Some(note)))
    }

    /// Returns what was promised after earlier incidents and is still open, as far as everybody may
    /// know of it who may know of this incident.
    pub fn promised_after(
        &self,
        incident: &Incident,
        earlier: &BTreeSet<IncidentNumber>,
    ) -> Vec<ActionItem> {
        self.open_after(incident.number, earlier)
            .filter(|it| self.is_shared(incident, it.id.incident))
            .cloned()
            .collect()
    }

    fn open_after(
        &self,
        incident: IncidentNumber,
        earlier: &BTreeSet<IncidentNumber>,
    ) -> impl Iterator<Item = &ActionItem> {
        let is_earlier = move |of: &IncidentNumber| *of != incident && earlier.contains(of);
        self.actions().filter(move |it| it.status.is_open() && is_earlier(&it.id.incident))
    }

    /// Returns whether everybody who may know of an incident may know of an earlier one. As long as
    /// something promised after it is open, memory holds that.
    fn is_shared(&self, incident: &Incident, earlier: IncidentNumber) -> bool {
        self.incident(earlier).is_some_and(|it| it.is_open_to_readers_of(incident))
    }

    /// Whatever was promised after earlier incidents about the same and is still open gets a note,
    /// and so does the incident that goes on: the strongest argument for doing it. Whoever promised
    /// it and whoever has the incident are told at once, as far as they may know of both.
    pub(super) fn note_recurrence(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        earlier: &[IncidentNumber],
    ) -> LessonReply {
        let earlier: BTreeSet<IncidentNumber> = earlier.iter().copied().collect();
        let incident = self.incident(number).cloned();
        let is_tracked = self.policy.incidents.automation.tracks_actions;
        let open: Vec<ActionItem> = self
            .open_after(number, &earlier)
            .filter(|it| !it.recurred.contains(&number) && it.recurred.len() < MAX_RECURRENCES)
            .filter(|_| incident.is_some() && is_tracked)
            .cloned()
            .collect();
        let has_changed = !open.is_empty();
        if let Some(incident) = incident.filter(|_| has_changed) {
            self.tell_of_recurrence(now, &incident, &open);
            for mut it in open {
                let (action, title) = (it.id, it.title.clone());
                it.recurred.push(number);
                self.write_action(now, it, "tocsin");
                if !self.is_shared(&incident, action.incident) {
                    continue;
                }
                let note = format!("is still open, and this is like incident {}", action.incident);
                let system = Author::system();
                self.tell_incident(now, number, &system, now, Fact::Action { action, title, note });
            }
        }
        let version = self.incident(number).map_or(0, |it| it.version);
        LessonReply { subject: LessonSubject::Actions, version, has_changed, is_new: false }
    }

    /// One message for each, with all that concerns them.
    fn tell_of_recurrence(&mut self, now: Timestamp, incident: &Incident, open: &[ActionItem]) {
        if !incident.is_told() {
            return;
        }
        let mut told: BTreeMap<Handle, Vec<String>> = BTreeMap::new();
        for item in open {
            let Some(earlier) = self.incident(item.id.incident) else { continue };
            let people: BTreeSet<&Handle> = item.owner.iter().chain(&incident.owner).collect();
            for person in people {
                if self.may_know(incident, person) && self.may_know(earlier, person) {
                    let whose = item.owner.as_ref().map_or("nobody", Handle::as_str);
                    let line = format!("{} ({}, {whose}): {}", item.id, item.priority, item.title);
                    told.entry(person.clone()).or_default().push(line);
                }
            }
        }
        for (person, mut lines) in told {
            let count = lines.len();
            if count > MAX_NAMED {
                lines.truncate(MAX_NAMED);
                lines.push(format!("and {} more", count - MAX_NAMED));
            }
            let about = format!("{} ({})", incident.title, incident.severity);
            lines.insert(0, format!("Incident {} is about the same: {about}", incident.number));
            let title = match count {
                1 => "It came back, and an action item is still open".to_owned(),
                many => format!("It came back, and {many} action items are still open"),
            };
            // Nobody is woken for what they promised some time ago.
            self.tell_person(now, incident.number, &person, title, Urgency::Low, &lines);
        }
    }

    pub(super) fn set_article(
        &mut self,
        now: Timestamp,
        by: &Author,
        (number, expected): (Option<ArticleNumber>, Option<u64>),
        mut draft: ArticleDraft,
    ) -> Result<Done, LessonRejection> {
        draft.title = checked_title(&draft.title)?;
        if draft.body.trim().is_empty() {
            return Err(invalid("body", "must not be empty"));
        }
        if draft.body.chars().count() > MAX_ARTICLE_CHARS {
            let message = format!("must have at most {MAX_ARTICLE_CHARS} characters");
            return Err(invalid("body", message));
        }
        for (field, value) in [("service", &draft.service), ("team", &draft.team)] {
            let is_line = !value.chars().any(char::is_control);
            if !is_line || value.chars().count() > MAX_SCOPE_CHARS {
                let message = format!("must be one line of at most {MAX_SCOPE_CHARS} characters");
                return Err(invalid(field, message));
            }
        }
        draft.tags = checked_tags(draft.tags)?;
        let before = match number {
            None => None,
            Some(number) => match self.article(number).cloned() {
                None => return Err(LessonRejection::UnknownArticle { number }),
                Some(it) if expected.is_some_and(|version| version != it.version) => {
                    let (version, at) = (it.version, it.changed_at);
                    return Err(LessonRejection::Stale { version, by: it.changed_by, at });
                }
                known => known,
            },
        };
        let answer = |it: &Article, has_changed, is_new| LessonReply {
            subject: LessonSubject::Article(it.number),
            version: it.version,
            has_changed,
            is_new,
        };
        if let Some(same) = before.as_ref().filter(|it| it.content == draft) {
            return Ok((answer(same, false, false), None));
        }
        let is_new = before.is_none();
        let article = Article {
            number: number.unwrap_or(ArticleNumber(self.lessons.highest_article.0 + 1)),
            version: before.as_ref().map_or(0, |it| it.version) + 1,
            content: draft,
            created_at: before.as_ref().map_or(now, |it| it.created_at),
            created_by: before.as_ref().map_or_else(|| by.name.clone(), |it| it.created_by.clone()),
            changed_at: now,
            changed_by: by.name.clone(),
        };
        self.lessons.highest_article = self.lessons.highest_article.max(article.number);
        let subject = format!("article/{}", article.number);
        let told = json!({ "title": article.content.title, "version": article.version });
        let reply = answer(&article, true, is_new);
        self.recorder.lessons.articles.push(article.clone());
        self.lessons.articles.insert(article.number, article);
        Ok((reply, Some(AuditNote::new("article.set", subject).after(told))))
    }
}

fn reply(item: &ActionItem, has_changed: bool, is_new: bool) -> LessonReply {
    let (subject, version) = (LessonSubject::Action(item.id), item.version);
    LessonReply { subject, version, has_changed, is_new }
}

fn check_link(link: &str) -> Result<(), LessonRejection> {
    let is_web = link.starts_with("https://") || link.starts_with("http://");
    let is_line = !link.chars().any(|c| c.is_control() || c.is_whitespace());
    let is_link = is_web && is_line && link.chars().count() <= MAX_LINK_CHARS;
    if !link.is_empty() && !is_link {
        let message =
            format!("must be an http or https address of at most {MAX_LINK_CHARS} characters");
        return Err(invalid("link", message));
    }
    Ok(())
}

/// Returns what the audit log keeps of an action item.
fn shown(it: &ActionItem) -> serde_json::Value {
    json!({
        "title": it.title,
        "status": it.status,
        "priority": it.priority,
        "owner": it.owner,
        "due_at": it.due_at,
        "version": it.version,
    })
}
