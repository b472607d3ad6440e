//! The whole file as it is written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::channels::ChannelsConfig;
use crate::escalation::{EscalationPolicyConfig, HeartbeatConfig, PagingConfig, SeverityConfig};
use crate::global::GlobalConfig;
use crate::identity::{AccessConfig, PersonConfig, TeamConfig};
use crate::inbound::InboundConfig;
use crate::incidents::IncidentsConfig;
use crate::interval::NamedTimeIntervalConfig;
use crate::native::{CompatConfig, LimitsConfig, MaintenanceWindowConfig, RetentionConfig};
use crate::observability::{EventRecorderConfig, TracingConfig};
use crate::outbound::OutboundConfig;
use crate::reader::{Fields, Reader};
use crate::receivers::*;
use crate::route::{InhibitRuleConfig, RouteConfig};
use crate::schedule::{HolidayCalendarConfig, ScheduleConfig};
use crate::section::section;
use crate::tenant::TenantConfig;

section! {
    /// The settings of Tocsin: everything of `alertmanager.yml` with the same meaning, and more.
    Document => {
        /// What holds everywhere, and what receivers fall back on.
        global: GlobalConfig;
        /// The root of the routes; it takes every alert.
        route: Option<Box<RouteConfig>>;
        /// Alerts that keep others quiet.
        inhibit_rules: Vec<InhibitRuleConfig>;
        /// Who can be told.
        receivers: Vec<ReceiverDocument>;
        /// Calendar conditions that routes refer to.
        time_intervals: Vec<NamedTimeIntervalConfig>;
        /// The older name of `time_intervals`.
        @Deprecated mute_time_intervals: Vec<NamedTimeIntervalConfig>;
        /// Files with templates; patterns such as `templates/*.tmpl` are fine.
        templates: Vec<PathBuf>;
        /// Where traces are sent.
        @Newer tracing: Option<TracingConfig>;
        /// Where a record of everything that happens is written.
        @Newer event_recorder: Option<EventRecorderConfig>;
        /// Which improvements over Alertmanager are on: `native`, `alertmanager` or a mapping.
        @Native compat: CompatConfig;
        /// Who tells us alerts beside Prometheus.
        @Native integrations: Vec<InboundConfig>;
        /// Planned quiet times.
        @Native maintenance_windows: Vec<MaintenanceWindowConfig>;
        /// How long the past is kept.
        @Native retention: RetentionConfig;
        /// Bounds on what is held and taken.
        @Native limits: LimitsConfig;
        /// People who work with the alerts.
        @Native people: Vec<PersonConfig>;
        /// Teams and who belongs to them.
        @Native teams: Vec<TeamConfig>;
        /// The services through which people are paged and answer.
        @Native channels: Box<ChannelsConfig>;
        /// Who is on call when.
        @Native schedules: Vec<ScheduleConfig>;
        /// Calendars whose days are holidays in the schedules that name them.
        @Native holidays: Vec<HolidayCalendarConfig>;
        /// Who is let in, and how long people stay signed in.
        @Native access: AccessConfig;
        /// Which addresses may be connected to.
        @Native outbound: OutboundConfig;
        /// What words of the label `severity` mean.
        @Native severity: SeverityConfig;
        /// Whom to page and when, while nobody answers.
        @Native escalation_policies: Vec<EscalationPolicyConfig>;
        /// How paging works as a whole.
        @Native paging: PagingConfig;
        /// When incidents begin, reopen and end by themselves.
        @Native incidents: IncidentsConfig;
        /// What is expected to say that it is alive.
        @Native heartbeats: Vec<HeartbeatConfig>;
        /// Others who share this process, each with a configuration of its own.
        @Native tenants: Vec<TenantConfig>;
    }
}

section! {
    /// Somebody who can be told, in any number of ways. Without any, alerts are swallowed.
    ReceiverDocument, check = check_receiver => {
        /// The name.
        name: String;
        /// Labels of the receiver, to choose receivers by.
        @Newer labels: BTreeMap<String, String>;
        /// The policy by which people are paged; `auto` chooses it by service and severity.
        @Native escalation_policy: String;
        /// The group as JSON to addresses of your own.
        webhook_configs: Vec<WebhookConfig>;
        /// Mail.
        email_configs: Vec<EmailConfig>;
        /// Slack.
        slack_configs: Vec<SlackConfig>;
        /// The standard output.
        @Native stdout_configs: Vec<StdoutConfig>;
        /// PagerDuty.
        pagerduty_configs: Vec<PagerdutyConfig>;
        /// Opsgenie.
        opsgenie_configs: Vec<OpsgenieConfig>;
        /// WeChat.
        wechat_configs: Vec<WechatConfig>;
        /// Pushover.
        pushover_configs: Vec<PushoverConfig>;
        /// VictorOps (Splunk On-Call).
        victorops_configs: Vec<VictoropsConfig>;
        /// Amazon SNS.
        sns_configs: Vec<SnsConfig>;
        /// Telegram.
        telegram_configs: Vec<TelegramConfig>;
        /// Discord.
        discord_configs: Vec<DiscordConfig>;
        /// Webex.
        webex_configs: Vec<WebexConfig>;
        /// Microsoft Teams by the retired connector.
        @Newer msteams_configs: Vec<MsteamsConfig>;
        /// Microsoft Teams by a workflow.
        @Newer msteamsv2_configs: Vec<Msteamsv2Config>;
        /// Jira.
        @Newer jira_configs: Vec<JiraConfig>;
        /// Rocket.Chat.
        @Newer rocketchat_configs: Vec<RocketchatConfig>;
        /// Mattermost.
        @Newer mattermost_configs: Vec<MattermostConfig>;
        /// incident.io.
        @Newer incidentio_configs: Vec<IncidentioConfig>;
    }
}

fn check_receiver(receiver: &mut ReceiverDocument, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["name"]);
    if let Some(label) = receiver.labels.get("name").filter(|label| **label != receiver.name) {
        let message = format!("the label `name` must be the receiver's name, not `{label}`");
        reader.error_at(fields, "labels", message);
    }
}
