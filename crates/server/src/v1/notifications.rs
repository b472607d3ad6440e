//! Notifications on their way out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tocsin_wire::v1::{Notification, NotificationPage};

use super::cursor::List;
use super::params::{Ask, FromQuery, Params};
use super::problem::Answer;
use crate::App;

/// Which notifications to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct NotificationsQuery {
    /// Only those to the receiver of this name.
    receiver: Option<String>,
    /// Only those to this integration, as `receiver/kind[index]`.
    integration: Option<String>,
    /// Only those about the group with this number.
    group: Option<u64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for NotificationsQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            receiver: params.text("receiver")?,
            integration: params.text("integration")?,
            group: params.parsed("group", "a number")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// List unsent notifications
///
/// Ascending by number. Those that were sent are found among the events.
#[utoipa::path(
    get, path = "/api/v1/notifications", operation_id = "list_notifications",
    tag = "notifications",
    params(NotificationsQuery),
    responses((status = 200, description = "A page of notifications", body = NotificationPage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(query): Ask<NotificationsQuery>,
) -> Answer<Json<NotificationPage>> {
    let after: Option<u64> = List::Notifications.key(query.cursor.as_deref())?;
    let mut found = app.engine.read(|tenant, _| tenant.outbox()).await?;
    found.retain(|entry| {
        after.is_none_or(|after| entry.number.0 > after)
            && query.receiver.as_ref().is_none_or(|it| *entry.key.receiver == **it)
            && query.integration.as_ref().is_none_or(|it| entry.key.integration() == *it)
            && query.group.is_none_or(|group| entry.group.0 == group)
    });
    let next_cursor = List::Notifications.page(&mut found, query.limit, |entry| entry.number);
    let items = found.iter().map(Notification::from).collect();
    Ok(Json(NotificationPage { items, next_cursor }))
}
