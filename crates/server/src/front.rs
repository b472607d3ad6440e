//! The front page: what fires, readable on a phone and without script.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tocsin_core::Tenant;
use tocsin_core::labels::{ALERTNAME, Labels};
use tocsin_core::views::GroupView;
use tocsin_engine::EngineError;

use crate::App;

/// The most groups the page lists; of more it says how many there are.
const MAX_ROWS: usize = 200;

/// Nothing is loaded from anywhere and nothing runs, whatever an alert's labels say.
const CONTENT_SECURITY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}\
h1{margin-bottom:0}\
table{border-collapse:collapse;width:100%}\
caption{text-align:left;padding:.5rem 0}\
th,td{text-align:left;vertical-align:top;padding:.5rem;border-bottom:1px solid GrayText;\
overflow-wrap:anywhere}\
@media(max-width:40rem){thead{position:absolute;clip-path:inset(50%)}\
tr,td{display:block}td{border:0;padding:.125rem 0}tr{border-bottom:1px solid;padding:.5rem 0}}";

/// Returns the routes of the front page.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/", get(page)).route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
}

/// Answers with the front page.
pub(crate) async fn page(State(app): State<Arc<App>>) -> Response {
    let groups = app.engine.read(Tenant::groups).await;
    let html = render(&app.options.prefix(), groups);
    let headers =
        [(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY), (header::CACHE_CONTROL, "no-store")];
    (headers, Html(html)).into_response()
}

fn render(prefix: &str, groups: Result<Vec<GroupView>, EngineError>) -> String {
    let prefix = escape(prefix);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Tocsin</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>Tocsin</h1>\n<p>Version {}</p>\n</header>\n<main>\n<h2>Firing now</h2>\n",
        env!("CARGO_PKG_VERSION")
    );
    match groups {
        Ok(groups) => table(&mut html, &groups),
        Err(error) => {
            let _ =
                writeln!(html, "<p role=\"alert\">No answer: {}.</p>", escape(&error.to_string()));
        }
    }
    let _ = write!(
        html,
        "</main>\n<footer>\n<h2>For programs</h2>\n<ul>\n\
         <li><a href=\"{prefix}/api/v1/openapi.json\">API description (OpenAPI)</a></li>\n\
         <li><a href=\"{prefix}/api/v2/status\">Alertmanager API v2</a></li>\n\
         <li><a href=\"{prefix}/metrics\">Metrics</a></li>\n</ul>\n\
         <p>This build comes without the web console, whose assets are built with Node.</p>\n\
         </footer>\n</body>\n</html>\n"
    );
    html
}

fn table(html: &mut String, groups: &[GroupView]) {
    if groups.is_empty() {
        html.push_str("<p>Nothing fires.</p>\n");
        return;
    }
    let alerts: usize = groups.iter().map(|group| group.alerts.len()).sum();
    let _ = write!(
        html,
        "<table>\n<caption>{} in {}",
        count(alerts, "alert"),
        count(groups.len(), "group")
    );
    if groups.len() > MAX_ROWS {
        let _ = write!(html, ", of which {MAX_ROWS} are shown");
    }
    html.push_str(
        "</caption>\n<thead>\n<tr><th scope=\"col\">Group</th><th scope=\"col\">Receiver</th>\
         <th scope=\"col\">Alerts</th></tr>\n</thead>\n<tbody>\n",
    );
    for group in groups.iter().take(MAX_ROWS) {
        let held = group.alerts.iter().filter(|alert| alert.status.is_suppressed()).count();
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}",
            title(&group.labels),
            escape(&group.receiver),
            count(group.alerts.len(), "alert")
        );
        if held > 0 {
            let _ = write!(html, ", {held} held back");
        }
        html.push_str("</td></tr>\n");
    }
    html.push_str("</tbody>\n</table>\n");
}

/// Returns the alert's name in bold, then the other labels of the group.
fn title(labels: &Labels) -> String {
    let mut html = String::new();
    if let Some(name) = labels.get(ALERTNAME) {
        let _ = write!(html, "<strong>{}</strong>", escape(name));
    }
    for (name, value) in labels.iter().filter(|(name, _)| *name != ALERTNAME) {
        let _ = write!(html, " {}={}", escape(name), escape(value));
    }
    if html.is_empty() { "all alerts of the route".to_owned() } else { html }
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tocsin_core::ids::GroupNumber;

    use super::*;

    fn group(name: &str) -> GroupView {
        GroupView {
            number: GroupNumber(1),
            key: Arc::from("{}"),
            labels: Labels::from([("alertname", name), ("cluster", "eu1")]),
            route_labels: Labels::default(),
            receiver: Arc::from("hook"),
            opened_at: Timestamp::UNIX_EPOCH,
            flush_at: Timestamp::UNIX_EPOCH,
            alerts: Vec::new(),
        }
    }

    #[test]
    fn labels_cannot_write_markup() {
        let html = render("/am", Ok(vec![group("<script>alert(1)</script>")]));
        assert!(
            html.contains("<strong>&lt;script&gt;alert(1)&lt;/script&gt;</strong> cluster=eu1")
        );
        assert!(!html.contains("<script>"));
        assert!(html.contains("href=\"/am/api/v1/openapi.json\""));
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let groups = vec![group("x"); MAX_ROWS + 1];
        let html = render("", Ok(groups));
        assert_eq!(html.matches("<tr><td>").count(), MAX_ROWS);
        assert!(html.contains("0 alerts in 201 groups, of which 200 are shown"));
    }

    #[test]
    fn quiet_and_trouble_are_told_apart() {
        assert!(render("", Ok(Vec::new())).contains("Nothing fires."));
        let trouble = render("", Err(EngineError::Stopping));
        assert!(trouble.contains("No answer: the engine is stopping."));
    }
}
