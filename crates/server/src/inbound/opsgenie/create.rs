//! Alerts are created. One that is open under the same alias stays what it is and is counted.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, State};
use axum::response::Response;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::command::Command;
use tocsin_wire::opsgenie::{Create, Edit};

use super::caller::{Caller, Refused};
use super::{Requests, act, view};
use crate::App;
use crate::inbound::{Gates, KeyedAlert, find, submit};

pub(super) async fn create(
    State(app): State<Arc<App>>,
    Extension(gates): Extension<Arc<Gates>>,
    Extension(requests): Extension<Arc<Requests>>,
    caller: Caller,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let body = caller.body(body)?;
    let create = Create::read(&body).map_err(|errors| {
        app.metrics.alerts_received(0, 0, 1);
        app.metrics.hook_refused(&caller.inbound.name, "unprocessable");
        caller.wrongs(&errors)
    })?;
    let alias =
        if create.alias.is_empty() { caller.request.to_string() } else { create.alias.clone() };
    let inbound = &caller.inbound;
    let _gate = gates.enter(&inbound.name, &alias).await;
    let now = app.engine.now();
    let known = find(&app, inbound, alias.clone()).await.map_err(|e| caller.busy(e))?;
    let mut alert = match known.filter(|known| !known.is_resolved) {
        Some(known) => {
            let mut alert = act::as_told(&known);
            Edit::Occurrence.apply(&mut alert).map_err(|why| caller.wrong("alias", &why))?;
            alert
        }
        None => {
            let alert = create.alert();
            let labels = inbound.labelled(&alert.labels, Some(&alias));
            let fingerprint = labels.fingerprint();
            IncomingAlert { labels, fingerprint, starts_at: Some(now), ..alert }
        }
    };
    alert.ends_at = now.checked_add(inbound.event_life).ok();
    let fingerprint = alert.fingerprint;
    let told = vec![KeyedAlert { key: Some(alias.clone()), alert }];
    let told =
        submit(&app, caller.actor.clone(), inbound, told).await.map_err(|e| caller.busy(e))?;
    if !create.note.is_empty() {
        let by = act::who(&create.user, &caller);
        let note = Command::AddNote { alert: fingerprint, by, text: create.note };
        app.engine.command(note.by(caller.actor.clone())).await.map_err(|e| caller.busy(e))?;
    }
    let known = find(&app, inbound, alias).await.map_err(|e| caller.busy(e))?;
    let shown = known.map(|known| view(&caller, &known));
    let result = match &shown {
        Some(alert) if told.ingested.limited == 0 => Ok(alert),
        _ => Err("the alert was left out because a limit was met"),
    };
    requests.remember(&caller, now, "Create", result);
    Ok(caller.accepted())
}
