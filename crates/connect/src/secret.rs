//! Secrets as they are when they are needed: a file is read anew each time, so that a rotated
//! password needs no reload.

use std::path::PathBuf;

use tocsin_config::{NotStored, Secret, SecretSource};
use tocsin_core::notification::FailureClass;

use crate::failure::Undelivered;
use crate::redact::Redactor;

/// Runs `read` where waiting for a disk stops nobody else.
pub(crate) async fn offload<T: Send + 'static>(
    read: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Undelivered> {
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(|error| Undelivered::failed(FailureClass::Other, error.to_string()))
}

/// Reads a secret and hides it from every error text of the attempt.
pub(crate) async fn read(
    source: SecretSource<'_>,
    redactor: &mut Redactor,
) -> Result<Secret, Undelivered> {
    let secret = match source {
        SecretSource::Inline(secret) => secret.fetch().map_err(|why| missing(&why))?,
        SecretSource::File(path) => read_file(path.to_owned()).await?,
    };
    redactor.hide(secret.expose());
    Ok(secret)
}

/// A secret that is named and not stored: nothing can be sent before somebody stores it.
pub(crate) fn missing(error: &NotStored) -> Undelivered {
    Undelivered::refused(FailureClass::Other, error.to_string())
}

async fn read_file(path: PathBuf) -> Result<Secret, Undelivered> {
    offload(move || SecretSource::File(&path).read()).await
}
