//! The flags of `tocsin serve`: Alertmanager's, with their defaults.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tocsin_core::compat::Compat;

use crate::logging::{LogFormat, LogLevel};

/// Flags that exist for Alertmanager's sake are accepted and have no effect; the start says so.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeFlags {
    /// Configuration: a file, or a directory of *.yml and *.yaml files; by default tocsin.yaml, or
    /// alertmanager.yml where there is none.
    #[arg(long = "config.file", value_name = "PATH")]
    pub(crate) config_file: Option<PathBuf>,

    /// Directory that keeps everything durable; made when it is missing.
    #[arg(long = "storage.path", default_value = "data/", value_name = "DIR")]
    pub(crate) storage_path: PathBuf,

    /// Print a link to sign in as an administrator with, for the day the password is lost.
    #[arg(long = "admin-link")]
    pub(crate) admin_link: bool,

    /// How long expired silences and the log of notifications are kept.
    #[arg(long = "data.retention", default_value = "120h", value_name = "DURATION")]
    pub(crate) data_retention: String,

    /// Address to listen on; port 0 takes a free one. May be given several times.
    #[arg(long = "web.listen-address", default_value = ":9093", value_name = "ADDRESS")]
    pub(crate) web_listen_address: Vec<String>,

    /// File with TLS, users and headers for the listener, as every Prometheus component reads it.
    #[arg(
        long = "web.config.file",
        default_value = "",
        hide_default_value = true,
        value_name = "PATH"
    )]
    pub(crate) web_config_file: String,

    /// The address under which people reach this server; links in messages use it.
    #[arg(long = "web.external-url", value_name = "URL")]
    pub(crate) web_external_url: Option<String>,

    /// Path under which everything is served; by default the path of the external URL.
    #[arg(long = "web.route-prefix", value_name = "PATH")]
    pub(crate) web_route_prefix: Option<String>,

    /// GET requests worked on at once; 0 chooses by the number of cores. More are answered 503.
    #[arg(long = "web.get-concurrency", default_value_t = 0, value_name = "N")]
    pub(crate) web_get_concurrency: usize,

    /// Seconds a request may take; 0 for the default of one minute.
    #[arg(long = "web.timeout", default_value = "0", value_name = "DURATION")]
    pub(crate) web_timeout: String,

    /// Most silences, expired ones included; 0 for no bound.
    #[arg(long = "silences.max-silences", default_value_t = 0, value_name = "N")]
    pub(crate) silences_max: usize,

    /// Most bytes of one silence; 0 for no bound.
    #[arg(long = "silences.max-silence-size-bytes", default_value_t = 0, value_name = "BYTES")]
    pub(crate) silences_max_bytes: usize,

    /// Most firing alerts with the same name; 0 for no bound.
    #[arg(long = "alerts.per-alertname-limit", default_value_t = 0, value_name = "N")]
    pub(crate) alerts_per_alertname: usize,

    /// No group is told anything before this long after the start.
    #[arg(long = "dispatch.start-delay", default_value = "0s", value_name = "DURATION")]
    pub(crate) dispatch_start_delay: String,

    /// Features, comma-separated: classic-mode, utf8-strict-mode; others have no effect.
    #[arg(long = "enable-feature", value_delimiter = ',', value_name = "NAMES")]
    pub(crate) enable_feature: Vec<String>,

    /// The least severe log lines to write.
    #[arg(long = "log.level", default_value = "info", value_enum)]
    pub(crate) log_level: LogLevel,

    /// How log lines are written.
    #[arg(long = "log.format", default_value = "logfmt", value_enum)]
    pub(crate) log_format: LogFormat,

    /// Overrides `compat:` of the configuration. With `alertmanager` the process also answers as
    /// Alertmanager's would: the wording of wrong flags, exit code 1, alertmanager.yml as default.
    #[arg(long = "compat", value_enum, value_name = "PRESET")]
    pub(crate) compat: Option<CompatPreset>,

    /// The Alertmanager release that /api/v2/status reports; amtool warns when its own differs.
    #[arg(long = "compat.version", default_value = tocsin_server::app::REPORTED_VERSION, value_name = "X.Y.Z")]
    pub(crate) compat_version: String,

    /// Shown as the one peer of a cluster of one; empty shows no cluster.
    #[arg(long = "cluster.listen-address", default_value = "0.0.0.0:9094", value_name = "ADDRESS")]
    pub(crate) cluster_listen_address: String,

    #[command(flatten)]
    pub(crate) ignored: IgnoredFlags,
}

/// Which improvements over Alertmanager are on, whatever the configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompatPreset {
    /// All of them.
    Native,
    /// None: exactly Alertmanager's behaviour.
    Alertmanager,
}

impl CompatPreset {
    pub(crate) fn switches(self) -> Compat {
        match self {
            Self::Native => Compat::NATIVE,
            Self::Alertmanager => Compat::ALERTMANAGER,
        }
    }
}

macro_rules! ignored {
    ($($field:ident = $flag:literal),* $(,)?) => {
        /// Flags of Alertmanager that have nothing to do here.
        #[derive(Args, Clone, Debug, Default)]
        pub(crate) struct IgnoredFlags {
            $(
                #[arg(long = $flag, value_name = "VALUE", hide = true)]
                $field: Vec<String>,
            )*

            /// Logs every change of a silence; here the history keeps them.
            #[arg(long = "log.silences", overrides_with = "no_log_silences", hide = true)]
            log_silences: bool,

            #[arg(long = "cluster.allow-insecure-public-advertise-address-discovery", overrides_with = "no_cluster_insecure_discovery", hide = true)]
            cluster_insecure_discovery: bool,

            #[arg(long = "web.systemd-socket", overrides_with = "no_web_systemd_socket", hide = true)]
            pub(crate) web_systemd_socket: bool,

            // Alertmanager's switches can be turned off again.
            #[arg(long = "no-log.silences", overrides_with = "log_silences", hide = true)]
            no_log_silences: bool,

            #[arg(
                long = "no-cluster.allow-insecure-public-advertise-address-discovery",
                overrides_with = "cluster_insecure_discovery",
                hide = true
            )]
            no_cluster_insecure_discovery: bool,

            #[arg(long = "no-web.systemd-socket", overrides_with = "web_systemd_socket", hide = true)]
            no_web_systemd_socket: bool,

        }

        impl IgnoredFlags {
            /// Returns the flags that were given and have no effect.
            pub(crate) fn given(&self) -> Vec<&'static str> {
                let mut given = Vec::new();
                $( if !self.$field.is_empty() { given.push(concat!("--", $flag)); } )*
                if self.log_silences {
                    given.push("--log.silences");
                }
                if self.cluster_insecure_discovery {
                    given.push("--cluster.allow-insecure-public-advertise-address-discovery");
                }
                given
            }
        }
    };
}

ignored! {
    data_maintenance_interval = "data.maintenance-interval",
    alerts_gc_interval = "alerts.gc-interval",
    dispatch_maintenance_interval = "dispatch.maintenance-interval",
    auto_gomemlimit_ratio = "auto-gomemlimit.ratio",
    cluster_advertise_address = "cluster.advertise-address",
    cluster_peer_name = "cluster.peer-name",
    cluster_peer = "cluster.peer",
    cluster_peer_timeout = "cluster.peer-timeout",
    cluster_peers_resolve_timeout = "cluster.peers-resolve-timeout",
    cluster_gossip_interval = "cluster.gossip-interval",
    cluster_pushpull_interval = "cluster.pushpull-interval",
    cluster_tcp_timeout = "cluster.tcp-timeout",
    cluster_probe_timeout = "cluster.probe-timeout",
    cluster_probe_interval = "cluster.probe-interval",
    cluster_settle_timeout = "cluster.settle-timeout",
    cluster_reconnect_interval = "cluster.reconnect-interval",
    cluster_reconnect_timeout = "cluster.reconnect-timeout",
    cluster_tls_config = "cluster.tls-config",
    cluster_label = "cluster.label",
}
