//! What a receiver sends where its configuration says nothing: calls of the default templates.

macro_rules! calls {
    ($($(#[doc = $doc:literal])* $name:ident = $template:literal;)*) => {
        $(
            #[doc = concat!("Calls `", $template, "`.")]
            pub const $name: &str = concat!("{{ template \"", $template, "\" . }}");
        )*

        /// The names of all default templates of receivers.
        pub const NAMES: &[&str] = &[$($template),*];
    };
}

calls! {
    SLACK_TITLE = "slack.default.title";
    SLACK_USERNAME = "slack.default.username";
    SLACK_FALLBACK = "slack.default.fallback";
    SLACK_CALLBACKID = "slack.default.callbackid";
    SLACK_PRETEXT = "slack.default.pretext";
    SLACK_TITLELINK = "slack.default.titlelink";
    SLACK_ICONEMOJI = "slack.default.iconemoji";
    SLACK_ICONURL = "slack.default.iconurl";
    SLACK_FOOTER = "slack.default.footer";
    SLACK_COLOR = "slack.default.color";
    SLACK_TEXT = "slack.default.text";
    MATTERMOST_USERNAME = "mattermost.default.username";
    MATTERMOST_FALLBACK = "mattermost.default.fallback";
    MATTERMOST_CALLBACKID = "mattermost.default.callbackid";
    MATTERMOST_PRETEXT = "mattermost.default.pretext";
    MATTERMOST_TITLE = "mattermost.default.title";
    MATTERMOST_TITLELINK = "mattermost.default.titlelink";
    MATTERMOST_COLOR = "mattermost.default.color";
    MATTERMOST_FOOTER = "mattermost.default.footer";
    MATTERMOST_ICONURL = "mattermost.default.iconurl";
    MATTERMOST_ICONEMOJI = "mattermost.default.iconemoji";
    MATTERMOST_TEXT = "mattermost.default.text";
    ROCKETCHAT_TITLE = "rocketchat.default.title";
    ROCKETCHAT_ALIAS = "rocketchat.default.alias";
    ROCKETCHAT_TITLELINK = "rocketchat.default.titlelink";
    ROCKETCHAT_EMOJI = "rocketchat.default.emoji";
    ROCKETCHAT_ICONURL = "rocketchat.default.iconurl";
    ROCKETCHAT_COLOR = "rocketchat.default.color";
    ROCKETCHAT_TEXT = "rocketchat.default.text";
    DISCORD_TITLE = "discord.default.title";
    DISCORD_CONTENT = "discord.default.content";
    DISCORD_MESSAGE = "discord.default.message";
    WEBEX_MESSAGE = "webex.default.message";
    MSTEAMS_SUMMARY = "msteams.default.summary";
    MSTEAMS_TITLE = "msteams.default.title";
    MSTEAMS_TEXT = "msteams.default.text";
    MSTEAMSV2_TITLE = "msteamsv2.default.title";
    MSTEAMSV2_TEXT = "msteamsv2.default.text";
    TELEGRAM_MESSAGE = "telegram.default.message";
    WECHAT_MESSAGE = "wechat.default.message";
    WECHAT_TO_USER = "wechat.default.to_user";
    WECHAT_TO_PARTY = "wechat.default.to_party";
    WECHAT_TO_TAG = "wechat.default.to_tag";
    WECHAT_AGENT_ID = "wechat.default.agent_id";
    PAGERDUTY_DESCRIPTION = "pagerduty.default.description";
    PAGERDUTY_CLIENT = "pagerduty.default.client";
    PAGERDUTY_CLIENT_URL = "pagerduty.default.clientURL";
    OPSGENIE_MESSAGE = "opsgenie.default.message";
    OPSGENIE_SOURCE = "opsgenie.default.source";
    OPSGENIE_DESCRIPTION = "opsgenie.default.description";
    VICTOROPS_STATE_MESSAGE = "victorops.default.state_message";
    VICTOROPS_ENTITY_DISPLAY_NAME = "victorops.default.entity_display_name";
    VICTOROPS_MONITORING_TOOL = "victorops.default.monitoring_tool";
    PUSHOVER_TITLE = "pushover.default.title";
    PUSHOVER_MESSAGE = "pushover.default.message";
    PUSHOVER_URL = "pushover.default.url";
    SNS_SUBJECT = "sns.default.subject";
    SNS_MESSAGE = "sns.default.message";
    INCIDENTIO_TITLE = "incidentio.default.title";
    INCIDENTIO_DESCRIPTION = "incidentio.default.description";
    JIRA_SUMMARY = "jira.default.summary";
    JIRA_DESCRIPTION = "jira.default.description";
    JIRA_PRIORITY = "jira.default.priority";
    EMAIL_SUBJECT = "email.default.subject";
    EMAIL_TEXT = "email.default.text";
    EMAIL_HTML = "email.default.html";
}
