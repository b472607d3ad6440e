//! What is posted to Slack: one attachment, from the settings where they are plain text and from
//! the built-in wording everywhere else.

use serde_json::{Map, Value, json};
use tocsin_config::{SlackAction, SlackConfig, SlackField, Template};

use crate::message::{Line, MAX_TEXT_CHARS, MAX_TITLE_CHARS, Message, cut};

/// The parts of an attachment in which `*bold*` and links are read.
const MARKED_UP: [&str; 3] = ["fallback", "pretext", "text"];

/// Returns the body of the request.
pub(super) fn request(config: &SlackConfig, message: &Message, external_url: &str) -> Value {
    let mut attachment = Map::new();
    put(&mut attachment, "title", Some(&title(config, message)));
    put(&mut attachment, "title_link", plain(&config.title_link).or(Some(external_url)));
    put(&mut attachment, "pretext", plain(&config.pretext));
    put(
        &mut attachment,
        "text",
        Some(&plain(&config.text).map_or_else(|| text(message), str::to_owned)),
    );
    put(&mut attachment, "fallback", plain(&config.fallback).or(Some(&message.title)));
    put(&mut attachment, "callback_id", plain(&config.callback_id));
    put(&mut attachment, "image_url", plain(&config.image_url));
    put(&mut attachment, "thumb_url", plain(&config.thumb_url));
    put(&mut attachment, "footer", plain(&config.footer));
    let color = if message.is_firing { "danger" } else { "good" };
    put(&mut attachment, "color", plain(&config.color).or(Some(color)));
    match &config.mrkdwn_in {
        Some(parts) => attachment.insert("mrkdwn_in".to_owned(), json!(parts)),
        None => attachment.insert("mrkdwn_in".to_owned(), json!(MARKED_UP)),
    };
    let fields: Vec<Value> =
        config.fields.iter().filter_map(|field| self::field(field, config.short_fields)).collect();
    if !fields.is_empty() {
        attachment.insert("fields".to_owned(), Value::Array(fields));
    }
    let actions: Vec<Value> = config.actions.iter().filter_map(action).collect();
    if !actions.is_empty() {
        attachment.insert("actions".to_owned(), Value::Array(actions));
    }

    let mut request = Map::new();
    put(&mut request, "channel", config.channel.literal());
    put(&mut request, "username", plain(&config.username));
    put(&mut request, "icon_emoji", plain(&config.icon_emoji));
    put(&mut request, "icon_url", plain(&config.icon_url));
    put(&mut request, "text", plain(&config.message_text));
    if config.link_names {
        request.insert("link_names".to_owned(), json!(true));
    }
    request.insert("attachments".to_owned(), json!([attachment]));
    Value::Object(request)
}

/// Returns a setting that is plain text; `None` when it is not set or a template.
fn plain(setting: &Option<Template>) -> Option<&str> {
    setting.as_ref()?.literal()
}

/// Sets a text unless it is empty: Slack takes an empty one for a mistake.
fn put(object: &mut Map<String, Value>, key: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        object.insert(key.to_owned(), json!(text));
    }
}

fn title(config: &SlackConfig, message: &Message) -> String {
    match plain(&config.title) {
        Some(title) => cut(title, MAX_TITLE_CHARS),
        None => message.title.clone(),
    }
}

/// Returns a fact of the table, unless half of it is a template.
fn field(field: &SlackField, short_fields: bool) -> Option<Value> {
    Some(json!({
        "title": field.title.literal()?,
        "value": field.value.literal()?,
        "short": field.short.unwrap_or(short_fields),
    }))
}

/// Returns a button, unless what it says or does is a template: half a button helps nobody.
fn action(action: &SlackAction) -> Option<Value> {
    let mut out = Map::new();
    put(&mut out, "type", Some(action.r#type.literal()?));
    put(&mut out, "text", Some(action.text.literal()?));
    for (key, setting) in [
        ("url", &action.url),
        ("style", &action.style),
        ("name", &action.name),
        ("value", &action.value),
    ] {
        if let Some(setting) = setting {
            put(&mut out, key, Some(setting.literal()?));
        }
    }
    if let Some(confirm) = &action.confirm {
        let mut question = Map::new();
        put(&mut question, "text", Some(confirm.text.literal()?));
        put(&mut question, "title", plain(&confirm.title));
        put(&mut question, "ok_text", plain(&confirm.ok_text));
        put(&mut question, "dismiss_text", plain(&confirm.dismiss_text));
        out.insert("confirm".to_owned(), Value::Object(question));
    }
    Some(Value::Object(out))
}

/// Returns the built-in text: what all alerts share, then one line per alert.
fn text(message: &Message) -> String {
    let mut head = Vec::new();
    if let Some(severity) = &message.severity {
        head.push(format!("severity {}", escape(severity)));
    }
    if !message.shared.is_empty() {
        head.push(escape(&message.shared_text()));
    }
    if let Some(link) = message.runbook_url.as_deref().and_then(|url| link(url, "runbook")) {
        head.push(link);
    }
    let mut text = cut(&head.join(" · "), MAX_TEXT_CHARS / 2);
    let mut hidden = message.hidden;
    for (index, line) in message.lines.iter().enumerate() {
        let room = MAX_TEXT_CHARS.saturating_sub(text.chars().count());
        // Links are long; without them the line may still have its place.
        let fitting = [true, false]
            .map(|with_links| words(line, with_links))
            .into_iter()
            .find(|words| words.chars().count() < room);
        let Some(words) = fitting else {
            hidden += message.lines.len() - index;
            break;
        };
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&words);
    }
    if hidden > 0 {
        text.push_str(&format!("\n… and {hidden} more"));
    }
    text
}

fn words(line: &Line, with_links: bool) -> String {
    let mut words = format!("*{}* {} {}", line.state(), escape(&line.name), escape(&line.duration));
    if !line.detail.is_empty() {
        words.push_str(": ");
        words.push_str(&escape(&line.detail));
    }
    if !line.labels.is_empty() {
        words.push_str(&format!(" ({})", escape(&line.labels)));
    }
    if with_links {
        let links = [(&line.runbook_url, "runbook"), (&line.source_url, "source")];
        for (url, name) in links {
            if let Some(link) = url.as_deref().and_then(|url| link(url, name)) {
                words.push(' ');
                words.push_str(&link);
            }
        }
    }
    words
}

/// Returns a link in Slack's notation, if the address is one of the web.
fn link(url: &str, name: &str) -> Option<String> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_clean = !url.contains(['|', ' ', '\n', '\r']);
    (is_web && is_clean).then(|| format!("<{}|{name}>", escape(url)))
}

/// Escapes the three characters that mean something to Slack; above all, `<!channel>` in a label
/// must not call everybody.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::{alert, notification};

    fn message(summary: &str) -> Message {
        let labels = |i| [("alertname", "Slow"), ("severity", "critical"), ("instance", i)];
        Message::new(&notification(
            &[("alertname", "Slow")],
            vec![
                alert(&labels("a"), &[("summary", summary)]),
                alert(&labels("b"), &[("runbook_url", "https://rb.example/x")]),
            ],
        ))
    }

    #[test]
    fn without_settings_the_attachment_is_ours() {
        let config = SlackConfig { channel: Template::new("#ops"), ..SlackConfig::default() };
        let request = request(&config, &message("p99 > 2 s"), "http://tocsin.example");
        assert_eq!(
            request,
            json!({
                "channel": "#ops",
                "attachments": [{
                    "title": "[FIRING:2] Slow",
                    "title_link": "http://tocsin.example",
                    "text": "severity critical\n\
                        *FIRING* Slow for 5m: p99 &gt; 2 s (instance=a) \
                        <http://prom.example/graph?g0.expr=up&amp;g0.tab=1|source>\n\
                        *FIRING* Slow for 5m (instance=b) <https://rb.example/x|runbook> \
                        <http://prom.example/graph?g0.expr=up&amp;g0.tab=1|source>",
                    "fallback": "[FIRING:2] Slow",
                    "color": "danger",
                    "mrkdwn_in": ["fallback", "pretext", "text"],
                }],
            })
        );
    }

    #[test]
    fn plain_settings_are_used_and_templates_are_not() {
        let template = |text: &str| Some(Template::new(text));
        let action = |url: &str| SlackAction {
            r#type: Template::new("button"),
            text: Template::new("Open"),
            url: template(url),
            ..SlackAction::default()
        };
        let config = SlackConfig {
            title: template("{{ .Status }}"),
            text: template("see the board"),
            pretext: template("{{ .x }}"),
            color: template("#abcdef"),
            username: template("tocsin"),
            link_names: true,
            short_fields: true,
            fields: vec![
                SlackField {
                    title: Template::new("Team"),
                    value: Template::new("db"),
                    short: None,
                },
                SlackField {
                    title: Template::new("Team"),
                    value: Template::new("{{ .team }}"),
                    short: None,
                },
            ],
            actions: vec![action("https://board.example"), action("{{ .url }}")],
            ..SlackConfig::default()
        };
        let request = request(&config, &message(""), "");
        assert_eq!(
            request,
            json!({
                "username": "tocsin",
                "link_names": true,
                "attachments": [{
                    "title": "[FIRING:2] Slow",
                    "text": "see the board",
                    "fallback": "[FIRING:2] Slow",
                    "color": "#abcdef",
                    "mrkdwn_in": ["fallback", "pretext", "text"],
                    "fields": [{"title": "Team", "value": "db", "short": true}],
                    "actions": [
                        {"type": "button", "text": "Open", "url": "https://board.example"},
                    ],
                }],
            })
        );
    }

    #[test]
    fn a_label_cannot_call_the_whole_channel() {
        assert!(!text(&message("<!channel> now")).contains("<!channel>"));
        assert_eq!(link("javascript:alert(1)", "x"), None);
    }

    #[test]
    fn a_long_title_is_cut_and_a_storm_is_bounded() {
        let config =
            SlackConfig { title: Some(Template::new("ä".repeat(2_000))), ..Default::default() };
        let title = title(&config, &message(""));
        assert_eq!(title.chars().count(), MAX_TITLE_CHARS);

        let storm: Vec<_> = (0..100)
            .map(|i| {
                let i = i.to_string();
                let labels = [("alertname", "Slow"), ("instance", i.as_str())];
                alert(&labels, &[("summary", &"<".repeat(290))])
            })
            .collect();
        let text = text(&Message::new(&notification(&[], storm)));
        assert!(text.chars().count() <= MAX_TEXT_CHARS + 20, "{}", text.chars().count());
        let listed = text.matches("*FIRING*").count();
        assert!(text.ends_with(&format!("… and {} more", 100 - listed)), "{listed}: {text}");
    }
}
