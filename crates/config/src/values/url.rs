//! Addresses of services.

use std::fmt;

use super::secret::Secret;
use super::template::is_template;
use crate::reader::{Reader, Value};
use crate::section::{Out, Shape, Text};
use crate::yaml::Node;

/// An `http://` or `https://` address. Prints without the password it may carry.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

impl Url {
    /// Checks an address.
    ///
    /// # Errors
    /// Says in a few words why the text is not one.
    pub fn parse(text: &str) -> Result<Self, String> {
        check(text, &["http", "https"])?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the address as written, a password included.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks that `text` is an absolute address with one of the `schemes` and a host.
pub(crate) fn check(text: &str, schemes: &[&str]) -> Result<(), String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("it needs a scheme, as in `https://example.org/`".to_owned());
    };
    if !schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(format!("the scheme must be {}", schemes.join(" or ")));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("it must not contain white space".to_owned());
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    if name.is_empty() {
        return Err("the host is missing".to_owned());
    }
    if port.is_some_and(|port| !port.is_empty() && port.parse::<u16>().is_err()) {
        return Err("the port is not a number up to 65535".to_owned());
    }
    Ok(())
}

/// Returns the address with the password between `user:` and `@` replaced, as Go prints it.
fn redacted(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    match authority.rsplit_once('@').map(|(user, host)| (user.split_once(':'), host)) {
        Some((Some((user, _)), host)) => format!("{scheme}://{user}:xxxxx@{host}{tail}"),
        _ => text.to_owned(),
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted(&self.0))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted(&self.0))
    }
}

impl Value for Url {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        // Where a password may stand, a complaint does not repeat the text.
        if reader.text(node, "an address")?.contains('@') {
            return reader.parsed_secret(node, "an address", Self::parse);
        }
        reader.parsed(node, "an address", Self::parse)
    }

    fn encode(&self) -> Out {
        Out::text(self)
    }

    fn shape() -> Shape {
        Shape::Text(Text::Url)
    }
}

/// An address that is a secret itself, because whoever knows it can post there.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Secret);

impl SecretUrl {
    /// Checks an address; one with a template expression is taken as it is.
    ///
    /// # Errors
    /// Says in a few words why the text is not one, without repeating it.
    pub fn parse(text: &str) -> Result<Self, String> {
        // What Alertmanager's API shows in the place of a secret can be read back.
        if !is_template(text) && text != super::MASK {
            check(text, &["http", "https"])?;
        }
        Ok(Self(Secret::new(text)))
    }

    /// Returns the address, for the one place that calls it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Returns the address as a secret, which may be stored and has to be fetched then.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// Returns whether the address holds a template expression.
    pub fn is_template(&self) -> bool {
        is_template(self.0.expose())
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::MASK)
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::MASK)
    }
}

impl Value for SecretUrl {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Some(secret) = Secret::decode(node, reader)?.into_stored() {
            return Some(Self(secret));
        }
        let url = reader.parsed_secret(node, "an address", Self::parse)?;
        if url.is_template() {
            reader.note_template(node);
        }
        Some(url)
    }

    fn encode(&self) -> Out {
        Out::Secret
    }

    fn shape() -> Shape {
        Shape::Text(Text::SecretUrl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_scheme_and_host() {
        for good in ["http://a", "https://a:1/x?y#z", "HTTPS://u:p@[::1]:80/", "http://[::1]"] {
            assert!(Url::parse(good).is_ok(), "{good}");
        }
        for bad in ["a.example", "ftp://a", "http://", "http:///x", "http://a b", "http://a:x"] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn passwords_in_addresses_do_not_print() {
        let url = Url::parse("http://user:hunter2@proxy:3128/p@th:x").unwrap();
        assert_eq!(format!("{url}"), "http://user:xxxxx@proxy:3128/p@th:x");
        assert_eq!(format!("{url:?}"), url.to_string());
        assert_eq!(Url::parse("http://me@a/").unwrap().to_string(), "http://me@a/");
    }

    #[test]
    fn a_secret_address_prints_as_a_secret_and_may_be_a_template() {
        let url = SecretUrl::parse("https://hooks.example/T0/hunter2").unwrap();
        assert_eq!(format!("{url} {url:?}"), "<secret> <secret>");
        assert!(SecretUrl::parse("{{ .CommonLabels.url }}").unwrap().is_template());
    }
}
