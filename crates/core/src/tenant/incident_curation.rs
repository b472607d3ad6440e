//! Comments name people, and rows of timelines are pinned, corrected, blacked out and imported.

use std::collections::BTreeSet;

use compact_str::CompactString;
use jiff::Timestamp;

use super::incident_change::{CLOCK_SKEW, check_text, impossible, invalid};
use super::{Tenant, later};
use crate::identity::Handle;
use crate::incident::{
    Author, CurateStep, Fact, FoundRow, Imported, Incident, IncidentNumber, IncidentRejection,
    MAX_BLACKED_OUT, MAX_CAPTION_CHARS, MAX_IMPORTED, MAX_MARKS, Mark, MarkEdit, Mention,
    OWN_REVISION_WINDOW, mentions,
};
use crate::oncall::Pick;
use crate::text::one_line;

/// The most people who are told that a comment names them; a team larger than that is not told.
const MAX_NAMED: usize = 50;

/// The most characters of a name somewhere else.
const MAX_AUTHOR_CHARS: usize = 100;

type Changed = Result<bool, IncidentRejection>;

impl Tenant {
    /// Does something with rows of a timeline; returns whether that changed anything.
    pub(super) fn curate_step(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        step: CurateStep,
    ) -> Changed {
        match step {
            CurateStep::Mark { row, edit } => self.mark_row(now, number, by, &row, edit),
            CurateStep::Revise { row, text, may_all } => {
                self.revise_row(now, number, by, &row, (text, may_all))
            }
            CurateStep::Redact { row, reason } => self.redact_row(now, number, by, &row, reason),
            CurateStep::Import { rows, source } => self.import_rows(now, number, by, rows, &source),
        }
    }

    /// Writes a comment, and tells those whom it names.
    pub(super) fn comment(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        text: String,
        occurred_at: Timestamp,
    ) {
        let author = self.person_of(by);
        let (named, unknown) = self.named_in(now, number, by, &text);
        let told: BTreeSet<Handle> = named.iter().cloned().collect();
        if let Some(held) = self.incidents.held.get_mut(&number) {
            held.incident.participants.extend(author);
            held.incident.told_at = Some(now);
        }
        let line = format!("{} names you: {}", by.name, one_line(&text));
        let mentions = named.into_iter().collect();
        let fact = Fact::Commented { text, mentions, unknown };
        self.tell_incident(now, number, by, occurred_at, fact);
        self.notify_all(now, number, &told, &[line]);
    }

    /// Returns whom a text names, but not whoever wrote it, and what names nobody.
    fn named_in(
        &self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        text: &str,
    ) -> (BTreeSet<Handle>, Vec<String>) {
        let Some(incident) = self.incident(number) else { return Default::default() };
        let mut named = BTreeSet::new();
        let mut unknown = Vec::new();
        for mention in mentions(text) {
            let (word, found) = self.people_meant(now, incident, &mention);
            if found.is_empty() || found.len() > MAX_NAMED {
                unknown.push(word);
            } else {
                named.extend(found);
            }
        }
        named.retain(|it| it.as_str() != by.name);
        if named.len() > MAX_NAMED {
            named = named.into_iter().take(MAX_NAMED).collect();
        }
        let (can_see, cannot): (BTreeSet<Handle>, BTreeSet<Handle>) =
            named.into_iter().partition(|it| self.may_know(incident, it));
        unknown.extend(cannot.iter().map(|it| format!("{it} (may not see it)")));
        (can_see, unknown)
    }

    fn people_meant(
        &self,
        now: Timestamp,
        incident: &Incident,
        mention: &Mention,
    ) -> (String, BTreeSet<Handle>) {
        let is_active =
            |it: &Handle| self.directory.person(it.as_str()).is_some_and(|it| it.is_active);
        let (word, mut found): (String, BTreeSet<Handle>) = match mention {
            Mention::Person(name) => (name.clone(), Handle::parse(name).into_iter().collect()),
            Mention::Team(name) => {
                let team = self.directory.team(name);
                let members = team.into_iter().flat_map(|team| &team.members);
                (format!("team:{name}"), members.map(|it| it.handle.clone()).collect())
            }
            Mention::OnCall(name) => {
                let name = std::sync::Arc::from(name.as_str());
                let on_call = self.roster.on_call(&name, &Pick::Current, now);
                (format!("oncall:{name}"), on_call.into_iter().flat_map(|it| it.people).collect())
            }
            Mention::Role(role) => {
                (format!("role:{role}"), incident.crew.holders(*role).cloned().collect())
            }
            Mention::Here => {
                let all = incident.participants.iter().cloned().chain(incident.crew.people());
                ("here".to_owned(), all.collect())
            }
        };
        found.retain(is_active);
        (word, found)
    }

    fn mark_row(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        row: &FoundRow,
        edit: MarkEdit,
    ) -> Changed {
        if let Some(caption) = &edit.caption
            && caption.chars().count() > MAX_CAPTION_CHARS
        {
            let message = format!("must have at most {MAX_CAPTION_CHARS} characters");
            return Err(invalid("caption", message));
        }
        let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
        let marks = &mut held.incident.marks;
        let before = marks.get(&row.seq).cloned().unwrap_or_default();
        let mut mark = before.clone();
        mark.is_pinned = edit.pinned.unwrap_or(mark.is_pinned);
        mark.is_key_moment = edit.key_moment.unwrap_or(mark.is_key_moment);
        if let Some(caption) = &edit.caption {
            mark.caption = one_line(caption);
        }
        if let Some(position) = edit.position {
            mark.position = Some(position).filter(|it| *it > 0);
        }
        if mark == before {
            return Ok(false);
        }
        self.set_mark(number, row.seq, mark)?;
        self.tell_incident(now, number, by, now, Fact::Marked { row: row.seq, edit });
        Ok(true)
    }

    fn set_mark(
        &mut self,
        number: IncidentNumber,
        row: u64,
        mark: Mark,
    ) -> Result<(), IncidentRejection> {
        let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(()) };
        let marks = &mut held.incident.marks;
        let is_redacted = |mark: &Mark| mark.redacted_at.is_some();
        let limit = if is_redacted(&mark) { MAX_BLACKED_OUT } else { MAX_MARKS };
        let alike = || marks.values().filter(|it| is_redacted(it) == is_redacted(&mark)).count();
        let has_place = marks.get(&row).is_some_and(|it| is_redacted(it) == is_redacted(&mark));
        if mark.is_empty() {
            marks.remove(&row);
        } else if has_place || alike() < limit {
            marks.insert(row, mark);
        } else {
            let what = if is_redacted(&mark) { "blacked out" } else { "marked" };
            return Err(impossible(format!("{limit} rows are {what} already")));
        }
        Ok(())
    }

    fn revise_row(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        row: &FoundRow,
        (text, may_all): (String, bool),
    ) -> Changed {
        if text.trim().is_empty() {
            return Err(invalid("text", "must not be empty; redact the row instead"));
        }
        check_text("text", &text)?;
        if !row.is_text {
            let why = "it says what happened; only what people wrote can be corrected";
            return Err(impossible(why));
        }
        let is_own = row.by == by.name && now < later(row.recorded_at, OWN_REVISION_WINDOW);
        if !is_own && !may_all {
            let minutes = OWN_REVISION_WINDOW.as_mins();
            return Err(impossible(format!(
                "only whoever wrote it may correct it, for {minutes} minutes; \
                 later, somebody who may edit times"
            )));
        }
        let mark = self.mark_of(number, row.seq);
        if mark.redacted_at.is_some() {
            return Err(impossible("it is blacked out"));
        }
        let Some(incident) = self.incident(number) else { return Ok(false) };
        // The place of the row that is about to be written.
        let revision = Some(incident.entries + 1);
        self.set_mark(number, row.seq, Mark { revision, ..mark })?;
        self.tell_incident(now, number, by, now, Fact::Revised { row: row.seq, text });
        Ok(true)
    }

    fn redact_row(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        row: &FoundRow,
        reason: String,
    ) -> Changed {
        if reason.trim().is_empty() {
            return Err(invalid("reason", "must say why"));
        }
        check_text("reason", &reason)?;
        let mark = self.mark_of(number, row.seq);
        if mark.redacted_at.is_some() {
            return Ok(false);
        }
        let mark =
            Mark { redacted_at: Some(now), is_pinned: false, caption: String::new(), ..mark };
        self.set_mark(number, row.seq, mark)?;
        self.tell_incident(now, number, by, now, Fact::Redacted { row: row.seq, reason });
        self.draft_anew(now, number);
        Ok(true)
    }

    fn mark_of(&self, number: IncidentNumber, row: u64) -> Mark {
        self.incident(number).and_then(|it| it.marks.get(&row)).cloned().unwrap_or_default()
    }

    /// Rows for what was said elsewhere, each at its own time. All of them are taken, or none.
    fn import_rows(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        rows: Vec<Imported>,
        source: &CompactString,
    ) -> Changed {
        if rows.is_empty() || rows.len() > MAX_IMPORTED {
            let message = format!("must have 1 to {MAX_IMPORTED} messages");
            return Err(invalid("text", message));
        }
        for row in &rows {
            check_text("text", &row.text)?;
            if row.text.trim().is_empty() {
                return Err(invalid("text", "must not have an empty message"));
            }
            if row.author.chars().count() > MAX_AUTHOR_CHARS {
                let message = format!("must name authors in at most {MAX_AUTHOR_CHARS} characters");
                return Err(invalid("text", message));
            }
            if row.occurred_at > later(now, CLOCK_SKEW) {
                return Err(invalid("text", "must not have messages of the future"));
            }
        }
        for row in rows {
            let author = one_line(&row.author);
            let fact = Fact::Imported { author, text: row.text, source: source.clone() };
            self.tell_incident(now, number, by, row.occurred_at, fact);
        }
        Ok(true)
    }
}
