//! A receiver of webhooks that keeps every delivery.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::within;

/// One request as it came, and how it was answered.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) at: Instant,
    /// The `Idempotency-Key`.
    pub(crate) key: String,
    /// A text where it is no JSON.
    pub(crate) body: Value,
    /// Whether it was answered with 200.
    pub(crate) is_accepted: bool,
}

impl Delivery {
    /// Returns `firing` or `resolved`.
    pub(crate) fn status(&self) -> &str {
        self.body["status"].as_str().unwrap_or("")
    }

    /// Returns the values of one label, marked by how each alert is told: `A firing`.
    pub(crate) fn told(&self, label: &str) -> BTreeSet<String> {
        let alerts = self.body["alerts"].as_array().expect("a body of version 4");
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        alerts
            .iter()
            .map(|alert| format!("{} {}", text(&alert["labels"][label]), text(&alert["status"])))
            .collect()
    }

    /// Returns whether it tells exactly these, as [`Delivery::told`] words them by `alertname`.
    pub(crate) fn tells(&self, told: &[&str]) -> bool {
        self.told("alertname").iter().map(String::as_str).eq(told.iter().copied())
    }
}

/// What the receiver does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Answers 200.
    Accept,
    /// Answers 200 after a while.
    AcceptAfter(Duration),
    /// Answers with this status.
    Refuse(u16),
    /// Answers 429 and asks to come back after so many seconds.
    Busy(u32),
    /// Never answers.
    Hang,
}

/// A receiver on a free port.
pub(crate) struct Hook {
    port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    deliveries: Mutex<Vec<Delivery>>,
    manner: Mutex<Manner>,
    grown: watch::Sender<usize>,
}

impl Hook {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner {
            deliveries: Mutex::default(),
            manner: Mutex::new(Manner::Accept),
            grown: watch::channel(0).0,
        });
        let router = Router::new().fallback(take).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, inner }
    }

    /// Returns the address of a path that begins with `/`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Returns a configuration that sends everything here, with these timers and what else the
    /// root route says.
    pub(crate) fn config(&self, route: &str) -> String {
        format!(
            "route:\n  receiver: hook\n{}\nreceivers:\n- name: hook\n  webhook_configs:\n  - url: {}\n",
            route.lines().map(|line| format!("  {}\n", line.trim())).collect::<String>(),
            self.url("/hook")
        )
    }

    /// Changes how requests are answered from now on.
    pub(crate) fn behave(&self, manner: Manner) {
        *self.inner.manner.lock().unwrap() = manner;
    }

    /// Returns everything that came so far.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.inner.deliveries.lock().unwrap().clone()
    }

    /// Waits until what came so far makes `find` return something.
    pub(crate) async fn wait<T>(
        &self,
        what: &str,
        mut find: impl FnMut(&[Delivery]) -> Option<T>,
    ) -> T {
        let mut grown = self.inner.grown.subscribe();
        let waiting = async {
            loop {
                grown.borrow_and_update();
                if let Some(found) = find(&self.inner.deliveries.lock().unwrap()) {
                    return found;
                }
                grown.changed().await.expect("the receiver runs");
            }
        };
        within(what, waiting).await
    }

    /// Waits for a delivery that tells exactly these alerts: `A firing`.
    pub(crate) async fn told(&self, told: &[&str]) -> Delivery {
        self.wait(&format!("a message with {told:?}"), |deliveries| {
            deliveries.iter().find(|delivery| delivery.tells(told)).cloned()
        })
        .await
    }
}

async fn take(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let manner = *inner.manner.lock().unwrap();
    let delivery = Delivery {
        at: Instant::now(),
        key: headers.get("idempotency-key").map_or("", |key| key.to_str().unwrap()).to_owned(),
        body: serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned())),
        is_accepted: matches!(manner, Manner::Accept | Manner::AcceptAfter(_)),
    };
    {
        let mut deliveries = inner.deliveries.lock().unwrap();
        deliveries.push(delivery);
        inner.grown.send_replace(deliveries.len());
    }
    match manner {
        Manner::Accept => StatusCode::OK.into_response(),
        Manner::AcceptAfter(pause) => {
            tokio::time::sleep(pause).await;
            StatusCode::OK.into_response()
        }
        Manner::Refuse(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Manner::Busy(seconds) => {
            let after = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, after).into_response()
        }
        Manner::Hang => std::future::pending().await,
    }
}
