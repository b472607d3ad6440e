//! How a mail looks: the same content as plain text and as HTML, both short enough to be read on
//! a phone.

use std::fmt::Write as _;

use crate::message::{Line, Message};

/// The colour of what fires.
const RED: &str = "#b42318";

/// The colour of what ended.
const GREEN: &str = "#067647";

/// Returns the plain text of a mail.
pub(super) fn text(message: &Message, external_url: &str) -> String {
    let mut out = format!("{}\n\n{}\n", message.title, summary(message));
    if !message.shared.is_empty() {
        let _ = writeln!(out, "{}", message.shared_text());
    }
    if let Some(url) = &message.runbook_url {
        let _ = writeln!(out, "Runbook: {url}");
    }
    for line in &message.lines {
        let _ = write!(out, "\n{}  {}  {}\n", line.state(), line.name, line.duration);
        for (label, value) in details(line) {
            let colon = if label.is_empty() { "" } else { ": " };
            let _ = writeln!(out, "  {label}{colon}{value}");
        }
    }
    if let Some(more) = message.more() {
        let _ = writeln!(out, "\n{more}");
    }
    if !external_url.is_empty() {
        let _ = write!(out, "\n-- \nTocsin, {external_url}\n");
    }
    out
}

/// Returns the HTML of a mail; everything that comes from outside is escaped.
pub(super) fn html(message: &Message, external_url: &str) -> String {
    let colour = if message.is_firing { RED } else { GREEN };
    let mut out = format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"></head>\
         <body style=\"margin:0;padding:16px;font-family:sans-serif;font-size:15px;color:#1d2939\">\
         <div style=\"max-width:640px;border-top:4px solid {colour}\">\
         <h1 style=\"font-size:18px;margin:16px 0 4px;color:{colour}\">{}</h1>\
         <p style=\"margin:0 0 8px\">{}</p>",
        escape(&message.title),
        escape(&summary(message)),
    );
    if !message.shared.is_empty() {
        out.push_str("<p style=\"margin:0 0 8px;color:#475467\">");
        out.push_str(&escape(&message.shared_text()));
        out.push_str("</p>");
    }
    if let Some(url) = &message.runbook_url {
        let _ = write!(out, "<p style=\"margin:0 0 8px\">{}</p>", link(url, "Runbook"));
    }
    for line in &message.lines {
        push_line(&mut out, line);
    }
    if let Some(more) = message.more() {
        let _ = write!(out, "<p>{}</p>", escape(&more));
    }
    if !external_url.is_empty() {
        let _ = write!(
            out,
            "<p style=\"margin-top:24px;font-size:13px;color:#667085\">{}</p>",
            link(external_url, "Tocsin")
        );
    }
    out.push_str("</div></body></html>\n");
    out
}

fn push_line(out: &mut String, line: &Line) {
    let colour = if line.is_resolved { GREEN } else { RED };
    let _ = write!(
        out,
        "<div style=\"margin:12px 0;padding-left:12px;border-left:3px solid {colour}\">\
         <b style=\"color:{colour}\">{}</b> <b>{}</b> <span style=\"color:#475467\">{}</span>",
        line.state(),
        escape(&line.name),
        escape(&line.duration),
    );
    for (label, value) in details(line) {
        let text = if label.is_empty() { escape(value) } else { link(value, label) };
        let _ = write!(out, "<br>{text}");
    }
    out.push_str("</div>");
}

fn summary(message: &Message) -> String {
    let mut text = format!("{}, {}", message.counts(), message.reason);
    if let Some(severity) = &message.severity {
        let _ = write!(text, ", severity {severity}");
    }
    text
}

/// Returns what is known of an alert, each with the word before it; links have one, text has none.
fn details(line: &Line) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("", Some(line.detail.as_str())),
        ("", Some(line.labels.as_str())),
        ("Runbook", line.runbook_url.as_deref()),
        ("Source", line.source_url.as_deref()),
    ]
    .into_iter()
    .filter_map(|(label, value)| Some((label, value.filter(|value| !value.is_empty())?)))
}

/// Returns a link, or just the text when the address is not one of the web: `javascript:` and its
/// kin come from annotations that anybody who sends alerts can write.
fn link(url: &str, words: &str) -> String {
    let lower = url.trim_start().to_ascii_lowercase();
    if lower.starts_with("https://") || lower.starts_with("http://") {
        format!("<a href=\"{}\">{}</a>", escape(url), escape(words))
    } else {
        format!("{}: {}", escape(words), escape(url))
    }
}

/// Escapes what means something in HTML, inside and outside of attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::{alert, notification};

    fn message() -> Message {
        let one = alert(
            &[("alertname", "DiskFull"), ("severity", "warning"), ("instance", "a")],
            &[("summary", "92 % of <data> used")],
        );
        let two = alert(
            &[("alertname", "DiskFull"), ("severity", "warning"), ("instance", "b")],
            &[("runbook_url", "javascript:alert(1)")],
        );
        Message::new(&notification(&[("alertname", "DiskFull")], vec![one, two]))
    }

    #[test]
    fn the_text_reads_well_alone() {
        assert_eq!(
            text(&message(), "http://tocsin.example"),
            "[FIRING:2] DiskFull\n\
             \n\
             2 firing, first notification, severity warning\n\
             \n\
             FIRING  DiskFull  for 5m\n  \
               92 % of <data> used\n  \
               instance=a\n  \
               Source: http://prom.example/graph?g0.expr=up&g0.tab=1\n\
             \n\
             FIRING  DiskFull  for 5m\n  \
               instance=b\n  \
               Runbook: javascript:alert(1)\n  \
               Source: http://prom.example/graph?g0.expr=up&g0.tab=1\n\
             \n\
             -- \n\
             Tocsin, http://tocsin.example\n"
        );
    }

    #[test]
    fn html_from_outside_is_text_and_only_web_links_are_links() {
        let html = html(&message(), "http://tocsin.example");
        assert!(html.contains("92 % of &lt;data&gt; used"), "{html}");
        assert!(html.contains("Runbook: javascript:alert(1)"), "{html}");
        assert!(!html.contains("href=\"javascript"), "{html}");
        assert!(html.contains("g0.expr=up&amp;g0.tab=1\">Source</a>"), "{html}");
    }
}
