//! Attempts to send: many at once, never more than a few towards the same place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tocsin_connect::paging::GroupChange;
use tocsin_connect::{CalendarRead, Edition, Outbound};
use tocsin_core::command::Command;
use tocsin_core::notification::{AttemptOutcome, Failure, FailureClass, OutboxEntry};
use tocsin_core::oncall::ImportOutcome;
use tocsin_core::paging::{Channel, Page};
use tocsin_core::tenant::{CalendarToRead, GroupOutcome, GroupSync};
use tokio::sync::Semaphore;
use tracing::{Instrument as _, debug, warn};

use crate::handle::EngineHandle;

/// No attempt takes longer, whatever an integration's own time limit says.
const MAX_ATTEMPT: Duration = Duration::from_secs(120);

/// Sends a notification once.
#[async_trait]
pub trait Deliver: Send + Sync + 'static {
    /// Makes one attempt and tells how it ended. It never panics on what comes back.
    async fn attempt(&self, entry: &OutboxEntry, idempotency_key: &str) -> AttemptOutcome;

    /// Says something in private to whoever pressed a button, where the channel told us to. It is
    /// a courtesy: nothing depends on whether it arrives.
    async fn respond(&self, _channel: Channel, _to: &str, _text: &str) {}

    /// Asks the address of a watcher outside, which is to say that we are alive.
    ///
    /// # Errors
    /// Why that did not work, in one sentence without the address.
    async fn knock(&self, _address: &str, _now: Timestamp) -> Result<(), String> {
        Err("nothing here can ask an address".to_owned())
    }

    /// Reads a calendar once, only if it is another edition than the one read before.
    async fn read_calendar(
        &self,
        _calendar: &CalendarToRead,
        _edition: Option<&Edition>,
        _now: Timestamp,
    ) -> CalendarRead {
        CalendarRead {
            outcome: ImportOutcome::Failed { why: "nothing here can read a calendar".to_owned() },
            edition: Edition::default(),
            retry_after: None,
        }
    }

    /// Makes one attempt to page somebody and tells how it ended. Whatever cannot page refuses.
    async fn page(&self, page: &Page, idempotency_key: &str) -> AttemptOutcome {
        let _ = idempotency_key;
        AttemptOutcome::Refused(Failure {
            class: FailureClass::Other,
            message: format!("nothing here can send by {}", page.channel),
            retry_after_ms: None,
            may_have_arrived: false,
        })
    }

    /// Lets a user group hold exactly these members. Whatever knows no groups leaves them alone.
    async fn set_group(&self, _sync: &GroupSync, _now: Timestamp) -> GroupOutcome {
        GroupOutcome::Done
    }
}

/// The integrations of the configuration in effect; a reload swaps them.
pub struct Delivery {
    current: ArcSwap<Outbound>,
}

impl Delivery {
    /// Starts with these integrations.
    pub fn new(outbound: Outbound) -> Self {
        Self { current: ArcSwap::from_pointee(outbound) }
    }

    /// Puts other integrations into effect and returns the old ones, with which attempts under
    /// way end.
    pub fn replace(&self, outbound: Arc<Outbound>) -> Arc<Outbound> {
        self.current.swap(outbound)
    }
}

#[async_trait]
impl Deliver for Delivery {
    async fn attempt(&self, entry: &OutboxEntry, idempotency_key: &str) -> AttemptOutcome {
        let outbound = self.current.load_full();
        outbound.attempt(entry, idempotency_key).await
    }

    async fn page(&self, page: &Page, idempotency_key: &str) -> AttemptOutcome {
        let outbound = self.current.load_full();
        outbound.page(page, idempotency_key).await
    }

    async fn knock(&self, address: &str, now: Timestamp) -> Result<(), String> {
        let outbound = self.current.load_full();
        outbound.knock(address, now).await
    }

    async fn read_calendar(
        &self,
        calendar: &CalendarToRead,
        edition: Option<&Edition>,
        now: Timestamp,
    ) -> CalendarRead {
        let outbound = self.current.load_full();
        outbound.read_calendar(calendar, edition, now).await
    }

    async fn set_group(&self, sync: &GroupSync, now: Timestamp) -> GroupOutcome {
        let outbound = self.current.load_full();
        // One that a reload removed needs nothing any more.
        let Some(group) = outbound.user_group(&sync.group) else { return GroupOutcome::Done };
        match outbound.sync_user_group(&group, &sync.members, now).await {
            Ok(GroupChange::Set { people }) => {
                debug!(
                    "user group {} holds the {people} on call for {}",
                    sync.group, sync.schedule
                );
                GroupOutcome::Done
            }
            Ok(GroupChange::LeftAlone) => {
                warn!(
                    "user group {} is left as it is: nobody on call for {} is known to Slack",
                    sync.group, sync.schedule
                );
                GroupOutcome::Done
            }
            Err(error) => {
                warn!("{error}; it is tried again");
                let wait = error.retry_after_ms.and_then(|wait| i64::try_from(wait).ok());
                GroupOutcome::Failed { retry_after: wait.map(SignedDuration::from_millis) }
            }
        }
    }

    async fn respond(&self, channel: Channel, to: &str, text: &str) {
        let outbound = self.current.load_full();
        if let Err(why) = outbound.respond(channel, to, text).await {
            debug!("nothing was said to who pressed a button: {why}");
        }
    }
}

/// Runs attempts and reports how they ended.
pub(crate) struct Pool {
    deliver: Arc<dyn Deliver>,
    handle: EngineHandle,
    per_integration: usize,
    places: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

impl Pool {
    pub(crate) fn new(
        deliver: Arc<dyn Deliver>,
        handle: EngineHandle,
        per_integration: usize,
    ) -> Self {
        Self { deliver, handle, per_integration, places: Mutex::default() }
    }

    /// Starts an attempt as soon as its integration has a place. Waiting attempts are bounded by
    /// the outbox: each notification waits at most once.
    pub(crate) fn attempt(&self, entry: OutboxEntry) {
        let place = self.place(entry.key.integration());
        let (deliver, handle) = (Arc::clone(&self.deliver), self.handle.clone());
        let attempt = async move {
            let Ok(_permit) = place.acquire_owned().await else { return };
            let number = entry.number;
            let integration = entry.key.integration();
            // What waited longer than it may tells of the past: its group decides anew.
            let outcome = match too_late(entry.deadline, handle.now()) {
                Some(outcome) => outcome,
                None => run(deliver, entry).await,
            };
            match &outcome {
                AttemptOutcome::Delivered { .. } => {
                    debug!(notification = number.0, "sent to {integration}");
                }
                AttemptOutcome::Failed(failure) | AttemptOutcome::Refused(failure) => {
                    warn!(
                        notification = number.0,
                        "not sent to {integration}: {}", failure.message
                    );
                }
            }
            let jitter = rand::random::<f64>();
            handle.report(Command::AttemptEnded { number, outcome, jitter }).await;
        };
        tokio::spawn(attempt.in_current_span());
    }

    /// Starts an attempt to page somebody as soon as its channel has a place.
    pub(crate) fn page(&self, page: Page) {
        let place = self.place(format!("page/{}", page.channel));
        let (deliver, handle) = (Arc::clone(&self.deliver), self.handle.clone());
        tokio::spawn(async move {
            let Ok(_permit) = place.acquire_owned().await else { return };
            let (number, recipient, channel) = (page.number, page.recipient.clone(), page.channel);
            let outcome = run_page(deliver, page).await;
            match &outcome {
                AttemptOutcome::Delivered { .. } => {
                    debug!(page = number.0, "paged {recipient} by {channel}");
                }
                AttemptOutcome::Failed(failure) | AttemptOutcome::Refused(failure) => {
                    warn!(page = number.0, "{recipient} not paged: {}", failure.message);
                }
            }
            let jitter = rand::random::<f64>();
            handle.report(Command::AttemptEnded { number, outcome, jitter }).await;
        });
    }

    /// Starts an attempt to set a user group; one at a time, as the other side counts them.
    pub(crate) fn group(&self, sync: GroupSync) {
        let place = self.place("user_group".to_owned());
        let (deliver, handle) = (Arc::clone(&self.deliver), self.handle.clone());
        let attempt = async move {
            let Ok(_permit) = place.acquire_owned().await else { return };
            let (now, wanted) = (handle.now(), sync.clone());
            let attempt = async move {
                tokio::time::timeout(MAX_ATTEMPT, deliver.set_group(&wanted, now)).await
            };
            let attempt = tokio::spawn(attempt.in_current_span());
            let outcome = match attempt.await {
                Ok(Ok(outcome)) => outcome,
                _ => GroupOutcome::Failed { retry_after: None },
            };
            handle.report(Command::GroupSynced { sync, outcome }).await;
        };
        tokio::spawn(attempt.in_current_span());
    }

    fn place(&self, integration: String) -> Arc<Semaphore> {
        let mut places = self.places.lock();
        let place = places
            .entry(integration)
            .or_insert_with(|| Arc::new(Semaphore::new(self.per_integration.max(1))));
        Arc::clone(place)
    }
}

/// Runs one attempt in a task of its own, so that even a panic ends as an outcome and the
/// notification is tried again.
pub(crate) async fn run(deliver: Arc<dyn Deliver>, entry: OutboxEntry) -> AttemptOutcome {
    let attempt = async move {
        let key = entry.idempotency_key();
        tokio::time::timeout(MAX_ATTEMPT, deliver.attempt(&entry, &key)).await
    };
    match tokio::spawn(attempt.in_current_span()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => AttemptOutcome::Failed(Failure {
            class: FailureClass::ContextDeadlineExceeded,
            message: format!("the attempt took longer than {} s", MAX_ATTEMPT.as_secs()),
            retry_after_ms: None,
            may_have_arrived: true,
        }),
        Err(error) => failed(FailureClass::Other, format!("the attempt broke off: {error}")),
    }
}

/// Runs one attempt to page somebody in a task of its own, as [`run`] does.
async fn run_page(deliver: Arc<dyn Deliver>, page: Page) -> AttemptOutcome {
    let attempt = tokio::spawn(async move {
        let key = page.idempotency_key();
        tokio::time::timeout(MAX_ATTEMPT, deliver.page(&page, &key)).await
    });
    match attempt.await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => AttemptOutcome::Failed(Failure {
            class: FailureClass::ContextDeadlineExceeded,
            message: format!("the attempt took longer than {} s", MAX_ATTEMPT.as_secs()),
            retry_after_ms: None,
            may_have_arrived: true,
        }),
        Err(error) => failed(FailureClass::Other, format!("the attempt broke off: {error}")),
    }
}

/// Returns how an attempt ended that got its place only after its deadline.
fn too_late(deadline: Timestamp, now: Timestamp) -> Option<AttemptOutcome> {
    (now > deadline).then(|| {
        failed(
            FailureClass::ContextDeadlineExceeded,
            format!(
                "the integration was busy with other messages until the deadline {deadline:.0}"
            ),
        )
    })
}

pub(crate) fn failed(class: FailureClass, message: String) -> AttemptOutcome {
    AttemptOutcome::Failed(Failure {
        class,
        message,
        retry_after_ms: None,
        may_have_arrived: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waited_past_its_deadline_is_not_sent() {
        let deadline = Timestamp::from_second(100).unwrap();
        assert_eq!(too_late(deadline, deadline), None, "in time");
        let outcome = too_late(deadline, Timestamp::from_second(101).unwrap());
        let Some(AttemptOutcome::Failed(failure)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(failure.class, FailureClass::ContextDeadlineExceeded);
        assert!(failure.message.contains("busy"), "{}", failure.message);
    }
}
