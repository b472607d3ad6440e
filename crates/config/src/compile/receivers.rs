//! Receivers: their integrations, and what of them can be delivered.

use std::collections::BTreeSet;

use tocsin_core::labels::Labels;
use tocsin_core::policy::Route;

use crate::document::{Document, ReceiverDocument};
use crate::integration::{IntegrationConfig, ReceiverConfig, Settings};
use crate::reader::Reader;

/// Returns the receivers, flat; a name that is taken already is told.
pub(super) fn compile(document: &Document, reader: &mut Reader<'_>) -> Vec<ReceiverConfig> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::with_capacity(document.receivers.len());
    for (index, receiver) in document.receivers.iter().enumerate() {
        let path = format!(".receivers[{index}]");
        if !receiver.name.is_empty() && !seen.insert(receiver.name.as_str()) {
            let span = reader.place(&format!("{path}.name"));
            reader.error_span(span, format!("a second receiver is named `{}`", receiver.name));
        }
        all.push(ReceiverConfig {
            name: receiver.name.as_str().into(),
            labels: labels(receiver),
            integrations: integrations(receiver),
        });
    }
    all
}

fn used(routes: &[Route]) -> BTreeSet<&str> {
    routes.iter().map(|route| &*route.receiver).collect()
}

fn labels(receiver: &ReceiverDocument) -> Labels {
    let name = ("name".to_owned(), receiver.name.clone());
    receiver.labels.clone().into_iter().chain([name]).collect()
}

fn integrations(receiver: &ReceiverDocument) -> Vec<IntegrationConfig> {
    let mut all = Vec::new();
    macro_rules! add {
        ($list:ident, $kind:literal, $settings:path) => {
            for (config, index) in receiver.$list.iter().zip(0..) {
                all.push(IntegrationConfig {
                    kind: $kind,
                    index,
                    send_resolved: config.send_resolved,
                    settings: $settings(config.clone()),
                });
            }
        };
    }
    add!(webhook_configs, "webhook", Settings::Webhook);
    add!(email_configs, "email", Settings::Email);
    add!(slack_configs, "slack", Settings::Slack);
    add!(stdout_configs, "stdout", Settings::Stdout);
    add!(pagerduty_configs, "pagerduty", Settings::Pagerduty);
    add!(opsgenie_configs, "opsgenie", Settings::Opsgenie);
    add!(victorops_configs, "victorops", Settings::Victorops);
    add!(pushover_configs, "pushover", Settings::Pushover);
    add!(sns_configs, "sns", Settings::Sns);
    add!(telegram_configs, "telegram", Settings::Telegram);
    add!(discord_configs, "discord", Settings::Discord);
    add!(webex_configs, "webex", Settings::Webex);
    add!(msteams_configs, "msteams", Settings::Msteams);
    add!(msteamsv2_configs, "msteamsv2", Settings::Msteamsv2);
    add!(jira_configs, "jira", Settings::Jira);
    add!(rocketchat_configs, "rocketchat", Settings::Rocketchat);
    add!(mattermost_configs, "mattermost", Settings::Mattermost);
    add!(incidentio_configs, "incidentio", Settings::Incidentio);
    add!(wechat_configs, "wechat", Settings::Wechat);
    all
}

/// What happens to a template expression.
enum Fate {
    /// It stands where a message goes out to, so nothing could.
    Address,
    /// Something built in takes its place.
    Replaced(&'static str),
    /// It belongs to a kind that is not delivered, which is said already.
    Silent,
}

/// Says what happens to template expressions, which are not evaluated yet.
pub(super) fn check_templates(document: &Document, routes: &[Route], reader: &mut Reader<'_>) {
    let used = used(routes);
    let is_used = |path: &str| {
        let index = path.strip_prefix(".receivers[").and_then(|rest| rest.split_once(']'));
        let receiver = index
            .and_then(|(index, _)| index.parse::<usize>().ok())
            .and_then(|index| document.receivers.get(index));
        receiver.is_some_and(|receiver| used.contains(receiver.name.as_str()))
    };
    for (path, span) in std::mem::take(&mut reader.templates) {
        let key = path.rsplit('.').next().unwrap_or_default();
        match fate(document, &path) {
            Fate::Address if is_used(&path) => {
                let message = format!(
                    "`{key}` uses a template, which is not evaluated yet; nobody would be told"
                );
                reader.error_span(span, message);
            }
            Fate::Address => {
                let message = format!("`{key}` uses a template, which is not evaluated yet");
                reader.warn_span(span, message);
            }
            Fate::Replaced(what) => {
                reader.warn_span(span, format!("`{key}` uses a template; {what}"));
            }
            Fate::Silent => {}
        }
    }
    if !document.templates.is_empty() {
        let place = reader.places.get(".templates").map(|place| place.key);
        let span = place.unwrap_or_else(|| reader.place(".templates"));
        reader.warn_span(span, "template files are not used yet; built-in messages are sent");
    }
    for (index, pattern) in document.templates.iter().enumerate() {
        if let Err(error) = glob::Pattern::new(&pattern.to_string_lossy()) {
            let span = reader.place(&format!(".templates[{index}]"));
            reader.error_span(span, format!("this is not a pattern of files: {}", error.msg));
        }
    }
}

fn fate(document: &Document, path: &str) -> Fate {
    let parts: Vec<&str> = path.split('.').collect();
    let list = |part: &str| part.split('[').next().unwrap_or_default().to_owned();
    let at = |depth: usize| parts.get(depth).copied().unwrap_or_default();
    match (list(at(1)).as_str(), list(at(2)).as_str(), at(3)) {
        ("global", "smtp_from", _) => Fate::Address,
        ("receivers", "email_configs", "to" | "from") => Fate::Address,
        ("receivers", "webhook_configs", "url") => Fate::Address,
        ("receivers", "slack_configs", "channel") if is_app(document, path) => Fate::Address,
        ("receivers", "slack_configs", "channel") => {
            Fate::Replaced("the channel of the incoming webhook is used instead")
        }
        ("receivers", "webhook_configs" | "email_configs" | "slack_configs", _) => {
            Fate::Replaced("a built-in message is sent instead")
        }
        ("receivers", ..) => Fate::Silent,
        ("route", ..) => Fate::Replaced("the label is left out"),
        _ => Fate::Replaced("it is not evaluated yet"),
    }
}

/// Returns whether the Slack integration at `path` posts as an app.
fn is_app(document: &Document, path: &str) -> bool {
    let numbers: Vec<usize> = path.split(['[', ']']).filter_map(|part| part.parse().ok()).collect();
    let [receiver, index, ..] = numbers[..] else { return false };
    let config = document.receivers.get(receiver).and_then(|r| r.slack_configs.get(index));
    config.is_some_and(|config| config.app_token().is_some())
}
