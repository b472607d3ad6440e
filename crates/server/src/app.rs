//! What every handler shares, and the router that puts all trees under one prefix.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use jiff::Timestamp;
use tocsin_config::DEFAULT_TENANT;
use tocsin_connect::links::LinkSigner;
use tocsin_connect::paging::VapidKey;
use tocsin_core::matcher::ParseMode;
use tocsin_engine::{Deliver, EngineHandle};

use crate::access::Known;
use crate::metrics::Metrics;
use crate::reloader::Reloader;
use crate::secrets::Vault;
use crate::sign_in::{self, SignIns};
use crate::web::Web;
use crate::{answers, fallback, front, inbound, limits, management, push, v1, v2};

/// The largest request body, after decompression, unless configured otherwise.
pub const DEFAULT_MAX_REQUEST_BYTES: usize = 16 << 20;

/// How long a handler may take before the caller is told to come back, unless configured.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The release of Alertmanager whose API this server speaks; clients compare it with their own.
pub const REPORTED_VERSION: &str = "0.34.0";

/// What every handler shares.
pub struct App {
    /// The tenant's engine.
    pub engine: EngineHandle,
    /// Sends messages, for drills.
    pub deliver: Arc<dyn Deliver>,
    /// The configuration in effect, and the way to read it anew.
    pub reloader: Arc<Reloader>,
    /// What flags decided.
    pub options: Options,
    /// How the listener receives connections and whom it lets in.
    pub web: Arc<Web>,
    /// By what the services of browsers know us, unless the configuration names another key.
    pub push_key: Arc<VapidKey>,
    /// What signing in needs.
    pub sign_ins: SignIns,
    /// Checks the links of pages when they come back.
    pub links: LinkSigner,
    /// Opens stored secrets for whoever sends messages.
    pub vault: Arc<Vault>,
    /// What was looked up and used lately of tokens and sessions.
    pub known: Known,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// When the process began to serve.
    pub started_at: Timestamp,
}

/// What flags decide about the HTTP side.
#[derive(Clone, Debug)]
pub struct Options {
    /// The tenant it all belongs to.
    pub tenant: Arc<str>,
    /// The address under which people reach the server, as links use it.
    pub external_url: String,
    /// The path all endpoints live under; empty or `/` for none.
    pub route_prefix: String,
    /// The largest request body in bytes, after decompression; more is answered with 413.
    pub max_request_bytes: usize,
    /// How many GET requests are worked on at once; more are answered with 503.
    pub max_concurrent_gets: usize,
    /// How long a handler may take before the answer is 503; zero for no bound.
    pub request_timeout: Duration,
    /// How many requests one client may make per second on average; zero for no bound. More are
    /// answered with 429 and `Retry-After`.
    pub requests_per_second: u32,
    /// What `versionInfo.version` says.
    pub reported_version: String,
    /// Not empty when clients should see a cluster of one, as Alertmanager shows by default.
    pub cluster_listen_address: String,
    /// Which grammars read matchers and which label names are valid.
    pub parse_mode: ParseMode,
}

impl Default for Options {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            tenant: Arc::from(DEFAULT_TENANT),
            external_url: String::new(),
            route_prefix: String::new(),
            max_request_bytes: DEFAULT_MAX_REQUEST_BYTES,
            max_concurrent_gets: cores.max(8),
            request_timeout: DEFAULT_REQUEST_TIMEOUT,
            requests_per_second: 0,
            reported_version: REPORTED_VERSION.to_owned(),
            cluster_listen_address: String::new(),
            parse_mode: ParseMode::default(),
        }
    }
}

impl App {
    /// Signs and checks links with keys of the master key in use, and with those of older ones.
    pub fn follow_key(&self) {
        self.links.replace(self.sign_ins.derived(&format!("links/{}", self.options.tenant)));
    }
}

impl Options {
    /// Returns the route prefix with a leading and without a trailing slash; empty for none.
    pub fn prefix(&self) -> String {
        let trimmed = self.route_prefix.trim_matches('/');
        if trimmed.is_empty() { String::new() } else { format!("/{trimmed}") }
    }

    /// Returns whether it is the tenant that is there without being configured.
    pub fn is_default_tenant(&self) -> bool {
        *self.tenant == *DEFAULT_TENANT
    }

    /// Returns the name of a cookie of this tenant: browsers keep cookies by host, and tenants may
    /// share one.
    pub(crate) fn cookie(&self, name: &str) -> String {
        if self.is_default_tenant() { name.to_owned() } else { format!("{name}-t-{}", self.tenant) }
    }

    /// Returns what a sealed value of this tenant is bound to, so that one of another tenant does
    /// not open in its place.
    pub(crate) fn sealed_place(&self, place: &str) -> String {
        if self.is_default_tenant() {
            place.to_owned()
        } else {
            format!("tenant/{}/{place}", self.tenant)
        }
    }
}

/// Returns everything the server answers, under the route prefix.
pub fn router(app: Arc<App>) -> Router {
    let prefix = app.options.prefix();
    let trees = Router::new()
        .merge(management::router())
        .merge(front::router())
        .merge(v2::router())
        .merge(v1::router())
        .merge(inbound::router())
        .merge(answers::router(Arc::clone(&app)))
        .merge(sign_in::router())
        .merge(push::router())
        .fallback(fallback::not_found);
    let routes = if prefix.is_empty() {
        trees
    } else {
        let home = format!("{prefix}/");
        let to_home = home.clone();
        Router::new()
            .route("/", get(move || async move { Redirect::temporary(&to_home) }))
            .route(&home, get(front::page))
            .nest(&prefix, trees)
            .fallback(fallback::not_found)
    };
    limits::around(routes.with_state(Arc::clone(&app)), app)
}
