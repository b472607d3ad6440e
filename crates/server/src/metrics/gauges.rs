//! Metrics set anew at every scrape.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tocsin_core::views::Counts;

use super::{LabelSet, add};
use crate::App;
use crate::reloader::{Loaded, ReloadState};

type Real = Gauge<f64, AtomicU64>;

/// What there is at the moment.
#[derive(Debug)]
pub(super) struct StateGauges {
    alerts: Family<LabelSet<1>, Gauge>,
    silences: Family<LabelSet<1>, Gauge>,
    groups: Gauge,
    outbox: Gauge,
    reload_successful: Gauge,
    reload_succeeded_at: Real,
    config_hash: Real,
    receivers: Gauge,
    integrations: Family<LabelSet<1>, Gauge>,
    inhibition_rules: Gauge,
    build: Family<LabelSet<3>, Gauge>,
    own_build: Family<LabelSet<1>, Gauge>,
    started_at: Real,
    cluster_enabled: Gauge,
    cluster_members: Gauge,
}

impl StateGauges {
    /// Registers all of them; what is about the process goes into `aside` where there is one.
    pub(super) fn register(r: &mut Registry, mut aside: Option<&mut Registry>) -> Self {
        // A cluster of one has no peer that could fail.
        for (name, help) in [
            ("alertmanager_cluster_failed_peers", "Members that do not answer"),
            ("alertmanager_cluster_health_score", "0 is healthy"),
            ("alertmanager_peer_position", "The rank of this server among the members"),
        ] {
            add(process(r, &mut aside), name, help, Gauge::<i64>::default());
        }
        Self {
            alerts: add(r, "alertmanager_alerts", "Firing alerts, by state", Family::default()),
            silences: add(r, "alertmanager_silences", "Silences, by state", Family::default()),
            groups: add(
                r,
                "alertmanager_dispatcher_aggregation_groups",
                "Open groups",
                Gauge::default(),
            ),
            outbox: add(
                r,
                "tocsin_outbox_notifications",
                "Notifications on their way",
                Gauge::default(),
            ),
            reload_successful: add(
                r,
                "alertmanager_config_last_reload_successful",
                "1 when the last attempt to read the configuration succeeded",
                Gauge::default(),
            ),
            reload_succeeded_at: add(
                r,
                "alertmanager_config_last_reload_success_timestamp_seconds",
                "When a configuration last took effect",
                Real::default(),
            ),
            config_hash: add(
                r,
                "alertmanager_config_hash",
                "A number that changes with the configuration",
                Real::default(),
            ),
            receivers: add(r, "alertmanager_receivers", "Configured receivers", Gauge::default()),
            integrations: add(
                r,
                "alertmanager_integrations",
                "Configured integrations, by kind",
                Family::default(),
            ),
            inhibition_rules: add(
                r,
                "alertmanager_inhibition_rules",
                "Configured inhibition rules",
                Gauge::default(),
            ),
            build: add(
                process(r, &mut aside),
                "alertmanager_build_info",
                "The release of Alertmanager whose API is spoken",
                Family::default(),
            ),
            own_build: add(
                process(r, &mut aside),
                "tocsin_build_info",
                "The running release",
                Family::default(),
            ),
            started_at: add(
                process(r, &mut aside),
                "process_start_time_seconds",
                "When the process began to serve",
                Real::default(),
            ),
            cluster_enabled: add(
                process(r, &mut aside),
                "alertmanager_cluster_enabled",
                "1 when clients are shown a cluster",
                Gauge::default(),
            ),
            cluster_members: add(
                process(r, &mut aside),
                "alertmanager_cluster_members",
                "Members of the cluster, this server included",
                Gauge::default(),
            ),
        }
    }

    /// Shows how much there is of everything.
    pub(super) fn set_counts(&self, counts: &Counts) {
        let state = |name| [("state", Cow::Borrowed(name))];
        self.alerts.get_or_create(&state("active")).set(number(counts.alerts_active));
        self.alerts.get_or_create(&state("suppressed")).set(number(counts.alerts_suppressed));
        self.alerts.get_or_create(&state("unprocessed")).set(0);
        self.silences.get_or_create(&state("active")).set(number(counts.silences_active));
        self.silences.get_or_create(&state("pending")).set(number(counts.silences_pending));
        self.silences.get_or_create(&state("expired")).set(number(counts.silences_expired));
        self.groups.set(number(counts.groups));
        self.outbox.set(number(counts.outbox));
    }

    /// Shows the configuration in effect.
    pub(super) fn set_configuration(&self, current: &Loaded, state: ReloadState) {
        self.reload_successful.set(i64::from(state.is_successful));
        self.reload_succeeded_at.set(seconds(state.succeeded_at));
        // A float holds 53 bits exactly; 48 are as many as Alertmanager shows.
        #[expect(clippy::cast_precision_loss, reason = "48 bits fit")]
        self.config_hash.set((current.hash() >> 16) as f64);
        let policy = &current.policy;
        self.receivers.set(number(policy.receivers.len()));
        self.inhibition_rules.set(number(policy.inhibit_rules.len()));
        let mut kinds = BTreeMap::new();
        for integration in policy.receivers.iter().flat_map(|receiver| &receiver.integrations) {
            *kinds.entry(integration.kind).or_insert(0_usize) += 1;
        }
        self.integrations.clear();
        for (kind, count) in kinds {
            let kind = [("integration", Cow::Borrowed(kind))];
            self.integrations.get_or_create(&kind).set(number(count));
        }
    }

    /// Shows what the process is.
    pub(super) fn set_process(&self, app: &App) {
        let own = env!("CARGO_PKG_VERSION");
        let build = [
            ("branch", Cow::Borrowed("tocsin")),
            ("revision", Cow::Borrowed(concat!("tocsin-", env!("CARGO_PKG_VERSION")))),
            ("version", Cow::Owned(app.options.reported_version.clone())),
        ];
        self.build.get_or_create(&build).set(1);
        self.own_build.get_or_create(&[("version", Cow::Borrowed(own))]).set(1);
        self.started_at.set(seconds(app.started_at));
        let is_cluster = !app.options.cluster_listen_address.is_empty();
        self.cluster_enabled.set(i64::from(is_cluster));
        self.cluster_members.set(i64::from(is_cluster));
    }
}

/// Returns where metrics about the process go.
fn process<'r>(r: &'r mut Registry, aside: &'r mut Option<&mut Registry>) -> &'r mut Registry {
    match aside {
        Some(aside) => aside,
        None => r,
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn seconds(at: jiff::Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}
