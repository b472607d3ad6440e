//! Which alerts a list shows.

use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin_core::alert::{AlertStatus, AlertView};
use tocsin_core::matcher::{Matcher, ParseMode};
use tocsin_core::policy::Policy;
use tocsin_wire::alertmanager::ApiError;

use super::query::Params;

/// The more alerts there are, the longer a list takes; beyond this many it is made beside the
/// async workers.
const MAX_INLINE_ALERTS: usize = 1_000;

/// Which alerts a list shows.
pub(super) struct AlertFilter {
    matchers: Vec<Matcher>,
    receiver: Option<Matcher>,
    /// The receivers whose labels satisfy `receiver_matchers`; `None` for all.
    receivers: Option<BTreeSet<Arc<str>>>,
    shows_active: bool,
    shows_silenced: bool,
    shows_inhibited: bool,
    shows_muted: bool,
}

impl AlertFilter {
    /// Reads the filter of a request.
    ///
    /// # Errors
    /// A matcher or the receiver's pattern cannot be read.
    pub(super) fn read(
        params: &Params,
        policy: &Policy,
        mode: ParseMode,
    ) -> Result<Self, ApiError> {
        let matchers = params.matchers("filter", mode)?;
        let receiver = params.receiver()?;
        let by_labels = params.matchers("receiver_matchers", mode)?;
        let receivers = (!by_labels.is_empty()).then(|| {
            let matching = policy.receivers.iter().filter(|receiver| {
                by_labels.iter().all(|matcher| matcher.matches(&receiver.labels))
            });
            matching.map(|receiver| Arc::clone(&receiver.name)).collect()
        });
        Ok(Self {
            matchers,
            receiver,
            receivers,
            shows_active: params.flag("active"),
            shows_silenced: params.flag("silenced"),
            shows_inhibited: params.flag("inhibited"),
            shows_muted: params.flag("muted"),
        })
    }

    /// Returns whether alerts of this receiver are shown.
    pub(super) fn takes_receiver(&self, name: &str) -> bool {
        self.receiver.as_ref().is_none_or(|pattern| pattern.matches_value(name))
            && self.receivers.as_ref().is_none_or(|names| names.contains(name))
    }

    /// Returns whether at least one receiver of the alert is asked for.
    pub(super) fn takes_any_receiver(&self, alert: &AlertView) -> bool {
        // Each condition may hold for another receiver.
        let has = |condition: &dyn Fn(&str) -> bool| alert.receivers.iter().any(|r| condition(r));
        self.receiver.as_ref().is_none_or(|pattern| has(&|name| pattern.matches_value(name)))
            && self.receivers.as_ref().is_none_or(|names| has(&|name| names.contains(name)))
    }

    /// Returns whether an alert with this status and these labels is shown.
    pub(super) fn takes(&self, alert: &AlertView) -> bool {
        self.takes_status(&alert.status)
            && self.matchers.iter().all(|matcher| matcher.matches(&alert.identity.labels))
    }

    fn takes_status(&self, status: &AlertStatus) -> bool {
        // What mutes a whole group is no property of the alert, so it counts as active.
        let is_active = status.silenced_by.is_empty()
            && status.inhibited_by.is_none()
            && status.maintained_by.is_empty();
        (self.shows_active || !is_active)
            && (self.shows_silenced || status.silenced_by.is_empty())
            && (self.shows_inhibited || status.inhibited_by.is_none())
            && (self.shows_muted || status.maintained_by.is_empty())
    }

    /// Returns whether groups that time intervals mute are shown.
    pub(super) fn takes_muted_groups(&self) -> bool {
        self.shows_muted
    }
}

/// Runs `work` on `alerts` many alerts, beside the async workers when it takes long.
pub(super) async fn off_thread<R: Send + 'static>(
    alerts: usize,
    work: impl FnOnce() -> R + Send + 'static,
) -> R {
    if alerts <= MAX_INLINE_ALERTS {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // Nobody cancels the task, so it panicked; the panic is answered like any other.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
