//! What people answer to pages, from the request to the escalation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use support::{Answer, TestServer};
use tocsin_config::{ChannelsConfig, Secret};
use tocsin_connect::links::Link;
use tocsin_connect::paging::{Call, MATTERMOST_PURPOSE, Press};
use tocsin_core::command::{Command, PagingChange, Reply};
use tocsin_core::identity::Handle;
use tocsin_core::ids::RunNumber;
use tocsin_core::paging::{Action, Answerer, Channel, MethodId, StateWord};
use tocsin_core::severity::Severity;
use tocsin_engine::Clock as _;
use tocsin_server::Options;

const TWILIO_TOKEN: &str = "twilio-token";
const OLD_TOKEN: &str = "twilio-old-token";
const SLACK_SECRET: &str = "slack-secret";
const TELEGRAM_SECRET: &str = "telegram-secret";
const PHONE: &str = "+4915112345678";

/// A server where ada was paged, with everything set up that she can answer by.
struct Paged {
    server: TestServer,
    run: RunNumber,
}

impl Paged {
    async fn start() -> Self {
        let external_url = "https://tocsin.example.org".to_owned();
        let options = Options { external_url, ..Options::default() };
        let server = TestServer::start_with(options).await;
        let mut channels = ChannelsConfig::default();
        channels.twilio.auth_token = Some(Secret::new(TWILIO_TOKEN));
        channels.twilio.alternate_auth_token = Some(Secret::new(OLD_TOKEN));
        channels.slack.signing_secret = Some(Secret::new(SLACK_SECRET));
        channels.telegram.webhook_secret = Some(Secret::new(TELEGRAM_SECRET));
        server.next_load.lock().as_mut().unwrap().channels = Arc::new(channels);
        assert_eq!(server.post("/-/reload", "").await.status, 200);
        let ada = json!({
            "handle": "ada", "roles": ["responder"], "time_zone": "Europe/Berlin",
        });
        assert_eq!(server.post("/api/v1/people", ada.to_string()).await.status, 201);
        for (id, channel, address) in [
            ("phone", Channel::Sms, PHONE),
            ("slack", Channel::Slack, "U024BE7LH"),
            ("telegram", Channel::Telegram, "4711"),
            ("chat", Channel::Mattermost, "@ada"),
        ] {
            let (person, id) = (ada_handle(), MethodId::parse(id).unwrap());
            let address = address.to_owned();
            let set = PagingChange::SetMethod {
                person: person.clone(),
                id: id.clone(),
                channel,
                address,
            };
            server.change(set).await;
            if channel.needs_verification() {
                let code = "123456".to_owned();
                let begin = PagingChange::BeginVerification {
                    person: person.clone(),
                    id: id.clone(),
                    code: code.clone(),
                };
                server.change(begin).await;
                server.change(PagingChange::Verify { person, id, code }).await;
            }
        }
        let page = PagingChange::Page {
            policy: None,
            people: vec![ada_handle()],
            id: uuid::Uuid::from_u128(1),
            title: "Payments <fail>".to_owned(),
            service: "checkout".into(),
            severity: Severity::Sev1,
        };
        let Reply::Run(run) = server.change(page).await else { panic!("no run") };
        Self { server, run }
    }

    fn link(&self) -> String {
        self.link_for(Answerer::Person(ada_handle()), SignedDuration::from_hours(1))
    }

    fn link_for(&self, by: Answerer, life: SignedDuration) -> String {
        let now = self.server.clock.now();
        let link = Link {
            run: self.run,
            by,
            channel: Channel::Email,
            method: "phone".to_owned(),
            asked_at: now,
            expires_at: now.checked_add(life).unwrap(),
        };
        format!("/a/{}", self.server.app.links.sign(&link))
    }

    /// Returns how the escalation stands, and by whom.
    async fn state(&self) -> (StateWord, String) {
        let run = self.run;
        let recipient = tocsin_core::paging::Recipient::Place { name: "x".into() };
        let item = self.server.app.engine.read(move |tenant, _| tenant.item(run, &recipient)).await;
        let item = item.unwrap().unwrap();
        (item.state, item.by)
    }

    async fn form(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder()
            .method("POST")
            .uri(path)
            .header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.server.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn twilio(&self, token: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let mut sorted = pairs.to_vec();
        sorted.sort_unstable();
        let base = self.server.app.options.external_url.trim_end_matches('/');
        let mut said = format!("{base}{path}");
        sorted.iter().for_each(|(name, value)| said.push_str(&format!("{name}{value}")));
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
        let signature = STANDARD.encode(hmac::sign(&key, said.as_bytes()));
        self.form(path, &[("x-twilio-signature", &signature)], &body).await
    }

    async fn slack(
        &self,
        secret: &str,
        at: Timestamp,
        path: &str,
        pairs: &[(&str, &str)],
    ) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let stamp = at.as_second().to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mac = hmac::sign(&key, format!("v0:{stamp}:{body}").as_bytes());
        let hex: String = mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let signature = format!("v0={hex}");
        let headers = [("x-slack-request-timestamp", &*stamp), ("x-slack-signature", &*signature)];
        self.form(path, &headers, &body).await
    }

    async fn press_in_slack(&self, user: &str, value: &str) -> Answer {
        let payload = json!({
            "type": "block_actions", "user": { "id": user }, "response_url": "https://x.invalid/",
            "actions": [{ "action_id": "tocsin_0", "value": value }],
        });
        let pairs = [("payload", &*payload.to_string())];
        self.slack(SLACK_SECRET, self.server.clock.now(), "/answers/slack/action", &pairs).await
    }

    fn press(&self, action: Action) -> String {
        Press { run: self.run, action, asked_at: self.server.clock.now() }.value()
    }
}

impl TestServer {
    async fn change(&self, change: PagingChange) -> Reply {
        let reply = self.app.engine.command(Command::Paging(change)).await.unwrap();
        assert!(!matches!(reply, Reply::Rejected(_)), "{reply:?}");
        reply
    }
}

fn ada_handle() -> Handle {
    Handle::parse("ada").unwrap()
}

#[tokio::test]
async fn a_link_asks_first_and_answers_when_it_is_told_to() {
    let paged = Box::pin(Paged::start()).await;
    let link = paged.link();
    let page = paged.server.get(&format!("{link}?action=resolve")).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert!(page.body.contains("Payments &lt;fail&gt;") && !page.body.contains("<fail>"));
    let first = page.body.find("class=\"first\">Resolve").is_some();
    assert!(first, "what the link asks for stands first: {}", page.body);
    assert_eq!(paged.state().await.0, StateWord::Open, "opening it changes nothing");

    let answer = paged.form(&link, &[], "action=acknowledge&comment=on+it").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(paged.state().await, (StateWord::Acknowledged, "ada".to_owned()));
    let again = paged.form(&format!("{link}?action=acknowledge"), &[], "").await;
    assert!(again.status == 200 && again.body.contains("Nothing changed"), "{}", again.body);
    insta::assert_snapshot!("link_page", page.body.replace(&paged.until(), "UNTIL"));
}

impl Paged {
    /// The times on the page, which differ from run to run of nothing.
    fn until(&self) -> String {
        let until = self.server.clock.now().checked_add(SignedDuration::from_hours(1)).unwrap();
        let there = until.in_tz("Europe/Berlin").unwrap();
        there.strftime("%a %-d %b %Y, %H:%M %Z").to_string()
    }
}

#[tokio::test]
async fn a_link_that_is_over_or_not_ours_does_nothing_and_says_so() {
    let paged = Box::pin(Paged::start()).await;
    let short = paged.link_for(Answerer::Person(ada_handle()), SignedDuration::from_mins(1));
    paged.server.clock.advance(61);
    let late = paged.form(&short, &[], "action=acknowledge").await;
    assert!(late.status == 410 && late.body.contains("This link ended"), "{}", late.body);
    let forged = paged.form("/a/AAAA", &[], "action=acknowledge").await;
    assert!(forged.status == 404 && forged.body.contains("not valid"), "{}", forged.body);
    let odd = paged.form(&paged.link(), &[], "action=delete").await;
    assert_eq!(odd.status, 400);
    assert_eq!(paged.state().await.0, StateWord::Open);

    let link = paged.link();
    assert_eq!(paged.form(&link, &[], "action=resolve").await.status, 200);
    let over = paged.form(&link, &[], "action=acknowledge").await;
    assert!(over.status == 409 && over.body.contains("is over since"), "{}", over.body);
}

#[tokio::test]
async fn a_text_message_answers_and_a_strange_one_meets_silence() {
    let paged = Box::pin(Paged::start()).await;
    let sms = async |token: &str, from: &str, text: &str| {
        let pairs = [("From", from), ("To", "+15005550006"), ("Body", text), ("MessageSid", "SM1")];
        paged.twilio(token, "/answers/twilio/sms", &pairs).await
    };
    assert_eq!(sms("wrong", PHONE, "1a").await.status, 401);
    let stranger = sms(TWILIO_TOKEN, "+4930999", "1a").await;
    assert!(stranger.status == 200 && stranger.body.contains("<Response></Response>"));
    assert_eq!(paged.state().await.0, StateWord::Open);
    let help = sms(TWILIO_TOKEN, PHONE, "what?").await;
    assert!(help.body.contains("<Message>Answer with the number"), "{}", help.body);
    let taken = sms(OLD_TOKEN, PHONE, "'1 A' ").await;
    assert!(taken.body.contains("acknowledged: Payments &lt;fail&gt;"), "{}", taken.body);
    assert_eq!(taken.header("content-type"), "text/xml; charset=utf-8");
    assert_eq!(paged.state().await, (StateWord::Acknowledged, "ada".to_owned()));
    for _ in 0..4 {
        assert!(sms(TWILIO_TOKEN, PHONE, "hello").await.body.contains("<Message>"));
    }
    let enough = sms(TWILIO_TOKEN, PHONE, "hello").await;
    assert!(!enough.body.contains("<Message>"), "two programs stop talking: {}", enough.body);
    assert!(!sms(TWILIO_TOKEN, PHONE, "STOP").await.body.contains("<Message>"));
    let stopped = paged.server.app.engine.read(|tenant, _| tenant.contacts_of(&ada_handle()));
    let contacts = stopped.await.unwrap();
    assert!(contacts.method(&MethodId::parse("phone").unwrap()).unwrap().is_stopped);
}

#[tokio::test]
async fn a_call_says_what_it_is_about_and_takes_keys() {
    let paged = Box::pin(Paged::start()).await;
    let now = paged.server.clock.now();
    let call = Call {
        text: "This is Tocsin. Payments fail.".to_owned(),
        person: Some(ada_handle()),
        runs: vec![paged.run],
        asked_at: now,
        expires_at: now.checked_add(SignedDuration::from_mins(10)).unwrap(),
    };
    let token = call.seal(&paged.server.app.links);
    let key = async |menu: &str, digits: &str| {
        let path = format!("/answers/twilio/voice?call={token}&menu={menu}&round=0");
        let pairs = [("To", PHONE), ("CallSid", "CA1"), ("Digits", digits)];
        let answer = paged.twilio(TWILIO_TOKEN, &path, &pairs).await;
        assert_eq!(answer.status, 200);
        answer.body
    };
    let asked = key("", "").await;
    assert!(asked.contains("Payments fail. Press 4 to acknowledge"), "{asked}");
    assert!(asked.contains("<Gather action=\"http") && asked.contains("<Redirect"), "{asked}");
    assert!(key("", "9").await.contains("Sorry, I did not understand"));
    assert!(key("", "1").await.contains("Press 3 to get no more"));
    assert!(key("stop", "1").await.contains("Press 4 to acknowledge"));
    assert!(key("stop", "7").await.contains("Sorry"));
    assert_eq!(paged.state().await.0, StateWord::Open);
    let taken = key("", "4").await;
    assert!(taken.contains("acknowledged") && taken.contains("<Hangup/>"), "{taken}");
    assert_eq!(paged.state().await, (StateWord::Acknowledged, "ada".to_owned()));
    assert!(key("", "6").await.contains("resolved"));
    assert!(key("stop", "3").await.contains("no more messages"));
    paged.server.clock.advance(601);
    assert!(key("", "4").await.contains("long ago"));
    insta::assert_snapshot!("call", asked.replace(&token, "CALL"));
}

#[tokio::test]
async fn what_became_of_a_message_is_taken_from_twilio_only() {
    let paged = Box::pin(Paged::start()).await;
    let pairs = [("MessageSid", "SM1"), ("MessageStatus", "undelivered"), ("ErrorCode", "30005")];
    assert_eq!(paged.twilio("x", "/answers/twilio/status", &pairs).await.status, 401);
    assert_eq!(paged.twilio(TWILIO_TOKEN, "/answers/twilio/status", &pairs).await.status, 204);
    let odd = [("CallSid", "CA1"), ("CallStatus", "dreaming")];
    assert_eq!(paged.twilio(TWILIO_TOKEN, "/answers/twilio/status", &odd).await.status, 204);
}

#[tokio::test]
async fn buttons_in_slack_act_for_whom_slack_vouches() {
    let paged = Box::pin(Paged::start()).await;
    let now = paged.server.clock.now();
    let old = now.checked_sub(SignedDuration::from_secs(301)).unwrap();
    let path = "/answers/slack/command";
    let ask = [("user_id", "U024BE7LH"), ("text", "ack")];
    assert_eq!(paged.slack("wrong", now, path, &ask).await.status, 401);
    assert_eq!(paged.slack(SLACK_SECRET, old, path, &ask).await.status, 401);
    let value = paged.press(Action::Acknowledge);
    assert_eq!(paged.press_in_slack("U0STRANGER", &value).await.status, 200);
    assert_eq!(paged.state().await.0, StateWord::Open, "a stranger changes nothing");
    assert_eq!(paged.press_in_slack("U024BE7LH", &value).await.status, 200);
    assert_eq!(paged.state().await, (StateWord::Acknowledged, "ada".to_owned()));

    let help = paged.slack(SLACK_SECRET, now, path, &[("user_id", "U024BE7LH")]).await;
    assert!(help.json()["text"].as_str().unwrap().contains("/tocsin ack 3"));
    let stranger =
        paged.slack(SLACK_SECRET, now, path, &[("user_id", "U9"), ("text", "ack")]).await;
    let text = stranger.json()["text"].as_str().unwrap().to_owned();
    assert!(text.contains("does not know who you are") && text.contains("`U9`"), "{text}");
    let ask = [("user_id", "U024BE7LH"), ("text", "close 1")];
    let closed = paged.slack(SLACK_SECRET, now, path, &ask).await;
    assert_eq!(closed.json()["response_type"], "ephemeral");
    assert_eq!(paged.state().await.0, StateWord::Resolved);
}

#[tokio::test]
async fn incidents_are_declared_and_added_to_from_a_chat_by_whoever_may() {
    let paged = Box::pin(Paged::start()).await;
    let now = paged.server.clock.now();
    let say = async |user: &str, text: &str, trigger: &str| {
        let ask = [("user_id", user), ("text", text), ("trigger_id", trigger)];
        let answer = paged.slack(SLACK_SECRET, now, "/answers/slack/command", &ask).await;
        answer.json()["text"].as_str().unwrap().to_owned()
    };
    let declare = "declare sev2 service=shop Customers cannot pay";
    let told = say("U024BE7LH", declare, "1.2").await;
    assert!(told.ends_with("is open at sev2: Customers cannot pay"), "{told}");
    let reference = told.split(' ').next().unwrap().to_owned();
    assert_eq!(say("U024BE7LH", declare, "1.2").await, told, "the same twice");
    assert!(say("U024BE7LH", "declare sev2", "1.3").await.starts_with("Say what is wrong."));
    assert!(say("U9", declare, "1.4").await.contains("does not know who you are"));

    let added = say("U024BE7LH", &format!("comment {reference} It is the disk"), "1.5").await;
    assert_eq!(added, format!("It stands in the timeline of {reference}."));
    let missing = say("U024BE7LH", "comment 4711 What", "1.6").await;
    assert_eq!(missing, "there is no incident 4711");
    let path = format!("/api/v1/incidents/{reference}/timeline");
    let rows = paged.server.get(&path).await.json();
    let rows = rows["items"].as_array().unwrap();
    let row = rows.iter().find(|it| it["kind"] == "commented").unwrap();
    assert_eq!((&row["text"], &row["by"]), (&json!("It is the disk"), &json!("ada")));

    let listed = say("U024BE7LH", "incidents", "1.7").await;
    let line = format!("{reference} sev2 detected, nobody: Customers cannot pay");
    assert!(listed.lines().any(|it| it == line), "{listed}");

    // Whoever may only read adds nothing.
    let viewer = json!({ "handle": "ada", "roles": ["viewer"] });
    let request = Request::builder()
        .method("PUT")
        .uri("/api/v1/people/ada")
        .header("content-type", "application/json")
        .body(Body::from(viewer.to_string()));
    let changed = paged.server.send(request.unwrap()).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let denied = say("U024BE7LH", declare, "1.8").await;
    assert!(denied.contains("incident.create"), "{denied}");
    let denied = say("U024BE7LH", &format!("comment {reference} No"), "1.9").await;
    assert!(denied.contains("incident.comment"), "{denied}");
}

#[tokio::test]
async fn buttons_of_telegram_and_mattermost_act_too() {
    let paged = Box::pin(Paged::start()).await;
    let press = paged.press(Action::Acknowledge);
    let query = |id: i64| {
        json!({ "callback_query": { "id": "q1", "from": { "id": id }, "data": press } }).to_string()
    };
    let header = "x-telegram-bot-api-secret-token";
    let telegram = async |secret: &str, body: String| {
        paged.form("/answers/telegram", &[(header, secret)], &body).await
    };
    assert_eq!(telegram("wrong", query(4711)).await.status, 401);
    let stranger = telegram(TELEGRAM_SECRET, query(1)).await.json();
    assert!(stranger["text"].as_str().unwrap().contains("does not know you"), "{stranger}");
    let taken = telegram(TELEGRAM_SECRET, query(4711)).await.json();
    assert_eq!(taken["method"], "answerCallbackQuery");
    assert_eq!(paged.state().await.0, StateWord::Acknowledged);
    let chat = json!({ "id": 4711 });
    let message = json!({ "message": { "chat": chat, "from": chat, "text": "/close" } });
    let said = telegram(TELEGRAM_SECRET, message.to_string()).await.json();
    assert_eq!(
        (&said["method"], paged.state().await.0),
        (&json!("sendMessage"), StateWord::Resolved)
    );

    let paged = Box::pin(Paged::start()).await;
    let press = paged.press(Action::Acknowledge);
    let token = paged.server.app.links.seal(MATTERMOST_PURPOSE, press.as_bytes());
    let body =
        |token: &str| json!({ "user_name": "ada", "context": { "press": token } }).to_string();
    assert_eq!(paged.form("/answers/mattermost", &[], &body(&press)).await.status, 401);
    let taken = paged.form("/answers/mattermost", &[], &body(&token)).await.json();
    assert!(taken["ephemeral_text"].as_str().unwrap().contains("acknowledged"), "{taken}");
    assert_eq!(paged.state().await.0, StateWord::Acknowledged);
}
