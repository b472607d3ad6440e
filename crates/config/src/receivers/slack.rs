//! `slack_configs`: messages in Slack, by incoming webhook or by app token.

use std::path::PathBuf;
use std::time::Duration;

use crate::http::HttpConfig;
use crate::reader::{Fields, Reader};
use crate::section::section;
use crate::values::{Secret, SecretSource, SecretUrl, Template, Url};

section! {
    /// Posts to Slack: with `api_url` through an incoming webhook, with `app_token` as an app
    /// (chat.postMessage). What is not given comes from the `slack_*` keys of `global`.
    SlackConfig, check = check => {
        /// Whether resolved alerts are told.
        send_resolved: bool = false;
        /// How the client is set up; the global one when it is not given.
        http_config: Option<HttpConfig>;
        /// The address of the incoming webhook; `slack_api_url` when it is not given.
        api_url: Option<SecretUrl>;
        /// A file that holds the address, read when it is used.
        api_url_file: Option<PathBuf>;
        /// The token of the app; `slack_app_token` when it is not given.
        @Newer app_token: Option<Secret>;
        /// A file that holds the token, read when it is used.
        @Newer app_token_file: Option<PathBuf>;
        /// The method that posts as an app; `slack_app_url` when it is not given.
        @Newer app_url: Option<Url>;
        /// The channel or person; an app needs it, a webhook has one of its own.
        channel: Template;
        /// The name to post under.
        username: Option<Template>;
        /// The colour of the bar: `good`, `warning`, `danger` or `#rrggbb`.
        color: Option<Template>;
        /// The title; at most 1024 characters are sent.
        title: Option<Template>;
        /// Where the title leads.
        title_link: Option<Template>;
        /// The text above the attachment.
        pretext: Option<Template>;
        /// The text of the attachment.
        text: Option<Template>;
        /// The text of the message itself, above all attachments.
        @Newer message_text: Option<Template>;
        /// A table of short facts.
        fields: Vec<SlackField>;
        /// Whether fields stand side by side unless they say otherwise.
        short_fields: bool;
        /// The line below the attachment.
        footer: Option<Template>;
        /// The plain summary shown in notifications.
        fallback: Option<Template>;
        /// The identifier that actions carry back.
        callback_id: Option<Template>;
        /// The emoji to post as, `:name:`.
        icon_emoji: Option<Template>;
        /// The picture to post as.
        icon_url: Option<Template>;
        /// A picture in the attachment.
        image_url: Option<Template>;
        /// A small picture beside the attachment.
        thumb_url: Option<Template>;
        /// Whether `@name` and `#channel` become links.
        link_names: bool;
        /// In which parts Slack's own mark-up is read.
        mrkdwn_in: Option<Vec<String>>;
        /// Buttons and menus.
        actions: Vec<SlackAction>;
        /// Changes the message of a group instead of posting another; needs an app.
        @Newer update_message: bool;
        /// The longest that one request may take; 0 means as long as the group waits.
        @Newer timeout: Duration;
    }
}

section! {
    /// One fact in the table of an attachment.
    SlackField, check = |_, fields, reader: &mut Reader<'_>| {
        reader.require(fields, &["title", "value"]);
    } => {
        /// The name of the fact.
        title: Template;
        /// The fact.
        value: Template;
        /// Whether it stands beside others; unset means as `short_fields` says.
        short: Option<bool>;
    }
}

section! {
    /// One button or menu.
    SlackAction, check = check_action => {
        /// `button` or another of Slack's types.
        r#type: Template;
        /// What it says.
        text: Template;
        /// Where it leads.
        url: Option<Template>;
        /// `default`, `primary` or `danger`.
        style: Option<Template>;
        /// The name that is sent back when it has no `url`.
        name: Option<Template>;
        /// The value that is sent back when it has no `url`.
        value: Option<Template>;
        /// Asks before it acts.
        confirm: Option<SlackConfirm>;
    }
}

section! {
    /// The question before an action.
    SlackConfirm, check = |_, fields, reader: &mut Reader<'_>| {
        reader.require(fields, &["text"]);
    } => {
        /// The question.
        text: Template;
        /// The title of the question.
        title: Option<Template>;
        /// What the button says that goes on.
        ok_text: Option<Template>;
        /// What the button says that does not.
        dismiss_text: Option<Template>;
    }
}

impl SlackConfig {
    /// Returns where the app's token comes from; `None` when a webhook is used.
    pub fn app_token(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.app_token.as_ref(), self.app_token_file.as_deref())
    }
}

fn check(_: &mut SlackConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    let ways = ["api_url", "api_url_file", "app_token", "app_token_file"];
    reader.exclusive(fields, &ways);
}

fn check_action(action: &mut SlackAction, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["type", "text"]);
    if action.url.is_none() && action.name.is_none() {
        reader.error_here(fields, "an action needs `url` or `name`");
    }
}
