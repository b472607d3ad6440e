//! One who asks.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tocsin_core::identity::{Access, Actor, Credential, Permission, Who};
use tocsin_core::labels::Labels;

use crate::App;
use crate::v1::problem::Refusal;

/// Who asks, and what they may do.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who, with what, and from where.
    pub actor: Actor,
    /// What they may do.
    pub access: Arc<Access>,
    /// Whether a browser adds what proves it by itself, wherever a page comes from.
    pub(crate) is_ambient: bool,
}

impl Caller {
    /// Returns somebody of whom nothing is known.
    pub(crate) fn stranger(address: Option<IpAddr>) -> Self {
        Self {
            actor: Actor {
                who: Who::Stranger,
                credential: Credential::None,
                address,
                request_id: None,
            },
            access: Arc::default(),
            is_ambient: true,
        }
    }

    /// Returns whether nothing is known of them.
    pub fn is_stranger(&self) -> bool {
        self.actor.who == Who::Stranger
    }

    /// Returns whether they may do something with what carries these labels.
    pub fn may(&self, permission: Permission, labels: &Labels) -> bool {
        self.access.allows_for(permission, labels)
    }

    /// Returns whether they still may, for what goes on after a request was let in: tokens are
    /// revoked and people sign out meanwhile.
    pub(crate) fn still_may(&self, app: &App, permission: Permission) -> bool {
        let directory = app.engine.directory();
        let now = app.engine.now();
        match (&self.actor.who, self.actor.credential) {
            (_, Credential::Token(id)) => {
                let token = directory.token(id).filter(|token| token.is_valid_at(now));
                token.is_some_and(|token| directory.access_of_token(token).allows(permission))
            }
            (_, Credential::Session(id)) => {
                let session = directory.session(id).filter(|session| now < session.ends_at);
                session.is_some_and(|session| {
                    directory.access_of(session.person.as_str()).allows(permission)
                })
            }
            (Who::Local, _) => !directory.has_accounts(),
            _ => self.access.allows(permission),
        }
    }

    /// Refuses what they may not do with something that they may see.
    ///
    /// # Errors
    /// 403 when they may not.
    pub(crate) fn must(&self, permission: Permission, labels: &Labels) -> Result<(), Refusal> {
        if self.may(permission, labels) {
            return Ok(());
        }
        Err(Refusal::new(
            tocsin_wire::v1::ProblemCode::Forbidden,
            format!("`{permission}` is needed for this, and you do not have it here"),
        ))
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &Arc<App>,
    ) -> Result<Self, std::convert::Infallible> {
        // The guard put it there; without the guard nobody may do anything.
        Ok(parts.extensions.get().cloned().unwrap_or_else(|| Self::stranger(None)))
    }
}
