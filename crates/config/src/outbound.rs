//! Which addresses the server may connect to, whoever asks it to.

use std::fmt;

use ipnet::IpNet;

use crate::document::Document;
use crate::identity::parse_network;
use crate::reader::{Reader, Value};
use crate::section::{Out, Shape, Text, section, words};
use crate::yaml::Node;

section! {
    /// Which addresses HTTP requests may go to. Link-local ones, where clouds keep credentials,
    /// are refused unless they are in `allow`.
    OutboundConfig => {
        /// Whether addresses of this file may be on private networks or on this machine.
        @Native private: PrivateWord;
        /// Networks and hosts that may be connected to whatever else holds: `10.1.0.0/16`,
        /// `hooks.internal`, `*.corp.example`.
        @Native allow: Vec<PlaceText>;
        /// Networks and hosts that are never connected to.
        @Native deny: Vec<PlaceText>;
    }
}

words! {
    /// Whether private networks may be connected to.
    PrivateWord {
        /// They may.
        Allow = "allow",
        /// Only what `allow` lists.
        Refuse = "refuse",
    }
    default = Allow
}

/// A network, an address or a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Addresses.
    Network(IpNet),
    /// A host by its name, lower-case.
    Host(String),
    /// All hosts below a domain, which is written in lower case and without the dot before it.
    Below(String),
}

impl Place {
    fn parse(text: &str) -> Result<Self, String> {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(network) = parse_network(bare) {
            return Ok(Self::Network(network));
        }
        let (name, is_below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        // A network that is mistyped must not become a host that nothing is named.
        let has_name =
            name.rsplit('.').next().is_some_and(|last| !last.starts_with(char::is_numeric));
        if name.is_empty() || !name.chars().all(is_letter) || !has_name {
            return Err(
                "write it as `10.1.0.0/16`, `hooks.internal` or `*.corp.example`".to_owned()
            );
        }
        Ok(if is_below { Self::Below(name) } else { Self::Host(name) })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Host(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*.{name}"),
        }
    }
}

/// A [`Place`] as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceText(pub Place);

impl Value for PlaceText {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "a network or a host", |text| Place::parse(text).map(Self))
    }

    fn encode(&self) -> Out {
        Out::text(&self.0)
    }

    fn shape() -> Shape {
        Shape::Text(Text::Named("network or host"))
    }
}

/// Which addresses the server may connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundRules {
    /// Whether addresses that the file names may be on private networks or on this machine.
    pub may_be_private: bool,
    /// What may be connected to whatever else holds.
    pub allow: Vec<Place>,
    /// What is never connected to.
    pub deny: Vec<Place>,
}

impl Default for OutboundRules {
    fn default() -> Self {
        Self { may_be_private: true, allow: Vec::new(), deny: Vec::new() }
    }
}

impl OutboundRules {
    pub(crate) fn of(document: &Document) -> Self {
        let places = |list: &[PlaceText]| list.iter().map(|it| it.0.clone()).collect();
        let config = &document.outbound;
        Self {
            may_be_private: config.private == PrivateWord::Allow,
            allow: places(&config.allow),
            deny: places(&config.deny),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_network_a_host_or_a_domain() {
        let shown = |text: &str| Place::parse(text).map(|place| place.to_string());
        for (text, same) in [
            ("10.1.2.3/16", "10.1.0.0/16"),
            ("169.254.169.254", "169.254.169.254/32"),
            ("[fd00::1]", "fd00::1/128"),
            ("Hooks.Internal.", "hooks.internal"),
            ("*.corp.example", "*.corp.example"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(same), "{text}");
        }
        for wrong in ["", "*", "10.1.0.0/99", "10.1.0", "http://a", "a b", "*.", "a:80"] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }
}
