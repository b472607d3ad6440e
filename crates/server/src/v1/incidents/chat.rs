//! Incidents from a chat: whoever is known there declares one, adds to one, and asks what is open.
//! What they may do is what they may do anywhere.

use std::fmt::Write as _;
use std::sync::Arc;

use tocsin_core::identity::{Actor, Handle, Permission, Who};
use tocsin_core::incident::{self, Expected, IncidentChange, IncidentStep};
use tocsin_core::labels::Labels;
use tocsin_core::severity::Severity;

use super::{command, find, look_up, parse, sees};
use crate::App;
use crate::access::Caller;
use crate::v1::problem::Refusal;

/// What can be said about incidents.
pub(crate) const HELP: &str = "`declare sev2 service=checkout Customers cannot pay` opens an \
                               incident, `comment 142 It is the disk` adds to one, and \
                               `incidents` lists the open ones.";

/// The most incidents that are listed.
const MAX_LISTED: usize = 10;

/// Carries out what somebody says about incidents, and returns what they are told; `None` when it
/// is about something else. `key` is what the chat names the message by, so that one that comes
/// twice declares one incident.
pub(crate) async fn said(
    app: &App,
    caller: &Caller,
    person: &Handle,
    text: &str,
    key: Option<String>,
) -> Option<String> {
    let (verb, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
    let access = app.engine.directory().access_of(person.as_str());
    let actor = Actor { who: Who::Person(person.clone()), ..caller.actor.clone() };
    let caller = Caller { actor, access: Arc::new(access), is_ambient: false };
    let told = match verb.to_lowercase().as_str() {
        "declare" => declare(app, &caller, rest, key).await,
        "comment" => comment(app, &caller, rest).await,
        "incidents" => list(app, &caller).await,
        _ => return None,
    };
    Some(told.unwrap_or_else(|refusal| refusal.detail().to_owned()))
}

async fn declare(
    app: &App,
    caller: &Caller,
    text: &str,
    key: Option<String>,
) -> Result<String, Refusal> {
    let mut draft =
        incident::IncidentDraft { idempotency_key: key, ..incident::IncidentDraft::default() };
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if let Some(severity) = Severity::ALL.into_iter().find(|it| it.as_str() == word) {
            draft.severity = Some(severity);
        } else if let Some(service) = word.strip_prefix("service=") {
            draft.service = service.into();
        } else {
            break;
        }
        rest = after.trim_start();
    }
    if rest.trim().is_empty() {
        return Ok(format!("Say what is wrong. {HELP}"));
    }
    draft.title = rest.trim().to_owned();
    let service = draft.service.clone();
    let team = app.engine.read(move |tenant, _| tenant.team_of_service(&service)).await?;
    draft.team = team;
    let labels = Labels::from([("service", &*draft.service), ("team", &*draft.team)]);
    caller.must(Permission::IncidentCreate, &labels)?;
    let reply = command(app, caller, IncidentChange::Declare(Box::new(draft))).await?;
    let declared = if reply.is_new { look_up(app, reply.incident).await? } else { None };
    let (it, _) = match declared {
        Some(declared) => declared,
        None => find(app, caller, reply.incident).await?,
    };
    Ok(format!("{} is open at {}: {}", it.reference(), it.severity, it.title))
}

async fn comment(app: &App, caller: &Caller, text: &str) -> Result<String, Refusal> {
    let Some((number, text)) = text.trim().split_once(char::is_whitespace) else {
        return Ok(format!("Say which incident, and what. {HELP}"));
    };
    let number = parse(number)?;
    let (it, _) = find(app, caller, number).await?;
    caller.must(Permission::IncidentComment, &it.labels)?;
    let step = IncidentStep::Comment { text: text.trim().to_owned(), occurred_at: None };
    let expected = Expected::default();
    command(app, caller, IncidentChange::Step { incident: number, expected, step }).await?;
    Ok(format!("It stands in the timeline of {}.", it.reference()))
}

async fn list(app: &App, caller: &Caller) -> Result<String, Refusal> {
    let open = app.engine.read(|tenant, _| {
        let open = tenant.incidents().rev().filter(|it| it.is_active());
        open.cloned().collect::<Vec<incident::Incident>>()
    });
    let mut open = open.await?;
    open.retain(|it| sees(app, caller, it));
    // The worst first, then the newest.
    open.sort_by_key(|it| it.severity);
    if open.is_empty() {
        return Ok("No incident is open.".to_owned());
    }
    let mut text = String::new();
    for it in open.iter().take(MAX_LISTED) {
        let owner = it.owner.as_ref().map_or("nobody", Handle::as_str);
        let (reference, severity, status) = (it.reference(), it.severity, it.status());
        let _ = writeln!(text, "{reference} {severity} {status}, {owner}: {}", it.title);
    }
    if open.len() > MAX_LISTED {
        let _ = writeln!(text, "and {} more", open.len() - MAX_LISTED);
    }
    Ok(text.trim_end().to_owned())
}
