//! One tenant: everything it needs to be served, made in two steps. What can fail without
//! anything having begun comes first.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use parking_lot::Mutex;
use tocsin_config::{Config, DEFAULT_TENANT};
use tocsin_connect::paging::VapidKey;
use tocsin_connect::{Context, Outbound};
use tocsin_core::ids::TenantId;
use tocsin_engine::{Clock as _, Deliver, Delivery, EngineOptions, Keep, SystemClock};
use tocsin_server::access::Known;
use tocsin_server::inbound::Inbounds;
use tocsin_server::metrics::Timed;
use tocsin_server::reloader::{Commit, Loaded, Reloader};
use tocsin_server::sign_in::{SignInProvider, SignIns};
use tocsin_server::{App, Metrics, Options, Web};
use tocsin_store::Store;
use tracing::{Instrument as _, warn};

use super::source::Source;

/// A tenant whose configuration is read and checked; nothing of it runs yet.
pub(super) struct Draft {
    pub(super) options: Options,
    source: Source,
    first: tocsin_config::Loaded,
    loaded: Loaded,
    context: Context,
    outbound: Outbound,
}

/// A tenant whose engine runs.
pub(super) struct Running {
    pub(super) app: Arc<App>,
    pub(super) source: Source,
    /// What was read last, in effect or not.
    pub(super) latest: Arc<Mutex<Config>>,
}

impl Draft {
    /// Prepares a tenant; the error is for people.
    pub(super) fn new(
        source: Source,
        first: tocsin_config::Loaded,
        options: Options,
    ) -> Result<Self, String> {
        for warning in &first.warnings {
            warn!("{warning}");
        }
        let context = Context::new(options.external_url.as_str(), env!("CARGO_PKG_VERSION"))
            .with_ready(source.vault.ready());
        let outbound = Outbound::new(&first.config, &context).map_err(|error| error.to_string())?;
        let loaded = server_side(&source, &first, &options.external_url)?;
        Ok(Self { options, source, first, loaded, context, outbound })
    }

    /// Returns whose integrations have which keys.
    pub(super) fn inbounds(&self) -> &Arc<Inbounds> {
        &self.loaded.inbounds
    }

    /// Takes up the tenant's work.
    pub(super) async fn start(
        self,
        store: &Arc<dyn Store>,
        tenant: TenantId,
        sign_ins: SignIns,
        web: &Arc<Web>,
        vapid: &Arc<VapidKey>,
    ) -> Result<Running> {
        let Self { options, source, first, loaded, context, outbound } = self;
        // Shared with what sends already; nothing has been sent yet.
        let links = context.links.clone();
        let _ = context.vapid.set(Arc::clone(vapid));
        let name = Arc::clone(&options.tenant);
        let delivery = Arc::new(Delivery::new(outbound));
        let metrics = Arc::new(match &*name {
            DEFAULT_TENANT => Metrics::default(),
            name => Metrics::of_tenant(name),
        });
        let deliver: Arc<dyn Deliver> =
            Arc::new(Timed::new(Arc::clone(&delivery) as _, Arc::clone(&metrics)));
        let keep =
            Keep { events: first.config.retention.events, alerts: first.config.retention.alerts };
        let engine = tocsin_engine::start(
            EngineOptions { tenant, keep, ..EngineOptions::default() },
            Arc::clone(store),
            Arc::clone(&loaded.policy),
            Arc::clone(&deliver),
            Arc::new(SystemClock),
        );
        let engine = engine
            .instrument(tocsin_server::tenants::span(&name))
            .await
            .context("the engine cannot take up work")?;
        // What was read last, for the integrations: the server only knows the compiled form.
        let latest = Arc::new(Mutex::new(first.config));
        let base = options.external_url.clone();
        let reloader =
            reloader(source.clone(), Arc::clone(&latest), delivery, context, loaded, base);
        let app = Arc::new(App {
            deliver,
            push_key: Arc::clone(vapid),
            sign_ins,
            links,
            known: Known::default(),
            vault: Arc::clone(&source.vault),
            web: Arc::clone(web),
            metrics,
            reloader: Arc::new(reloader),
            started_at: SystemClock.now(),
            options,
            engine,
        });
        app.follow_key();
        source.vault.attach(&app);
        Ok(Running { app, source, latest })
    }
}

impl Running {
    /// Returns the name of the tenant.
    pub(super) fn name(&self) -> &str {
        &self.app.options.tenant
    }
}

fn reloader(
    source: Source,
    latest: Arc<Mutex<Config>>,
    delivery: Arc<Delivery>,
    context: Context,
    initial: Loaded,
    base: String,
) -> Reloader {
    let for_load = Arc::clone(&latest);
    let load = move || {
        let loaded = source.read()?;
        for warning in &loaded.warnings {
            warn!("{warning}");
        }
        let result = server_side(&source, &loaded, &base)?;
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

/// Returns a configuration as the server uses it; `base` is where browsers find the tenant.
fn server_side(
    source: &Source,
    loaded: &tocsin_config::Loaded,
    base: &str,
) -> Result<Loaded, String> {
    let rules = loaded.config.access.oidc.as_ref();
    let provider = rules.map(|rules| SignInProvider::new(rules, base)).transpose()?;
    let inbounds = Inbounds::new(&loaded.config.inbound)?;
    Ok(Loaded::new(source.policy_of(loaded), loaded.original_yaml(), loaded.hash())
        .with_inbounds(inbounds)
        .with_provider(provider)
        .with_access(loaded.config.access.clone())
        .with_channels(Arc::clone(&loaded.config.channels)))
}
