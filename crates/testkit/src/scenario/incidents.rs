//! What people do about incidents, and what happens to them, as sentences.

use tocsin_core::Tenant;
use tocsin_core::command::Command;
use tocsin_core::event::Event;
use tocsin_core::identity::{Actor, Handle, Who};
use tocsin_core::incident::{
    Category, Expected, IncidentChange, IncidentDraft, IncidentNumber, IncidentStep, MetricName,
    ResolutionCode, Status, Validity, measure,
};
use tocsin_core::severity::Severity;

use super::action::instant;
use super::cursor::{Cursor, Trouble, suggestion};
use super::incident_steps;
use super::sentences::Teller;
use super::time::{Origin, show_duration};
use super::world::World;
use crate::memory::MemoryRows;

/// One thing that somebody does about an incident.
#[derive(Clone, Debug)]
pub(super) struct Doing {
    by: String,
    change: IncidentChange,
}

const VERBS: [&str; 12] = [
    "acknowledges",
    "returns",
    "moves",
    "resolves",
    "closes",
    "reopens",
    "rates",
    "assigns",
    "renames",
    "comments",
    "categorizes",
    "wants",
];

/// Returns whether a sentence about an incident begins here.
pub(super) fn begins(cursor: &Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    let who = ahead.peek();
    ahead.takes(who);
    if ahead.takes_all(&["declares", "incident"]) {
        return !who.is_empty();
    }
    let verb = ahead.peek();
    ahead.takes(verb);
    (VERBS.contains(&verb) || incident_steps::VERBS.contains(&verb))
        && ahead.peek().starts_with("INC-")
}

pub(super) fn read(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<Doing, Trouble> {
    let by = cursor.word("who")?.to_owned();
    let verb = cursor.word("what they do")?;
    if verb == "declares" {
        cursor.expect("incident")?;
        return Ok(Doing { by, change: IncidentChange::Declare(Box::new(draft(cursor)?)) });
    }
    let incident = number(cursor)?;
    if verb == "wants" {
        let reason = words(cursor)?;
        return Ok(Doing { by, change: IncidentChange::AskAccess { incident, reason } });
    }
    let step = match incident_steps::read(cursor, origin, &by, verb) {
        Some(step) => step?,
        None => step(cursor, origin, verb)?,
    };
    let mut expected = Expected::default();
    if cursor.takes_all(&["believing", "it"]) {
        expected.status = Some(status(cursor)?);
    }
    Ok(Doing { by, change: IncidentChange::Step { incident, expected, step } })
}

fn draft(cursor: &mut Cursor<'_>) -> Result<IncidentDraft, Trouble> {
    let mut draft = IncidentDraft { title: cursor.quoted("a title")?, ..IncidentDraft::default() };
    loop {
        if cursor.takes("as") {
            draft.severity = Some(super::paging::severity(cursor)?);
        } else if cursor.takes("on") {
            draft.service = cursor.word("a service")?.into();
        } else if cursor.takes_all(&["of", "team"]) {
            draft.team = cursor.word("a team")?.into();
        } else if cursor.takes("about") {
            draft.category = Some(category(cursor)?);
        } else if cursor.takes("for") {
            let place = cursor.clone();
            let owner = Handle::parse(cursor.word("a person")?);
            draft.owner = Some(owner.map_err(|why| place.trouble(why.to_string()))?);
        } else if cursor.takes("paging") {
            draft.page = Some(cursor.word("a policy")?.into());
        } else if cursor.takes("once") {
            draft.idempotency_key = Some(cursor.word("a key")?.to_owned());
        } else {
            return Ok(draft);
        }
    }
}

fn step(cursor: &mut Cursor<'_>, origin: &Origin, verb: &str) -> Result<IncidentStep, Trouble> {
    let to = match verb {
        "acknowledges" => Status::Acknowledged,
        "returns" => Status::Detected,
        "resolves" => Status::Resolved,
        "closes" => Status::Closed,
        "reopens" => Status::Investigating,
        "moves" => {
            cursor.expect("to")?;
            status(cursor)?
        }
        "rates" => {
            let severity: Severity = super::paging::severity(cursor)?;
            return Ok(IncidentStep::SetSeverity { severity, reason: words(cursor)? });
        }
        "assigns" => {
            cursor.expect("to")?;
            let place = cursor.clone();
            let to = match cursor.word("a person")? {
                "nobody" => None,
                name => Some(Handle::parse(name).map_err(|why| place.trouble(why.to_string()))?),
            };
            return Ok(IncidentStep::Assign { to });
        }
        "renames" => {
            let title = Some(cursor.quoted("a title")?);
            let edit = tocsin_core::incident::IncidentEdit { title, ..Default::default() };
            return Ok(IncidentStep::Edit(Box::new(edit)));
        }
        "categorizes" => {
            cursor.expect("as")?;
            let category = Some(category(cursor)?);
            let edit = tocsin_core::incident::IncidentEdit { category, ..Default::default() };
            return Ok(IncidentStep::Edit(Box::new(edit)));
        }
        "comments" => {
            let text = cursor.quoted("what they say")?;
            let of = cursor.takes("of").then(|| instant(cursor, origin)).transpose()?;
            return Ok(IncidentStep::Comment { text, occurred_at: of });
        }
        other => return Err(cursor.trouble(format!("`{other}`{}", suggestion(other, &VERBS)))),
    };
    let note = words(cursor)?;
    let place = cursor.clone();
    let code = match cursor.takes("as") {
        true => {
            let word = cursor.word("how it ended")?;
            let known = ResolutionCode::ALL.map(ResolutionCode::as_str);
            let unknown = || place.trouble(format!("`{word}`{}", suggestion(word, &known)));
            Some(ResolutionCode::parse(word).ok_or_else(unknown)?)
        }
        false => None,
    };
    Ok(IncidentStep::Move { to, note, code })
}

fn category(cursor: &mut Cursor<'_>) -> Result<Category, Trouble> {
    let place = cursor.clone();
    let word = cursor.word("a category")?;
    let known = Category::ALL.map(Category::as_str);
    Category::parse(word)
        .ok_or_else(|| place.trouble(format!("`{word}`{}", suggestion(word, &known))))
}

pub(super) fn words(cursor: &mut Cursor<'_>) -> Result<String, Trouble> {
    if cursor.starts_with('"') { cursor.quoted("what they say") } else { Ok(String::new()) }
}

fn status(cursor: &mut Cursor<'_>) -> Result<Status, Trouble> {
    let place = cursor.clone();
    let word = cursor.word("a status")?;
    let known = Status::ALL.map(Status::as_str);
    Status::parse(word)
        .ok_or_else(|| place.trouble(format!("`{word}`{}", suggestion(word, &known))))
}

/// Reads `INC-1`.
pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<IncidentNumber, Trouble> {
    let place = cursor.clone();
    cursor
        .word("an incident")?
        .parse()
        .map_err(|why: tocsin_core::incident::RefError| place.trouble(why.to_string()))
}

impl World<'_> {
    pub(super) fn do_incident(&mut self, doing: &Doing) {
        let who = match Handle::parse(&doing.by) {
            Ok(handle) => Who::Person(handle),
            Err(_) => Who::ListenerUser(doing.by.clone()),
        };
        self.set_actor(Actor { who, ..Actor::OPERATOR });
        let reply = self.submit(Command::Incident(doing.change.clone()));
        self.set_actor(Actor::ENGINE);
        if let Some(tocsin_core::command::Reply::Incident(reply)) = reply
            && !reply.has_changed
        {
            self.note(format!("INC-{} is so already", reply.incident));
        }
    }
}

impl Teller<'_> {
    /// Says what happened with an incident; `None` when it is something else.
    pub(super) fn about_incidents(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::IncidentOpened { incident, severity, title, why, by, .. } => {
                let by = if by == "tocsin" { String::new() } else { format!(" by {by}") };
                format!("INC-{incident} opened{by}: {title} ({severity}; {why})")
            }
            Event::IncidentJoined { incident, alerts } => {
                let alerts: Vec<String> = alerts.iter().map(|it| self.names.alert(*it)).collect();
                format!("INC-{incident} is about {}", alerts.join(", "))
            }
            Event::IncidentMoved { incident, from, to, code, note, by } => {
                let code = code.map(|code| format!(" as {code}")).unwrap_or_default();
                let note = if note.is_empty() { String::new() } else { format!(": {note}") };
                format!("INC-{incident} {from} -> {to}{code} by {by}{note}")
            }
            Event::IncidentNoted { incident, text, by, .. } => {
                format!("INC-{incident} {by}: {text}")
            }
            _ => return None,
        })
    }

    /// Returns a line for each incident.
    pub(super) fn incident_lines(&self, tenant: &Tenant) -> Vec<String> {
        let line = |it: &tocsin_core::incident::Incident| {
            let number = it.number;
            let firing = tenant.incident_alerts(number).iter().filter(|(_, fires)| *fires).count();
            let owner = it.owner.as_ref().map_or("nobody", Handle::as_str);
            let mut line = format!(
                "INC-{number} {} {} {:?}, {owner}, firing {firing}",
                it.status(),
                it.severity,
                it.title
            );
            if it.record.reopened() > 0 {
                line.push_str(&format!(", cycle {}", it.record.cycles().len()));
            }
            for holding in it.crew.present() {
                line.push_str(&format!(", {} {}", holding.role, holding.person));
            }
            if let Some(of) = it.recurrence_of {
                line.push_str(&format!(", again after INC-{of}"));
            }
            for metric in measure(&it.record, &it.measure) {
                if metric.cycle.is_none()
                    && metric.status == Validity::Recorded
                    && matches!(metric.name, MetricName::Mtta | MetricName::Mttr)
                {
                    let word = if metric.name == MetricName::Mtta { "mtta" } else { "mttr" };
                    let span = jiff::SignedDuration::from_secs(metric.seconds.unwrap_or_default());
                    line.push_str(&format!(", {word} {}", show_duration(span)));
                }
            }
            line
        };
        tenant.incidents().map(line).collect()
    }

    /// Returns the rows of a timeline in the order in which things happened.
    pub(super) fn timeline_lines(&self, rows: &MemoryRows, number: IncidentNumber) -> Vec<String> {
        let mut entries = rows.timeline(number);
        entries.sort_by_key(|entry| (entry.occurred_at, entry.seq));
        entries
            .iter()
            .map(|entry| {
                let late = match entry.occurred_at == entry.recorded_at {
                    true => String::new(),
                    false => format!(" (written {})", self.time(entry.recorded_at)),
                };
                let (at, by, what) =
                    (self.time(entry.occurred_at), &entry.by.name, entry.fact.sentence());
                format!("{at} {by}: {what}{late}")
            })
            .collect()
    }
}
