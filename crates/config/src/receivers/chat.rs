//! Receivers that write to chats.

use std::path::PathBuf;

use crate::http::HttpConfig;
use crate::reader::{Fields, Reader};
use crate::section::{section, words};
use crate::values::{Secret, SecretUrl, Template, Url};

section! {
    /// Messages in WeChat. What is not given comes from the `wechat_*` keys of `global`.
    WechatConfig, check = |_, fields, reader: &mut Reader<'_>| {
        reader.exclusive(fields, &["api_secret", "api_secret_file"]);
    } => {
        /// Whether resolved alerts are told.
        send_resolved: bool = false;
        /// How the client is set up; the global one when it is not given.
        http_config: Option<HttpConfig>;
        /// The secret of the application.
        api_secret: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer api_secret_file: Option<PathBuf>;
        /// The identifier of the company.
        corp_id: Option<String>;
        /// The address of the API.
        api_url: Option<Url>;
        /// The text.
        message: Option<Template>;
        /// How the text is read.
        message_type: WechatMessageType;
        /// The people to tell, separated by `|`.
        to_user: Option<Template>;
        /// The departments to tell, separated by `|`.
        to_party: Option<Template>;
        /// The tags to tell, separated by `|`.
        to_tag: Option<Template>;
        /// The identifier of the application.
        agent_id: Option<Template>;
    }
}

words! {
    /// How a text for WeChat is read.
    WechatMessageType {
        /// As it is.
        Text = "text",
        /// As Markdown.
        Markdown = "markdown",
    }
    default = Text
}

section! {
    /// Messages from a Telegram bot. What is not given comes from the `telegram_*` keys of
    /// `global`.
    TelegramConfig, check = |_, fields, reader: &mut Reader<'_>| {
        reader.exclusive(fields, &["bot_token", "bot_token_file"]);
        reader.exactly_one(fields, &["chat_id", "chat_id_file"]);
    } => {
        /// Whether resolved alerts are told.
        send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        http_config: Option<HttpConfig>;
        /// The address of the API.
        api_url: Option<Url>;
        /// The token of the bot.
        bot_token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer bot_token_file: Option<PathBuf>;
        /// The chat to write to.
        chat_id: Option<i64>;
        /// A file that holds it, read when it is used.
        @Newer chat_id_file: Option<PathBuf>;
        /// The topic in the chat.
        @Newer message_thread_id: Option<i64>;
        /// The text.
        message: Option<Template>;
        /// Whether it arrives without a sound.
        disable_notifications: bool;
        /// How the text is read.
        parse_mode: TelegramParseMode;
    }
}

words! {
    /// How a text for Telegram is read.
    TelegramParseMode {
        /// As HTML.
        Html = "HTML",
        /// As Markdown.
        Markdown = "Markdown",
        /// As the second kind of Markdown.
        MarkdownV2 = "MarkdownV2",
        /// As it is.
        Plain = "",
    }
    default = Html
}

section! {
    /// Messages in Discord by incoming webhook.
    DiscordConfig, check = |_, fields, reader: &mut Reader<'_>| {
        reader.exactly_one(fields, &["webhook_url", "webhook_url_file"]);
    } => {
        /// Whether resolved alerts are told.
        send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        http_config: Option<HttpConfig>;
        /// The address of the incoming webhook.
        webhook_url: Option<SecretUrl>;
        /// A file that holds it, read when it is used.
        @Newer webhook_url_file: Option<PathBuf>;
        /// The title.
        title: Option<Template>;
        /// The text of the embed.
        message: Option<Template>;
        /// The text above the embed.
        @Newer content: Option<Template>;
        /// The name to post under.
        @Newer username: Option<Template>;
        /// The picture to post as.
        @Newer avatar_url: Option<Template>;
    }
}

section! {
    /// Messages in Webex. `http_config.authorization` carries the token of the bot.
    WebexConfig, check = check_webex => {
        /// Whether resolved alerts are told.
        send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        http_config: Option<HttpConfig>;
        /// The address of the API; `webex_api_url` when it is not given.
        api_url: Option<Url>;
        /// The room to write to.
        room_id: Template;
        /// The text.
        message: Option<Template>;
    }
}

section! {
    /// Messages in Microsoft Teams by the retired connector.
    MsteamsConfig, check = |_, fields, reader: &mut Reader<'_>| {
        reader.exactly_one(fields, &["webhook_url", "webhook_url_file"]);
    } => {
        /// Whether resolved alerts are told.
        @Newer send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        @Newer http_config: Option<HttpConfig>;
        /// The address of the incoming webhook.
        @Newer webhook_url: Option<SecretUrl>;
        /// A file that holds it, read when it is used.
        @Newer webhook_url_file: Option<PathBuf>;
        /// The title.
        @Newer title: Option<Template>;
        /// The summary shown in notifications.
        @Newer summary: Option<Template>;
        /// The text.
        @Newer text: Option<Template>;
    }
}

section! {
    /// Messages in Microsoft Teams by a workflow.
    Msteamsv2Config, check = |_, fields, reader: &mut Reader<'_>| {
        reader.exactly_one(fields, &["webhook_url", "webhook_url_file"]);
    } => {
        /// Whether resolved alerts are told.
        @Newer send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        @Newer http_config: Option<HttpConfig>;
        /// The address of the incoming webhook.
        @Newer webhook_url: Option<SecretUrl>;
        /// A file that holds it, read when it is used.
        @Newer webhook_url_file: Option<PathBuf>;
        /// The title.
        @Newer title: Option<Template>;
        /// The text.
        @Newer text: Option<Template>;
    }
}

section! {
    /// Messages in Rocket.Chat. What is not given comes from the `rocketchat_*` keys of `global`.
    RocketchatConfig, check = |_, fields, reader: &mut Reader<'_>| {
        reader.exclusive(fields, &["token", "token_file"]);
        reader.exclusive(fields, &["token_id", "token_id_file"]);
    } => {
        /// Whether resolved alerts are told.
        @Newer send_resolved: bool = false;
        /// How the client is set up; the global one when it is not given.
        @Newer http_config: Option<HttpConfig>;
        /// The address of the API.
        @Newer api_url: Option<Url>;
        /// The token of the person who posts.
        @Newer token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer token_file: Option<PathBuf>;
        /// The identifier of that person.
        @Newer token_id: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer token_id_file: Option<PathBuf>;
        /// The channel or person.
        @Newer channel: Option<Template>;
        /// The colour of the bar.
        @Newer color: Option<Template>;
        /// The title.
        @Newer title: Option<Template>;
        /// Where the title leads.
        @Newer title_link: Option<Template>;
        /// The text.
        @Newer text: Option<Template>;
        /// A table of short facts.
        @Newer fields: Vec<RocketchatField>;
        /// Whether fields stand side by side unless they say otherwise.
        @Newer short_fields: bool;
        /// The emoji to post as.
        @Newer emoji: Option<Template>;
        /// The picture to post as.
        @Newer icon_url: Option<Template>;
        /// A picture in the attachment.
        @Newer image_url: Option<Template>;
        /// A small picture beside the attachment.
        @Newer thumb_url: Option<Template>;
        /// Whether names become links.
        @Newer link_names: bool;
        /// Buttons.
        @Newer actions: Vec<RocketchatAction>;
    }
}

section! {
    /// One fact in the table of an attachment.
    RocketchatField => {
        /// The name of the fact.
        title: Option<Template>;
        /// The fact.
        value: Option<Template>;
        /// Whether it stands beside others.
        short: Option<bool>;
    }
}

section! {
    /// One button.
    RocketchatAction => {
        /// The kind of button.
        r#type: Option<Template>;
        /// What it says.
        text: Option<Template>;
        /// Where it leads.
        url: Option<Template>;
        /// A picture instead of text.
        image_url: Option<Template>;
        /// The same as `image_url`.
        imageurl: Option<Template>;
        /// Whether it opens beside the chat.
        is_webview: bool;
        /// The same as `is_webview`.
        iswebview: bool;
        /// How tall that opens: `compact`, `tall` or `full`.
        webview_height_ratio: Option<Template>;
        /// The same as `webview_height_ratio`.
        webviewheightratio: Option<Template>;
        /// The message it sends.
        msg: Option<Template>;
        /// Whether that message is sent to the chat.
        msg_in_chat_window: bool;
        /// The same as `msg_in_chat_window`.
        msginchatwindow: bool;
        /// What happens to that message: `sendMessage` or `respondWithMessage`.
        msg_processing_type: Option<Template>;
        /// The same as `msg_processing_type`.
        msgprocessingtype: Option<Template>;
    }
}

section! {
    /// Messages in Mattermost by incoming webhook.
    MattermostConfig, check = |_, fields, reader: &mut Reader<'_>| {
        reader.exclusive(fields, &["webhook_url", "webhook_url_file"]);
    } => {
        /// Whether resolved alerts are told.
        @Newer send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        @Newer http_config: Option<HttpConfig>;
        /// The address of the incoming webhook.
        @Newer webhook_url: Option<SecretUrl>;
        /// A file that holds it, read when it is used.
        @Newer webhook_url_file: Option<PathBuf>;
        /// The channel, when the webhook may choose.
        @Newer channel: Option<Template>;
        /// The name to post under.
        @Newer username: Option<Template>;
        /// The picture to post as.
        @Newer icon_url: Option<Template>;
        /// The emoji to post as.
        @Newer icon_emoji: Option<Template>;
        /// The text of the message.
        @Newer text: Option<Template>;
        /// The plain summary shown in notifications.
        @Newer fallback: Option<Template>;
        /// The colour of the bar.
        @Newer color: Option<Template>;
        /// The text above the attachment.
        @Newer pretext: Option<Template>;
        /// The name of an author.
        @Newer author_name: Option<Template>;
        /// Where that name leads.
        @Newer author_link: Option<Template>;
        /// The picture of the author.
        @Newer author_icon: Option<Template>;
        /// The title.
        @Newer title: Option<Template>;
        /// Where the title leads.
        @Newer title_link: Option<Template>;
        /// A table of short facts.
        @Newer fields: Vec<MattermostField>;
        /// A small picture beside the attachment.
        @Newer thumb_url: Option<Template>;
        /// The line below the attachment.
        @Newer footer: Option<Template>;
        /// The picture of that line.
        @Newer footer_icon: Option<Template>;
        /// A picture in the attachment.
        @Newer image_url: Option<Template>;
        /// Attachments.
        @Newer attachments: Vec<MattermostAttachment>;
        /// Further properties.
        @Newer props: Option<MattermostProps>;
        /// How urgent the message is.
        @Newer priority: Option<MattermostPriority>;
    }
}

section! {
    /// One attachment.
    MattermostAttachment => {
        /// The plain summary shown in notifications.
        fallback: Option<Template>;
        /// The colour of the bar.
        color: Option<Template>;
        /// The text above the attachment.
        pretext: Option<Template>;
        /// The text.
        text: Option<Template>;
        /// The name of an author.
        author_name: Option<Template>;
        /// Where that name leads.
        author_link: Option<Template>;
        /// The picture of the author.
        author_icon: Option<Template>;
        /// The title.
        title: Option<Template>;
        /// Where the title leads.
        title_link: Option<Template>;
        /// A table of short facts.
        fields: Vec<MattermostField>;
        /// A small picture beside the attachment.
        thumb_url: Option<Template>;
        /// The line below the attachment.
        footer: Option<Template>;
        /// The picture of that line.
        footer_icon: Option<Template>;
        /// A picture in the attachment.
        image_url: Option<Template>;
    }
}

section! {
    /// One fact in the table of an attachment.
    MattermostField => {
        /// The name of the fact.
        title: Option<Template>;
        /// The fact.
        value: Option<Template>;
        /// Whether it stands beside others.
        short: Option<bool>;
    }
}

section! {
    /// Further properties of a message.
    MattermostProps => {
        /// What the side panel shows.
        card: Option<Template>;
    }
}

section! {
    /// How urgent a message is.
    MattermostPriority => {
        /// `important`, `urgent` or `standard`.
        priority: Option<Template>;
        /// Whether readers are asked to acknowledge.
        requested_ack: bool;
        /// Whether people are reminded until they do.
        persistent_notifications: bool;
    }
}

fn check_webex(config: &mut WebexConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["room_id"]);
    if config.http_config.as_ref().is_none_or(|http| http.authorization.is_none()) {
        reader.error_here(
            fields,
            "webex needs `http_config.authorization` with the token of the bot",
        );
    }
}
