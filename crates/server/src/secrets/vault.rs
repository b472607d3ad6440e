//! Opens stored secrets for whoever sends messages.

use std::sync::{Arc, OnceLock, Weak};

use tocsin_config::{NotStored, Secret, SecretStore};
use tokio::sync::watch;

use super::place;
use crate::App;

/// Opens the secrets of a tenant. It is there before the tenant's engine, whose configuration
/// refers to it.
pub struct Vault {
    app: OnceLock<Weak<App>>,
    ready: watch::Sender<bool>,
}

impl Default for Vault {
    fn default() -> Self {
        Self { app: OnceLock::new(), ready: watch::Sender::new(false) }
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl Vault {
    /// Opens the secrets of `app` from now on.
    pub fn attach(&self, app: &Arc<App>) {
        // Whose it was first it stays.
        let _ = self.app.set(Arc::downgrade(app));
        self.ready.send_replace(true);
    }

    /// Turns true once secrets can be opened.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }
}

impl SecretStore for Vault {
    fn fetch(&self, name: &str) -> Result<Secret, NotStored> {
        let missing = || NotStored::Missing(name.to_owned());
        let app = self.app.get().and_then(Weak::upgrade).ok_or_else(missing)?;
        let directory = app.engine.directory();
        let stored = directory.secret(name).ok_or_else(missing)?;
        let opened = app.sign_ins.key().open_sealed(&place(&app, name), &stored.sealed);
        let text = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| NotStored::Sealed(name.to_owned()))?;
        app.known.secret_used(stored, app.engine.now());
        Ok(Secret::new(text))
    }
}
