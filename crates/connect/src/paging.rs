//! Pages: one attempt to reach somebody, on whatever channel.
//!
//! A page is complete: nothing is looked up while it is sent. What it says stands in [`words`];
//! each channel has a module that puts those words into its own form, and gives back what it needs
//! to change the message later.

mod call;
mod discord;
mod email;
mod gsm;
mod mattermost;
mod msteams;
mod ntfy;
mod opsgenie;
mod pagerduty;
mod press;
mod slack;
mod stdout;
mod telegram;
mod twilio;
mod user_group;
mod vapid;
mod web_push;
mod webhook;
mod words;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tocsin_config::{ChannelsConfig, HttpConfig};
use tocsin_core::notification::{AttemptOutcome, FailureClass};
use tocsin_core::paging::{Channel, Page};

use self::words::Words;
use crate::failure::Undelivered;
use crate::http::{ClientError, Deadline, Sender, Stamp};
use crate::outbound::{Context, DEFAULT_TIMEOUT, Senders, Sent};
use crate::redact::Redactor;

pub use self::call::Call;
pub use self::mattermost::PURPOSE as MATTERMOST_PURPOSE;
pub use self::press::{Press, UnreadablePress};
pub(crate) use self::user_group::sync as sync_user_group;
pub use self::user_group::{GroupChange, UserGroupError};
pub use self::vapid::{VapidError, VapidKey};

/// Where the answers of channels come in, below the address of this server.
pub mod paths {
    /// Links in messages; the token follows.
    pub const LINK: &str = "a";
    /// Twilio: a text message that somebody sent.
    pub const TWILIO_SMS: &str = "answers/twilio/sms";
    /// Twilio: what to say in a call, and keys that were pressed.
    pub const TWILIO_VOICE: &str = "answers/twilio/voice";
    /// Twilio: what became of a message or a call.
    pub const TWILIO_STATUS: &str = "answers/twilio/status";
    /// Slack: a button.
    pub const SLACK_ACTION: &str = "answers/slack/action";
    /// Slack: the command.
    pub const SLACK_COMMAND: &str = "answers/slack/command";
    /// Telegram: a button, or a message to the bot.
    pub const TELEGRAM: &str = "answers/telegram";
    /// Mattermost: a button.
    pub const MATTERMOST: &str = "answers/mattermost";
}

/// One attempt to deliver one page.
pub(crate) struct Errand<'a> {
    pub(crate) page: &'a Page,
    pub(crate) idempotency_key: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) deadline: Deadline,
    pub(crate) context: &'a Context,
    pub(crate) words: Words<'a>,
}

impl<'a> Errand<'a> {
    fn new(
        page: &'a Page,
        idempotency_key: &'a str,
        limit: Duration,
        context: &'a Context,
    ) -> Self {
        Self {
            page,
            idempotency_key,
            now: page.due_at,
            deadline: Deadline::after(limit),
            context,
            words: Words::new(page, context),
        }
    }

    /// Returns the address below this server's.
    fn own_url(&self, path: &str) -> String {
        format!("{}/{path}", self.context.external_url.trim_end_matches('/'))
    }
}

impl<'a> From<&Errand<'a>> for Stamp<'a> {
    fn from(errand: &Errand<'a>) -> Self {
        Self { idempotency_key: errand.idempotency_key, now: errand.now }
    }
}

/// All channels, ready to be used.
pub(crate) struct Channels {
    /// Large, and only looked at.
    config: Box<ChannelsConfig>,
    /// For each channel those for addresses of the file and for addresses that people set.
    senders: Vec<(Channel, Arc<Sender>, Arc<Sender>)>,
}

impl Channels {
    /// Sets the clients up; nothing is connected yet. The error names the channel.
    pub(crate) fn new(
        config: &ChannelsConfig,
        senders: &mut Senders<'_>,
    ) -> Result<Self, (Channel, ClientError)> {
        let mut all = Vec::new();
        for channel in Channel::ALL {
            let http = http_config(config, channel);
            let of_file = senders.get(http).map_err(|error| (channel, error))?;
            let strict = senders.strict(http).map_err(|error| (channel, error))?;
            all.push((channel, of_file, strict));
        }
        Ok(Self { config: Box::new(config.clone()), senders: all })
    }

    pub(crate) fn config(&self) -> &ChannelsConfig {
        &self.config
    }

    /// Returns what speaks to the service that the file names.
    pub(crate) fn sender(&self, channel: Channel) -> Result<&Sender, Undelivered> {
        self.senders(channel).map(|(sender, _)| sender)
    }

    fn senders(&self, channel: Channel) -> Result<(&Sender, &Sender), Undelivered> {
        let found = self.senders.iter().find(|(it, ..)| *it == channel);
        found.map(|(_, of_file, strict)| (&**of_file, &**strict)).ok_or_else(|| {
            Undelivered::refused(FailureClass::Other, format!("{channel} is not set up"))
        })
    }

    /// Says something in private to whoever pressed a button, at an address that the channel gave.
    pub(crate) async fn respond(
        &self,
        channel: Channel,
        to: &str,
        text: &str,
        now: Timestamp,
    ) -> Result<(), String> {
        let mut redactor = Redactor::new();
        let outcome = match channel {
            Channel::Slack => {
                let sender = self.sender(channel);
                match sender {
                    Ok(sender) => {
                        slack::respond(&self.config.slack, sender, (to, text), now, &mut redactor)
                            .await
                    }
                    Err(undelivered) => Err(undelivered),
                }
            }
            // The others are told in the answer to their own request.
            _ => Ok(()),
        };
        outcome.map_err(|undelivered| undelivered.into_parts(&redactor).0)
    }

    /// Tries once.
    pub(crate) async fn page(
        &self,
        page: &Page,
        idempotency_key: &str,
        context: &Context,
    ) -> AttemptOutcome {
        let mut redactor = Redactor::new();
        let errand = Errand::new(page, idempotency_key, self.timeout(page.channel), context);
        // What some channels take is large, and most pages go by others.
        match Box::pin(self.send(&errand, &mut redactor)).await {
            Ok(Sent { receipt }) => AttemptOutcome::Delivered { receipt, fallbacks: Vec::new() },
            Err(undelivered) => undelivered.into_outcome(&redactor),
        }
    }

    fn timeout(&self, channel: Channel) -> Duration {
        match channel {
            Channel::Webhook => self.config.webhook.timeout,
            _ => DEFAULT_TIMEOUT,
        }
    }

    async fn send(
        &self,
        errand: &Errand<'_>,
        redactor: &mut Redactor,
    ) -> Result<Sent, Undelivered> {
        let config = &self.config;
        let (sender, strict) = self.senders(errand.page.channel)?;
        match errand.page.channel {
            Channel::Email => email::send(&config.email, errand, redactor).await,
            Channel::Sms => twilio::sms::send(&config.twilio, sender, errand, redactor).await,
            Channel::Voice => twilio::voice::send(&config.twilio, sender, errand, redactor).await,
            Channel::Slack => slack::send(&config.slack, sender, errand, redactor).await,
            Channel::Msteams => msteams::send(strict, errand, redactor).await,
            Channel::Telegram => telegram::send(&config.telegram, sender, errand, redactor).await,
            Channel::Mattermost => {
                mattermost::send(&config.mattermost, sender, errand, redactor).await
            }
            Channel::Discord => discord::send(strict, errand, redactor).await,
            Channel::Ntfy => ntfy::send(&config.ntfy, (sender, strict), errand, redactor).await,
            Channel::WebPush => web_push::send(&config.web_push, strict, errand, redactor).await,
            Channel::Webhook => webhook::send(&config.webhook, strict, errand, redactor).await,
            Channel::Pagerduty => {
                pagerduty::send(&config.pagerduty, sender, errand, redactor).await
            }
            Channel::Opsgenie => opsgenie::send(&config.opsgenie, sender, errand, redactor).await,
            Channel::Stdout => stdout::send(errand).await,
        }
    }
}

/// Says that a channel lacks what its configuration has to say.
fn unset(channel: &str, key: &str) -> Undelivered {
    let why = format!("{channel}: `channels.{key}` is not set");
    Undelivered::refused(FailureClass::Other, why)
}

/// Says that an address is none of the channel's.
fn no_address(channel: &str, why: &str) -> Undelivered {
    Undelivered::refused(FailureClass::ClientError, format!("{channel}: the address {why}"))
}

fn http_config(config: &ChannelsConfig, channel: Channel) -> Option<&HttpConfig> {
    match channel {
        Channel::Email | Channel::Stdout => None,
        Channel::Sms | Channel::Voice => config.twilio.http_config.as_ref(),
        Channel::Slack => config.slack.http_config.as_ref(),
        Channel::Msteams => config.msteams.http_config.as_ref(),
        Channel::Telegram => config.telegram.http_config.as_ref(),
        Channel::Mattermost => config.mattermost.http_config.as_ref(),
        Channel::Discord => config.discord.http_config.as_ref(),
        Channel::Ntfy => config.ntfy.http_config.as_ref(),
        Channel::WebPush => config.web_push.http_config.as_ref(),
        Channel::Webhook => config.webhook.http_config.as_ref(),
        Channel::Pagerduty => config.pagerduty.http_config.as_ref(),
        Channel::Opsgenie => config.opsgenie.http_config.as_ref(),
    }
}
