//! What people do about each other in incidents, and about how incidents belong together, as
//! sentences.

use std::collections::BTreeSet;

use tocsin_core::identity::Handle;
use tocsin_core::incident::{
    IncidentNumber, IncidentStep, LinkKind, PeopleStep, RelationStep, RestrictStep, Role,
    TaskDraft, TaskEdit, TaskStatus, TaskStep,
};
use tocsin_core::labels::Labels;
use tocsin_core::reminder::ReminderKind;

use super::cursor::{Cursor, Trouble, suggestion};
use super::incidents::{number, words};
use super::time::Origin;

/// Verbs that follow whoever does something, before the incident.
pub(super) const VERBS: [&str; 22] = [
    "gives",
    "hands",
    "joins",
    "leaves",
    "asks",
    "accepts",
    "declines",
    "follows",
    "unfollows",
    "snoozes",
    "merges",
    "unmerges",
    "splits",
    "links",
    "unlinks",
    "plans",
    "finishes",
    "restricts",
    "unrestricts",
    "grants",
    "denies",
    "forces",
];

/// Reads what follows the incident; `None` when the verb is none of ours.
pub(super) fn read(
    cursor: &mut Cursor<'_>,
    origin: &Origin,
    by: &str,
    verb: &str,
) -> Option<Result<IncidentStep, Trouble>> {
    let step = match verb {
        "gives" | "hands" | "joins" | "leaves" | "asks" | "accepts" | "declines" | "follows"
        | "unfollows" | "snoozes" => people(cursor, origin, by, verb).map(IncidentStep::People),
        "merges" | "unmerges" | "splits" | "links" | "unlinks" => {
            relation(cursor, verb).map(IncidentStep::Relate)
        }
        "plans" | "finishes" => task(cursor, origin, verb).map(IncidentStep::Task),
        "restricts" | "unrestricts" | "grants" | "denies" => {
            restriction(cursor, verb).map(IncidentStep::Restrict)
        }
        "forces" => words(cursor).map(|note| IncidentStep::CloseAnyway { note }),
        _ => return None,
    };
    Some(step)
}

fn task(cursor: &mut Cursor<'_>, origin: &Origin, verb: &str) -> Result<TaskStep, Trouble> {
    if verb == "finishes" {
        cursor.expect("task")?;
        let task = count(cursor, "the number of a task")?;
        let edit = TaskEdit { status: Some(TaskStatus::Done), ..TaskEdit::default() };
        return Ok(TaskStep::Change { task, edit });
    }
    let mut draft = TaskDraft { title: cursor.quoted("what to do")?, ..TaskDraft::default() };
    loop {
        if cursor.takes("for") {
            draft.assignee = Some(person(cursor)?);
        } else if cursor.takes("due") {
            draft.due_at = Some(super::action::instant(cursor, origin)?);
        } else if cursor.takes("blocking") {
            draft.is_blocking = true;
        } else {
            return Ok(TaskStep::Add(draft));
        }
    }
}

fn restriction(cursor: &mut Cursor<'_>, verb: &str) -> Result<RestrictStep, Trouble> {
    if verb == "unrestricts" {
        return Ok(RestrictStep::Lift { reason: words(cursor)? });
    }
    if matches!(verb, "grants" | "denies") {
        cursor.expect("request")?;
        let request = count(cursor, "the number of a request")?;
        return Ok(RestrictStep::Answer { request, is_granted: verb == "grants" });
    }
    let mut people = BTreeSet::new();
    while cursor.takes("to") || cursor.takes_mark(',') {
        people.insert(person(cursor)?);
    }
    Ok(RestrictStep::Restrict { people, teams: BTreeSet::new(), reason: words(cursor)? })
}

fn count(cursor: &mut Cursor<'_>, what: &str) -> Result<u32, Trouble> {
    let place = cursor.clone();
    cursor.word(what)?.parse().map_err(|_| place.trouble("a number is wanted"))
}

fn people(
    cursor: &mut Cursor<'_>,
    origin: &Origin,
    by: &str,
    verb: &str,
) -> Result<PeopleStep, Trouble> {
    let own =
        |cursor: &Cursor<'_>| Handle::parse(by).map_err(|why| cursor.trouble(why.to_string()));
    Ok(match verb {
        "gives" | "hands" => {
            let role = role(cursor)?;
            cursor.expect("to")?;
            let (to, note) = (person(cursor)?, words(cursor)?);
            match verb {
                "gives" => PeopleStep::Give { role, to, note },
                _ => PeopleStep::HandOver { role, to, note },
            }
        }
        "joins" => {
            let role = as_role(cursor)?;
            PeopleStep::Give { role, to: own(cursor)?, note: String::new() }
        }
        "leaves" => PeopleStep::Leave { role: as_role(cursor)?, person: own(cursor)? },
        "asks" => {
            let mut people = vec![person(cursor)?];
            while cursor.takes_mark(',') {
                people.push(person(cursor)?);
            }
            let role = as_role(cursor)?;
            PeopleStep::Ask { people, role, message: words(cursor)?, within: None }
        }
        "follows" | "unfollows" => {
            PeopleStep::Subscribe { person: own(cursor)?, wants: verb == "follows" }
        }
        "snoozes" => {
            let kind = reminder(cursor)?;
            let task = cursor.takes("task").then(|| count(cursor, "the number of a task"));
            let task = task.transpose()?;
            cursor.expect("until")?;
            let until = super::action::instant(cursor, origin)?;
            PeopleStep::Snooze { person: own(cursor)?, kind, task, until }
        }
        _ => {
            cursor.expect("request")?;
            let request = count(cursor, "the number of a request")?;
            PeopleStep::Answer { request, comes: verb == "accepts", message: words(cursor)? }
        }
    })
}

fn relation(cursor: &mut Cursor<'_>, verb: &str) -> Result<RelationStep, Trouble> {
    Ok(match verb {
        "unmerges" => RelationStep::Unmerge,
        "merges" => {
            cursor.expect("with")?;
            let mut sources = vec![number(cursor)?];
            while cursor.takes_mark(',') {
                sources.push(number(cursor)?);
            }
            RelationStep::Merge { sources }
        }
        "splits" => {
            cursor.expect("off")?;
            let mut alerts = vec![alert(cursor)?];
            while cursor.takes("and") {
                alerts.push(alert(cursor)?);
            }
            let title = cursor.takes("as").then(|| cursor.quoted("a title")).transpose()?;
            RelationStep::Split { alerts, title }
        }
        _ => {
            if cursor.takes("duplicate") {
                cursor.expect("of")?;
                return Ok(RelationStep::Duplicate { of: number(cursor)? });
            }
            let (kind, other) = link(cursor)?;
            RelationStep::Link { kind, other, linked: verb == "links" }
        }
    })
}

fn link(cursor: &mut Cursor<'_>) -> Result<(LinkKind, IncidentNumber), Trouble> {
    let place = cursor.clone();
    let word = cursor.word("parent, child or related")?;
    let known = LinkKind::ALL.map(LinkKind::as_str);
    let kind = LinkKind::parse(word)
        .ok_or_else(|| place.trouble(format!("`{word}`{}", suggestion(word, &known))))?;
    Ok((kind, number(cursor)?))
}

fn alert(cursor: &mut Cursor<'_>) -> Result<tocsin_core::labels::Fingerprint, Trouble> {
    let labels: Labels = super::action::alert(cursor)?;
    Ok(labels.fingerprint())
}

fn reminder(cursor: &mut Cursor<'_>) -> Result<ReminderKind, Trouble> {
    let place = cursor.clone();
    let word = cursor.word("a reminder")?;
    let known = ReminderKind::ALL.map(ReminderKind::as_str);
    ReminderKind::parse(word)
        .ok_or_else(|| place.trouble(format!("`{word}`{}", suggestion(word, &known))))
}

fn as_role(cursor: &mut Cursor<'_>) -> Result<Role, Trouble> {
    if cursor.takes("as") { role(cursor) } else { Ok(Role::Responder) }
}

fn role(cursor: &mut Cursor<'_>) -> Result<Role, Trouble> {
    let place = cursor.clone();
    let word = cursor.word("a role")?;
    let known = Role::ALL.map(Role::as_str);
    Role::parse(word).ok_or_else(|| place.trouble(format!("`{word}`{}", suggestion(word, &known))))
}

fn person(cursor: &mut Cursor<'_>) -> Result<Handle, Trouble> {
    let place = cursor.clone();
    Handle::parse(cursor.word("a person")?).map_err(|why| place.trouble(why.to_string()))
}
