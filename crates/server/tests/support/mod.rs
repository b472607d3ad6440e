//! A server on a real engine and a real database in a temporary directory, with a clock that
//! stands still unless a test moves it.

#![allow(dead_code, reason = "each file of tests uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

pub(crate) mod issuer;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tempfile::TempDir;
use tocsin_core::command::{Command, Reply};
use tocsin_core::compat::Compat;
use tocsin_core::escalation::EscalationSettings;
use tocsin_core::identity::{ApiToken, IdentityChange, Permission, Scope, TokenOwner};
use tocsin_core::ids::TenantId;
use tocsin_core::labels::Labels;
use tocsin_core::matcher::{Matcher, Matchers};
use tocsin_core::notification::{AttemptOutcome, OutboxEntry};
use tocsin_core::paging::{Content, Page};
use tocsin_core::policy::{
    GroupBy, InhibitRule, Integration, Limits, Policy, Receiver, Route, RouteIndex, RouteTree,
};
use tocsin_core::time_interval::{DayRange, TimeInterval};
use tocsin_engine::{Clock, Deliver, EngineOptions};
use tocsin_server::access::FreshSecret;
use tocsin_server::reloader::{Commit, Loaded, Undo};
use tocsin_server::sign_in::{MasterKey, SignIns};
use tocsin_server::{App, Metrics, Options, Reloader};
use tocsin_store::{SqliteOptions, SqliteStore};
use tower::ServiceExt as _;

/// When tests begin.
pub(crate) const NOON: &str = "2026-11-20T12:00:00Z";

/// The text that `config.original` shows.
pub(crate) const ORIGINAL: &str = "route:\n  receiver: hook\n";

/// A clock that tests move by hand.
pub(crate) struct HandClock(Mutex<Timestamp>);

impl HandClock {
    pub(crate) fn advance(&self, seconds: i64) {
        *self.0.lock() += SignedDuration::from_secs(seconds);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

/// Takes every notification and page.
#[derive(Default)]
struct Swallow {
    codes: Codes,
}

/// Codes that were sent to show that an address is somebody's.
pub(crate) type Codes = Arc<Mutex<Vec<String>>>;

#[async_trait]
impl Deliver for Swallow {
    async fn attempt(&self, _: &OutboxEntry, _: &str) -> AttemptOutcome {
        AttemptOutcome::Delivered { receipt: None, fallbacks: Vec::new() }
    }

    async fn page(&self, page: &Page, _: &str) -> AttemptOutcome {
        if let Content::Verification { code } = &page.content {
            self.codes.lock().push(code.clone());
        }
        AttemptOutcome::Delivered { receipt: None, fallbacks: Vec::new() }
    }
}

/// What reading the configuration gives from now on.
pub(crate) type NextLoad = Arc<Mutex<Result<Loaded, String>>>;

pub(crate) struct TestServer {
    pub(crate) app: Arc<App>,
    pub(crate) router: Router,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) next_load: NextLoad,
    /// How often a configuration took effect outside the engine.
    pub(crate) commits: Arc<Mutex<usize>>,
    pub(crate) codes: Codes,
    _directory: Option<TempDir>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// Status and body, for comparing both at once.
    pub(crate) fn pair(&self) -> (u16, &str) {
        (self.status, &self.body)
    }
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        Self::start_by(options, policy()).await
    }

    /// Starts with a configuration.
    pub(crate) async fn start_by(options: Options, policy: Policy) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path(), SqliteOptions::default()).unwrap();
        let loaded = Loaded::new(Arc::new(policy), ORIGINAL.to_owned(), 7 << 16);
        let mut server = Self::start_on(Arc::new(store), TenantId::DEFAULT, options, loaded).await;
        server._directory = Some(directory);
        server
    }

    /// Starts the server of one tenant on a store that others may use, too.
    pub(crate) async fn start_on(
        store: Arc<SqliteStore>,
        tenant: TenantId,
        options: Options,
        loaded: Loaded,
    ) -> Self {
        let clock = Arc::new(HandClock(Mutex::new(NOON.parse().unwrap())));
        let codes = Codes::default();
        let swallow = || Arc::new(Swallow { codes: Arc::clone(&codes) });
        let engine = tocsin_engine::start(
            EngineOptions { tenant, ..EngineOptions::default() },
            Arc::clone(&store) as _,
            Arc::clone(&loaded.policy),
            swallow(),
            Arc::clone(&clock) as _,
        );
        let engine = engine.await.unwrap();
        let next_load = Arc::new(Mutex::new(Ok(loaded.clone())));
        let commits = Arc::new(Mutex::new(0));
        let (load, count) = (Arc::clone(&next_load), Arc::clone(&commits));
        let reloader = Reloader::new(
            loaded,
            Arc::new(move || load.lock().clone()),
            Arc::new(move |_| {
                let count = Arc::clone(&count);
                Ok(Box::new(move || {
                    *count.lock() += 1;
                    Box::new(move || *count.lock() -= 1) as Undo
                }) as Commit)
            }),
            clock.now(),
        );
        let metrics = match options.is_default_tenant() {
            true => Metrics::default(),
            false => Metrics::of_tenant(&options.tenant),
        };
        let app = Arc::new(App {
            web: Arc::new(tocsin_server::Web::plain()),
            engine,
            deliver: swallow(),
            push_key: Arc::new(tocsin_connect::paging::VapidKey::fresh().unwrap()),
            reloader: Arc::new(reloader),
            options,
            sign_ins: SignIns::new(MasterKey::fresh().unwrap()),
            links: tocsin_connect::links::LinkSigner::new(vec![[7; 32]]),
            known: tocsin_server::access::Known::default(),
            vault: Arc::default(),
            metrics: Arc::new(metrics),
            started_at: clock.now(),
        });
        app.vault.attach(&app);
        let router = tocsin_server::router(Arc::clone(&app));
        Self { app, router, clock, store, next_load, commits, codes, _directory: None }
    }

    /// Makes a token of a service with these permissions.
    pub(crate) async fn token(&self, permissions: &[Permission]) -> String {
        self.token_of(TokenOwner::Service("test".to_owned()), permissions, Vec::new()).await
    }

    /// Makes a token.
    pub(crate) async fn token_of(
        &self,
        owner: TokenOwner,
        permissions: &[Permission],
        scopes: Vec<Scope>,
    ) -> String {
        let secret = FreshSecret::token().unwrap();
        let token = ApiToken {
            id: uuid::Uuid::new_v4(),
            name: "test".to_owned(),
            hash: secret.hash(),
            owner,
            permissions: permissions.iter().copied().collect(),
            scopes,
            allowed_from: Vec::new(),
            created_at: self.clock.now(),
            created_by: "test".to_owned(),
            expires_at: None,
            last_used_at: None,
        };
        self.identity(IdentityChange::AddToken(Box::new(token))).await;
        secret.expose().to_owned()
    }

    /// Changes who may do what.
    pub(crate) async fn identity(&self, change: IdentityChange) {
        let reply = self.app.engine.command(Command::Identity(change)).await.unwrap();
        assert_eq!(reply, Reply::Done);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answer {
        self.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Posts alerts with these labels that fire from now until the resolve timeout.
    pub(crate) async fn fire(&self, alerts: &[&[(&str, &str)]]) {
        let body: Vec<_> = alerts
            .iter()
            .map(|labels| {
                let labels: BTreeMap<_, _> = labels.iter().copied().collect();
                serde_json::json!({ "labels": labels })
            })
            .collect();
        let answer = self.post("/api/v2/alerts", serde_json::to_string(&body).unwrap()).await;
        assert_eq!(answer.pair(), (200, ""));
    }
}

/// Everything to `hook`, but `team="db"` to `db.hook`, and `Noise` to `null`, which is never
/// active. Critical alerts inhibit warnings of the same cluster.
pub(crate) fn policy() -> Policy {
    let never = DayRange { start: 1900, end: 1900 };
    let never = TimeInterval { years: vec![never], ..TimeInterval::default() };
    let inhibit = InhibitRule {
        name: None,
        source: Matchers::new(vec![Matcher::equal("severity", "critical")]),
        target: Matchers::new(vec![Matcher::equal("severity", "warning")]),
        equal: vec!["cluster".into()],
    };
    let nodes = vec![
        Route { children: vec![RouteIndex(1), RouteIndex(2)], ..route("{}", "hook", &[]) },
        route("{}/{team=\"db\"}", "db.hook", &[("team", "db")]),
        Route {
            active_time_intervals: vec![Arc::from("never")],
            group_by: GroupBy::Names(vec!["alertname".into()]),
            ..route("{}/{alertname=\"Noise\"}", "null", &[("alertname", "Noise")])
        },
    ];
    Policy {
        resolve_timeout: SignedDuration::from_mins(5),
        routes: RouteTree { nodes },
        inhibit_rules: vec![inhibit],
        time_intervals: BTreeMap::from([(Arc::from("never"), vec![never])]),
        receivers: vec![receiver("hook", 1), receiver("db.hook", 1), receiver("null", 0)],
        escalation: EscalationSettings::default(),
        heartbeats: Vec::new(),
        incidents: Default::default(),
        people: Vec::new(),
        teams: Vec::new(),
        schedules: Vec::new(),
        holidays: Vec::new(),
        maintenance_windows: Vec::new(),
        compat: Compat::NATIVE,
        retention: SignedDuration::from_hours(120),
        start_delay: SignedDuration::ZERO,
        limits: Limits::default(),
    }
}

fn route(key: &str, receiver: &str, matchers: &[(&str, &str)]) -> Route {
    let matchers = matchers.iter().map(|(name, value)| Matcher::equal(*name, *value));
    Route {
        parent: (key != "{}").then_some(RouteIndex(0)),
        children: Vec::new(),
        key: Arc::from(key),
        unique_key: Arc::from(key),
        receiver: Arc::from(receiver),
        matchers: Matchers::new(matchers.collect()),
        is_continue: false,
        group_by: GroupBy::Names(vec!["alertname".into(), "cluster".into()]),
        group_wait: SignedDuration::from_secs(30),
        group_wait_by_severity: BTreeMap::new(),
        group_interval: SignedDuration::from_mins(5),
        repeat_interval: SignedDuration::from_hours(4),
        mute_time_intervals: Vec::new(),
        active_time_intervals: Vec::new(),
        labels: Labels::default(),
    }
}

fn receiver(name: &str, webhooks: u32) -> Receiver {
    let integration = |index| Integration { kind: "webhook", index, send_resolved: true };
    Receiver {
        name: Arc::from(name),
        labels: Labels::from([("name", name)]),
        escalation_policy: None,
        integrations: (0..webhooks).map(integration).collect(),
    }
}
