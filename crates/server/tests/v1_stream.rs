//! The live feed, as its followers see it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use support::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tower::ServiceExt as _;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// As many followers as there may be.
const MAX_FOLLOWERS: usize = 256;

/// One message of a stream.
#[derive(Debug, PartialEq)]
struct Message {
    id: u64,
    event: String,
    data: Value,
}

/// A client that follows.
struct Client {
    body: BodyDataStream,
    text: String,
}

impl Client {
    async fn follow(server: &TestServer, path: &str, last: Option<u64>) -> Self {
        let mut request = Request::get(path);
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let request = request.body(Body::empty()).unwrap();
        let response = server.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// Returns the next message; comments are passed over.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = block.lines();
                    lines.find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
                };
                let message = field("id:").map(|id| Message {
                    id: id.parse().unwrap(),
                    event: field("event:").unwrap(),
                    data: serde_json::from_str(&field("data:").unwrap()).unwrap(),
                });
                self.text = rest.to_owned();
                match message {
                    Some(message) => return Some(message),
                    None => continue,
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.body.next()).await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }

    async fn some(&mut self) -> Message {
        self.next().await.unwrap()
    }

    /// Reads messages up to the one with `id`.
    async fn until(&mut self, id: u64) -> Vec<Message> {
        let mut messages = vec![self.some().await];
        while messages.last().unwrap().id < id {
            messages.push(self.some().await);
        }
        messages
    }
}

fn ids(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.id).collect()
}

impl TestServer {
    async fn head(&self) -> u64 {
        let newest = self.get("/api/v1/events?limit=1").await.json();
        newest["items"][0]["sequence"].as_u64().unwrap()
    }

    /// Fires this many alerts, each in a group of its own: at least two events for each.
    async fn storm(&self, alerts: std::ops::Range<usize>) {
        let alerts: Vec<Value> =
            alerts.map(|i| json!({ "labels": { "alertname": format!("A{i}") } })).collect();
        let body = json!({ "alerts": alerts }).to_string();
        assert_eq!(self.post("/api/v1/alerts", body).await.status, 200);
    }
}

#[tokio::test]
async fn a_follower_hears_what_happens() {
    let server = TestServer::start().await;
    let mut client = Client::follow(&server, "/api/v1/stream", None).await;
    let head = server.head().await;
    let hello = client.some().await;
    let expected =
        Message { id: head, event: "hello".to_owned(), data: json!({ "sequence": head }) };
    assert_eq!(hello, expected);
    server.fire(&[&[("alertname", "PgDown"), ("team", "db")]]).await;
    let heard = client.until(server.head().await).await;
    assert_eq!(heard[0].id, head + 1);
    let kinds: Vec<_> = heard.iter().map(|message| message.event.as_str()).collect();
    assert_eq!(kinds, ["group_opened", "alert_fired"]);
    assert_eq!(heard[1].data["subject"]["name"], "PgDown{team=\"db\"}");
    // The same as in the history.
    let listed = server.get("/api/v1/events?kind=alert_fired").await.json();
    assert_eq!(listed["items"][0], heard[1].data);
}

#[tokio::test]
async fn a_follower_that_comes_back_misses_and_repeats_nothing() {
    let server = TestServer::start().await;
    server.storm(0..400).await;
    let mut client = Client::follow(&server, "/api/v1/stream", Some(10)).await;
    // What happens before the first message is read is in the feed already.
    server.storm(400..700).await;
    let head = server.head().await;
    let first = client.some().await;
    assert_eq!((first.event.as_str(), first.id), ("hello", 10));
    assert_eq!(ids(&client.until(head).await), (11..=head).collect::<Vec<_>>());
    server.storm(700..701).await;
    assert_eq!(client.some().await.id, head + 1);
}

#[tokio::test]
async fn a_query_parameter_begins_a_stream_and_kinds_narrow_it() {
    let server = TestServer::start().await;
    server.storm(0..3).await;
    let path = "/api/v1/stream?after=0&kind=alert_fired";
    let mut client = Client::follow(&server, path, None).await;
    assert_eq!(client.some().await.event, "hello");
    server.storm(3..5).await;
    for i in 0..5 {
        let message = client.some().await;
        assert_eq!(message.event, "alert_fired");
        assert_eq!(message.data["subject"]["name"], format!("A{i}"));
    }
}

#[tokio::test]
async fn a_position_that_is_not_part_of_the_history_is_reset() {
    let server = TestServer::start().await;
    let head = server.head().await;
    let mut client = Client::follow(&server, "/api/v1/stream", Some(999)).await;
    let reset = client.some().await;
    assert_eq!((reset.event.as_str(), reset.id), ("reset", head));
    assert_eq!(reset.data, json!({ "reason": "unknown_position", "sequence": head }));
    server.storm(0..1).await;
    assert_eq!(client.some().await.id, head + 1);
}

#[tokio::test]
async fn a_follower_that_lags_catches_up_or_is_reset() {
    let server = TestServer::start().await;
    let mut slow = Client::follow(&server, "/api/v1/stream", None).await;
    let hello = slow.some().await;
    // More than followers may lag behind, and not too much to catch up with.
    for part in 0..40 {
        server.storm(part * 50..(part + 1) * 50).await;
    }
    let head = server.head().await;
    assert_eq!(ids(&slow.until(head).await), (hello.id + 1..=head).collect::<Vec<_>>());
    // Too much.
    for part in 2..8 {
        server.storm(part * 1_000..(part + 1) * 1_000).await;
    }
    for _ in 0..40 {
        server.fire(&[&[("alertname", "Tick"), ("n", &server.head().await.to_string())]]).await;
    }
    let mut reset = slow.some().await;
    // Some may have been on their way already.
    while reset.event != "reset" {
        reset = slow.some().await;
    }
    assert_eq!(reset.data["reason"], "lagged");
    server.storm(9_000..9_001).await;
    let head = server.head().await;
    let next = slow.until(head).await;
    assert_eq!(next[0].id, reset.id + 1);
    // One that comes back after as much is sent the same.
    let mut back = Client::follow(&server, "/api/v1/stream", Some(5)).await;
    assert_eq!(back.some().await.data, json!({ "reason": "too_far_behind", "sequence": head }));
}

#[tokio::test]
async fn the_number_of_followers_is_bounded() {
    let server = TestServer::start().await;
    let mut clients = Vec::new();
    for _ in 0..MAX_FOLLOWERS {
        clients.push(Client::follow(&server, "/api/v1/stream", None).await);
    }
    let refused = server.get("/api/v1/stream").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), "10");
    assert!(refused.body.contains("too_many_followers"), "{refused:?}");
    clients.pop();
    let mut client = Client::follow(&server, "/api/v1/stream", None).await;
    assert_eq!(client.some().await.event, "hello");
}

#[tokio::test]
async fn a_last_event_that_is_no_number_is_a_problem() {
    let server = TestServer::start().await;
    let request = Request::get("/api/v1/stream").header("last-event-id", "x");
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("Last-Event-ID"), "{answer:?}");
}

#[tokio::test]
async fn a_stop_ends_streams_at_once() {
    let server = TestServer::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let routes = Arc::new(tocsin_server::Tenants::new(Arc::clone(&server.app)));
    let serving = tokio::spawn(tocsin_server::serve(
        listener,
        routes,
        Arc::new(tocsin_server::Web::plain()),
        async {
            let _ = stopped.await;
        },
    ));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut text = String::new();
    while !text.contains("event: hello") {
        let mut bytes = [0; 1_024];
        let count = client.read(&mut bytes).await.unwrap();
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    stop.send(()).unwrap();
    // Streams that are cut off after the server's patience would take ten seconds.
    tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap().unwrap();
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "the answer is complete: {rest:?}");
}
