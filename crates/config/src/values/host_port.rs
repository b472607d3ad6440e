//! `host:port` addresses.

use std::fmt;
use std::str::FromStr;

use crate::reader::{Reader, Value};
use crate::section::{Out, Shape, Text};
use crate::yaml::Node;

/// A host and a port, both mandatory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an address; an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err("it needs a port, as in `mail.example.org:587`".to_owned());
        };
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if bare.is_none() && host.contains(':') {
            return Err("an IPv6 address needs brackets, as in `[::1]:25`".to_owned());
        }
        let host = bare.unwrap_or(host);
        if host.is_empty() {
            return Err("the host is missing".to_owned());
        }
        let port = match port {
            "smtp" => 25,
            "smtps" | "submissions" => 465,
            "submission" => 587,
            "" => return Err("the port is missing".to_owned()),
            number => match number.parse() {
                Ok(port) if port > 0 => port,
                _ => return Err(format!("`{number}` is not a port (1 to 65535)")),
            },
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Value for HostPort {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "an address `host:port`", str::parse)
    }

    fn encode(&self) -> Out {
        Out::text(self)
    }

    fn shape() -> Shape {
        Shape::Text(Text::HostPort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_mandatory_and_ipv6_needs_brackets() {
        for good in ["localhost:25", "[::1]:587", "10.0.0.1:1"] {
            assert_eq!(good.parse::<HostPort>().unwrap().to_string(), good);
        }
        for bad in ["localhost", ":25", "host:", "host:0", "host:70000", "::1:25"] {
            assert!(bad.parse::<HostPort>().is_err(), "{bad}");
        }
    }
}
