//! Signing in and out, as our API shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::identity as domain;
use utoipa::ToSchema;
use uuid::Uuid;

/// What somebody signs in with.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `name` and `password`")]
pub struct SignInDraft {
    /// The handle or the e-mail address.
    pub name: String,
    /// The password.
    pub password: String,
    /// A code of the second factor, or a recovery code.
    #[serde(default)]
    pub code: Option<String>,
}

/// A link that signs in once, and the password that its owner chooses.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `token` and `password`")]
pub struct LinkDraft {
    /// What the link carries as `token`.
    pub token: String,
    /// The new password.
    pub password: String,
}

/// A new password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `current` and `new`")]
pub struct PasswordDraft {
    /// The one in use.
    pub current: String,
    /// The one to come.
    pub new: String,
}

/// A code of the second factor.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `code`")]
pub struct CodeDraft {
    /// Six digits.
    pub code: String,
}

/// A second factor that is being set up.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SecondFactor {
    /// The secret, to be typed into an authenticator app; shown this once.
    pub secret: String,
    /// The same as an address that such an app reads from a QR code.
    #[schema(example = "otpauth://totp/Tocsin:ada?secret=…&issuer=Tocsin")]
    pub url: String,
}

/// Codes for the day the second factor is lost.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each signs in once in the place of a code; shown this once.
    pub recovery_codes: Vec<String>,
}

/// A browser that somebody is signed in with.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Names it; no secret.
    pub id: Uuid,
    /// Who is signed in.
    pub person: String,
    /// How: `password`, `password_and_code`, `password_and_recovery_code`, `link`, `provider`.
    pub by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends whatever happens.
    pub ends_at: Timestamp,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the browser calls itself.
    pub user_agent: String,
    /// Whether the caller asks by it.
    pub is_current: bool,
}

impl Session {
    /// Returns a session of a directory.
    pub fn new(session: &domain::Session, is_current: bool) -> Self {
        use domain::SignedInBy;
        let by = match session.by {
            SignedInBy::Password => "password",
            SignedInBy::PasswordAndCode => "password_and_code",
            SignedInBy::PasswordAndRecoveryCode => "password_and_recovery_code",
            SignedInBy::Link => "link",
            SignedInBy::Provider => "provider",
        };
        Self {
            id: session.id,
            person: session.person.to_string(),
            by: by.to_owned(),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            ends_at: session.ends_at,
            address: session.address.map(|address| address.to_string()),
            user_agent: session.user_agent.clone(),
            is_current,
        }
    }
}

/// The caller's sessions.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Sessions {
    /// The one used last first.
    pub items: Vec<Session>,
}
