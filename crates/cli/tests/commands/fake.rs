//! A server that answers what it was told to and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use parking_lot::Mutex;

/// What is answered to requests whose method and path begin like this.
pub(crate) struct Recorded {
    pub(crate) request: &'static str,
    pub(crate) status: u16,
    pub(crate) body: &'static str,
}

/// Returns an answer for [`Fake::start`]; `request` is like `GET /api/v2/alerts`.
pub(crate) fn answer(request: &'static str, status: u16, body: &'static str) -> Recorded {
    Recorded { request, status, body }
}

pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Clone)]
struct Memory {
    answers: Arc<[Recorded]>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Answers with the first recorded answer that fits; a request that none fits gets 404.
    pub(crate) fn start(answers: Vec<Recorded>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let memory = Memory { answers: answers.into(), asked: Arc::clone(&asked) };
        let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(reply).with_state(memory);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, asked, _runtime: runtime }
    }

    /// Returns what was asked since the last call: method, address and body, one line each.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock())
    }
}

async fn reply(
    State(memory): State<Memory>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    body: Bytes,
) -> Response {
    let body = String::from_utf8_lossy(&body);
    memory.asked.lock().push(format!("{method} {uri} {body}").trim().to_owned());
    let request = format!("{method} {}", uri.path());
    // An answer whose request has a body part (after a blank) is only for bodies that hold it.
    let found = memory.answers.iter().find(|recorded| {
        let mut parts = recorded.request.splitn(3, ' ');
        let (method, path) = (parts.next().unwrap(), parts.next().unwrap());
        request == format!("{method} {path}") && parts.next().is_none_or(|part| body.contains(part))
    });
    match found {
        Some(recorded) => (
            StatusCode::from_u16(recorded.status).unwrap(),
            [(header::CONTENT_TYPE, "application/json")],
            recorded.body,
        )
            .into_response(),
        None => (StatusCode::NOT_FOUND, "404 page not found").into_response(),
    }
}
