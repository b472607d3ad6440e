//! How long receivers take.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use jiff::Timestamp;
use tocsin_connect::{CalendarRead, Edition};
use tocsin_core::notification::{AttemptOutcome, OutboxEntry};
use tocsin_core::paging::{Channel, Page};
use tocsin_core::tenant::{CalendarToRead, GroupOutcome, GroupSync};
use tocsin_engine::Deliver;

use super::Metrics;

/// Delivers as another one does and measures how long each attempt takes.
pub struct Timed {
    deliver: Arc<dyn Deliver>,
    metrics: Arc<Metrics>,
}

impl Timed {
    /// Measures `deliver`.
    pub fn new(deliver: Arc<dyn Deliver>, metrics: Arc<Metrics>) -> Self {
        Self { deliver, metrics }
    }
}

#[async_trait]
impl Deliver for Timed {
    async fn page(&self, page: &Page, idempotency_key: &str) -> AttemptOutcome {
        let began = Instant::now();
        let outcome = self.deliver.page(page, idempotency_key).await;
        let kind = [("integration", Cow::Owned(format!("page/{}", page.channel)))];
        self.metrics.latencies.get_or_create(&kind).observe(began.elapsed().as_secs_f64());
        outcome
    }

    async fn knock(&self, address: &str, now: Timestamp) -> Result<(), String> {
        self.deliver.knock(address, now).await
    }

    async fn read_calendar(
        &self,
        calendar: &CalendarToRead,
        edition: Option<&Edition>,
        now: Timestamp,
    ) -> CalendarRead {
        let began = Instant::now();
        let read = self.deliver.read_calendar(calendar, edition, now).await;
        let kind = [("integration", Cow::Borrowed("calendar"))];
        self.metrics.latencies.get_or_create(&kind).observe(began.elapsed().as_secs_f64());
        read
    }

    async fn set_group(&self, sync: &GroupSync, now: Timestamp) -> GroupOutcome {
        let began = Instant::now();
        let outcome = self.deliver.set_group(sync, now).await;
        let kind = [("integration", Cow::Borrowed("user_group"))];
        self.metrics.latencies.get_or_create(&kind).observe(began.elapsed().as_secs_f64());
        outcome
    }

    async fn respond(&self, channel: Channel, to: &str, text: &str) {
        self.deliver.respond(channel, to, text).await;
    }

    async fn attempt(&self, entry: &OutboxEntry, idempotency_key: &str) -> AttemptOutcome {
        let began = Instant::now();
        let outcome = self.deliver.attempt(entry, idempotency_key).await;
        let kind = [("integration", Cow::Owned(entry.key.kind.to_string()))];
        self.metrics.latencies.get_or_create(&kind).observe(began.elapsed().as_secs_f64());
        outcome
    }
}
