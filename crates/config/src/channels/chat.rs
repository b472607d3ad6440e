//! Chats.

use std::path::PathBuf;
use std::time::Duration;

use crate::http::HttpConfig;
use crate::reader::{Fields, Reader};
use crate::section::section;
use crate::values::{Secret, SecretSource, Url};

section! {
    /// Posts to Slack as an app, and takes its buttons and the command `/tocsin`.
    SlackChannelConfig, check = check_slack => {
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
        /// The token of the app, `xoxb-…`; `slack_app_token` when it is not given.
        @Native bot_token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native bot_token_file: Option<PathBuf>;
        /// What Slack signs with; without it no button and no command is taken.
        @Native signing_secret: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native signing_secret_file: Option<PathBuf>;
        /// How old a signature may be.
        @Native signature_tolerance: Duration = Duration::from_secs(300);
        /// Whether messages carry buttons; they need `signing_secret`.
        @Native interactive: bool = true;
        /// Whether what is posted to a thread is shown in the channel, too.
        @Native thread_broadcast: bool;
        /// User groups that hold whoever is on call.
        @Native user_groups: Vec<UserGroupConfig>;
        /// Where Slack's methods are, or those of a service that imitates it.
        @Native api_url: Option<Url> = Url::parse("https://slack.com/api").ok();
    }
}

section! {
    /// Keeps a user group equal to whoever is on call in a schedule.
    UserGroupConfig, check = check_group => {
        /// The schedule.
        @Native schedule: String;
        /// The id of the group, `S…`, or its handle.
        @Native user_group: String;
        /// Where it is said that nobody on call is known to Slack; the group then stays as it is.
        @Native error_channel: Option<String>;
    }
}

section! {
    /// Posts cards to workflows of Microsoft Teams.
    MsteamsChannelConfig => {
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
    }
}

section! {
    /// Posts to Telegram as a bot, and takes its buttons.
    TelegramChannelConfig, check = check_telegram => {
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
        /// The token of the bot; `telegram_bot_token` when it is not given.
        @Native bot_token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native bot_token_file: Option<PathBuf>;
        /// What Telegram proves itself with, as `secret_token` in `setWebhook`; without it no
        /// button is taken.
        @Native webhook_secret: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native webhook_secret_file: Option<PathBuf>;
        /// Telegram's address; `telegram_api_url` when it is not given.
        @Native api_url: Option<Url>;
    }
}

section! {
    /// Posts to Mattermost as a bot, and takes its buttons.
    MattermostChannelConfig, check = check_mattermost => {
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
        /// The address of the server.
        @Native url: Option<Url>;
        /// The token of the bot.
        @Native token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native token_file: Option<PathBuf>;
    }
}

section! {
    /// Posts to webhooks of Discord.
    DiscordChannelConfig => {
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
    }
}

fn check_slack(slack: &mut SlackChannelConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exclusive(fields, &["bot_token", "bot_token_file"]);
    reader.exclusive(fields, &["signing_secret", "signing_secret_file"]);
    if slack.signature_tolerance.is_zero() {
        let message = "`signature_tolerance` must be longer than 0";
        reader.error_at(fields, "signature_tolerance", message);
    }
    if fields.has("interactive") && slack.interactive && slack.signing().is_none() {
        let message = "buttons need `signing_secret`; without it messages carry links instead";
        reader.warn_at(fields, "interactive", message);
    }
}

fn check_group(_: &mut UserGroupConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["schedule", "user_group"]);
}

fn check_telegram(_: &mut TelegramChannelConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exclusive(fields, &["bot_token", "bot_token_file"]);
    reader.exclusive(fields, &["webhook_secret", "webhook_secret_file"]);
}

fn check_mattermost(_: &mut MattermostChannelConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exclusive(fields, &["token", "token_file"]);
    reader.require(fields, &["url"]);
    if !fields.has("token") && !fields.has("token_file") {
        reader.error_here(fields, "`token` or `token_file` is needed");
    }
}

impl SlackChannelConfig {
    /// Returns where the token of the app comes from.
    pub fn token(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.bot_token.as_ref(), self.bot_token_file.as_deref())
    }

    /// Returns what Slack signs with.
    pub fn signing(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.signing_secret.as_ref(), self.signing_secret_file.as_deref())
    }

    /// Returns whether messages carry buttons.
    pub fn has_buttons(&self) -> bool {
        self.interactive && self.signing().is_some()
    }
}

impl TelegramChannelConfig {
    /// Returns where the token of the bot comes from.
    pub fn token(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.bot_token.as_ref(), self.bot_token_file.as_deref())
    }

    /// Returns what Telegram proves itself with.
    pub fn webhook_secret(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.webhook_secret.as_ref(), self.webhook_secret_file.as_deref())
    }
}

impl MattermostChannelConfig {
    /// Returns where the token of the bot comes from.
    pub fn token(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.token.as_ref(), self.token_file.as_deref())
    }
}
