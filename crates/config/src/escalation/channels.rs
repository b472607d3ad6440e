//! Channels that people are paged through have to be set up.

use std::collections::BTreeMap;

use tocsin_core::paging::Channel;

use crate::channels::ChannelsConfig;
use crate::document::Document;
use crate::reader::Reader;

/// Warns where somebody would be paged through a channel that is not set up, once for each channel
/// at the first place that names it.
pub(super) fn check(document: &Document, reader: &mut Reader<'_>) {
    let channels = document.channels.with_global(&document.global);
    let mut named: BTreeMap<Channel, String> = BTreeMap::new();
    for (index, person) in document.people.iter().enumerate() {
        for (at, method) in person.contact_methods.iter().enumerate() {
            let path = format!(".people[{index}].contact_methods[{at}].channel");
            named.entry(method.channel.channel()).or_insert(path);
        }
    }
    for (index, policy) in document.escalation_policies.iter().enumerate() {
        for (at, step) in policy.steps.iter().enumerate() {
            for (target, meant) in step.page.iter().enumerate() {
                if let tocsin_core::escalation::Target::Place(place) = &meant.0 {
                    let path = format!(".escalation_policies[{index}].steps[{at}].page[{target}]");
                    named.entry(place.channel).or_insert(path);
                }
            }
        }
    }
    for (channel, path) in named {
        if let Some(key) = missing(channel, &channels) {
            let span = reader.place(&path);
            let message =
                format!("nothing can be sent by {channel} before `channels.{key}` is set");
            reader.warn_span(span, message);
        }
    }
}

/// Returns the key without which a channel cannot send; `None` when it can.
fn missing(channel: Channel, channels: &ChannelsConfig) -> Option<&'static str> {
    let twilio = &channels.twilio;
    match channel {
        Channel::Email if channels.email.smarthost.is_none() => Some("email.smarthost"),
        Channel::Email if channels.email.from.is_none() => Some("email.from"),
        Channel::Sms | Channel::Voice if twilio.account_sid.is_none() => Some("twilio.account_sid"),
        Channel::Sms | Channel::Voice if twilio.token().is_none() => Some("twilio.auth_token"),
        Channel::Sms if twilio.from_number.is_none() && twilio.messaging_service_sid.is_none() => {
            Some("twilio.from_number")
        }
        Channel::Voice if twilio.from_number.is_none() => Some("twilio.from_number"),
        Channel::Slack if channels.slack.token().is_none() => Some("slack.bot_token"),
        Channel::Telegram if channels.telegram.token().is_none() => Some("telegram.bot_token"),
        Channel::Mattermost if channels.mattermost.url.is_none() => Some("mattermost.url"),
        Channel::Mattermost if channels.mattermost.token().is_none() => Some("mattermost.token"),
        Channel::Opsgenie if channels.opsgenie.key().is_none() => Some("opsgenie.api_key"),
        _ => None,
    }
}
