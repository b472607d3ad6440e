//! What attributes hold.

use super::context::Attribute;

/// Attributes that hold an address.
const ADDRESSES: &[&str] = &[
    "action",
    "archive",
    "background",
    "cite",
    "classid",
    "codebase",
    "data",
    "formaction",
    "href",
    "icon",
    "longdesc",
    "manifest",
    "poster",
    "profile",
    "src",
    "usemap",
    "xmlns",
];

/// Attributes that decide what others mean, or what is sent where; their names cannot be computed.
const DECISIVE: &[&str] = &[
    "accept-charset",
    "async",
    "challenge",
    "charset",
    "content",
    "crossorigin",
    "defer",
    "enctype",
    "form",
    "formenctype",
    "formmethod",
    "formnovalidate",
    "http-equiv",
    "keytype",
    "language",
    "method",
    "novalidate",
    "pattern",
    "rel",
    "sandbox",
    "srcdoc",
    "type",
    "value",
];

/// Attributes with a plain value, although their name looks like another.
const PLAIN: &[&str] = &["srclang"];

/// Returns what an attribute holds; `None` when its name cannot be computed.
pub(super) fn kind(name: &str) -> Option<Attribute> {
    let name = match (name.strip_prefix("data-"), name.split_once(':')) {
        (Some(rest), _) => rest,
        (None, Some(("xmlns", _))) => return Some(Attribute::Address),
        (None, Some((_, local))) => local,
        (None, None) => name,
    };
    if ADDRESSES.contains(&name) {
        return Some(Attribute::Address);
    }
    if DECISIVE.contains(&name) {
        return None;
    }
    let kind = match name {
        "style" => Attribute::Style,
        "srcset" => Attribute::AddressSet,
        _ if PLAIN.contains(&name) => Attribute::Plain,
        _ if name.starts_with("on") => Attribute::Script,
        // People call attributes of their own after what they hold.
        _ if ["src", "uri", "url"].iter().any(|part| name.contains(part)) => Attribute::Address,
        _ => Attribute::Plain,
    };
    Some(kind)
}

/// Returns whether a `script` of this type is one.
pub(super) fn is_script_type(value: &str) -> bool {
    const TYPES: &[&str] = &[
        "application/ecmascript",
        "application/javascript",
        "application/json",
        "application/ld+json",
        "application/x-ecmascript",
        "application/x-javascript",
        "module",
        "text/ecmascript",
        "text/javascript",
        "text/javascript1.0",
        "text/javascript1.1",
        "text/javascript1.2",
        "text/javascript1.3",
        "text/javascript1.4",
        "text/javascript1.5",
        "text/jscript",
        "text/livescript",
        "text/x-ecmascript",
        "text/x-javascript",
    ];
    let value = value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase();
    TYPES.contains(&value.as_str())
}

/// Returns the text with its character references replaced, as far as they matter to scripts,
/// style sheets and addresses.
pub(super) fn without_entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match entity(rest) {
            Some((character, length)) => {
                out.push(character);
                rest = &rest[length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Reads a character reference; returns the character and the length.
fn entity(text: &str) -> Option<(char, usize)> {
    const NAMED: &[(&str, char)] = &[
        ("&quot", '"'),
        ("&apos", '\''),
        ("&amp", '&'),
        ("&lt", '<'),
        ("&gt", '>'),
        ("&nbsp", '\u{a0}'),
        ("&Tab", '\t'),
        ("&NewLine", '\n'),
        ("&sol", '/'),
        ("&bsol", '\\'),
        ("&quest", '?'),
        ("&num", '#'),
        ("&colon", ':'),
        ("&lpar", '('),
        ("&rpar", ')'),
        ("&grave", '`'),
        ("&lsqb", '['),
        ("&rsqb", ']'),
        ("&semi", ';'),
        ("&lbrack", '['),
        ("&rbrack", ']'),
    ];
    let (character, length) = if let Some(digits) = text.strip_prefix("&#") {
        let (radix, skipped) = if digits.starts_with(['x', 'X']) { (16, 1) } else { (10, 0) };
        let digits = &digits[skipped..];
        let count = digits.chars().take_while(|digit| digit.is_digit(radix)).count();
        let number = u32::from_str_radix(&digits[..count], radix).ok()?;
        (char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER), 2 + skipped + count)
    } else {
        let (name, character) = NAMED.iter().find(|(name, _)| text.starts_with(name))?;
        (*character, name.len())
    };
    Some((character, length + usize::from(text[length..].starts_with(';'))))
}
