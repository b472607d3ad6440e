//! Messages in the terminal: a few lines for people or one line of JSON for programs.

use std::fmt::Write as _;

use tocsin_config::{StdoutConfig, StdoutFormat};
use tocsin_wire::webhook::WebhookBody;

use crate::failure::Undelivered;
use crate::message::Message;
use crate::outbound::{Job, Sent};
use crate::secret::offload;

/// Writes one message.
pub(crate) async fn send(config: &StdoutConfig, job: &Job<'_>) -> Result<Sent, Undelivered> {
    let mut text = match config.format {
        StdoutFormat::Text => block(&Message::new(job.notification), &job.notification.receiver),
        StdoutFormat::Json => {
            WebhookBody::new(job.notification, &job.context.external_url, 0).to_json()
        }
    };
    text.push('\n');
    let output = job.context.output.clone();
    // A reader that does not read must not hold up other deliveries.
    let write = offload(move || {
        let mut output = output.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        output.write_all(text.as_bytes())?;
        output.flush()
    });
    job.deadline.bound("stdout", write).await??;
    Ok(Sent::default())
}

/// Returns a message as a block that ends with an empty line.
fn block(message: &Message, receiver: &str) -> String {
    let mut out = format!("{}  → {receiver}, {}\n", message.title, message.reason);
    let mut facts = Vec::new();
    if let Some(severity) = &message.severity {
        facts.push(format!("severity {severity}"));
    }
    if !message.shared.is_empty() {
        facts.push(message.shared_text());
    }
    if !facts.is_empty() {
        let _ = writeln!(out, "  {}", facts.join("  "));
    }
    for line in &message.lines {
        let _ = write!(out, "  {:<8} {} {}", line.state(), line.name, line.duration);
        if !line.detail.is_empty() {
            let _ = write!(out, ": {}", crate::message::one_line(&line.detail));
        }
        if !line.labels.is_empty() {
            let _ = write!(out, "  {}", line.labels);
        }
        out.push('\n');
    }
    if let Some(more) = message.more() {
        let _ = writeln!(out, "  {more}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::{alert, notification};

    #[test]
    fn a_block_tells_the_whole_story() {
        let labels = |i| [("alertname", "Slow"), ("severity", "critical"), ("instance", i)];
        let mut ended = alert(&labels("b"), &[]);
        ended.is_resolved = true;
        let notification = notification(
            &[("alertname", "Slow")],
            vec![alert(&labels("a"), &[("summary", "p99\nis high")]), ended],
        );
        assert_eq!(
            block(&Message::new(&notification), "ops"),
            "[FIRING:1] Slow  → ops, first notification\n  \
               severity critical\n  \
               FIRING   Slow for 5m: p99 is high  instance=a\n  \
               RESOLVED Slow after 2m 3s  instance=b\n"
        );
    }
}
