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
