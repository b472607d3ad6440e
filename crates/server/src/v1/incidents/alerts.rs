//! All alerts of an incident, page by page.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use tocsin_core::identity::Permission;
use tocsin_core::incident::{IncidentAlert, IncidentStep, alert_roles};
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_wire::v1::{IncidentAlertPage, IncidentAlertPatch, IncidentAlertRow, IncidentResult};

use super::super::body::Json as Body;
use super::super::cursor::List;
use super::super::params::{Ask, FromQuery, Nothing, Params, invalid};
use super::super::problem::{Answer, Refusal};
use super::steps::Asked;
use super::{find, parse};
use crate::App;
use crate::access::Caller;

/// The most characters that are searched for in labels.
const MAX_SEARCH_CHARS: usize = 200;

/// Which alerts of an incident to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AlertsQuery {
    /// Only those that fire, or only those that do not.
    firing: Option<bool>,
    /// Only those with this in a label, in upper or lower case.
    q: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for AlertsQuery {
    fn read(params: &Params) -> Answer<Self> {
        let q = params.text("q")?.filter(|it| !it.is_empty());
        if q.as_ref().is_some_and(|it| it.chars().count() > MAX_SEARCH_CHARS) {
            return Err(invalid("q", format!("has more than {MAX_SEARCH_CHARS} characters")));
        }
        Ok(Self {
            firing: params.parsed("firing", "`true` or `false`")?,
            q,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// Where a page begins: after what joined then, and of those after this one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(Timestamp, Fingerprint);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.0, self.1)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, fingerprint) = text.split_once('/').ok_or(())?;
        Ok(Self(at.parse().map_err(|_| ())?, fingerprint.parse().map_err(|_| ())?))
    }
}

impl Place {
    fn of(alert: &IncidentAlert) -> Self {
        Self(alert.joined_at, alert.fingerprint)
    }
}

/// List the alerts of an incident
///
/// All of them, the first that joined first; what is to be split off is named by its fingerprint.
#[utoipa::path(
    get, path = "/api/v1/incidents/{incident}/alerts", operation_id = "list_incident_alerts",
    tag = "incidents",
    params(("incident" = String, Path, description = "Its number or reference"), AlertsQuery),
    responses((status = 200, description = "A page of its alerts", body = IncidentAlertPage))
)]
pub(in super::super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(query): Ask<AlertsQuery>,
) -> Answer<Json<IncidentAlertPage>> {
    let after: Option<Place> = List::IncidentAlerts.key(query.cursor.as_deref())?;
    let (it, alerts) = find(&app, &caller, parse(&text)?).await?;
    let (limit, firing) = (query.limit, query.firing);
    let wanted = query.q.map(|it| it.to_lowercase());
    let roles = alert_roles(&alerts);
    let found = app.engine.read(move |tenant, _| {
        let all = alerts.iter().zip(roles);
        let later = all.filter(|(alert, _)| after.is_none_or(|after| Place::of(alert) > after));
        let rows = later.filter_map(|(alert, role)| {
            let is_firing = tenant.is_alert_firing(alert.fingerprint);
            let labels = tenant.identity(alert.fingerprint).map(|it| &it.labels);
            let is_found = wanted.as_ref().is_none_or(|wanted| {
                let mut values = labels.into_iter().flat_map(Labels::iter);
                values.any(|(_, value)| value.to_lowercase().contains(wanted.as_str()))
            });
            let is_wanted = is_found && firing.is_none_or(|firing| firing == is_firing);
            is_wanted.then(|| {
                (Place::of(alert), IncidentAlertRow::new(alert, role, labels.cloned(), is_firing))
            })
        });
        rows.take(limit + 1).collect::<Vec<_>>()
    });
    let mut found = found.await?;
    let next_cursor = List::IncidentAlerts.page(&mut found, limit, |(place, _)| *place);
    let items = found.into_iter().map(|(_, row)| row).collect();
    Ok(Json(IncidentAlertPage { items, next_cursor, left_out: it.alerts_left_out }))
}

/// Say what an alert is in its incident
///
/// The root, a symptom of it, or the same as another one. There is one root at most.
#[utoipa::path(
    patch, path = "/api/v1/incidents/{incident}/alerts/{fingerprint}",
    operation_id = "change_incident_alert", tag = "incidents",
    params(
        ("incident" = String, Path, description = "Its number or reference"),
        ("fingerprint" = String, Path, description = "Of the alert")
    ),
    request_body = IncidentAlertPatch,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((text, fingerprint)): Path<(String, String)>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentAlertPatch>,
) -> Answer<Response> {
    let missing = || Refusal::not_found(format!("incident {text} has no alert {fingerprint}"));
    let alert: Fingerprint = fingerprint.parse().map_err(|_| missing())?;
    let (_, alerts) = find(&app, &caller, parse(&text)?).await?;
    if !alerts.iter().any(|it| it.fingerprint == alert) {
        return Err(missing());
    }
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentTransition)?;
    asked.carry_out(&app, IncidentStep::SetAlertRole { alert, role: body.role.into() }).await
}
