//! `channels`: the services through which people are paged and answer.

mod chat;
mod push;
mod telephony;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::global::GlobalConfig;
use crate::http::{HttpConfig, TlsConfig};
use crate::reader::{Fields, Reader};
use crate::receivers::EmailConfig;
use crate::section::section;
use crate::values::{HostPort, Secret, SecretSource, Template, Url};

pub use chat::{
    DiscordChannelConfig, MattermostChannelConfig, MsteamsChannelConfig, SlackChannelConfig,
    TelegramChannelConfig, UserGroupConfig,
};
pub use push::{NtfyChannelConfig, WebPushChannelConfig};
pub use telephony::{PhoneNumber, TwilioChannelConfig};

section! {
    /// The services through which people are paged and answer. What is not given comes from
    /// `global`, where that has it.
    ChannelsConfig => {
        /// Mail.
        @Native email: EmailChannelConfig;
        /// Text messages and calls, by Twilio or a service that speaks like it.
        @Native twilio: TwilioChannelConfig;
        /// Slack, as an app.
        @Native slack: SlackChannelConfig;
        /// Microsoft Teams; each person or place is the address of a workflow.
        @Native msteams: MsteamsChannelConfig;
        /// Telegram, as a bot.
        @Native telegram: TelegramChannelConfig;
        /// Mattermost, as a bot.
        @Native mattermost: MattermostChannelConfig;
        /// Discord; each person or place is the address of a webhook.
        @Native discord: DiscordChannelConfig;
        /// ntfy, on phones without any vendor's account.
        @Native ntfy: NtfyChannelConfig;
        /// Browsers that subscribed.
        @Native web_push: WebPushChannelConfig;
        /// Programs of your own; each person or place is an address.
        @Native webhook: WebhookChannelConfig;
        /// PagerDuty; each person or place is a routing key.
        @Native pagerduty: PagerdutyChannelConfig;
        /// Opsgenie; each person or place is a responder.
        @Native opsgenie: OpsgenieChannelConfig;
    }
}

section! {
    /// The server that pages by mail go through; what is not given comes from the `smtp_*` keys of
    /// `global`.
    EmailChannelConfig, check = check_email => {
        /// The sender; `smtp_from` when it is not given.
        @Native from: Option<Template>;
        /// The server; `smtp_smarthost` when it is not given.
        @Native smarthost: Option<HostPort>;
        /// The host name to say hello with; `smtp_hello` when it is not given.
        @Native hello: Option<String>;
        /// The user for LOGIN, PLAIN and CRAM-MD5.
        @Native auth_username: Option<String>;
        /// The password for LOGIN and PLAIN.
        @Native auth_password: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native auth_password_file: Option<PathBuf>;
        /// The secret for CRAM-MD5.
        @Native auth_secret: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native auth_secret_file: Option<PathBuf>;
        /// The identity to act as, for PLAIN.
        @Native auth_identity: Option<String>;
        /// Whether the server must offer STARTTLS; `smtp_require_tls` when it is not given.
        @Native require_tls: Option<bool>;
        /// How the server is verified; `smtp_tls_config` when it is not given.
        @Native tls_config: Option<TlsConfig>;
        /// Speaks TLS from the first byte; unset means: on port 465 only.
        @Native force_implicit_tls: Option<bool>;
    }
}

section! {
    /// Posts JSON to addresses of your own, signed as Standard Webhooks describes it.
    WebhookChannelConfig, check = check_webhook => {
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
        /// What messages are signed with; unset means that they carry no signature.
        @Native signing_secret: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native signing_secret_file: Option<PathBuf>;
        /// How long an answer may take.
        @Native timeout: Duration = Duration::from_secs(10);
    }
}

section! {
    /// Sends events to PagerDuty, one incident for each escalation.
    PagerdutyChannelConfig => {
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
        /// PagerDuty's address; `pagerduty_url` when it is not given.
        @Native url: Option<Url>;
    }
}

section! {
    /// Makes alerts in Opsgenie, one for each escalation.
    OpsgenieChannelConfig, check = check_opsgenie => {
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
        /// The key; `opsgenie_api_key` when it is not given.
        @Native api_key: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native api_key_file: Option<PathBuf>;
        /// Opsgenie's address; `opsgenie_api_url` when it is not given.
        @Native api_url: Option<Url>;
    }
}

fn check_email(_: &mut EmailChannelConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exclusive(fields, &["auth_password", "auth_password_file"]);
    reader.exclusive(fields, &["auth_secret", "auth_secret_file"]);
}

fn check_webhook(webhook: &mut WebhookChannelConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exclusive(fields, &["signing_secret", "signing_secret_file"]);
    if webhook.timeout.is_zero() {
        reader.error_at(fields, "timeout", "`timeout` must be longer than 0");
    }
}

fn check_opsgenie(_: &mut OpsgenieChannelConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exclusive(fields, &["api_key", "api_key_file"]);
}

impl EmailChannelConfig {
    /// Returns the settings of the mail server as those who send mail read them; nobody is set as
    /// the recipient.
    pub fn server(&self) -> EmailConfig {
        EmailConfig {
            from: self.from.clone(),
            smarthost: self.smarthost.clone(),
            hello: self.hello.clone(),
            auth_username: self.auth_username.clone(),
            auth_password: self.auth_password.clone(),
            auth_password_file: self.auth_password_file.clone(),
            auth_secret: self.auth_secret.clone(),
            auth_secret_file: self.auth_secret_file.clone(),
            auth_identity: self.auth_identity.clone(),
            require_tls: self.require_tls,
            tls_config: self.tls_config.clone(),
            force_implicit_tls: self.force_implicit_tls,
            ..EmailConfig::default()
        }
    }
}

impl WebhookChannelConfig {
    /// Returns what messages are signed with.
    pub fn secret(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.signing_secret.as_ref(), self.signing_secret_file.as_deref())
    }
}

impl OpsgenieChannelConfig {
    /// Returns where the key comes from.
    pub fn key(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.api_key.as_ref(), self.api_key_file.as_deref())
    }
}

impl ChannelsConfig {
    /// Returns the same with what `global` says where a channel says nothing itself.
    pub(crate) fn with_global(&self, global: &GlobalConfig) -> Self {
        let mut all = self.clone();
        inherit_mail(&mut all.email, global);
        pair(
            (&mut all.slack.bot_token, &mut all.slack.bot_token_file),
            (global.slack_app_token.as_ref(), global.slack_app_token_file.as_ref()),
        );
        pair(
            (&mut all.telegram.bot_token, &mut all.telegram.bot_token_file),
            (global.telegram_bot_token.as_ref(), global.telegram_bot_token_file.as_ref()),
        );
        pair(
            (&mut all.opsgenie.api_key, &mut all.opsgenie.api_key_file),
            (global.opsgenie_api_key.as_ref(), global.opsgenie_api_key_file.as_ref()),
        );
        or_take(&mut all.telegram.api_url, global.telegram_api_url.as_ref());
        or_take(&mut all.opsgenie.api_url, global.opsgenie_api_url.as_ref());
        or_take(&mut all.pagerduty.url, global.pagerduty_url.as_ref());
        for http in [
            &mut all.twilio.http_config,
            &mut all.slack.http_config,
            &mut all.telegram.http_config,
            &mut all.mattermost.http_config,
            &mut all.pagerduty.http_config,
            &mut all.opsgenie.http_config,
        ] {
            or_take(http, Some(&global.http_config));
        }
        // Where people set the address, whoever answers there learns nothing that proves who we
        // are elsewhere.
        let without_credentials = HttpConfig {
            basic_auth: None,
            authorization: None,
            oauth2: None,
            http_headers: BTreeMap::new(),
            ..global.http_config.clone()
        };
        for http in [
            &mut all.msteams.http_config,
            &mut all.discord.http_config,
            &mut all.ntfy.http_config,
            &mut all.web_push.http_config,
            &mut all.webhook.http_config,
        ] {
            or_take(http, Some(&without_credentials));
        }
        all
    }
}

fn inherit_mail(mail: &mut EmailChannelConfig, global: &GlobalConfig) {
    or_take(&mut mail.from, global.smtp_from.as_ref());
    // Who names another server means another account, too.
    let is_same_server = mail.smarthost.is_none();
    or_take(&mut mail.smarthost, global.smtp_smarthost.as_ref());
    or_take(&mut mail.hello, Some(&global.smtp_hello));
    if is_same_server {
        or_take(&mut mail.auth_username, global.smtp_auth_username.as_ref());
        or_take(&mut mail.auth_identity, global.smtp_auth_identity.as_ref());
        or_take(&mut mail.force_implicit_tls, global.smtp_force_implicit_tls.as_ref());
        pair(
            (&mut mail.auth_password, &mut mail.auth_password_file),
            (global.smtp_auth_password.as_ref(), global.smtp_auth_password_file.as_ref()),
        );
        pair(
            (&mut mail.auth_secret, &mut mail.auth_secret_file),
            (global.smtp_auth_secret.as_ref(), global.smtp_auth_secret_file.as_ref()),
        );
    }
    or_take(&mut mail.require_tls, Some(&global.smtp_require_tls));
    or_take(&mut mail.tls_config, global.smtp_tls_config.as_ref());
}

fn or_take<T: Clone>(own: &mut Option<T>, other: Option<&T>) {
    if own.is_none() {
        *own = other.cloned();
    }
}

/// Takes a secret and its file together, so that the one never meets the other's.
fn pair(
    (own, own_file): (&mut Option<Secret>, &mut Option<PathBuf>),
    (other, other_file): (Option<&Secret>, Option<&PathBuf>),
) {
    if own.is_none() && own_file.is_none() {
        *own = other.cloned();
        *own_file = other_file.cloned();
    }
}
