//! The live feed over a real connection.

use serde_json::Value;

use crate::process::QUIET;
use crate::support::api::{firing, resolved};
use crate::support::tocsin::Tocsin;
use crate::support::within;

const SLOW: [(&str, &str); 2] = [("alertname", "SlowCheckout"), ("service", "checkout")];

/// A follower of the feed.
pub(crate) struct Follower {
    response: reqwest::Response,
    text: String,
}

/// One message of the feed.
#[derive(Debug)]
pub(crate) struct Message {
    id: String,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Follower {
    async fn start(tocsin: &Tocsin, after: Option<&str>) -> Self {
        Self::at(tocsin, "", after).await
    }

    /// Follows the feed under this path.
    pub(crate) async fn at(tocsin: &Tocsin, path: &str, after: Option<&str>) -> Self {
        let mut request = tocsin.client().get(tocsin.url(&format!("{path}/api/v1/stream")));
        if let Some(id) = after {
            request = request.header("Last-Event-ID", id);
        }
        let response = within("the feed begins", request.send()).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut follower = Self { response, text: String::new() };
        follower.until("hello").await;
        follower
    }

    /// Returns the next message of this kind.
    pub(crate) async fn until(&mut self, event: &str) -> Message {
        let reading = async {
            loop {
                let message = self.next().await;
                if message.event == event {
                    return message;
                }
            }
        };
        within(&format!("the feed tells {event}"), reading).await
    }

    /// Waits until the server ends the feed.
    pub(crate) async fn ends(&mut self) {
        while let Ok(Some(_)) = self.response.chunk().await {}
    }

    pub(crate) async fn next(&mut self) -> Message {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let mut lines = block.lines().filter_map(|line| line.split_once(": "));
                    lines.find(|(field, _)| *field == name).map(|(_, value)| value.to_owned())
                };
                // A block without an event only shows that the connection lives.
                if let (Some(event), Some(data)) = (field("event"), field("data")) {
                    let data = serde_json::from_str(&data).unwrap();
                    return Message { id: field("id").unwrap_or_default(), event, data };
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap().expect("the feed goes on");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[tokio::test]
async fn the_feed_tells_an_alert_and_after_a_crash_what_was_missed() {
    let mut tocsin = Tocsin::start(QUIET).await;
    let mut follower = Follower::start(&tocsin, None).await;
    tocsin.tell(&[firing(&SLOW)]).await;
    let fired = follower.until("alert_fired").await;
    assert_eq!(fired.data["sequence"].to_string(), fired.id);
    let name = fired.data["subject"]["name"].as_str().unwrap();
    assert!(name.contains("SlowCheckout") && name.contains("checkout"), "{fired:?}");

    tocsin.tell(&[resolved(&SLOW)]).await;
    follower.until("alert_resolved").await;
    tocsin.crash().await;
    // As a browser would: it tells the last event it has seen.
    let mut follower = Follower::start(&tocsin, Some(&fired.id)).await;
    let ended = follower.until("alert_resolved").await;
    assert_eq!(ended.data["subject"], fired.data["subject"]);
    follower.until("engine_started").await;
}

#[tokio::test]
async fn a_follower_does_not_keep_the_server_from_stopping() {
    let mut tocsin = Tocsin::start(QUIET).await;
    let _follower = Follower::start(&tocsin, None).await;
    let begun = std::time::Instant::now();
    assert_eq!(tocsin.stop().await.code(), Some(0));
    assert!(begun.elapsed().as_secs() < 3, "it took {:?}", begun.elapsed());
}
