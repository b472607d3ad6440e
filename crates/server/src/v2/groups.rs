//! `/api/v2/alerts/groups`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use tocsin_core::Tenant;
use tocsin_core::alert::AlertView;
use tocsin_core::views::GroupView;
use tocsin_wire::alertmanager::encode_groups;

use super::filter::{AlertFilter, off_thread};
use super::query::Params;
use super::reply::{self, Failure};
use crate::App;

/// Lists groups with their firing alerts, by labels (fewer first), then by receiver.
pub(super) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Response, Failure> {
    let policy = Arc::clone(&app.reloader.current().policy);
    let filter = AlertFilter::read(&params, &policy, app.options.parse_mode)?;
    let mut groups = app.engine.read(Tenant::groups).await?;
    let groups = off_thread(count(&groups), move || {
        groups.retain_mut(|group| keep(group, &filter));
        groups
    });
    let groups = groups.await;
    Ok(reply::list(count(&groups), encode_groups(groups)))
}

fn count(groups: &[GroupView]) -> usize {
    groups.iter().map(|group| group.alerts.len()).sum()
}

/// Reduces a group to what is asked for and returns whether anything is left.
fn keep(group: &mut GroupView, filter: &AlertFilter) -> bool {
    let is_muted = group.alerts.iter().any(|alert| !alert.status.muted_by.is_empty());
    if (is_muted && !filter.takes_muted_groups()) || !filter.takes_receiver(&group.receiver) {
        return false;
    }
    group.alerts.retain(|alert| filter.takes(alert));
    for alert in &mut group.alerts {
        name_receivers(alert, filter);
    }
    !group.alerts.is_empty()
}

/// Names, in order, the receivers of the groups that are shown, as Alertmanager does here; in the
/// list of alerts it names all of them in the order of the routes.
fn name_receivers(alert: &mut AlertView, filter: &AlertFilter) {
    if alert.receivers.len() > 1 {
        let shown = alert.receivers.iter().filter(|name| filter.takes_receiver(name));
        let mut shown: Vec<Arc<str>> = shown.cloned().collect();
        shown.sort();
        alert.receivers = shown.into();
    }
}
