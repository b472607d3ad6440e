//! `tocsin serve`: the server in the foreground.

mod address;
pub(crate) mod alertmanager;
mod first_run;
pub(crate) mod flags;
mod fleet;
mod source;
mod tenant;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use tocsin_connect::paging::VapidKey;
use tocsin_core::identity::Actor;
use tocsin_server::sign_in::MasterKey;
use tocsin_server::{App, Options, Web};
use tocsin_store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::failure::Failure;
use crate::logging;
use crate::source::parse_mode;
use address::{default_external_url, local_url, path_of};
use flags::ServeFlags;
use fleet::{Drafts, Fleet};
use source::Source;

/// How long requests that run when the server is told to stop may still take.
const DRAIN: Duration = Duration::from_secs(5);

/// How often it is asked whether the engine still runs.
const ENGINE_WATCH: Duration = Duration::from_secs(1);

/// The variable with the key that secrets are sealed with; older ones after commas.
pub(crate) const KEY_VARIABLE: &str = "TOCSIN_SECRETS_KEY";

/// The file with that key, in the data directory.
pub(crate) const KEY_FILE: &str = "secrets.key";

/// The file with the key by which the push services of browsers know us, in the data directory.
const WEB_PUSH_KEY: &str = "web-push.pem";

/// How often it is written when tokens and sessions were used.
const WRITE_USES: Duration = Duration::from_secs(60);

/// Runs the server until it is told to stop.
pub(crate) async fn run(flags: ServeFlags) -> Result<()> {
    logging::init(flags.log_level, flags.log_format);
    warn_of_ignored(&flags)?;
    let server = Box::pin(Server::assemble(&flags)).await?;
    let listeners = bind(&flags.web_listen_address).await?;
    for app in server.fleet.apps() {
        reseal(&app).await;
    }
    server.fleet.welcome(flags.admin_link).await;
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
    pub(crate) fleet: Arc<Fleet>,
    directory: PathBuf,
}

impl Server {
    /// Reads the configuration, opens the store, takes up work.
    pub(crate) async fn assemble(flags: &ServeFlags) -> Result<Self> {
        tocsin_connect::install_crypto();
        let source = Source::new(flags)?;
        let first = source.read().map_err(Failure::usage)?;
        let web = Arc::new(match flags.web_config_file.as_str() {
            "" => Web::plain(),
            path => {
                Web::open(Path::new(path)).map_err(|error| Failure::usage(error.to_string()))?
            }
        });
        let options = http_options(flags, &first, &web)?;
        let drafts = Drafts::new(&source, first, options)?;
        let store = open_store(&flags.storage_path).await?;
        let key = master_key(&flags.storage_path)?;
        let vapid = Arc::new(VapidKey::open(&flags.storage_path.join(WEB_PUSH_KEY))?);
        let local = local_url(flags, web.speaks_tls());
        let fleet = Box::pin(drafts.start(store, key, web, vapid, local)).await?;
        Ok(Self { fleet, directory: flags.storage_path.clone() })
    }

    /// Serves until `stop` changes, then ends what is under way.
    pub(crate) async fn serve(self, listeners: Vec<TcpListener>, mut stop: Stop) -> Result<()> {
        let main = Arc::clone(self.fleet.main());
        let (halt, _) = watch::channel(false);
        let mut serving = tokio::task::JoinSet::new();
        for listener in listeners {
            let address = listener.local_addr()?;
            info!(%address, "Listening on");
            self.warn_of_open_doors(address);
            let mut halted = halt.subscribe();
            let until_halted = async move {
                // An error means that the sender is gone, which is a halt, too.
                let _ = halted.wait_for(|is_halted| *is_halted).await;
            };
            let (tenants, web) = (Arc::clone(&self.fleet.tenants), Arc::clone(&main.web));
            serving.spawn(tocsin_server::serve(listener, tenants, web, until_halted));
        }
        let certificates = tokio::spawn(Arc::clone(&main.web).watch());
        let mut uses = tokio::time::interval(WRITE_USES);
        let mut watch = tokio::time::interval(ENGINE_WATCH);
        loop {
            tokio::select! {
                // Without an engine its tenant accepts nothing: whoever supervises the process
                // should start it anew.
                _ = watch.tick() => if let Some(tenant) = self.fleet.ended() {
                    anyhow::bail!(
                        "the engine of the tenant `{tenant}` has ended by itself; the log says why"
                    );
                },
                _ = uses.tick() => self.fleet.flush().await,
                signal = stop.next() => match signal {
                    Asked::Stop => break,
                    Asked::Reload => {
                        if let Err(error) = main.web.reload() {
                            tracing::error!("{error}; what was in effect stays");
                        }
                        match master_key(&self.directory) {
                            Ok(key) => self.fleet.replace_key(key).await,
                            Err(error) => tracing::error!("{error:#}; the key in use stays"),
                        }
                        // The reloader has logged how it went.
                        let _ = main.reloader.reload(&main.engine, Actor::OPERATOR).await;
                    }
                },
                Some(ended) = serving.join_next() => {
                    ended?.context("a listener failed")?;
                }
            }
        }
        info!("stopping");
        let _ = halt.send(true);
        self.fleet.end_feeds();
        let drained = async { while serving.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            warn!("some requests were still running after {} s", DRAIN.as_secs());
        }
        certificates.abort();
        self.fleet.stop().await
    }

    /// Warns where the configuration lets everybody in who reaches a listener.
    fn warn_of_open_doors(&self, address: std::net::SocketAddr) {
        if address.ip().is_loopback() {
            return;
        }
        for app in self.fleet.apps() {
            let rules = app.reloader.current();
            let mut lets_in = rules.access.allow.iter().flat_map(|rule| &rule.from);
            if lets_in.any(|net| net.prefix_len() == 0) {
                let _tenant = tocsin_server::tenants::span(&app.options.tenant).entered();
                warn!(
                    "`access.allow` lets everybody in who reaches {address}, without credentials"
                );
            }
        }
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

/// Reads what secrets are sealed with: from the environment, or from the file beside the database.
fn master_key(directory: &Path) -> Result<MasterKey> {
    match std::env::var(KEY_VARIABLE) {
        Ok(text) if !text.is_empty() => {
            Ok(MasterKey::parse(&text.replace(',', "\n"), KEY_VARIABLE)?)
        }
        _ => Ok(MasterKey::open(&directory.join(KEY_FILE))?),
    }
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
        tenant: defaults.tenant.clone(),
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
