//! Signing in: passwords, codes, links, and the cookies that follow.

mod account;
mod pages;
mod password;
mod provider;
mod session;
mod throttle;
mod totp;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::routing::get;
use jiff::SignedDuration;
use tocsin_core::command::Command;
use tocsin_core::identity::{Actor, Handle, IdentityChange};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub use crate::secrets::{KeyError, MasterKey, Unsealable};
pub use provider::SignInProvider;

/// What signing in needs beside the directory.
#[derive(Debug)]
pub struct SignIns {
    passwords: password::Passwords,
    throttle: throttle::Throttle,
    key: ArcSwap<MasterKey>,
}

impl SignIns {
    /// Returns one that seals with `key`.
    pub fn new(key: MasterKey) -> Self {
        Self {
            passwords: password::Passwords::default(),
            throttle: throttle::Throttle::default(),
            key: ArcSwap::from_pointee(key),
        }
    }

    /// Returns one for another tenant of the same process. Guesses are counted apart; how many
    /// passwords are hashed at once holds for all of them.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self {
            passwords: self.passwords.clone(),
            throttle: throttle::Throttle::default(),
            key: ArcSwap::new(self.key.load_full()),
        }
    }

    /// Seals with the key of another tenant from now on.
    pub fn follow_key(&self, other: &Self) {
        self.key.store(other.key.load_full());
    }

    /// Returns how many passwords were compared with a hash so far. A guess at a name that nobody
    /// has counts as well: it costs the same.
    pub fn passwords_checked(&self) -> u64 {
        self.passwords.checked()
    }

    /// Returns keys for another purpose, that of the current master key first.
    pub fn derived(&self, purpose: &str) -> Vec<[u8; 32]> {
        self.key.load().derived(purpose)
    }

    /// Returns the master key in use.
    pub(crate) fn key(&self) -> Arc<MasterKey> {
        self.key.load_full()
    }

    /// Takes another master key, with the older ones that still open what they sealed.
    pub fn replace_key(&self, key: MasterKey) {
        self.key.store(Arc::new(key));
    }
}

/// Seals everything anew that an older key sealed, so that the older key can be thrown away.
/// Returns how many values that were.
///
/// # Errors
/// Something cannot be opened, sealed or written, in words; what was sealed stays as it is.
pub async fn reseal(app: &App) -> Result<usize, String> {
    let key = app.sign_ins.key.load_full();
    let directory = app.engine.directory();
    let mut totp = Vec::new();
    for credentials in directory.all_credentials() {
        let Some(factor) = &credentials.totp else { continue };
        if key.is_current(&factor.sealed) {
            continue;
        }
        let place = session::factor_place(app, &credentials.person);
        let of = |why: &dyn std::fmt::Display| format!("{place}: {why}");
        let secret = key.open_sealed(&place, &factor.sealed).map_err(|why| of(&why))?;
        let sealed = key.seal(&place, &secret).map_err(|why| of(&why))?;
        totp.push((credentials.person.clone(), sealed));
    }
    let secrets = crate::secrets::resealed(app, &key)?;
    let count = totp.len() + secrets.len();
    if count > 0 {
        let change = IdentityChange::Reseal { secrets, totp };
        let order = Command::Identity(change).by(Actor::OPERATOR);
        app.engine.command(order).await.map_err(|error| error.to_string())?;
    }
    Ok(count)
}

/// Makes a link that signs `person` in once, in the name of whoever runs the process.
///
/// # Errors
/// It cannot be made, in words.
pub async fn make_link(app: &App, person: Handle, life: SignedDuration) -> Result<String, String> {
    let made = crate::v1::people::make_link(app, &Actor::OPERATOR, person, life).await;
    made.map(|link| link.url).map_err(|refusal| refusal.detail().to_owned())
}

/// Returns the pages.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/sign-in", get(pages::form).post(pages::submit))
        .route("/sign-in/link", get(pages::link_form).post(pages::link_submit))
        .route("/sign-in/provider", get(provider::start))
        .route("/sign-in/provider/callback", get(provider::callback))
        .route("/sign-out", axum::routing::post(pages::sign_out))
}

/// Returns the routes of the API with what the document says of them.
pub(crate) fn documented() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(session::sign_in, session::sign_out))
        .routes(routes!(session::use_link))
        .routes(routes!(session::list, session::end_all))
        .routes(routes!(account::set_password))
        .routes(routes!(account::begin_second_factor, account::remove_second_factor))
        .routes(routes!(account::confirm_second_factor))
}
