//! Management, bounds, and the accept loop.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use support::TestServer;
use tocsin_server::reloader::Loaded;
use tocsin_server::{Options, Peer, Web};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

#[tokio::test]
async fn health_and_readiness_are_told_apart() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/-/healthy").await.pair(), (200, "OK"));
    assert_eq!(server.ask("HEAD", "/-/ready").await.pair(), (200, ""));
    assert_eq!(server.get("/-/ready").await.pair(), (200, "OK"));
    server.app.engine.stop().await;
    let answer = server.get("/-/ready").await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.starts_with("not ready: "), "{answer:?}");
    assert_eq!(server.get("/-/healthy").await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_written_is_not_acknowledged() {
    let server = TestServer::start().await;
    server.store.limit_size(Some(4096)).await.unwrap();
    let big = "x".repeat(256 << 10);
    let body = format!(r#"[{{"labels":{{"alertname":"Big"}},"annotations":{{"a":"{big}"}}}}]"#);
    let answer = server.post("/api/v2/alerts", body).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{answer:?}");
    assert!(answer.json().as_str().unwrap().contains("could not be written"), "{answer:?}");
    assert_eq!(server.get("/-/ready").await.status, 503);
}

#[tokio::test]
async fn a_good_configuration_takes_effect_and_a_bad_one_does_not() {
    let server = TestServer::start().await;
    let current = server.app.reloader.current();
    *server.next_load.lock() =
        Ok(Loaded::new(Arc::clone(&current.policy), "new: true\n".to_owned(), 9));
    for method in ["POST", "PUT"] {
        assert_eq!(server.ask(method, "/-/reload").await.pair(), (200, ""));
    }
    assert_eq!(*server.commits.lock(), 2);
    let status = server.get("/api/v2/status").await.json();
    assert_eq!(status["config"]["original"], "new: true\n");

    *server.next_load.lock() = Err("tocsin.yaml:3:1: unknown key `rout`".to_owned());
    let answer = server.ask("POST", "/-/reload").await;
    let text = "failed to reload config: tocsin.yaml:3:1: unknown key `rout`\n";
    assert_eq!(answer.pair(), (500, text));
    let status = server.get("/api/v2/status").await.json();
    assert_eq!(status["config"]["original"], "new: true\n");
    assert_eq!(*server.commits.lock(), 2);
    let metrics = server.get("/metrics").await.body;
    assert!(metrics.contains("\nalertmanager_config_last_reload_successful 0\n"), "{metrics}");

    assert_eq!(server.get("/-/reload").await.status, 405);

    *server.next_load.lock() = Ok(Loaded::new(Arc::clone(&current.policy), String::new(), 10));
    server.app.engine.stop().await;
    assert_eq!(server.ask("POST", "/-/reload").await.status, 500);
    assert_eq!(*server.commits.lock(), 2, "what the engine did not take is taken back");
}

#[tokio::test]
async fn metrics_carry_the_names_that_dashboards_know() {
    let server = TestServer::start().await;
    server.fire(&[&[("alertname", "A")], &[("alertname", "B")]]).await;
    server.post("/api/v2/alerts", r#"[{"labels":{}}]"#).await;
    let answer = server.get("/metrics").await;
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    for line in [
        r#"alertmanager_alerts{state="active"} 2"#,
        r#"alertmanager_alerts_received_total{status="firing",version="v2"} 3"#,
        r#"alertmanager_alerts_invalid_total{version="v2"} 1"#,
        r#"alertmanager_silences{state="active"} 0"#,
        r#"alertmanager_notifications_total{integration="webhook"} 0"#,
        r#"alertmanager_notifications_failed_total{integration="webhook",reason="serverError"} 0"#,
        "alertmanager_config_last_reload_successful 1",
        "alertmanager_config_last_reload_success_timestamp_seconds 1795176000.0",
        "alertmanager_config_hash 7.0",
        "alertmanager_cluster_members 0",
        "alertmanager_cluster_failed_peers 0",
        r#"alertmanager_http_request_duration_seconds_count{handler="/api/v2/alerts",method="post",code="200"} 1"#,
        r#"alertmanager_integrations{integration="webhook"} 2"#,
        "process_start_time_seconds 1795176000.0",
        "tocsin_engine_failed_commits_total 0",
    ] {
        assert!(
            answer.body.contains(&format!("\n{line}\n")),
            "{line} is missing in\n{}",
            answer.body
        );
    }
    assert!(answer.body.contains("alertmanager_build_info{"));
    assert!(answer.body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn everything_lives_under_the_prefix() {
    let options = Options { route_prefix: "/foo/".to_owned(), ..Options::default() };
    let server = TestServer::start_with(options).await;
    assert_eq!(server.get("/foo/api/v2/status").await.status, 200);
    assert_eq!(server.get("/foo/-/healthy").await.status, 200);
    assert_eq!(server.get("/foo/metrics").await.status, 200);
    for path in ["/foo", "/foo/"] {
        assert!(server.get(path).await.body.contains("<h1>Tocsin</h1>"), "{path}");
    }
    let home = server.get("/").await;
    assert_eq!((home.status, home.header("location")), (307, "/foo/"));
    assert_eq!(server.get("/api/v2/status").await.status, 404);
    let unknown = server.get("/foo/api/v2/nope").await.json();
    assert_eq!(unknown["message"], "path /api/v2/nope was not found");
    let metrics = server.get("/foo/metrics").await.body;
    assert!(metrics.contains(r#"handler="/api/v2/status""#), "{metrics}");
}

#[tokio::test]
async fn the_front_page_lists_what_fires() {
    let server = TestServer::start().await;
    assert!(server.get("/").await.body.contains("Nothing fires."));
    server.fire(&[&[("alertname", "Disk<Full>")], &[("alertname", "Noise")]]).await;
    let page = server.get("/").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(page.body.contains("<html lang=\"en\">"));
    assert!(
        page.body.contains("<b>2</b> firing") && page.body.contains("<b>2</b> groups"),
        "{}",
        page.body
    );
    assert!(page.body.contains("Disk&lt;Full&gt;"), "{}", page.body);
    assert_eq!(server.get("/favicon.ico").await.status, 204);
}

#[tokio::test]
async fn bodies_are_bounded_before_and_after_decompression() {
    let options = Options { max_request_bytes: 64 << 10, ..Options::default() };
    let server = TestServer::start_with(options).await;
    let answer = server.post("/api/v2/alerts", " ".repeat((64 << 10) + 1)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["code"], 413);

    let send = async |encoding: &str, body: Vec<u8>| {
        let request = Request::post("/api/v2/alerts")
            .header("content-type", "application/json")
            .header("content-encoding", encoding);
        server.send(request.body(Body::from(body)).unwrap()).await
    };
    let alert = br#"[{"labels":{"alertname":"Packed"}}]"#;
    assert_eq!(send("gzip", gzip(alert)).await.pair(), (200, ""));
    assert_eq!(
        send("zstd", zstd::encode_all(alert.as_slice(), 1).unwrap()).await.pair(),
        (200, "")
    );
    assert_eq!(server.get("/api/v2/alerts").await.json()[0]["labels"]["alertname"], "Packed");

    let bomb = vec![b' '; 8 << 20];
    assert_eq!(send("gzip", gzip(&bomb)).await.status, 413);
    assert_eq!(send("zstd", zstd::encode_all(bomb.as_slice(), 1).unwrap()).await.status, 413);
    assert_eq!(send("gzip", b"not gzip".to_vec()).await.status, 400);
    assert_eq!(send("br", alert.to_vec()).await.status, 415);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_when_to_come_back() {
    let server =
        TestServer::start_with(Options { requests_per_second: 1, ..Options::default() }).await;
    let ask = async |client: &str, path: &str| {
        let peer: SocketAddr = client.parse().unwrap();
        let request = Request::get(path).extension(Peer(peer)).body(Body::empty()).unwrap();
        server.send(request).await
    };
    let mut last = ask("192.0.2.1:1000", "/api/v2/status").await;
    for _ in 0..3 {
        last = ask("192.0.2.1:1001", "/api/v2/status").await;
    }
    assert_eq!(last.status, 429);
    assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(last.json()["code"], 429);
    assert_eq!(ask("192.0.2.1:1002", "/-/healthy").await.status, 200);
    // Another client is not held up; it only has to say who it is.
    assert_eq!(ask("192.0.2.2:1000", "/api/v2/status").await.status, 401);
    let metrics = ask("127.0.0.1:1000", "/metrics").await.body;
    assert!(metrics.contains("\ntocsin_http_rate_limited_total 2\n"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gets_beyond_the_bound_and_slow_ones_are_refused() {
    let options = Options {
        max_concurrent_gets: 1,
        request_timeout: Duration::from_millis(200),
        ..Options::default()
    };
    let server = TestServer::start_with(options).await;
    // The engine is held in a read, so whoever asks it has to wait.
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (began, begins) = oneshot::channel();
    let engine = server.app.engine.clone();
    let hold = tokio::spawn(async move {
        engine
            .read(move |_, _| {
                let _ = began.send(());
                let _ = held.recv_timeout(Duration::from_secs(20));
            })
            .await
    });
    begins.await.unwrap();
    let slow = server.get("/api/v2/alerts");
    let refused = async {
        // The first one has its place once the second is polled after it.
        tokio::task::yield_now().await;
        server.get("/api/v2/alerts").await
    };
    let (slow, refused) = tokio::join!(slow, refused);
    assert_eq!(slow.status, 503);
    assert!(slow.body.contains("Exceeded configured timeout of 0.2 s."), "{slow:?}");
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    assert!(refused.body.contains("Limit of concurrent GET requests reached (1)"), "{refused:?}");
    assert_eq!(server.get("/-/healthy").await.status, 200);
    release.send(()).unwrap();
    hold.await.unwrap().unwrap();
    assert_eq!(server.get("/api/v2/alerts").await.status, 200);
}

#[tokio::test]
async fn every_request_has_an_id() {
    let server = TestServer::start().await;
    assert!(!server.get("/-/healthy").await.header("x-request-id").is_empty());
    let request = Request::get("/-/healthy").header("x-request-id", "mine");
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("x-request-id"), "mine");
}

struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn serve(server: &TestServer) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let routes = Arc::new(tocsin_server::Tenants::new(Arc::clone(&server.app)));
    let task =
        tokio::spawn(tocsin_server::serve(listener, routes, Arc::new(Web::plain()), async {
            let _ = stopped.await;
        }));
    Served { address, stop, task }
}

async fn talk(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A server that refuses a request may reset the connection after its answer.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_stop_ends_idle_connections_and_the_accept_loop() {
    let server = TestServer::start().await;
    let served = serve(&server).await;
    let answer =
        talk(served.address, "GET /-/healthy HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let answer = answer.await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("OK"), "{answer}");

    let mut idle = TcpStream::connect(served.address).await.unwrap();
    idle.write_all(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    idle.read_exact(&mut first).await.unwrap();
    served.stop.send(()).unwrap();
    served.task.await.unwrap().unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = TestServer::start().await;
    let served = serve(&server).await;
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(80 << 10));
    assert!(talk(served.address, &head).await.starts_with("HTTP/1.1 431 "));
    let many: String = (0..200).map(|i| format!("x-{i}: 1\r\n")).collect();
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    assert!(talk(served.address, &head).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn counters_follow_the_engine() {
    let server = TestServer::start().await;
    let served = serve(&server).await;
    tokio::spawn(Arc::clone(&server.app.metrics).follow(server.app.engine.subscribe()));
    server.fire(&[&[("alertname", "A")]]).await;
    // The feed is published before the command is answered, so one more read is enough for the
    // follower to have had its turn.
    let line = "\ntocsin_events_total{kind=\"alert_fired\"} 1\n";
    let mut metrics = String::new();
    for _ in 0..100 {
        tokio::task::yield_now().await;
        metrics = server.get("/metrics").await.body;
        if metrics.contains(line) {
            break;
        }
    }
    assert!(metrics.contains(line), "{metrics}");
    served.stop.send(()).unwrap();
    served.task.await.unwrap().unwrap();
}
