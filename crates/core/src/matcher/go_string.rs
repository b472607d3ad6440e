//! Go's interpreted string literals: what stands between double quotes in the UTF-8 grammar.

/// Returns what the inside of a double-quoted Go string stands for, or `None` when it is none.
///
/// `\xHH` and octal escapes are bytes, so several may spell one character; bytes that are not
/// UTF-8 in the end are refused, as is a raw line feed.
///
/// Source: The Go Programming Language Specification, "String literals".
pub(super) fn unescape(inside: &str) -> Option<String> {
    if !inside.contains(['\\', '"', '\n']) {
        return Some(inside.to_owned());
    }
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\n' => return None,
            '\\' => escape(&mut rest, &mut bytes)?,
            c => push(&mut bytes, c),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Reads what follows a back-slash.
fn escape(rest: &mut std::str::Chars<'_>, bytes: &mut Vec<u8>) -> Option<()> {
    let c = rest.next()?;
    match c {
        'a' => bytes.push(0x07),
        'b' => bytes.push(0x08),
        'f' => bytes.push(0x0c),
        'n' => bytes.push(b'\n'),
        'r' => bytes.push(b'\r'),
        't' => bytes.push(b'\t'),
        'v' => bytes.push(0x0b),
        '\\' | '"' => push(bytes, c),
        'x' => bytes.push(u8::try_from(number(rest, 2, 16)?).ok()?),
        'u' => push(bytes, char::from_u32(number(rest, 4, 16)?)?),
        'U' => push(bytes, char::from_u32(number(rest, 8, 16)?)?),
        '0'..='7' => {
            let low = number(rest, 2, 8)?;
            bytes.push(u8::try_from(c.to_digit(8)? * 64 + low).ok()?);
        }
        _ => return None,
    }
    Some(())
}

/// Reads exactly `digits` digits.
fn number(rest: &mut std::str::Chars<'_>, digits: usize, radix: u32) -> Option<u32> {
    (0..digits).try_fold(0_u32, |number, _| {
        number.checked_mul(radix)?.checked_add(rest.next()?.to_digit(radix)?)
    })
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_of_go_is_understood() {
        for (inside, expected) in [
            ("plain", "plain"),
            (r"\a\b\f\n\r\t\v", "\x07\x08\x0c\n\r\t\x0b"),
            (r#"\"\\"#, "\"\\"),
            (r"\x41\101\u0041\U00000041", "AAAA"),
            (r"\xf0\x9f\x99\x82", "🙂"),
            (r"\U0001f642 é", "🙂 é"),
            (r"\000", "\0"),
        ] {
            assert_eq!(unescape(inside).as_deref(), Some(expected), "{inside}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for inside in [
            r"\w",
            r"\'",
            r"\",
            r"\x4",
            r"\xg0",
            r"\400",
            r"\08",
            r"\ud800",
            r"\U00110000",
            r"\xf0\x9f",
            "a\nb",
            "a\"b",
            r"\é",
        ] {
            assert_eq!(unescape(inside), None, "{inside}");
        }
    }
}
