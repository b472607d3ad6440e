//! What is the same for every service that speaks HTTP, and what can go wrong with it: one row of
//! the table for each kind of receiver.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::time::Duration;

use support::{
    Reply, Server, address, delivered_with_notes, entry, failed, outbound, secret, text,
};
use tocsin_config::{
    BasicAuth, DiscordConfig, HttpConfig, IncidentioConfig, JiraConfig, MattermostConfig,
    MsteamsConfig, Msteamsv2Config, OpsgenieConfig, PagerdutyConfig, PushoverConfig,
    RocketchatConfig, SecretUrl, Settings, Sigv4, SlackConfig, SnsConfig, TelegramConfig, Template,
    VictoropsConfig, WebexConfig, WebhookConfig, WechatConfig,
};
use tocsin_connect::DEFAULT_TIMEOUT;
use tocsin_core::notification::{AttemptOutcome, FailureClass};

/// One kind of receiver that tells the server.
struct Row {
    kind: &'static str,
    settings: fn(&Server) -> Settings,
    /// Whether 429 is worth another try by the vendor's own rules.
    retries_429: bool,
}

/// A secret address of the server.
fn hook(server: &Server) -> Option<SecretUrl> {
    Some(SecretUrl::parse(&server.url(&format!("/hook/{}", support::CANARY))).unwrap())
}

/// Every kind of receiver that speaks HTTP.
const ROWS: [Row; 17] = [
    Row {
        kind: "webhook",
        settings: |server| {
            Settings::Webhook(WebhookConfig { url: hook(server), ..WebhookConfig::default() })
        },
        retries_429: false,
    },
    Row {
        kind: "slack",
        settings: |server| {
            Settings::Slack(SlackConfig { api_url: hook(server), ..SlackConfig::default() })
        },
        retries_429: false,
    },
    Row {
        kind: "pagerduty",
        settings: |server| {
            Settings::Pagerduty(PagerdutyConfig {
                routing_key: secret("key-"),
                url: address(server, "/v2/enqueue"),
                ..PagerdutyConfig::default()
            })
        },
        retries_429: true,
    },
    Row {
        kind: "opsgenie",
        settings: |server| {
            Settings::Opsgenie(OpsgenieConfig {
                api_key: secret("key-"),
                api_url: address(server, "/"),
                ..OpsgenieConfig::default()
            })
        },
        retries_429: true,
    },
    Row {
        kind: "victorops",
        settings: |server| {
            Settings::Victorops(VictoropsConfig {
                api_key: secret("key-"),
                api_url: address(server, "/alert/"),
                routing_key: Template::new("db"),
                ..VictoropsConfig::default()
            })
        },
        retries_429: false,
    },
    Row {
        kind: "pushover",
        settings: |server| {
            Settings::Pushover(PushoverConfig {
                token: secret("app-"),
                user_key: secret("user-"),
                api_url: address(server, "/1/messages.json"),
                ..PushoverConfig::default()
            })
        },
        retries_429: false,
    },
    Row {
        kind: "sns",
        settings: |server| {
            Settings::Sns(SnsConfig {
                api_url: text(&server.url("/")),
                sigv4: Sigv4 {
                    access_key: "AKIDEXAMPLE".to_owned(),
                    secret_key: secret("aws-"),
                    ..Sigv4::default()
                },
                topic_arn: text("arn:aws:sns:eu-central-1:1:alerts"),
                ..SnsConfig::default()
            })
        },
        retries_429: true,
    },
    Row {
        kind: "incidentio",
        settings: |server| {
            Settings::Incidentio(IncidentioConfig {
                url: address(server, "/v2/alert_events"),
                alert_source_token: secret("token-"),
                ..IncidentioConfig::default()
            })
        },
        retries_429: true,
    },
    Row {
        kind: "jira",
        settings: |server| {
            let basic_auth = BasicAuth {
                username: "tocsin".to_owned(),
                password: secret("pw-"),
                ..BasicAuth::default()
            };
            let http = HttpConfig { basic_auth: Some(basic_auth), ..HttpConfig::default() };
            Settings::Jira(JiraConfig {
                http_config: Some(http),
                api_url: address(server, "/rest/api/2"),
                project: Template::new("OPS"),
                issue_type: Template::new("Incident"),
                ..JiraConfig::default()
            })
        },
        retries_429: true,
    },
    Row {
        kind: "telegram",
        settings: |server| {
            Settings::Telegram(TelegramConfig {
                api_url: address(server, "/"),
                bot_token: secret("1:"),
                chat_id: Some(-100),
                ..TelegramConfig::default()
            })
        },
        retries_429: false,
    },
    Row {
        kind: "discord",
        settings: |server| {
            let webhook_url = hook(server);
            Settings::Discord(DiscordConfig { webhook_url, ..DiscordConfig::default() })
        },
        retries_429: false,
    },
    Row {
        kind: "webex",
        settings: |server| {
            Settings::Webex(WebexConfig {
                api_url: address(server, "/v1/messages"),
                room_id: Template::new("room"),
                ..WebexConfig::default()
            })
        },
        retries_429: false,
    },
    Row {
        kind: "msteams",
        settings: |server| {
            let webhook_url = hook(server);
            Settings::Msteams(MsteamsConfig { webhook_url, ..MsteamsConfig::default() })
        },
        retries_429: false,
    },
    Row {
        kind: "msteamsv2",
        settings: |server| {
            let webhook_url = hook(server);
            Settings::Msteamsv2(Msteamsv2Config { webhook_url, ..Msteamsv2Config::default() })
        },
        retries_429: false,
    },
    Row {
        kind: "rocketchat",
        settings: |server| {
            Settings::Rocketchat(RocketchatConfig {
                api_url: address(server, "/"),
                token: secret("token-"),
                token_id: secret("id-"),
                channel: text("#ops"),
                ..RocketchatConfig::default()
            })
        },
        retries_429: false,
    },
    Row {
        kind: "mattermost",
        settings: |server| {
            let webhook_url = hook(server);
            Settings::Mattermost(MattermostConfig { webhook_url, ..MattermostConfig::default() })
        },
        retries_429: false,
    },
    Row {
        kind: "wechat",
        settings: |server| {
            Settings::Wechat(WechatConfig {
                api_url: address(server, "/cgi-bin/"),
                api_secret: secret("troubled-"),
                corp_id: Some("corp".to_owned()),
                to_user: text("ada"),
                ..WechatConfig::default()
            })
        },
        retries_429: false,
    },
];

async fn attempt(row: &Row, server: &Server) -> AttemptOutcome {
    let outbound = outbound(row.kind, (row.settings)(server));
    outbound.attempt(&entry(row.kind), support::KEY).await
}

/// What each of the services says when it takes a message, in one.
const TAKEN: &str = r#"{"ok":true,"success":true,"status":1,"errcode":0,"access_token":"at-1234",
    "expires_in":7200,"issues":[],"result":{}}"#;

#[tokio::test]
async fn a_receiver_that_says_no_more_than_it_must_tells_what_is_wrong() {
    for row in ROWS {
        let server = Server::start(vec![Reply::ok(TAKEN)]).await;
        let notes = delivered_with_notes(attempt(&row, &server).await);
        assert_eq!(notes, [""; 0], "{}", row.kind);
        let told = server.seen().pop().unwrap();
        assert!(told.body.contains("PgDown"), "{}: {told:?}", row.kind);
    }
}

#[tokio::test]
async fn trouble_of_their_own_is_worth_another_try_and_their_echo_shows_no_secret() {
    for row in ROWS {
        for status in [500, 502, 503, 504] {
            let server = Server::start(vec![Reply::Echo(status)]).await;
            let failure = failed(attempt(&row, &server).await, FailureClass::ServerError);
            assert!(failure.message.contains(&status.to_string()), "{}: {failure:?}", row.kind);
        }
    }
}

#[tokio::test]
async fn who_is_too_fast_hears_how_long_to_wait() {
    for row in ROWS {
        let reply = Reply::status(429, "retry-after: 17\r\n", "");
        let server = Server::start(vec![reply]).await;
        let (is_retried, failure) = match attempt(&row, &server).await {
            AttemptOutcome::Failed(failure) => (true, failure),
            AttemptOutcome::Refused(failure) => (false, failure),
            AttemptOutcome::Delivered { .. } => panic!("{}: 429 is not a success", row.kind),
        };
        assert_eq!(failure.class, FailureClass::RateLimited, "{}", row.kind);
        assert_eq!(failure.retry_after_ms, Some(17_000), "{}", row.kind);
        assert_eq!(is_retried, row.retries_429, "{}", row.kind);
    }
}

#[tokio::test]
async fn who_hangs_up_is_tried_again() {
    for row in ROWS {
        let server = Server::start(vec![Reply::Raw(b"HTTP/1.1 20".to_vec())]).await;
        let failure = failed(attempt(&row, &server).await, FailureClass::Other);
        assert!(failure.message.starts_with(row.kind), "{failure:?}");
        let half = b"HTTP/1.1 500 X\r\ncontent-length: 100\r\n\r\nhalf".to_vec();
        let server = Server::start(vec![Reply::Raw(half)]).await;
        failed(attempt(&row, &server).await, FailureClass::ServerError);
    }
}

#[tokio::test]
async fn who_never_answers_costs_one_time_limit() {
    for row in ROWS {
        let server = Server::start(vec![Reply::Silence]).await;
        let outbound = outbound(row.kind, (row.settings)(&server));
        let entry = entry(row.kind);
        let attempt = async {
            // The request has to be on its way before time is made to pass.
            let under_way = outbound.attempt(&entry, support::KEY);
            let watch = async {
                while server.seen().is_empty() {
                    tokio::task::yield_now().await;
                }
                tokio::time::pause();
                tokio::time::advance(DEFAULT_TIMEOUT + Duration::from_secs(1)).await;
                tokio::time::resume();
            };
            tokio::join!(under_way, watch).0
        };
        let failure = failed(attempt.await, FailureClass::ContextDeadlineExceeded);
        assert!(failure.message.contains("no answer within 30 s"), "{}: {failure:?}", row.kind);
    }
}
