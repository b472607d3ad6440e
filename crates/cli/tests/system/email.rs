//! Mail, handed to a real SMTP server.

use crate::support::api::{firing, resolved};
use crate::support::mail::MailServer;
use crate::support::tocsin::Tocsin;

fn config(server: &MailServer, send_resolved: bool) -> String {
    format!(
        "global:\n  smtp_smarthost: 127.0.0.1:{}\n  smtp_from: tocsin@shop.example\n  smtp_require_tls: false\n\
         route:\n  receiver: mail\n  group_by: [alertname]\n  group_wait: 0s\n  group_interval: 1s\n\
         receivers:\n- name: mail\n  email_configs:\n  - to: ada@shop.example, grace@shop.example\n    send_resolved: {send_resolved}\n",
        server.port
    )
}

const FULL: [(&str, &str); 2] = [("alertname", "DiskFull"), ("instance", "db-1 <main> & co")];

#[tokio::test]
async fn a_mail_tells_an_alert_and_its_end_as_text_and_html() {
    let server = MailServer::start().await;
    let tocsin = Tocsin::start(&config(&server, true)).await;
    tocsin.tell(&[firing(&FULL)]).await;
    let mail = server.wait("[FIRING:1] DiskFull").await;
    assert_eq!(mail.from, "tocsin@shop.example");
    assert_eq!(mail.to, ["ada@shop.example", "grace@shop.example"]);
    assert!(mail.part("text/plain").contains("db-1 <main> & co"), "{}", mail.source);
    assert!(mail.part("text/html").contains("db-1 &lt;main&gt; &amp; co"), "{}", mail.source);
    let key = mail.header("X-Tocsin-Idempotency-Key");
    assert_eq!(key.len(), 32, "{key}");

    tocsin.tell(&[resolved(&FULL)]).await;
    let mail = server.wait("[RESOLVED] DiskFull").await;
    assert_ne!(mail.header("X-Tocsin-Idempotency-Key"), key);
    assert_eq!(server.mails().len(), 2);
}

#[tokio::test]
async fn the_end_is_not_mailed_unless_asked_for() {
    let server = MailServer::start().await;
    let tocsin = Tocsin::start(&config(&server, false)).await;
    tocsin.tell(&[firing(&FULL)]).await;
    server.wait("[FIRING:1] DiskFull").await;
    tocsin.tell(&[resolved(&FULL)]).await;
    // Fires anew in a group of its own; a mail about the end would come before this one.
    let next = [("alertname", "DiskSlow")];
    crate::support::until("the group of the ended alert is gone", async || {
        tocsin.get("/api/v2/alerts/groups").await.body.trim().eq("[]").then_some(())
    })
    .await;
    tocsin.tell(&[firing(&next)]).await;
    server.wait("[FIRING:1] DiskSlow").await;
    let subjects: Vec<_> = server.mails().iter().map(|mail| mail.header("Subject")).collect();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
}

/// What ends a line for somebody, each followed by a header that must not become one.
const ENDS: [&str; 6] = ["\r\n", "\n", "\r", "\u{2028}", "\u{85}", "\r\n\t\r\n"];

/// Returns a text that tries to begin new headers, and a body of its own.
fn evil(begin: &str) -> String {
    let lines = ENDS.map(|end| format!("{end}Bcc: evil@evil.example{end}X-Evil: yes"));
    format!("{begin}{}\r\n\r\n<b>evil</b>\r\n.\r\nQUIT\r\n", lines.concat())
}

fn assert_harmless(mail: &crate::support::mail::Mail, to: &[&str]) {
    assert_eq!(mail.to, to, "{}", mail.source);
    let (head, _) = mail.source.split_once("\r\n\r\n").unwrap();
    assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "{head:?}");
    let mut names = Vec::new();
    for line in head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])) {
        let (name, _) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?} in {head:?}"));
        names.push(name.to_ascii_lowercase());
    }
    assert!(!names.iter().any(|name| name == "bcc" || name == "x-evil"), "{head}");
    let unique: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "a header stands there twice: {head}");
}

/// What the tests below look for is found where it is.
#[test]
fn a_header_that_was_brought_in_is_noticed() {
    for head in ["Subject: x\r\nBcc: e@e.example", "Subject: x\nX-Evil: yes", "To: a\r\nTo: b"] {
        let source = format!("{head}\r\n\r\nbody");
        let mail = crate::support::mail::Mail { source, ..Default::default() };
        assert!(std::panic::catch_unwind(|| assert_harmless(&mail, &[])).is_err(), "{head:?}");
    }
    let source = "Subject: x\r\n y\r\nTo: a\r\n\r\nbody".to_owned();
    assert_harmless(&crate::support::mail::Mail { source, ..Default::default() }, &[]);
}

#[tokio::test]
async fn a_line_end_in_a_label_begins_no_header() {
    let server = MailServer::start().await;
    let config = config(&server, true).replace(
        "    send_resolved: true\n",
        "    headers:\n      Subject: 'S {{ .CommonLabels.instance }}'\n      \
         Reply-To: '{{ .CommonAnnotations.summary }}'\n      \
         List-Id: '{{ .CommonLabels.instance }}'\n      \
         X-Team: '{{ range .Alerts }}{{ .Labels.team }}{{ end }}'\n    \
         threading: { enabled: true }\n",
    );
    let tocsin = Tocsin::start(&config).await;
    let instance = evil("db");
    let labels = [("alertname", evil("Disk")), ("instance", instance), ("team", evil("ops"))];
    let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut alert = firing(&labels);
    alert["annotations"]["summary"] = evil("sum").into();
    tocsin.tell(&[alert]).await;
    let mail = server.wait("S db").await;
    assert_harmless(&mail, &["ada@shop.example", "grace@shop.example"]);
    for name in ["Subject", "Reply-To", "List-Id", "X-Team", "Message-ID", "References"] {
        assert!(!mail.header(name).is_empty(), "{name}: {}", mail.source);
    }
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_line_end_in_the_title_of_a_page_begins_no_header() {
    let server = MailServer::start().await;
    let config = config(&server, true)
        + "people: [{ handle: ada, email: ada@shop.example, roles: [responder] }]\n";
    let tocsin = Tocsin::start(&config).await;
    let page = serde_json::json!({
        "title": evil("Checkout"), "people": ["ada"], "service": evil("shop"), "severity": "sev1"
    });
    let made = tocsin.post("/api/v1/escalations", &page).await;
    assert_eq!(made.pair().0, 201, "{}", made.body);
    let mail = server.wait("").await;
    assert_harmless(&mail, &["ada@shop.example"]);
    assert!(mail.header("Subject").contains("Checkout"), "{}", mail.source);
    // The address cannot bring another one either.
    let contact = serde_json::json!({
        "channel": "email", "address": "ada@shop.example\r\nRCPT TO:<evil@evil.example>"
    });
    let url = tocsin.url("/api/v1/people/ada/contacts/evil");
    let set = tocsin.client().put(url).json(&contact).send().await.unwrap();
    assert_eq!(set.status(), 422, "{:?}", set.text().await);
}
