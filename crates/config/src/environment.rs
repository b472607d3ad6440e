//! Environment variables that override the file.

use crate::diagnostic::{Diagnostic, Severity};
use crate::global::GlobalConfig;
use crate::incidents::IncidentsConfig;
use crate::values::{HostPort, Secret, SecretUrl, Template};

/// The variables that override the file: name, path of the key, meaning.
pub const VARIABLES: [(&str, &str, &str); 15] = [
    ("SLACK_BOT_TOKEN", "global.slack_app_token", "The token of a Slack app."),
    ("SLACK_WEBHOOK_URL", "global.slack_api_url", "The address of Slack's incoming webhook."),
    ("SMTP_SMARTHOST", "global.smtp_smarthost", "The mail server, `host:port`."),
    ("SMTP_HOST", "global.smtp_smarthost", "The host of the mail server; its port is `SMTP_PORT`."),
    (
        "SMTP_PORT",
        "global.smtp_smarthost",
        "The port of the mail server; 587 when it is not given.",
    ),
    ("SMTP_USERNAME", "global.smtp_auth_username", "The user at the mail server."),
    ("SMTP_PASSWORD", "global.smtp_auth_password", "The password at the mail server."),
    ("SMTP_FROM", "global.smtp_from", "The sender of mails."),
    (
        "SLACK_CHANNEL_INCIDENTS",
        "incidents.variables.incident_channel",
        "Where people talk about incidents, as messages name it.",
    ),
    (
        "POSTMORTEM_AUTOMATION_ENABLED",
        "incidents.begin_postmortems",
        "Whether a postmortem begins by itself, `true` or `false`.",
    ),
    (
        "AUTO_DOCUMENTATION",
        "incidents.draft_postmortems",
        "Whether a postmortem drafts itself, `true` or `false`.",
    ),
    (
        "ACTION_ITEM_TRACKING",
        "incidents.track_actions",
        "Whether people are reminded of action items, `true` or `false`.",
    ),
    (
        "KNOWLEDGE_BASE_INTEGRATION",
        "incidents.use_knowledge",
        "Whether drafts name earlier incidents like one, `true` or `false`.",
    ),
    (
        "IMPROVEMENT_RECOMMENDATIONS",
        "incidents.recommend_actions",
        "Whether drafts recommend what to change, `true` or `false`.",
    ),
    (
        "SLA_MONITORING",
        "incidents.remind",
        "Whether people are reminded of what incidents wait for, `true` or `false`.",
    ),
];

/// A key that a variable has set.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    pub(crate) variable: &'static str,
    pub(crate) key: &'static str,
    /// What it was set to, for the hash of the configuration.
    pub(crate) value: Secret,
}

/// Applies what the environment says; an empty variable counts as absent.
pub(crate) fn apply(
    (global, incidents): (&mut GlobalConfig, &mut IncidentsConfig),
    environment: &dyn Fn(&str) -> Option<String>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Override> {
    let mut overrides = Vec::new();
    let mut complain = |variable: &str, why: String| {
        diagnostics.push(Diagnostic {
            severity: Severity::Error,
            ..Diagnostic::of_file("", format!("environment variable {variable}: {why}"))
        });
    };
    let host = environment("SMTP_HOST").filter(|host| !host.is_empty());
    for (variable, key, _) in VARIABLES {
        let Some(text) = environment(variable).filter(|text| !text.is_empty()) else { continue };
        let value = Secret::new(text.as_str());
        match variable {
            "SLACK_BOT_TOKEN" => {
                global.slack_app_token = Some(value.clone());
                global.slack_app_token_file = None;
            }
            "SLACK_WEBHOOK_URL" => match SecretUrl::parse(&text) {
                Ok(url) => {
                    global.slack_api_url = Some(url);
                    global.slack_api_url_file = None;
                }
                Err(why) => complain(variable, format!("this is not an address: {why}")),
            },
            "SMTP_SMARTHOST" => match text.parse::<HostPort>() {
                Ok(server) => global.smtp_smarthost = Some(server),
                Err(why) => complain(variable, format!("`{text}` is not an address: {why}")),
            },
            "SMTP_HOST" => {
                let host = if text.contains(':') { format!("[{text}]") } else { text };
                match format!("{host}:587").parse::<HostPort>() {
                    Ok(server) => global.smtp_smarthost = Some(server),
                    Err(why) => complain(variable, format!("`{host}` is not a host: {why}")),
                }
            }
            "SMTP_PORT" => match (text.parse(), &mut global.smtp_smarthost) {
                (Ok(port), Some(server)) if port > 0 => server.port = port,
                (Ok(_), None) if host.is_none() => {
                    complain(variable, "it needs `SMTP_HOST` or `smtp_smarthost`".to_owned());
                }
                _ => complain(variable, format!("`{text}` is not a port (1 to 65535)")),
            },
            "SMTP_USERNAME" => global.smtp_auth_username = Some(text),
            "SMTP_PASSWORD" => {
                global.smtp_auth_password = Some(value.clone());
                global.smtp_auth_password_file = None;
            }
            "SMTP_FROM" => global.smtp_from = Some(Template::new(text)),
            "SLACK_CHANNEL_INCIDENTS" => {
                incidents.variables.insert("incident_channel".to_owned(), text);
            }
            _ => {
                let Some(wanted) = read_bool(&text) else {
                    complain(variable, format!("`{text}` is neither `true` nor `false`"));
                    continue;
                };
                if let Some(switch) = switch_of(incidents, variable) {
                    *switch = wanted;
                }
            }
        }
        overrides.push(Override { variable, key, value });
    }
    overrides
}

/// Returns the key that a variable switches on and off.
fn switch_of<'c>(incidents: &'c mut IncidentsConfig, variable: &str) -> Option<&'c mut bool> {
    Some(match variable {
        "POSTMORTEM_AUTOMATION_ENABLED" => &mut incidents.begin_postmortems,
        "AUTO_DOCUMENTATION" => &mut incidents.draft_postmortems,
        "ACTION_ITEM_TRACKING" => &mut incidents.track_actions,
        "KNOWLEDGE_BASE_INTEGRATION" => &mut incidents.use_knowledge,
        "IMPROVEMENT_RECOMMENDATIONS" => &mut incidents.recommend_actions,
        "SLA_MONITORING" => &mut incidents.remind,
        _ => return None,
    })
}

fn read_bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}
