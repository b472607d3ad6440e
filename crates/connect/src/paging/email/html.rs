//! The page as HTML: short enough for a phone, and everything that comes from outside escaped.

use std::fmt::Write as _;

use serde_json::json;
use tocsin_core::paging::{Content, PageItem, StateWord};

use crate::email::escape;
use crate::paging::Errand;
use crate::paging::words::{ItemWords, colour};

/// The most escalations that are shown; the text of the mail has all of them.
const MAX_ITEMS: usize = 20;

/// Returns the whole mail.
pub(super) fn page(errand: &Errand<'_>) -> String {
    let first = errand.page.content.items().first();
    let accent = first.map_or("#667085", colour);
    let mut out = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\">{}</head>\
         <body style=\"margin:0;padding:16px;font-family:-apple-system,Segoe UI,Roboto,sans-serif;\
         font-size:15px;line-height:1.45\">\
         <div style=\"max-width:600px;border-top:4px solid {accent}\">\
         <h1 style=\"font-size:18px;margin:16px 0 8px\">{}</h1>",
        one_click(errand).unwrap_or_default(),
        escape(&errand.words.subject()),
    );
    if let Some(lines) = errand.words.notice() {
        for line in lines {
            let _ = write!(out, "<p style=\"margin:0 0 8px\">{}</p>", escape(&line));
        }
    }
    let count = errand.page.content.items().len();
    for (item, words) in errand.words.items().take(MAX_ITEMS) {
        put_item(&mut out, item, &words, count > 1);
    }
    if count > MAX_ITEMS {
        let _ = write!(out, "<p>and {} more</p>", count - MAX_ITEMS);
    }
    let _ = writeln!(
        out,
        "<p style=\"margin:24px 0 0;font-size:13px;color:#667085\">\
         <a href=\"{0}\" style=\"color:#667085\">Tocsin at {0}</a></p></div></body></html>",
        escape(&errand.context.external_url)
    );
    out
}

fn put_item(out: &mut String, item: &PageItem, words: &ItemWords, has_title: bool) {
    let accent = colour(item);
    let _ = write!(
        out,
        "<div style=\"margin:12px 0;padding-left:12px;border-left:4px solid {accent}\">"
    );
    if has_title {
        let title = escape(&format!("[{}] {}", words.level, words.title));
        let _ = write!(out, "<p style=\"margin:0 0 4px;font-weight:600\">{title}</p>");
    }
    if !words.state.is_empty() {
        let state = escape(&words.state);
        let _ =
            write!(out, "<p style=\"margin:0 0 4px;font-weight:600;color:{accent}\">{state}</p>");
    }
    out.push_str("<table role=\"presentation\" style=\"border-collapse:collapse;font-size:14px\">");
    for (name, value) in &words.facts {
        let _ = write!(
            out,
            "<tr><td style=\"padding:1px 12px 1px 0;color:#667085;vertical-align:top;\
             white-space:nowrap\">{name}</td><td style=\"padding:1px 0\">{}</td></tr>",
            escape(value)
        );
    }
    out.push_str("</table>");
    for line in &words.alerts {
        let _ = write!(out, "<p style=\"margin:4px 0 0;font-size:14px\">• {}</p>", escape(line));
    }
    out.push_str("<p style=\"margin:12px 0 4px\">");
    if item.state != StateWord::Resolved {
        for (label, action, background) in buttons(item) {
            let _ = write!(
                out,
                "<a href=\"{}?action={action}\" style=\"display:inline-block;margin:0 8px 8px 0;\
                 padding:10px 18px;border-radius:6px;background:{background};color:#ffffff;\
                 font-weight:600;text-decoration:none\">{label}</a>",
                escape(&words.link)
            );
        }
    }
    if let Some(url) = &words.runbook {
        let _ = write!(
            out,
            "<a href=\"{}\" style=\"display:inline-block;padding:10px 0;color:#3b6fd4\">Runbook</a>",
            escape(url)
        );
    }
    out.push_str("</p></div>");
}

fn buttons(item: &PageItem) -> &'static [(&'static str, &'static str, &'static str)] {
    match item.state {
        StateWord::Open => &[
            ("Acknowledge", "acknowledge", "#2e7d32"),
            ("Escalate", "escalate", "#475467"),
            ("Resolve", "resolve", "#475467"),
        ],
        StateWord::Acknowledged | StateWord::Snoozed => &[("Resolve", "resolve", "#2e7d32")],
        StateWord::Resolved => &[],
    }
}

/// Returns what lets a mailbox show a button that answers by itself, without opening the mail: it
/// posts, and only what posts does anything.
///
/// Source: Google, "Gmail Markup: One-Click Action".
fn one_click(errand: &Errand<'_>) -> Option<String> {
    let Content::Page { items } = &errand.page.content else { return None };
    let [item] = items.as_slice() else { return None };
    let url = format!("{}?action=acknowledge", errand.words.link(item));
    let mark = json!({
        "@context": "http://schema.org",
        "@type": "EmailMessage",
        "description": "Acknowledge the page",
        "potentialAction": {
            "@type": "ConfirmAction",
            "name": "Acknowledge",
            "handler": {
                "@type": "HttpActionHandler",
                "url": url,
                "method": "http://schema.org/HttpRequestMethod/POST",
            },
        },
    });
    // A script would end at the first tag in it.
    let mark = mark.to_string().replace('<', "\\u003c");
    Some(format!("<script type=\"application/ld+json\">{mark}</script>"))
}
