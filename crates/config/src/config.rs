//! The configuration as the rest of the program uses it.

use std::sync::Arc;

use jiff::SignedDuration;
use tocsin_template::Templates;

use crate::calendar::CalendarSources;
use crate::channels::ChannelsConfig;
use crate::document::Document;
use crate::global::GlobalConfig;
use crate::identity::Access;
use crate::inbound::InboundConfig;
use crate::integration::ReceiverConfig;
use crate::native::{LimitsConfig, RetentionConfig};
use crate::observability::{EventRecorderConfig, TracingConfig};
use crate::outbound::OutboundRules;
use crate::tenant::Tenant;
use crate::values::signed;

/// Everything that is not decided by the compiled [`Policy`](tocsin_core::policy::Policy).
#[derive(Clone, Debug)]
pub struct Config {
    /// What holds everywhere, the environment included.
    pub global: GlobalConfig,
    /// Who can be told, in the order of the file, with everything inherited filled in.
    pub receivers: Vec<ReceiverConfig>,
    /// How people are paged, with everything inherited filled in.
    pub channels: Arc<ChannelsConfig>,
    /// Who tells us alerts beside Prometheus, in the order of the file.
    pub inbound: Vec<InboundConfig>,
    /// From where calendars that schedules import are read.
    pub calendars: Arc<CalendarSources>,
    /// The templates of all files, and the built-in ones.
    pub templates: Arc<Templates>,
    /// Where traces are sent.
    pub tracing: Option<TracingConfig>,
    /// Where a record of everything that happens is written.
    pub event_recorder: Option<EventRecorderConfig>,
    /// How long the past is kept.
    pub retention: Retention,
    /// Bounds on what is taken.
    pub limits: Limits,
    /// Who is let in.
    pub access: Access,
    /// Which addresses may be connected to.
    pub outbound: OutboundRules,
    /// Others who share this process, in the order of the file.
    pub tenants: Vec<Tenant>,
}

/// How long the past is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// History, timelines and audit.
    pub events: SignedDuration,
    /// Resolved alerts.
    pub alerts: SignedDuration,
}

/// Bounds on what is taken; those on what is held are in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body of a request, after decompression.
    pub max_request_bytes: usize,
    /// The most requests per second from one client; 0 means no bound.
    pub requests_per_second: u32,
}

impl Config {
    pub(crate) fn new(
        document: &Document,
        receivers: Vec<ReceiverConfig>,
        templates: Arc<Templates>,
    ) -> Self {
        let outbound = OutboundRules::of(document);
        Self {
            global: document.global.clone(),
            receivers,
            channels: Arc::new(document.channels.with_global(&document.global)),
            inbound: document.integrations.clone(),
            calendars: Arc::new(crate::calendar::sources(document)),
            templates,
            tracing: document.tracing.clone(),
            event_recorder: document.event_recorder.clone(),
            retention: Retention::of(&document.retention),
            limits: Limits::of(&document.limits),
            access: Access::of(&document.access, &outbound),
            outbound,
            tenants: document.tenants.iter().filter_map(Tenant::of).collect(),
        }
    }
}

impl Retention {
    fn of(config: &RetentionConfig) -> Self {
        Self { events: signed(config.events), alerts: signed(config.alerts) }
    }
}

impl Limits {
    fn of(config: &LimitsConfig) -> Self {
        Self {
            max_request_bytes: usize::try_from(config.max_request_bytes.0).unwrap_or(usize::MAX),
            requests_per_second: config.requests_per_second,
        }
    }
}
