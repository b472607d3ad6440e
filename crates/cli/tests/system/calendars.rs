//! A schedule follows a calendar that somebody else serves, its last good copy over a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;

use crate::support::from_now;
use crate::support::tocsin::Tocsin;
use crate::support::until;

/// What the calendar was asked for so far.
#[derive(Default)]
struct Asked {
    whole: AtomicUsize,
    is_gone: AtomicUsize,
}

async fn plan(State(asked): State<Arc<Asked>>) -> Response {
    if asked.is_gone.load(Ordering::SeqCst) > 0 {
        return StatusCode::NOT_FOUND.into_response();
    }
    asked.whole.fetch_add(1, Ordering::SeqCst);
    let moment = |seconds| from_now(seconds).strftime("%Y%m%dT%H%M%SZ").to_string();
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Example//Plan//EN".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        "UID:1@example.org".to_owned(),
        format!("DTSTAMP:{}", moment(0)),
        format!("DTSTART:{}", moment(-3_600)),
        format!("DTEND:{}", moment(86_400)),
        "SUMMARY:On call: Grace".to_owned(),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    let body = lines.join("\r\n") + "\r\n";
    ([(header::CONTENT_TYPE, "text/calendar")], body).into_response()
}

/// Returns who is on call in `web`, by name.
async fn on_call(tocsin: &Tocsin) -> String {
    let answer = tocsin.get("/api/v1/oncall").await.json();
    answer["items"][0]["people"].to_string()
}

/// Returns when the calendar was read last.
async fn read_at(tocsin: &Tocsin) -> String {
    let answer = tocsin.get("/api/v1/schedules/web/imports").await.json();
    answer["items"][0]["read_at"].to_string()
}

#[tokio::test]
async fn a_schedule_follows_a_calendar_and_its_last_copy_when_that_is_gone() {
    let asked = Arc::new(Asked::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new()
        .route("/plan.ics", axum::routing::get(plan))
        .with_state(Arc::clone(&asked));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let config = format!(
        "
route: {{receiver: nobody}}
receivers: [{{name: nobody}}]
people:
- {{handle: ada, name: Ada}}
- {{handle: grace, name: Grace}}
schedules:
- name: web
  layers: [{{name: main, members: [ada], turn: [1d], start: 2026-01-01T00:00, rank: 1}}]
  imports: [{{name: plan, url: 'http://{address}/plan.ics', kind: shifts, rank: 2, refresh: 1m}}]
"
    );
    let mut tocsin = Tocsin::start(&config).await;
    assert!(on_call(&tocsin).await.contains("ada"), "{}", on_call(&tocsin).await);
    until("the calendar counts", async || on_call(&tocsin).await.contains("grace").then_some(()))
        .await;
    assert_eq!(asked.whole.load(Ordering::SeqCst), 1);

    // After a start the copy counts at once, even where the calendar is no more.
    asked.is_gone.store(1, Ordering::SeqCst);
    tocsin.kill().await;
    tocsin.start_again().await;
    assert!(on_call(&tocsin).await.contains("grace"), "{}", on_call(&tocsin).await);
    let refresh = "/api/v1/schedules/web/imports/plan/refresh";
    let answer = tocsin.post(refresh, &serde_json::json!({})).await;
    assert!(on_call(&tocsin).await.contains("grace"), "{answer:?}");

    // Once it is back, it is read.
    asked.is_gone.store(0, Ordering::SeqCst);
    let before = read_at(&tocsin).await;
    let answer = tocsin.post(refresh, &serde_json::json!({})).await;
    assert!(answer.status < 300, "{answer:?}");
    until("it is read", async || (read_at(&tocsin).await != before).then_some(())).await;
    assert_eq!(asked.whole.load(Ordering::SeqCst), 2);
}
