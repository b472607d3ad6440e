//! Calendars elsewhere: fetched and fetched again, refused, broken, and never with a secret in what
//! is said about them.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use support::{CANARY, Reply, Server};
use tocsin_config::{LoadOptions, load_str};
use tocsin_connect::{CalendarRead, Context, Edition, Outbound};
use tocsin_core::oncall::{
    Combine, ImportKind, ImportLocation, ImportOutcome, ImportSpec, ImportedEvent, Zone,
};
use tocsin_core::tenant::CalendarToRead;

const NOW: &str = "2027-03-01T00:00:00Z";

const BODY: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:ada\r\n\
    DTSTART:20270301T090000\r\nDTEND:20270301T170000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn calendar(location: ImportLocation) -> CalendarToRead {
    CalendarToRead {
        schedule: "web".into(),
        zone: Zone::named("Europe/Berlin").unwrap(),
        spec: ImportSpec {
            name: "google".into(),
            location,
            kind: ImportKind::Shifts,
            rank: 0,
            combine: Combine::Replace,
            refresh_minutes: 10,
            names: BTreeMap::new(),
        },
        is_provisioned: true,
        read_at: None,
    }
}

/// What a configuration with one calendar reads from.
fn outbound(import: &str) -> Outbound {
    let text = format!(
        "route: {{receiver: none}}\nreceivers: [{{name: none}}]\n\
         schedules:\n- name: web\n  imports: [{{name: google, {import}}}]\n"
    );
    let loaded = load_str("test.yaml", &text, &LoadOptions::default());
    let config = loaded.unwrap_or_else(|report| panic!("{report}")).config;
    Outbound::new(&config, &Context::new("http://tocsin.example", "0")).unwrap()
}

async fn read(outbound: &Outbound, edition: Option<&Edition>) -> CalendarRead {
    let calendar = calendar(ImportLocation::Settings);
    outbound.read_calendar(&calendar, edition, NOW.parse().unwrap()).await
}

#[track_caller]
fn failure(read: CalendarRead) -> String {
    match read.outcome {
        ImportOutcome::Failed { why } => {
            assert!(!why.contains(CANARY) && !why.contains("canary"), "a secret shows: {why}");
            why
        }
        other => panic!("not failed: {other:?}"),
    }
}

fn fetched() -> ImportOutcome {
    let event = ImportedEvent {
        from: "2027-03-01T08:00:00Z".parse().unwrap(),
        to: "2027-03-01T16:00:00Z".parse().unwrap(),
        text: "ada".to_owned(),
        ..ImportedEvent::default()
    };
    ImportOutcome::Fetched { events: vec![event], trouble: Vec::new() }
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let marked = "etag: \"e1\"\r\nlast-modified: Sun, 28 Feb 2027 10:00:00 GMT\r\n";
    let replies = vec![Reply::status(200, marked, BODY), Reply::status(304, "", "")];
    let server = Server::start(replies).await;
    let outbound = outbound(&format!("url: '{}'", server.url(&format!("/{CANARY}/basic.ics"))));
    let first = read(&outbound, None).await;
    assert_eq!(first.outcome, fetched());
    let second = read(&outbound, Some(&first.edition)).await;
    assert_eq!(second.outcome, ImportOutcome::Unchanged);
    assert_eq!(second.edition, first.edition, "and asked for in the same way the next time");
    let seen = server.seen();
    assert_eq!(seen[0].target(), format!("GET /{CANARY}/basic.ics"));
    assert_eq!(seen[0].header("if-none-match"), None);
    assert_eq!(seen[1].header("if-none-match"), Some("\"e1\""));
    assert_eq!(seen[1].header("if-modified-since"), Some("Sun, 28 Feb 2027 10:00:00 GMT"));
}

#[tokio::test]
async fn what_cannot_be_read_is_said_without_the_address() {
    let half = &BODY[..BODY.len() - 20];
    let page = "<html>sign in";
    let cut = format!("HTTP/1.1 200 X\r\ncontent-length: 9999\r\nconnection: close\r\n\r\n{BODY}");
    for (reply, expected) in [
        (Reply::status(404, "", "no canary here"), "answered 404"),
        (Reply::status(503, "retry-after: 120\r\n", ""), "answered 503"),
        (Reply::status(304, "", ""), "answered 304"),
        (Reply::ok(page), "this is a web page and no calendar"),
        (Reply::ok(half), "its end is missing; it breaks off in line"),
        (Reply::ok(""), "there is nothing in it"),
        (Reply::Raw(cut.into_bytes()), "the calendar at http://127.0.0.1"),
    ] {
        let server = Server::start(vec![reply]).await;
        let outbound = outbound(&format!("url: '{}?key={CANARY}'", server.url("/a.ics")));
        let read = read(&outbound, None).await;
        let wait = read.retry_after.map(|wait| wait.as_secs());
        assert_eq!(wait, expected.contains("503").then_some(120));
        let why = failure(read);
        assert!(why.contains(expected), "{why}");
    }
    let nobody = outbound(&format!("url: 'http://127.0.0.1:1/{CANARY}'"));
    assert!(failure(read(&nobody, None).await).contains("http://127.0.0.1:1"));
}

#[tokio::test]
async fn a_calendar_without_end_is_not_read_to_its_end() {
    let head = "HTTP/1.1 200 X\r\nconnection: close\r\n\r\n".to_owned();
    let long = head + "BEGIN:VCALENDAR\r\n" + &"X:aaaaaaaaaaaaaaaa\r\n".repeat(500_000);
    let server = Server::start(vec![Reply::Raw(long.into_bytes())]).await;
    let outbound = outbound(&format!("url: '{}'", server.url("/a.ics")));
    let why = failure(read(&outbound, None).await);
    assert!(why.contains("longer than 8388608 bytes"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let server = Server::start(vec![Reply::Silence]).await;
    let outbound = outbound(&format!("url: '{}'", server.url("/a.ics")));
    let began = tokio::time::Instant::now();
    let why = failure(read(&outbound, None).await);
    assert!(why.contains("no answer within 30 s"), "{why}");
    assert!(began.elapsed() <= Duration::from_secs(31));
}

#[tokio::test]
async fn an_address_that_somebody_set_leads_to_no_private_network() {
    let server = Server::start(vec![Reply::ok(BODY)]).await;
    let outbound = outbound("pushed: true");
    for url in [server.url("/a.ics"), "webcal://169.254.169.254/latest".to_owned()] {
        let calendar = calendar(ImportLocation::Url(url));
        let read = outbound.read_calendar(&calendar, None, NOW.parse().unwrap()).await;
        let why = failure(read);
        assert!(why.contains("is not connected to"), "{why}");
    }
    // And the file's address must not be led there by somebody else.
    let metadata = "location: http://169.254.169.254/latest\r\n";
    let elsewhere = Server::start(vec![Reply::status(302, metadata, "")]).await;
    let outbound = self::outbound(&format!("url: '{}'", elsewhere.url("/a.ics")));
    let why = failure(read(&outbound, None).await);
    assert!(why.contains("is not connected to"), "{why}");
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn a_redirect_is_followed_and_credentials_stay_with_their_host() {
    let moved = Server::start(vec![Reply::ok(BODY)]).await;
    let location = format!("location: http://localhost:{}/moved.ics\r\n", moved.port);
    let server = Server::start(vec![Reply::status(302, &location, "")]).await;
    let http = "http_config: {basic_auth: {username: ada, password: hunter2}}";
    let url = server.url("/a.ics");
    let outbound = outbound(&format!("url: '{url}', {http}"));
    let why = failure(read(&outbound, None).await);
    assert!(why.contains("is not connected to"), "another host of this machine is strange: {why}");
    let replies = vec![Reply::status(301, "location: /b.ics\r\n", ""), Reply::ok(BODY)];
    let server = Server::start(replies).await;
    let outbound = self::outbound(&format!("url: '{}', {http}", server.url("/a.ics")));
    assert_eq!(read(&outbound, None).await.outcome, fetched());
    let seen = server.seen();
    assert_eq!(seen[1].target(), "GET /b.ics");
    assert!(seen.iter().all(|seen| seen.header("authorization").is_some()), "{seen:?}");
}

#[tokio::test]
async fn files_are_read_with_the_address_or_the_calendar_in_them() {
    let directory = tempfile::tempdir().unwrap();
    let plan = directory.path().join("plan.ics");
    std::fs::write(&plan, BODY).unwrap();
    let outbound = outbound(&format!("file: '{}'", plan.display()));
    assert_eq!(read(&outbound, None).await.outcome, fetched());
    std::fs::write(&plan, "nothing").unwrap();
    let why = failure(read(&outbound, None).await);
    assert!(why.contains("plan.ics: this is no calendar: it begins with `nothing`"), "{why}");
    std::fs::remove_file(&plan).unwrap();
    assert!(failure(read(&outbound, None).await).contains("plan.ics"));

    let server = Server::start(vec![Reply::ok(BODY)]).await;
    let address = directory.path().join("address");
    std::fs::write(&address, server.url(&format!("/{CANARY}.ics\n"))).unwrap();
    let outbound = self::outbound(&format!("url_file: '{}'", address.display()));
    assert_eq!(read(&outbound, None).await.outcome, fetched());
    assert_eq!(server.only().target(), format!("GET /{CANARY}.ics"));
}
