//! Who is behind a command.

use core::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::person::Handle;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum Who {
    /// Tocsin itself.
    Engine,
    /// Whoever works on the machine itself, before there are accounts or with its command line.
    Local,
    /// A person with an account.
    Person(Handle),
    /// A program with a token.
    Service(String),
    /// A source of alerts with its key.
    Integration(String),
    /// A user of the listener's own file, who may do everything.
    ListenerUser(String),
    /// Somebody from an address that needs no credentials.
    Network(String),
    /// Somebody who could not prove who they are.
    Stranger,
}

impl Who {
    /// Returns a name for people.
    pub fn name(&self) -> &str {
        match self {
            Self::Engine => "tocsin",
            Self::Local => "local",
            Self::Stranger => "stranger",
            Self::Person(handle) => handle.as_str(),
            Self::Service(name)
            | Self::Integration(name)
            | Self::ListenerUser(name)
            | Self::Network(name) => name,
        }
    }
}

/// What was shown to prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Credential {
    /// Nothing.
    None,
    /// A browser's session.
    Session(Uuid),
    /// A token or an integration key that the API made.
    Token(Uuid),
    /// An integration key of the configuration file.
    ConfiguredKey,
    /// A name and a password of the listener's own file, or a certificate.
    Listener,
}

/// Who is behind a command, with what, and from where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who.
    pub who: Who,
    /// With what.
    pub credential: Credential,
    /// From where; `None` within the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The id of the request, which the log has, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Actor {
    /// Tocsin itself.
    pub const ENGINE: Self =
        Self { who: Who::Engine, credential: Credential::None, address: None, request_id: None };

    /// Whoever runs the process on its machine.
    pub const OPERATOR: Self =
        Self { who: Who::Local, credential: Credential::None, address: None, request_id: None };
}
