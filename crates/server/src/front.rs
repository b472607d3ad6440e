//! The front page: what fires, readable on a phone and without script.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};
use tocsin_core::Tenant;
use tocsin_core::alert::{AlertStatus, AlertView};
use tocsin_core::identity::Who;
use tocsin_core::labels::{ALERTNAME, Fingerprint, Labels};
use tocsin_core::views::GroupView;
use tocsin_engine::EngineError;

use crate::App;
use crate::access::Caller;

/// The most groups the page lists, and the most alerts of each; of more it says how many there are.
const MAX_GROUPS: usize = 100;
const MAX_ALERTS: usize = 10;

/// What this page may do.
static CONTENT_SECURITY: LazyLock<String> = LazyLock::new(|| content_security(STYLE));

/// Returns the policy of a page with this style and nothing else: nothing is loaded from anywhere
/// and nothing runs, whatever an alert's labels say, forms lead only here, and nobody frames it.
pub(crate) fn content_security(style: &str) -> String {
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    )
}

const STYLE: &str = "\
:root{color-scheme:light dark;--line:color-mix(in srgb,CanvasText 18%,Canvas);\
--soft:color-mix(in srgb,CanvasText 5%,Canvas);--dim:color-mix(in srgb,CanvasText 68%,Canvas)}\
*{box-sizing:border-box}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}\
header{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 1rem;\
border-bottom:1px solid var(--line);margin-bottom:1.5rem}\
h1{margin:0;font-size:1.5rem}h2{font-size:1.125rem;margin:1.5rem 0 .5rem}\
h3{font-size:1rem;margin:0}header p{margin:0;color:var(--dim)}\
header form{margin-left:auto}header button{font:inherit;border:1px solid var(--line);\
border-radius:.375rem;background:var(--soft);color:CanvasText;padding:.125rem .625rem;\
cursor:pointer}\
.sum{display:flex;flex-wrap:wrap;gap:.75rem;padding:0;margin:0 0 1rem;list-style:none}\
.sum li{flex:1 1 8rem;background:var(--soft);border-radius:.5rem;padding:.5rem 1rem}\
.sum b{display:block;font-size:1.75rem;line-height:1.25}\
article{border:1px solid var(--line);border-radius:.5rem;margin:0 0 .75rem;\
padding:.75rem 1rem;overflow-wrap:anywhere}\
article p{margin:.125rem 0;color:var(--dim)}\
article ul{list-style:none;margin:.5rem 0 0;padding:0}\
article li{border-top:1px solid var(--line);padding:.375rem 0}\
.sev{display:inline-block;min-width:5rem;margin-right:.5rem;padding:0 .5rem;border-radius:1rem;\
text-align:center;font-size:.875rem;background:var(--soft);border:1px solid var(--line)}\
.critical{background:#b3261e;border-color:#b3261e;color:#fff}\
.warning{background:#f2b94b;border-color:#f2b94b;color:#1d1b16}\
.held{color:var(--dim)}footer{margin-top:2rem;border-top:1px solid var(--line);color:var(--dim)}\
footer a{color:LinkText}";

/// Returns the routes of the front page.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/", get(page)).route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
}

/// Answers with the front page.
pub(crate) async fn page(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let groups = app.engine.read(Tenant::groups).await;
    let html = render(&app.options.prefix(), &caller.actor.who, groups);
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Html(html)).into_response()
}

fn render(prefix: &str, who: &Who, groups: Result<Vec<GroupView>, EngineError>) -> String {
    let prefix = escape(prefix);
    let signed_in = match who {
        Who::Person(handle) => format!(
            "<form method=\"post\" action=\"{prefix}/sign-out\"><span>{handle}</span> \
             <a href=\"{prefix}/push\">Notifications</a> <button>Sign out</button></form>\n"
        ),
        _ => String::new(),
    };
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Tocsin</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>Tocsin</h1>\n<p>version {}</p>\n{signed_in}</header>\n<main>\n<h2>Firing now</h2>\n",
        env!("CARGO_PKG_VERSION")
    );
    match groups {
        Ok(groups) => firing(&mut html, &groups),
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
         <p>The web console is not part of this build. The command line and both APIs do everything: \
         try <code>tocsin alert query</code> and <code>tocsin explain</code>.</p>\n\
         </footer>\n</body>\n</html>\n"
    );
    html
}

/// The names of the alerts on the page, to say what inhibits others.
type Names<'a> = BTreeMap<Fingerprint, &'a str>;

fn is_critical(alert: &AlertView) -> bool {
    alert.identity.labels.value("severity") == "critical"
}

fn firing(html: &mut String, groups: &[GroupView]) {
    if groups.is_empty() {
        html.push_str("<p>Nothing fires. All is quiet.</p>\n");
        return;
    }
    let all = || groups.iter().flat_map(|group| &group.alerts);
    let held = all().filter(|alert| alert.status.is_suppressed()).count();
    let _ = write!(
        html,
        "<ul class=\"sum\">\n<li><b>{}</b> firing</li>\n<li><b>{}</b> {}</li>\n\
         <li><b>{held}</b> held back</li>\n</ul>\n",
        all().count(),
        groups.len(),
        if groups.len() == 1 { "group" } else { "groups" },
    );
    let names: Names<'_> = all()
        .map(|alert| (alert.identity.fingerprint, alert.identity.labels.value(ALERTNAME)))
        .collect();
    // What is worst is read first; among equals Alertmanager's order stays.
    let mut ordered: Vec<&GroupView> = groups.iter().collect();
    ordered.sort_by_key(|group| !group.alerts.iter().any(is_critical));
    for group in ordered.into_iter().take(MAX_GROUPS) {
        card(html, group, &names);
    }
    if groups.len() > MAX_GROUPS {
        let _ = writeln!(html, "<p>{} more groups are not shown.</p>", groups.len() - MAX_GROUPS);
    }
}

/// Writes one group: what its alerts share, who is told, and the first of its alerts.
fn card(html: &mut String, group: &GroupView, names: &Names<'_>) {
    let _ = write!(
        html,
        "<article>\n<h3>{}</h3>\n<p>{}, told to {}</p>\n<ul>\n",
        title(&group.labels),
        count(group.alerts.len(), "alert"),
        escape(&group.receiver),
    );
    for alert in group.alerts.iter().take(MAX_ALERTS) {
        line(html, alert, &group.labels, names);
    }
    if group.alerts.len() > MAX_ALERTS {
        let _ = writeln!(html, "<li>and {} more</li>", group.alerts.len() - MAX_ALERTS);
    }
    html.push_str("</ul>\n</article>\n");
}

fn line(html: &mut String, alert: &AlertView, shared: &Labels, names: &Names<'_>) {
    let labels = &alert.identity.labels;
    let severity = labels.value("severity");
    let class = match severity {
        "critical" | "warning" => severity,
        _ => "other",
    };
    let shown = if severity.is_empty() { "alert" } else { severity };
    let _ = write!(html, "<li><span class=\"sev {class}\">{}</span>", escape(shown));
    if shared.get(ALERTNAME).is_none() {
        let _ = write!(html, "<strong>{}</strong> ", escape(labels.value(ALERTNAME)));
    }
    let own = labels.iter().filter(|(name, _)| {
        *name != ALERTNAME && *name != "severity" && shared.get(name).is_none()
    });
    for (name, value) in own {
        let _ = write!(html, "{}={} ", escape(name), escape(value));
    }
    if let Some(summary) = alert.description.annotations.get("summary") {
        let _ = write!(html, "<br>{}", escape(summary));
    }
    let why = held_back(&alert.status, names);
    if !why.is_empty() {
        let _ = write!(html, "<br><span class=\"held\">held back: {}</span>", escape(&why));
    }
    html.push_str("</li>\n");
}

fn held_back(status: &AlertStatus, names: &Names<'_>) -> String {
    let mut reasons = Vec::new();
    if let Some(inhibitor) = &status.inhibited_by {
        let name = names.get(&inhibitor.source).copied().unwrap_or_default();
        reasons.push(format!("inhibited by {name} ({})", inhibitor.source));
    }
    reasons.extend(status.silenced_by.iter().map(|id| format!("silence {id}")));
    reasons.extend(status.maintained_by.iter().map(|name| format!("maintenance {name}")));
    reasons.extend(status.muted_by.iter().map(|name| format!("time interval {name}")));
    reasons.join(", ")
}

/// Returns the alert's name in bold, then the other labels of the group.
fn title(labels: &Labels) -> String {
    let name = labels.get(ALERTNAME).map(escape);
    let others = labels.iter().filter(|(name, _)| *name != ALERTNAME);
    let others = others.map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    let parts: Vec<String> = name.into_iter().chain(others).collect();
    if parts.is_empty() { "All alerts of the route".to_owned() } else { parts.join(" ") }
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

pub(crate) fn escape(text: &str) -> String {
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
        let html = render("/am", &Who::Local, Ok(vec![group("<script>alert(1)</script>")]));
        assert!(html.contains("<h3>&lt;script&gt;alert(1)&lt;/script&gt; cluster=eu1</h3>"));
        assert!(!html.contains("<script>"));
        assert!(html.contains("href=\"/am/api/v1/openapi.json\""));
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let groups = vec![group("x"); MAX_GROUPS + 1];
        let html = render("", &Who::Local, Ok(groups));
        assert_eq!(html.matches("<article>").count(), MAX_GROUPS);
        assert!(html.contains("1 more groups are not shown"));
    }

    #[test]
    fn quiet_and_trouble_are_told_apart() {
        assert!(render("", &Who::Local, Ok(Vec::new())).contains("Nothing fires. All is quiet."));
        let trouble = render("", &Who::Local, Err(EngineError::Stopping));
        assert!(trouble.contains("No answer: the engine is stopping."));
    }
}
