//! What the tests share: the server as a process, receivers that keep what they were sent, other
//! people's programs, and waiting with an end.

pub(crate) mod api;
pub(crate) mod hook;
pub(crate) mod log;
pub(crate) mod mail;
pub(crate) mod program;
pub(crate) mod tocsin;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tocsin_engine::{Clock as _, SystemClock};

/// How long anything that has to happen may take, on a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(45);

/// How often something is asked that cannot be awaited.
const POLL: Duration = Duration::from_millis(25);

/// Awaits `future`; panics with `what` when that takes longer than [`PATIENCE`].
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("this did not happen within {} s: {what}", PATIENCE.as_secs()),
    }
}

/// Asks again and again until `ask` returns something; panics with `what` after [`PATIENCE`].
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let asking = async {
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(value) = ask().await {
                return value;
            }
        }
    };
    within(what, asking).await
}

/// Returns the instant that many seconds from now.
pub(crate) fn from_now(seconds: i64) -> Timestamp {
    SystemClock.now() + SignedDuration::from_secs(seconds)
}
