//! Telling a watcher outside that we are alive: its address is asked, and that is all.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use tocsin_core::notification::AttemptOutcome;

use crate::Outbound;
use crate::failure::{Undelivered, chain};
use crate::http::{Deadline, Request, Stamp};
use crate::redact::Redactor;

/// How long the other side may take.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Outbound {
    /// Asks an address of the configuration and does nothing with the answer but look whether it
    /// is a success.
    ///
    /// # Errors
    /// One sentence without the address: whoever has it can say that we are alive.
    pub async fn knock(&self, address: &str, now: Timestamp) -> Result<(), String> {
        let mut redactor = Redactor::new();
        redactor.hide(address);
        let url = Url::parse(address).map_err(|error| format!("no URL: {}", chain(&error)))?;
        let key = format!("alive-{now:.0}");
        let stamp = Stamp { idempotency_key: &key, now };
        let request = Request::get("the watcher", url, stamp);
        let answer = self.watcher().send(request, Deadline::after(TIMEOUT), &mut redactor).await;
        let undelivered = match answer {
            Ok(answer) if (200..=299).contains(&answer.status) => return Ok(()),
            Ok(answer) => Undelivered::status("the watcher", answer.status, None, &[]),
            Err(undelivered) => undelivered,
        };
        match undelivered.into_outcome(&redactor) {
            AttemptOutcome::Failed(failure) | AttemptOutcome::Refused(failure) => {
                Err(failure.message)
            }
            AttemptOutcome::Delivered { .. } => Ok(()),
        }
    }
}
