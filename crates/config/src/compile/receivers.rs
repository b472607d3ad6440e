//! Receivers: their integrations, and what of them can be delivered.

use std::collections::BTreeSet;

use tocsin_core::labels::Labels;

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
            escalation_policy: Some(receiver.escalation_policy.as_str().into())
                .filter(|_| !receiver.escalation_policy.is_empty()),
        });
    }
    all
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
