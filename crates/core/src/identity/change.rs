//! What may be asked about people, tokens, sessions and secrets, and why it may be refused.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::credentials::{ExternalAccount, SignInLink};
use super::directory::SealedSecret;
use super::person::{Handle, Person};
use super::session::Session;
use super::team::{Team, TeamName};
use super::token::{ApiToken, TokenOwner};
use super::{SecretHash, SignedInBy};

/// One change of who may do what. Anything random or slow, such as hashing a password, has been
/// done already.
#[derive(Clone, Debug)]
pub enum IdentityChange {
    /// A person is new.
    AddPerson(Box<Person>),
    /// A person changed; whether they are active stays as it is.
    ChangePerson(Box<Person>),
    /// A person leaves: sessions and tokens end, and what they own passes on.
    Deactivate(Handle),
    /// A person is back, without tokens and sessions.
    Reactivate(Handle),
    /// A team is new or changed.
    SetTeam(Box<Team>),
    /// A team is dissolved.
    DeleteTeam(TeamName),
    /// A token or an integration key is made.
    AddToken(Box<ApiToken>),
    /// A token or an integration key ends.
    RevokeToken(Uuid),
    /// A person has a new password; other sessions than `keep` end.
    SetPassword {
        /// Whose.
        person: Handle,
        /// The hash as a PHC string.
        hash: Arc<str>,
        /// The session that goes on.
        keep: Option<Uuid>,
    },
    /// A person begins to set up a second factor.
    BeginTotp {
        /// Who.
        person: Handle,
        /// The secret, sealed.
        sealed: String,
    },
    /// A person has shown that the second factor works, and gets recovery codes.
    ConfirmTotp {
        /// Who.
        person: Handle,
        /// The time step of the code that was shown.
        step: u64,
        /// Hashes of the new recovery codes.
        recovery_codes: Vec<SecretHash>,
    },
    /// A person signs in without a second factor from now on.
    RemoveTotp(Handle),
    /// Somebody may sign in once with a link; older links of theirs end.
    AddLink(SignInLink),
    /// Somebody signs in.
    SignIn(Box<SignIn>),
    /// Somebody could not sign in; only remembered.
    RecordFailedSignIn {
        /// The name that was given, cut short.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// A session ends.
    EndSession(Uuid),
    /// All sessions of a person end.
    EndSessions(Handle),
    /// Sessions and tokens were used; not a change to tell of.
    Touch {
        /// Sessions, and when.
        sessions: Vec<(Uuid, Timestamp)>,
        /// Tokens, and when.
        tokens: Vec<(Uuid, Timestamp)>,
    },
    /// A secret is set or replaced.
    SetSecret(Box<SealedSecret>),
    /// A secret was opened to be used. The first time of a day is written into the audit log.
    SecretUsed {
        /// Which.
        name: String,
        /// When it was used last.
        at: Timestamp,
    },
    /// A secret is removed.
    DeleteSecret(String),
    /// Everything sealed is sealed anew with another key.
    Reseal {
        /// Secrets.
        secrets: Vec<SealedSecret>,
        /// Second factors.
        totp: Vec<(Handle, String)>,
    },
    /// Something was read or used that is worth remembering.
    RecordAccess {
        /// What was done, such as `secret.use`.
        action: &'static str,
        /// With what.
        subject: String,
    },
}

/// Somebody signs in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The session that begins; its person is not looked at with [`Proof::External`].
    pub session: Session,
    /// Why it may.
    pub proof: Proof,
}

/// Why somebody may sign in. That a password or a code is right was checked before.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The password was right.
    Password,
    /// Password and code were right.
    Code {
        /// The time step of the code.
        step: u64,
    },
    /// The password was right, and this is the hash of a recovery code.
    RecoveryCode {
        /// Of the code.
        hash: SecretHash,
    },
    /// A link with this hash.
    Link {
        /// Of the link's secret.
        hash: SecretHash,
    },
    /// The identity provider says who it is.
    External {
        /// The account there.
        account: ExternalAccount,
        /// What the provider says about the person. The handle is a wish.
        profile: Box<Person>,
        /// A person without an account at the provider whom this is known to be.
        link_to: Option<Handle>,
    },
}

impl Proof {
    /// Returns how a session that begins with it says it began.
    pub fn signed_in_by(&self) -> SignedInBy {
        match self {
            Self::Password => SignedInBy::Password,
            Self::Code { .. } => SignedInBy::PasswordAndCode,
            Self::RecoveryCode { .. } => SignedInBy::PasswordAndRecoveryCode,
            Self::Link { .. } => SignedInBy::Link,
            Self::External { .. } => SignedInBy::Provider,
        }
    }
}

/// Something that has an owner, and who has it when the owner leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// What kind of thing it is, such as `acknowledgement`.
    pub kind: &'static str,
    /// Which one.
    pub subject: String,
    /// Who takes over; `None` when it ends with the owner, or nobody is left.
    pub passes_to: Option<Handle>,
}

/// Why a change was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityRejection {
    /// No such person.
    #[error("there is no person `{0}`")]
    UnknownPerson(String),
    /// No such team.
    #[error("there is no team `{0}`")]
    UnknownTeam(String),
    /// No such token.
    #[error("there is no token {0}")]
    UnknownToken(Uuid),
    /// No such session.
    #[error("there is no session {0}")]
    UnknownSession(Uuid),
    /// No such secret.
    #[error("there is no secret `{0}`")]
    UnknownSecret(String),
    /// The handle is taken.
    #[error("there is a person `{0}` already")]
    PersonExists(Handle),
    /// Others depend on it.
    #[error("team `{name}` is used by {}", users.join(", "))]
    TeamInUse {
        /// Which one.
        name: TeamName,
        /// By what.
        users: Vec<String>,
    },
    /// The file says so.
    #[error("{what} is provisioned by the configuration file; change it there")]
    Provisioned {
        /// What.
        what: String,
    },
    /// As many as there may be.
    #[error("there are {limit} {what} already, which is the bound")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// Nobody could administer the tenant any more.
    #[error("`{0}` is the last administrator who can sign in; make another one first")]
    LastAdmin(Handle),
    /// The person may not sign in.
    #[error("`{0}` is not active")]
    Inactive(Handle),
    /// The person reports to themselves, maybe through others.
    #[error("`{0}` would report to themselves")]
    ManagerCycle(Handle),
    /// A code is needed beside the password.
    #[error("a code of the second factor is needed, too")]
    CodeWanted,
    /// The code was used before.
    #[error("this code was used already; wait for the next one")]
    CodeUsed,
    /// There is no second factor to confirm or ask for.
    #[error("no second factor has been set up")]
    NoTotp,
    /// The link is unknown, over, or was used.
    #[error("this link has ended or was used already; ask for another one")]
    LinkEnded,
    /// A source has two keys already.
    #[error("`{source_name}` has two keys already; revoke one before making another")]
    TwoKeys {
        /// Which source.
        source_name: String,
    },
}

impl TokenOwner {
    /// Returns what the owner is called in the audit log.
    pub fn subject(&self) -> String {
        match self {
            Self::Person(handle) => format!("person/{handle}"),
            Self::Service(name) => format!("service/{name}"),
            Self::Integration(name) => format!("integration/{name}"),
        }
    }
}
