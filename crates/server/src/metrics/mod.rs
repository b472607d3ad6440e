//! What is counted, and how it is shown: our own names, and those of Alertmanager that its
//! dashboards and meta-alerts use.

mod engine;
mod feed;
mod gauges;
mod incidents;
mod latency;
mod paging;
mod process;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use parking_lot::Mutex;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use tocsin_core::event::Recorded;

use self::engine::EngineMetrics;
use self::feed::FeedMetrics;
use self::gauges::StateGauges;
use self::incidents::IncidentMetrics;
pub use self::latency::Timed;
use self::paging::PagingMetrics;
use self::process::ProcessMetrics;
use crate::App;

/// The media type of the rendered metrics.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the request durations, in seconds.
const DURATION_BUCKETS: [f64; 10] = [0.001, 0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The upper bounds of how long receivers take, in seconds.
///
/// Source: Alertmanager, `notify/notify.go`.
const LATENCY_BUCKETS: [f64; 6] = [1.0, 5.0, 10.0, 15.0, 20.0, 120.0];

/// The upper bounds of the sizes of answers, in bytes.
const SIZE_BUCKETS: [f64; 7] = [100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

/// Names and values of the labels of one series.
type LabelSet<const N: usize> = [(&'static str, Cow<'static, str>); N];

/// All counters of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    received: Family<LabelSet<2>, Counter>,
    invalid: Family<LabelSet<1>, Counter>,
    limited: Counter,
    hook_received: Family<LabelSet<2>, Counter>,
    hook_refused: Family<LabelSet<2>, Counter>,
    durations: Family<LabelSet<3>, Histogram>,
    sizes: Family<LabelSet<2>, Histogram>,
    latencies: Family<LabelSet<1>, Histogram>,
    processing: Histogram,
    silence_queries: Counter,
    silence_query_errors: Counter,
    silence_query_durations: Histogram,
    in_flight: Gauge,
    gets_rejected: Counter,
    rate_limited: Counter,
    engine: EngineMetrics,
    feed: FeedMetrics,
    paging: PagingMetrics,
    incidents: IncidentMetrics,
    gauges: StateGauges,
    process: ProcessMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Metrics {
    /// Returns those of a tenant beside the default one: every series carries its name, and what
    /// the process as a whole is or uses is left out.
    pub fn of_tenant(name: &str) -> Self {
        Self::new(Some(name))
    }

    fn new(tenant: Option<&str>) -> Self {
        let mut registry = match tenant {
            Some(name) => Registry::with_labels(
                [(Cow::Borrowed("tenant"), Cow::Owned(name.to_owned()))].into_iter(),
            ),
            None => Registry::default(),
        };
        // Never shown; where the process's own are put when they are somebody else's.
        let mut aside = Registry::default();
        let is_process_shown = tenant.is_none();
        let r = &mut registry;
        let histogram: fn() -> Histogram = || Histogram::new(DURATION_BUCKETS);
        let durations = Family::new_with_constructor(histogram);
        let metrics = Self {
            received: add(
                r,
                "alertmanager_alerts_received",
                "Alerts received, by status and API version",
                Family::default(),
            ),
            invalid: add(
                r,
                "alertmanager_alerts_invalid",
                "Received alerts that were invalid",
                Family::default(),
            ),
            limited: add(
                r,
                "alertmanager_alerts_limited",
                "Alerts left out because a bound was met",
                Counter::default(),
            ),
            hook_received: add(
                r,
                "tocsin_integration_alerts_received",
                "Alerts that integrations told, by integration and status",
                Family::default(),
            ),
            hook_refused: add(
                r,
                "tocsin_integration_refused",
                "Requests of integrations that were refused, by integration and reason",
                Family::default(),
            ),
            durations: add(
                r,
                "alertmanager_http_request_duration_seconds",
                "Time from a request's head to the head of its answer",
                durations,
            ),
            sizes: add(
                r,
                "alertmanager_http_response_size_bytes",
                "Sizes of answers whose length is known, before compression",
                Family::new_with_constructor((|| Histogram::new(SIZE_BUCKETS)) as fn() -> _),
            ),
            latencies: add(
                r,
                "alertmanager_notification_latency_seconds",
                "Time that one attempt to send a notification took, by integration",
                Family::new_with_constructor((|| Histogram::new(LATENCY_BUCKETS)) as fn() -> _),
            ),
            processing: add(
                r,
                "alertmanager_dispatcher_alert_processing_duration_seconds",
                "Time until posted alerts were decided on and written",
                Histogram::new(DURATION_BUCKETS),
            ),
            silence_queries: add(
                r,
                "alertmanager_silences_queries",
                "Times that silences were asked for",
                Counter::default(),
            ),
            silence_query_errors: add(
                r,
                "alertmanager_silences_query_errors",
                "Times that silences were asked for and no answer could be given",
                Counter::default(),
            ),
            silence_query_durations: add(
                r,
                "alertmanager_silences_query_duration_seconds",
                "Time that an answer about silences took",
                Histogram::new(DURATION_BUCKETS),
            ),
            in_flight: add(
                r,
                "alertmanager_http_requests_in_flight",
                "Requests being worked on",
                Gauge::default(),
            ),
            gets_rejected: add(
                r,
                "alertmanager_http_concurrency_limit_exceeded",
                "GET requests refused because too many were being worked on",
                Counter::default(),
            ),
            rate_limited: add(
                r,
                "tocsin_http_rate_limited",
                "Requests refused because their client made too many",
                Counter::default(),
            ),
            engine: EngineMetrics::register(r),
            feed: FeedMetrics::register(r),
            paging: PagingMetrics::register(r),
            incidents: IncidentMetrics::register(r),
            gauges: StateGauges::register(r, (!is_process_shown).then_some(&mut aside)),
            process: ProcessMetrics::register(if is_process_shown { r } else { &mut aside }),
            registry: Mutex::default(),
        };
        // Series that begin at zero let `increase` see their first step.
        for status in ["firing", "resolved"] {
            drop(metrics.received.get_or_create(&[("status", status.into()), V2]));
        }
        drop(metrics.invalid.get_or_create(&[V2]));
        *metrics.registry.lock() = registry;
        metrics
    }
}

const V2: (&str, Cow<'static, str>) = ("version", Cow::Borrowed("v2"));

/// Registers a metric under `name`; counters get `_total` behind it when they are shown.
fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

impl Metrics {
    /// Lets other parts of the process register metrics of their own.
    pub fn register(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.registry.lock());
    }

    /// Counts alerts that were posted to API v2; invalid ones are also in one of the other two.
    pub fn alerts_received(&self, firing: usize, resolved: usize, invalid: usize) {
        let status = |status: &'static str| [("status", Cow::Borrowed(status)), V2];
        self.received.get_or_create(&status("firing")).inc_by(firing as u64);
        self.received.get_or_create(&status("resolved")).inc_by(resolved as u64);
        self.invalid.get_or_create(&[V2]).inc_by(invalid as u64);
    }

    /// Counts alerts that an integration told.
    pub(crate) fn hook_received(&self, integration: &str, firing: usize, resolved: usize) {
        for (status, count) in [("firing", firing), ("resolved", resolved)] {
            let integration = Cow::Owned(integration.to_owned());
            let labels = [("integration", integration), ("status", Cow::Borrowed(status))];
            self.hook_received.get_or_create(&labels).inc_by(count as u64);
        }
    }

    /// Counts a request of an integration that was refused; it is empty when the key is unknown.
    pub(crate) fn hook_refused(&self, integration: &str, reason: &'static str) {
        let integration = Cow::Owned(integration.to_owned());
        let labels = [("integration", integration), ("reason", Cow::Borrowed(reason))];
        self.hook_refused.get_or_create(&labels).inc();
    }

    /// Counts alerts that met a bound.
    pub fn alerts_limited(&self, limited: usize) {
        self.limited.inc_by(limited as u64);
    }

    /// Counts the beginning of a request.
    pub(crate) fn request_started(&self) {
        self.in_flight.inc();
    }

    /// Counts the end of a request. `route` is the pattern, not the path, so that the number of
    /// series is bounded.
    pub(crate) fn request_ended(
        &self,
        route: Option<&str>,
        method: &Method,
        status: StatusCode,
        elapsed: Duration,
    ) {
        self.in_flight.dec();
        let method = match *method {
            Method::GET => "get",
            Method::HEAD => "head",
            Method::POST => "post",
            Method::PUT => "put",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            Method::OPTIONS => "options",
            _ => "other",
        };
        let labels = [
            ("handler", Cow::Owned(route.unwrap_or("unknown").to_owned())),
            ("method", Cow::Borrowed(method)),
            ("code", Cow::Owned(status.as_u16().to_string())),
        ];
        self.durations.get_or_create(&labels).observe(elapsed.as_secs_f64());
        self.count_special(route.unwrap_or_default(), method, status, elapsed);
    }

    /// Counts what Alertmanager counts inside of its parts: here these are all requests.
    fn count_special(&self, route: &str, method: &str, status: StatusCode, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        if method == "post" && route.ends_with("/alerts") {
            self.processing.observe(seconds);
        }
        let is_about_silences = route.contains("/silence");
        if is_about_silences && matches!(method, "get" | "head") {
            self.silence_queries.inc();
            self.silence_query_durations.observe(seconds);
            if status.is_server_error() {
                self.silence_query_errors.inc();
            }
        }
    }

    /// Counts the size of an answer.
    pub(crate) fn answered(&self, route: Option<&str>, method: &Method, bytes: u64) {
        #[expect(clippy::cast_precision_loss, reason = "no answer has 2^53 bytes")]
        let bytes = bytes as f64;
        let method = if *method == Method::GET { "get" } else { "other" };
        let labels = [
            ("handler", Cow::Owned(route.unwrap_or("unknown").to_owned())),
            ("method", Cow::Borrowed(method)),
        ];
        self.sizes.get_or_create(&labels).observe(bytes);
    }

    /// Counts a GET refused because too many were being worked on.
    pub(crate) fn get_rejected(&self) {
        self.gets_rejected.inc();
    }

    /// Counts a request refused because its client made too many.
    pub(crate) fn rate_limited(&self) {
        self.rate_limited.inc();
    }

    /// Counts what the engine's feed tells, until the engine stops. To be run once for each engine,
    /// beside however many listeners.
    pub async fn follow(self: Arc<Self>, mut feed: feed::Feed) {
        let count = |recorded: &Recorded| {
            self.paging.count(recorded);
            self.incidents.count(recorded);
        };
        self.feed.follow(&mut feed, count).await;
    }

    /// Returns all metrics as text. Gauges of the engine's state keep their last value while the
    /// engine is too busy to tell.
    ///
    /// # Errors
    /// When a metric cannot be written, which is a defect.
    pub async fn render(&self, app: &App) -> Result<String, std::fmt::Error> {
        let read = app.engine.read(|tenant, now| {
            (tenant.counts(now), tenant.paging_counts(now), tenant.incident_counts())
        });
        match read.await {
            Ok((counts, paging, incidents)) => {
                self.gauges.set_counts(&counts);
                self.paging.set_counts(&paging);
                self.incidents.set_counts(&incidents);
            }
            Err(error) => tracing::debug!(%error, "the engine's gauges are stale"),
        }
        let stats = app.engine.stats();
        self.engine.set(&stats);
        self.paging.set_watch(&stats, &app.engine.audit());
        let current = app.reloader.current();
        self.gauges.set_configuration(&current, app.reloader.state());
        self.gauges.set_process(app);
        self.process.set();
        self.feed.expect_series(&current.policy);
        self.paging.expect_series(&current.policy);
        self.incidents.expect_series();
        let mut out = String::with_capacity(16 << 10);
        text::encode(&mut out, &self.registry.lock())?;
        Ok(out)
    }
}
