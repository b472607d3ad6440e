//! How the page behind a link looks: plain HTML for a phone in the night, without script.

use std::fmt::Write as _;

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tocsin_connect::links::Link;
use tocsin_core::paging::{Answerer, PageAlert, PageItem, StateWord};

use super::link::answers;
use crate::front::escape;

/// Nothing is loaded from anywhere, nothing runs, and forms lead only here.
const CONTENT_SECURITY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                                form-action 'self'; frame-ancestors 'none'";

/// The most alerts that are listed.
const MAX_ALERTS: usize = 8;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:color-mix(in srgb,CanvasText 18%,Canvas);\
--soft:color-mix(in srgb,CanvasText 6%,Canvas);--dim:color-mix(in srgb,CanvasText 68%,Canvas);\
--accent:#b3261e}\
*{box-sizing:border-box}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:1rem 1rem 3rem}\
header{display:flex;gap:.5rem;align-items:baseline;color:var(--dim);font-size:.875rem;\
margin-bottom:1rem}header b{color:CanvasText}\
article{border:1px solid var(--line);border-left:.375rem solid var(--accent);\
border-radius:.5rem;padding:1rem;overflow-wrap:anywhere}\
h1{font-size:1.375rem;line-height:1.25;margin:.375rem 0 .75rem}\
.tag{display:inline-block;border-radius:1rem;padding:.0625rem .625rem;font-size:.875rem;\
font-weight:600;background:var(--accent);color:#fff}\
.state{display:inline-block;margin-left:.375rem;font-size:.875rem;font-weight:600}\
dl{display:grid;grid-template-columns:auto 1fr;gap:.125rem .875rem;margin:0}\
dt{color:var(--dim)}dd{margin:0}\
ul{list-style:none;margin:.875rem 0 0;padding:0}\
li{border-top:1px solid var(--line);padding:.5rem 0}li small{display:block;color:var(--dim)}\
form{margin-top:1rem;display:grid;gap:.625rem}\
input{width:100%;padding:.75rem;font:inherit;border:1px solid var(--line);border-radius:.5rem;\
background:Canvas;color:CanvasText}\
button{width:100%;padding:.875rem;font:inherit;font-weight:600;border:1px solid var(--line);\
border-radius:.5rem;background:var(--soft);color:CanvasText;cursor:pointer}\
button.first{background:#1f7a33;border-color:#1f7a33;color:#fff;font-size:1.125rem}\
button:focus-visible,input:focus-visible,a:focus-visible{outline:3px solid #4c8bf5;\
outline-offset:2px}\
.said{border-radius:.5rem;padding:.875rem 1rem;margin:0 0 1rem;background:var(--soft);\
border-left:.375rem solid #667085}.said.good{border-left-color:#1f7a33}\
.said.bad{border-left-color:#b3261e}.said b{display:block;font-size:1.125rem}\
p.who{color:var(--dim);font-size:.875rem;margin:1rem 0 0}a{color:LinkText}";

/// What a page is about.
pub(super) struct Shown<'a> {
    pub(super) link: &'a Link,
    pub(super) by: &'a Answerer,
    pub(super) item: &'a PageItem,
    /// Where whoever answers lives.
    pub(super) zone: TimeZone,
}

/// Returns an instant as people read it where they live, `Sat 28 Nov 2026, 03:07 CET`.
fn told(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b %Y, %H:%M %Z").to_string()
}

/// Asks for an answer; the wanted one stands first.
pub(super) fn ask(shown: &Shown<'_>, wanted: &str) -> Response {
    let mut body = article(shown.item, &shown.zone);
    let known = answers(shown.item.state);
    if known.is_empty() {
        body.push_str("<p class=\"who\">It is over; there is nothing to answer.</p>");
        return page(StatusCode::OK, &shown.item.title, &body);
    }
    let mut ordered: Vec<_> = known.to_vec();
    ordered.sort_by_key(|(word, _)| *word != wanted);
    body.push_str("<form method=\"post\" action=\"?\">");
    for (place, (word, label)) in ordered.iter().enumerate() {
        let class = if place == 0 { " class=\"first\"" } else { "" };
        let _ = write!(body, "<button name=\"action\" value=\"{word}\"{class}>{label}</button>");
        if place == 0 {
            body.push_str(
                "<input name=\"comment\" maxlength=\"1000\" autocomplete=\"off\" \
                 aria-label=\"Comment\" placeholder=\"Comment, if you like\">",
            );
        }
    }
    let _ = write!(
        body,
        "</form><p class=\"who\">You answer as <b>{}</b>. The link works until {}.</p>",
        escape(shown.by.name()),
        told(shown.link.expires_at, &shown.zone),
    );
    page(StatusCode::OK, &shown.item.title, &body)
}

/// Says what became of an answer.
pub(super) fn say(
    status: StatusCode,
    title: &str,
    text: &str,
    shown: Option<&Shown<'_>>,
) -> Response {
    let class = if status.is_success() { "good" } else { "bad" };
    let mut body = format!(
        "<div class=\"said {class}\" role=\"status\"><b>{}</b>{}</div>",
        escape(title),
        escape(text)
    );
    if let Some(shown) = shown {
        body.push_str(&article(shown.item, &shown.zone));
        if status.is_success() && shown.item.state != StateWord::Resolved {
            body.push_str("<p class=\"who\"><a href=\"?\">Answer something else</a></p>");
        }
    }
    page(status, title, &body)
}

fn article(item: &PageItem, zone: &TimeZone) -> String {
    let mut out = format!(
        "<article style=\"--accent:{}\"><span class=\"tag\">{} {}</span>\
         <span class=\"state\">{}</span><h1>{}</h1><dl>",
        accent(item),
        item.severity.as_str().to_ascii_uppercase(),
        item.severity.word(),
        escape(&state(item)),
        escape(&item.title),
    );
    let (step, steps) = item.step;
    let level = if item.level.is_empty() { String::new() } else { format!(", {}", item.level) };
    for (name, value) in [
        ("Service", item.service.clone()),
        ("Since", told(item.started_at, zone)),
        ("Why you", item.why.clone()),
        ("Policy", format!("{}, step {step} of {steps}{level}", item.policy)),
        ("Alerts", format!("{} firing, {} resolved", item.firing, item.resolved)),
    ] {
        if !value.is_empty() {
            let _ = write!(out, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
        }
    }
    out.push_str("</dl><ul>");
    for alert in item.alerts.iter().take(MAX_ALERTS) {
        let _ = write!(out, "<li>{}</li>", line(alert));
    }
    let more = item.alerts.len().saturating_sub(MAX_ALERTS);
    if more > 0 {
        let _ = write!(out, "<li>and {more} more</li>");
    }
    out.push_str("</ul></article>");
    out
}

fn line(alert: &PageAlert) -> String {
    let state = if alert.is_resolved { "resolved: " } else { "" };
    let summary = ["summary", "message", "description"]
        .into_iter()
        .map(|name| alert.annotations.value(name))
        .find(|value| !value.is_empty())
        .unwrap_or_else(|| alert.labels.value("alertname"));
    let labels: Vec<String> =
        alert.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut out = format!("{state}{}<small>{}</small>", escape(summary), escape(&labels.join(" ")));
    for (name, label) in [("runbook_url", "Runbook"), ("dashboard_url", "Dashboard")] {
        put_link(&mut out, alert.annotations.value(name), label);
    }
    put_link(&mut out, &alert.generator_url, "Source");
    out
}

/// Adds a link that leads to the web and nowhere else.
fn put_link(out: &mut String, url: &str, label: &str) {
    if url.starts_with("https://") || url.starts_with("http://") {
        let _ = write!(out, "<a href=\"{}\" rel=\"noreferrer\">{label}</a> ", escape(url));
    }
}

fn state(item: &PageItem) -> String {
    let by = if item.by.is_empty() { String::new() } else { format!(" by {}", item.by) };
    format!("{}{by}", item.state.as_str())
}

fn accent(item: &PageItem) -> &'static str {
    match item.state {
        StateWord::Open if item.severity.is_urgent() => "#b3261e",
        StateWord::Open => "#9a5b00",
        StateWord::Acknowledged => "#7a5d10",
        StateWord::Snoozed => "#5b6472",
        StateWord::Resolved => "#1f7a33",
    }
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <title>{} · Tocsin</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header><b>Tocsin</b></header>\n<main>\n{body}\n</main>\n</body>\n</html>\n",
        escape(title)
    );
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY),
        (header::CACHE_CONTROL, "no-store"),
        // The address is the key to the page.
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(html)).into_response()
}
