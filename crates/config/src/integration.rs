//! Receivers as the rest of the program sees them: flat, with everything inherited filled in.

use std::sync::Arc;

use tocsin_core::labels::Labels;

use crate::receivers::{
    DiscordConfig, EmailConfig, IncidentioConfig, JiraConfig, MattermostConfig, MsteamsConfig,
    Msteamsv2Config, OpsgenieConfig, PagerdutyConfig, PushoverConfig, RocketchatConfig,
    SlackConfig, SnsConfig, StdoutConfig, TelegramConfig, VictoropsConfig, WebexConfig,
    WebhookConfig, WechatConfig,
};

/// A named list of integrations.
#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    /// Unique.
    pub name: Arc<str>,
    /// Labels of the receiver, `name` among them.
    pub labels: Labels,
    /// What is told; empty for a receiver that swallows.
    pub integrations: Vec<IntegrationConfig>,
    /// The policy by which people are paged, or `auto`.
    pub escalation_policy: Option<Arc<str>>,
}

/// One way to tell somebody.
#[derive(Clone, Debug)]
pub struct IntegrationConfig {
    /// `webhook`, `email`, `slack`, …
    pub kind: &'static str,
    /// The position among the receiver's integrations of the same kind, counted from 0.
    pub index: u32,
    /// Whether resolved alerts are told.
    pub send_resolved: bool,
    /// How it is reached; what `global` provides is filled in.
    pub settings: Settings,
}

/// How an integration is reached.
#[derive(Clone, Debug)]
pub enum Settings {
    /// The group as JSON to an address.
    Webhook(WebhookConfig),
    /// Mail. `from`, `smarthost`, `hello`, `require_tls` and `tls_config` are always set.
    Email(EmailConfig),
    /// Slack. Either `api_url` (or its file) or the app's token (or its file) is set, and
    /// `app_url` with the latter.
    Slack(SlackConfig),
    /// The standard output.
    Stdout(StdoutConfig),
    /// PagerDuty, as event version 1 or 2.
    Pagerduty(PagerdutyConfig),
    /// Opsgenie.
    Opsgenie(OpsgenieConfig),
    /// VictorOps (Splunk On-Call).
    Victorops(VictoropsConfig),
    /// Pushover.
    Pushover(PushoverConfig),
    /// Amazon SNS.
    Sns(SnsConfig),
    /// Telegram.
    Telegram(TelegramConfig),
    /// Discord.
    Discord(DiscordConfig),
    /// Webex.
    Webex(WebexConfig),
    /// Microsoft Teams by the retired connector.
    Msteams(MsteamsConfig),
    /// Microsoft Teams by a workflow.
    Msteamsv2(Msteamsv2Config),
    /// Jira.
    Jira(JiraConfig),
    /// Rocket.Chat.
    Rocketchat(RocketchatConfig),
    /// Mattermost.
    Mattermost(MattermostConfig),
    /// incident.io.
    Incidentio(IncidentioConfig),
    /// WeChat.
    Wechat(WechatConfig),
}
