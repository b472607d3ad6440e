//! Others are told how an incident goes: one action may move it, rate it and tell, all or nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Tenant;
use super::incident_change::{check_text, impossible, invalid, is_done_already};
use super::responders::{Found, Problem};
use crate::escalation::{EscalationPolicy, PlaceTarget};
use crate::identity::Handle;
use crate::incident::{
    Audience, Author, Fact, Incident, IncidentNumber, IncidentRejection, IncidentStep,
    IncidentUpdate, MAX_RECIPIENTS, Message, MessageDraft, MessageTarget, MessageTemplate, Mode,
    Pattern, Status, variables_of,
};
use crate::paging::{Content, Recipient, Urgency};

/// The most paragraphs of a message that a notice has; the last one says that there is more.
const MAX_LINES: usize = 60;

/// The list of those who hear of it when an incident is so bad that executives do.
const EXECUTIVES: &str = "executives";

/// Who is told of a message.
#[derive(Debug, Default)]
struct Readers {
    people: BTreeSet<Handle>,
    places: Vec<PlaceTarget>,
}

impl Tenant {
    /// Returns a message as it would be sent, and who would be told, in their names.
    ///
    /// # Errors
    /// As [`crate::incident::IncidentStep::Update`] would be refused for what it says or names.
    pub fn preview_update(
        &self,
        now: Timestamp,
        number: IncidentNumber,
        update: &IncidentUpdate,
    ) -> Result<(Message, Vec<String>), IncidentRejection> {
        let Some(draft) = &update.message else {
            return Err(invalid("message", "must say what is told"));
        };
        let Some(incident) = self.incident(number) else {
            return Err(IncidentRejection::Unknown { incident: number });
        };
        let (message, readers) = self.prepare(now, incident, update, draft)?;
        Ok((message, readers.names()))
    }

    pub(super) fn update_incident(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        update: IncidentUpdate,
    ) -> Result<bool, IncidentRejection> {
        let Some(incident) = self.incident(number) else { return Ok(false) };
        check_text("note", &update.note)?;
        let reason = || update.note.clone();
        let rating = update
            .severity
            .map(|severity| IncidentStep::SetSeverity { severity, reason: reason() })
            .filter(|step| !is_done_already(incident, step));
        if rating.is_some() && update.note.trim().is_empty() {
            return Err(invalid("note", "must say why the severity is another one"));
        }
        if update.to.is_none() && update.severity.is_none() && update.message.is_none() {
            return Err(invalid("message", "must say what is told, or something else must change"));
        }
        // All that can be refused is looked at before anything is done, the move first of what is.
        let draft = update.message.as_ref();
        let told = draft.map(|draft| self.prepare(now, incident, &update, draft)).transpose()?;
        let mut has_changed = false;
        if let Some(to) = update.to {
            let (note, code) = (update.note, update.code);
            let step = IncidentStep::Move { to, note, code };
            has_changed |= self.do_step(now, number, by, step)?;
        }
        if let Some(rating) = rating {
            has_changed |= self.do_step(now, number, by, rating)?;
        }
        if let Some((message, readers)) = told {
            self.send_message(now, number, by, message, readers);
            has_changed = true;
        }
        Ok(has_changed)
    }

    /// Makes a message and finds out who is told, for a look at it as for sending it.
    fn prepare(
        &self,
        now: Timestamp,
        incident: &Incident,
        update: &IncidentUpdate,
        draft: &MessageDraft,
    ) -> Result<(Message, Readers), IncidentRejection> {
        if !incident.is_told() {
            let message = format!("is not sent for an incident of mode {}", incident.mode.as_str());
            return Err(invalid("message", message));
        }
        let readers = self.readers(now, incident, draft)?;
        if incident.restricted.is_some() && !readers.places.is_empty() {
            return Err(impossible("it is restricted; places may be read by anybody"));
        }
        Ok((self.render(now, incident, update, draft)?, readers))
    }

    fn render(
        &self,
        now: Timestamp,
        incident: &Incident,
        update: &IncidentUpdate,
        draft: &MessageDraft,
    ) -> Result<Message, IncidentRejection> {
        let settings = &self.policy.incidents;
        let known = match &draft.template {
            None => None,
            Some(name) => Some(settings.template(name).ok_or_else(|| {
                let names: Vec<&str> = settings.templates.keys().map(AsRef::as_ref).collect();
                invalid("template", format!("must be one of {}", names.join(", ")))
            })?),
        };
        let pattern =
            |field, text: &Option<String>, of_template: Option<&Pattern>| match (text, of_template)
            {
                (Some(text), _) => {
                    Pattern::parse(text).map_err(|error| invalid(field, error.to_string()))
                }
                (None, Some(pattern)) => Ok(pattern.clone()),
                (None, None) => Err(invalid(field, "must be there where no template is named")),
            };
        let template = MessageTemplate {
            name: draft.template.clone().unwrap_or_default(),
            audience: known.map_or(draft.audience, |it| it.audience),
            subject: pattern("subject", &draft.subject, known.map(|it| &it.subject))?,
            body: pattern("body", &draft.body, known.map(|it| &it.body))?,
        };
        let changed = as_it_will_be(incident, update, now);
        let mut values = settings.variables.clone();
        values.extend(variables_of(&changed, settings.targets(changed.severity), now));
        values.extend(draft.values.clone());
        // What to follow and where people talk may not be known; that stops nobody.
        if values.get("runbook_url").is_none_or(String::is_empty) {
            let known =
                self.runbook_of(incident.number).unwrap_or_else(|| "none is known".to_owned());
            values.insert("runbook_url".to_owned(), known);
        }
        if values.get("incident_channel").is_none_or(String::is_empty) {
            values.insert("incident_channel".to_owned(), "no channel is named".to_owned());
        }
        let message = template.render(&values).map_err(|missing| {
            let names: Vec<String> = missing.0.into_iter().collect();
            invalid("variables", format!("must have a value for {}", names.join(", ")))
        })?;
        if message.subject.is_empty() || message.body.is_empty() {
            return Err(invalid("body", "must not be empty, and neither must the subject"));
        }
        Ok(message)
    }

    /// Returns where it is written what to do about the first of an incident's alerts that says so.
    fn runbook_of(&self, number: IncidentNumber) -> Option<String> {
        let held = self.incidents.held.get(&number)?;
        let mut alerts: Vec<_> = held.alerts.values().collect();
        alerts.sort_by_key(|it| (it.joined_at, it.fingerprint));
        alerts.into_iter().find_map(|it| {
            let annotations = &self.alerts.get(&it.fingerprint)?.description.annotations;
            let url = annotations.get("runbook_url").or_else(|| annotations.get("runbook"))?;
            Some(url.to_owned()).filter(|url| !url.is_empty())
        })
    }

    fn readers(
        &self,
        now: Timestamp,
        incident: &Incident,
        draft: &MessageDraft,
    ) -> Result<Readers, IncidentRejection> {
        if !(1..=MAX_RECIPIENTS).contains(&draft.to.len()) {
            return Err(invalid("to", format!("must name 1 to {MAX_RECIPIENTS} recipients")));
        }
        let mut readers = Readers::default();
        for target in &draft.to {
            match target {
                MessageTarget::List(name) => {
                    let lists = &self.policy.incidents.lists;
                    let Some(list) = lists.get(name) else {
                        let names: Vec<&str> = lists.keys().map(AsRef::as_ref).collect();
                        let message = match names.as_slice() {
                            [] => format!("names the list `{name}`, and there are no lists"),
                            names => format!(
                                "names the list `{name}`, and there are {}",
                                names.join(", ")
                            ),
                        };
                        return Err(invalid("to", message));
                    };
                    for target in list {
                        self.add_reader(now, incident, target, &mut readers)?;
                    }
                }
                target => self.add_reader(now, incident, target, &mut readers)?,
            }
        }
        Ok(readers)
    }

    fn add_reader(
        &self,
        now: Timestamp,
        incident: &Incident,
        target: &MessageTarget,
        readers: &mut Readers,
    ) -> Result<(), IncidentRejection> {
        let target = match target {
            MessageTarget::Target(target) => target,
            MessageTarget::Participants => {
                readers.people.extend(incident.owner.iter().cloned());
                readers.people.extend(incident.participants.iter().cloned());
                return Ok(());
            }
            MessageTarget::Subscribers => {
                readers.people.extend(incident.crew.subscribers.iter().cloned());
                return Ok(());
            }
            // A list names no lists; the configuration says so.
            MessageTarget::List(_) => return Ok(()),
        };
        let category = incident.category.map_or("", |it| it.as_str());
        let severity = incident.severity;
        let problem = Problem { severity, category, alerts: None, turn: 0 };
        let mut found = Found::default();
        self.resolve_target(&EscalationPolicy::of_people(&[]), target, problem, now, &mut found);
        if found.people.is_empty() && found.places.is_empty() {
            let why = found.left_out.join("; ");
            return Err(invalid("to", format!("names nobody by `{}`: {why}", target.written())));
        }
        readers.people.extend(found.people.into_iter().map(|(person, _)| person));
        for place in found.places {
            if !readers.places.contains(&place) {
                readers.places.push(place);
            }
        }
        Ok(())
    }

    /// An incident is so bad that executives hear of it, which they do once: those of the list
    /// `executives`, where there is one.
    pub(super) fn tell_executives(&mut self, now: Timestamp, number: IncidentNumber) {
        let Some(list) = self.policy.incidents.lists.get(EXECUTIVES).cloned() else { return };
        let Some(incident) = self.incident(number) else { return };
        let is_bad = self.policy.incidents.targets(incident.severity).tells_executives;
        // Of a drill they hear nothing.
        let is_real = incident.mode == Mode::Real;
        if !is_bad || !incident.is_active() || !is_real || incident.executives_told {
            return;
        }
        let mut readers = Readers::default();
        for target in &list {
            // Whoever cannot be found now is left out; the others hear of it all the same.
            let _ = self.add_reader(now, incident, target, &mut readers);
        }
        if incident.restricted.is_some() {
            // Places may be read by anybody, and people only where they may know.
            readers.places.clear();
            readers.people.retain(|it| incident.is_open_to(it, &self.directory));
        }
        let (severity, word) = (incident.severity, incident.severity.word());
        let services = incident.all_services().join(", ");
        let about =
            if services.is_empty() { String::new() } else { format!(" It is about {services}.") };
        let owner = incident.owner.as_ref().map_or("Nobody".to_owned(), ToString::to_string);
        let body = format!(
            "Incident {number} is {severity} ({word}) and {}.{about} {owner} has it.",
            incident.status()
        );
        let message = Message {
            template: Default::default(),
            audience: Audience::Executive,
            subject: format!("[{severity}] {}", incident.title),
            body,
        };
        if let Some(held) = self.incidents.held.get_mut(&number) {
            held.incident.executives_told = true;
        }
        self.send_message(now, number, &Author::system(), message, readers);
    }

    fn send_message(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        message: Message,
        readers: Readers,
    ) {
        if let Some(held) = self.incidents.held.get_mut(&number) {
            if by.is_person() {
                held.incident.told_at = Some(now);
                held.incident.active_at = now;
            }
            if message.audience == Audience::Customer {
                let count = &mut held.incident.impact.customer_notifications;
                *count = Some(count.unwrap_or(0) + 1);
            }
        }
        let lines = lines_of(&message.body);
        let mut told = Vec::new();
        for person in readers.people {
            let title = message.subject.clone();
            if self.notify_titled(now, number, &person, title, &lines) {
                told.push(person.to_string());
            }
        }
        for place in readers.places {
            told.push(place.name().to_string());
            let recipient = Recipient::Place { name: place.name() };
            let content = Content::Notice {
                incident: number,
                title: message.subject.clone(),
                lines: lines.clone(),
            };
            let to = (place.channel, place.address);
            self.send_page(now, recipient, to, Urgency::Low, content, None);
        }
        let fact = Fact::MessageSent { message, told };
        self.tell_incident(now, number, by, now, fact);
    }
}

impl Readers {
    fn names(&self) -> Vec<String> {
        let people = self.people.iter().map(ToString::to_string);
        let places = self.places.iter().map(|it| it.name().to_string());
        people.chain(places).collect()
    }
}

/// Returns an incident as it will stand, so that what is told is what holds when it is read.
fn as_it_will_be(incident: &Incident, update: &IncidentUpdate, now: Timestamp) -> Incident {
    let mut changed = incident.clone();
    changed.severity = update.severity.unwrap_or(changed.severity);
    if let Some(to) = update.to {
        let code = update.code.filter(|_| to == Status::Resolved);
        changed.record.enter(now, to, "", true, code);
    }
    changed
}

fn lines_of(body: &str) -> Vec<String> {
    let lines = body.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    if lines.len() > MAX_LINES {
        lines.truncate(MAX_LINES - 1);
        lines.push("…".to_owned());
    }
    lines
}
