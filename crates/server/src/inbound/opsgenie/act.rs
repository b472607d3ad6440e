//! What is done with an alert that exists.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value};
use tocsin_core::acknowledgement::SourceAlert;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::command::{Command, Rejection, Reply};
use tocsin_core::labels::{DEDUP_KEY, Fingerprint};
use tocsin_wire::opsgenie::{Action, Edit, OpsgenieAlert};

use super::caller::{Caller, Refused};
use super::{Requests, lookup, view};
use crate::App;
use crate::inbound::{Gates, KeyedAlert, ended, find, submit};

/// The most tags or names of details that one request removes.
const MAX_REMOVED: usize = 100;

/// Does what the last part of the path says.
pub(super) async fn act(
    State(app): State<Arc<App>>,
    Extension(gates): Extension<Arc<Gates>>,
    Extension(requests): Extension<Arc<Requests>>,
    caller: Caller,
    Path((identifier, verb)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let body = caller.body(body)?;
    let action = match Action::read(&verb, &body) {
        Some(read) => read.map_err(|errors| caller.wrongs(&errors))?,
        None => {
            let why = format!("`{verb}` is not implemented");
            return Err(caller.refuse(StatusCode::NOT_IMPLEMENTED, &why));
        }
    };
    if matches!(action, Action::Snooze(until) if until <= app.engine.now()) {
        return Err(caller.wrong("endTime", "must be in the future"));
    }
    perform(&app, &gates, &requests, &caller, identifier, &verb, action, &body).await
}

/// Ends an alert. Its history stays, so it is shown as closed for as long as it is known.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Extension(gates): Extension<Arc<Gates>>,
    Extension(requests): Extension<Arc<Requests>>,
    caller: Caller,
    Path(identifier): Path<String>,
) -> Result<Response, Refused> {
    let body = caller.params_as_body();
    perform(&app, &gates, &requests, &caller, identifier, "delete", Action::Close, &body).await
}

/// Removes tags or details.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(gates): Extension<Arc<Gates>>,
    Extension(requests): Extension<Arc<Requests>>,
    caller: Caller,
    Path((identifier, verb)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let listed = |name: &str| -> Vec<String> {
        let given = caller.param(name).unwrap_or_default().split(',').map(str::trim);
        given.filter(|word| !word.is_empty()).take(MAX_REMOVED).map(str::to_owned).collect()
    };
    let edit = match verb.as_str() {
        "tags" => Edit::RemoveTags(listed("tags")),
        "details" => Edit::RemoveDetails(listed("keys")),
        _ => {
            let why = format!("`{verb}` cannot be removed");
            return Err(caller.refuse(StatusCode::NOT_IMPLEMENTED, &why));
        }
    };
    let body = caller.params_as_body();
    let action = Action::Edit(edit);
    perform(&app, &gates, &requests, &caller, identifier, &verb, action, &body).await
}

#[expect(clippy::too_many_arguments, reason = "what three handlers hand over")]
async fn perform(
    app: &App,
    gates: &Gates,
    requests: &Requests,
    caller: &Caller,
    identifier: String,
    verb: &str,
    action: Action,
    body: &Map<String, Value>,
) -> Result<Response, Refused> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().trim();
    let word = Word { by: who(text("user"), caller), note: text("note").to_owned() };
    let result = match lookup(app, caller, identifier).await? {
        None => Err("the alert does not exist".to_owned()),
        Some(found) => {
            let alias = found.alert.identity.labels.value(DEDUP_KEY).to_owned();
            let _gate = gates.enter(&caller.inbound.name, &alias).await;
            // Somebody may have been faster.
            let known = find(app, &caller.inbound, alias.clone()).await;
            match known.map_err(|error| caller.busy(error))? {
                None => Err("the alert does not exist".to_owned()),
                Some(known) if known.is_resolved && !matches!(action, Action::Note) => {
                    Err("the alert is closed".to_owned())
                }
                Some(known) => {
                    let done = apply(app, caller, &known, action, &word).await?;
                    let known = find(app, &caller.inbound, alias).await;
                    let known = known.map_err(|error| caller.busy(error))?;
                    done.and_then(|()| known.ok_or_else(|| "the alert is gone".to_owned()))
                }
            }
        }
    };
    let shown: Result<OpsgenieAlert, String> = result.map(|known| view(caller, &known));
    let shown = shown.as_ref().map_err(String::as_str);
    requests.remember(caller, app.engine.now(), verb, shown);
    Ok(caller.accepted())
}

struct Word {
    by: String,
    note: String,
}

async fn apply(
    app: &App,
    caller: &Caller,
    known: &SourceAlert,
    action: Action,
    word: &Word,
) -> Result<Result<(), String>, Refused> {
    let alert = known.alert.identity.fingerprint;
    let mut note = word.note.clone();
    let expires_at = if let Action::Snooze(until) = action { Some(until) } else { None };
    let by = word.by.clone();
    match action {
        Action::Note => {}
        Action::Mention(what) => {
            note = if note.is_empty() { what } else { format!("{what}: {note}") };
        }
        Action::Acknowledge | Action::Snooze(_) => {
            let comment = std::mem::take(&mut note);
            let command = Command::Acknowledge { alerts: vec![alert], by, comment, expires_at };
            if let Err(why) = command_of(app, caller, command).await? {
                return Ok(Err(why.to_string()));
            }
        }
        Action::Unacknowledge => {
            let comment = std::mem::take(&mut note);
            let command = Command::Unacknowledge { alerts: vec![alert], by, comment };
            if let Err(why) = command_of(app, caller, command).await? {
                return Ok(Err(why.to_string()));
            }
        }
        Action::Close => {
            // What is said of the end belongs before it.
            add_note(app, caller, alert, word, std::mem::take(&mut note)).await?;
            let alert = ended(known, app.engine.now());
            tell(app, caller, KeyedAlert { key: None, alert }).await?;
        }
        Action::Edit(edit) => {
            let mut changed = as_told(known);
            if let Err(why) = edit.apply(&mut changed) {
                return Ok(Err(why));
            }
            let key = changed.labels.value(DEDUP_KEY).to_owned();
            let fingerprint = changed.fingerprint;
            tell(app, caller, KeyedAlert { key: Some(key), alert: changed }).await?;
            if fingerprint != alert {
                carry_acknowledgement(app, caller, known, fingerprint).await?;
            }
            add_note(app, caller, fingerprint, word, note).await?;
            return Ok(Ok(()));
        }
    }
    add_note(app, caller, alert, word, note).await?;
    Ok(Ok(()))
}

/// An alert whose severity changed is another one to routes; whoever works on it still does.
async fn carry_acknowledgement(
    app: &App,
    caller: &Caller,
    known: &SourceAlert,
    alert: Fingerprint,
) -> Result<(), Refused> {
    let Some(before) = known.alert.acknowledgement.clone() else { return Ok(()) };
    let command = Command::Acknowledge {
        alerts: vec![alert],
        by: before.by,
        comment: before.comment,
        expires_at: before.expires_at,
    };
    if let Err(why) = command_of(app, caller, command).await? {
        tracing::debug!(%why, "an acknowledgement lapsed while its alert changed");
    }
    Ok(())
}

async fn add_note(
    app: &App,
    caller: &Caller,
    alert: Fingerprint,
    word: &Word,
    text: String,
) -> Result<(), Refused> {
    if !text.is_empty() {
        let command = Command::AddNote { alert, by: word.by.clone(), text };
        if let Err(why) = command_of(app, caller, command).await? {
            tracing::debug!(%why, "a note came too late");
        }
    }
    Ok(())
}

async fn command_of(
    app: &App,
    caller: &Caller,
    command: Command,
) -> Result<Result<(), Rejection>, Refused> {
    match app.engine.command(command.by(caller.actor.clone())).await.map_err(|e| caller.busy(e))? {
        Reply::Rejected(why) => Ok(Err(why)),
        _ => Ok(Ok(())),
    }
}

async fn tell(app: &App, caller: &Caller, alert: KeyedAlert) -> Result<(), Refused> {
    let told = submit(app, caller.actor.clone(), &caller.inbound, vec![alert]).await;
    told.map(drop).map_err(|error| caller.busy(error))
}

/// Returns a known alert as its source would tell it again.
pub(super) fn as_told(known: &SourceAlert) -> IncomingAlert {
    let view = &known.alert;
    IncomingAlert {
        fingerprint: view.identity.fingerprint,
        labels: view.identity.labels.clone(),
        annotations: view.description.annotations.clone(),
        generator_url: view.description.generator_url.clone(),
        starts_at: Some(view.activity.starts_at),
        ends_at: Some(view.activity.ends_at),
    }
}

/// Returns the user that a request names, or else its integration.
pub(super) fn who(user: &str, caller: &Caller) -> String {
    if user.is_empty() { caller.inbound.name.to_string() } else { user.to_owned() }
}
