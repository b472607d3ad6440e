//! `tocsin serve`: the server in the foreground.

pub(crate) mod alertmanager;
mod first_run;
pub(crate) mod flags;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use tocsin_config::LoadOptions;
use tocsin_connect::Outbound;
use tocsin_core::identity::Actor;
use tocsin_core::policy::Policy;
use tocsin_engine::{Clock as _, Deliver, Delivery, EngineOptions, Keep, SystemClock};
use tocsin_server::access::Known;
use tocsin_server::inbound::Inbounds;
use tocsin_server::metrics::Timed;
use tocsin_server::reloader::{Commit, Loaded, Reloader};
use tocsin_server::sign_in::{MasterKey, SignInProvider, SignIns};
use tocsin_server::{App, Metrics, Options, Web};
use tocsin_store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::failure::Failure;
use crate::logging;
use crate::source::{ALERTMANAGER_YML, default_path, load_options, parse_mode};
use flags::{CompatPreset, ServeFlags};

/// How long requests that run when the server is told to stop may still take.
const DRAIN: Duration = Duration::from_secs(5);

/// How often it is asked whether the engine still runs.
const ENGINE_WATCH: Duration = Duration::from_secs(1);

/// The variable with the key that secrets are sealed with; older ones after commas.
const KEY_VARIABLE: &str = "TOCSIN_SECRETS_KEY";

/// The file with that key, in the data directory.
const KEY_FILE: &str = "secrets.key";

/// How often it is written when tokens and sessions were used.
const WRITE_USES: Duration = Duration::from_secs(60);

/// Runs the server until it is told to stop.
pub(crate) async fn run(flags: ServeFlags) -> Result<()> {
    logging::init(flags.log_level, flags.log_format);
    warn_of_ignored(&flags)?;
    let server = Server::assemble(&flags).await?;
    let listeners = bind(&flags.web_listen_address).await?;
    reseal(&server.app).await;
    let local = local_url(&flags, server.app.web.speaks_tls());
    if let Err(error) = first_run::welcome(&server.app, local.as_deref(), flags.admin_link).await {
        // Alerts are taken all the same; `--admin-link` prints a link later.
        warn!("no link for an administrator: {error:#}");
    }
    server.serve(listeners, stop_signal()?).await
}

/// Seals with the current key what an older one sealed.
async fn reseal(app: &App) {
    match tocsin_server::sign_in::reseal(app).await {
        Ok(0) => {}
        Ok(count) => info!("{count} secrets were sealed anew; older keys are no longer needed"),
        Err(error) => warn!("secrets cannot be sealed anew: {error}"),
    }
}

/// A server that is ready to listen.
pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) store: Arc<dyn Store>,
    directory: PathBuf,
}

impl Server {
    /// Reads the configuration, opens the store, takes up work.
    pub(crate) async fn assemble(flags: &ServeFlags) -> Result<Self> {
        tocsin_connect::install_crypto();
        let source = Source::new(flags)?;
        let first = source.read().map_err(Failure::usage)?;
        for warning in &first.warnings {
            warn!("{warning}");
        }
        let web = Arc::new(match flags.web_config_file.as_str() {
            "" => Web::plain(),
            path => {
                Web::open(Path::new(path)).map_err(|error| Failure::usage(error.to_string()))?
            }
        });
        let options = http_options(flags, &first, &web)?;
        let context =
            tocsin_connect::Context::new(options.external_url.as_str(), env!("CARGO_PKG_VERSION"));
        let outbound = Outbound::new(&first.config, &context)?;
        let delivery = Arc::new(Delivery::new(outbound));
        let metrics = Arc::new(Metrics::default());
        let deliver: Arc<dyn Deliver> =
            Arc::new(Timed::new(Arc::clone(&delivery) as _, Arc::clone(&metrics)));
        let store = open_store(&flags.storage_path).await?;
        let key = master_key(&flags.storage_path)?;
        let policy = source.policy_of(&first);
        let keep =
            Keep { events: first.config.retention.events, alerts: first.config.retention.alerts };
        let engine = tocsin_engine::start(
            EngineOptions { keep, ..EngineOptions::default() },
            Arc::clone(&store),
            Arc::clone(&policy),
            Arc::clone(&deliver),
            Arc::new(SystemClock),
        )
        .await
        .context("the engine cannot take up work")?;
        let inbounds = Inbounds::new(&first.config.inbound).map_err(Failure::usage)?;
        let base = options.external_url.clone();
        let provider = provider(&first, &base).map_err(Failure::usage)?;
        let initial = Loaded::new(policy, first.original_yaml(), first.hash())
            .with_inbounds(inbounds)
            .with_provider(provider)
            .with_access(first.config.access.clone());
        let reloader = reloader(source, &first, delivery, context, initial, base);
        let app = Arc::new(App {
            deliver,
            sign_ins: SignIns::new(key),
            known: Known::default(),
            web,
            metrics,
            reloader: Arc::new(reloader),
            started_at: SystemClock.now(),
            options,
            engine,
        });
        Ok(Self { app, store, directory: flags.storage_path.clone() })
    }

    /// Serves until `stop` changes, then ends what is under way.
    pub(crate) async fn serve(self, listeners: Vec<TcpListener>, mut stop: Stop) -> Result<()> {
        let feed = self.app.engine.subscribe();
        let follower = tokio::spawn(Arc::clone(&self.app.metrics).follow(feed));
        let routes = tocsin_server::router(Arc::clone(&self.app));
        let (halt, _) = watch::channel(false);
        let mut serving = tokio::task::JoinSet::new();
        for listener in listeners {
            let address = listener.local_addr()?;
            info!(%address, "Listening on");
            let rules = self.app.reloader.current();
            let lets_in = rules.access.allow.iter().flat_map(|rule| &rule.from);
            if lets_in.clone().any(|net| net.prefix_len() == 0) && !address.ip().is_loopback() {
                warn!(
                    "`access.allow` lets everybody in who reaches {address}, without credentials"
                );
            }
            let mut halted = halt.subscribe();
            let until_halted = async move {
                // An error means that the sender is gone, which is a halt, too.
                let _ = halted.wait_for(|is_halted| *is_halted).await;
            };
            let (routes, web) = (routes.clone(), Arc::clone(&self.app.web));
            serving.spawn(tocsin_server::serve(listener, routes, web, until_halted));
        }
        let certificates = tokio::spawn(Arc::clone(&self.app.web).watch());
        let mut uses = tokio::time::interval(WRITE_USES);
        let mut watch = tokio::time::interval(ENGINE_WATCH);
        loop {
            tokio::select! {
                // Without its engine the process accepts nothing: whoever supervises it should
                // start it anew.
                _ = watch.tick() => if self.app.engine.has_stopped() {
                    anyhow::bail!("the engine has ended by itself; the log says why");
                },
                _ = uses.tick() => self.app.known.flush(&self.app.engine).await,
                signal = stop.next() => match signal {
                    Asked::Stop => break,
                    Asked::Reload => {
                        if let Err(error) = self.app.web.reload() {
                            tracing::error!("{error}; what was in effect stays");
                        }
                        match master_key(&self.directory) {
                            Ok(key) => self.app.sign_ins.replace_key(key),
                            Err(error) => tracing::error!("{error:#}; the key in use stays"),
                        }
                        reseal(&self.app).await;
                        // The reloader has logged how it went.
                        let _ = self.app.reloader.reload(&self.app.engine, Actor::OPERATOR).await;
                    }
                },
                Some(ended) = serving.join_next() => {
                    ended?.context("a listener failed")?;
                }
            }
        }
        info!("stopping");
        let _ = halt.send(true);
        let drained = async { while serving.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            warn!("some requests were still running after {} s", DRAIN.as_secs());
        }
        self.app.known.flush(&self.app.engine).await;
        self.app.engine.stop().await;
        follower.abort();
        certificates.abort();
        self.store.close().await?;
        Ok(())
    }
}

/// When to stop and when to read the configuration anew.
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Stop {
    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }
}

/// What a signal asks for.
enum Asked {
    Stop,
    Reload,
}

pub(crate) fn stop_signal() -> Result<Stop> {
    Ok(Stop {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
        hangup: signal(SignalKind::hangup())?,
    })
}

/// Where the configuration comes from, and what flags add to it.
#[derive(Clone)]
struct Source {
    path: PathBuf,
    options: LoadOptions,
    silences: usize,
    silence_bytes: usize,
    alerts_per_alertname: usize,
}

impl Source {
    fn new(flags: &ServeFlags) -> Result<Self> {
        Ok(Self {
            path: flags.config_file.clone().unwrap_or_else(|| match flags.compat {
                Some(CompatPreset::Alertmanager) => PathBuf::from(ALERTMANAGER_YML),
                _ => default_path(),
            }),
            options: LoadOptions {
                retention: duration("--data.retention", &flags.data_retention)?,
                start_delay: duration("--dispatch.start-delay", &flags.dispatch_start_delay)?,
                compat: flags.compat.map(CompatPreset::switches),
                ..load_options(parse_mode(&flags.enable_feature)?)
            },
            silences: flags.silences_max,
            silence_bytes: flags.silences_max_bytes,
            alerts_per_alertname: flags.alerts_per_alertname,
        })
    }

    fn read(&self) -> Result<tocsin_config::Loaded, String> {
        tocsin_config::load(&self.path, &self.options).map_err(|report| report.to_string())
    }

    /// Returns the compiled configuration with what flags say; a flag that was given wins.
    fn policy_of(&self, loaded: &tocsin_config::Loaded) -> Arc<Policy> {
        let mut policy = Policy::clone(&loaded.policy);
        let given = |flag: usize, file: usize| if flag > 0 { flag } else { file };
        policy.limits.silences = given(self.silences, policy.limits.silences);
        policy.limits.silence_bytes = given(self.silence_bytes, policy.limits.silence_bytes);
        policy.limits.alerts_per_alertname =
            given(self.alerts_per_alertname, policy.limits.alerts_per_alertname);
        Arc::new(policy)
    }
}

fn reloader(
    source: Source,
    first: &tocsin_config::Loaded,
    delivery: Arc<Delivery>,
    context: tocsin_connect::Context,
    initial: Loaded,
    base: String,
) -> Reloader {
    // What was read last, for the integrations: the server only knows the compiled form.
    let latest = Arc::new(parking_lot::Mutex::new(first.config.clone()));
    let for_load = Arc::clone(&latest);
    let load = move || {
        let loaded = source.read()?;
        for warning in &loaded.warnings {
            warn!("{warning}");
        }
        let policy = source.policy_of(&loaded);
        let inbounds = Inbounds::new(&loaded.config.inbound)?;
        let result = Loaded::new(policy, loaded.original_yaml(), loaded.hash())
            .with_inbounds(inbounds)
            .with_provider(provider(&loaded, &base)?)
            .with_access(loaded.config.access.clone());
        *for_load.lock() = loaded.config;
        Ok(result)
    };
    let apply = move |_: &Loaded| -> Result<Commit, String> {
        let outbound =
            Outbound::new(&latest.lock(), &context).map_err(|error| error.to_string())?;
        let (delivery, outbound) = (Arc::clone(&delivery), Arc::new(outbound));
        Ok(Box::new(move || {
            let old = delivery.replace(outbound);
            Box::new(move || drop(delivery.replace(old)))
        }))
    };
    Reloader::new(initial, Arc::new(load), Arc::new(apply), SystemClock.now())
}

/// Reads what secrets are sealed with: from the environment, or from the file beside the database.
fn master_key(directory: &Path) -> Result<MasterKey> {
    match std::env::var(KEY_VARIABLE) {
        Ok(text) if !text.is_empty() => {
            Ok(MasterKey::parse(&text.replace(',', "\n"), KEY_VARIABLE)?)
        }
        _ => Ok(MasterKey::open(&directory.join(KEY_FILE))?),
    }
}

/// Prepares the identity provider of a configuration.
fn provider(loaded: &tocsin_config::Loaded, base: &str) -> Result<Option<SignInProvider>, String> {
    let rules = loaded.config.access.oidc.as_ref();
    rules.map(|rules| SignInProvider::new(rules, base)).transpose()
}

/// Opens the store; what is wrong with the directory is said before anything listens.
async fn open_store(directory: &Path) -> Result<Arc<dyn Store>> {
    let directory = directory.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        tocsin_store::SqliteStore::open(&directory, tocsin_store::SqliteOptions::default())
    });
    Ok(Arc::new(opened.await??))
}

fn http_options(flags: &ServeFlags, loaded: &tocsin_config::Loaded, web: &Web) -> Result<Options> {
    let defaults = Options::default();
    let external_url = match &flags.web_external_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => default_external_url(&flags.web_listen_address, web.speaks_tls()),
    };
    let route_prefix = match &flags.web_route_prefix {
        Some(prefix) => prefix.clone(),
        None => path_of(&external_url).to_owned(),
    };
    let timeout = duration("--web.timeout", &flags.web_timeout)?;
    let limits = &loaded.config.limits;
    Ok(Options {
        route_prefix,
        max_concurrent_gets: match flags.web_get_concurrency {
            0 => defaults.max_concurrent_gets,
            n => n,
        },
        request_timeout: match Duration::try_from(timeout) {
            Ok(Duration::ZERO) | Err(_) => defaults.request_timeout,
            Ok(timeout) => timeout,
        },
        max_request_bytes: limits.max_request_bytes,
        requests_per_second: limits.requests_per_second,
        reported_version: flags.compat_version.clone(),
        cluster_listen_address: flags.cluster_listen_address.clone(),
        parse_mode: parse_mode(&flags.enable_feature)?,
        external_url,
    })
}

/// Returns how this machine itself reaches the server, unless it was said how everybody does.
fn local_url(flags: &ServeFlags, speaks_tls: bool) -> Option<String> {
    if flags.web_external_url.is_some() || speaks_tls {
        return None;
    }
    let port = flags.web_listen_address.first()?.rsplit(':').next()?;
    Some(format!("http://localhost:{port}"))
}

fn default_external_url(listen: &[String], speaks_tls: bool) -> String {
    let scheme = if speaks_tls { "https" } else { "http" };
    let port = listen.first().and_then(|a| a.rsplit(':').next()).unwrap_or("9093");
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "localhost" } else { host.trim() };
    format!("{scheme}://{host}:{port}")
}

fn path_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.find('/').map_or("", |slash| &after_scheme[slash..])
}

pub(crate) async fn bind(addresses: &[String]) -> Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = match address.strip_prefix(':') {
            // As Go does: no host means every address, IPv6 included where the machine has it.
            Some(port) => match TcpListener::bind(format!("[::]:{port}")).await {
                Ok(listener) => Ok(listener),
                Err(_) => TcpListener::bind(format!("0.0.0.0:{port}")).await,
            },
            None => TcpListener::bind(address.as_str()).await,
        };
        let listener = listener.with_context(|| {
            format!("cannot listen on `{address}`; choose another with --web.listen-address")
        })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

fn duration(flag: &str, text: &str) -> Result<SignedDuration> {
    tocsin_config::parse_duration(text)
        .map_err(|error| anyhow::anyhow!("{flag} is `{text}`: {error}"))
}

fn warn_of_ignored(flags: &ServeFlags) -> Result<()> {
    if flags.ignored.web_systemd_socket {
        let text = "--web.systemd-socket is not supported; use --web.listen-address";
        return Err(Failure::usage(text).into());
    }
    let given = flags.ignored.given();
    if !given.is_empty() {
        info!("flags without effect here: {}", given.join(" "));
    }
    for feature in &flags.enable_feature {
        if !matches!(feature.as_str(), "classic-mode" | "utf8-strict-mode") {
            info!("feature `{feature}` has no effect here");
        }
    }
    Ok(())
}
