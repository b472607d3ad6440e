//! What can be told, and how: one module per kind of receiver.

mod email;
mod slack;
mod stdout;
mod webhook;

pub use email::{DateThreading, EmailConfig, EmailThreading};
pub use slack::{SlackAction, SlackConfig, SlackConfirm, SlackField};
pub use stdout::{StdoutConfig, StdoutFormat};
pub use webhook::WebhookConfig;
