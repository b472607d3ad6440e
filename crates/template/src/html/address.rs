//! Addresses.

use std::fmt::Write as _;

use super::context::{Address, Context};

/// What stands for an address that would run something.
const REFUSED: &str = "#ZgotmplZ";

/// Follows text inside an address.
pub(super) fn follow(context: Context, text: &str) -> Context {
    let address = if text.contains(['#', '?']) {
        Address::Query
    } else if context.address == Address::Start && !text.trim_start_matches(is_space).is_empty() {
        Address::Path
    } else {
        context.address
    };
    Context { address, ..context }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\u{c}' | '\r')
}

/// Returns whether the address has no scheme, or one that only leads somewhere.
fn is_harmless(address: &str) -> bool {
    match address.split_once(':') {
        Some((scheme, _)) if !scheme.contains('/') => {
            ["http", "https", "mailto"].iter().any(|harmless| scheme.eq_ignore_ascii_case(harmless))
        }
        _ => true,
    }
}

/// Returns the address when it only leads somewhere.
pub(super) fn filter(address: &str) -> &str {
    if is_harmless(address) { address } else { REFUSED }
}

/// Returns the text as one part of an address.
pub(super) fn escape(text: &str) -> String {
    encode(text, false)
}

/// Returns an address with what cannot stand in one encoded, and the rest as it is.
pub(super) fn normalize(address: &str) -> String {
    encode(address, true)
}

fn encode(text: &str, keeps_reserved: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + 16);
    for (at, byte) in bytes.iter().copied().enumerate() {
        let is_kept = match byte {
            b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => true,
            b'!' | b'#' | b'$' | b'&' | b'*' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?'
            | b'@' | b'[' | b']' => keeps_reserved,
            b'%' => {
                let digits = bytes.get(at + 1..at + 3);
                keeps_reserved
                    && digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            }
            _ => false,
        };
        if is_kept {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02x}");
        }
    }
    out
}

/// Returns one address as an item of a set: a comma in it would begin the next.
pub(super) fn one_of_set(address: &str) -> String {
    normalize(address).replace(',', "%2c")
}

/// Returns a set of addresses, each with its size, without those that would run something.
pub(super) fn set(addresses: &str) -> String {
    let items: Vec<String> = addresses.split(',').map(set_item).collect();
    items.join(",")
}

fn set_item(item: &str) -> String {
    let rest = item.trim_start_matches(is_space);
    let (before, end) =
        (&item[..item.len() - rest.len()], rest.find(is_space).unwrap_or(rest.len()));
    let (address, size) = rest.split_at(end);
    let is_size =
        size.chars().all(|character| is_space(character) || character.is_ascii_alphanumeric());
    if is_harmless(address) && is_size {
        format!("{before}{}{size}", normalize(address))
    } else {
        REFUSED.to_owned()
    }
}
