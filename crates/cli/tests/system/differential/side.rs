//! One of the two servers, and the webhooks that both call.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as Segments, State};
use axum::http::StatusCode;
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tocsin_testkit::differential::observe::Observed;
use tocsin_testkit::differential::schedule::{Action, Silence, Step, Telling};
use tocsin_testkit::differential::setup::HOOKS;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::support::api::{Answer, answer};
use crate::support::log::Log;
use crate::wrapper::alertmanager;

/// A message as it arrived: the side, the webhook, when, whether it was taken, what it said.
pub(super) type Arrival = (usize, usize, Instant, bool, Value);

/// The webhooks of a run.
#[derive(Clone)]
pub(super) struct Hooks {
    port: u16,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    accepts: Arc<Mutex<[bool; HOOKS]>>,
}

impl Hooks {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hooks = Self {
            port: listener.local_addr().unwrap().port(),
            arrivals: Arc::default(),
            accepts: Arc::new(Mutex::new([true; HOOKS])),
        };
        let router = Router::new().route("/{side}/{hook}", post(take)).with_state(hooks.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        hooks
    }

    pub(super) fn url(&self, side: usize) -> String {
        format!("http://127.0.0.1:{}/{side}", self.port)
    }

    pub(super) fn behave(&self, hook: usize, accepts: bool) {
        self.accepts.lock().unwrap()[hook] = accepts;
    }

    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().clone()
    }
}

async fn take(
    State(hooks): State<Hooks>,
    Segments((side, hook)): Segments<(usize, usize)>,
    body: Bytes,
) -> StatusCode {
    let at = Instant::now();
    let accepts = hooks.accepts.lock().unwrap()[hook];
    let body = serde_json::from_slice(&body).expect("JSON");
    hooks.arrivals.lock().unwrap().push((side, hook, at, accepts, body));
    if accepts { StatusCode::OK } else { StatusCode::BAD_REQUEST }
}

/// A server under test.
pub(super) struct Side {
    pub(super) observed: Observed,
    /// The ids that silences have now, by slot.
    silences: BTreeMap<usize, String>,
    hooks: String,
    origin: i64,
    address: String,
    client: reqwest::Client,
    directory: TempDir,
    _child: Child,
}

impl Side {
    /// Starts Tocsin in Alertmanager's place, or the Alertmanager that `program` names.
    pub(super) async fn start(program: Option<&Path>, hooks: String, config: &str) -> Self {
        tocsin_connect::install_crypto();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("alertmanager.yml");
        std::fs::write(&file, config).unwrap();
        let mut command = program.map_or_else(alertmanager, Command::new);
        let mut child = command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", directory.path().join("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--web.external-url=http://am.example")
            .arg("--cluster.listen-address=")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Log::follow(child.stderr.take().unwrap());
        let address = log.address().await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let side = Self {
            observed: Observed::default(),
            silences: BTreeMap::new(),
            hooks,
            origin: 0,
            address,
            client,
            directory,
            _child: child,
        };
        // The first request opens the connection that all others use.
        assert_eq!(side.get("/-/ready").await.status, 200, "{}", log.text());
        side
    }

    /// Begins a schedule at this instant, in milliseconds since 1970.
    pub(super) fn begin(&mut self, origin: i64) {
        self.origin = origin;
        self.observed = Observed::new(origin);
    }

    async fn get(&self, path: &str) -> Answer {
        answer(self.client.get(format!("http://{}{path}", self.address))).await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.client.post(format!("http://{}{path}", self.address)).json(body)).await.unwrap()
    }

    /// Asks the API.
    pub(super) async fn look(&mut self, at: i64, paths: &[&str]) {
        for path in paths {
            let answer = self.get(path).await;
            let body = serde_json::from_str(&answer.body).unwrap_or_default();
            self.observed.answer(at, path, answer.status, &body);
        }
    }

    /// Does what a step says, and notes how it was answered.
    pub(super) async fn act(&mut self, step: &Step) {
        let Step { at, action, .. } = step;
        let at = *at;
        let answer = match action {
            Action::Tell(tellings) => {
                let alerts: Vec<_> = tellings.iter().map(|telling| self.alert(telling)).collect();
                self.post("/api/v2/alerts", &json!(alerts)).await
            }
            Action::Silence { slot, silence } => self.silence(*slot, None, at, silence).await,
            Action::Change { slot, silence } => {
                let Some(id) = self.silences.get(slot).cloned() else { return };
                self.silence(*slot, Some(id), at, silence).await
            }
            Action::Expire { slot } => {
                let Some(id) = self.silences.get(slot) else { return };
                let url = format!("http://{}/api/v2/silence/{id}", self.address);
                answer(self.client.delete(url)).await.unwrap()
            }
            Action::Reload(setup) => {
                let file = self.directory.path().join("alertmanager.yml");
                std::fs::write(file, setup.yaml(&self.hooks)).unwrap();
                self.post("/-/reload", &Value::Null).await
            }
            Action::Hook { .. } => return,
        };
        self.observed.reply(at, step, answer.status);
    }

    fn instant(&self, at: i64) -> String {
        Timestamp::from_millisecond(self.origin + at).unwrap().to_string()
    }

    fn alert(&self, telling: &Telling) -> Value {
        let mut alert = json!({
            "labels": telling.labels,
            "annotations": { "note": telling.note },
            "generatorURL": "http://prom.example/graph",
        });
        for (key, at) in [("startsAt", telling.starts), ("endsAt", telling.ends)] {
            if let Some(at) = at {
                alert[key] = json!(self.instant(at));
            }
        }
        alert
    }

    async fn silence(
        &mut self,
        slot: usize,
        id: Option<String>,
        at: i64,
        silence: &Silence,
    ) -> Answer {
        let mut starts = silence.starts.map(|at| self.instant(at));
        if let (None, Some(id)) = (&starts, &id) {
            // As amtool does: what is not changed is posted as it was.
            let known = self.get(&format!("/api/v2/silence/{id}")).await;
            let known: Value = serde_json::from_str(&known.body).unwrap_or_default();
            starts = known["startsAt"].as_str().map(str::to_owned);
        }
        let matcher = |(name, value, is_regex, is_equal): &(String, String, bool, bool)| json!({ "name": name, "value": value, "isRegex": is_regex, "isEqual": is_equal });
        let mut body = json!({
            "matchers": silence.matchers.iter().map(matcher).collect::<Vec<_>>(),
            "startsAt": starts.unwrap_or_else(|| self.instant(at)),
            "endsAt": self.instant(silence.ends),
            "createdBy": "ada",
            "comment": silence.comment,
        });
        if let Some(id) = id {
            body["id"] = json!(id);
        }
        let answer = self.post("/api/v2/silences", &body).await;
        let reply: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if let Some(id) = reply["silenceID"].as_str() {
            self.observed.name_silence(id, slot);
            self.silences.insert(slot, id.to_owned());
        }
        answer
    }
}
