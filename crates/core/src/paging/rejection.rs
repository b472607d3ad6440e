//! Why policies and contact methods cannot change as asked.

use super::channel::Channel;
use crate::escalation::{MAX_POLICIES, PolicyProblem};
use crate::paging::{MAX_METHODS_PER_PERSON, MAX_RULES_PER_PERSON};

/// Why something about paging cannot change as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PagingRejection {
    /// The policy breaks a bound.
    #[error(transparent)]
    Policy(#[from] PolicyProblem),
    /// As many policies as there may be.
    #[error("there are {MAX_POLICIES} escalation policies already, which is the bound")]
    TooManyPolicies,
    /// No policy of that name.
    #[error("there is no escalation policy `{name}`")]
    UnknownPolicy {
        /// The name.
        name: String,
    },
    /// Receivers name it.
    #[error("escalation policy `{name}` is used by: {used_by}")]
    PolicyInUse {
        /// The name.
        name: String,
        /// The receivers.
        used_by: String,
    },
    /// No person of that handle.
    #[error("there is nobody `{person}`")]
    UnknownPerson {
        /// The handle.
        person: String,
    },
    /// The person has no such method.
    #[error("`{person}` has no contact method `{method}`")]
    UnknownMethod {
        /// The handle.
        person: String,
        /// The name of the method.
        method: String,
    },
    /// The method is not verified, or the person stopped it.
    #[error("contact method `{method}` cannot be used: verify it first, or start it again")]
    Unusable {
        /// The name of the method.
        method: String,
    },
    /// The address has not the form that the channel needs.
    #[error("this is no address for {channel}: {}", wanted(*.channel))]
    Address {
        /// The channel.
        channel: Channel,
    },
    /// As many methods as there may be.
    #[error("nobody has more than {MAX_METHODS_PER_PERSON} contact methods")]
    TooManyMethods,
    /// As many rules as there may be.
    #[error("nobody has more than {MAX_RULES_PER_PERSON} rules for one urgency")]
    TooManyRules,
    /// Something was sent there less than a minute ago.
    #[error("a message was sent there less than a minute ago; wait a little")]
    TooSoon,
    /// Not the code, too late, or guessed too often.
    #[error("this is not the code, or it has ended; ask for another")]
    WrongCode,
    /// As many escalations as there may be.
    #[error("too many escalations are open")]
    TooManyRuns,
}

fn wanted(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms | Channel::Voice => "a number like +4915112345678",
        Channel::Email => "an address like ada@example.org",
        Channel::Msteams | Channel::Discord | Channel::Webhook => "an http(s) URL",
        Channel::WebPush => "the subscription of a browser as JSON",
        _ => "1 to 2000 characters",
    }
}
