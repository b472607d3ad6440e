//! Alerts that fire, and single ones that did.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use tocsin_core::identity::Permission;
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_wire::v1::{Alert, AlertPage};

use super::cursor::List;
use super::matchers;
use super::params::{Ask, FromQuery, Nothing, Params, invalid};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::Caller;

/// The label whose value the filter `severity` looks at.
const SEVERITY: &str = "severity";

/// Which alerts to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AlertsQuery {
    /// Only alerts that satisfy this matcher, such as `severity="critical"`; may be repeated, and
    /// then all must hold.
    #[param(required = false)]
    filter: Vec<String>,
    /// Only alerts that stand like this.
    #[param(inline)]
    state: Option<FiringState>,
    /// Only alerts that route to the receiver of this name.
    receiver: Option<String>,
    /// Only alerts of this severity, whatever its case.
    severity: Option<String>,
    /// Only alerts that somebody works on, or only those that nobody works on.
    acknowledged: Option<bool>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

/// Where a firing alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum FiringState {
    /// Nothing holds it back.
    Active,
    /// Something holds it back.
    Suppressed,
}

impl FromQuery for AlertsQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            filter: params.many("filter"),
            state: params.choice("state")?,
            receiver: params.text("receiver")?,
            severity: params.text("severity")?,
            acknowledged: params.parsed("acknowledged", "`true` or `false`")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// List firing alerts
///
/// Ascending by fingerprint, so a list that changes while it is paged through neither skips nor
/// repeats an alert that fires all the time.
#[utoipa::path(
    get, path = "/api/v1/alerts", operation_id = "list_alerts", tag = "alerts",
    params(AlertsQuery),
    responses((status = 200, description = "A page of alerts", body = AlertPage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(query): Ask<AlertsQuery>,
) -> Answer<Json<AlertPage>> {
    let filter = matchers::from_filter(&query.filter, app.options.parse_mode)?;
    let after: Option<Fingerprint> = List::Alerts.key(query.cursor.as_deref())?;
    let AlertsQuery { state, receiver, severity, acknowledged, limit, .. } = query;
    let takes = move |labels: &Labels| {
        caller.may(Permission::AlertRead, labels)
            && severity.as_ref().is_none_or(|it| labels.value(SEVERITY).eq_ignore_ascii_case(it))
            && filter.iter().all(|matcher| matcher.matches(labels))
    };
    let found = app.engine.read(move |tenant, now| {
        let alerts = tenant.alerts_after(after, now, takes).filter(|alert| {
            let is_suppressed = alert.status.is_suppressed();
            acknowledged.is_none_or(|wanted| wanted == alert.acknowledgement.is_some())
                && state.is_none_or(|state| (state == FiringState::Suppressed) == is_suppressed)
                && receiver.as_ref().is_none_or(|it| alert.receivers.iter().any(|r| **r == **it))
        });
        alerts.take(limit + 1).collect::<Vec<_>>()
    });
    let mut found = found.await?;
    let next_cursor = List::Alerts.page(&mut found, limit, |alert| alert.identity.fingerprint);
    Ok(Json(AlertPage { items: found.iter().map(Alert::from).collect(), next_cursor }))
}

/// Show an alert
///
/// The latest life of the alert with that fingerprint, also when it is over.
#[utoipa::path(
    get, path = "/api/v1/alerts/{fingerprint}", operation_id = "get_alert", tag = "alerts",
    params(("fingerprint" = String, Path, description = "Sixteen hexadecimal digits")),
    responses((status = 200, description = "The alert", body = Alert))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(fingerprint): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Alert>> {
    let fingerprint = parse_fingerprint(&fingerprint)?;
    let known = app.engine.read(move |tenant, now| tenant.explain(fingerprint, now)).await?;
    let sees = |labels: &Labels| caller.may(Permission::AlertRead, labels);
    if let Some(known) = known.filter(|it| sees(&it.alert.identity.labels)) {
        let alert = Alert::from(&known.alert);
        return Ok(Json(if known.is_resolved { alert.resolved() } else { alert }));
    }
    let lives = app.engine.store().alert_history(app.engine.tenant(), fingerprint, 1).await?;
    let life = lives.first().filter(|life| sees(&life.identity.labels));
    let life = life.ok_or_else(|| no_alert(fingerprint))?;
    Ok(Json(Alert::past(&life.identity, &life.description, life.row.activity)))
}

/// Reads the fingerprint in a path.
pub(super) fn parse_fingerprint(text: &str) -> Answer<Fingerprint> {
    text.parse().map_err(|_| invalid("fingerprint", "must be 16 hexadecimal digits"))
}

/// Answers that there is no alert with that fingerprint.
pub(super) fn no_alert(fingerprint: Fingerprint) -> Refusal {
    Refusal::not_found(format!("no alert with the fingerprint {fingerprint} is known"))
}
