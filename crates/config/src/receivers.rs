//! What can be told, and how: one module per kind of receiver.

mod chat;
mod email;
mod paging;
mod slack;
mod stdout;
mod ticket;
mod webhook;

pub use chat::*;
pub use email::{DateThreading, EmailConfig, EmailThreading};
pub use paging::*;
pub use slack::{SlackAction, SlackConfig, SlackConfirm, SlackField};
pub use stdout::{StdoutConfig, StdoutFormat};
pub use ticket::*;
pub use webhook::WebhookConfig;
