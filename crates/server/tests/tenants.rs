//! Tenants in one process, behind the real front.
//!
//! The property: no sequence of requests with what one tenant gave out returns or changes a byte
//! of another.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use support::{TestServer, policy};
use tempfile::TempDir;
use tocsin_config::{Access, LoadOptions, Loopback};
use tocsin_core::identity::{
    Handle, IdentityChange, Permission, Proof, Session, SignIn, SignInLink, SignedInBy, TokenOwner,
};
use tocsin_core::ids::TenantId;
use tocsin_core::policy::Receiver;
use tocsin_engine::Clock as _;
use tocsin_server::access::{FreshSecret, ROUTES};
use tocsin_server::inbound::Inbounds;
use tocsin_server::reloader::Loaded;
use tocsin_server::tenants::Front;
use tocsin_server::{Listed, Member, Options, Peer, Tenants};
use tocsin_store::{SqliteOptions, SqliteStore, Store as _};
use tower::ServiceExt as _;
use uuid::Uuid;

/// Stands in every text that is a victim's and in nothing else.
const CANARY: &str = "canary";

/// An address from which nobody is let in without credentials.
const ELSEWHERE: &str = "192.0.2.7:4000";

/// This very machine.
const HERE: &str = "127.0.0.1:4000";

/// What somebody of a tenant holds.
struct Holder {
    server: TestServer,
    /// The path that leads to the tenant.
    path: &'static str,
    /// The host name that leads to it; empty for none.
    host: &'static str,
    token: String,
    integration_token: String,
    configured_key: &'static str,
    session: String,
    /// The identifiers of what there is: alert, silence, token.
    fingerprint: String,
    silence: String,
    token_id: String,
}

/// All tenants of a process.
struct World {
    front: Front,
    main: Holder,
    acme: Holder,
    beta: Holder,
    _directory: TempDir,
}

impl World {
    async fn make(main_loopback: Loopback) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path(), SqliteOptions::default()).unwrap();
        let store = Arc::new(store);
        let main = Holder::make(&store, "default", "keepsake", main_loopback).await;
        let acme = Holder::make(&store, "acme", "mine", Loopback::Closed).await;
        let beta = Holder::make(&store, "beta", CANARY, Loopback::Closed).await;
        let tenants = Tenants::new(Arc::clone(&main.server.app));
        let listed = |holder: &Holder| Listed {
            member: Member::new(Arc::clone(&holder.server.app)),
            hosts: vec![holder.host.to_owned()],
        };
        tenants.replace(&[listed(&acme), listed(&beta)]);
        Self { front: Front::new(Arc::new(tenants)), main, acme, beta, _directory: directory }
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.front.clone().oneshot(request).await.unwrap()
    }

    async fn get(&self, holder: &Holder, path: &str) -> String {
        let request = Request::get(format!("{}{path}", holder.path))
            .extension(Peer(ELSEWHERE.parse().unwrap()))
            .header("authorization", format!("Bearer {}", holder.token));
        let answer = self.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status(), 200, "{path}");
        read(answer).await
    }

    /// Returns everything there is to see of a tenant.
    async fn dump(&self, holder: &Holder) -> String {
        let mut all = String::new();
        for (_, path, _) in ROUTES.iter().filter(|(method, path, _)| {
            // Answers that never end, forms, pages for people, and what asks for parameters.
            *method == "GET"
                && !path.starts_with("/push")
                && !path.ends_with("/stream")
                && !path.contains("sign-in")
                && !path.contains('{')
                && !path.starts_with("/v2/")
                && !matches!(
                    *path,
                    "/favicon.ico"
                        | "/api/v1/sessions"
                        | "/api/v1/status"
                        | "/api/v1/me/mentions"
                        | "/api/v1/me/shifts"
                )
        }) {
            let text = self.get(holder, path).await;
            // How often it was asked is counted, whoever asked; who gets what is not.
            let is_count = |line: &&str| {
                [
                    "_http_",
                    "_refused",
                    "_invalid",
                    "tocsin_engine",
                    "tocsin_turn",
                    "tocsin_store",
                    "_silences_quer",
                    "process_",
                    "_processing_",
                ]
                .iter()
                .any(|part| line.contains(part))
            };
            let lines = text.lines().filter(|line| *path != "/metrics" || !is_count(line));
            all.push_str(&format!("== {path}\n{}\n", lines.collect::<Vec<_>>().join("\n")));
        }
        all
    }
}

impl Holder {
    /// Makes a tenant with something of every kind, marked.
    async fn make(
        store: &Arc<SqliteStore>,
        name: &'static str,
        mark: &'static str,
        loopback: Loopback,
    ) -> Self {
        let is_main = name == "default";
        let number = store.tenant(name.to_owned()).await.unwrap();
        assert_eq!(number == TenantId::DEFAULT, is_main);
        let path: &str =
            if is_main { "" } else { ["/t/acme", "/t/beta"][usize::from(name == "beta")] };
        let mut options = Options { tenant: Arc::from(name), ..Options::default() };
        options.route_prefix = path.to_owned();
        options.external_url = format!("http://tocsin.example{path}");
        let key: &str = match name {
            "default" => "configured-key-of-default",
            "acme" => "configured-key-of-acme",
            _ => "configured-key-of-beta",
        };
        let server =
            TestServer::start_on(Arc::clone(store), number, options, loaded(mark, key, loopback));
        let server = server.await;
        let service = |name: &str| TokenOwner::Service(format!("{name}-{mark}"));
        let integration = TokenOwner::Integration("hook".to_owned());
        let token = server.token_of(service("admin"), Permission::ALL, Vec::new()).await;
        let ingest = [Permission::AlertIngest];
        let integration_token = server.token_of(integration, &ingest, Vec::new()).await;
        let mut holder = Self {
            path,
            host: if name == "beta" { "beta.example" } else { "" },
            token,
            integration_token,
            configured_key: key,
            session: String::new(),
            fingerprint: String::new(),
            silence: String::new(),
            token_id: String::new(),
            server,
        };
        holder.plant(mark).await;
        if !is_main || loopback == Loopback::Closed {
            holder.sign_in().await;
        }
        holder
    }

    /// Makes one of everything through the API.
    async fn plant(&mut self, mark: &str) {
        let alert = |name: &str| {
            json!([{ "labels": { "alertname": name, "team": "zteam" },
                     "annotations": { "summary": mark } }])
        };
        self.make_one("POST", "/api/v2/alerts", alert("Disk")).await;
        let listed: Value = self.make_one("GET", "/api/v1/alerts", Value::Null).await;
        self.fingerprint = text(&listed["items"][0]["fingerprint"]);
        let silence = body_of("POST", "/api/v2/silences", mark).unwrap();
        let made = self.make_one("POST", "/api/v2/silences", silence).await;
        self.silence = text(&made["silenceID"]);
        for (method, path) in [
            ("PUT", "/api/v1/maintenance-windows/zwin"),
            ("POST", "/api/v1/changes"),
            ("POST", "/api/v1/people"),
            ("PUT", "/api/v1/teams/zteam"),
        ] {
            self.make_one(method, path, body_of(method, path, mark).unwrap()).await;
        }
        let note = json!({ "by": "zoe", "text": mark });
        let path = format!("/api/v1/alerts/{}/notes", self.fingerprint);
        self.make_one("POST", &path, note).await;
        let made = json!({ "name": mark, "service": "ci", "role": "viewer" });
        let made = self.make_one("POST", "/api/v1/tokens", made).await;
        self.token_id = text(&made["token"]["id"]);
        assert_ne!(self.token_id, "", "{made}");
    }

    async fn make_one(&self, method: &str, path: &str, body: Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.path))
            .extension(Peer(ELSEWHERE.parse().unwrap()))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", self.token));
        let answer = self.server.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// Begins a session of a person whom no request is about.
    async fn sign_in(&mut self) {
        let person = json!({ "handle": "root", "name": "root", "roles": ["admin"] });
        self.make_one("POST", "/api/v1/people", person).await;
        let person = Handle::parse("root").unwrap();
        let (link, session) = (FreshSecret::plain().unwrap(), FreshSecret::plain().unwrap());
        let now = self.server.clock.now();
        let ends_at = now + SignedDuration::from_hours(1);
        let row = SignInLink { hash: link.hash(), person: person.clone(), expires_at: ends_at };
        self.server.identity(IdentityChange::AddLink(row)).await;
        let row = Session {
            id: Uuid::new_v4(),
            hash: session.hash(),
            person,
            by: SignedInBy::Password,
            created_at: now,
            last_seen_at: now,
            ends_at,
            idle_seconds: 3_600,
            address: None,
            user_agent: String::new(),
        };
        let sign_in = SignIn { session: row, proof: Proof::Link { hash: link.hash() } };
        self.server.identity(IdentityChange::SignIn(Box::new(sign_in))).await;
        self.session = session.expose().to_owned();
    }

    /// Puts the identifiers of this tenant into a route.
    fn fill(&self, path: &str) -> String {
        let id = if path.contains("tokens") { &self.token_id } else { &self.silence };
        path.replace("{fingerprint}", &self.fingerprint)
            .replace("{number}", "1")
            .replace("{incident}", "1")
            .replace("{action}", "AI-1-1")
            .replace("{version}", "1")
            .replace("{id}", id)
            .replace("{handle}", "zoe")
            .replace(
                "{name}",
                if path.contains("teams") {
                    "zteam"
                } else if path.contains("window") {
                    "zwin"
                } else {
                    "hook"
                },
            )
            .replace("{identifier}", "disk")
            .replace("{verb}", "acknowledge")
            .replace("{request}", "6f1c1c9e-5b0f-4a43-9d7c-000000000000")
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn loaded(mark: &str, key: &str, loopback: Loopback) -> Loaded {
    let mut policy = policy();
    let first = policy.receivers[0].clone();
    policy.receivers.push(Receiver { name: Arc::from(format!("{mark}.receiver")), ..first });
    let file = format!(
        "route: {{ receiver: a }}\nreceivers: [{{ name: a }}]\nintegrations:\n\
         - {{ name: hook, type: generic, key: {key}, labels: {{ mark: {mark} }} }}\n\
         - {{ name: og, type: opsgenie, key: {key}-og }}\n"
    );
    let config = tocsin_config::load_str("test.yaml", &file, &LoadOptions::default()).unwrap();
    let access = Access { loopback, ..Access::default() };
    Loaded::new(Arc::new(policy), format!("route:\n  receiver: {mark}\n"), 7)
        .with_inbounds(Inbounds::new(&config.config.inbound).unwrap())
        .with_access(access)
}

/// Returns a body that makes sense for a route; names are the same for every tenant.
fn body_of(method: &str, path: &str, mark: &str) -> Option<Value> {
    let matchers = json!([{ "name": "alertname", "op": "=", "value": "Disk" }]);
    let (from, until) = ("2026-11-20T12:00:00Z", "2026-11-20T14:00:00Z");
    Some(match (method, path) {
        (_, "/api/v2/alerts" | "/api/v1/alerts") => json!([{ "labels": { "alertname": mark } }]),
        (_, "/api/v2/silences") => json!({
            "matchers": [{ "name": "alertname", "value": "Disk", "isRegex": false }],
            "startsAt": from, "endsAt": until, "createdBy": mark, "comment": mark,
        }),
        ("POST", "/api/v1/silences" | "/api/v1/silences/preview")
        | ("PUT", "/api/v1/silences/{id}") => {
            json!({
                "matchers": matchers, "starts_at": from, "ends_at": until,
                "created_by": mark, "comment": mark,
            })
        }
        ("POST", "/api/v1/alerts/acknowledge" | "/api/v1/alerts/unacknowledge") => {
            json!({ "by": "zoe", "matchers": matchers })
        }
        (
            "POST",
            "/api/v1/alerts/{fingerprint}/acknowledge"
            | "/api/v1/alerts/{fingerprint}/unacknowledge",
        ) => {
            json!({ "by": "zoe" })
        }
        ("POST", "/api/v1/alerts/{fingerprint}/notes") => json!({ "by": "zoe", "text": mark }),
        ("POST", "/api/v1/maintenance-windows") => json!({
            "name": "zwin2", "matchers": matchers, "starts_at": "2026-11-22T02:00:00",
            "duration_seconds": 60, "comment": mark, "created_by": mark,
        }),
        ("PUT", path) if path.contains("maintenance-windows") => json!({
            "matchers": matchers, "starts_at": "2026-11-22T02:00:00", "duration_seconds": 60,
            "comment": mark, "created_by": mark,
        }),
        ("POST", "/api/v1/severities/classify") => json!({ "error_rate": 0.5 }),
        ("POST", "/api/v1/incidents") => json!({ "title": mark }),
        ("POST", "/api/v1/incidents/{incident}/postmortem") => json!({}),
        ("POST", "/api/v1/incidents/{incident}/actions") => json!({ "title": mark }),
        ("PATCH", "/api/v1/postmortems/{incident}") => {
            json!({ "title": mark, "sections": { "root_cause": mark } })
        }
        ("POST", "/api/v1/postmortems/{incident}/draft") => json!({}),
        ("POST", "/api/v1/postmortems/{incident}/transition") => json!({ "to": "in_review" }),
        ("POST", "/api/v1/postmortems/{incident}/comments") => json!({ "text": mark }),
        ("PATCH", "/api/v1/actions/{action}") => json!({ "title": mark }),
        ("POST", "/api/v1/kb/articles") | ("PUT", "/api/v1/kb/articles/{number}") => {
            json!({ "kind": "lesson", "title": mark, "body": mark })
        }
        ("PATCH", "/api/v1/incidents/{incident}") => json!({ "title": mark }),
        ("PATCH", path) if path.contains("/alerts/") => json!({ "role": "symptom" }),
        ("PATCH", path) if path.contains("/timeline/") => json!({ "caption": mark }),
        ("PATCH", path) if path.contains("/tasks/") => json!({ "title": mark }),
        ("POST", path) if path.ends_with("/access-requests") => json!({ "reason": mark }),
        ("POST", path) if path.contains("/access-requests/") => json!({ "grant": true }),
        ("POST", path) if path.starts_with("/api/v1/incidents/") => {
            match path.rsplit('/').next().unwrap_or_default() {
                "transition" => json!({ "to": "investigating", "note": mark }),
                "severity" => json!({ "severity": "sev1", "reason": mark }),
                "assign" => json!({}),
                "comments" => json!({ "text": mark }),
                "roles" => json!({ "role": "scribe", "person": "zoe", "note": mark }),
                "join" | "leave" | "subscribe" | "unsubscribe" => json!({ "person": "zoe" }),
                "snooze" => {
                    json!({ "person": "zoe", "reminder": "ack_sla", "minutes": 5 })
                }
                "handover" => json!({ "role": "scribe", "to": "zoe", "note": mark }),
                "responders" => json!({ "people": ["zoe"], "message": mark }),
                "answer" => json!({ "comes": true, "message": mark }),
                "merge" => json!({ "sources": ["2"] }),
                "unmerge" => return None,
                "split" => json!({ "alerts": ["00000000000000aa"], "title": mark }),
                "duplicate" => json!({ "of": "2" }),
                "tasks" => json!({ "title": mark }),
                "restrict" | "unrestrict" | "redact" => json!({ "reason": mark }),
                "revise" => json!({ "text": mark }),
                "import" => json!({ "text": format!("10:00 Ada: {mark}") }),
                "link" | "unlink" => json!({ "kind": "related", "other": "2" }),
                "updates" => json!({ "status": "investigating", "note": mark }),
                "preview" => json!({
                    "message": { "subject": mark, "body": mark, "to": ["participants"] }
                }),
                _ => json!({ "note": mark }),
            }
        }
        ("POST", "/api/v1/changes") => json!({ "summary": mark, "source": mark }),
        ("POST", "/api/v1/people") => {
            json!({ "handle": "zoe", "name": mark, "email": format!("{mark}@example.org") })
        }
        ("PUT", "/api/v1/people/{handle}") => json!({ "name": mark }),
        ("PUT", path) if path.contains("/teams/") => json!({ "description": mark, "members": [] }),
        ("POST", "/api/v1/tokens") => json!({ "name": mark, "service": "x", "role": "viewer" }),
        ("POST", "/api/v1/hooks/preview") => {
            json!({ "type": "generic", "mapping": {}, "body": {} })
        }
        ("POST", "/api/v1/hooks" | "/api/v1/hooks/{key}") => json!({ "title": mark }),
        ("POST", "/api/v1/routes/test") => json!({ "labels": { "alertname": "Disk" } }),
        ("POST", "/v2/enqueue") => json!({
            "routing_key": "configured-key-of-acme", "event_action": "trigger",
            "payload": { "summary": mark, "source": "s", "severity": "critical" },
        }),
        (_, path) if path.starts_with("/v2/alerts") => json!({ "message": mark, "alias": "disk" }),
        _ => return None,
    })
}

/// Reads an answer; of one that never ends, the beginning.
async fn read(response: Response) -> String {
    let is_endless =
        response.headers().get("content-type").is_some_and(|it| it == "text/event-stream");
    let head = format!("{:?}", response.headers());
    let mut data = response.into_body().into_data_stream();
    let mut body = Vec::new();
    while let Some(Ok(part)) = data.next().await {
        body.extend_from_slice(&part);
        if is_endless {
            break;
        }
    }
    if is_endless {
        format!("{head}{}", String::from_utf8_lossy(&body))
    } else {
        String::from_utf8_lossy(&body).into_owned()
    }
}

/// How a request names a tenant.
#[derive(Clone, Copy, Debug)]
enum Way {
    Plain,
    OwnPath,
    VictimPath,
    VictimHost,
    VictimHostOwnPath,
    OwnHostVictimPath,
    Odd(usize),
}

/// Paths that are meant to be taken for another tenant's.
const ODD: [&str; 6] =
    ["//t/beta", "/t/bet%61", "/t/acme/../beta", "/t/acme//t/beta", "/T/beta", "/t/acme/t/beta"];

/// What is shown, and how.
#[derive(Clone, Copy, Debug)]
enum Form {
    Bearer,
    OwnHeader,
    Basic,
    GenieKey,
    KeyHeader,
    Query,
    Cookie,
    CookieOfDefault,
    CookieOfVictim,
    Nothing,
}

/// The place of the session among the credentials.
const SESSION: usize = 3;

/// One request of a sequence.
#[derive(Clone, Debug)]
struct Step {
    route: usize,
    way: Way,
    form: Form,
    credential: usize,
    is_sensible: bool,
    is_about_victim: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let way = prop_oneof![
        4 => Just(Way::Plain),
        1 => Just(Way::OwnPath),
        3 => Just(Way::VictimPath),
        2 => Just(Way::VictimHost),
        1 => Just(Way::VictimHostOwnPath),
        1 => Just(Way::OwnHostVictimPath),
        1 => (0..ODD.len()).prop_map(Way::Odd),
    ];
    let form = prop::sample::select(vec![
        Form::Bearer,
        Form::Bearer,
        Form::OwnHeader,
        Form::Basic,
        Form::GenieKey,
        Form::KeyHeader,
        Form::Query,
        Form::Cookie,
        Form::Cookie,
        Form::CookieOfDefault,
        Form::CookieOfVictim,
        Form::Nothing,
    ]);
    let credential = prop_oneof![6 => Just(0_usize), 1 => Just(1), 1 => Just(2), 1 => Just(3)];
    let rest = (credential, prop::bool::weighted(0.8), prop::bool::weighted(0.7));
    (0..ROUTES.len(), way, form, rest).prop_map(
        |(route, way, form, (credential, is_sensible, is_about_victim))| Step {
            route,
            way,
            form,
            // In a cookie mostly a session; what else somebody may put there stays in.
            credential: match (form, credential) {
                (Form::Cookie | Form::CookieOfDefault | Form::CookieOfVictim, 0) => SESSION,
                (_, credential) => credential,
            },
            is_sensible,
            is_about_victim,
        },
    )
}

impl Step {
    /// Returns whether nobody's credentials have to do with it: a wrong guess at a name and a
    /// password is the tenant's to count where it is made, and signing out ends what is shown.
    fn is_left_out(&self) -> bool {
        let (_, path, _) = ROUTES[self.route];
        path.contains("sign-") || path.contains("/session")
    }

    fn request(&self, own: &Holder, victim: &Holder, from: &str) -> Request<Body> {
        let (method, route, _) = ROUTES[self.route];
        let key = [&own.token, &own.integration_token, own.configured_key, &own.session]
            [self.credential]
            .to_owned();
        let about = if self.is_about_victim { victim } else { own };
        let path = about.fill(&route.replace("{key}", &key));
        let (prefix, host) = match self.way {
            Way::Plain => ("", "tocsin.example"),
            Way::OwnPath => (own.path, "tocsin.example"),
            Way::VictimPath => {
                (if victim.path.is_empty() { "/t/default" } else { victim.path }, "tocsin.example")
            }
            Way::VictimHost => {
                ("", if victim.host.is_empty() { "tocsin.example" } else { "Beta.Example:9093" })
            }
            Way::VictimHostOwnPath => (own.path, "beta.example"),
            Way::OwnHostVictimPath => {
                (if victim.path.is_empty() { "/t/default" } else { victim.path }, "acme.example")
            }
            Way::Odd(number) => (ODD[number], "tocsin.example"),
        };
        let query =
            if matches!(self.form, Form::Query) { format!("?apiKey={key}") } else { String::new() };
        let peer: SocketAddr = from.parse().unwrap();
        let request = Request::builder()
            .method(method)
            .uri(format!("{prefix}{path}{query}"))
            .extension(Peer(peer))
            .header("host", host)
            .header("content-type", "application/json");
        let cookie = |name: &str| format!("__Host-tocsin{name}={key}");
        let request = match self.form {
            Form::Bearer => request.header("authorization", format!("Bearer {key}")),
            Form::OwnHeader => request.header("x-tocsin-token", &key),
            Form::Basic => request
                .header("authorization", format!("Basic {}", STANDARD.encode(format!("x:{key}")))),
            Form::GenieKey => request.header("authorization", format!("GenieKey {key}")),
            Form::KeyHeader => request.header("x-tocsin-key", &key),
            Form::Cookie => {
                request.header("cookie", cookie(if own.path.is_empty() { "" } else { "-t-acme" }))
            }
            Form::CookieOfDefault => request.header("cookie", cookie("")),
            Form::CookieOfVictim => request.header("cookie", cookie("-t-beta")),
            Form::Query | Form::Nothing => request,
        };
        let body = body_of(method, route, "mine").filter(|_| self.is_sensible);
        request.body(Body::from(body.unwrap_or_else(|| json!({ "x": 1 })).to_string())).unwrap()
    }
}

/// Plays random sequences and returns how many requests succeeded.
fn check(property: impl AsyncFn(Vec<Step>) -> Result<usize, TestCaseError>) -> usize {
    let is_long = std::env::var_os("TOCSIN_TEST_LONG").is_some_and(|v| v == "1");
    let config = Config {
        cases: if is_long { 400 } else { 12 },
        failure_persistence: None,
        max_shrink_iters: 10,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let successes = std::cell::Cell::new(0);
    let played = runner.run(&prop::collection::vec(step(), 60..120), |steps| {
        let count = runtime.block_on(property(steps))?;
        successes.set(successes.get() + count);
        Ok(())
    });
    if let Err(error) = played {
        panic!("{error}");
    }
    successes.get()
}

/// Sends a sequence and looks whether the victim noticed, or was seen.
async fn play(
    world: &World,
    (own, victim): (&Holder, &Holder),
    from: &str,
    steps: &[Step],
) -> Result<usize, TestCaseError> {
    let victims_mark = if victim.path.is_empty() { "keepsake" } else { CANARY };
    let before = world.dump(victim).await;
    prop_assert!(before.contains(victims_mark), "{before}");
    let mut successes = 0;
    for step in steps.iter().filter(|step| !step.is_left_out()) {
        let answer = world.send(step.request(own, victim, from)).await;
        let status = answer.status();
        successes += usize::from(status.is_success());
        let text = read(answer).await;
        let is_seen = text.contains(victims_mark);
        prop_assert!(!is_seen, "{step:?} {:?}: {status} {text}", ROUTES[step.route]);
    }
    let after = world.dump(victim).await;
    let changed = before.lines().zip(after.lines()).find(|(before, after)| before != after);
    prop_assert!(before == after, "the victim changed: {changed:#?}");
    Ok(successes)
}

#[test]
fn nothing_that_one_tenant_gave_out_reads_or_changes_another() {
    let successes = check(async |steps| {
        let world = World::make(Loopback::Closed).await;
        play(&world, (&world.acme, &world.beta), ELSEWHERE, &steps).await
    });
    assert!(successes > 60, "only {successes} requests did anything at all");
}

#[test]
fn nothing_that_another_tenant_gave_out_reads_or_changes_the_default_one() {
    let successes = check(async |steps| {
        let world = World::make(Loopback::Closed).await;
        play(&world, (&world.acme, &world.main), ELSEWHERE, &steps).await
    });
    assert!(successes > 60, "only {successes} requests did anything at all");
}

#[test]
fn the_default_tenants_administrator_does_not_see_into_others() {
    let successes = check(async |steps| {
        let world = World::make(Loopback::Closed).await;
        play(&world, (&world.main, &world.beta), ELSEWHERE, &steps).await
    });
    assert!(successes > 60, "only {successes} requests did anything at all");
}

/// On a laptop whoever works there may do everything with the default tenant, without showing
/// anything. Who shows something of another tenant means that one.
#[test]
fn what_another_tenant_gave_out_never_means_the_default_one_even_where_that_is_open() {
    let successes = check(async |steps| {
        let world = World::make(Loopback::Open).await;
        let shows = |step: &Step| match step.form {
            Form::Cookie => step.credential == SESSION,
            Form::Bearer | Form::OwnHeader | Form::Basic => step.credential < 2,
            _ => false,
        };
        let steps: Vec<_> = steps
            .into_iter()
            .filter(|step| matches!(step.way, Way::Plain | Way::OwnPath) && shows(step))
            .collect();
        play(&world, (&world.acme, &world.main), HERE, &steps).await
    });
    assert!(successes > 10, "only {successes} requests did anything at all");
}
