//! The ways to reach somebody.

use serde::{Deserialize, Serialize};

/// A way to reach a person or a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Mail; the address is one.
    Email,
    /// A text message; the address is a number in E.164, `+4915…`.
    Sms,
    /// A phone call; the address is a number in E.164.
    Voice,
    /// Slack; the address is the id of a member, or the id or name of a channel.
    Slack,
    /// Microsoft Teams; the address is the URL of a workflow's webhook.
    Msteams,
    /// Telegram; the address is the id of a chat.
    Telegram,
    /// Mattermost; the address is a user name, a channel id, or `@name`.
    Mattermost,
    /// Discord; the address is the URL of a webhook.
    Discord,
    /// ntfy; the address is a topic, or the URL of one.
    Ntfy,
    /// A browser that subscribed; the address is its subscription as JSON.
    WebPush,
    /// Anything that takes JSON; the address is a URL.
    Webhook,
    /// PagerDuty; the address is a routing key.
    Pagerduty,
    /// Opsgenie; the address is the name of a responder, or empty.
    Opsgenie,
    /// Our own standard output; the address is only shown.
    Stdout,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Email,
        Self::Sms,
        Self::Voice,
        Self::Slack,
        Self::Msteams,
        Self::Telegram,
        Self::Mattermost,
        Self::Discord,
        Self::Ntfy,
        Self::WebPush,
        Self::Webhook,
        Self::Pagerduty,
        Self::Opsgenie,
        Self::Stdout,
    ];

    /// Returns the word for it in settings, the API and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Slack => "slack",
            Self::Msteams => "msteams",
            Self::Telegram => "telegram",
            Self::Mattermost => "mattermost",
            Self::Discord => "discord",
            Self::Ntfy => "ntfy",
            Self::WebPush => "web_push",
            Self::Webhook => "webhook",
            Self::Pagerduty => "pagerduty",
            Self::Opsgenie => "opsgenie",
            Self::Stdout => "stdout",
        }
    }

    /// Reads a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == word)
    }

    /// Returns whether it rings or buzzes by itself, so that it must not do so all the time.
    pub fn is_intrusive(self) -> bool {
        matches!(self, Self::Sms | Self::Voice)
    }

    /// Returns whether somebody has to show that an address is theirs before it is used: by a code
    /// that is sent there.
    pub fn needs_verification(self) -> bool {
        matches!(self, Self::Email | Self::Sms | Self::Voice | Self::Slack | Self::Telegram)
    }
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for channel in Channel::ALL {
            assert_eq!(Channel::from_word(channel.as_str()), Some(channel));
            let json = serde_json::to_value(channel).unwrap();
            assert_eq!(json, channel.as_str());
        }
        assert_eq!(Channel::from_word("fax"), None);
    }
}
