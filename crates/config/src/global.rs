//! `global`: what receivers fall back on.

use std::path::PathBuf;
use std::time::Duration;

use crate::http::{HttpConfig, TlsConfig};
use crate::reader::{Fields, Reader};
use crate::section::section;
use crate::values::{HostPort, Secret, SecretUrl, Template, Url};

section! {
    /// What holds everywhere, and what receivers fall back on when they do not say it themselves.
    GlobalConfig, check = check => {
        /// How long an alert fires when its source names no end.
        resolve_timeout: Duration = Duration::from_secs(300);
        /// How HTTP clients are set up.
        http_config: HttpConfig;
        /// The sender of mails.
        smtp_from: Option<Template>;
        /// The mail server, `host:port`.
        smtp_smarthost: Option<HostPort>;
        /// The host name to say hello with.
        smtp_hello: String = "localhost".to_owned();
        /// The user at the mail server.
        smtp_auth_username: Option<String>;
        /// The password at the mail server, for LOGIN and PLAIN.
        smtp_auth_password: Option<Secret>;
        /// A file that holds it, read when it is used.
        smtp_auth_password_file: Option<PathBuf>;
        /// The secret at the mail server, for CRAM-MD5.
        smtp_auth_secret: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer smtp_auth_secret_file: Option<PathBuf>;
        /// The identity to act as at the mail server, for PLAIN.
        smtp_auth_identity: Option<String>;
        /// Whether the mail server must offer STARTTLS.
        smtp_require_tls: bool = true;
        /// How the mail server is verified.
        @Newer smtp_tls_config: Option<TlsConfig>;
        /// Speaks TLS from the first byte; unset means: on port 465 only.
        @Newer smtp_force_implicit_tls: Option<bool>;
        /// The address of Slack's incoming webhook.
        slack_api_url: Option<SecretUrl>;
        /// A file that holds it, read when it is used.
        slack_api_url_file: Option<PathBuf>;
        /// The token of a Slack app.
        @Newer slack_app_token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer slack_app_token_file: Option<PathBuf>;
        /// The method that posts as a Slack app.
        @Newer slack_app_url: Option<Url> = url("https://slack.com/api/chat.postMessage");
        /// PagerDuty's address.
        pagerduty_url: Option<Url> = url("https://events.pagerduty.com/v2/enqueue");
        /// Opsgenie's address.
        opsgenie_api_url: Option<Url> = url("https://api.opsgenie.com/");
        /// Opsgenie's key.
        opsgenie_api_key: Option<Secret>;
        /// A file that holds it, read when it is used.
        opsgenie_api_key_file: Option<PathBuf>;
        /// WeChat's address.
        wechat_api_url: Option<Url> = url("https://qyapi.weixin.qq.com/cgi-bin/");
        /// WeChat's secret.
        wechat_api_secret: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer wechat_api_secret_file: Option<PathBuf>;
        /// The identifier of the company at WeChat.
        wechat_api_corp_id: Option<String>;
        /// VictorOps' address.
        victorops_api_url: Option<Url> =
            url("https://alert.victorops.com/integrations/generic/20131114/alert/");
        /// VictorOps' key.
        victorops_api_key: Option<Secret>;
        /// A file that holds it, read when it is used.
        victorops_api_key_file: Option<PathBuf>;
        /// Telegram's address.
        telegram_api_url: Option<Url> = url("https://api.telegram.org");
        /// The token of a Telegram bot.
        @Newer telegram_bot_token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer telegram_bot_token_file: Option<PathBuf>;
        /// Webex' address.
        webex_api_url: Option<Url> = url("https://webexapis.com/v1/messages");
        /// Rocket.Chat's address.
        @Newer rocketchat_api_url: Option<Url> = url("https://open.rocket.chat/");
        /// The token of the person who posts to Rocket.Chat.
        @Newer rocketchat_token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer rocketchat_token_file: Option<PathBuf>;
        /// The identifier of the person who posts to Rocket.Chat.
        @Newer rocketchat_token_id: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer rocketchat_token_id_file: Option<PathBuf>;
        /// The address of Mattermost's incoming webhook.
        @Newer mattermost_webhook_url: Option<SecretUrl>;
        /// A file that holds it, read when it is used.
        @Newer mattermost_webhook_url_file: Option<PathBuf>;
        /// Jira's address.
        @Newer jira_api_url: Option<Url>;
    }
}

fn url(text: &str) -> Option<Url> {
    Url::parse(text).ok()
}

fn check(config: &mut GlobalConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    const PAIRS: [&str; 11] = [
        "smtp_auth_password",
        "smtp_auth_secret",
        "slack_api_url",
        "slack_app_token",
        "opsgenie_api_key",
        "wechat_api_secret",
        "victorops_api_key",
        "telegram_bot_token",
        "rocketchat_token",
        "rocketchat_token_id",
        "mattermost_webhook_url",
    ];
    for key in PAIRS {
        let file = format!("{key}_file");
        reader.exclusive(fields, &[key, &file]);
    }
    if config.resolve_timeout.is_zero() {
        let message = "alerts without an end of their own will be resolved as they arrive";
        reader.warn_at(fields, "resolve_timeout", message);
    }
}
