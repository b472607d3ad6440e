//! Which integration a key belongs to, and whether it may tell us anything.

use std::sync::Arc;

use tocsin_config::InboundKind;
use tocsin_core::identity::{Actor, Credential, Permission, SecretHash, TokenOwner, Who};

use super::{Inbound, UnknownKey};
use crate::App;
use crate::access::{Caller, TOKEN_PREFIX};

/// Returns the integration with that key; with `kind` only one that speaks it.
///
/// A key is one of the configuration, or one that was made through the API. Where nobody
/// configured the kind, any key will do for those who may post alerts anyhow.
///
/// # Errors
/// No integration has the key.
pub(crate) fn admit(
    app: &App,
    caller: &Caller,
    kind: Option<InboundKind>,
    key: &str,
) -> Result<Arc<Inbound>, UnknownKey> {
    let current = app.reloader.current();
    if key.starts_with(TOKEN_PREFIX) {
        let directory = app.engine.directory();
        let token = directory.token_by_hash(&SecretHash::of(key.as_bytes())).ok_or(UnknownKey)?;
        let is_usable = token.is_valid_at(app.engine.now())
            && token.is_allowed_from(caller.actor.address)
            && directory.access_of_token(token).allows(Permission::AlertIngest);
        return match &token.owner {
            TokenOwner::Integration(name) if is_usable => {
                app.known.token_used(token, app.engine.now());
                current.inbounds.named(name, kind).ok_or(UnknownKey)
            }
            _ => Err(UnknownKey),
        };
    }
    let found = match kind {
        Some(kind) => current.inbounds.find(kind, key),
        None => current.inbounds.by_key(key),
    };
    found.and_then(|inbound| {
        let may = !inbound.is_open() || caller.access.allows(Permission::AlertIngest);
        if may { Ok(inbound) } else { Err(UnknownKey) }
    })
}

/// Returns who is behind what an integration tells.
pub(crate) fn actor(caller: &Caller, inbound: &Inbound) -> Actor {
    Actor {
        who: Who::Integration(inbound.name.to_string()),
        credential: match caller.actor.credential {
            Credential::Token(id) => Credential::Token(id),
            _ => Credential::ConfiguredKey,
        },
        ..caller.actor.clone()
    }
}
