//! Pages as the engine would decide them, and channels that lead to a server of the test.

#![allow(dead_code, reason = "every test file uses its own part")]

use jiff::Timestamp;
use tocsin_config::{ChannelsConfig, OutboundRules, Place, Secret, Url};
use tocsin_connect::links::LinkSigner;
use tocsin_connect::{Context, Guard, Outbound};
use tocsin_core::identity::Handle;
use tocsin_core::ids::{OutboxNumber, RunNumber};
use tocsin_core::incident::IncidentNumber;
use tocsin_core::labels::Labels;
use tocsin_core::paging::{
    Channel, Content, MethodId, Page, PageAlert, PageItem, Recipient, StateWord, Urgency,
};
use tocsin_core::severity::Severity;

use crate::support::{CANARY, Server};

pub(crate) const EXTERNAL_URL: &str = "https://tocsin.example.org";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn item(run: u64, title: &str, severity: Severity) -> PageItem {
    PageItem {
        run: RunNumber(run),
        code: u32::try_from(run).unwrap(),
        severity,
        title: title.to_owned(),
        service: "checkout".to_owned(),
        group_labels: Labels::from([("alertname", "HighErrorRate"), ("service", "checkout")]),
        policy: "checkout-primary".into(),
        step: (2, 3),
        level: "L2".into(),
        why: "you are on call for checkout-secondary until Mon 09:00".to_owned(),
        started_at: at("2026-11-28T02:07:00Z"),
        state: StateWord::Open,
        by: String::new(),
        firing: 2,
        resolved: 1,
        alerts: vec![
            PageAlert {
                labels: Labels::from([
                    ("alertname", "HighErrorRate"),
                    ("service", "checkout"),
                    ("instance", "eu-1"),
                    ("severity", "critical"),
                ]),
                annotations: Labels::from([
                    ("summary", "7 % of <orders> fail & customers notice"),
                    ("runbook_url", "https://runbooks.example.org/checkout?a=1&b=2"),
                ]),
                generator_url: "http://prom.example/graph?a=1&b=2".into(),
                starts_at: at("2026-11-28T02:05:00Z"),
                is_resolved: false,
            },
            PageAlert {
                labels: Labels::from([("alertname", "HighErrorRate"), ("instance", "us_1")]),
                annotations: Labels::default(),
                generator_url: "".into(),
                starts_at: at("2026-11-28T02:05:00Z"),
                is_resolved: true,
            },
        ],
    }
}

pub(crate) fn page(channel: Channel, address: &str, content: Content) -> Page {
    Page {
        number: OutboxNumber(42),
        recipient: Recipient::Person {
            person: Handle::parse("ada").unwrap(),
            method: MethodId::parse("main").unwrap(),
        },
        channel,
        address: address.to_owned(),
        locale: "en-GB".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        urgency: Urgency::High,
        content,
        decided_at: at("2026-11-28T03:12:00.5Z"),
        attempts: 0,
        due_at: at("2026-11-28T03:12:01Z"),
        deadline: at("2026-11-28T04:12:00Z"),
        receipt: None,
    }
}

/// Every kind of page, with the name of its story.
pub(crate) fn stories() -> Vec<(&'static str, Content)> {
    let one = || item(7, "HighErrorRate on checkout", Severity::Sev1);
    let update = |state, by: &str| {
        let item = PageItem { state, by: by.to_owned(), ..one() };
        Content::Update { item: Box::new(item) }
    };
    let second = PageItem {
        service: "search".to_owned(),
        resolved: 0,
        alerts: Vec::new(),
        ..item(9, "Slow answers: p99 ≥ 2 s", Severity::Sev3)
    };
    vec![
        ("one", Content::Page { items: vec![one()] }),
        ("several", Content::Page { items: vec![one(), second] }),
        ("acknowledged", update(StateWord::Acknowledged, "grace")),
        ("resolved", update(StateWord::Resolved, "")),
        ("verification", Content::Verification { code: "123456".to_owned() }),
        ("test", Content::Test),
        (
            "handoff",
            Content::Handoff {
                schedule: "checkout".into(),
                text: "You are on call for checkout until Mon 09:00; grace was before you"
                    .to_owned(),
                open: vec!["#7 SEV1 HighErrorRate on checkout, acknowledged by grace".to_owned()],
            },
        ),
        (
            "notice",
            Content::Notice {
                incident: IncidentNumber(142),
                title: "[SEV1] Customers cannot pay".to_owned(),
                lines: vec![
                    "You are incident commander now: grace handed it over to you.".to_owned(),
                    "The provider *says* <they> are on it".to_owned(),
                ],
            },
        ),
    ]
}

/// Channels that all lead to this server.
pub(crate) fn channels(server: &Server) -> ChannelsConfig {
    let url = |path: &str| Some(Url::parse(&server.url(path)).unwrap());
    let secret = |text: &str| Some(Secret::new(format!("{text}{CANARY}")));
    let mut all = ChannelsConfig::default();
    all.twilio.account_sid = Some("AC123".to_owned());
    all.twilio.auth_token = secret("");
    all.twilio.from_number = Some(tocsin_config::PhoneNumber::parse("+15005550006").unwrap());
    all.twilio.api_url = url("/");
    all.slack.bot_token = secret("xoxb-");
    all.slack.signing_secret = secret("");
    all.slack.api_url = url("/slack/api");
    all.telegram.bot_token = secret("1:");
    all.telegram.webhook_secret = secret("");
    all.telegram.api_url = url("/");
    all.mattermost.url = url("/");
    all.mattermost.token = secret("");
    all.ntfy.url = url("/");
    all.ntfy.token = secret("tk_");
    all.webhook.signing_secret = secret("");
    all.pagerduty.url = url("/v2/enqueue");
    all.opsgenie.api_key = secret("");
    all.opsgenie.api_url = url("/");
    all
}

/// The context of the tests: links are always the same, and this machine may be reached.
pub(crate) fn context() -> Context {
    let rules = OutboundRules {
        may_be_private: true,
        allow: vec![Place::Network("127.0.0.0/8".parse().unwrap())],
        deny: Vec::new(),
    };
    Context::new(EXTERNAL_URL, "0.1.0")
        .with_links(LinkSigner::new(vec![[7; 32]]))
        .with_guard(Guard::of_file(&rules))
}

pub(crate) fn outbound_of(channels: &ChannelsConfig) -> Outbound {
    Outbound::of_parts([], channels, &context()).unwrap()
}
