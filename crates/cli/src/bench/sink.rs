//! A webhook receiver that notes when each alert arrived.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use parking_lot::Mutex;
use serde::Deserialize;

/// When each alert arrived first, by its label `pod`.
pub(super) type Arrivals = Arc<Mutex<BTreeMap<String, Instant>>>;

#[derive(Deserialize)]
struct Message {
    alerts: Vec<MessageAlert>,
}

#[derive(Deserialize)]
struct MessageAlert {
    labels: MessageLabels,
}

#[derive(Deserialize)]
struct MessageLabels {
    pod: String,
}

pub(super) async fn start() -> Result<(SocketAddr, Arrivals)> {
    let arrivals = Arrivals::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let routes = Router::new().route("/", post(receive)).with_state(Arc::clone(&arrivals));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok((address, arrivals))
}

async fn receive(State(arrivals): State<Arrivals>, Json(message): Json<Message>) {
    let now = Instant::now();
    let mut arrivals = arrivals.lock();
    for alert in message.alerts {
        arrivals.entry(alert.labels.pod).or_insert(now);
    }
}
