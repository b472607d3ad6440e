//! Groups: alerts that are told together.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use tocsin_core::Tenant;
use tocsin_core::ids::GroupNumber;
use tocsin_core::labels::Fingerprint;
use tocsin_wire::v1::{Alert, AlertPage, Group, GroupDetail, GroupPage};

use super::cursor::List;
use super::matchers;
use super::params::{Ask, FromQuery, Params, invalid};
use super::problem::{Answer, Refusal};
use crate::App;

/// Which groups to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GroupsQuery {
    /// Only groups in which an alert fires that satisfies this matcher; may be repeated, and then
    /// one alert must satisfy all.
    #[param(required = false)]
    filter: Vec<String>,
    /// Only groups of the receiver of this name.
    receiver: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for GroupsQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            filter: params.many("filter"),
            receiver: params.text("receiver")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// List groups
///
/// Those in which an alert fires, ascending by number.
#[utoipa::path(
    get, path = "/api/v1/groups", operation_id = "list_groups", tag = "groups",
    params(GroupsQuery),
    responses((status = 200, description = "A page of groups", body = GroupPage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(query): Ask<GroupsQuery>,
) -> Answer<Json<GroupPage>> {
    let filter = matchers::from_filter(&query.filter, app.options.parse_mode)?;
    let after: Option<u64> = List::Groups.key(query.cursor.as_deref())?;
    let mut found = app.engine.read(Tenant::groups).await?;
    found.retain(|group| {
        after.is_none_or(|after| group.number.0 > after)
            && query.receiver.as_ref().is_none_or(|it| *group.receiver == **it)
            && group
                .alerts
                .iter()
                .any(|alert| filter.iter().all(|it| it.matches(&alert.identity.labels)))
    });
    found.sort_unstable_by_key(|group| group.number);
    let next_cursor = List::Groups.page(&mut found, query.limit, |group| group.number);
    Ok(Json(GroupPage { items: found.iter().map(Group::from).collect(), next_cursor }))
}

/// Which alerts of a group to show.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GroupQuery {
    /// The `next_cursor` of the page of alerts before.
    cursor: Option<String>,
    /// The most alerts of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for GroupQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self { cursor: params.text("cursor")?, limit: params.limit()? })
    }
}

/// Show a group
///
/// With a page of its firing alerts, ascending by fingerprint.
#[utoipa::path(
    get, path = "/api/v1/groups/{number}", operation_id = "get_group", tag = "groups",
    params(("number" = u64, Path, description = "The number of the group"), GroupQuery),
    responses((status = 200, description = "The group", body = GroupDetail))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    Ask(query): Ask<GroupQuery>,
) -> Answer<Json<GroupDetail>> {
    let number = number.parse().map_err(|_| invalid("number", "must be a number"))?;
    let after: Option<Fingerprint> = List::Alerts.key(query.cursor.as_deref())?;
    let read = app.engine.read(move |tenant, now| tenant.group(GroupNumber(number), now));
    let view = read.await?.ok_or_else(|| {
        Refusal::not_found(format!("there is no group {number} in which an alert fires"))
    })?;
    let group = Group::from(&view);
    let mut alerts = view.alerts;
    alerts.retain(|alert| after.is_none_or(|after| alert.identity.fingerprint > after));
    alerts.sort_unstable_by_key(|alert| alert.identity.fingerprint);
    let next_cursor = List::Alerts.page(&mut alerts, query.limit, |it| it.identity.fingerprint);
    let alerts = AlertPage { items: alerts.iter().map(Alert::from).collect(), next_cursor };
    Ok(Json(GroupDetail { group, alerts }))
}
