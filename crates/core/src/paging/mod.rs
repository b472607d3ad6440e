//! Reaching people: on which channels, by which rules, with what words, and what they answer.
//!
//! A [`Page`] is an outbox row before it is a message, complete, so that sending looks nothing up.
//! What people answer comes back as a [`Answer`], whatever the channel.

mod answer;
mod channel;
mod contact;
mod page;
mod rejection;
mod rules;
mod throttle;

pub use answer::{Action, Answer, AnswerRejection, Answered, Answerer, Spoken, Words, parse_words};
pub use channel::Channel;
pub use contact::{
    Contacts, MAX_METHODS_PER_PERSON, Method, MethodId, MethodIdError, Pending, Verification,
};
pub use page::{
    Content, MAX_ALERTS_PER_PAGE, Page, PageAlert, PageItem, PageState, Receipt, Recipient, Run,
    StateWord,
};
pub use rejection::PagingRejection;
pub use rules::{MAX_RULES_PER_PERSON, QuietHours, Rule, Rules, Urgency};
pub use throttle::{Throttle, Window, Windows};
