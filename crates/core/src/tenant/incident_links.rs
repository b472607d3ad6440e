//! Incidents are split, named the same as others, and put beneath or beside others.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Tenant;
use super::incident_change::{check_text, check_title, impossible, invalid};
use crate::escalation::EscalationRun;
use crate::ids::RunNumber;
use crate::incident::{
    Author, Fact, Incident, IncidentNumber, IncidentRejection, LinkKind, MAX_RELATED, RelationStep,
    ResolutionCode, Status,
};
use crate::labels::Fingerprint;
use crate::text::one_line;

type Changed = Result<bool, IncidentRejection>;

impl Tenant {
    /// Does something about how incidents belong together; returns whether that changed anything.
    pub(super) fn relation_step(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        step: RelationStep,
    ) -> Changed {
        match step {
            RelationStep::Merge { sources } => self.merge(now, number, by, &sources),
            RelationStep::Unmerge => self.unmerge(now, number, by),
            RelationStep::Split { alerts, title } => self.split(now, number, by, &alerts, title),
            RelationStep::Duplicate { of } => self.duplicate(now, number, by, of),
            RelationStep::Link { kind, other, linked: true } => {
                self.link(now, number, by, kind, other)
            }
            RelationStep::Link { kind, other, linked: false } => {
                Ok(self.unlink(now, number, by, kind, other))
            }
            RelationStep::ResolveAll { note, code } => {
                self.resolve_all(now, number, by, &note, code)
            }
        }
    }

    /// Some alerts of an incident are another one, which has the highest number then.
    fn split(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        alerts: &[Fingerprint],
        title: Option<String>,
    ) -> Changed {
        let chosen: BTreeSet<Fingerprint> = alerts.iter().copied().collect();
        let Some(held) = self.incidents.held.get(&number) else { return Ok(false) };
        let origin = &held.incident;
        if !origin.is_active() {
            return Err(impossible(format!("incident {number} is over; nothing of it goes on")));
        }
        if chosen.is_empty() {
            return Err(invalid("alerts", "must name at least one alert"));
        }
        if let Some(other) = chosen.iter().find(|fp| !held.alerts.contains_key(fp)) {
            return Err(invalid("alerts", format!("{other} is no alert of incident {number}")));
        }
        if chosen.len() == held.alerts.len() {
            return Err(impossible("at least one alert must stay; rename the incident instead"));
        }
        if origin.relations.split_off.len() >= MAX_RELATED {
            return Err(impossible(format!("{MAX_RELATED} incidents came out of it already")));
        }
        if !self.has_room_for_incident() {
            let limit = super::incidents::MAX_OPEN_INCIDENTS;
            return Err(IncidentRejection::TooMany { limit });
        }
        let list: Vec<Fingerprint> = chosen.iter().copied().collect();
        let facts = self.facts(&list, &origin.labels);
        let title = match title {
            Some(title) => {
                check_title(&title)?;
                one_line(&title)
            }
            None => facts.title,
        };
        let joined = list.iter().filter_map(|fp| held.alerts.get(fp)).map(|it| it.joined_at);
        let detected_at = joined.min().unwrap_or(now);
        let fresh = IncidentNumber(self.highest.incident.0 + 1);
        let mut incident = Incident::new(fresh, detected_at, by.clone(), title, facts.severity);
        incident.created_at = now;
        incident.active_at = now;
        incident.mode = origin.mode;
        incident.category = origin.category;
        incident.service = origin.service.clone();
        incident.labels = origin.labels.clone();
        incident.restricted = origin.restricted.clone();
        incident.relations.split_from = Some(number);
        let is_taken = origin.status() > Status::Detected;
        let runs = self.runs_about(number, &chosen);
        self.highest.incident = fresh;
        let numbers = self.numbers_of(&chosen);
        self.begin_incident(now, incident, &numbers, format!("split from incident {number}"));
        for fingerprint in &list {
            self.move_alert(number, fresh, *fingerprint);
        }
        for run in runs {
            self.move_run(number, fresh, run);
        }
        if let Some(held) = self.incidents.held.get_mut(&number) {
            held.incident.relations.split_off.insert(fresh);
        }
        let count = list.len();
        self.tell_incident(now, number, by, now, Fact::Split { other: fresh, alerts: count });
        self.note_traits(fresh, &list);
        self.recount_incident_alerts(now, fresh);
        self.recount_incident_alerts(now, number);
        if is_taken && self.person_of(by).is_some() {
            let note = format!("it was part of incident {number}");
            self.move_incident(now, fresh, Status::Acknowledged, by, note, None);
        }
        Ok(true)
    }

    /// Returns the escalations of an incident that are about these alerts and nothing else.
    fn runs_about(&self, number: IncidentNumber, alerts: &BTreeSet<Fingerprint>) -> Vec<RunNumber> {
        let is_about = |run: &EscalationRun| {
            !run.alerts.is_empty() && run.alerts.iter().all(|fp| alerts.contains(fp))
        };
        let runs = self.incident(number).map(|it| &it.runs).into_iter().flatten();
        runs.filter(|it| self.escalations.runs.get(it).is_some_and(is_about)).copied().collect()
    }

    fn duplicate(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        of: IncidentNumber,
    ) -> Changed {
        if number == of {
            return Err(impossible("an incident is no duplicate of itself"));
        }
        let other = self.known_incident(of)?;
        if let Some(original) = other.relations.duplicate_of {
            let why = format!("incident {of} is itself a duplicate, of incident {original}");
            return Err(impossible(why));
        }
        if other.relations.duplicates.len() >= MAX_RELATED {
            return Err(impossible(format!("{MAX_RELATED} duplicates of it are known already")));
        }
        let Some(it) = self.incident(number) else { return Ok(false) };
        if it.relations.duplicate_of == Some(of) {
            return Ok(false);
        }
        if !it.is_active() {
            return Err(impossible(format!("incident {number} is over already")));
        }
        if let Some(held) = self.incidents.held.get_mut(&number) {
            held.incident.relations.duplicate_of = Some(of);
        }
        if let Some(held) = self.incidents.held.get_mut(&of) {
            held.incident.relations.duplicates.insert(number);
        }
        let words = (format!("the same as incident {of}"), Some(ResolutionCode::Duplicate));
        self.move_as_asked(now, number, by, Status::Resolved, words)?;
        self.tell_incident(now, of, by, now, Fact::Duplicated { other: number });
        Ok(true)
    }

    /// What was held to be the same goes on by itself.
    pub(super) fn no_duplicate_any_more(&mut self, number: IncidentNumber) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        let Some(of) = held.incident.relations.duplicate_of.take() else { return };
        if let Some(other) = self.incidents.held.get_mut(&of) {
            other.incident.relations.duplicates.remove(&number);
            self.recorder.incidents.insert(of);
        }
    }

    fn link(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        kind: LinkKind,
        other: IncidentNumber,
    ) -> Changed {
        if number == other {
            return Err(impossible("an incident is not linked to itself"));
        }
        self.known_incident(other)?;
        let (one, two) = (self.known_incident(number)?, self.known_incident(other)?);
        let is_linked = match kind {
            LinkKind::Parent => one.relations.parent == Some(other),
            LinkKind::Child => two.relations.parent == Some(number),
            LinkKind::Related => one.relations.related.contains(&other),
        };
        if is_linked {
            return Ok(false);
        }
        match kind {
            LinkKind::Parent => check_family(one, two)?,
            LinkKind::Child => check_family(two, one)?,
            LinkKind::Related => {
                let count = one.relations.related.len().max(two.relations.related.len());
                if count >= MAX_RELATED {
                    return Err(impossible(format!("{MAX_RELATED} are related already")));
                }
            }
        }
        self.set_link(number, kind, other, true);
        self.set_link(other, kind.reversed(), number, true);
        self.tell_link(now, number, by, kind, (other, true));
        Ok(true)
    }

    fn unlink(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        kind: LinkKind,
        other: IncidentNumber,
    ) -> bool {
        let has_changed = self.set_link(number, kind, other, false);
        if has_changed {
            self.set_link(other, kind.reversed(), number, false);
            self.tell_link(now, number, by, kind, (other, false));
        }
        has_changed
    }

    /// Tells both sides, and looks whether the one above may end by itself now.
    fn tell_link(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        kind: LinkKind,
        (other, linked): (IncidentNumber, bool),
    ) {
        let fact = Fact::Linked { link: kind, other, linked };
        self.tell_incident(now, number, by, now, fact);
        let fact = Fact::Linked { link: kind.reversed(), other: number, linked };
        self.tell_incident(now, other, by, now, fact);
        self.set_incident_timer(now, number);
        self.set_incident_timer(now, other);
    }

    /// Sets one side of a link; returns whether that changed anything.
    fn set_link(
        &mut self,
        number: IncidentNumber,
        kind: LinkKind,
        other: IncidentNumber,
        linked: bool,
    ) -> bool {
        let Some(held) = self.incidents.held.get_mut(&number) else { return false };
        self.recorder.incidents.insert(number);
        let relations = &mut held.incident.relations;
        let set = match kind {
            LinkKind::Parent => {
                let before = relations.parent;
                if linked {
                    relations.parent = Some(other);
                } else if before == Some(other) {
                    relations.parent = None;
                }
                return before != relations.parent;
            }
            LinkKind::Child => &mut relations.children,
            LinkKind::Related => &mut relations.related,
        };
        if linked { set.insert(other) } else { set.remove(&other) }
    }

    /// An incident is over, and so is whatever belongs beneath it.
    fn resolve_all(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        note: &str,
        code: Option<ResolutionCode>,
    ) -> Changed {
        check_text("note", note)?;
        let words = (note.to_owned(), code);
        let mut has_changed = self.move_as_asked(now, number, by, Status::Resolved, words)?;
        let children = self.incident(number).map(|it| it.relations.children.clone());
        for child in children.into_iter().flatten() {
            if !self.incident(child).is_some_and(Incident::is_active) {
                continue;
            }
            let words = (format!("over with incident {number}: {note}"), code);
            has_changed |= self.move_as_asked(now, child, by, Status::Resolved, words)?;
        }
        Ok(has_changed)
    }

    /// Returns whether anything beneath an incident goes on.
    pub(super) fn has_open_child(&self, number: IncidentNumber) -> bool {
        let Some(incident) = self.incident(number) else { return false };
        let mut children = incident.relations.children.iter();
        children.any(|child| self.incident(*child).is_some_and(Incident::is_active))
    }
}

/// Says why one incident cannot belong beneath another: there is one level, and one above each.
fn check_family(child: &Incident, parent: &Incident) -> Result<(), IncidentRejection> {
    let (below, above) = (child.number, parent.number);
    if let Some(other) = child.relations.parent {
        return Err(impossible(format!("incident {below} belongs beneath incident {other}")));
    }
    if let Some(other) = parent.relations.parent {
        return Err(impossible(format!(
            "incident {above} belongs beneath incident {other} itself; there is one level only"
        )));
    }
    if !child.relations.children.is_empty() {
        return Err(impossible(format!(
            "incident {below} has others beneath it; there is one level only"
        )));
    }
    if parent.relations.children.len() >= MAX_RELATED {
        return Err(impossible(format!("{MAX_RELATED} belong beneath incident {above} already")));
    }
    Ok(())
}
