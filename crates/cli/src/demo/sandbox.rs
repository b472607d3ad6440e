//! The sandbox: a small web server where the demo's messages arrive.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use tocsin_engine::{Clock as _, SystemClock};

use super::screen::Screen;

/// What the sandbox reads of a webhook message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub(super) alerts: Vec<MessageAlert>,
    #[serde(rename = "notification_reason", default)]
    pub(super) reason: String,
}

/// One alert of a message.
#[derive(Debug, Deserialize)]
pub(super) struct MessageAlert {
    pub(super) status: String,
    pub(super) labels: std::collections::BTreeMap<String, String>,
    pub(super) annotations: std::collections::BTreeMap<String, String>,
}

/// Starts to listen on a free port and returns the address.
pub(super) async fn start(screen: Arc<Screen>) -> Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let routes = Router::new().route("/{receiver}", post(receive)).with_state(screen);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

async fn receive(
    State(screen): State<Arc<Screen>>,
    Path(receiver): Path<String>,
    Json(message): Json<Message>,
) {
    screen.message(SystemClock.now(), &receiver, &message);
}
