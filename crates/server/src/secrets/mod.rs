//! Stored secrets: set by people, sealed at rest, opened when a message needs them, never shown.

mod seal;
mod vault;

use tocsin_core::identity::SealedSecret;

use crate::App;

pub use seal::{KeyError, MasterKey, Unsealable};
pub use vault::Vault;

/// Returns what the sealed value of a secret is bound to.
pub(crate) fn place(app: &App, name: &str) -> String {
    app.options.sealed_place(&format!("secret/{name}"))
}

/// Seals anew what an older key sealed; those that are current are left out.
///
/// # Errors
/// The first that does not open, in words.
pub(crate) fn resealed(app: &App, key: &MasterKey) -> Result<Vec<SealedSecret>, String> {
    let directory = app.engine.directory();
    let mut resealed = Vec::new();
    for secret in directory.secrets().filter(|secret| !key.is_current(&secret.sealed)) {
        let place = place(app, &secret.name);
        let value = key.open_sealed(&place, &secret.sealed);
        let value = value.map_err(|why| format!("{place}: {why}"))?;
        let sealed = key.seal(&place, &value).map_err(|why| format!("{place}: {why}"))?;
        resealed.push(SealedSecret { sealed, ..SealedSecret::clone(secret) });
    }
    Ok(resealed)
}
