//! Tenants that share a process: which one a request is for is decided here, before any router sees
//! it, and each router knows nothing but its own tenant.

mod choose;
mod front;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use parking_lot::RwLock;
use tocsin_config::DEFAULT_TENANT;
use tocsin_core::identity::SecretHash;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use crate::App;
pub use front::Front;

/// How many secrets it is remembered for whose they are before all are forgotten.
const MAX_REMEMBERED: usize = 10_000;

/// A tenant that is served. Cheap to clone.
#[derive(Clone)]
pub struct Member {
    inner: Arc<Inner>,
}

struct Inner {
    name: Arc<str>,
    app: Arc<App>,
    router: Router,
    /// The path its router lives under.
    prefix: String,
    /// What its log lines carry; nothing for the default tenant.
    span: Span,
    /// Ends its live feeds when it goes.
    gone: CancellationToken,
}

impl Member {
    /// Makes the router of a tenant. It holds what the tenant's limits count, so it is made once.
    pub fn new(app: Arc<App>) -> Self {
        let name = Arc::clone(&app.options.tenant);
        let span = span(&name);
        let (router, prefix) = (crate::router(Arc::clone(&app)), app.options.prefix());
        let gone = CancellationToken::new();
        Self { inner: Arc::new(Inner { name, app, router, prefix, span, gone }) }
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Returns what its handlers share.
    pub fn app(&self) -> &Arc<App> {
        &self.inner.app
    }

    /// Ends its live feeds; they would never end by themselves.
    pub fn end_feeds(&self) {
        self.inner.gone.cancel();
    }
}

/// Returns what log lines of a tenant carry; nothing for the default one.
pub fn span(tenant: &str) -> Span {
    if tenant == DEFAULT_TENANT { Span::none() } else { tracing::error_span!("tenant", %tenant) }
}

/// A tenant beside the default one, and the host names that lead to it.
#[derive(Clone)]
pub struct Listed {
    /// Which.
    pub member: Member,
    /// Host names, lower-case.
    pub hosts: Vec<String>,
}

/// All tenants of the process. The others come and go while it runs.
pub struct Tenants {
    main: Member,
    others: ArcSwap<Others>,
    /// Whose secret it was when it was looked for last, among the others.
    remembered: RwLock<HashMap<SecretHash, Arc<str>>>,
}

/// The tenants beside the default one.
#[derive(Default)]
struct Others {
    all: Vec<Member>,
    by_name: HashMap<Arc<str>, Member>,
    by_host: HashMap<String, Member>,
}

impl Tenants {
    /// Returns the default tenant alone.
    pub fn new(main: Arc<App>) -> Self {
        Self { main: Member::new(main), others: ArcSwap::default(), remembered: RwLock::default() }
    }

    /// Returns the default tenant.
    pub fn main(&self) -> &Member {
        &self.main
    }

    /// Returns the others, in the order of the file.
    pub fn others(&self) -> Vec<Member> {
        self.others.load().all.clone()
    }

    /// Serves these beside the default one from now on.
    pub fn replace(&self, others: &[Listed]) {
        let mut next = Others::default();
        for Listed { member, hosts } in others {
            next.by_name.insert(Arc::clone(&member.inner.name), member.clone());
            next.by_host.extend(hosts.iter().map(|host| (host.clone(), member.clone())));
            next.all.push(member.clone());
        }
        self.others.store(Arc::new(next));
        self.remembered.write().clear();
    }
}
