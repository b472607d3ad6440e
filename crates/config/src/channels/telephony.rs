//! Text messages and calls.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::http::HttpConfig;
use crate::reader::{Fields, Reader, Value};
use crate::section::{Out, Shape, Text, section};
use crate::values::{Secret, SecretSource, Url};
use crate::yaml::Node;

/// The most digits a number has (E.164).
const MAX_DIGITS: usize = 15;

section! {
    /// Sends text messages and calls by Twilio's API.
    TwilioChannelConfig, check = check => {
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
        /// The account, `AC…`.
        @Native account_sid: Option<String>;
        /// The token of the account; what comes back is signed with it.
        @Native auth_token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native auth_token_file: Option<PathBuf>;
        /// Another token whose signatures are good, while tokens are changed.
        @Native alternate_auth_token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native alternate_auth_token_file: Option<PathBuf>;
        /// The number that messages and calls come from, as in `+15005550006`.
        @Native from_number: Option<PhoneNumber>;
        /// The messaging service that text messages come from, `MG…`, instead of the number.
        @Native messaging_service_sid: Option<String>;
        /// Other numbers by how the number that is called begins, as in `"+44": "+44…"`; the
        /// longest beginning counts.
        @Native from_overrides: BTreeMap<String, PhoneNumber>;
        /// Whether text messages carry a link where it fits.
        @Native links: bool = true;
        /// Beginnings of numbers from which no answer comes back: they are told no reply codes.
        @Native one_way: Vec<String> =
            ["+91", "+86", "+502", "+506", "+507", "+84"].map(str::to_owned).to_vec();
        /// Beginnings of numbers to which text messages carry no links, because they are dropped.
        @Native no_links: Vec<String> = vec!["+86".to_owned()];
        /// The language calls are spoken in, as Twilio names it.
        @Native language: String = "en-US".to_owned();
        /// The voice calls are spoken with, as Twilio names it; empty for Twilio's usual one.
        @Native voice: String;
        /// The address of the API, or of a service that speaks like it.
        @Native api_url: Option<Url> = Url::parse("https://api.twilio.com").ok();
    }
}

fn check(twilio: &mut TwilioChannelConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exclusive(fields, &["auth_token", "auth_token_file"]);
    reader.exclusive(fields, &["alternate_auth_token", "alternate_auth_token_file"]);
    reader.require(fields, &["account_sid"]);
    if !fields.has("auth_token") && !fields.has("auth_token_file") {
        reader.error_here(fields, "`auth_token` or `auth_token_file` is needed");
    }
    if !fields.has("from_number") && !fields.has("messaging_service_sid") {
        reader.error_here(fields, "`from_number` or `messaging_service_sid` is needed");
    } else if !fields.has("from_number") {
        let message = "without `from_number` nobody can be called, only sent text messages";
        reader.warn_at(fields, "messaging_service_sid", message);
    }
    let lists = [("one_way", &twilio.one_way), ("no_links", &twilio.no_links)];
    for (key, list) in lists {
        if let Some(bad) = list.iter().find(|text| !is_beginning(text)) {
            let message = format!("`{bad}` is not how a number begins: write it as `+44`");
            reader.error_at(fields, key, message);
        }
    }
    if let Some(bad) = twilio.from_overrides.keys().find(|text| !is_beginning(text)) {
        let message = format!("`{bad}` is not how a number begins: write it as `+44`");
        reader.error_at(fields, "from_overrides", message);
    }
}

fn is_beginning(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (1..=MAX_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

impl TwilioChannelConfig {
    /// Returns where the token of the account comes from.
    pub fn token(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.auth_token.as_ref(), self.auth_token_file.as_deref())
    }

    /// Returns where the other token comes from whose signatures are good.
    pub fn alternate_token(&self) -> Option<SecretSource<'_>> {
        let file = self.alternate_auth_token_file.as_deref();
        SecretSource::of(self.alternate_auth_token.as_ref(), file)
    }

    /// Returns the number from which another is called.
    pub fn from_number_for(&self, number: &str) -> Option<&PhoneNumber> {
        let overrides = self.from_overrides.iter();
        let best = overrides
            .filter(|(beginning, _)| number.starts_with(beginning.as_str()))
            .max_by_key(|(beginning, _)| beginning.len());
        best.map(|(_, number)| number).or(self.from_number.as_ref())
    }

    /// Returns whether a number can answer a text message.
    pub fn is_two_way(&self, number: &str) -> bool {
        !self.one_way.iter().any(|beginning| number.starts_with(beginning.as_str()))
    }

    /// Returns whether a text message to a number may carry a link.
    pub fn may_link(&self, number: &str) -> bool {
        self.links && !self.no_links.iter().any(|beginning| number.starts_with(beginning.as_str()))
    }
}

/// A number of a phone in E.164: `+`, then 2 to 15 digits, the first not 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number; spaces, dots, dashes and brackets are dropped.
    ///
    /// # Errors
    /// Says in a few words why the text is not one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_filler = |c: &char| !matches!(c, ' ' | '.' | '-' | '(' | ')' | '/');
        let number: String = text.trim().chars().filter(is_filler).collect();
        let Some(digits) = number.strip_prefix('+') else {
            return Err("it begins with `+` and the country code, as in `+4930123456`".to_owned());
        };
        let is_long_enough = (2..=MAX_DIGITS).contains(&digits.len());
        if !is_long_enough || digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit())
        {
            return Err("after `+` come 2 to 15 digits, the first not 0".to_owned());
        }
        Ok(Self(number))
    }

    /// Returns the number, `+` first.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for PhoneNumber {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "a phone number", Self::parse)
    }

    fn encode(&self) -> Out {
        Out::text(&self.0)
    }

    fn shape() -> Shape {
        Shape::Text(Text::Named("phone number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_international_however_it_is_written() {
        for (text, number) in
            [("+49 30 123-456", "+4930123456"), ("+1 (500) 555.0006", "+15005550006")]
        {
            assert_eq!(PhoneNumber::parse(text).unwrap().as_str(), number);
        }
        for text in ["030123", "+", "+0123456", "+49abc", "+1234567890123456", ""] {
            assert!(PhoneNumber::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_longest_beginning_decides_from_where() {
        let number = |text: &str| PhoneNumber::parse(text).unwrap();
        let config = TwilioChannelConfig {
            from_number: Some(number("+15005550006")),
            from_overrides: [("+44", "+441111"), ("+4477", "+442222")]
                .map(|(beginning, from)| (beginning.to_owned(), number(from)))
                .into(),
            ..TwilioChannelConfig::default()
        };
        let from = |to: &str| config.from_number_for(to).unwrap().as_str().to_owned();
        assert_eq!(from("+447712"), "+442222");
        assert_eq!(from("+4420"), "+441111");
        assert_eq!(from("+49"), "+15005550006");
        assert!(!config.is_two_way("+8613") && config.is_two_way("+49"));
        assert!(!config.may_link("+8613") && config.may_link("+9113"));
    }
}
