//! Slack, played by a server as strict as the real one.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::api::firing;
use crate::support::tocsin::Tocsin;
use crate::support::until;

/// Every request: what was wrong with it, or its body.
type Seen = Arc<Mutex<Vec<Result<Value, String>>>>;

/// What Slack documents about a message with attachments.
fn complaint(headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(format!("invalid_content_type: {kind:?}"));
    }
    let message: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let attachments = message["attachments"].as_array().ok_or("no_text: no attachments")?;
    for attachment in attachments {
        for (key, value) in attachment.as_object().ok_or("invalid_attachments")? {
            let fits = match key.as_str() {
                "color" | "fallback" | "pretext" | "title" | "title_link" | "text" | "footer"
                | "callback_id" | "author_name" | "author_link" | "image_url" | "thumb_url" => {
                    value.is_string()
                }
                "fields" | "actions" | "mrkdwn_in" => value.is_array(),
                "ts" => value.is_number(),
                _ => false,
            };
            if !fits {
                return Err(format!("invalid_attachments: {key}: {value}"));
            }
        }
        if attachment["fallback"].as_str().is_none_or(str::is_empty) {
            return Err("no fallback for notifications".to_owned());
        }
    }
    Ok(message)
}

async fn slack(seen: Seen) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let take = async |State(seen): State<Seen>, headers: HeaderMap, body: Bytes| {
        let result = complaint(&headers, &body);
        let answer = match &result {
            Ok(_) => (StatusCode::OK, "ok".to_owned()),
            Err(why) => (StatusCode::BAD_REQUEST, why.clone()),
        };
        seen.lock().unwrap().push(result);
        answer
    };
    let router = Router::new().route("/services/T0/B0/secret", post(take)).with_state(seen);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/services/T0/B0/secret")
}

#[tokio::test]
async fn slack_takes_the_message_and_its_address_stays_secret() {
    let seen = Seen::default();
    let url = slack(Arc::clone(&seen)).await;
    let tocsin = Tocsin::start(&format!(
        "global: {{ slack_api_url: '{url}' }}\n\
         route: {{ receiver: chat, group_by: [alertname], group_wait: 0s }}\n\
         receivers:\n- name: chat\n  slack_configs:\n  - channel: '#ops'\n"
    ))
    .await;
    tocsin.tell(&[firing(&[("alertname", "SlowCheckout"), ("severity", "critical")])]).await;
    let message = until("a message in Slack", async || seen.lock().unwrap().first().cloned()).await;
    let message = message.expect("a message that Slack takes");
    assert_eq!(message["channel"], "#ops");
    let title = message["attachments"][0]["title"].as_str().unwrap();
    assert!(title.starts_with("[FIRING:1] SlowCheckout"), "{title}");
    let status = tocsin.get("/api/v2/status").await.body;
    assert!(!status.contains("secret/") && !status.contains("/T0/"), "{status}");
    assert!(!tocsin.log().contains("/T0/B0/"), "{}", tocsin.log());
}
