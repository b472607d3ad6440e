//! What the engine counts of itself.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tocsin_engine::Stats;

use super::add;

type Seconds = Counter<f64, AtomicU64>;

/// The engine's own counters, copied at every scrape.
#[derive(Debug)]
pub(super) struct EngineMetrics {
    turns: Counter,
    commands: Counter,
    commits: Counter,
    commit_seconds: Seconds,
    failed_commits: Counter,
    waiting: Gauge,
}

impl EngineMetrics {
    /// Registers all of them.
    pub(super) fn register(r: &mut Registry) -> Self {
        Self {
            turns: add(r, "tocsin_engine_turns", "Turns taken", Counter::default()),
            commands: add(r, "tocsin_engine_commands", "Commands applied", Counter::default()),
            commits: add(
                r,
                "tocsin_engine_commits",
                "Turns that had something to write",
                Counter::default(),
            ),
            commit_seconds: add(
                r,
                "tocsin_engine_commit_seconds",
                "Time spent waiting for the store",
                Seconds::default(),
            ),
            failed_commits: add(
                r,
                "tocsin_engine_failed_commits",
                "Turns that could not be written",
                Counter::default(),
            ),
            waiting: add(
                r,
                "tocsin_engine_waiting_requests",
                "Requests in the engine's inbox",
                Gauge::default(),
            ),
        }
    }

    /// Shows what the engine has counted since its start.
    pub(super) fn set(&self, stats: &Stats) {
        let store = |counter: &Counter, value| counter.inner().store(value, Ordering::Relaxed);
        store(&self.turns, stats.turns);
        store(&self.commands, stats.commands);
        store(&self.commits, stats.commits);
        store(&self.failed_commits, stats.failed_commits);
        let seconds = std::time::Duration::from_nanos(stats.commit_nanoseconds).as_secs_f64();
        self.commit_seconds.inner().store(seconds.to_bits(), Ordering::Relaxed);
        self.waiting.set(i64::try_from(stats.waiting).unwrap_or(i64::MAX));
    }
}
