//! Integrations that post to a hook.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use axum::http::Request;
use serde_json::{Value, json};
use support::TestServer;

/// Reads a problem.
fn problem(answer: &support::Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

async fn firing(server: &TestServer) -> Vec<Value> {
    let page = server.get("/api/v1/alerts").await.json();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn grafana_tells_alerts_and_their_end() {
    let server = TestServer::start().await;
    let told = |status: &str| {
        json!({
            "receiver": "tocsin", "status": status, "orgId": 1, "version": "1",
            "alerts": [{
                "status": status, "labels": { "alertname": "Slow", "grafana_folder": "web" },
                "annotations": { "summary": "p99 is 2 s" }, "values": { "B": 2 },
                "startsAt": "2026-11-20T11:59:00Z", "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://grafana.example/alerting/1",
                "dashboardURL": "http://grafana.example/d/1"
            }]
        })
    };
    let answer = server.post("/api/v1/hooks/grafana", told("firing").to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!((&answer.json()["firing"], &answer.json()["resolved"]), (&json!(1), &json!(0)));
    let alert = firing(&server).await.remove(0);
    assert_eq!(alert["labels"]["integration"], "grafana");
    assert_eq!(alert["annotations"]["dashboard_url"], "http://grafana.example/d/1");
    assert_eq!(alert["is_timeout"], false);
    server.post("/api/v1/hooks/grafana", told("resolved").to_string()).await;
    assert!(firing(&server).await.is_empty());
}

#[tokio::test]
async fn a_body_of_anybodys_is_read_by_what_its_fields_are_called() {
    let server = TestServer::start().await;
    let body = json!({ "title": "backup failed", "priority": "High", "id": 7, "details": "disk" });
    let answer = server.post("/api/v1/hooks/generic", body.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let alert = firing(&server).await.remove(0);
    assert_eq!(
        alert["labels"],
        json!({
            "alertname": "backup failed", "dedup_key": "7", "integration": "generic",
            "severity": "high"
        })
    );
    assert_eq!(alert["annotations"]["description"], "disk");
    assert_eq!(alert["starts_at"], support::NOON, "it begins when it arrives, not when it ends");
    // The end needs the key alone, and a form will do.
    let form = Request::post("/api/v1/hooks/generic")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("title=whatever&id=7&status=ok".into())
        .unwrap();
    assert_eq!(server.send(form).await.json()["resolved"], 1);
    assert!(firing(&server).await.is_empty());
}

#[tokio::test]
async fn mails_about_the_same_thing_are_one_alert() {
    let server = TestServer::start().await;
    for (subject, left) in [
        ("PROBLEM: Disk full on db-1 (93%)", 1),
        ("PROBLEM: Disk full on db-1 (95%)", 1),
        ("RECOVERY: Disk full on db-1", 0),
    ] {
        let mail = json!({ "subject": subject, "sender": "checks@example.org", "text": "…" });
        let answer = server.post("/api/v1/hooks/email", mail.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(firing(&server).await.len(), left, "{subject}");
    }
}

#[tokio::test]
async fn a_mapping_is_tried_before_it_counts() {
    let server = TestServer::start().await;
    let request = json!({
        "type": "generic",
        "mapping": {
            "items": "body.checks", "name": "item.check", "status": "item.bad",
            "labels": "{'host': item.host}", "dedup_key": "item.host + '/' + item.check"
        },
        "body": { "checks": [
            { "check": "disk", "host": "a", "bad": true }, { "check": "cpu", "bad": false }
        ] }
    });
    let answer = server.post("/api/v1/hooks/preview", request.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let preview = answer.json();
    assert_eq!(preview["alerts"][0]["labels"], json!({ "alertname": "disk", "host": "a" }));
    assert_eq!(preview["alerts"][0]["dedup_key"], "a/disk");
    assert_eq!(preview["alerts"].as_array().unwrap().len(), 2, "{preview:#}");
    assert!(firing(&server).await.is_empty(), "nothing is stored");

    let wrong = json!({ "type": "generic", "mapping": { "name": "body." }, "body": {} });
    let answer = server.post("/api/v1/hooks/preview", wrong.to_string()).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    assert_eq!(problem(&answer)["errors"][0]["pointer"], "/mapping/name");
}

#[tokio::test]
async fn what_cannot_be_taken_is_told() {
    let server = TestServer::start().await;
    let unknown = server.post("/api/v1/hooks/nobodys-key-12345", "{}").await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
    let nothing = server.post("/api/v1/hooks/generic", "{}").await;
    assert_eq!(nothing.status, 422, "{nothing:?}");
    assert_eq!(problem(&nothing)["errors"][0]["pointer"], "/name");
    let unreadable = server.post("/api/v1/hooks/grafana", "{").await;
    assert_eq!(unreadable.status, 400, "{unreadable:?}");
    let malformed = server.post("/api/v1/hooks/preview", "{").await;
    assert_eq!(
        (malformed.status, problem(&malformed)["code"].as_str()),
        (400, Some("invalid_body"))
    );
    let topic = server.post("/api/v1/hooks/sns", "{}").await;
    assert_eq!(topic.status, 404, "a topic has to be named: {topic:?}");
    assert!(problem(&topic)["detail"].as_str().unwrap().contains("`topics`"), "{topic:?}");
    let elsewhere = server.post("/api/v1/hooks/pagerduty", "{}").await;
    assert!(problem(&elsewhere)["detail"].as_str().unwrap().contains("/v2/enqueue"));
}

/// A topic that signs what it publishes, and serves its certificate.
struct Topic {
    key: aws_lc_rs::rsa::KeyPair,
    address: String,
    confirmed: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Topic {
    async fn start() -> Self {
        use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
        let key = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let der: &[u8] = der.as_ref();
        let signer = rcgen::KeyPair::try_from(der).unwrap();
        let params = rcgen::CertificateParams::new(vec!["sns.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&signer).unwrap().pem();
        let confirmed = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&confirmed);
        let routes = axum::Router::new()
            .route("/cert.pem", axum::routing::get(move || async move { certificate }))
            .route(
                "/confirm",
                axum::routing::get(move || async move {
                    count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                }),
            );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { key, address, confirmed }
    }

    /// Returns a message as it is posted.
    fn publish(&self, kind: &str, text: &str) -> String {
        let timestamp = "2026-11-20T12:00:00.000Z";
        let subscribe = format!("http://{}/confirm", self.address);
        let signed = if kind == "Notification" {
            format!(
                "Message\n{text}\nMessageId\n1\nSubject\nALARM\nTimestamp\n{timestamp}\n\
                 TopicArn\narn:t\nType\n{kind}\n"
            )
        } else {
            format!(
                "Message\n{text}\nMessageId\n1\nSubscribeURL\n{subscribe}\nTimestamp\n{timestamp}\n\
                 Token\ntoken\nTopicArn\narn:t\nType\n{kind}\n"
            )
        };
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        let padding = &aws_lc_rs::signature::RSA_PKCS1_SHA256;
        self.key.sign(padding, &random, signed.as_bytes(), &mut signature).unwrap();
        use base64::Engine as _;
        json!({
            "Type": kind, "MessageId": "1", "Token": "token", "TopicArn": "arn:t",
            "Subject": "ALARM", "Message": text, "Timestamp": timestamp, "SignatureVersion": "2",
            "Signature": base64::prelude::BASE64_STANDARD.encode(signature),
            "SigningCertURL": format!("http://{}/cert.pem", self.address), "SubscribeURL": subscribe
        })
        .to_string()
    }
}

#[tokio::test]
async fn a_topic_is_confirmed_and_its_alarms_are_taken_only_when_signed() {
    let topic = Topic::start().await;
    let server = TestServer::start().await;
    let config = "route: { receiver: a }\nreceivers: [{ name: a }]\nintegrations:\n\
                  - { name: cloud, type: sns, key: key-of-the-topic-123, topics: ['arn:t'], allowed_hosts: [127.0.0.1] }\n";
    configure(&server, config).await;
    let path = "/api/v1/hooks/key-of-the-topic-123";

    let hello = topic.publish("SubscriptionConfirmation", "please confirm");
    assert_eq!(server.post(path, hello).await.status, 200);
    assert_eq!(topic.confirmed.load(std::sync::atomic::Ordering::SeqCst), 1);

    let alarm = |state: &str| {
        json!({
            "AlarmName": "cpu", "AlarmDescription": "d", "AWSAccountId": "1", "Region": "Ireland",
            "AlarmArn": "arn:alarm:cpu", "NewStateValue": state, "NewStateReason": "threshold",
            "StateChangeTime": "2026-11-20T11:59:00.000Z"
        })
        .to_string()
    };
    let firing_alarm = topic.publish("Notification", &alarm("ALARM"));
    let answer = server.post(path, firing_alarm.clone()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let alert = firing(&server).await.remove(0);
    assert_eq!(alert["labels"]["alertname"], "cpu");
    assert_eq!(
        (&alert["labels"]["region"], &alert["labels"]["integration"]),
        (&json!("Ireland"), &json!("cloud"))
    );
    let forged = firing_alarm.replace("Ireland", "Elsewhere");
    let answer = server.post(path, forged).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(problem(&answer)["detail"].as_str().unwrap().contains("signature"), "{answer:?}");
    let blind = topic.publish("Notification", &alarm("INSUFFICIENT_DATA"));
    assert_eq!(server.post(path, blind).await.json()["firing"], 1, "who cannot see is not well");
    server.post(path, topic.publish("Notification", &alarm("OK"))).await;
    assert!(firing(&server).await.is_empty());
    server.clock.advance(2 * 3600);
    let late = server.post(path, firing_alarm).await;
    assert_eq!(late.status, 422, "{late:?}");
    assert!(firing(&server).await.is_empty());
}

#[tokio::test]
async fn an_alert_that_fires_and_ends_in_one_body_is_over() {
    let server = TestServer::start().await;
    let config = "route: { receiver: a }\nreceivers: [{ name: a }]\nintegrations:\n\
                  - { name: checks, type: generic, key: key-of-the-checks-1, mapping: { items: body, \
                  name: item.name, dedup_key: item.id, status: item.status } }\n";
    configure(&server, config).await;
    let body = json!([
        { "id": 1, "name": "A", "status": "firing" }, { "id": 2, "name": "B", "status": "firing" },
        { "id": 1, "name": "A", "status": "ok" }, { "id": 2, "name": "B2", "status": "firing" }
    ]);
    let answer = server.post("/api/v1/hooks/key-of-the-checks-1", body.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let left = firing(&server).await;
    let names: Vec<&str> =
        left.iter().map(|a| a["labels"]["alertname"].as_str().unwrap()).collect();
    assert_eq!(names, ["B2"], "{left:#?}");
}

#[tokio::test]
async fn a_key_may_be_in_a_header() {
    let server = TestServer::start().await;
    configure(
        &server,
        "route: { receiver: a }\nreceivers: [{ name: a }]\nintegrations:\n\
         - { name: checks, type: generic, key: key-of-the-checks-1, \
         mapping: { labels: headers } }\n",
    )
    .await;
    let post = |name: &'static str, value: &'static str| {
        let request = Request::post("/api/v1/hooks").header(name, value);
        server.send(request.body(r#"{"title": "x"}"#.into()).unwrap())
    };
    for (name, value) in
        [("authorization", "Bearer key-of-the-checks-1"), ("x-tocsin-key", "key-of-the-checks-1")]
    {
        let answer = post(name, value).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let alerts = firing(&server).await;
    assert!(!alerts[0].to_string().contains("key-of-the-checks"), "keys stay out of labels");
    let unknown = post("x-tocsin-key", "another-key-1234567").await;
    assert_eq!((unknown.status, unknown.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(problem(&unknown)["code"], "unauthorized");
    let metrics = server.get("/metrics").await.body;
    for line in [
        r#"tocsin_integration_refused_total{integration="",reason="unknown_key"} 1"#,
        r#"tocsin_integration_alerts_received_total{integration="checks",status="firing"} 2"#,
    ] {
        assert!(metrics.contains(line), "{line} is missing");
    }
}

#[tokio::test]
async fn mail_may_come_as_a_form_with_parts() {
    let server = TestServer::start().await;
    let part = |name: &str, value: &str| {
        format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = part("subject", "PROBLEM: Disk full")
        + &part("from", "Checks <checks@example.org>")
        + &part("text", "it is")
        + "--X\r\nContent-Disposition: form-data; name=\"attachment1\"; filename=\"a.bin\"\r\n\r\n\
           \u{1}\r\n--X--\r\n";
    let post = |body: String| {
        let request = Request::post("/api/v1/hooks/email")
            .header("content-type", "multipart/form-data; boundary=X");
        server.send(request.body(body.into()).unwrap())
    };
    let answer = post(body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let alert = firing(&server).await.remove(0);
    assert_eq!(alert["labels"]["alertname"], "Disk full");
    assert_eq!(alert["labels"]["from"], "checks@example.org");
    let torn = post("--X\r\nno".to_owned()).await;
    assert_eq!(torn.status, 400, "{torn:?}");
}

#[tokio::test]
async fn the_webhook_of_another_alertmanager_and_a_test_of_grafana_are_taken() {
    let server = TestServer::start().await;
    let alertmanager = json!({
        "version": "4", "groupKey": "{}:{alertname=\"Down\"}", "truncatedAlerts": 0,
        "status": "firing", "receiver": "tocsin", "groupLabels": { "alertname": "Down" },
        "commonLabels": { "alertname": "Down" }, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": [{
            "status": "firing", "labels": { "alertname": "Down", "job": "node" },
            "annotations": { "summary": "node is down" }, "startsAt": "2026-11-20T11:58:00.5Z",
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://p.example/graph?g0.expr=up",
            "fingerprint": "0123456789abcdef"
        }]
    });
    let answer = server.post("/api/v1/hooks/alertmanager", alertmanager.to_string()).await;
    assert_eq!(answer.json()["firing"], 1, "{answer:?}");
    // What Grafana sends for "Test" of a contact point.
    let grafana = json!({
        "receiver": "test", "status": "firing", "orgId": 1, "groupKey": "webhook-57c6d9296de2ad39",
        "alerts": [{
            "status": "firing", "labels": { "alertname": "TestAlert", "instance": "Grafana" },
            "annotations": { "summary": "Notification test" },
            "startsAt": "2026-11-20T11:59:59.9+01:00", "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "", "fingerprint": "57c6d9296de2ad39", "values": null,
            "silenceURL": "http://localhost:3000/alerting/silence/new", "dashboardURL": "",
            "panelURL": "", "valueString": "[ metric='foo' labels={instance=bar} value=10 ]"
        }],
        "groupLabels": { "alertname": "TestAlert" }, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://localhost:3000/", "version": "1", "truncatedAlerts": 0,
        "title": "[FIRING:1] TestAlert Grafana", "state": "alerting", "message": "**Firing**"
    });
    let preview = json!({ "type": "grafana", "body": grafana });
    let preview = server.post("/api/v1/hooks/preview", preview.to_string()).await.json();
    assert_eq!(preview["alerts"][0]["labels"]["alertname"], "TestAlert", "{preview:#}");
    let answer = server.post("/api/v1/hooks/grafana", grafana.to_string()).await;
    assert_eq!(answer.json()["firing"], 1, "{answer:?}");
    assert_eq!(firing(&server).await.len(), 2);
}

/// Puts integrations into effect.
async fn configure(server: &TestServer, config: &str) {
    let loaded = tocsin_config::load_str("t.yml", config, &tocsin_config::LoadOptions::default());
    let loaded = loaded.unwrap_or_else(|report| panic!("{report}"));
    let inbounds = tocsin_server::inbound::Inbounds::new(&loaded.config.inbound).unwrap();
    let next = server.app.reloader.current();
    *server.next_load.lock() = Ok((*next).clone().with_inbounds(inbounds));
    assert_eq!(server.post("/-/reload", "").await.status, 200);
}
