//! Somebody works on alerts, or no longer does, or adds to what is known of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::Permission;
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_wire::v1::{
    AcknowledgementDraft, AcknowledgementEndDraft, ChangedAlerts, NoteDraft, WrittenMatcher,
};

use super::alerts::{no_alert, parse_fingerprint};
use super::body::Json as Body;
use super::matchers;
use super::params::{Ask, Nothing};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::Caller;

/// Acknowledge alerts
///
/// All firing alerts that satisfy the matchers. Their groups stop repeating until the
/// acknowledgement lapses or is taken back, or something new joins.
#[utoipa::path(
    post, path = "/api/v1/alerts/acknowledge", operation_id = "acknowledge_alerts", tag = "alerts",
    request_body = AcknowledgementDraft,
    responses((status = 200, description = "Those that are acknowledged now", body = ChangedAlerts))
)]
pub(super) async fn acknowledge_matching(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<AcknowledgementDraft>,
) -> Answer<Json<ChangedAlerts>> {
    let alerts = matching(&app, &caller, &draft.matchers, false).await?;
    acknowledge(&app, caller, alerts, draft).await
}

/// Acknowledge an alert
#[utoipa::path(
    post, path = "/api/v1/alerts/{fingerprint}/acknowledge",
    operation_id = "acknowledge_alert", tag = "alerts",
    params(("fingerprint" = String, Path, description = "Sixteen hexadecimal digits")),
    request_body = AcknowledgementDraft,
    responses((status = 200, description = "It is acknowledged now", body = ChangedAlerts))
)]
pub(super) async fn acknowledge_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(fingerprint): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<AcknowledgementDraft>,
) -> Answer<Json<ChangedAlerts>> {
    let alerts = named(&app, &caller, &fingerprint, &draft.matchers).await?;
    acknowledge(&app, caller, alerts, draft).await
}

/// Take acknowledgements back
///
/// Those of all alerts that satisfy the matchers. A repetition that is overdue goes out at once.
#[utoipa::path(
    post, path = "/api/v1/alerts/unacknowledge",
    operation_id = "unacknowledge_alerts", tag = "alerts",
    request_body = AcknowledgementEndDraft,
    responses((status = 200, description = "Those that no longer are", body = ChangedAlerts))
)]
pub(super) async fn unacknowledge_matching(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<AcknowledgementEndDraft>,
) -> Answer<Json<ChangedAlerts>> {
    let alerts = matching(&app, &caller, &draft.matchers, true).await?;
    unacknowledge(&app, caller, alerts, draft).await
}

/// Take an acknowledgement back
#[utoipa::path(
    post, path = "/api/v1/alerts/{fingerprint}/unacknowledge",
    operation_id = "unacknowledge_alert", tag = "alerts",
    params(("fingerprint" = String, Path, description = "Sixteen hexadecimal digits")),
    request_body = AcknowledgementEndDraft,
    responses((status = 200, description = "It no longer is", body = ChangedAlerts))
)]
pub(super) async fn unacknowledge_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(fingerprint): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<AcknowledgementEndDraft>,
) -> Answer<Json<ChangedAlerts>> {
    let alerts = named(&app, &caller, &fingerprint, &draft.matchers).await?;
    unacknowledge(&app, caller, alerts, draft).await
}

/// Add a note to an alert
///
/// It becomes part of the alert's history.
#[utoipa::path(
    post, path = "/api/v1/alerts/{fingerprint}/notes", operation_id = "note_alert", tag = "alerts",
    params(("fingerprint" = String, Path, description = "Sixteen hexadecimal digits")),
    request_body = NoteDraft,
    responses((status = 200, description = "It is noted", body = ChangedAlerts))
)]
pub(super) async fn note(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(fingerprint): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<NoteDraft>,
) -> Answer<Json<ChangedAlerts>> {
    let alert = parse_fingerprint(&fingerprint)?;
    needs("/by", &draft.by)?;
    needs("/text", &draft.text)?;
    allowed(&app, &caller, Permission::AlertComment, alert).await?;
    let note = Command::AddNote { alert, by: draft.by, text: draft.text };
    match app.engine.command(note.by(caller.actor)).await? {
        Reply::Done => Ok(Json(ChangedAlerts { alerts: vec![alert] })),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

async fn acknowledge(
    app: &App,
    caller: Caller,
    alerts: Vec<Fingerprint>,
    draft: AcknowledgementDraft,
) -> Answer<Json<ChangedAlerts>> {
    needs("/by", &draft.by)?;
    let now: Timestamp = app.engine.now();
    let expires_at =
        draft.end(now).map_err(|(field, why)| Refusal::field(&format!("/{field}"), why))?;
    let AcknowledgementDraft { by, comment, .. } = draft;
    submit(app, caller, Command::Acknowledge { alerts, by, comment, expires_at }).await
}

async fn unacknowledge(
    app: &App,
    caller: Caller,
    alerts: Vec<Fingerprint>,
    draft: AcknowledgementEndDraft,
) -> Answer<Json<ChangedAlerts>> {
    needs("/by", &draft.by)?;
    let AcknowledgementEndDraft { by, comment, .. } = draft;
    submit(app, caller, Command::Unacknowledge { alerts, by, comment }).await
}

async fn submit(app: &App, caller: Caller, command: Command) -> Answer<Json<ChangedAlerts>> {
    match app.engine.command(command.by(caller.actor)).await? {
        Reply::Alerts(alerts) => Ok(Json(ChangedAlerts { alerts })),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

/// Returns the firing alerts that satisfy the matchers of a body.
async fn matching(
    app: &App,
    caller: &Caller,
    written: &[WrittenMatcher],
    is_acknowledged: bool,
) -> Answer<Vec<Fingerprint>> {
    let matchers = matchers::from_body(written, app.options.parse_mode)?;
    let access = Arc::clone(&caller.access);
    let found = app.engine.read(move |tenant, now| {
        let may = |labels: &Labels| access.allows_for(Permission::AlertAcknowledge, labels);
        tenant
            .alerts_after(None, now, |labels| matchers.matches(labels) && may(labels))
            .filter(|alert| !is_acknowledged || alert.acknowledgement.is_some())
            .map(|alert| alert.identity.fingerprint)
            .collect::<Vec<_>>()
    });
    Ok(found.await?)
}

/// Reads the alert in a path; a body must not name others.
async fn named(
    app: &App,
    caller: &Caller,
    fingerprint: &str,
    matchers: &[WrittenMatcher],
) -> Answer<Vec<Fingerprint>> {
    if !matchers.is_empty() {
        return Err(Refusal::field("/matchers", "the path names the alert already"));
    }
    let fingerprint = parse_fingerprint(fingerprint)?;
    allowed(app, caller, Permission::AlertAcknowledge, fingerprint).await?;
    Ok(vec![fingerprint])
}

/// Refuses what the caller may not do with an alert: as if it were not there when they may not
/// know of it either.
async fn allowed(
    app: &App,
    caller: &Caller,
    permission: Permission,
    alert: Fingerprint,
) -> Answer<()> {
    if caller.access.allows(permission) {
        return Ok(());
    }
    let identity = app.engine.read(move |tenant, _| tenant.identity(alert).cloned()).await?;
    let seen = identity.filter(|it| caller.may(Permission::AlertRead, &it.labels));
    let identity = seen.ok_or_else(|| no_alert(alert))?;
    caller.must(permission, &identity.labels)
}

fn needs(pointer: &str, text: &str) -> Answer<()> {
    if text.trim().is_empty() {
        return Err(Refusal::field(pointer, "must not be empty"));
    }
    Ok(())
}
