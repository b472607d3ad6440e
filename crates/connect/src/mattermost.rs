//! Mattermost.

use tocsin_config::MattermostConfig;
use tocsin_core::notification::FailureClass;

use crate::failure::Undelivered;
use crate::http::Sender;
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;

/// How it is called in errors.
const TARGET: &str = "mattermost";

/// Sends one message.
pub(crate) async fn send(
    _config: &MattermostConfig,
    _sender: &Sender,
    _job: &Job<'_>,
    _redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    Err(Undelivered::refused(FailureClass::Other, format!("{TARGET}: not delivered yet")))
}
